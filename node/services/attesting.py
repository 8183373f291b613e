"""What this organisation says of others in its federation: attestations, vouches, and ends of memberships.

Who is anchor, member or guest follows from what is said (`node/passport/standing.py`); nothing here decides it.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from federation import codec
from federation.authority import Attestation, Attested
from federation.errors import CodecError
from federation.genesis import Genesis
from node.errors import DeniedError, InputError, StateError
from node.passport import drafts
from node.passport.attestations import ROOT_HASH, SCOPE_PREFIXES, Proposed, number_kind
from node.passport.bodies import EndBody
from node.passport.errors import NumberError
from node.passport.numbers import parse_inn, parse_ogrn
from node.passport.seats import SEAT
from node.passport.standing import GUEST, MEMBER, End, Standing
from node.passport.world import World
from node.services.core import Core
from node.services.known import check_organisation
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.store.cuts import read_cut
from node.store.database import WriteTx
from node.store.genesis import FEDERATION, find_genesis
from node.store.organisations import find_chain
from node.store.settings import set_setting

NUMBERS: dict[str, Callable[[str], str]] = {"inn": parse_inn, "ogrn": parse_ogrn}
# Of which register, and the number there; without its register one number would not meet itself.
NUMBER = re.compile(r"[a-z][a-z0-9-]{0,15}:[0-9A-Za-z./-]{1,64}")
PREFIXES = ("gs1:", "grsi:")
MAX_REFS = 16

Said = TypeVar("Said", Genesis, Attestation)


class Attesting:
    """Founds a federation, and says as an anchor or a member who belongs to it."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self.entered = asyncio.Event()  # set once a federation is founded or joined

    async def genesis(self) -> Genesis | None:
        """The federation of this node."""
        async with self._core.database.read() as tx:
            return await find_genesis(tx)

    async def found(self, name: str, actor: str, anchors: Sequence[bytes] = (), quorum: int = 1) -> Genesis:
        """Make a federation with this organisation as an anchor, and others that are invited later."""
        named = tuple(sorted({self._core.org, *anchors}))
        if quorum > len(named):
            raise InputError(f"{quorum} of {len(named)} anchors cannot agree", "quorum_wrong", most=len(named))
        genesis = _readable(Genesis(name, named, quorum))
        async with self._core.database.write() as tx:
            if await find_genesis(tx) is not None:
                raise StateError("this node is in a federation already", "federation_exists")
            await set_setting(tx, FEDERATION, genesis.to_bytes())
            await self._core.announce(tx, actor, "federation_founded", federation=genesis.id.hex(), name=name)
            tx.on_commit(self.entered.set)
        await self._projection.refold_all()
        return genesis

    async def attest(
        self,
        org: bytes,
        what: Attested,
        rows: Sequence[str],
        actor: str,
        since: int | None = None,
        until: int | None = None,
    ) -> None:
        """Say something of an organisation, as an anchor; the same words with another time take the place of before.

        A number takes the place of an earlier one of its kind, and takes in again whom this anchor ended or who left. A
        branch of a root chain takes the place of the others; what it follows stays attested.
        """
        genesis = await self._anchored()
        await self._check_known(org, genesis)
        body = _readable(Attestation(genesis.id, what, org, tuple(sorted(set(rows), key=codec.pack)), since, until))
        world = self._projection.world
        mine = await self._other_branches(body) if what is Attested.BRANCH else self._voices(body)
        if all(one.rows != body.rows for one in mine):
            _check_rows(what, rows)
        if what is Attested.NUMBER and until is None:
            _check_free(world, org, body.rows)
        answered = self._ends_of(org) if what is Attested.NUMBER and until is None else []
        if not answered and any(_says(one, body) for one in mine):
            return
        refs = [ref for one in mine for by, ref in one.voices if by == self._core.org] + [end.ref for end in answered]

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "attested", of=org.hex(), attested=what.name.lower(), rows=list(rows))

        draft = drafts.attestation(body, self._core.clock.now(), refs[-MAX_REFS:])
        await self._ledger.append([draft], note)

    async def vouch(self, org: bytes, actor: str) -> None:
        """Speak for an organisation, so that it is a guest; nothing is said of whom stands as high already."""
        genesis = await self._federation()
        if not self._standing(self._core.org).is_member:
            raise DeniedError("only a member vouches for others", "not_a_member")
        await self._check_known(org, genesis)
        standing = self._standing(org)
        if standing is Standing.EXPELLED:
            raise StateError("anchors expelled the organisation: they alone take it in again", "org_expelled")
        if standing.is_member or standing is Standing.GUEST or org == self._core.org:
            return
        answered = [end.ref for end in self._ends_of(org)]

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "vouched", of=org.hex())

        await self._ledger.append([drafts.vouch(genesis.id, org, self._core.clock.now(), answered[-MAX_REFS:])], note)

    async def take_back(self, org: bytes, reason: str, actor: str) -> None:
        """Vouch for a guest no more."""
        genesis = await self._federation()
        if self._core.org not in self._projection.world.standings.vouchers(org):
            raise StateError("this organisation does not vouch for it", "not_the_voucher")
        await self._end(genesis, org, GUEST, reason, "vouch_ended", actor)

    async def expel(self, org: bytes, reason: str, actor: str) -> None:
        """Say as an anchor that a membership ends, with what counts of its logs: all that is verified here."""
        genesis = await self._anchored()
        if org in genesis.anchors:
            raise StateError("anchors stand in the genesis: another set of them is another federation", "anchor_stays")
        await self._check_known(org, genesis)
        await self._end(genesis, org, MEMBER, reason, "expelled", actor)

    async def leave(self, reason: str, actor: str) -> None:
        """End the own membership; what was said so far counts for ever."""
        genesis = await self._federation()
        if self._core.org in genesis.anchors:
            raise StateError("an anchor stands in the genesis and cannot leave", "anchor_stays")
        if self._standing(self._core.org).is_ended:
            return
        await self._end(genesis, self._core.org, MEMBER, reason, "left", actor)

    async def _end(self, genesis: Genesis, org: bytes, row: str, reason: str, what: str, actor: str) -> None:
        async with self._core.database.read() as tx:
            cut = await read_cut(tx, org)
        before = [e.ref for e in self._projection.world.standings.ends(org) if e.author == self._core.org]

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, what, of=org.hex(), reason=reason)

        now, body = self._core.clock.now(), EndBody(reason=reason)
        draft = drafts.membership_end(genesis.id, org, row, cut, body, now, before[-MAX_REFS:])
        await self._ledger.append([draft], note)

    def _standing(self, org: bytes) -> Standing:
        return self._projection.world.standings.of(org).standing

    def _voices(self, body: Attestation) -> list[Proposed]:
        """What this organisation said that the body takes the place of."""
        what, kinds = body.what, {number_kind(row) for row in body.rows} if body.what is Attested.NUMBER else set()
        return [
            one
            for one in self._projection.world.attestations.proposed
            if (one.what, one.org) == (body.what, body.org)
            and self._core.org in one.anchors
            and (one.rows == body.rows or what is Attested.SEAT or kinds & {number_kind(row) for row in one.rows})
        ]

    async def _other_branches(self, body: Attestation) -> list[Proposed]:
        """What this organisation attested of a root chain, but for what the branch of the body follows.

        Raise InputError where that is no statement of the chain.
        """
        (named,) = body.rows if len(body.rows) == 1 else ("",)
        async with self._core.database.read() as tx:
            chain = await find_chain(tx, body.org)
        line = (
            {found.hex() for found in chain.line(bytes.fromhex(named))}
            if chain and ROOT_HASH.fullmatch(named)
            else set()
        )
        if not line:
            raise InputError(
                f"{list(body.rows)} is no hash of a statement of the root chain of {body.org.hex()}", "branch_wrong"
            )
        return [
            one
            for one in self._projection.world.attestations.proposed
            if (one.what, one.org) == (body.what, body.org)
            and self._core.org in one.anchors
            and (one.rows == body.rows or not line.issuperset(one.rows))
        ]

    def _ends_of(self, org: bytes) -> list[End]:
        """Ends that a new word answers: the own ones, and the organisation's own leaving."""
        ends = self._projection.world.standings.ends(org)
        return [end for end in ends if end.author in (self._core.org, org)]

    async def _federation(self) -> Genesis:
        genesis = await self.genesis()
        if genesis is None:
            raise StateError("found or join a federation first", "no_federation")
        return genesis

    async def _anchored(self) -> Genesis:
        genesis = await self.genesis()
        if genesis is None or self._core.org not in genesis.anchors:
            raise StateError("only an anchor of a federation attests", "not_an_anchor")
        return genesis

    async def _check_known(self, org: bytes, genesis: Genesis) -> None:
        """An anchor is known by the genesis, before its node was met."""
        if org not in genesis.anchors:
            async with self._core.database.read() as tx:
                await check_organisation(tx, org)


def _readable(said: Said) -> Said:
    """What others will read as it is; raise InputError where a text in it breaks a rule of theirs."""
    try:
        return type(said).from_bytes(said.to_bytes())
    except CodecError as error:
        raise InputError(f"this cannot be signed: {error}", "not_signable") from error


def _says(proposed: Proposed, body: Attestation) -> bool:
    return (proposed.rows, proposed.since, proposed.until) == (body.rows, body.since, body.until)


def _check_rows(what: Attested, rows: Sequence[str]) -> None:
    """Raise InputError where the rows are not what is said so."""
    if what is Attested.NUMBER:
        _check_numbers(rows)
    elif what is Attested.PREFIX and not (rows and all(_is_prefix(row) for row in rows)):
        raise InputError(f"a prefix is written as gs1:460 or grsi:12345, got {list(rows)}", "prefix_wrong")
    elif what is Attested.SEAT and not (len(rows) == 1 and SEAT.fullmatch(rows[0])):
        raise InputError(f"a seat is 32 hex digits, got {list(rows)}", "seat_wrong")
    elif what is Attested.ACCREDITATION and not any(not row.startswith(SCOPE_PREFIXES) for row in rows):
        raise InputError("an accreditation has its number beside its scope", "accreditation_wrong")


def _is_prefix(row: str) -> bool:
    scheme, _, number = row.partition(":")
    return f"{scheme}:" in PREFIXES and number.isascii() and number.isdigit()


def _check_numbers(rows: Sequence[str]) -> None:
    """Raise InputError for no number, and for one whose check digits disagree; registers not known here pass."""
    if not rows or not all(NUMBER.fullmatch(row) for row in rows):
        raise InputError(f"a number is written as inn:7707083893, got {list(rows)}", "number_wrong")
    for row in rows:
        scheme, _, number = row.partition(":")
        check = NUMBERS.get(scheme)
        try:
            if check is not None and check(number) != number:
                raise NumberError(f"not as it is written: {number!r}")
        except NumberError as error:
            raise InputError(f"{row}: {error}", "number_wrong") from error


def _check_free(world: World, org: bytes, rows: Iterable[str]) -> None:
    """Raise StateError where a number is another's: of two holders it would be nobody's."""
    for row in rows:
        holder = world.attestations.holder(row)
        if holder not in (None, org) and not world.standings.of(holder or b"").standing.is_ended:
            raise StateError(f"{row} is attested to another organisation", "number_taken", number=row)
