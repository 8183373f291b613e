"""What the check-up says of a row: its rules in two languages, each with a grade and what to do next.

An error is wrong whatever else holds, or stops work (an expired verification); a warning wants a look; a note tells how
the table was read. A rule that nearly all rows of a column break is one of the table: it is told once.
"""

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from node.exchange.fleet.fields import Field
from node.secret import MASK


class Grade(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


GRADES: dict[Grade, tuple[str, str]] = {
    Grade.ERROR: ("ошибка", "error"),
    Grade.WARNING: ("предупреждение", "warning"),
    Grade.NOTE: ("заметка", "note"),
}
ORDER = {grade: at for at, grade in enumerate(Grade)}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its stable code, its grade, what it is called and what it says in Russian and English.

    `{…}` in a text is filled in by a finding. One that `folds` is told once where most rows of a column break it.
    """

    code: str
    grade: Grade
    title_ru: str
    title_en: str
    ru: str
    en: str
    folds: bool = False

    def title(self, language: str) -> str:
        """What it is called in `ru` or `en`."""
        return self.title_ru if language == "ru" else self.title_en


@dataclass(frozen=True, slots=True)
class FleetFinding:
    """A rule that a cell breaks: the row as the file numbers it, the column's header, the value, and in how many rows
    it is so where it is told once.
    """

    rule: Rule
    row: int
    field: Field
    column: str
    value: str
    words: Mapping[str, object] = dataclasses.field(default_factory=dict)
    rows: int = 1

    @property
    def grade(self) -> Grade:
        """How much it weighs; what holds for a whole column weighs as a note, unless it is an error."""
        return Grade.NOTE if self.rows > 1 and self.rule.grade is Grade.WARNING else self.rule.grade

    def text(self, language: str) -> str:
        """What is wrong and what to do, in `ru` or `en`."""
        russian = language == "ru"
        words = {
            name: format_day(value, language) if isinstance(value, datetime.date) else value
            for name, value in self.words.items()
        }
        said = (self.rule.ru if russian else self.rule.en).format(**words)
        if self.rows == 1:
            return said
        return f"{said} Так в {self.rows} строках." if russian else f"{said} It is so in {self.rows} rows."

    @property
    def shown(self) -> str:
        """The value as it may be shown: personal data never."""
        return MASK if self.field is Field.PERSON else self.value[:100]


def format_day(day: datetime.date, language: str) -> str:
    """A date as people of a language read it."""
    return day.strftime("%d.%m.%Y") if language == "ru" else day.isoformat()
