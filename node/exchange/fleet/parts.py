"""Several sheets as one table: a sheet for each house, or for each resource, is how many fleets are kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from node.exchange.cells import Row
from node.exchange.fleet.columns import Why
from node.exchange.fleet.fields import ADDRESS_PARTS, OF_A_METER, Field, fold_title
from node.exchange.fleet.layout import Layout, Part
from node.exchange.fleet.values import looks_like_address
from node.exchange.grids import Grid

REPEATED = 0.5  # of its serials; a sheet that repeats more is a table of its own
LEAST_TOLD = 2  # fields of a meter beside its serial, where the columns are others
_ADDRESSES = frozenset({Field.ADDRESS, Field.STREET, Field.HOUSE})
_TELLING = (OF_A_METER | {Field.ADDRESS, *ADDRESS_PARTS, Field.ACCOUNT}) - {Field.SERIAL, Field.DEVICE}
_UNNAMED = re.compile(r"(?:лист|sheet|table|таблица)\s*\d*", re.IGNORECASE)
_PAST = re.compile(r"снят|архив|списан|демонт|замен|стар(?:ые|ое)|удал|чернов|\bold\b|archiv|removed|replaced", re.I)


def find_parts(grids: Sequence[Grid], layouts: Mapping[int, Layout], chosen: int) -> list[int]:
    """The places of the sheets, the chosen one among them, that are parts of one fleet: each read by its own header.

    A sheet that mostly repeats the meters of another, as those of several months do, is none of them, and neither is
    one of meters that are there no more.
    """
    shape, met = _shape(layouts[chosen]), _serials(grids[chosen], layouts[chosen])
    found = [chosen]
    for at, layout in sorted(layouts.items()):
        if at == chosen or grids[at].is_hidden or not layout.header.rows or _PAST.search(grids[at].name):
            continue
        if _shape(layout) != shape and not (_is_plain(layout) and _is_plain(layouts[chosen])):
            continue
        mine = _serials(grids[at], layout)
        if mine and len(mine & met) <= len(mine) * REPEATED:
            found.append(at)
            met |= mine
    return sorted(found)


def join(grids: Sequence[Grid], layouts: Mapping[int, Layout], places: Sequence[int]) -> tuple[Grid, Layout]:
    """One table of several sheets without their headers: those of the largest sheet's shape are understood as it is.

    Rows are numbered on through the sheets, and `Layout.where` tells a row's sheet again.
    """
    largest = max(places, key=lambda at: len(grids[at].rows))
    shape = _shape(layouts[largest])
    parts: list[Part] = []
    rows: list[Sequence[Row]] = []
    after = 0
    for at in places:
        grid, layout = grids[at], layouts[at]
        heading = layout.heading or _address(grid.name, layout)
        parts.append(Part(grid.name, after, heading, None if _shape(layout) == shape else layout))
        rows.append([Row(row.number + after, row.cells) for row in grid.rows[layout.header.first :]])
        after += grid.rows[-1].number
    layout = replace(
        layouts[largest],
        sheet=", ".join(grids[at].name for at in places),
        header=replace(layouts[largest].header, first=0),
        hidden_rows=sum(layouts[at].hidden_rows for at in places),
        parts=tuple(parts),
    )
    return replace(grids[largest], rows=tuple(chain.from_iterable(rows))), layout


def _is_plain(layout: Layout) -> bool:
    """Whether headers alone say that a sheet is one of meters."""
    by_header = {column.field for column in layout.columns if column.why in (Why.HEADER, Why.GIVEN)}
    told = {column.field for column in layout.columns} & _TELLING
    return bool(by_header & {Field.SERIAL, Field.DEVICE}) and len(told) >= LEAST_TOLD


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
