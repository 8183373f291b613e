"""The ledger of operations of a device: everything that was done with it, by whom, when, where and for which step.

Events, protocols, parts that went in and came out, and the moves of processes, each with the statement that says so, in
the order of time. What has no moment stands first; what was replaced is not left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from node.passport.shown import at, rows, text
from node.passport.view import Plain, View, moment_us

STATION, OPERATOR = "station", "operator"
Row = dict[str, Plain]


class What(StrEnum):
    """What an operation is."""

    EVENT = "event"
    PROTOCOL = "protocol"
    FITTED = "fitted"
    REMOVED = "removed"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `name` is a dual reference of an event, the template of a protocol, a part, or a step's titles."""

    what: What
    name: Row
    when: int | None
    by: str
    ref: str
    system: str = ""
    where: Plain = None
    station: str = ""
    operator: str = ""
    process: str = ""
    step: str = ""
    run: str = ""
    says: str = ""
    outcome: str = ""
    standing: str = ""
    is_replaced: bool = False


def operations_of(view: View, events: Iterable[Row]) -> list[Operation]:
    """The operations of a passport; `events` are all of its events, of which a long passport's view has only some."""
    steps = {ref: (run, move) for run, move in _moves(view) for ref in _texts(move["protocols"])}
    found = [
        *map(_event, events),
        *(_protocol(row, steps.get(text(row, "ref"))) for row in rows(view, "protocols")),
        *_parts(view),
        *(_move(run, move) for run, move in _moves(view)),
    ]
    return sorted(found, key=lambda one: (one.when or 0, one.ref, one.what))


def _event(event: Row) -> Operation:
    return Operation(
        What.EVENT,
        _object(event["what"]),
        _moment(event["occurred"]),
        text(event, "by"),
        text(event, "ref"),
        text(event, "system"),
        event["where"],
        text(event, "detail", STATION),
        text(event, "detail", OPERATOR),
        text(event, "why", "process"),
        text(event, "why", "step"),
        text(event, "why", "run"),
        standing=text(event, "standing"),
        is_replaced=event["replaced_by"] is not None,
    )


def _protocol(row: Row, done: tuple[Row, Row] | None) -> Operation:
    run, move = done or ({}, {})
    return Operation(
        What.PROTOCOL,
        _object(row["template"]),
        _moment(row["occurred"]),
        text(row, "by"),
        text(row, "ref"),
        process=text(run, "code"),
        step=text(move, "step"),
        run=text(run, "id"),
        standing=text(row, "standing"),
        is_replaced=row["replaced_by"] is not None,
    )


def _parts(view: View) -> Iterator[Operation]:
    """When parts went in and came out, and where the device itself went in and came out."""
    composition = at(view, "composition")
    edges = (
        [edge for name in ("children", "parents") for edge in rows(composition, name)]
        if isinstance(composition, dict)
        else []
    )
    for edge in edges:
        for what, name in ((What.FITTED, "since"), (What.REMOVED, "until")):
            if isinstance(told := edge[name], str):
                part: Row = {
                    key: edge[key] for key in ("part", "whole", "position", "designation", "serial", "quantity")
                }
                standing = text(edge, "standing")
                yield Operation(what, part, moment_us(told), text(edge, "by"), text(edge, "ref"), standing=standing)


def _moves(view: View) -> Iterator[tuple[Row, Row]]:
    for run in rows(view, "processes"):
        for move in rows(run, "moves"):
            yield run, move


def _move(run: Row, move: Row) -> Operation:
    return Operation(
        What.MOVE,
        _object(move["title"]),
        _moment(move["occurred"]),
        text(move, "by"),
        text(move, "ref"),
        text(move, "system"),
        station=text(move, "detail", STATION),
        operator=text(move, "detail", OPERATOR),
        process=text(run, "code"),
        step=text(move, "step"),
        run=text(run, "id"),
        says=text(move, "says"),
        outcome=text(move, "outcome"),
    )


def _object(value: Plain) -> Row:
    return value if isinstance(value, dict) else {}


def _moment(value: Plain) -> int | None:
    return value if isinstance(value, int) else None


def _texts(value: Plain) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
