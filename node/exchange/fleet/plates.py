"""Designation, mark and serial out of the texts in which people keep them together."""

import re
from collections.abc import Callable

from node.passport.errors import PlateError
from node.passport.lines import Lines
from node.passport.plate import comparison_text, cut_label, plate_text

LONGEST_DEVICE = 128
NO_SERIAL = frozenset(
    {
        *("б/н", "бн", "б.н.", "без номера", "без №", "нет номера", "номера нет", "не читается", "нечитаем", "стёрт"),
        *("стерт", "неизвестен", "неизвестно", "не виден", "unknown", "unreadable", "illegible", "no number", "без н"),
        *("уточнить", "уточняется", "tbd"),
    }
)
# What is typed to get past a form.
PLACEHOLDERS = frozenset(
    {
        *("12345678", "123456789", "1234567890", "0123456789"),
        *(digit * n for digit in "123456789" for n in range(5, 16)),
    }
)
# Letters that are typed for digits, and the digits.
_LOOKS = {"O": "0", "О": "0", "I": "1", "З": "3", "Б": "6", "B": "8", "L": "1", "S": "5"}
DIGIT_LOOKS = str.maketrans(_LOOKS)

_GENERIC = re.compile(
    r"^(?:(?:счетчик|счётчик|водосчетчик|водосчётчик|теплосчетчик|теплосчётчик|электросчетчик|электросчётчик|прибор|"
    r"водомер|сч|meter|counter|тип|марка|модель|type|model)\w*\.?|воды|учета|учёта|холодной|горячей|хол|гор|хвс|гвс|"
    r"эл|электрической|энергии|тепла|газа|газовый|квартирный|индивидуальный|water|heat|electricity|gas|cold|hot)"
    r"(?:[ .:,]+|$)",
    re.IGNORECASE,
)
_MARKED = re.compile(r"([A-ZА-ЯЁ][a-zа-яё]{2,}|[«\"][^»\"]{2,20}[»\"])[ ,]+([A-ZА-ЯЁ]{2,6}[- ]?\d.*)")

_LABELLED = re.compile(r"(.*?)[\s,]*(?:зав\.?\s*)?(?:№|номер|s/n)\s*(.*)", re.IGNORECASE)


def cut_generic(text: str) -> str:
    """A designation without the words that say only that it is a meter; as it is where nothing else stands."""
    rest = text
    while found := _GENERIC.match(rest):
        rest = rest[found.end() :]
    return rest.strip(" ,;") or text


def split_mark(text: str, knows: Callable[[str], bool]) -> tuple[str, str]:
    """The mark before a designation, as in «Бетар СГВ-15», and the designation; an empty mark where there is none."""
    words = text.split()
    if not knows(comparison_text(text)):
        for at in range(1, len(words)):
            if knows(comparison_text(" ".join(words[at:]))):
                return " ".join(words[:at]).strip('«»"'), " ".join(words[at:])
        if found := _MARKED.fullmatch(text):
            return found[1].strip('«»"'), found[2]
    return "", text


def split_device(text: str, lines: Lines) -> tuple[str, str]:
    """A designation and a serial out of one text; an empty serial where it holds one thing only."""
    if len(text) > LONGEST_DEVICE:
        return text, ""
    if text.casefold() in NO_SERIAL:
        return "", text
    plate = lines.read_typed(text.replace(", ", " ").replace(";", " "))
    if plate is not None and any(sign.isdigit() for sign in plate.serial):
        return plate.designation, plate.serial
    bare = cut_label(text)
    if bare.isdecimal() or (bare != text and any(sign.isdigit() for sign in bare)):
        return "", bare
    # «СГВ-15 № б/н»: what stands behind the label is meant to be the serial.
    labelled = _LABELLED.fullmatch(text)
    return (labelled[1], labelled[2]) if labelled else (text, "")


def key_of(serial: str) -> str:
    """The plate text of a serial, empty where it has none."""
    try:
        return plate_text(serial)
    except PlateError:
        return ""


def digits_for_letters(key: str) -> str | None:
    """The key with look-alike letters read as digits, where only digits come out of it."""
    read = key.translate(DIGIT_LOOKS)
    return read if read != key and read.isascii() and read.isdecimal() else None
