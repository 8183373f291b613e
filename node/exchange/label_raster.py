"""Labels as points: a picture of a page to look at, and ZPL for label printers that take no PDF."""

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from node.exchange.label_formats import LabelFormat
from node.exchange.label_layout import FONTS, Layout, Metrics

PRINTER = 8.0  # points in a mm: 203 dpi
SCREEN = 8.0
WHITE, BLACK, EDGE = 255, 0, 205


def draw_page(layouts: Sequence[Layout], form: LabelFormat, metrics: Metrics, start: int = 1) -> bytes:
    """The first page as PNG, with the edges of labels where there are several on it."""
    scale = SCREEN if form.on_a_page == 1 else SCREEN / 2
    picture = Image.new("L", [round(side * scale) for side in form.page], WHITE)
    for number in range(form.on_a_page):
        left, top = form.place(number)
        if form.on_a_page > 1:
            corners = (left, top, left + form.width, top + form.height)
            ImageDraw.Draw(picture).rectangle([round(corner * scale) for corner in corners], outline=EDGE)
        if 0 <= number - start + 1 < len(layouts):
            _draw(picture, layouts[number - start + 1], left, top, scale, metrics)
    made = io.BytesIO()
    picture.save(made, "png", optimize=True)
    return made.getvalue()


def write_zpl(layouts: Sequence[Layout], form: LabelFormat, metrics: Metrics) -> bytes:
    """The labels in ZPL II for a printer of 203 dpi, each as one picture: no font of the printer is needed."""
    return b"".join(_zpl(layout, form, metrics) for layout in layouts)


def _zpl(layout: Layout, form: LabelFormat, metrics: Metrics) -> bytes:
    width, height = round(form.width * PRINTER), round(form.height * PRINTER)
    picture = Image.new("L", (width, height), WHITE)
    _draw(picture, layout, 0, 0, PRINTER, metrics)
    # ^GF wants 1 for black, whole bytes a row.
    raw = picture.point(lambda value: 0 if value > 127 else 255).convert("1").tobytes()
    row = -(-width // 8)
    head = f"^XA^PW{width}^LL{height}^LH0,0^FO0,0^GFA,{len(raw)},{len(raw)},{row},"
    return f"{head}{raw.hex().upper()}^FS^XZ\n".encode()


def _draw(picture: Image.Image, layout: Layout, left: float, top: float, scale: float, metrics: Metrics) -> None:
    pen = ImageDraw.Draw(picture)
    x, y, square = (left + layout.x) * scale, (top + layout.y) * scale, layout.square * scale
    for row, first, length in layout.symbol.runs():
        corner = round(x + first * square), round(y + row * square)
        end = round(x + (first + length) * square) - 1, round(y + (row + 1) * square) - 1
        pen.rectangle([corner, end], fill=BLACK)
    for line in layout.lines:
        for part, number, begun in metrics.stretches(line.text):
            font = _font(metrics.fonts, number).font_variant(size=line.size * scale)
            at = (left + line.x + begun * line.size) * scale, (top + line.y) * scale
            pen.text(at, part, fill=BLACK, font=font, anchor="ls")


@cache
def _font(fonts: Path, number: int) -> ImageFont.FreeTypeFont:
    """A font of the console's as the drawing library reads it: unpacked."""
    font, made = TTFont(fonts / FONTS[number]), io.BytesIO()
    font.flavor = None
    font.save(made)
    made.seek(0)
    return ImageFont.truetype(made, 10)
