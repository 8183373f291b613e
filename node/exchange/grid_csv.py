"""A CSV file as a grid: its encoding and its delimiter are found by what it holds.

UTF-8 and UTF-16 are certain; between windows-1251, KOI8-R and the old DOS code page the letters decide, because
Russian text read in the wrong one consists of letters that Russian hardly uses, with capitals inside its words.
"""

import codecs
import csv
import io
import re
import string
from collections import Counter
from itertools import islice

from node.exchange.cells import Cell, CellKind, Limits
from node.exchange.delimited import FORMULA_STARTS, GUARD
from node.exchange.errors import TableError
from node.exchange.grids import POOLED, Grid, GridBuilder, Progress, no_progress, text_kind

DELIMITERS = ";\t,|"
SAMPLE_BYTES = 1 << 16
SAMPLE_LINES = 60
SAMPLE_WORDS = 1 << 14
ROWS_A_TELL = 5_000
BLANK = string.whitespace + "\u00a0\x1a"  # DOS ends its files with 1A

# From the most to the least frequent one in Russian texts.
_LETTERS = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_WEIGHTS = {letter: 1 - at / len(_LETTERS) for at, small in enumerate(_LETTERS) for letter in (small, small.upper())}
_WORD = re.compile(rb"[\x80-\xff]+")
_CAPITAL_INSIDE = re.compile("[а-яё][А-ЯЁ]")
_QUOTED = re.compile(r'="([^"]*)"')
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_csv_grid(raw: bytes, limits: Limits, progress: Progress = no_progress) -> Grid:
    """The one sheet of a CSV file; raise TableError, or TableLimitError before anything large is built."""
    encoding = find_encoding(raw)
    sample = raw[:SAMPLE_BYTES].decode(encoding, "replace")
    delimiter = find_delimiter(sample)
    builder, known = GridBuilder(limits), dict[str, Cell]()
    stream = io.BytesIO(raw)
    try:
        with io.TextIOWrapper(stream, encoding=encoding, newline="") as lines:
            for number, record in enumerate(csv.reader(lines, delimiter=delimiter)):
                if not number % ROWS_A_TELL:
                    progress("read", stream.tell(), len(raw))
                for column, field in enumerate(record):
                    if (cell := known.get(field)) is not None:
                        builder.place(number, column, cell)
                    elif field and (cell := _put(builder, number, column, field)) and len(known) < POOLED:
                        known[field] = cell
    except csv.Error as error:
        raise TableError(
            f"not a CSV file: {error}", f"это не CSV ({error}): сохраните таблицу как .xlsx или как CSV"
        ) from error
    except UnicodeDecodeError as error:
        raise TableError(
            f"the file is not {encoding} to its end: save it as XLSX, or as CSV in UTF-8",
            f"файл начат в кодировке {encoding}, а кончается не в ней: сохраните его как .xlsx или как CSV UTF-8",
        ) from error
    progress("read", len(raw), len(raw))
    return Grid("", tuple(builder.rows()), builder.width, encoding=encoding)


def find_encoding(raw: bytes) -> str:
    """The encoding of a text; raise TableError where it is none of those that tables come in."""
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return name
    head = raw[:SAMPLE_BYTES]
    if b"\0" in head:
        return _without_mark(head)
    if _is_utf8(raw):
        return "utf-8"
    found = {name: _likeness(raw, name) for name in ("cp1251", "cp866", "koi8-r")}
    best = max(found, key=lambda name: found[name])
    if found[best] < 0:
        raise TableError(
            "the file is neither XLSX nor text in UTF-8, UTF-16, windows-1251, KOI8-R or DOS 866",
            "это не XLSX и не текст в UTF-8, UTF-16, windows-1251, KOI8-R или DOS 866: сохраните таблицу как .xlsx",
        )
    return best


def find_delimiter(sample: str) -> str:
    """The delimiter that most lines hold equally often: a comma inside an address is rarer than that."""
    lines = [line for line in islice(sample.splitlines(), SAMPLE_LINES) if line.strip(DELIMITERS + " ")]
    best, weight = ";", 0.0
    for delimiter in DELIMITERS:
        counts = Counter("".join(line.split('"')[::2]).count(delimiter) for line in lines)
        # A mark that a space follows is one of a text: «ул. Мира, д. 5».
        prose = sum(line.count(f"{delimiter} ") for line in lines) * 2 > sum(line.count(delimiter) for line in lines)
        shares = [(times * min(count, 12) ** 0.5 * (times / len(lines)), count) for count, times in counts.items()]
        found = max((share for share, count in shares if count), default=0.0)
        found *= 0.5 if prose else 1.0
        if found > weight:
            best, weight = delimiter, found
    return best


def _put(builder: GridBuilder, row: int, column: int, field: str) -> Cell | None:
    text = field.strip(BLANK)
    if not text:
        return None
    kind = text_kind(text)
    if text.startswith("="):
        # ="0012345" is how a spreadsheet is told to keep the zeros of a text.
        quoted = _QUOTED.fullmatch(text)
        text, kind = (quoted[1].strip(), CellKind.TEXT) if quoted else (text, CellKind.FORMULA)
    elif text.startswith(GUARD) and (text[1:].startswith((*FORMULA_STARTS, GUARD)) or text[1:].isalnum()):
        text = text[1:]
    return builder.put(row, column, text, kind) if text else None


def _is_utf8(raw: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(raw), SAMPLE_BYTES):
            decoder.decode(raw[at : at + SAMPLE_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _without_mark(head: bytes) -> str:
    """UTF-16 whose mark was lost: every second byte of what is written in it is small."""
    for name, high in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if len(head) % 2 == 0 and high and sum(byte in (0, 4, 0x20, 0x21) for byte in high) > len(high) * 9 // 10:
            return name
    raise TableError(
        "the file holds zero bytes: it is no table that is read here; save it as XLSX or CSV",
        "в файле нулевые байты: это не таблица; откройте его и сохраните как .xlsx или .csv",
    )


def _likeness(raw: bytes, encoding: str) -> float:
    """How much of what is no ASCII reads as Russian; below zero where bytes have no letter."""
    words = b" ".join(islice((found[0] for found in _WORD.finditer(raw, 0, 1 << 20)), SAMPLE_WORDS))
    text = words.decode(encoding, "replace")
    if encoding == "cp1251" and "\ufffd" in text:
        return -1.0
    signs = max(1, len(text) - text.count(" "))
    return (sum(_WEIGHTS.get(sign, 0.0) for sign in text) - len(_CAPITAL_INSIDE.findall(text))) / signs
