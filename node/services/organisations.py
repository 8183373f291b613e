"""The directory of organisations of this node: members, those whom its people and tables name, and their keys."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from federation.organisation import Chain
from node.errors import InputError, NotFoundError
from node.passport.organisations import Company, Directory, Source, Voice, build_directory, voices_of
from node.passport.world import World
from node.services.core import Core
from node.services.fleet import SUPPLIER
from node.services.projection import Projection
from node.store.database import ReadTx
from node.store.organisations import read_chains
from node.store.settings import drop_setting, find_setting, set_setting, settings_like

NAMED = "organisation:"
MOST_NAMED = 20_000


@dataclass(frozen=True, slots=True)
class Named:
    """A company as somebody here wrote it; the numbers are checked by who asks."""

    name: str
    inn: str | None = None
    ogrn: str | None = None

    @property
    def id(self) -> str:
        """By what it is forgotten again."""
        return hashlib.sha256("\n".join((self.name, self.inn or "", self.ogrn or "")).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class NodeKey:
    """A node of an organisation and the key with which it signs; `is_ended` where its organisation ended it."""

    node: bytes
    sign_key: bytes
    is_ended: bool


@dataclass(frozen=True, slots=True)
class OrganisationKeys:
    """The root key under which an organisation states its nodes, and those."""

    root: bytes
    nodes: tuple[NodeKey, ...]


class Organisations:
    """Keeps what people here call companies, and answers the directory. What is kept leaves this node never."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection
        self._named: list[Named] | None = None  # read once: nobody else writes them
        self._built: tuple[World, list[Named], list[str], Directory] | None = None

    async def directory(self) -> Directory:
        """Every company that is known here."""
        async with self._core.database.read() as tx:
            suppliers = sorted(name.removeprefix(SUPPLIER) for name in await settings_like(tx, SUPPLIER))
        named, world, built = await self.named(), self._projection.world, self._built
        if built is None or built[0] is not world or built[1] is not named or built[2] != suppliers:
            voices = [*voices_of(world), *map(_voice, named), *(Voice(name, Source.SUPPLIER) for name in suppliers)]
            self._built = built = (world, named, suppliers, build_directory(voices))
        return built[3]

    async def named(self) -> list[Named]:
        """What people here wrote, by name."""
        if (named := self._named) is None:
            async with self._core.database.read() as tx:
                kept = await settings_like(tx, NAMED)
            self._named = named = sorted(map(_read, kept.values()), key=lambda one: (one.name, one.id))
        return named

    async def owners(self, text: str) -> frozenset[str]:
        """The ids in hex of the members that are meant by a number, an id, or words of any spelling."""
        if not text.strip():
            return frozenset()
        directory = await self.directory()
        if company := _by_id(directory, text):
            return frozenset(org.hex() for org in company.orgs)
        return frozenset(org.hex() for company in directory.search(text) for org in company.orgs)

    async def keys(self) -> dict[bytes, OrganisationKeys]:
        """The keys of every organisation whose root statements are here."""
        async with self._core.database.read() as tx:
            chains = await read_chains(tx)
        return {org: _keys(chain) for org, chain in chains.items()}

    async def name(self, items: Sequence[Named], actor: str) -> int:
        """Keep names of companies; answer how many were new. Raise InputError where there are too many."""
        async with self._core.database.write() as tx:
            kept = await settings_like(tx, NAMED)
            fresh = {one.id: one for one in items if NAMED + one.id not in kept}
            if len(kept) + len(fresh) > MOST_NAMED:
                raise InputError(f"more than {MOST_NAMED} names", "organisations_too_many", most=MOST_NAMED)
            for one in fresh.values():
                await set_setting(tx, NAMED + one.id, json.dumps([one.name, one.inn, one.ogrn]).encode())
            if fresh:
                await self._core.announce(tx, actor, "organisations_named", count=len(fresh))
                tx.on_commit(self._forget_read)
        return len(fresh)

    async def forget(self, name_id: str, actor: str) -> None:
        """Keep one name no longer; raise NotFoundError."""
        async with self._core.database.write() as tx:
            raw = await _find(tx, name_id)
            await drop_setting(tx, NAMED + name_id)
            await self._core.announce(tx, actor, "organisation_forgotten", name=_read(raw).name)
            tx.on_commit(self._forget_read)

    def _forget_read(self) -> None:
        self._named = None


async def _find(tx: ReadTx, name_id: str) -> bytes:
    raw = await find_setting(tx, NAMED + name_id)
    if raw is None:
        raise NotFoundError(f"no name {name_id} is kept here", "organisation_unknown")
    return raw


def _by_id(directory: Directory, text: str) -> Company | None:
    try:
        return directory.find(bytes.fromhex(text.strip()))
    except ValueError:
        return None


def _voice(one: Named) -> Voice:
    return Voice(one.name, Source.NAMED, one.inn, one.ogrn)


def _read(raw: bytes) -> Named:
    return Named(*json.loads(raw))


def _keys(chain: Chain) -> OrganisationKeys:
    nodes = [NodeKey(node_id, entry.sign_key, entry.ended is not None) for node_id, entry in chain.nodes.items()]
    return OrganisationKeys(chain.root_key, tuple(sorted(nodes, key=lambda one: one.node)))
