"""The Semtech UDP packet forwarder protocol, version 2: datagrams to values and back, for both sides.

    PUSH_DATA 0   gateway   version 1 | token 2 | 0 | EUI 8 | JSON {"rxpk": [...], "stat": {...}}
    PUSH_ACK  1   server    version 1 | token 2 | 1
    PULL_DATA 2   gateway   version 1 | token 2 | 2 | EUI 8
    PULL_RESP 3   server    version 1 | token 2 | 3 | JSON {"txpk": {...}}
    PULL_ACK  4   server    version 1 | token 2 | 4
    TX_ACK    5   gateway   version 1 | token 2 | 5 | EUI 8 | JSON {"txpk_ack": {"error": ...}} or nothing

Source: PROTOCOL.TXT of Lora-net/packet_forwarder, sections 3 to 6. Any datagram gives a value or DatagramError. One
rxpk that cannot be read does not spoil its neighbours: it is named in `refused`. JSON is bounded by the datagram's
size; its depth, numbers and texts are bounded here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import orjson

from lora.errors import DatagramError, LoraError
from lora.gateway.packets import Json, decode_rxpk, decode_txpk, encode_rxpk, encode_txpk
from lora.identifiers import EUI_SIZE, Eui
from lora.radio import Heard, Transmission

VERSION = 2
HEAD_SIZE = 4
MAX_DATAGRAM = 65_507
MAX_PACKETS = 64
MAX_ERROR_TEXT = 40
MAX_ALTITUDE_M = 100_000
_KNOWN_STATS = ("rxnb", "rxok", "rxfw", "dwnb", "txnb")


class Kind(IntEnum):
    """The fourth byte."""

    PUSH_DATA = 0
    PUSH_ACK = 1
    PULL_DATA = 2
    PULL_RESP = 3
    PULL_ACK = 4
    TX_ACK = 5


@dataclass(frozen=True, slots=True)
class GatewayStat:
    """A gateway's own report: counts since its last one, position in degrees and metres where it has one."""

    received: int = 0
    received_ok: int = 0
    forwarded: int = 0
    downlinks: int = 0
    sent: int = 0
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: int | None = None


@dataclass(frozen=True, slots=True)
class PushData:
    """What a gateway heard; `refused` says what was wrong with each rxpk that could not be used."""

    token: int
    gateway: Eui
    heard: tuple[Heard, ...] = ()
    stat: GatewayStat | None = None
    refused: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class PushAck:
    """The server has the PUSH_DATA with this token."""

    token: int


@dataclass(frozen=True, slots=True)
class PullData:
    """A gateway opens and keeps the way for downlinks."""

    token: int
    gateway: Eui


@dataclass(frozen=True, slots=True)
class PullAck:
    """The server knows the way to the gateway."""

    token: int


@dataclass(frozen=True, slots=True)
class PullResp:
    """The server asks a gateway to send."""

    token: int
    transmission: Transmission


@dataclass(frozen=True, slots=True)
class TxAck:
    """What became of a PULL_RESP: `error` is None where it will be sent, else the gateway's word (TOO_LATE ...)."""

    token: int
    gateway: Eui
    error: str | None = None


Datagram = PushData | PushAck | PullData | PullAck | PullResp | TxAck


def decode_datagram(data: bytes) -> Datagram:
    """Read a datagram of either side; raise DatagramError."""
    if len(data) < HEAD_SIZE or len(data) > MAX_DATAGRAM:
        raise DatagramError(f"a datagram is {HEAD_SIZE} to {MAX_DATAGRAM} bytes, got {len(data)}")
    if data[0] != VERSION:
        raise DatagramError(f"protocol version {data[0]} is not {VERSION}")
    token, body = int.from_bytes(data[1:3], "big"), data[HEAD_SIZE:]
    match data[3]:
        case Kind.PUSH_DATA:
            return _decode_push(token, *_gateway(body))
        case Kind.PUSH_ACK:
            return PushAck(_empty(token, body))
        case Kind.PULL_DATA:
            gateway, rest = _gateway(body)
            return PullData(_empty(token, rest), gateway)
        case Kind.PULL_RESP:
            return PullResp(token, decode_txpk(_json(body).get("txpk")))
        case Kind.PULL_ACK:
            return PullAck(_empty(token, body))
        case Kind.TX_ACK:
            return _decode_tx_ack(token, *_gateway(body))
    raise DatagramError(f"kind {data[3]} is no datagram of this protocol")


def encode_datagram(datagram: Datagram) -> bytes:
    """Write a datagram."""
    match datagram:
        case PushData(token, gateway, heard, stat, _):
            return _head(token, Kind.PUSH_DATA) + gateway.raw + _dump(_push_body(heard, stat))
        case PushAck(token):
            return _head(token, Kind.PUSH_ACK)
        case PullData(token, gateway):
            return _head(token, Kind.PULL_DATA) + gateway.raw
        case PullAck(token):
            return _head(token, Kind.PULL_ACK)
        case PullResp(token, transmission):
            return _head(token, Kind.PULL_RESP) + _dump({"txpk": encode_txpk(transmission)})
        case TxAck(token, gateway, error):
            return _head(token, Kind.TX_ACK) + gateway.raw + _dump({"txpk_ack": {"error": error or "NONE"}})


def _head(token: int, kind: Kind) -> bytes:
    return bytes([VERSION]) + token.to_bytes(2, "big") + bytes([kind])


def _empty(token: int, rest: bytes) -> int:
    if rest:
        raise DatagramError(f"{len(rest)} bytes too many")
    return token


def _gateway(body: bytes) -> tuple[Eui, bytes]:
    if len(body) < EUI_SIZE:
        raise DatagramError("the gateway's EUI is cut")
    return Eui(body[:EUI_SIZE]), body[EUI_SIZE:]


def _decode_push(token: int, gateway: Eui, body: bytes) -> PushData:
    content = _json(body)
    packets = content.get("rxpk", [])
    if not isinstance(packets, list):
        raise DatagramError("rxpk is no list")
    if len(packets) > MAX_PACKETS:
        raise DatagramError(f"at most {MAX_PACKETS} rxpk in one datagram, got {len(packets)}")
    heard, refused = [], []
    for packet in packets:
        try:
            heard.append(decode_rxpk(packet))
        except LoraError as error:
            refused.append(str(error))
    return PushData(token, gateway, tuple(heard), _decode_stat(content.get("stat")), tuple(refused))


def _decode_stat(value: object) -> GatewayStat | None:
    # A gateway's report of itself decides nothing: what cannot be read in it is left out.
    if not isinstance(value, dict):
        return None
    received, received_ok, forwarded, downlinks, sent = (_count(value.get(name)) for name in _KNOWN_STATS)
    height = value.get("alti")
    altitude = height if isinstance(height, int) and abs(height) < MAX_ALTITUDE_M else None
    latitude, longitude = (_degrees(value.get(name), limit) for name, limit in (("lati", 90), ("long", 180)))
    return GatewayStat(received, received_ok, forwarded, downlinks, sent, latitude, longitude, altitude)


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 1 << 63 else 0


def _degrees(value: object, limit: int) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) <= limit else None


def _decode_tx_ack(token: int, gateway: Eui, body: bytes) -> TxAck:
    # Forwarders answer success with no body, with spaces or zeros, with an empty object, or with "NONE".
    if not body.strip(b" \0"):
        return TxAck(token, gateway)
    ack = _json(body).get("txpk_ack", {})
    error = ack.get("error", "NONE") if isinstance(ack, dict) else None
    if not isinstance(error, str) or not error.isascii() or len(error) > MAX_ERROR_TEXT:
        raise DatagramError("txpk_ack has no readable error")
    return TxAck(token, gateway, None if error in ("", "NONE") else error)


def _push_body(heard: tuple[Heard, ...], stat: GatewayStat | None) -> dict[str, Json]:
    body: dict[str, Json] = {}
    if heard or stat is None:
        body["rxpk"] = [encode_rxpk(one) for one in heard]
    if stat is not None:
        body["stat"] = _encode_stat(stat)
    return body


def _encode_stat(stat: GatewayStat) -> dict[str, Json]:
    counts = (stat.received, stat.received_ok, stat.forwarded, stat.downlinks, stat.sent)
    place = {"lati": stat.latitude, "long": stat.longitude, "alti": stat.altitude_m}
    return dict(zip(_KNOWN_STATS, counts, strict=True)) | {name: x for name, x in place.items() if x is not None}


def _dump(value: Mapping[str, Json]) -> bytes:
    return orjson.dumps(value)


def _json(body: bytes) -> dict[str, object]:
    try:
        value = orjson.loads(body.rstrip(b"\0"))
    except orjson.JSONDecodeError:
        raise DatagramError("the body is no JSON") from None
    if not isinstance(value, dict):
        raise DatagramError("the body is no JSON object")
    return value
