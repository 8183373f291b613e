"""Laws of the fold."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from federation.authority import Kind
from node.passport.bodies import Plate, SamenessBody
from node.passport.fold import fold
from node.passport.identity import resolve_identity
from node.passport.reading import read
from node.passport.references import ref_text
from node.passport.shown import rows
from node.passport.statement import Statement
from node.passport.view import Plain, View, digest, frozen_view, value_on
from node.passport.withdrawals import find_withdrawn
from node.passport.world import build_world
from tests.builders_passport import Author, identity, parameters
from tests.laws import cases
from tests.stories import CLAIM, DEVICE, FEDERATION, LAWS, SECTIONS, WORLD, days, numbers, stories


def view_of(said: Sequence[Statement]) -> View:
    return fold([DEVICE], said, WORLD)


@LAWS
@given(stories(), st.randoms())
def test_any_order_and_any_duplication_give_byte_equal_views(said: list[Statement], random: Random) -> None:
    """A view depends on the set of statements and on nothing else."""
    shuffled = [*said, *said[: len(said) // 2]]
    random.shuffle(shuffled)

    assert frozen_view(view_of(shuffled)) == frozen_view(view_of(said))
    assert resolve_identity(shuffled, WORLD) == resolve_identity(said, WORLD)


@cases(60)
@given(stories(), st.data())
def test_order_duplication_and_partial_arrival_never_change_the_fold(
    said: list[Statement], data: st.DataObject
) -> None:
    """Whatever part came first, however often and how much of it could be read then: equal sets give equal bytes."""
    part = data.draw(st.lists(st.sampled_from(said), unique_by=lambda s: s.ref))
    veiled = [replace(s, sections={}, withheld=tuple((name, 2) for name in s.sections)) for s in part]
    arrived = data.draw(st.permutations([*said, *part, *veiled]))
    published = data.draw(st.permutations(FEDERATION.published))
    world = build_world(published, FEDERATION.genesis)

    assert frozen_view(fold([DEVICE], arrived, world)) == frozen_view(view_of(said))
    assert frozen_view(view_of([*part, *reversed(part)])) == frozen_view(view_of(sorted(part, key=lambda s: s.order)))


@LAWS
@given(stories(), st.data())
def test_union_is_equal_whichever_part_came_first(said: list[Statement], data: st.DataObject) -> None:
    """Two nodes that learned the same in two orders, parts of it withheld at first, show the same."""
    at = data.draw(st.integers(0, len(said)))
    veiled = [replace(s, sections={}, withheld=(*s.withheld, *((name, 2) for name in s.sections))) for s in said[:at]]

    assert digest(view_of([*said[at:], *said[:at]])) == digest(view_of([*veiled, *said]))


@LAWS
@given(stories(), st.data())
def test_what_was_taken_back_counts_as_not_said(said: list[Statement], data: st.DataObject) -> None:
    """The view with withdrawals is that without what they took back, but for the list of who said what."""
    arrived = data.draw(st.permutations(said))
    withdrawn = find_withdrawn(said)

    shown = view_of(arrived)
    without = view_of([s for s in said if s.ref not in withdrawn])

    assert {**shown, "statements": []} == {**without, "statements": []}
    told = {str(row["ref"]): row["withdrawn"] for row in rows(shown, "statements") if row["kind"] != Kind.WITHDRAWAL}
    # What was said under another id, which nothing joins any more, is of another passport.
    assert {ref for ref, word in told.items() if word is not None} == {ref_text(ref) for ref in withdrawn} & told.keys()
    # What a twin takes is told of the twin.
    taken = {ref for s in said if (body := read(s).body("sameness", SamenessBody)) for ref in body.moves}
    mine = {ref_text(s.ref) for s in said if s.subject == DEVICE and s.kind != Kind.WITHDRAWAL}
    assert mine - taken <= told.keys()


@LAWS
@given(stories())
def test_nobody_takes_back_words_of_others(said: list[Statement]) -> None:
    """Without an author's own withdrawals all that he said stands, whoever else names it."""
    for org in {s.org for s in said}:
        others = [s for s in said if s.org != org or s.kind != Kind.WITHDRAWAL]

        assert {s.org for s in said if s.ref in find_withdrawn(others)} <= {s.org for s in others} - {org}


@LAWS
@given(stories(), st.data())
def test_altering_any_shown_value_alters_the_digest(said: list[Statement], data: st.DataObject) -> None:
    """Nothing that is shown lies outside the digest."""
    view = view_of(said)
    path = data.draw(st.sampled_from(list(leaves(view))))

    assert digest(altered(view, path)) != digest(view)  # type: ignore[arg-type]  # a view altered is a view


@LAWS
@given(stories(), st.data())
def test_adding_a_statement_removes_no_event(said: list[Statement], data: st.DataObject) -> None:
    """Events only grow, in whatever order the statements come, unless they are taken back or are a twin's."""
    order = data.draw(st.permutations([s for s in said if s.kind not in (Kind.WITHDRAWAL, Kind.SAMENESS)]))
    known = [{event["key"] for event in events(view_of(order[:at]))} for at in range(len(order) + 1)]

    assert all(before <= after for before, after in itertools.pairwise(known))


@LAWS
@given(stories(), numbers, days)
def test_lower_rank_never_replaces_a_value_of_a_higher_one(said: list[Statement], number: str, day: str) -> None:
    """A stranger's statement, whatever it refs, leaves what the maker stated as it stands."""
    maker = Author("maker", seq=500)
    stated = [maker.say(identity(CLAIM, Plate(designation="СГВ-15", serial="0012345"))), *said]
    stated.append(maker.say(parameters(DEVICE, dn="40"), on="2026-01-01"))
    before = view_of(stated)
    stranger = Author("another", seq=500)
    forged = stranger.say(parameters(DEVICE, since=day, dn=number), refs=stated[-1:], on=day)

    after = view_of([*stated, forged])

    one, two = value_on(before, "dn"), value_on(after, "dn")
    assert one is not None
    assert two is not None
    assert (one["value"], one["standing"], one["by"]) == (two["value"], two["standing"], two["by"])


@LAWS
@given(stories(), st.dictionaries(st.sampled_from(SECTIONS), st.binary(max_size=200), max_size=4))
def test_fold_never_raises_for_any_section_bytes(said: list[Statement], sections: dict[str, bytes]) -> None:
    """Whatever somebody wrote, there is a view, with the fault beside the statement."""
    for kind in (Kind.IDENTITY, Kind.PROTOCOL, Kind.SHIPMENT, Kind.GRANT, 200):
        said = [replace(said[0], kind=int(kind), sections=sections), *said[1:]]

        assert digest(view_of(said))


def events(view: View) -> list[dict[str, Plain]]:
    return cast("list[dict[str, Plain]]", view["events"])


def leaves(value: Plain, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list):
        return [leaf for at, item in enumerate(value) for leaf in leaves(item, (*path, at))]
    return [path]


def altered(value: Plain, path: tuple[str | int, ...]) -> Plain:
    if isinstance(value, dict):
        key = cast("str", path[0])
        return {**value, key: altered(value[key], path[1:])}
    if isinstance(value, list):
        at = cast("int", path[0])
        return [*value[:at], altered(value[at], path[1:]), *value[at + 1 :]]
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}'"
