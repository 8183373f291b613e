"""Looking for keys in everything that nodes leave on a disk, however they may be written.

`search(folders, secrets)` reads every file below the folders: config, store with its journal files, logs, transcripts,
exported files; also what a zip file (a workbook) packs, and each value of an SQLite store, which may lie in two pages.
It tells where a secret stands: raw, in hex of either case with or without separators, in base64 of both alphabets at
any alignment and across line ends, as Python or JSON prints bytes; each also from the last byte to the first.

`leaks(folder, nodes)` is all of it for nodes that ran in one folder: no private key of theirs and no root key of a
device stands in any file, but for the three files of a node that are a key each. `keys_of_file` gives what else to
look for after an import.
"""

import base64
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from federation.fragment import unpad
from node.clock import SystemRandom
from node.exchange.tables import read_table
from node.folder import NodeFolder
from node.keystore import Keystore, open_keystore

SHORTEST = 8
STORED = 2
ZIP_START, SQLITE_START = b"PK\x03\x04", b"SQLite format 3\0"
KEY_COLUMNS = ("AppKey", "Код коробки")

_HEX_RUN = re.compile(rb"[0-9a-fA-F](?:[-: ]?[0-9a-fA-F]){15,}")
_TEXT_RUN = re.compile(rb"[A-Za-z0-9+/_-]{10,}")
_NUMBERS = re.compile(rb"\d{1,3}(?:, ?\d{1,3}){7,}")
_LINE_END = re.compile(rb"\r?\n|\\r|\\n")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A secret stands in a file; `form` says how it is written there."""

    secret: str
    path: Path
    form: str


@dataclass(frozen=True, slots=True)
class _Needles:
    """One secret in every way of writing, by the part of a file in which each is looked for."""

    name: str
    raw: tuple[bytes, ...]
    hex: tuple[bytes, ...]
    base64: tuple[bytes, ...]
    numbers: tuple[bytes, ...]
    escaped: tuple[bytes, ...]


def search(folders: Iterable[Path], secrets: Mapping[str, bytes]) -> list[Finding]:
    """Where any of the secrets stands in a file below the folders, in order; raise ValueError at one too short."""
    needles = [_needles(name, secret) for name, secret in sorted(secrets.items())]
    found: set[Finding] = set()
    for path in sorted({path for folder in folders for path in _files(folder)}):
        for content in _contents(path):
            found |= {Finding(name, path, form) for name, form in _search_content(content, needles)}
    return sorted(found)


def leaks(folder: Path, nodes: Mapping[str, Path], more: Mapping[str, bytes] | None = None) -> list[Finding]:
    """Where in the folder a secret of these nodes (by name, with their folders), or one more, stands and must not."""
    secrets = dict(more or {})
    for name, home in nodes.items():
        known = {**secrets_of(home), **device_keys(home)}
        secrets |= {f"{name}/{what}": secret for what, secret in known.items()}
    own = {(f"{name}/{path.name}", path) for name, home in nodes.items() for path in raw_files(home)}
    return [finding for finding in search([folder], secrets) if (finding.secret, finding.path) not in own]


def secrets_of(folder: Path) -> dict[str, bytes]:
    """Every private key of one node, named; what is a file of its own bears that file's name."""
    keystore = open_keystore(NodeFolder(folder), SystemRandom())
    secrets = {path.name: path.read_bytes() for path in raw_files(folder)}
    secrets |= {"sign seed": keystore.sign_seed, "web secret": keystore.web_secret}
    secrets |= _tls_secrets(keystore)
    for log, keys in keystore.logs.items():
        secrets[f"witness seed of {log.hex()[:8]}"] = keys.witness_seed
        secrets[f"box seed of {log.hex()[:8]}"] = keys.box_seed
    return secrets


def raw_files(folder: Path) -> list[Path]:
    """The files of a node that are a key as it is, where they still lie there."""
    node = NodeFolder(folder)
    return [path for path in (node.storage_key, node.root_key, node.next_root_key) if path.exists()]


def device_keys(folder: Path) -> dict[str, bytes]:
    """The root keys of devices that one node's store holds, opened with its storage key."""
    keystore = open_keystore(NodeFolder(folder), SystemRandom())
    sql = "select log_no, seq, data from sections where name = 'root-keys' and form = ?"
    connection = sqlite3.connect(f"file:{folder / 'passport.sqlite'}?mode=ro", uri=True, timeout=10)
    try:
        sealed = connection.execute(sql, (STORED,)).fetchall()
    finally:
        connection.close()
    return {f"AppKey of {log}/{seq}": _app_key(keystore, data) for log, seq, data in sealed}


def keys_of_file(raw: bytes) -> dict[str, bytes]:
    """The AppKeys and box codes that a production file brings."""
    table = read_table(raw)
    key_at, box_at = (table.header.index(column) for column in KEY_COLUMNS)
    found: dict[str, bytes] = {}
    for row in table.rows:
        found[f"AppKey of row {row.number}"] = bytes.fromhex(row.cells[key_at].text)
        found[f"box code of row {row.number}"] = row.cells[box_at].text.encode()
    return found


def _app_key(keystore: Keystore, sealed: bytes) -> bytes:
    return bytes.fromhex(json.loads(unpad(keystore.vault.open(sealed)))["app_key"])


def _tls_secrets(keystore: Keystore) -> dict[str, bytes]:
    key = serialization.load_pem_private_key(keystore.tls_key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    body = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Every encoding of the key holds its number, so the number finds forms that the body would not.
    return {"TLS key": body, "TLS number": key.private_numbers().private_value.to_bytes(32, "big")}


def _files(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _contents(path: Path) -> Iterator[bytes]:
    """The file, and what is packed in it."""
    raw = path.read_bytes()
    yield raw
    yield from _unpacked(raw)
    if raw.startswith(SQLITE_START):
        yield b"\n".join(_values(path))


def _unpacked(raw: bytes) -> Iterator[bytes]:
    if raw.startswith(ZIP_START):
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            for name in packed.namelist():
                content = packed.read(name)
                yield content
                yield from _unpacked(content)


def _values(store: Path) -> Iterator[bytes]:
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=10)
    try:
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in connection.execute(f'select * from "{table}"'):  # noqa: S608 - the store's own tables
                yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)
    finally:
        connection.close()


def _search_content(content: bytes, needles: list[_Needles]) -> Iterator[tuple[str, str]]:
    unwrapped = _LINE_END.sub(b"", content)
    digits = b"\n".join(re.sub(rb"[-: ]", b"", run).lower() for run in _HEX_RUN.findall(content))
    text = b"\n".join(_TEXT_RUN.findall(unwrapped)).translate(bytes.maketrans(b"-_", b"+/"))
    numbers = b"\n".join(b"," + run.replace(b" ", b"") + b"," for run in _NUMBERS.findall(content))
    escapes = content.lower() if b"\\" in content else b""
    for needle in needles:
        for form, wanted, place in (
            ("raw", needle.raw, content),
            ("hex", needle.hex, digits),
            ("base64", needle.base64, text),
            ("numbers", needle.numbers, numbers),
            ("escaped", needle.escaped, escapes),
        ):
            if any(part in place for part in wanted):
                yield needle.name, form


def _needles(name: str, secret: bytes) -> _Needles:
    if len(secret) < SHORTEST:
        raise ValueError(f"{name}: {len(secret)} bytes would be found everywhere")
    both = (secret, secret[::-1])
    return _Needles(
        name,
        both,
        tuple(key.hex().encode() for key in both),
        tuple(_base64_at(key, before) for key in both for before in range(3)),
        tuple(b"," + ",".join(map(str, key)).encode() + b"," for key in both),
        tuple(form for key in both for form in _escaped(key)),
    )


def _base64_at(key: bytes, before: int) -> bytes:
    """The characters of base64 that the key alone decides where it starts `before` bytes after a group of three."""
    text = base64.b64encode(bytes(before) + key)
    return text[-(-8 * before // 6) : 8 * (before + len(key)) // 6]


def _escaped(key: bytes) -> Iterator[bytes]:
    """As Python prints bytes, and as both escape every byte."""
    yield repr(key)[2:-1].encode().lower()
    yield json.dumps(key.decode("latin-1"))[1:-1].encode().lower()
    yield "".join(f"\\x{byte:02x}" for byte in key).encode()
    yield "".join(f"\\u00{byte:02x}" for byte in key).encode()
