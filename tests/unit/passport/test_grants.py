"""What a grant opens and lends, who may give it, and what its end leaves."""

import pytest

from federation.authority import Authority, Kind, Verb
from node.passport import drafts
from node.passport.bodies import Plate
from node.passport.case import open_case
from node.passport.fold import fold
from node.passport.ranks import FactClass, Ground
from node.passport.rights import PASS_ON, may_open, may_read_entry, rights_of
from node.passport.statement import Statement
from node.passport.view import Plain
from node.passport.world import World, build_world
from tests.builders_passport import (
    Author,
    acceptance,
    demo,
    event,
    grant,
    grant_end,
    identity,
    line_claim,
    offer,
    parameters,
    raw,
    verification,
)

PLATE = Plate(designation="СГВ-15", serial="0012345", mark="Демо", read="scan")
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
READ, WRITE = Verb.READ, Verb.WRITE
EVENTS = ("event",)


class Story:
    """A maker made a meter and sold it to an owner; a service, a lab and a stranger stand by."""

    def __init__(self) -> None:
        self.federation, self.maker, self.lab = demo()
        self.owner, self.next, self.service = Author("owner"), Author("next"), Author("service")
        self.stranger, self.friend = Author("stranger"), Author("friend")
        self.said = [self.maker.say(identity(CLAIM, PLATE))]
        self.sells(self.maker, self.owner, "2026-01-10")

    def sells(self, seller: Author, buyer: Author, day: str) -> None:
        """The title passes."""
        made = self.add(seller, offer(seller, buyer, DEVICE), on=day)
        self.add(buyer, acceptance(seller, made, DEVICE), on=day)

    def add(self, author: Author, draft: drafts.Draft, **more: object) -> Statement:
        """Somebody says something."""
        self.said.append(author.say(draft, **more))  # type: ignore[arg-type]  # passed through
        return self.said[-1]

    @property
    def world(self) -> World:
        """With the grants over all that is somebody's."""
        return build_world([*self.federation.published, *self.said], self.federation.genesis)

    def classes(self, org: Author, statement: Statement) -> list[int]:
        """The classes of a statement's sections that an organisation may open."""
        rights = rights_of(open_case([DEVICE], self.said, self.world))
        return [klass for klass in range(6) if may_open(org.org, statement, klass, rights)]

    def ground(self, statement: Statement, fact_class: FactClass = FactClass.PHYSICAL) -> Ground:
        """By what its author says it."""
        return open_case([DEVICE], self.said, self.world).rank(fact_class, statement).ground

    def row(self, statement: Statement) -> dict[str, Plain]:
        """The statement as the passport shows it."""
        view = fold([DEVICE], self.said, self.world)
        shown = view["statements"]
        assert isinstance(shown, list)
        return next(row for row in shown if isinstance(row, dict) and row["id"] == statement.id.hex())


@pytest.mark.parametrize(
    ("granter", "classes", "opened"),
    [
        ("owner", (2,), [0, 1, 2]),
        ("owner", (2, 3), [0, 1, 2, 3]),
        ("maker", (2, 3, 4), [0, 1, 2]),
        ("service", (2, 3, 4), []),
        ("lab", (2, 3, 4, 5), [0, 1, 2, 3, 4]),
    ],
)
def test_grant_opens_what_its_author_may_open(granter: str, classes: tuple[int, ...], opened: list[int]) -> None:
    """Technical: maker and owner too; commercial: the owner; personal: the author alone; secret: nobody in clear."""
    story = Story()
    author = {"owner": story.owner, "maker": story.maker, "service": story.service, "lab": story.lab}[granter]
    story.add(author, grant(author, story.friend, READ, DEVICE, classes=classes))
    said = story.add(story.lab, raw(Kind.EVENT, DEVICE, note=b""), on="2026-03-01")

    assert story.classes(story.friend, said) == opened


def test_grant_of_a_former_owner_opens_what_occurred_in_his_time() -> None:
    """Nobody gives more than he has: what happens under the next owner is his to open."""
    story = Story()
    story.add(story.owner, grant(story.owner, story.friend, READ, DEVICE, classes=(2,)))
    early = story.add(story.lab, raw(Kind.EVENT, DEVICE, note=b""), on="2026-02-01")
    story.sells(story.owner, story.next, "2026-03-01")
    late = story.add(story.lab, raw(Kind.EVENT, DEVICE, note=b""), on="2026-03-02")

    assert (story.classes(story.friend, early), story.classes(story.friend, late)) == ([0, 1, 2], [])


def test_chain_circle_and_self_give_nothing() -> None:
    """A grantee opens his own words and nothing else; two who grant to each other, or to themselves, gain nothing."""
    story = Story()
    story.add(story.owner, grant(story.owner, story.service, READ, DEVICE, classes=(2,)))
    for giver, taker in ((story.service, story.friend), (story.friend, story.service), (story.stranger,) * 2):
        story.add(giver, grant(giver, taker, READ, DEVICE, classes=(2, 3, 4)))
        story.add(giver, grant(giver, taker, WRITE, DEVICE, rows=EVENTS))
    said = story.add(story.lab, raw(Kind.EVENT, DEVICE, note=b""), on="2026-03-01")
    repair = story.add(story.friend, event(DEVICE, "repaired"), on="2026-03-01")

    assert [story.classes(org, said) for org in (story.friend, story.stranger)] == [[], []]
    assert story.classes(story.service, said) == [0, 1, 2]
    assert story.ground(repair) is Ground.ANYBODY


def test_each_verb_serves_itself() -> None:
    """Who may read does not write, who may write does not read, and who may pass on does neither."""
    story = Story()
    reader, writer, dealer = story.service, story.friend, story.stranger
    story.add(story.owner, grant(story.owner, reader, READ, DEVICE, classes=(2,)))
    story.add(story.owner, grant(story.owner, writer, WRITE, DEVICE, rows=EVENTS))
    story.add(story.owner, grant(story.owner, dealer, Verb.PASS_ON, DEVICE, classes=(5,)))
    words = [story.add(author, event(DEVICE, "repaired"), on="2026-03-01") for author in (reader, writer, dealer)]
    said = story.add(story.lab, raw(Kind.EVENT, DEVICE, note=b""), on="2026-03-01")
    rights = rights_of(open_case([DEVICE], story.said, story.world))

    assert [story.ground(word) for word in words] == [Ground.ANYBODY, Ground.GRANTED, Ground.ANYBODY]
    assert [may_read_entry(author.org, said, rights) for author in (reader, writer, dealer)] == [True, False, False]
    assert [right.org for right in rights if right.classes & PASS_ON] == [dealer.org]


@pytest.mark.parametrize(
    ("rows", "kind", "fact_class", "ground"),
    [
        (("event",), "event", FactClass.PHYSICAL, Ground.GRANTED),
        (("event",), "parameter", FactClass.PRODUCTION, Ground.ANYBODY),
        (("event/physical",), "event", FactClass.PHYSICAL, Ground.GRANTED),
        (("event/physical",), "event", FactClass.ADMISSION, Ground.ANYBODY),
        (("event",), "event", FactClass.VERIFICATION, Ground.ANYBODY),
        (("grant", "party"), "event", FactClass.PHYSICAL, Ground.ANYBODY),
    ],
)
def test_grant_to_write_lends_the_granters_authority_for_its_rows(
    rows: tuple[str, ...], kind: str, fact_class: FactClass, ground: Ground
) -> None:
    """A kind, or a class of facts of a kind; an accreditation is nobody's to lend."""
    story = Story()
    story.add(story.owner, grant(story.owner, story.service, WRITE, DEVICE, rows=rows))
    draft = event(DEVICE, "repaired") if kind == "event" else parameters(DEVICE, dn="20")
    said = story.add(story.service, draft, on="2026-03-01")

    assert story.ground(said, fact_class) is ground


def test_accreditation_is_not_lent() -> None:
    """A lab lets a service write protocols: what the service says of a verification is anybody's word."""
    story = Story()
    story.add(story.lab, grant(story.lab, story.service, WRITE, DEVICE, rows=("event", "protocol")))
    said = story.add(story.service, verification(DEVICE), on="2026-03-01")

    assert story.ground(said, FactClass.VERIFICATION) is Ground.ANYBODY


def test_granters_own_word_stands_above_what_he_let_others_write() -> None:
    """Whom the maker lets state parameters cannot bring the maker's own value into dispute."""
    story = Story()
    story.add(story.maker, grant(story.maker, story.service, WRITE, DEVICE, rows=("parameter",)))
    story.add(story.maker, parameters(DEVICE, dn="15"), on="2026-01-05")
    other = story.add(story.service, parameters(DEVICE, dn="20"), on="2026-01-05")
    view = fold([DEVICE], story.said, story.world)

    dn = view["parameters"]
    assert isinstance(dn, dict)
    assert (str(dn["dn"]).count("'20'"), view["conflicts"]) == (1, [])
    assert story.ground(other, FactClass.PRODUCTION) is Ground.GRANTED


def test_ended_grant_keeps_what_was_written_inside_the_cut() -> None:
    """An ended contract does not undo old repairs; later ones stand in their place, with who ended it."""
    story = Story()
    given = story.add(story.owner, grant(story.owner, story.service, WRITE, DEVICE, rows=EVENTS))
    early = story.add(story.service, event(DEVICE, "repaired"), on="2026-02-01")
    sizes = {story.service.log: early.ref.seq + 1}
    story.add(story.owner, grant_end(given, story.service.org, DEVICE, sizes=sizes), on="2026-03-01")
    backdated = story.add(story.service, event(DEVICE, "repaired"), on="2026-02-02")

    assert [story.ground(said) for said in (early, backdated)] == [Ground.GRANTED, Ground.ANYBODY]
    assert [story.row(said)["ended_by"] for said in (early, backdated)] == [None, story.owner.org.hex()]


def test_cut_whose_root_is_not_the_logs_keeps_nothing() -> None:
    """A row of a cut that names another root, or one of a log that is not here so far, counts nothing."""
    story = Story()
    given = story.add(story.owner, grant(story.owner, story.service, WRITE, DEVICE, rows=EVENTS))
    early = story.add(story.service, event(DEVICE, "repaired"), on="2026-02-01")
    end = grant_end(given, story.service.org, DEVICE, sizes={story.service.log: early.ref.seq + 1})
    story.add(story.owner, end, on="2026-03-01", proved=False)

    assert story.ground(early) is Ground.ANYBODY


def test_later_end_of_its_author_widens_the_cut() -> None:
    """Of several cuts each keeps what it keeps."""
    story = Story()
    given = story.add(story.owner, grant(story.owner, story.service, WRITE, DEVICE, rows=EVENTS))
    first, second = (story.add(story.service, event(DEVICE, "repaired"), on="2026-02-01") for _ in range(2))
    for said in (first, second):
        sizes = {story.service.log: said.ref.seq + 1}
        story.add(story.owner, grant_end(given, story.service.org, DEVICE, sizes=sizes), on="2026-03-01")

    assert story.ground(second) is Ground.GRANTED


@pytest.mark.parametrize("is_wider", [True, False])
def test_party_moves_no_cut_of_who_gave_the_grant(is_wider: bool) -> None:
    """Who was let write neither keeps what he wrote after the end by an end of his own, nor undoes what it keeps."""
    story = Story()
    given = story.add(story.owner, grant(story.owner, story.service, WRITE, DEVICE, rows=EVENTS))
    early = story.add(story.service, event(DEVICE, "repaired"), on="2026-02-01")
    sizes = {story.service.log: early.ref.seq + 1}
    story.add(story.owner, grant_end(given, story.service.org, DEVICE, sizes=sizes), on="2026-03-01")
    late = story.add(story.service, event(DEVICE, "repaired"), on="2026-02-02")
    own = {story.service.log: late.ref.seq + 1} if is_wider else {}
    story.add(story.service, grant_end(given, story.service.org, DEVICE, sizes=own), on="2026-02-28")

    assert [story.ground(said) for said in (early, late)] == [Ground.GRANTED, Ground.ANYBODY]


@pytest.mark.parametrize(("who", "left"), [("owner", []), ("service", []), ("stranger", [0, 1, 2])])
def test_grant_to_read_is_ended_by_its_author_or_its_party(who: str, left: list[int]) -> None:
    """After that nothing more is opened by it; the word of a stranger ends nothing."""
    story = Story()
    author = {"owner": story.owner, "service": story.service, "stranger": story.stranger}[who]
    given = story.add(story.owner, grant(story.owner, story.service, READ, DEVICE, classes=(2,)))
    story.add(author, grant_end(given, story.service.org, DEVICE), on="2026-03-01")
    said = story.add(story.lab, raw(Kind.EVENT, DEVICE, note=b""), on="2026-02-01")

    assert story.classes(story.service, said) == left


def test_grant_over_all_that_is_its_authors_reaches_each_of_his_things() -> None:
    """Nil is "mine": an owner's opens what he owns; of things of others it opens his own words, and it can be ended."""
    story = Story()
    mine = story.add(story.owner, grant(story.owner, story.service, READ, classes=(2,)))
    strangers = story.add(story.stranger, grant(story.stranger, story.friend, READ, classes=(2,)))
    own = story.add(story.stranger, event(DEVICE, "removed"), on="2026-03-01")
    said = story.add(story.lab, raw(Kind.EVENT, DEVICE, note=b""), on="2026-03-01")

    assert [story.classes(story.service, one) for one in (said, mine)] == [[0, 1, 2], [0, 1]]
    assert [story.classes(story.friend, one) for one in (said, own)] == [[], [0, 1, 2]]
    assert story.classes(story.maker, strangers) == [0, 1]

    story.add(story.owner, grant_end(mine, story.service.org))
    assert story.classes(story.service, said) == []


@pytest.mark.parametrize("subjects", [(), None])
def test_grant_that_names_nothing_gives_nothing(subjects: tuple[bytes, ...] | None) -> None:
    """An empty set names no thing; nil counts under the author's own id alone."""
    story = Story()
    authority = Authority(READ, story.service.org, (), subjects, (2,))
    story.add(story.owner, drafts.grant(DEVICE, authority, 0))
    said = story.add(story.lab, raw(Kind.EVENT, DEVICE, note=b""), on="2026-03-01")

    assert story.classes(story.service, said) == []
