"""The production line: a station does one step of one kind of process, device after device, by scanning.

What is scanned names a device; its process that waits at the station's step for this organisation is found, and done
at once where nothing more is asked than who works there.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.errors import StateError
from node.passport.ids import SubjectId, format_device_id
from node.passport.kits import FilledRow
from node.passport.procedures import Parts, Step
from node.passport.runs import RunState
from node.passport.shown import at, rows, text
from node.passport.view import DAY_US, Plain
from node.services.assembly import PartIn
from node.services.core import Core
from node.services.journal import Journal
from node.services.recognition import Recognition
from node.services.runs import Runs, ShownRun, Work
from node.services.steps import Steps
from node.store.passports import StoredPassport

__all__ = ["InHand", "Line", "Station", "asks_of"]

PLACE, WORKER = "station", "operator"
MOST_READ = 500


@dataclass(frozen=True, slots=True)
class Station:
    """A place of the line: which step of which kind of process is done there, and by whom; empty where nobody says."""

    code: str
    step: str
    place: str = ""
    worker: str = ""


@dataclass(frozen=True, slots=True)
class InHand:
    """A device at the station: its process, the step, the parts that were scanned for it, and the rows of its kit."""

    shown: ShownRun
    step: Step
    parts: Sequence[PartIn] = ()
    kit: Sequence[FilledRow] = ()

    @property
    def passport(self) -> StoredPassport:
        """Of the device."""
        return self.shown.passport

    @property
    def run(self) -> str:
        """The id of its process."""
        return text(self.shown.row, "id")

    @property
    def is_whole(self) -> bool:
        """Whether the parts that were scanned make the kit; where no kit is stated, whether there are any."""
        return all(one.is_full or one.row.optional for one in self.kit) if self.kit else bool(self.parts)

    @property
    def is_done_at_once(self) -> bool:
        """Whether the step asks nothing but who works there."""
        return is_plain(self.step) and not asks_of(self.step)


class Line:
    """Finds and does what a station scans."""

    def __init__(self, core: Core, runs: Runs, steps: Steps, recognition: Recognition, journal: Journal) -> None:
        self._core = core
        self._runs = runs
        self._steps = steps
        self._recognition = recognition
        self._journal = journal
        self._counted = 0  # the last row of the journal that is counted
        self._counting = asyncio.Lock()  # two pages at once would count the same rows twice
        self._day = -1
        self._done: Counter[tuple[str, str]] = Counter()

    async def take(self, station: Station, scanned: str, parts: Sequence[str] = ()) -> InHand:
        """The device that was scanned, with the parts that were scanned after it, checked against its kit.

        Raise NotFoundError for an unknown code, StateError where no process of the device waits at this step for us,
        or a part stands elsewhere, InputError where a part is not of the kit.
        """
        passport = await self._recognition.get(scanned)
        shown = await self._runs.get(_waiting(passport, station, self._core.org))
        step = shown.held.procedure.step(station.step) if shown.held else None
        if step is None:
            raise StateError("the procedure of that process is not here", "run_unread")
        if step.parts is not Parts.FIT:
            return InHand(shown, step)
        named = [await self._recognition.part(scan) for scan in parts]
        kit, placed = await self._steps.kit(passport.content, named)
        await self._steps.check_fitting(passport.subject, placed, self._core.clock.now())
        return InHand(shown, step, placed, kit.filled if kit else ())

    async def do(
        self, hand: InHand, station: Station, detail: Mapping[str, str], outcome: str | None, system: str, actor: str
    ) -> ShownRun:
        """Do the step with what was scanned and filled in, or nothing of it."""
        known = {ask.code for ask in hand.step.asks}
        named = {PLACE: station.place, WORKER: station.worker}
        who = {code: value for code, value in named.items() if value and code in known}
        work = Work(self._core.clock.now(), system, outcome, detail={**who, **detail}, fitted=hand.parts)
        return await self._runs.do(hand.run, hand.step.code, work, actor)

    async def is_named(self, hand: InHand, scanned: str) -> bool:
        """Whether a text names the device in hand itself: scanned once more, it is ready."""
        found = await self._recognition.find(scanned)
        return found is not None and found.subject == hand.passport.subject

    async def done_today(self, station: Station) -> int:
        """How often the step was done here on this day (UTC)."""
        async with self._counting:
            await self._count()
        return self._done[station.code, station.step]

    async def _count(self) -> None:
        """Count what the journal has more of than at the last look."""
        day = self._core.clock.now() // DAY_US
        if day != self._day:
            self._day, self._counted, self._done = day, await self._before(day * DAY_US), Counter()
        while found := await self._journal.after(self._counted, MOST_READ):
            self._counted = found[-1].id
            named = [
                (str(row.detail.get("process")), str(row.detail.get("step")))
                for row in found
                if row.what == "step_done"
            ]
            self._done.update(named)

    async def _before(self, moment: int) -> int:
        """The last row of the journal from before a moment."""
        before = 0
        while found := await self._journal.newest(before, MOST_READ):
            older = next((row.id for row in found if row.at_us < moment), None)
            if older is not None:
                return older
            before = found[-1].id
        return 0


def is_plain(step: Step) -> bool:
    """Whether a step has one way on, and takes neither a protocol nor parts."""
    return not step.outcomes and step.protocol is None and step.parts is None


def asks_of(step: Step) -> list[str]:
    """What a step asks beside the station and the operator."""
    return [ask.code for ask in step.asks if ask.code not in (PLACE, WORKER)]


def _waiting(passport: StoredPassport, station: Station, own: bytes) -> str:
    """The process of a device that waits at a step for us; raise StateError saying where it stands."""
    device = format_device_id(SubjectId(passport.subject))
    of_kind = [run for run in rows(passport.content, "processes") if run["code"] == station.code]
    running = [run for run in of_kind if RunState(text(run, "state")).is_open]
    for run in running:
        if _stands(run) == (station.step, own.hex()):
            return text(run, "id")
    if not running:
        raise StateError(f"no process {station.code} of {passport.title} runs", "line_no_process", id=device,
                         title=passport.title)  # fmt: skip
    step, org = _stands(running[0])
    if step == station.step:
        raise StateError(f"{step} of {passport.title} waits for {org or 'nobody yet'}", "line_not_ours",
                         title=passport.title)  # fmt: skip
    raise StateError(f"{passport.title} is at the step {step or '—'}", "line_other_step", title=passport.title,
                     step=step, run=text(running[0], "id"), stands=at(running[0], "waits", "title") or {})  # fmt: skip


def _stands(run: dict[str, Plain]) -> tuple[str, str]:
    return text(run, "waits", "step"), text(run, "waits", "org")
