"""A second reader of the protocol, from docs/protocol.md alone; the numbers in comments are that page's sections."""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any  # what was decoded has any type until a form holds
from unicodedata import is_normalized, normalize

from msgpack import packb, unpackb
from nacl import bindings as sodium
from nacl.exceptions import CryptoError

Found = dict[str, Any]


class AnswerError(ValueError):
    """An answer that is another than accept: its word, and what was found all the same."""


def require(holds: object, word: str | None = None, found: Found | None = None) -> None:
    if not holds:
        raise AnswerError(word, found or {})


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def read(data: bytes, form: Any, limit: int = 2**20) -> Any:  # 1.1, checked both ways
    value = unpackb(data)
    require(len(data) <= limit and fits(VALUE, value) and packb(value) == data and fits(form, value))
    return value


def fits(form: Any, value: Any) -> bool:
    """A form is a row of the table, a tuple (or) of forms, or else a test."""
    return FITS[type(form)](form, value) if type(form) in FITS else bool(form(value))


def text(limit: int, value: Any) -> bool:  # 1.2
    return fits("[^\0-\x1f\x7f-\x9f]+", value) and len(value.encode()) <= limit and is_normalized("NFC", value)


def bucket(key: bytes) -> int:  # 10.1
    return int.from_bytes(key[:2], "big") >> 4


def array(form: Any, low: int, high: int, *distinct: Callable[[Any], Any], ascends: bool = False) -> Any:
    """A test for lists of that form and length, in which none of these functions gives one thing twice (1.2)."""
    return lambda value: (
        isinstance(value, list)
        and low <= len(value) <= high
        and all(fits(form, item) for item in value)
        and all(len(set(map(key, value))) == len(value) for key in distinct)
        and (not ascends or [*map(packb, value)] == sorted(set(map(packb, value))))
    )


def is_key(algorithm: int, value: Any) -> bool:  # 1.4; libsodium raises if a multiple of an X25519 point is zero
    points: Any = {1: sodium.crypto_core_ed25519_is_valid_point, 2: partial(sodium.crypto_scalarmult, bytes(32))}
    known = fits(33, value) and value[0] == algorithm
    canonical = known and (algorithm == 1 or int.from_bytes(value[1:], "little") < 2**255 - 19)
    return canonical and bool(points[algorithm](value[1:]))


FITS: dict[type, Callable[[Any, Any], bool]] = {
    int: lambda size, value: isinstance(value, bytes) and len(value) == size,
    range: lambda numbers, value: type(value) is int and value in numbers,
    str: lambda pattern, value: isinstance(value, str) and re.fullmatch(pattern, value) is not None,
    type: lambda of, value: isinstance(value, of),
    type(None): lambda _, value: value is None,
    list: lambda forms, value: fits(array(object, len(forms), len(forms)), value) and all(map(fits, forms, value)),
    tuple: lambda forms, value: any(fits(form, value) for form in forms),
}
KEY, BOX = b"passport/key/1\n", b"passport/box/1\n"  # 1.4, 10.2
UINT, V1, TEXT, ED25519, X25519 = range(2**63), range(1, 2), partial(text, 256), partial(is_key, 1), partial(is_key, 2)
VALUE: Any = (None, UINT, str, bytes)  # 1.1, nested 0 deep
for _ in range(8):
    VALUE = (None, UINT, str, bytes, array(VALUE, 0, 2**32))
ascending = partial(array, ascends=True)
CUT = ascending([16, range(1, 2**63), 32], 0, 64, itemgetter(0))  # 7
BODIES = {1: [ED25519, 32], 2: [16, ED25519], 3: [16, UINT, CUT], 4: [ED25519, 32]}  # 1.6
SECTION_NAME, REF = "[a-z0-9_./-]{1,24}", [16, UINT, 16]
FIELDS_0_TO_5 = [range(1, 2**63), 16, UINT, UINT, range(1, 2**63), array(16, 1, 4, packb)]  # 3.2
SECTIONS = array([SECTION_NAME, 32, range(2**18 + 1), UINT], 1, 16, itemgetter(0))
FIELDS_6_TO_10 = [UINT, (UINT, None), array(REF, 0, 16, packb), array(REF, 0, 8, packb), SECTIONS]
PLACE = itemgetter(*(LOG_SEQ_ID := ("log", "seq", "id16")))
SPAN, ROWS = ((UINT, None), (UINT, None)), ascending(TEXT, 0, 64)
FORMS = {  # of objects of which no more is asked
    "msgpack": object,
    "text": TEXT,
    "cut": CUT,
    "authority": [range(1, 10), 16, ROWS, (ascending(16, 0, 4096), None), ascending(UINT, 0, 16), *SPAN],  # 9.1
    "attest": [16, range(1, 8), 16, ROWS, *SPAN],  # 9.2
    "witnesses": ascending([16, TEXT, ED25519], 0, 5, itemgetter(0), itemgetter(2)),  # 9.3
    "keys": [ED25519, X25519],  # 9.4
    "claimed": ([range(1), 16], [range(1, 6), None]),  # 10.2
    "erase": ascending([16, UINT, 16, partial(text, 24)], 0, 64),  # 9.5
}
SPACED = "-\t-\r \xa0\u2000-\u200a\u202f\u205f\u3000\u2010-\u2015\u2212"  # 4.1 and 4.4, inside brackets
CAPITALS = {ord(small): small.upper() for small in "abcdefghijklmnopqrstuvwxyzабвгдежзийклмнопрстуфхцчшщъыьэюяёіѕј"}
HTTP = "[Hh][Tt][Tt][Pp][Ss]?://"
LOOKS = str.maketrans("АВЕКМНОРСТУХІЅЈ", "ABEKMHOPCTYXISJ")
PLATE = "(?!.{65})[0-9A-ZБГДЁЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯ]+(-[0-9A-ZБГДЁЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯ]+)*"
HEX16, SET82, CROCKFORD = "[0-9a-f]{32}", "[!\"%&'()*+,./0-9:;<=>?A-Z_a-z-]", "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CLAIMS = (  # 4.3
    ["gs1", "[0-9]{14}", f"{SET82}{{1,20}}", ""],
    ["gs1", "8004", f"{SET82}{{1,30}}", ""],
    ["gs1", "8003", f"0[0-9]{{13}}{SET82}{{1,16}}", ""],
    ["iec61406", "", f"(?!.{{256}}){HTTP}[!-~]+", ""],
    ["line", HEX16, PLATE, "([0-9]{4})?"],
    ["approval", "grsi:[1-9][0-9]{0,5}", PLATE, ""],
    ["local", HEX16, HEX16, ""],
)
NOTE_LINE = "\u2014 ([^\\s+]+) ([A-Za-z0-9+/]{7,}=*)\n"  # 5
NOTE = f"\\A(passport/([0-9a-f]{{32}})\n([1-9][0-9]{{0,18}})\n([A-Za-z0-9+/]{{43}}=)\n)\n((?:{NOTE_LINE}){{1,16}})\\Z"
EMPTY_BRANCH: Found = {"n": -1, "branch": (), "org": None, "root_key": b"", "used": frozenset(), "nodes": {}}


class Circle:
    """What is said of who belongs to a federation (9.10)."""

    def __init__(self, federation: bytes, anchors: list[bytes], k: int, statements: list[Found]) -> None:
        self.federation, self.anchors, self.k, self.said = federation, anchors, k, statements
        voices = [one for one in statements if one["org"] in anchors and "attest" in one["sections"]]
        attested = [(one, *read(one["sections"]["attest"], FORMS["attest"])) for one in voices]
        self.numbers = [one for one in attested if one[1:4] == (federation, 1, one[0]["subjects"][0])]

    def above(self, one: Found, other: Found) -> bool:
        return PLACE(other) in self.reach(one) and PLACE(one) not in self.reach(other)

    def reach(self, one: Found) -> set[Any]:
        found, todo, here = set[Any](), [one], {PLACE(said): said for said in self.said}
        while todo:
            fresh = {PLACE(ref) for ref in todo.pop()["refs"]} - found
            found |= fresh
            todo += [here[at] for at in fresh if at in here]
        return found

    def says(self, one: Found, kind: int, verb: int, row: str) -> bool:
        authority = one["sections"].get("authority") if one["kind"] == kind else None
        said = [verb, one["subjects"][0], [row], [self.federation]]
        return authority is not None and read(authority, FORMS["authority"])[:4] == said

    def ends(self, org: bytes, by: bytes, row: str = "member") -> list[Found]:
        mine = [one for one in self.said if one["org"] == by and one["subjects"][0] == org not in self.anchors]
        return [one for one in mine if self.says(one, 18, 9, row) and self.federation in one["subjects"][1:]]

    def expelling(self, org: bytes) -> list[list[Found]]:
        found = []
        for by in self.anchors:
            words = [s for s in self.said if (s["org"], s["kind"], s["subjects"][0]) == (by, 16, org)]
            found.append([e for e in self.ends(org, by) if not any(self.above(word, e) for word in words)])
        return [ends for ends in found if ends]

    def is_numbered(self, org: bytes) -> bool:
        mine = [n for n in self.numbers if n[3] == org]
        stand = [n for n in mine if not any(m[0]["org"] == n[0]["org"] and self.above(m[0], n[0]) for m in mine)]
        stand = [n for n in stand if n[6] is None and all(self.above(n[0], e) for e in self.ends(org, org))]
        return max((len({m[0]["org"] for m in stand if m[4] == n[4]}) for n in stand), default=0) >= self.k

    def is_guest(self, org: bytes, members: set[bytes]) -> bool:
        words = [one for one in self.said if one["org"] in members - {org} and one["subjects"][0] == org]
        words = [one for one in words if self.says(one, 16, 6, "guest")]
        against = {one["org"]: self.ends(org, org) + self.ends(org, one["org"], "guest") for one in words}
        return any(all(self.above(one, e) for e in against[one["org"]]) for one in words)

    def standings(self) -> dict[bytes, str]:
        found, orgs = dict.fromkeys(self.anchors, "anchor"), {s["subjects"][0] for s in self.said} - {*self.anchors}
        found |= {org: "expelled" for org in orgs if len(self.expelling(org)) >= self.k}
        found |= {org: "member" for org in orgs - {*found} if self.is_numbered(org)}
        members = {org for org, standing in found.items() if standing != "expelled"}
        found |= {org: "guest" for org in orgs - {*found} if self.is_guest(org, members)}
        return found | {org: "left" for org in orgs - {*found} if self.ends(org, org)}


class Reader:
    """A method for each object of section 12 with its inputs as parameters; it raises, or returns what it finds."""

    def answer(self, what: str, inputs: Found) -> tuple[str, Found]:
        try:
            if what in FORMS:
                return "accept", {"value": read(next(iter(inputs.values())), FORMS[what])}
            return "accept", getattr(self, what.replace("-", "_"))(**inputs) or {}
        except (ValueError, CryptoError) as error:  # ours, and those of the libraries
            word, found = error.args if isinstance(error, AnswerError) else (None, {})
            return word or {"header": "void", "fragment": "transport"}.get(what, "refuse"), found

    def key(self, key: bytes, algorithm: int) -> Found:
        require(is_key(algorithm, key))
        return {"hash": sha(KEY, key), "id": sha(KEY, key)[:16]}

    def signature(self, key: bytes, what: str, hash_: bytes, signature: bytes) -> None:
        """1.5; without `what` 5. libsodium looks at S; on points of prime order its cofactor changes nothing."""
        require(is_key(1, key) and is_key(1, signature[:33]) and len(signature) == 65)
        message = f"passport/{what}/1\n".encode() + hash_ if what else hash_
        sodium.crypto_sign_open(signature[1:] + message, key[1:])

    def root_statement(self, envelope: bytes) -> Found:  # 1.6
        raw, signature = read(envelope, [bytes, 65], 4352)
        fields = read(raw, [V1, (16, None), range(1000), (32, None), range(1, 5), list, 16], 4096)
        _, org, n, previous, kind, body, signer = fields
        require(fits(BODIES[kind], body) and (kind == 1) == (n == 0) == (org is None) == (previous is None))
        require(kind not in {1, 4} or signer == sha(KEY, body[0])[:16])
        said = {"hash": sha(b"passport/org/1\n", raw), "signature": signature, "n": n, "previous": previous}
        return said | {"org": org or said["hash"][:16], "kind": kind, "body": body, "signer": signer}

    def follow(self, said: Found, before: Found) -> Found:  # 1.6; a genesis follows the empty branch
        kind, body, nodes = said["kind"], said["body"], dict(before["nodes"])
        signer = body[0] if kind in {1, 4} else before["root_key"]
        require(said["n"] == before["n"] + 1 and before["org"] in {None, said["org"]})
        require(said["signer"] == sha(KEY, signer)[:16] and (kind != 4 or sha(KEY, signer) == before["promise"]))
        self.signature(signer, "root", said["hash"], said["signature"])
        now = before | said | {"branch": (*before["branch"], said["hash"]), "root_key": signer, "nodes": nodes}
        if kind == 3:
            require(body[0] in nodes)
            cuts = nodes[body[0]]["cuts"]
            self.cut_widening([packb([]), *cuts][-1], packb(body[2]))
            nodes[body[0]] = nodes[body[0]] | {"state": "ended", "cuts": [*cuts, packb(body[2])]}
            return now
        used, fresh = before["used"] | {sha(KEY, signer)}, sha(KEY, body[1]) if kind == 2 else body[1]
        require(fresh not in used and (kind != 2 or body[0] not in nodes))
        if kind == 2:
            nodes[body[0]] = {"node": body[0], "sign_key": body[1], "state": "live", "cuts": []}
        return now | {"used": used | {fresh}, "promise": before["promise"] if kind == 2 else fresh}

    def candidates(self, tree: list[Found], end: Found, attested: list[bytes]) -> list[Found]:  # 1.7, steps 1 to 5
        after = [one for one in tree if end["hash"] in one["branch"][:-1]]
        nexts = [one for one in after if one["n"] == end["n"] + 1]
        named = {step for one in after if one["hash"] in attested for step in one["branch"]}
        chosen = [one for one in nexts if one["hash"] in named]
        rotates = [one for one in after if one["kind"] == 4 and sha(KEY, one["root_key"]) == end["promise"]]
        tied = len(rotates) > 1 and min(one["n"] for one in rotates) == end["n"] + 1
        return chosen or (rotates if tied else [one for one in nexts if one["kind"] == 4] or nexts)

    def root_chain(self, statements: list[bytes], attested: list[bytes]) -> Found:  # 1.6, then 1.7
        said_ones = [self.answer("root-statement", {"envelope": envelope})[1] for envelope in statements]
        tree: dict[bytes, Found] = {}  # what stands
        for said in sorted(filter(None, said_ones), key=itemgetter("n")):
            word, branch = self.answer("follow", {"said": said, "before": tree.get(said["previous"], EMPTY_BRANCH)})
            tree |= {said["hash"]: branch} if word == "accept" else {}
        refused = [place for place, said in enumerate(said_ones) if said.get("hash", b"") not in tree]
        [genesis] = {said["hash"] for said in said_ones if said.get("kind") == 1}
        require(genesis in tree)
        end = tree[genesis]
        while len(found := self.candidates([*tree.values()], end, attested)) == 1:
            end = found[0]
        nodes, disowned = end["nodes"], {"state": "disowned", "cuts": [packb([])]}
        for one in sorted(tree.values(), key=itemgetter("n", "hash")):
            if end["hash"] not in one["branch"]:
                nodes = {node: entry | disowned for node, entry in one["nodes"].items()} | nodes
        chain = {"org": end["org"], "counted": list(end["branch"]), "root_key": end["root_key"], "refused": refused}
        chain |= {"fork": end["n"] + 1 if found else None, "nodes": [nodes[node] for node in sorted(nodes)]}
        require(not found, "fork", chain)
        return chain

    def log_statement(self, envelope: bytes, sign_key: bytes | None) -> Found:  # 2
        raw, signature = read(envelope, [bytes, 65], 1152)
        fields = read(raw, [V1, 16, 16, 16, 16, (16, None), UINT, ED25519, X25519], 1024)
        require(sha(KEY, fields[7])[:16] != fields[3])
        digest = sha(b"passport/log/1\n", raw)
        if sign_key is not None:
            require(sha(KEY, sign_key)[:16] == fields[3])
            self.signature(sign_key, "log", digest, signature)
        return {"hash": digest, "log": digest[:16], "org": fields[1], "node": fields[2], "keys": fields[7:]}

    def log_admission(self, statements: list[bytes], log_statement: bytes, logs: Sequence[bytes] = ()) -> Found:  # 2
        said = self.log_statement(log_statement, None)
        word, chain = self.answer("root-chain", {"statements": statements, "attested": []})
        require(word != "refuse", "pending")
        require(said["org"] == chain["org"])
        nodes = {node["node"]: node for node in chain["nodes"]}
        require(said["node"] in nodes, "pending")
        self.log_statement(log_statement, nodes[said["node"]]["sign_key"])
        counted = {(chain["org"], name) for name, node in nodes.items() if node["state"] != "disowned"}
        others = [one for log in logs if ((one := self.log_statement(log, None))["org"], one["node"]) in counted]
        require(not any({*one["keys"]} & {*said["keys"]} for one in others if one["log"] != said["log"]))
        return {"node_state": nodes[said["node"]]["state"]}

    def header(self, log: bytes, seq: int, header: bytes) -> Found:  # 3.2
        fields = read(header, list, 4096)
        require(fits(FIELDS_0_TO_5, fields[:6]) and fields[1:3] == [log, seq])
        require(fields[0] > 1 or (fits(FIELDS_6_TO_10, fields[6:]) and sum(row[2] for row in fields[10]) <= 1_040_384))
        return {"id": sha(b"\x10", header), "version": fields[0], "sections": fields[10] if fields[0] == 1 else []}

    def fragment(self, log: bytes, seq: int, sign_key: bytes, fragment: bytes, proof: Found | None = None) -> Found:
        sections = array([SECTION_NAME, (16, None), bytes], 0, 16)  # 3.3
        header, signature, sent = read(fragment, [bytes, 65, sections], 2**20 + 2**16)
        require(len(header) <= 4096 and all(len(data) <= 2**18 + 128 for _, _, data in sent))
        found: Found = {"id": sha(b"\x10", header), "sections": []}
        found["leaf"] = sha(b"\0", found["id"], signature)
        if proof:
            self.inclusion(found["leaf"], seq, **proof)
        word, head = self.answer("header", {"log": log, "seq": seq, "header": header})
        signed = {"key": sign_key, "what": "fragment", "hash_": found["id"], "signature": signature}
        require(word == self.answer("signature", signed)[0] == "accept", "void", found)
        came = {name: (salt, data) for name, salt, data in sent}
        names = [name for name, *_ in head["sections"] if name in came]
        require(head["version"] > 1 or [name for name, *_ in sent] == names)
        for name, commitment, size, class_ in head["sections"]:
            salt, data = came.get(name, (None, None))
            state, section = "absent" if data is None else "sealed", {"content": None}
            if salt is not None:
                require(class_ != 5 and self.commitment(log, name, salt, data)["commitment"] == commitment)
                word, section = self.answer("section-content", {"class_": class_, "size": size, "bytes_": data})
                state = "clear" if word == "accept" else "unreadable"
            found["sections"].append({"name": name, "state": state, "content": section.get("content")})
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
        require(target == sha(KEY, b"\2" + public)[:16])
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
        left = 1 << (new - 1).bit_length() - 1
        halves = (old, left) if old <= left else (old - left, new - left)
        old_root, new_root = self.roots(*halves, seed, path[:-1], bottom)
        if old <= left:
            return old_root, sha(b"\1", new_root, path[-1])
        return sha(b"\1", path[-1], old_root), sha(b"\1", path[-1], new_root)

    def inclusion(self, leaf: bytes, seq: int, size: int, path: list[bytes], root: bytes) -> None:  # 3.1
        require(seq < size and self.roots(seq + 1, size, leaf, path, "leaf")[1] == root)

    def consistency(self, old: int, old_root: bytes, new: int, new_root: bytes, path: list[bytes]) -> None:  # 3.1
        require(0 < old <= new and (path or old == new))
        seed, *rest = [old_root, *path] if old == new or old.bit_count() == 1 else path
        require(self.roots(old, new, seed, rest, "subtree") == (old_root, new_root))

    def unbase64(self, text: str) -> bytes:
        require(base64.b64encode(base64.b64decode(text)).decode() == text)
        return base64.b64decode(text)

    def plate_text(self, text: str) -> Found:  # 4.1
        kept = re.sub("[\xad\u200b-\u200f\u2060\ufeff]", "", normalize("NFC", text))
        plate = re.sub(f"[{SPACED}./\\\\\u2044\u2215_]+", "-", kept.translate(CAPITALS).translate(LOOKS)).strip("-")
        require(fits(PLATE, plate))
        return {"plate_text": plate}

    def serial(self, set_: str, width: int, text: str) -> Found:  # 4.2
        kept = "".join(character for character in self.plate_text(text)["plate_text"] if character in set_)
        serial = self.plate_text(kept)["plate_text"].rjust(width, "0")
        require(width in {0, len(serial)})
        return {"serial": serial}

    def claim(self, claim: bytes) -> Found:  # 4.3
        scheme, issuer, serial, *_ = read(claim, (*CLAIMS, *([*form, range(2, 2**63)] for form in CLAIMS)))
        gtin = serial[:14] if issuer == "8003" else issuer
        require(scheme != "gs1" or issuer == "8004" or sum(map(int, gtin[::2] * 3 + gtin[1::2])) % 10 == 0)
        return {"subject": sha(b"passport/id/1\n", claim)[:16]}

    def device_id(self, text: str, prefix: str = "EPP1") -> Found:  # 4.4
        kept = re.sub(f"[{SPACED}]", "", text).translate(CAPITALS).translate(str.maketrans("ILO", "110"))
        require(fits(f"{prefix}[0-7][{CROCKFORD}]{{27}}", kept))
        digits = sum(CROCKFORD.index(digit) << 5 * place for place, digit in enumerate(reversed(kept[4:])))
        require((digits >> 10) % 1021 == digits % 1024)
        return {"subject": (digits >> 10).to_bytes(16), "id": f"EPP1-{kept[4:]}"}

    def box_code(self, text: str) -> Found:  # 10.2
        code = self.device_id(text, "B0X1")["subject"]
        key = b"\1" + sodium.crypto_sign_seed_keypair(sha(b"passport/box-code/1\n", code))[0]
        return {"code": code, "key": key, "number": f"box:{sha(BOX, key).hex()}"}

    def claim_asked(self, asked: bytes, seller: bytes, claimant: bytes) -> Found:  # 10.2
        *_, key, signature = read(asked, [partial(text, 64), TEXT, ED25519, 65], 1024)
        digest = sha(b"passport/claim/1\n", packb([seller, claimant]))
        self.signature(key, "claim", digest, signature)
        return {"number": f"box:{sha(BOX, key).hex()}", "hash": digest}

    def label(self, text: str) -> Found:  # 4.4
        [last] = re.findall(f"\\A{HTTP}[^/?#@:]{{1,253}}(?::[0-9]{{1,5}})?/d/([^/?#]*)/?(?:[?#].*)?\\Z", text.strip())
        return self.device_id(last)

    def checkpoint(self, log: bytes, sign_key: bytes, note: bytes) -> Found:  # 5
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
        later = {log: row for log, *row in read(new, CUT)}
        require(all(log in later and (later[log][0] > row[0] or later[log] == row) for log, *row in read(old, CUT)))

    def cut_effect(self, cuts: list[bytes], log: bytes, roots: dict[str, bytes]) -> Found:  # 7
        kept = [size for cut in cuts for of, size, root in read(cut, CUT) if (of, roots.get(str(size))) == (log, root)]
        return {"counted_size": max(kept, default=0)}

    def withdrawal_effect(self, statements: list[Found]) -> Found:  # 9.8
        place, found = itemgetter("log", "seq", "id16"), dict[Any, Any]()
        acts = [one for one in statements if {"name": "authority"} in one["sections"]]
        here = {place(one): one for one in statements if one["kind"] in (1, 2, 4, 5, 7) and one not in acts}
        for word in sorted((s for s in statements if s["kind"] == 23), key=itemgetter("stamp", "log", "seq")):
            for ref in word["refs"]:
                of = here.get(place(ref), {"org": None})
                if of["org"] == word["org"] and {*of["subjects"]} <= {*word["subjects"]}:
                    found.setdefault(place(ref), (ref, {name: word[name] for name in ref}))
        return {"withdrawn": [dict(zip(("of", "by"), found[at], strict=True)) for at in sorted(found)]}

    def erasure_effect(self, genesis: bytes, entry: Found, erasures: list[Found]) -> Found:  # 9.12
        place, found, (_, _, anchors, k) = PLACE, list[Found](), unpackb(genesis)
        order = itemgetter("stamp", "log", "seq")
        for name in sorted(s["name"] for s in entry["sections"] if s["class"] == 4 and s["name"] != "authority"):
            asked = [e for e in erasures if (*place(entry), name) in [(*place(r), r["name"]) for r in e["rows"]]]
            said = sorted(asked, key=order)
            first = sorted({e["org"]: e for e in reversed(said) if e["org"] in anchors}.values(), key=order)[:k]
            words = [e for e in said if e["org"] == entry["org"]][:1] or (first if len(first) == k else [])
            by, where = sorted(e["org"] for e in words), {key: words[-1][key] for key in LOG_SEQ_ID if words}
            found += [{"name": name, "by": by, "at": words[-1]["stamp"], "said": where}] if words else []
        return {"erased": found}

    def membership(self, genesis: bytes, statements: list[Found], log: bytes, roots: Found) -> Found:  # 9.10
        _, _, anchors, k = unpackb(genesis)
        circle = Circle(self.genesis(genesis)["id"], anchors, k, statements)
        standings, kept = circle.standings(), dict[bytes, int]()
        for org, standing in standings.items():
            if standing in ("expelled", "left"):
                ends = circle.expelling(org) if standing == "expelled" else [[e] for e in circle.ends(org, org)]
                sizes = [self.counted(org, self.widest(said), log, roots) for said in ends]
                kept[org] = sorted(sizes, reverse=True)[k - 1 if standing == "expelled" else 0]
        told = [{"org": org, "standing": standings[org]} for org in sorted(standings)]
        return {"standings": told, "counted": [{"org": org, "size": kept[org]} for org in sorted(kept)]}

    def counted(self, org: bytes, end: Found, log: bytes, roots: Found) -> Any:
        by_cut = self.cut_effect([end["sections"]["cut"]], log, roots)["counted_size"]
        return end["seq"] + 1 if (end["org"], end["log"]) == (org, log) else by_cut

    def widest(self, ends: list[Found]) -> Found:
        first, *later = sorted(ends, key=PLACE)
        for one in later:
            word, _ = self.answer("cut-widening", {"old": first["sections"]["cut"], "new": one["sections"]["cut"]})
            first = one if word == "accept" else first
        return first

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
        who, taken = itemgetter("from", "nonce"), list[bool]()
        for one in arrivals:
            before = [was for was, counts in zip(arrivals, taken, strict=False) if counts and who(was) == who(one)]
            taken.append(all(abs(one["now_ms"] - was["now_ms"]) > 300_000 for was in before))
        return {"taken": taken}

    def response(self, request: bytes, status: int, body: bytes, sign_key: bytes, signature: bytes) -> Found:  # 10
        digest = sha(b"passport/response/1\n", packb([request, status, sha(body)]))
        self.signature(sign_key, "response", digest, signature)
        return {"hash": digest}

    def frame(self, frame: bytes) -> Found:  # 10
        headers, grown = array([TEXT, partial(text, 1024)], 0, 16), array([16, range(1, 2**63), 32], 1, 64)
        question = [range(2, 3), UINT, partial(text, 16), partial(text, 1024), headers, bytes]
        forms = ([V1], [V1, grown], question, [range(3, 4), UINT, UINT, headers, bytes])
        return {"kind": read(frame, forms, 2**22 + 2**16)[0]}

    def follow_asked(self, asked: bytes, followed: list[bytes] | None) -> Found:  # 10
        many = ascending(16, 0, 4096)
        everything, within, added, removed = read(asked, [range(2), ([16, 16], None), many, many], 2**17)
        require(len(added) + len(removed) <= 4096 and not {*added} & {*removed})
        require(not everything or not (within or added or removed))
        low, high = within or (b"\1", b"")
        require(not within or (low <= high and not removed and all(low <= one <= high for one in added)))
        kept = {*added, *(one for one in followed or () if one not in removed and not low <= one <= high)}
        total = sum(int.from_bytes(sha(b"passport/follow/1\n", one)[:16], "big") for one in kept) % 2**128
        none = {"followed": None, "filter": None}
        return none if everything else {"followed": sorted(kept), "filter": total.to_bytes(16, "big")}

    def holders(self, seats: list[Found], scheme: str, value: str) -> Found:  # 10
        require(fits([TEXT, TEXT], [scheme, value]))
        key = sha(b"passport/alias/1\n", packb([scheme, value]))[:16]
        place = bucket(key)
        far = sorted(seats, key=lambda one: sha(b"passport/seat/1\n", one["seat"], place.to_bytes(2, "big")))
        chosen = sorted(seats, key=itemgetter("org")) if len(seats) <= 8 else far[:-4:-1]
        return {"key": key, "bucket": place, "holders": [one["org"] for one in chosen]}

    def announced(self, asked: bytes, held: list[bytes]) -> Found:  # 10
        buckets = array([range(4096), bytes], 0, 4096, itemgetter(0))
        _, whole, *changes = read(asked, [(16, None), buckets, bytes, bytes])
        parts = [[marks[at : at + 8] for at in range(0, len(marks), 8)] for marks in (*changes, *(m for _, m in whole))]
        require(all(fits(ascending(8, 0, 65536), part) for part in parts) and whole == sorted(whole))
        require(all(bucket(mark) == n for (n, _), part in zip(whole, parts[2:], strict=True) for mark in part))
        kept = {mark for mark in held if bucket(mark) not in dict(whole)}.union(*parts[2:], parts[0]) - {*parts[1]}
        rows = {n: [mark for mark in sorted(kept) if bucket(mark) == n] for n in map(bucket, kept)}
        rows, kept = (rows, kept) if asked != packb([None, [], b"", b""]) else ({}, set())
        digests = [n.to_bytes(2, "big") + sha(*marks)[:8] for n, marks in sorted(rows.items())]
        return {"held": sorted(kept), "list": sha(b"passport/list/1\n", *digests)[:16]}

    def invitation(self, text: str, now_us: int) -> Found:  # 11
        [data] = re.findall("\\APASSPORT1-([A-Za-z0-9_-]{,4086})\\Z", "".join(text.split()))
        raw = self.unbase64(data.replace("-", "+").replace("_", "/") + "=" * (-len(data) % 4))
        fields = read(raw, [V1, bytes, 16, 16, ED25519, 32, TEXT, 16, UINT, 4])
        _, genesis, org, node, key, pin, url, _, expires, check = fields
        require(check == sha(packb(fields[:9]))[:4])
        federation = self.genesis(genesis)["id"]
        words = sha(b"passport/words/1\n", packb([federation, org, node, key, pin]))[:8]  # 11.1
        found = {"federation": federation, "org": org, "node": node, "url": url, "expires": expires, "words": words}
        require(expires > now_us, "expired")
        return found
