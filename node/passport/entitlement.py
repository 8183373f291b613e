"""Whether an organisation may pass a role on or give it, by what a passport shows now; and what it names as its ground.

The fold decides over the signed statements; this tells a person beforehand what it will decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from federation.authority import Kind
from node.passport.parties import roles_at
from node.passport.passing import ACCEPTANCE, BY_TITLE, PAPER
from node.passport.ranks import FactClass, parameter_class
from node.passport.roles import CAPACITIES, OF_KEYS, PASSING, PartyRole
from node.passport.shown import rows
from node.passport.view import Plain, View

Row = Mapping[str, Plain]
_SPEAKING = (PartyRole.TITLE, PartyRole.RESPONSIBLE)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What an organisation may do with a role over a thing. `grounds` are places of statements, as views show them."""

    may: bool
    grounds: frozenset[str] = frozenset()


def entitlement(view: View, role: PartyRole, org: bytes, at: int, *, offers: bool = True) -> Entitlement:
    """What an organisation may do with a role at a time: pass it on, or give it where it `offers` nothing."""
    parties = cast("dict[str, Plain]", view["parties"])
    every, now = cast("list[Row]", parties["roles"]), _speaking_at(parties, at)
    titles = [row for row in every if row["role"] == PartyRole.TITLE]
    who = _speakers(titles, now) if titles else _authors(view)
    held = next((row for row in now if row["role"] == role), None) if role in CAPACITIES else None
    mine = {str(row["ref"]) for row in now if row["role"] == role and row["party"] == org.hex()}
    if role in CAPACITIES and any(row["role"] == role and _is_accepted_from_later(row, at) for row in every):
        return Entitlement(False)
    if role is PartyRole.NETWORK and offers and mine:
        return Entitlement(True, frozenset(mine))
    if role in OF_KEYS and _is_sealed(titles, now):
        return Entitlement(False)
    if role is PartyRole.TITLE:
        return Entitlement(bool(titles) and org.hex() in who, _title_grounds(titles, held, org))
    if held is not None and held["basis"] != BY_TITLE and held["number"] is None:
        return Entitlement(held["party"] == org.hex())
    if role not in (PartyRole.RESPONSIBLE, PartyRole.ESCROW) and titles:
        who |= _managing(role, titles, now)
    return Entitlement(org.hex() in who, _grounds(every, held, role, org))


def title_now(view: View, at: int) -> Row | None:
    """The title that is held at a time."""
    now = roles_at(cast("dict[str, Plain]", view["parties"]), at)
    return next((row for row in now if row["role"] == PartyRole.TITLE), None)


def title_before(view: View, brought: str) -> Row | None:
    """The title before the one that an act brought; None for the first, and where the act brought none."""
    parties = cast("dict[str, Plain]", view["parties"])
    titles = [row for row in cast("list[Row]", parties["roles"]) if row["role"] == PartyRole.TITLE]
    return next((former for former, row in pairwise(titles) if row["ref"] == brought), None)


def speakers(view: View, at: int) -> set[str]:
    """Who gives the roles over a thing at a time, and ends them: ids in hex."""
    parties = cast("dict[str, Plain]", view["parties"])
    now = _speaking_at(parties, at)
    titles = [row for row in cast("list[Row]", parties["roles"]) if row["role"] == PartyRole.TITLE]
    return _speakers(titles, now) | _responsible(now) if titles else _authors(view)


def may_end(view: View, role: PartyRole, org: bytes, at: int, given: int | None = None) -> bool:
    """Whether an organisation ends a role that it does not hold: who speaks for the thing, an escrow the owner alone;
    and who gave it at a time, unless what he gave it by was taken over since.
    """
    parties = cast("dict[str, Plain]", view["parties"])
    titles = [row for row in cast("list[Row]", parties["roles"]) if row["role"] == PartyRole.TITLE]
    if given is not None:
        then = [row for row in roles_at(parties, given) if row["party"] == org.hex() and row["role"] in _SPEAKING]
        if all(row["cut"] is None for row in then):
            return True
    now = _speaking_at(parties, at)
    if role in OF_KEYS and _is_sealed(titles, now):
        return False
    if role is PartyRole.ESCROW and titles:
        return org.hex() in _speakers(titles, now)
    who = _speakers(titles, now) | _managing(role, titles, now) if titles else _authors(view)
    return org.hex() in who


def only_data_source(view: View, org: bytes, at: int) -> bool:
    """Whether all that an organisation is to a thing is a source of its data."""
    parties = cast("dict[str, Plain]", view["parties"])
    mine = {row["role"] for row in roles_at(parties, at) if row["party"] == org.hex()}
    if org.hex() in speakers(view, at):
        return False
    named = {str(one) for name in ("named", "settlement", "network") for one in cast("list[Plain]", parties[name])}
    return mine == {PartyRole.DATA_SOURCE.value} and org.hex() not in named


def is_observed(code: str | None) -> bool:
    """Whether a parameter is one that a data source may state: observed at the thing, not fixed by others."""
    return parameter_class(code) is FactClass.OBSERVATION


def _speaking_at(parties: Mapping[str, Plain], at: int) -> list[Row]:
    """The roles that are held at a time, but for those that were handed over or ended from a later day on: what their
    holders say now lies outside the cut, and gives and passes on nothing.
    """
    return [row for row in roles_at(parties, at) if row["cut"] is None]


def _is_accepted_from_later(row: Row, at: int) -> bool:
    """Whether a party with a node accepted it from a later day on: it alone passes it on."""
    return row["basis"] == ACCEPTANCE and row["number"] is None and cast("int", row["since"] or 0) > at


def _speakers(titles: Sequence[Row], now: Sequence[Row]) -> set[str]:
    """Who acts as the owner: the owner; for one without a node the responsible party, else who owned it last."""
    title = next((row for row in now if row["role"] == PartyRole.TITLE), None)
    if title is None:
        return set()
    if title["number"] is None:
        return {str(title["party"])}
    earlier = [str(row["party"]) for row in titles[: titles.index(title)] if row["number"] is None]
    return _responsible(now) or set(earlier[-1:])


def _is_sealed(titles: Sequence[Row], now: Sequence[Row]) -> bool:
    """Whether the owner has it unopened, and a node."""
    return any(row["unopened"] and row["number"] is None for row in now if row in titles)


def _managing(role: PartyRole, titles: Sequence[Row], now: Sequence[Row]) -> set[str]:
    """Who is responsible and names a role; no network where who traded the thing unopened made him so."""
    return _responsible([row for row in now if role not in OF_KEYS or not _is_of_trader(titles, row)])


def _is_of_trader(titles: Sequence[Row], row: Row) -> bool:
    since = cast("int", row["since"] or 0)
    begun = [title for title in titles if cast("int", title["since"] or 0) <= since]
    then = (title for title in begun if title["until"] is None or since < cast("int", title["until"]))
    return any(title["unopened"] for title in then)


def _responsible(now: Sequence[Row]) -> set[str]:
    return {str(row["party"]) for row in now if row["role"] == PartyRole.RESPONSIBLE and row["number"] is None}


def _authors(view: View) -> set[str]:
    return {str(row["org"]) for row in rows(view, "statements") if row["kind"] == Kind.IDENTITY and not row["routed"]}


def _title_grounds(titles: Sequence[Row], held: Row | None, org: bytes) -> frozenset[str]:
    """The act that brought the title, where it is not told otherwise that this is the time after it."""
    if held is None or held["ref"] is None:
        return frozenset()
    had_before = any(row["party"] == org.hex() for row in titles[: titles.index(held)])
    is_needed = had_before or held["number"] is not None
    return frozenset({str(held["ref"])}) if is_needed else frozenset()


def _grounds(every: Sequence[Row], held: Row | None, role: PartyRole, org: bytes) -> frozenset[str]:
    """What stands before: an act of another organisation that brought the role to its holder, or ended it."""
    if role not in PASSING:
        return frozenset()
    if held is not None and held["basis"] != BY_TITLE:
        return frozenset({str(held["ref"])} if held["by"] != org.hex() else ())
    bases = (ACCEPTANCE,) if role is PartyRole.NETWORK else (ACCEPTANCE, PAPER)
    ended = [row for row in every if row["role"] == role and row["ended"] is not None and row["basis"] in bases]
    last = max(ended, key=lambda row: cast("int", row["until"]), default=None)
    return frozenset() if last is None or last["ended_by"] == org.hex() else frozenset({str(last["ended"])})
