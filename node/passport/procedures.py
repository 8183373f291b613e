"""Procedures: definitions of processes that anybody publishes, and who accepted which version of them.

A procedure is a chain of steps with outcomes: each step names the role that does it, what it needs before it, the
protocol that it demands, the event that it records, and how many days it has. Running processes stay on the version
they were opened under, which is named by the SHA-256 of its published bytes.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.bodies import AgreementBody, Body, Hex, Line
from node.passport.errors import PassportError
from node.passport.references import References
from node.passport.statement import Statement

SECTION, AGREEMENT = "procedure", "agreement"
SECTIONS = frozenset({SECTION, AGREEMENT})
OWNER = "owner"
MAX_STEPS, MAX_ROLES, MAX_OUTCOMES, MAX_ASKS, MAX_DAYS = 64, 16, 8, 16, 3660

_FAULTS = {
    "step_twice": "steps: {step} stands twice",
    "roles_twice": "roles: each stands once, and {owner} is always there",
    "role_unknown": "steps/{step}/role: {role} is none of {roles}",
    "next_twice": "steps/{step}: next stands in its outcomes or beside none",
    "outcome_twice": "steps/{step}/outcomes: each stands once",
    "event_alone": "steps/{step}/outcomes: an event comes out of a protocol, and the step demands none",
    "next_unknown": "steps/{step}: the next step {next} is unknown",
    "step_alone": "steps/{step}: no step leads to it",
    "step_endless": "steps/{step}: no end is reached from it",
}

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$")]
Texts = Annotated[dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")], Line], Field(min_length=1)]


class Need(StrEnum):
    """What the passport has to say before a step is done."""

    VERIFIED = "verified"  # a verification in force on that day
    FIT = "fit"  # not found unfit, whether or not a verification is known
    NOT_MOUNTED = "not-mounted"  # it stands nowhere as installed


class Parts(StrEnum):
    """What a step does to the composition."""

    FIT = "fit"
    REPLACE = "replace"


class _Part(Body):
    """A part of a procedure: read from plain values too, where lists and texts stand for tuples and codes."""

    model_config = ConfigDict(strict=False)


class _Titled(_Part):
    """A part that people call by its title."""

    code: Name
    title: Texts

    @property
    def name(self) -> Mapping[str, str]:
        """What people call it, by language; its code where it has no title."""
        return self.title or {"en": self.code}


class Role(_Titled):
    """Who takes part beside the owner of the process, as steps name him."""


class Protocol(_Part):
    """The document that a step demands: a template by name, of one publisher or of any."""

    name: Line
    publisher: Hex | None = None


class Outcome(_Titled):
    """How a step may end. With an event, the step's protocol must state it; without a next step the process ends."""

    event: Name | None = None
    next: Name | None = None


class Ask(_Titled):
    """What a step asks beside its protocol: it is kept with the move, and with the event where the step has one."""

    unit: Line | None = None
    required: bool = False


class Step(_Titled):
    """One step. Without outcomes it is followed by `next`; without that the process ends with it."""

    role: Name
    days: Annotated[int, Field(ge=0, le=MAX_DAYS)] | None = None
    needs: tuple[Need, ...] = ()
    protocol: Protocol | None = None
    event: Name | None = None
    asks: Annotated[tuple[Ask, ...], Field(max_length=MAX_ASKS)] = ()
    parts: Parts | None = None
    outcomes: Annotated[tuple[Outcome, ...], Field(max_length=MAX_OUTCOMES)] = ()
    next: Name | None = None

    @property
    def exits(self) -> tuple[str | None, ...]:
        """The steps that may follow; None is the end."""
        return tuple(outcome.next for outcome in self.outcomes) or (self.next,)

    def find_outcome(self, code: str | None) -> Outcome | None:
        """The outcome of that code."""
        return next((outcome for outcome in self.outcomes if outcome.code == code), None)


class Procedure(_Part):
    """Section `procedure` of a publication: how a process goes. `code` is the process in catalogs."""

    code: Name
    version: Version
    title: Texts
    kinds: tuple[Literal["device", "unit", "component", "batch", "object"], ...] = ()
    roles: Annotated[tuple[Role, ...], Field(max_length=MAX_ROLES)] = ()
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MAX_STEPS)]

    @model_validator(mode="after")
    def _check_graph(self) -> Self:
        for fault in _faults(self):
            raise fault
        return self

    @property
    def first(self) -> Step:
        """Where a process begins."""
        return self.steps[0]

    @property
    def performers(self) -> tuple[str, ...]:
        """The roles beside the owner."""
        return tuple(role.code for role in self.roles)

    def step(self, code: str | None) -> Step | None:
        """The step of that code."""
        return next((step for step in self.steps if step.code == code), None)


@dataclass(frozen=True, slots=True)
class PublishedProcedure:
    """A procedure with its publisher; `digest` is SHA-256 of its bytes in hex."""

    procedure: Procedure
    digest: str
    org: bytes
    ref: Ref
    occurred: int


@dataclass(frozen=True, slots=True)
class Procedures:
    """The procedures that are known, and who accepted them.

    `accepted` holds (organisation, digest) of everybody who ever accepted, publishers among them: work done under an
    agreement stands when it ends. `current` holds those who take part now.
    """

    published: Mapping[str, PublishedProcedure] = field(default_factory=dict)
    accepted: frozenset[tuple[bytes, str]] = frozenset()
    current: frozenset[tuple[bytes, str]] = frozenset()
    said: Mapping[tuple[bytes, str], Ref] = field(default_factory=dict)

    def find(self, digest: str) -> PublishedProcedure | None:
        """A procedure by the SHA-256 of its bytes."""
        return self.published.get(digest)

    def changed(self, other: "Procedures") -> frozenset[str]:
        """The digests of which two sets say something else."""
        digests = self.published.keys() ^ other.published.keys()
        return frozenset(digests | {digest for _, digest in self.accepted ^ other.accepted})


def digest_of(raw: bytes) -> str:
    """The name of a version: SHA-256 of its bytes in hex."""
    return hashlib.sha256(raw).hexdigest()


def read_procedures(statements: Iterable[Statement]) -> Procedures:
    """What publications say of procedures. Of two publications of the same bytes the first one counts."""
    said = sorted(
        (s for s in statements if s.kind == Kind.TEMPLATE and SECTIONS & s.sections.keys()), key=lambda s: s.order
    )
    published: dict[str, PublishedProcedure] = {}
    words: dict[tuple[bytes, str], list[tuple[Statement, AgreementBody]]] = {}
    for statement in said:
        for found in _published(statement):
            published.setdefault(found.digest, found)
        for body in _agreements(statement):
            words.setdefault((statement.org, body.procedure), []).append((statement, body))
    references = References(said)
    publishers = frozenset((found.org, found.digest) for found in published.values())
    accepted = frozenset(key for key, items in words.items() if any(body.says == "accepted" for _, body in items))
    newest = {key: _newest(items, references) for key, items in words.items()}
    ended = frozenset(key for key, (_, body) in newest.items() if body.says == "ended")
    refs = {key: statement.ref for key, (statement, _) in newest.items()}
    return Procedures(published, publishers | accepted, (publishers | accepted) - ended, refs)


def is_of_procedures(names: Iterable[str]) -> bool:
    """Whether a publication with these sections speaks of procedures alone."""
    return SECTIONS.issuperset(names)


def _published(statement: Statement) -> Iterator[PublishedProcedure]:
    raw = statement.sections.get(SECTION)
    if raw is None:
        return
    try:
        procedure = Procedure.from_bytes(raw)
    except (PassportError, ValueError, RecursionError):
        return
    yield PublishedProcedure(procedure, digest_of(raw), statement.org, statement.ref, statement.occurred)


def _agreements(statement: Statement) -> Iterator[AgreementBody]:
    raw = statement.sections.get(AGREEMENT)
    if raw is None:
        return
    try:
        yield AgreementBody.from_bytes(raw)
    except (PassportError, ValueError, RecursionError):
        return


def _newest(items: list[tuple[Statement, AgreementBody]], references: References) -> tuple[Statement, AgreementBody]:
    newest = references.newest(statement for statement, _ in items)
    return next((statement, body) for statement, body in items if statement.ref == newest.ref)


def _faults(procedure: Procedure) -> Iterator[PydanticCustomError]:
    """What is wrong with the graph of steps, each with the place."""
    codes = [step.code for step in procedure.steps]
    for repeated in (code for code, count in Counter(codes).items() if count > 1):
        yield _fault("step_twice", repeated)
    roles = {OWNER, *procedure.performers}
    if len(roles) <= len(procedure.roles):
        yield _fault("roles_twice", "", owner=OWNER)
    for step in procedure.steps:
        if step.role not in roles:
            yield _fault("role_unknown", step.code, role=step.role, roles=", ".join(sorted(roles)))
        yield from _faults_of_step(step, codes)
    yield from _dead_ends(procedure)


def _faults_of_step(step: Step, codes: list[str]) -> Iterator[PydanticCustomError]:
    if step.outcomes and step.next is not None:
        yield _fault("next_twice", step.code)
    if len({outcome.code for outcome in step.outcomes}) < len(step.outcomes):
        yield _fault("outcome_twice", step.code)
    if step.protocol is None and any(outcome.event for outcome in step.outcomes):
        yield _fault("event_alone", step.code)
    for unknown in (code for code in step.exits if code is not None and code not in codes):
        yield _fault("next_unknown", step.code, next=unknown)


def _fault(name: str, step: str, **values: str) -> PydanticCustomError:
    return PydanticCustomError(f"procedure_{name}", _FAULTS[name], {"step": step, **values})


def _dead_ends(procedure: Procedure) -> Iterator[PydanticCustomError]:
    """Steps that nothing leads to, and steps from which no end is reached."""
    exits = {step.code: step.exits for step in procedure.steps}
    reached = _closure({procedure.first.code}, exits)
    for code in exits:
        if code not in reached:
            yield _fault("step_alone", code)
        elif None not in _closure({code}, exits):
            yield _fault("step_endless", code)


def _closure(start: set[str], exits: Mapping[str, tuple[str | None, ...]]) -> set[str | None]:
    found: set[str | None] = set(start)
    todo = [*start]
    while todo:
        fresh = {code for code in exits.get(todo.pop(), ()) if code not in found}
        found |= fresh
        todo += [code for code in fresh if code is not None]
    return found
