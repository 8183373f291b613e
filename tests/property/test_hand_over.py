"""Laws of hand-over: what was passed on with a cut is not undone by anything that the former holder says later."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from federation.authority import Verb
from node.passport.bodies import Plate
from node.passport.fold import fold
from node.passport.roles import CAPACITIES, GIVEN, PASSING
from node.passport.roles import PartyRole as Role
from node.passport.shown import rows
from node.passport.statement import Statement
from node.passport.view import Plain
from tests.builders_passport import (
    Author,
    acceptance,
    appointment,
    event,
    grant,
    identity,
    offer,
    role_answer,
    role_end,
    role_offer,
    role_paper,
)
from tests.laws import cases
from tests.stories import CLAIM, DEVICE, WORLD, plates

days = st.sampled_from([f"2026-{month:02}-{day:02}" for month in range(1, 9) for day in (1, 15)])


class Market:
    """A maker who sold to a buyer with a cut, after giving a role, and a stranger who helps whoever cheats."""

    def __init__(self) -> None:
        self.maker, self.buyer, self.reader, self.stranger = (
            Author(name, seq=100) for name in ("maker", "owner", "lab", "stranger")
        )
        self.said: list[Statement] = []

    def sell(self, plate: Plate, order: Sequence[Role]) -> None:
        """The hand-over of all that passes on, in an order."""
        self.say(self.maker, identity(CLAIM, plate), "2026-01-01")
        self.say(self.maker, event(DEVICE, "repaired"), "2026-02-01")
        self.say(self.maker, appointment(self.maker, self.reader, Role.DATA_SOURCE, DEVICE), "2026-02-01")
        for role in order:
            made = self.say(self.maker, role_offer(self.maker, self.buyer, role, DEVICE), "2026-03-01")
            answer = role_answer(made, role, DEVICE, sizes={self.maker.log: self.maker.seq})
            self.say(self.buyer, answer, "2026-03-02")

    def say(self, author: Author, draft: object, on: str) -> Statement:
        """Somebody says something."""
        self.said.append(author.say(draft, on=on))  # type: ignore[arg-type]  # any draft of the builders
        return self.said[-1]


@st.composite
def tricks(draw: st.DrawFn, market: Market) -> list[Statement]:
    """What the one who sold and his helper say afterwards, with dates and cuts as they like."""
    sold = len(market.said)
    for _ in range(draw(st.integers(1, 6))):
        author = draw(st.sampled_from([market.maker, market.stranger]))
        party = draw(st.sampled_from([market.maker, market.stranger, market.reader]))
        role, act = draw(st.sampled_from(PASSING)), draw(st.sampled_from(market.said))
        sizes = {market.maker.log: draw(st.integers(1, 120)), market.buyer.log: draw(st.integers(1, 120))}
        draft = draw(
            st.sampled_from(
                [
                    role_offer(author, party, role, DEVICE),
                    role_paper(author, "resident", draw(st.sampled_from(CAPACITIES)), DEVICE),
                    appointment(author, party, draw(st.sampled_from(GIVEN)), DEVICE),
                    role_answer(act, role, DEVICE, sizes=draw(st.sampled_from([None, sizes]))),
                    role_end(act, act.org, role, DEVICE, sizes=draw(st.sampled_from([{}, sizes]))),
                    role_end(act, market.buyer.org, role, DEVICE, sizes={}),
                    offer(author, party, DEVICE),
                    acceptance(market.maker, act, DEVICE, knows=draw(st.sampled_from([None, 120]))),
                    grant(author, party, Verb.WRITE, DEVICE, rows=["event"]),
                ]
            )
        )
        market.say(author, draft, draw(days))
    return market.said[sold:]


def held(said: list[Statement]) -> list[tuple[Plain, ...]]:
    """Who holds which role from when to when."""
    shown = rows(fold([DEVICE], said, WORLD), "parties", "roles")
    return sorted(
        ((row["role"], row["party"], row["since"] or 0, row["until"] or 0, row["basis"], row["act"]) for row in shown),
        key=str,
    )


@cases(120)
@given(st.data())
def test_former_owner_and_his_helper_change_nothing_that_a_cut_closed(data: st.DataObject) -> None:
    """Whatever they say, whenever they say it happened: all roles stand as they stood at the hand-over."""
    market = Market()
    market.sell(data.draw(plates), data.draw(st.permutations(PASSING)))
    before = held(market.said)

    data.draw(tricks(market))

    assert held(market.said) == before
