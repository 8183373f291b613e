"""What is wrong with a row of a file, said so that the person who sent it can put it right."""

from dataclasses import dataclass

from node.secret import MASK


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the row as the file numbers it, the column's header, the value, a stable rule code,
    and what is wrong and what to do in Russian and English. The value of a secret column is always `***`.
    """

    row: int
    column: str
    value: str
    rule: str
    ru: str
    en: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A rule's code and its two texts; `{…}` in a text is filled in by `at`."""

    rule: str
    ru: str
    en: str

    def at(self, row: int, column: str, value: str, *, secret: bool = False, **words: object) -> Finding:
        """The finding of this rule at a cell; a secret cell's value is masked."""
        shown = MASK if secret else value[:100]
        return Finding(row, column, shown, self.rule, self.ru.format(**words), self.en.format(**words))


REQUIRED = Advice("cell.required", "Ячейка пуста. Впишите значение.", "The cell is empty. Fill it in.")
NUMBER = Advice(
    "cell.number",
    "Ячейка набрана числом: ведущие нули и длинные цифры теряются. Задайте столбцу формат «Текст» и впишите заново.",
    "The cell was typed as a number, which loses leading zeros and long digits. Format the column as text, type again.",
)
MASKED = Advice(
    "cell.masked",
    "Значение в отчёте скрыто. Впишите его заново.",
    "The report masked this value. Type it again.",
)
HEX = Advice(
    "cell.hex",
    "Нужно {digits} шестнадцатеричных цифр. Скопируйте значение с прибора или из станции прошивки.",
    "{digits} hexadecimal digits are needed. Copy the value from the device or the flashing station.",
)
DATE = Advice(
    "cell.date",
    "Нужна дата вида 2026-03-14 или 14.03.2026.",
    "A date is needed, as 2026-03-14 or 14.03.2026.",
)
YEAR = Advice("cell.year", "Нужен год четырьмя цифрами.", "A year of four digits is needed.")
TOO_LONG = Advice("cell.too_long", "Не больше {most} знаков.", "At most {most} characters.")
DECIMAL = Advice("cell.decimal", "Нужно число, например 0,0125.", "A number is needed, for example 0.0125.")
EXTRA = Advice(
    "row.cells",
    "В строке больше ячеек, чем столбцов. Возьмите текст с разделителем в кавычки.",
    "The row has more cells than columns. Put a text that holds the delimiter in quotes.",
)
