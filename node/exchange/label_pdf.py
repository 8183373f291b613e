"""Labels as PDF: one a page for thermal printers, or in the grid of a sheet. Text is text, codes are filled squares."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fpdf import FPDF

from node.exchange.label_formats import LabelFormat
from node.exchange.label_layout import FONTS, Layout, Metrics
from node.exchange.sheet_pages import PRODUCER

POINTS = 72 / 25.4  # in a mm
FAMILY = "label"


def draw_labels(layouts: Sequence[Layout], form: LabelFormat, metrics: Metrics, made_us: int, start: int = 1) -> bytes:
    """The labels as PDF; the first one stands at `start`, from 1, of its sheet."""
    page = FPDF(unit="mm", format=form.page)
    page.set_creation_date(datetime.fromtimestamp(made_us / 1e6, UTC))
    page.set_producer(PRODUCER)
    page.set_auto_page_break(False)
    page.set_margin(0)
    for number, name in enumerate(FONTS):
        page.add_font(f"{FAMILY}-{number}", "", metrics.fonts / name)
    for number, layout in enumerate(layouts, start - 1):
        place = number % form.on_a_page
        if place == 0 or page.page == 0:
            page.add_page()
        _draw(page, layout, metrics, *form.place(place))
    return bytes(page.output())


def _draw(page: FPDF, layout: Layout, metrics: Metrics, left: float, top: float) -> None:
    # All squares are one shape: shapes side by side are drawn with hairlines between them.
    x, y, square = left + layout.x, top + layout.y, layout.square
    path = [
        f"{(x + first * square) * POINTS:.3f} {(page.h - y - row * square) * POINTS:.3f} "
        f"{length * square * POINTS:.3f} {-square * POINTS:.3f} re"
        for row, first, length in layout.symbol.runs()
    ]
    page._out(f"q 0 g {' '.join(path)} f Q")
    for line in layout.lines:
        for part, number, begun in metrics.stretches(line.text):
            page.set_font(f"{FAMILY}-{number}", "", line.size * POINTS)
            page.text(left + line.x + begun * line.size, top + line.y, part)
