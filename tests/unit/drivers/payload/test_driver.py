"""A driver of a descriptor and a document: readings, reports, alarms, and whatever is left."""

from dataclasses import replace
from decimal import Decimal

import pytest

from drivers.descriptor import AppliesTo, ClockPolicy, Descriptor, Field, Level, StatusBit, Vector
from drivers.driver import Driver, prove, summary
from drivers.errors import DescriptorError, DocumentError, FrameError
from drivers.payload.driver import fields_of, payload_driver
from drivers.payload.schema import parse_schema
from drivers.reading import Kind, Status
from drivers.registry import install

DOCUMENT = """
name: water
endian: big
fields:
- {name: clock, type: u32}
- {name: volume, type: u32, unit: L}
- {name: temperature, type: s16, div: 10, unit: "°C", semantic: water.temperature, valid_range: [0, 40]}
- {name: leak, type: "u8[0:0]"}
- {name: valve, type: "u8[1:1]", consume: 1}
- {name: mode, type: u8, lookup: {1: summer, 2: winter}}
- {name: reserve, type: u16}
- {name: probes, type: repeat, count: 2, fields: [{name: level, type: u8, unit: "%"}]}
test_vectors:
- {name: usual, payload: 5e0be132 000004d2 00e7 01 02 0007 0a14,
   expected: {volume: 1234, temperature: 23.1, mode: winter}}
- {name: back, input: {clock: 1, volume: 2, temperature: 3.1, leak: 0, valve: 1, mode: summer, reserve: 0,
   probes: [{level: 1}, {level: 2}]}, expected_payload: 00000001 00000002 001f 02 01 0000 0102}
""".encode()
DESCRIPTOR = Descriptor(
    id="maker-water",
    publisher="maker",
    name="Water",
    version="1.0",
    level=Level.PAYLOAD,
    applies_to=AppliesTo(models=("W",)),
    transports=("lorawan",),
    ports=(2,),
    fields=(
        Field("clock", "time", "s", Kind.TIME),
        Field("volume", "volume", "m3", Kind.COUNTER, channel=1),
        Field("temperature", "temperature", "Cel", Kind.GAUGE),
        Field("probes.1.level", "level", "%", Kind.GAUGE, channel=2),
    ),
    clock=ClockPolicy(60, 3600),
    states=(StatusBit("leak", alarm=True), StatusBit("valve", alarm=False)),
    vectors=(
        Vector(
            "usual",
            2,
            "5e0be132000004d200e701020007 0a14".replace(" ", ""),
            "port-2 @2020-01-01T00:00:50Z | 1:volume=1.234 m3 0:temperature=23.1 Cel 2:level=20 %"
            " | clock=2020-01-01T00:00:50Z leak=1 valve=0 mode=winter | !leak"
            " | ?reserve=37 ?probes.0.level=3130",
        ),
    ),
)


def driver(document: bytes = DOCUMENT, descriptor: Descriptor = DESCRIPTOR) -> Driver:
    """The driver of the document."""
    return payload_driver(descriptor, document)


def test_document_becomes_readings_by_its_descriptor() -> None:
    """Litres become cubic metres, a clock the device time, a set state an alarm; what has no place is listed."""
    assert prove(driver()) == ()


def test_driver_is_installed_under_a_hash_of_its_document() -> None:
    """One byte of the document gives another driver."""
    one = install(driver(), {"payload.yaml": DOCUMENT})
    other = install(driver(DOCUMENT + b"\n"), {"payload.yaml": DOCUMENT + b"\n"})

    assert one.hash != other.hash


def test_value_outside_its_range_is_uncertain() -> None:
    """It is kept, with the reason."""
    decoded = driver().decode(2, bytes.fromhex("5e0be132000004d2ffff010200070a14"))

    doubted = [(item.quantity, item.status, item.value) for item in decoded.readings if item.reasons]
    assert doubted == [("temperature", Status.UNCERTAIN, Decimal("-0.1"))]


def test_bytes_behind_the_last_field_are_listed() -> None:
    """Nothing of a frame is dropped."""
    decoded = driver().decode(2, bytes.fromhex("5e0be132000004d200e7010200070a14beef"))

    assert summary(decoded).endswith("?rest=beef ?reserve=37 ?probes.0.level=3130")


def test_frame_that_does_not_fit_is_refused() -> None:
    """Too short, and on another port."""
    with pytest.raises(FrameError, match="byte 4: volume takes 4 bytes"):
        driver().decode(2, b"\0" * 6)
    with pytest.raises(FrameError, match="nothing on port 3"):
        driver().decode(3, b"")


def test_scale_of_the_descriptor_stands_for_an_unknown_unit() -> None:
    """Where the document has no unit that is known, the author says what a value is."""
    document = b'name: t\nfields: [{name: pulses, type: u16, unit: "pulses"}]'
    fields = (Field("pulses", "volume", "m3", Kind.COUNTER, scale=Decimal("0.01")),)
    plain = replace(DESCRIPTOR, fields=fields, states=(), vectors=())

    assert summary(driver(document, plain).decode(2, b"\x00\x7b")) == "port-2 | 0:volume=1.23 m3"


@pytest.mark.parametrize(
    ("unit", "target", "says"),
    [("°F", "Cel", "100"), ("km/h", "m/s", "58.8888888888"), ("m³/h", "L/h", "212000"), ("%", "1", "2.12")],
)
def test_unit_of_the_document_is_converted(unit: str, target: str, says: str) -> None:
    """By a factor whose digits end, or by the table of units."""
    document = f'name: t\nfields: [{{name: v, type: u8, unit: "{unit}"}}]'.encode()
    plain = replace(DESCRIPTOR, fields=(Field("v", "value", target, Kind.GAUGE),), states=(), vectors=())

    assert summary(driver(document, plain).decode(2, b"\xd4")).startswith(f"port-2 | 0:value={says}")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"level": Level.SCRIPT}, "is of level 2"),
        ({"fields": (Field("speed", "speed", "m/s", Kind.GAUGE),)}, "decodes none of that name"),
        ({"fields": (Field("volume", "mass", "kg", Kind.GAUGE),)}, "'volume' is in kg, water gives it in L"),
    ],
)
def test_descriptor_that_contradicts_its_document_is_refused(changes: dict[str, object], says: str) -> None:
    """Another level, a field that nothing decodes, a unit of something else."""
    with pytest.raises(DescriptorError, match=says):
        driver(descriptor=replace(DESCRIPTOR, **changes))  # type: ignore[arg-type]  # fields of every type


def test_port_without_fields_is_refused() -> None:
    """A descriptor names no port on which the document has nothing."""
    with pytest.raises(DescriptorError, match="has port 2, t has nothing on it"):
        driver(b"name: t\nports: {1: [{name: volume, type: u8}]}", replace(DESCRIPTOR, fields=(), vectors=()))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"volume: 1234", b"volume: 1235", "vector 'usual': volume is 1234, expected 1235"),
        (b"02 01 0000 0102}", b"02 01 0000 0103}", "vector 'back': written as 00000001"),
        (b"0007 0a14,", b"0007 0a,", "vector 'usual': FrameError"),
        (b"mode: winter", b"other: null", None),
        (b"mode: winter", b"other: 1", "other is None, expected 1"),
    ],
)
def test_document_that_does_not_hold_its_vectors_is_refused(old: bytes, new: bytes, says: str | None) -> None:
    """What a document says of itself is tried here before it is used; null expects that nothing is there."""
    document = DOCUMENT.replace(old, new)
    if says is None:
        driver(document)
    else:
        with pytest.raises(DocumentError, match=says):
            driver(document)


def test_fields_are_suggested_from_units_and_meanings() -> None:
    """An author begins with what the document says of its values."""
    assert [(field.name, field.quantity, field.unit) for field in fields_of(parse_schema(DOCUMENT))] == [
        ("volume", "volume", "L"),
        ("temperature", "water.temperature", "Cel"),
        ("probes.level", "probes.level", "%"),
    ]
