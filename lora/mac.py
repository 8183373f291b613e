"""MAC commands one after another, as FOpts and port 0 carry them, in both directions (1.0.3, clause 5).

What a device sends is `UPLINK`, what a network sends is `DOWNLINK`. An unknown or cut command ends the parsing, since
its length is not known: what came before is kept and the rest is handed back.
"""

from dataclasses import dataclass

from lora.commands import (
    DeviceTimeAns,
    DeviceTimeReq,
    DevStatusAns,
    DevStatusReq,
    DlChannelAns,
    DlChannelReq,
    DutyCycleAns,
    DutyCycleReq,
    LinkAdrAns,
    LinkAdrReq,
    LinkCheckAns,
    LinkCheckReq,
    MacCommand,
    NewChannelAns,
    NewChannelReq,
    RxParamSetupAns,
    RxParamSetupReq,
    RxTimingSetupAns,
    RxTimingSetupReq,
    TxParamSetupAns,
    TxParamSetupReq,
)
from lora.crypto import Direction

UPLINK: tuple[type[MacCommand], ...] = (
    LinkCheckReq,
    LinkAdrAns,
    DutyCycleAns,
    RxParamSetupAns,
    DevStatusAns,
    NewChannelAns,
    RxTimingSetupAns,
    TxParamSetupAns,
    DlChannelAns,
    DeviceTimeReq,
)
DOWNLINK: tuple[type[MacCommand], ...] = (
    LinkCheckAns,
    LinkAdrReq,
    DutyCycleReq,
    RxParamSetupReq,
    DevStatusReq,
    NewChannelReq,
    RxTimingSetupReq,
    TxParamSetupReq,
    DlChannelReq,
    DeviceTimeAns,
)
_KNOWN = {
    Direction.UP: {kind.CID: kind for kind in UPLINK},
    Direction.DOWN: {kind.CID: kind for kind in DOWNLINK},
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """The commands understood, in order, and the bytes from the first one that was not."""

    commands: tuple[MacCommand, ...]
    rest: bytes = b""


def parse_commands(direction: Direction, raw: bytes) -> Parsed:
    """Read FOpts or a decrypted payload of port 0; never raises."""
    known, found, at = _KNOWN[direction], [], 0
    while at < len(raw):
        kind = known.get(raw[at])
        if kind is None or at + 1 + kind.SIZE > len(raw):
            break
        found.append(kind.decode(raw[at + 1 : at + 1 + kind.SIZE]))
        at += 1 + kind.SIZE
    return Parsed(tuple(found), raw[at:])


def encode_command(command: MacCommand) -> bytes:
    """CID and fields; raise EncodeError."""
    return bytes([command.CID]) + command.encode()


def encode_commands(commands: tuple[MacCommand, ...]) -> bytes:
    """Commands one after another, as in FOpts or on port 0; raise EncodeError."""
    return b"".join(map(encode_command, commands))
