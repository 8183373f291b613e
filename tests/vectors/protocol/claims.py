"""Vectors of identity claims, device ids and the links on labels."""

import hashlib
from typing import Any  # a refused claim is of any shape

import msgpack

from tests.vectors.protocol.case import Case, VectorFile, pack
from tests.vectors.protocol.plates import HYPHENS, LONGEST, SPACES

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LINE = "0f" * 16
LOG = "a1" * 16
RANDOM = "00112233445566778899aabbccddeeff"
GTIN = "04607812345679"
SET82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

CLAIMS: list[tuple[list[Any], str]] = [
    (["line", LINE, "0012345", ""], "a line"),
    (["line", LINE, "0012345", "2026"], "a line that restarts"),
    (["line", LINE, "0012345", "", 2], "its twin"),
    (["line", LINE, "0012345", "2026", 3], "a twin of a line that restarts"),
    (["line", LINE, "0012345", "", 2**63 - 1], "the last twin"),
    (["line", LINE, LONGEST, "0000"], "the longest serial"),
    (["line", LINE, "Я" * 64, ""], "the longest serial in bytes"),
    (["line", LINE, "ЯЮЭ-15", ""], "Cyrillic in two bytes each"),
    (["approval", "grsi:999901", "NOVA-1", ""], "an approval"),
    (["approval", "grsi:7", "1", ""], "a short number"),
    (["approval", "grsi:7", "1", "", 2], "a twin of an approval"),
    (["local", LOG, RANDOM, ""], "something without a plate"),
    (["gs1", GTIN, "SN-1/a", ""], "GTIN-14 and AI 21"),
    (["gs1", GTIN, "1" * 20, ""], "the longest AI 21"),
    (["gs1", "10614141543219", "1", ""], "a GTIN-14 of a package"),
    *((["gs1", "8004", part, ""], f"set 82 from {part[0]}") for part in (SET82[:30], SET82[30:60], SET82[60:])),
    (["gs1", "8004", "4607812345ABC", ""], "GIAI"),
    (["gs1", "8003", f"{GTIN}X1", ""], "GRAI"),
    (["gs1", "8003", f"{GTIN}{'9' * 16}", ""], "the longest GRAI"),
    (["iec61406", "", "https://Example.org/Q?a=B", ""], "a link, case kept"),
    (["iec61406", "", "http://!~", ""], "the first and the last visible character"),
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
    (["line", LINE, "0012345", "", 1], "a twin of number 1"),
    (["line", LINE, "0012345", "", 0], "a twin of number 0"),
    (["line", LINE, "0012345", "", -2], "a negative twin"),
    (["line", LINE, "0012345", "", 2**63], "a twin from 2**63"),
    (["line", LINE, "0012345", "", "2"], "a text for the twin"),
    (["line", LINE, "0012345", "", 2.0], "a float for the twin"),
    (["line", LINE, "0012345", "", True], "a boolean for the twin"),
    (["line", LINE, "0012345", "", None], "nil for the twin"),
    ({"line": LINE}, "a map"),
    ("line", "no array"),
    (msgpack.ExtType(1, b"line"), "an extension"),
    (["Line", LINE, "0012345", ""], "a scheme in capitals"),
    (["plate", LINE, "0012345", ""], "an unknown scheme"),
    (["", LINE, "0012345", ""], "an empty scheme"),
    (["line", LINE.upper(), "0012345", ""], "capital hex of a line"),
    (["line", LINE[:-1], "0012345", ""], "half a byte of a line missing"),
    (["line", f"{LINE}0f", "0012345", ""], "17 bytes of a line"),
    (["line", "line:0001", "0012345", ""], "no hex"),
    (["line", "", "0012345", ""], "no line"),
    (["line", LINE, "", ""], "an empty serial of a line"),
    (["line", LINE, "1" * 65, ""], "65 characters"),
    (["line", LINE, "1" * 256, ""], "256 bytes of a serial"),
    (["line", LINE, "0012345 ", ""], "not in the spelling of plate text"),
    (["line", LINE, "0012345\n", ""], "a line end after the serial"),
    (["line", LINE, "В123456", ""], "Cyrillic letter with a Latin look"),
    (["line", LINE, "b123456", ""], "a small letter"),
    (["line", LINE, "\u0415\u0308", ""], "not in normal form C"),
    (["line", LINE, "1--2", ""], "a run of hyphens"),
    (["line", LINE, "-12", ""], "a hyphen first"),
    (["line", LINE, "12-", ""], "a hyphen last"),
    (["line", LINE, "-", ""], "a hyphen alone"),
    (["line", LINE, "12²", ""], "no plate character"),
    (["line", LINE, "0012345", "26"], "two digits of a year"),
    (["line", LINE, "0012345", "02026"], "five digits of a year"),
    (["line", LINE, "0012345", "202O"], "a letter in the year"),
    (["line", LINE, "0012345", "٢٠٢٦"], "digits of another script"),
    (["line", LINE, "0012345", "2026\n"], "a line end after the year"),
    (["approval", "grsi:999901-00", "1", ""], "the year suffix"),
    (["approval", "grsi:0999", "1", ""], "a zero first"),
    (["approval", "grsi:", "1", ""], "no number"),
    (["approval", "grsi:1234567", "1", ""], "seven digits"),
    (["approval", "999901", "1", ""], "no prefix"),
    (["approval", "GRSI:999901", "1", ""], "a prefix in capitals"),
    (["approval", "grsi:999901", "1", "2026"], "a year of an approval"),
    (["approval", "grsi:999901", "nova", ""], "an approval with small letters"),
    (["approval", "grsi:999901", "", ""], "an approval without a serial"),
    (["local", LOG, RANDOM.upper(), ""], "capital hex"),
    (["local", LOG.upper(), RANDOM, ""], "capital hex of a log"),
    (["local", LOG, RANDOM[:30], ""], "15 bytes"),
    (["local", LOG, f"{RANDOM}00", ""], "17 bytes"),
    (["local", LOG[:30], RANDOM, ""], "15 bytes of a log"),
    (["local", LOG, RANDOM, "2026"], "a year of something without a plate"),
    (["gs1", "04607812345678", "1", ""], "a wrong check digit"),
    (["gs1", "04607812345697", "1", ""], "the last two digits swapped"),
    (["gs1", "4607812345679", "1", ""], "13 digits"),
    (["gs1", "004607812345679", "1", ""], "15 digits"),
    (["gs1", "4607812345673", "1", ""], "13 digits that sum up"),
    (["gs1", "004607812345673", "1", ""], "15 digits that sum up"),
    (["gs1", "", "1", ""], "no GTIN"),
    (["gs1", "8005", "1", ""], "another AI"),
    (["gs1", "٠٤٦٠٧٨١٢٣٤٥٦٧٩", "1", ""], "a GTIN in digits of another script"),
    (["gs1", GTIN, "", ""], "an empty serial of gs1"),
    (["gs1", GTIN, "1" * 21, ""], "21 characters"),
    (["gs1", GTIN, "a b", ""], "a space is no character of set 82"),
    *((["gs1", "8004", f"a{mark}", ""], f"{mark} is no character of set 82") for mark in "#$@[\\]^`{|}~"),
    (["gs1", GTIN, "ж", ""], "set 82 is ASCII"),
    (["gs1", GTIN, "1\n", ""], "a line end after AI 21"),
    (["gs1", GTIN, "1", "2026"], "a year of gs1"),
    (["gs1", "8004", "", ""], "an empty GIAI"),
    (["gs1", "8004", "1" * 31, ""], "31 characters"),
    (["gs1", "8004", "1", "2026"], "a year of a GIAI"),
    (["gs1", "8003", GTIN, ""], "a GRAI without a serial is a kind of asset"),
    (["gs1", "8003", "14607812345676X", ""], "a GRAI begins with 0"),
    (["gs1", "8003", "04607812345678X", ""], "a GRAI with a wrong check digit"),
    (["gs1", "8003", "0460781234567AX", ""], "a GRAI with a letter for its check digit"),
    (["gs1", "8003", "0٤٦٠٧٨١٢٣٤٥٦٧٩X", ""], "a GRAI in digits of another script"),
    (["gs1", "8003", f"{GTIN}{'9' * 17}", ""], "a GRAI of 31 characters"),
    (["gs1", "8003", f"{GTIN}X", "2026"], "a year of a GRAI"),
    (["iec61406", "", "ftp://example.org/1", ""], "no http"),
    (["iec61406", "", "http\u017f://example.org/1", ""], "a long s, of which the capital is S"),
    (["iec61406", "", "https:/example.org/1", ""], "one slash"),
    (["iec61406", "", " https://example.org/1", ""], "a space before"),
    (["iec61406", "", "https://example.org/ж", ""], "not ASCII"),
    (["iec61406", "", "https://example.org/a b", ""], "a space"),
    (["iec61406", "", "https://example.org/\x7f", ""], "a control character"),
    (["iec61406", "", "https://example.org/1\n", ""], "a line end"),
    (["iec61406", "", "https://", ""], "nothing after the scheme"),
    (["iec61406", "", "", ""], "no link"),
    (["iec61406", "x", "https://example.org/1", ""], "an issuer"),
    (["iec61406", "", "https://example.org/1", "2026"], "a year of a link"),
    (["iec61406", "", "HTTP://example.org/" + "x" * 237, ""], "256 bytes"),
]
SUBJECTS = ["00" * 16, "ff" * 16, RANDOM, "80" + "00" * 15, "0102030405060708090a0b0c0d0e0f10"]


def files() -> list[VectorFile]:
    """The files of this module."""
    return [
        VectorFile("claim", _claims()),
        VectorFile("device-id", _device_ids()),
        VectorFile("label", _labels()),
    ]


def device_id(subject: str) -> str:
    """The device id of a subject in hex."""
    number = int(subject, 16)
    digits = [number >> 5 * place & 31 for place in range(25, -1, -1)]
    return "EPP1-" + "".join(CROCKFORD[digit] for digit in [*digits, *divmod(number % 1021, 32)])


def _claims() -> list[Case]:
    cases = []
    for elements, why in CLAIMS:
        raw = pack(elements)
        subject = hashlib.sha256(b"passport/id/1\n" + raw).hexdigest()[:32]
        cases.append(Case(why, {"claim": raw.hex()}, "accept", why, {"subject": subject}))
    refused = [*((pack(value), why) for value, why in BAD_CLAIMS), *_noncanonical()]
    return cases + [Case(why, {"claim": raw.hex()}, "refuse", why) for raw, why in refused]


def _noncanonical() -> list[tuple[bytes, str]]:
    good, twin = pack(["line", LINE, "0012345", ""]), pack(["line", LINE, "0012345", "", 2])
    serial = pack("0012345")
    return [
        (b"", "no bytes"),
        (good + b"\x00", "a byte after the value"),
        (good[:-1], "cut short"),
        (b"\xdc\x00\x04" + good[1:], "a longer form of the array"),
        (good[:1] + b"\xd9\x04line" + good[6:], "a longer form of the scheme"),
        (good.replace(serial, b"\xda\x00\x07" + serial[1:]), "a longer form of the serial"),
        (twin[:-1] + b"\xcc\x02", "a longer form of the twin"),
        (twin[:-1] + b"\xd0\x02", "a signed form of the twin"),
        (good.replace(b"0012345", b"001234\xff"), "a text that is not UTF-8"),
        (b"\xc1", "a byte that msgpack does not use"),
    ]


def _device_ids() -> list[Case]:
    cases = [
        Case(f"{subject}, {way}", {"text": text}, "accept", way, {"subject": subject, "id": device_id(subject)})
        for subject in SUBJECTS
        for way, text in _spellings(device_id(subject)).items()
    ]
    whole = device_id(RANDOM)
    cases += [
        Case(f"U+{point:04X} is dropped", {"text": f"{whole[:9]}{chr(point)}{whole[9:]}"}, "accept",
             "spaces and hyphens count nothing", {"subject": RANDOM, "id": whole})
        for point in (*SPACES, *HYPHENS)
    ]  # fmt: skip
    return cases + [Case(why, {"text": text}, "refuse", why) for text, why in _slips(whole)]


def _spellings(text: str) -> dict[str, str]:
    return {
        "as it is written": text,
        "in small letters": text.lower(),
        "without its hyphen": text.replace("-", ""),
        "in groups of four": " ".join(text[at : at + 4] for at in range(0, len(text), 4)),
        "small l and o for 1 and 0": text.replace("-", "\u2013").replace("1", "l").replace("0", "o"),
        "capital I and O for 1 and 0": f"\u00a0{text.replace('1', 'I').replace('0', 'O')}\n",
        "capital L and small i for 1": f"{text[:8].replace('1', 'L')}{text[8:].replace('1', 'i')}",
    }


def _slips(whole: str) -> list[tuple[str, str]]:
    slips = [
        ("", "nothing"),
        ("EPP1-", "nothing after the prefix"),
        (whole[5:], "no prefix"),
        (whole.replace("EPP1", "EPP2"), "another version"),
        (whole.replace("EPP1", "ЕРР1"), "the prefix in Cyrillic"),
        (whole[:-1], "a character missing"),
        (f"{whole}0", "a character too many"),
        (f"{whole[:5]}0{whole[5:]}", "a zero too many in front"),
        (_checked(1 << 128), "2^128 with its check"),
        (whole[:5] + "8" + whole[6:], "the first character is above 7"),
        (whole[:9] + "U" + whole[10:], "U"),
        (whole[:9] + "*" + whole[10:], "no character of base32"),
        (whole[:9] + "А" + whole[10:], "a Cyrillic letter"),
        (whole[:5] + "\u0661" + whole[6:], "a digit of another script"),
        (whole[:-2] + "ZZ", "a check of 1023"),
        (device_id("00" * 16)[:-2] + "ZX", "a check of 1021 where it should be 0"),
        (whole.replace("-", "."), "a full stop is no hyphen"),
        (whole.replace("-", "_"), "a low line is no hyphen"),
        (whole.replace("-", "\u200b"), "U+200B is no space"),
        (f"https://maker.example/d/{whole}", "the whole link of a label"),
    ]
    for at in range(5, len(whole), 9):
        other = CROCKFORD[(CROCKFORD.index(whole[at]) + 1) % 32]
        slips.append((whole[:at] + other + whole[at + 1 :], f"a slip at character {at}"))
    for at in range(6, len(whole) - 1, 9):
        if whole[at] != whole[at + 1]:
            swapped = whole[:at] + whole[at + 1] + whole[at] + whole[at + 2 :]
            slips.append((swapped, f"characters {at} and {at + 1} swapped"))
    return slips


def _checked(number: int) -> str:
    return device_id(f"{number:x}")


def _labels() -> list[Case]:
    whole = device_id(RANDOM)
    accepted = [
        (f"https://maker.example/d/{whole}", "as a label carries it"),
        (f"http://maker.example/d/{whole}", "http"),
        (f"HTTPS://Maker.Example/d/{whole}", "capitals that a phone made"),
        (f"hTtP://maker.example/d/{whole.lower()}", "small letters in the device id"),
        (f"https://maker.example:8443/d/{whole}", "a port"),
        (f"https://maker.example/d/{whole}/", "a slash at the end"),
        (f"https://maker.example/d/{whole}?from=scan", "a query"),
        (f"https://maker.example/d/{whole}/?from=scan#a/d/b?c", "a slash, a query and a fragment"),
        (f"https://maker.example/d/{whole}#top", "a fragment"),
        (f"https://{'a' * 253}/d/{whole}", "a domain of 253 characters"),
        (f" \u3000https://maker.example/d/{whole}\n", "white space at both ends"),
    ]
    refused = [
        ("", "nothing"),
        (whole, "a device id alone"),
        (f"ftp://maker.example/d/{whole}", "no http"),
        (f"httpx://maker.example/d/{whole}", "a longer scheme"),
        (f"http\u017f://maker.example/d/{whole}", "a long s"),
        (f"https:///d/{whole}", "no domain"),
        (f"https://{'a' * 254}/d/{whole}", "a domain of 254 characters"),
        (f"see https://maker.example/d/{whole}", "a word before the link"),
        (f"https://maker.example?x/d/{whole}", "a question mark in the domain"),
        (f"https://maker.example#x/d/{whole}", "a number sign in the domain"),
        (f"https://user@maker.example/d/{whole}", "a user"),
        (f"https://maker.example:/d/{whole}", "a colon without a port"),
        (f"https://maker.example:123456/d/{whole}", "a port of six digits"),
        (f"https://maker.example:http/d/{whole}", "a port in letters"),
        (f"https://maker.example/x/{whole}", "another path"),
        (f"https://maker.example/D/{whole}", "a capital in the path"),
        (f"https://maker.example/a/d/{whole}", "a longer path"),
        (f"https://maker.example/d/{whole}/a", "a path after the device id"),
        (f"https://maker.example/d/{whole}//", "two slashes at the end"),
        ("https://maker.example/d/", "no device id"),
        (f"https://maker.example/d/{whole[:-1]}", "a device id with a character missing"),
        (f"https://maker.example/?/d/{whole}", "a device id in the query"),
    ]
    found = {"subject": RANDOM, "id": whole}
    return [
        *(Case(why, {"text": text}, "accept", why, found) for text, why in accepted),
        *(Case(why, {"text": text}, "refuse", why) for text, why in refused),
    ]
