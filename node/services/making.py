"""Making passports out of what was said of them, with no store at hand: here, or in a process beside this one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from federation.authority import Kind
from node.passport.card import Card, card_of
from node.passport.case import Case, open_case
from node.passport.composition import Around
from node.passport.cuts import Awaited, awaited_by
from node.passport.fold import view_of
from node.passport.identity import settled
from node.passport.kept import Kept, Row, awaited_of, rows_of
from node.passport.result_cards import result_cards
from node.passport.rights import PUBLISHED_KINDS
from node.passport.run_views import run_cards
from node.passport.shown import terms_of, text
from node.passport.statement import Statement
from node.passport.timeline import timeline_of
from node.passport.used_codes import used_codes
from node.passport.view import ROWS, View, digest, dump_view, rest_hash
from node.passport.world import World
from node.services.neighbours import tied_to
from node.services.openings import Opened, openings_of
from node.store.own_codes import own_term
from node.store.passports import NewPassport, StoredPassport, Term, pack_view

NOT_SPOKEN = PUBLISHED_KINDS | {
    Kind.SHIPMENT,
    Kind.PARTY,
    Kind.GRANT,
    Kind.END,
    Kind.ERASURE,
    Kind.ERASURE_ACK,
    Kind.WITHDRAWAL,
}


@dataclass(frozen=True, slots=True)
class Group:
    """The subjects of one passport; `kept` is there where it was a long one of these subjects and no others."""

    lead: bytes
    subjects: frozenset[bytes]
    kept: Kept | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A passport to be folded, and all that was said of it.

    Where somebody said more of identity than plates do, that is what was said of the other sides too.
    """

    group: Group
    said: Sequence[Statement]

    @property
    def is_tied(self) -> bool:
        """Whether parts or wholes were named, and so its view depends on theirs."""
        return any(statement.kind == Kind.COMPOSITION for statement in self.said)


@dataclass(frozen=True, slots=True)
class Made:
    """A passport as it is stored; `rows` are those of a long one."""

    group: Group
    item: NewPassport
    opened: Opened
    card: Card
    rows: Mapping[str, Sequence[Row]] | None
    tied: frozenset[bytes]
    awaited: frozenset[Awaited]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes passports for an organisation; one of more events or statements than `longest` has them as rows."""

    org: bytes
    longest: int

    def make_each(self, spoken: Iterable[Spoken], world: World, now: int) -> list[Made | None]:
        """Those that name no parts or wholes; None where nobody spoke."""
        return [self.make(one, self.open(one, world), None, now) for one in spoken]

    def open(self, spoken: Spoken, world: World) -> Case | None:
        """The case of a passport, or None where nobody speaks of it."""
        group, said = spoken.group, spoken.said
        told_apart = settled(said, world).said
        if not any(s.kind not in NOT_SPOKEN and s.subject in group.subjects for s in told_apart):
            return None
        return open_case(group.subjects, said, world)

    def make(self, spoken: Spoken, case: Case | None, around: Around | None, now: int) -> Made | None:
        """What follows from a case beside the passports around it."""
        if case is None:
            return None
        group, events = spoken.group, timeline_of(case)
        view = view_of(case, events, around)
        mark, card, rows, kept = digest(view), card_of(group.lead, view, now), None, None
        # What a twin takes may be any event: no row of such a passport is plain.
        if max(len(events), len(case.told)) > self.longest and not case.sameness.said:
            rows = dict(zip(ROWS, rows_of(case, events, view), strict=True))
            view = rest_of(view)
            signers = frozenset(statement.org for statement in case.statements)
            kept = Kept(case.facts, awaited_of(case), signers, rest_hash(view))
        item = self.item(group, view, mark, kept, self.own_codes(case), now)
        tied = tied_to(case) if spoken.is_tied else frozenset[bytes]()
        return Made(group, item, openings_of(case, self.org), card, rows, tied, awaited_by(case))

    def item(self, group: Group, view: View, mark: bytes, kept: Kept | None, codes: set[Term], now: int) -> NewPassport:
        """A view as it is stored."""
        state, title = text(view, "state", "code"), text(view, "title")
        passport = StoredPassport(group.lead, group.lead, text(view, "kind"), state, title, mark, dump_view(view), now)
        terms = {Term(scheme, term) for scheme, term in terms_of(view)} | codes
        packed, results = pack_view(passport.view), tuple(result_cards(view, self.org))
        return NewPassport(passport, group.subjects, terms, kept, packed, run_cards(view), results)

    def own_codes(self, case: Case) -> set[Term]:
        """How the own codes are found that what was said here speaks of."""
        return {own_term(catalog, code) for catalog, code in used_codes(case.readings, self.org)}


def rest_of(view: View) -> View:
    """A view without the lists that stand as rows."""
    return {name: value for name, value in view.items() if name not in ROWS}
