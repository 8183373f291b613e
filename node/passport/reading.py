"""What stands in the sections of a statement: bodies where they can be read, faults where they cannot.

A body that breaks its shape is a fault of its author that views show; it never stops a fold. The texts of faults are
fixed words, because they enter the digest of a view.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from federation.authority import Authority, Kind
from federation.errors import FederationError
from node.passport.bodies import (
    AliasBody,
    AnnulmentBody,
    AttachmentsBody,
    Body,
    ClosingBody,
    CompositionBody,
    CorrectionBody,
    EventBody,
    ExtractBody,
    MandateBody,
    ParametersBody,
    Plate,
    RadioBody,
    RegisterBody,
    RunBody,
    SamenessBody,
    ShipmentBody,
    SubjectBody,
    SystemBody,
    TemplateRef,
    TypeBody,
    UnsignedBody,
    Why,
    WithdrawalBody,
)
from node.passport.claims import Claim, decode_claim
from node.passport.errors import PassportError
from node.passport.statement import Statement
from node.passport.view import moment_us
from node.passport.world import PUBLICATION_KINDS

B = TypeVar("B", bound=Body)

BODIES: Mapping[str, type[Body]] = {
    "nameplate": Plate,
    "subject": SubjectBody,
    "sameness": SamenessBody,
    "correction": CorrectionBody,
    "withdrawal": WithdrawalBody,
    "annulment": AnnulmentBody,
    "register": RegisterBody,
    "type": TypeBody,
    "alias": AliasBody,
    "event": EventBody,
    "parameters": ParametersBody,
    "radio": RadioBody,
    "composition": CompositionBody,
    "closing": ClosingBody,
    "template": TemplateRef,
    "extract": ExtractBody,
    "unsigned": UnsignedBody,
    "attachments": AttachmentsBody,
    "shipment": ShipmentBody,
    "run": RunBody,
    "why": Why,
    "mandate": MandateBody,
    "system": SystemBody,
}
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Reading:
    """A statement with its sections read."""

    statement: Statement
    bodies: Mapping[str, Body]
    claim: Claim | None
    authority: Authority | None
    faults: tuple[str, ...]

    def body(self, section: str, kind: type[B]) -> B | None:
        """The body of a section, None where it is missing, withheld or unreadable."""
        found = self.bodies.get(section)
        # Asked of nothing, a model's class answers slowly.
        return found if found is not None and isinstance(found, kind) else None


def read(statement: Statement) -> Reading:
    """Read what is there; nothing is raised for whatever bytes."""
    faults = list(statement.faults)
    bodies: dict[str, Body] = {}
    claim: Claim | None = None
    authority: Authority | None = None
    publishes = statement.kind in PUBLICATION_KINDS
    for name, raw in sorted(statement.sections.items()):
        try:
            if name == "claim":
                claim = _read_claim(statement, raw)
            elif name == "authority":
                authority = Authority.from_bytes(raw)
            elif name in BODIES and not publishes:
                bodies[name] = _read_body(BODIES[name], raw)
        # A lone surrogate in JSON is a ValueError of the encoder; deep nesting a RecursionError.
        except (PassportError, FederationError, ValueError, RecursionError):
            faults.append(f"{name}: {UNREADABLE}")
    if claim is None:
        # A plate, or what a thing is, says nothing of a subject that its claim does not name.
        bodies.pop("nameplate", None)
        bodies.pop("subject", None)
    return Reading(statement, bodies, claim, authority, tuple(faults))


def _read_claim(statement: Statement, raw: bytes) -> Claim:
    claim = decode_claim(raw)
    if statement.kind != Kind.IDENTITY or claim.subject.raw != statement.subject:
        raise PassportError("the claim is of another subject")
    return claim


def _read_body(kind: type[Body], raw: bytes) -> Body:
    body = kind.from_bytes(raw)
    for moment in _moments(body):
        moment_us(moment)
    for event in _events(body):
        if not _is_whole(event):
            raise PassportError("an event says what and where")
    return body


def _moments(body: Body) -> Iterator[str]:
    if isinstance(body, AliasBody | CompositionBody):
        yield from filter(None, (body.since, body.until))
    if isinstance(body, ParametersBody):
        yield from (row.since for row in body.rows if row.since)
    if isinstance(body, ExtractBody):
        yield from (row.since for row in body.parameters if row.since)


def _events(body: Body) -> Iterable[EventBody]:
    if isinstance(body, EventBody):
        return (body,)
    return body.events if isinstance(body, ExtractBody) else ()


def _is_whole(event: EventBody) -> bool:
    place = event.where.place
    named = place is not None and bool(place.local or place.central)
    return bool(event.what.local or event.what.central) and (named or event.where.object is not None)
