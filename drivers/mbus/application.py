"""The application layer of wired M-Bus, EN 13757-3: what the CI field says that follows, and the header before records.

72 has a long header `ID[4] M[2] V T ACC ST CF[2]`, 7A a short one `ACC ST CF[2]`, 78 none. 73 is the fixed structure of
`drivers.mbus.fixed`. 76 and 77 are 72 and 73 of the historic mode 2, with the highest byte first. 70 refuses what was
asked, 71 tells of alarms. What a meter encrypts on the wire is not opened here.
"""

from dataclasses import dataclass

from drivers.errors import FrameError, RefusedError, UnsupportedError
from drivers.mbus.device import MEDIA, Address
from drivers.mbus.fixed import decode_fixed
from drivers.mbus.records import Records, decode_records

_LONG, _SHORT = 12, 4
_HEADERS = {0x72: _LONG, 0x76: _LONG, 0x7A: _SHORT, 0x78: 0}
_FIXED = (0x73, 0x77)
_HIGH_FIRST = (0x76, 0x77)
_REFUSAL, _ALARM = 0x70, 0x71
# EN 13757-3 clause 10, what the byte behind CI 70 says.
_REFUSALS = {
    0: "unspecified error",
    1: "unimplemented CI field",
    2: "buffer too long, truncated",
    3: "too many records",
    4: "premature end of record",
    5: "more than 10 DIFEs",
    6: "more than 10 VIFEs",
    8: "application too busy",
    9: "too many readouts",
}
# EN 13757-7 table 19. A meter from before it sends any signature where the mode stands now: other values are plain.
_ENCRYPTED = {2, 3, 4, 5, 7, 8, 9, 10, 13}
_COUNTED = {5, 7}  # modes whose configuration field counts the encrypted blocks
_FROM_MASTER = range(0x50, 0x70)


@dataclass(frozen=True, slots=True)
class Telegram:
    """What a meter's answer says. `status` is the header's status byte, `alarm` that of an alarm report."""

    records: Records
    id: str | None = None
    manufacturer: str | None = None
    version: int | None = None
    medium: str | None = None
    access: int | None = None
    status: int = 0
    alarm: int | None = None


def decode_application(data: bytes, *, where: int = 0) -> Telegram:
    """Read from the CI field on, which is byte `where`; raise FrameError or one of its kinds.

    UnsupportedError is for other applications and for what is encrypted, RefusedError for a meter's refusal.
    """
    ci = data[0] if data else None
    if ci in _HEADERS:
        return _with_records(data, _HEADERS[ci], where, high_first=ci in _HIGH_FIRST)
    if ci in _FIXED:
        fixed = decode_fixed(data[1:], high_first=ci in _HIGH_FIRST)
        return Telegram(Records(fixed.records), fixed.id, medium=fixed.medium, access=fixed.access, status=fixed.states)
    if ci == _REFUSAL:
        # A meter may refuse without saying why.
        code = data[1] if len(data) > 1 else 0
        raise RefusedError(f"the meter reports an application error: {_REFUSALS.get(code, f'code {code:02x}')}")
    if ci == _ALARM:
        if len(data) != 2:
            raise FrameError(f"an alarm report is one byte behind the CI field, got {len(data) - 1}")
        return Telegram(Records(()), alarm=data[1])
    raise UnsupportedError(_unsupported(ci))


def _with_records(data: bytes, size: int, where: int, *, high_first: bool) -> Telegram:
    if len(data) < 1 + size:
        raise FrameError(f"CI {data[0]:02x}: the header is {size} bytes, got {len(data) - 1}")
    at = 1 + size - _SHORT
    if not size:
        return Telegram(decode_records(data[1:], where=where + 1))
    _refuse_encrypted(data[at + 2 : at + 4], len(data) - 1 - size)
    records = decode_records(data[1 + size :], where=where + 1 + size, high_first=high_first)
    if size == _SHORT:
        return Telegram(records, access=data[at], status=data[at + 1])
    order = -1 if high_first else 1
    address = Address(data[5:7][::order] + data[1:5][::order] + data[7:9])
    medium = MEDIA.get(address.device_type, f"type {address.device_type:02x}")
    return Telegram(records, address.id, address.manufacturer, address.version, medium, data[at], data[at + 1])


def _refuse_encrypted(configuration: bytes, size: int) -> None:
    mode = configuration[1] & 0x1F
    if mode in _ENCRYPTED and size and not (mode in _COUNTED and not configuration[0] >> 4):
        raise UnsupportedError(f"encrypted: mode {mode} of the configuration field {configuration[::-1].hex()}")


def _unsupported(ci: int | None) -> str:
    if ci is None:
        return "a frame without a CI field has no application layer"
    if ci in _FROM_MASTER:
        return f"unsupported: CI {ci:02x} is what a master sends to a meter"
    return f"unsupported: CI {ci:02x} is an application layer that this driver does not read"
