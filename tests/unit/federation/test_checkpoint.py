"""Checkpoints: three lines, the log's own signature first."""

import base64

import pytest

from federation.checkpoint import Checkpoint, note_key_id, origin, parse_note, sign_checkpoint, verify_checkpoint
from federation.errors import CheckpointError
from tests.builders import Writer, id16, seed, signing_key

LOG = id16("log")
KEY = signing_key("node")
GOOD = Checkpoint(LOG, 5, seed("root"))
NOTE = sign_checkpoint(KEY, GOOD)
TEXT, LINE = NOTE.split(b"\n\n")


def foreign() -> bytes:
    return b"\xe2\x80\x94 example.org/w " + base64.b64encode(bytes(76)) + b"\n"


def signed(text: bytes) -> bytes:
    """A text under a good signature, whatever it says."""
    blob = note_key_id(origin(LOG), 1, KEY.public[1:]) + KEY.sign(text)
    return text + f"\n\u2014 {origin(LOG)} {base64.b64encode(blob).decode()}\n".encode()


def refuse(note: bytes, why: str | None = None) -> None:
    with pytest.raises(CheckpointError, match=why):
        verify_checkpoint(note, LOG, KEY.public)


def test_checkpoint_reads_what_it_signs() -> None:
    """A signed note gives back log, size and root."""
    assert verify_checkpoint(NOTE, LOG, KEY.public) == GOOD
    assert signed(GOOD.text()) == NOTE


def test_checkpoint_is_a_c2sp_note() -> None:
    """Three lines, an empty one, and a line with the key's name and id."""
    lines = NOTE.decode().split("\n")
    assert lines[:4] == [f"passport/{LOG.hex()}", "5", base64.b64encode(seed("root")).decode(), ""]
    assert lines[4].startswith(f"\u2014 passport/{LOG.hex()} ")
    assert lines[5:] == [""]


def test_foreign_signatures_are_ignored() -> None:
    """Lines of others after the own one change nothing; before it they are refused."""
    assert verify_checkpoint(NOTE + foreign() * 15, LOG, KEY.public) == GOOD
    assert len(parse_note(NOTE + foreign())[1]) == 2
    refuse(NOTE + foreign() * 16, "at most 16")
    refuse(TEXT + b"\n\n" + foreign() + LINE, "not the log's own")


@pytest.mark.parametrize("size", ["0", "05", "+5", "-5", " 5", "5 ", "5.0", "0x5", "\u0665", "9" * 19, "1" * 20])
def test_size_that_is_none(size: str) -> None:
    """A size is decimal from 1 without leading zeros, below 2^63."""
    root = base64.b64encode(seed("root")).decode()
    refuse(signed(f"{origin(LOG)}\n{size}\n{root}\n".encode()), "size")


def test_size_zero_is_never_signed() -> None:
    """An empty log has no checkpoint."""
    with pytest.raises(CheckpointError, match="never published"):
        sign_checkpoint(KEY, Checkpoint(LOG, 0, seed("root")))


def test_root_has_one_spelling() -> None:
    """Base64 without padding, with spare bits, of another length or alphabet is refused."""
    root = base64.b64encode(seed("root")).decode()
    spare = root[:-2] + chr(ord(root[-2]) + 1) + "="
    assert base64.b64decode(spare) == seed("root")
    for text in (root[:-1], spare, root + "=", "_" * 43 + "=", base64.b64encode(bytes(31)).decode()):
        refuse(signed(f"{origin(LOG)}\n5\n{text}\n".encode()), "base64|root")


def test_extension_line() -> None:
    """A fourth line is refused even under a good signature."""
    refuse(signed(GOOD.text() + b"extension\n"), "three lines")
    refuse(signed(b"\n".join(GOOD.text().split(b"\n")[:2]) + b"\n"), "three lines")


@pytest.mark.parametrize(
    "first", ["passport/" + LOG.hex().upper(), "passport/" + LOG.hex()[:-1], "Passport/" + LOG.hex(), LOG.hex()]
)
def test_origin_that_is_none(first: str) -> None:
    """An origin is passport/ and the log id in lower-case hex."""
    root = base64.b64encode(seed("root")).decode()
    refuse(signed(f"{first}\n5\n{root}\n".encode()), "origin")


def test_checkpoint_of_another_log_or_key() -> None:
    """A note counts for its log and its key only."""
    with pytest.raises(CheckpointError, match="the note is of log"):
        verify_checkpoint(NOTE, id16("other"), KEY.public)
    with pytest.raises(CheckpointError, match="not the log's own"):
        verify_checkpoint(NOTE, LOG, signing_key("x").public)


def test_signature_that_does_not_hold() -> None:
    """The key id alone proves nothing."""
    blob = note_key_id(origin(LOG), 1, KEY.public[1:])
    for rest in (bytes(64), KEY.sign(b"other"), KEY.sign(GOOD.text())[:63], KEY.sign(GOOD.text()) + b"\0"):
        line = f"\u2014 {origin(LOG)} {base64.b64encode(blob + rest).decode()}\n".encode()
        refuse(GOOD.text() + b"\n" + line, "does not hold")


@pytest.mark.parametrize(
    "note", [b"", b"\n", TEXT, TEXT + b"\n", TEXT + b"\n\n", NOTE[:-1], NOTE + b"\n", NOTE + b"x\n", b"\xff" + NOTE]
)
def test_note_of_wrong_form(note: bytes) -> None:
    """Every line of a note has its form, foreign ones too."""
    refuse(note)


def test_note_over_4_kib() -> None:
    """A note has at most 4,096 bytes."""
    refuse(NOTE + b"x" * 4096, "at most 4096")


def test_writer_of_the_tests_signs_its_own_root() -> None:
    """The builder's checkpoint verifies and holds the root of its entries."""
    writer = Writer().write(3)
    assert verify_checkpoint(writer.note(), writer.log, writer.key.public).root == writer.root()
