"""The formats of labels: single ones for thermal printers, and the grids of common sheets of A4. Sizes in mm."""

from collections.abc import Mapping
from dataclasses import dataclass

A4 = (210.0, 297.0)


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """The size of a label, and where labels stand on their page; `padding` is kept free inside each label.

    A page of one label is as large as it. `left` and `top` are the margins of the sheet, `gap_x` and `gap_y` lie
    between labels.
    """

    name: str
    width: float
    height: float
    padding: float
    columns: int = 1
    rows: int = 1
    left: float = 0.0
    top: float = 0.0
    gap_x: float = 0.0
    gap_y: float = 0.0

    @property
    def on_a_page(self) -> int:
        """How many labels a page has."""
        return self.columns * self.rows

    @property
    def page(self) -> tuple[float, float]:
        """Width and height of a page."""
        return (self.width, self.height) if self.on_a_page == 1 else A4

    def place(self, number: int) -> tuple[float, float]:
        """Left and top of the label of that number on its page, from 0, row by row."""
        row, column = divmod(number, self.columns)
        return self.left + column * (self.width + self.gap_x), self.top + row * (self.height + self.gap_y)

    def pages(self, count: int, start: int = 1) -> int:
        """How many pages so many labels take when the first one stands at `start`, from 1."""
        return -(-(count + start - 1) // self.on_a_page)


FORMATS: Mapping[str, LabelFormat] = {
    one.name: one
    for one in (
        LabelFormat("58x40", 58, 40, 1),
        LabelFormat("58x30", 58, 30, 1),
        LabelFormat("43x25", 43, 25, 1),
        LabelFormat("a4-3x7", 63.5, 38.1, 1.5, 3, 7, 7.2, 15.1, 2.5),
        # These reach to the edges of the sheet, where printers print nothing.
        LabelFormat("a4-3x8", 70, 37, 5, 3, 8, 0, 0.5),
        LabelFormat("a4-4x10", 48.5, 25.4, 1.5, 4, 10, 8, 21.5),
        LabelFormat("a4-5x13", 38.1, 21.2, 1, 5, 13, 4.7, 10.7, 2.5),
    )
}
