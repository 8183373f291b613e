"""How a list reads as a table: its columns, declared once, each with a name in two languages and a way to make a cell.

A cell is text. Times are UTC, numbers have a decimal comma in Russian, codes are words; what programs read (JSONL) is
the list's own items, untouched.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from node.passport.errors import PassportError
from node.passport.ids import SubjectId, format_device_id
from node.passport.view import moment_at
from node.web.passport_words import named, unit_words, words

Words = tuple[str, str]  # Russian, English
Item = Any  # Any: an item of a list is a model or a row of a view, which is plain JSON


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the table: the language, and what organisations are called here, by id in hex."""

    language: str
    organisations: Mapping[str, str] = field(default_factory=dict)

    def choose(self, text: Words) -> str:
        """The text in the reader's language."""
        return text[0 if self.language == "ru" else 1]


Cell = Callable[[Item, Reader], str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: Words
    cell: Cell


@dataclass(frozen=True, slots=True)
class Table:
    """A list as a table: `name` is the beginning of file names, `title` what it is called.

    `place` is the member of an answer that says where the next page begins, and `start` the member of the query by
    which one asks for it. So many items are asked for at once.
    """

    name: str
    title: Words
    columns: Sequence[Column]
    place: str = "next"
    start: str = "cursor"
    page: int = 200

    def header(self, reader: Reader) -> list[str]:
        """The names of the columns."""
        return [reader.choose(column.name) for column in self.columns]

    def row(self, item: Item, reader: Reader) -> list[str]:
        """The cells of one item."""
        return [column.cell(item, reader) for column in self.columns]


def table(
    name: str,
    ru: str,
    en: str,
    *columns: tuple[str, str, str | Cell],
    place: str = "next",
    start: str = "cursor",
    page: int = 200,
) -> Table:
    """A table by its names; each column by its two names and a cell, or the path of what stands there as it is."""
    made = [Column((one, two), text(cell) if isinstance(cell, str) else cell) for one, two, cell in columns]
    return Table(name, (ru, en), made, place, start, page)


def take(item: Item, path: str) -> Any:  # Any: a value of the item
    """The value under a path of names with points between; None where a name is missing."""
    value = item
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return value


def text(path: str) -> Cell:
    """As it stands; several with commas."""
    return lambda item, _: shown(take(item, path))


def number(path: str) -> Cell:
    """A number, or what looks like one, with the reader's decimal sign."""
    return lambda item, reader: decimal_text(shown(take(item, path)), reader.language)


def time(path: str) -> Cell:
    """Microseconds, or a time, as a UTC time to the second."""
    return lambda item, _: moment_text(take(item, path))


def coded(path: str, table: Mapping[str, Words]) -> Cell:
    """The words of a code."""
    return lambda item, reader: words(table, shown(take(item, path)), reader.language) if take(item, path) else ""


def reference(path: str, catalog: str) -> Cell:
    """What a dual reference is called."""
    return lambda item, reader: named(take(item, path) or {}, catalog, reader.language)


def unit(path: str) -> Cell:
    """A unit as people write it."""
    return lambda item, reader: unit_words(take(item, path), reader.language)


def organisation(path: str) -> Cell:
    """What an organisation is called; its id where it has no card here."""
    return lambda item, reader: reader.organisations.get(shown(take(item, path)), shown(take(item, path)))


def device_id(path: str) -> Cell:
    """A subject as the device id that people read."""
    return lambda item, _: _device_id(shown(take(item, path)))


def yes_no(path: str) -> Cell:
    """A truth in words."""
    return lambda item, reader: reader.choose(("да", "yes") if take(item, path) else ("нет", "no"))


def shown(value: object) -> str:
    """A value as one text."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {shown(one)}" for name, one in value.items() if one not in (None, "", [], {}))
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | set | frozenset):
        return str(value)
    return ", ".join(map(shown, value))


def decimal_text(value: str, language: str) -> str:
    """A decimal with the comma of Russian tables; any other text stays as it is."""
    head, point, tail = value.partition(".")
    is_decimal = point and head.lstrip("-").isdecimal() and tail.isdecimal()
    return f"{head},{tail}" if is_decimal and language == "ru" else value


def moment_text(value: object) -> str:
    """A time of microseconds as `2026-01-31 12:00:00`."""
    if value is None or value == "":
        return ""
    moment = value if isinstance(value, datetime) else moment_at(int(str(value)))
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _device_id(subject: str) -> str:
    try:
        return format_device_id(SubjectId(bytes.fromhex(subject)))
    except (PassportError, ValueError):
        return subject
