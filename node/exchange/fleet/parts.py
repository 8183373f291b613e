"""Several sheets of one shape as one table: a sheet for each house is how many fleets are kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from node.exchange.cells import Row
from node.exchange.fleet.fields import Field, fold_title
from node.exchange.fleet.layout import Layout, Part
from node.exchange.fleet.values import looks_like_address
from node.exchange.grids import Grid

REPEATED = 0.5  # of its serials; a sheet that repeats more is a table of its own
_ADDRESSES = frozenset({Field.ADDRESS, Field.STREET, Field.HOUSE})
_UNNAMED = re.compile(r"(?:лист|sheet|table|таблица)\s*\d*", re.IGNORECASE)


def alike(grids: Sequence[Grid], layouts: Mapping[int, Layout], chosen: int) -> list[int]:
    """The places of the sheets, the chosen one among them, whose columns have the same titles and hold the same.

    A sheet that mostly repeats the meters of another, as those of several months do, is none of them.
    """
    shape, met = _shape(layouts[chosen]), _serials(grids[chosen], layouts[chosen])
    found = [chosen]
    for at, layout in sorted(layouts.items()):
        if at == chosen or grids[at].is_hidden or not layout.header.rows or _shape(layout) != shape:
            continue
        mine = _serials(grids[at], layout)
        if len(mine & met) <= len(mine) * REPEATED:
            found.append(at)
            met |= mine
    return sorted(found)


def join(grids: Sequence[Grid], layouts: Mapping[int, Layout], places: Sequence[int]) -> tuple[Grid, Layout]:
    """One table of several sheets, understood as the largest of them is.

    Rows are numbered on through the sheets, the header stands once, and `Layout.where` tells a row's sheet again.
    """
    first = places[0]
    largest = max(places, key=lambda at: len(grids[at].rows))
    parts: list[Part] = []
    rows: list[Sequence[Row]] = []
    after = 0
    for at in places:
        grid, layout = grids[at], layouts[at]
        parts.append(Part(grid.name, after, layout.heading or _address(grid.name, layout)))
        body = grid.rows if at == first else grid.rows[layout.header.first :]
        rows.append([Row(row.number + after, row.cells) for row in body])
        after += grid.rows[-1].number
    layout = replace(
        layouts[largest],
        sheet=", ".join(grids[at].name for at in places),
        header=layouts[first].header,
        hidden_rows=sum(layouts[at].hidden_rows for at in places),
        parts=tuple(parts),
    )
    return replace(grids[first], rows=tuple(chain.from_iterable(rows))), layout


def _serials(grid: Grid, layout: Layout) -> set[str]:
    """What stands in the columns of serials under the header."""
    places = [column.place for column in layout.columns if column.field in (Field.SERIAL, Field.DEVICE)]
    rows = grid.rows[layout.header.first :]
    return {row.cells[at].text for row in rows for at in places if at < len(row.cells) and row.cells[at].text}


def _shape(layout: Layout) -> list[tuple[str, Field]]:
    return [(fold_title(column.title), column.field) for column in layout.columns]


def _address(name: str, layout: Layout) -> str:
    """The name of a sheet where it alone says the house."""
    if any(column.field in _ADDRESSES for column in layout.columns) or _UNNAMED.fullmatch(name.strip()):
        return ""
    return name if looks_like_address(name) or any(sign.isdigit() for sign in name) else ""
