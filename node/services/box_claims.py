"""Claiming a box of another organisation by the code that lies in it.

Whose box it is, a device of it tells: its passport here, else what others say of it. Each organisation that may be the
seller is asked; what it is shown is of no use to one that is not.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from federation.errors import FederationError
from federation.sync.claiming import Claim, Claimed, Outcome
from node.errors import DeniedError, InputError, NodeError, NotFoundError, PeerError, StateError
from node.passport.boxes import BoxCode, read_slip
from node.passport.errors import BoxCodeError, MistypedIdError
from node.passport.hints import hinted
from node.passport.identifiers import Identifier, read_identifiers
from node.passport.sightings import Outcome as Sought
from node.services.core import Core
from node.services.elsewhere import Elsewhere
from node.services.projection import Projection
from node.services.search import Search, mistyped
from node.services.sync import Sync
from node.store.database import ReadTx
from node.store.passports import read_owners
from node.store.peers import ACTIVE, Peer, list_peers
from node.store.shipments import boxes_with, find_shipment

ASKED_S = 30.0  # a box of thousands is folded before it is handed over
COMES_S = 5.0
MOST_ASKED = 16  # organisations that one claim is shown to
DEVICE_SHOWN, MOST_NAMED = 64, 3
# The surest answer counts; a node that knows nothing of the box has said nothing.
ORDER = (Outcome.DONE, Outcome.CLAIMED, Outcome.WITHDRAWN, Outcome.GONE, Outcome.LIMIT, Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ClaimedBox:
    """A box that is this organisation's to accept: by which shipment, of whom, and whether the offer came already."""

    shipment: bytes
    seller: bytes
    is_here: bool


@dataclass(frozen=True, slots=True)
class _Reply:
    peer: Peer
    claimed: Claimed | None  # nothing where the node did not answer


class BoxClaims:
    """Claims boxes."""

    def __init__(self, core: Core, search: Search, projection: Projection, elsewhere: Elsewhere, sync: Sync) -> None:
        self._core = core
        self._search = search
        self._projection = projection
        self._elsewhere = elsewhere
        self._sync = sync

    async def claim(self, text: str, device: str, actor: str) -> ClaimedBox:
        """Claim the box of a code beside which a device is named, or of what was scanned.

        Raise InputError where either is mistyped or missing, DeniedError for who is no member, and with what to do next
        NotFoundError, StateError and PeerError where the box is not handed over.
        """
        code, identifiers, named = self._read(text, device)
        sellers = await self._sellers_here(identifiers, code)
        reply = await self._ask(sellers, code, identifiers[-1])
        if reply is None or reply.claimed is None or reply.claimed.outcome is Outcome.UNKNOWN:
            asking = self._elsewhere.begin(identifiers, named, actor)
            await asking.ended()
            sought = asking.outcome
            others = [org for org in self._sellers_of(sought, named, identifiers) if org not in sellers]
            further = await self._ask(others, code, identifiers[-1])
            reply = _surest([one for one in (reply, further) if one is not None])
            if reply is None:
                self._elsewhere.forget(identifiers)  # who tries again wants to know anew
                raise self._nobody(sought, named)
        return await self._taken(reply, actor)

    def _read(self, text: str, device: str) -> tuple[BoxCode, tuple[Identifier, ...], str]:
        try:
            slip = read_slip(text, device)
        except BoxCodeError as error:
            raise mistyped(device, error) from error
        except MistypedIdError as error:
            raise InputError(f"mistyped code: {error}", "box_mistyped") from error
        if not slip.device:
            raise InputError("a device of the box is named beside its code", "box_no_device")
        try:
            identifiers = read_identifiers(slip.device, self._projection.world.lines)
        except MistypedIdError as error:
            raise mistyped(slip.device, error) from error
        if not identifiers:
            raise InputError("a device of the box is named beside its code", "box_no_device")
        if not self._projection.world.standings.of(self._core.org).standing.is_member:
            raise DeniedError("only a member of the federation claims a box", "not_a_member")
        return slip.code, identifiers, slip.device

    async def _sellers_here(self, identifiers: tuple[Identifier, ...], code: BoxCode) -> list[bytes]:
        """Who owns what is named so, as far as it is known here; raise InputError where the box is an own one."""

        async def look(tx: ReadTx) -> tuple[list[str], bool]:
            found = [passport.subject for passport in await self._search.find_first(tx, identifiers)]
            own = await boxes_with(tx, self._core.org, found) if found else []
            return [*(await read_owners(tx, found)).values()], any(box.outside == code.number for box in own)

        owners, is_own = await self._core.database.glance(look)
        if is_own:
            raise InputError("the box is this organisation's own", "box_own")
        return [bytes.fromhex(owner) for owner in dict.fromkeys(owners) if owner not in ("", self._core.org.hex())]

    def _sellers_of(self, sought: Sought, named: str, identifiers: tuple[Identifier, ...]) -> list[bytes]:
        """Who says that he has it, and who is likely to."""
        said = [reply.org for reply in sought.replies if reply.what in ("found", "held")]
        likely = hinted(named, identifiers, self._projection.world)
        return [org for org in dict.fromkeys([*said, *likely]) if org != self._core.org][:MOST_ASKED]

    def _nobody(self, sought: Sought, named: str) -> NodeError:
        """Nobody who answered knows the device: perhaps one who did not."""
        if not sought.silent:
            return NotFoundError("nobody in the federation knows that device", "box_no_seller", id=named[:DEVICE_SHOWN])
        return _refusal(None, ", ".join(dict.fromkeys(self._name(reply.org) for reply in sought.silent[:MOST_NAMED])))

    def _name(self, org: bytes) -> str:
        return self._projection.world.organisation_name(org) or org.hex()[:8]

    async def _ask(self, sellers: Iterable[bytes], code: BoxCode, named: Identifier) -> _Reply | None:
        """The surest of their answers; None where none of them has a node that is known here."""
        wanted = set(sellers)
        async with self._core.database.read() as tx:
            peers = [peer for peer in await list_peers(tx, ACTIVE) if peer.org in wanted]
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(self._ask_node(peer, code, named)) for peer in peers]
        return _surest([task.result() for task in asked])

    async def _ask_node(self, peer: Peer, code: BoxCode, named: Identifier) -> _Reply:
        claim = Claim.signed(named.scheme, named.value, code.key, peer.org, self._core.org)
        try:
            async with asyncio.timeout(ASKED_S):
                return _Reply(peer, await self._sync.client(peer.address).claim(claim))
        except (TimeoutError, FederationError):
            return _Reply(peer, None)

    async def _taken(self, reply: _Reply, actor: str) -> ClaimedBox:
        """What came of it, in the journal; raise the error of a refusal."""
        org, claimed = reply.peer.org, reply.claimed
        outcome = "silent" if claimed is None else claimed.outcome.name.lower()
        subject = None if claimed is None else claimed.shipment
        async with self._core.database.write() as tx:
            await self._core.announce(tx, actor, "box_asked", subject, to=org.hex(), answer=outcome)
        if claimed is None or claimed.shipment is None:
            raise _refusal(None if claimed is None else claimed.outcome, self._name(org))
        self._sync.noticed(reply.peer.node)
        return ClaimedBox(claimed.shipment, org, await self._comes(claimed.shipment))

    async def _comes(self, shipment: bytes) -> bool:
        """Whether the offer is here, or comes within a moment."""
        with self._core.bus.listen() as news:
            try:
                async with asyncio.timeout(COMES_S):
                    while not await self._is_here(shipment):
                        await news.get()
            except TimeoutError:
                return False
        return True

    async def _is_here(self, shipment: bytes) -> bool:
        async with self._core.database.read() as tx:
            return await find_shipment(tx, shipment) is not None


def _surest(replies: Iterable[_Reply]) -> _Reply | None:
    """An answer before none, and of several the surest."""

    def place(reply: _Reply) -> int:
        if reply.claimed is None:
            return ORDER.index(Outcome.UNKNOWN)
        return ORDER.index(reply.claimed.outcome) + (reply.claimed.outcome is Outcome.UNKNOWN)

    return min(replies, key=place, default=None)


def _refusal(outcome: Outcome | None, name: str) -> NodeError:
    if outcome is None:
        return PeerError(f"{name} does not answer", "box_silent", name=name)
    if outcome is Outcome.UNKNOWN:
        return NotFoundError(f"{name} has no such box with that device", "box_unknown", name=name)
    code = {
        Outcome.CLAIMED: "box_claimed",
        Outcome.WITHDRAWN: "box_withdrawn",
        Outcome.GONE: "box_gone",
        Outcome.LIMIT: "box_limit",
    }[outcome]
    return StateError(f"{name} does not hand the box over: {outcome.name.lower()}", code, name=name)
