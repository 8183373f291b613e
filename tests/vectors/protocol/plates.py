"""Vectors of what is read off a plate: plate text, and the serial of a line."""

from tests.vectors.protocol.case import Case, Json, VectorFile

# Spelled out here, and in docs/protocol.md, apart from the tables of the product.
DELETED = (0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF)
SPACES = (*range(0x0009, 0x000E), 0x0020, 0x00A0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
HYPHENS = (0x002D, *range(0x2010, 0x2016), 0x2212)
SEPARATORS = (*SPACES, *HYPHENS, 0x002E, 0x002F, 0x005C, 0x2044, 0x2215, 0x005F)
DIGITS = "0123456789"
LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CYRILLIC = "БГДЁЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯ"
LONGEST = "1" * 64

PLATES = [
    ("СГВ-15", "CГB-15", "Cyrillic"),
    ("CГB 15", "CГB-15", "Latin C and B, a space"),
    ("сгв-15", "CГB-15", "small Cyrillic"),
    ("АВЕКМНОРСТУХІЅЈ", "ABEKMHOPCTYXISJ", "every letter with a Latin look"),
    ("авекмнорстухіѕј", "ABEKMHOPCTYXISJ", "every letter with a Latin look, small"),
    ("ABEKMHOPCTYXISJ", "ABEKMHOPCTYXISJ", "every letter with a Latin look, in Latin"),
    ("бгдёжзийлпфцчшщъыьэюя", CYRILLIC, "every letter without one, small"),
    (CYRILLIC, CYRILLIC, "every letter without one"),
    (LATIN.lower(), LATIN, "every Latin letter, small"),
    (f"{LATIN}{DIGITS}", f"{LATIN}{DIGITS}", "every Latin letter and digit"),
    ("Ёё", "ЁЁ", "yo is a letter of its own"),
    ("\u0415\u0308", "Ё", "composed by normal form C"),
    ("\u0438\u0306", "Й", "composed by normal form C, small"),
    ("\u212a1", "K1", "the Kelvin sign is K in normal form C"),
    ("NOVA-1", "NOVA-1", "N is no label word here"),
    ("N-1", "N-1", "N is no label word here, before a hyphen"),
    ("СВК 15-3", "CBK-15-3", "separators stay"),
    ("СВК 153", "CBK-153", "and are not the same"),
    ("12 2", "12-2", "a separator between digits"),
    ("  --12--  ", "12", "cut at both ends"),
    ("1 - / \\ . _ 2", "1-2", "one run"),
    ("1-\u200b-2", "1-2", "a run around a deleted character"),
    ("00000000", "00000000", "zeros stay"),
    (LONGEST, LONGEST, "64 characters"),
    ("Я" * 64, "Я" * 64, "64 characters of two bytes"),
    ("x" * 64, "X" * 64, "64 small letters"),
    (f"{LONGEST} ", LONGEST, "64 characters and a space"),
    *((f"1{chr(point)}2", "12", f"U+{point:04X} is deleted") for point in DELETED),
    *((f"1{chr(point)}2", "1-2", f"U+{point:04X} separates") for point in SEPARATORS),
]
BAD_PLATES = [
    ("", "the empty text"),
    (" -./\\_ ", "separators alone"),
    ("\u200b\ufeff", "deleted characters alone"),
    ("1" * 65, "65 characters"),
    (f"{'1' * 63}-2", "65 characters with the hyphen"),
    ("12²", "U+00B2 is no plate character, and NFKC is not applied"),
    ("№ 12", "the label word is cut when the plate is filled in, not here"),
    ("12½", "U+00BD"),
    ("Їжак", "U+0407 is not in the table of letters"),
    ("Ў", "U+040E is composed and not in the table of letters"),
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
    ("12\x1f34", "U+001F is no separator"),
    ("12\x8534", "U+0085 is no separator"),
    ("😀", "beyond the basic plane"),
    ("\u1e9e", "capital sharp s"),
    ("ß", "small sharp s: other capitals than those of the table are not made"),
    ("\u017f", "long s"),
    ("\u0131", "small i without its dot"),
    ("ї", "U+0457 has no capital in the table"),
    ("Α", "a Greek letter with a Latin look"),
    ("Ԁ", "a Cyrillic letter of another alphabet"),
    ("12\x00", "U+0000"),
    ("12\n\u2029", "U+2029 is no separator"),
]
SERIALS = [
    (DIGITS, 8, "0012345", "00012345", "padded with one zero"),
    (DIGITS, 7, "0012345", "0012345", "as wide as the line"),
    (DIGITS, 7, "12345", "0012345", "padded with two zeros"),
    (DIGITS, 7, "00 12-345", "0012345", "separators are not in the set"),
    (DIGITS, 7, "A12345", "0012345", "a letter is not in the set"),
    (DIGITS, 7, "00000000012-", None, "longer than the width, zeros count"),
    (DIGITS, 0, "0012345", "0012345", "any length, zeros stay"),
    (DIGITS, 0, "12345", "12345", "any length is not padded"),
    (DIGITS, 0, LONGEST, LONGEST, "any length, the longest"),
    (DIGITS, 64, "1", "1".rjust(64, "0"), "the widest line"),
    (DIGITS + LATIN + CYRILLIC, 7, "В123456", "B123456", "a Cyrillic letter with a Latin look"),
    (DIGITS + LATIN + CYRILLIC, 7, "Г-123456", "Г123456", "a Cyrillic letter without one"),
    (DIGITS + LATIN + CYRILLIC, 7, "Г12345", "0Г12345", "padded before the letter"),
    ("-01AB", 8, "ав 01-10", "AB-01-10", "the hyphen is in the set"),
    ("-01AB", 8, "ав 2-2 10", "000AB-10", "hyphens that come together are joined"),
    ("-01AB", 8, "2-АВ-01-2", "000AB-01", "hyphens that come to the ends are cut"),
    ("-0", 2, "1-2", None, "nothing but a hyphen is left"),
    (DIGITS, 7, "12345678", None, "longer than the width"),
    (DIGITS, 7, "АБВ", None, "no character of the set"),
    (DIGITS, 0, "-", None, "no plate text as read"),
    (DIGITS + LATIN + CYRILLIC, 7, "AB123456", None, "longer than the width, with letters"),
    (DIGITS, 7, "12²", None, "no plate text as read, a character of none"),
    (DIGITS, 0, "1" * 65, None, "no plate text as read, 65 characters"),
    (DIGITS, 0, f"{'A' * 60}12345", None, "65 characters as read, of which 5 are in the set"),
]


def files() -> list[VectorFile]:
    """The files of this module."""
    return [VectorFile("plate-text", _plates()), VectorFile("serial", _serials())]


def _plates() -> list[Case]:
    return [
        *(Case(why, {"text": text}, "accept", why, {"plate_text": plate}) for text, plate, why in PLATES),
        *(Case(why, {"text": text}, "refuse", why) for text, why in BAD_PLATES),
    ]


def _serials() -> list[Case]:
    cases = []
    for characters, width, text, serial, why in SERIALS:
        given: dict[str, Json] = {"set": characters, "width": width, "text": text}
        gives: dict[str, Json] | None = None if serial is None else {"serial": serial}
        cases.append(Case(why, given, "refuse" if serial is None else "accept", why, gives))
    return cases
