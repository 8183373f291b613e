"""Registration of a meter by the application, in four recorded steps, each once and in order.

1 compare what the passport says with what the device reported: a table of rows, and a difference stops here · 2 choose
the mode of the type · 3 attach to the time service · 4 set the reporting schedule. A registration is a value; each step
makes the next one, so that it can be stored, shown and continued after a restart. Field names and values are the
caller's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from lora.errors import RegistrationError
from lora.identifiers import Eui

Equal = Callable[[object, object], bool]


class Step(IntEnum):
    """The step that comes next."""

    COMPARE = 1
    MODE = 2
    TIME = 3
    SCHEDULE = 4
    DONE = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One compared field; None stands for a value that was not given."""

    field: str
    passport: object
    reported: object
    equal: bool


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step that was done or stopped: what was decided, and when (microseconds UTC)."""

    step: Step
    detail: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Registration:
    """How far the registration of one device has come. `step` is the next one; it stays on COMPARE after a mismatch."""

    dev_eui: Eui
    step: Step = Step.COMPARE
    rows: tuple[Row, ...] = ()
    mode: str | None = None
    time_service: str | None = None
    schedule: str | None = None
    records: tuple[StepRecord, ...] = ()

    @property
    def differing(self) -> tuple[Row, ...]:
        """The rows that stop the registration."""
        return tuple(row for row in self.rows if not row.equal)

    @property
    def is_stopped(self) -> bool:
        """Whether a mismatch stands: the device's frames are not its readings until a person has decided."""
        return bool(self.differing)

    @property
    def is_done(self) -> bool:
        """Whether all four steps are done."""
        return self.step is Step.DONE

    def compare(self, rows: tuple[Row, ...], at_us: int) -> "Registration":
        """Step 1, which may be done again after a mismatch; raise RegistrationError out of order or with no rows."""
        self._need(Step.COMPARE)
        if not rows:
            raise RegistrationError("nothing was compared")
        differing = ", ".join(row.field for row in rows if not row.equal)
        detail = f"differs: {differing}" if differing else f"{len(rows)} fields agree"
        following = Step.COMPARE if differing else Step.MODE
        return replace(self._record(Step.COMPARE, detail, at_us), step=following, rows=rows)

    def choose_mode(self, mode: str, at_us: int) -> "Registration":
        """Step 2; raise RegistrationError out of order."""
        self._need(Step.MODE)
        return replace(self._record(Step.MODE, mode, at_us), step=Step.TIME, mode=mode)

    def attach_time(self, service: str, at_us: int) -> "Registration":
        """Step 3: the name of the time policy; raise RegistrationError out of order."""
        self._need(Step.TIME)
        return replace(self._record(Step.TIME, service, at_us), step=Step.SCHEDULE, time_service=service)

    def set_schedule(self, schedule: str, at_us: int) -> "Registration":
        """Step 4; raise RegistrationError out of order."""
        self._need(Step.SCHEDULE)
        return replace(self._record(Step.SCHEDULE, schedule, at_us), step=Step.DONE, schedule=schedule)

    def _need(self, step: Step) -> None:
        if self.step is not step:
            stopped = f": {', '.join(row.field for row in self.differing)} differ" if self.is_stopped else ""
            raise RegistrationError(f"{step.name} is not the next step of {self.dev_eui}, {self.step.name} is{stopped}")

    def _record(self, step: Step, detail: str, at_us: int) -> "Registration":
        return replace(self, records=(*self.records, StepRecord(step, detail, at_us)))


def compare_fields(
    passport: Mapping[str, object], reported: Mapping[str, object], rules: Mapping[str, Equal] | None = None
) -> tuple[Row, ...]:
    """Rows for every field that both sides are to agree on: the passport's order, then what was only reported.

    A field compares by its rule, else by `==`; one that a side does not give is not equal, unless its rule says so.
    """
    rules = rules or {}
    names = [*passport, *(name for name in reported if name not in passport)]
    return tuple(_row(name, passport.get(name), reported.get(name), rules.get(name)) for name in names)


def _row(name: str, passport: object, reported: object, rule: Equal | None) -> Row:
    if rule is not None:
        return Row(name, passport, reported, rule(passport, reported))
    return Row(name, passport, reported, passport is not None and passport == reported)
