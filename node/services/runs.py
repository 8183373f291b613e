"""Processes that run: opened, assigned, declined and closed by this organisation, and listed whoever opened them.

What a step is done with is worked out in `node/services/steps.py`; the moves are said here, one at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from federation.fragment import SectionClass
from node.errors import DeniedError, InputError, NodeError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import RunBody, TemplateRef
from node.passport.claims import local_claim
from node.passport.drafts import OPEN_CLASSES, Draft
from node.passport.ids import SubjectId, format_device_id
from node.passport.procedures import OWNER
from node.passport.runs import RunState, fits, run_id
from node.passport.shown import at, rows, text
from node.passport.view import Plain
from node.services.core import Core
from node.services.known import check_organisation
from node.services.ledger import Ledger, entry_ref
from node.services.papers import Also
from node.services.procedures import HeldProcedure, ProcedureBook
from node.services.steps import Done, Steps, Turn, Work
from node.store import runs as store
from node.store.database import ReadTx, WriteTx
from node.store.fragments import NewEntry
from node.store.passports import StoredPassport, every_id, find_passport
from node.store.rights import EVERYBODY, rights_to
from node.store.runs import Load, RunSift, StoredRun
from node.store.settings import find_setting, set_setting

__all__ = ["Completed", "Load", "NewRun", "RunSift", "Runs", "ShownRun", "StoredRun", "Work"]

MOST_AT_ONCE = 500
WATCH_S = 30.0
WATCHED = "runs_watched"
TOLD_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class NewRun:
    """A process to be opened about each of some things: by which procedure, who has which role, by when."""

    procedure: str
    subjects: Sequence[bytes]
    roles: Mapping[str, bytes]
    number: str | None = None
    about: str | None = None
    due: str | None = None


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run as the passport of its subject shows it; `held` is its procedure where it is known here."""

    passport: StoredPassport
    row: dict[str, Plain]
    held: HeldProcedure | None


@dataclass(frozen=True, slots=True)
class Completed:
    """A step that a document does: what is to be said, the protocol first, and how the step ends."""

    turn: Turn
    outcome: str | None
    drafts: list[Draft]

    @property
    def told(self) -> dict[str, str]:
        """What the journal's row `step_done` says of it."""
        told = {"run": self.turn.run, "step": self.turn.step.code, "process": self.turn.procedure.code}
        return told | ({"outcome": self.outcome} if self.outcome else {})


class Runs:
    """Moves processes in this organisation's name."""

    def __init__(self, core: Core, ledger: Ledger, book: ProcedureBook, steps: Steps) -> None:
        self._core = core
        self._ledger = ledger
        self._book = book
        self._steps = steps
        self._watched_us = 0  # terms up to then are told
        self._moving = asyncio.Lock()  # of two moves at once the second one sees the first

    async def open(self, new: NewRun, actor: str) -> list[str]:
        """Open a process about each subject, all or none; answer their ids.

        Raise StateError where one of that kind of this organisation is open about a subject already, or an
        organisation in a role does not take part by the procedure.
        """
        held = self._book.get(new.procedure)
        if not 0 < len(set(new.subjects)) <= MOST_AT_ONCE:
            raise InputError(f"1 to {MOST_AT_ONCE} processes are opened at once, got {len(new.subjects)}", "run_count")
        self._check_roles(held, new.roles)
        self._check_part(held, self._core.org)
        async with self._moving:
            now, ids, said = self._core.clock.now(), list[str](), list[Draft]()
            async with self._core.database.read() as tx:
                for org in sorted(set(new.roles.values())):
                    await check_organisation(tx, org)
                for passport in [await _get(tx, subject) for subject in dict.fromkeys(new.subjects)]:
                    _check_new(held, passport, self._core.org)
                    nonce = self._core.random.bytes(16)
                    body = RunBody(
                        says="opened",
                        nonce=nonce.hex(),
                        procedure=held.digest,
                        code=held.procedure.code,
                        number=new.number,
                        about=new.about,
                        due=new.due,
                        roles={role: org.hex() for role, org in new.roles.items()},
                    )
                    said += await self._shares(tx, passport.subject, new.roles.values())
                    said += self._let_write(passport, new.roles.values())
                    said.append(drafts.run(passport.subject, body, now))
                    ids.append(run_id(self._core.org, nonce))
            await self._say(said, actor, "run_opened", new.subjects[0] if len(ids) == 1 else None,
                            process=held.procedure.code, count=len(ids), number=new.number)  # fmt: skip
        return ids

    async def do(self, run: str, step: str, work: Work, actor: str) -> ShownRun:
        """Do the step at which a run stands, with all that belongs to it, or nothing of it.

        Raise StateError where it is not that step's turn, DeniedError where it is another organisation's, InputError
        where something that the step demands is missing or wrong.
        """
        async with self._moving:
            turn = await self.turn(run, step)
            async with self._steps.prepared(turn, work) as done:
                said = [*done.drafts, _move(turn, work, done), *await self._shares_back(turn)]
                told = Completed(turn, done.outcome, said).told
                also = work.document.beside.also if work.document else None
                await self._say(said, actor, "step_done", turn.passport.subject, also, **told)
        return await self.get(run)

    @asynccontextmanager
    async def moving(self) -> AsyncIterator[None]:
        """While this is held, nobody else moves a process of this node."""
        async with self._moving:
            yield

    async def completed_by(self, subject: bytes, body: TemplateRef, work: Work) -> Completed | None:
        """What is said where a document does the step at which a process of a thing waits for us.

        None where no process waits for such a document, or it does not do the step; the document then stands for
        itself. Call it and say what it answers within `moving`, once for each thing.
        """
        turn = await self._turn_for(subject, body)
        if turn is None:
            return None
        try:
            return await self._completed(turn, work)
        except NodeError:
            return None

    async def completed_with(self, subject: bytes, event: str, work: Work) -> Completed | None:
        """What is said where an act of ours does the step at which a process of a thing waits for us: one that records
        that event, and demands neither protocol nor parts nor a choice.

        None where no process waits so. Call it and say what it answers within `moving`. Raise InputError or StateError
        where something that the step demands is missing.
        """
        turn = await self.waiting_for(subject, event)
        return None if turn is None else await self._completed(turn, work)

    async def waiting_for(self, subject: bytes, event: str) -> Turn | None:
        """Our turn in a process of a thing, at a step that records an event and demands nothing but what is asked."""
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
        for row in rows(passport.content, "processes") if passport else []:
            if text(row, "waits", "org") == self._core.org.hex():
                try:
                    turn = await self.turn(text(row, "id"), None)
                except NodeError:
                    continue
                step = turn.step
                if step.event == event and step.protocol is None and step.parts is None and not step.outcomes:
                    return turn
        return None

    async def decline(self, run: str, reason: str, actor: str) -> ShownRun:
        """Give the role back whose turn it is: the owner then names another organisation."""
        async with self._moving:
            turn = await self.turn(run, None)
            if turn.step.role == OWNER:
                raise StateError("the owner closes his process, he declines no step of it", "run_owner_declines")
            body = RunBody(says="declined", n=turn.n, run=run, step=turn.step.code, reason=reason)
            said = [drafts.run(turn.passport.subject, body, self._core.clock.now()), *await self._shares_back(turn)]
            await self._say(said, actor, "step_declined", turn.passport.subject, run=run, step=turn.step.code)
        return await self.get(run)

    async def assign(self, run: str, roles: Mapping[str, bytes], actor: str) -> ShownRun:
        """Give roles to other organisations; raise DeniedError for whoever is not the owner."""
        async with self._moving:
            shown = await self._owned(run)
            if shown.held is None:
                raise StateError("the procedure of that process is not here", "run_unread")
            self._check_roles(shown.held, roles)
            body = RunBody(says="assigned", n=len(rows(shown.row, "moves")), run=run,
                           roles={role: org.hex() for role, org in roles.items()})  # fmt: skip
            async with self._core.database.read() as tx:
                for org in sorted(set(roles.values())):
                    await check_organisation(tx, org)
                said = await self._shares(tx, shown.passport.subject, roles.values())
                said += self._let_write(shown.passport, roles.values())
            said.append(drafts.run(shown.passport.subject, body, self._core.clock.now()))
            await self._say(said, actor, "run_assigned", shown.passport.subject, run=run)
        return await self.get(run)

    async def close(self, run: str, reason: str | None, actor: str) -> ShownRun:
        """Close a process whose last step is done; cancel one that is not there yet, for which a reason is needed.

        Raise DeniedError for whoever is not the owner.
        """
        async with self._moving:
            shown = await self._owned(run)
            is_done = text(shown.row, "state") == RunState.ENDED
            if not is_done and not reason:
                raise InputError("a process that is not at its end is cancelled with a reason", "run_reason")
            body = RunBody(says="closed", n=len(rows(shown.row, "moves")), run=run, reason=reason,
                           result="done" if is_done else "cancelled")  # fmt: skip
            draft = drafts.run(shown.passport.subject, body, self._core.clock.now())
            what = "run_closed" if is_done else "run_cancelled"
            await self._say([draft], actor, what, shown.passport.subject, run=run)
        return await self.get(run)

    async def get(self, run: str) -> ShownRun:
        """A run; raise NotFoundError."""
        async with self._core.database.read() as tx:
            return await self._shown(tx, run)

    async def turn(self, run: str, step: str | None) -> Turn:
        """Where a run stands, if it is this organisation that has to do that step; raise StateError or DeniedError."""
        shown = await self.get(run)
        row, held = shown.row, shown.held
        if held is None:
            raise StateError("the procedure of that process is not here", "run_unread")
        waits = held.procedure.step(text(row, "waits", "step"))
        if text(row, "state") != RunState.OPEN or waits is None:
            raise StateError(f"the process is {text(row, 'state')}", "run_over", state=text(row, "state"))
        if step is not None and step != waits.code:
            asked = held.procedure.step(step)
            raise StateError(f"the next step is {waits.code}, not {step}", "run_step_order",
                             step=asked.name if asked else step, expected=waits.name)  # fmt: skip
        org = text(row, "waits", "org")
        if org != self._core.org.hex():
            role = next((one for one in held.procedure.roles if one.code == waits.role), None)
            raise DeniedError(f"{waits.code} is the step of {org or 'nobody yet'}", "run_no_mandate",
                              step=waits.name, role=role.name if role else waits.role, org=org)  # fmt: skip
        if (self._core.org, held.digest) not in self._book.accepted:
            raise StateError("this organisation has not accepted the procedure", "procedure_not_accepted",
                             procedure=held.procedure.code, version=held.procedure.version,
                             org=self._core.settings.node.name)  # fmt: skip
        return Turn(run, shown.passport, row, held.procedure, waits, len(rows(row, "moves")))

    async def page(self, sift: RunSift, after: tuple[int, bytes] | None = None, limit: int = 50) -> Sequence[StoredRun]:
        """Open ones by their term, ended ones by their end, the last first."""
        async with self._core.database.read() as tx:
            return await store.list_runs(tx, sift, after, limit)

    async def count(self, sift: RunSift) -> int:
        """How many there are."""
        async with self._core.database.read() as tx:
            return await store.count_runs(tx, sift)

    async def count_steps(self, sift: RunSift) -> dict[str, int]:
        """How many there are at each step."""
        async with self._core.database.read() as tx:
            return await store.count_steps(tx, sift)

    async def loads(self) -> list[Load]:
        """Who has how many open steps, and how many overdue ones."""
        async with self._core.database.read() as tx:
            return await store.count_loads(tx, tx.now)

    async def watch(self) -> None:
        """Journal each step that becomes overdue, once, until cancelled; what fell due meanwhile is told at a start."""
        while True:
            while await self._tell_overdue():
                pass
            await asyncio.sleep(WATCH_S)

    async def _tell_overdue(self) -> bool:
        """Tell of the next ones; whether there may be more. A look that finds nothing writes nothing."""
        since = self._watched_us or await self._begin_watching()
        async with self._core.database.read() as tx:
            now = tx.now
            found = await store.due_between(tx, since, now, TOLD_AT_ONCE)
        is_full = len(found) == TOLD_AT_ONCE and found[-1].card.due_us > since
        self._watched_us = found[-1].card.due_us if is_full else now
        if found:
            async with self._core.database.write() as write:
                for one in found:
                    await self._core.announce(
                        write, "clock", "step_overdue", one.lead, run=one.card.id.hex(), process=one.card.code,
                        step=one.card.step, party=one.card.org.hex() or None, due_us=one.card.due_us,
                    )  # fmt: skip
                await set_setting(write, WATCHED, str(self._watched_us).encode())
        return is_full

    async def _begin_watching(self) -> int:
        """From when on terms are looked at: those that ended while the node was down are told too."""
        async with self._core.database.write() as tx:
            raw = await find_setting(tx, WATCHED)
            if raw is None:
                await set_setting(tx, WATCHED, str(tx.now).encode())
            return int(raw) if raw else tx.now

    async def _completed(self, turn: Turn, work: Work) -> Completed:
        async with self._steps.prepared(turn, work) as done:
            return Completed(
                turn, done.outcome, [*done.drafts, _move(turn, work, done), *await self._shares_back(turn)]
            )

    async def _turn_for(self, subject: bytes, template: TemplateRef) -> Turn | None:
        """Our turn in a process of a thing, at a step that demands nothing but a document of this template."""
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
        for row in rows(passport.content, "processes") if passport else []:
            if text(row, "waits", "org") == self._core.org.hex() and text(row, "waits", "protocol") == template.name:
                try:
                    turn = await self.turn(text(row, "id"), None)
                except NodeError:
                    continue
                if fits(turn.step, template) and turn.step.parts is None:
                    return turn
        return None

    async def _owned(self, run: str) -> ShownRun:
        shown = await self.get(run)
        if text(shown.row, "owner") != self._core.org.hex():
            raise DeniedError("only the owner of a process does that", "run_owner_only", owner=text(shown.row, "owner"))
        if not RunState(text(shown.row, "state")).is_open:
            raise StateError(f"the process is {text(shown.row, 'state')}", "run_over", state=text(shown.row, "state"))
        return shown

    async def _shown(self, tx: ReadTx, run: str) -> ShownRun:
        found = await store.find_run(tx, bytes.fromhex(run))
        passport = await find_passport(tx, found.lead, whole=False) if found else None
        row = next((r for r in rows(passport.content, "processes") if r["id"] == run), None) if passport else None
        if passport is None or row is None:
            raise NotFoundError(f"no process {run} is known here", "run_unknown")
        return ShownRun(passport, row, self._book.find(text(row, "procedure")))

    def _check_roles(self, held: HeldProcedure, roles: Mapping[str, bytes]) -> None:
        """Raise InputError for a role that the procedure has not, StateError for a party that takes no part."""
        procedure = held.procedure
        for role, org in roles.items():
            if role not in procedure.performers:
                raise InputError(f"{procedure.code} has no role {role}", "run_role_unknown", role=role,
                                 roles=", ".join(procedure.performers))  # fmt: skip
            self._check_part(held, org)

    def _check_part(self, held: HeldProcedure, org: bytes) -> None:
        """Raise StateError where an organisation takes no new work by a procedure."""
        if not self._book.takes_part(org, held.digest):
            procedure, name = held.procedure, self._book.name_of(org)
            raise StateError(
                f"{name} has not accepted {procedure.code} {procedure.version}",
                "procedure_not_accepted",
                procedure=procedure.code,
                version=procedure.version,
                org=name,
            )

    async def _shares_back(self, turn: Turn) -> list[Draft]:
        """What lets the other parties read what is said here."""
        roles = at(turn.row, "roles")
        parties = [text(turn.row, "owner"), *(map(str, roles.values()) if isinstance(roles, dict) else ())]
        async with self._core.database.read() as tx:
            return await self._shares(tx, turn.passport.subject, list(map(bytes.fromhex, parties)))

    async def _shares(self, tx: ReadTx, subject: bytes, parties: Collection[bytes]) -> list[Draft]:
        """Shares of a thing, under every id that it has, with those who cannot read of it what is said here."""
        technical, said = 1 << SectionClass.TECHNICAL, list[Draft]()
        named = await every_id(tx, [subject])
        for org in sorted(set(parties) - {self._core.org}):
            rights = await rights_to(tx, named, org)
            for one in named:
                heard = (r for r in rights.get(one, ()) if r.author in (EVERYBODY, self._core.org))
                if not any(r.classes & technical and r.since_us <= tx.now < r.until_us for r in heard):
                    said.append(drafts.share(one, org, OPEN_CLASSES, tx.now))
        return said

    def _let_write(self, passport: StoredPassport, executors: Collection[bytes]) -> list[Draft]:
        """What lets who carries a process out say what it did, with the authority of who opened it."""
        parties, subjects = at(passport.content, "parties", "named"), passport.content["subjects"]
        named = {bytes.fromhex(str(org)) for org in (parties if isinstance(parties, list) else ())}
        things = [bytes.fromhex(str(one)) for one in (subjects if isinstance(subjects, list) else ())]
        fresh = sorted({*executors} - {self._core.org} - named)
        return [drafts.let_write(self._mint(), org, things, self._core.clock.now()) for org in fresh]

    def _mint(self) -> bytes:
        return local_claim(self._ledger.log.log, self._core.random.bytes(16)).subject.raw

    async def _say(
        self,
        said: Sequence[Draft],
        actor: str,
        what: str,
        subject: bytes | None,
        also: Also | None = None,
        **detail: object,
    ) -> None:
        """`also` runs in the transaction that says it, with the place of the first statement."""

        async def note(tx: WriteTx, entries: Sequence[NewEntry]) -> None:
            told = {name: value for name, value in detail.items() if value is not None}
            await self._core.announce(tx, actor, what, subject, org=None, **told)
            if also is not None:
                await also(tx, entry_ref(self._ledger.log.log, entries[0]))

        await self._ledger.append(said, note)


def _move(turn: Turn, work: Work, done: Done) -> Draft:
    """The move of a step that is done."""
    body = RunBody(
        says="done",
        n=turn.n,
        run=turn.run,
        step=turn.step.code,
        outcome=done.outcome,
        detail=dict(work.detail),
        reason=work.reason,
    )
    return drafts.run(turn.passport.subject, body, work.occurred)


async def _get(tx: ReadTx, subject: bytes) -> StoredPassport:
    found = await find_passport(tx, subject, whole=False)
    if found is None:
        raise NotFoundError(f"no passport of {SubjectId(subject)} is here", "passport_unknown")
    return found


def _check_new(held: HeldProcedure, passport: StoredPassport, own: bytes) -> None:
    """Raise InputError where a procedure is not of such a thing, StateError where one of its kind is open already."""
    procedure = held.procedure
    if procedure.kinds and passport.kind not in procedure.kinds:
        raise InputError(
            f"{procedure.code} is of {', '.join(procedure.kinds)}, {passport.title} is a {passport.kind}",
            "run_kind",
            kinds=", ".join(procedure.kinds),
            kind=passport.kind,
        )
    for row in rows(passport.content, "processes"):
        is_mine = (row["owner"], row["code"]) == (own.hex(), procedure.code)
        if is_mine and RunState(text(row, "state")).is_open:
            device = format_device_id(SubjectId(passport.subject))
            raise StateError(f"{procedure.code} of {device} is open already", "run_open_already",
                             id=device, run=text(row, "id"))  # fmt: skip
