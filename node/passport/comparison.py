"""Two passports side by side: what one says, what the other says, and whether it is the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from node.passport.places import Places, compare_places
from node.passport.plate import comparison_text
from node.passport.shown import at, fact, place_of, rows, text
from node.passport.view import View, value_on

IDENTITY = ("designation", "mark", "serial", "year")
SUBJECT = ("kind", "name", "number", "address")


class Section(StrEnum):
    """What a row is about; it says how the values read."""

    IDENTITY = "identity"
    SUBJECT = "subject"
    PLATES = "plates"
    PLACE = "place"
    STATE = "state"
    VERIFICATION = "verification"
    PARAMETERS = "parameters"
    OWNER = "owner"
    RADIO = "radio"
    ALIASES = "aliases"
    COMPOSITION = "composition"


class Likeness(StrEnum):
    """How both sides stand to each other; what only one of them says contradicts nothing."""

    SAME = "same"
    DIFFERENT = "different"
    ONE_SIDED = "one-sided"


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """A fact as both passports have it; an empty side says nothing of it."""

    section: Section
    name: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    likeness: Likeness


def compare_views(left: View, right: View) -> list[ComparedRow]:
    """Every fact that one of both passports has, in the order of a page."""
    return [row for row in _rows(left, right) if row.left or row.right]


def _rows(left: View, right: View) -> Iterator[ComparedRow]:
    for name in IDENTITY:
        yield _row(Section.IDENTITY, name, fact(left, "identity", name), fact(right, "identity", name))
    for name in SUBJECT:
        yield _row(Section.SUBJECT, name, fact(left, "subject", name), fact(right, "subject", name))
    yield _row(Section.IDENTITY, "code", text(left, "type", "name"), text(right, "type", "name"))
    yield _sets(Section.PLATES, "plates", _plates(left), _plates(right))
    yield _places(place_of(left), place_of(right))
    yield _row(Section.STATE, "state", text(left, "state", "code"), text(right, "state", "code"))
    for name in ("valid_until", "record"):
        yield _row(Section.VERIFICATION, name, text(left, "verification", name), text(right, "verification", name))
    for code in sorted(_codes(left) | _codes(right)):
        yield _row(Section.PARAMETERS, code, _value(left, code), _value(right, code))
    owners = (text(view, "parties", "owner", "value") for view in (left, right))
    yield _row(Section.OWNER, "owner", *owners)
    for name in ("dev_eui", "join_eui"):
        yield _row(Section.RADIO, name, fact(left, "radio", name), fact(right, "radio", name))
    for scheme in sorted(_schemes(left) | _schemes(right)):
        yield _sets(Section.ALIASES, scheme, _aliases(left, scheme), _aliases(right, scheme))
    yield _sets(Section.COMPOSITION, "composition", _parts(left), _parts(right))


def _row(section: Section, name: str, left: str, right: str) -> ComparedRow:
    return _sets(section, name, filter(None, [left]), filter(None, [right]))


def _sets(section: Section, name: str, left: Iterable[str], right: Iterable[str]) -> ComparedRow:
    one, two = tuple(dict.fromkeys(left)), tuple(dict.fromkeys(right))
    if not one or not two:
        likeness = Likeness.ONE_SIDED
    else:
        same = {comparison_text(value) for value in one} == {comparison_text(value) for value in two}
        likeness = Likeness.SAME if same else Likeness.DIFFERENT
    return ComparedRow(section, name, one, two, likeness)


def _places(left: str, right: str) -> ComparedRow:
    row = _row(Section.PLACE, "place", left, right)
    if compare_places(left, right) is Places.SAME:
        return ComparedRow(row.section, row.name, row.left, row.right, Likeness.SAME)
    return row


def _plates(view: View) -> Iterator[str]:
    for row in rows(view, "plates"):
        approvals = row["approvals"]
        listed = [str(approval) for approval in approvals] if isinstance(approvals, list) else []
        told = [row["mark"], f"{row['designation']} № {row['serial']}", row["year"], *listed]
        yield ", ".join(str(value) for value in told if value)


def _codes(view: View) -> set[str]:
    parameters = at(view, "parameters")
    # The place has a row of its own.
    return set(parameters) - {"install_place"} if isinstance(parameters, dict) else set()


def _value(view: View, code: str) -> str:
    row = value_on(view, code)
    if row is None or row["value"] is None:
        return ""
    return f"{row['value']} {row['unit'] or ''}".strip()


def _schemes(view: View) -> set[str]:
    return {str(row["scheme"]) for row in rows(view, "aliases")}


def _aliases(view: View, scheme: str) -> Iterator[str]:
    return (str(row["value"]) for row in rows(view, "aliases") if row["scheme"] == scheme)


def _parts(view: View) -> Iterator[str]:
    for edge in rows(view, "composition", "children"):
        if edge["used"] and edge["until"] is None:
            printed = f"{edge['designation'] or ''} № {edge['serial'] or ''}".strip(" №") or str(edge["part"])[:8]
            yield f"{edge['position']}: {printed}" if edge["position"] else printed
