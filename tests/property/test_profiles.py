"""Laws of what a profile shows: sections of some classes are withheld, and nothing is current there that is not."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.passport.bodies import Plate
from node.passport.case import Case, open_case
from node.passport.composition import edges_of
from node.passport.merge import Said, Verdict, may_replace
from node.passport.papers import protocols_view
from node.passport.parameters import parameters_of
from node.passport.references import References, parse_ref
from node.passport.registers import aliases_view, identity_facts, radio_facts, type_facts
from node.passport.shown import rows
from node.passport.statement import Statement
from node.passport.timeline import Event, timeline_of
from tests.builders_passport import Author, event, identity, parameters
from tests.laws import cases
from tests.stories import CLAIM, DEVICE, WORLD, stories

# What everybody who may read an entry reads; a profile adds classes of the others.
OPEN = frozenset({"claim", "nameplate", "type", "authority", "template", "sameness"})
PLATE = Plate(designation="СГВ-15", serial="0012345")
PROFILES = (frozenset[int](), frozenset({2}), frozenset({2, 3}))


def reduced(said: Sequence[Statement], classes: dict[bytes, int], profile: frozenset[int]) -> list[Statement]:
    """What a profile shows of statements, each of which has its sections under one class."""
    found = []
    for statement in said:
        klass = classes[statement.id]
        shown = {name: raw for name, raw in statement.sections.items() if name in OPEN or klass in profile}
        hidden = tuple((name, klass) for name in statement.sections if name not in shown)
        found.append(replace(statement, sections=shown, withheld=(*statement.withheld, *hidden)))
    return found


def verdicts(case: Case) -> Iterator[tuple[str, Verdict]]:
    """Every fact with a value that may be current."""
    for name, facts in (("identity", identity_facts), ("type", type_facts), ("radio", radio_facts)):
        yield from ((f"{name}.{key}", verdict) for key, verdict in facts(case).items())
    for code, parameter in parameters_of(case).items():
        yield from ((f"{code}@{version.since}", version.verdict) for version in parameter.versions)
    for edge in edges_of(case):
        if edge.verdict is not None:
            yield f"{edge.part.hex()} {edge.whole.hex()} {edge.fact['position']} {edge.span[0]}", edge.verdict


def is_beaten(one: Said, verdict: Verdict, references: References) -> bool:
    """Whether another statement about the same key takes its place, or says more of it."""
    others = [*([verdict.chosen] if verdict.chosen else []), *(said for said, _ in verdict.others)]
    return any(
        other.section == one.section
        and (
            may_replace(other.rank, one.rank, is_same_org=other.statement.org == one.statement.org)
            or (one.is_open and other.same != one.same and other.rank.level >= one.rank.level)
        )
        and references.supersedes(other.statement, one.statement)
        for other in others
    )


@cases(100)
@given(stories(), st.data())
def test_nothing_unmarked_in_a_profile_is_superseded_in_the_full_fold(
    said: list[Statement], data: st.DataObject
) -> None:
    """A value, event, protocol or name over which something else stands is marked where that may not be read."""
    classes = {s.id: data.draw(st.integers(2, 4)) for s in said}
    profile = data.draw(st.sampled_from(PROFILES))
    whole = open_case([DEVICE], said, WORLD)
    part = open_case([DEVICE], reduced(said, classes, profile), WORLD)

    known = dict(verdicts(whole))
    for name, verdict in verdicts(part):
        if verdict.chosen is not None and verdict.hidden is None:
            assert not is_beaten(verdict.chosen, known[name], whole.references), name
    assert_events(whole, part)
    assert_rows(whole, part)


def assert_events(whole: Case, part: Case) -> None:
    """No event is current in a part that another replaces in the whole."""
    full = {event.key: event for event in timeline_of(whole)}
    for shown in timeline_of(part):
        if shown.replaced_by is None:
            assert not is_replaced(shown, full[shown.key], whole.references), shown.key


def is_replaced(shown: Event, full: Event, references: References) -> bool:
    same = shown.statement.ref == full.statement.ref
    return full.replaced_by is not None if same else references.supersedes(full.statement, shown.statement)


def assert_rows(whole: Case, part: Case) -> None:
    """The same of protocols and of other names."""
    full = {str(row["ref"]): row["replaced_by"] for row in rows({"rows": protocols_view(whole)}, "rows")}
    for row in rows({"rows": protocols_view(part)}, "rows"):
        assert row["replaced_by"] is not None or full[str(row["ref"])] is None
    newest = {
        (name["scheme"], name["value"], row["by"]): str(row["ref"])
        for name in rows({"rows": aliases_view(whole, {})}, "rows")
        for row in rows(name, "said")
    }
    by_ref = {statement.ref: statement for statement in whole.statements}
    for name in rows({"rows": aliases_view(part, {})}, "rows"):
        for row in rows(name, "said"):
            ours = by_ref[parse_ref(str(row["ref"]))]
            theirs = by_ref[parse_ref(newest[name["scheme"], name["value"], row["by"]])]
            assert row["standing"] == "replaced" or not whole.references.supersedes(theirs, ours)


@pytest.mark.parametrize("hidden", ["event", "parameters"])
def test_value_replaced_by_what_may_not_be_read_is_marked_and_does_not_come_back(hidden: str) -> None:
    """Where only a correction's author reads it, others see that there is one."""
    maker = Author("maker")
    known = maker.say(identity(CLAIM, PLATE))
    first = maker.say(event(DEVICE, "installed") if hidden == "event" else parameters(DEVICE, dn="15"))
    draft = event(DEVICE, "removed") if hidden == "event" else parameters(DEVICE, dn="20")
    correction = maker.say(draft, refs=[first], hide=[hidden])
    case = open_case([DEVICE], [known, first, correction], WORLD)

    if hidden == "event":
        (shown,) = timeline_of(case)
        assert shown.replaced_by == correction
    else:
        verdict = parameters_of(case)["dn"].current.verdict
        assert verdict.chosen is None
        assert verdict.fact()["hidden"] == "replaced-by-unreadable"


def test_stranger_replaces_no_event_by_what_he_shows_to_nobody() -> None:
    """A hidden statement of somebody without authority stands over no event of those who have it."""
    maker, stranger = Author("maker"), Author("stranger")
    said = [maker.say(identity(CLAIM, PLATE)), maker.say(event(DEVICE, "installed"))]
    said.append(stranger.say(event(DEVICE, "scrapped"), refs=said[-1:], hide=["event"]))

    (shown,) = timeline_of(open_case([DEVICE], said, WORLD))

    assert shown.replaced_by is None
