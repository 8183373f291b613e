"""A second reader of passport files, from docs/files.md and docs/protocol.md alone."""

import hashlib
from typing import Any  # what was decoded has any type until a form holds

from msgpack import packb, unpackb

from tests.conformance.reader import Found, Reader

FIRST = b"passport-file/2\n"
GENESIS, ROOT, LOG, ENTRY, PUBLICATION = range(1, 6)


class FileError(ValueError):
    """Something of the file does not hold."""


def read_file(raw: bytes) -> list[Found]:
    """Its entries: log, seq, id, what they are, and the sections in clear; raise FileError at the first fault."""
    head_size = int.from_bytes(raw[len(FIRST) : len(FIRST) + 4], "big")
    at = len(FIRST) + 4 + head_size
    manifest_raw, signature = unpackb(raw[len(FIRST) + 4 : at])
    version, org, node, *_, rows = unpackb(manifest_raw)
    parts: dict[int, list[tuple[Any, bytes]]] = {kind: [] for kind in range(1, 6)}
    for kind, size, digest, *_ in rows:
        part = raw[at : at + size]
        _require(hashlib.sha256(part).digest() == digest, f"part {kind} at {at}")
        parts[kind].append((kind, part))
        at += size
    _require(raw.startswith(FIRST) and version == 2 and at == len(raw), "the form")
    keys = _keys([part for _, part in parts[ROOT]])
    signed = hashlib.sha256(b"passport/file/2\n" + manifest_raw).digest()
    _ask("signature", key=keys[org, node], what="file", hash_=signed, signature=signature)
    logs = dict(_log(part, keys) for _, part in parts[LOG])
    return [_entry(kind, part, logs) for kind, part in (*parts[ENTRY], *parts[PUBLICATION])]


def _keys(statements: list[bytes]) -> dict[tuple[bytes, bytes], bytes]:
    """The sign key of each node of each organisation."""
    by_org: dict[bytes, list[bytes]] = {}
    for envelope in statements:
        by_org.setdefault(_ask("root-statement", envelope=envelope)["org"], []).append(envelope)
    chains = [_ask("root-chain", statements=said, attested=[]) for said in by_org.values()]
    return {(chain["org"], node["node"]): node["sign_key"] for chain in chains for node in chain["nodes"]}


def _log(part: bytes, keys: dict[tuple[bytes, bytes], bytes]) -> tuple[bytes, tuple[bytes, Found]]:
    envelope, note = unpackb(part)
    said = _ask("log-statement", envelope=envelope, sign_key=None)
    key = keys[said["org"], said["node"]]
    _ask("log-statement", envelope=envelope, sign_key=key)
    return said["log"], (key, _ask("checkpoint", log=said["log"], sign_key=key, note=note) if note else {})


def _entry(kind: int, part: bytes, logs: dict[bytes, tuple[bytes, Found]]) -> Found:
    log, seq, fragment, proof = unpackb(part)
    key, checkpoint = logs[log]
    path = {"size": proof[0], "path": proof[1], "root": checkpoint["root"]} if proof else None
    _require(proof is None or proof[0] == checkpoint["size"], "the size of a proof")
    found = _ask("fragment", log=log, seq=seq, sign_key=key, fragment=packb(fragment), proof=path)
    clear = {section["name"]: section["content"] for section in found["sections"] if section["state"] == "clear"}
    return {"kind": kind, "log": log, "seq": seq, "id": found["id"], "proven": proof is not None, "sections": clear}


def _ask(what: str, /, **inputs: Any) -> Found:
    word, found = Reader().answer(what, inputs)
    _require(word == "accept", f"{what}: {word}")
    return found


def _require(holds: object, what: str) -> None:
    if not holds:
        raise FileError(what)
