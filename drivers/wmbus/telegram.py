"""A wireless telegram through all its layers: link, extended link, authentication, transport, records.

Whose it is decides by which key it is opened: the long header's meter if there is one, else the sender of the link.
"""

from dataclasses import dataclass

from drivers.context import NOTHING, Context
from drivers.errors import ForeignMeterError, FrameError, MissingKeyError, WrongKeyError
from drivers.mbus.records import Records, decode_records
from drivers.wmbus import authentication
from drivers.wmbus.authentication import Authentication, decode_authentication
from drivers.wmbus.compact import Format, decode_compact, decode_format, format_of
from drivers.wmbus.extended import Extended, decode_extended, is_extended
from drivers.wmbus.link import Address, Form, LinkFrame, decode_link
from drivers.wmbus.transport import Content, Header, Protection, decode_header, open_body

_CRC = 2


@dataclass(frozen=True, slots=True)
class Telegram:
    """What a telegram says. `format` is what compact frames after it need; `rest` is bytes behind the records."""

    link: LinkFrame
    meter: Address
    header: Header
    access: int | None
    protection: Protection
    records: Records
    format: Format | None
    rest: bytes = b""


def decode_telegram(raw: bytes, context: Context = NOTHING) -> Telegram:
    """Read and open a telegram; raise FrameError or one of its kinds, which say what key or format is wanting."""
    link = decode_link(raw)
    data, access, opened = link.data, None, False
    if is_extended(data):
        extended = _extended(data, link.address, context)
        data, access, opened = extended.data, extended.access, extended.opened
    layer: Authentication | None = None
    if data[:1] == bytes([authentication.CI]):
        layer = decode_authentication(data)
        data = layer.message
    header = decode_header(data)
    meter = header.address or link.address
    _check_meter(meter, context)
    protection, body = open_body(header, meter, context.find_key(meter.name), layer, opened=opened)
    records, known, rest = _content(header.content, body, link.form, context)
    return Telegram(link, meter, header, header.access if access is None else access, protection, records, known, rest)


def read_meter(raw: bytes) -> Address:
    """Whose a telegram is, as far as it says so in clear; raise FrameError for what is none."""
    link = decode_link(raw)
    data = link.data
    try:
        if is_extended(data):
            data = decode_extended(data, link.address, None).data
        if data[:1] == bytes([authentication.CI]):
            data = decode_authentication(data).message
        return decode_header(data).address or link.address
    except FrameError:
        return link.address  # the rest is encrypted, or is told by whoever reads it


def _extended(data: bytes, sender: Address, context: Context) -> Extended:
    try:
        return decode_extended(data, sender, context.find_key(sender.name))
    except (MissingKeyError, WrongKeyError):
        # Whose it is says more than that its key is wanting.
        _check_meter(sender, context)
        raise


def _check_meter(meter: Address, context: Context) -> None:
    if context.meter is not None and meter.name != context.meter:
        raise ForeignMeterError(f"the telegram is of {meter.name}, not of {context.meter}")


def _content(content: Content, body: bytes, form: Form, context: Context) -> tuple[Records, Format | None, bytes]:
    if content is Content.COMPACT:
        return decode_compact(body, context.formats), None, b""
    if content is Content.FORMAT:
        return Records(()), decode_format(body), b""
    records, rest = _full(body, form)
    return records, format_of(records), rest


def _full(body: bytes, form: Form) -> tuple[Records, bytes]:
    try:
        return decode_records(body), b""
    except FrameError:
        # A receiver that rewrites the link layer leaves the last CRC of format B behind, which nobody can check then.
        if form is not Form.BARE or len(body) <= _CRC:
            raise
        try:
            return decode_records(body[:-_CRC]), body[-_CRC:]
        except FrameError:
            pass
        raise
