"""Checks a passport of a metering device in one file, with no node and no network: Python 3.11 and PyNaCl are enough.

    python verify_passport.py FILE [--federation FINGERPRINT] [--language ru|en]

It proves that the file is what its writer signed, that each statement in it was said by whom it names (root keys, node,
log, signature, sections, tree under a signed root), what is withheld, and, with the federation's fingerprint from
somebody you trust, that its anchors attest who is who. Numbers in brackets are sections of docs/protocol.md of
passport-node, "file" is docs/files.md. It does not fold: who was entitled, what stands, what was corrected, revoked or
ended, and what is left out, a node tells. "?": no signed tree has it yet; "> EPP1-...": it speaks of another device.
Exit: 0 all holds and every author is rooted, 1 something does not hold, 2 it cannot be read, 3 holds and is not rooted.
"""

# fmt: off
import argparse
import base64
import hashlib
import json
import locale
import re
import sys
from bisect import bisect_right
from collections import Counter, defaultdict, namedtuple
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any  # what was decoded has any type until a form holds
from unicodedata import is_normalized

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

SAID = {  # what does not hold, and where it is ruled; then what is told
    "head": ("не паспорт версии 2, или файл обрезан (file)", "no passport of version 2, or it is cut off (file)"),
    "msgpack": ("байт {}: не канонический msgpack (1.1)", "byte {}: not canonical msgpack (1.1)"),
    "form": ("нарушена форма: {}", "it breaks its form: {}"), "node": ("узел не заявлен (1.7)", "no such node (1.7)"),
    "sizes": ("частей на {} байт, в файле {} (file)", "its parts have {} bytes, the file {} (file)"),
    "hash": ("изменено то, что заверяет лишь манифест (file)", "altered where the manifest alone covers it (file)"),
    "manifest": ("подпись узла, записавшего файл, не подходит (1.5)", "not signed by the node that wrote it (1.5)"),
    "place": ("место не то или не по порядку (file)", "another place, or one out of order (file)"),
    "count": ("скрыто не столько, сколько названо (file)", "it counts other withheld parts than there are (file)"),
    "root": ("не тем ключом (1.6)", "not by its root key (1.6)"), "rule": ("так нельзя (1.6)", "it cannot stand (1.6)"),
    "note": ("контрольная точка не подписана журналом (5)", "its checkpoint is not signed by the log (5)"),
    "signature": ("заголовок или подпись изменены (2, 3.3)", "the header or the signature was altered (2, 3.3)"),
    "sections": ("разделы не те, что в заголовке (3.3)", "its sections are not those of the header (3.3)"),
    "commitment": ("раздел {}: не под обязательством (3.4)", "section {}: not under its commitment (3.4)"),
    "proof": ("не под подписанным корнем дерева (3.1)", "not under a signed root of its tree (3.1)"),
    "ended": ("не считается: узел отрешён раньше (7)", "does not count: its node was ended before it (7)"),
    "federation": ("отпечаток федерации другой (8)", "the federation's fingerprint is another one (8)"),
    "written": ("Прибор {}, записано {} узлом {}: {}", "Device {}, written {} by node {}: {}"),
    "for": ("Для {}, профиль {}, отпечаток вида {}", "For {}, profile {}, digest of the view {}"),
    "maker": ("    изготовлен, говорит подтверждённый изготовитель: {}", "    made, as an attested maker says: {}"),
    "plate": ("    табличка, говорит не изготовитель: {}", "    plate, as somebody says who is no attested maker: {}"),
    "withheld": ("Скрыто {2}: {1}, класс {0}", "Withheld {2}: {1}, class {0}"), "entry": [" {} {}: {} ({}:{}{})"] * 2,
    "beside": ("Не показано записей {}, рядом публикаций {}", "Statements left out {}, publications beside {}"),
    "anchors": ("Федерация {}: {}, решают {} якорей из {}", "Federation {}: {}, {} of {} anchors decide"),
    "asked": ("нужен файл; в отпечатке 8 групп по 4 знака 0-9a-f", "name a file; a fingerprint has 8 groups of 4 hex"),
    "rooted": ("Подтверждено якорями: {}, записей {}", "Attested by anchors: {}, statements {}"),
    "unrooted": ("НИКЕМ не подтверждено: {}, записей {}", "Attested by NOBODY: {}, statements {}"),
    "wrong": ("НЕВЕРНО: {} {} [{}-{}]: {}", "WRONG: {} {} [{}-{}]: {}"), 0: ("Верно и укоренено.", "It holds, rooted."),
    1: ("Файлу верить нельзя; не проверить частей: {}.", "It does not hold; parts that cannot be checked: {}."),
    3: ("Всё сходится, но не укоренено: см. --federation.", "Consistent, not rooted: see --federation."),
}
PARTS = "манифест/manifest", "федерация/genesis", "корень/root", "журнал/log", "запись/entry", "публикация/publication"
KINDS = re.findall("[а-яё-]+/[a-z-]+", """другое/other опознание/identity номер/alias совпадение/sameness событие/event
    параметры/parameters протокол/protocol состав/composition процесс/process участник/party отгрузка/shipment
    закрытие/closing шаблон/template справочник/catalog драйвер/driver карточка/card подтверждение/attestation
    право/grant конец/end стирание/erasure стёрто/erased исправление/correction свидетели/witnesses отзыв/withdrawal""")
(HEAD, GENESIS, ROOT, LOG, ENTRY, PUBLICATION), (FOUND, STATE, END, ROTATE) = range(6), range(1, 5)  # parts; (1.6)
Part = namedtuple("Part", "number kind start content log seq is_whole")
Root = namedtuple("Root", "n hash signature org previous kind body signer uses part")
Node = namedtuple("Node", "key cuts")  # the cuts with which it was ended; None: it is disowned
Log = namedtuple("Log", "org node roots kept")  # (size, root) that are signed, and those that a cut keeps
Entry = namedtuple("Entry", "stamp part org kind subjects occurred refs sections withheld is_proven")
class BrokenError(ValueError):  # a rule that does not hold: its name in SAID, and what is told with it
    def tell(self, language: int) -> str: return SAID[self.args[0]][language].format(*self.args[1:])
def require(holds: object, rule: str, *told: object) -> None:
    if not holds: raise BrokenError(rule, *told)
def attempt(do: Any, *given: Any) -> tuple[Any, Any]:  # what it answers, or why not
    try: return do(*given), None
    except BrokenError as error: return None, error
def fits(form: Any, value: Any) -> bool:  # so many bytes, of a range, like a pattern, of a type, these fields, one of
    return FITS[type(form)](form, value) if type(form) in FITS else bool(form(value))
def many(form: Any, low: int, high: int, key: Any = id, ascends: Any = lambda keys: keys) -> Any:
    """So many of a form, no two with one key, and where they ascend (sorted), by it."""
    return lambda value: (
        type(value) is list and low <= len(value) <= high and all(fits(form, one) for one in value)
        and len(keys := [*map(key, value)]) == len(set(keys)) and keys == ascends(keys)
    )
@lru_cache(1 << 12)
def is_key(kind: int, key: bytes) -> bool:  # (1.4)
    point = sodium.crypto_core_ed25519_is_valid_point if kind == 1 else partial(sodium.crypto_scalarmult, b"\1" * 32)
    is_canonical = key[0] == kind and (kind == 1 or int.from_bytes(key[1:], "little") < 2**255 - 19)
    try: return is_canonical and bool(point(key[1:]))
    except (CryptoError, RuntimeError): return False
@lru_cache(1 << 12)
def signs(key: bytes, what: str, digest: bytes, signature: bytes) -> bool:  # (1.5), and libsodium is as strict
    message = f"passport/{what}/1\n".encode() + digest if what else digest
    try: return is_key(1, key) and signature[0] == 1 and bool(sodium.crypto_sign_open(signature[1:] + message, key[1:]))
    except (CryptoError, ValueError): return False
def sha(*pieces: bytes) -> bytes: return hashlib.sha256(b"".join(pieces)).digest()
ALIKE = str.maketrans("авсеоo", "abce00")  # letters as a keyboard of another language has them
FITS: dict[type, Any] = {
    int: lambda size, value: type(value) is bytes and len(value) == size,
    range: lambda numbers, value: type(value) is int and value in numbers,
    str: lambda like, value: type(value) is str and is_normalized("NFC", value) and bool(re.fullmatch(like, value)),
    type: lambda kind, value: type(value) is kind,
    type(None): lambda _, value: value is None,
    list: lambda forms, value: type(value) is list and len(value) == len(forms) and all(map(fits, forms, value)),
    tuple: lambda forms, value: any(fits(form, value) for form in forms),
}
key_hash = lru_cache(1 << 12)(partial(sha, b"passport/key/1\n"))  # (1.4)
UINT, V1, TEXT, NAME = range(1 << 63), range(1, 2), "[^\0-\x1f\x7f-\x9f]{1,256}", "[a-z0-9_./-]{1,24}"
REFS, SUBJECTS = partial(many, [16, UINT, 16], 0, key=repr), partial(many, 16, 1, key=bytes)
SIGNING, BOX = (partial(lambda kind, value: fits(33, value) and is_key(kind, value), kind) for kind in (1, 2))
CUT = many([16, range(1, 1 << 63), 32], 0, 64, lambda row: row[0], sorted)  # (7)
BODIES = {FOUND: [SIGNING, 32], STATE: [16, SIGNING], END: [16, UINT, CUT], ROTATE: [SIGNING, 32]}
STATEMENT, MOST = [V1, (16, None), range(1000), (32, None), range(1, 5), list, 16], 32 << 20
LOG_STATEMENT = [V1, 16, 16, 16, 16, (16, None), UINT, SIGNING, BOX]  # (2)
FEDERATION = [V1, TEXT, many(16, 1, 16, bytes, sorted), range(1, 17)]  # (8)
HEADER = [V1, 16, UINT, UINT, range(1, 1 << 63), SUBJECTS(4), UINT, (UINT, None), REFS(16), REFS(8),
          many([NAME, 32, range(2**18 + 1), UINT], 1, 16, lambda row: row[0])]  # (3.2)
STORED = [16, UINT, [bytes, 65, many([NAME, (16, None), bytes], 0, 16, lambda row: row[0])],
          ([UINT, many(32, 0, 64)], None)]
ROWS = many(TEXT, 0, 64, lambda row: (len(row.encode()), row.encode()), sorted)
ATTEST = [16, range(1, 7), 16, ROWS, (UINT, None), (UINT, None)]  # (9.2)
MANIFEST = [range(2, 3), 16, 16, range(253_402_300_800_000_000), (16, None), SUBJECTS(1 << 16), 32, UINT,
            TEXT.replace("256", "1024"), ([TEXT, TEXT, (32, None)], None), many([UINT, NAME, UINT], 0, 1 << 16), UINT,
            many([range(1, 6), UINT, 32, (16, None), (UINT, None)], 0, 1 << 19)]
NOTE = re.compile("((.{41})\n([1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n)\n\u2014 (.{41}) ([A-Za-z0-9+/]{91}=)\n"
                  "(\u2014 [^\\s+]+ [A-Za-z0-9+/]{7,}={0,2}\n){0,15}")  # (5)
SIZED = {  # (1.1) first byte: type, bytes of its number or length, the least that needs so many
    0xC4: (bytes, 1, 0), 0xC5: (bytes, 2, 256), 0xC6: (bytes, 4, 1 << 16), 0xD9: (str, 1, 32), 0xDA: (str, 2, 256),
    0xDB: (str, 4, 1 << 16), 0xDC: (list, 2, 16), 0xDD: (list, 4, 1 << 16), 0xCC: (int, 1, 128), 0xCD: (int, 2, 256),
    0xCE: (int, 4, 1 << 16), 0xCF: (int, 8, 1 << 32),
} | {0xA0 + size: (str, 0, 0) for size in range(32)} | {0x90 + size: (list, 0, 0) for size in range(16)}
def read(raw: bytes, limit: int, what: str, form: Any) -> Any:
    """The one canonical value that bytes are (1.1): no deeper than 8, and no room is taken for more than they hold."""
    require(len(raw) <= limit, "form", what)
    at, arrays = 0, max(1 << 16, len(raw) // 16)
    def take(size: int) -> bytes:
        nonlocal at
        at += size
        require(at <= len(raw), "msgpack", at - size)
        return raw[at - size : at]
    def value(depth: int) -> Any:
        nonlocal arrays
        start, first = at, take(1)[0]
        if first < 0x80 or first == 0xC0: return first if first < 0x80 else None
        kind, size, least = SIZED.get(first, (None, 0, 0))
        number = int.from_bytes(take(size), "big") if size else first & (15 if kind is list else 31)
        arrays, depth = arrays - (kind is list), depth + (kind is list)
        is_held = kind is int or number <= len(raw) - at
        require(kind and least <= number < 1 << 63 and is_held and arrays >= 0 and depth <= 8, "msgpack", start)
        if kind is list: return [value(depth) for _ in range(number)]
        if kind is not str: return number if kind is int else take(number)
        try: return take(number).decode()
        except UnicodeDecodeError as error: raise BrokenError("msgpack", start) from error
    found = value(0)
    require(at == len(raw), "msgpack", at)
    require(fits(form, found), "form", what)
    return found
def climb(leaf: bytes, at: int, size: int, path: list[bytes]) -> bytes | None:  # the root above (RFC 6962, 2.1.1)
    if size < 2 or at >= size or not path: return leaf if (at, size, path) == (0, 1, []) else None
    left = 1 << (size - 1).bit_length() - 1
    below = climb(leaf, at % left if at >= left else at, left if at < left else size - left, path[:-1])
    return below and (sha(b"\1", below, path[-1]) if at < left else sha(b"\1", path[-1], below))
class Chain:  # the root statements of an organisation (1.6, 1.7): its nodes, and what is refused
    def __init__(self, said: list[Any], attested: set[str]) -> None:
        require(len(said) <= 2000, "rule")
        self.tree, self.refused = dict[bytes, list[Any]](), dict[int, BrokenError]()  # each with all that it follows
        for one in sorted(said, key=lambda one: one[:3]):
            line, error = (None, None) if one.hash in self.tree else attempt(self._follow, one)
            if line: self.tree[one.hash] = line
            if error: self.refused[one.part] = error
        begun = [line for line in self.tree.values() if len(line) == 1]
        require(len({one.hash for one in said if one.kind == FOUND}) == len(begun) == 1, "rule")
        named = {step.hash for line in self.tree.values() if line[-1].hash.hex() in attested for step in line}
        while len(begun) == 1:  # more than one: a fork, and nothing from there on counts
            path, begun = begun[0], self._nexts(begun[0], named)
        cuts = [step.body for step in path if step.kind == END]
        self.nodes = {one.body[0]: Node(one.body[1], [cut for node, _, cut in cuts if node == one.body[0]])
                      for one in path if one.kind == STATE}
        for line in self.tree.values():  # what left the path before its end is voided
            shared = sum(left is right for left, right in zip(line, path, strict=False))
            if line[-1].kind == STATE and shared < min(len(line), len(path)):
                self.nodes.setdefault(line[-1].body[0], Node(line[-1].body[1], None))
    def _follow(self, one: Any) -> list[Any]:
        before = self.tree.get(one.previous, [])
        keyed = next((step for step in reversed(before) if step.kind in (FOUND, ROTATE)), one)
        signer = (one if one.kind == ROTATE else keyed).body[0]
        follows = not one.n or (before and (one.n, one.org) == (len(before), before[0].org))
        is_signed = one.signer == key_hash(signer)[:16] and signs(signer, "root", one.hash, one.signature)
        require(follows and is_signed, "root")
        used = {use for step in before for use in step.uses}
        node = [step for step in before if step.kind in (STATE, END) and step.body[0] == one.body[0]]
        if one.kind == END:
            later = {log: row for log, *row in one.body[2]}
            pairs = [(later.get(log, [0]), row) for step in node[1:][-1:] for log, *row in step.body[2]]
            require(node and all(new == old or new[0] > old[0] for new, old in pairs), "rule")
        elif one.kind == ROTATE: require(key_hash(signer) == keyed.body[1] and one.body[1] not in used, "rule")
        else: require(not node and not one.uses & used and len(one.uses) == (1 if one.n else 2), "rule")
        return [*before, one]
    def _nexts(self, path: list[Any], named: set[bytes]) -> list[list[Any]]:
        after = [line for line in self.tree.values() if len(line) > len(path) and line[len(path) - 1] is path[-1]]
        nexts = [line for line in after if len(line) == len(path) + 1]
        promise = next(step.body[1] for step in reversed(path) if step.kind in (FOUND, ROTATE))
        redeem = [line for line in after if line[-1].kind == ROTATE and key_hash(line[-1].body[0]) == promise]
        rotates = redeem if len(redeem) > 1 and len(redeem[0]) == len(path) + 1 else []
        rotates = rotates or [line for line in nexts if line[-1].kind == ROTATE]
        return [line for line in nexts if line[-1].hash in named] or rotates or nexts
class File:  # and what of it holds: `faults` where they are found, `accused` what is at fault, both by part
    def __init__(self, raw: bytes) -> None:
        at = 20 + int.from_bytes(raw[16:20], "big")
        require(raw.startswith(b"passport-file/2\n") and 20 < at <= min(len(raw), MOST), "head")
        self.manifest, self.signature = read(raw[20:at], MOST, "head", [bytes, 65])
        *found, self.profile, self.withheld, self.left_out, cut = read(self.manifest, MOST, "manifest", MANIFEST)
        _, self.org, self.node, self.made, self.party, self.subjects, self.digest, _, _ = found
        self.parts = [Part(HEAD, HEAD, 0, raw[:at], None, None, True)]
        for kind, size, digest, log, seq in cut:
            content = raw[at : at + size]
            self.parts.append(Part(len(self.parts), kind, at, content, log, seq, sha(content) == digest))
            at += size
        self._read_parts({})
        if branches := self.attested(6): self._read_parts(branches)  # anchors chose among those of a forked chain
        self.accused = self._accuse(at, len(raw))
    def _read_parts(self, branches: dict[bytes, set[str]]) -> None:
        self.faults, self.chains, self.logs = dict[int, BrokenError](), dict[bytes, Chain](), dict[bytes, Any]()
        self.genesis, self.name, self.anchors, self.k, said = b"", "-", list[bytes](), 0, defaultdict[bytes, Any](list)
        self._each(self._read_genesis, GENESIS)
        for root in self._each(self._read_root, ROOT): said[root.org].append(root)
        for org, some in said.items():
            chain, error = attempt(Chain, some, branches.get(org, set()))
            self.faults |= {one.part: error for one in some} if error else chain.refused
            if chain: self.chains[org] = chain
        self._each(self._read_log, LOG)
        self.entries = self._each(self._read_entry, ENTRY, PUBLICATION)
        self.said, self.counted = self._read_said(), dict[tuple[int, int], dict[bytes, set[str]]]()
        self.edges = sorted({edge for one in self.said for edge in one[4:]})
    def _each(self, read_one: Any, *kinds: int) -> list[Any]:
        done = {part.number: attempt(read_one, part) for part in self.parts if part.kind in kinds}
        self.faults |= {number: error for number, (_, error) in done.items() if error}
        return [found for found, error in done.values() if not error]
    def _read_genesis(self, part: Any) -> None:
        _, self.name, self.anchors, self.k = read(part.content, 1024, "genesis", FEDERATION)
        require(self.k <= len(self.anchors) and len(self.name.encode()) <= 128, "form", "genesis")
        self.genesis = sha(b"passport/federation/1\n", part.content)[:16]
    def _read_root(self, part: Any) -> Any:
        raw, signature = read(part.content, 4352, "envelope", [bytes, 65])
        _, org, n, previous, kind, body, signer = read(raw, 4096, "statement", STATEMENT)
        digest, keyed = sha(b"passport/org/1\n", raw), kind in (FOUND, ROTATE)
        require(len({n == 0, org is None, previous is None, kind == FOUND}) == 1, "form", "statement")
        require(fits(BODIES[kind], body) and (not keyed or signer == key_hash(body[0])[:16]), "form", "body")
        uses = {key_hash(body[0]), body[1]} if keyed else {key_hash(body[1])} if kind == STATE else set()
        return Root(n, digest, signature, org or digest[:16], previous, kind, body, signer, uses, part.number)
    def _read_log(self, part: Any) -> None:
        envelope, note = read(part.content, 8192, "log", [bytes, (bytes, None)])
        raw, signature = read(envelope, 1152, "envelope", [bytes, 65])
        _, org, node_id, signer, _, _, _, witness, _ = read(raw, 1024, "log statement", LOG_STATEMENT)
        digest = sha(b"passport/log/1\n", raw)
        node: Any = getattr(self.chains.get(org), "nodes", {}).get(node_id)
        require(digest[:16] == part.log and part.seq is None and key_hash(witness)[:16] != signer, "place")
        require(node, "node")
        require(key_hash(node.key)[:16] == signer and signs(node.key, "log", digest, signature), "signature")
        kept = {(size, root) for cut in node.cuts or () for log, size, root in cut if log == part.log}
        self.logs[part.log] = Log(org, node, kept | (set() if note is None else {read_note(note, part, node)}), kept)
    def _read_entry(self, part: Any) -> Any:
        log_id, seq, (raw, signature, came), proof = read(part.content, 2 << 20, "entry", STORED)
        require((log_id, seq) == (part.log, part.seq), "place")
        _, *place, stamp, kind, subjects, occurred, _, refs, _, heads = read(raw, 4096, "header", HEADER)
        require(place == [log_id, seq] and sum(size for _, _, size, _ in heads) <= 1_040_384, "form", "header")
        log: Any = self.logs.get(log_id)
        digest, here = sha(b"\x10", raw), {one[0]: one[1:] for one in came}
        require(log, "node")
        require(signs(log.node.key, "fragment", digest, signature), "signature")
        require([*here] == [name for name, *_ in heads if name in here], "sections")
        sections = {name: open_section(log_id, name, *row, *here[name]) for name, *row in heads if name in here}
        root = (proof[0], climb(sha(b"\0", digest, signature), seq, *proof)) if proof else None
        require(not root or root in log.roots, "proof")
        require(log.node.cuts == [] or (log.node.cuts and root in log.kept), "ended")
        withheld = [(klass, name) for name, _, _, klass in heads if name not in here]
        return Entry(stamp, part, log.org, kind, subjects, occurred, refs, sections, withheld, bool(root))
    def _read_said(self) -> list[Any]:  # what anchors say and did not replace (9.2)
        said = list[Any]()
        for one in (one for one in self.entries if one.kind == 16 and one.org in self.anchors):
            body, _ = attempt(read, one.sections.get("attest", b""), 1 << 20, "attest", ATTEST)
            if body and (body[0], body[2]) == (self.genesis, one.subjects[0]): said.append((one, *body[1:]))
        replaced = {(one.org, what, org, log, seq) for one, what, org, *_ in said for log, seq, _ in one.refs}
        return [(one.org, what, org, tuple(rows), since or 0, 1 << 63 if until is None else until)
                for one, what, org, rows, since, until in said
                if (one.org, what, org, one.part.log, one.part.seq) not in replaced]
    def attested(self, what: int, at: int | None = None) -> dict[bytes, set[str]]:
        """What k anchors say of organisations in the same words, as of when the file was written or another time."""
        key = what, bisect_right(self.edges, at := self.made if at is None else at)  # between edges nothing changes
        if key in self.counted: return self.counted[key]
        voices, found = defaultdict[Any, set[bytes]](set), defaultdict[bytes, set[str]](set)
        for anchor, of, org, rows, since, until in self.said:
            if of == what and (what == 6 or since <= at < until): voices[org, rows].add(anchor)
        for org, rows in (key for key, anchors in voices.items() if len(anchors) >= self.k): found[org] |= {*rows}
        pairs = [(org, row, row.partition(":")[0]) for org, rows in found.items() for row in rows if what == 1]
        held, kinds = Counter(row for _, row, _ in pairs), Counter((org, kind) for org, _, kind in pairs)
        for org, row, kind in pairs:  # a number of two is nobody's, nor one of two of its kind
            if held[row] > 1 or kinds[org, kind] > 1: found[org].discard(row)
        return self.counted.setdefault(key, found)
    def numbers(self, org: bytes, at: int) -> set[str]:  # when the file was written, or else when it said something
        return self.attested(1).get(org) or self.attested(1, at).get(org, set())
    def _accuse(self, end: int, size: int) -> dict[int, BrokenError]:
        """What is at fault: where a part is damaged, what hangs on it is not."""
        node: Any = getattr(self.chains.get(self.org), "nodes", {}).get(self.node)
        is_signed = node and signs(node.key, "file", sha(b"passport/file/2\n", self.manifest), self.signature)
        damaged = {one.number: self.faults.get(one.number) for one in self.parts if not one.is_whole}
        cut = {HEAD: BrokenError("sizes", end, size)} if end != size else {}
        if cut and not is_signed: return cut
        if not is_signed and (node or not damaged):
            return {HEAD: BrokenError("manifest")} | {number: fault for number, fault in damaged.items() if fault}
        if cut or damaged: return cut | {number: fault or BrokenError("hash") for number, fault in damaged.items()}
        counted = Counter(key for one in self.entries if one.part.kind == ENTRY for key in one.withheld)
        is_counted = self.withheld == [[*key, counted[key]] for key in sorted(counted)]
        placed = [(min(one.kind, ENTRY), one.log or b"", one.seq or 0) for one in self.parts if one.kind % 2 or one.log]
        wrong = "ended" if node.cuts != [] else "place" if placed != sorted(set(placed)) else "count" * (not is_counted)
        return self.faults or ({HEAD: BrokenError(wrong)} if wrong else {})
def open_section(log: bytes, name: str, under: bytes, size: int, klass: int, salt: bytes | None, raw: bytes) -> bytes:
    """The content of a section (3.4), nothing where its author padded it wrong; no file holds secrets or seals."""
    is_under = salt is not None and under == sha(b"\x12", log, bytes([len(name)]), name.encode(), salt, raw)
    require(is_under and klass != 5, "commitment", name)
    inner = raw if klass < 3 else raw[4 : 4 + int.from_bytes(raw[:4], "big")]
    padded = (len(inner).to_bytes(4, "big") + inner).ljust(max(64, 1 << (len(inner) + 3).bit_length()), b"\0")
    return inner if len(raw) == size and raw == (inner if klass < 3 else padded) else b""
def read_note(note: bytes, log: Any, node: Any) -> tuple[int, bytes]:  # the size and the root of a checkpoint (5)
    text, origin = note.decode(errors="replace"), f"passport/{log.log.hex()}"
    found = NOTE.fullmatch(text) if text.encode() == note and len(note) <= 4096 else None
    told, told_origin, size, root, name, line = found.groups()[:6] if found else [""] * 6
    raw, own = base64.b64decode(root), base64.b64decode(line)
    is_own = told_origin == name == origin and own[:4] == sha(origin.encode(), b"\n\1", node.key[1:])[:4]
    is_spelled = [base64.b64encode(one).decode() for one in (raw, own)] == [root, line]
    require(is_own and is_spelled and int(size) < 2**63 and signs(node.key, "", told.encode(), b"\1" + own[4:]), "note")
    return int(size), raw
def told_json(entry: Any, name: str) -> dict[str, Any]:
    try: found = json.loads(entry.sections.get(name, b"{}").decode(), object_pairs_hook=once)
    except (ValueError, RecursionError): return {}
    return found if type(found) is dict else {}
def once(pairs: list[Any]) -> Any: return found if len(found := dict(pairs)) == len(pairs) else None  # no name twice
def short(told: Any) -> str: return " ".join(told.split())[:120] if type(told) is str else "-"  # fills no screen
def device_id(subject: bytes) -> str:  # (4.4)
    number = int.from_bytes(subject, "big") << 10 | int.from_bytes(subject, "big") % 1021
    return "EPP1-" + "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> 5 * at & 31] for at in range(27, -1, -1))
def moment(us: int) -> str: return f"{datetime.fromtimestamp(min(us // 10**6, 253_402_300_799), UTC):%Y-%m-%d %H:%M}"
def report(file: File, expected: str, language: int) -> tuple[list[str], int]:  # what a person is told, and the code
    lines, orgs = list[str](), defaultdict[Any, str](lambda: "-")
    about = sorted(one for one in file.entries if one.part.kind == ENTRY)
    def say(what: str | int, *told: object) -> None:  # what somebody wrote neither breaks a line nor moves the cursor
        line = SAID[what][language].format(*told)
        lines.append("".join(letter if letter.isprintable() else "?" for letter in line))
    for one in sorted(file.entries):
        name = short(told_json(one, "card").get("name")) if one.kind == 15 else orgs[one.org].rpartition(" [")[0]
        orgs[one.org] = f"{name} [{', '.join(sorted(file.numbers(one.org, one.stamp) or '-'))}] {one.org.hex()}"
    say("written", ", ".join(map(device_id, file.subjects)), moment(file.made), file.node.hex(), orgs[file.org])
    profile = " ".join(one.hex() if type(one) is bytes else one for one in file.profile or "-" if one)
    say("for", file.party.hex() if file.party else "-", profile, file.digest.hex())
    for one in about:
        kind = KINDS[one.kind if one.kind < len(KINDS) else 0].split("/")[language]
        of = "" if one.subjects[0] in file.subjects else f" > {device_id(one.subjects[0])}"  # the others only route
        at = one.part.log.hex(), one.part.seq, ("" if one.is_proven else " ?") + of
        say("entry", moment(one.occurred), kind, orgs[one.org], *at)
        if not of and (plate := told_json(one, "nameplate")):
            told = [short(plate.get(name)) for name in ("mark", "designation", "serial", "year")]
            say("maker" if one.org in file.attested(2, one.occurred) else "plate", " ".join(told))
    for row in file.withheld: say("withheld", *row)
    say("beside", file.left_out, len(file.entries) - len(about))
    say("anchors", file.name, file.genesis.hex(" ", 2), file.k, len(file.anchors))
    said = [(file.org, file.made, 0), *((one.org, one.stamp, 1) for one in about)]
    authors = Counter[tuple[bytes, bool]]()
    for org, at, count in said: authors[org, org in file.anchors or bool(file.numbers(org, at))] += count
    for (org, is_rooted), count in authors.items(): say("rooted" if is_rooted else "unrooted", orgs[org], count)
    other = {HEAD: BrokenError("federation")} if expected and expected != file.genesis.hex() else {}
    for number, fault in sorted((file.accused | other).items()):
        part = file.parts[number]
        kind, place = PARTS[part.kind].split("/")[language], f"{part.log.hex() if part.log else ''}:{part.seq}"
        say("wrong", kind, place, part.start, part.start + len(part.content) - 1, fault.tell(language))
    code = 1 if file.accused | other else 0 if expected and all(is_rooted for _, is_rooted in authors) else 3
    say(code, len(file.faults.keys() - file.accused))
    return lines, code
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--federation", nargs="+", default=[], metavar="FINGERPRINT")
    parser.add_argument("--language", choices=("ru", "en"), default=str(locale.getlocale()[0]).lower()[:2])
    asked = parser.parse_args(arguments)
    language, path = int(asked.language != "ru"), asked.file or (asked.federation and asked.federation.pop())
    expected = re.sub(r"[\s:.-]", "", "".join(asked.federation).lower().translate(ALIKE))
    if not path or not re.fullmatch("([0-9a-f]{32})?", expected): parser.error(SAID["asked"][language])
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console may lack letters
    try:
        with Path(path).open("rb") as content: raw = content.read((1 << 30) + 1)
        require(len(raw) <= 1 << 30, "head")
        lines, code = report(File(raw), expected, language)
    except (OSError, BrokenError) as error:
        lines, code = [error.tell(language) if isinstance(error, BrokenError) else str(error.strerror)], 2
    print(*lines, sep="\n", file=sys.stderr if code == 2 else sys.stdout)
    return code
if __name__ == "__main__": sys.exit(main())
