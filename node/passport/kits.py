"""Kits: the parts of which a version of a type is put together, and whether given parts make such a kit.

Parts are taken in the order in which they are given: each fills the first row of its position and designation that has
room. Nothing is said of a device whose version states no kit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from node.passport.plate import comparison_text
from node.passport.shown import rows, text
from node.passport.type_passports import KitRow, Versions
from node.passport.view import View

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class KitPart:
    """A part as the kit sees it; without a position it stands wherever one of its designation is missing."""

    designation: str
    position: str | None = None
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class KitFault:
    """Why parts are no such kit: a code, and what its texts name."""

    code: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FilledRow:
    """A row of the kit and how much of it is there."""

    row: KitRow
    given: Decimal

    @property
    def is_full(self) -> bool:
        """Whether nothing more goes in."""
        return self.given >= self.row.amount


@dataclass(slots=True)
class Kit:
    """A kit that is being filled."""

    rows: Sequence[KitRow]
    given: list[Decimal] = field(init=False)

    def __post_init__(self) -> None:
        self.given = [NOTHING] * len(self.rows)

    def put(self, part: KitPart) -> str | KitFault:
        """Put a part in and answer its position, or why it does not go in."""
        here = [at for at, row in enumerate(self.rows) if part.position in (None, row.position)]
        if not here:
            return _fault("kit_position", part, positions=", ".join(row.position for row in self.rows))
        fitting = [at for at in here if _is_of(self.rows[at], part.designation)]
        if not fitting:
            named = dict.fromkeys(
                name for at in here for name in (self.rows[at].designation, *self.rows[at].alternates)
            )
            return _fault("kit_designation", part, expected=", ".join(named))
        for place in fitting:
            if self.given[place] + part.quantity <= self.rows[place].amount:
                self.given[place] += part.quantity
                return self.rows[place].position
        row = self.rows[fitting[0]]
        return _fault("kit_too_many", part, position=row.position, quantity=row.quantity)

    @property
    def filled(self) -> list[FilledRow]:
        """Every row with how much of it is there."""
        return [FilledRow(row, given) for row, given in zip(self.rows, self.given, strict=True)]

    @property
    def missing(self) -> KitFault | None:
        """What is still missing, None where the kit is whole."""
        open_rows = [one.row for one in self.filled if not one.is_full and not one.row.optional]
        if not open_rows:
            return None
        return KitFault("kit_missing", {"missing": ", ".join(f"{row.position} {row.designation}" for row in open_rows)})


def kit_of(view: View, versions: Versions) -> Kit | None:
    """The kit of the version of which a device is, with what stands inside of it already; None where it has none."""
    found = versions.find(text(view, "type", "central"), text(view, "type", "facts", "version", "value"))
    if found is None or not found.record.kit:
        return None
    kit = Kit(found.record.kit)
    for edge in rows(view, "composition", "children"):
        if edge["used"] is True and edge["until"] is None:
            inside = KitPart(
                str(edge["designation"] or ""), _text(edge["position"]), Decimal(str(edge["quantity"] or 1))
            )
            kit.put(inside)
    return kit


def designation_of(view: View) -> str:
    """The designation of a part that has a passport: by its plate, else as it was printed, else what it is called."""
    printed = [str(edge["designation"]) for edge in rows(view, "composition", "parents") if edge["designation"]]
    return (
        text(view, "identity", "designation", "value")
        or next(iter(printed), "")
        or text(view, "subject", "name", "value")
    )


def _is_of(row: KitRow, designation: str) -> bool:
    wanted = comparison_text(designation)
    return any(comparison_text(name) == wanted for name in (row.designation, *row.alternates))


def _fault(code: str, part: KitPart, **values: str) -> KitFault:
    return KitFault(code, {"designation": part.designation or "—", "position": part.position or "", **values})


def _text(value: object) -> str | None:
    return str(value) if value else None
