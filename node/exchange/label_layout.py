"""Where things stand on a label: its code at the left, what it is at the right, the device id below. Sizes in mm.

Squares of a code are whole dots of a printer of 203 dpi where there is room, and never smaller than 0.4 mm. Texts
wrap, then shrink together; none is ever cut: what cannot be read any more is refused.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from unicodedata import normalize

from fontTools.ttLib import TTFont

from node.exchange.cells import printable
from node.exchange.errors import LabelError
from node.exchange.label_formats import LabelFormat
from node.exchange.label_symbols import Code, Symbol, make_symbol

FONTS = tuple(f"golos-text-{part}.woff2" for part in ("cyrillic", "latin", "latin-ext"))
DOT = 0.125  # of a printer of 203 dpi
LEAST_SQUARE = 0.4
MOST_SQUARE = 0.75
LEAST_LETTER = 0.9  # size of a font
LEADING = 1.18
ID_LETTER = (1.3, 2.5)  # least and most
GAP = 1.2
# Size of each text beside the others, when there is room for all.
DESIGNATION, SERIAL, MAKER = 3.2, 4.0, 2.3
CODE_SHARE = 0.52  # of the width, at most
STEPS = 24
_PARTS = re.compile(r"[^\s-]*-+ ?|[^\s-]+ ?")
UNKNOWN = "?"  # for a sign that the fonts have not


@dataclass(frozen=True, slots=True)
class Label:
    """What a label says: the text of its code, the device id in groups, and what a person reads."""

    link: str
    groups: Sequence[str]
    designation: str
    serial: str
    maker: str


@dataclass(frozen=True, slots=True)
class Line:
    """A text at a place: left end and base line, from the left top corner of the label; the size of its font."""

    text: str
    x: float
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A label with everything in its place: the left top corner of the code's first dark square, and its squares."""

    lines: tuple[Line, ...]
    symbol: Symbol
    x: float
    y: float
    square: float


class Metrics:
    """Which of the fonts has a sign, and how wide texts are."""

    def __init__(self, fonts: Path) -> None:
        self.fonts = fonts
        self._signs: dict[int, tuple[int, float]] = {}
        for number, name in reversed([*enumerate(FONTS)]):
            font = TTFont(fonts / name)
            units, widths = font["head"].unitsPerEm, font["hmtx"]
            self._signs |= {sign: (number, widths[glyph][0] / units) for sign, glyph in font.getBestCmap().items()}

    def width(self, text: str) -> float:
        """The width of a text in a font of size 1."""
        return sum(self._signs[ord(sign)][1] for sign in text)

    def stretches(self, text: str) -> Iterator[tuple[str, int, float]]:
        """(part, number of its font, where it begins in a font of size 1) of a text."""
        begun = 0.0
        for number, signs in groupby(text, lambda sign: self._signs[ord(sign)][0]):
            part = "".join(signs)
            yield part, number, begun
            begun += self.width(part)

    def spelt(self, text: str) -> str:
        """The text with a mark for each sign that the fonts have not, and one space where there are several."""
        words = printable(normalize("NFC", text)).split()
        return "".join(sign if ord(sign) in self._signs else UNKNOWN for sign in " ".join(words))


@cache
def metrics_of(fonts: Path) -> Metrics:
    """The metrics of the fonts in a folder, read once."""
    return Metrics(fonts)


def lay_out(label: Label, form: LabelFormat, code: Code, metrics: Metrics) -> Layout:
    """Put everything on a label; raise LabelError where it does not fit so that it can be read."""
    room = form.width - 2 * form.padding
    id_text = " ".join(label.groups)
    id_size = min(ID_LETTER[1], room / metrics.width(id_text))
    if id_size < ID_LETTER[0]:
        raise LabelError(f"a label {form.name} is too narrow for a device id")
    above = form.height - 2 * form.padding - id_size * LEADING
    symbol, square = _fitting(label.link, code, min(above, room * CODE_SHARE), form.name)
    side = symbol.side * square
    top = form.padding + (above - side) / 2
    left = form.padding + side + (GAP if symbol.quiet * square < GAP else 0.0)
    lines = _column(label, left, form.padding, form.width - form.padding - left, above, metrics, form.name)
    baseline = form.height - form.padding - id_size * 0.22
    lines.append(Line(id_text, (form.width - metrics.width(id_text) * id_size) / 2, baseline, id_size))
    at = symbol.quiet * square
    return Layout(tuple(lines), symbol, form.padding + at, top + at, square)


def check_texts(label: Label, like: str, form: LabelFormat, code: Code, metrics: Metrics) -> None:
    """Raise LabelError where a label does not fit; told sooner than by laying it out, by the code of another's link."""
    try:
        lay_out(replace(label, link=like), form, code, metrics)
    except LabelError:
        lay_out(label, form, code, metrics)  # its own code may be smaller


def _fitting(link: str, code: Code, room: float, name: str) -> tuple[Symbol, float]:
    """The code with squares as large as there is room for; with less correction where it would be too fine else."""
    for level in ("M", "L"):
        symbol = make_symbol(code, link, level)
        square = room / symbol.side
        if square >= LEAST_SQUARE:
            dots = int(min(square, MOST_SQUARE) / DOT) * DOT
            return symbol, dots if dots >= LEAST_SQUARE else square
    raise LabelError(f"a label {name} is too small for a code of {len(link)} characters")


def _column(
    label: Label, left: float, top: float, width: float, height: float, metrics: Metrics, name: str
) -> list[Line]:
    """The texts beside the code, as large as they may be together."""
    texts = [(label.designation, DESIGNATION), (label.serial, SERIAL), (label.maker, MAKER)]
    said = [(shown, size) for text, size in texts if (shown := metrics.spelt(text))]
    least = LEAST_LETTER / MAKER
    for step in range(STEPS + 1):
        scale = 1.0 - (1.0 - least) * step / STEPS
        lines, y = list[Line](), top
        for text, full in said:
            size = full * scale
            for part in wrap(text, width / size, metrics):
                y += size * LEADING
                lines.append(Line(part, left, y - size * 0.25, size))
            y += size * 0.25
        if y - top <= height:
            return lines
    raise LabelError(f"a label {name} is too small for what it has to say")


def wrap(text: str, width: float, metrics: Metrics) -> list[str]:
    """The lines of a text, none wider than that in a font of size 1: broken at spaces and after hyphens, and within a
    word that is wider alone.
    """
    lines, line = list[str](), ""
    for part in _PARTS.findall(text):
        if metrics.width((line + part).rstrip()) <= width:
            line += part
            continue
        if line:
            lines.append(line.rstrip())
        *whole, line = _broken(part, width, metrics)
        lines += whole
    return [*lines, line.rstrip()] if line else lines


def _broken(word: str, width: float, metrics: Metrics) -> list[str]:
    parts, part = list[str](), ""
    for sign in word:
        if part and metrics.width(part + sign) > width:
            parts.append(part)
            part = ""
        part += sign
    return [*parts, part]
