"""Who may read what before there are grants."""

import pytest

from federation.authority import Authority, Kind, Verb
from node.passport.bodies import Plate
from node.passport.case import open_case
from node.passport.identity import resolve_identity
from node.passport.rights import (
    Right,
    class_mask,
    may_open,
    may_read_entry,
    openings_by_author,
    readers,
    rights_of,
)
from node.passport.statement import Statement
from node.passport.view import moment_us
from node.passport.world import World
from tests.builders_passport import (
    Author,
    acceptance,
    card,
    demo,
    event,
    identity,
    line_claim,
    offer,
    own_claim,
    parameters,
    raw,
    reading,
    verification,
)

PLATE = Plate(designation="СГВ-15", serial="0012345", mark="Демо", read="scan")
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw


class Story:
    """A maker ships to an owner, who shares with a service; a stranger shares with a friend."""

    def __init__(self) -> None:
        self.federation, self.maker, self.lab = demo()
        self.owner, self.next, self.service = Author("owner"), Author("next"), Author("service")
        self.stranger, self.friend = Author("stranger"), Author("friend")
        self.said = [self.maker.say(identity(CLAIM, PLATE)), self.lab.say(verification(DEVICE))]
        self.offered = self.maker.say(offer(self.maker, self.owner, DEVICE), on="2026-02-01")
        self.accepted = self.owner.say(acceptance(self.maker, self.offered, DEVICE), on="2026-02-02")

    @property
    def world(self) -> World:
        return self.federation.world

    def readers(self, said: list[Statement]) -> frozenset[bytes]:
        return readers(said, resolve_identity(said, self.world), self.world)

    def rights(self, said: list[Statement]) -> tuple[Right, ...]:
        return rights_of(open_case([DEVICE], said, self.world))


def test_maker_reads_once_it_speaks() -> None:
    """The attested maker of the line reads what it stated; before that nobody does."""
    story = Story()
    said = [story.lab.say(identity(CLAIM, PLATE))]

    assert story.readers(said) == frozenset()
    assert story.readers([*said, *story.said]) == {story.maker.org}


def test_buyer_reads_once_the_offer_is_accepted_and_stays_a_reader() -> None:
    """An accepted offer makes a reader; who passed the title on still reads."""
    story = Story()
    offered = [*story.said, story.offered]
    accepted = [*offered, story.accepted]
    onward = story.owner.say(offer(story.owner, story.next, DEVICE), on="2026-03-01")
    passed = [*accepted, onward, story.next.say(acceptance(story.owner, onward, DEVICE), on="2026-03-02")]

    assert story.readers(offered) == {story.maker.org}
    assert story.readers(accepted) == {story.maker.org, story.owner.org}
    assert story.readers(passed) == {story.maker.org, story.owner.org, story.next.org}


@pytest.mark.parametrize("in_event", [False, True])
def test_share_of_a_title_holder_opens_everything_and_of_a_stranger_only_his_own(in_event: bool) -> None:
    """Who holds no title opens what he says himself, and to nobody anything else."""
    story = Story()
    said = [*story.said, story.offered, story.accepted]
    for signer, party in ((story.owner, story.service), (story.stranger, story.friend)):
        share = Authority(Verb.READ, party.org, (), (DEVICE,), (2,))
        draft = event(DEVICE, "registered", share=share) if in_event else reading(DEVICE, party, 2)
        said.append(signer.say(draft))
    identity_ = resolve_identity(said, story.world)

    assert story.readers(said) == {story.maker.org, story.owner.org, story.service.org}
    assert openings_by_author(said, identity_, story.world) == {story.friend.org: {story.stranger.org}}
    rights = story.rights(said)
    assert may_read_entry(story.service.org, story.said[0], rights)
    assert not may_read_entry(story.friend.org, story.said[0], rights)
    assert may_read_entry(story.friend.org, story.stranger.say(event(DEVICE, "removed")), rights)


def test_everybody_reads_his_own_and_the_parties_of_a_shipment_its_papers() -> None:
    """An organisation reads what it wrote; an offer is read by whom it names, before there is any right."""
    story = Story()

    assert may_read_entry(story.stranger.org, story.stranger.say(event(DEVICE, "removed")), ())
    assert may_read_entry(story.owner.org, story.offered, ())
    assert may_open(story.owner.org, story.offered, 3, ())
    assert not may_read_entry(story.stranger.org, story.offered, ())


def test_publications_are_everybodys_in_their_public_classes() -> None:
    """A card is read by every member; a technical section in it is not."""
    story = Story()
    said = story.maker.say(card(story.maker, "Завод"))

    assert may_read_entry(story.stranger.org, said, ())
    assert [may_open(story.stranger.org, said, klass, ()) for klass in range(6)] == [True, True] + [False] * 4


@pytest.mark.parametrize(
    ("who", "classes"),
    [
        ("author", {0, 1, 2, 3, 4}),
        ("maker", {0, 1, 2}),
        ("owner", {0, 1, 2, 3}),
        ("former", {0, 1}),
        ("technician", {0, 1, 2}),
        ("reader", {0, 1}),
        ("stranger", set()),
    ],
)
def test_sections_open_by_class(who: str, classes: set[int]) -> None:
    """Technical to author, maker, owner and who was named for it; commercial to author and owner; secret to nobody."""
    story = Story()
    author, former, owner = Author("author"), Author("former"), Author("owner")
    said = [*story.said]
    for seller, buyer, day in ((story.maker, former, "2026-01-10"), (former, owner, "2026-01-20")):
        made = seller.say(offer(seller, buyer, DEVICE), on=day)
        said += [made, buyer.say(acceptance(seller, made, DEVICE), on=day)]
    said += [owner.say(reading(DEVICE, Author("technician"), 2)), owner.say(reading(DEVICE, Author("reader"), 0))]
    rights = story.rights(said)
    statement = author.say(raw(Kind.EVENT, DEVICE, note=b""), on="2026-03-01")

    opened = {klass for klass in range(8) if may_open(Author(who).org, statement, klass, rights)}

    assert opened == classes


def test_owner_reads_the_technical_history_from_before_it_bought() -> None:
    """What was measured in the maker's shop is the buyer's, what was agreed in its office is not."""
    story = Story()
    bench = story.maker.say(parameters(DEVICE, dn="15"), on="2026-01-01")
    rights = story.rights([*story.said, story.offered, story.accepted])

    assert may_open(story.owner.org, bench, 2, rights)
    assert not may_open(story.owner.org, bench, 3, rights)


def test_later_owner_reads_no_papers_of_an_earlier_shipment() -> None:
    """The commercial part of a shipment is its two parties'."""
    story = Story()
    onward = story.owner.say(offer(story.owner, story.next, DEVICE), on="2026-03-01")
    last = story.next.say(acceptance(story.owner, onward, DEVICE), on="2026-03-02")
    rights = story.rights([*story.said, story.offered, story.accepted, onward, last])

    assert may_read_entry(story.next.org, story.offered, rights)
    assert not may_open(story.next.org, story.offered, 3, rights)
    assert may_open(story.next.org, onward, 3, rights)


def test_share_with_an_end_covers_what_occurred_before_it() -> None:
    """From and to of a share bound the time of the facts that it opens."""
    story = Story()
    right = Right(DEVICE, story.service.org, None, class_mask(0, 1), until=moment_us("2026-03-01"))
    before, after = (story.lab.say(event(DEVICE, "verified"), on=day) for day in ("2026-02-28", "2026-03-01"))

    assert may_read_entry(story.service.org, before, [right])
    assert not may_read_entry(story.service.org, after, [right])


def test_join_gives_no_right_over_the_other_subject() -> None:
    """Rights stay with the id they were given for, though both subjects are shown as one passport."""
    story = Story()
    claim = own_claim(story.stranger)
    own = story.stranger.say(identity(claim, PLATE))
    said = [*story.said, own]
    joined = resolve_identity(said, story.world)
    rights = rights_of(open_case(joined.members, said, story.world))

    assert set(joined.members) == {DEVICE, claim.subject.raw}
    assert not may_read_entry(story.maker.org, own, rights)
    assert not may_read_entry(story.stranger.org, story.said[0], rights)
