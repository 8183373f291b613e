"""Mandates: signed acts about roles, each over many things at once, with what answered and what ended them.

An act is read by itself here. Whether it passed anything of a thing is told by the passport of that thing. Anybody can
put the id of another's act over an act of his own: acts that share one are told apart by ids of their places.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from federation.authority import Authority, Kind, Verb
from federation.errors import CodecError
from federation.fragment import Ref
from node.passport.bodies import Body, MandateBody, PersonBody
from node.passport.deals import Deal, end_of, party_answering, undone_by
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
    DISPUTED = "disputed"
    NOT_CHOSEN = "not_chosen"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    STANDS = "stands"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Mandate:
    """An act: who gives which role over which things to whom. `person` is told where this organisation said it.

    `taken` are the things that an offer's party accepted: it may accept some. Where another act has the same subject,
    `is_shared`.
    """

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
    taken: frozenset[bytes] = frozenset()
    is_shared: bool = False
    ends: Mapping[bytes, Statement] = field(default_factory=dict)  # by things
    reasons: Mapping[Ref, str] = field(default_factory=dict)

    @property
    def id(self) -> bytes:
        """By what it is asked for: its subject, unless another act has the same one."""
        place = self.said.ref
        told = place.log + place.seq.to_bytes(8, "big") + place.id16
        return hashlib.sha256(b"passport-node/act\n" + told).digest()[:16] if self.is_shared else self.subject

    def state(self, now: int) -> MandateState:
        """How it stands now by what was said of it; a role that was given for a time and is over has ended."""
        if self.basis is MandateBasis.OFFER and self.answer is None:
            if not self.left and (ends := [*self.ends.values()]):
                return MandateState.REFUSED if ends[0].org == self.party.org else MandateState.WITHDRAWN
            return MandateState.LAPSED if self.until is not None and now >= self.until else MandateState.WAITING
        is_over = self.basis is not MandateBasis.OFFER and self.until is not None and now >= self.until
        return MandateState.ENDED if is_over or not self.left else MandateState.STANDS

    @property
    def left(self) -> tuple[bytes, ...]:
        """The things over which nothing ended it."""
        return tuple(thing for thing in self.things if thing not in self.ends)

    @property
    def unanswered(self) -> tuple[bytes, ...]:
        """The things of an offer that nobody accepted and nothing ended."""
        return tuple(thing for thing in self.left if thing not in self.taken) if self._is_offer else ()

    @property
    def given(self) -> tuple[bytes, ...]:
        """The things over which it gave the role, and nothing ended it."""
        return tuple(thing for thing in self.left if thing in self.taken) if self._is_offer else self.left

    @property
    def is_open(self) -> bool:
        """Whether it is an offer of something that nobody accepted and nothing ended, lapsed or not."""
        return bool(self.unanswered)

    @property
    def last(self) -> Ref:
        """What an end names: the acceptance, else the act."""
        return (self.answer or self.said).ref

    @property
    def _is_offer(self) -> bool:
        return self.basis is MandateBasis.OFFER


def mandates_of(statements: Iterable[Statement], world: World) -> list[Mandate]:
    """The acts among some statements, in the order in which they were said; each once.

    What came first of an acceptance and a withdrawal is told by their cuts, as in `deals`.
    """
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
    by_last = {ref: ref for ref in found}
    for ref, mandate in found.items():
        if mandate.basis is MandateBasis.OFFER and (accepted := _answers_to(mandate, answers, world)):
            taken = frozenset(thing for _, things in accepted for thing in things)
            found[ref] = replace(mandate, answer=accepted[0][0], taken=taken)
            by_last |= {said.ref: ref for said, _ in accepted}
    for statement, authority in answers:
        if authority.verb is Verb.END:
            for ref in sorted({by_last[named] for named in {*statement.refs, *statement.auth} if named in by_last}):
                found[ref] = _with_end(found[ref], statement, authority)
    bearers = Counter(mandate.subject for mandate in found.values())
    return [replace(one, is_shared=True) if bearers[one.subject] > 1 else one for one in found.values()]


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


def _answers_to(
    mandate: Mandate, answers: Iterable[tuple[Statement, Authority]], world: World
) -> list[tuple[Statement, frozenset[bytes]]]:
    """The acceptances of an offer with what each is of, unless it was refused or withdrawn before the first of them."""
    named = [(said, authority) for said, authority in answers if mandate.said.ref in {*said.refs, *said.auth}]
    party = party_answering(mandate.said.ref, mandate.party, [s for s, a in named if a.verb is Verb.ACCEPT], world)
    mine = [(s, a) for s, a in named if a.verb is Verb.ACCEPT and s.org == party]
    things = frozenset(mandate.things)
    accepted = [(said, some) for said, authority in mine if (some := things & {*(authority.subjects or ())})]
    if not accepted:
        return []
    whole = ((s, a) for s, a in named if things <= {*(a.subjects or ())})
    ends = [end for said, authority in whole if (end := end_of(said, authority)) is not None]
    deal = Deal(mandate.said, party, accepted[0][0])
    return accepted if undone_by(deal, ends) is None else []


def _with_end(mandate: Mandate, said: Statement, authority: Authority) -> Mandate:
    """An act with one more statement that ends it, over the things that this names."""
    ended = [thing for thing in authority.subjects or () if thing in mandate.things]
    body = _body(said, "mandate", MandateBody)
    reasons = {**mandate.reasons, said.ref: (body.reason if body else None) or ""}
    return replace(mandate, ends=dict.fromkeys(ended, said) | dict(mandate.ends), reasons=reasons)


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
