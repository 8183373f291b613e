"""What a text may be, as identifiers by which a device is found; and the directory's keys of them.

Who types a number does not know whose it is: serial, inventory number, 1C or «Аршин» number and a printed code are one
scheme, `number`, in one normalisation, that of plates (docs/protocol.md, 4.1); what that does not take stands as it is,
a long one by its hash. A DevEUI is 16 lower-case hex digits. What only a right opens, or what this node works out for
its own people, has no key.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from federation.directory import alias_key
from node.passport.bodies import Plate
from node.passport.boxes import without_code
from node.passport.codes import claim_of_code
from node.passport.ids import in_latin, looks_like_device_id, parse_device_id
from node.passport.lines import LineKey, Lines
from node.passport.plate import cut_label, number_text, split_typed
from node.passport.shown import ACT, BARE, CONFLICT, EXTRACTED, TYPE, parameter_term, plate_term

ID: Final = "id"
DEV_EUI: Final = "dev_eui"
NUMBER: Final = "number"
WITHOUT_KEY = frozenset({BARE, CONFLICT, ACT, TYPE, EXTRACTED, "own"})

EUI = re.compile(r"[0-9A-Fa-f]{2}(?:[-:\s]?[0-9A-Fa-f]{2}){7}")
LABEL = re.compile(r"/d/([^/?#\s]+)/?$")
DOMAIN = re.compile(r"https?://([^/?#@:\s]{1,253})", re.IGNORECASE)
# A value that a document stated, under the code of its parameter.
STATED = re.compile(r"([0-9a-z][0-9a-z_.:-]{0,63})=(\S.{0,127})")


@dataclass(frozen=True, slots=True)
class Identifier:
    """One thing that a text may be: its scheme, and the value as it is stored and asked for."""

    scheme: str
    value: str

    @property
    def key(self) -> bytes | None:
        """The directory's key; None for what has none."""
        if self.scheme == ID:
            return bytes.fromhex(self.value)
        return None if self.scheme in WITHOUT_KEY else alias_key(self.scheme, self.value)


def number_value(text: str) -> str:
    """A number or a code as it is compared."""
    return number_text(text)


def read_exact(text: str) -> Identifier | None:
    """The device id, DevEUI or stated value that a text is, None where it is other words; raise MistypedIdError.

    The code of a box that was scanned along is left out.
    """
    trimmed = without_code(text).strip()
    label = LABEL.search(trimmed)
    trimmed = label[1] if label else trimmed
    if looks_like_device_id(trimmed):
        return Identifier(ID, parse_device_id(in_latin(trimmed)).hex)
    if EUI.fullmatch(trimmed):
        return Identifier(DEV_EUI, re.sub(r"[-:\s]", "", trimmed).lower())
    if stated := STATED.fullmatch(trimmed):
        return Identifier(EXTRACTED, parameter_term(stated[1], stated[2]))
    return None


def read_identifiers(text: str, lines: Lines) -> tuple[Identifier, ...]:
    """All that a text may be, the surest first; nothing where it holds no letter or digit; raise MistypedIdError."""
    if exact := read_exact(text):
        return (exact,)
    trimmed = without_code(text).strip()
    return tuple(dict.fromkeys(_read(trimmed, lines))) if any(map(str.isalnum, trimmed)) else ()


def is_on(plate: Plate, value: str) -> bool:
    """Whether a number stands on a plate: its serial, that with the designation, or a code."""
    said = {number_value(cut_label(plate.serial)), plate_term(plate.designation, plate.serial)}
    return value in said | set(map(number_value, plate.codes))


def lookup_key(scheme: str, value: str) -> bytes:
    """What stands for a question to a node that holds devices: the directory's key, where it has one."""
    return Identifier(scheme, value).key or alias_key(scheme, value)


def domain_of(text: str) -> str | None:
    """The host of a link, in lower case."""
    found = DOMAIN.match(text.strip())
    return found[1].lower() if found else None


def key_of_term(scheme: str, term: str) -> bytes | None:
    """The directory's key of a term by which a passport is found here."""
    if scheme in WITHOUT_KEY:
        return None
    return alias_key(DEV_EUI if scheme == DEV_EUI else NUMBER, term)


def keys_of(terms: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """The keys of terms with their schemes."""
    return (key for scheme, term in terms if (key := key_of_term(scheme, term)) is not None)


def _read(text: str, lines: Lines) -> Iterator[Identifier]:
    if (code := claim_of_code(text)) is not None:
        yield Identifier(ID, code.subject.hex)
        yield Identifier(NUMBER, number_value(text))
        return
    plate = lines.read_typed(text)
    if plate is not None and isinstance(key := lines.key(plate), LineKey):
        yield Identifier(ID, key.claim.subject.hex)
    # "СГВ-15 № 0012345" is found as what a plate says, whatever word stands before the number.
    yield Identifier(NUMBER, number_value(" ".join(split_typed(text) or [cut_label(text)])))
