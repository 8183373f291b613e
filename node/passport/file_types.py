"""What a file is, told by its bytes alone: pictures, PDF, XML and plain text may be attached, nothing that runs."""

import re
from collections.abc import Mapping

from node.passport.errors import PassportError

# By the ending of a name; the type is what the file is served as.
ENDINGS: Mapping[str, str] = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "pdf": "application/pdf",
    "xml": "application/xml", "csv": "text/csv", "txt": "text/plain",
}  # fmt: skip
TYPES = frozenset(ENDINGS.values())
TEXTS = frozenset({"text/csv", "text/plain"})
# What a browser would run or draw if somebody opened it as what it is.
ACTIVE = re.compile(rb"<\s*(!doctype|!entity|(\w+:)?(svg|html|script|iframe|object|embed)\b)", re.IGNORECASE)
CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class FileRefusedError(PassportError):
    """The bytes are of no type that may be attached, or of another one than the name says; `ru` says it in Russian."""

    def __init__(self, message: str, ru: str) -> None:
        super().__init__(message)
        self.ru = ru


def check_file(name: str, content: bytes) -> str:
    """The media type of a file; raise FileRefusedError where its bytes are not of the type that its name says."""
    ending = name.rpartition(".")[2].lower()
    said = ENDINGS.get(ending)
    if said is None:
        known = ", ".join(ENDINGS)
        raise FileRefusedError(f"{name[:80]!r} ends in none of {known}", f"«{name[:80]}» не оканчивается на {known}")
    found = _told(content)
    if found is None or not (found == said or (found in TEXTS and said in TEXTS)):
        raise FileRefusedError(
            f"{name[:80]!r} is {found or 'of no type that may be attached'}, its name says {said}",
            f"«{name[:80]}» по содержимому {found or 'не из тех, что можно приложить'}, а по имени {said}",
        )
    return said


def _told(content: bytes) -> str | None:
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if CONTROLS.search(content) or ACTIVE.search(content):
        return None
    return "application/xml" if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else "text/plain"
