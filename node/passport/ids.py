"""The two spellings of a subject: 16 bytes, and the device id that people read, type and scan. Frozen.

A device id is `EPP1-`, the 16 bytes as a big-endian number in 26 characters of Crockford's base32 and 2 more for that
number modulo 1021: every single slip and every swap of neighbours is caught, so that a slip of the pen is answered
"mistyped" and not "unknown".
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from node.passport.errors import DeviceIdError, MistypedIdError

PREFIX = "EPP1"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BODY_LENGTH = 26
CHECK_LENGTH = 2
MODULUS = 1021  # the largest prime below 32 * 32
SUBJECT_SIZE = 16
MOST_SPELLED = 4096  # ids that are kept as they were spelled last: lists and pages spell the same ones again and again

_SPACES = (*range(0x09, 0x0E), 0x20, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
_HYPHENS = (0x2D, *range(0x2010, 0x2016), 0x2212)
SLIPS = 3  # characters that are lost or too many in what somebody meant to write whole
DROPPED = frozenset(map(chr, (*_SPACES, *_HYPHENS)))

_SHORT_OF_ONE = tuple(PREFIX[:at] + PREFIX[at + 1 :] for at in range(len(PREFIX)))
_LENGTH = len(PREFIX) + BODY_LENGTH + CHECK_LENGTH
_SMALL = "abcdefghijklmnopqrstuvwxyz"
_READ_AS = str.maketrans("ILO", "110")
# All that is done to what a person wrote, in one go: what is dropped, what is a capital, what is read as a digit.
_WRITTEN = {
    **{ord(small): small.upper().translate(_READ_AS) for small in _SMALL},
    **_READ_AS,
    **dict.fromkeys(map(ord, DROPPED)),
}
# A keyboard left in Russian: what a text means, never how an id is written.
_RUSSIAN = str.maketrans("АВЕКМНОРСТХавекмнорстх", "ABEKMHOPCTX" * 2)
_DIGITS = frozenset(CROCKFORD)
_AS_NUMBER = str.maketrans(CROCKFORD, "0123456789abcdefghijklmnopqrstuv")  # as `int` reads digits to base 32
_PAIRS = tuple(first + second for first in CROCKFORD for second in CROCKFORD)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LABEL_URL = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://([^/?#@:]{1,253})(?::[0-9]{1,5})?/d/([^/?#]{1,80})/?(?:[?#].*)?")


@dataclass(frozen=True, slots=True, order=True)
class SubjectId:
    """The subject of a fragment: 16 bytes. Its text is the device id."""

    raw: bytes

    def __post_init__(self) -> None:
        """Refuse any other size with DeviceIdError."""
        if len(self.raw) != SUBJECT_SIZE:
            raise DeviceIdError(f"a subject is {SUBJECT_SIZE} bytes, got {len(self.raw)}")

    @property
    def hex(self) -> str:
        """The 16 bytes in lower-case hex."""
        return self.raw.hex()

    def __str__(self) -> str:
        return format_device_id(self)


# One value, two names: what a fragment calls its subject, a person calls the id of a device.
DeviceId: TypeAlias = SubjectId


@lru_cache(maxsize=MOST_SPELLED)
def format_device_id(subject: SubjectId) -> str:
    """Spell a subject of any kind as a device id, 33 characters."""
    return f"{PREFIX}-{spell_checked(subject.raw)}"


@lru_cache(maxsize=MOST_SPELLED)
def parse_device_id(text: str) -> SubjectId:
    """Read a device id as a person wrote it; raise MistypedIdError if it cannot be one.

    Spaces and hyphens are dropped, small letters are capitals, I and L are 1, O is 0, U is refused.
    """
    return SubjectId(read_checked(text, PREFIX, "a device id"))


def spell_checked(raw: bytes) -> str:
    """16 bytes in 26 characters, and the 2 that check them."""
    number = int.from_bytes(raw)
    return f"{_spell(number, BODY_LENGTH)}{_spell(number % MODULUS, CHECK_LENGTH)}"


def read_checked(text: str, prefix: str, what: str) -> bytes:
    """16 bytes that stand behind a prefix, as a person wrote them; raise MistypedIdError if these cannot be any."""
    body = _read(text)
    if not body.startswith(_read(prefix)):
        raise MistypedIdError(f"{what} begins with {prefix}-")
    if len(body) != len(prefix) + BODY_LENGTH + CHECK_LENGTH:
        raise MistypedIdError(f"{what} has {BODY_LENGTH + CHECK_LENGTH} characters after {prefix}-")
    if not _DIGITS.issuperset(body):
        strange = next(character for character in body if character not in _DIGITS)
        raise MistypedIdError(f"{what} has no character {strange!r}")
    number = _value(body[len(prefix) : -CHECK_LENGTH])
    if number >= 1 << (8 * SUBJECT_SIZE):
        raise MistypedIdError(f"{what} goes on with 0 to 7 after {prefix}-")
    if _value(body[-CHECK_LENGTH:]) != number % MODULUS:
        raise MistypedIdError("mistyped: the last two characters do not agree with the others")
    return number.to_bytes(SUBJECT_SIZE)


def looks_checked(text: str, prefix: str) -> bool:
    """Whether somebody meant to write what stands behind a prefix with check characters, slips of the pen included."""
    body, whole = _read(in_latin(text)), len(prefix) + BODY_LENGTH + CHECK_LENGTH
    return body.startswith(_read(prefix)) and abs(len(body) - whole) <= SLIPS


def looks_like_device_id(text: str) -> bool:
    """Whether somebody meant to write a device id, slips and look-alike letters included; a search box asks this before
    it looks further.
    """
    body = _read(in_latin(text))
    agree = sum(left == right for left, right in zip(body, PREFIX, strict=False))
    is_near = agree == len(PREFIX) - 1 or body.startswith(_SHORT_OF_ONE)
    return agree == len(PREFIX) or (is_near and abs(len(body) - _LENGTH) <= 2)


def in_latin(text: str) -> str:
    """A text with Latin letters for the Cyrillic ones that look like them: the keyboard was left in Russian."""
    return text.translate(_RUSSIAN)


def groups_of(device: str) -> list[str]:
    """A device id in groups that a person can read out: the prefix, then four characters at a time."""
    prefix, _, body = device.partition("-")
    return [prefix, *(body[start : start + 4] for start in range(0, len(body), 4))]


def is_domain(text: str) -> bool:
    """Whether a text is a name by which others reach a host: two labels or more, the last of which is no number."""
    return (
        len(text) <= 253
        and _DOMAIN.fullmatch(text) is not None
        and not text.rpartition(".")[2].isdecimal()
        and "." in text
    )


def format_label_url(domain: str, subject: SubjectId) -> str:
    """The link on a label: `https://<organisation domain>/d/<device id>`; raise DeviceIdError if that is no domain."""
    if len(domain) > 253 or not _DOMAIN.fullmatch(domain):
        raise DeviceIdError(f"a domain is lower-case ASCII labels, got {domain!r}")
    return f"https://{domain}/d/{format_device_id(subject)}"


def parse_label_url(text: str) -> SubjectId:
    """Read the link of a label, of whatever domain; raise MistypedIdError if it is none or its device id is wrong."""
    found = _LABEL_URL.fullmatch(text.strip())
    if not found:
        raise MistypedIdError("not the link of a label: https://<domain>/d/<device id>")
    return parse_device_id(found[2])


def _read(text: str) -> str:
    return text.translate(_WRITTEN)


def _spell(number: int, length: int) -> str:
    return "".join([_PAIRS[number >> place & 1023] for place in range(5 * (length - 2), -1, -10)])


def _value(text: str) -> int:
    return int(text.translate(_AS_NUMBER), 32)
