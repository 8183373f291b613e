"""Where a sheet's header stands: nowhere, or in one to three rows under title lines, with headings over groups."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from node.exchange.cells import Cell, CellKind, Row
from node.exchange.fleet.fields import LEVEL, Field, find_field, fold_title
from node.exchange.fleet.mapping import MAX_HEADER_ROWS
from node.exchange.fleet.values import STREET, find_resource

SEARCHED = 40
SAMPLED = 2_000
SERIAL_WEIGHT = 3.0
DATA_WEIGHT = 0.75
DEPTH_WEIGHT = 0.25
LEAST = 2.0
MAX_TITLE = 120
MAX_GROUP = 40
_SERIAL_INSIDE = re.compile(r"\d{5}")
_LIGHT = {Field.INDEX: 0.5, Field.PERSON: 0.5, Field.IGNORED: 0.5}


@dataclass(frozen=True, slots=True)
class Header:
    """The rows of a header and the title of each column; no rows and letters for titles where there is none.

    `groups` are the titles of the upper rows alone, `first` is the place of the first row under the header.
    """

    rows: tuple[int, ...]
    titles: tuple[str, ...]
    groups: tuple[str, ...]
    first: int


def find_header(rows: Sequence[Row], width: int, wanted: int | None = None) -> Header:
    """Find the header among the first rows; `wanted` is the number of its first row where that is known, 0 for none."""
    if wanted == 0:
        return _without_header(rows, width)
    best: tuple[float, int, int] | None = None
    for top, row in enumerate(rows[:SEARCHED] if wanted is None else rows):
        if wanted is not None and row.number != wanted:
            continue
        if wanted is None and width > 1 and _is_line(row):
            continue
        for depth in range(1, min(MAX_HEADER_ROWS, len(rows) - top) + 1):
            if depth > 1 and _is_numbering(rows[top + depth - 1]):
                break
            score = _score(rows[top : top + depth], width)
            if best is None or score > best[0]:
                best = (score, top, depth)
    if best and (best[0] >= LEAST or wanted is not None):
        top, depth = best[1], best[2]
        while wanted is None and depth < MAX_HEADER_ROWS and top and _heads(rows[top - 1], rows[top]):
            top, depth = top - 1, depth + 1
        while wanted is None and depth < MAX_HEADER_ROWS and _is_under(rows[top + depth - 1 : top + depth + 1]):
            depth += 1
        return _header(rows, width, top, depth)
    unknown = _unknown_header(rows, width)
    return _without_header(rows, width) if unknown is None else _header(rows, width, unknown, 1)


def letters(column: int) -> str:
    """The letters of a column, from 0."""
    text, number = "", column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def is_repeat(row: Row, header: Header) -> bool:
    """Whether a row repeats the header, as tables that were printed page by page do."""
    filled = [(at, cell.text) for at, cell in enumerate(row.cells) if cell.text]
    if len(filled) < 3 or not header.rows:
        return False
    same = sum(at < len(header.titles) and header.titles[at].endswith(text) for at, text in filled)
    return same >= len(filled) * 0.6 and same >= 3


def _heads(above: Row, below: Row) -> bool:
    """Whether a row is one of group headings over the header's row under it."""
    cells = [cell for cell in above.cells if cell.text]
    if above.number + 1 != below.number or len({cell.text for cell in cells}) < 2 or any(map(_is_data, cells)):
        return False
    told = [cell for cell in cells if find_field(cell.text) or find_resource(cell.text)]
    return all(len(cell.text) <= MAX_GROUP for cell in cells) and (
        any(cell.is_spread for cell in cells) or len(told) == len(cells)
    )


def _is_under(rows: Sequence[Row]) -> bool:
    """Whether the second of two rows has texts under merged headings of the first alone, as months under readings."""
    if len(rows) < 2 or rows[0].number + 1 != rows[1].number:
        return False
    above, below = (row.cells for row in rows)
    own = [at for at, cell in enumerate(below) if cell.text and not cell.is_spread]
    wide = {at for at, cell in enumerate(above) if cell.is_spread and at and cell.text == above[at - 1].text}
    return len(own) > 1 and all(at in wide or at + 1 in wide for at in own)


def _is_numbering(row: Row) -> bool:
    """Whether the cells count columns: 1, 2, 3, or (1), (2), (3)."""
    texts = [cell.text.strip("(). ") for cell in row.cells if cell.text]
    numbers = [text for text in texts if text.isascii() and text.isdecimal() and len(text) < 4]
    if len(numbers) < 3 or len(numbers) < len(texts) * 0.7 or len(texts) < len(row.cells) * 0.5:
        return False
    whole = [int(text) for text in numbers]
    return whole[0] in (1, 2) and all(0 < b - a <= 2 for a, b in pairwise(whole))


def _resembles(following: Sequence[Row]) -> bool:
    """Whether the row under one that may count columns is of short numbers too, and so both are meters."""
    texts = [cell.text for row in following for cell in row.cells if cell.text]
    return bool(texts) and all(text.isascii() and text.isdecimal() and len(text) < 4 for text in texts)


def _is_line(row: Row) -> bool:
    """Whether a row says one thing only, as a title does."""
    return len({cell.text for cell in row.cells if cell.text}) < 2


def _titles(block: Sequence[Row], width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The titles of the columns, and those of the upper rows alone."""
    levels: list[list[str]] = []
    for depth, row in enumerate(block):
        texts = [_line(row.cells[at].text) if at < len(row.cells) else "" for at in range(width)]
        if depth < len(block) - 1:
            below = block[depth + 1]
            for at in range(1, width):
                under = at < len(below.cells) and below.cells[at].text
                # A group heading that was not merged stands over its first column only.
                above = at < len(block[0].cells) and block[0].cells[at].text if depth else ""
                if not texts[at] and texts[at - 1] and under and not above and _covers(block, depth, at):
                    texts[at] = texts[at - 1]
        levels.append(texts)
    titles, groups = [], []
    for at in range(width):
        parts = list(dict.fromkeys(level[at] for level in levels if level[at]))
        titles.append(LEVEL.join(parts)[:MAX_TITLE])
        groups.append(LEVEL.join(dict.fromkeys(level[at] for level in levels[:-1] if level[at]))[:MAX_TITLE])
    return tuple(titles), tuple(groups)


def _covers(block: Sequence[Row], depth: int, at: int) -> bool:
    """Whether the heading left of a column has something under itself, and so is one of a group."""
    below = block[depth + 1].cells
    start = at - 1
    cells = block[depth].cells
    while start > 0 and not (start < len(cells) and cells[start].text):
        start -= 1
    return start < len(below) and bool(below[start].text)


def _line(text: str) -> str:
    return " ".join(text.split())


def _score(block: Sequence[Row], width: int) -> float:
    titles, _ = _titles(block, width)
    found = {field for title in titles if (field := find_field(title)) is not None}
    weight = sum(SERIAL_WEIGHT if field in (Field.SERIAL, Field.DEVICE) else _LIGHT.get(field, 1.0) for field in found)
    data = sum(_is_data(cell) for row in block for cell in row.cells)
    singles = sum(_is_line(row) for row in block) if width > 1 else 0
    return weight - DATA_WEIGHT * data - DEPTH_WEIGHT * (len(block) - 1) - singles


def _is_data(cell: Cell) -> bool:
    if cell.kind in (CellKind.NUMBER, CellKind.DATE, CellKind.FORMULA):
        return True
    text = cell.text
    if text.endswith(":") or (STREET.search(text) and any(sign.isdigit() for sign in text)):
        return True  # «Дом:» with an address beside it is a line over the table
    if _SERIAL_INSIDE.search(text):
        return True
    if sum(sign.isdigit() for sign in text) >= 4:
        return find_field(text) is None
    return text.isdecimal()


def _header(rows: Sequence[Row], width: int, top: int, depth: int) -> Header:
    block = rows[top : top + depth]
    titles, groups = _titles(block, width)
    first = top + depth
    if first < len(rows) and _is_numbering(rows[first]) and not _resembles(rows[first + 1 : first + 2]):
        first += 1
    named = _unique(tuple(title or letters(at) for at, title in enumerate(titles)))
    return Header(tuple(row.number for row in block), named, groups, first)


def _unique(titles: tuple[str, ...]) -> tuple[str, ...]:
    """Titles that stand twice get the letters of their column behind them."""
    seen: set[str] = set()
    named: list[str] = []
    for at, title in enumerate(titles):
        folded = fold_title(title) or title
        named.append(f"{title} ({letters(at)})" if folded in seen else title)
        seen.add(folded)
    return tuple(named)


def _without_header(rows: Sequence[Row], width: int) -> Header:
    counts = sorted(sum(bool(cell.text) for cell in row.cells) for row in rows)
    usual = counts[len(counts) // 2] if counts else 0
    first = next(
        (at for at, row in enumerate(rows) if sum(bool(cell.text) for cell in row.cells) * 2 >= max(2, usual)), 0
    )
    return Header((), tuple(letters(at) for at in range(width)), ("",) * width, first)


def _unknown_header(rows: Sequence[Row], width: int) -> int | None:
    """The row of words over columns of numbers and dates; None where no row is so."""
    for top, row in enumerate(rows[: min(SEARCHED, len(rows) - 3)]):
        if _is_line(row):
            continue
        filled = [at for at, cell in enumerate(row.cells) if cell.text]
        if len(filled) < max(2, width // 3) or any(_is_figures(row.cells[at]) for at in filled):
            return None
        under = rows[top + 1 : top + 31]
        differing = 0
        for at in filled:
            cells = [other.cells[at] for other in under if at < len(other.cells) and other.cells[at].text]
            differing += bool(cells) and sum(map(_is_figures, cells)) > len(cells) * 0.8
        return top if differing * 3 >= len(filled) else None
    return None


def _is_figures(cell: Cell) -> bool:
    """Whether a cell is digits more than letters."""
    digits = sum(sign.isdigit() for sign in cell.text)
    return digits > sum(sign.isalpha() for sign in cell.text)


def body_rows(rows: Sequence[Row], header: Header, least: int = 3) -> list[Row]:
    """Some thousands of the rows under the header at most, those that say less than so many things left out."""
    step = max(1, (len(rows) - header.first) // SAMPLED)
    sampled = rows[header.first :: step]
    full = [row for row in sampled if len({cell.text for cell in row.cells if cell.text}) >= least]
    return full if len(full) * 2 > len(sampled) else list(sampled)


def column_cells(body: Sequence[Row], place: int) -> list[Cell]:
    """The cells of a column."""
    return [row.cells[place] for row in body if place < len(row.cells)]
