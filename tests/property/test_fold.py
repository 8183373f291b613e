"""Laws of the fold."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.authority import Kind
from node.passport.bodies import Plate
from node.passport.drafts import Draft
from node.passport.fold import fold
from node.passport.identity import resolve_identity
from node.passport.statement import Statement
from node.passport.view import Plain, View, digest, frozen_view, value_on
from tests.builders import id16
from tests.builders_passport import (
    Author,
    acceptance,
    composition,
    demo,
    event,
    identity,
    line_claim,
    offer,
    parameters,
    radio,
    raw,
    reading,
    verification,
)

WORLD = demo()[0].world
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
NAMES = ("maker", "lab", "owner", "stranger")
CODES = ("manufactured", "packed", "installed", "admitted", "repaired", "verified", "scrapped", "своё")
SECTIONS = (
    "claim",
    "nameplate",
    "type",
    "event",
    "parameters",
    "radio",
    "composition",
    "extract",
    "template",
    "authority",
)

# Examples fold dozens of statements several times; what is slow here is the number of examples.
LAWS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
days = st.sampled_from(["2026-01-01", "2026-01-02T10:00:00Z", "2026-03-01"])
plates = st.builds(
    Plate,
    designation=st.sampled_from(["СГВ-15", "CГB 15", "ТВ-7"]),
    serial=st.sampled_from(["0012345", "12345", "9"]),
    year=st.sampled_from([None, "2019"]),
)
numbers = st.sampled_from(["15", "15.0", "20"])


def drafts_of() -> st.SearchStrategy[Draft]:
    device, others = st.just(DEVICE), st.sampled_from([id16("one"), id16("two")])
    return st.one_of(
        st.builds(identity, st.just(CLAIM), plates),
        st.builds(event, device, st.sampled_from(CODES), external=st.sampled_from([None, "1", "2"])),
        st.builds(lambda n, day: parameters(DEVICE, since=day, dn=n), numbers, st.none() | days),
        st.builds(radio, device, st.sampled_from(["00" * 8, "11" * 8])),
        st.builds(verification, device, fit=st.booleans()),
        st.builds(composition, others, device, st.none() | days, st.none() | days),
        st.builds(composition, device, others, days),
        st.builds(lambda who: reading(DEVICE, Author(who), 2), st.sampled_from(NAMES)),
        st.builds(lambda a, b: offer(Author(a), Author(b), DEVICE), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.builds(
            lambda name, content: raw(Kind.EVENT, DEVICE, **{name: content}),
            st.sampled_from(SECTIONS),
            st.binary(max_size=40) | st.sampled_from([b"{}", b"[]", b'{"rows":[]}', b"\x90"]),
        ),
    )


@st.composite
def stories(draw: st.DrawFn) -> list[Statement]:
    """What a few organisations say, in the order in which they say it."""
    authors = {name: Author(name, seq=100) for name in NAMES}
    said: list[Statement] = []
    for _ in range(draw(st.integers(1, 12))):
        author = authors[draw(st.sampled_from(NAMES))]
        offers = [s for s in said if s.kind == Kind.SHIPMENT and not s.refs]
        refs = draw(st.lists(st.sampled_from(said), max_size=2, unique_by=lambda s: s.ref)) if said else []
        answers = draw(st.booleans())
        accepted = [acceptance(author, draw(st.sampled_from(offers)), DEVICE)] if offers and answers else []
        draft = accepted[0] if accepted else draw(drafts_of())
        hide = draw(st.sampled_from([(), ("parameters",), ("event",), ("personal",)]))
        auth = refs[:1] if draw(st.integers(0, 5)) == 0 else []
        refs = [] if draft.kind == Kind.SHIPMENT else refs
        said.append(author.say(draft, refs=refs, auth=auth, hide=hide, on=draw(st.none() | days)))
    return said


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


@LAWS
@given(stories(), st.data())
def test_union_is_equal_whichever_part_came_first(said: list[Statement], data: st.DataObject) -> None:
    """Two nodes that learned the same in two orders, parts of it withheld at first, show the same."""
    at = data.draw(st.integers(0, len(said)))
    veiled = [replace(s, sections={}, withheld=(*s.withheld, *((name, 2) for name in s.sections))) for s in said[:at]]

    assert digest(view_of([*said[at:], *said[:at]])) == digest(view_of([*veiled, *said]))


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
    """Events only grow, in whatever order the statements come."""
    order = data.draw(st.permutations(said))
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
