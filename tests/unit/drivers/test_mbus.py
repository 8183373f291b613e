"""Wired M-Bus from the frame to the reading: link, application layer, records, times, driver."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from drivers.context import Context
from drivers.errors import EncodeError, ForeignMeterError, FrameError, RefusedError, UnsupportedError
from drivers.mbus.driver import DRIVER, decode
from drivers.mbus.frame import REQ_UD2, RSP_UD, SND_NKE, LinkFrame, decode_frame, encode_long, encode_short
from drivers.mbus.records import (
    Function,
    Record,
    Value,
    decode_record_headers,
    decode_records,
    decode_with_headers,
)
from drivers.reading import Decoded, Kind, Storage
from tests.wired import answer

HEAT = answer("0c0612340000", "0f0102")


def read(*records: str, **header: int | str) -> Decoded:
    return decode(0, answer(*records, **header))  # type: ignore[arg-type]  # a test names what it needs


def record(text: str) -> Record:
    (found,) = decode_records(bytes.fromhex(text)).records
    return found


@pytest.mark.parametrize("control", [SND_NKE, REQ_UD2])
def test_short_frame_is_read_as_written(control: int) -> None:
    """What asks a meter comes back with its C and A field, and begins, sums and stops as the standard says."""
    frame = encode_short(control, 0xFD)

    assert frame == bytes([0x10, control, 0xFD, (control + 0xFD) & 0xFF, 0x16])
    assert decode_frame(frame) == LinkFrame(control, 0xFD)


def test_long_frame_is_read_as_written() -> None:
    """A frame of the greatest length keeps its bytes, one more does not fit."""
    data = bytes(range(253))

    assert decode_frame(encode_long(RSP_UD, 5, data)) == LinkFrame(RSP_UD, 5, data)
    with pytest.raises(EncodeError, match="1-253 bytes"):
        encode_long(RSP_UD, 5, data + b"\x00")


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ("", "got nothing"),
        ("00", "starts with e5, 10 or 68"),
        ("e5e5", "byte e5 alone"),
        ("105bfe5916ff", "5 bytes, got 6"),
        ("105bfe5816", "checksum: byte 3 is 58, the sum is 59"),
        ("105bfe5917", "stops with 16, byte 4 is 17"),
        ("6803", "68 L L 68, got 2 bytes"),
        ("680304680801780000", "bytes 1 and 2 are 3 and 4"),
        ("680303000801788116", "byte 3 of a long M-Bus frame is 68, got 00"),
        ("6802026808010916", "byte 1 says 2"),
        ("680303680801788116ff", "of length 3 is 9 bytes, got 10"),
        ("6803036808017881", "of length 3 is 9 bytes, got 8"),
        ("680303680801788216", "checksum: byte 7 is 82, the sum is 81"),
        ("680303680801788117", "stops with 16, byte 8 is 17"),
    ],
)
def test_broken_frame_is_refused_with_byte_and_rule(frame: str, says: str) -> None:
    """Each way a frame can be broken has its own text."""
    with pytest.raises(FrameError, match=says):
        decode_frame(bytes.fromhex(frame))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0113ff", "-0.001"),
        ("02130080", "-32.768"),
        ("0313ffff7f", "8388.607"),
        ("041300000080", "-2147483.648"),
        ("0613ffffffffff7f", "140737488355.327"),
        ("0713ffffffffffffff7f", "9223372036854775.807"),
        ("091399", "0.099"),
        ("0a133412", "1.234"),
        ("0b13563412", "123.456"),
        ("0c1378563412", "12345.678"),
        ("0e13129078563412", "123456789.012"),
        ("0c13010000f0", "-0.001"),
        ("05fd480000c03f", "0.15"),
        ("0d13c21234", "3.412"),
        ("0d13d21234", "-3.412"),
        ("0d13e2feff", "-0.002"),
    ],
)
def test_number_keeps_every_digit(text: str, value: str) -> None:
    """Integers, BCD, reals and numbers of variable length are exact, with their sign."""
    found = record(text).value

    assert isinstance(found, Decimal)
    assert found == Decimal(value)


def test_real_is_the_binary_number_and_no_rounded_one() -> None:
    """A real of 32 bits is told with all the digits that it has."""
    assert record("055b9a99b541").value == Decimal("22.700000762939453125")


@pytest.mark.parametrize("text", ["0c1300a00000", "0a13ffff", "0b131a0000", "055b0000c07f", "055b0000807f", "0d13c1f0"])
def test_digits_that_are_none_are_no_number(text: str) -> None:
    """What letters in BCD would give is told as spoilt, a real that is not finite not at all; neither is a reading."""
    found = record(text)

    assert found.is_spoilt is (found.value is not None)
    assert read(text).readings == ()
    assert read(text).unmapped


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("046d0f0ac12a", datetime(2022, 10, 1, 10, 15)),  # noqa: DTZ001 - a meter's clock has no zone
        ("066d1e0f0ac12a00", datetime(2022, 10, 1, 10, 15, 30)),  # noqa: DTZ001 - a meter's clock has no zone
        ("036d1e0f0a", "10:15:30"),
        ("026cbf2c", date(2021, 12, 31)),
        ("026c21a1", date(1981, 1, 1)),
        ("046d002a41a1", datetime(2082, 1, 1, 10)),  # noqa: DTZ001 - a meter's clock has no zone
        ("046d8f0ac12a", None),
        ("026cffff", None),
        ("026c0000", None),
        ("026c1e02", None),
        ("046d3b1fc12a", None),
        ("036d3f3f1f", None),
    ],
)
def test_time_is_read_or_marked_invalid(text: str, value: Value) -> None:
    """Types F, G, I and J; wildcards, days that are none and what the meter marks invalid are None."""
    assert record(text).value == value


def test_storage_tariff_and_subunit_are_joined_from_the_difes() -> None:
    """Each DIFE adds four bits of storage, two of tariff and one of subunit above those before."""
    found = record("d3d52113010000")

    assert (found.function, found.storage, found.tariff, found.subunit) == (Function.MAXIMUM, 0b1_0101_1, 0b1001, 0b01)


@pytest.mark.parametrize(
    ("vib", "quantity", "unit", "value", "modifiers"),
    [
        ("03", "energy", "W.h", "1", ()),
        ("0f", "energy", "J", "1e7", ()),
        ("43", "volume_flow", "m3/h", "0.006", ()),
        ("4b", "volume_flow", "m3/h", "0.0036", ()),
        ("fb00", "energy", "MW.h", "0.1", ()),
        ("fb0d", "energy", "Gcal_IT", "0.001", ()),
        ("fb1a", "relative_humidity", "%", "0.1", ()),
        ("fb2e", "frequency", "Hz", "0.1", ()),
        ("fdc8ff05", "voltage", "V", "0.1", ("maker_05",)),
        ("fdc8fc05", "voltage", "V", "0.1", ("l1_l2",)),
        ("933b", "volume", "m3", "0.001", ("forward",)),
        ("933c", "volume", "m3", "0.001", ("backward",)),
        ("9378", "volume", "m3", "0.002", ()),
        ("9377", "volume", "m3", "0.01", ()),
        ("937d", "volume", "m3", "1", ()),
        ("8320", "energy", "W.h/s", "1", ()),
        ("93ad40", "volume", "m3/m3", "0.001", ("lower_limit",)),
        ("9349", "volume", "", "1", ("number_of_upper_limit_exceeds",)),
        ("9352", "volume", "h", "1", ("duration_of_first_lower_limit_exceed",)),
        ("9318", "volume", "m3", "0.001", ("error_data_error",)),
        ("ff24", "manufacturer_specific", "", "1", ("24",)),
        ("6f", "unknown_6f", "", "1", ()),
        ("fb06", "unknown_fb06", "", "1", ()),
        ("7c034b4342", "plain_text", "", "1", ("BCK",)),
        ("fc034b434274", "plain_text", "", "0.01", ("BCK",)),
    ],
)
def test_vif_and_vifes_make_the_meaning(
    vib: str, quantity: str, unit: str, value: str, modifiers: tuple[str, ...]
) -> None:
    """Each table gives its quantity, UCUM unit and power of ten, and VIFEs change them in their order."""
    found = record("01" + vib + "01")

    assert (found.quantity, found.unit, found.modifiers) == (quantity, unit, modifiers)
    assert found.value == Decimal(value)
    assert (found.dib_vib.hex(), found.raw.hex()) == ("01" + vib, "01")


def test_limit_moment_is_a_time() -> None:
    """When a limit was first exceeded is a time, whatever the quantity is."""
    found = record("04934a0f0ac12a")

    assert found.value == datetime(2022, 10, 1, 10, 15)  # noqa: DTZ001 - a meter's clock has no zone
    assert (found.unit, found.modifiers) == ("", ("begin_of_first_upper_limit_exceed",))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0dfd0c0443424120", " ABC"),
        ("0dfd0c00", ""),
        ("0dfd0c0400010203", b"\x00\x01\x02\x03"),
        ("0d78f0" + "00" * 16, bytes(16)),
        ("0813", None),
        ("0013", None),
    ],
)
def test_data_that_is_no_number(text: str, value: Value) -> None:
    """Texts come from the last letter to the first; what is no text stays bytes; no data is None."""
    assert record(text).value == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("81", "byte 5: the header of a record goes on behind the end"),
        ("01", "byte 5: the header"),
        ("0193", "byte 5: the header"),
        ("017c05414243", "byte 5: the header"),
        ("007c05414243", "byte 5: the header"),
        ("81" + "80" * 10 + "001300", "10 DIFEs and VIFEs"),
        ("0193" + "80" * 10 + "0000", "10 DIFEs and VIFEs"),
        ("0413000000", "byte 7: a value of 4 bytes goes on behind the end, 3 are left"),
        ("0d13", "byte 7: a value of variable length has no length"),
        ("0d1304414243", "goes on behind the end"),
    ],
)
def test_broken_record_is_refused_where_it_breaks(text: str, says: str) -> None:
    """The error names the byte, counted from where the records begin, and the rule."""
    with pytest.raises(FrameError, match=says):
        decode_records(bytes.fromhex(text), where=5)


@pytest.mark.parametrize("text", ["7f", "3f", "0d13ca", "0d13ff"])
def test_data_of_another_kind_is_unsupported(text: str) -> None:
    """A global readout, reserved DIFs and reserved lengths are told from broken records."""
    with pytest.raises(UnsupportedError):
        decode_records(bytes.fromhex(text))


def test_fillers_and_makers_data_end_the_records() -> None:
    """2F is skipped, 0F ends with the maker's data, 1F says too that more follows."""
    records = decode_records(bytes.fromhex("2f2f0113012f1f0102"))

    assert [item.value for item in records.records] == [Decimal("0.001")]
    assert (records.manufacturer_data, records.more_follows) == (b"\x01\x02", True)
    assert not decode_records(bytes.fromhex("0f")).more_follows


def test_values_alone_are_read_by_remembered_headers() -> None:
    """A compact frame gives the records of the full one, and is refused where it is longer or shorter."""
    full = decode_records(bytes.fromhex("0c1378563412026cbf2c0d78024142"))
    headers = tuple(item.dib_vib for item in full.records)
    values = b"".join(item.raw for item in full.records)

    assert decode_record_headers(b"".join(headers)) == headers
    assert decode_with_headers(headers, values + b"\x2f") == full
    for broken in (values[:-1], values + b"\x00"):
        with pytest.raises(FrameError):
            decode_with_headers(headers, broken)


def test_driver_tells_who_what_and_how_it_is() -> None:
    """A frame gives readings, identity, alarms and what nobody can read."""
    decoded = read("046d0f0ac12a", "0c0612340000", "01ff2105", "0f0102", status=0x06)

    energy, unknown = decoded.readings
    assert (unknown.quantity, unknown.value, unknown.unit) == ("manufacturer_specific_21", Decimal(5), "1")
    assert (energy.quantity, energy.value, energy.unit, energy.kind) == (
        "energy",
        Decimal(3412000),
        "W.h",
        Kind.COUNTER,
    )
    assert decoded.device_time == energy.device_time == datetime(2022, 10, 1, 10, 15, tzinfo=UTC)
    said = {item.name: item.value for item in decoded.reported}
    assert (said["serial"], said["manufacturer"], said["version"]) == ("12345678", "KAM", 27)
    assert (said["medium"], said["access_number"], said["address"]) == ("heat", 42, 7)
    assert decoded.alarms == energy.alarms == ("application_error", "power_low")
    assert [(item.name, item.raw) for item in decoded.unmapped] == [("manufacturer_data", b"\x01\x02")]


def test_clock_is_read_in_the_zone_that_is_known() -> None:
    """A meter's clock has no zone: the context's one makes it a time."""
    zone = timezone(timedelta(hours=3))

    decoded = decode(0, answer("046d0f0ac12a"), Context(zone=zone))

    assert decoded.device_time == datetime(2022, 10, 1, 7, 15, tzinfo=UTC)


def test_storages_are_told_apart_and_have_their_dates() -> None:
    """Two older values have two keys, and each the date of its own storage."""
    decoded = read("0c1301000000", "4c1302000000", "426cbf2c", "8c011303000000")

    assert len({reading.key for reading in decoded.readings}) == 3
    assert [(reading.store, reading.device_time) for reading in decoded.readings] == [
        ("current", None),
        ("billing-1", datetime(2021, 12, 31, tzinfo=UTC)),
        ("billing-2", None),
    ]


@pytest.mark.parametrize(
    ("interval", "storage"),
    [
        ("8104fd2801", Storage.MONTHLY),
        ("8104fd2701", Storage.DAILY),
        ("8104fd2618", Storage.DAILY),
        ("8104fd2601", Storage.HOURLY),
        ("8104fd2602", Storage.BILLING),
    ],
)
def test_archive_is_of_the_interval_that_the_meter_tells(interval: str, storage: Storage) -> None:
    """From the storage of the interval's record on values are of the archive, those before of the due date."""
    decoded = read(interval, "4c1301000000", "8c041302000000", "cc041303000000")

    values = {reading.storage_number: reading.storage for reading in decoded.readings if reading.quantity == "volume"}
    assert values == {1: Storage.BILLING, 8: storage, 9: storage}


def test_function_and_vifes_are_in_the_name() -> None:
    """A maximum, a value in an error state and a backward volume are other quantities than the value now."""
    decoded = read("1b3b010000", "2b3b020000", "3b3b030000", "04933c04000000")

    assert [reading.quantity for reading in decoded.readings] == [
        "volume_flow_maximum",
        "volume_flow_minimum",
        "volume_flow_error",
        "volume_backward",
    ]
    assert [reading.kind for reading in decoded.readings] == [Kind.GAUGE, Kind.GAUGE, Kind.GAUGE, Kind.COUNTER]


def test_what_the_meter_could_not_tell_is_no_reading() -> None:
    """A record's error is reported with its word; an invalid number is listed with its bytes."""
    decoded = read("04931504000000", "0c1300a00000", "0c1300b00000")

    assert decoded.readings == ()
    assert decoded.find_reported("volume") == "no_data_available"
    assert [(item.name, item.raw.hex()) for item in decoded.unmapped] == [
        ("volume 0c13", "00a00000"),
        ("volume 0c13 #2", "00b00000"),
    ]


@pytest.mark.parametrize("ci", [0x7A, 0x78])
def test_short_header_and_none_are_read(ci: int) -> None:
    """A meter that does not say who it is still says what it measures."""
    decoded = read("0c0612340000", ci=ci)

    assert [reading.value for reading in decoded.readings] == [3412000]
    assert decoded.find_reported("serial") is None
    assert (decoded.find_reported("access_number") == 42) is (ci == 0x7A)


def test_highest_byte_first_is_read_alike() -> None:
    """The same meter in the historic mode 2 gives the same readings and the same identity."""
    ours = decode(0, answer("0c0612340000", "02fd170100"))
    theirs = decode(0, encode_long(RSP_UD, 7, bytes.fromhex("76123456782c2d1b042a0000000c060000341202fd170001")))

    assert theirs.readings == ours.readings
    assert theirs.reported == ours.reported


@pytest.mark.parametrize(
    ("ci", "body", "values"),
    [
        ("73", "785634120a00e97e0100000035010000", [("volume", "0.001", "current"), ("volume", "0.135", "billing-1")]),
        ("73", "785634120a01e97e0100000035010000", [("volume", "0.001", "current"), ("volume", "0.309", "billing-1")]),
        ("73", "785634120a02056900000100ffffff0f", [("energy", "10000000", "billing-1")]),
        ("77", "123456780a00e97e0000000100000135", [("volume", "0.001", "current"), ("volume", "0.135", "billing-1")]),
        ("73", "785634120a00c55f0100000002000000", [("energy", "1000", "current"), ("power", "200000", "current")]),
    ],
)
def test_fixed_structure_is_two_counters(ci: str, body: str, values: list[tuple[str, str, str]]) -> None:
    """BCD or binary, of now or of the due date, in the unit that each has; digits that are none are no reading."""
    decoded = decode(0, encode_long(RSP_UD, 5, bytes.fromhex(ci + body)))

    assert decoded.find_reported("serial") == "12345678"
    assert [(item.quantity, item.value, item.store) for item in decoded.readings] == [
        (quantity, Decimal(value), store) for quantity, value, store in values
    ]


def test_fixed_counters_of_one_kind_are_told_apart() -> None:
    """Two counters of one unit have two keys."""
    decoded = decode(0, encode_long(RSP_UD, 5, bytes.fromhex("73785634120a00e9690100000002000000")))

    assert [(item.channel, item.value) for item in decoded.readings] == [(0, Decimal("0.001")), (1, Decimal("0.002"))]
    assert decoded.find_reported("medium") == "water"


@pytest.mark.parametrize(("code", "says"), [("05", "more than 10 DIFEs"), ("63", "code 63"), ("", "unspecified error")])
def test_application_error_is_the_meters_refusal(code: str, says: str) -> None:
    """CI 70 is an answer and no reading: the error says what the meter said."""
    with pytest.raises(RefusedError, match=says):
        decode(0, encode_long(RSP_UD, 5, bytes.fromhex("70" + code)))


def test_alarm_report_raises_its_bits() -> None:
    """CI 71 tells of alarms by bit, and of nothing else."""
    decoded = decode(0, encode_long(RSP_UD, 5, b"\x71\x05"))

    assert (decoded.frame, decoded.alarms, decoded.readings) == ("alarm", ("alarm_0", "alarm_2"), ())


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (encode_short(REQ_UD2, 5), "C field 5b is no answer"),
        (encode_long(0x53, 5, b"\x51\x01\x13\x00"), "C field 53 is no answer"),
        (encode_long(RSP_UD, 5, b"\x51\x01"), "CI 51 is what a master sends"),
        (encode_long(RSP_UD, 5, b"\xa0\x01"), "CI a0 is an application layer"),
        (answer("2f2f2f2f", configuration="1005"), "encrypted: mode 5"),
        (answer("2f2f2f2f", ci=0x7A, configuration="0009"), "encrypted: mode 9"),
    ],
)
def test_frame_of_another_kind_is_unsupported(frame: bytes, says: str) -> None:
    """What a master says, other applications and encrypted answers are told from broken frames."""
    with pytest.raises(UnsupportedError, match=says):
        decode(0, frame)


def test_signature_of_an_old_meter_is_no_encryption() -> None:
    """Before modes were defined their place held a signature of any value, as ffff."""
    assert read("0c0612340000", configuration="ffff").readings


def test_acknowledgement_says_nothing() -> None:
    """E5 is an answer without readings."""
    assert decode(0, b"\xe5") == Decoded("acknowledgement")


def test_frame_of_another_meter_is_refused() -> None:
    """Where the passport says whose frame it has to be, another meter's readings are not taken."""
    assert decode(0, HEAT, Context(meter="KAM-12345678")).readings
    with pytest.raises(ForeignMeterError, match="KAM-12345678, not of KAM-00000001"):
        decode(0, HEAT, Context(meter="KAM-00000001"))


def test_published_codes_of_a_maker_are_named() -> None:
    """Where the maker tells what stands behind FF it has a name and a unit; the same code of another has none."""
    frame = bytearray(answer("05ff0b00004842", "0583ff0d0000803f", "01ff7701"))
    body = frame[4:-2]
    body[7:11] = bytes.fromhex("a34c1502")

    decoded = decode(0, encode_long(RSP_UD, 7, bytes(body[2:])))

    assert [(item.quantity, item.value, item.unit) for item in decoded.readings] == [
        ("frequency", Decimal(50), "Hz"),
        ("energy_partial", Decimal(1), "W.h"),
        ("manufacturer_specific_77", Decimal(1), "1"),
    ]
    others = [item.quantity for item in decode(0, bytes(frame)).readings]
    assert others == ["manufacturer_specific_0b", "energy_maker_0d", "manufacturer_specific_77"]


def test_unit_without_a_code_is_listed() -> None:
    """A value per something that has no unit in the table is no reading, and is not dropped."""
    decoded = read("01832c05")

    assert decoded.readings == ()
    assert [item.raw for item in decoded.unmapped] == [b"\x05"]


def test_plain_text_without_end_is_no_name_of_a_reading() -> None:
    """A number under a short text of the maker's is a reading by it, one under a text of 150 letters is listed."""
    decoded = read("017c0141" + "05", "017c96" + "41" * 150 + "05")

    assert [reading.quantity for reading in decoded.readings] == ["plain_text_a"]
    assert [item.raw for item in decoded.unmapped] == [b"\x05"]


def test_other_ports_and_sizes_are_refused() -> None:
    """A line has no ports, and a megabyte is no frame."""
    with pytest.raises(FrameError, match="nothing on port 2"):
        DRIVER.decode(2, HEAT)
    with pytest.raises(FrameError, match="over the limit"):
        DRIVER.decode(0, HEAT + bytes(1 << 20))
