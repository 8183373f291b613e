"""What is sold unopened: the title passes to who trades the thing, and nothing secret of it."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.authority import Authority, Verb
from federation.fragment import SectionClass
from node.passport.bodies import Plate
from node.passport.case import open_case
from node.passport.entitlement import entitlement, may_end, title_before, title_now
from node.passport.fold import fold
from node.passport.ranks import FactClass, Ground
from node.passport.references import ref_text
from node.passport.rights import class_mask, grounds_of, rights_of
from node.passport.roles import PartyRole
from node.passport.shipments import shipment_of
from node.passport.shown import rows
from node.passport.statement import Statement
from node.passport.view import DAY_US
from tests.builders import id16
from tests.builders_passport import (
    Author,
    acceptance,
    appointment,
    demo,
    event,
    grant,
    identity,
    line_claim,
    offer,
    radio,
    role_answer,
    role_end,
    role_offer,
)
from tests.laws import cases

CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
PLATE = Plate(designation="СГВ-15", serial="0012345", mark="Демо", read="scan")
SECRET = class_mask(SectionClass.SECRET)
FEDERATION, _, _ = demo()
WORLD = FEDERATION.world


class Trade:
    """A maker whose meter is sold on, unopened or with its keys."""

    def __init__(self) -> None:
        self.maker = Author("maker", seq=100)
        self.dealer, self.next, self.buyer, self.store = (Author(name) for name in ("dealer", "next", "buyer", "store"))
        self.said = [self.maker.say(identity(CLAIM, PLATE)), self.maker.say(radio(DEVICE))]

    def sell(self, seller: Author, buyer: Author, *, unopened: bool, ground: Sequence[Statement] = ()) -> Statement:
        """An offer with its acceptance, which is answered."""
        made = seller.say(offer(seller, buyer, DEVICE, unopened=unopened), auth=ground)
        self.said += [made, buyer.say(acceptance(seller, made, DEVICE, knows=seller.seq))]
        return self.said[-1]

    @property
    def secret(self) -> set[bytes]:
        """Who has what is secret."""
        return {right.org for right in rights_of(open_case([DEVICE], self.said, WORLD)) if right.classes & SECRET}


def test_dealer_holds_the_title_and_the_buyer_gets_what_is_secret() -> None:
    """Over two dealers the title passes without keys; who buys of them as one who uses it has the right to them."""
    trade = Trade()
    assert trade.secret == {trade.maker.org}

    trade.sell(trade.maker, trade.dealer, unopened=True)
    assert trade.secret == set()
    trade.sell(trade.dealer, trade.next, unopened=True)
    assert trade.secret == set()
    trade.sell(trade.next, trade.buyer, unopened=False)

    assert trade.secret == {trade.buyer.org}
    titles = [row for row in rows(fold([DEVICE], trade.said, WORLD), "parties", "roles") if row["role"] == "title"]
    assert [row["unopened"] for row in titles] == [False, True, True, False]


def test_title_that_a_dealer_hands_over_brings_keys_as_a_sale_does() -> None:
    """A hand-over by a party act passes what who trades has not himself."""
    trade = Trade()
    trade.sell(trade.maker, trade.dealer, unopened=True)
    made = trade.dealer.say(role_offer(trade.dealer, trade.buyer, PartyRole.TITLE, DEVICE))
    sizes = {trade.dealer.log: trade.dealer.seq}
    trade.said += [made, trade.buyer.say(role_answer(made, PartyRole.TITLE, DEVICE, sizes=sizes))]

    assert trade.secret == {trade.buyer.org}


def test_dealer_who_buys_again_with_keys_has_them() -> None:
    """Sent back, and bought as one who uses it: the later title counts, the one that came unopened takes nothing."""
    trade = Trade()
    brought = trade.sell(trade.maker, trade.dealer, unopened=True)
    back = trade.sell(trade.dealer, trade.maker, unopened=False, ground=[brought])
    assert trade.secret == {trade.maker.org}

    trade.sell(trade.maker, trade.dealer, unopened=False, ground=[back])

    assert trade.secret == {trade.dealer.org}


def test_offers_unopened_and_with_keys_that_two_accepted_give_nobody_keys() -> None:
    """Of two acceptances that contradict each other neither has what is secret, however either was offered."""
    trade = Trade()
    one = trade.maker.say(offer(trade.maker, trade.dealer, DEVICE, unopened=True))
    other = trade.maker.say(offer(trade.maker, trade.buyer, DEVICE))
    trade.said += [
        one,
        other,
        trade.dealer.say(acceptance(trade.maker, one, DEVICE)),
        trade.buyer.say(acceptance(trade.maker, other, DEVICE)),
    ]

    assert trade.secret == set()


def test_holder_of_an_unopened_title_opens_nothing_secret_to_others() -> None:
    """His grant over every class, and an escrow that he names, give what he has: no keys; nor does he end an escrow."""
    trade = Trade()
    trade.sell(trade.maker, trade.dealer, unopened=True)
    every = grant(trade.dealer, trade.next, Verb.READ, DEVICE, classes=[0, 1, 2, 3, 5])
    trade.said += [
        trade.dealer.say(every),
        trade.dealer.say(appointment(trade.dealer, trade.store, PartyRole.ESCROW, DEVICE)),
    ]
    view, now = fold([DEVICE], trade.said, WORLD), trade.dealer.clock

    assert trade.secret == set()
    refused = [row["reason"] for row in rows(view, "parties", "transfers") if row["role"] == PartyRole.ESCROW]
    assert refused == ["not-entitled"]
    assert not entitlement(view, PartyRole.ESCROW, trade.dealer.org, now).may
    assert not may_end(view, PartyRole.ESCROW, trade.dealer.org, now)
    assert entitlement(view, PartyRole.TITLE, trade.dealer.org, now).may


def test_escrow_of_the_maker_keeps_its_keys_through_the_trade() -> None:
    """Whom the maker named at production has the keys while the thing is traded, and after."""
    trade = Trade()
    trade.said.append(trade.maker.say(appointment(trade.maker, trade.store, PartyRole.ESCROW, DEVICE)))
    trade.sell(trade.maker, trade.dealer, unopened=True)
    assert trade.secret == {trade.store.org}

    trade.sell(trade.dealer, trade.buyer, unopened=False)

    assert trade.secret == {trade.store.org, trade.buyer.org}


def test_dealer_has_no_say_in_how_a_sealed_device_joins() -> None:
    """His word on the radio ranks below the maker's, so that no key of his takes the place of the one inside."""
    trade = Trade()
    trade.sell(trade.maker, trade.dealer, unopened=True)
    trade.said.append(trade.dealer.say(radio(DEVICE, "ff" * 8)))
    case = open_case([DEVICE], trade.said, WORLD)
    word = case.rank(FactClass.RADIO, trade.said[-1])

    assert (word.ground, word.has_authority) == (Ground.ANYBODY, False)
    assert word.level < case.rank(FactClass.RADIO, trade.said[1]).level


def test_shipment_that_is_sold_unopened_promises_no_key() -> None:
    """Its parts say so, whatever its papers claim of keys."""
    trade = Trade()
    trade.sell(trade.maker, trade.dealer, unopened=True)

    found = shipment_of(id16("shipment/maker"), trade.said, WORLD)

    assert found is not None
    assert [(part.is_unopened, part.has_keys) for part in found.parts] == [(True, None)]


def test_passport_tells_which_title_was_before_another() -> None:
    """Who sends a thing back learns of it how its seller had it."""
    trade = Trade()
    trade.sell(trade.maker, trade.dealer, unopened=True)
    brought = trade.sell(trade.dealer, trade.next, unopened=True)
    view = fold([DEVICE], trade.said, WORLD)
    held, before = title_now(view, trade.dealer.clock + DAY_US), title_before(view, ref_text(brought.ref))

    assert held is not None
    assert before is not None
    assert (held["party"], before["party"], before["unopened"]) == (trade.next.org.hex(), trade.dealer.org.hex(), True)


@pytest.mark.parametrize("how", ["offered", "given", "in an event"])
def test_dealer_names_no_network_that_would_say_how_a_sealed_device_joins(how: str) -> None:
    """However he names one; a network that the maker named stays, and the dealer does not end it."""
    trade = Trade()
    mine = trade.maker.say(appointment(trade.maker, trade.store, PartyRole.NETWORK, DEVICE))
    trade.said.append(mine)
    trade.sell(trade.maker, trade.dealer, unopened=True)
    if how == "offered":
        made = trade.dealer.say(role_offer(trade.dealer, trade.next, PartyRole.NETWORK, DEVICE), on="2026-03-01")
        trade.said += [made, trade.next.say(role_answer(made, PartyRole.NETWORK, DEVICE), on="2026-03-02")]
    elif how == "given":
        given = appointment(trade.dealer, trade.next, PartyRole.NETWORK, DEVICE)
        trade.said.append(trade.dealer.say(given, on="2026-03-01"))
    else:
        share = Authority(Verb.ROLE, trade.next.org, ("network",), (DEVICE,))
        trade.said.append(trade.dealer.say(event(DEVICE, "installed", share=share), on="2026-03-01"))
    word = trade.next.say(radio(DEVICE, "ff" * 8), on="2026-04-01")
    ended = role_end(mine, trade.store.org, PartyRole.NETWORK, DEVICE, sizes={})
    trade.said += [word, trade.dealer.say(ended, on="2026-04-01")]
    case, view = open_case([DEVICE], trade.said, WORLD), fold([DEVICE], trade.said, WORLD)

    assert not case.rank(FactClass.RADIO, word).has_authority
    assert [(one.org, one.until) for one in case.facts[DEVICE].roles] == [(trade.store.org, None)]
    now = trade.dealer.clock + DAY_US
    assert not entitlement(view, PartyRole.NETWORK, trade.dealer.org, now).may
    assert not may_end(view, PartyRole.NETWORK, trade.dealer.org, now)
    assert entitlement(view, PartyRole.NETWORK, trade.store.org, trade.dealer.clock + 60 * DAY_US).may


def test_whom_a_dealer_made_responsible_names_no_network_of_the_buyers() -> None:
    """Neither before the buyer has it nor after; whom the buyer makes responsible does."""
    trade = Trade()
    brought = trade.sell(trade.maker, trade.dealer, unopened=True)
    made = trade.dealer.say(role_offer(trade.dealer, trade.store, PartyRole.RESPONSIBLE, DEVICE), on="2026-01-02")
    trade.said += [made, trade.store.say(role_answer(made, PartyRole.RESPONSIBLE, DEVICE), on="2026-01-03")]
    sold = trade.dealer.say(offer(trade.dealer, trade.buyer, DEVICE), auth=[brought], on="2026-02-01")
    trade.said += [sold, trade.buyer.say(acceptance(trade.dealer, sold, DEVICE, knows=99), on="2026-02-02")]
    given = trade.store.say(appointment(trade.store, trade.next, PartyRole.NETWORK, DEVICE), on="2026-03-01")
    word = trade.next.say(radio(DEVICE, "ff" * 8), on="2026-04-01")
    trade.said += [given, word]
    case, view = open_case([DEVICE], trade.said, WORLD), fold([DEVICE], trade.said, WORLD)
    now = word.occurred

    assert trade.secret == {trade.buyer.org}
    assert case.facts[DEVICE].has(PartyRole.RESPONSIBLE, trade.store.org, now)
    assert not case.rank(FactClass.RADIO, word).has_authority
    for role, may in ((PartyRole.NETWORK, False), (PartyRole.DATA_SOURCE, True)):
        assert entitlement(view, role, trade.store.org, now).may is may
        assert may_end(view, role, trade.store.org, now) is may
    assert entitlement(view, PartyRole.NETWORK, trade.buyer.org, now).may


@cases(40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=6), st.randoms())
def test_sales_unopened_fold_alike_in_any_order(sales: list[tuple[int, int, bool]], chance: Random) -> None:
    """Who has which title and what is secret depends on the set of statements; who holds one unopened never has it."""
    trade = Trade()
    traders = (trade.maker, trade.dealer, trade.next, trade.buyer)
    for seller, buyer, unopened in sales:
        trade.sell(traders[seller], traders[buyer], unopened=unopened, ground=trade.said[-1:])
    shuffled = [*trade.said, *trade.said[:3]]
    chance.shuffle(shuffled)

    case, other = open_case([DEVICE], trade.said, WORLD), open_case([DEVICE], shuffled, WORLD)

    assert rights_of(case) == rights_of(other)
    assert fold([DEVICE], shuffled, WORLD) == fold([DEVICE], trade.said, WORLD)
    now = {title.org for title in case.chains[DEVICE].titles if title.until is None and not title.is_unopened}
    secret = {ground.right.org for ground in grounds_of(case) if ground.right.classes & SECRET}
    assert secret == now
