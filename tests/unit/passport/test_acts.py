"""Acts of several parties in the fold: by what the documents name, whatever came first, and however late."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.authority import Attested
from node.passport import drafts
from node.passport.bodies import (
    AnnulmentBody,
    EventBody,
    ExtractBody,
    Place,
    Plate,
    Reference,
    TemplateRef,
    UnsignedBody,
    UnsignedRow,
)
from node.passport.drafts import Draft
from node.passport.fold import fold
from node.passport.references import ref_text
from node.passport.shown import at, open_acts, rows, terms_of
from node.passport.statement import Statement
from node.passport.view import View, frozen_view, moment_us
from node.passport.world import World, build_world
from tests.builders_passport import Author, Federation, identity
from tests.laws import cases
from tests.stories import CLAIM, DEVICE, FEDERATION

EXECUTOR, UTILITY = "process_executor", "process_owner"
WHEN = moment_us("2026-02-01")
TEMPLATE = (Path(__file__).parents[3] / "examples" / "templates" / "commissioning.schema.json").read_bytes()
ONE, TWO, STRANGER = Author("exec"), Author("util"), Author("strange")
PUBLISHED = Author("publisher").say(drafts.template(Author("publisher").org, TEMPLATE, 0))
WORLD: World = build_world([*FEDERATION.published, PUBLISHED], FEDERATION.genesis)


def act(number: str = "1", utility: str = "", **extra: Any) -> Draft:
    """A signature of the act that names both organisations; events are in each of them."""
    document: dict[str, Any] = {
        "act_no": number,
        "executor": {"org": ONE.org.hex()},
        "utility": {"org": utility or TWO.org.hex()},
    }
    named = TemplateRef(name="commissioning", version="1.0.0", publisher=PUBLISHED.org.hex(), id=PUBLISHED.id.hex())
    codes, place = extra.pop("events", ("installed",)), extra.pop("place", "подвал")
    where = Place(place=Reference(local=place))
    told = tuple(EventBody(what=Reference(central=code), where=where, system="t") for code in codes)
    if also := extra.pop("also", None):
        document["utility"] = also
    raw = json.dumps(document | extra, sort_keys=True).encode()
    return drafts.protocol(DEVICE, named, raw, None, ExtractBody(events=told), WHEN)


def unsigned(to: Statement, role: str = UTILITY, why: Any = "no-answer") -> Draft:
    return drafts.unsigned(DEVICE, UnsignedBody(rows=(UnsignedRow(role=role, why=why),)), to.ref, 0)


def view(*said: Statement, world: World = WORLD) -> View:
    plate = Plate(designation="СГВ-15", serial="0012345")
    return fold([DEVICE], [Author("maker").say(identity(CLAIM, plate)), *said], world)


def sides(shown: View, of: Statement | None = None) -> dict[str, View]:
    """The sides of an act, of the one of a signature where there are several."""
    ref = ref_text(of.ref) if of else None
    first = next(row for row in rows(shown, "protocols") if row["act"] and ref in (None, row["ref"]))
    return {str(side["role"]): side for side in rows(first, "act", "sides")}


def events(shown: View) -> list[View]:
    return [row for row in rows(shown, "events") if row["source"] == "protocol"]


def installed(shown: View) -> list[View]:
    return [row for row in events(shown) if at(row, "what", "central") == "installed"]


def test_one_signature_is_one_sided_and_its_events_have_not_arisen() -> None:
    """The other side is open, by the name that the document gives, and has the passport among what it is to sign."""
    shown = view(ONE.say(act()))

    assert (installed(shown), len(open_acts(shown))) == ([], 1)
    assert (sides(shown)[UTILITY]["ref"], sides(shown)[UTILITY]["org"]) == (None, TWO.org.hex())
    assert ("act", f"act=sign={TWO.org.hex()}") in set(terms_of(shown))
    assert ("act", f"act=wait={ONE.org.hex()}") in set(terms_of(shown))


def test_events_of_an_agreed_act_arise_once_and_stand_as_agreed() -> None:
    """Both signatures tell of one event; neither is told of twice."""
    first = ONE.say(act())
    second = TWO.say(act(), refs=[first])

    shown = view(first, second)

    (event,) = installed(shown)
    assert (event["standing"], event["note"], len(event["told"])) == ("agreed", None, 2)  # type: ignore[arg-type]  # a list
    assert (open_acts(shown), [row["standing"] for row in rows(shown, "protocols")]) == ([], ["agreed", "agreed"])


def test_what_one_party_alone_took_out_of_an_act_is_not_agreed() -> None:
    """Both signed the document; an event or a place that only one of them makes of it stands as its own word."""
    first = ONE.say(act(events=("admitted", "installed")))
    second = TWO.say(act(), refs=[first])
    moved = ONE.say(act(place="чердак"), refs=[first])

    shown = view(first, second, moved)

    told = {(at(row, "what", "central"), at(row, "where", "place", "local"), row["standing"]) for row in events(shown)}
    assert told >= {("installed", "подвал", "agreed")}
    assert {standing for _, _, standing in told - {("installed", "подвал", "agreed")}} <= {"working", "stated"}
    assert len(told) == 3


def test_result_that_a_party_annulled_is_agreed_no_more() -> None:
    """The other party's signature keeps the event as that party's own word."""
    first, second = ONE.say(act()), TWO.say(act())
    event = EventBody(what=Reference(central="annulled"), where=Place(place=Reference(local="л")), system="t")
    annulled = ONE.say(drafts.annulment(DEVICE, [first.ref], AnnulmentBody(reason="ошибка"), event, 1))

    (left,) = installed(view(first, second, annulled))

    assert left["standing"] != "agreed"


def test_copy_of_a_stranger_leads_no_act() -> None:
    """Signed before the parties, replaced by its author: the act stays among what the other party is to sign."""
    early = Author("strange", clock=ONE.clock - 10**12)
    copied = early.say(act())
    gone = early.say(act(number="2"), refs=[copied])
    first = ONE.say(act())

    shown = view(copied, gone, first)

    assert ref_text(first.ref) in {row["ref"] for row in open_acts(shown)}
    assert ("act", f"act=sign={TWO.org.hex()}") in set(terms_of(shown))


def test_party_whose_id_and_number_are_of_two_organisations_is_nobody() -> None:
    """Else an act would show the number of one and wait for the signature of the other."""
    numbers = Federation()
    numbers.attest(STRANGER, Attested.NUMBER, "inn:0000000040")
    world = build_world([*numbers.published, PUBLISHED], numbers.genesis)
    first = ONE.say(act(also={"org": TWO.org.hex(), "inn": "0000000040"}))

    assert sides(view(first, world=world))[UTILITY]["org"] is None


def test_another_document_another_template_and_a_stranger_fill_no_side() -> None:
    """A word more is another act; who is not named signs nothing; without the publication nobody tells who signs."""
    first, other, third = ONE.say(act()), TWO.say(act(note="и ещё")), STRANGER.say(act())

    shown = view(first, other, third)
    unknown = view(first, TWO.say(act()), world=FEDERATION.world)

    assert installed(shown) == []
    assert sides(shown, first)[UTILITY]["ref"] is None
    assert [row["act"] for row in rows(unknown, "protocols")] == [None, None]
    assert {row["standing"] for row in rows(unknown, "protocols")} <= {"stated", "working"}


def test_number_that_anchors_attest_names_its_organisation() -> None:
    """Beside a code of somebody's own catalog the number tells who is meant; a number of nobody names nobody."""
    numbers = Federation()
    numbers.attest(TWO, Attested.NUMBER, "inn:0000000040")
    numbers.attest(STRANGER, Attested.NUMBER, "inn:0000000033")
    numbers.attest(ONE, Attested.NUMBER, "inn:0000000033")
    world = build_world([*numbers.published, PUBLISHED], numbers.genesis)

    def meant(number: str) -> object:
        """Whom a document means by that number beside a code."""
        named = act(also={"org": "org:u", "inn": number})
        return sides(view(ONE.say(named), world=world))[UTILITY]["org"]

    assert (meant("0000000040"), meant("0000000033"), meant("7707083893")) == (TWO.org.hex(), None, None)


def test_signature_after_the_reason_is_late_and_counts() -> None:
    """Order decides, not when somebody says that it happened; the reason stays beside the signature."""
    first = ONE.say(act())
    told = ONE.say(unsigned(first))
    two = Author("util", seq=900, clock=told.stamp + 1)
    early = Author("util", seq=950, clock=first.stamp - 50_000_000_000_000)

    late, in_time = view(first, told, two.say(act())), view(first, told, early.say(act()))

    assert (sides(late)[UTILITY]["late"], at(sides(late)[UTILITY], "reason", "why")) == (True, "no-answer")
    assert (sides(in_time)[UTILITY]["late"], len(installed(late))) == (False, 1)


def test_reason_of_a_stranger_is_not_heard() -> None:
    """Neither of one who signed nothing, nor of one whose signature fills no side."""
    first = ONE.say(act())
    shown = view(first, STRANGER.say(act()), STRANGER.say(unsigned(first, why="refused")))

    assert sides(shown)[UTILITY]["reason"] is None
    assert at(sides(view(first, TWO.say(unsigned(first, why="objects"))))[UTILITY], "reason", "why") == "objects"


def test_any_order_of_arrival_gives_the_same_bytes() -> None:
    """Signatures, a reason, an objection and a stranger's copy: all orders, doubled, are one view."""
    first = ONE.say(act())
    said = [first, TWO.say(act(), refs=[first]), ONE.say(unsigned(first)), TWO.say(unsigned(first, why="objects")),
            STRANGER.say(act())]  # fmt: skip
    wanted = frozen_view(view(*said))

    assert {frozen_view(view(*order, order[0])) == wanted for order in itertools.permutations(said)} == {True}


@cases(60)
@given(st.lists(st.sampled_from(["one", "two", "stranger", "reason", "other"]), max_size=7))
def test_more_that_is_said_takes_no_event_of_an_act_away(steps: list[str]) -> None:
    """Whatever follows, an act that was agreed stays so."""
    one, two, strange = Author("exec", seq=2000), Author("util", seq=2000), Author("strange", seq=2000)
    first = one.say(act())
    say = {
        "one": lambda: one.say(act()),
        "two": lambda: two.say(act(), refs=[first]),
        "stranger": lambda: strange.say(act()),
        "reason": lambda: two.say(unsigned(first, why="refused")),
        "other": lambda: one.say(act(number="2"), refs=[first]),
    }
    said, known = [first], 0
    for step in steps:
        said.append(say[step]())
        now = len(installed(view(*said)))
        assert known <= now <= 1
        known = now
    assert known == ("two" in steps)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"utility":1}', b'{"utility":{"org":{}}}', b"\xff"])
def test_document_that_is_none_names_nobody(raw: bytes) -> None:
    """Both sides stay open and unnamed, and the fold does not end."""
    named = act()
    broken = drafts.Draft(
        named.kind,
        named.subjects,
        named.occurred,
        tuple(drafts.DraftSection(s.name, raw if s.name == "document" else s.content, s.klass) for s in named.sections),
    )

    shown = view(STRANGER.say(broken))

    assert [(side["org"], side["ref"]) for side in sides(shown).values()] == [(None, None), (None, None)]
