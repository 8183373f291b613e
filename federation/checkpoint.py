"""Signed checkpoints of a log: C2SP signed notes of exactly three lines.

Origin `passport/` and the log id in lower-case hex, size in decimal, root in padded base64; own signature first, other
signature lines ignored, extension lines refused; size 0 is never published.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from federation.errors import CheckpointError
from federation.keys import SigningKey, verify_raw

SIGNATURE_TYPE = 0x01
MAX_NOTE = 4096
MAX_SIGNATURES = 16
SIGNATURE_LINE = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log's key says of the log: its size and root."""

    log: bytes
    size: int
    root: bytes

    def text(self) -> bytes:
        """The three lines that are signed."""
        root = base64.b64encode(self.root).decode()
        return f"{origin(self.log)}\n{self.size}\n{root}\n".encode()


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line under a note: who, the 4-byte key id, and the rest."""

    name: str
    key_id: bytes
    signature: bytes


def origin(log: bytes) -> str:
    """The first line of a log's checkpoints, and the name of its key."""
    return f"passport/{log.hex()}"


def note_key_id(name: str, kind: int, key: bytes) -> bytes:
    """C2SP signed-note: SHA-256(name || 0x0A || type || 32-byte key)[:4]."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def sign_checkpoint(key: SigningKey, checkpoint: Checkpoint) -> bytes:
    """The signed note."""
    if checkpoint.size < 1:
        raise CheckpointError("a checkpoint of size 0 is never published")
    name = origin(checkpoint.log)
    blob = note_key_id(name, SIGNATURE_TYPE, key.public[1:]) + key.sign(checkpoint.text())
    return checkpoint.text() + f"\n\u2014 {name} {base64.b64encode(blob).decode()}\n".encode()


def verify_checkpoint(note: bytes, log: bytes, sign_key: bytes) -> Checkpoint:
    """Read a note and require the log's own signature first; raise CheckpointError. `sign_key` is 33 bytes."""
    checkpoint, lines = parse_note(note)
    if checkpoint.log != log:
        raise CheckpointError(f"the note is of log {checkpoint.log.hex()}")
    name = origin(log)
    first = lines[0]
    if first.name != name or first.key_id != note_key_id(name, SIGNATURE_TYPE, sign_key[1:]):
        raise CheckpointError("the first signature is not the log's own")
    if not verify_raw(sign_key, first.signature, checkpoint.text()):
        raise CheckpointError("the log's signature does not hold")
    return checkpoint


def parse_note(note: bytes) -> tuple[Checkpoint, list[SignatureLine]]:
    """Read the form of a note; raise CheckpointError. Signatures are not checked here."""
    if len(note) > MAX_NOTE:
        raise CheckpointError(f"a note of {len(note)} bytes, at most {MAX_NOTE}")
    try:
        text, separator, signatures = note.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise CheckpointError("the note is not UTF-8") from error
    lines = text.split("\n")
    if len(lines) != 3 or not separator or not signatures.endswith("\n"):
        raise CheckpointError("a checkpoint has three lines, an empty one and signatures")
    checkpoint = Checkpoint(_log(lines[0]), _size(lines[1]), _root(lines[2]))
    found = [_signature_line(line) for line in signatures[:-1].split("\n")]
    if len(found) > MAX_SIGNATURES:
        raise CheckpointError(f"{len(found)} signatures, at most {MAX_SIGNATURES}")
    return checkpoint, found


def _log(line: str) -> bytes:
    if not re.fullmatch(r"passport/[0-9a-f]{32}", line):
        raise CheckpointError("the origin is not passport/ and 32 lower-case hex digits")
    return bytes.fromhex(line[9:])


def _size(line: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,18}", line, re.ASCII) or int(line) >= 2**63:
        raise CheckpointError("the size is not a decimal number from 1")
    return int(line)


def _root(line: str) -> bytes:
    root = _base64(line)
    if len(root) != 32:
        raise CheckpointError(f"a root is 32 bytes, got {len(root)}")
    return root


def _signature_line(line: str) -> SignatureLine:
    match = SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise CheckpointError("a signature line is malformed")
    blob = _base64(match[2])
    if len(blob) < 5:
        raise CheckpointError("a signature line is too short")
    return SignatureLine(match[1], blob[:4], blob[4:])


def _base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CheckpointError("not padded base64") from error
    if base64.b64encode(raw).decode() != text:
        raise CheckpointError("not canonical base64")
    return raw
