"""What anchors attest: counted only where k of them said the same, and only for their own federation.

From and to are compared with the time at which a statement says that its fact occurred, never with a clock, so that a
later loss of accreditation changes nothing that was done before.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from federation.authority import Attestation, Attested, Kind
from federation.errors import FederationError
from federation.fragment import Ref
from federation.genesis import Genesis
from node.passport.references import References
from node.passport.statement import Statement

ROOT_HASH = re.compile(r"[0-9a-f]{64}")
SCOPE_PREFIXES = ("type:", "grsi:", "resource:")


@dataclass(frozen=True, slots=True)
class Held:
    """Something attested of an organisation, by whom it was said; `until` is excluded."""

    what: Attested
    org: bytes
    rows: tuple[str, ...]
    since: int | None
    until: int | None
    grounds: tuple[Ref, ...]

    def holds(self, at: int) -> bool:
        """Whether it is in force at a fact's time in microseconds."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    def overlaps(self, other: "Held") -> bool:
        """Whether both are in force at some time."""
        starts = max(self.since or 0, other.since or 0)
        return all(held.until is None or starts < held.until for held in (self, other))

    @property
    def scope(self) -> frozenset[str]:
        """What an accreditation is limited to; empty is everything."""
        return frozenset(row for row in self.rows if row.startswith(SCOPE_PREFIXES))


class Attestations:
    """What counts of what anchors said."""

    def __init__(self, held: Iterable[Held] = ()) -> None:
        self._by_org: dict[bytes, list[Held]] = {}
        for item in sorted(held, key=_order):
            self._by_org.setdefault(item.org, []).append(item)
        self._by_number: dict[str, list[Held]] = {}
        for item in (held for items in self._by_org.values() for held in items if held.what is Attested.NUMBER):
            for row in item.rows:
                self._by_number.setdefault(row, []).append(item)

    def of(self, org: bytes) -> tuple[Held, ...]:
        """All that is attested of an organisation."""
        return tuple(self._by_org.get(org, ()))

    def is_maker(self, org: bytes, at: int) -> bool:
        """Whether the organisation is a maker at that time."""
        return any(held.what is Attested.MAKER and held.holds(at) for held in self._by_org.get(org, ()))

    def is_steward(self, org: bytes, catalog: str, at: int) -> bool:
        """Whether the organisation keeps that catalog for makers that are gone."""
        return any(
            held.what is Attested.STEWARD and catalog in held.rows and held.holds(at)
            for held in self._by_org.get(org, ())
        )

    def is_accredited(self, org: bytes, scopes: frozenset[str], at: int) -> bool:
        """Whether the organisation is accredited at that time for something of which `scopes` speak."""
        return any(
            held.what is Attested.ACCREDITATION and held.holds(at) and (not held.scope or held.scope & scopes)
            for held in self._by_org.get(org, ())
        )

    def prefix_holders(self, names: frozenset[str], at: int) -> frozenset[bytes]:
        """Organisations to which a prefix or number (`gs1:460...`, `grsi:...`) is attested that begins such a name."""
        return frozenset(
            held.org
            for items in self._by_org.values()
            for held in items
            if held.what is Attested.PREFIX and held.holds(at) and any(_covers(row, names) for row in held.rows)
        )

    def numbers(self, org: bytes) -> tuple[str, ...]:
        """The numbers by which an organisation is known; one that two hold at one time is nobody's."""
        mine = [held for held in self._by_org.get(org, ()) if held.what is Attested.NUMBER]
        return tuple(sorted({row for held in mine for row in held.rows if not self._is_contested(held, row)}))

    def holder(self, number: str) -> bytes | None:
        """The one organisation that has a number, written as `inn:…` or `ogrn:…`."""
        orgs = {held.org for held in self._by_number.get(number, ()) if not self._is_contested(held, number)}
        return next(iter(orgs)) if len(orgs) == 1 else None

    @property
    def branches(self) -> dict[bytes, frozenset[bytes]]:
        """The hashes of root statements whose branch is attested, by organisation."""
        held = [one for items in self._by_org.values() for one in items if one.what is Attested.BRANCH]
        rows = {
            org: frozenset(row for one in held if one.org == org for row in one.rows) for org in {h.org for h in held}
        }
        return {org: frozenset(map(bytes.fromhex, filter(ROOT_HASH.fullmatch, some))) for org, some in rows.items()}

    def _is_contested(self, mine: Held, number: str) -> bool:
        return any(held.org != mine.org and held.overlaps(mine) for held in self._by_number[number])


def count_attestations(statements: Iterable[Statement], genesis: Genesis | None) -> Attestations:
    """What k anchors said in the same words; nothing without a federation."""
    if genesis is None:
        return Attestations()
    said = sorted(_read(statements, genesis), key=lambda item: item.statement.ref)
    references = References(item.statement for item in said)
    correcting = [item for item in said if item.statement.refs]
    voices: dict[Attestation, dict[bytes, Ref]] = {}
    for item in said:
        if not any(_replaces(other, item, references) for other in correcting):
            voices.setdefault(item.body, {}).setdefault(item.statement.org, item.statement.ref)
    return Attestations(
        Held(body.what, body.org, body.rows, body.since, body.until, tuple(sorted(by.values())))
        for body, by in voices.items()
        if len(by) >= genesis.quorum
    )


@dataclass(frozen=True, slots=True)
class _Said:
    statement: Statement
    body: Attestation


def _read(statements: Iterable[Statement], genesis: Genesis) -> Iterator[_Said]:
    for statement in statements:
        raw = statement.sections.get("attest")
        if statement.kind != Kind.ATTESTATION or raw is None or statement.org not in genesis.anchors:
            continue
        try:
            body = Attestation.from_bytes(raw)
        except FederationError:
            continue
        if body.federation == genesis.id and body.org == statement.subject:
            yield _Said(statement, body)


def _replaces(above: _Said, below: _Said, references: References) -> bool:
    same = above.statement.org == below.statement.org
    about = above.body.what is below.body.what and above.body.org == below.body.org
    return same and about and references.supersedes(above.statement, below.statement)


def _covers(row: str, names: frozenset[str]) -> bool:
    if row.startswith("grsi:"):
        return row in names
    return any(name.startswith(row) for name in names)


def _order(held: Held) -> tuple[int, bytes, tuple[str, ...], int, int]:
    return (held.what, held.org, held.rows, held.since or 0, held.until or 0)
