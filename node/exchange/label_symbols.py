"""The codes of labels as squares: QR (ISO/IEC 18004) and Data Matrix ECC 200 (ISO/IEC 16022)."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal

import segno
from PIL import Image
from pystrich.datamatrix import DataMatrixData, DataMatrixEncoder
from pystrich.exceptions import PyStrichError
from segno.encoder import DataOverflowError

from node.exchange.errors import LabelError

Level = Literal["M", "L"]
QR_QUIET, MATRIX_QUIET = 4, 1  # squares that stay white around a code: 5.3.8 of one standard, 7.2 of the other


class Code(StrEnum):
    """The kinds of codes."""

    QR = "qr"
    DATAMATRIX = "datamatrix"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A code: rows of squares, 1 where dark, without what stays white around them."""

    rows: tuple[bytes, ...]
    quiet: int

    @property
    def side(self) -> int:
        """Squares of a side, with those that stay white."""
        return len(self.rows) + 2 * self.quiet

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """(row, first, length) of the dark stretches."""
        for y, row in enumerate(self.rows):
            first: int | None = None
            for x, dark in enumerate((*row, 0)):
                if dark and first is None:
                    first = x
                elif not dark and first is not None:
                    yield y, first, x - first
                    first = None


@lru_cache(4)  # the texts of many labels are measured beside one code
def make_symbol(code: Code, text: str, level: Level = "M") -> Symbol:
    """The code of a text of ASCII; raise LabelError where it is too long for one. `level` is of a QR code alone."""
    try:
        if code is Code.QR:
            made = segno.make(text, error=level, micro=False, boost_error=False)
            return Symbol(tuple(map(bytes, made.matrix_iter(border=0))), QR_QUIET)
        encoder = DataMatrixEncoder(DataMatrixData(text, encoding="ascii"), quiet_zone=0)
        return Symbol(tuple(map(_dark, encoder.init_renderer().matrix)), MATRIX_QUIET)
    except (DataOverflowError, PyStrichError, UnicodeEncodeError) as error:
        raise LabelError(f"no code holds this text of {len(text)} characters: {error}") from error


def draw_svg(symbol: Symbol) -> bytes:
    """A code as SVG, a square a unit."""
    path = "".join(f"M{x + symbol.quiet} {y + symbol.quiet}h{length}v1h-{length}z" for y, x, length in symbol.runs())
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {symbol.side} {symbol.side}">'
    white = f'<path fill="#fff" d="M0 0h{symbol.side}v{symbol.side}h-{symbol.side}z"/>'
    return f'{head}{white}<path d="{path}"/></svg>'.encode()


def draw_png(symbol: Symbol, scale: int = 8) -> bytes:
    """A code as PNG, `scale` points a square."""
    picture = Image.new("1", (symbol.side, symbol.side), 1)
    for y, x, length in symbol.runs():
        picture.paste(0, (x + symbol.quiet, y + symbol.quiet, x + symbol.quiet + length, y + symbol.quiet + 1))
    made = io.BytesIO()
    picture.resize((symbol.side * scale, symbol.side * scale), Image.Resampling.NEAREST).save(made, "png")
    return made.getvalue()


def _dark(row: list[int | None]) -> bytes:
    return bytes(1 if square else 0 for square in row)
