"""The code that lies in a box of devices: whoever has it may claim the box.

A code is 16 random bytes, written as a device id is, with check characters. It makes a key; the hash of that key stands
in the seller's signed offer, as the number of a buyer who is nobody yet. The code itself is nowhere but on paper.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from federation.keys import SigningKey
from node.passport.errors import BoxCodeError
from node.passport.ids import in_latin, looks_checked, read_checked, spell_checked

PREFIX = "BOX1"
CODE_SIZE = 16
BOX = "box"  # `box:` and the hash, where a register's number of a buyer stands
APART = re.compile("[\t;]")  # between a device and the name of its box, as tables are pasted
SIGN = "#"  # between the link of a device and the code: a browser sends nothing of what follows it


@dataclass(frozen=True, slots=True)
class BoxCode:
    """A code; it never shows in its text."""

    raw: bytes

    @property
    def key(self) -> SigningKey:
        """The key that shows that somebody has the code."""
        return SigningKey.from_seed(hashlib.sha256(b"passport/box-code/1\n" + self.raw).digest())

    @property
    def number(self) -> str:
        """What stands in the offer."""
        return box_number(self.key.public)

    @property
    def text(self) -> str:
        """The code as it is printed, 33 characters."""
        return f"{PREFIX}-{spell_checked(self.raw)}"

    def __repr__(self) -> str:
        return "BoxCode(…)"


@dataclass(frozen=True, slots=True)
class Slip:
    """What was typed or scanned: the code of a box, and what names a device in it, or nothing."""

    code: BoxCode
    device: str


def split_listed(lines: Iterable[str], size: int | None = None) -> list[list[str]] | None:
    """Devices box by box: by the second column where there is one, else so many a box, else all in one.

    None where some lines name a box and others do not.
    """
    rows = [[part.strip() for part in APART.split(line, maxsplit=1)] for line in lines if line.strip()]
    devices = [row[0] for row in rows]
    if all(len(row) == 1 for row in rows):
        step = size or max(1, len(devices))
        return [devices[at : at + step] for at in range(0, len(devices), step)]
    boxes: dict[str, list[str]] = {}
    for row in rows:
        boxes.setdefault(row[1] if len(row) == 2 else "", []).append(row[0])
    return None if "" in boxes else [*boxes.values()]


def box_number(key: bytes) -> str:
    """The number under which the box of a 33-byte key is offered."""
    digest = hashlib.sha256(b"passport/box/1\n" + key).hexdigest()
    return f"{BOX}:{digest}"


def is_box(number: str) -> bool:
    """Whether a buyer's number is that of a box."""
    return number.startswith(f"{BOX}:")


def parse_code(text: str) -> BoxCode:
    """Read a code as a person wrote it; raise MistypedIdError where it cannot be one."""
    return BoxCode(read_checked(text, PREFIX, "the code of a box"))


def format_slip(device: str, code: BoxCode) -> str:
    """What is printed to be scanned: the link of a device in the box, or its id, and the code."""
    return f"{device}{SIGN}{code.text}"


def without_code(text: str) -> str:
    """What names a device, without the code that was scanned along; raise BoxCodeError for a code alone.

    A code is told to nobody: whatever is looked for, journaled or asked of others passes here first.
    """
    before, _, after = text.rpartition(SIGN)
    if not looks_checked(after, PREFIX):
        return text
    if not before.strip():
        raise BoxCodeError("that is the code of a box, and names no device")
    return before


def read_slip(text: str, device: str = "") -> Slip:
    """Read what was scanned, or a code beside which a device is named; raise MistypedIdError."""
    before, sign, after = text.strip().rpartition(SIGN)
    return Slip(parse_code(in_latin(after if sign else text)), without_code(device.strip()) or before)
