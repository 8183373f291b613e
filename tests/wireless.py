"""Wireless M-Bus telegrams made for tests, from the meter's side: every layer, in clear and encrypted."""

from drivers.keys import Key
from drivers.wmbus.authentication import MAC_SIZES, derive
from drivers.wmbus.extended import counter_block
from drivers.wmbus.link import SND_NR, Address, Form, crc16, encode_link

KEY = Key(bytes(range(16)))
OTHER_KEY = Key(bytes(range(1, 17)))
METER = Address(bytes.fromhex("2d2c785634121b07"))
OTHER = Address(bytes.fromhex("2d2c795634121b07"))
CONVERTER = Address(bytes.fromhex("5111010000002037"))
COUNTER = (7).to_bytes(4, "little")
# volume 1.234 m3 · clock 2022-10-01 10:15 · volume 1.000 m3 at 2021-12-31
RECORDS = bytes.fromhex("0413d2040000046d0f0ac12a426cbf2c4413e8030000")
HEADERS = ("0413", "046d", "426c", "4413")
VALUES = bytes.fromhex("d20400000f0ac12abf2ce8030000")


def filled(records: bytes) -> bytes:
    """Records as they are encrypted: 2F 2F before them, filled with 2F to whole blocks."""
    plain = b"\x2f\x2f" + records
    return plain.ljust(-(-len(plain) // 16) * 16, b"\x2f")


def short_header(
    body: bytes, mode: int = 0, blocks: int = 0, access: int = 42, status: int = 0, ci: int = 0x7A
) -> bytes:
    """A transport layer with a short header."""
    return bytes([ci, access, status, blocks << 4, mode]) + body


def long_header(meter: Address, body: bytes, mode: int = 0, blocks: int = 0, access: int = 42, ci: int = 0x72) -> bytes:
    """A transport layer with a long header."""
    who = meter.raw[2:6] + meter.raw[:2] + meter.raw[6:]
    return bytes([ci]) + who + bytes([access, 0, blocks << 4, mode]) + body


def plain(records: bytes = RECORDS, form: Form = Form.BARE, status: int = 0) -> bytes:
    """A telegram in the clear."""
    return encode_link(SND_NR, METER, short_header(records, status=status), form)


def mode_5(
    records: bytes = RECORDS, key: Key = KEY, rest: bytes = b"", form: Form = Form.BARE, access: int = 42
) -> bytes:
    """A telegram of security mode 5 with a short header; `rest` stays in the clear."""
    body = filled(records)
    vector = METER.raw + bytes([access]) * 8
    return encode_link(
        SND_NR, METER, short_header(key.encrypt_cbc(vector, body) + rest, 5, len(body) // 16, access), form
    )


def mode_5_long(records: bytes = RECORDS, key: Key = KEY) -> bytes:
    """The same behind a radio converter, with a long header."""
    body = filled(records)
    vector = METER.raw + bytes([42]) * 8
    return encode_link(SND_NR, CONVERTER, long_header(METER, key.encrypt_cbc(vector, body), 5, len(body) // 16))


def mode_7(
    records: bytes = RECORDS, key: Key = KEY, authentication: int = 5, *, with_length: bool = False, ell: bool = True
) -> bytes:
    """A telegram of security profile B: AES-CBC with a derived key behind a MAC, and an extended link layer first."""
    body = filled(records)
    encryption, mac_key = derive(key, COUNTER, METER.raw[2:6])
    message = bytes([0x7A, 42, 0, len(body) // 16 << 4, 7, 0x10]) + encryption.encrypt_cbc(bytes(16), body)
    control = 0x20 | (0x40 if with_length else 0) | authentication
    length = len(message).to_bytes(2, "little") if with_length else b""
    mac = mac_key.cmac(bytes([control]) + COUNTER + length + message)[: MAC_SIZES[authentication]]
    fields = (0x2C00 | (0x1000 if with_length else 0)).to_bytes(2, "little") + bytes([control]) + COUNTER + mac + length
    layer = bytes([0x90, len(fields)]) + fields + message
    return encode_link(SND_NR, METER, (bytes([0x8C, 0x20, 43]) if ell else b"") + layer)


def ctr(content: bytes, key: Key | None = KEY, ci: int = 0x8D, control: int = 0x20) -> bytes:
    """A telegram with an extended link layer of session number; encrypted with AES-CTR unless there is no key."""
    session = bytes([1, 2, 3, 0x20 if key else 0])
    body = crc16(content).to_bytes(2, "little") + content
    if key:
        body = key.crypt_ctr(counter_block(METER, control, session), body)
    partner = CONVERTER.raw if ci == 0x8F else b""
    return encode_link(SND_NR, METER, bytes([ci, control, 43]) + partner + session + body)


def compact(values: bytes = VALUES, ci: int = 0x79) -> bytes:
    """The compact frame of RECORDS: its signature, the CRC over the full frame, the values."""
    signature = crc16(bytes.fromhex("".join(HEADERS)))
    return bytes([ci]) + signature.to_bytes(2, "little") + crc16(RECORDS).to_bytes(2, "little") + values
