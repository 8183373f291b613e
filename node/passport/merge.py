"""The merge of one key: which of the statements about it is the value, how it stands, and what is shown beside it.

Two statements compete only in sections of one name, key by key: X beats Y where Y is reachable from X over refs and X
is of the same organisation and ranks not lower, or of another one and ranks higher. A section that may not be read here
beats too, and its value is not known. Of one organisation the highest rank counts, then the latest. What is left ranks
against each other: a lower rank is a claim, equal ranks that differ are disputed and no value wins. Nobody closes a
dispute alone who does not rank higher: equals close it by saying the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from node.passport.ranks import Ground, Rank
from node.passport.references import References, ref_text
from node.passport.statement import Statement
from node.passport.view import Plain

WITHHELD = "replaced-by-unreadable"


class Standing(StrEnum):
    """How a fact stands."""

    REGISTERED = "registered"
    AGREED = "agreed"
    STATED = "stated"
    WORKING = "working"
    DISPUTED = "disputed"
    CLAIM = "claim"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Said:
    """A value of one key in one statement; two values are one where `same` is equal.

    Of values with one `stem` the one that is the stem itself is open: what another says more of it contradicts nobody.
    """

    statement: Statement
    section: str
    rank: Rank
    value: Plain
    same: str
    basis: str | None = None
    stem: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody may say more of it."""
        return self.same == self.stem


@dataclass(frozen=True, slots=True)
class Hidden:
    """A section that may not be read here."""

    statement: Statement
    section: str
    rank: Rank


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one key. `chosen` is None where no value wins."""

    standing: Standing
    chosen: Said | None
    others: tuple[tuple[Said, Standing], ...] = ()
    hidden: Hidden | None = None

    @property
    def value(self) -> Plain:
        """The value that stands."""
        return self.chosen.value if self.chosen else None

    @property
    def level(self) -> int:
        """The rank of what stands or is disputed."""
        ranks = [self.chosen.rank] if self.chosen else [said.rank for said, _ in self.others]
        return max([rank.level for rank in ranks] + ([self.hidden.rank.level] if self.hidden else []))

    def with_claims(self, said: Iterable[Said]) -> "Verdict":
        """The same with statements beside it that contradict it without effect."""
        others = [*self.others, *((one, Standing.CLAIM) for one in said)]
        return replace(self, others=tuple(sorted(others, key=_in_order)))

    def fact(self) -> dict[str, Plain]:
        """The verdict as views show it."""
        top = self.chosen or self.hidden
        return {
            "value": self.value,
            "standing": self.standing.value,
            "by": top.statement.org.hex() if top else None,
            "ground": top.rank.ground.value if top else None,
            "ref": ref_text(top.statement.ref) if top else None,
            "basis": self.chosen.basis if self.chosen else None,
            "hidden": None if self.hidden is None else WITHHELD,
            "others": [_other(said, standing) for said, standing in self.others],
        }


def decide(said: Sequence[Said], hidden: Sequence[Hidden], references: References) -> Verdict:
    """Merge the statements about one key, at least one of which is readable."""
    if len(said) == 1 and not hidden and not references.has_refs(said[0].statement):
        return Verdict(standing_of(said[0].rank), said[0])  # as most keys are, so that the merge is spared
    above = [one for one in said if references.has_refs(one.statement)]
    below = references.reach(one.statement for one in above)
    named = [one for one in said if references.holds(below, one.statement)]
    beaten = {id(one) for one in named if any(_beats(other, one, references) for other in above)}
    unread = [h for h in hidden if not any(_beats(one, h, references) for one in above)]
    veiled = {id(one): h for one in said for h in unread if id(one) not in beaten and _veils(h, one, references)}
    alive = [one for one in said if id(one) not in beaten and id(one) not in veiled]
    kept = _one_of_each(alive)
    level = max([one.rank.level for one in kept] + [h.rank.level for h in veiled.values()])
    top = [one for one in kept if one.rank.level == level]
    cover = max((h for h in veiled.values() if h.rank.level == level), key=lambda h: h.statement.order, default=None)
    whole = [one for one in top if not any(_completes(other, one, references) for other in top)]
    disputed = len({one.same for one in whole}) > 1
    chosen = None if disputed or not top else min(whole, key=lambda one: (one.statement.order, one.section))
    standing = Standing.DISPUTED if disputed else standing_of((chosen or cover or top[0]).rank)
    gone = beaten | veiled.keys()
    others = [(one, _beside(one, chosen, disputed and one in top, kept, gone)) for one in said if one is not chosen]
    return Verdict(standing, chosen, tuple(sorted(others, key=_in_order)), cover)


def standing_of(rank: Rank) -> Standing:
    """How a fact stands that one party of this rank stated."""
    if rank.ground is Ground.REGISTER and rank.has_authority:
        return Standing.REGISTERED
    return Standing.STATED if rank.has_authority else Standing.WORKING


def may_replace(above: Rank, below: Rank, *, is_same_org: bool) -> bool:
    """Whether a statement of the one rank takes the place of one of the other that it refs."""
    return above.level >= below.level if is_same_org else above.level > below.level


def _beats(above: Said | Hidden, below: Said | Hidden, references: References) -> bool:
    is_same_org = above.statement.org == below.statement.org
    return (
        above.section == below.section
        and may_replace(above.rank, below.rank, is_same_org=is_same_org)
        and references.supersedes(above.statement, below.statement)
    )


def _completes(more: Said, one: Said, references: References) -> bool:
    """Whether a value says more of an open one whose author did not answer that it is not so."""
    is_more = one.is_open and not more.is_open and more.stem == one.stem
    return is_more and not references.supersedes(one.statement, more.statement)


def _veils(above: Hidden, below: Said, references: References) -> bool:
    """Whether what may not be read takes the place of a value, or says more of one that is open."""
    if _beats(above, below, references):
        return True
    is_near = below.is_open and above.section == below.section and above.rank.level >= below.rank.level
    return is_near and references.supersedes(above.statement, below.statement)


def _one_of_each(said: Iterable[Said]) -> list[Said]:
    best: dict[bytes, Said] = {}
    for one in sorted(said, key=lambda s: (s.rank.level, s.statement.order, s.section)):
        best[one.statement.org] = one
    return list(best.values())


def _beside(one: Said, chosen: Said | None, is_disputed: bool, kept: list[Said], gone: set[int]) -> Standing:
    if is_disputed:
        return Standing.DISPUTED
    mine = next((other for other in kept if other.statement.org == one.statement.org), None)
    outranked = mine is not None and mine.rank.level > one.rank.level
    if id(one) in gone or (one is not mine and not outranked):
        return Standing.REPLACED
    agrees = chosen is not None and one.same in (chosen.same, chosen.stem)
    return standing_of(one.rank) if agrees else Standing.CLAIM


def _other(said: Said, standing: Standing) -> dict[str, Plain]:
    return {
        "value": said.value,
        "standing": standing.value,
        "by": said.statement.org.hex(),
        "ground": said.rank.ground.value,
        "ref": ref_text(said.statement.ref),
        "basis": said.basis,
    }


def _in_order(item: tuple[Said, Standing]) -> tuple[tuple[int, bytes, int], str, str]:
    said = item[0]
    return (said.statement.order, said.section, said.same)
