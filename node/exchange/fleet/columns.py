"""One column of a fleet table: what it holds, and why it is taken for that."""

from dataclasses import dataclass
from enum import StrEnum

from node.exchange.fleet.fields import NAMES, Field

COMMON = -1


class Why(StrEnum):
    """Why a column is taken for what it is taken for."""

    GIVEN = "given"
    HEADER = "header"
    CONTENT = "content"
    AGAINST_HEADER = "against_header"
    TWICE = "twice"
    UNKNOWN = "unknown"
    EMPTY = "empty"


REASONS: dict[Why, tuple[str, str]] = {
    Why.GIVEN: ("указано вами", "you said so"),
    Why.HEADER: ("по заголовку", "by its header"),
    Why.CONTENT: ("по содержимому: так читаются {share} % ячеек", "by content: {share} % of the cells read so"),
    Why.AGAINST_HEADER: (
        "по содержимому, вопреки заголовку: так читаются {share} % ячеек",
        "by content, against the header: {share} % of the cells read so",
    ),
    Why.TWICE: ("другой столбец подходит лучше", "another column fits better"),
    Why.UNKNOWN: ("ни заголовок, ни содержимое не подсказали", "neither header nor content told"),
    Why.EMPTY: ("столбец пуст", "the column is empty"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its place from 0, title, field, why, the share of cells in per cent, and samples of its cells.

    `block` numbers the meter of a row that it is of; -1 is what all meters of the row have in common.
    """

    place: int
    title: str
    field: Field
    why: Why
    share: int = 0
    sample: tuple[str, ...] = ()
    block: int = COMMON
    month_first: bool = False
    in_years: bool = False
    unit: str | None = None
    resource: str | None = None
    is_hidden: bool = False

    def reason(self, language: str) -> str:
        """Why, in words of `ru` or `en`."""
        return REASONS[self.why][0 if language == "ru" else 1].format(share=self.share)

    def name(self, language: str) -> str:
        """What the column holds, in words of `ru` or `en`."""
        return NAMES[self.field][0 if language == "ru" else 1]
