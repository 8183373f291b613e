"""What anchors attest: counted only where k of them said the same, and only for their own federation.

From and to are compared with the time at which a statement says that its fact occurred, never with a clock, so that a
later loss of accreditation changes nothing that was done before. Anchors that name different times agree for the time
that k of them name.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from federation.authority import Attestation, Attested, Kind
from federation.errors import FederationError
from federation.fragment import Ref
from federation.genesis import Genesis
from node.passport.references import References
from node.passport.statement import Statement

ROOT_HASH = re.compile(r"[0-9a-f]{64}")
SCOPE_PREFIXES = ("type:", "grsi:", "resource:")
FOR_EVER = 1 << 63


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


@dataclass(frozen=True, slots=True)
class Proposed:
    """Something that anchors said of an organisation, counted or not: which of them, and where."""

    what: Attested
    org: bytes
    rows: tuple[str, ...]
    since: int | None
    until: int | None
    voices: tuple[tuple[bytes, Ref], ...]

    @property
    def anchors(self) -> tuple[bytes, ...]:
        """Who says it in these words."""
        return tuple(sorted({org for org, _ in self.voices}))


class Attestations:
    """What counts of what anchors said. Of the holders of a number those that `ended` do not count beside others."""

    def __init__(
        self,
        held: Iterable[Held] = (),
        proposed: Iterable[Proposed] = (),
        ended: Iterable[bytes] = (),
    ) -> None:
        self.proposed = tuple(sorted(proposed, key=_order))
        self._ended = frozenset(ended)
        self._by_org: dict[bytes, list[Held]] = {}
        for item in sorted(held, key=_order):
            self._by_org.setdefault(item.org, []).append(item)
        self._by_number: dict[str, list[Held]] = {}
        for item in (held for items in self._by_org.values() for held in items if held.what is Attested.NUMBER):
            for row in item.rows:
                self._by_number.setdefault(row, []).append(item)

    def without(self, ended: Iterable[bytes]) -> "Attestations":
        """The same, where these organisations are members no more."""
        return Attestations(self.held, self.proposed, ended)

    @property
    def held(self) -> tuple[Held, ...]:
        """Everything that counts."""
        return tuple(held for items in self._by_org.values() for held in items)

    def says_as(self, other: "Attestations") -> bool:
        """Whether both say the same of everybody."""
        return (self.held, self._ended) == (other.held, other._ended)

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
        if not names:  # as of most statements: then nobody need be looked at
            return frozenset()
        return frozenset(
            held.org
            for items in self._by_org.values()
            for held in items
            if held.what is Attested.PREFIX and held.holds(at) and any(_covers(row, names) for row in held.rows)
        )

    def numbers(self, org: bytes) -> tuple[str, ...]:
        """The numbers by which an organisation is known; one that two hold at one time is nobody's."""
        rows = {row for held in self._numbers(org) for row in held.rows if not self._is_contested(held, row)}
        return tuple(sorted(rows))

    def holder(self, number: str) -> bytes | None:
        """The one organisation that has a number, written as `inn:…` or `ogrn:…`."""
        orgs = {held.org for held in self._by_number.get(number, ()) if not self._is_contested(held, number)}
        return next(iter(orgs)) if len(orgs) == 1 else None

    def ended_holders(self, number: str) -> frozenset[bytes]:
        """Those who had a number and are members no more: what they said in time counts for ever."""
        return frozenset(held.org for held in self._by_number.get(number, ()) if held.org in self._ended)

    @property
    def branches(self) -> dict[bytes, frozenset[bytes]]:
        """The hashes of root statements whose branch is attested, by organisation."""
        held = [one for items in self._by_org.values() for one in items if one.what is Attested.BRANCH]
        rows = {
            org: frozenset(row for one in held if one.org == org for row in one.rows) for org in {h.org for h in held}
        }
        return {org: frozenset(map(bytes.fromhex, filter(ROOT_HASH.fullmatch, some))) for org, some in rows.items()}

    def contested(self) -> Mapping[str, frozenset[bytes]]:
        """Numbers that are nobody's, each with the organisations to which it is attested: two at one time, or one that
        is attested another number of the kind beside it.
        """
        found: dict[str, frozenset[bytes]] = {}
        for number, items in sorted(self._by_number.items()):
            if any(self._is_contested(held, number) for held in items if held.org not in self._ended):
                found[number] = frozenset(held.org for held in items)
        return found

    def _is_contested(self, mine: Held, number: str) -> bool:
        others = [held for held in self._by_number[number] if held.org != mine.org and held.overlaps(mine)]
        if mine.org not in self._ended:
            others = [held for held in others if held.org not in self._ended]
        return bool(others) or any(
            row != number and number_kind(row) == number_kind(number) and held.overlaps(mine)
            for held in self._numbers(mine.org)
            for row in held.rows
        )

    def _numbers(self, org: bytes) -> list[Held]:
        return [held for held in self._by_org.get(org, ()) if held.what is Attested.NUMBER]


def number_kind(number: str) -> str:
    """Of which register a number is: `inn` of `inn:7707083893`."""
    return number.partition(":")[0]


def count_attestations(statements: Iterable[Statement], genesis: Genesis | None) -> Attestations:
    """What k anchors said in the same words, for the time that k of them name; nothing without a federation."""
    if genesis is None:
        return Attestations()
    said = sorted(_read(statements, genesis), key=lambda item: item.statement.ref)
    references = References(item.statement for item in said)
    correcting = [item for item in said if item.statement.refs]
    words: dict[_Words, list[_Said]] = {}
    for item in said:
        if not any(_replaces(other, item, references) for other in correcting):
            words.setdefault((item.body.what, item.body.org, item.body.rows), []).append(item)
    held = (one for key, items in words.items() for one in _agreed(key, items, genesis.quorum))
    return Attestations(held, (one for key, items in words.items() for one in _proposed(key, items)))


@dataclass(frozen=True, slots=True)
class _Said:
    statement: Statement
    body: Attestation

    @property
    def start(self) -> int:
        return self.body.since or 0

    @property
    def end(self) -> int:
        return FOR_EVER if self.body.until is None else self.body.until


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


_Words = tuple[Attested, bytes, tuple[str, ...]]
_Times = tuple[int | None, int | None]


def _agreed(words: _Words, said: list[_Said], quorum: int) -> Iterator[Held]:
    """The times for which at least k anchors say it, with those who say it last."""
    what, org, rows = words
    edges = sorted({edge for item in said for edge in (item.start, item.end)})
    since = last = None
    for start, end in itertools.pairwise(edges):
        now = [item.statement for item in said if item.start <= start and end <= item.end]
        if len({statement.org for statement in now}) >= quorum:
            since, last = (start if since is None else since), now
        elif since is not None and last is not None:
            yield Held(what, org, rows, since or None, start, tuple(sorted(one.ref for one in last)))
            since = last = None
    if since is not None and last is not None:
        until = None if edges[-1] == FOR_EVER else edges[-1]
        yield Held(what, org, rows, since or None, until, tuple(sorted(one.ref for one in last)))


def _proposed(words: _Words, said: list[_Said]) -> Iterator[Proposed]:
    by_times: dict[_Times, list[tuple[bytes, Ref]]] = {}
    for item in said:
        voices = by_times.setdefault((item.body.since, item.body.until), [])
        voices.append((item.statement.org, item.statement.ref))
    for (since, until), voices in by_times.items():
        yield Proposed(*words, since, until, tuple(sorted(voices)))


def _replaces(above: _Said, below: _Said, references: References) -> bool:
    same = above.statement.org == below.statement.org
    about = above.body.what is below.body.what and above.body.org == below.body.org
    return same and about and references.supersedes(above.statement, below.statement)


def _covers(row: str, names: frozenset[str]) -> bool:
    if row.startswith("grsi:"):
        return row in names
    return any(name.startswith(row) for name in names)


def _order(held: Held | Proposed) -> tuple[int, bytes, tuple[str, ...], int, int]:
    return (held.what, held.org, held.rows, held.since or 0, held.until or 0)
