"""Compact frames, EN 13757-3 annex G: values without their headers, which a full frame of the same format told before.

A format's signature is the CRC over the record headers of its full frame. A compact frame begins with it and with the
CRC over the records of the full frame that it stands for, so a wrong format is found out. Both are least byte first.
A format frame tells the headers alone. Some formats are published by their headers: those are known from the start.
Source: wmbusmeters, `compact_frame_formats` of drivers/src/engelmann_faw.xmq and src/wmbus.cc (Kamstrup), restated.
"""

from collections.abc import Mapping

from drivers.errors import FrameError, UnknownFormatError
from drivers.mbus.records import Record, Records, decode_record_headers, decode_with_headers
from drivers.wmbus.link import crc16

Formats = Mapping[int, tuple[bytes, ...]]
Format = tuple[int, tuple[bytes, ...]]
MAX_FORMATS = 64
_PREFIX = 4
_PUBLISHED = (
    "02ff20 0413 4413 615b 6167",
    "02ff20 0413 92013b a1015b 8101e7ff0f",
    "02ff20 0413 4413 a1015b 8101e7ff0f",
    "02ff20 0413 4413 615b 5167",
    "02ff20 0413 4413",
    "02ff20 0413 523b",
    "04ff23 4413 523b 06ff1b 426c 6167 5167 023b 0413 8101e7ff0f",
    (
        "426c 4413 01fd17 840113 c40113 840213 c40213 840313 c40313 840413 c40413 840513 c40513 840613 c40613 840713"
        " c40713 840813 046d 0413"
    ),
)


def signature_of(headers: tuple[bytes, ...]) -> int:
    """The CRC over record headers."""
    return crc16(b"".join(headers))


def format_of(records: Records) -> Format:
    """Signature and headers of a full frame."""
    headers = tuple(record.dib_vib for record in records.records)
    return signature_of(headers), headers


def remember(formats: Formats, found: Format) -> Formats:
    """The formats with one more, the oldest given up beyond a limit; the same object where it is known already."""
    signature, headers = found
    if formats.get(signature) == headers:
        return formats
    kept = {known: value for known, value in formats.items() if known != signature}
    return {**dict(list(kept.items())[1 - MAX_FORMATS :]), signature: headers}


def decode_compact(data: bytes, formats: Formats, *, where: int = 0) -> Records:
    """Read a compact frame from its signature on.

    Raise UnknownFormatError if its format is not there, FrameError if the values do not fill the format or the CRC over
    the full frame does not hold.
    """
    if len(data) < _PREFIX:
        raise FrameError(
            f"byte {where}: a compact frame begins with signature and CRC, {_PREFIX} bytes, got {len(data)}"
        )
    signature, crc = (int.from_bytes(data[at : at + 2], "little") for at in (0, 2))
    headers = formats.get(signature) or PUBLISHED.get(signature)
    if headers is None:
        raise UnknownFormatError(signature)
    records = decode_with_headers(headers, data[_PREFIX:], where=where + _PREFIX)
    if (got := crc16(_full(records.records))) != crc:
        raise FrameError(f"byte {where + 2}: the CRC of the full frame is {crc:04x}, with the format it is {got:04x}")
    return records


def decode_format(data: bytes, *, where: int = 0) -> Format:
    """Read a format frame from its signature on; raise FrameError if the headers are not those of the signature."""
    signature = int.from_bytes(data[:2], "little")
    headers = decode_record_headers(data[2:], where=where + 2)
    if (got := signature_of(headers)) != signature:
        raise FrameError(f"byte {where}: the signature is {signature:04x}, that of the headers {got:04x}")
    return signature, headers


def _full(records: tuple[Record, ...]) -> bytes:
    return b"".join(record.dib_vib + record.raw for record in records)


PUBLISHED: Formats = {
    signature_of(headers): headers for text in _PUBLISHED for headers in [tuple(map(bytes.fromhex, text.split()))]
}
