"""Codecs in the three forms of the field, their Buffer and their clock, and what they may not have."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from drivers.context import Context
from drivers.descriptor import AppliesTo, ClockPolicy, Descriptor, Field, Level, StatusBit
from drivers.driver import Downlink, summary
from drivers.errors import DriverError, DriverFaultError, EncodeError, FrameError, ScriptThrownError
from drivers.package import Package, read_folder
from drivers.reading import Kind
from drivers.script.driver import Script, script_driver
from drivers.script.pool import Call, ScriptPool
from drivers.starting import begin_driver

Json = Any  # Any: JSON
FRAME = bytes.fromhex("000004d200e701")
TAKEN = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FORMS = {
    "TS013": """
        function decodeUplink(input) {
          var b = input.bytes;
          return { data: { volume: ((b[0] << 24) | (b[1] << 16) | (b[2] << 8) | b[3]) >>> 0,
            temperature: ((b[4] << 8) | b[5]) / 10, leak: b[6], port: input.fPort } };
        }""",
    "TS013 of a module": """
        const decodeUplink = ({ bytes, fPort }) => {
          const b = Buffer.from(bytes);
          const [volume, leak] = [b.readUInt32BE(0), b.readUint8(6)];
          return { data: { volume, temperature: b.readInt16BE(4) / 10, leak, port: fPort } };
        };
        module.exports = { decodeUplink };""",
    "ChirpStack v3": """
        function Decode(fPort, bytes, variables) {
          var b = Buffer.from(bytes);
          return { volume: b.readUIntBE(0, 4), temperature: b.readIntBE(4, 2) / 10, leak: b[6], port: fPort };
        }""",
    "TTN v2": """
        function Decoder(bytes, port) {
          var decoded = {};
          decoded.volume = parseInt(Buffer.from(bytes).slice(0, 4).toString('hex'), 16);
          decoded.temperature = new DataView(new Uint8Array(bytes).buffer).getInt16(4) / 10;
          decoded.leak = bytes[6]; decoded.port = port;
          return decoded;
        }""",
}


@pytest.fixture(scope="module")
def pool() -> Iterator[ScriptPool]:
    """The processes of this file's scripts."""
    made = ScriptPool()
    yield made
    made.close()


def run(pool: ScriptPool, source: str, function: str = "uplink", argument: str = f"2 {FRAME.hex()}") -> Json:
    """What a script gives."""
    (found,) = pool.call(source.encode(), source, [Call(function, argument, int(TAKEN.timestamp() * 1000))])
    return found


def says(pool: ScriptPool, expression: str) -> Json:
    """What an expression is in a codec."""
    return run(pool, f"function decodeUplink(input) {{ return {{ data: {{ it: {expression} }} }}; }}")["data"]["it"]


@pytest.mark.parametrize("form", FORMS)
def test_codec_of_each_form_reads_the_frame(pool: ScriptPool, form: str) -> None:
    """The same bytes give the same values, as decimals of their shortest text."""
    found = run(pool, FORMS[form])

    assert found["data"] == {"volume": 1234, "temperature": Decimal("23.1"), "leak": 1, "port": 2}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("Buffer.from('00ff7f', 'hex').toString('hex')", "00ff7f"),
        ("Buffer.from('AP9/', 'base64').toString('hex')", "00ff7f"),
        ("Buffer.from([0, 255, 127]).toString('base64')", "AP9/"),
        ("Buffer.from('Вода', 'utf8').toString()", "Вода"),
        ("Buffer.from([0xff, 0x41]).toString('utf8')", "\ufffdA"),
        ("Buffer.from('Aб', 'latin1')[1]", 0x31),
        ("Buffer.from([1, 2, 3, 4]).readUInt16LE(1)", 0x0302),
        ("Buffer.from([255, 255, 255, 254]).readInt32BE(0)", -2),
        ("Buffer.from([0xfe, 0xff, 0xff]).readIntLE(0, 3)", -2),
        ("Buffer.from([0x41, 0x20, 0, 0]).readFloatBE(0)", 10),
        ("Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]).readBigUInt64LE(0)", "1"),
        ("Buffer.concat([Buffer.from([1]), Buffer.alloc(2, 7)]).length", 3),
        ("Buffer.from([1, 2, 3]).slice(1).equals(Buffer.from([2, 3]))", True),
        ("(() => { const b = Buffer.alloc(4); b.writeInt16BE(-2, 1); return b.toString('hex'); })()", "00fffe00"),
        ("Buffer.isBuffer(Buffer.from('a')) && !Buffer.isBuffer([1])", True),
        ("btoa('ab') + atob('YWI=')", "YWI=ab"),
        ("Date.now()", int(TAKEN.timestamp() * 1000)),
        ("new Date().toISOString()", "2026-11-23T09:30:00.000Z"),
        ("new Date(0).getTimezoneOffset()", 0),
        ("new (new Date().constructor)().getTime()", int(TAKEN.timestamp() * 1000)),
        ("new Date(2020, 0, 1).toISOString()", "2020-01-01T00:00:00.000Z"),
        ("new Date(Date.UTC(2020, 0, 1)) instanceof Date", True),
        ("typeof performance + typeof require + typeof process + typeof setTimeout", "undefined" * 4),
        ("console.log('x') === undefined", True),
        ("2 ** 53", 2**53),
        ("0.1 + 0.2", Decimal("0.30000000000000004")),
        ("null", None),
    ],
)
def test_codec_has_a_buffer_a_frozen_clock_and_nothing_else(pool: ScriptPool, expression: str, value: object) -> None:
    """What codecs of the field use gives what it gives there; time is that of receipt, and there is no other."""
    assert says(pool, expression) == value


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("function decodeUplink(input) { throw new Error('frame of type 7'); }", "frame of type 7"),
        ("function decodeUplink(input) { return { data: { v: 0 / 0 } }; }", "no number"),
        ("function decodeUplink(input) { return { data: { v: Math.random() } }; }", "no chance"),
        ("function decodeUplink(input) { return { data: { v: Buffer.alloc(2).readUInt32BE(0) } }; }", "out of range"),
        ("function decodeUplink(input) { const a = {}; a.a = a; return { data: a }; }", "ircular"),
    ],
)
def test_what_a_script_throws_refuses_the_frame(pool: ScriptPool, source: str, text: str) -> None:
    """It is no fault of the sandbox: the next frame is asked."""
    found = run(pool, source)

    assert isinstance(found, ScriptThrownError)
    assert text in str(found)
    assert isinstance(run(pool, source), ScriptThrownError)


@pytest.mark.parametrize("source", ["", "function decode() {}", "this is no script", "throw new Error('x')"])
def test_script_that_is_no_codec_does_not_load(pool: ScriptPool, source: str) -> None:
    """The error says so."""
    found = run(pool, source)

    assert isinstance(found, DriverError)
    assert "does not load" in str(found)


def test_overwriting_what_is_shared_harms_the_script_alone(pool: ScriptPool) -> None:
    """One that replaces JSON, Date, Array and the prototypes reads on or fails; the others read as before."""
    evil = """
        JSON.stringify = () => '{"found": {"data": {"volume": 666}}}'; JSON.parse = () => ({}); Date.now = () => 1;
        Object.prototype.toJSON = function () { return 5; }; Array.prototype.push = () => { throw 1; };
        String.prototype.indexOf = () => 0; globalThis.Buffer = null;
        function decodeUplink(input) { return { data: { volume: 1 } }; }"""
    run(pool, evil)

    assert run(pool, FORMS["TS013"])["data"]["volume"] == 1234


def descriptor(**changes: Any) -> Descriptor:  # Any: fields of a descriptor
    values: dict[str, Any] = {
        "id": "script-water", "publisher": "maker", "name": "Water", "version": "1.0", "level": Level.SCRIPT,
        "applies_to": AppliesTo(models=("W",)), "transports": ("lorawan",), "ports": (2, 3),
        "fields": (
            Field("at", "time", "s", Kind.TIME), Field("volume", "volume", "m3", Kind.COUNTER, scale=Decimal("0.001")),
            Field("probes.1.t", "temperature", "Cel", Kind.GAUGE, channel=1),
        ),
        "clock": ClockPolicy(60, 3600), "states": (StatusBit("leak", alarm=True),),
    }  # fmt: skip
    return Descriptor(**(values | changes))


def made(pool: ScriptPool, source: str) -> Script:
    """A script with the descriptor."""
    text = source.encode()
    folder = begin_driver("script-water", "maker", is_script=True)
    entries = read_folder({**folder, "codec.js": text}).descriptor.files
    return Script(Package(descriptor(files=entries), {"codec.js": text}), pool)


def test_script_s_values_become_readings_by_the_descriptor(pool: ScriptPool) -> None:
    """A scale brings a value into the field's unit, a clock is the device time, text and warnings are reported, a set
    state is an alarm, and what has no field is listed.
    """
    script = made(pool, """
        function decodeUplink(input) {
          return { data: { at: 1577836850, volume: 1234, probes: [{ t: 1 }, { t: 23.5 }], leak: true, mode: 'summer' },
            warnings: ['low battery'] };
        }""")  # fmt: skip

    assert summary(script.decode(2, b"", Context(received_at=TAKEN))) == (
        "port-2 @2020-01-01T00:00:50Z | 0:volume=1.234 m3 1:temperature=23.5 Cel"
        " | clock=2020-01-01T00:00:50Z leak=1 mode=summer warning=low battery | !leak | ?probes.0.t=31"
    )


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("{ errors: ['unknown type', 'x'] }", "unknown type; x"),
        ("{}", "no data"),
        ("null", "no object"),
        ("7", "no object"),
        ("{ data: [1] }", "no data"),
        ("{ data: { a: new Array(3000).fill(1) } }", "more than 2000 values"),
        ("{ data: (() => { let a = 1; for (let n = 0; n < 40; n += 1) a = { a }; return a; })() }", "levels"),
    ],
)
def test_answer_that_is_none_refuses_the_frame(pool: ScriptPool, result: str, text: str) -> None:
    """Errors of TS013 and shapes that are no answer name what is wrong."""
    with pytest.raises(FrameError, match=text):
        made(pool, f"function decodeUplink(input) {{ return {result}; }}").decode(2, b"", Context())


@pytest.mark.parametrize("number", ["1e999999999", "-1e401", "0e-99999999", "9e-99999999999999999999", "1." + "0" * 40])
def test_number_that_no_double_is_is_a_fault(pool: ScriptPool, number: str) -> None:
    """An engine that writes raw JSON may say a number whose digits fill the memory: it is never one here."""
    codec = f"function decodeUplink(input) {{ return {{ data: {{ volume: JSON.rawJSON('{number}') }} }}; }}"
    with pytest.raises(DriverFaultError, match=r"no number of a script|no JSON"):
        made(pool, codec).decode(2, b"", Context())


def test_text_that_no_store_keeps_is_marked(pool: ScriptPool) -> None:
    """Zeros and halves of characters in names and texts are replaced; a whole pair stays."""
    codec = r"""function decodeUplink(input) {
        return { data: { a: 'x\u0000y', '\ud800': '\udfff', c: '\ud83d\ude00', d: '\\u0000', e: ['\u0000'] } };
    }"""
    said = summary(made(pool, codec).decode(2, b"", Context()))

    assert said == "port-2 | a=x\ufffdy \ufffd=\ufffd c=\U0001f600 d=\\u0000 e.0=\ufffd"


def test_codec_writes_downlinks_and_reads_them(pool: ScriptPool) -> None:
    """Bytes and port of TS013 and of the older forms; what is no downlink is refused by name."""
    whole = """
        function decodeUplink(input) { return { data: {} }; }
        function encodeDownlink(input) {
          if (input.data.period === 0) return { errors: ['a period is not zero'] };
          if (input.data.period < 0) return { bytes: [input.data.period], fPort: 3 };
          return { bytes: [1, input.data.period], fPort: 3 };
        }
        function decodeDownlink(input) { return { data: { period: input.bytes[1] } }; }"""
    script = made(pool, whole)

    assert script.encode({"period": 60}, 2) == Downlink(3, bytes([1, 60]))
    assert script.decode_downlink(3, bytes([1, 60])) == {"data": {"period": 60}}
    for data, text in (({"period": 0}, "not zero"), ({"period": -1}, "no bytes")):
        with pytest.raises(EncodeError, match=text):
            script.encode(data, 2)
    old = made(pool, "function Decode(p, b) { return {}; } function Encode(p, data) { return [data.on ? 1 : 0, p]; }")
    assert old.encode({"on": True}, 9) == Downlink(9, bytes([1, 9]))
    with pytest.raises(EncodeError, match="writes nothing"):
        made(pool, "function Decoder(b, p) { return {}; }").encode({}, 2)
    with pytest.raises(FrameError, match="reads no downlinks"):
        old.decode_downlink(2, b"")


def test_driver_of_a_script_refuses_other_ports_and_frames_that_are_too_long(pool: ScriptPool) -> None:
    """Before the script is asked, also where several frames are asked together."""
    folder = begin_driver("w", "maker", is_script=True)
    driver = script_driver(read_folder(folder), pool)

    found = driver.decode_each([(2, FRAME, Context()), (9, FRAME, Context()), (2, bytes(5000), Context())])

    assert (
        summary(found[0]) == driver.descriptor.vectors[0].expected if not isinstance(found[0], DriverError) else False
    )
    assert ["nothing on port 9" in str(found[1]), "over the limit" in str(found[2])] == [True, True]
    assert driver.decode_each([(2, FRAME, Context())] * 300) == [found[0]] * 300
