"""Where organisations stand in a federation, and what still counts of those that it lost."""

import itertools

import pytest

from federation.authority import Attested, Authority, Verb
from federation.cut import Cut, CutRow
from federation.genesis import Genesis
from node.passport import drafts
from node.passport.bodies import EndBody
from node.passport.drafts import Draft
from node.passport.standing import GUEST, MEMBER, Standing, Standings
from node.passport.statement import Statement
from node.passport.world import build_world
from tests.builders import id16
from tests.builders_passport import Author, Federation, attestation

NUMBER = "inn:0000000018"
ROOTS = {size: id16(f"root/{size}") * 2 for size in range(1, 20)}


def vouch(federation: Federation, org: Author) -> Draft:
    """Somebody speaks for an organisation."""
    return drafts.vouch(federation.genesis.id, org.org, 0)


def end(federation: Federation, org: Author, size: int = 0, row: str = MEMBER, reason: str = "так решили") -> Draft:
    """A membership ends; the loser's log counts up to a size."""
    cut = Cut((CutRow(org.log, size, ROOTS[size]),)) if size else Cut()
    return drafts.membership_end(federation.genesis.id, org.org, row, cut, EndBody(reason=reason), 0)


def number(federation: Federation, org: Author, row: str = NUMBER) -> Draft:
    """An anchor attests a number."""
    return attestation(federation.genesis, org, Attested.NUMBER, row)


def standings(federation: Federation, *said: Statement) -> Standings:
    """What follows, in whatever order it came."""
    found = [build_world(order, federation.genesis).standings for order in itertools.islice(
        itertools.permutations(said), 24)]  # fmt: skip
    assert all(one == found[0] for one in found)
    return found[0]


@pytest.fixture
def three() -> Federation:
    """A federation of three anchors of which two must agree."""
    return Federation(tuple(Author(f"anchor-{n}") for n in range(3)), 2)


def test_organisation_without_a_word_about_it_is_unknown_and_an_anchor_is_one_by_the_genesis() -> None:
    """The genesis alone makes anchors; of anybody else somebody has to speak."""
    federation = Federation()

    found = standings(federation)

    assert found.of(federation.anchors[0].org).standing is Standing.ANCHOR
    assert found.of(Author("maker").org).standing is Standing.UNKNOWN


def test_member_needs_its_number_from_two_anchors_of_three(three: Federation) -> None:
    """One anchor's word leaves an organisation unknown; the second one makes it a member by both."""
    maker, (one, two, _) = Author("maker"), three.anchors
    first, second = one.say(number(three, maker)), two.say(number(three, maker))

    assert standings(three, first).of(maker.org).standing is Standing.UNKNOWN
    stand = standings(three, first, second).of(maker.org)

    assert stand.standing is Standing.MEMBER
    assert set(stand.voices) == {one.org, two.org}
    assert set(stand.grounds) == {first.ref, second.ref}


def test_number_with_an_end_and_an_accreditation_make_no_member() -> None:
    """Only a number that is attested without an end makes a member."""
    federation, lab = Federation(), Author("lab")
    (anchor,) = federation.anchors
    said = [
        anchor.say(attestation(federation.genesis, lab, Attested.NUMBER, NUMBER, until="2026-06-01")),
        anchor.say(attestation(federation.genesis, lab, Attested.ACCREDITATION, "RA.RU.1")),
    ]

    assert standings(federation, *said).of(lab.org).standing is Standing.UNKNOWN


def test_circular_introductions_and_the_vouch_of_a_guest_give_nothing() -> None:
    """A and B vouch for each other, a guest vouches for C, D for itself: none of them is a guest by that."""
    federation, (a, b, c, d, guest) = Federation(), (Author(name) for name in ("a", "b", "c", "d", "guest"))
    said = [
        a.say(vouch(federation, b)),
        b.say(vouch(federation, a)),
        guest.say(vouch(federation, c)),
        d.say(vouch(federation, d)),
        federation.anchors[0].say(vouch(federation, guest)),
    ]

    found = standings(federation, *said)

    assert found.of(guest.org).standing is Standing.GUEST
    assert {found.of(one.org).standing for one in (a, b, c, d)} == {Standing.UNKNOWN}


def test_guest_stays_one_until_its_voucher_takes_the_word_back_or_leaves() -> None:
    """A guest stands by one member: not without its word, nor when that member is one no more."""
    federation, (member, guest) = Federation(), (Author("member"), Author("guest"))
    (anchor,) = federation.anchors
    said = [anchor.say(number(federation, member)), member.say(vouch(federation, guest))]
    assert standings(federation, *said).of(guest.org).voices == (member.org,)

    back = member.say(end(federation, guest, row=GUEST), refs=[said[1]])
    again = member.say(vouch(federation, guest), refs=[back])

    assert standings(federation, *said, back).of(guest.org).standing is Standing.UNKNOWN
    assert standings(federation, *said, back, again).of(guest.org).standing is Standing.GUEST
    gone = member.say(end(federation, member))
    assert standings(federation, *said, gone).of(guest.org).standing is Standing.UNKNOWN


def test_one_anchor_of_three_expels_nobody_and_two_do_with_their_reasons(three: Federation) -> None:
    """k anchors end a membership; who they are and why is told."""
    maker, (one, two, other) = Author("maker"), three.anchors
    joined = [anchor.say(number(three, maker)) for anchor in three.anchors]
    first = one.say(end(three, maker, 5, reason="чужой ИНН"))

    assert standings(three, *joined, first).of(maker.org).standing is Standing.MEMBER
    stand = standings(three, *joined, first, two.say(end(three, maker, 5))).of(maker.org)

    assert (stand.standing, stand.reason) == (Standing.EXPELLED, "чужой ИНН")
    assert set(stand.voices) == {one.org, two.org}
    assert other.org not in stand.voices


def test_of_the_logs_of_the_expelled_counts_what_k_anchors_keep(three: Federation) -> None:
    """Sizes 5 and 3 of two anchors keep 3; a third with 7 makes it 5; a log that nobody names counts nothing."""
    maker, (one, two, other) = Author("maker"), three.anchors
    said = [one.say(end(three, maker, 5)), two.say(end(three, maker, 3))]
    loss = standings(three, *said).losses[maker.org]
    wider = standings(three, *said, other.say(end(three, maker, 7))).losses[maker.org]

    assert loss.counted_size(maker.log, ROOTS.get) == 3
    assert wider.counted_size(maker.log, ROOTS.get) == 5
    assert loss.counted_size(id16("log/second"), ROOTS.get) == 0


def test_cut_with_the_root_of_another_log_keeps_nothing() -> None:
    """A row counts only where the log's root at its size is the one that it names."""
    federation, maker = Federation(), Author("maker")
    loss = standings(federation, federation.anchors[0].say(end(federation, maker, 5))).losses[maker.org]

    assert loss.counted_size(maker.log, {5: bytes(32)}.get) == 0
    assert loss.counted_size(maker.log, ROOTS.get) == 5


def test_anchor_widens_its_cut_later() -> None:
    """A second end of one anchor that keeps more takes the place of its first."""
    federation, maker = Federation(), Author("maker")
    (anchor,) = federation.anchors
    first = anchor.say(end(federation, maker, 3))
    said = [first, anchor.say(end(federation, maker, 9), refs=[first])]

    assert standings(federation, *said).losses[maker.org].counted_size(maker.log, ROOTS.get) == 9


def test_expulsion_is_undone_when_an_anchor_speaks_for_the_organisation_above_its_end(three: Federation) -> None:
    """Of two ends one is taken back by a later word of that anchor which refs it: a member again, nothing is lost."""
    maker, (one, two, _) = Author("maker"), three.anchors
    joined = [anchor.say(number(three, maker)) for anchor in three.anchors]
    ends = [one.say(end(three, maker, 5)), two.say(end(three, maker, 5))]
    again = two.say(number(three, maker), refs=[ends[1]])
    unrelated = two.say(number(three, maker))

    assert standings(three, *joined, *ends, unrelated).of(maker.org).standing is Standing.EXPELLED
    found = standings(three, *joined, *ends, again)

    assert found.of(maker.org).standing is Standing.MEMBER
    assert not found.losses


def test_organisation_leaves_by_its_own_word_and_what_it_said_up_to_it_counts() -> None:
    """The log that says so counts up to that word; its other log up to its cut."""
    federation, maker = Federation(), Author("maker")
    (anchor,) = federation.anchors
    joined = anchor.say(number(federation, maker))
    maker.seq = 11
    gone = maker.say(end(federation, Author("maker"), 4, reason="закрылись"))

    found = standings(federation, joined, gone)

    assert (found.of(maker.org).standing, found.of(maker.org).reason) == (Standing.LEFT, "закрылись")
    assert found.losses[maker.org].counted_size(maker.log, ROOTS.get) == 12
    assert found.losses[maker.org].counted_size(id16("log/second"), ROOTS.get) == 0


def test_who_left_comes_back_by_words_above_its_leaving() -> None:
    """A vouch that refs the leaving makes a guest of it, a number that refs it a member; a vouch of before does not."""
    federation, maker = Federation(), Author("maker")
    (anchor,) = federation.anchors
    before = [anchor.say(number(federation, maker)), anchor.say(vouch(federation, maker))]
    gone = maker.say(end(federation, maker, 1))

    def now(*more: Statement) -> Standing:
        return standings(federation, *before, gone, *more).of(maker.org).standing

    assert now() is Standing.LEFT
    assert now(anchor.say(vouch(federation, maker), refs=[gone])) is Standing.GUEST
    assert now(anchor.say(number(federation, maker), refs=[gone])) is Standing.MEMBER


def test_anchor_is_not_ended() -> None:
    """A set of anchors stands in the genesis: neither the others nor it itself ends an anchor."""
    federation = Federation((Author("a"), Author("b")), 1)
    one, two = federation.anchors

    found = standings(federation, one.say(end(federation, two, 3)), two.say(end(federation, two, 3)))

    assert found.of(two.org).standing is Standing.ANCHOR
    assert not found.losses


@pytest.mark.parametrize("what", ["stranger", "federation", "party", "verb", "cut"])
def test_end_of_a_wrong_form_ends_nothing(what: str) -> None:
    """Neither a stranger's word, nor one about another federation or another party, with another verb, or no cut."""
    federation, maker = Federation(), Author("maker")
    (anchor,) = federation.anchors
    ended = end(federation, maker, 3)
    if what == "federation":
        elsewhere = Genesis("Другая", (anchor.org,), 1).id
        ended = drafts.membership_end(elsewhere, maker.org, MEMBER, Cut(), EndBody(reason="-"), 0)
    sections = {section.name: section for section in ended.sections}
    authority = {
        "party": Authority(Verb.END, id16("other"), (MEMBER,), (federation.genesis.id,)),
        "verb": Authority(Verb.MEMBER, maker.org, (MEMBER,), (federation.genesis.id,)),
    }.get(what)
    if authority is not None:
        sections["authority"] = drafts.DraftSection("authority", authority.to_bytes(), sections["authority"].klass)
    if what == "cut":
        sections["cut"] = drafts.DraftSection("cut", b"\xc0", sections["cut"].klass)
    wrong = Draft(ended.kind, ended.subjects, 0, tuple(sections.values()))
    author = Author("stranger") if what == "stranger" else anchor
    joined = anchor.say(number(federation, maker))

    said = author.say(wrong, proved=what != "cut")

    assert standings(federation, joined, said).of(maker.org).standing is Standing.MEMBER
    assert standings(federation, joined, anchor.say(ended)).of(maker.org).standing is (
        Standing.MEMBER if what == "federation" else Standing.EXPELLED
    )


def test_number_of_two_organisations_is_nobodys_until_one_of_them_is_ended() -> None:
    """One organisation per number: while two hold it neither does; when one is expelled it is the other's."""
    federation, (honest, thief) = Federation(), (Author("honest"), Author("thief"))
    (anchor,) = federation.anchors
    said = [anchor.say(number(federation, honest)), anchor.say(number(federation, thief))]
    both = build_world(said, federation.genesis).attestations

    assert both.holder(NUMBER) is None
    assert both.contested() == {NUMBER: {honest.org, thief.org}}
    after = build_world([*said, anchor.say(end(federation, thief))], federation.genesis).attestations

    assert after.holder(NUMBER) == honest.org
    assert (after.numbers(honest.org), after.numbers(thief.org)) == ((NUMBER,), ())
    assert not after.contested()


def test_two_numbers_of_one_kind_of_one_organisation_are_nobodys() -> None:
    """One live number per organisation: two ИНН at one time are contested, an ОГРН beside an ИНН is not."""
    federation, maker = Federation(), Author("maker")
    federation.attest(maker, Attested.NUMBER, NUMBER, "ogrn:1027700132195")
    assert federation.world.attestations.holder(NUMBER) == maker.org

    federation.attest(maker, Attested.NUMBER, "inn:7707083893")

    assert federation.world.attestations.numbers(maker.org) == ("ogrn:1027700132195",)
    assert set(federation.world.attestations.contested()) == {NUMBER, "inn:7707083893"}
