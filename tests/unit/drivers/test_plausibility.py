"""Plausibility of readings and the comparison of a meter with its passport."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from drivers.comparison import Expected, Outcome, compare, differing
from drivers.plausibility import Amount, Expectations, Limits, judge
from drivers.reading import Decoded, Kind, Reading, ReadingKey, Status, Storage
from drivers.vega import betar, spbzip

INFO = spbzip.decode_info(bytes.fromhex("01c94818002fb930620101ff00808b965d0c00000014d60100270300000013006bd8"))
HEARD = datetime(2022, 3, 15, 16, 5, 10, tzinfo=UTC)
ENERGY = ReadingKey(1, "energy_active_import", Storage.CURRENT, 0)


def judged(decoded: Decoded, received: datetime, expectations: Expectations) -> Reading:
    return judge(decoded, received, spbzip.DESCRIPTOR.clock, expectations)[0]


def test_plausible_reading_stays_ok() -> None:
    """A value above the last, in range and of this minute has no reasons."""
    known = Expectations(
        {"energy_active_import": Limits("kW.h", Decimal(0), Decimal(99999))},
        {ENERGY: Amount(Decimal("120.34"), "kW.h")},
    )

    assert judged(INFO, HEARD, known) == INFO.readings[0]


def test_register_below_the_last_known_is_bad() -> None:
    """A counter that went back is kept with its value, bad, with both numbers in the reason."""
    reading = judged(INFO, HEARD, Expectations(last={ENERGY: Amount(Decimal("120.341"), "kW.h")}))

    assert (reading.status, reading.value) == (Status.BAD, Decimal(120340))
    assert [reason.code for reason in reading.reasons] == ["counter-below-last"]
    assert dict(reading.reasons[0].parameters) == {"value": "120340", "last": "120341", "unit": "W.h"}


@pytest.mark.parametrize(
    ("shift", "code"),
    [
        (timedelta(seconds=61), "clock-behind"),
        (timedelta(days=-2), "clock-ahead"),
    ],
)
def test_clock_out_of_its_window_makes_every_reading_uncertain(shift: timedelta, code: str) -> None:
    """A meter's time a day behind or a minute ahead of the receive time puts its readings in doubt."""
    received = HEARD + (timedelta(days=1) if code == "clock-behind" else timedelta(0)) + shift
    readings = judge(INFO, received, spbzip.DESCRIPTOR.clock, Expectations())

    assert all(reading.status is Status.UNCERTAIN for reading in readings)
    assert {reason.code for reading in readings for reason in reading.reasons} == {code}


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits("kW.h", minimum=Decimal(200)), "below-range"),
        (Limits("kW.h", maximum=Decimal(100)), "above-range"),
        (Limits("m3", maximum=Decimal(100)), "unit-mismatch"),
    ],
)
def test_value_outside_the_catalog_is_bad(limits: Limits, code: str) -> None:
    """A value outside the catalog's range, or of another dimension than the catalog's unit, is bad."""
    reading = judged(INFO, HEARD, Expectations({"energy_active_import": limits}))

    assert (reading.status, [reason.code for reason in reading.reasons]) == (Status.BAD, [code])


def test_only_counters_are_held_to_grow() -> None:
    """A temperature may fall."""
    key = ReadingKey(0, "temperature", Storage.CURRENT, 0)
    readings = judge(INFO, HEARD, spbzip.DESCRIPTOR.clock, Expectations(last={key: Amount(Decimal(50), "Cel")}))

    assert readings[1].kind is Kind.GAUGE
    assert readings[1].status is Status.OK


def test_status_only_gets_worse() -> None:
    """A bad value with a doubtful clock stays bad and keeps both reasons."""
    reading = judged(INFO, HEARD + timedelta(days=9), Expectations(last={ENERGY: Amount(Decimal(1), "MW.h")}))

    assert reading.status is Status.BAD
    assert [reason.code for reason in reading.reasons] == ["clock-behind", "counter-below-last"]


PASSPORT: Expected = {
    "serial": "01591497",
    "made": "2019-10-04",
    "firmware": "1.2",
    "energy_active_import": Amount(Decimal("100"), "kW.h"),
}


def test_meter_that_is_its_passport_agrees_in_every_row() -> None:
    """Serial without regard to leading zeros, date made, firmware, clock, temperature and register agree."""
    rows = compare(spbzip.DESCRIPTOR, INFO, PASSPORT, HEARD)

    assert [row.source for row in rows] == [
        "serial",
        "made",
        "firmware",
        "clock",
        "temperature",
        "energy_active_import",
    ]
    assert all(row.outcome is Outcome.AGREES for row in rows)


def test_neighbours_meter_differs_in_the_rows_that_name_it() -> None:
    """A meter flashed with its neighbour's keys shows another serial, date, firmware and register."""
    neighbour: Expected = {
        "serial": "1591498",
        "made": "2019-10-05",
        "firmware": "1.3",
        "energy_active_import": Amount(Decimal("120.341"), "kW.h"),
    }
    rows = differing(compare(spbzip.DESCRIPTOR, INFO, neighbour, HEARD + timedelta(days=30)))

    assert [(row.source, row.expected, row.reported) for row in rows] == [
        ("serial", "1591498", "1591497"),
        ("made", "2019-10-05", "2019-10-04"),
        ("firmware", "1.3", "1.2"),
        ("clock", f"{(HEARD + timedelta(days=30)):%Y-%m-%dT%H:%M:%SZ}", "2022-03-15T16:05:03Z"),
        ("energy_active_import", "≥ 120.341 kW.h", "120340 W.h"),
    ]


def test_silent_passport_agrees_with_nothing() -> None:
    """What the passport does not state is a row of its own kind, neither agreeing nor differing."""
    rows = compare(spbzip.DESCRIPTOR, INFO, {}, HEARD)

    assert [row.source for row in rows if row.outcome is Outcome.NOT_STATED] == [
        "serial",
        "made",
        "firmware",
        "energy_active_import",
    ]


def test_betar_is_compared_by_what_its_frame_has() -> None:
    """A Betar frame carries no serial: clock, temperature and register are all that is compared."""
    data = betar.BetarData(99, 99, HEARD, Decimal("0.0119"))
    decoded = betar.decode_data(betar.encode_data(data))
    rows = compare(betar.DESCRIPTOR, decoded, {"volume": Amount(Decimal("0.012"), "m3")}, HEARD)

    assert [(row.source, row.outcome) for row in rows] == [
        ("clock", Outcome.AGREES),
        ("temperature", Outcome.DIFFERS),
        ("volume", Outcome.DIFFERS),
    ]
