"""What counts of what is published."""

import itertools

import pytest

from federation.authority import Attested
from node.passport import drafts
from node.passport.bodies import Reference
from node.passport.canonical import dump_json
from node.passport.ids import SubjectId
from node.passport.lines import LineKey
from node.passport.plate import Nameplate
from node.passport.view import moment_us
from node.passport.world import build_world
from tests.builders import id16
from tests.builders_passport import Author, Federation, attestation, card, demo, dual, line

AT = 1_780_000_000_000_000


@pytest.mark.parametrize(("agreeing", "quorum", "counts"), [(1, 1, True), (1, 2, False), (2, 2, True), (2, 3, False)])
def test_attestation_counts_where_k_anchors_said_the_same(agreeing: int, quorum: int, counts: bool) -> None:
    """An organisation is a maker when as many anchors as the genesis asks for said so."""
    federation = Federation(tuple(Author(f"anchor-{n}") for n in range(3)), quorum)
    maker = Author("maker")
    said = [a.say(attestation(federation.genesis, maker, Attested.MAKER)) for a in federation.anchors[:agreeing]]

    world = build_world(said, federation.genesis)

    assert world.attestations.is_maker(maker.org, AT) is counts


def test_anchors_that_name_different_times_agree_for_the_time_that_both_name() -> None:
    """What one anchor lets begin later or end earlier is attested from then and until then alone."""
    federation = Federation((Author("a"), Author("b")), 2)
    maker, (one, two) = Author("maker"), federation.anchors
    said = [
        one.say(attestation(federation.genesis, maker, Attested.MAKER, until="2026-06-01")),
        two.say(attestation(federation.genesis, maker, Attested.MAKER, since="2026-01-01")),
    ]

    (held,) = build_world(said, federation.genesis).attestations.of(maker.org)

    assert (held.since, held.until) == (moment_us("2026-01-01"), moment_us("2026-06-01"))


def test_attestation_of_a_stranger_or_of_another_federation_counts_nothing() -> None:
    """Only anchors attest, and only for the federation that they anchor."""
    federation, other = Federation(), Federation((Author("anchor"), Author("second")))
    maker = Author("maker")
    said = [
        Author("stranger").say(attestation(federation.genesis, maker, Attested.MAKER)),
        federation.anchors[0].say(attestation(other.genesis, maker, Attested.MAKER)),
    ]

    assert not build_world(said, federation.genesis).attestations.is_maker(maker.org, AT)


def test_attestation_that_its_anchor_replaced_no_longer_counts() -> None:
    """An anchor ends what it said by a statement that refs it; facts of the time before stay attested."""
    federation, lab = Federation(), Author("lab")
    anchor = federation.anchors[0]
    first = anchor.say(attestation(federation.genesis, lab, Attested.ACCREDITATION, "RA.RU.1"))
    later = attestation(federation.genesis, lab, Attested.ACCREDITATION, "RA.RU.1", until="2026-01-01")

    world = build_world([anchor.say(later, refs=[first]), first], federation.genesis)

    assert not world.attestations.is_accredited(lab.org, frozenset(), AT)
    assert world.attestations.is_accredited(lab.org, frozenset(), 0)


@pytest.mark.parametrize(
    ("rows", "scopes", "accredited"),
    [
        (("RA.RU.1",), {"type:t:cw"}, True),
        (("RA.RU.1", "type:t:cw"), {"type:t:cw", "grsi:999902"}, True),
        (("RA.RU.1", "grsi:999902"), {"type:t:hw", "grsi:999902"}, True),
        (("RA.RU.1", "resource:heat"), {"type:t:cw", "resource:cold_water"}, False),
        (("RA.RU.1", "type:t:cw"), set(), False),
    ],
)
def test_accreditation_holds_within_its_scope(rows: tuple[str, ...], scopes: set[str], accredited: bool) -> None:
    """A scope limits a lab to types, approvals or resources; without one it is accredited for all."""
    federation, lab = Federation(), Author("lab")
    federation.attest(lab, Attested.ACCREDITATION, *rows)

    assert federation.world.attestations.is_accredited(lab.org, frozenset(scopes), AT) is accredited


def test_number_that_two_organisations_hold_at_one_time_is_nobodys() -> None:
    """One organisation lives under a number; a successor may have it afterwards."""
    federation, one, two, heir = Federation(), Author("one"), Author("two"), Author("heir")
    federation.attest(one, Attested.NUMBER, "inn:1", "ogrn:1", until="2026-05-01")
    federation.attest(two, Attested.NUMBER, "inn:1")
    federation.attest(heir, Attested.NUMBER, "ogrn:1", since="2026-05-01")
    attested = federation.world.attestations

    assert attested.numbers(one.org) == ("ogrn:1",)
    assert attested.numbers(two.org) == ()
    assert attested.numbers(heir.org) == ("ogrn:1",)


def test_line_of_a_stranger_counts_nothing() -> None:
    """A line counts when its publisher is an attested maker or a steward, and names itself."""
    federation, maker, lab = demo()
    stranger = Author("stranger")
    federation.publish(stranger, line(stranger, "strange", "ЧУЖ-15"))
    federation.publish(lab, line(maker, "forged", "ПОД-15"))
    federation.publish(lab, line(lab, "kept", "СТАР-15"))
    world = federation.world

    assert sorted(world.line_records) == sorted(id16(name).hex() for name in ("line", "kept"))
    assert world.makers_of(id16("line").hex()) == {maker.org}
    assert world.makers_of(id16("kept").hex()) == frozenset()


def test_line_id_that_another_maker_takes_is_nobodys_and_a_stewards_record_stands() -> None:
    """Of one line id that two makers state nobody's record counts; where a steward states it, his does."""
    federation, _, lab = demo()
    thief = Author("thief")
    federation.attest(thief, Attested.MAKER)
    federation.publish(thief, line(thief))
    federation.publish(lab, line(lab, "kept", "СТАР-15"))
    federation.publish(thief, line(thief, "kept", "СТАР-15"))
    world = federation.world

    assert id16("line").hex() not in world.line_records
    assert world.line_records[id16("kept").hex()].org == lab.org
    assert world.makers_of(id16("kept").hex()) == frozenset()


def test_line_never_changes_its_width() -> None:
    """A record that changes the serials of its line does not count; one that adds a designation does."""
    federation, maker, _ = demo()
    federation.publish(maker, line(maker, width=9))
    federation.publish(maker, line(maker, designations=["СГВ-15", "СГВ-15Д"]))

    record = federation.world.line_records[id16("line").hex()].record

    assert record.serial.total == 7
    assert record.designations == ("СГВ-15", "СГВ-15Д")


def test_dual_reference_binds_to_the_latest_central_code() -> None:
    """Of two bindings of one local code the one that refs the other counts, and else the later."""
    federation, maker, _ = demo()
    first = federation.publish(maker, dual(maker, "types", "0001", "t:cw"))
    federation.publish(maker, dual(maker, "types", "0001", "t:hw"), refs=[first])
    federation.publish(maker, dual(maker, "types", "0002", "t:cw"))
    federation.publish(maker, dual(maker, "types", "0002", "t:ht"))
    world = federation.world

    assert world.central(Reference(local="0001"), maker.org, "types") == "t:hw"
    assert world.central(Reference(local="0002"), maker.org, "types") == "t:ht"
    assert world.central(Reference(local="0001"), Author("other").org, "types") is None


def test_type_and_code_of_a_steward_are_known() -> None:
    """A steward's record of a type and of a code adds to the central catalogs."""
    federation, _, lab = demo()
    kind = {"code": "t:x", "grsi": "12345-20", "type_ru": "Счётчик", "model": "Х-1", "mpi_months": 72}
    federation.publish(lab, drafts.catalog(lab.org, "type", dump_json(kind), 0))
    federation.publish(
        lab, drafts.catalog(lab.org, "code", dump_json({"catalog": "events", "code": "z", "ru": "зет"}), 0)
    )
    world = federation.world

    assert world.types["t:x"].model == "Х-1"
    assert world.types["t:cw"].model == "ВС-15Д"
    assert world.name_of(Reference(central="z"), lab.org, "events") == "зет"


def test_card_is_its_organisations_own() -> None:
    """An organisation's name is what its own latest card says."""
    federation, maker, _ = demo()
    federation.publish(maker, card(maker, "Старое"))
    federation.publish(maker, card(maker, "Новое"))
    federation.published.append(Author("other").say(card(maker, "Чужое")))

    assert federation.world.organisation_name(maker.org) == "Новое"


def test_template_is_found_by_statement_and_by_content() -> None:
    """A template is found by its publisher and either the id of the statement or the hash of its bytes."""
    federation, _, lab = demo()
    raw = '{"x-epd-template": {"name": "v", "version": "1", "title": {"ru": "Протокол"}}}'.encode()
    said = federation.publish(lab, drafts.template(lab.org, raw, 0))

    found = federation.world.templates

    assert found[lab.org.hex(), said.id.hex()].title == "Протокол"
    assert len(found) == 2


def test_malformed_publications_count_nothing() -> None:
    """Bytes that are no record are passed over."""
    federation, maker, lab = demo()
    before = federation.world
    for author, name, raw in itertools.product((maker, lab), ("line", "type", "code", "unit", "reference"), HOSTILE):
        federation.publish(author, drafts.catalog(author.org, name, raw, 0))
    for raw in HOSTILE:
        federation.publish(lab, drafts.template(lab.org, raw, 0))
    after = federation.world

    assert after.line_records == before.line_records
    assert after.types.keys() == before.types.keys()
    assert not after.templates


def test_world_is_the_same_for_any_order() -> None:
    """Publications may arrive in any order and more than once."""
    federation, maker, lab = demo()
    federation.publish(lab, line(lab, "kept", "СТАР-15"))
    first = federation.publish(maker, dual(maker, "types", "0001", "t:cw"))
    federation.publish(maker, dual(maker, "types", "0001", "t:hw"), refs=[first])
    forward, backward = federation.published, [*reversed(federation.published), *federation.published]

    one, two = (build_world(said, federation.genesis) for said in (forward, backward))

    assert (one.bindings, one.line_records, one.cards, one.known) == (
        two.bindings,
        two.line_records,
        two.cards,
        two.known,
    )
    assert one.lines.key(Nameplate("СГВ 15", "12345")) == LineKey(SubjectId(id16("line")), "0012345", "")


HOSTILE = (b"", b"\xff", b"[]", b"{}", b'{"code": 1}', b'"\\ud800"', b'{"code":"\\ud800"}', b"[" * 5000)
