"""Vectors of boxes: the code, the number under which a box is offered, and a claim."""

from federation.keys import SigningKey
from federation.sync.claiming import Claim, Claimed, Outcome, claim_hash
from node.passport.boxes import BoxCode, box_number
from tests.builders import id16
from tests.vectors.protocol.case import Case, Json, VectorFile, flip, pack, with_field

CODE = BoxCode(id16("code"))
SELLER, CLAIMANT = id16("seller"), id16("claimant")


def files() -> list[VectorFile]:
    """The files of this module."""
    return [
        VectorFile("box-code", _code_cases()),
        VectorFile("claim-asked", _claim_cases()),
        VectorFile("claimed", _answer_cases()),
    ]


def _code_cases() -> list[Case]:
    text = CODE.text
    swapped = text[:8] + text[9] + text[8] + text[10:]
    good = [
        ("as it is printed", text, CODE),
        ("in groups and small", " ".join(text[at : at + 4] for at in range(0, 33, 4)).lower(), CODE),
        ("zeros", BoxCode(bytes(16)).text, BoxCode(bytes(16))),
        ("ones, with letters for digits", BoxCode(b"\xff" * 16).text.replace("1", "l"), BoxCode(b"\xff" * 16)),
    ]
    wrong = [
        ("one character off", text[:-3] + ("0" if text[-3] != "0" else "2") + text[-2:], "the check does not agree"),
        ("two characters swapped", swapped, "the check does not agree"),
        ("a device id", text.replace("BOX1", "EPP1"), "a code begins with BOX1"),
        ("too short", text[:-1], "28 characters"),
        ("128 bits exceeded", "BOX1-8" + text[6:], "the first is 0 to 7"),
        ("nothing", "", "a code begins with BOX1"),
    ]
    return [
        *(Case(name, {"text": typed}, "accept", "4.4 with BOX1", _gives(code)) for name, typed, code in good),
        *(Case(name, {"text": typed}, "refuse", why) for name, typed, why in wrong),
    ]


def _gives(code: BoxCode) -> dict[str, Json]:
    return {"code": code.raw.hex(), "key": code.key.public.hex(), "number": code.number}


def _claim_cases() -> list[Case]:
    claim = Claim.signed("id", id16("device").hex(), CODE.key, SELLER, CLAIMANT)
    fields: list[object] = [claim.scheme, claim.value, claim.key, claim.signature]
    other = SigningKey.from_seed(bytes(32))
    number: dict[str, Json] = {"number": box_number(claim.key), "hash": claim_hash(SELLER, CLAIMANT).hex()}
    wrong: list[tuple[str, bytes, str]] = [
        ("a bit of the signature", pack(with_field(fields, 3, flip(claim.signature))), "signed by the key"),
        ("another key", pack(with_field(fields, 2, other.public)), "signed by the key"),
        ("a signature without its algorithm", pack(with_field(fields, 3, claim.signature[1:])), "65 bytes"),
        ("a key of another algorithm", pack(with_field(fields, 2, b"\x02" + claim.key[1:])), "Ed25519"),
        ("a small-order key", pack(with_field(fields, 2, b"\x01" + b"\x01" + bytes(31))), "1.4"),
        ("no scheme", pack(with_field(fields, 0, "")), "1 to 64 bytes"),
        ("a scheme of 65 bytes", pack(with_field(fields, 0, "i" * 65)), "1 to 64 bytes"),
        ("five fields", pack([*fields, None]), "four fields"),
        ("nothing", b"", "canonical msgpack"),
    ]
    good = _asked(claim.to_bytes())
    return [
        Case("a claim", good, "accept", "10.2", number),
        Case("of somebody else", {**good, "claimant": SELLER.hex()}, "refuse", "it names the claimant"),
        Case("at somebody else", {**good, "seller": CLAIMANT.hex()}, "refuse", "it names the seller"),
        *(Case(name, _asked(raw), "refuse", why) for name, raw, why in wrong),
    ]


def _asked(raw: bytes) -> dict[str, Json]:
    return {"asked": raw.hex(), "seller": SELLER.hex(), "claimant": CLAIMANT.hex()}


def _answer_cases() -> list[Case]:
    good = [Claimed(Outcome.DONE, id16("shipment")), *(Claimed(one) for one in Outcome if one is not Outcome.DONE)]
    wrong: list[tuple[str, list[object]]] = [
        ("done without a shipment", [0, None]),
        ("a shipment that is not done", [2, id16("shipment")]),
        ("an unknown outcome", [6, None]),
        ("a short shipment", [0, bytes(15)]),
        ("one field", [1]),
    ]
    return [
        *(Case(one.outcome.name.lower(), {"section": one.to_bytes().hex()}, "accept", "10.2") for one in good),
        *(Case(name, {"section": pack(value).hex()}, "refuse", "10.2") for name, value in wrong),
    ]
