"""Which column of a supplier's table holds what: said once, kept, and read again for the next table of its kind."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from node.exchange.errors import ColumnError
from node.exchange.fleet.fields import Field

MAX_MAPPED = 256
MAX_HEADER_ROWS = 3


@dataclass(frozen=True, slots=True)
class FleetMapping:
    """What is known of a table beforehand; whatever it does not say is guessed.

    `columns` are headers, or letters of columns where there is no header. `sheet` is the sheet's name, `header_row` the
    number of the first row of the header, 0 where there is none. One that `is_kept` from an earlier table of a supplier
    holds as far as this table has what it names: headers change, and rows that were sent back have headers of ours.
    """

    columns: Mapping[str, Field] = field(default_factory=dict)
    sheet: str | None = None
    header_row: int | None = None
    is_kept: bool = False

    @classmethod
    def from_pairs(cls, pairs: Iterable[str], sheet: str | None = None) -> "FleetMapping":
        """Read `Header=field` pairs as a command takes them; raise ColumnError."""
        columns: dict[str, Field] = {}
        for pair in pairs:
            title, sign, name = pair.rpartition("=")
            if not sign or not title.strip():
                raise ColumnError(
                    f"{pair[:80]!r} is no pair of a header and a field, as Номер=serial",
                    f"«{pair[:80]}» — не пара из заголовка и поля, как Номер=serial",
                )
            columns[title.strip()] = parse_field(name)
        return cls(columns, sheet)

    @classmethod
    def from_json(cls, text: str) -> "FleetMapping":
        """Read what `to_json` wrote; raise ColumnError."""
        try:
            told = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ColumnError(f"the mapping is no JSON: {error}") from error
        columns = told.get("columns", {}) if isinstance(told, dict) else None
        if not isinstance(told, dict) or not isinstance(columns, dict) or len(columns) > MAX_MAPPED:
            raise ColumnError('a mapping is an object, as {"columns": {"Номер": "serial"}}')
        sheet, row = told.get("sheet"), told.get("header_row")
        if not isinstance(sheet, str | None) or isinstance(row, bool) or not isinstance(row, int | None):
            raise ColumnError("in a mapping, sheet is a text and header_row a whole number")
        named = {str(title): parse_field(name) for title, name in columns.items()}
        return cls(named, sheet, row, told.get("kept") is True)

    def to_json(self) -> str:
        """This mapping as JSON, for a supplier's next table."""
        told: dict[str, object] = {"columns": dict(self.columns), "sheet": self.sheet, "header_row": self.header_row}
        if self.is_kept:
            told["kept"] = True
        return json.dumps({name: value for name, value in told.items() if value is not None}, ensure_ascii=False)


def parse_field(name: object) -> Field:
    """The field of a name; raise ColumnError that lists them."""
    try:
        return Field(str(name).strip().casefold())
    except ValueError:
        raise ColumnError(
            f"there is no field {str(name)[:40]!r}; the fields are {', '.join(Field)}",
            f"поля «{str(name)[:40]}» нет; поля: {', '.join(Field)}",
        ) from None
