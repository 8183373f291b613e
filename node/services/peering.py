"""The nodes that this one met: in exchange, in the inbox, ignored, or of an organisation that belongs here no more.

Whoever is heard of lands in the inbox, at most a hundred; only members are talked to without being asked for. What a
card or the local network says is a hint: a node keeps its organisation, and answers by its key.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from federation.errors import FederationError
from federation.organisation import Chain
from federation.peer import PeerAddress, check_url
from federation.sync.messages import HeadsAsked
from node.errors import NotFoundError, StateError
from node.passport.bodies import CardBody
from node.passport.standing import Standing, Standings
from node.services.core import Core
from node.services.projection import Projection
from node.services.sync import Level, Sync
from node.store.database import WriteTx
from node.store.organisations import find_chain, read_chains
from node.store.peers import (
    ACTIVE,
    ENDED,
    INBOX,
    OUT,
    Peer,
    drop_peer,
    find_peer,
    list_peers,
    put_peer,
    set_peer_state,
)
from node.store.settings import set_setting, settings_like

__all__ = ["CardFault", "Peer", "Peering"]

CardFault = Literal["foreign_node", "ended_node", "address", "too_many"]

CARDED = "carded:"
CARD, MDNS = "card", "mdns"
ANSWER_S = 5.0
MOST_IN_INBOX = 100
MOST_OF_ORGANISATION = 32  # nodes of one that are met by cards: each of a thousand would be dialled by everybody
GONE = {ENDED: "peer_ended", OUT: "org_refused"}
PIN = re.compile(r"[0-9a-f]{64}")
NODE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known where cards are looked at: chains, nodes that were met, and what was taken of each card before."""

    chains: Mapping[bytes, Chain]
    peers: Mapping[bytes, Peer]
    taken: Mapping[str, bytes]
    met: Counter[bytes]  # nodes by organisation
    faults: dict[bytes, CardFault] = field(default_factory=dict)  # that are found now


class Peering:
    """Keeps the list of peers, and lets go of those who belong here no more."""

    def __init__(self, core: Core, projection: Projection, sync: Sync) -> None:
        self._core = core
        self._projection = projection
        self._sync = sync
        self._settled = Standings()
        self._faults: dict[bytes, CardFault] = {}

    @property
    def card_faults(self) -> Mapping[bytes, CardFault]:
        """Why the card of an organisation leads to no node: `foreign_node`, `ended_node`, `address` or `too_many`."""
        return self._faults

    async def meet(self, peer: PeerAddress, org: bytes, *, active: bool, how: str) -> None:
        """A node was heard of: talk to it, or put it into the inbox. A known node keeps its organisation and key.

        What the local network says moves a known node only where that node itself answers.
        """
        if peer.node == self._core.node or self._projection.world.standings.of(org).standing.is_ended:
            return
        async with self._core.database.read() as tx:
            known = await find_peer(tx, peer.node)
        if known is not None and not await self._may_move(known, peer, org, active=active, how=how):
            return
        async with self._core.database.write() as tx:
            await put_peer(tx, peer, org, ACTIVE if active else INBOX)
            # Past a full inbox the journal is silent: nodes that somebody makes up must not fill the disk.
            if active or not await self._drop_waiting(tx):
                await self._core.announce(
                    tx, how, "peer_met", org=org, node=peer.node.hex(), url=peer.url, active=active
                )
        self._sync.peer_changed(peer.node)

    async def _may_move(self, known: Peer, peer: PeerAddress, org: bytes, *, active: bool, how: str) -> bool:
        if (known.org, known.sign_key) != (org, peer.sign_key):
            return how == CARD and (known.org == org or await self._is_made_up(known))
        if known.address == peer and (known.state == ACTIVE or not active):
            return False
        # An answer tells who speaks, the certificate alone to whom: whoever stands between carries answers on.
        return how != MDNS or (peer.pin == known.pin and await self._answers(peer))

    async def _is_made_up(self, known: Peer) -> bool:
        async with self._core.database.read() as tx:
            return _is_made_up(known, await find_chain(tx, known.org))

    async def _drop_waiting(self, tx: WriteTx) -> bool:
        """Forget of an inbox that is too full who waits longest, those that may be made up first; whether any was."""
        waiting = await list_peers(tx, INBOX)
        if len(waiting) <= MOST_IN_INBOX:
            return False
        standings = self._projection.world.standings
        spoken = {peer.org for peer in waiting if standings.of(peer.org).standing is not Standing.UNKNOWN}
        chains = {org: await find_chain(tx, org) for org in sorted(spoken)}
        waiting.sort(key=lambda peer: not _is_made_up(peer, chains.get(peer.org)))
        for peer in waiting[:-MOST_IN_INBOX]:
            await drop_peer(tx, peer.node)
        return True

    async def _answers(self, peer: PeerAddress) -> bool:
        """Whether the node of that key answers at an address: answers are signed."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._sync.client_at(peer).heads(HeadsAsked())
        except (TimeoutError, FederationError):
            return False
        return True

    async def meet_carded(self) -> None:
        """Meet the nodes that cards tell of: those of members at once, those of guests wait in the inbox.

        A card speaks once: what was heard of a node later, by mDNS or an invitation, is newer than a card that stands.
        """
        world = self._projection.world
        async with self._core.database.read() as tx:
            peers = await list_peers(tx)
            known = _Known(
                await read_chains(tx),
                {peer.node: peer for peer in peers},
                await settings_like(tx, CARDED),
                Counter(peer.org for peer in peers if peer.state != ENDED),
            )
        for (org, node_id), card in world.places.items():
            standing = world.standings.of(org).standing
            is_own = org == self._core.org
            if node_id != self._core.node and (is_own or standing.is_member or standing is Standing.GUEST):
                await self._meet_carded(org, card, known, active=is_own or standing.is_member)
        self._faults = known.faults
        await self.settle()

    async def _meet_carded(self, org: bytes, card: CardBody, known: "_Known", *, active: bool) -> None:
        said, setting = f"{card.url} {card.pin} {active}".encode(), f"{CARDED}{org.hex()}:{card.node}"
        chain = known.chains.get(org)
        if card.url is None and card.pin is None and not self._is_reachable():
            return  # neither can dial the other
        met = known.peers.get(bytes.fromhex(card.node or ""))
        if met is not None and _is_made_up(met, known.chains.get(met.org)):
            met = None
        fault = _fault(card, chain, met, org)
        if fault is None and met is None and org != self._core.org and known.met[org] >= MOST_OF_ORGANISATION:
            fault = "too_many"
        if fault is not None:
            known.faults[org] = fault
            return
        node = chain.node(bytes.fromhex(card.node or "")) if chain else None
        if known.taken.get(setting) == said or node is None:
            return
        peer = PeerAddress(card.url or "", node.node, node.sign_key, bytes.fromhex(card.pin or ""))
        await self.meet(peer, org, active=active, how=CARD)
        known.met[org] += met is None
        async with self._core.database.write() as tx:
            await set_setting(tx, setting, said)

    async def meet_own(self) -> None:
        """The nodes that the own chain states are peers: until a card says where one is, it is asked when it dials."""
        async with self._core.database.read() as tx:
            chain = await find_chain(tx, self._core.org)
            known = {peer.node for peer in await list_peers(tx)}
        for node in chain.nodes.values() if chain else ():
            if node.ended is None and node.node not in known:
                nowhere = PeerAddress("", node.node, node.sign_key, bytes(32))
                await self.meet(nowhere, self._core.org, active=True, how=CARD)

    async def accept(self, node: bytes, actor: str, state: str = ACTIVE) -> None:
        """Take a node out of the inbox, or ignore it."""
        async with self._core.database.write() as tx:
            before = await _check_met(tx, node)
            if before in GONE:
                raise StateError(f"node {node.hex()} belongs here no more", GONE[before])
            await set_peer_state(tx, node, state)
            await self._core.announce(tx, actor, f"peer_{state}", node=node.hex())
        self._sync.peer_changed(node)

    async def dismiss(self, node: bytes, actor: str) -> None:
        """Forget a node of the inbox, until it is heard of anew."""
        async with self._core.database.write() as tx:
            if await _check_met(tx, node) != INBOX:
                raise NotFoundError(f"node {node.hex()} does not wait in the inbox", "peer_unknown")
            await drop_peer(tx, node)
            await self._core.announce(tx, actor, "peer_dismissed", node=node.hex())
        self._sync.peer_changed(node)

    async def settle(self) -> None:
        """Where standings changed: let go of nodes of those who belong here no more, and take up who is back."""
        standings = self._projection.world.standings
        if standings == self._settled:
            return
        async with self._core.database.write() as tx:
            peers = await list_peers(tx)
            for peer in peers:
                standing = standings.of(peer.org).standing
                if peer.state != ENDED and standing.is_ended != (peer.state == OUT):
                    await self._turn(tx, peer, standing)
            chains = [await find_chain(tx, org) for org in standings.ended]
        gone = {node for chain in chains if chain is not None for node in chain.nodes}
        unspoken = {peer.node for peer in peers if self._is_unspoken(peer.org, standings)}
        await self._sync.hang_up(gone | unspoken)
        self._settled = standings

    async def _turn(self, tx: WriteTx, peer: Peer, standing: Standing) -> None:
        state = OUT if standing.is_ended else ACTIVE if standing.is_member else INBOX
        await set_peer_state(tx, peer.node, state)
        if standing.is_ended:
            await self._core.announce(
                tx, "merge", "peer_out", org=peer.org, node=peer.node.hex(), standing=standing.value
            )
        tx.on_commit(lambda: self._sync.peer_changed(peer.node))

    def _is_reachable(self) -> bool:
        return not self._core.settings.federation.dial_out_only

    def _is_unspoken(self, org: bytes, standings: Standings) -> bool:
        return org != self._core.org and standings.of(org).standing is Standing.UNKNOWN

    @property
    def exchanges(self) -> int:
        """Grows whenever something was heard of a peer."""
        return self._sync.exchanges

    async def level(self, node: bytes) -> Level | None:
        """How this node and a peer stand; None where it said nothing since the start."""
        return await self._sync.level(node)

    async def peers(self) -> list[Peer]:
        """Every node that was met."""
        async with self._core.database.read() as tx:
            return await list_peers(tx)


def _is_made_up(known: Peer, chain: Chain | None) -> bool:
    """Whether a node that waits may be anybody's word: its organisation, of that chain, does not state it."""
    node = chain.node(known.node) if chain else None
    return known.state == INBOX and (node is None or node.sign_key != known.sign_key)


def _fault(card: CardBody, chain: Chain | None, known: Peer | None, org: bytes) -> CardFault | None:
    """Why a card leads to no node."""
    dials_out = card.url is None and card.pin is None
    if not NODE.fullmatch(card.node or "") or not (dials_out or PIN.fullmatch(card.pin or "")):
        return "address"
    node = chain.node(bytes.fromhex(card.node or "")) if chain else None
    if node is None or (known is not None and known.org != org):
        return "foreign_node"
    if node.ended is not None:
        return "ended_node"
    try:
        if not dials_out:
            check_url(card.url or "")
    except FederationError:
        return "address"
    return None


async def _check_met(tx: WriteTx, node: bytes) -> str:
    """How it stands with a node; raise NotFoundError where it was not met."""
    peer = await find_peer(tx, node)
    if peer is None:
        raise NotFoundError(f"node {node.hex()} is not known here", "peer_unknown")
    return peer.state
