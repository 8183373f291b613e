"""Writes the frozen vectors of plates, serials, claims and device ids: `python -m tests.vectors.passport.generate`.

Inputs and expected plate texts stand here by hand; hashes and check characters come from the code, and the
conformance reader, which shares none of it, must find the same.
"""

import json
from pathlib import Path
from typing import Any  # vectors are JSON of any shape

import msgpack

from node.passport.claims import decode_claim
from node.passport.errors import PassportError
from node.passport.ids import CROCKFORD, SubjectId, format_device_id, parse_device_id
from node.passport.plate import DELETED, SEPARATORS, plate_text
from node.passport.serials import SerialPattern

FOLDER = Path(__file__).parent
LINE = "0f" * 16
LOG = "a1" * 16
RANDOM = "00112233445566778899aabbccddeeff"
LONGEST = "1" * 64

PLATES = [
    ("СГВ-15", "CГB-15", "Cyrillic"),
    ("CГB 15", "CГB-15", "Latin C and B, a space"),
    ("сгв-15", "CГB-15", "small Cyrillic"),
    ("АВЕКМНОРСТУХІЅЈ", "ABEKMHOPCTYXISJ", "every letter with a Latin look"),
    ("авекмнорстухіѕј", "ABEKMHOPCTYXISJ", "the same, small"),
    ("ABEKMHOPCTYXISJ", "ABEKMHOPCTYXISJ", "the same, Latin"),
    ("бгдёжзийлпфцчшщъыьэюя", "БГДЁЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯ", "every letter without one"),
    ("Ёё", "ЁЁ", "yo is a letter of its own"),
    ("\u0415\u0308", "Ё", "composed by normal form C"),
    ("\u0438\u0306", "Й", "composed by normal form C, small"),
    ("\u212a1", "K1", "the Kelvin sign is K in normal form C"),
    ("NOVA-1", "NOVA-1", "N is no label word here"),
    ("N-1", "N-1", "N is no label word here"),
    ("СВК 15-3", "CBK-15-3", "separators stay"),
    ("СВК 153", "CBK-153", "and are not the same"),
    ("12 2", "12-2", "a separator between digits"),
    ("  --12--  ", "12", "cut at both ends"),
    ("1 - / \\ . _ 2", "1-2", "one run"),
    ("00000000", "00000000", "zeros stay"),
    (LONGEST, LONGEST, "64 characters"),
    ("x" * 64, "X" * 64, "64 small letters"),
    (f"{LONGEST} ", LONGEST, "64 characters and a space"),
    *((f"1{chr(point)}2", "12", f"U+{point:04X} is deleted") for point in DELETED),
    *((f"1{chr(point)}2", "1-2", f"U+{point:04X} separates") for point in SEPARATORS),
]
BAD_PLATES = [
    ("", "nothing is left"),
    (" -./\\_ ", "nothing is left"),
    ("\u200b\ufeff", "nothing is left"),
    ("1" * 65, "65 characters"),
    ("12²", "U+00B2 is no plate character, and NFKC is not applied"),
    ("№ 12", "the label word is cut when the plate is filled in, not here"),
    ("12½", "U+00BD"),
    ("Їжак", "U+0407 has no capital in the table of letters"),
    ("Ünïcode", "letters with marks"),
    ("\u0418\u200b\u0306", "U+0306 stays after the deleted character kept it apart in normal form C"),
    ("12\u3014", "U+3014"),
    ("\uff11\uff12", "full-width digits"),
    ("\u0661\u0662", "Arabic digits"),
    ("1+1", "U+002B"),
    ("1,5", "U+002C"),
    ("12\u2016", "U+2016 stands after the dashes and is none"),
    ("12\u180e34", "U+180E is neither deleted nor a separator"),
    ("12\u200a\u2028", "U+2028 is no separator"),
    ("😀", "beyond the basic plane"),
    ("\u1e9e", "capital sharp s"),
    ("12\x00", "U+0000"),
]
SERIALS: list[tuple[dict[str, Any], str, str]] = [
    ({"pattern": "digits", "width": 8}, "0012345", "00012345"),
    ({"pattern": "digits", "width": 7}, "0012345", "0012345"),
    ({"pattern": "digits", "width": 7}, "12345", "0012345"),
    ({"pattern": "digits", "width": 7}, "00 12-345", "0012345"),
    ({"pattern": "digits", "width": 7}, "A12345", "0012345"),
    ({"pattern": "digits", "width": 0}, "0012345", "0012345"),
    ({"pattern": "digits", "width": 0}, "12345", "12345"),
    ({"pattern": "digits-digits", "width": 7}, "72/95118", "7295118"),
    ({"pattern": "digits-digits", "width": 7}, "72 95118", "7295118"),
    ({"pattern": "letter+digits", "width": 6}, "В123456", "B123456"),
    ({"pattern": "letter+digits", "width": 6}, "Г-123456", "Г123456"),
    ({"pattern": "letter+digits", "width": 6}, "Г12345", "0Г12345"),
    (
        {"pattern": "parts", "parts": [{"set": "latin", "count": 2}, {"characters": "01-", "count": 6}]},
        "ав 01-10",
        "AB-01-10",
    ),
    ({"pattern": "parts", "parts": [{"set": "any", "count": 4}]}, "Ж1", "00Ж1"),
]
BAD_SERIALS: list[tuple[dict[str, Any], str, str]] = [
    ({"pattern": "digits", "width": 7}, "12345678", "longer than the width"),
    ({"pattern": "digits", "width": 7}, "АБВ", "no character of the set"),
    ({"pattern": "digits", "width": 0}, "-", "no plate text"),
    ({"pattern": "letter+digits", "width": 6}, "AB123456", "longer than the width"),
    ({"pattern": "digits", "width": 7}, "12²", "no plate text"),
]
CLAIMS: list[tuple[list[Any], str]] = [
    (["line", LINE, "0012345", ""], "a line"),
    (["line", LINE, "0012345", "2026"], "a line that restarts"),
    (["line", LINE, "0012345", "", 2], "its twin"),
    (["line", LINE, "0012345", "", 2**63 - 1], "the last twin"),
    (["line", LINE, LONGEST, "0000"], "the longest serial"),
    (["line", LINE, "ЯЮЭ-15", ""], "Cyrillic in two bytes each"),
    (["approval", "grsi:999901", "NOVA-1", ""], "an approval"),
    (["approval", "grsi:7", "1", ""], "a short number"),
    (["local", LOG, RANDOM, ""], "something without a plate"),
    (["gs1", "04607812345679", "SN-1/a", ""], "GTIN-14 and AI 21"),
    (["gs1", "8004", "4607812345ABC", ""], "GIAI"),
    (["gs1", "8003", "04607812345679X1", ""], "GRAI"),
    (["iec61406", "", "https://Example.org/Q?a=B", ""], "a link, case kept"),
    (["iec61406", "", "HTTP://example.org/" + "x" * 236, ""], "255 bytes"),
]
BAD_CLAIMS: list[tuple[Any, str]] = [
    (["line", LINE, "0012345"], "three elements"),
    (["line", LINE, "0012345", "", 2, 3], "six elements"),
    ([], "no elements"),
    (["line", LINE, "0012345", None], "nil for a text"),
    (["line", LINE, 12345, ""], "a number for a text"),
    (["line", bytes.fromhex(LINE), "0012345", ""], "binary for a text"),
    (["line", [LINE], "0012345", ""], "an array for a text"),
    (["line", LINE, "0012345", True], "a boolean"),
    (["line", LINE, "0012345", "", 1], "a twin below 2"),
    (["line", LINE, "0012345", "", 0], "a twin below 2"),
    (["line", LINE, "0012345", "", -2], "a negative twin"),
    (["line", LINE, "0012345", "", 2**63], "a twin from 2**63"),
    (["line", LINE, "0012345", "", "2"], "a text for the twin"),
    (["line", LINE, "0012345", "", 2.0], "a float for the twin"),
    (["line", LINE, "0012345", "", True], "a boolean for the twin"),
    (["line", LINE, "0012345", "", None], "nil for the twin"),
    ({"line": LINE}, "a map"),
    ("line", "no array"),
    (msgpack.ExtType(1, b"line"), "an extension"),
    (["Line", LINE, "0012345", ""], "an unknown scheme"),
    (["", LINE, "0012345", ""], "an empty scheme"),
    (["line", LINE.upper(), "0012345", ""], "capital hex"),
    (["line", LINE[:-1], "0012345", ""], "half a byte missing"),
    (["line", "line:0001", "0012345", ""], "no hex"),
    (["line", LINE, "", ""], "an empty serial"),
    (["line", LINE, "1" * 65, ""], "65 characters"),
    (["line", LINE, "1" * 256, ""], "256 bytes"),
    (["line", LINE, "0012345 ", ""], "not in the spelling of plate text"),
    (["line", LINE, "В123456", ""], "Cyrillic letter with a Latin look"),
    (["line", LINE, "b123456", ""], "a small letter"),
    (["line", LINE, "1--2", ""], "a run of hyphens"),
    (["line", LINE, "12²", ""], "no plate character"),
    (["line", LINE, "0012345", "26"], "two digits of a year"),
    (["line", LINE, "0012345", "٢٠٢٦"], "digits of another script"),
    (["line", LINE, "0012345", "2026\n"], "a line end after the year"),
    (["approval", "grsi:999901-00", "1", ""], "the year suffix"),
    (["approval", "grsi:0999", "1", ""], "a zero first"),
    (["approval", "grsi:1234567", "1", ""], "seven digits"),
    (["approval", "999901", "1", ""], "no prefix"),
    (["approval", "grsi:999901", "1", "2026"], "a year"),
    (["local", LOG, RANDOM.upper(), ""], "capital hex"),
    (["local", LOG, RANDOM[:30], ""], "15 bytes"),
    (["local", LOG, RANDOM, "2026"], "a year"),
    (["gs1", "04607812345678", "1", ""], "a wrong check digit"),
    (["gs1", "4607812345679", "1", ""], "13 digits"),
    (["gs1", "04607812345679", "", ""], "an empty serial"),
    (["gs1", "04607812345679", "1" * 21, ""], "21 characters"),
    (["gs1", "04607812345679", "a b", ""], "a space is no character of set 82"),
    (["gs1", "8004", "1" * 31, ""], "31 characters"),
    (["gs1", "8003", "04607812345679", ""], "a GRAI without a serial is a kind of asset"),
    (["gs1", "8003", "14607812345676X", ""], "a GRAI begins with 0"),
    (["iec61406", "", "ftp://example.org/1", ""], "no http"),
    (["iec61406", "", "https://example.org/ж", ""], "not ASCII"),
    (["iec61406", "", "https://example.org/a b", ""], "a space"),
    (["iec61406", "", "https://", ""], "nothing after the scheme"),
    (["iec61406", "x", "https://example.org/1", ""], "an issuer"),
    (["iec61406", "", "HTTP://example.org/" + "x" * 237, ""], "256 bytes"),
]
SUBJECTS = ["00" * 16, "ff" * 16, RANDOM, "80" + "00" * 15, "0102030405060708090a0b0c0d0e0f10"]


def make() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """All vectors, by the name of their file."""
    return {"plate": _plates(), "serials": _serials(), "claims": _claims(), "ids": _ids()}


def dump(vectors: dict[str, list[dict[str, Any]]]) -> str:
    """The text of one file: ASCII, so that invisible characters can be seen."""
    return json.dumps(vectors, indent=1) + "\n"


def _plates() -> dict[str, list[dict[str, Any]]]:
    for text, expected, note in PLATES:
        assert plate_text(text) == expected, note
    return {
        "accept": [{"text": text, "plate_text": expected, "note": note} for text, expected, note in PLATES],
        "refuse": [{"text": text, "reason": reason} for text, reason in BAD_PLATES],
    }


def _serials() -> dict[str, list[dict[str, Any]]]:
    accept = []
    for pattern, serial, expected in SERIALS:
        parsed = SerialPattern.from_bytes(json.dumps(pattern).encode())
        assert parsed.canonical(serial) == expected, (pattern, serial)
        accept.append({**_set_and_width(parsed), "pattern": pattern, "text": serial, "serial": expected})
    refuse = [
        {**_set_and_width(SerialPattern.from_bytes(json.dumps(pattern).encode())), "pattern": pattern}
        | {"text": serial, "reason": reason}
        for pattern, serial, reason in BAD_SERIALS
    ]
    return {"accept": accept, "refuse": refuse}


def _set_and_width(pattern: SerialPattern) -> dict[str, Any]:
    return {"set": "".join(sorted(pattern.characters)), "width": pattern.total}


def _claims() -> dict[str, list[dict[str, Any]]]:
    accept = []
    for elements, note in CLAIMS:
        raw = msgpack.packb(elements)
        subject = decode_claim(raw).subject
        named = dict(zip(("scheme", "issuer", "serial", "year", "twin"), elements, strict=False))
        accept.append({"claim": raw.hex(), **named, "subject": subject.hex, "id": str(subject), "note": note})
    refuse = [{"claim": msgpack.packb(value).hex(), "reason": reason} for value, reason in BAD_CLAIMS]
    return {
        "accept": accept,
        "refuse": refuse + [{"claim": raw.hex(), "reason": reason} for raw, reason in _noncanonical()],
    }


def _noncanonical() -> list[tuple[bytes, str]]:
    good = msgpack.packb(["line", LINE, "0012345", ""])
    head, serial = good[:1], msgpack.packb("0012345")
    return [
        (b"", "no bytes"),
        (good + b"\x00", "a byte after the value"),
        (good[:-1], "cut short"),
        (b"\xdc\x00\x04" + good[1:], "a longer form of the array"),
        (head + b"\xd9\x04line" + good[6:], "a longer form of a text"),
        (good.replace(serial, b"\xda\x00\x07" + serial[1:]), "a longer form of a text"),
        (msgpack.packb(["line", LINE, "0012345", "", 2])[:-1] + b"\xcc\x02", "a longer form of the twin"),
        (msgpack.packb(["line", LINE, "0012345", "", 2])[:-1] + b"\xd0\x02", "a signed form of the twin"),
        (good.replace(b"0012345", b"001234\xff"), "a text that is not UTF-8"),
        (b"\xc1", "a byte that msgpack does not use"),
    ]


def _ids() -> dict[str, list[dict[str, Any]]]:
    accept = [
        {"text": text, "subject": subject, "id": format_device_id(SubjectId(bytes.fromhex(subject)))}
        for subject in SUBJECTS
        for text in _spellings(format_device_id(SubjectId(bytes.fromhex(subject))))
    ]
    whole = format_device_id(SubjectId(bytes.fromhex(RANDOM)))
    return {"accept": accept, "refuse": [{"text": text, "reason": reason} for text, reason in _slips(whole)]}


def _spellings(text: str) -> list[str]:
    return [
        text,
        text.lower(),
        text.replace("-", ""),
        " ".join(text[at : at + 4] for at in range(0, len(text), 4)),
        text.replace("-", "\u2013").replace("1", "l").replace("0", "o"),
        f"\u00a0{text.replace('1', 'I').replace('0', 'O')}\n",
    ]


def _slips(whole: str) -> list[tuple[str, str]]:
    slips = [
        ("", "nothing"),
        ("EPP1-", "nothing after the prefix"),
        (whole[5:], "no prefix"),
        (whole.replace("EPP1", "EPP2"), "another version"),
        (whole[:-1], "a character missing"),
        (f"{whole}0", "a character too many"),
        (whole[:5] + "8" + whole[6:], "the first character is above 7"),
        (whole[:9] + "U" + whole[10:], "U"),
        (whole[:9] + "*" + whole[10:], "no character of base32"),
        (whole[:9] + "А" + whole[10:], "a Cyrillic letter"),
        (whole[:5] + "\u0661" + whole[6:], "a digit of another script"),
        (whole[:-2] + "ZZ", "a check of 1021 or more"),
        (whole.replace("-", "."), "a full stop is no hyphen"),
    ]
    for at in range(5, len(whole), 9):
        other = CROCKFORD[(CROCKFORD.index(whole[at]) + 1) % 32]
        slips.append((whole[:at] + other + whole[at + 1 :], f"a slip at character {at}"))
    for at in range(6, len(whole) - 1, 9):
        if whole[at] != whole[at + 1]:
            swapped = whole[:at] + whole[at + 1] + whole[at] + whole[at + 2 :]
            slips.append((swapped, f"characters {at} and {at + 1} swapped"))
    for text, reason in slips:
        try:
            parse_device_id(text)
        except PassportError:
            continue
        raise AssertionError(reason)
    return slips


if __name__ == "__main__":
    for name, vectors in make().items():
        (FOLDER / f"{name}.json").write_text(dump(vectors), encoding="utf-8")
