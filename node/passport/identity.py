"""Late binding of identity: which subjects are one device by the serial lines that are known now.

A subject is keyed by its own claim, or by a plate that its claim vouches for: a stranger's plate on somebody else's
subject binds nothing. Subjects with one (line, serial, year) are one passport and the line claim's subject leads. What
is less sure is never merged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from federation.authority import Kind
from node.passport.bodies import Plate
from node.passport.claims import GRSI_PREFIX, Claim, Scheme
from node.passport.codes import claim_of_code
from node.passport.errors import NumberError, PlateError
from node.passport.ids import SubjectId
from node.passport.lines import LineKey
from node.passport.numbers import parse_grsi
from node.passport.plate import plate_text
from node.passport.reading import Reading, read
from node.passport.references import References, unique
from node.passport.sameness import TWIN, Pair, Sameness, pair_of, sameness_of, settle_twins
from node.passport.statement import Statement
from node.passport.withdrawals import Withdrawn, find_withdrawn, standing
from node.passport.world import World


@dataclass(frozen=True, slots=True)
class Identity:
    """What a passport is of. Without a key or a link the subject stands alone.

    `contested` are keys between which it hangs, `refused` pairs that would be one if nobody kept them apart.
    """

    lead: bytes
    members: tuple[bytes, ...]
    key: LineKey | None = None
    contested: tuple[LineKey, ...] = ()
    refused: tuple[Pair, ...] = ()

    @property
    def line(self) -> bytes | None:
        """The line's id."""
        return self.key.line.raw if self.key else None

    @property
    def serial(self) -> str:
        """The serial as the line spells it, empty where no line is known."""
        return self.key.serial if self.key else ""

    @property
    def year(self) -> str:
        """The year where the line restarts its serials."""
        return self.key.year if self.key else ""


def resolve_identity(
    statements: Iterable[Statement], world: World, subjects: Iterable[bytes] | None = None
) -> Identity:
    """The identity of the subjects that are spoken about (or of those named), which belong together.

    Where they do not resolve to one key, nothing is joined: the smallest subject stands alone.
    """
    return identity_of([read(s) for s in standing(unique(statements))], world, subjects)


def identity_of(readings: Iterable[Reading], world: World, subjects: Iterable[bytes] | None = None) -> Identity:
    """The same over statements that were read already."""
    identities = identities_of(readings, world)
    wanted = sorted(set(identities) if subjects is None else set(subjects))
    found = {identity.lead: identity for subject in wanted if (identity := identities.get(subject))}
    keyed = [identity for identity in found.values() if identity.key or len(identity.members) > 1]
    if len(keyed) == 1:
        return keyed[0]
    alone = Identity(wanted[0], (wanted[0],)) if wanted else Identity(bytes(16), (bytes(16),))
    return alone if keyed else identities.get(alone.lead, alone)


def resolve_identities(statements: Iterable[Statement], world: World) -> dict[bytes, Identity]:
    """The identity of every subject that an identity statement speaks about, twins told apart."""
    found = settled(statements, world)
    return identities_of([read(s) for s in found.said if found.sameness.said or "claim" in s.sections], world)


def identities_of(readings: Iterable[Reading], world: World) -> dict[bytes, Identity]:
    """The same over statements that were read already."""
    items = list(readings)
    keys = _keys_of(items, world)
    sameness = sameness_of(items, keys, world)
    known = {subject for said in sameness.said for subject in said.pair if said.body.says != TWIN}
    groups = _Groups(keys, sameness, known)
    return {subject: groups.identity(subject) for subject in sorted({*keys, *known})}


@dataclass(frozen=True, slots=True)
class Settled:
    """What stands of some statements, what is said of sameness among it, and what was taken back, by what."""

    said: list[Statement]
    sameness: Sameness = field(default_factory=Sameness)
    taken_back: tuple[Statement, ...] = ()
    withdrawn: Withdrawn = field(default_factory=dict)


def settled(statements: Iterable[Statement], world: World) -> Settled:
    """Each statement once, under the twin that takes it where one does, without those that were withdrawn."""
    whole = unique(statements)
    withdrawn = find_withdrawn(whole)
    said = [s for s in whole if s.ref not in withdrawn] if withdrawn else whole
    taken_back = tuple(s for s in whole if s.ref in withdrawn) if withdrawn else ()
    if not any(statement.kind == Kind.SAMENESS for statement in said):
        return Settled(said, Sameness(), taken_back, withdrawn)
    readings = [read(statement) for statement in said]
    sameness = sameness_of(readings, _keys_of(readings, world), world)
    return Settled(settle_twins(said, sameness), sameness, taken_back, withdrawn)


def _keys_of(readings: Iterable[Reading], world: World) -> dict[bytes, tuple[LineKey, ...]]:
    stated: dict[bytes, list[Reading]] = {}
    for reading in readings:
        if reading.claim is not None:
            stated.setdefault(reading.statement.subject, []).append(reading)
    return {subject: _keys(found, world) for subject, found in sorted(stated.items())}


class _Groups:
    """Subjects joined edge by edge: those of one key under its claim first, then what both sides say is the same.

    An edge that would join what somebody with a right keeps apart is refused.
    """

    def __init__(self, keys: Mapping[bytes, Sequence[LineKey]], sameness: Sameness, known: Iterable[bytes]) -> None:
        self._keys = keys
        self._members = {subject: {subject} for subject in {*keys, *known}}
        self._refused: list[Pair] = []
        for subject, found in sorted(keys.items()):
            if len(found) == 1:
                self._join(found[0].claim.subject.raw, subject, sameness)
        for link in sameness.links:
            self._join(*link.pair, sameness)

    def identity(self, subject: bytes) -> Identity:
        """What a subject belongs to."""
        members = self._members[subject]
        keys = {key.claim.subject.raw: key for member in members for key in self._keys.get(member, ())}
        refused = tuple(pair for pair in self._refused if members & set(pair))
        leads = sorted(lead for lead in keys if lead in members)
        if len(self._keys.get(subject, ())) > 1 and len(members) == 1:
            return Identity(subject, (subject,), contested=tuple(self._keys[subject]), refused=refused)
        if leads:
            return Identity(leads[0], tuple(sorted(members)), keys[leads[0]], refused=refused)
        # Kept apart from the claim of its own key, a subject still has its line and serial.
        own = next(iter(keys.values())) if len(keys) == 1 else None
        return Identity(min(members), tuple(sorted(members)), own, refused=refused)

    def _join(self, left: bytes, right: bytes, sameness: Sameness) -> None:
        one, two = self._members.setdefault(left, {left}), self._members.setdefault(right, {right})
        if one is two:
            return
        if sameness.keeps_apart(one, two):
            self._refused.append(pair_of(left, right))
            return
        one |= two
        for member in two:
            self._members[member] = one


def _keys(readings: list[Reading], world: World) -> tuple[LineKey, ...]:
    claim = readings[0].claim
    if claim is None or claim.twin is not None:
        return ()
    if claim.scheme is Scheme.LINE:
        return (_own_key(claim, world),)
    references = References(reading.statement for reading in readings)
    found = set()
    for reading in readings:
        plate = reading.body("nameplate", Plate)
        if (
            plate is None
            or not _vouches(claim, plate, reading.statement.ref.log)
            or _is_replaced(reading, readings, references)
        ):
            continue
        key = world.lines.key(plate)
        if isinstance(key, LineKey):
            found.add(key)
    return tuple(sorted(found, key=lambda key: key.claim.encode()))


def _own_key(claim: Claim, world: World) -> LineKey:
    line = SubjectId(bytes.fromhex(claim.issuer))
    record = world.lines.find(line)
    if record is None:
        return LineKey(line, claim.serial, claim.year)
    try:
        serial = record.serial.canonical(claim.serial)
    except PlateError:
        serial = claim.serial
    return LineKey(line, serial, claim.year if record.restarts_yearly else "")


def vouches(claim: Claim, plate: Plate, logs: Iterable[bytes], world: World) -> bool:
    """Whether a claim ties a plate to its subject, where the plate is the word of the organisation of these logs."""
    bare = replace(claim, twin=None)
    if bare.scheme is Scheme.LINE:
        return world.lines.key(plate) == _own_key(bare, world)
    return any(_vouches(bare, plate, log) for log in logs)


def _vouches(claim: Claim, plate: Plate, log: bytes) -> bool:
    """Whether the claim ties this plate to the subject, so that nobody can hang another plate on it."""
    if claim.scheme is Scheme.LOCAL:
        return claim.issuer == log.hex()
    if claim.scheme is Scheme.APPROVAL:
        return _approves(claim, plate)
    return any(claim_of_code(code) == claim for code in plate.codes)


def _approves(claim: Claim, plate: Plate) -> bool:
    try:
        numbers = {f"{GRSI_PREFIX}{parse_grsi(approval).number}" for approval in plate.approvals}
        return plate_text(plate.serial) == claim.serial and claim.issuer in numbers
    except (NumberError, PlateError):
        return False


def _is_replaced(reading: Reading, readings: list[Reading], references: References) -> bool:
    mine = reading.statement
    return any(
        other.statement.org == mine.org
        and other.body("nameplate", Plate) is not None
        and references.supersedes(other.statement, mine)
        for other in readings
    )


def serial_key(identity: Identity, world: World, serial: str) -> str:
    """The form in which two readings of a serial are compared."""
    record = world.lines.find(identity.key.line) if identity.key else None
    try:
        return record.serial.canonical(serial) if record else plate_text(serial)
    except PlateError:
        return serial
