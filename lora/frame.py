"""PHYPayload of LoRaWAN 1.0.x (1.0.3, clauses 4 and 6.2): bytes to frames and back, without any key.

    PHYPayload   MHDR 1 | MACPayload | MIC 4
    MACPayload   DevAddr 4 | FCtrl 1 | FCnt 2 | FOpts 0-15 | FPort 0-1 | FRMPayload
    JoinRequest  MHDR 1 | JoinEUI 8 | DevEUI 8 | DevNonce 2 | MIC 4
    JoinAccept   MHDR 1 | encrypted: JoinNonce 3 | NetID 3 | DevAddr 4 | DLSettings 1 | RxDelay 1 | CFList 0-16 | MIC 4

Integers are little-endian. Any bytes give a frame or FrameError. A frame keeps the bytes that its MIC is over.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from lora.errors import EncodeError, FrameError
from lora.identifiers import DevAddr, Eui, NetId
from lora.radio import MAX_PHY_SIZE

MIC_SIZE = 4
MAX_FOPTS = 15
CFLIST_SIZE = 16
COUNTER_MASK = 0xFFFF
JOIN_REQUEST_SIZE = 23
JOIN_ACCEPT_SIZES = (17, 33)
MIN_DATA_SIZE = 12
_HEAD = struct.Struct("<BIBH")
_JOIN_REQUEST = struct.Struct("<B8s8sH")
_MAJOR_MASK = 0b11


class MType(IntEnum):
    """The message type, bits 7-5 of MHDR (1.0.3, 4.2.1)."""

    JOIN_REQUEST = 0
    JOIN_ACCEPT = 1
    UNCONFIRMED_UP = 2
    UNCONFIRMED_DOWN = 3
    CONFIRMED_UP = 4
    CONFIRMED_DOWN = 5
    REJOIN_REQUEST = 6
    PROPRIETARY = 7


UPLINKS = (MType.UNCONFIRMED_UP, MType.CONFIRMED_UP)
DOWNLINKS = (MType.UNCONFIRMED_DOWN, MType.CONFIRMED_DOWN)
CONFIRMED = (MType.CONFIRMED_UP, MType.CONFIRMED_DOWN)


@dataclass(frozen=True, slots=True)
class FCtrl:
    """Frame control without its length (1.0.3, 4.3.1): `bit4` is ClassB in an uplink and FPending in a downlink."""

    adr: bool = False
    adr_ack_req: bool = False
    ack: bool = False
    bit4: bool = False

    @property
    def f_pending(self) -> bool:
        """In a downlink: more waits for the device."""
        return self.bit4


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A request to join; `signed` is what the MIC is over."""

    join_eui: Eui
    dev_eui: Eui
    dev_nonce: int
    mic: bytes
    signed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedJoinAccept:
    """A join accept that is still encrypted: 16 or 32 bytes."""

    body: bytes


@dataclass(frozen=True, slots=True)
class JoinAccept:
    """What a network grants (1.0.3, 6.2.5): `rx_delay_s` 1-15, `cf_list` is empty or 16 bytes."""

    join_nonce: int
    net_id: NetId
    dev_addr: DevAddr
    rx1_dr_offset: int = 0
    rx2_dr: int = 0
    rx_delay_s: int = 1
    cf_list: bytes = b""


@dataclass(frozen=True, slots=True)
class DataFrame:
    """A data frame; `fcnt` is the 16 bits on the air, `payload` is encrypted, `signed` is what the MIC is over."""

    mtype: MType
    dev_addr: DevAddr
    fctrl: FCtrl
    fcnt: int
    fopts: bytes
    fport: int | None
    payload: bytes
    mic: bytes
    signed: bytes = field(repr=False)

    @property
    def is_uplink(self) -> bool:
        """Whether an end device sent it."""
        return self.mtype in UPLINKS

    @property
    def is_confirmed(self) -> bool:
        """Whether it asks for an acknowledgement."""
        return self.mtype in CONFIRMED


Frame = JoinRequest | SealedJoinAccept | DataFrame


@lru_cache(maxsize=4096)  # several gateways bring the same frame
def decode_frame(raw: bytes) -> Frame:
    """Read a PHYPayload; raise FrameError.

    RFU bits of MHDR are ignored (1.0.3, 4.2); a major version other than R1, a rejoin (1.1 only) and a proprietary
    frame are refused.
    """
    if not MIC_SIZE < len(raw) <= MAX_PHY_SIZE:
        raise FrameError(f"a PHYPayload is 5 to {MAX_PHY_SIZE} bytes, got {len(raw)}")
    if raw[0] & _MAJOR_MASK:
        raise FrameError(f"major version {raw[0] & _MAJOR_MASK} is not LoRaWAN R1")
    mtype = MType(raw[0] >> 5)
    if mtype is MType.JOIN_REQUEST:
        return _decode_join_request(raw)
    if mtype is MType.JOIN_ACCEPT:
        return _decode_join_accept(raw)
    if mtype in (MType.REJOIN_REQUEST, MType.PROPRIETARY):
        raise FrameError(f"{mtype.name} is no frame of LoRaWAN 1.0.x")
    return _decode_data(mtype, raw)


def encode_data(
    mtype: MType, dev_addr: DevAddr, fctrl: FCtrl, *, fcnt: int, fopts: bytes, fport: int | None, payload: bytes
) -> bytes:
    """A data frame without its MIC, the payload encrypted by the caller; raise EncodeError.

    `fcnt` may be the 32-bit counter: its 16 low bits go on the air.
    """
    if mtype not in UPLINKS + DOWNLINKS:
        raise EncodeError(f"{mtype.name} carries no data")
    if len(fopts) > MAX_FOPTS:
        raise EncodeError(f"FOpts is at most {MAX_FOPTS} bytes, got {len(fopts)}")
    if fport is None and payload:
        raise EncodeError("a payload needs an FPort")
    if fport is not None and not 0 <= fport <= 255:
        raise EncodeError(f"an FPort is 0 to 255, got {fport}")
    if fport == 0 and fopts:
        raise EncodeError("MAC commands stand in FOpts or on port 0, not in both (4.3.1.6)")
    head = _HEAD.pack(mtype << 5, dev_addr.value, _encode_fctrl(fctrl) | len(fopts), fcnt & COUNTER_MASK)
    signed = head + fopts + (b"" if fport is None else bytes([fport]) + payload)
    if len(signed) + MIC_SIZE > MAX_PHY_SIZE:
        raise EncodeError(f"a PHYPayload is at most {MAX_PHY_SIZE} bytes, this would be {len(signed) + MIC_SIZE}")
    return signed


def encode_join_request(join_eui: Eui, dev_eui: Eui, dev_nonce: int) -> bytes:
    """A join request without its MIC; raise EncodeError."""
    if not 0 <= dev_nonce <= COUNTER_MASK:
        raise EncodeError(f"a DevNonce is 16 bits, got {dev_nonce}")
    return _JOIN_REQUEST.pack(MType.JOIN_REQUEST << 5, join_eui.raw[::-1], dev_eui.raw[::-1], dev_nonce)


def encode_join_accept(accept: JoinAccept) -> bytes:
    """A join accept, not encrypted and without its MIC, MHDR included; raise EncodeError."""
    if not 0 <= accept.join_nonce < 1 << 24:
        raise EncodeError(f"a JoinNonce is 24 bits, got {accept.join_nonce}")
    if not (0 <= accept.rx1_dr_offset <= 7 and 0 <= accept.rx2_dr <= 15 and 1 <= accept.rx_delay_s <= 15):
        raise EncodeError(f"DLSettings or RxDelay out of range: {accept}")
    if len(accept.cf_list) not in (0, CFLIST_SIZE):
        raise EncodeError(f"a CFList is {CFLIST_SIZE} bytes, got {len(accept.cf_list)}")
    return b"".join(
        (
            bytes([MType.JOIN_ACCEPT << 5]),
            accept.join_nonce.to_bytes(3, "little"),
            accept.net_id.value.to_bytes(3, "little"),
            accept.dev_addr.value.to_bytes(4, "little"),
            bytes([accept.rx1_dr_offset << 4 | accept.rx2_dr, accept.rx_delay_s]),
            accept.cf_list,
        )
    )


def decode_join_accept(plain: bytes) -> JoinAccept:
    """Read a decrypted join accept, MHDR included and MIC taken off; raise FrameError. RxDelay 0 means 1 s (5.7)."""
    if len(plain) + MIC_SIZE not in JOIN_ACCEPT_SIZES or plain[0] >> 5 != MType.JOIN_ACCEPT:
        raise FrameError(f"{len(plain)} bytes are no decrypted join accept")
    settings, delay = plain[11], plain[12] & 0x0F
    return JoinAccept(
        int.from_bytes(plain[1:4], "little"),
        NetId(int.from_bytes(plain[4:7], "little")),
        DevAddr(int.from_bytes(plain[7:11], "little")),
        settings >> 4 & 0b111,
        settings & 0x0F,
        delay or 1,
        plain[13:],
    )


def _decode_join_request(raw: bytes) -> JoinRequest:
    if len(raw) != JOIN_REQUEST_SIZE:
        raise FrameError(f"a join request is {JOIN_REQUEST_SIZE} bytes, got {len(raw)}")
    _, join_eui, dev_eui, dev_nonce = _JOIN_REQUEST.unpack(raw[:-MIC_SIZE])
    return JoinRequest(Eui(join_eui[::-1]), Eui(dev_eui[::-1]), dev_nonce, raw[-MIC_SIZE:], raw[:-MIC_SIZE])


def _decode_join_accept(raw: bytes) -> SealedJoinAccept:
    if len(raw) not in JOIN_ACCEPT_SIZES:
        raise FrameError(f"a join accept is 17 or 33 bytes, got {len(raw)}")
    return SealedJoinAccept(raw[1:])


def _decode_data(mtype: MType, raw: bytes) -> DataFrame:
    if len(raw) < MIN_DATA_SIZE:
        raise FrameError(f"a data frame is at least {MIN_DATA_SIZE} bytes, got {len(raw)}")
    _, address, control, fcnt = _HEAD.unpack_from(raw)
    options_end = _HEAD.size + (control & 0x0F)
    end = len(raw) - MIC_SIZE
    if options_end > end:
        raise FrameError(f"FOptsLen {control & 0x0F} runs over the end of {len(raw)} bytes")
    fport = raw[options_end] if options_end < end else None
    fopts = raw[_HEAD.size : options_end]
    if fport == 0 and fopts:
        raise FrameError("MAC commands in FOpts and on port 0 at once (4.3.1.6)")
    fctrl = FCtrl(bool(control & 0x80), bool(control & 0x40), bool(control & 0x20), bool(control & 0x10))
    payload = raw[options_end + 1 : end]
    return DataFrame(mtype, DevAddr(address), fctrl, fcnt, fopts, fport, payload, raw[end:], raw[:end])


def _encode_fctrl(fctrl: FCtrl) -> int:
    return fctrl.adr << 7 | fctrl.adr_ack_req << 6 | fctrl.ack << 5 | fctrl.bit4 << 4
