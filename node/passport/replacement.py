"""A replaced part: what came out of a whole and what went in, as two statements of composition.

The part that came out ends the edge by which it stood inside. Where nobody ever said that it stood there, its edge has
no beginning. The part that went in is a subject of its own and stands there from that moment on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from federation.fragment import Ref
from node.passport import drafts
from node.passport.bodies import CompositionBody
from node.passport.drafts import Draft
from node.passport.errors import PlateError
from node.passport.plate import cut_label, plate_text
from node.passport.references import parse_ref
from node.passport.shown import rows
from node.passport.view import Plain, View, moment_us


@dataclass(frozen=True, slots=True)
class Part:
    """A part as it is printed on it."""

    designation: str
    serial: str

    @property
    def number(self) -> str:
        """The serial in the spelling in which two are compared."""
        try:
            return plate_text(cut_label(self.serial))
        except PlateError:
            return self.serial


@dataclass(frozen=True, slots=True)
class Replacement:
    """What was taken out of a position, and what was put in."""

    position: str
    removed: Part
    fitted: Part


def replacement_drafts(
    view: View, subject: bytes, replaced: Replacement, moment: str, mint: Callable[[], bytes]
) -> list[Draft]:
    """Two drafts about a whole as it is shown: the removed part until the moment, the fitted one from it.

    `mint` gives the subject of a part that has none yet.
    """
    occurred = moment_us(moment)
    inside = _find_inside(rows(view, "composition", "children"), replaced, occurred)
    if inside is None:
        removed = CompositionBody(
            position=replaced.position,
            until=moment,
            designation=replaced.removed.designation,
            serial=replaced.removed.serial,
        )
        out = drafts.composition(mint(), subject, removed, occurred)
    else:
        out = _closed(inside, subject, moment)
    fitted = CompositionBody(
        position=replaced.position,
        since=moment,
        designation=replaced.fitted.designation,
        serial=replaced.fitted.serial,
    )
    return [out, drafts.composition(mint(), subject, fitted, occurred)]


def _find_inside(edges: Sequence[dict[str, Plain]], replaced: Replacement, at: int) -> dict[str, Plain] | None:
    """The edge of the removed part, where it stands inside: by its serial, and by its position where that is said."""
    return next(
        (
            edge
            for edge in edges
            if edge["used"]
            and edge["until"] is None
            and edge["position"] in (None, replaced.position)
            and Part("", str(edge["serial"] or "")).number == replaced.removed.number
            and (edge["since"] is None or moment_us(str(edge["since"])) <= at)
        ),
        None,
    )


def _closed(edge: dict[str, Plain], subject: bytes, moment: str) -> Draft:
    """The same edge with an end; it refs the statement that it replaces."""
    body = CompositionBody.model_validate(
        {name: edge[name] for name in ("position", "quantity", "since", "designation", "serial")} | {"until": moment}
    )
    refs: list[Ref] = [parse_ref(cast("str", edge["ref"]))]
    return drafts.composition(bytes.fromhex(str(edge["part"])), subject, body, moment_us(moment), refs)
