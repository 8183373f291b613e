"""Peers: nodes of the federation that this node talks to, and the invitations that it gave."""

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update

from federation.peer import PeerAddress
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.upserts import insert_new, upsert

# An `ended` node was ended by its organisation; that of one that is `out` left the federation, or was expelled.
ACTIVE, INBOX, IGNORED, ENDED, OUT = "active", "inbox", "ignored", "ended", "out"


_PEERS = select(schema.peers).order_by(schema.peers.c.met_us, schema.peers.c.node)
_PEERS_IN = _PEERS.where(schema.peers.c.state == bindparam("state"))
_SEEN = update(schema.peers).where(schema.peers.c.node == bindparam("of"))
_ANSWERED = _SEEN.values(trouble=None, seen_us=bindparam("now"))
_FAILED = _SEEN.values(trouble=bindparam("why"))
_PEER = select(schema.peers).where(schema.peers.c.node == bindparam("of"))  # built once: each question asks for it


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a node is; `cursor` is the newest of its openings that was taken, of those that it counts in `epoch`.

    `trouble` is the last failure; `only_followed` says that nothing is taken of it but what this node follows.
    """

    node: bytes
    org: bytes
    url: str
    pin: bytes
    sign_key: bytes
    state: str
    epoch: bytes
    cursor: int
    met_us: int
    seen_us: int | None
    trouble: str | None
    only_followed: bool = False

    @property
    def place(self) -> str:
        """What people are told: its address, or its id where it has none."""
        return self.url or f"node {self.node.hex()}"

    @property
    def address(self) -> PeerAddress:
        """What a client needs."""
        return PeerAddress(self.url, self.node, self.sign_key, self.pin)


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that nobody took yet; its secret is not kept, only the hash of it."""

    secret_hash: bytes
    made_us: int
    expires_us: int
    actor: str

    @property
    def id(self) -> str:
        """By what people name it."""
        return self.secret_hash[:8].hex()


async def put_peer(tx: WriteTx, peer: PeerAddress, org: bytes, state: str) -> None:
    """Take a peer, or its new address; a state that stands is kept unless the new one is `active`."""
    known = await find_peer(tx, peer.node)
    keeps = known is not None and state != ACTIVE
    row: dict[str, object] = {
        "node": peer.node,
        "org": org,
        "url": peer.url,
        "pin": peer.pin,
        "sign_key": peer.sign_key,
        "state": known.state if known and keeps else state,
        "epoch": known.epoch if known else b"",
        "cursor": known.cursor if known else 0,
        "met_us": known.met_us if known else tx.now,
        "seen_us": known.seen_us if known else None,
        "trouble": None,
        "only_followed": int(known.only_followed) if known else 0,
    }
    await upsert(tx, schema.peers, [row])


async def find_peer(tx: ReadTx, node: bytes) -> Peer | None:
    """The peer of that node id."""
    row = await tx.first(_PEER, of=node)
    return None if row is None else _peer(row)


async def list_peers(tx: ReadTx, state: str | None = None) -> list[Peer]:
    """Every peer, oldest acquaintance first."""
    rows = await tx.all(_PEERS) if state is None else await tx.all(_PEERS_IN, state=state)
    return [_peer(row) for row in rows]


async def set_peer_seen(tx: WriteTx, node: bytes, trouble: str | None) -> None:
    """Say when a peer answered last, or why it did not."""
    if trouble:
        await tx.run(_FAILED, {"of": node, "why": trouble})
    else:
        await tx.run(_ANSWERED, {"of": node, "now": tx.now})


async def set_peer_state(tx: WriteTx, node: bytes, state: str) -> None:
    """Say whether a peer is talked to: `inbox`, `active`, `ignored`, `ended` or `out`."""
    await tx.run(update(schema.peers).where(schema.peers.c.node == node).values(state=state))


async def set_peer_choice(tx: WriteTx, node: bytes, *, only_followed: bool) -> None:
    """Say whether everything is taken of a peer, or what is followed alone."""
    await tx.run(update(schema.peers).where(schema.peers.c.node == node).values(only_followed=int(only_followed)))


async def drop_peer(tx: WriteTx, node: bytes) -> None:
    """Forget a peer."""
    await tx.run(delete(schema.peers).where(schema.peers.c.node == node))


async def set_peer_cursor(tx: WriteTx, node: bytes, epoch: bytes, cursor: int) -> None:
    """Say up to which of a peer's openings, as it counts them in an epoch, was taken."""
    await tx.run(update(schema.peers).where(schema.peers.c.node == node).values(epoch=epoch, cursor=cursor))


async def insert_invitation(tx: WriteTx, secret_hash: bytes, expires_us: int, actor: str) -> None:
    """Keep the hash of an invitation's secret, and who made it."""
    row: dict[str, object] = {
        "secret_hash": secret_hash,
        "expires_us": expires_us,
        "used_by": None,
        "made_us": tx.now,
        "actor": actor,
    }
    await insert_new(tx, schema.invitations, [row])


async def open_invitations(tx: ReadTx) -> list[OpenInvitation]:
    """Those by which a node may still join, oldest first."""
    table = schema.invitations.c
    still = select(schema.invitations).where(table.used_by.is_(None), table.expires_us > tx.now)
    rows = await tx.all(still.order_by(table.made_us, table.secret_hash))
    return [OpenInvitation(row.secret_hash, row.made_us, row.expires_us, row.actor) for row in rows]


async def drop_invitation(tx: WriteTx, secret_hash: bytes) -> bool:
    """Let nobody join by it any more; whether somebody could."""
    table = schema.invitations.c
    gone = delete(schema.invitations).where(table.secret_hash == secret_hash, table.used_by.is_(None))
    return await tx.run(gone) > 0


async def may_use_invitation(tx: ReadTx, secret_hash: bytes, node: bytes) -> bool:
    """Whether an invitation is good for a node (a second time for the same one is no harm)."""
    row = await tx.first(select(schema.invitations).where(schema.invitations.c.secret_hash == secret_hash))
    return row is not None and row.expires_us > tx.now and row.used_by in (None, node)


async def use_invitation(tx: WriteTx, secret_hash: bytes, node: bytes) -> bool:
    """Spend an invitation for a node; whether it was good for it."""
    if not await may_use_invitation(tx, secret_hash, node):
        return False
    spent = update(schema.invitations).where(schema.invitations.c.secret_hash == secret_hash)
    await tx.run(spent.values(used_by=node))
    return True


def _peer(row: Record) -> Peer:
    return Peer(
        row.node,
        row.org,
        row.url,
        row.pin,
        row.sign_key,
        row.state,
        row.epoch,
        row.cursor,
        row.met_us,
        row.seen_us,
        row.trouble,
        bool(row.only_followed),
    )
