"""Roles over a thing: how they pass, who may give them, how they end, and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from federation.authority import Attested
from node.passport.bodies import Plate
from node.passport.case import open_case
from node.passport.entitlement import is_observed, only_data_source
from node.passport.fold import fold
from node.passport.identity import resolve_identity
from node.passport.parties import roles_on, speakers_of
from node.passport.ranks import FactClass, Ground, rank
from node.passport.rights import Right, may_open, rights_of
from node.passport.roles import PartyRole as Role
from node.passport.roles import outside_party
from node.passport.shown import rows
from node.passport.statement import Statement
from node.passport.view import Plain, View, moment_us, value_on
from node.passport.world import World
from tests.builders_passport import (
    Author,
    Federation,
    acceptance,
    appointment,
    demo,
    event,
    identity,
    line_claim,
    offer,
    parameters,
    role_answer,
    role_end,
    role_offer,
    role_paper,
)

CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
PLATE = Plate(designation="СГВ-15", serial="0012345")
INN = "inn:7707083893"
LONG_AGO, BEFORE, AFTER = "2026-01-05", "2026-02-01", "2026-06-01"


@dataclass
class Story:
    """A maker's device that an owner bought; a manager, a utility, a reader of meters, and somebody else."""

    federation: Federation = field(default_factory=lambda: demo()[0])
    maker: Author = field(default_factory=lambda: Author("maker", seq=100))
    owner: Author = field(default_factory=lambda: Author("owner"))
    manager: Author = field(default_factory=lambda: Author("manager"))
    utility: Author = field(default_factory=lambda: Author("utility"))
    source: Author = field(default_factory=lambda: Author("source"))
    stranger: Author = field(default_factory=lambda: Author("stranger"))
    said: list[Statement] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.add(self.maker, identity(CLAIM, PLATE), on="2026-01-01")
        made = self.add(self.maker, offer(self.maker, self.owner, DEVICE), on="2026-01-02")
        self.add(self.owner, acceptance(self.maker, made, DEVICE), on="2026-01-03")

    def add(
        self,
        author: Author,
        draft: object,
        on: str | None = None,
        auth: Sequence[Statement] = (),
        hide: Sequence[str] = (),
    ) -> Statement:
        """Somebody says something."""
        made = author.say(draft, auth=auth, on=on, hide=hide)  # type: ignore[arg-type]  # any draft of the builders
        self.said.append(made)
        return made

    def passes(self, seller: Author, party: Author, role: Role, on: str, auth: Sequence[Statement] = ()) -> Statement:
        """An offer and its acceptance on one day; the acceptance is answered."""
        made = self.add(seller, role_offer(seller, party, role, DEVICE), on=on, auth=auth)
        return self.add(party, role_answer(made, role, DEVICE), on=on)

    @property
    def world(self) -> World:
        """What was published."""
        return self.federation.world

    @property
    def view(self) -> View:
        """The passport."""
        return fold([DEVICE], self.said, self.world)

    def holders(self, role: Role, on: str) -> list[tuple[str, str, str]]:
        """Who holds a role at the end of a day: party, standing, basis."""
        held = roles_on(cast("dict[str, Plain]", self.view["parties"]), on)
        return [(str(row["party"]), str(row["standing"]), str(row["basis"])) for row in held if row["role"] == role]

    def reasons(self, role: Role) -> list[tuple[str, str]]:
        """What passed nothing: state and reason."""
        found = [row for row in rows(self.view, "parties", "transfers") if row["role"] == role]
        return [(str(row["state"]), str(row["reason"])) for row in found]

    def ground(self, author: Author, fact_class: FactClass, on: str, said: Statement | None = None) -> Ground:
        """On which ground somebody speaks on a day, by a statement where it matters which."""
        case = open_case([DEVICE], self.said, self.world)
        place = said.ref if said else None
        return rank(fact_class, author.org, case.facts[DEVICE], self.world, moment_us(on), place).ground

    def rights(self) -> tuple[Right, ...]:
        """The rights that follow."""
        members = resolve_identity(self.said, self.world).members
        return rights_of(open_case(members, self.said, self.world))


def test_capacities_are_the_title_holders_until_they_pass() -> None:
    """Whoever holds the title is responsible and settles, from when the title came and as long as nobody else is."""
    story = Story()
    story.passes(story.owner, story.manager, Role.RESPONSIBLE, BEFORE)

    for role in (Role.RESPONSIBLE, Role.SETTLEMENT):
        assert story.holders(role, LONG_AGO) == [(story.owner.org.hex(), "stated", "title")]
    assert story.holders(Role.RESPONSIBLE, AFTER) == [(story.manager.org.hex(), "agreed", "acceptance")]
    assert story.holders(Role.SETTLEMENT, AFTER) == [(story.owner.org.hex(), "stated", "title")]
    assert story.holders(Role.TITLE, AFTER) == [(story.owner.org.hex(), "agreed", "acceptance")]
    assert story.holders(Role.MANUFACTURER, AFTER) == [(story.maker.org.hex(), "stated", "maker")]


def test_capacity_passes_on_from_its_holder_and_from_nobody_else() -> None:
    """The holder passes it on; the owner who gave it away, and a stranger, offer in vain and it is told why."""
    story = Story()
    story.passes(story.owner, story.manager, Role.RESPONSIBLE, BEFORE)
    story.passes(story.owner, story.stranger, Role.RESPONSIBLE, "2026-02-02")
    story.passes(story.stranger, story.source, Role.RESPONSIBLE, "2026-02-03")
    story.passes(story.manager, story.utility, Role.RESPONSIBLE, "2026-03-01")

    assert [who for who, _, _ in story.holders(Role.RESPONSIBLE, "2026-02-15")] == [story.manager.org.hex()]
    assert [who for who, _, _ in story.holders(Role.RESPONSIBLE, AFTER)] == [story.utility.org.hex()]
    assert sorted(story.reasons(Role.RESPONSIBLE)) == [
        ("ineffective", "not-the-holder"),
        ("ineffective", "passed-already"),
    ]


def test_offer_waits_is_refused_withdrawn_or_lapses() -> None:
    """An offer waits for its answer; refused, withdrawn before it or answered too late, it passes nothing."""
    story = Story()
    offers = [
        story.add(story.owner, role_offer(story.owner, party, Role.RESPONSIBLE, DEVICE, until="2026-03-01"), on=BEFORE)
        for party in (story.manager, story.utility, story.source, story.stranger)
    ]
    assert story.reasons(Role.RESPONSIBLE) == [("waiting", "None")] * 4

    story.add(story.manager, role_end(offers[0], story.manager.org, Role.RESPONSIBLE, DEVICE, sizes={}))
    story.add(story.owner, role_end(offers[1], story.utility.org, Role.RESPONSIBLE, DEVICE, sizes={}))
    story.add(story.utility, role_answer(offers[1], Role.RESPONSIBLE, DEVICE), on="2026-02-10")
    story.add(story.source, role_answer(offers[2], Role.RESPONSIBLE, DEVICE), on="2026-03-01")

    assert sorted(story.reasons(Role.RESPONSIBLE)) == [
        ("ineffective", "expired"),
        ("ineffective", "refused"),
        ("ineffective", "withdrawn"),
        ("waiting", "None"),
    ]
    assert [basis for _, _, basis in story.holders(Role.RESPONSIBLE, AFTER)] == ["title"]


def test_acceptance_inside_the_cut_of_a_withdrawal_came_first() -> None:
    """A withdrawal does not undo what its author's cut says was accepted before."""
    story = Story()
    made = story.add(story.owner, role_offer(story.owner, story.manager, Role.RESPONSIBLE, DEVICE), on=BEFORE)
    answer = story.add(story.manager, role_answer(made, Role.RESPONSIBLE, DEVICE), on=BEFORE)
    sizes = {story.manager.log: answer.ref.seq + 1}
    story.add(story.owner, role_end(made, story.manager.org, Role.SETTLEMENT, DEVICE, sizes={}))
    before = story.holders(Role.RESPONSIBLE, BEFORE)
    story.add(story.stranger, role_end(made, story.manager.org, Role.RESPONSIBLE, DEVICE, sizes={}))

    assert before == story.holders(Role.RESPONSIBLE, BEFORE) == [(story.manager.org.hex(), "agreed", "acceptance")]
    story.add(story.owner, role_end(made, story.manager.org, Role.RESPONSIBLE, DEVICE, sizes=sizes), on=AFTER)
    assert story.holders(Role.RESPONSIBLE, BEFORE) == before
    assert [who for who, _, _ in story.holders(Role.RESPONSIBLE, AFTER)] == [story.owner.org.hex()]


def test_acceptances_of_two_parties_dispute_the_capacity_until_one_offer_is_withdrawn() -> None:
    """Of two acceptances in different logs none wins, nobody holds it, all see both, and the owner decides."""
    story = Story()
    first, second = (
        story.add(story.owner, role_offer(story.owner, party, Role.SETTLEMENT, DEVICE), on=BEFORE)
        for party in (story.manager, story.utility)
    )
    for party, made in ((story.manager, first), (story.utility, second)):
        story.add(party, role_answer(made, Role.SETTLEMENT, DEVICE), on=BEFORE)

    assert story.holders(Role.SETTLEMENT, LONG_AGO) == [(story.owner.org.hex(), "stated", "title")]
    assert story.holders(Role.SETTLEMENT, AFTER) == []
    assert story.reasons(Role.SETTLEMENT) == [("disputed", "None")] * 2
    disputed = [item for item in rows(story.view, "conflicts") if item["what"] == "parties.settlement"]
    assert sorted(str(item["values"]) for item in disputed) == sorted(
        str([party.org.hex()]) for party in (story.manager, story.utility)
    )
    story.add(story.owner, role_end(second, story.utility.org, Role.SETTLEMENT, DEVICE, sizes={}))
    assert story.holders(Role.SETTLEMENT, AFTER) == [(story.manager.org.hex(), "agreed", "acceptance")]


def test_ended_capacity_is_the_title_holders_again_and_passes_anew_only_after_that() -> None:
    """The owner ends what he gave; an old offer that lost then does not come to life, a new one counts."""
    story = Story()
    given = story.passes(story.owner, story.manager, Role.RESPONSIBLE, BEFORE)
    story.passes(story.owner, story.stranger, Role.RESPONSIBLE, "2026-02-02")
    sizes = {story.manager.log: given.ref.seq + 1}
    story.add(story.owner, role_end(given, story.manager.org, Role.RESPONSIBLE, DEVICE, sizes=sizes), on="2026-03-01")

    assert story.holders(Role.RESPONSIBLE, AFTER) == [(story.owner.org.hex(), "stated", "title")]
    story.passes(story.owner, story.utility, Role.RESPONSIBLE, "2026-04-01")
    assert story.holders(Role.RESPONSIBLE, AFTER) == [(story.utility.org.hex(), "agreed", "acceptance")]
    assert story.holders(Role.RESPONSIBLE, "2026-02-20") == [(story.manager.org.hex(), "agreed", "acceptance")]


def test_what_was_said_before_the_cut_keeps_its_rank_and_later_words_have_none() -> None:
    """A cut and not a clock decides: what the loser signs afterwards counts nothing, whenever it says it happened."""
    story = Story()
    given = story.passes(story.owner, story.manager, Role.RESPONSIBLE, BEFORE)
    early = story.add(story.manager, event(DEVICE, "admitted"), on="2026-02-10")
    sizes = {story.manager.log: early.ref.seq + 1}
    story.add(story.owner, role_end(given, story.manager.org, Role.RESPONSIBLE, DEVICE, sizes=sizes), on="2026-03-01")
    late = story.add(story.manager, event(DEVICE, "admitted"), on="2026-02-10")

    assert story.ground(story.manager, FactClass.ADMISSION, "2026-02-10", early) is Ground.RESPONSIBLE
    assert story.ground(story.manager, FactClass.ADMISSION, "2026-02-10", late) is Ground.ANYBODY
    told = {str(row["ref"]).split(":")[1]: row["standing"] for row in rows(story.view, "events")}
    assert (told[str(early.ref.seq)], told[str(late.ref.seq)]) == ("stated", "working")


@pytest.mark.parametrize("is_given", [True, False])
def test_loser_of_a_role_moves_no_cut_of_who_ended_it(is_given: bool) -> None:
    """An end by who lost the role neither keeps what he said after the owner's end, nor undoes what that keeps."""
    story = Story()
    role, fact_class = (
        (Role.PROCESS_EXECUTOR, FactClass.PHYSICAL) if is_given else (Role.RESPONSIBLE, FactClass.ADMISSION)
    )
    given = (
        story.add(story.owner, appointment(story.owner, story.manager, role, DEVICE), on=BEFORE)
        if is_given
        else story.passes(story.owner, story.manager, role, BEFORE)
    )
    early = story.add(story.manager, event(DEVICE, "admitted"), on="2026-02-10")
    sizes = {story.manager.log: early.ref.seq + 1}
    story.add(story.owner, role_end(given, story.manager.org, role, DEVICE, sizes=sizes), on="2026-03-01")
    late = story.add(story.manager, event(DEVICE, "admitted"), on="2026-02-11")
    own = {story.manager.log: late.ref.seq + 1}
    story.add(story.manager, role_end(given, story.manager.org, role, DEVICE, sizes=own), on="2026-02-28")

    kept, lost = (story.ground(story.manager, fact_class, "2026-02-10", said) for said in (early, late))
    assert kept is (Ground.EXECUTOR if is_given else Ground.RESPONSIBLE)
    assert lost is Ground.ANYBODY


@pytest.mark.parametrize("is_given", [True, False])
def test_former_owner_ends_nothing_that_the_next_one_gave(is_given: bool) -> None:
    """Whatever time he tells: what was given after his own is not his to end."""
    story = Story()
    role = Role.DATA_SOURCE if is_given else Role.RESPONSIBLE
    given = (
        story.add(story.owner, appointment(story.owner, story.manager, role, DEVICE), on=BEFORE)
        if is_given
        else story.passes(story.owner, story.manager, role, BEFORE)
    )
    story.add(story.maker, role_end(given, story.manager.org, role, DEVICE, sizes={}), on="2026-01-01")

    assert [who for who, *_ in story.holders(role, AFTER)] == [story.manager.org.hex()]


@pytest.mark.parametrize("number", [INN, "resident"])
def test_party_without_a_node_is_named_by_a_document(number: str) -> None:
    """The owner states who is responsible; without a document it passes nothing, and it shows no name of a resident."""
    story = Story()
    story.add(story.owner, role_paper(story.owner, number, Role.RESPONSIBLE, DEVICE, is_whole=False), on=LONG_AGO)
    assert story.reasons(Role.RESPONSIBLE) == [("ineffective", "needs-document")]

    said = story.add(story.owner, role_paper(story.owner, number, Role.RESPONSIBLE, DEVICE), on=BEFORE)

    (held,) = [
        row
        for row in rows(story.view, "parties", "roles")
        if row["ref"] and str(row["act"]) and row["basis"] == "document"
    ]
    assert (held["number"], held["document"], held["standing"]) == (number, "договор 7", "stated")
    assert held["since"] == said.occurred
    story.passes(story.owner, story.manager, Role.RESPONSIBLE, AFTER)  # its owner speaks for it
    assert [who for who, _, _ in story.holders(Role.RESPONSIBLE, AFTER)] == [story.manager.org.hex()]


def test_document_names_no_organisation_that_has_a_node() -> None:
    """Nobody makes another organisation responsible without its signature."""
    story = Story()
    story.add(story.owner, appointment(story.owner, story.manager, Role.RESPONSIBLE, DEVICE), on=BEFORE)

    assert story.reasons(Role.RESPONSIBLE) == [("ineffective", "needs-acceptance")]
    assert [basis for _, _, basis in story.holders(Role.RESPONSIBLE, AFTER)] == ["title"]


def test_number_that_is_a_members_means_the_member() -> None:
    """One organisation by its number whatever its spelling: who joins later holds what was stated of its number."""
    story = Story()
    story.add(story.owner, role_paper(story.owner, INN, Role.RESPONSIBLE, DEVICE), on=BEFORE)
    assert [who for who, _, _ in story.holders(Role.RESPONSIBLE, AFTER)] == [outside_party(INN).hex()]

    story.federation.attest(story.manager, Attested.NUMBER, INN)

    assert [who for who, _, _ in story.holders(Role.RESPONSIBLE, AFTER)] == [story.manager.org.hex()]
    assert story.ground(story.manager, FactClass.ADMISSION, AFTER) is Ground.RESPONSIBLE


def test_responsible_party_speaks_for_an_owner_without_a_node() -> None:
    """A resident owns the meter: the responsible party states the next owner, and its events stand with authority."""
    story = Story()
    story.passes(story.owner, story.manager, Role.RESPONSIBLE, BEFORE)
    sold = story.add(story.owner, role_paper(story.owner, "resident", Role.TITLE, DEVICE), on="2026-03-01")
    assert [standing for _, standing, _ in story.holders(Role.TITLE, AFTER)] == ["stated"]
    assert story.ground(story.owner, FactClass.ADMISSION, AFTER) is Ground.ANYBODY

    story.add(story.stranger, role_paper(story.stranger, INN, Role.TITLE, DEVICE), on="2026-04-01", auth=[sold])
    story.add(story.manager, role_paper(story.manager, INN, Role.TITLE, DEVICE), on="2026-05-01", auth=[sold])

    assert [who for who, _, _ in story.holders(Role.TITLE, AFTER)] == [outside_party(INN).hex()]
    assert ("ineffective", "not-the-holder") in story.reasons(Role.TITLE)
    assert story.ground(story.manager, FactClass.OWNERSHIP, AFTER) is Ground.RESPONSIBLE


@pytest.mark.req("B64e")
def test_data_source_states_observed_parameters_and_nothing_else() -> None:
    """Its readings stand with authority; what it says of type, events and place is no more than anybody's claim."""
    story = Story()
    story.add(story.maker, parameters(DEVICE, dn="15"), on=LONG_AGO)
    story.add(story.owner, parameters(DEVICE, install_place="Садовая, 1"), on=LONG_AGO)
    story.add(story.source, parameters(DEVICE, since="2026-01-06", rssi="-70"), on="2026-01-06")
    assert standing(story.view, "rssi") == "working"

    story.add(story.owner, appointment(story.owner, story.source, Role.DATA_SOURCE, DEVICE), on=BEFORE)
    story.add(story.source, parameters(DEVICE, since="2026-03-01", rssi="-80"), on="2026-03-01")
    story.add(story.source, parameters(DEVICE, dn="20", install_place="Полевая, 7"), on="2026-03-01")

    assert standing(story.view, "rssi") == "stated"
    day = moment_us(AFTER)
    assert [only_data_source(story.view, who.org, day) for who in (story.source, story.owner, story.stranger)] == [
        True,
        False,
        False,
    ]
    assert [is_observed(code) for code in ("rssi", "volume", "dn", "install_place", None)] == [True, True] + [False] * 3
    claims = {
        str(item["what"]).partition("@")[0]
        for item in rows(story.view, "claims")
        if item["by"] == story.source.org.hex()
    }
    assert claims == {"parameters.dn", "parameters.install_place"}
    for fact_class in FactClass:
        wanted = Ground.DATA_SOURCE if fact_class is FactClass.OBSERVATION else Ground.ANYBODY
        assert story.ground(story.source, fact_class, AFTER) is wanted


def standing(view: View, code: str) -> str:
    """How the last value of a parameter stands."""
    found = value_on(view, code)
    assert found is not None
    return str(found["standing"])


def test_role_is_given_for_a_time_by_whoever_may_and_ends_by_a_statement() -> None:
    """Owner and responsible party give roles, a stranger does not; giver, party and owner end them."""
    story = Story()
    story.passes(story.owner, story.manager, Role.RESPONSIBLE, LONG_AGO)
    timed = appointment(story.owner, story.utility, Role.PROCESS_OWNER, DEVICE, since="2026-03-01", until="2026-04-01")
    story.add(story.owner, timed, on=BEFORE)
    given = story.add(story.manager, appointment(story.manager, story.source, Role.DATA_SOURCE, DEVICE), on=BEFORE)
    story.add(story.stranger, appointment(story.stranger, story.stranger, Role.NETWORK, DEVICE), on=BEFORE)

    assert story.holders(Role.PROCESS_OWNER, "2026-02-28") == story.holders(Role.PROCESS_OWNER, "2026-04-01") == []
    assert len(story.holders(Role.PROCESS_OWNER, "2026-03-31")) == 1
    assert story.reasons(Role.NETWORK) == [("ineffective", "not-entitled")]
    ending = role_end(given, story.source.org, Role.DATA_SOURCE, DEVICE, sizes={})
    story.add(story.stranger, ending, on="2026-03-01")
    assert len(story.holders(Role.DATA_SOURCE, AFTER)) == 1
    story.add(story.source, ending, on="2026-03-01")
    assert (len(story.holders(Role.DATA_SOURCE, "2026-02-20")), story.holders(Role.DATA_SOURCE, AFTER)) == (
        1,
        [],
    )


def test_holder_reads_as_an_owner_while_it_holds() -> None:
    """Technical sections up to the end of the role, headers for ever, commercial ones never; an offer shows headers."""
    story = Story()
    made = story.add(story.owner, role_offer(story.owner, story.manager, Role.RESPONSIBLE, DEVICE), on=BEFORE)
    early, late = (story.owner.say(parameters(DEVICE, rssi="-70"), on=day) for day in (LONG_AGO, AFTER))
    assert [may_open(story.manager.org, early, klass, story.rights()) for klass in range(4)] == [
        True,
        True,
        False,
        False,
    ]

    given = story.add(story.manager, role_answer(made, Role.RESPONSIBLE, DEVICE), on=BEFORE)
    assert [may_open(story.manager.org, late, klass, story.rights()) for klass in range(4)] == [True, True, True, False]

    story.add(story.owner, role_end(given, story.manager.org, Role.RESPONSIBLE, DEVICE, sizes={}), on="2026-03-01")
    assert [may_open(story.manager.org, late, klass, story.rights()) for klass in range(4)] == [
        True,
        True,
        False,
        False,
    ]
    assert may_open(story.manager.org, early, 2, story.rights())
    assert not may_open(story.stranger.org, early, 1, story.rights())


def test_thing_without_an_owner_is_spoken_for_by_who_stated_it_without_authority() -> None:
    """Most installed meters have no maker's node: who registered one names its parties, and it shows as working."""
    story = Story(federation=Federation())
    owner = story.owner
    story.said.clear()
    story.add(owner, identity(CLAIM, PLATE), on="2026-01-01")
    story.add(owner, role_paper(owner, INN, Role.RESPONSIBLE, DEVICE), on=BEFORE)
    story.passes(owner, story.utility, Role.SETTLEMENT, BEFORE)
    story.add(story.stranger, role_paper(story.stranger, "resident", Role.SETTLEMENT, DEVICE), on=BEFORE)

    assert [row[1:] for row in story.holders(Role.RESPONSIBLE, AFTER)] == [("working", "document")]
    assert story.holders(Role.SETTLEMENT, AFTER) == [(story.utility.org.hex(), "stated", "acceptance")]
    assert story.ground(story.utility, FactClass.ADMISSION, AFTER) is Ground.ANYBODY
    assert {right.author for right in story.rights() if right.org == story.utility.org} == {owner.org}


def test_view_tells_again_who_may_speak() -> None:
    """What the passport shows of roles gives the same speakers as the statements, cuts too."""
    story = Story()
    given = story.passes(story.owner, story.manager, Role.RESPONSIBLE, BEFORE)
    story.add(story.owner, role_end(given, story.manager.org, Role.RESPONSIBLE, DEVICE, sizes={story.manager.log: 9}))
    story.add(story.owner, appointment(story.owner, story.source, Role.DATA_SOURCE, DEVICE), on=BEFORE)
    story.add(story.owner, role_paper(story.owner, "resident", Role.TITLE, DEVICE), on="2026-05-01")

    facts = open_case([DEVICE], story.said, story.world).facts[DEVICE]
    told = speakers_of(cast("dict[str, Plain]", story.view["parties"]))

    assert (told.titles, told.makers) == (facts.titles, facts.makers)
    assert sorted(map(repr, told.roles)) == sorted(map(repr, facts.roles))
