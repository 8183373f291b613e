"""The search for keys finds a key however it is written, and nothing where none is."""

import base64
import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from node.exchange.tables import write_xlsx
from tests.secrets import search

KEY = random.Random(7).randbytes(16)
FILLER = random.Random(8).randbytes(100)
WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda key: FILLER + key + FILLER,
    "reversed": lambda key: FILLER + key[::-1],
    "lower hex": lambda key: b'{"a":"' + key.hex().encode() + b'"}',
    "upper hex": lambda key: b"f" + key.hex().upper().encode(),
    "hex with hyphens": lambda key: key.hex("-").upper().encode(),
    "hex with colons": lambda key: key[::-1].hex(":").encode(),
    "base64": base64.b64encode,
    "base64 after one byte": lambda key: base64.b64encode(b"x" + key + FILLER),
    "url-safe base64 after two bytes": lambda key: base64.urlsafe_b64encode(b"xy" + key).rstrip(b"="),
    "base64 in lines": lambda key: base64.encodebytes(FILLER + key + FILLER),
    "base64 in lines in JSON": lambda key: json.dumps(base64.encodebytes(FILLER + key).decode()).encode(),
    "printed bytes": lambda key: f"opening {key!r} failed".encode(),
    "printed numbers": lambda key: str([1, 2, *key]).encode(),
    "JSON escapes": lambda key: json.dumps({"key": key.decode("latin-1")}).encode(),
    "workbook": lambda key: write_xlsx(("a", "b"), [("1", key.hex())]),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_key_is_found_however_it_is_written(tmp_path: Path, form: str) -> None:
    """Each way of writing a key is found in the file that holds it, and in no other file."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(WRITTEN[form](KEY))
    (tmp_path / "other").write_bytes(WRITTEN[form](random.Random(9).randbytes(16)))

    found = search([tmp_path], {"key": KEY})

    assert {(finding.secret, finding.path) for finding in found} == {("key", tmp_path / "deep" / "file")}


def test_key_on_two_pages_of_a_store_is_found(tmp_path: Path) -> None:
    """A value of a store is searched as a whole, also where a page ends in the middle of a key."""
    keys = {str(before): random.Random(before).randbytes(16) for before in range(4000, 4100)}
    connection = sqlite3.connect(tmp_path / "store.sqlite")
    connection.execute("create table t (a)")
    connection.executemany(
        "insert into t values (?)", [(bytes(int(n)) + key + bytes(4085),) for n, key in keys.items()]
    )
    connection.commit()
    connection.close()
    raw = (tmp_path / "store.sqlite").read_bytes()

    found = search([tmp_path], keys)

    assert not all(key in raw for key in keys.values())
    assert {finding.secret for finding in found} == keys.keys()


def test_short_secret_is_refused(tmp_path: Path) -> None:
    """What is so short that it stands anywhere is not searched for."""
    with pytest.raises(ValueError, match="found everywhere"):
        search([tmp_path], {"pin": b"1234"})
