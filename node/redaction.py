"""The log's filter: what looks like a secret leaves an event as `***`, whoever wrote it there by mistake.

A value goes by its type (a `Secret` or another object that masks itself; any bytes, since ids are logged as text) or
by its name: that of the field, the mapping's key, or the word before it in a text. Hex without a name is left alone:
an id looks the same.
"""

import re
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from node.secret import MASK

SMALL = 1 << 32

_NAMES = r"(?:key|token|secret|password|claim|seed|box_?code|authorization|bearer|cookie)s?"
_NAME = re.compile(rf".*{_NAMES}", re.IGNORECASE | re.DOTALL)
# Words after a name stay: "secret: section root-keys is not for you". A key is a run with a digit, or in quotes.
_IN_TEXT = re.compile(
    rf"""(?P<name>{_NAMES}["']?(?:\s*[=:/]\s*|\s+))
    (?:b?(?P<quote>["']).*?(?<!\\)(?P=quote) | (?=[\w+/=-]*[0-9])[\w+/=-]{{12,}} )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_PASSWORD = re.compile(r"(?P<name>password\s*=\s*)[^\s\"']+|(?P<url>://[^\s:/@]+:)[^\s/@]+(?=@)", re.IGNORECASE)
_BYTES = re.compile(r"""\bb(?P<quote>["']).*?(?<!\\)(?P=quote)|\bbytearray\(.*?\)""", re.DOTALL)


def redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:  # Any: structlog
    """A structlog processor, to stand after those that make text of exceptions."""
    return {name: _redact_named(name, value) for name, value in event.items()}


def redact(value: object) -> object:
    """The value as it may be shown: plain values, mappings and lists of them; anything else as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _redact_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return MASK
    if isinstance(value, Mapping):
        return {_redact_text(str(name)): _redact_named(str(name), item) for name, item in value.items()}
    if isinstance(value, Collection):
        return [redact(item) for item in value]
    return _redact_text(repr(value))


def _redact_named(name: str, value: object) -> object:
    # Whether there is one, and how many, is no secret.
    tells_nothing = value is None or (isinstance(value, int) and abs(value) < SMALL)
    return redact(value) if tells_nothing or not _NAME.fullmatch(name) else MASK


def _redact_text(text: str) -> str:
    text = _IN_TEXT.sub(rf"\g<name>{MASK}", text)
    text = _PASSWORD.sub(lambda found: (found["name"] or found["url"]) + MASK, text)
    return _BYTES.sub(MASK, text)
