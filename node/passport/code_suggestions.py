"""Which central codes an own one may mean, by how near their names are; a suggestion binds nothing by itself."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from node.passport.catalogs import Record
from node.passport.measures import signs_of

MOST = 3
LEAST = 62.0
SURE = 100
_SPACED = str.maketrans(dict.fromkeys("-_/.,:;()[]{}№#\"'«»·*+=", " ") | {"ё": "е", "³": "3", "²": "2"})
_SHORT = 3
MAX_SIGN = 8  # characters of a unit, as кгс/см²
# Signs of formulas are typed in either alphabet: «Т1» is T1.
_SIGN = re.compile(r"(?=.*[0-9])[a-zа-я0-9]{1,4}|[а-яa-z]{1,2}")
_LATIN = str.maketrans("авекмнорстух", "abekmhopctyx")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A central code with how near it is, in per cent."""

    code: str
    score: int


class Suggester:
    """Compares names with those of one central catalog."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        named = [(code, _plain(name)) for code, record in records.items() for name in names_of(code, record)]
        self._codes = [code for code, name in named if name]
        self._names = [name for _, name in named if name]

    def suggest(self, texts: Iterable[str | None], refused: Iterable[str] = ()) -> tuple[Suggestion, ...]:
        """Up to three codes whose names are near one of the texts, the nearest first."""
        best: dict[str, float] = {}
        for part in {_plain(part) for text in texts if text for part in _parts(text)}:
            found = process.extract(part, self._names, scorer=_nearness, limit=16, score_cutoff=LEAST)
            for _, score, at in found:
                code = self._codes[at]
                best[code] = max(best.get(code, 0.0), score)
        barred = set(refused)
        ordered = sorted((-score, code) for code, score in best.items() if code not in barred)
        return tuple(Suggestion(code, round(-score)) for score, code in ordered[:MOST])


def names_of(code: str, record: Record) -> tuple[str, ...]:
    """Everything that a record is called: its code, its names, synonyms, number and executions."""
    executions = record.get("executions")
    more = executions if isinstance(executions, list) else []
    named = [record.get(field) for field in ("type_ru", "type_en", "model", "grsi")]
    whole = f"{record.get('type_ru')} {record.get('model')}" if record.get("model") else None
    return (*signs_of(code, record), *(str(text) for text in (*named, whole, *more) if text))


def _nearness(one: str, other: str, *, score_cutoff: float | None = None, **_: object) -> float:
    """Equal names are sure; of long ones the order of words and words left out count little."""
    if one == other:
        return float(SURE)
    near = [fuzz.ratio(one, other), fuzz.token_sort_ratio(one, other)]
    if min(len(one), len(other)) > _SHORT:
        near.append(0.95 * fuzz.token_set_ratio(one, other))
    score = min(max(near), SURE - 1.0)
    return score if score >= (score_cutoff or 0) else 0.0


def _parts(text: str) -> tuple[str, ...]:
    """The text, and what stands before the unit where one follows a comma: «Ду, мм» is Ду."""
    head, comma, tail = text.rpartition(",")
    return (text, head) if comma and head.strip() and 0 < len(tail.strip()) <= MAX_SIGN else (text,)


def _plain(text: str) -> str:
    words = text.casefold().translate(_SPACED).split()
    return " ".join(word.translate(_LATIN) if _SIGN.fullmatch(word) else word for word in words)
