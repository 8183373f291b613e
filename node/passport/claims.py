"""Identity claims: the bytes over which the id of a subject is computed. Frozen.

A claim is canonical msgpack of four texts `[scheme, issuer, serial, year]`, each of at most 255 bytes; a twin has a
fifth element, an integer of at least 2. What each scheme allows stands in `_RULES`, and nothing else is a claim: the
same device must not get two ids because somebody wrote an extra zero or a capital.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from federation import codec
from federation.errors import CodecError
from node.passport.errors import ClaimError, NumberError, PlateError
from node.passport.ids import SubjectId
from node.passport.numbers import is_gtin, parse_grsi
from node.passport.plate import plate_text

ID_PREFIX = b"passport/id/1\n"
MAX_ELEMENT = 255
MAX_CLAIM = 1100
LEAST_TWIN = 2
GIAI_ISSUER = "8004"
GRAI_ISSUER = "8003"
GRSI_PREFIX = "grsi:"

_HEX16 = re.compile(r"[0-9a-f]{32}")
_YEAR = re.compile(r"[0-9]{4}")
_GRSI_ISSUER = re.compile(r"grsi:[1-9][0-9]{0,5}")
_LINK = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[\x21-\x7E]+")
# GS1 General Specifications, character set 82.
_GS1_SERIAL = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+")


class Scheme(StrEnum):
    """Who numbered the thing, and how."""

    GS1 = "gs1"
    IEC61406 = "iec61406"
    LINE = "line"
    APPROVAL = "approval"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Claim:
    """What identifies a subject. A value of this type always obeys the rules of its scheme."""

    scheme: Scheme
    issuer: str
    serial: str
    year: str = ""
    twin: int | None = None

    def __post_init__(self) -> None:
        """Refuse what breaks a rule with ClaimError."""
        for name, text in (("issuer", self.issuer), ("serial", self.serial), ("year", self.year)):
            if len(text.encode(errors="replace")) > MAX_ELEMENT:
                raise ClaimError(f"{name}: more than {MAX_ELEMENT} bytes")
        if self.twin is not None and not LEAST_TWIN <= self.twin <= codec.MAX_INT:
            raise ClaimError(f"a twin is numbered from {LEAST_TWIN}, got {self.twin}")
        if self.year and self.scheme is not Scheme.LINE:
            raise ClaimError(f"a claim of scheme {self.scheme.value} has no year, got {self.year!r}")
        _RULES[self.scheme](self)

    def encode(self) -> bytes:
        """The canonical bytes."""
        elements: list[codec.Value] = [self.scheme.value, self.issuer, self.serial, self.year]
        return codec.pack(elements if self.twin is None else [*elements, self.twin])

    @property
    def subject(self) -> SubjectId:
        """The subject that this claim identifies."""
        return subject_of(self.encode())

    def with_twin(self, number: int) -> "Claim":
        """The claim of another thing with the same plate; `number` is at least 2, else ClaimError."""
        return replace(self, twin=number)


def decode_claim(raw: bytes) -> Claim:
    """Read a claim; raise ClaimError unless it is canonical and obeys its scheme."""
    try:
        elements = codec.array(codec.unpack(raw, MAX_CLAIM), None, "claim")
    except CodecError as error:
        raise ClaimError(f"claim: {error}") from error
    if len(elements) not in (4, 5):
        raise ClaimError(f"a claim has 4 elements, or 5 for a twin; got {len(elements)}")
    scheme, issuer, serial, year = (_text(element) for element in elements[:4])
    if scheme not in list(Scheme):
        raise ClaimError(f"unknown scheme {scheme!r}")
    return Claim(Scheme(scheme), issuer, serial, year, _twin(elements[4]) if len(elements) == 5 else None)


def subject_of(claim: bytes) -> SubjectId:
    """The subject of a claim's bytes: the first 16 of SHA-256("passport/id/1\\n" + claim)."""
    return SubjectId(hashlib.sha256(ID_PREFIX + claim).digest()[:16])


def local_claim(log: bytes, randomness: bytes) -> Claim:
    """The claim of something without a plate: the author's log id and 16 fresh random bytes; raise ClaimError."""
    return Claim(Scheme.LOCAL, log.hex(), randomness.hex())


def approval_claim(approval: str, serial: str) -> Claim:
    """The claim of a plate whose line nobody has published: a ГРСИ number, and the serial as plate text.

    Raise ClaimError if the approval is no ГРСИ number or the serial has no plate text.
    """
    try:
        return Claim(Scheme.APPROVAL, f"{GRSI_PREFIX}{parse_grsi(approval).number}", plate_text(serial))
    except (NumberError, PlateError) as error:
        raise ClaimError(f"no approval claim: {error}") from error


def _text(element: codec.Value) -> str:
    if not isinstance(element, str):
        raise ClaimError(f"scheme, issuer, serial and year are texts, got {type(element).__name__}")
    return element


def _twin(element: codec.Value) -> int:
    if not isinstance(element, int):
        raise ClaimError(f"the number of a twin is an integer, got {type(element).__name__}")
    return element


def _check_gs1(claim: Claim) -> None:
    most = {GIAI_ISSUER: 30, GRAI_ISSUER: 30}.get(claim.issuer, 20)
    if not _GS1_SERIAL.fullmatch(claim.serial) or len(claim.serial) > most:
        raise ClaimError(f"gs1: a serial is 1 to {most} characters of set 82, got {claim.serial!r}")
    if claim.issuer == GRAI_ISSUER:
        if len(claim.serial) <= 14 or not is_gtin(claim.serial[:14]) or claim.serial[0] != "0":
            raise ClaimError(f"gs1: a GRAI is 0, 13 digits with their check digit and a serial, got {claim.serial!r}")
    elif claim.issuer != GIAI_ISSUER and not is_gtin(claim.issuer):
        raise ClaimError(f"gs1: the issuer is 14 digits with their check digit, 8003 or 8004, got {claim.issuer!r}")


def _check_link(claim: Claim) -> None:
    if claim.issuer:
        raise ClaimError(f"iec61406: the issuer is empty, got {claim.issuer!r}")
    if not _LINK.fullmatch(claim.serial):
        raise ClaimError("iec61406: the serial is the whole http or https link in visible ASCII")


def _check_line(claim: Claim) -> None:
    _check_hex("line: the issuer", claim.issuer)
    _check_plate_text(claim)
    if claim.year and not _YEAR.fullmatch(claim.year):
        raise ClaimError(f"line: the year is empty or 4 digits, got {claim.year!r}")


def _check_approval(claim: Claim) -> None:
    if not _GRSI_ISSUER.fullmatch(claim.issuer):
        raise ClaimError(f"approval: the issuer is grsi: and 1 to 6 digits, no zero first, got {claim.issuer!r}")
    _check_plate_text(claim)


def _check_local(claim: Claim) -> None:
    _check_hex("local: the issuer", claim.issuer)
    _check_hex("local: the serial", claim.serial)


def _check_plate_text(claim: Claim) -> None:
    try:
        agrees = plate_text(claim.serial) == claim.serial
    except PlateError as error:
        raise ClaimError(f"{claim.scheme.value}: {error}") from error
    if not agrees:
        raise ClaimError(f"{claim.scheme.value}: the serial is not in the spelling of plate text: {claim.serial!r}")


def _check_hex(what: str, text: str) -> None:
    if not _HEX16.fullmatch(text):
        raise ClaimError(f"{what} is 16 bytes in lower-case hex, got {text!r}")


_RULES: dict[Scheme, Callable[[Claim], None]] = {
    Scheme.GS1: _check_gs1,
    Scheme.IEC61406: _check_link,
    Scheme.LINE: _check_line,
    Scheme.APPROVAL: _check_approval,
    Scheme.LOCAL: _check_local,
}
