"""The own log: one writer that reserves places, signs, commits and publishes checkpoints.

Signatures are made before the transaction. What was signed for a transaction that failed is forgotten with it, so no
place is ever signed twice for two contents that left this node. The head file is on disk before a size leaves; a head
file that cannot be understood says as little as none, and a new log is opened.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from federation.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from federation.counting import Loss
from federation.errors import CodecError
from federation.fragment import (
    Fragment,
    Header,
    NewSection,
    Ref,
    SectionClass,
    sign_fragment,
)
from federation.log import Head, LogStatement, OwnLog, Reason, find_doubt, sign_log_statement
from federation.merkle import CompactRange
from federation.sync.frames import Grown
from node.aside import aside
from node.errors import FolderError, InputError, StateError, StoreAwayError
from node.folder import write_durably
from node.keystore import LogKeys
from node.passport.drafts import Draft
from node.services.core import Core
from node.services.reopening import Reopening, put_reopening
from node.services.sealing import stored_secret
from node.services.speaking import said_by_system
from node.store.database import ReadTx, WriteTx
from node.store.fragments import CLEAR, NewEntry, StoredSection, insert_entries, last_seqs, last_stamp
from node.store.journal import write_journal
from node.store.logs import (
    StoredLog,
    get_log,
    insert_checkpoint,
    insert_log,
    list_logs,
    set_size,
)
from node.store.settings import drop_setting, find_setting
from node.store.trees import append_leaves, read_range

log = structlog.get_logger()

# Whoever makes a backup writes this setting into the copy, never into the store that it copies. A restored copy that
# carries it opens a new log, and forgets the mark with it: what follows is no copy any more.
BACKUP_MARK = "backup"
MAX_BATCH = 2000
PUBLISH_AFTER_S = 0.1

Also = Callable[[WriteTx, Sequence[NewEntry]], Awaitable[None]]
Taken = tuple[StoredLog, Sequence[NewEntry]]  # a log as it was before these entries were stored in it
Project = Callable[[WriteTx, Sequence[Taken]], Awaitable[None]]


@dataclass(slots=True)
class _Submission:
    drafts: Sequence[Draft]
    also: Also | None
    done: asyncio.Future[list[NewEntry]]


class Ledger:
    """Appends to the own log."""

    def __init__(self, core: Core, project: Project) -> None:
        """`project` brings the projections up to date inside the appending transaction."""
        self._core = core
        self._project = project
        self._waiting: asyncio.Queue[_Submission] = asyncio.Queue()
        self._grown = asyncio.Event()
        self._publishing, self._committing = asyncio.Lock(), asyncio.Lock()
        self._run = core.random.bytes(16)
        self._range = CompactRange()
        self._last_stamp = 0
        self._log: StoredLog | None = None

    @property
    def log(self) -> StoredLog:
        """The log that is written."""
        if self._log is None:
            raise StateError("the own log is not open yet")
        return self._log

    async def stored(self, tx: ReadTx) -> StoredLog:
        """The own log as the store has it now."""
        return await get_log(tx, self.log.log)

    async def newest(self) -> bytes | None:
        """The id of the newest own log, before it is opened."""
        async with self._core.database.read() as tx:
            own = await list_logs(tx, own=True)
        return own[-1].log if own else None

    async def open(self, peer_size: int = 0, *, by_hand: bool = False) -> Reason | None:
        """Take up the own log, or open a new one where the old one is in doubt; answer why."""
        async with self._core.database.read() as tx:
            own = await list_logs(tx, own=True)
            head = self._head()
            reason = await self._doubt(tx, head, own[-1] if own else None, peer_size)
        if reason is None and by_hand:
            reason = Reason.BY_HAND
        if reason is not None:
            await self._open_new(own[-1] if own else None, head, reason, peer_size)
            return reason
        await self._take_up(own[-1])
        return None

    async def run(self) -> None:
        """Write what is submitted until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write_forever())
            tasks.create_task(self._publish_forever())

    async def append(self, drafts: Sequence[Draft], also: Also | None = None) -> list[NewEntry]:
        """Say something: durable when this returns. `also` runs in the same transaction."""
        submission = _Submission([*map(said_by_system, drafts)], also, asyncio.get_running_loop().create_future())
        await self._waiting.put(submission)
        return await submission.done

    async def publish(self) -> None:
        """Sign a checkpoint over what is stored, if the log grew since the last one."""
        async with self._publishing:
            await self._publish()

    async def leave(self, reason: Reason) -> None:
        """Go on in a new log: what waits to be said is said there."""
        async with self._committing, self._publishing:
            async with self._core.database.read() as tx:
                old = await self.stored(tx)
            await self._open_new(old, self._head(), reason, 0)
        log.warning("log_opened", log=self.log.log.hex(), reason=reason.name)

    async def _publish(self) -> None:
        self.log  # noqa: B018 - raises where the log is not open
        async with self._core.database.read() as tx:
            stored = await get_log(tx, self.log.log)
            root = (await read_range(tx, stored.no, stored.size)).root()
        if stored.size <= stored.note_size:
            return
        note = sign_checkpoint(self._core.keystore.sign, Checkpoint(stored.log, stored.size, root))
        verify_checkpoint(note, stored.log, self._core.keystore.sign.public)
        head = Head(stored.log, stored.size, root, self._run)
        await aside(partial(write_durably, self._core.folder.head, head.to_bytes()))
        async with self._core.database.write() as tx:
            await insert_checkpoint(tx, stored.no, stored.size, root, note)
        self._core.outgoing.published(stored.org, Grown(stored.log, stored.size, root))

    async def _doubt(self, tx: ReadTx, head: Head | None, own: StoredLog | None, peer_size: int) -> Reason | None:
        if own is None:
            is_lost = head is None and self._core.folder.head.exists()
            return Reason.HEAD_LOST if is_lost else find_doubt(head, None, self._core.keystore.sign.id)
        root = None
        if head is not None and head.size <= own.size:
            root = (await read_range(tx, own.no, head.size)).root()
        said = OwnLog(
            own.log,
            own.size,
            root,
            own.statement.sign_key_id,
            is_backup=await find_setting(tx, BACKUP_MARK) is not None,
        )
        return find_doubt(head, said, self._core.keystore.sign.id, peer_size)

    def _head(self) -> Head | None:
        """What the head file says; None where there is none, or none that can be understood: both put the log in doubt.

        Raise FolderError where the file is there and the system does not give it out: that is put right by a person.
        """
        path = self._core.folder.head
        try:
            return Head.from_bytes(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FolderError(
                f"the head file {path} cannot be read: {error.strerror}. Let this user read it; without it the node "
                "does not know how far its log went, and opens a new one"
            ) from error
        except CodecError as error:
            log.warning("head_unreadable", path=str(path), error=str(error))
            return None

    async def _open_new(self, old: StoredLog | None, head: Head | None, reason: Reason, peer_size: int) -> None:
        keystore, random = self._core.keystore, self._core.random
        # Where the store lost even the name of the old log, its head still tells it.
        previous = old.log if old else head.log if head else None
        keys = LogKeys.fresh(random)
        statement = sign_log_statement(
            keystore.sign,
            org=keystore.org,
            node=keystore.node,
            nonce=random.bytes(16),
            witness_key=keys.witness.public,
            box_key=keys.box.public,
            previous=previous,
            reason=reason,
        )
        keystore.add_log(statement.log_id, keys)
        write_durably(self._core.folder.head, _empty_head(statement, self._run).to_bytes())
        async with self._core.database.write() as tx:
            self._log = await insert_log(tx, statement, own=True)
            await self._note_reopening(tx, statement, reason, old, head, peer_size)
            await write_journal(
                tx, keystore.org, "node", "log_opened", log=statement.log_id.hex(), reason=reason.name.lower()
            )
        self._range, self._last_stamp = CompactRange(), 0

    async def _note_reopening(
        self,
        tx: WriteTx,
        opened: LogStatement,
        reason: Reason,
        old: StoredLog | None,
        head: Head | None,
        peer_size: int,
    ) -> None:
        """Keep why the old log was left and how far it went; a copy is none any more once it has a log of its own."""
        mark = await find_setting(tx, BACKUP_MARK)
        await drop_setting(tx, BACKUP_MARK)
        if opened.previous is None:
            return
        held = old.size if old is not None else 0
        told = head.size if head is not None and head.log == opened.previous else 0
        made = int.from_bytes(mark) if mark is not None else None
        said = max(held, told, peer_size)
        await put_reopening(tx, Reopening(opened.log_id, opened.previous, reason, tx.now, held, said, made))

    async def _take_up(self, own: StoredLog) -> None:
        async with self._core.database.read() as tx:
            self._range = await read_range(tx, own.no, own.size)
            self._last_stamp = await last_stamp(tx, own.no)
        self._log = own
        self._grown.set()

    async def _write_forever(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            size = len(batch[0].drafts)
            while size < MAX_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
                size += len(batch[-1].drafts)
            await self._write(batch)

    async def _write(self, batch: list[_Submission]) -> None:
        try:
            entries = await self._commit(batch)
        except Exception as error:
            # One writer serves all: what failed is told to those who waited, and the writer goes on.
            if len(batch) > 1 and not isinstance(error, StoreAwayError):
                for submission in batch:
                    await self._write([submission])
            else:
                for submission in batch:
                    if not submission.done.done():
                        submission.done.set_exception(error)
            return
        for submission, mine in zip(batch, entries, strict=True):
            if not submission.done.done():
                submission.done.set_result(mine)
        self._grown.set()

    async def _commit(self, batch: list[_Submission]) -> list[list[NewEntry]]:
        async with self._committing:
            return await self._append(batch)

    async def _append(self, batch: list[_Submission]) -> list[list[NewEntry]]:
        drafts = [draft for submission in batch for draft in submission.drafts]
        own = await self._standing()
        async with self._core.database.read() as tx:
            last = await last_seqs(tx, own.no, {draft.subjects[0] for draft in drafts})
        try:
            entries = await asyncio.to_thread(self._sign, own, drafts, last)
        except CodecError as error:
            raise InputError(f"this cannot be signed: {error}", "not_signable") from error
        leaves = [entry.fragment.leaf for entry in entries]
        grown = self._range.extend(leaves)
        split = _split(entries, [len(submission.drafts) for submission in batch])
        async with self._core.database.write() as tx:
            await insert_entries(tx, own.no, entries)
            stored = await append_leaves(tx, own.no, own.size, leaves)
            if stored != grown:
                raise StateError(f"log {own.log.hex()}: what was stored has another root than what was signed")
            await set_size(tx, own, own.size + len(entries))
            await self._project(tx, [(own, entries)])
            for submission, mine in zip(batch, split, strict=True):
                if submission.also is not None:
                    await submission.also(tx, mine)
        self._range = grown
        if entries:
            self._last_stamp = max(entry.header.stamp for entry in entries if entry.header)
        return split

    async def _standing(self) -> StoredLog:
        """The log to write, a new one where it is proven to be forked; raise StateError where this node ended."""
        async with self._core.database.read() as tx:
            own = await get_log(tx, self.log.log)
        if own.counted.loss is Loss.FORKED:
            async with self._publishing:
                await self._open_new(own, self._head(), Reason.ROOT_DIFFERS, 0)
            return self.log
        if own.counted.loss is not None:
            raise StateError(
                f"this node is {own.counted.loss.value}: its organisation's root statements do not let it speak any "
                "more; make a new node of the organisation",
                "node_ended",
            )
        return own

    def _sign(self, own: StoredLog, drafts: Sequence[Draft], last: dict[bytes, int]) -> list[NewEntry]:
        entries: list[NewEntry] = []
        stamp = self._last_stamp
        for seq, draft in enumerate(drafts, own.size):
            stamp = max(self._core.clock.now(), stamp + 1)
            fragment, header = sign_fragment(
                self._core.keystore.sign,
                log=own.log,
                seq=seq,
                stamp=stamp,
                kind=int(draft.kind),
                subjects=draft.subjects,
                occurred=draft.occurred,
                prev=last.get(draft.subjects[0]),
                refs=draft.refs,
                auth=draft.auth,
                sections=[
                    NewSection(s.name, s.content, int(s.klass), self._core.random.bytes(16)) for s in draft.sections
                ],
            )
            last[draft.subjects[0]] = seq
            entries.append(NewEntry(seq, fragment, header, None, self._at_rest(fragment, header), draft.routes))
        return entries

    def _at_rest(self, fragment: Fragment, header: Header) -> tuple[StoredSection, ...]:
        rest = []
        for position, (section, head) in enumerate(zip(fragment.sections, header.sections, strict=True)):
            if head.klass == SectionClass.SECRET:
                vault = self._core.keystore.vault
                rest.append(stored_secret(vault, position, section.name, section.salt, section.data))
            else:
                rest.append(StoredSection(position, section.name, section.salt, section.data, CLEAR))
        return tuple(rest)

    async def _publish_forever(self) -> None:
        while True:
            await self._grown.wait()
            self._grown.clear()
            try:
                await self.publish()
            except StoreAwayError:
                self._grown.set()  # what stands is published when it can be
            await asyncio.sleep(PUBLISH_AFTER_S)


def entry_ref(log_id: bytes, entry: NewEntry) -> Ref:
    """How other statements name that entry."""
    return Ref(entry.header.log if entry.header else log_id, entry.seq, entry.fragment.id[:16])


def _empty_head(statement: LogStatement, run: bytes) -> Head:
    return Head(statement.log_id, 0, CompactRange().root(), run)


def _split(entries: list[NewEntry], sizes: list[int]) -> list[list[NewEntry]]:
    parts, at = [], 0
    for size in sizes:
        parts.append(entries[at : at + size])
        at += size
    return parts
