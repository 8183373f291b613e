"""How a sheet is understood: its header, what each column holds and why, and how many meters stand in one row."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from node.exchange.cells import CellKind, Row
from node.exchange.errors import ColumnError
from node.exchange.fleet.columns import COMMON, Column, Why
from node.exchange.fleet.content import Content, study
from node.exchange.fleet.fields import ADDRESS_PARTS, DATES, Field, find_field, fold_title
from node.exchange.fleet.guessing import guess_column, sample_of
from node.exchange.fleet.headers import Header, body_rows, column_cells, find_header, letters
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.settling import settle
from node.exchange.fleet.values import STREET, day_order, unit_of_title
from node.exchange.grids import Grid

SHOWN_HEADERS = 40
LONGEST_HEADING = 120


@dataclass(frozen=True, slots=True)
class Part:
    """One of several sheets that are read as one table: its rows are numbered from `after` + 1 on, and `layout` is
    its own where its columns are not those of the others.
    """

    sheet: str
    after: int
    heading: str
    layout: "Layout | None" = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is understood. `carries` are columns whose address stands once for the rows under it, `heading` is
    an address that stands above the header, `parts` are the sheets of the table where they are several.
    """

    sheet: str
    encoding: str
    header: Header
    columns: tuple[Column, ...]
    blocks: int
    carries: frozenset[int] = frozenset()
    hidden_rows: int = 0
    first_texts: tuple[str, ...] = ()
    heading: str = ""
    parts: tuple[Part, ...] = ()
    is_sideways: bool = False

    def part(self, number: int) -> Part | None:
        """The sheet in which a row stands, where they are several."""
        return next((part for part in reversed(self.parts) if part.after < number), None)

    def at(self, number: int) -> "Layout":
        """How the sheet in which a row stands is understood."""
        if not self.parts:
            return self
        part = self.part(number)
        return part.layout if part and part.layout else self

    @property
    def every_column(self) -> tuple[Column, ...]:
        """The columns of all sheets, those of one title and field once."""
        found: dict[tuple[str, Field], Column] = {}
        for shape in (self, *(part.layout for part in self.parts if part.layout)):
            for column in shape.columns:
                found.setdefault((fold_title(column.title), column.field), column)
        return tuple(found.values()) if any(part.layout for part in self.parts) else self.columns

    def where(self, number: int) -> str:
        """A row as the person who opens the file finds it: 7, or «дом 5»!7 where there are several sheets."""
        part = self.part(number)
        return f"{part.sheet}!{number - part.after}" if part else str(number)

    def places(self, block: int) -> dict[Field, Column]:
        """The columns of one meter of a row by their fields, those of the whole row among them."""
        return {column.field: column for column in self.columns if column.block in (COMMON, block)}

    @property
    def has_serials(self) -> bool:
        """Whether some column holds serials."""
        return any(column.field in (Field.SERIAL, Field.DEVICE) for column in self.columns)

    @property
    def mapping(self) -> FleetMapping:
        """The mapping that gives this very reading, for the next table of the same supplier."""
        columns = {column.title: column.field for column in self.every_column if column.why is not Why.EMPTY}
        row = self.header.rows[0] if self.header.rows else 0
        is_one = not any(part.layout for part in self.parts)
        return FleetMapping(columns, None if self.parts else self.sheet or None, row if is_one else None)

    def names(self, title: str) -> bool:
        """Whether a header, or a column by its letters, stands in the table."""
        folded, lettered = fold_title(title), title.strip().upper()
        return any(fold_title(c.title) == folded or letters(c.place) == lettered for c in self.columns)

    def lacking(self) -> ColumnError:
        """What to say of a sheet without serials."""
        if self.is_sideways:
            return ColumnError(
                "the table lies on its side: its fields stand in rows, each meter in a column of its own. "
                "Copy it, paste it transposed, and save",
                "таблица лежит на боку: поля стоят в строках, каждый прибор — в своём столбце. Скопируйте "
                "таблицу, вставьте с транспонированием и сохраните",
            )
        seen = ", ".join(repr(column.title) for column in self.columns[:SHOWN_HEADERS])
        title = next((c.title for c in self.columns if c.why is Why.UNKNOWN), "Заводской номер")
        if not self.header.rows and self.first_texts:
            seen += f" (no header was found; the first row reads {', '.join(map(repr, self.first_texts))})"
        where = f"sheet {self.sheet!r}: " if self.sheet else ""
        named = ", ".join(f"«{column.title}»" for column in self.columns[:SHOWN_HEADERS])
        if not self.header.rows and self.first_texts:
            first = ", ".join(f"«{text}»" for text in self.first_texts)
            named += f" (заголовка не нашлось; первая строка: {first})"
        return ColumnError(
            f"{where}no column holds serial numbers. Columns seen: {seen or 'none'}. "
            f'Name the column: --column "{title}=serial"',
            f"{f'лист «{self.sheet}»: ' if self.sheet else ''}ни в одном столбце нет заводских номеров. Столбцы: "
            f'{named or "нет"}. Укажите столбец: --column "{title}=serial"',
        )


def understand(grid: Grid, mapping: FleetMapping, today: datetime.date) -> Layout:
    """Find out what a sheet's columns hold; raise ColumnError where the mapping names a header that is not there."""
    header = find_header(grid.rows, grid.width, mapping.header_row)
    if mapping.is_kept and not _names(mapping, header):
        header, mapping = find_header(grid.rows, grid.width), FleetMapping()
    body = body_rows(grid.rows, header)
    contents = [study(column_cells(body, place)) for place in range(grid.width)]
    given = _given(header, contents, mapping)
    columns = [
        column or guess_column(place, header.titles[place], contents[place]) for place, column in enumerate(given)
    ]
    columns, blocks = settle(columns, contents, header, body, today)
    columns = [_detailed(column, body) for column in columns]
    hidden = set(grid.hidden_columns)
    columns = [replace(column, is_hidden=column.place in hidden) for column in columns]
    return Layout(
        sheet=grid.name,
        encoding=grid.encoding,
        header=header,
        columns=tuple(columns),
        blocks=blocks,
        carries=_carried(columns, body_rows(grid.rows, header, least=2)),
        hidden_rows=grid.hidden_rows,
        heading=_heading(grid, header),
        is_sideways=_is_sideways(grid),
        first_texts=tuple(cell.text[:40] for cell in grid.rows[0].cells[:SHOWN_HEADERS]) if grid.rows else (),
    )


def _names(mapping: FleetMapping, header: Header) -> bool:
    """Whether any column of a mapping stands in a header."""
    titles = set(map(fold_title, header.titles))
    return not header.rows or any(fold_title(title) in titles for title in mapping.columns)


def _given(header: Header, contents: Sequence[Content], mapping: FleetMapping) -> list[Column | None]:
    found: list[Column | None] = [None] * len(contents)
    places = {fold_title(title): place for place, title in reversed(list(enumerate(header.titles)))}
    lettered = {letters(place): place for place in range(len(contents))}
    for title, field in mapping.columns.items():
        place = places.get(fold_title(title), lettered.get(title.strip().upper()))
        if place is None and mapping.is_kept:
            continue
        if place is None:
            seen = ", ".join(repr(name) for name in header.titles[:SHOWN_HEADERS])
            named = ", ".join(f"«{name}»" for name in header.titles[:SHOWN_HEADERS])
            raise ColumnError(
                f"the table has no column {title[:80]!r}. Columns seen: {seen}",
                f"в таблице нет столбца «{title[:80]}». Столбцы: {named}",
            )
        found[place] = Column(place, header.titles[place], field, Why.GIVEN, 0, sample_of(field, contents[place]))
    return found


def _detailed(column: Column, body: Sequence[Row]) -> Column:
    """What the whole column says of each of its cells: order of dates, unit of intervals and readings."""
    if column.field in DATES:
        texts = [cell.text for cell in column_cells(body, column.place)]
        return replace(column, month_first=day_order(texts))
    if column.field is Field.INTERVAL:
        folded = fold_title(column.title)
        numbers = [int(t) for t in column.sample if t.isdecimal()]
        by_word = "лет" in folded or "год" in folded or "year" in folded
        in_months = "мес" in folded or "month" in folded
        return replace(column, in_years=by_word or (not in_months and bool(numbers) and max(numbers) <= 20))
    if column.field in (Field.READING, Field.PREVIOUS):
        return replace(column, unit=unit_of_title(column.title))
    return column


def _heading(grid: Grid, header: Header) -> str:
    """The address that stands in a line of its own above the header, as «Дом: ул. Ленина, д. 5»."""
    for row in grid.rows[: max(0, header.first - len(header.rows))]:
        texts = {cell.text for cell in row.cells if cell.text}
        texts = {text for text in texts if not text.endswith(":")}  # «Дом:» in a cell of its own
        text = next(iter(texts), "")
        if len(texts) == 1 and STREET.search(text) and len(text) <= LONGEST_HEADING:
            return text.partition(":")[2].strip() or text
    return ""


def _is_sideways(grid: Grid) -> bool:
    """Whether headers stand below each other in one of the first columns."""
    for place in range(min(2, grid.width)):
        texts = [row.cells[place].text for row in grid.rows[:SHOWN_HEADERS] if place < len(row.cells)]
        found = [field for text in texts if text and (field := find_field(text))]
        if Field.SERIAL in found and len(set(found)) > 2 and len(found) == len(set(found)):
            return True
    return False


def _carried(columns: Sequence[Column], body: Sequence[Row]) -> frozenset[int]:
    """Address columns that are filled once for the rows under them."""
    found: set[int] = set()
    for column in columns:
        if column.field not in (Field.ADDRESS, *ADDRESS_PARTS):
            continue
        cells = column_cells(body, column.place)
        empty = sum(cell.kind is CellKind.EMPTY for cell in cells)
        texts = [cell.text for cell in cells if cell.text and not cell.is_spread]
        repeats = sum(one == other for one, other in pairwise(texts))
        if cells and cells[0].text and len(texts) > 1 and empty >= len(cells) * 0.4 and repeats == 0:
            found.add(column.place)
    return frozenset(found)
