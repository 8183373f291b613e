"""Backup files: what is altered, cut, moved or of another key is refused, and by nothing but the errors of backups."""

import io
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import CodecError
from node.backup import locks
from node.backup.archive import Archive, Contents, Head, check_archive, check_names, find_head, member_of, write_archive
from node.backup.locks import KeyLock, Passphrase, PassphraseLock, PrivateRecoveryKey, decode_lock
from node.backup.stream import CHUNK, MAGIC, SEALED_CHUNK, STREAM_HEADER, OpeningStream, SealingStream
from node.errors import BackupError
from tests.builders import id16, seed

KEY = seed("content key")
OWNER = PrivateRecoveryKey(seed("recovery"))
HEAD = Head(1_790_000_000_000_000, id16("org"), id16("node"), OWNER.public.lock(KEY))
LARGE = bytes(range(256)) * (5 * CHUNK // 512)  # two and a half chunks


def ignore(_done: int) -> None:
    """Progress that nobody looks at."""


def backup(path: Path, **files: bytes) -> Path:
    """A backup with these members."""
    members = tuple(member_of(name, content, ignore) for name, content in files.items())
    with path.open("wb") as file:
        write_archive(file, HEAD, KEY, Contents("test", members, {id16("log"): 7}), files, ignore)
    return path


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A backup of several chunks."""
    return backup(tmp_path / "whole.backup", store=LARGE, config=b"[node]\n", empty=b"")


def read(path: Path, opener: locks.Opener | bytes = OWNER) -> dict[str, bytes]:
    """Every member of a backup."""
    with path.open("rb") as file:
        return {member.name: b"".join(blocks) for member, blocks in Archive(file, opener).members()}


def test_backup_reads_what_it_was_made_of(whole: Path) -> None:
    """Every member comes back, empty ones and those over several chunks; the head is read without a key."""
    assert read(whole) == {"store": LARGE, "config": b"[node]\n", "empty": b""}
    assert find_head(whole) == HEAD
    assert check_archive(whole, KEY, ignore)[1].counts == {id16("log"): 7}


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_stream_of_any_length_ends_where_it_ended(size: int) -> None:
    """Chunks are full but for the last one, and the last one says that it is the last."""
    file = io.BytesIO()
    stream = SealingStream(file, b"head", KEY)
    for at in range(0, size, 70_000):
        stream.write(LARGE[at : min(at + 70_000, size)])
    stream.finish()

    file.seek(len(MAGIC) + 4 + 4)
    opened = OpeningStream(file, b"head", KEY)
    assert opened.read(size) == LARGE[:size]
    opened.finish()
    chunks = max(1, -(-size // CHUNK))
    assert file.tell() == len(MAGIC) + 8 + STREAM_HEADER + size + chunks * (SEALED_CHUNK - CHUNK)


def _flip(at: int) -> Callable[[bytes], bytes]:
    return lambda raw: raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def _first() -> int:
    """Where the chunks begin."""
    return len(MAGIC) + 4 + len(HEAD.to_bytes()) + STREAM_HEADER


def _without_chunk(raw: bytes) -> bytes:
    at = _first() + SEALED_CHUNK
    return raw[:at] + raw[at + SEALED_CHUNK :]


def _swapped(raw: bytes) -> bytes:
    at, size = _first(), SEALED_CHUNK
    return raw[:at] + raw[at + size : at + 2 * size] + raw[at : at + size] + raw[at + 2 * size :]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda raw: raw[: _first() + 2 * SEALED_CHUNK], "backup_damaged"),  # at the end of a chunk
        (lambda raw: raw[:-1], "backup_damaged"),
        (lambda raw: raw[: _first()], "backup_damaged"),
        (lambda raw: raw[: _first() - 1], "backup_damaged"),
        (lambda raw: raw + b"x", "backup_damaged"),
        (_without_chunk, "backup_damaged"),
        (_swapped, "backup_locked"),
        (_flip(_first() + SEALED_CHUNK + 9), "backup_damaged"),
        (_flip(_first() + 9), "backup_locked"),
        (_flip(len(MAGIC) + 4 + 3), "backup_locked"),  # the time in the head
        (_flip(0), "backup_foreign"),
        (lambda raw: MAGIC + b"\xff\xff\xff\xff" + raw[len(MAGIC) + 4 :], "backup_damaged"),
        (lambda _: b"", "backup_foreign"),
    ],
)
def test_altered_backup_is_refused(whole: Path, change: Callable[[bytes], bytes], code: str) -> None:
    """A byte changed, a chunk missing, two in another order, an end too early or too late: none of it is read."""
    whole.write_bytes(change(whole.read_bytes()))

    with pytest.raises(BackupError) as refused:
        read(whole)
    assert refused.value.code == code


@given(raw=st.binary(max_size=400))
def test_any_bytes_are_a_backup_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    """Whatever stands in a file, reading its head ends in a head or in an error of backups."""
    path = tmp_path_factory.getbasetemp() / "any.backup"
    path.write_bytes(MAGIC + len(raw).to_bytes(4) + raw)
    with pytest.raises(BackupError):
        find_head(path)


def test_backup_opens_with_its_own_key_alone(whole: Path) -> None:
    """Another recovery key, a passphrase and another content key are told apart from damage."""
    for opener in (PrivateRecoveryKey(seed("other")), Passphrase("correct horse battery"), seed("another")):
        with pytest.raises(BackupError) as refused:
            read(whole, opener)
        assert refused.value.code == "backup_locked"


def test_passphrase_opens_what_it_locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same words give the same key, others do not; fewer than twelve letters are refused."""
    monkeypatch.setattr(locks, "OPERATIONS", 1)
    monkeypatch.setattr(locks, "MEMORY", 8192)
    words = Passphrase("такой же ёж вместе")
    lock, key = words.lock(seed("salt")[:16])
    path = tmp_path / "one.backup"
    with path.open("wb") as file:
        write_archive(file, replace(HEAD, lock=lock), key, Contents("test", (), {}), {}, ignore)

    assert read(path, Passphrase("такой же ёж вместе")) == {}
    assert read(path, Passphrase(unicodedata.normalize("NFD", words.text))) == {}  # as another system writes it
    with pytest.raises(BackupError, match="does not open"):
        read(path, Passphrase("такой же уж вместе"))
    with pytest.raises(BackupError, match="at least 12"):
        Passphrase("одно слово")


@pytest.mark.parametrize(
    "lock",
    [PassphraseLock(bytes(16), 17, 8192), PassphraseLock(bytes(16), 1, (1 << 30) + 1), PassphraseLock(b"", 1, 1)],
)
def test_lock_that_asks_for_more_work_than_any_is_refused(lock: PassphraseLock) -> None:
    """A hostile file makes its reader neither allocate nor work without end."""
    with pytest.raises(CodecError):
        decode_lock(lock.to_value())


def test_member_that_is_no_file_of_a_node_is_refused() -> None:
    """No name in a backup leads out of the folder, and none comes twice."""
    for names in (("../head",), ("config.toml", "config.toml"), ("head",)):
        members = tuple(member_of(name, b"", ignore) for name in names)
        with pytest.raises(BackupError):
            check_names(Contents("test", members, {}), {"config.toml"})


def test_source_that_changes_while_it_is_copied_ends_the_backup(tmp_path: Path) -> None:
    """What is written is what the contents say, or nothing is."""
    contents = Contents("test", (member_of("config", b"before", ignore),), {})
    with (tmp_path / "x").open("wb") as file, pytest.raises(BackupError, match="changed"):
        write_archive(file, HEAD, KEY, contents, {"config": b"after!"}, ignore)


def test_secrets_of_backups_are_not_printed() -> None:
    """Neither a passphrase nor a private key nor a content key stands in what these print as."""
    shown = repr((OWNER, Passphrase("correct horse battery"), OWNER.public.lock(KEY), KeyLock(bytes(16), b"")))
    assert "battery" not in shown
    assert OWNER.private.hex() not in shown
    assert repr(OWNER.private)[2:-1] not in shown
    assert repr(KEY)[2:-1] not in shown


def test_recovery_keys_read_what_they_write() -> None:
    """Both halves survive their texts, with remarks around them; one is not taken for the other."""
    assert locks.parse_private(f"# remark\n{OWNER.to_text()}\n") == OWNER
    assert locks.parse_public(OWNER.public.to_text()) == OWNER.public
    for text in (OWNER.to_text(), "", locks.PUBLIC_TEXT + "AA==", locks.PUBLIC_TEXT + "?"):
        with pytest.raises(BackupError):
            locks.parse_public(text)
