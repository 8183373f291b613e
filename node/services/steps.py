"""What a step of a process is done with: its protocol, its event, the parts that go in or are replaced.

Everything that the step demands is checked before anything is signed, and is said together with the move.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from node.errors import InputError, StateError
from node.passport import drafts
from node.passport.bodies import EventBody, Place, Reference, Why
from node.passport.drafts import Draft
from node.passport.kits import Kit, KitFault, KitPart, designation_of, kit_of
from node.passport.procedures import Need, Parts, Procedure, Step
from node.passport.replacement import Replacement, replacement_drafts
from node.passport.runs import ends_by, fits
from node.passport.shown import at, text
from node.passport.templates.findings import State
from node.passport.templates.template import extract
from node.passport.view import DAY_US, Plain, View, moment_us
from node.services.assembly import Assembly, PartIn
from node.services.core import Core
from node.services.papers import Beside
from node.services.projection import Projection
from node.services.protocols import Checked, Protocols, refusal
from node.services.registry import Registry, check_fit
from node.services.templates import HeldTemplate
from node.store.passports import StoredPassport

MOUNTED = frozenset({"installed", "admitted"})


@dataclass(frozen=True, slots=True)
class Filled:
    """A document as it was sent, the reference of its template, and what is signed beside it: its files."""

    template: str
    raw: bytes
    beside: Beside = field(default_factory=Beside)


@dataclass(frozen=True, slots=True)
class Work:
    """What a step is done with; `occurred` in microseconds, `place` where it was done, else where this node stands."""

    occurred: int
    system: str
    outcome: str | None = None
    place: Place | None = None
    detail: Mapping[str, str] = field(default_factory=dict)
    document: Filled | None = None
    fitted: Sequence[PartIn] = ()
    replaced: Sequence[Replacement] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """This organisation's turn in a run: which step, of which passport, and the number of the move."""

    run: str
    passport: StoredPassport
    row: dict[str, Plain]
    procedure: Procedure
    step: Step
    n: int

    @property
    def why(self) -> Why:
        """Why something is said for this step."""
        return Why(process=self.procedure.code, step=self.step.code, run=self.run)


@dataclass(frozen=True, slots=True)
class Done:
    """What is to be said beside the move, and how the step ends."""

    drafts: list[Draft]
    outcome: str | None


class Steps:
    """Checks work and makes the drafts of it."""

    def __init__(
        self, core: Core, projection: Projection, registry: Registry, assembly: Assembly, protocols: Protocols
    ) -> None:
        self._core = core
        self._projection = projection
        self._registry = registry
        self._assembly = assembly
        self._protocols = protocols

    @asynccontextmanager
    async def prepared(self, turn: Turn, work: Work) -> AsyncIterator[Done]:
        """The drafts of a step; what they rest on stays so until the caller has said them."""
        check_needs(turn.step, turn.passport.content, work.occurred)
        _check_asked(turn.step, work)
        said: list[Draft] = []
        checked = await self._checked(turn, work)
        outcome = self._outcome(turn.step, work, checked)
        if checked is not None:
            said += self._protocol(turn, work, checked)
        if turn.step.event is not None:
            said.append(await self._event(turn, work, turn.step.event))
        _check_parts(turn.step, work)
        async with self._assembly.adding:
            yield Done([*said, *await self._parts(turn, work)], outcome)

    async def _checked(self, turn: Turn, work: Work) -> Checked | None:
        """The document of the step; raise InputError where it is missing, of another kind or device, or wrong."""
        demanded, document = turn.step.protocol, work.document
        if demanded is None or document is None:
            if demanded is not None:
                raise InputError(f"the step {turn.step.code} demands a protocol {demanded.name}", "run_protocol_needed",
                                 step=turn.step.name, template=demanded.name)  # fmt: skip
            if document is not None:
                raise InputError(f"the step {turn.step.code} takes no protocol", "run_protocol_unasked",
                                 step=turn.step.name)  # fmt: skip
            return None
        checked = await self._protocols.check(document.template, document.raw)
        if not fits(turn.step, checked.held.body()):
            raise other_protocol(turn.step, checked.held)
        if checked.state is State.INVALID or checked.passport is None:
            raise refusal(checked)
        if checked.state is not State.VALID:
            unknown = ", ".join(checked.held.template.unknown_rules)
            raise StateError(f"the protocol is not fully checked here: {unknown}", "run_protocol_unchecked",
                             rules=unknown)  # fmt: skip
        if checked.passport.subject != turn.passport.subject:
            raise InputError(f"the protocol is of {checked.passport.title}, the process of {turn.passport.title}",
                             "run_protocol_device", device=checked.passport.title,
                             expected=turn.passport.title)  # fmt: skip
        return checked

    def _outcome(self, step: Step, work: Work, checked: Checked | None) -> str | None:
        """How the step ends: as its protocol says, else as it is told; raise InputError where that is none of it."""
        named, ends = ", ".join(one.code for one in step.outcomes), [one.name for one in step.outcomes]
        if not step.outcomes:
            if work.outcome is not None:
                raise InputError(f"the step {step.code} has no outcomes", "run_outcome", step=step.name, outcomes="—")
            return None
        told = step.find_outcome(work.outcome) if work.outcome else None
        if checked is not None:
            found = ends_by(step, [event.code for event in extract(checked.held.template, checked.document).events])
            if found is None or (work.outcome is not None and found != told):
                raise InputError(f"the protocol does not say {work.outcome or 'an outcome'} of {step.code}",
                                 "run_outcome_differs", step=step.name, outcomes=ends)  # fmt: skip
            told = found
        if told is None:
            raise InputError(f"the step {step.code} ends in one of: {named}", "run_outcome", step=step.name,
                             outcomes=ends)  # fmt: skip
        return told.code

    def _protocol(self, turn: Turn, work: Work, checked: Checked) -> list[Draft]:
        why = drafts.section("why", turn.why.model_copy(update={"n": turn.n}))
        beside = work.document.beside if work.document else Beside()
        with_why = replace(beside, sections=(why, *beside.sections))
        return self._protocols.drafts_of(checked, turn.passport.subject, work.system, with_why)

    async def _event(self, turn: Turn, work: Work, code: str) -> Draft:
        place = work.place or Place(place=Reference(local=self._protocols.place), default=True)
        body = EventBody(
            what=Reference(central=code), where=place, system=work.system, why=turn.why, detail=dict(work.detail)
        )
        await self._registry.check_event(turn.passport, body, work.occurred)
        return drafts.event(turn.passport.subject, body, work.occurred)

    async def _parts(self, turn: Turn, work: Work) -> list[Draft]:
        since = _moment(work.occurred)
        if turn.step.parts is Parts.FIT:
            parts = await self._kitted(turn.passport.content, work.fitted)
            return await self._assembly.drafts_of(turn.passport.subject, parts, since)
        said: list[Draft] = []
        for part in work.replaced:
            said += replacement_drafts(turn.passport.content, turn.passport.subject, part, since, self._registry.mint)
        return said

    async def kit(self, view: View, parts: Sequence[PartIn]) -> tuple[Kit | None, list[PartIn]]:
        """The kit of a device with these parts put into it, and the parts with their positions.

        Raise InputError naming the first one that does not belong there; a kit need not be whole.
        """
        resolved = await self._assembly.resolved(parts)
        kit = kit_of(view, self._projection.world.type_versions)
        if kit is None:
            return None, resolved
        placed: list[PartIn] = []
        for part in resolved:
            put = kit.put(KitPart(await self._designation(part), part.position, Decimal(part.quantity)))
            if isinstance(put, KitFault):
                raise _no_kit(put)
            placed.append(replace(part, position=put))
        return kit, placed

    async def check_fitting(self, whole: bytes, parts: Sequence[PartIn], occurred: int) -> None:
        """Raise StateError or InputError where a part cannot go in: it stands elsewhere, or is named twice."""
        await self._assembly.drafts_of(whole, parts, _moment(occurred))

    async def _kitted(self, view: View, parts: Sequence[PartIn]) -> list[PartIn]:
        kit, placed = await self.kit(view, parts)
        if kit is not None and (fault := kit.missing) is not None:
            raise _no_kit(fault)
        return placed

    async def _designation(self, part: PartIn) -> str:
        if part.designation or part.subject is None:
            return part.designation or ""
        return designation_of((await self._registry.get(part.subject)).content)


def _no_kit(fault: KitFault) -> InputError:
    return InputError(f"{fault.code}: {dict(fault.values)}", fault.code, **fault.values)


def check_needs(step: Step, view: View, occurred: int) -> None:
    """Raise StateError where the passport does not say what has to hold before a step."""
    for need in step.needs:
        if need is Need.NOT_MOUNTED and text(view, "state", "code") in MOUNTED:
            raise StateError("the device is installed already", "run_need_mounted", step=step.name)
        if need in (Need.FIT, Need.VERIFIED):
            check_fit(view)
        if need is Need.VERIFIED and not _is_verified(view, occurred):
            until = text(view, "verification", "valid_until") or "—"
            raise StateError(f"no verification is in force (until {until})", "run_need_verified", step=step.name,
                             until=until)  # fmt: skip
        if need is Need.VERIFIED and at(view, "state", "needs_verification"):
            raise StateError("after the repair no verification was made", "run_need_verified", step=step.name,
                             until="—")  # fmt: skip


def _is_verified(view: View, occurred: int) -> bool:
    try:
        return moment_us(text(view, "verification", "valid_until")[:10]) >= occurred - occurred % DAY_US
    except ValueError:
        return False


def other_protocol(step: Step, held: HeldTemplate) -> InputError:
    """The error of a protocol that is none of those that a step demands."""
    demanded, got = step.protocol.name if step.protocol else "", held.template.name
    return InputError(f"the step {step.code} demands a protocol {demanded}, not {got}", "run_protocol_other",
                      step=step.name, template=demanded, got=got)  # fmt: skip


def _check_asked(step: Step, work: Work) -> None:
    """Raise InputError where something that a step asks is missing."""
    missing = [ask for ask in step.asks if ask.required and not work.detail.get(ask.code)]
    if missing:
        codes = ", ".join(ask.code for ask in missing)
        raise InputError(f"the step {step.code} asks for {codes}", "run_detail_needed", step=step.name,
                         missing=[ask.name for ask in missing])  # fmt: skip


def _check_parts(step: Step, work: Work) -> None:
    """Raise InputError for parts that the step does not take, and for none where it does."""
    asked = {Parts.FIT: work.fitted, Parts.REPLACE: work.replaced}
    for kind, given in asked.items():
        if given and step.parts is not kind:
            raise InputError(f"the step {step.code} takes no such parts", "run_parts_unasked", step=step.name)
    if step.parts is Parts.FIT and not work.fitted:
        raise InputError(f"the step {step.code} fits parts, and none is named", "run_parts_needed", step=step.name)
    for part in work.replaced:
        if part.removed.number == part.fitted.number:
            raise InputError(f"{part.position}: {part.fitted.serial} came out and went in", "part_same")


def _moment(at_us: int) -> str:
    seconds, micros = divmod(at_us, 1_000_000)
    told = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros, tzinfo=None)
    return told.isoformat() + "Z"
