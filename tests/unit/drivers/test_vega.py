"""The frames of the Vega family field by field, and the way back into bytes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from drivers.errors import EncodeError, FrameError
from drivers.reading import Kind
from drivers.vega import betar, clock, settings, spbzip

BETAR = bytes.fromhex("01631e000032e10b5e000001000000")
INFO = bytes.fromhex("01c94818002fb930620101ff00808b965d0c00000014d60100270300000013006bd8")
TARIFFS = bytes.fromhex("04c9481800ebc131620315d601000717010060ae000055080000590800001498")
SETTINGS = bytes.fromhex("0004000102080001013100010110000102370002b400")


def test_betar_data_has_its_fields() -> None:
    """The maker's frame is 99 %, 30 °C, 2020-01-01 and 0.0001 m³ with nothing wrong."""
    data = betar.parse_data(BETAR)

    assert data == betar.BetarData(99, 30, datetime(2020, 1, 1, 0, 0, 50, tzinfo=UTC), Decimal("0.0001"))
    assert betar.encode_data(data) == BETAR


def test_betar_volume_is_exact_decimal() -> None:
    """A register of 32 bits keeps all its digits and is a counter in cubic metres."""
    reading = betar.decode_data(BETAR[:-4] + b"\xff\xff\xff\xff").find_reading("volume")

    assert reading is not None
    assert (str(reading.value), reading.unit, reading.kind, reading.channel) == ("429496.7295", "m3", Kind.COUNTER, 1)


@pytest.mark.parametrize(("at", "alarm"), [(3, "magnet"), (9, "leak"), (10, "break")])
def test_betar_state_byte_raises_its_alarm(at: int, alarm: str) -> None:
    """Each of the three state bytes raises its own alarm on the frame and on every reading."""
    decoded = betar.decode_data(BETAR[:at] + b"\x01" + BETAR[at + 1 :])

    assert decoded.alarms == (alarm,)
    assert all(reading.alarms == (alarm,) for reading in decoded.readings)


@pytest.mark.parametrize(
    "change",
    [
        {"volume_m3": Decimal("0.00005")},
        {"volume_m3": Decimal("429496.7296")},
        {"volume_m3": Decimal(-1)},
        {"volume_m3": Decimal("NaN")},
        {"volume_m3": Decimal("1e50")},
        {"temperature_c": 128},
        {"battery_percent": 256},
        {"device_time": datetime(2020, 1, 1)},  # noqa: DTZ001 - a naive time is what is refused
        {"device_time": datetime(1969, 12, 31, tzinfo=UTC)},
    ],
)
def test_betar_value_that_does_not_fit_is_refused(change: dict[str, object]) -> None:
    """A virtual meter cannot say what a real frame has no place for."""
    with pytest.raises(EncodeError):
        betar.encode_data(replace(betar.parse_data(BETAR), **change))  # type: ignore[arg-type]  # one field at a time


def test_spbzip_info_has_its_fields() -> None:
    """The maker's frame names serial 1591497, made 2019-10-04, firmware 1.2 and 120340 W.h at 39 °C."""
    info = spbzip.parse_info(INFO)

    assert (info.serial, info.made, str(info.firmware)) == (1591497, date(2019, 10, 4), "1.2")
    assert (info.energy_wh, info.temperature_c) == (120340, 39)
    assert info.device_time == datetime(2022, 3, 15, 16, 5, 3, tzinfo=UTC)
    assert spbzip.encode_info(info) == INFO


def test_spbzip_tariffs_add_up_in_the_real_frame() -> None:
    """The four tariffs of the maker's frame are its total, which fixes where the total stands."""
    tariffs = spbzip.parse_tariffs(TARIFFS)

    assert sum(tariffs.tariffs_wh) == tariffs.energy_wh == 120341
    assert spbzip.encode_tariffs(tariffs) == TARIFFS


@pytest.mark.parametrize(
    "change",
    [{"firmware": Decimal("1.25")}, {"serial": 1 << 32}, {"energy_wh": -1}, {"flags": b""}, {"rest": bytes(9)}],
)
def test_spbzip_value_that_does_not_fit_is_refused(change: dict[str, object]) -> None:
    """A virtual meter cannot say what a real frame has no place for."""
    with pytest.raises(EncodeError):
        spbzip.encode_info(replace(spbzip.parse_info(INFO), **change))  # type: ignore[arg-type]  # one field at a time


def test_settings_packet_goes_both_ways() -> None:
    """The maker's packet reads into five settings and is written back byte for byte."""
    found = settings.parse_settings(SETTINGS)

    assert [(item.name, item.number) for item in found] == [
        ("confirmed", 2),
        ("uplink_count", 1),
        ("collection_period", 1),
        ("communication_period", 2),
        ("time_zone_min", 180),
    ]
    assert settings.encode_settings(found) == SETTINGS
    assert settings.encode_settings_request() == b"\x01"


@pytest.mark.parametrize("wrong", [[], [settings.Setting(1 << 16, b"\0")], [settings.Setting(1, bytes(256))]])
def test_settings_that_do_not_fit_are_refused(wrong: list[settings.Setting]) -> None:
    """An id over 16 bits, a value over 255 bytes and an empty packet have no place on the wire."""
    with pytest.raises(EncodeError):
        settings.encode_settings(wrong)


def test_correction_is_read_as_the_meter_reads_it() -> None:
    """The published answer to a clock one hour late moves it 3601 s forward."""
    assert clock.decode_correction(bytes.fromhex("ff110e000000000000")) == timedelta(seconds=3601)
    assert clock.encode_correction(3601).hex() == "ff110e000000000000"


@pytest.mark.parametrize("data", ["", "ff110e0000000000", "00110e000000000000", "ffffffffffffffff7f"])
def test_broken_correction_is_refused(data: str) -> None:
    """A cut or marked correction, or one of 292 billion years, moves no clock."""
    with pytest.raises(FrameError):
        clock.decode_correction(bytes.fromhex(data))


def test_correction_step_stays_within_the_policy() -> None:
    """A meter whose clock may be stepped by 30 s at most gets 30 s of its 100."""
    device = datetime(2022, 3, 5, 7, 0, tzinfo=UTC)
    policy = replace(clock.POLICY, max_step_s=30)

    assert clock.plan_correction(device, device + timedelta(seconds=100), None, policy) == 30
    assert clock.plan_correction(device, device - timedelta(seconds=100), None, policy) == -30


def test_meter_that_cannot_be_corrected_is_not() -> None:
    """Without a published command no correction is planned, however late the clock."""
    device = datetime(2022, 3, 5, 7, 0, tzinfo=UTC)

    assert clock.plan_correction(device, device + timedelta(hours=1), None, spbzip.DESCRIPTOR.clock) is None


def test_data_frame_asks_for_no_answer() -> None:
    """Only a clock report is answered."""
    now = datetime(2022, 3, 5, tzinfo=UTC)

    assert clock.answer_clock_report(betar.decode_data(BETAR), now, None) is None
