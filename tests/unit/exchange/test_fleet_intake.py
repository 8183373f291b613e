"""What an importer takes of a fleet table, whatever its shape, and what goes back to be corrected."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest

from node.exchange.fleet.findings import Grade
from node.exchange.fleet.intake import TRUE_OF_THE_METER, FleetMeter, Intake, take_in
from node.exchange.fleet.known import Known
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.reader import read_fleet
from node.exchange.tables import write_csv, write_xlsx
from node.passport.bodies import Plate
from node.passport.claims import Scheme
from tests.builders import id16
from tests.fleets import COUNTED, HEADER, ON, SHAPES, Sample, Shape, cells, clean, planted
from tests.garbage import TEXTS


def judged(raw: bytes, source: str = "job") -> Intake:
    """A table judged by a node that knows no lines."""
    return take_in(raw, FleetMapping(), today=ON, known=Known(), log=id16("log"), source=source)


def to_correct(intake: Intake, raw: bytes) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """What goes back of a table that was judged."""
    return intake.faulty(sorted(intake.refused.items()), read_fleet(raw, today=ON).grid)


def table(meters: list[Sample]) -> bytes:
    """Meters as a table of Russian headers."""
    return write_csv(HEADER, [cells(meter) for meter in meters])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_row_is_taken_unless_the_check_up_calls_it_wrong(shape: Shape) -> None:
    """Of a table of any shape each meter is taken or goes back, by the errors that the check-up tells of its row."""
    raw, _ = shape.write(planted(COUNTED, 3, shape.lacks))

    intake = judged(raw)

    errors = {
        finding.row
        for finding in intake.report.findings
        if finding.grade is Grade.ERROR and finding.rule.code not in TRUE_OF_THE_METER
    }
    taken = {meter.row.row for meter in intake.meters if isinstance(meter, FleetMeter)}
    assert len(intake.meters) == intake.report.meters
    assert len(taken) + len(intake.refused) == len(intake.meters)
    assert errors
    assert not taken & errors
    others = {finding.rule.code for told in intake.refused.values() for finding in told if finding.row not in errors}
    assert others <= {"row.duplicate", "type.required"}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_report_is_understood_with_no_mapping(
    shape: Shape, write: Callable[[Sequence[str], Iterable[Sequence[str]]], bytes]
) -> None:
    """What goes back is a table of its own: the same meters with the addresses that stood above or beside them."""
    raw, _ = shape.write(planted(COUNTED, 3, shape.lacks))
    intake = judged(raw)
    header, faulty = to_correct(intake, raw)

    back = judged(write(header, faulty))

    sent = [intake.rows[at] for at in sorted(intake.refused)]
    read = {(row.address, row.designation, row.plate) for row in back.rows}
    assert len(back.rows) == len(sent)
    assert {(row.address, row.designation, row.plate) for row in sent if row.plate} <= read


def test_verification_that_ended_is_true_of_the_meter() -> None:
    """A meter whose verification expired is taken: there is nothing in the table to correct."""
    meters = clean(COUNTED, 5)
    meters[4] = replace(meters[4], verified="01.03.2015", until="01.03.2021", year="2014")

    intake = judged(table(meters))

    assert "verification.expired" in {finding.rule.code for finding in intake.report.findings}
    assert not intake.refused


def test_local_claim_is_the_same_for_the_same_job_only() -> None:
    """A judgement made again gives the same subjects; another file gives others."""
    raw = table([replace(meter, approval="") for meter in clean(COUNTED, 5)])

    one, again, other = (judged(raw, source).meters for source in ("job", "job", "other"))

    assert one == again
    claims = [meter.claim for meter in (*one, *other) if isinstance(meter, FleetMeter)]
    assert {claim.scheme for claim in claims} == {Scheme.LOCAL}
    assert len(set(claims)) == 2 * COUNTED


def test_two_meters_of_one_row_with_one_serial_are_one() -> None:
    """The second of two equal serials goes back, whether it stands in another row or beside the first."""
    header = ("Адрес", "Зав. № ХВС", "Тип ХВС", "Зав. № ГВС", "Тип ГВС")
    kind = clean(1, 5)[0].designation
    rows = [[f"ул. Садовая, д. 1, кв. {at}", f"{at:08d}", kind, f"{at + 500:08d}", kind] for at in range(101, 121)]
    rows[3][3] = rows[3][1]

    intake = judged(write_csv(header, rows))

    assert len(intake.meters) == 2 * len(rows)
    assert [[finding.rule.code for finding in told] for told in intake.refused.values()] == [["row.duplicate"]]


@pytest.mark.parametrize("place", [0, 3, 4, 9, 13], ids=["address", "type", "serial", "approval", "DevEUI"])
def test_no_text_of_a_cell_breaks_a_plate(place: int) -> None:
    """Whatever stands in a cell, the meter goes back or has a plate that can be signed, and the report is written."""
    rows = [cells(meter) for meter in clean(len(TEXTS), 5)]
    for row, text in zip(rows, TEXTS, strict=True):
        row[place] = text[:30_000]

    raw = write_csv(HEADER, rows)
    intake = judged(raw)

    for meter in intake.meters:
        if isinstance(meter, FleetMeter):
            assert Plate.from_bytes(meter.plate.to_bytes()) == meter.plate
    assert write_xlsx(*to_correct(intake, raw))
