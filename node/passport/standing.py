"""The standing of organisations in a federation, from what anchors attest, members vouch for, and who ended what.

- An **anchor** stands in the genesis. Nothing ends it: another set of anchors is another federation.
- A **member** has a number that k anchors attest, without an end.
- A **guest** is vouched for by one member or anchor. Guests vouch for nobody, so circles of them give nothing.
- Whoever was ended by k anchors is **expelled**; whoever said so himself has **left**. A statement that refs an end
  stands above it: that is how anchors take an expulsion back, and how somebody who left is taken in again.

No clock decides anything: an end without a later word stands. What an ended organisation said inside the cuts counts
for ever (docs/protocol.md, section 9.10).
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from federation import codec
from federation.authority import Attested, Authority, Kind, Verb
from federation.cut import Cut
from federation.errors import CodecError
from federation.fragment import Ref
from federation.genesis import Genesis
from node.passport.attestations import Attestations
from node.passport.bodies import EndBody
from node.passport.errors import PassportError
from node.passport.references import References, unique
from node.passport.statement import Statement

MEMBER: Final = "member"
GUEST: Final = "guest"

RootAt = Callable[[int], bytes | None]


class Standing(StrEnum):
    """What an organisation is in the federation."""

    ANCHOR = "anchor"
    MEMBER = "member"
    GUEST = "guest"
    UNKNOWN = "unknown"
    LEFT = "left"
    EXPELLED = "expelled"

    @property
    def is_member(self) -> bool:
        """Whether it takes part in everything, and may vouch for others."""
        return self in (Standing.ANCHOR, Standing.MEMBER)

    @property
    def is_ended(self) -> bool:
        """Whether it was a member or a guest, and is no more."""
        return self in (Standing.LEFT, Standing.EXPELLED)


@dataclass(frozen=True, slots=True)
class End:
    """The end of a membership, or of the own vouch: who says it of whom, and what counts of the loser's logs."""

    org: bytes
    author: bytes
    ref: Ref
    row: str
    cut: Cut
    reason: str


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one organisation stands, by whose words: anchors, the member that vouches, or who ended it, and why."""

    org: bytes
    standing: Standing
    voices: tuple[bytes, ...] = ()
    grounds: tuple[Ref, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """Ends that count together: the entries that at least `quorum` of them keep are kept."""

    org: bytes
    ends: tuple[End, ...]
    quorum: int

    def counted_size(self, log: bytes, root_at: RootAt) -> int:
        """Up to which size a log of the organisation counts; `root_at` answers the log's root at a size.

        Who leaves keeps what he said up to his own word of it; other logs go by the cut.
        """
        sizes = [
            end.ref.seq + 1 if end.author == self.org and end.ref.log == log else end.cut.counted_size(log, root_at)
            for end in self.ends
        ]
        return sorted(sizes, reverse=True)[self.quorum - 1]

    def groups(self) -> Iterator[tuple[End, ...]]:
        """The same as groups of ends: an entry is kept where in each group some end keeps it."""
        return itertools.combinations(self.ends, len(self.ends) - self.quorum + 1)


class Standings:
    """Where everybody stands. Whoever is not named is unknown."""

    def __init__(
        self,
        stands: Iterable[Stand] = (),
        losses: Iterable[Loss] = (),
        ends: Mapping[bytes, Sequence[End]] | None = None,
    ) -> None:
        self._stands = {stand.org: stand for stand in stands}
        self._ends = {org: tuple(said) for org, said in (ends or {}).items()}
        self.losses: Mapping[bytes, Loss] = {loss.org: loss for loss in losses}

    def __iter__(self) -> Iterator[Stand]:
        return iter(sorted(self._stands.values(), key=lambda stand: stand.org))

    def __eq__(self, other: object) -> bool:
        mine = (self._stands, self._ends, self.losses)
        return isinstance(other, Standings) and mine == (other._stands, other._ends, other.losses)

    __hash__ = None  # type: ignore[assignment]  # it is compared by what it says

    def of(self, org: bytes) -> Stand:
        """Where an organisation stands, and why."""
        return self._stands.get(org) or Stand(org, Standing.UNKNOWN)

    def ends(self, org: bytes) -> tuple[End, ...]:
        """Every end that was said of an organisation, counted or not, in the order of their places."""
        return self._ends.get(org, ())

    def vouchers(self, org: bytes) -> tuple[bytes, ...]:
        """The members by whose words an organisation is a guest."""
        stand = self.of(org)
        return stand.voices if stand.standing is Standing.GUEST else ()

    @property
    def ended(self) -> frozenset[bytes]:
        """Those who were expelled or left."""
        return frozenset(stand.org for stand in self._stands.values() if stand.standing.is_ended)


def count_standings(statements: Iterable[Statement], genesis: Genesis | None, attested: Attestations) -> Standings:
    """Where everybody stands by statements of kinds 16 and 18; nobody anywhere without a federation."""
    if genesis is None:
        return Standings()
    said = unique(s for s in statements if s.kind in (Kind.ATTESTATION, Kind.END))
    return _Count(said, genesis, attested).standings()


class Headed(Protocol):
    """What a header and a statement have alike."""

    @property
    def kind(self) -> int:
        """What it is about."""
        ...

    @property
    def subjects(self) -> tuple[bytes, ...]:
        """Whom it is about, and by what it is found."""
        ...


def is_end(statement: Headed, federation: bytes) -> bool:
    """Whether a statement is said to the whole federation: an end that routes to it."""
    return statement.kind == Kind.END and federation in statement.subjects[1:]


class _Count:
    """One count over statements: who is expelled decides who is a member, members who is a guest, both who left."""

    def __init__(self, said: Sequence[Statement], genesis: Genesis, attested: Attestations) -> None:
        self._genesis = genesis
        self._attested = attested
        self._references = References(said)
        self._by_ref = {statement.ref: statement for statement in said}
        self._words: dict[tuple[bytes, bytes], list[Statement]] = {}
        self._ends: dict[bytes, list[End]] = {}
        for statement in said:
            if statement.kind == Kind.ATTESTATION:
                self._words.setdefault((statement.org, statement.subject), []).append(statement)
            elif (end := _read_end(statement, genesis)) is not None and end.org not in genesis.anchors:
                self._ends.setdefault(end.org, []).append(end)

    def standings(self) -> Standings:
        expelled = self._expelled()
        members = {org: Stand(org, Standing.ANCHOR, (org,)) for org in self._genesis.anchors}
        members |= {org: stand for org, stand in self._numbered().items() if org not in members | expelled}
        guests = {org: stand for org, stand in self._guests(members).items() if org not in members | expelled}
        left = {org: loss for org, loss in self._left().items() if org not in members | guests | expelled}
        losses = expelled | left
        stands = members | guests | {org: _lost(loss) for org, loss in losses.items()}
        return Standings(stands.values(), losses.values(), self._ends)

    def _expelled(self) -> dict[bytes, Loss]:
        """Those whom k anchors ended, and none of these k spoke for again."""
        found: dict[bytes, Loss] = {}
        for org, ends in self._ends.items():
            said = [e for e in ends if e.row == MEMBER and e.author in self._genesis.anchors and not self._is_undone(e)]
            if len({end.author for end in said}) >= self._genesis.quorum:
                found[org] = Loss(org, _widest(said), self._genesis.quorum)
        return found

    def _numbered(self) -> dict[bytes, Stand]:
        """Those to whom k anchors attest a number without an end, and who did not leave after that."""
        found: dict[bytes, Stand] = {}
        for held in self._attested.held:
            if held.what is Attested.NUMBER and held.rows and held.until is None:
                words = [self._by_ref[ref] for ref in held.grounds if ref in self._by_ref]
                words = [word for word in words if not self._is_ended(word, held.org, MEMBER)]
                if len({word.org for word in words}) >= self._genesis.quorum:
                    found.setdefault(held.org, _stand(held.org, Standing.MEMBER, words))
        return found

    def _guests(self, members: Iterable[bytes]) -> dict[bytes, Stand]:
        """Those for whom a member speaks who did not take it back."""
        vouching = frozenset(members)
        found: dict[bytes, list[Statement]] = {}
        for (author, org), words in self._words.items():
            if author in vouching and author != org:
                vouches = [word for word in words if _vouches(word, self._genesis)]
                standing = [v for v in vouches if not (self._is_ended(v, org, MEMBER) or self._is_ended(v, org, GUEST))]
                if standing:
                    found.setdefault(org, []).extend(standing)
        return {org: _stand(org, Standing.GUEST, vouches) for org, vouches in found.items()}

    def _left(self) -> dict[bytes, Loss]:
        said = {org: [e for e in ends if e.row == MEMBER and e.author == org] for org, ends in self._ends.items()}
        return {org: Loss(org, tuple(ends), 1) for org, ends in said.items() if ends}

    def _is_ended(self, word: Statement, org: bytes, row: str) -> bool:
        """Whether a word for an organisation ended: it left, or the author took his vouch back; and the word does not
        stand above that end.
        """
        author = org if row == MEMBER else word.org
        return any(
            end.row == row and end.author == author and not self._is_above(word, end) for end in self._ends.get(org, ())
        )

    def _is_undone(self, end: End) -> bool:
        """Whether the anchor that said an end spoke for the organisation again, above it."""
        return any(self._is_above(word, end) for word in self._words.get((end.author, end.org), ()))

    def _is_above(self, word: Statement, end: End) -> bool:
        return self._references.supersedes(word, self._by_ref[end.ref])


def _lost(loss: Loss) -> Stand:
    """How an organisation was ended: by itself, or by anchors."""
    is_own = all(end.author == loss.org for end in loss.ends)
    voices = tuple(sorted({end.author for end in loss.ends}))
    reason = next((end.reason for end in loss.ends if end.reason), "")
    grounds = tuple(sorted(end.ref for end in loss.ends))
    return Stand(loss.org, Standing.LEFT if is_own else Standing.EXPELLED, voices, grounds, reason)


def _stand(org: bytes, standing: Standing, words: Sequence[Statement]) -> Stand:
    return Stand(org, standing, tuple(sorted({w.org for w in words})), tuple(sorted(w.ref for w in words)))


def _widest(ends: Sequence[End]) -> tuple[End, ...]:
    """One end for each anchor: of several the one that widens the others, else the first."""
    found: dict[bytes, End] = {}
    for end in sorted(ends, key=lambda end: end.ref):
        known = found.setdefault(end.author, end)
        if end.cut.widens(known.cut):
            found[end.author] = end
    return tuple(found.values())


def _vouches(statement: Statement, genesis: Genesis) -> bool:
    authority = _authority(statement)
    return (
        statement.kind == Kind.ATTESTATION
        and authority is not None
        and authority.verb is Verb.MEMBER
        and authority.rows == (GUEST,)
        and authority.subjects == (genesis.id,)
        and authority.party == statement.subject
    )


def _read_end(statement: Statement, genesis: Genesis) -> End | None:
    authority, raw = _authority(statement), statement.sections.get("cut")
    if not is_end(statement, genesis.id) or authority is None or authority.verb is not Verb.END:
        return None
    org, rows = authority.party, authority.rows
    if org != statement.subject or authority.subjects != (genesis.id,) or rows not in ((MEMBER,), (GUEST,)):
        return None
    try:
        cut = Cut.from_value(codec.unpack(raw)) if raw is not None else Cut()
    except CodecError:
        return None
    return End(org, statement.org, statement.ref, rows[0], cut, _reason(statement))


def _reason(statement: Statement) -> str:
    raw = statement.sections.get("end")
    try:
        return EndBody.from_bytes(raw).reason if raw is not None else ""
    except (PassportError, ValueError):  # a lone surrogate is a ValueError of the JSON encoder
        return ""


def _authority(statement: Statement) -> Authority | None:
    raw = statement.sections.get("authority")
    try:
        return Authority.from_bytes(raw) if raw is not None else None
    except CodecError:
        return None
