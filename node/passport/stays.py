"""Where a thing stood, by whose word: one thing stands in one place at a time.

A stay begins with a mounting, or with an address stated for the thing, and ends with the same party's next word, with a
removal by anybody, or when that party's title ends. Stays of two parties that overlap at different places raise the
question whether there are two devices with one plate; nothing is decided by it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from node.passport.bodies import Place
from node.passport.case import Case
from node.passport.composition import FOREVER
from node.passport.merge import Standing
from node.passport.parameters import Parameter
from node.passport.places import Places, compare_places
from node.passport.ranks import FactClass
from node.passport.references import ref_text
from node.passport.statement import Statement
from node.passport.timeline import PLACES, Event
from node.passport.view import Plain, moment_us

TWO_DEVICES = "two-devices-on-one-plate"
MOUNTED = frozenset({"installed"})
LEFT = frozenset({"removed", "scrapped", "lost", "packed", "shipped", "transferred"})
ADDRESSES = ("install_place", "house_guid")
OBJECT, CODE, TEXT = "object", "code", "text"


@dataclass(frozen=True, slots=True)
class Stay:
    """A party says that the thing stood there, from `since` to `until` (excluded), in microseconds."""

    kind: str
    place: str
    statement: Statement
    since: int
    until: int = FOREVER
    has_authority: bool = False

    def contradicts(self, other: "Stay") -> bool:
        """Whether two parties put the thing at different places at one time."""
        if self.statement.org == other.statement.org or self.kind != other.kind:
            return False
        if max(self.since, other.since) >= min(self.until, other.until):
            return False
        if self.kind == TEXT:
            return compare_places(self.place, other.place) is Places.DIFFERENT
        return self.place != other.place

    def view(self) -> dict[str, Plain]:
        """The stay as views show it."""
        return {
            "place": self.place,
            "kind": self.kind,
            "by": self.statement.org.hex(),
            "ref": ref_text(self.statement.ref),
            "since": self.since,
        }


def of_equals(stays: Sequence[Stay]) -> bool:
    """Whether parties of equal right contradict each other: a stranger beside one with authority raises the question
    and decides nothing.
    """
    best = any(stay.has_authority for stay in stays)
    top = [stay for stay in stays if stay.has_authority is best]
    return any(one.contradicts(other) for one in top for other in top)


def stays_of(case: Case, events: Iterable[Event], parameters: dict[str, Parameter]) -> list[Stay]:
    """Every stay with its end, earliest first."""
    told = [event for event in events if event.replaced_by is None]
    stays = [*_mountings(case, told), *_addresses(case, parameters)]
    left = sorted({event.statement.occurred for event in told if event.code in LEFT})
    return sorted(_ended(stays, left, case), key=lambda stay: (stay.since, stay.statement.ref))


def contradicting(stays: Sequence[Stay]) -> list[Stay]:
    """The stays that contradict each other; empty where one thing explains all that was said."""
    return [one for one in stays if any(one.contradicts(other) for other in stays)]


def _mountings(case: Case, events: Iterable[Event]) -> Iterator[Stay]:
    for event in events:
        if event.is_own and event.body and event.code in MOUNTED:
            for kind, place in _places(case, event.body.where, event.statement.org):
                held = case.rank(FactClass.PHYSICAL, event.statement)
                at = event.statement.occurred
                yield Stay(kind, place, event.statement, at, has_authority=held.has_authority)


def _places(case: Case, where: Place, org: bytes) -> Iterator[tuple[str, str]]:
    if where.default:
        return
    if where.object is not None:
        yield OBJECT, where.object
    elif where.place is not None:
        central = case.world.central(where.place, org, PLACES)
        name = case.world.name_of(where.place, org, PLACES)
        if central:
            yield CODE, central
        elif name:
            yield TEXT, name


def _addresses(case: Case, parameters: dict[str, Parameter]) -> Iterator[Stay]:
    """Addresses as every party states them, those that did not win too; one that was corrected is nobody's word."""
    for code in ADDRESSES:
        for version in parameters[code].versions if code in parameters else ():
            since = moment_us(version.since) if version.since else 0
            chosen = version.verdict.chosen
            beside = (other for other, standing in version.verdict.others if standing is not Standing.REPLACED)
            for said in (*([chosen] if chosen else []), *beside):
                value = said.value.get("value") if isinstance(said.value, dict) else None
                if isinstance(value, str) and said.statement.subject in case.subjects:
                    kind = TEXT if code == "install_place" else CODE
                    yield Stay(kind, value, said.statement, since, has_authority=said.rank.has_authority)


def _ended(stays: Sequence[Stay], left: Sequence[int], case: Case) -> list[Stay]:
    ended = []
    for stay in stays:
        org = stay.statement.org
        next_words = [
            other.since
            for other in stays
            if other.statement.org == org and other.kind == stay.kind and other.since > stay.since
        ]
        titles = [title.until for chain in case.chains.values() for title in chain.titles if title.org == org]
        ends = [
            *next_words,
            *(moment for moment in left if moment >= stay.since),
            *(until for until in titles if until is not None and until >= stay.since),
        ]
        ended.append(replace(stay, until=min(ends, default=FOREVER)))
    return ended
