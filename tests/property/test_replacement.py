"""Law of replacement: the meter that came out and the one that went in keep their histories, whatever was said."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from node.passport import drafts
from node.passport.bodies import CompositionBody, Plate
from node.passport.drafts import Draft
from node.passport.fold import fold
from node.passport.replacement import Part, Replacement, replacement_drafts
from node.passport.shown import at, rows
from node.passport.statement import Statement
from node.passport.view import View, inside_on
from tests.builders import id16
from tests.builders_passport import (
    Author,
    demo,
    event,
    identity,
    line_claim,
    parameters,
    verification,
)
from tests.laws import cases

WORLD = demo()[0].world
UNIT, CLAIM = id16("unit"), line_claim()
OLD, NEW = CLAIM.subject.raw, id16("fitted")
SINCE = date(2026, 1, 1)
days = st.integers(2, 300).map(lambda day: (SINCE + timedelta(day)).isoformat())
CODES = ("installed", "admitted", "repaired", "removed", "configured", "своё")


def lives(subject: bytes) -> st.SearchStrategy[Draft]:
    """What may be said of a meter."""
    return st.one_of(
        st.builds(lambda code: event(subject, code), st.sampled_from(CODES)),
        st.builds(lambda dn: parameters(subject, dn=dn), st.sampled_from(["15", "20"])),
        st.builds(lambda fit: verification(subject, fit=fit), st.booleans()),
    )


@st.composite
def told(draw: st.DrawFn, subject: bytes) -> list[Statement]:
    """What organisations say of a meter on several days."""
    authors = {name: Author(f"{name}{subject[0]}", seq=100) for name in ("maker", "lab", "service")}
    said = draw(st.lists(st.tuples(st.sampled_from(sorted(authors)), lives(subject), days), max_size=8))
    return [authors[name].say(draft, on=day) for name, draft, day in said]


@cases(60)
@given(told(OLD), told(NEW), days, st.booleans())
def test_replaced_meter_keeps_both_histories(
    of_old: list[Statement], of_new: list[Statement], day: str, was_stated: bool
) -> None:
    """Each meter shows all that was said of it; the unit had the one until that day and has the other from it."""
    maker, service = Author("maker"), Author("service")
    plate = Plate(designation="СГВ-15", serial="0012345")
    said = [maker.say(identity(CLAIM, plate)), *of_old, *of_new]
    said.append(service.say(event(UNIT, "installed")))
    if was_stated:
        said.append(service.say(stood(OLD), on=SINCE.isoformat()))
    replaced = Replacement("вход", Part("СГВ-15", "0012345"), Part("СГВ-20", "77"))
    subjects = iter([NEW] if was_stated else [OLD, NEW])
    replacing = replacement_drafts(view_of(UNIT, said), UNIT, replaced, day, lambda: next(subjects))
    before = {subject: view_of(subject, said) for subject in (OLD, NEW)}
    said += [service.say(draft) for draft in replacing]

    unit, old, new = (view_of(subject, said) for subject in (UNIT, OLD, NEW))

    for subject, view in ((OLD, old), (NEW, new)):
        assert view["events"] == before[subject]["events"]
        assert view["protocols"] == before[subject]["protocols"]
        assert view["parameters"] == before[subject]["parameters"]
    first, last = (date.fromisoformat(day) + timedelta(n) for n in (-1, 0))
    assert [edge["part"] for edge in inside_on(unit, first.isoformat())] == [OLD.hex()]
    assert [edge["part"] for edge in inside_on(unit, last.isoformat())] == [NEW.hex()]
    assert [(at(edge, "whole"), edge["until"]) for edge in rows(old, "composition", "parents")] == [(UNIT.hex(), day)]
    assert [(edge["since"], edge["until"]) for edge in rows(new, "composition", "parents")] == [(day, None)]


def view_of(subject: bytes, said: list[Statement]) -> View:
    return fold([subject], [s for s in said if subject in s.subjects], WORLD)


def stood(part: bytes) -> Draft:
    body = CompositionBody(position="вход", since=SINCE.isoformat(), designation="СГВ-15", serial="0012345")
    return drafts.composition(part, UNIT, body, 0)
