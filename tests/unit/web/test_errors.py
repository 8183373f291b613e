"""Errors become problems with stable codes, and ours stay ours."""

import pytest
from pydantic import BaseModel, Field, ValidationError
from structlog.testing import capture_logs

from node.errors import (
    ConfigError,
    DeniedError,
    InputError,
    KeystoreError,
    NodeError,
    NotFoundError,
    PeerError,
    StateError,
)
from node.web.binding import RulesError
from node.web.errors import problem_of
from node.web.rules import broken_rules


class Inner(BaseModel):
    """A part."""

    serial: str = Field(min_length=3, pattern="^[0-9]+$")


class Outer(BaseModel):
    """A body."""

    parts: list[Inner]
    password: str = Field(default="", max_length=3)


def broken(values: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(values)
    return caught.value


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundError("x"), 404),
        (DeniedError("x"), 403),
        (StateError("x"), 409),
        (InputError("x"), 422),
        (InputError("x", "cursor"), 400),
        (PeerError("x"), 502),
    ],
)
def test_class_of_error_gives_the_status(error: NodeError, status: int) -> None:
    """The status follows from the class, unless the code has one of its own."""
    assert problem_of(error, "en", "/x").status == status


def test_known_error_reads_in_both_languages() -> None:
    """The same error has the same code and detail, and title and advice in the reader's language."""
    error = NotFoundError("job 7 is not known here", "job_unknown")
    russian, english = (problem_of(error, language, "/x") for language in ("ru", "en"))
    assert russian.code == english.code == "job_unknown"
    assert (russian.title, english.title) == ("Такого задания нет", "There is no such job")


def test_values_of_an_error_stand_in_its_detail() -> None:
    """Where the catalog has a sentence for the detail, the error's values fill it."""
    error = StateError("too many", "too_many_attempts", minutes=15)
    assert problem_of(error, "ru", "/x").detail == "Попытки снова принимаются через 15 мин."


def test_code_without_texts_reads_as_its_class() -> None:
    """A code that the catalog lacks keeps its name and borrows the words of its class."""
    problem = problem_of(NotFoundError("gone", "new_code"), "en", "/x")
    assert (problem.code, problem.title) == ("new_code", "Not known here")


@pytest.mark.parametrize("error", [ZeroDivisionError("key=secret"), KeystoreError("key=secret"), ConfigError("secret")])
def test_own_fault_shows_a_number_and_nothing_else(error: Exception) -> None:
    """What is our fault is logged under a number; the answer holds the number only."""
    with capture_logs() as logs:
        problem = problem_of(error, "en", "/x", "operation")
    assert problem.status == 500
    assert "secret" not in problem.model_dump_json()
    assert [(row["incident"], row["operation"]) for row in logs] == [(problem.incident, "operation")]


def test_broken_values_are_named_with_rule_and_advice() -> None:
    """Each broken value has its JSON pointer, its rule, and what to do."""
    problem = problem_of(RulesError("body", broken({"parts": [{"serial": "12"}, {}]})), "en", "/x")
    assert problem.status == 422
    assert problem.errors is not None
    assert [(item.pointer, item.rule, item.value) for item in problem.errors] == [
        ("/parts/0/serial", "string_too_short", "12"),
        ("/parts/1/serial", "missing", None),
    ]


@pytest.mark.parametrize(("language", "message"), [("ru", "Слишком коротко"), ("en", "Too short")])
def test_rules_read_in_the_language(language: str, message: str) -> None:
    """A broken rule says what is wrong in the reader's language, with the limit."""
    (rule,) = broken_rules("body", broken({"parts": [{"serial": "12"}]}), language)
    assert rule.message.startswith(message)
    assert "3" in rule.message


def test_broken_password_is_not_shown() -> None:
    """A value that may be a secret does not come back in the answer."""
    (rule,) = broken_rules("body", broken({"parts": [], "password": "hunter2"}), "en")
    assert rule.value is None


def test_pointer_escapes_its_separators() -> None:
    """A name with a slash or a tilde is written as RFC 6901 says."""

    class Odd(BaseModel):
        """A body with odd names."""

        model_config = {"extra": "forbid"}

    with pytest.raises(ValidationError) as caught:
        Odd.model_validate({"a/b~c": 1})
    assert next(broken_rules("body", caught.value, "en")).pointer == "/a~1b~0c"


@pytest.mark.parametrize(("language", "message"), [("ru", "Пусто."), ("en", "Empty.")])
def test_findings_of_a_template_are_listed_in_the_language(language: str, message: str) -> None:
    """A refused document's findings stand in the problem as broken rules, in the reader's language."""
    words = {"ru": {"what": "Пусто.", "advice": "Заполните."}, "en": {"what": "Empty.", "advice": "Fill it in."}}
    error = InputError("refused", "document_refused", findings=[{"pointer": "/owner", "rule": "required", **words}])
    problem = problem_of(error, language, "/x")
    assert problem.errors is not None
    assert [(item.pointer, item.rule, item.message) for item in problem.errors] == [("/owner", "required", message)]
