"""How a problem is told: its words in both languages, and the class of errors that have its code."""

from dataclasses import dataclass

from node.errors import (
    DeniedError,
    InputError,
    NodeError,
    NotFoundError,
    StateError,
)


@dataclass(frozen=True, slots=True)
class Words:
    """A problem in one language."""

    title: str
    advice: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ProblemText:
    """A problem in both languages, and the class of the errors that have its code."""

    ru: Words
    en: Words
    kind: type[NodeError]

    def words(self, language: str) -> Words:
        """In `ru`, or in English for any other language."""
        return self.ru if language == "ru" else self.en


def wrong(
    ru: tuple[str, str],
    en: tuple[str, str],
    detail: tuple[str, str] = ("", ""),
    kind: type[NodeError] = InputError,
) -> ProblemText:
    """What was sent is wrong, unless `kind` says otherwise: what is wrong and what to do, in Russian and in English."""
    return ProblemText(Words(*ru, detail[0]), Words(*en, detail[1]), kind)


def state(ru: tuple[str, str], en: tuple[str, str], detail: tuple[str, str] = ("", "")) -> ProblemText:
    """What is asked does not fit the state that things are in."""
    return wrong(ru, en, detail, StateError)


def denied(ru: tuple[str, str], en: tuple[str, str], detail: tuple[str, str] = ("", "")) -> ProblemText:
    """Whoever asks may not."""
    return wrong(ru, en, detail, DeniedError)


def unknown(ru: str, en: str) -> ProblemText:
    """Nothing here has that identifier."""
    return wrong((ru, "Проверьте идентификатор."), (en, "Check the identifier."), kind=NotFoundError)
