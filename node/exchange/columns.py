"""Columns by their names in two languages, and the cells of one row read as what a column holds."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from node.exchange import findings as advice
from node.exchange.cells import CellKind, Row, is_decimal, parse_decimal
from node.exchange.errors import ColumnError
from node.exchange.findings import Advice, Finding
from node.secret import MASK

MAX_FIELD = 128

SecretFields: TypeAlias = frozenset[str]

_NOT_NAME = re.compile(r"[^0-9a-zа-яё№]+")
_HEX_SEPARATORS = dict.fromkeys(map(ord, " -:\u00a0"))
_HEX = re.compile(r"[0-9A-Fa-f]*")
_AS_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?[Ee]\+[0-9]+")
_KEY = re.compile(r"[0-9A-Fa-f]{32}")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{2})\.([0-9]{2})\.([0-9]{4})")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands in a table; headers that no field has are ignored and named."""

    places: Mapping[str, int]
    titles: tuple[str, ...]
    ignored: tuple[str, ...]

    @classmethod
    def find(
        cls,
        header: tuple[str, ...],
        names: Mapping[str, tuple[str, ...]],
        needed: tuple[str, ...],
        own: Mapping[str, str],
    ) -> "Columns":
        """Find the fields by their known names, or by the caller's own mapping of headers; raise ColumnError."""
        known = {_folded(name): field for field, spellings in names.items() for name in (*spellings, field)}
        known |= {_folded(title): field for title, field in own.items() if field in names}
        places: dict[str, int] = {}
        for at, title in enumerate(header):
            field = known.get(_folded(title))
            if field in places:
                earlier, held = header[places[field or ""]], names[field or ""][0]
                raise ColumnError(
                    f"two columns hold {held!r}: {earlier!r}, {title!r}",
                    f"«{held}» стоит в двух столбцах: «{earlier}» и «{title}»",
                )
            if field:
                places[field] = at
        lacking = [names[field][0] for field in needed if field not in places]
        if lacking:
            raise ColumnError(
                f"the table lacks the columns {', '.join(lacking)}", f"в таблице нет столбцов: {', '.join(lacking)}"
            )
        ignored = tuple(title for title in header if title and _folded(title) not in known)
        return cls(places, header, ignored)

    def header(self, field: str, default: str) -> str:
        """How the file names the column of a field."""
        return self.titles[self.places[field]] if field in self.places else default


class RowReader:
    """The cells of one row, and what is wrong with them.

    A method that cannot read a cell adds a finding and gives None. What may be a key is masked wherever it stands.
    """

    def __init__(self, row: Row, columns: Columns, secrets: SecretFields = frozenset()) -> None:
        self.number = row.number
        self.findings: list[Finding] = []
        self._row, self._columns, self._secrets = row, columns, secrets
        # A stray delimiter moves what follows to the right, so nothing from the first secret column on is shown.
        self._hidden_from = min((columns.places[name] for name in secrets if name in columns.places), default=1 << 16)
        self._is_shifted = len(row.cells) > len(columns.titles)
        if self._is_shifted:
            self.findings.append(advice.EXTRA.at(row.number, "", "", secret=True))

    def raw(self, field: str) -> str:
        """The text of a cell, empty if there is no such column."""
        at = self._columns.places.get(field)
        return "" if at is None else self._row.cells[at].text

    def shown(self, at: int) -> str:
        """The text of a column by its place, masked if it holds a secret or may hold one."""
        text = self._row.cells[at].text
        return MASK if text and self._is_secret(at, text) else text

    def add(self, rule: Advice, field: str, **words: object) -> None:
        """Note a finding at the cell of a field."""
        at = self._columns.places.get(field)
        column = self._columns.header(field, field)
        value = "" if at is None else self.shown(at)
        self.findings.append(rule.at(self.number, column, value, secret=field in self._secrets, **words))

    def _is_secret(self, at: int, text: str) -> bool:
        if any(self._columns.places.get(name) == at for name in self._secrets):
            return True
        return (self._is_shifted and at >= self._hidden_from) or bool(_KEY.search(text.translate(_HEX_SEPARATORS)))

    def text(self, field: str, *, needed: bool = False) -> str | None:
        """A text cell; a cell typed as a number is a finding."""
        text = self.raw(field)
        if not text:
            if needed:
                self.add(advice.REQUIRED, field)
            return None
        if text == MASK:
            self.add(advice.MASKED, field)
            return None
        if self._kind(field) is not CellKind.TEXT or _AS_NUMBER.fullmatch(text):
            self.add(advice.NUMBER, field)
            return None
        if len(text) > MAX_FIELD:
            self.add(advice.TOO_LONG, field, most=MAX_FIELD)
            return None
        return text

    def hex(self, field: str, size: int) -> str | None:
        """`size` bytes in hex, spaces, hyphens and colons dropped; given in lower case."""
        text = self.raw(field)
        if text and self._kind(field) is CellKind.TEXT:
            bare = text.translate(_HEX_SEPARATORS)
            if len(bare) == 2 * size and _HEX.fullmatch(bare):
                return bare.lower()
            self.add(advice.NUMBER if _AS_NUMBER.fullmatch(text) else advice.HEX, field, digits=2 * size)
        elif text:
            self.add(advice.NUMBER, field)
        return None

    def date(self, field: str) -> datetime.date | None:
        """A date cell, or text as 2026-03-14 or 14.03.2026."""
        text = self.raw(field)
        if not text:
            return None
        found = _DAY.fullmatch(text[:10] if self._kind(field) is CellKind.DATE else text)
        try:
            if found:
                return datetime.date.fromisoformat("-".join(found.group(1, 2, 3) if found[1] else found.group(6, 5, 4)))
        except ValueError:
            pass  # 30.02.2026 has the form of a date and is none
        self.add(advice.DATE, field)
        return None

    def year(self, field: str) -> str | None:
        """A year of four digits, typed as text or as a number."""
        text = self.raw(field)
        if not text or _YEAR.fullmatch(text):
            return text or None
        self.add(advice.YEAR, field)
        return None

    def decimal(self, field: str, *, needed: bool = False) -> Decimal | None:
        """A decimal with a point or a comma, typed as text or as a number."""
        text = self.raw(field)
        if text and is_decimal(text):
            return parse_decimal(text)
        if text or needed:
            self.add(advice.DECIMAL if text else advice.REQUIRED, field)
        return None

    def _kind(self, field: str) -> CellKind:
        at = self._columns.places.get(field)
        return CellKind.EMPTY if at is None else self._row.cells[at].kind


def _folded(title: str) -> str:
    return _NOT_NAME.sub("", title.casefold())
