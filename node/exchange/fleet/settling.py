"""What only the columns of a sheet together tell: which serial is meant, how many meters stand in a row, which date is
which, which of several readings is the last one.
"""

import datetime
import re
from collections.abc import Sequence
from dataclasses import replace

from node.exchange.cells import Row
from node.exchange.fleet.columns import COMMON, Column, Why
from node.exchange.fleet.content import Content
from node.exchange.fleet.fields import DATES, LEVEL, OF_ONE_METER, Field, find_field, fold_title, is_of_plate
from node.exchange.fleet.guessing import LIKELY, SURE
from node.exchange.fleet.headers import Header, column_cells
from node.exchange.fleet.values import find_month, find_resource, read_day

_TRUST = {Why.GIVEN: 0, Why.HEADER: 1, Why.AGAINST_HEADER: 2, Why.CONTENT: 3}
_EARLIER = re.compile(r"\b(?:пред\w*|прошл\w*|первич\w*|prev\w*|initial|first)\b")


def settle(
    columns: list[Column], contents: Sequence[Content], header: Header, body: Sequence[Row], today: datetime.date
) -> tuple[list[Column], int]:
    """The columns as they are meant beside each other, and how many meters stand in one row."""
    columns = _settled(columns, contents)
    _tell_latest(columns, contents)
    columns, blocks = _blocks(columns, header)
    return _dated(_only_one(columns), body, today), blocks


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


def _tell_latest(columns: list[Column], contents: Sequence[Content]) -> None:
    """Of readings under several months the last filled one is the reading, and the one before it the previous one."""
    readings = [c for c in columns if c.field is Field.READING and c.why is Why.HEADER and contents[c.place].filled]
    months = [find_month(column.title.rpartition(LEVEL)[2]) for column in readings]
    told = [month for month in months if month is not None]
    if len(readings) < 2 or len(told) < len(readings):
        return
    if told == sorted(told, reverse=True):
        readings.reverse()
    has_previous = any(column.field is Field.PREVIOUS for column in columns)
    for column in readings[:-1]:
        is_before = column is readings[-2] and not has_previous
        field, why = (Field.PREVIOUS, Why.HEADER) if is_before else (Field.IGNORED, Why.TWICE)
        columns[column.place] = replace(column, field=field, why=why)


def _serial_weight(column: Column, contents: Sequence[Content]) -> tuple[bool, bool, float, int]:
    content = contents[column.place]
    beside = column.place > 0 and contents[column.place - 1].share(Field.DESIGNATION) >= 0.8
    return column.field is Field.DEVICE or beside, content.zeros, content.distinct, -column.place


def _blocks(columns: list[Column], header: Header) -> tuple[list[Column], int]:
    """Several serials in one row are several meters: each column goes to the serial of its resource, group or left."""
    _tell_own_numbers(columns, header)
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


def _tell_own_numbers(columns: list[Column], header: Header) -> None:
    """Where «Заводской номер» stands beside «Номер ПУ» of the same meter, the latter is one of the list's own."""
    serials = [c for c in columns if c.field is Field.SERIAL and c.why is Why.HEADER and c.sample]
    of_plate = {_block_key(column, header) for column in serials if is_of_plate(column.title)}
    for column in serials:
        if not is_of_plate(column.title) and of_plate & {_block_key(column, header)}:
            columns[column.place] = replace(column, field=Field.OWN_NUMBER)


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
