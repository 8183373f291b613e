"""Correspondents: systems of the organisation with tokens, rights and a name of their own, cut off at once.

Each request looks at what stands in the store, so the one after a cut is refused; what runs at that moment, a stream, a
download, a job, is ended by the cut itself.
"""

import asyncio
import ipaddress
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import partial

from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport.plate import comparison_text
from node.passport.shown import text
from node.services.access import MINUTE_US, Actor, Limits, Scope, StoredToken, Tokens
from node.services.core import Core
from node.store.access import has_plain_token, shorten_tokens, tokens_of
from node.store.correspondents import (
    StoredCorrespondent,
    change_correspondent,
    find_correspondent,
    insert_correspondent,
    list_correspondents,
)
from node.store.database import ReadTx, WriteTx
from node.store.jobs import stop_jobs
from node.store.passports import find_passport, read_leads
from node.store.remembered import Remembered

STOPPED = "the system that sent it was cut off"
HOUR_US = 60 * MINUTE_US
HOURS_A_DAY = 24
MOST_REMEMBERED = 4 << 20  # bytes of systems that were admitted lately
SIZE_BESIDE_RIGHTS = 2 << 10
_NOTHING = nullcontext()


class Write(StrEnum):
    """What a system may be let write."""

    PLATES = "plates"
    EVENTS = "events"
    PARAMETERS = "parameters"
    OBSERVED = "observed"  # of parameters those alone that a data source states
    PROTOCOLS = "protocols"
    IMPORTS = "imports"
    COMPOSITION = "composition"
    CODES = "codes"
    SHIPMENTS = "shipments"
    PROCESSES = "processes"  # opened, and their steps done
    CONFIGURATION = "configuration"  # how a device joins, and its root key


@dataclass(frozen=True, slots=True)
class Rights:
    """What a system may: scopes, what it writes, over which things or types, from which networks, how often.

    Empty things and types limit nothing, nor do empty networks; `per_minute` None is as often as it asks.
    """

    scopes: tuple[Scope, ...] = (Scope.READ,)
    writes: tuple[Write, ...] = ()
    things: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Correspondent:
    """A system with its rights, its tokens, and how it was used."""

    name: str
    kind: str
    contact: str
    rights: Rights
    created_us: int
    changed_us: int
    blocked_us: int | None
    reason: str | None
    used_us: int | None
    used: int
    refused_us: int | None
    refused: int
    tokens: tuple[StoredToken, ...] = ()


@dataclass(slots=True)
class _Tally:
    """What a system did since it was written down."""

    used: int = 0
    refused: int = 0
    used_us: int | None = None
    refused_us: int | None = None
    written_us: int = 0
    recent: deque[int] = field(default_factory=deque)


class Correspondents:
    """Registers systems, lets them in and cuts them off."""

    def __init__(self, core: Core, tokens: Tokens) -> None:
        self._core = core
        self._tokens = tokens
        self._admitted_lately: Remembered[str, StoredCorrespondent] = Remembered(core.database, _size, MOST_REMEMBERED)
        self._tallies: dict[str, _Tally] = {}
        self._running: dict[asyncio.Task[object], str] = {}
        self._cut: set[str] = set()  # since this process began: what was admitted before the cut ends too

    async def register(self, actor: Actor, name: str, kind: str, contact: str, rights: Rights) -> Correspondent:
        """Make a system known.

        Raise StateError where the name or one that reads alike is taken, DeniedError where the actor may less.
        """
        _check_rights(actor, rights)
        async with self._core.database.write() as tx:
            raw = _dump(rights)
            stored = StoredCorrespondent(name, kind, contact, raw, None, None, tx.now, tx.now)
            same = comparison_text(name)
            for other in await list_correspondents(tx):
                if comparison_text(other.name) == same:
                    raise StateError(f"{other.name!r} reads as {name!r}", "system_exists", system=other.name)
            if await has_plain_token(tx, name):
                raise StateError(f"a token is called {name!r}: revoke it first", "system_exists", system=name)
            await insert_correspondent(tx, stored)
            await self._core.announce(tx, actor.label, "system_registered", system=name, kind=kind)
        return await self.get(name)

    async def change(self, actor: Actor, name: str, kind: str, contact: str, rights: Rights) -> Correspondent:
        """Give a system other rights, from its next request on."""
        _check_rights(actor, rights)
        async with self._core.database.write() as tx:
            await _find(tx, name)
            values = {"kind": kind, "contact": contact, "rights": _dump(rights), "changed_us": tx.now}
            await change_correspondent(tx, name, **values)
            await self._core.announce(tx, actor.label, "system_changed", system=name)
        return await self.get(name)

    async def issue(self, actor: Actor, name: str, days: int, overlap_hours: int | None) -> tuple[str, StoredToken]:
        """A token of a system, its secret shown once; with an overlap the tokens before it end after so many hours."""
        async with self._core.database.read() as tx:
            rights = rights_of(await _find(tx, name))
        if overlap_hours is not None and overlap_hours not in range(31 * HOURS_A_DAY + 1):
            raise InputError("tokens overlap for 0 to 31 days", "token_overlap")
        if overlap_hours is not None:
            async with self._core.database.write() as tx:
                await shorten_tokens(tx, name, tx.now + overlap_hours * HOUR_US)
        return await self._tokens.issue(actor, name, frozenset(rights.scopes), days, system=name)

    async def block(self, actor: Actor, name: str, reason: str) -> Correspondent:
        """Cut a system off: its next request is refused, what it runs ends, its jobs stop where they are."""
        label = _label(name)
        async with self._core.database.write() as tx:
            await _find(tx, name)
            await change_correspondent(tx, name, blocked_us=tx.now, reason=reason, changed_us=tx.now)
            jobs = await stop_jobs(tx, label, STOPPED)
            await self._core.announce(tx, actor.label, "system_blocked", system=name, reason=reason, count=len(jobs))
            tx.on_commit(lambda: self._end_running(label))
        return await self.get(name)

    async def unblock(self, actor: Actor, name: str) -> Correspondent:
        """Let a system in again, with the tokens that are not out of date."""
        async with self._core.database.write() as tx:
            await _find(tx, name)
            await change_correspondent(tx, name, blocked_us=None, reason=None, changed_us=tx.now)
            await self._core.announce(tx, actor.label, "system_unblocked", system=name)
            tx.on_commit(lambda: self._cut.discard(_label(name)))
        return await self.get(name)

    async def admit(self, actor: Actor, address: str, moment: int | None = None, *, is_again: bool = False) -> Actor:
        """A system's actor as it may act now; raise DeniedError or StateError where it may not come in.

        Tokens that are nobody's come in as they are. Its rights are those of a moment of the store, or later ones.
        Who comes in `is_again` where he was, and is not counted.
        """
        if actor.kind != "system":
            return actor
        name, now = actor.name, self._core.clock.now()
        found = await self._admitted_lately.get(name, lambda tx, _known: find_correspondent(tx, name), moment)
        if found is None:
            raise DeniedError(f"there is no system {name!r}", "unauthenticated")
        rights, tally = rights_of(found), self._tallies.setdefault(actor.name, _Tally())
        refusal = _refusal(found, rights, address, None if is_again else tally, now)
        if not is_again:
            await self._count(actor.name, tally, now, refusal)
        if refusal is not None:
            raise refusal
        limits = Limits(frozenset(rights.writes), frozenset(rights.things), frozenset(rights.types))
        # A list is narrowed to single things; of a type nobody lists them all, so such a system asks for one at a time.
        subjects = () if rights.types else tuple(map(bytes.fromhex, rights.things))
        return replace(actor, scopes=actor.scopes & frozenset(rights.scopes), subjects=subjects, limits=limits)

    async def check_thing(self, actor: Actor, subject: bytes) -> None:
        """Raise DeniedError where a system's rights are limited to other things."""
        limits = actor.limits
        if limits is None or not limits.is_narrow:
            return
        own_type, lead, leads = await self._core.database.glance(partial(_known_of, subject, limits))
        if subject.hex() in limits.things or lead in leads.values() or (own_type and own_type in limits.types):
            return
        raise DeniedError(f"{actor.label} has no right to this thing", "system_thing")

    async def is_registered(self, name: str) -> bool:
        """Whether a system has that name."""
        async with self._core.database.read() as tx:
            return await find_correspondent(tx, name) is not None

    async def get(self, name: str) -> Correspondent:
        """The system of that name; raise NotFoundError."""
        async with self._core.database.read() as tx:
            return self._shown(await _find(tx, name), await tokens_of(tx, name))

    async def all(self) -> list[Correspondent]:
        """Every system, by name."""
        async with self._core.database.read() as tx:
            return [self._shown(one, await tokens_of(tx, one.name)) for one in await list_correspondents(tx)]

    def running(self, actor: Actor | None) -> AbstractContextManager[None]:
        """A request of a system is being answered by the current task: a cut ends it."""
        if actor is None or actor.kind != "system" or (task := asyncio.current_task()) is None:
            return _NOTHING
        return self._running_by(actor, task)

    @contextmanager
    def _running_by(self, actor: Actor, task: asyncio.Task[object]) -> Iterator[None]:
        if actor.label in self._cut:
            raise DeniedError(f"the system {actor.name!r} is cut off", "system_blocked", system=actor.name)
        self._running[task] = actor.label
        try:
            yield
        finally:
            self._running.pop(task, None)

    def _end_running(self, label: str) -> None:
        self._cut.add(label)
        for task in [task for task, who in self._running.items() if who == label]:
            task.cancel()

    def _shown(self, stored: StoredCorrespondent, tokens: Sequence[StoredToken]) -> Correspondent:
        tally = self._tallies.get(stored.name, _Tally())
        columns = {name: getattr(stored, name) for name in stored.__slots__ if name != "rights"}
        columns |= {"used": stored.used + tally.used, "refused": stored.refused + tally.refused}
        columns |= {"used_us": tally.used_us or stored.used_us, "refused_us": tally.refused_us or stored.refused_us}
        return Correspondent(**columns, rights=rights_of(stored), tokens=tuple(tokens))

    async def _count(self, name: str, tally: _Tally, now: int, refusal: Exception | None) -> None:
        """Count a use, and write it down once a minute: a try that is refused is journaled so often too."""
        is_first = refusal is not None and now - (tally.refused_us or 0) > MINUTE_US
        if refusal is None:
            tally.used, tally.used_us = tally.used + 1, now
            tally.recent.append(now)
        else:
            tally.refused, tally.refused_us = tally.refused + 1, now
        if is_first or now - tally.written_us > MINUTE_US:
            async with self._core.database.write() as tx:
                await self._write_down(tx, name, tally)
                if is_first:
                    code = getattr(refusal, "code", "")
                    await self._core.announce(tx, _label(name), "system_refused", system=name, code=code)

    async def _write_down(self, tx: WriteTx, name: str, tally: _Tally) -> None:
        stored = await _find(tx, name)
        used, refused, tally.used, tally.refused = tally.used, tally.refused, 0, 0
        tally.written_us = tx.now
        values: Mapping[str, int | None] = {
            "used": stored.used + used,
            "refused": stored.refused + refused,
            "used_us": tally.used_us or stored.used_us,
            "refused_us": tally.refused_us or stored.refused_us,
        }
        await change_correspondent(tx, name, **values)


async def standing_rights(tx: ReadTx, name: str) -> Rights | None:
    """What a system may now; None where it is not known, cut off, or has no token that lives."""
    found = await find_correspondent(tx, name)
    if found is None or found.blocked_us is not None:
        return None
    is_alive = any(token.expires_us > tx.now for token in await tokens_of(tx, name))
    return rights_of(found) if is_alive else None


def _refusal(
    found: StoredCorrespondent, rights: Rights, address: str, tally: _Tally | None, now: int
) -> DeniedError | StateError | None:
    """Why a system does not come in; without a tally, however often it came."""
    if found.blocked_us is not None:
        return DeniedError(f"the system {found.name!r} is cut off", "system_blocked", system=found.name)
    if rights.networks and not _is_inside(address, rights.networks):
        return DeniedError(f"the system {found.name!r} comes from {address}", "system_network", address=address)
    if tally is None:
        return None
    while tally.recent and now - tally.recent[0] >= MINUTE_US:
        tally.recent.popleft()
    if rights.per_minute is not None and len(tally.recent) >= rights.per_minute:
        return StateError(f"more than {rights.per_minute} requests a minute", "system_rate", most=rights.per_minute)
    return None


def _is_inside(address: str, networks: Sequence[str]) -> bool:
    try:
        one = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False
    for text_ in networks:
        network = ipaddress.ip_network(text_)
        if one.version == network.version and one.subnet_of(network):  # type: ignore[arg-type]  # of one version
            return True
    return False


def _check_rights(actor: Actor, rights: Rights) -> None:
    if not actor.may(rights.scopes):
        raise DeniedError("a system may do no more than who lets it in", "token_scopes")
    for network in rights.networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise InputError(f"{network} is no network", "system_network_form", text=network) from error


async def _known_of(subject: bytes, limits: Limits, tx: ReadTx) -> tuple[str, bytes, dict[bytes, bytes]]:
    """The central type of a thing and the id that leads it, and those that lead the things of these limits."""
    passport = await find_passport(tx, subject, whole=False)
    leads = await read_leads(tx, map(bytes.fromhex, limits.things))
    own_type = text(passport.content, "type", "central") if passport else ""
    return own_type, passport.lead if passport else subject, leads


def _size(one: StoredCorrespondent) -> int:
    return SIZE_BESIDE_RIGHTS + len(one.rights)


def _dump(rights: Rights) -> str:
    return json.dumps(asdict(rights), ensure_ascii=False, sort_keys=True)


def rights_of(stored: StoredCorrespondent) -> Rights:
    """What a system may."""
    told = json.loads(stored.rights)
    return Rights(
        tuple(map(Scope, told["scopes"])),
        tuple(map(Write, told["writes"])),
        tuple(told["things"]),
        tuple(told["types"]),
        tuple(told["networks"]),
        told["per_minute"],
    )


def _label(name: str) -> str:
    return f"system:{name}"


async def _find(tx: ReadTx, name: str) -> StoredCorrespondent:
    found = await find_correspondent(tx, name)
    if found is None:
        raise NotFoundError(f"no system {name!r} is here", "system_unknown")
    return found
