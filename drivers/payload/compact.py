"""The compact form of a field list, `>B:version 2x H:value`, written out as the fields it stands for."""

import re

from drivers.errors import DocumentError
from drivers.payload.document import Tree

MAX_LENGTH = 1000
_TYPES = {
    "b": "s8",
    "B": "u8",
    "h": "s16",
    "H": "u16",
    "i": "s32",
    "I": "u32",
    "q": "s64",
    "Q": "u64",
    "e": "f16",
    "f": "f32",
    "d": "f64",
    "?": "bool",
}
_FIELD = re.compile(r"(?:(?P<skip>[0-9]{0,3})x|(?P<code>[bBhHiIqQefd?]):(?P<name>[A-Za-z_][A-Za-z0-9_]*))")


def expand(text: str, path: str) -> list[Tree]:
    """The fields of a compact text; raise DocumentError naming the part that is none."""
    if len(text) > MAX_LENGTH:
        raise DocumentError(f"{path}: a compact list is at most {MAX_LENGTH} characters")
    order = "little" if text.startswith("<") else "big"
    fields: list[Tree] = []
    for part in text.lstrip("<>").split():
        match = _FIELD.fullmatch(part)
        if match is None:
            raise DocumentError(f"{path}: {part!r} is neither code:name nor x")
        if match["code"] is None:
            fields.append({"type": "skip", "length": int(match["skip"] or 1)})
        elif match["code"] == "?":
            fields.append({"name": match["name"], "type": "bool", "consume": 1})
        else:
            fields.append({"name": match["name"], "type": _TYPES[match["code"]], "endian": order})
    return fields
