"""`rxpk` and `txpk` of the Semtech UDP protocol: JSON objects to radio values and back.

Frequencies are MHz with up to 6 decimals on the wire and whole Hz here; `data` is base64, with its padding or without.
"""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta

from lora.errors import DatagramError
from lora.radio import COUNTER_RANGE, MAX_PHY_SIZE, FskRate, Heard, Rate, Transmission, parse_lora_rate

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

CRC_OK = 1
MHZ = 1_000_000
MAX_FREQUENCY_MHZ = 3000
CODING = "4/5"
PREAMBLE = 8
FSK_DEVIATION_HZ = 25_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# ISO 8601 "compact": the fraction may have any number of digits, of which six are kept.
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,12}))?(?:Z|\+00:00| GMT)?"
)


def decode_rxpk(value: object) -> Heard:
    """Read one rxpk; raise DatagramError, also for a frame whose CRC failed, or RegionError for a rate."""
    fields = _object(value, "rxpk")
    if fields.get("stat", CRC_OK) != CRC_OK:
        raise DatagramError("the frame's CRC failed or is missing")
    return Heard(
        payload=_payload(fields),
        frequency_hz=_frequency(fields),
        rate=_rate(fields),
        counter_us=_integer(fields, "tmst", 0, COUNTER_RANGE - 1),
        rssi_dbm=_number(fields, "rssi", 0.0, 300),
        snr_db=_number(fields, "lsnr", 0.0, 100),
        gateway_time_us=_time(fields.get("time")),
        rf_chain=_integer(fields, "rfch", 0, 255, 0),
        channel=_integer(fields, "chan", 0, 255, 0),
    )


def encode_rxpk(heard: Heard) -> dict[str, Json]:
    """Write one rxpk."""
    fields: dict[str, Json] = {
        "tmst": heard.counter_us,
        "chan": heard.channel,
        "rfch": heard.rf_chain,
        "freq": heard.frequency_hz / MHZ,
        "stat": CRC_OK,
        "rssi": heard.rssi_dbm,
        "lsnr": heard.snr_db,
    }
    if heard.gateway_time_us is not None:
        moment = _EPOCH + heard.gateway_time_us * _MICROSECOND
        fields["time"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return fields | _encode_rate(heard.rate) | _encode_payload(heard.payload)


def decode_txpk(value: object) -> Transmission:
    """Read a txpk, as a gateway does; raise DatagramError or RegionError."""
    fields = _object(value, "txpk")
    at_once = fields.get("imme", False) is True
    return Transmission(
        payload=_payload(fields),
        frequency_hz=_frequency(fields),
        rate=_rate(fields),
        power_dbm=_integer(fields, "powe", -50, 50, 14),
        counter_us=None if at_once else _integer(fields, "tmst", 0, COUNTER_RANGE - 1),
        rf_chain=_integer(fields, "rfch", 0, 255, 0),
        inverted=fields.get("ipol", False) is True,
    )


def encode_txpk(order: Transmission) -> dict[str, Json]:
    """Write a txpk. LoRaWAN downlinks go out with inverted polarity and without a physical CRC (1.0.3, 3.2)."""
    fields: dict[str, Json] = {
        "imme": order.counter_us is None,
        "freq": order.frequency_hz / MHZ,
        "rfch": order.rf_chain,
        "powe": order.power_dbm,
        "ipol": order.inverted,
        "ncrc": True,
    }
    if order.counter_us is not None:
        fields["tmst"] = order.counter_us
    if isinstance(order.rate, FskRate):
        fields["fdev"] = FSK_DEVIATION_HZ
    else:
        fields["prea"] = PREAMBLE
    return fields | _encode_rate(order.rate) | _encode_payload(order.payload)


def _encode_rate(rate: Rate) -> dict[str, Json]:
    if isinstance(rate, FskRate):
        return {"modu": "FSK", "datr": rate.bitrate_bps}
    return {"modu": "LORA", "datr": str(rate), "codr": CODING}


def _encode_payload(payload: bytes) -> dict[str, Json]:
    return {"size": len(payload), "data": base64.b64encode(payload).decode("ascii")}


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise DatagramError(f"{what} is no object")
    return value


def _payload(fields: dict[str, object]) -> bytes:
    text = fields.get("data")
    if not isinstance(text, str) or len(text) > 2 * MAX_PHY_SIZE:
        raise DatagramError("data is no base64 text of at most 255 bytes")
    bare = text.rstrip("=")
    try:
        payload = binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except (binascii.Error, ValueError):
        raise DatagramError("data is no base64") from None
    if not 0 < len(payload) <= MAX_PHY_SIZE or fields.get("size", len(payload)) != len(payload):
        raise DatagramError(f"size {fields.get('size')!r} does not agree with {len(payload)} bytes of data")
    return payload


def _frequency(fields: dict[str, object]) -> int:
    return round(_number(fields, "freq", None, MAX_FREQUENCY_MHZ) * MHZ)


def _rate(fields: dict[str, object]) -> Rate:
    rate, kind = fields.get("datr"), fields.get("modu", "LORA")
    if kind == "LORA" and isinstance(rate, str):
        return parse_lora_rate(rate)
    if kind == "FSK" and isinstance(rate, int) and not isinstance(rate, bool):
        return FskRate(rate)
    raise DatagramError(f"datr {str(rate)[:20]!r} is no rate of modulation {str(kind)[:20]!r}")


def _integer(fields: dict[str, object], name: str, low: int, high: int, default: int | None = None) -> int:
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise DatagramError(f"{name} is a whole number {low} to {high}, got {str(value)[:20]!r}")
    return value


def _number(fields: dict[str, object], name: str, default: float | None, limit: float) -> float:
    value = fields.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not -limit <= value <= limit:
        raise DatagramError(f"{name} is a number up to {limit}, got {str(value)[:20]!r}")
    return float(value)


def _time(value: object) -> int | None:
    # A gateway's clock decides nothing: one that cannot be read is taken as none.
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00")
    except ValueError:
        return None
    return (moment - _EPOCH) // _MICROSECOND + int((match[3] or "").ljust(6, "0")[:6])
