"""What stands behind `/d/` of a link: a device id, the link of a label of any domain, a maker's code, words of a plate.

The path comes as it was sent. A GS1 Digital Link keeps its escapes, because a serial may hold an escaped slash; all
else is unescaped once. A GS1 Digital Link may stand without its domain: `/d/01/<GTIN>/21/<serial>` is one itself.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from node.passport.claims import Claim
from node.passport.codes import claim_of_code
from node.passport.errors import DeviceIdError
from node.passport.ids import SubjectId, in_latin, is_domain, looks_like_device_id, parse_device_id

MOST = 512  # characters
LONGEST = 12 * MOST  # characters of an address: one that has four bytes is twelve there
GS1 = "https://id.gs1.org/"  # the domain under which GS1 itself resolves a link

_LINK = re.compile(r"(https?):/{1,2}(?=[^/])", re.IGNORECASE)  # some servers join the two slashes
_LABEL = re.compile(r"https?://([^/?#@:]{1,253})(?::[0-9]{1,5})?/d/([^/?#]{1,80})/?(?:[?#].*)?", re.IGNORECASE)
_KEYS = re.compile(r"(?:01/[0-9]{8,14}/21|800[34])/.")
_ESCAPED_LINK = re.compile(r"https?%3a", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Printed:
    """What was printed: an id of ours, a maker's code, or words; and the domain of the label's link that it was in."""

    text: str
    subject: SubjectId | None = None
    code: Claim | None = None
    domain: str = ""


def read_printed(path: str, query: str = "") -> Printed:
    """Read what stands behind `/d/`, escaped as it came, and the query of a link that was not escaped.

    Raise MistypedIdError for an id with a slip of the pen, DeviceIdError for what stands on no label.
    """
    text = _text_of(path, query) if len(path) + len(query) <= LONGEST else ""
    if not text or len(text) > MOST or not all(character.isprintable() or character == "\x1d" for character in text):
        raise DeviceIdError(f"a label holds 1 to {MOST} printable characters")
    label = _LABEL.fullmatch(text)
    typed = unquote(label[2]) if label else text
    if looks_like_device_id(typed):
        domain = label[1].lower() if label and is_domain(label[1].lower()) else ""
        return Printed(typed, parse_device_id(in_latin(typed)), domain=domain)
    return Printed(text, code=claim_of_code(text))


def _text_of(path: str, query: str) -> str:
    if _ESCAPED_LINK.match(path) or "/" not in path:
        path, query = unquote(path), ""
    path = path.strip().lstrip("\x1d")
    if _KEYS.match(path):
        return GS1 + path
    if _LINK.match(path):
        link = _LINK.sub(lambda found: f"{found[1].lower()}://", path, count=1)
        return f"{link}?{query}" if query else link
    return unquote(path)
