"""Vectors of what nodes say to each other: requests, answers, invitations."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace

from federation.genesis import Genesis
from federation.invitation import Invitation
from federation.keys import SIGNATURE_SIZE
from federation.request import Request, response_hash, sign_request
from federation.sync.following import NOTHING, moved
from federation.words import fingerprint_bytes
from tests.builders import STAMP, id16, seed, signing_key
from tests.vectors.protocol.case import Case, Json, VectorFile, flip, pack, refusals, with_field

NOW_MS = STAMP // 1000
KEY = signing_key("node")
ORG = id16("org")


def files() -> list[VectorFile]:
    """The files of this module."""
    return [
        VectorFile("request", _request_cases()),
        VectorFile("replay", _replay_cases()),
        VectorFile("response", _response_cases()),
        VectorFile("frame", _frame_cases()),
        VectorFile("follow-asked", _follow_cases()),
        VectorFile("invitation", _invitation_cases()),
    ]


def _frame_cases() -> list[Case]:
    question: list[object] = [2, 7, "POST", "/fed/1/heads", [["Passport-Signature", "AAAA"]], b"body"]
    answer: list[object] = [3, 7, 200, [["Content-Encoding", "deflate"]], b"body"]
    good = [
        ("notice", [1], 1),
        ("notice of logs", [1, [[ORG, 7, bytes(32)], [ORG[::-1], 1, bytes(32)]]], 1),
        ("question", question, 2),
        ("answer", answer, 3),
        ("answer of nothing", [3, 0, 204, [], b""], 3),
    ]
    table: list[tuple[int, object, str]] = [
        (0, 4, "an unknown kind"),
        (0, 0, "an unknown kind"),
        (0, None, "a kind is an unsigned integer"),
        (1, None, "a number is an unsigned integer"),
        (1, 2**63, "an integer must be below 2^63"),
        (2, "", "a text has at least one byte"),
        (2, "P" * 17, "a method has at most 16 bytes"),
        (3, b"/fed/1/heads", "a target is text"),
        (3, "/" * 1025, "a target has at most 1,024 bytes"),
        (4, None, "headers are an array"),
        (4, [["a"]], "a header is a pair"),
        (4, [["a", "b"]] * 17, "at most 16 headers"),
        (4, [["a", "b" * 1025]], "a value has at most 1,024 bytes"),
        (4, [["a" * 257, "b"]], "a name has at most 256 bytes"),
        (5, "body", "a body is binary"),
        (5, None, "a body is binary"),
    ]
    wrong: list[tuple[str, bytes, str]] = [
        ("nothing", b"", "no value"),
        ("an empty array", pack([]), "no kind"),
        ("no array", pack(1), "a frame is an array"),
        ("notice with more", pack([1, 1]), "logs are an array"),
        ("notice of no log", pack([1, []]), "a log at least"),
        ("notice of many logs", pack([1, [[ORG, 7, bytes(32)]] * 65]), "at most 64 logs"),
        ("notice of a log of nothing", pack([1, [[ORG, 0, bytes(32)]]]), "a checkpoint has a size from 1"),
        ("notice of a log without a root", pack([1, [[ORG, 7]]]), "three values"),
        ("notice of a short root", pack([1, [[ORG, 7, bytes(31)]]]), "a root has 32 bytes"),
        ("notice of a short log", pack([1, [[ORG[:15], 7, bytes(32)]]]), "a log has 16 bytes"),
        ("notice of three values", pack([1, [[ORG, 7, bytes(32)]], None]), "two values at most"),
        ("question without a body", pack(question[:5]), "six values"),
        ("question with more", pack([*question, None]), "six values"),
        ("answer without a body", pack(answer[:4]), "five values"),
        ("answer with the status as text", pack(with_field(answer, 2, "200")), "a status is an unsigned integer"),
        ("cut off", pack(question)[:-1], "the value breaks off"),
        ("followed by a byte", pack([1]) + b"\0", "bytes follow the value"),
        ("not the shortest form", b"\x91\xcc\x01", "the shortest form of each value"),
    ]
    return [
        *(Case(name, {"frame": pack(value).hex()}, "accept", "a frame", {"kind": kind}) for name, value, kind in good),
        *refusals(question, table, lambda made: {"frame": pack(made).hex()}),
        *(Case(name, {"frame": raw.hex()}, "refuse", why) for name, raw, why in wrong),
    ]


def _follow_cases() -> list[Case]:
    one, two, three = (bytes([n]) * 16 for n in (1, 2, 3))
    first, last = bytes(16), b"\xff" * 16
    known = [one, two]
    good: list[tuple[str, list[object], list[bytes] | None, list[bytes] | None]] = [
        ("added and removed", [0, None, [three], [one]], known, [two, three]),
        ("what is followed already", [0, None, [one], [three]], known, known),
        ("the first subject", [0, None, [one], []], None, [one]),
        ("nothing at all", [0, [first, last], [], []], None, []),
        ("a whole set", [0, [first, last], [two, three], []], known, [two, three]),
        ("a range, both ends included", [0, [two, three], [three], []], [one, two, three], [one, three]),
        ("a range of one", [0, [two, two], [two], []], [one], known),
        ("everything", [1, None, [], []], known, None),
        ("everything as before", [1, None, [], []], None, None),
        ("the most at once", [0, None, _many(4095), [last]], [], _many(4095)),
    ]
    table: list[tuple[int, object, str]] = [
        (0, 2, "everything is 0 or 1"),
        (0, None, "everything is an unsigned integer"),
        (0, 1, "everything stands alone"),
        (1, [first], "a range has two ends"),
        (1, [last, first], "a range begins before it ends"),
        (1, [first, two], "in a range nothing is removed"),
        (1, [first[:15], two], "a subject has 16 bytes"),
        (2, None, "added is an array"),
        (2, [two, one], "subjects ascend"),
        (2, [one, one], "subjects are unique"),
        (2, [one[:15]], "a subject has 16 bytes"),
        (2, [one.hex()], "a subject is binary"),
        (2, [three], "a subject is added or removed"),
        (2, _many(4096), "at most 4,096 subjects together"),
        (2, _many(4097), "at most 4,096 subjects"),
        (3, None, "removed is an array"),
        (3, [three, two], "subjects ascend"),
    ]
    wrong: list[tuple[str, object, str]] = [
        ("three values", [0, None, []], "four values"),
        ("five values", [0, None, [], [], None], "four values"),
        ("added outside the range", [0, [two, three], [one], []], "what is added lies in the range"),
    ]

    def given(value: object, followed: list[bytes] | None = None) -> dict[str, Json]:
        return {"asked": pack(value).hex(), "followed": None if followed is None else [s.hex() for s in followed]}

    def gives(after: list[bytes] | None) -> dict[str, Json]:
        known_as = None if after is None else moved(NOTHING, after).hex()
        return {"followed": None if after is None else [s.hex() for s in after], "filter": known_as}

    return [
        *(Case(name, given(value, before), "accept", "a change", gives(after)) for name, value, before, after in good),
        *refusals([0, None, [one], [three]], table, given),
        *(Case(name, given(value), "refuse", why) for name, value, why in wrong),
    ]


def _many(count: int) -> list[bytes]:
    """Subjects in their order."""
    return [n.to_bytes(16) for n in range(count)]


def _request() -> Request:
    return Request("POST", "/fed/1/fetch?a=%D0%B6", ORG, id16("from"), id16("to"), b"body")


def _given(signature: bytes, request: Request | None = None, now_ms: int = NOW_MS) -> dict[str, Json]:
    said = request or _request()
    return {
        "method": said.method,
        "target": said.target,
        "org": said.org.hex(),
        "from": said.sender.hex(),
        "to": said.receiver.hex(),
        "body": said.body.hex(),
        "sign_key": KEY.public.hex(),
        "signature": signature.hex(),
        "now_ms": now_ms,
    }


def _signed(request: Request, time_ms: int = NOW_MS) -> bytes:
    return sign_request(KEY, request, time_ms, id16("nonce")).to_bytes()


def _hash_of(request: Request, time_ms: int = NOW_MS) -> dict[str, Json]:
    body = hashlib.sha256(request.body).digest()
    who = [request.org, request.sender, request.receiver]
    packed = pack([request.method, request.target, *who, body, time_ms, id16("nonce")])
    return {"hash": hashlib.sha256(b"passport/request/1\n" + packed).hexdigest()}


def _request_cases() -> list[Case]:
    request = _request()
    good = _signed(request)
    empty = replace(request, method="GET", target="/fed/1/passport/x", body=b"")
    accepted: list[tuple[str, Request, int]] = [
        ("good", request, NOW_MS),
        ("without a body", empty, NOW_MS),
        ("120 s behind", request, NOW_MS - 120_000),
        ("120 s ahead", request, NOW_MS + 120_000),
    ]
    other = {
        "another method": replace(request, method="GET"),
        "another path": replace(request, target="/fed/1/lookup"),
        "the query spelled in another way": replace(request, target="/fed/1/fetch?a=%d0%b6"),
        "another body": replace(request, body=b"Body"),
    }
    wrong = {
        "for another node": replace(request, receiver=id16("elsewhere")),
        "from another node": replace(request, sender=id16("elsewhere")),
        "from another organisation": replace(request, org=id16("elsewhere")),
    }
    return [
        *(
            Case(n, _given(_signed(r, t), r), "accept", "signed, for this node, in time", _hash_of(r, t))
            for n, r, t in accepted
        ),
        *(Case(name, _given(good, r), "refuse", "the signature covers it") for name, r in other.items()),
        *(Case(name, _given(good, r), "refuse", "the request is for another node") for name, r in wrong.items()),
        *(
            Case(name, _given(_signed(request, time)), "stale", "answer 401 with the own time")
            for name, time in (
                ("120.001 s behind", NOW_MS - 120_001),
                ("120.001 s ahead", NOW_MS + 120_001),
                ("time 0", 0),
            )
        ),
        *_signature_cases(request),
    ]


def _signature_cases(request: Request) -> list[Case]:
    signed = sign_request(KEY, request, NOW_MS, id16("nonce"))
    fields: list[object] = [ORG, request.sender, request.receiver, NOW_MS, id16("nonce"), signed.signature]
    stale_forgery = with_field(with_field(fields, 3, 0), 5, flip(signed.signature))
    table: list[tuple[int, object, str]] = [
        (0, None, "an org id is binary"),
        (0, ORG[:15], "an org id is 16 bytes"),
        (0, id16("x"), "the request is from another organisation: it signs for which one its node speaks"),
        (1, id16("x"), "the request is from another node"),
        (1, id16("x")[:15], "a node id is 16 bytes"),
        (2, id16("x"), "the request is for another node"),
        (2, None, "a node id is binary"),
        (3, NOW_MS + 1, "the signature covers the time"),
        (3, None, "a time is an unsigned integer"),
        (3, 2**63, "an integer must be below 2^63"),
        (4, id16("x"), "the signature covers the nonce"),
        (4, id16("x")[:15], "a nonce is 16 bytes"),
        (5, flip(signed.signature), "the signature does not hold"),
        (5, signed.signature[1:], "a signature is 65 bytes"),
        (5, b"\2" + signed.signature[1:], "unknown algorithm"),
        (5, bytes(SIGNATURE_SIZE), "the signature does not hold"),
        (5, KEY.sign_hash("response", request.hash(NOW_MS, id16("nonce"))), "the text names the object"),
        (5, signing_key("x").sign_hash("request", request.hash(NOW_MS, id16("nonce"))), "not the node's key"),
    ]
    return [
        *refusals(fields, table, lambda made: _given(pack(made))),
        *_signed_so(request),
        Case("stale and forged", _given(pack(stale_forgery)), "refuse", "the signature is judged before the time"),
        Case("five values", _given(pack(fields[:5])), "refuse", "six values"),
        Case("seven values", _given(pack([*fields, None])), "refuse", "six values"),
        Case("followed by a byte", _given(pack(fields) + b"\0"), "refuse", "bytes follow the value"),
        Case("nothing", _given(b""), "refuse", "no value"),
        Case("over 512 bytes", _given(pack([*fields[:5], bytes(600)])), "refuse", "at most 512 bytes"),
    ]


def _signed_so(request: Request) -> list[Case]:
    """A form that is refused, under a signature that covers it."""
    table: list[tuple[str, object, object, str]] = [
        ("time nil", None, id16("nonce"), "a time is an unsigned integer"),
        ("time as text", "now", id16("nonce"), "a time is an unsigned integer"),
        ("nonce of 15 bytes", NOW_MS, id16("nonce")[:15], "a nonce is 16 bytes"),
        ("nonce as text", NOW_MS, "a" * 16, "a nonce is binary"),
    ]
    cases = []
    for name, time, nonce, why in table:
        who = [request.org, request.sender, request.receiver]
        said = pack([request.method, request.target, *who, hashlib.sha256(request.body).digest(), time, nonce])
        signature = KEY.sign_hash("request", hashlib.sha256(b"passport/request/1\n" + said).digest())
        cases.append(Case(f"{name}, signed so", _given(pack([*who, time, nonce, signature])), "refuse", why))
    return cases


def _replay_cases() -> list[Case]:
    table: list[tuple[str, list[tuple[str, str, int]], list[bool], str]] = [
        ("once", [("a", "1", 0)], [True], "seen for the first time"),
        ("twice", [("a", "1", 0), ("a", "1", 1)], [True, False], "the request was sent before"),
        ("another nonce", [("a", "1", 0), ("a", "2", 0)], [True, True], "another request"),
        ("another node", [("a", "1", 0), ("b", "1", 0)], [True, True], "nonces are each node's own"),
        ("after 300 s", [("a", "1", 0), ("a", "1", 300_000)], [True, False], "remembered for 300 s"),
        ("after 300.001 s", [("a", "1", 0), ("a", "1", 300_001)], [True, True], "forgotten: its time is out by then"),
        (
            "after 200 s and 400 s",
            [("a", "1", 0), ("a", "1", 200_000), ("a", "1", 400_000)],
            [True, False, True],
            "what is refused is not remembered anew",
        ),
        (
            "after 400 s and 600 s",
            [("a", "1", 0), ("a", "1", 400_000), ("a", "1", 600_000)],
            [True, True, False],
            "what is taken again is",
        ),
        ("clock set back by 1 s", [("a", "1", 0), ("a", "1", -1_000)], [True, False], "within 300 s of now"),
        ("clock set back by 300 s", [("a", "1", 0), ("a", "1", -300_000)], [True, False], "within 300 s of now"),
        ("clock set back by 300.001 s", [("a", "1", 0), ("a", "1", -300_001)], [True, True], "its time is stale"),
        (
            "clock set back past the later of two requests",
            [("a", "1", 0), ("a", "2", 300_000), ("a", "2", -1), ("a", "1", -1)],
            [True, True, True, False],
            "the later one was taken 300.001 s ahead of now, the earlier one 1 ms",
        ),
        (
            "clock set back between two requests",
            [("a", "1", 0), ("a", "2", -100_000), ("a", "1", 200_001), ("a", "2", 200_001)],
            [True, True, False, True],
            "each is remembered from its own moment",
        ),
    ]
    return [
        Case(
            name,
            {
                "arrivals": [
                    {"from": id16(sender).hex(), "nonce": id16(nonce).hex(), "now_ms": NOW_MS + after}
                    for sender, nonce, after in arrivals
                ]
            },
            "accept",
            why,
            {"taken": taken},
        )
        for name, arrivals, taken, why in table
    ]


def _response_cases() -> list[Case]:
    request, body = seed("request"), b"answer"
    digest = response_hash(request, 200, body)
    good = KEY.sign_hash("response", digest)

    def given(signature: bytes, asked: bytes = request, status: int = 200, said: bytes = body) -> dict[str, Json]:
        return {
            "request": asked.hex(),
            "status": status,
            "body": said.hex(),
            "sign_key": KEY.public.hex(),
            "signature": signature.hex(),
        }

    packed = pack([request, 200, hashlib.sha256(body).digest()])
    gives: dict[str, Json] = {"hash": hashlib.sha256(b"passport/response/1\n" + packed).hexdigest()}
    return [
        Case("good", given(good), "accept", "signed by the peer", gives),
        Case("to another request", given(good, seed("x")), "refuse", "the signature covers the request"),
        Case("another status", given(good, status=404), "refuse", "the signature covers the status"),
        Case("another body", given(good, said=b"Answer"), "refuse", "the signature covers the body"),
        Case("signature altered", given(flip(good)), "refuse", "does not hold"),
        Case("signature of 64 bytes", given(good[1:]), "refuse", "a signature is 65 bytes"),
        Case("signed as a request", given(KEY.sign_hash("request", digest)), "refuse", "the text names the object"),
        Case("by another key", given(signing_key("x").sign_hash("response", digest)), "refuse", "not the peer's key"),
    ]


def _invitation() -> Invitation:
    return Invitation(
        Genesis("Федерация", (id16("anchor"),), 1),
        ORG,
        id16("node"),
        KEY.public,
        seed("pin"),
        "https://node.example.org:8443",
        id16("secret"),
        STAMP,
    )


def _line(fields: Sequence[object], checksum: bytes | None = None) -> str:
    body = list(fields[:9])
    found = hashlib.sha256(pack(body)).digest()[:4] if checksum is None else checksum
    return "PASSPORT1-" + base64.urlsafe_b64encode(pack([*body, found, *fields[9:]])).decode().rstrip("=")


def _fields() -> list[object]:
    made = _invitation()
    return [1, made.genesis.to_bytes(), ORG, made.node, made.sign_key, made.pin, made.url, made.secret, made.expires]


def _text(text: str, now: int = STAMP - 1) -> dict[str, Json]:
    return {"text": text, "now_us": now}


def _invitation_cases() -> list[Case]:
    fields = _fields()
    good = _line(fields)
    made = _invitation()
    gives: dict[str, Json] = {
        "federation": made.genesis.id.hex(),
        "org": ORG.hex(),
        "node": made.node.hex(),
        "url": made.url,
        "expires": made.expires,
        "words": fingerprint_bytes(made).hex(),
    }
    broken = f"  {good[:30]}\n{good[30:90]}\r\n {good[90:]}\n"
    spaced = f"\u3000{good[:30]}\xa0{good[30:60]}\u2003\x1c{good[60:]}\x85"
    table: list[tuple[int, object, str]] = [
        (0, 2, "version 2"),
        (1, b"", "no genesis"),
        (1, None, "a genesis is binary"),
        (1, "a", "a genesis is binary"),
        (1, pack([1, "a", [], 1]), "a genesis that is refused"),
        (2, ORG[:15], "an org id is 16 bytes"),
        (3, None, "a node id is binary"),
        (3, id16("node")[:15], "a node id is 16 bytes"),
        (4, KEY.public[1:], "a key is 33 bytes"),
        (4, b"\1" + bytes(32), "a key of small order"),
        (5, seed("pin")[:20], "a pin is 32 bytes"),
        (6, "", "text is 1 to 256 bytes"),
        (6, "https://" + "a" * 249, "text is 1 to 256 bytes"),
        (7, id16("s") + b"\0", "a secret is 16 bytes"),
        (8, None, "an expiry is an unsigned integer"),
        (8, 2**63, "an integer must be below 2^63"),
    ]
    return [
        Case("good", _text(good), "accept", "not out of date", gives),
        Case("broken over lines", _text(broken), "accept", "white space is dropped", gives),
        Case("with spaces of Unicode", _text(spaced), "accept", "white space is dropped", gives),
        Case("with a zero-width space", _text(f"{good[:30]}\u200b{good[30:]}"), "refuse", "that is no space"),
        Case("at its expiry", _text(good, STAMP), "expired", "out of date at that moment"),
        Case("after its expiry", _text(good, STAMP + 1), "expired", "out of date"),
        *refusals(fields, table, lambda changed: _text(_line(changed))),
        *_mistyped(good, fields),
    ]


def _mistyped(good: str, fields: Sequence[object]) -> list[Case]:
    dashed = next(line for line in _variants() if "_" in line[10:] or "-" in line[10:])
    swapped = dashed[:10] + dashed[10:].replace("_", "/").replace("-", "+")
    spare = next(line for line in _variants() if len(line[10:]) % 4)
    last = chr(ord(spare[-1]) + 1) if spare[-1] in "AQgw" else spare[-1].swapcase()
    table = [
        ("first character altered", good[:10] + "A" + good[11:], "checksum or form"),
        ("last character altered", good[:-1] + ("A" if good[-1] != "A" else "E"), "checksum"),
        ("two characters swapped", good[:40] + good[41] + good[40] + good[42:], "checksum"),
        ("a character left out", good[:50] + good[51:], "checksum or form"),
        ("a character too many", good + "A", "checksum or form"),
        ("standard alphabet", swapped, "- and _, not + and /"),
        ("spare bits set", spare[:-1] + last, "base64 has one spelling"),
        ("padded", spare + "=" * (-len(spare[10:]) % 4), "no padding"),
        ("no prefix", good[10:], "the prefix is PASSPORT1-"),
        ("in small letters", good.lower(), "the prefix is PASSPORT1-"),
        ("prefix in small letters", good.replace("PASSPORT1-", "passport1-"), "case counts in the prefix"),
        ("something before the prefix", f"x{good}", "the prefix stands first"),
        ("prefix alone", "PASSPORT1-", "nothing follows"),
        ("prefix of another version", good.replace("PASSPORT1-", "PASSPORT2-"), "the prefix is PASSPORT1-"),
        ("a letter of another alphabet", good[:20] + "А" + good[21:], "ASCII only"),
        ("wrong checksum", _line(fields, b"\0\0\0\0"), "checksum"),
        ("checksum of three bytes", _line(fields, hashlib.sha256(pack(fields)).digest()[:3]), "checksum"),
        ("eleven values", _line([*fields, None]), "ten values"),
        ("over 4096 characters", good + "A" * 4096, "at most 4,096 characters"),
        ("empty", "", "the prefix is PASSPORT1-"),
    ]
    return [Case(f"mistyped, {name}", _text(text), "refuse", why) for name, text, why in table]


def _variants() -> list[str]:
    """Lines of every length modulo 4, most with both special characters."""
    return [_line(with_field(_fields(), 6, "https://node.example.org/" + "?" * count)) for count in range(6)]
