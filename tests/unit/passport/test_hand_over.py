"""Hand-over by cuts: what a former holder may still say, which of two accepted offers counts, network, escrow."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from federation.authority import Verb
from federation.fragment import SectionClass
from node.passport.case import Case, open_case
from node.passport.cuts import Awaited, awaited_by
from node.passport.fold import fold
from node.passport.kept import Kept, decode_kept, encode_kept
from node.passport.ranks import FactClass, Ground
from node.passport.rights import may_open
from node.passport.roles import PartyRole as Role
from node.passport.shown import rows
from node.passport.statement import Statement
from node.passport.view import dump_view
from tests.builders_passport import (
    Author,
    appointment,
    event,
    grant,
    grant_end,
    offer,
    parameters,
    radio,
    role_answer,
    role_end,
    role_offer,
    role_paper,
)
from tests.unit.passport.test_roles import AFTER, BEFORE, DEVICE, LONG_AGO, Story

SOLD = "2026-03-01"
"""When the thing is handed over in these stories."""


def accepts(
    story: Story, party: Author, made: Statement, role: Role, on: str = SOLD, knows: int | None = None
) -> Statement:
    """A party accepts and names the log of who offered, as far as it goes now or up to a size."""
    author = next(a for a in everybody(story) if a.org == made.org)
    sizes = {author.log: author.seq if knows is None else knows}
    return story.add(party, role_answer(made, role, DEVICE, sizes=sizes), on=on)


def everybody(story: Story) -> tuple[Author, ...]:
    """All who speak in a story."""
    return (story.maker, story.owner, story.manager, story.utility, story.source, story.stranger)


def passes(story: Story, seller: Author, party: Author, role: Role, on: str = SOLD) -> Statement:
    """An offer with an acceptance that names how far the seller's log is known; the acceptance is answered."""
    made = story.add(seller, role_offer(seller, party, role, DEVICE), on=on)
    return accepts(story, party, made, role, on)


def case_of(story: Story) -> Case:
    """Everything that follows from what was said."""
    return open_case([DEVICE], story.said, story.world)


def holders(story: Story, role: Role, on: str = AFTER) -> list[bytes]:
    """Who holds a role at the end of a day."""
    return [bytes.fromhex(party) for party, _, _ in story.holders(role, on)]


# What a former holder may still say


@pytest.mark.parametrize(
    ("role", "fact_class", "ground"),
    [
        (Role.TITLE, FactClass.OWNERSHIP, Ground.TITLE),
        (Role.RESPONSIBLE, FactClass.OWNERSHIP, Ground.RESPONSIBLE),
        (Role.NETWORK, FactClass.RADIO, Ground.NETWORK),
    ],
)
def test_former_holder_counts_inside_the_cut_of_who_took_over(
    role: Role, fact_class: FactClass, ground: Ground
) -> None:
    """What was said before the hand-over keeps its rank for ever; what is said after it has none, whatever its date."""
    story = Story()
    former, said_by = story.manager, story.owner
    if role is Role.NETWORK:
        given = story.add(said_by, appointment(said_by, former, role, DEVICE), on=BEFORE)
    else:
        given = passes(story, said_by, former, role, BEFORE)
    early = story.add(former, event(DEVICE, "repaired"), on="2026-02-10")
    made = story.add(former, role_offer(former, story.utility, role, DEVICE), on=SOLD, auth=[given])
    accepts(story, story.utility, made, role)
    late = story.add(former, event(DEVICE, "repaired", external="2"), on="2026-02-11")

    assert story.ground(former, fact_class, "2026-02-10", early) is ground
    assert story.ground(former, fact_class, "2026-02-11", late) is Ground.ANYBODY
    assert story.ground(story.utility, fact_class, AFTER) is ground
    assert story.ground(former, fact_class, AFTER) is Ground.ANYBODY
    shown = {row["ref"]: row["ended_by"] for row in rows(story.view, "statements")}
    by_seq = {str(ref).split(":")[1]: by for ref, by in shown.items() if str(ref).startswith(former.log.hex())}
    assert (by_seq[str(early.ref.seq)], by_seq[str(late.ref.seq)]) == (None, story.utility.org.hex())


def test_new_holder_widens_the_cut_and_a_former_one_does_not() -> None:
    """A second acceptance with a larger cut lets later words count; said after passing on it widens nothing."""
    story = Story()
    made = story.add(story.owner, role_offer(story.owner, story.manager, Role.TITLE, DEVICE), on=SOLD)
    accepts(story, story.manager, made, Role.TITLE)
    late = story.add(story.owner, event(DEVICE, "repaired"), on="2026-02-10")
    assert story.ground(story.owner, FactClass.OWNERSHIP, "2026-02-10", late) is Ground.ANYBODY

    accepts(story, story.manager, made, Role.TITLE, on=AFTER)

    assert story.ground(story.owner, FactClass.OWNERSHIP, "2026-02-10", late) is Ground.TITLE
    assert holders(story, Role.TITLE) == [story.manager.org]
    passes(story, story.manager, story.utility, Role.TITLE, "2026-05-01")
    later = story.add(story.owner, event(DEVICE, "repaired", external="2"), on="2026-02-10")
    accepts(story, story.manager, made, Role.TITLE, on=SOLD)
    assert story.ground(story.owner, FactClass.OWNERSHIP, "2026-02-10", later) is Ground.ANYBODY
    assert story.ground(story.owner, FactClass.OWNERSHIP, "2026-02-10", late) is Ground.TITLE


def test_acceptance_without_a_cut_means_what_it_meant() -> None:
    """Who took over without a word on logs set no limit: the former owner speaks of his own time."""
    story = Story()
    story.passes(story.owner, story.manager, Role.TITLE, SOLD)
    late = story.add(story.owner, event(DEVICE, "repaired"), on="2026-02-10")

    assert story.ground(story.owner, FactClass.OWNERSHIP, "2026-02-10", late) is Ground.TITLE
    assert [row["ended_by"] for row in rows(story.view, "parties", "roles") if row["role"] == Role.TITLE] == [None] * 3


def test_root_that_is_not_the_logs_keeps_nothing_until_the_log_is_here() -> None:
    """A row of a cut counts by its root, but for what stands before the offer; the passport waits for the log."""
    story = Story()
    before = story.add(story.owner, event(DEVICE, "repaired"), on=BEFORE)
    made = story.add(story.owner, role_offer(story.owner, story.manager, Role.TITLE, DEVICE), on=SOLD)
    early = story.add(story.owner, event(DEVICE, "repaired", external="2"), on=BEFORE)
    draft = role_answer(made, Role.TITLE, DEVICE, sizes={story.owner.log: story.owner.seq})
    answer = story.manager.say(draft, on=SOLD, proved=False)
    story.said.append(answer)

    assert story.ground(story.owner, FactClass.OWNERSHIP, BEFORE, before) is Ground.TITLE
    assert story.ground(story.owner, FactClass.OWNERSHIP, BEFORE, early) is Ground.ANYBODY
    assert holders(story, Role.TITLE) == [story.manager.org]
    assert awaited_by(case_of(story)) == {Awaited(story.owner.log, story.owner.seq, is_size=True)}

    story.said[-1] = replace(answer, cut=((story.owner.log, story.owner.seq),))
    assert story.ground(story.owner, FactClass.OWNERSHIP, BEFORE, early) is Ground.TITLE
    assert not awaited_by(case_of(story))


def test_former_owner_gives_and_opens_nothing_by_dates_of_his_own_time() -> None:
    """Said after the hand-over and dated before it: nothing is given, passed on, opened, lent or ended."""
    story = Story()
    given = story.add(story.owner, appointment(story.owner, story.source, Role.DATA_SOURCE, DEVICE), on=BEFORE)
    measured = story.add(story.source, parameters(DEVICE, rssi="-70"), on="2026-02-10")
    passes(story, story.owner, story.manager, Role.TITLE)
    story.add(story.owner, appointment(story.owner, story.stranger, Role.PROCESS_OWNER, DEVICE), on=BEFORE)
    made = story.add(story.owner, role_offer(story.owner, story.stranger, Role.SETTLEMENT, DEVICE), on=BEFORE)
    story.add(story.stranger, role_answer(made, Role.SETTLEMENT, DEVICE), on=BEFORE)
    story.add(story.owner, grant(story.owner, story.stranger, Verb.READ, DEVICE, classes=[2]), on=BEFORE)
    story.add(story.owner, grant(story.owner, story.stranger, Verb.WRITE, DEVICE, rows=["event"]), on=BEFORE)
    story.add(story.owner, role_end(given, story.source.org, Role.DATA_SOURCE, DEVICE, sizes={}), on="2026-02-02")
    forged = story.add(story.stranger, event(DEVICE, "repaired"), on="2026-02-10")

    assert holders(story, Role.PROCESS_OWNER, "2026-02-15") == []
    assert story.reasons(Role.PROCESS_OWNER) == [("ineffective", "not-entitled")]
    assert story.reasons(Role.SETTLEMENT) == [("ineffective", "passed-already")]
    assert not may_open(story.stranger.org, measured, SectionClass.TECHNICAL, story.rights())
    assert story.ground(story.stranger, FactClass.OBSERVATION, "2026-02-10", forged) is Ground.ANYBODY
    assert holders(story, Role.DATA_SOURCE) == [story.source.org]


# Ends by dates


@pytest.mark.parametrize("knows", [None, 0])
def test_who_passed_a_role_on_does_not_undo_it_by_an_end_of_an_earlier_date(knows: int | None) -> None:
    """With a cut in the acceptance or without one: his end was said after he passed it on."""
    story = Story()
    given = story.passes(story.owner, story.manager, Role.RESPONSIBLE, BEFORE)
    made = story.add(story.manager, role_offer(story.manager, story.utility, Role.RESPONSIBLE, DEVICE), on=SOLD)
    sizes = None if knows is None else {story.manager.log: story.manager.seq}
    story.add(story.utility, role_answer(made, Role.RESPONSIBLE, DEVICE, sizes=sizes), on=SOLD)
    own = {story.manager.log: story.manager.seq}
    ending = role_end(given, story.manager.org, Role.RESPONSIBLE, DEVICE, sizes=own)
    story.add(story.manager, ending, on="2026-02-02")

    assert holders(story, Role.RESPONSIBLE) == [story.utility.org]
    assert holders(story, Role.RESPONSIBLE, "2026-02-15") == [story.manager.org]


def test_end_that_the_next_holder_knew_came_first_whatever_it_is_dated() -> None:
    """A holder resigned, and his old offer was accepted with an earlier date: the cut of that tells the order."""
    story = Story()
    given = story.passes(story.owner, story.manager, Role.RESPONSIBLE, BEFORE)
    made = story.add(story.manager, role_offer(story.manager, story.utility, Role.RESPONSIBLE, DEVICE), on=SOLD)
    own = {story.manager.log: story.manager.seq}
    story.add(story.manager, role_end(given, story.manager.org, Role.RESPONSIBLE, DEVICE, sizes=own), on="2026-04-01")
    accepts(story, story.utility, made, Role.RESPONSIBLE, on=SOLD)

    assert holders(story, Role.RESPONSIBLE) == [story.owner.org]


@pytest.mark.parametrize("is_known", [True, False])
def test_owner_ends_a_role_and_an_acceptance_that_his_cut_leaves_out_takes_nothing_over(is_known: bool) -> None:
    """Who ends a role names how far the log of the other party is known: dates of the acceptance decide nothing."""
    story = Story()
    given = story.passes(story.owner, story.manager, Role.RESPONSIBLE, BEFORE)
    made = story.add(story.manager, role_offer(story.manager, story.utility, Role.RESPONSIBLE, DEVICE), on=SOLD)
    story.add(story.utility, event(DEVICE, "repaired"), on=BEFORE)
    answer = accepts(story, story.utility, made, Role.RESPONSIBLE, on="2026-03-05")
    sizes = {story.manager.log: story.manager.seq, story.utility.log: answer.ref.seq + is_known}
    on = "2026-03-02" if is_known else "2026-03-09"
    story.add(story.owner, role_end(given, story.manager.org, Role.RESPONSIBLE, DEVICE, sizes=sizes), on=on)

    assert holders(story, Role.RESPONSIBLE) == [story.utility.org if is_known else story.owner.org]


@pytest.mark.parametrize("role", [Role.TITLE, Role.RESPONSIBLE, Role.NETWORK])
def test_withdrawal_after_the_acceptance_undoes_nothing(role: Role) -> None:
    """Who passed it on says later, with an empty cut and an early date, that he had taken it back: it stands."""
    story = Story()
    given = passes(story, story.owner, story.manager, role, LONG_AGO)
    made = story.add(story.manager, role_offer(story.manager, story.utility, role, DEVICE), on=BEFORE, auth=[given])
    accepts(story, story.utility, made, role, on=SOLD)
    story.add(story.manager, role_end(made, story.utility.org, role, DEVICE, sizes={}), on=BEFORE)

    assert holders(story, role) == [story.utility.org]


@pytest.mark.parametrize("role", [Role.TITLE, Role.SETTLEMENT, Role.NETWORK])
def test_withdrawal_that_the_party_knew_stands_and_the_acceptance_counts_nothing(role: Role) -> None:
    """Whoever accepts what was taken back before, by his own cut, gets nothing, whatever date he writes."""
    story = Story()
    made = story.add(story.owner, role_offer(story.owner, story.manager, role, DEVICE), on=BEFORE)
    story.add(story.owner, role_end(made, story.manager.org, role, DEVICE, sizes={}), on=SOLD)
    accepts(story, story.manager, made, role, on=BEFORE)

    assert story.manager.org not in holders(story, role)
    assert story.reasons(role) == [("ineffective", "withdrawn")]


def test_title_begins_when_it_was_offered_at_the_earliest() -> None:
    """A date of the acceptance before the offer takes nothing of the former owner's time."""
    story = Story()
    made = story.add(story.owner, role_offer(story.owner, story.manager, Role.TITLE, DEVICE), on=SOLD)
    accepts(story, story.manager, made, Role.TITLE, on=LONG_AGO)

    assert holders(story, Role.TITLE, BEFORE) == [story.owner.org]
    assert holders(story, Role.TITLE) == [story.manager.org]


def test_acceptance_after_the_offer_lapsed_counts_nothing() -> None:
    """An offer lapses at its time, which is excluded; it shows as expired."""
    story = Story()
    made = story.add(story.owner, role_offer(story.owner, story.manager, Role.TITLE, DEVICE, until=SOLD), on=BEFORE)
    accepts(story, story.manager, made, Role.TITLE, on=SOLD)

    assert holders(story, Role.TITLE) == [story.owner.org]
    assert story.reasons(Role.TITLE) == [("ineffective", "expired")]


# Two accepted offers


def sold_twice(story: Story, role: Role, known: tuple[bool, bool]) -> tuple[Statement, Statement]:
    """The owner offers to two; each accepts, knowing the other's offer or not. The offers are answered."""
    first, second = (
        story.add(story.owner, role_offer(story.owner, party, role, DEVICE), on=BEFORE)
        for party in (story.manager, story.utility)
    )
    for party, made, knows in ((story.manager, first, known[0]), (story.utility, second, known[1])):
        accepts(story, party, made, role, knows=story.owner.seq if knows else made.ref.seq + 1)
    return first, second


@pytest.mark.parametrize("role", [Role.TITLE, Role.RESPONSIBLE, Role.SETTLEMENT, Role.NETWORK])
def test_two_accepted_offers_leave_nobody_with_it_and_the_old_owner_decides(role: Role) -> None:
    """Nobody holds it from then on, both read what it is about, and his word ends one: three clear answers."""
    story = Story()
    _, second = sold_twice(story, role, (True, True))

    assert holders(story, role) == []
    assert story.reasons(role) == [("disputed", "None")] * 2
    what = "parties.owner" if role is Role.TITLE else f"parties.{role.value}"
    assert [row["what"] for row in rows(story.view, "conflicts")] == [what] * 2
    for party in (story.manager, story.utility):
        assert may_open(party.org, story.said[0], SectionClass.AUTHORITY, story.rights())
        assert not may_open(party.org, story.said[0], SectionClass.TECHNICAL, story.rights())

    story.add(story.owner, role_end(second, story.utility.org, role, DEVICE, sizes={}), on=AFTER)

    assert holders(story, role, SOLD) == holders(story, role) == [story.manager.org]
    assert story.reasons(role) == [("ineffective", "not-chosen")]
    assert not rows(story.view, "conflicts")


def test_nobody_has_the_owners_authority_while_two_titles_contradict_each_other() -> None:
    """Neither of the two nor the old owner gives a role, gets a key or ranks as the owner of that time."""
    story = Story()
    sold_twice(story, Role.TITLE, (True, True))
    for author in (story.owner, story.manager, story.utility):
        story.add(author, appointment(author, story.source, Role.DATA_SOURCE, DEVICE), on=AFTER)
        assert story.ground(author, FactClass.OWNERSHIP, AFTER) is Ground.ANYBODY

    assert story.ground(story.owner, FactClass.OWNERSHIP, LONG_AGO) is Ground.TITLE
    assert holders(story, Role.DATA_SOURCE) == holders(story, Role.RESPONSIBLE) == []
    assert not keepers(story)


@pytest.mark.parametrize("is_settled_by", ["a third offer", "an end"])
def test_old_owner_decides_between_two_titles(is_settled_by: str) -> None:
    """By an end of one offer, or by one more offer that names both and is accepted."""
    story = Story()
    first, second = sold_twice(story, Role.TITLE, (True, True))
    if is_settled_by == "an end":
        story.add(story.owner, role_end(first, story.manager.org, Role.TITLE, DEVICE, sizes={}), on=AFTER)
        winner = story.utility
    else:
        draft = role_offer(story.owner, story.source, Role.TITLE, DEVICE)
        third = story.owner.say(draft, refs=[first, second], on=AFTER)
        story.said.append(third)
        accepts(story, story.source, third, Role.TITLE, on=AFTER)
        winner = story.source

    assert holders(story, Role.TITLE, "2026-12-01") == [winner.org]
    assert {state for state, _ in story.reasons(Role.TITLE)} == {"ineffective"}


def test_offer_made_after_the_acceptance_of_another_contradicts_nothing() -> None:
    """The one who sold offers anew and dates it before: the cut of the first acceptance does not know it."""
    story = Story()
    passes(story, story.owner, story.manager, Role.TITLE)
    forged = story.add(story.owner, role_offer(story.owner, story.stranger, Role.TITLE, DEVICE), on=LONG_AGO)
    accepts(story, story.stranger, forged, Role.TITLE, on=LONG_AGO)
    story.add(story.owner, role_end(story.said[3], story.manager.org, Role.TITLE, DEVICE, sizes={}), on=LONG_AGO)

    assert holders(story, Role.TITLE) == [story.manager.org]
    assert story.reasons(Role.TITLE) == [("ineffective", "passed-already")]
    assert not rows(story.view, "conflicts")


def test_first_acceptance_of_one_party_counts_and_contradicts_nothing() -> None:
    """One party accepts two offers of one thing: in one log the lower seq wins."""
    story = Story()
    offers = [
        story.add(story.owner, role_offer(story.owner, story.manager, Role.TITLE, DEVICE), on=day)
        for day in (BEFORE, "2026-02-02")
    ]
    for made, day in ((offers[1], "2026-02-05"), (offers[0], "2026-02-06")):
        accepts(story, story.manager, made, Role.TITLE, on=day)

    assert holders(story, Role.TITLE) == [story.manager.org]
    assert holders(story, Role.TITLE, "2026-02-05") == [story.manager.org]
    assert not rows(story.view, "conflicts")


def test_second_offer_that_ends_the_first_leaves_one_that_can_be_accepted() -> None:
    """An end of the first offer goes with the second: who accepts the first anyway, and knew, gets nothing."""
    story = Story()
    first = story.add(story.owner, role_offer(story.owner, story.manager, Role.TITLE, DEVICE), on=BEFORE)
    story.add(story.owner, role_end(first, story.manager.org, Role.TITLE, DEVICE, sizes={}), on=BEFORE)
    second = story.add(story.owner, role_offer(story.owner, story.utility, Role.TITLE, DEVICE), on=BEFORE)
    accepts(story, story.manager, first, Role.TITLE)
    accepts(story, story.utility, second, Role.TITLE)

    assert holders(story, Role.TITLE) == [story.utility.org]
    assert story.reasons(Role.TITLE) == [("ineffective", "withdrawn")]


def test_what_a_document_passed_on_before_an_acceptance_is_not_sold_again() -> None:
    """The buyer who knew that the thing went to a resident by a document gets nothing by an older offer."""
    story = Story()
    made = story.add(story.owner, role_offer(story.owner, story.manager, Role.TITLE, DEVICE), on=BEFORE)
    story.add(story.owner, role_paper(story.owner, "resident", Role.TITLE, DEVICE), on=SOLD)
    accepts(story, story.manager, made, Role.TITLE, on=BEFORE)

    assert [basis for _, _, basis in story.holders(Role.TITLE, AFTER)] == ["document"]
    assert not rows(story.view, "conflicts")


# Network


def test_network_passes_from_network_owner_to_network_owner() -> None:
    """Given by the owner, offered on by its holder, and ended by the responsible party of the thing."""
    story = Story()
    given = story.add(story.owner, appointment(story.owner, story.source, Role.NETWORK, DEVICE), on=BEFORE)
    made = story.add(story.source, role_offer(story.source, story.utility, Role.NETWORK, DEVICE), on=SOLD, auth=[given])
    waiting = story.reasons(Role.NETWORK)
    taken = accepts(story, story.utility, made, Role.NETWORK)

    assert waiting == [("waiting", "None")]
    assert holders(story, Role.NETWORK, "2026-02-15") == [story.source.org]
    assert story.holders(Role.NETWORK, AFTER) == [(story.utility.org.hex(), "agreed", "acceptance")]
    story.passes(story.owner, story.manager, Role.RESPONSIBLE, SOLD)
    story.add(story.source, role_end(taken, story.utility.org, Role.NETWORK, DEVICE, sizes={}), on="2026-07-01")
    assert holders(story, Role.NETWORK, "2026-08-01") == [story.utility.org]
    story.add(story.manager, role_end(taken, story.utility.org, Role.NETWORK, DEVICE, sizes={}), on="2026-07-01")
    assert holders(story, Role.NETWORK, "2026-08-01") == []
    assert story.reasons(Role.NETWORK) == []


def test_network_is_offered_by_who_speaks_for_the_thing_and_by_nobody_else() -> None:
    """The owner offers it as he may give it; a stranger, and who has passed it on, offer in vain."""
    story = Story()
    passes(story, story.owner, story.source, Role.NETWORK, BEFORE)
    made = story.add(story.source, role_offer(story.source, story.utility, Role.NETWORK, DEVICE), on=SOLD)
    brought = next(s for s in story.said if s.org == story.source.org)
    story.said[-1] = replace(made, auth=(brought.ref,))
    accepts(story, story.utility, story.said[-1], Role.NETWORK)
    again = story.add(story.source, role_offer(story.source, story.stranger, Role.NETWORK, DEVICE), on=SOLD)
    story.said[-1] = replace(again, auth=(brought.ref,))
    accepts(story, story.stranger, story.said[-1], Role.NETWORK)
    passes(story, story.stranger, story.manager, Role.NETWORK)

    assert holders(story, Role.NETWORK) == [story.utility.org]
    assert sorted(story.reasons(Role.NETWORK)) == [
        ("ineffective", "not-the-holder"),
        ("ineffective", "passed-already"),
    ]


def test_network_is_passed_on_for_no_longer_than_it_was_given() -> None:
    """Nobody passes on more than he has."""
    story = Story()
    timed = appointment(story.owner, story.source, Role.NETWORK, DEVICE, until="2026-09-01")
    given = story.add(story.owner, timed, on=BEFORE)
    made = story.add(story.source, role_offer(story.source, story.utility, Role.NETWORK, DEVICE), on=SOLD, auth=[given])
    accepts(story, story.utility, made, Role.NETWORK)

    assert holders(story, Role.NETWORK, "2026-08-31") == [story.utility.org]
    assert holders(story, Role.NETWORK, "2026-09-01") == []


def test_networks_of_two_appointments_pass_on_each_by_itself() -> None:
    """What one network owner hands over takes nothing from the other."""
    story = Story()
    givens = [
        story.add(story.owner, appointment(story.owner, party, Role.NETWORK, DEVICE), on=BEFORE)
        for party in (story.source, story.manager)
    ]
    made = story.add(
        story.source, role_offer(story.source, story.utility, Role.NETWORK, DEVICE), on=SOLD, auth=givens[:1]
    )
    accepts(story, story.utility, made, Role.NETWORK)

    assert sorted(holders(story, Role.NETWORK)) == sorted([story.utility.org, story.manager.org])


# Escrow, keys and rights


def keepers(story: Story) -> list[bytes]:
    """Who may have what is sealed of the thing."""
    bit = 1 << SectionClass.SECRET
    return sorted({right.org for right in story.rights() if right.author is None and right.classes & bit})


def test_escrow_is_named_by_who_holds_the_title_and_ended_by_him() -> None:
    """It has what is secret and technical, nothing commercial or personal; the responsible party names none."""
    story = Story()
    story.add(story.maker, radio(DEVICE), on="2026-01-01")
    story.passes(story.owner, story.manager, Role.RESPONSIBLE, BEFORE)
    given = story.add(story.owner, appointment(story.owner, story.source, Role.ESCROW, DEVICE), on=BEFORE)
    story.add(story.manager, appointment(story.manager, story.stranger, Role.ESCROW, DEVICE), on=BEFORE)

    assert keepers(story) == sorted([story.owner.org, story.source.org])
    assert story.reasons(Role.ESCROW) == [("ineffective", "not-entitled")]
    classes = [klass for klass in range(5) if may_open(story.source.org, story.said[0], klass, story.rights())]
    assert classes == [0, 1, 2]
    for fact_class in FactClass:
        assert story.ground(story.source, fact_class, AFTER) is Ground.ANYBODY

    ending = role_end(given, story.source.org, Role.ESCROW, DEVICE, sizes={})
    story.add(story.manager, ending, on=SOLD)
    assert story.source.org in keepers(story)
    story.add(story.owner, ending, on=SOLD)
    assert keepers(story) == [story.owner.org]


def test_maker_names_an_escrow_at_production_and_it_stays_with_the_thing() -> None:
    """The next owner finds it, gets the keys himself, and ends it when he likes."""
    story = Story()
    del story.said[1:]
    given = story.add(story.maker, appointment(story.maker, story.source, Role.ESCROW, DEVICE), on="2026-01-01")
    assert keepers(story) == sorted([story.maker.org, story.source.org])

    passes(story, story.maker, story.owner, Role.TITLE, "2026-01-05")

    assert keepers(story) == sorted([story.owner.org, story.source.org])
    story.add(story.maker, role_end(given, story.source.org, Role.ESCROW, DEVICE, sizes={}), on="2026-01-02")
    assert story.source.org in keepers(story)
    story.add(story.owner, role_end(given, story.source.org, Role.ESCROW, DEVICE, sizes={}), on=SOLD)
    assert keepers(story) == [story.owner.org]


def test_new_owner_opens_what_the_old_one_could_and_grants_of_the_old_one_end_with_his_title() -> None:
    """Over others' words a grant reaches up to the hand-over; over its author's own words it stays."""
    story = Story()
    story.add(story.owner, grant(story.owner, story.stranger, Verb.READ, DEVICE, classes=[2, 5]), on=BEFORE)
    early = story.add(story.maker, parameters(DEVICE, dn="15"), on=BEFORE)
    passes(story, story.owner, story.manager, Role.TITLE)
    late = story.add(story.maker, parameters(DEVICE, dn="15"), on=AFTER)
    own = story.add(story.owner, parameters(DEVICE, rssi="-70"), on=AFTER)
    told = [may_open(story.stranger.org, said, SectionClass.TECHNICAL, story.rights()) for said in (early, late, own)]

    assert told == [True, False, True]
    assert keepers(story) == [story.manager.org]
    story.add(story.manager, grant(story.manager, story.stranger, Verb.READ, DEVICE, classes=[2]), on=AFTER)
    assert may_open(story.stranger.org, late, SectionClass.TECHNICAL, story.rights())


def test_roles_that_the_old_owner_gave_stay_until_the_new_one_ends_them() -> None:
    """The reader of meters goes on after the sale; the new owner ends it, the old one no more."""
    story = Story()
    given = story.add(story.owner, appointment(story.owner, story.source, Role.DATA_SOURCE, DEVICE), on=BEFORE)
    passes(story, story.owner, story.manager, Role.TITLE)
    story.add(story.owner, role_end(given, story.source.org, Role.DATA_SOURCE, DEVICE, sizes={}), on="2026-04-01")
    assert holders(story, Role.DATA_SOURCE) == [story.source.org]

    story.add(story.manager, role_end(given, story.source.org, Role.DATA_SOURCE, DEVICE, sizes={}), on="2026-05-01")
    assert holders(story, Role.DATA_SOURCE) == []


def test_new_owner_ends_what_the_old_one_let_others_write() -> None:
    """Words of the old owner's time that the helper signs after that have no rank; those before keep it."""
    story = Story()
    lent = story.add(story.owner, grant(story.owner, story.source, Verb.WRITE, DEVICE, rows=["event"]), on=BEFORE)
    early = story.add(story.source, event(DEVICE, "repaired"), on="2026-02-10")
    passes(story, story.owner, story.manager, Role.TITLE)
    sizes = {story.source.log: story.source.seq}
    ending = grant_end(lent, story.source.org, DEVICE, sizes=sizes)
    late = story.add(story.source, event(DEVICE, "repaired", external="2"), on="2026-02-11")
    story.add(story.stranger, ending, on=SOLD)
    ranks = [case_of(story).rank(FactClass.PHYSICAL, said).ground for said in (early, late)]
    assert ranks == [Ground.GRANTED] * 2

    story.add(story.manager, ending, on=AFTER)

    ranks = [case_of(story).rank(FactClass.PHYSICAL, said).ground for said in (early, late)]
    assert ranks == [Ground.GRANTED, Ground.ANYBODY]
    shown = {row["ref"]: row["ended_by"] for row in rows(story.view, "statements")}
    assert [by for ref, by in shown.items() if str(ref).startswith(story.source.log.hex())] == [
        None, story.manager.org.hex(),
    ]  # fmt: skip


def test_offer_of_a_title_shows_headers_to_whom_it_is_made() -> None:
    """Who is to take a thing over reads who stands to it; what is technical comes with the title."""
    story = Story()
    story.add(story.owner, role_offer(story.owner, story.manager, Role.TITLE, DEVICE), on=BEFORE)
    story.add(story.owner, offer(story.owner, story.utility, DEVICE), on=BEFORE)

    opened = [may_open(story.manager.org, story.said[0], klass, story.rights()) for klass in range(3)]
    assert opened == [True, True, False]
    assert not may_open(story.utility.org, story.said[0], SectionClass.AUTHORITY, story.rights())


# Any order, any copy


def long_story() -> Story:
    """A thing that changes hands, with what each of them says before and after, ends and contradictions."""
    story = Story()
    given = story.add(story.owner, appointment(story.owner, story.source, Role.NETWORK, DEVICE), on=BEFORE)
    made = story.add(story.source, role_offer(story.source, story.utility, Role.NETWORK, DEVICE), on=SOLD, auth=[given])
    accepts(story, story.utility, made, Role.NETWORK)
    passes(story, story.owner, story.manager, Role.TITLE)
    sold_twice_by(story, story.manager, Role.SETTLEMENT)
    story.add(story.owner, event(DEVICE, "repaired"), on=BEFORE)
    story.add(story.owner, role_end(given, story.source.org, Role.NETWORK, DEVICE, sizes={}), on=BEFORE)
    return story


def sold_twice_by(story: Story, owner: Author, role: Role) -> None:
    """Two offers of an owner are accepted."""
    made = [
        story.add(owner, role_offer(owner, party, role, DEVICE), on="2026-04-01")
        for party in (story.utility, story.stranger)
    ]
    for one, party in zip(made, (story.utility, story.stranger), strict=True):
        accepts(story, party, one, role, on="2026-04-02", knows=owner.seq)


def test_any_order_of_arrival_folds_to_the_same_bytes() -> None:
    """Statements forwards, backwards and in turns, some twice: one view."""
    story = long_story()
    said = story.said
    orders: list[Sequence[Statement]] = [said, said[::-1], [*said[::2], *said[1::2], *said[:4]]]
    orders += [said[at:] + said[:at] for at in range(1, len(said), 3)]

    folded = {dump_view(fold([DEVICE], order, story.world)) for order in orders}

    assert len(folded) == 1


def test_what_is_kept_of_a_passport_keeps_its_cuts() -> None:
    """One more event is judged by the facts as they were stored: cuts of titles and what was lent, too."""
    story = long_story()
    story.add(story.manager, grant(story.manager, story.stranger, Verb.WRITE, DEVICE, rows=["event"]), on=AFTER)
    case = case_of(story)

    told = decode_kept(encode_kept(Kept(case.facts, frozenset(), frozenset(), b""))).facts[DEVICE]

    assert told.titles == case.facts[DEVICE].titles
    assert told.delegations == case.facts[DEVICE].delegations
    assert [title.passed_to for title in told.titles] == [None, story.manager.org, None]
