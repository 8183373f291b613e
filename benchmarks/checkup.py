"""A fleet of 20,000 meters in one workbook, checked: read, understood, every row and all rows together.

Against: the limit that people were promised, and openpyxl that only reads the same cells. Each run has other serials.
"""

import datetime
import io
import time
from functools import cache

from openpyxl import load_workbook

from benchmarks.__main__ import Measure
from node.exchange.fleet.checkup import check_fleet
from node.exchange.fleet.known import Known
from node.exchange.fleet.reader import read_fleet
from node.exchange.workbooks import write_xlsx
from node.passport.catalogs import load_types

METERS, LIMIT_S = 20_000, 5.0
ON = datetime.date(2026, 5, 1)
HEADER = (
    *("Адрес", "Л/с", "Тип ПУ", "Зав. №", "Год", "Дата поверки", "Поверен до", "МПИ, мес", "ГРСИ", "Показание, м3"),
    *("Ед. изм.", "DevEUI"),
)


@cache
def fleet(run: int) -> bytes:
    """A workbook of meters with nothing wrong."""
    rows = [
        [f"ул. Мира, д. {at // 100 + 1}, кв. {at % 100 + 1}", f"70{at:08d}", "ВС-15Д",
         f"{(at * 7919 + run * 104_729) % 10**8:08d}", "2023", "12.03.2024", "12.03.2030", "72", "999902-00",
         f"{at % 500},125", "м3", f"02C0DE00{at:08X}"]
        for at in range(METERS)
    ]  # fmt: skip
    return write_xlsx(HEADER, rows)


def check(run: int) -> float:
    """Seconds of one check-up; raise RuntimeError where it finds what is not there."""
    raw = fleet(run)
    begun = time.perf_counter()
    report = check_fleet(read_fleet(raw, today=ON, known=Known(types=load_types())))
    taken = time.perf_counter() - begun
    if report.meters != METERS or report.has_errors:
        raise RuntimeError(f"{report.meters} meters, {report.graded()}")
    return taken


def only_read(run: int) -> float:
    """Seconds in which openpyxl reads the same cells and nothing more."""
    begun = time.perf_counter()
    book = load_workbook(io.BytesIO(fleet(run)), read_only=True)
    for row in book.worksheets[0].iter_rows(values_only=True):
        assert row
    return time.perf_counter() - begun


MEASURES = [
    Measure(f"{METERS} meters checked", "s", "the promise", check, lambda _run: LIMIT_S),
    Measure(f"{METERS} meters checked, beside reading", "s", "openpyxl only reading", check, only_read),
]
