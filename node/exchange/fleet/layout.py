"""How a sheet is understood: its header, what each column holds and why, and how many meters stand in one row."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from node.exchange.cells import CellKind, Row
from node.exchange.errors import ColumnError
from node.exchange.fleet.columns import COMMON, Column, Why
from node.exchange.fleet.content import Content, study
from node.exchange.fleet.fields import DATES, OF_ONE_METER, Field, find_field, fold_title, is_weak
from node.exchange.fleet.headers import Header, body_rows, column_cells, find_header
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.values import STREET, day_order, find_resource, read_day, unit_of_title
from node.exchange.grids import Grid

_TRUST = {Why.GIVEN: 0, Why.HEADER: 1, Why.AGAINST_HEADER: 2, Why.CONTENT: 3}
_EARLIER = re.compile(r"\b(?:пред\w*|прошл\w*|первич\w*|prev\w*|initial|first)\b")
SURE, LIKELY = 0.7, 0.6
SHOWN_HEADERS = 40
LONGEST_HEADING = 120
# What cannot be said without a digit.
_FIGURES = DATES | {Field.READING, Field.PREVIOUS, Field.YEAR, Field.INTERVAL, Field.DEV_EUI}
_USUAL_INTERVALS = frozenset(map(str, (12, 24, 36, 48, 60, 72, 96, 120, 144, 180, 192)))


@dataclass(frozen=True, slots=True)
class Part:
    """One of several sheets that are read as one table: its rows are numbered from `after` + 1 on."""

    sheet: str
    after: int
    heading: str


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

    def part(self, number: int) -> Part | None:
        """The sheet in which a row stands, where they are several."""
        return next((part for part in reversed(self.parts) if part.after < number), None)

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
        columns = {column.title: column.field for column in self.columns if column.why is not Why.EMPTY}
        return FleetMapping(
            columns, None if self.parts else self.sheet or None, self.header.rows[0] if self.header.rows else 0
        )

    def lacking(self) -> ColumnError:
        """What to say of a sheet without serials."""
        seen = ", ".join(repr(column.title) for column in self.columns[:SHOWN_HEADERS])
        title = self.columns[0].title if self.columns else "Header"
        if not self.header.rows and self.first_texts:
            seen += f" (no header was found; the first row reads {', '.join(map(repr, self.first_texts))})"
        where = f"sheet {self.sheet!r}: " if self.sheet else ""
        return ColumnError(
            f"{where}no column holds serial numbers. Columns seen: {seen or 'none'}. "
            f'Name the column: --column "{title}=serial"'
        )


def understand(grid: Grid, mapping: FleetMapping, today: datetime.date) -> Layout:
    """Find out what a sheet's columns hold; raise ColumnError where the mapping names a header that is not there."""
    header = find_header(grid.rows, grid.width, mapping.header_row)
    if mapping.is_kept and not _names(mapping, header):
        header, mapping = find_header(grid.rows, grid.width), FleetMapping()
    body = body_rows(grid.rows, header)
    contents = [study(column_cells(body, place)) for place in range(grid.width)]
    given = _given(header, contents, mapping)
    columns = [column or _guess(place, header.titles[place], contents[place]) for place, column in enumerate(given)]
    columns = _settled(columns, contents)
    columns, blocks = _blocks(columns, header)
    columns = _only_one(columns)
    columns = [_detailed(column, body) for column in _dated(columns, body, today)]
    hidden = set(grid.hidden_columns)
    columns = [replace(column, is_hidden=column.place in hidden) for column in columns]
    return Layout(
        sheet=grid.name,
        encoding=grid.encoding,
        header=header,
        columns=tuple(columns),
        blocks=blocks,
        carries=_carried(columns, body),
        hidden_rows=grid.hidden_rows,
        heading=_heading(grid, header),
        first_texts=tuple(cell.text[:40] for cell in grid.rows[0].cells[:SHOWN_HEADERS]) if grid.rows else (),
    )


def _names(mapping: FleetMapping, header: Header) -> bool:
    """Whether any column of a mapping stands in a header."""
    titles = set(map(fold_title, header.titles))
    return not header.rows or any(fold_title(title) in titles for title in mapping.columns)


def _given(header: Header, contents: Sequence[Content], mapping: FleetMapping) -> list[Column | None]:
    found: list[Column | None] = [None] * len(contents)
    places = {fold_title(title): place for place, title in reversed(list(enumerate(header.titles)))}
    letters = {column_letters(place): place for place in range(len(contents))}
    for title, field in mapping.columns.items():
        place = places.get(fold_title(title), letters.get(title.strip().upper()))
        if place is None and mapping.is_kept:
            continue
        if place is None:
            seen = ", ".join(repr(name) for name in header.titles[:SHOWN_HEADERS])
            raise ColumnError(f"the table has no column {title[:80]!r}. Columns seen: {seen}")
        found[place] = Column(place, header.titles[place], field, Why.GIVEN, 0, _sample(field, contents[place]))
    return found


def column_letters(place: int) -> str:
    """The letters of a column, from 0."""
    return chr(65 + place) if place < 26 else column_letters(place // 26 - 1) + chr(65 + place % 26)


def _sample(field: Field, content: Content) -> tuple[str, ...]:
    return () if field is Field.PERSON else content.sample


def _guess(place: int, title: str, content: Content) -> Column:
    """A column by its header, unless its cells say clearly something else."""
    said = find_field(title) if title != column_letters(place) else None
    if not content.filled:
        return Column(place, title, said or Field.IGNORED, Why.HEADER if said else Why.EMPTY)
    told, share = _told(content)
    if said is Field.VALID_UNTIL and content.share(Field.INTERVAL) >= 0.9:
        said = Field.INTERVAL  # «Срок поверки» over 6, 6, 4
    if said in _FIGURES and not content.has_digits:
        return Column(place, title, Field.IGNORED, Why.UNKNOWN, 0, _sample(said, content))
    if said is not None and not is_weak(title) and not _contradicts(said, told, content):
        return Column(place, title, said, Why.HEADER, 0, _sample(said, content))
    if told is None:
        field = said or Field.IGNORED
        return Column(place, title, field, Why.HEADER if said else Why.UNKNOWN, 0, _sample(field, content))
    agrees = said is None or is_weak(title) or {said, told} <= {Field.DEVICE, Field.DESIGNATION}
    why = Why.CONTENT if agrees else Why.AGAINST_HEADER
    return Column(place, title, told, why, round(share * 100), _sample(told, content))


def _told(content: Content) -> tuple[Field | None, float]:
    """What the cells alone say."""
    if content.is_sequence:
        return Field.INDEX, 1.0
    if content.dates >= SURE:
        return Field.VERIFIED_ON, content.dates  # which date it is, the columns together say
    ordered = (Field.DEV_EUI, Field.APPROVAL, Field.UNIT, Field.RESOURCE, Field.PERSON, Field.ADDRESS, Field.DEVICE)
    for field in ordered:
        if content.share(field) >= (LIKELY if field is Field.ADDRESS else SURE):
            return field, content.share(field)
    if content.share(Field.YEAR) >= 0.9:
        return Field.YEAR, content.share(Field.YEAR)
    if content.share(Field.INTERVAL) >= 0.9 and content.sample and content.sample[0] in _USUAL_INTERVALS:
        return Field.INTERVAL, content.share(Field.INTERVAL)
    if content.share(Field.SERIAL) >= SURE:
        return Field.SERIAL, content.share(Field.SERIAL)
    if content.fractions >= SURE:
        return Field.READING, content.fractions
    if content.share(Field.DESIGNATION) >= 0.8 and content.filled >= 5:
        return Field.DESIGNATION, content.share(Field.DESIGNATION)
    return None, 0.0


def _contradicts(said: Field, told: Field | None, content: Content) -> bool:
    """Whether cells that read as something else unmistakable stand under a header."""
    if told is None or told is said:
        return False
    if said in (Field.IGNORED, Field.PERSON, Field.ACCOUNT, Field.OWN_NUMBER, Field.READ_ON, Field.MARK):
        return False
    if said in DATES:
        return told in (Field.ADDRESS, Field.APPROVAL, Field.DEV_EUI, Field.DEVICE, Field.PERSON, Field.RESOURCE)
    if said is Field.SERIAL:
        clear = {Field.ADDRESS, Field.APPROVAL, Field.DEVICE, Field.PERSON, Field.RESOURCE, Field.UNIT, Field.DEV_EUI}
        return content.dates >= SURE or told in clear or (told is Field.DESIGNATION and not content.has_digits)
    if said in (Field.DESIGNATION, Field.DEVICE):
        return told in (Field.RESOURCE, Field.ADDRESS, Field.APPROVAL, Field.SERIAL, Field.DEVICE) or (
            content.dates >= SURE
        )
    if said in (Field.INTERVAL, Field.APPROVAL, Field.YEAR, Field.UNIT, Field.RESOURCE, Field.DEV_EUI):
        return content.dates >= SURE or told in (Field.ADDRESS, Field.PERSON, Field.APPROVAL, Field.DESIGNATION)
    if said is Field.INDEX:
        return told in (Field.SERIAL, Field.ADDRESS)
    return False


def _settled(columns: list[Column], contents: Sequence[Content]) -> list[Column]:
    """What only the columns together tell: dates under headers, serials that content alone suggests."""
    for at, column in enumerate(columns):
        content = contents[column.place]
        if column.why is Why.AGAINST_HEADER and column.field is Field.VERIFIED_ON:
            said = find_field(column.title)
            field = {Field.INTERVAL: Field.VALID_UNTIL, Field.YEAR: Field.MADE_ON}.get(said or Field.IGNORED)
            columns[at] = replace(column, field=field or column.field)
        elif column.field is Field.INDEX and content.share(Field.SERIAL) >= SURE and not content.is_sequence:
            columns[at] = replace(column, field=Field.SERIAL, why=Why.CONTENT)
    _tell_marks(columns)
    serials = [column for column in columns if column.field in (Field.SERIAL, Field.DEVICE)]
    by_header = [column for column in serials if column.why is not Why.CONTENT or find_field(column.title)]
    guessed = [column for column in serials if column not in by_header]
    chosen = None if by_header or not guessed else max(guessed, key=lambda column: _serial_weight(column, contents))
    for column in guessed:
        if column is not chosen:
            columns[column.place] = replace(column, field=Field.IGNORED, why=Why.TWICE)
    if chosen is None and not by_header:
        # A column that says «number» and little else is better than none.
        weak = [c for c in columns if fold_title(c.title) in ("номер", "number", "№ прибора") and c.sample]
        if weak:
            columns[weak[0].place] = replace(weak[0], field=Field.SERIAL, why=Why.HEADER)
    return columns


def _tell_marks(columns: list[Column]) -> None:
    """Where «Марка» stands beside «Модель», as on the form of ГИС ЖКХ, it is the trade mark and no designation."""
    named = [c for c in columns if c.field is Field.DESIGNATION and c.why is Why.HEADER]
    marks = [c for c in named if fold_title(c.title).startswith("марк")]
    if marks and len(marks) < len(named) and not any(c.field is Field.MARK for c in columns):
        for column in marks:
            columns[column.place] = replace(column, field=Field.MARK)


def _serial_weight(column: Column, contents: Sequence[Content]) -> tuple[bool, bool, float, int]:
    content = contents[column.place]
    beside = column.place > 0 and contents[column.place - 1].share(Field.DESIGNATION) >= 0.8
    return column.field is Field.DEVICE or beside, content.zeros, content.distinct, -column.place


def _blocks(columns: list[Column], header: Header) -> tuple[list[Column], int]:
    """Several serials in one row are several meters: each column goes to the serial of its resource, group or left."""
    serials = [c for c in columns if c.field in (Field.SERIAL, Field.DEVICE)]
    if len(serials) < 2 or len({c.title for c in serials}) < len(serials):
        return columns, 1
    keys = [_block_key(column, header) for column in serials]
    counted: dict[Field, int] = {}
    for column in columns:
        counted[column.field] = counted.get(column.field, 0) + 1
    if len(set(keys)) < len(keys) or not all(keys):
        if not any(counted.get(field, 0) == len(serials) for field in OF_ONE_METER - {Field.SERIAL, Field.DEVICE}):
            return columns, 1
        keys = []
    placed: list[Column] = []
    for column in columns:
        block = COMMON
        if column.field in OF_ONE_METER and (counted[column.field] > 1 or _block_key(column, header) in keys):
            key = _block_key(column, header)
            if key in keys:
                block = keys.index(key)
            elif counted[column.field] > 1:
                block = max((at for at, serial in enumerate(serials) if serial.place <= column.place), default=0)
        resource = find_resource(f"{header.groups[column.place]} {column.title}") if block != COMMON else None
        placed.append(replace(column, block=block, resource=resource))
    return placed, len(serials)


def _block_key(column: Column, header: Header) -> str:
    return find_resource(column.title) or fold_title(header.groups[column.place])


def _only_one(columns: list[Column]) -> list[Column]:
    """One column for each field of a meter: what was given, then headers, then the fuller content."""
    best: dict[tuple[Field, int], Column] = {}
    for column in columns:
        key = (column.field, column.block)
        if key not in best or _fitness(column) < _fitness(best[key]):
            best[key] = column
    free = (Field.IGNORED, Field.PERSON, Field.INDEX)
    return [
        column
        if column.field in free or best[column.field, column.block] is column or _is_later_date(column)
        else replace(column, field=Field.IGNORED, why=Why.TWICE)
        for column in columns
    ]


def _fitness(column: Column) -> tuple[int, bool, bool]:
    """How well a column fits its field, the best first: a verification before the last one tells less than the last."""
    return _TRUST.get(column.why, 9), not column.sample, bool(_EARLIER.search(fold_title(column.title)))


def _is_later_date(column: Column) -> bool:
    """Dates known by content alone are told apart later."""
    return column.field is Field.VERIFIED_ON and column.why is Why.CONTENT


def _dated(columns: list[Column], body: Sequence[Row], today: datetime.date) -> list[Column]:
    """Tell dates without headers apart, and put right two that stand under each other's header."""
    for block in {column.block for column in columns}:
        mine = [c for c in columns if c.block == block]
        unnamed = [c for c in mine if _is_later_date(c)]
        named = {c.field: c for c in mine if c.field in DATES and c not in unnamed}
        if unnamed:
            _name_dates(columns, unnamed, named, body, today)
        verified, until = named.get(Field.VERIFIED_ON), named.get(Field.VALID_UNTIL)
        if verified and until and Why.GIVEN not in (verified.why, until.why):
            earlier = _earlier(until, verified, body)
            if earlier > LIKELY:
                share = round(earlier * 100)
                for one, other in ((verified, until), (until, verified)):
                    columns[one.place] = replace(one, field=other.field, why=Why.AGAINST_HEADER, share=share)
    return columns


def _name_dates(
    columns: list[Column],
    unnamed: list[Column],
    named: dict[Field, Column],
    body: Sequence[Row],
    today: datetime.date,
) -> None:
    free = [field for field in (Field.VERIFIED_ON, Field.VALID_UNTIL) if field not in named]
    medians = {column.place: _median(column, body) for column in unnamed}
    for column in sorted(unnamed, key=lambda column: medians[column.place] or today):
        median = medians[column.place] or today
        if Field.VALID_UNTIL in free and median > today:
            field = Field.VALID_UNTIL
        elif Field.VERIFIED_ON in free:
            field = Field.VERIFIED_ON
        elif Field.VALID_UNTIL in free:
            field = Field.VALID_UNTIL
        else:
            field = Field.IGNORED
        free = [other for other in free if other is not field]
        columns[column.place] = replace(column, field=field)


def _median(column: Column, body: Sequence[Row]) -> datetime.date | None:
    days = sorted(day for cell in column_cells(body, column.place) if (day := read_day(cell).day))
    return days[len(days) // 2] if days else None


def _earlier(one: Column, other: Column, body: Sequence[Row]) -> float:
    """In how many rows the day of one column is before that of the other."""
    before = total = 0
    for row in body:
        if max(one.place, other.place) < len(row.cells):
            first, second = read_day(row.cells[one.place]).day, read_day(row.cells[other.place]).day
            if first and second and first != second:
                total += 1
                before += first < second
    return before / total if total >= 3 else 0.0


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
        text = next(iter(texts), "")
        if len(texts) == 1 and STREET.search(text) and len(text) <= LONGEST_HEADING:
            return text.partition(":")[2].strip() or text
    return ""


def _carried(columns: Sequence[Column], body: Sequence[Row]) -> frozenset[int]:
    """Address columns that are filled once for the rows under them."""
    found: set[int] = set()
    for column in columns:
        if column.field not in (Field.ADDRESS, Field.LOCALITY, Field.STREET, Field.HOUSE):
            continue
        cells = column_cells(body, column.place)
        empty = sum(cell.kind is CellKind.EMPTY for cell in cells)
        texts = [cell.text for cell in cells if cell.text and not cell.is_spread]
        repeats = sum(one == other for one, other in pairwise(texts))
        if cells and cells[0].text and len(texts) > 1 and empty >= len(cells) * 0.4 and repeats == 0:
            found.add(column.place)
    return frozenset(found)
