"""Acknowledging erasures: whoever had a section, or was given it, says in its own log that it is gone.

It is said once the bytes are out of the store's journal too, to the organisations whose words erased it. What was never
here is not acknowledged: that would tell nothing. Nor is it told to the node that asked itself.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from federation.fragment import Ref
from node.errors import NodeError
from node.passport import drafts
from node.passport.bodies import ErasedRow
from node.passport.erasures import MOST_ROWS, Target, Word, voices
from node.passport.references import ref_text
from node.services.core import Core
from node.services.counting import stored_header
from node.services.ledger import Ledger
from node.store.database import ReadTx, WriteTx
from node.store.erasures import Gone, note_acknowledged, unacknowledged, words_about
from node.store.errors import StoreError
from node.store.fragments import entries_at
from node.store.genesis import find_genesis
from node.store.logs import list_logs

log = structlog.get_logger()

MOST_TOLD = 4  # organisations that one statement names
MOST_ASKED = 16  # refs of a header
AGAIN_S, MOST_S = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class _Due:
    """A section that is gone, and by whose words; none where all of them are this node's own."""

    gone: Gone
    said: tuple[Word, ...]

    @property
    def asked(self) -> tuple[tuple[bytes, ...], tuple[Ref, ...]]:
        """Who asked, and where."""
        return tuple(sorted({word.org for word in self.said})), tuple(sorted(word.said for word in self.said))


class Acknowledging:
    """Says what went."""

    def __init__(self, core: Core, ledger: Ledger) -> None:
        self._core, self._ledger = core, ledger

    async def run(self) -> None:
        """Begin with what was left when the node ended, and go on whenever something goes."""
        self._core.erased.set()
        while True:
            await self._core.erased.wait()
            self._core.erased.clear()
            try:
                if await self.is_due():
                    await self._scrub()
                while await self.tell():
                    pass
            except StoreError as error:
                log.warning("not_acknowledged", error=str(error))
                self._core.erased.set()
                await asyncio.sleep(AGAIN_S)
            except NodeError as error:  # a node that was ended says nothing any more
                log.warning("not_acknowledged", error=str(error))

    async def _scrub(self) -> None:
        """Empty the store's journal; whoever reads for long, an export or a backup, is waited for."""
        pause = AGAIN_S
        while not await self._core.database.scrub():
            log.warning("journal_not_emptied", again_s=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, MOST_S)

    async def is_due(self) -> bool:
        """Whether something went of which nothing was said."""
        async with self._core.database.read() as tx:
            return bool(await unacknowledged(tx, 1))

    async def tell(self) -> bool:
        """Say of some sections that they are gone; whether there were any."""
        async with self._core.database.read() as tx:
            due = await self._due(tx)
        if not due:
            return False
        told = [one for one in due if one.said]
        said, now = list(_drafts(told, self._core.clock.now())), [one.gone for one in due]

        async def note(tx: WriteTx, _entries: object) -> None:
            await note_acknowledged(tx, now)
            for (orgs, _), some in _together(told):
                await self._core.announce(tx, "merge", "erasure_acknowledged", org=orgs[0], count=len(some))

        await self._ledger.append(said, note)
        return True

    async def _due(self, tx: ReadTx) -> list[_Due]:
        gone = await unacknowledged(tx, MOST_ROWS)
        if not gone:
            return []
        logs, genesis = {one.log: one for one in await list_logs(tx)}, await find_genesis(tx)
        words = await words_about(tx, ((one.target.log, one.target.seq) for one in gone))
        entries = await entries_at(tx, {(logs[one.target.log].no, one.target.seq) for one in gone})
        headers = {(entry.log, entry.seq): stored_header(entry) for entry in entries}
        found: list[_Due] = []
        for one in gone:
            place = (one.target.log, one.target.seq)
            named = [word for word in words.get(place, ()) if word.section == one.section]
            header = headers.get(place)
            target = Target.of(one.target, logs[one.target.log].org, header) if header is not None else None
            said = voices(named, target, genesis) if target is not None else ()
            is_asked_here = all(logs[word.said.log].own for word in said)
            found.append(_Due(one, () if is_asked_here else said))
        return found


def _together(due: Iterable[_Due]) -> list[tuple[tuple[tuple[bytes, ...], tuple[Ref, ...]], list[_Due]]]:
    """What was asked for by the same words."""
    found: dict[tuple[tuple[bytes, ...], tuple[Ref, ...]], list[_Due]] = {}
    for one in due:
        found.setdefault(one.asked, []).append(one)
    return sorted(found.items(), key=lambda item: item[0])


def _drafts(due: Sequence[_Due], now: int) -> Iterable[drafts.Draft]:
    for (orgs, asked), some in _together(due):
        rows = [ErasedRow(ref=ref_text(one.gone.target), section=one.gone.section) for one in some]
        for start in range(0, len(orgs), MOST_TOLD):
            yield drafts.erasure_ack(orgs[start : start + MOST_TOLD], asked[:MOST_ASKED], rows, now)
