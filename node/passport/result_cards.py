"""Results of verification of one organisation's own, as views show them, and as they are filed for the register."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from node.passport.errors import PassportError
from node.passport.shown import at, rows
from node.passport.strict_json import Json
from node.passport.templates.pointer import find, parse_pointer
from node.passport.templates.template import parse_document
from node.passport.verifications import VERDICTS
from node.passport.view import Plain, View

SERIAL, NUMBER = (parse_pointer(pointer) for pointer in ("/device/serial", "/protocol_no"))


class ResultState(StrEnum):
    """Whether a result is in force; one that is not goes into no file, and is no result of the register's either."""

    STANDS = "stands"
    ANNULLED = "annulled"
    REPLACED = "replaced"  # a later document of its author stands above it
    VOID = "void"  # it counts no more: the node that signed it was disowned


@dataclass(frozen=True, slots=True)
class ResultCard:
    """A result as lists show it, by the place of its protocol."""

    ref: str
    occurred: int
    serial: str
    number: str
    state: ResultState


def result_cards(view: View, org: bytes) -> Iterator[ResultCard]:
    """What is filed of the results that an organisation signed and a view shows."""
    for row in rows(view, "protocols"):
        if row["by"] == org.hex() and (row["annulled"] is not None or _is_result(row)):
            document = _parse(row["document"])
            serial, number = (_text(find(document, pointer)) for pointer in (SERIAL, NUMBER))
            yield ResultCard(str(row["ref"]), int(str(row["occurred"])), serial, number, _state(row))


def _is_result(row: View) -> bool:
    return any(at(event, "central") in VERDICTS for event in rows(row, "extract", "events"))


def _state(row: View) -> ResultState:
    if row["annulled"] is not None:
        return ResultState.ANNULLED
    return ResultState.STANDS if row["replaced_by"] is None else ResultState.REPLACED


def _parse(document: Plain) -> Json:
    try:
        return parse_document(document.encode()) if isinstance(document, str) else None
    except PassportError:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
