"""What a shipment has come to: of each device whether it waits, was accepted, refused, withdrawn or sent back.

A shipment is one subject under which one seller offers devices to one buyer, in parts where they are many: a section
`authority` names no more than 4,096. The buyer answers for the devices that he names; what he names beside them has no
effect and is shown. Which answer counts is told by the fold of titles itself (`deals.py`).

A return is a shipment back, whose statements name the first one as their second subject.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from federation.authority import Authority, Kind, Verb
from federation.errors import CodecError
from federation.fragment import Ref
from node.passport.bodies import ShipmentBody
from node.passport.deals import REFUSED, WITHDRAWN, Deal, End, answered, party_answering
from node.passport.errors import BodyError
from node.passport.roles import UNOPENED, Party, PartyRole, carrier_of, party_of, roles_named
from node.passport.statement import Statement
from node.passport.world import World

SECTION = "shipment"
PACKING = "packing"
MOST_IN_PART = 4096  # of a section `authority`
MOST_GROUNDS = 8
KINDS = (Kind.SHIPMENT, Kind.END)


class DeviceState(StrEnum):
    """How far one device of a shipment has come."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    RETURNING = "returning"  # accepted, and offered back since
    RETURNED = "returned"


class Reason(StrEnum):
    """Why devices are refused, or sent back."""

    MISSING = "missing"
    DAMAGED = "damaged"
    DEFECTIVE = "defective"
    NOT_ORDERED = "not-ordered"
    WRONG = "wrong"
    OTHER = "other"


class Did(StrEnum):
    """What a statement did with devices of a shipment."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    STRANGE = "strange"  # without effect: about what was not offered, or by who has no say


@dataclass(frozen=True, slots=True)
class Part:
    """One signed offer. `has_keys`: a root key goes with each of its devices; None where it does not say. Of what is
    sold unopened no key goes to the buyer.

    `packing` is its packing list as it was signed, if any, for all that the offer names: `listed`.
    """

    offer: Ref
    devices: tuple[bytes, ...]
    has_keys: bool | None = None
    is_unopened: bool = False
    packing: bytes = b""
    listed: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A device: its state, the offer that it stands in, the statement that decided, and why."""

    state: DeviceState
    offer: Ref
    said: Ref
    has_keys: bool | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What one statement did, and with which devices."""

    said: Statement
    did: Did
    devices: tuple[bytes, ...]
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment by what is said of it. `announced` are the parts of which it is to consist, `name` what the seller
    calls a buyer without a node, `returns` the shipment whose devices it sends back, `via` the carrier through whose
    node it goes, `box` the one whose code the buyer had.
    """

    subject: bytes
    seller: bytes
    buyer: Party
    number: str
    date: str
    name: str | None
    returns: bytes | None
    announced: int
    via: bytes | None
    parts: tuple[Part, ...]
    items: Mapping[bytes, Item]
    acts: tuple[Act, ...]
    box: bytes | None = None

    @property
    def devices(self) -> tuple[bytes, ...]:
        """All that was offered."""
        return tuple(self.items)

    def in_state(self, *states: DeviceState) -> list[bytes]:
        """The devices in one of these states."""
        return [device for device, item in self.items.items() if item.state in states]


@dataclass(frozen=True, slots=True)
class _Said:
    """A statement with what of it is read here."""

    statement: Statement
    authority: Authority
    papers: ShipmentBody | None

    @property
    def named(self) -> frozenset[Ref]:
        return frozenset({*self.statement.refs, *self.statement.auth})


@dataclass(frozen=True, slots=True)
class NewPart:
    """Devices that one statement is to offer, what entitles to them, and whether a root key goes with each."""

    devices: tuple[bytes, ...]
    grounds: tuple[Ref, ...]
    has_keys: bool
    is_unopened: bool = False


def divide(
    grounds: Mapping[bytes, frozenset[Ref]], keyed: Collection[bytes], *, is_unopened: bool = False
) -> list[NewPart]:
    """Devices as parts of a shipment: each within what one statement may name of devices and of grounds."""
    parts: list[tuple[list[bytes], set[Ref], bool]] = []
    for device in sorted(grounds, key=lambda one: (one not in keyed, sorted(grounds[one]), one)):
        has_key = device in keyed
        devices, refs, is_keyed = parts[-1] if parts else ([], set[Ref](), not has_key)
        is_full = len(devices) == MOST_IN_PART or len(refs | grounds[device]) > MOST_GROUNDS
        if is_full or is_keyed != has_key:
            devices, refs = [], set()
            parts.append((devices, refs, has_key))
        devices.append(device)
        refs |= grounds[device]
    return [NewPart(tuple(devices), tuple(sorted(refs)), has_key, is_unopened) for devices, refs, has_key in parts]


def shipment_of(
    subject: bytes, statements: Iterable[Statement], world: World, seller: bytes | None = None
) -> Shipment | None:
    """The shipment of a subject, None where its papers are not here.

    Others may say something under its subject too: with `seller` theirs is looked for, else that of the first offer.
    """
    said = [one for one in map(_read, sorted(statements, key=lambda s: s.order)) if one is not None]
    shipment = _shipment(subject, said, world, seller)
    return None if shipment is None else _with_returns(shipment, said, world)


def _shipment(subject: bytes, said: Sequence[_Said], world: World, seller: bytes | None) -> Shipment | None:
    offers = [one for one in said if _is_offer(one, subject) and seller in (None, one.statement.org)]
    first = next((one for one in offers if party_of(one.authority, world) is not None), None)
    if first is None or first.papers is None or (buyer := party_of(first.authority, world)) is None:
        return None
    offers = [
        one
        for one in offers
        if one.statement.org == first.statement.org and one.authority.party == first.authority.party
    ]
    items: dict[bytes, Item] = {}
    acts: list[Act] = []
    parts: list[Part] = []
    for one in offers:
        devices = tuple(device for device in one.authority.subjects or () if device not in items)
        is_unopened = UNOPENED in one.authority.rows
        ref, has_keys = one.statement.ref, one.papers.keys if one.papers and not is_unopened else None
        packing = one.statement.sections.get(PACKING, b"")
        parts.append(Part(ref, devices, has_keys, is_unopened, packing, one.authority.subjects or ()))
        items |= dict.fromkeys(devices, Item(DeviceState.OFFERED, ref, ref, has_keys))
        acts.append(_act(one, Did.OFFERED, devices))
    papers = first.papers
    plain = Shipment(
        subject,
        first.statement.org,
        buyer,
        papers.number,
        papers.date,
        papers.name,
        bytes.fromhex(papers.returns) if papers.returns else None,
        papers.parts or 1,
        carrier_of(first.authority),
        tuple(parts),
        items,
        tuple(acts),
        bytes.fromhex(papers.box) if papers.box else None,
    )
    return _answered(plain, [one for one in said if one.statement.subject == subject], world)


def _answered(shipment: Shipment, said: Sequence[_Said], world: World) -> Shipment:
    """The same with what the buyer and the seller said of it since.

    Devices of which the same statements speak stand alike: they are one deal.
    """
    answers = [one for one in said if _answers(one)]
    items, by = dict(shipment.items), {one.statement.ref: one for one in said}
    acts: dict[Ref, tuple[DeviceState, list[bytes]]] = {}
    for (offer, *spoken), devices in _alike(shipment, answers).items():
        decided = _decided(shipment, by[offer], [by[ref] for ref in spoken], world)
        if decided is None:
            continue
        state, ref = decided
        papers = by[ref].papers
        reason = papers.reason if papers and state is not DeviceState.ACCEPTED else None
        acts.setdefault(ref, (state, []))[1].extend(devices)
        for device in devices:
            items[device] = replace(items[device], state=state, said=ref, reason=reason)
    done = [_act(by[ref], Did(state.value), devices) for ref, (state, devices) in acts.items()]
    parties = {shipment.seller, shipment.buyer.org, *(by[ref].statement.org for ref in acts)}
    strange = [act for act in (_strange(shipment, one, parties) for one in answers) if act is not None]
    told = sorted((*shipment.acts, *done, *strange), key=lambda act: act.said.order)
    return replace(shipment, items=items, acts=tuple(told))


def _alike(shipment: Shipment, answers: Sequence[_Said]) -> dict[tuple[Ref, ...], list[bytes]]:
    """Devices by their offer and the answers that name both."""
    spoken: dict[bytes, list[Ref]] = {}
    for one in answers:
        for device in one.authority.subjects or ():
            item = shipment.items.get(device)
            if item is not None and item.offer in one.named:
                spoken.setdefault(device, [item.offer]).append(one.statement.ref)
    found: dict[tuple[Ref, ...], list[bytes]] = {}
    for device in shipment.items:
        if device in spoken:
            found.setdefault(tuple(spoken[device]), []).append(device)
    return found


def _decided(
    shipment: Shipment, offer: _Said, answers: Sequence[_Said], world: World
) -> tuple[DeviceState, Ref] | None:
    """How devices of an offer stand by these answers, and by which of them; None where they wait."""
    accepted = [one.statement for one in answers if one.authority.verb is Verb.ACCEPT]
    party = party_answering(offer.statement.ref, shipment.buyer, accepted, world)
    deal = Deal(offer.statement, party, since=offer.authority.since, until=offer.authority.until)
    ends = [_end(one) for one in answers if one.authority.verb is Verb.END]
    for one in answered(deal, accepted, ends, PartyRole.TITLE):
        if one.is_done:
            return DeviceState.ACCEPTED, one.last.ref
    for end in sorted(ends, key=lambda one: one.statement.order):
        for one in answered(deal, accepted, [end], PartyRole.TITLE):
            if one.fault in _FAULTS:
                return _FAULTS[one.fault], end.statement.ref
    return None


def _end(one: _Said) -> End:
    return End(one.statement, one.authority.party, roles_named(one.authority), one.statement.cut)


_FAULTS = {REFUSED: DeviceState.REFUSED, WITHDRAWN: DeviceState.WITHDRAWN}


def _strange(shipment: Shipment, one: _Said, parties: Collection[bytes]) -> Act | None:
    """What is said of devices that were not offered, or by somebody who is no party."""
    is_party = one.statement.org in parties
    named = one.authority.subjects or ()
    beside = tuple(device for device in named if device not in shipment.items) if is_party else named
    return _act(one, Did.STRANGE, beside) if beside else None


def _act(one: _Said, did: Did, devices: Iterable[bytes]) -> Act:
    papers = one.papers
    return Act(one.statement, did, tuple(devices), papers.reason if papers else None, papers.note if papers else None)


def _with_returns(shipment: Shipment, said: Sequence[_Said], world: World) -> Shipment:
    """The same with the devices that the buyer sent back, as far as the seller took them."""
    items = dict(shipment.items)
    for one in said:
        statement = one.statement
        is_back = one.authority.verb is Verb.OFFER and shipment.subject in statement.subjects[1:]
        if not is_back or statement.org != shipment.buyer.org or one.authority.party != shipment.seller:
            continue
        back = _shipment(statement.subject, said, world, statement.org)
        for device, item in back.items.items() if back else ():
            mine = items.get(device)
            if mine is None or mine.state is not DeviceState.ACCEPTED or item.offer != statement.ref:
                continue
            if mine.said in one.named and item.state in _BACK:
                reason = one.papers.reason if one.papers else None
                items[device] = replace(mine, state=_BACK[item.state], said=item.said, reason=reason)
    return replace(shipment, items=items)


_BACK = {DeviceState.OFFERED: DeviceState.RETURNING, DeviceState.ACCEPTED: DeviceState.RETURNED}


def _is_offer(one: _Said, subject: bytes) -> bool:
    is_about = one.statement.kind == Kind.SHIPMENT and one.statement.subject == subject
    return is_about and one.authority.verb is Verb.OFFER and one.papers is not None and bool(one.authority.subjects)


def _answers(one: _Said) -> bool:
    is_end = one.statement.kind == Kind.END and one.authority.verb is Verb.END
    return is_end or (one.statement.kind == Kind.SHIPMENT and one.authority.verb is Verb.ACCEPT)


def _read(statement: Statement) -> _Said | None:
    if statement.kind not in KINDS:
        return None
    try:
        authority = Authority.from_bytes(statement.sections.get("authority", b""))
    except CodecError:
        return None
    try:
        papers = ShipmentBody.from_bytes(statement.sections[SECTION]) if SECTION in statement.sections else None
    except (BodyError, ValueError, RecursionError):
        papers = None
    return _Said(statement, authority, papers)
