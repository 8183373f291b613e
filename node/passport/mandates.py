"""Mandates: signed acts about roles, each over many things at once, with what answered and what ended them.

An act is read by itself here. Whether it passed anything of a thing is told by the passport of that thing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from federation.authority import Authority, Kind, Verb
from federation.errors import CodecError
from federation.fragment import Ref
from node.passport.bodies import Body, MandateBody, PersonBody
from node.passport.errors import BodyError
from node.passport.roles import DOCUMENT, Party, PartyRole, party_of, roles_named
from node.passport.statement import Statement
from node.passport.world import World

B = TypeVar("B", bound=Body)

KINDS = (Kind.PARTY, Kind.END)


class MandateBasis(StrEnum):
    """By what a mandate gives a role."""

    OFFER = "offer"
    DOCUMENT = "document"
    APPOINTMENT = "appointment"


class MandateState(StrEnum):
    """How far a mandate has come."""

    WAITING = "waiting"
    LAPSED = "lapsed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    STANDS = "stands"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Mandate:
    """An act: who gives which role over which things to whom. `person` is told where this organisation said it."""

    subject: bytes
    basis: MandateBasis
    role: PartyRole
    author: bytes
    party: Party
    things: tuple[bytes, ...]
    said: Statement
    papers: MandateBody
    since: int | None = None
    until: int | None = None
    person: PersonBody | None = None
    answer: Statement | None = None
    ends: Mapping[bytes, Statement] = field(default_factory=dict)  # by things
    reasons: Mapping[Ref, str] = field(default_factory=dict)

    def state(self, now: int) -> MandateState:
        """How it stands now; a role that was given for a time and is over has ended."""
        if self.basis is MandateBasis.OFFER and self.answer is None:
            if ends := [*self.ends.values()]:
                return MandateState.REFUSED if ends[0].org == self.party.org else MandateState.WITHDRAWN
            return MandateState.LAPSED if self.until is not None and now >= self.until else MandateState.WAITING
        is_over = self.basis is not MandateBasis.OFFER and self.until is not None and now >= self.until
        return MandateState.ENDED if is_over or len(self.ends) >= len(self.things) else MandateState.STANDS

    @property
    def last(self) -> Ref:
        """What an end names: the acceptance, else the act."""
        return (self.answer or self.said).ref


def mandates_of(statements: Iterable[Statement], world: World) -> list[Mandate]:
    """The acts among some statements, in the order in which they were said; each once."""
    found: dict[Ref, Mandate] = {}
    answers: list[tuple[Statement, Authority]] = []
    for statement in sorted(statements, key=lambda one: one.order):
        authority = _authority(statement)
        if authority is None:
            continue
        if statement.kind == Kind.PARTY and authority.verb in (Verb.OFFER, Verb.ROLE):
            mandate = _mandate(statement, authority, world)
            if mandate is not None:
                found[statement.ref] = mandate
        elif authority.verb in (Verb.ACCEPT, Verb.END):
            answers.append((statement, authority))
    for statement, authority in answers:
        _answer(found, statement, authority)
    return [*found.values()]


def _mandate(statement: Statement, authority: Authority, world: World) -> Mandate | None:
    roles, party = sorted(roles_named(authority)), party_of(authority, world)
    if len(roles) != 1 or party is None or not authority.subjects:
        return None
    basis = MandateBasis.DOCUMENT if DOCUMENT in authority.rows else MandateBasis.APPOINTMENT
    return Mandate(
        statement.subject,
        MandateBasis.OFFER if authority.verb is Verb.OFFER else basis,
        roles[0],
        statement.org,
        party,
        authority.subjects,
        statement,
        _body(statement, "mandate", MandateBody) or MandateBody(),
        authority.since,
        authority.until,
        _body(statement, "person", PersonBody),
    )


def _answer(found: dict[Ref, Mandate], statement: Statement, authority: Authority) -> None:
    """Note what an acceptance or an end says of the acts that it names."""
    by_last = {mandate.last: ref for ref, mandate in found.items()}
    for named in sorted({*statement.refs, *statement.auth}):
        ref = named if named in found else by_last.get(named)
        if ref is None:
            continue
        mandate = found[ref]
        if authority.verb is Verb.ACCEPT and mandate.basis is MandateBasis.OFFER:
            is_first = mandate.answer is None and not mandate.ends
            if statement.org == mandate.party.org and is_first:
                found[ref] = replace(mandate, answer=statement)
        elif authority.verb is Verb.END:
            ended = [thing for thing in authority.subjects or () if thing in mandate.things]
            ends = dict.fromkeys(ended, statement) | dict(mandate.ends)
            body = _body(statement, "mandate", MandateBody)
            reasons = {**mandate.reasons, statement.ref: (body.reason if body else None) or ""}
            found[ref] = replace(mandate, ends=ends, reasons=reasons)


def _authority(statement: Statement) -> Authority | None:
    try:
        return Authority.from_bytes(statement.sections.get("authority", b""))
    except CodecError:
        return None


def _body(statement: Statement, section: str, kind: type[B]) -> B | None:
    raw = statement.sections.get(section)
    try:
        return kind.from_bytes(raw) if raw is not None else None
    except BodyError:
        return None
