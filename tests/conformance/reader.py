"""A second reader of the protocol, from docs/protocol.md alone; the numbers in comments are that page's sections."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any  # what was decoded has any type until a form holds

from msgpack import packb, unpackb
from nacl import bindings as sodium
from nacl.exceptions import CryptoError

Found = dict[str, Any]


class AnswerError(Exception):
    """An answer that is another than accept: its word, and what was found all the same."""


def require(holds: object, word: str = "refuse", found: Found | None = None) -> None:
    if not holds:
        raise AnswerError(word, found or {})


@contextmanager
def otherwise(word: str, found: Found | None = None) -> Iterator[None]:
    """Whatever is refused inside, by us or by a library, is answered by this word."""
    try:
        yield
    except (AnswerError, ValueError, CryptoError):
        raise AnswerError(word, found or {}) from None


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def read(data: bytes, form: Any, limit: int = 2**20) -> Any:  # 1.1, checked both ways
    with otherwise("refuse"):
        value = unpackb(data)
    require(len(data) <= limit and fits(VALUE, value) and packb(value) == data and fits(form, value))
    return value


def key_hash(value: bytes) -> bytes:  # 1.4
    return sha(b"passport/key/1\n", value)


def fits(form: Any, value: Any) -> bool:
    """A form is a number of bytes, a range of uints, a pattern, a type, a list of forms, a tuple (or), None, a test."""
    match form:
        case int():
            return isinstance(value, bytes) and len(value) == form
        case range():
            return type(value) is int and value in form
        case str():
            return isinstance(value, str) and re.fullmatch(form, value) is not None
        case type():
            return isinstance(value, form)
        case list():
            return isinstance(value, list) and len(value) == len(form) and all(map(fits, form, value))
        case tuple():
            return any(fits(one, value) for one in form)
    return value is None if form is None else bool(form(value))


def text(limit: int, value: Any) -> bool:  # 1.2
    bounded = isinstance(value, str) and 1 <= len(value.encode()) <= limit
    return bounded and not re.search("[\0-\x1f\x7f-\x9f]", value) and unicodedata.is_normalized("NFC", value)


def array(form: Any, low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: fits(list, value) and low <= len(value) <= high and all(fits(form, item) for item in value)


def distinct(form: Any, *places: int) -> Callable[[Any], bool]:  # as wholes, or at each place
    columns: list[Any] = [lambda item, place=place: item[place] for place in places] or [packb]
    return lambda value: fits(form, value) and all(len(set(map(column, value))) == len(value) for column in columns)


def ascending(form: Any, low: int, high: int) -> Callable[[Any], bool]:  # 1.2, a set
    return lambda value: distinct(array(form, low, high))(value) and value == sorted(value, key=packb)


def is_key(algorithm: int, value: Any) -> bool:  # 1.4
    with suppress(CryptoError):  # which libsodium raises where a multiple of an X25519 point is zero
        known = fits(33, value) and value[0] == algorithm
        canonical = known and (algorithm == 1 or int.from_bytes(value[1:], "little") < 2**255 - 19)
        return canonical and bool(POINTS[algorithm](value[1:]))
    return False


POINTS: dict[int, Any] = {1: sodium.crypto_core_ed25519_is_valid_point, 2: partial(sodium.crypto_scalarmult, bytes(32))}
UINT, V1, TEXT, ED25519, X25519 = range(2**63), range(1, 2), partial(text, 256), partial(is_key, 1), partial(is_key, 2)
VALUE: Any = (None, UINT, str, bytes)  # 1.1, nested 0 deep
for _ in range(8):
    VALUE = (None, UINT, str, bytes, array(VALUE, 0, 2**32))
CUT = distinct(ascending([16, range(1, 2**63), 32], 0, 64), 0)  # 7
BODIES = {1: [ED25519, 32], 2: [16, ED25519], 3: [16, UINT, CUT], 4: [ED25519, 32]}  # 1.6
SECTION_NAME, REF = "[a-z0-9_./-]{1,24}", [16, UINT, 16]
SENT = array([SECTION_NAME, (16, None), bytes], 0, 16)  # 3.1
FIELDS_0_TO_5 = [range(1, 2**63), 16, UINT, UINT, range(1, 2**63), distinct(array(16, 1, 4))]  # 3.2
SECTIONS = distinct(array([SECTION_NAME, 32, range(2**18 + 1), UINT], 1, 16), 0)
FIELDS_6_TO_10 = [UINT, (UINT, None), distinct(array(REF, 0, 16)), distinct(array(REF, 0, 8)), SECTIONS]
SPAN, ROWS = ((UINT, None), (UINT, None)), ascending(TEXT, 0, 64)
FORMS = {  # of objects of which no more is asked
    "msgpack": object,
    "text": TEXT,
    "cut": CUT,
    "authority": [range(1, 10), 16, ROWS, (ascending(16, 0, 4096), None), ascending(UINT, 0, 16), *SPAN],  # 9.1
    "attest": [16, range(1, 7), 16, ROWS, *SPAN],  # 9.2
    "witnesses": distinct(ascending([16, TEXT, ED25519], 0, 5), 0, 2),  # 9.3
    "keys": [ED25519, X25519],  # 9.4
    "erase": ascending([16, UINT, 16, partial(text, 24)], 0, 64),  # 9.5
}
NOTE_LINE = "\u2014 ([^\\s+]+) ([A-Za-z0-9+/]{7,}=*)\n"  # 5
NOTE = f"\\A(passport/([0-9a-f]{{32}})\n([1-9][0-9]{{0,18}})\n([A-Za-z0-9+/]{{43}}=)\n)\n((?:{NOTE_LINE}){{1,16}})\\Z"
EMPTY_BRANCH: Found = {"n": -1, "branch": (), "org": None, "promise": None, "used": frozenset(), "nodes": {}}


class Reader:
    """A method for each object of section 12 with its inputs as parameters; it raises, or returns what it finds."""

    def answer(self, what: str, inputs: Found) -> tuple[str, Found]:
        try:
            if what in FORMS:
                return "accept", {"value": read(next(iter(inputs.values())), FORMS[what])}
            return "accept", getattr(self, what.replace("-", "_"))(**inputs) or {}
        except AnswerError as error:
            return error.args[0], error.args[1]

    def key(self, key: bytes, algorithm: int) -> Found:
        require(is_key(algorithm, key))
        return {"hash": key_hash(key), "id": key_hash(key)[:16]}

    def signature(self, key: bytes, what: str, hash_: bytes, signature: bytes) -> None:
        """1.5; without `what` 5. libsodium looks at S; on points of prime order its cofactor changes nothing."""
        require(is_key(1, key) and is_key(1, signature[:33]) and len(signature) == 65)
        message = f"passport/{what}/1\n".encode() + hash_ if what else hash_
        with otherwise("refuse"):
            sodium.crypto_sign_open(signature[1:] + message, key[1:])

    def root_statement(self, envelope: bytes) -> Found:  # 1.6
        raw, signature = read(envelope, [bytes, 65], 4352)
        fields = read(raw, [V1, (16, None), range(1000), (32, None), range(1, 5), list, 16], 4096)
        _, org, n, previous, kind, body, signer = fields
        require(fits(BODIES[kind], body) and (kind == 1) == (n == 0) == (org is None) == (previous is None))
        require(kind not in {1, 4} or signer == key_hash(body[0])[:16])
        said = {"hash": sha(b"passport/org/1\n", raw), "signature": signature, "n": n, "previous": previous}
        return said | {"org": org or said["hash"][:16], "kind": kind, "body": body, "signer": signer}

    def follow(self, said: Found, before: Found) -> Found:  # 1.6; a genesis follows the empty branch
        kind, body, nodes = said["kind"], said["body"], before["nodes"]
        signer = body[0] if kind in {1, 4} else before["root_key"]
        require(said["n"] == before["n"] + 1 and before["org"] in {None, said["org"]})
        require(said["signer"] == key_hash(signer)[:16])
        self.signature(signer, "root", said["hash"], said["signature"])
        now = before | said | {"branch": (*before["branch"], said["hash"])}
        if kind == 3:
            require(body[0] in nodes)
            node, sign_key = nodes[body[0]]
            cuts = [*node["cuts"], packb(body[2])]
            for cut in cuts:
                self.cut_widening(cut, cuts[-1])
            return now | {"nodes": nodes | {body[0]: (node | {"state": "ended", "cuts": cuts}, sign_key)}}
        used, fresh = before["used"] | {key_hash(signer)}, key_hash(body[1]) if kind == 2 else body[1]
        require(fresh not in used and (kind != 2 or body[0] not in nodes))
        now["used"] = used | {fresh}
        if kind == 2:
            return now | {"nodes": nodes | {body[0]: ({"state": "live", "cuts": []}, body[1])}}
        require(kind == 1 or key_hash(signer) == before["promise"])
        return now | {"root_key": signer, "promise": fresh}

    def candidates(self, tree: list[Found], end: Found, attested: list[bytes]) -> list[Found]:  # 1.7, steps 1 to 5
        after = [one for one in tree if end["hash"] in one["branch"][:-1]]
        nexts = [one for one in after if one["n"] == end["n"] + 1]
        named = {step for one in after if one["hash"] in attested for step in one["branch"]}
        chosen = [one for one in nexts if one["hash"] in named]
        rotates = [one for one in after if one["kind"] == 4 and key_hash(one["root_key"]) == end["promise"]]
        tied = len(rotates) > 1 and min(one["n"] for one in rotates) == end["n"] + 1
        return chosen or (rotates if tied else [one for one in nexts if one["kind"] == 4] or nexts)

    def tree(self, statements: list[bytes]) -> tuple[list[Found], list[int]]:  # 1.6; genesis first
        said_ones = [self.answer("root-statement", {"envelope": envelope})[1] for envelope in statements]
        tree: dict[bytes | None, Found] = {None: EMPTY_BRANCH}
        for said in sorted(filter(None, said_ones), key=lambda said: said["n"]):
            with suppress(AnswerError):
                require(said["previous"] in tree)
                tree.setdefault(said["hash"], self.follow(said, tree[said["previous"]]))
        refused = [place for place, said in enumerate(said_ones) if said.get("hash", b"") not in tree]
        geneses = {said["hash"] for said in said_ones if said.get("kind") == 1}
        require(len(geneses) == 1 and geneses <= tree.keys())
        return list(tree.values())[1:], refused

    def chain(self, statements: list[bytes], attested: list[bytes]) -> Found:  # 1.7
        tree, refused = self.tree(statements)
        end = tree[0]
        while len(found := self.candidates(tree, end, attested)) == 1:
            end = found[0]
        nodes = dict(end["nodes"])
        for said in sorted(tree, key=lambda said: (said["n"], said["hash"])):
            if said["kind"] == 2 and said["hash"] not in end["branch"] and end["hash"] not in said["branch"]:
                nodes.setdefault(said["body"][0], ({"state": "disowned", "cuts": [packb([])]}, said["body"][1]))
        path = {"org": end["org"], "counted": list(end["branch"]), "root_key": end["root_key"]}
        return path | {"fork": end["n"] + 1 if found else None, "nodes": nodes, "refused": refused}

    def root_chain(self, statements: list[bytes], attested: list[bytes]) -> Found:
        found = self.chain(statements, attested)
        found["nodes"] = [{"node": node, **found["nodes"][node][0]} for node in sorted(found["nodes"])]
        require(found["fork"] is None, "fork", found)
        return found

    def log_statement(self, envelope: bytes, sign_key: bytes | None) -> Found:  # 2
        raw, signature = read(envelope, [bytes, 65], 1152)
        fields = read(raw, [V1, 16, 16, 16, 16, (16, None), UINT, ED25519, X25519], 1024)
        require(key_hash(fields[7])[:16] != fields[3])
        digest = sha(b"passport/log/1\n", raw)
        if sign_key is not None:
            require(key_hash(sign_key)[:16] == fields[3])
            self.signature(sign_key, "log", digest, signature)
        return {"hash": digest, "log": digest[:16], "org": fields[1], "node": fields[2], "keys": fields[7:]}

    def log_admission(self, statements: list[bytes], log_statement: bytes, logs: Sequence[bytes] = ()) -> Found:  # 2
        said = self.log_statement(log_statement, None)
        with otherwise("pending"):
            found = self.chain(statements, [])
        require(said["org"] == found["org"])
        require(said["node"] in found["nodes"], "pending")
        node, sign_key = found["nodes"][said["node"]]
        self.log_statement(log_statement, sign_key)
        counted = {(found["org"], name) for name, (entry, _) in found["nodes"].items() if entry["state"] != "disowned"}
        others = [one for log in logs if ((one := self.log_statement(log, None))["org"], one["node"]) in counted]
        require(not any({*one["keys"]} & {*said["keys"]} for one in others if one["log"] != said["log"]))
        return {"node_state": node["state"]}

    def header(self, log: bytes, seq: int, header: bytes) -> Found:  # 3.2
        with otherwise("void"):
            fields = read(header, list, 4096)
            require(fits(FIELDS_0_TO_5, fields[:6]) and fields[1:3] == [log, seq])
            if fields[0] == 1:
                require(fits(FIELDS_6_TO_10, fields[6:]) and sum(size for _, _, size, _ in fields[10]) <= 1_040_384)
        return {"id": sha(b"\x10", header), "version": fields[0], "sections": fields[10] if fields[0] == 1 else []}

    def fragment(self, log: bytes, seq: int, sign_key: bytes, fragment: bytes, proof: Found | None = None) -> Found:
        with otherwise("transport"):  # 3.3
            header, signature, sent = read(fragment, [bytes, 65, SENT], 2**20 + 2**16)
            require(len(header) <= 4096 and all(len(data) <= 2**18 + 128 for _, _, data in sent))
            leaf = sha(b"\0", sha(b"\x10", header), signature)
            if proof:
                self.inclusion(leaf, seq, **proof)
        found: Found = {"id": sha(b"\x10", header), "leaf": leaf, "sections": []}
        with otherwise("void", found):
            head = self.header(log, seq, header)
            self.signature(sign_key, "fragment", head["id"], signature)
        if head["version"] > 1:
            return found
        came = {name: (salt, data) for name, salt, data in sent}
        require([name for name, _, _ in sent] == [name for name, *_ in head["sections"] if name in came], "transport")
        for name, commitment, size, class_ in head["sections"]:
            salt, data = came.get(name, (None, None))
            state, content = "absent" if data is None else "sealed", None
            if salt is not None:
                require(class_ != 5 and self.commitment(log, name, salt, data)["commitment"] == commitment, "transport")
                state = "unreadable"
                with suppress(AnswerError):
                    state, content = "clear", self.section_content(class_, size, data)["content"]
            found["sections"].append({"name": name, "state": state, "content": content})
        require(all(section["state"] != "unreadable" for section in found["sections"]), "shown", found)
        return found

    def commitment(self, log: bytes, name: str, salt: bytes, bytes_: bytes) -> Found:  # 3.4
        return {"commitment": sha(b"\x12", log, bytes([len(name.encode())]), name.encode(), salt, bytes_)}

    def section_content(self, class_: int, size: int, bytes_: bytes) -> Found:  # 3.4
        content = bytes_ if class_ < 3 else bytes_[4 : 4 + int.from_bytes(bytes_[:4])]
        padded = len(content).to_bytes(4) + content
        padded = padded.ljust(max(64, 1 << (len(padded) - 1).bit_length()), b"\0")
        require(len(bytes_) == size and bytes_ == (content if class_ < 3 else padded), "shown")
        return {"content": content}

    def sealed_section(self, log: bytes, seq: int, header: bytes, name: str, sealed: bytes, box_secret: bytes) -> Found:
        _, target, box = read(sealed, [V1, 16, bytes], 262_272)  # 3.6
        public = sodium.crypto_scalarmult_base(box_secret)
        require(target == key_hash(b"\2" + public)[:16])
        with otherwise("refuse"):
            opened = sodium.crypto_box_seal_open(box, public, box_secret)
            [(digest, size, class_)] = [row[1:] for row in self.header(log, seq, header)["sections"] if row[0] == name]
        salt, data = opened[:16], opened[16:]
        require(len(salt) == 16 and self.commitment(log, name, salt, data)["commitment"] == digest)
        return {"salt": salt, "bytes": data, **self.section_content(class_, size, data)}

    def merkle_root(self, leaves: list[bytes]) -> Found:  # 3.1
        if len(leaves) < 2:
            return {"root": sha(*(b"\0" + leaf for leaf in leaves))}
        left = 1 << (len(leaves) - 1).bit_length() - 1
        return {"root": sha(b"\1", *(self.merkle_root(half)["root"] for half in (leaves[:left], leaves[left:])))}

    def roots(self, old: int, new: int, seed: bytes, path: list[bytes], bottom: str) -> tuple[bytes, bytes]:
        """The roots of the old and the new tree above a seed: a leaf, or where both trees meet (3.1, RFC 6962 2.1)."""
        require(bool(path) == (new > (1 if bottom == "leaf" else old)))
        if not path:
            return seed, seed
        left, below, top = 1 << (new - 1).bit_length() - 1, path[:-1], path[-1]
        if old <= left:
            old_root, new_root = self.roots(old, left, seed, below, bottom)
            return old_root, sha(b"\1", new_root, top)
        old_root, new_root = self.roots(old - left, new - left, seed, below, bottom)
        return sha(b"\1", top, old_root), sha(b"\1", top, new_root)

    def inclusion(self, leaf: bytes, seq: int, size: int, path: list[bytes], root: bytes) -> None:  # 3.1
        require(seq < size and self.roots(seq + 1, size, leaf, path, "leaf")[1] == root)

    def consistency(self, old: int, old_root: bytes, new: int, new_root: bytes, path: list[bytes]) -> None:  # 3.1
        require(0 < old <= new and (path or old == new))
        seed, *rest = [old_root, *path] if old == new or old.bit_count() == 1 else path
        require(self.roots(old, new, seed, rest, "subtree") == (old_root, new_root))

    def unbase64(self, text: str) -> bytes:
        with otherwise("refuse"):
            require(base64.b64encode(base64.b64decode(text)).decode() == text)
        return base64.b64decode(text)

    def checkpoint(self, log: bytes, sign_key: bytes, note: bytes) -> Found:  # 5
        with otherwise("refuse"):
            [(signed, digits, size, root, *_)] = re.findall(NOTE, note.decode())
        (name, first), *_ = [(name, self.unbase64(data)) for name, data in re.findall(NOTE_LINE, note.decode())]
        require(len(note) <= 4096 and digits == log.hex() and name == f"passport/{digits}" and int(size) < 2**63)
        require(first[:4] == sha(name.encode(), b"\n\1", sign_key[1:])[:4])
        self.signature(sign_key, "", signed.encode(), b"\1" + first[4:])
        return {"size": int(size), "root": self.unbase64(root)}

    def fork_proof(self, sign_key: bytes, proof: bytes) -> Found:  # 6
        two_headers = [V1, 16, range(1, 2), [bytes, 65], [bytes, 65], (bytes, None)]
        two_notes = [V1, 16, range(2, 3), UINT, *[[bytes, 32, array(32, 0, 64)]] * 2, (bytes, None)]
        _, log, kind, *seqs, one, other, note = read(proof, (two_headers, two_notes), 65_536)
        places = []
        for first, second, *path in (one, other):
            if kind == 1:
                fields = read(first, list, 4096)
                require(len(fields) > 2 and fields[1] == log and fits(UINT, fields[2]))
                self.signature(sign_key, "fragment", sha(b"\x10", first), second)
                places.append((fields[2], sha(b"\0", sha(b"\x10", first), second)))
            else:
                self.inclusion(second, seqs[0], path=path[0], **self.checkpoint(log, sign_key, first))
                places.append((seqs[0], second))
        require(places[0][0] == places[1][0] and places[0] != places[1] and packb(one) < packb(other))
        if note is not None:
            self.checkpoint(log, sign_key, note)
        return {"log": log, "seq": places[0][0], "kind": kind}

    def cut_widening(self, old: bytes, new: bytes) -> None:  # 7
        later = {log: (size, root) for log, size, root in read(new, CUT)}
        for log, size, root in read(old, CUT):
            require(log in later and (later[log][0] > size or later[log] == (size, root)))

    def cut_effect(self, cuts: list[bytes], log: bytes, roots: dict[str, bytes]) -> Found:  # 7
        kept = [size for cut in cuts for of, size, root in read(cut, CUT) if (of, roots.get(str(size))) == (log, root)]
        return {"counted_size": max(kept, default=0)}

    def genesis(self, genesis: bytes) -> Found:  # 8
        _, _, anchors, k = read(genesis, [V1, partial(text, 128), ascending(16, 1, 16), range(1, 17)], 1024)
        require(k <= len(anchors))
        digest = sha(b"passport/federation/1\n", genesis)[:16]
        return {"id": digest, "fingerprint": digest.hex(" ", 2)}

    def request(self, sign_key: bytes, signature: bytes, now_ms: int, body: bytes, **said: Any) -> Found:  # 10
        *parties, time, nonce, signed = read(signature, [16, 16, 16, UINT, 16, 65], 512)
        require(parties == [said["org"], said["from_"], said["to"]])
        digest = sha(b"passport/request/1\n", packb([said["method"], said["target"], *parties, sha(body), time, nonce]))
        self.signature(sign_key, "request", digest, signed)
        require(abs(time - now_ms) <= 120_000, "stale")
        return {"hash": digest}

    def replay(self, arrivals: list[Found]) -> Found:  # 10
        seen: dict[tuple[bytes, bytes], int] = {}
        taken = []
        for arrival in arrivals:
            sender, now_ms = (arrival["from"], arrival["nonce"]), arrival["now_ms"]
            taken.append(abs(now_ms - seen.get(sender, -300_001)) > 300_000)
            seen[sender] = now_ms if taken[-1] else seen[sender]
        return {"taken": taken}

    def response(self, request: bytes, status: int, body: bytes, sign_key: bytes, signature: bytes) -> Found:  # 10
        digest = sha(b"passport/response/1\n", packb([request, status, sha(body)]))
        self.signature(sign_key, "response", digest, signature)
        return {"hash": digest}

    def invitation(self, text: str, now_us: int) -> Found:  # 11
        data = "".join(text.split())
        require(len(data) <= 4096 and re.fullmatch("PASSPORT1-[A-Za-z0-9_-]*", data))
        data = data.removeprefix("PASSPORT1-").replace("-", "+").replace("_", "/")
        fields = read(self.unbase64(data + "=" * (-len(data) % 4)), [V1, bytes, 16, 16, ED25519, 32, TEXT, 16, UINT, 4])
        _, genesis, org, node, _, _, url, _, expires, check = fields
        require(check == sha(packb(fields[:9]))[:4])
        federation = self.genesis(genesis)["id"]
        require(expires > now_us, "expired")
        return {"federation": federation, "org": org, "node": node, "url": url, "expires": expires}
