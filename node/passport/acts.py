"""Acts of several parties: who has to sign, who signed, and why a signature is missing.

A template names the parties of its act. One document under one template is one act, whoever signed it: each party signs
the same open part from its own node. A side is filled by the organisation that the document names for it (its id, or a
number that anchors attest to it), else by one whose ground in the passport fits the role. An act of which every side is
filled is agreed; until then its events have not arisen. What is said here only grows: a signature is not taken back.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.bodies import TemplateRef, UnsignedBody, UnsignedRow
from node.passport.errors import PassportError
from node.passport.merge import Standing
from node.passport.publications import Signatory
from node.passport.ranks import Ground, SubjectFacts, has_ground
from node.passport.reading import Reading
from node.passport.references import ref_text
from node.passport.statement import Statement
from node.passport.strict_json import Json, parse_json
from node.passport.templates.pointer import Pointer, find
from node.passport.view import Plain
from node.passport.world import World

DOCUMENT, UNSIGNED = "document", "unsigned"
# Whose ground fits a role, where the document names nobody who is known.
ROLE_GROUNDS: Mapping[str, tuple[Ground, ...]] = {
    "manufacturer": (Ground.MAKER,),
    "owner": (Ground.TITLE,),
    "process_owner": (Ground.SETTLEMENT, Ground.TITLE),
    "process_executor": (
        Ground.MAKER, Ground.LAB, Ground.NETWORK, Ground.SETTLEMENT, Ground.TITLE, Ground.NAMED,
    ),
    "data_source": (Ground.NETWORK, Ground.TITLE),
    "administrator": (Ground.TITLE,),
}  # fmt: skip
ORG = re.compile("[0-9a-f]{32}")
_NUMBERS = {10: "inn", 12: "inn", 13: "ogrn", 15: "ogrn"}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a side has no signature, and the statement that says so."""

    row: UnsignedRow
    statement: Statement


@dataclass(frozen=True, slots=True)
class Side:
    """A party that signs: what the document calls it, who that is, its signature, and why there was none.

    `is_late`: it was signed after somebody had said why it was not.
    """

    role: str
    named: str | None
    org: bytes | None
    signed: Statement | None = None
    reason: Reason | None = None

    @property
    def is_late(self) -> bool:
        """Whether the signature came after the reason for its absence."""
        return self.signed is not None and self.reason is not None and self.reason.statement.order < self.signed.order


@dataclass(frozen=True, slots=True)
class Act:
    """One document that several parties sign; `lead` is its first signature, a party's where there is one.

    `signatures` are all that carry it, also of organisations that are no party.
    """

    lead: Statement
    signatures: tuple[Statement, ...]
    sides: tuple[Side, ...]

    @property
    def is_agreed(self) -> bool:
        """Whether every party that has to sign did."""
        return all(side.signed is not None for side in self.sides)

    def fills(self, statement: Statement) -> bool:
        """Whether a signature is of one of the sides."""
        return any(side.signed is not None and side.signed.org == statement.org for side in self.sides)


def find_acts(readings: Iterable[Reading], facts: Mapping[bytes, SubjectFacts], world: World) -> Mapping[Ref, Act]:
    """The acts of several parties among statements, by the place of each signature."""
    protocols = [reading for reading in readings if reading.statement.kind == Kind.PROTOCOL]
    grouped: dict[tuple[Ref, bytes], list[Statement]] = {}
    signers: dict[Ref, tuple[Signatory, ...]] = {}
    for reading in protocols:
        body, raw = reading.body("template", TemplateRef), reading.statement.sections.get(DOCUMENT)
        published = world.templates.get((body.publisher, body.id)) if body else None
        if raw is not None and published is not None and len(published.signers) > 1:
            grouped.setdefault((published.ref, raw), []).append(reading.statement)
            signers[published.ref] = published.signers
    reasons = [reading for reading in protocols if UNSIGNED in reading.bodies] if grouped else []
    found: dict[Ref, Act] = {}
    for (template, raw), said in grouped.items():
        act = _act(signers[template], raw, sorted(said, key=lambda one: one.order), reasons, facts, world)
        found |= {statement.ref: act for statement in act.signatures}
    return found


def may_fill(
    signatory: Signatory,
    document: Json,
    org: bytes,
    facts: SubjectFacts,
    world: World,
    at: int,
    place: Ref | None = None,
    *,
    alone: bool = False,
) -> bool:
    """Whether an organisation may sign a document as a party of its template.

    Of a template with one party (`alone`) everybody may whom the document does not exclude by naming another.
    """
    who = meant(document, signatory, world)
    if who is not None:
        return who == org
    return alone or any(has_ground(ground, org, facts, world, at, place) for ground in ROLE_GROUNDS[signatory.role])


def named_by(document: Json, signatory: Signatory) -> str | None:
    """What a document calls the organisation of a party."""
    value = find(document, signatory.organisation) if signatory.organisation else None
    return value if isinstance(value, str) else None


def meant(document: Json, signatory: Signatory, world: World) -> bytes | None:
    """The organisation that a document names for a party: by its id or number, or by a number beside its code.

    One whose id and numbers are of several organisations names nobody.
    """
    place = signatory.organisation
    if place is None:
        return None
    beside = find(document, Pointer(place.tokens[:-1]))
    texts = [find(document, place), *((beside.get(n) for n in ("inn", "ogrn")) if isinstance(beside, dict) else ())]
    known = {_organisation(text, world) for text in texts if isinstance(text, str)} - {None}
    return known.pop() if len(known) == 1 else None


def act_view(act: Act) -> dict[str, Plain]:
    """An act as views show it."""
    return {"lead": ref_text(act.lead.ref), "agreed": act.is_agreed, "sides": [_side_view(side) for side in act.sides]}


def agreed_by(act: Act | None, standing: Standing) -> Standing:
    """How what a signature tells stands: agreed where it is of an act that all its parties signed."""
    return Standing.AGREED if act is not None and act.is_agreed else standing


def _act(
    signers: Sequence[Signatory],
    raw: bytes,
    said: Sequence[Statement],
    reasons: Sequence[Reading],
    facts: Mapping[bytes, SubjectFacts],
    world: World,
) -> Act:
    try:
        document = parse_json(raw)
    except PassportError:
        document = None
    places, known = {statement.ref for statement in said}, facts.get(said[0].subject, SubjectFacts())
    about = [r for r in reasons if r.statement.ref in places or places & set(r.statement.refs)]

    def fills(signatory: Signatory, one: Statement, occurred: int) -> bool:
        return may_fill(signatory, document, one.org, known, world, occurred, one.ref)

    valid = [one for one in said if any(fills(signatory, one, one.occurred) for signatory in signers)]
    lead, voices = (valid or said)[0], {statement.org for statement in valid}
    sides = []
    for signatory in signers:
        signed = next((one for one in valid if fills(signatory, one, one.occurred)), None)
        side = Side(signatory.role, named_by(document, signatory), meant(document, signatory, world), signed)
        told = [
            Reason(row, reading.statement)
            for reading in about
            for row in _rows(reading, signatory.role)
            if reading.statement.org in voices or fills(signatory, reading.statement, lead.occurred)
        ]
        last = max(told, key=lambda reason: (reason.statement.order, reason.row.to_bytes()), default=None)
        sides.append(replace(side, reason=last))
    return Act(lead, tuple(said), tuple(sides))


def _rows(reading: Reading, role: str) -> Iterator[UnsignedRow]:
    body = reading.body(UNSIGNED, UnsignedBody)
    yield from (row for row in (body.rows if body else ()) if row.role == role)


def _organisation(text: str, world: World) -> bytes | None:
    if ORG.fullmatch(text):
        return bytes.fromhex(text)
    kind = _NUMBERS.get(len(text)) if text.isascii() and text.isdigit() else None
    return world.attestations.holder(f"{kind}:{text}") if kind else None


def _side_view(side: Side) -> dict[str, Plain]:
    signed, reason = side.signed, side.reason
    return {
        "role": side.role,
        "named": side.named,
        "org": side.org.hex() if side.org else None,
        "ref": ref_text(signed.ref) if signed else None,
        "by": signed.org.hex() if signed else None,
        "at": signed.stamp if signed else None,
        "late": side.is_late,
        "reason": _reason_view(reason) if reason else None,
    }


def _reason_view(reason: Reason) -> dict[str, Plain]:
    row, statement = reason.row, reason.statement
    return {
        "why": row.why,
        "until": row.until,
        "document": row.document,
        "note": row.note,
        "by": statement.org.hex(),
        "at": statement.stamp,
        "ref": ref_text(statement.ref),
    }
