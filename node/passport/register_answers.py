"""What the public interface of ФГИС «Аршин» answers about results of verification: bytes to records, nothing else.

An answer is `{"result": {"count": n, "items": [{…}]}}` in UTF-8 JSON with dates as 15.05.2025. Unknown keys are
ignored; an item that lacks a serial, a type, a day or its conclusion makes the whole answer unreadable, because what it
says of others cannot be trusted either.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from node.passport.errors import PlateError, RegisterAnswerError
from node.passport.plate import cut_label, plate_text

REGISTER = "fgis-arshin"
MAX_ANSWER = 128 * 1024
MAX_ITEMS = 100
MAX_TEXT = 512
FIRST_DAY = "1970-01-01"  # statements tell no earlier time
FIT, UNFIT = "verified", "rejected"


@dataclass(frozen=True, slots=True)
class RegisterRecord:
    """One record of the register: days are ISO texts, `valid_until` is None where no end is told."""

    type_number: str
    serial: str
    verified: str
    valid_until: str | None
    docnum: str | None
    organisation: str
    is_fit: bool
    record_id: str | None = None
    modification: str | None = None

    @property
    def verdict(self) -> str:
        """The code of the event that the record tells of."""
        return FIT if self.is_fit else UNFIT

    @property
    def order(self) -> tuple[str, str, str]:
        """The newest last: by the day of verification, then by number."""
        return (self.verified, self.docnum or "", self.record_id or "")


@dataclass(frozen=True, slots=True)
class RegisterAnswer:
    """The records of one answer, and how many the register has in all."""

    count: int
    records: tuple[RegisterRecord, ...]


def parse_answer(raw: bytes) -> RegisterAnswer:
    """Read an answer; raise RegisterAnswerError naming the item and the field."""
    if len(raw) > MAX_ANSWER:
        raise RegisterAnswerError(f"the answer has {len(raw)} bytes, at most {MAX_ANSWER} are read")
    try:
        told = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise RegisterAnswerError(f"the answer is no JSON: {type(error).__name__}") from error
    result = told.get("result") if isinstance(told, dict) else None
    items = result.get("items") if isinstance(result, dict) else None
    if not isinstance(items, list) or len(items) > MAX_ITEMS:
        raise RegisterAnswerError(f"the answer has no list /result/items of at most {MAX_ITEMS} records")
    count = result.get("count", len(items)) if isinstance(result, dict) else 0
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise RegisterAnswerError("/result/count is no number")
    return RegisterAnswer(count, tuple(_Item(item, at).record() for at, item in enumerate(items)))


def type_base(number: str) -> str:
    """A type approval number without the year of its approval: what stays when an approval is renewed."""
    return number.strip().partition("-")[0].lstrip("0")


def serial_form(serial: str) -> str:
    """A serial as two readings of it are compared where no serial line tells better."""
    try:
        return plate_text(cut_label(serial))
    except PlateError:
        return serial.strip()


def newest(records: Iterable[RegisterRecord]) -> RegisterRecord | None:
    """The record of the latest verification."""
    return max(records, key=lambda record: record.order, default=None)


@dataclass(frozen=True, slots=True)
class _Item:
    item: object
    at: int

    def record(self) -> RegisterRecord:
        return RegisterRecord(
            type_number=self.text("mit_number"),
            serial=self.text("mi_number"),
            verified=self.verified(),
            valid_until=self.day("valid_date"),
            docnum=self.find("result_docnum"),
            organisation=self.text("org_title"),
            is_fit=self.flag("applicability"),
            record_id=self.find("vri_id"),
            modification=self.find("mi_modification"),
        )

    def refuse(self, name: str, why: str) -> NoReturn:
        raise RegisterAnswerError(f"/result/items/{self.at}/{name} {why}")

    def value(self, name: str) -> object:
        if not isinstance(self.item, dict):
            raise RegisterAnswerError(f"/result/items/{self.at} is no object")
        return self.item.get(name)

    def find(self, name: str) -> str | None:
        value = self.value(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            self.refuse(name, f"is no text of at most {MAX_TEXT} characters")
        if any(ord(letter) < 0x20 or 0xD800 <= ord(letter) < 0xE000 for letter in value):
            self.refuse(name, "holds a character that no document may hold")
        return value.strip() or None

    def text(self, name: str) -> str:
        return self.find(name) or self.refuse(name, "is missing")

    def day(self, name: str) -> str | None:
        said = self.find(name)
        if said is None:
            return None
        try:
            day, month, year = said.split(".")
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            self.refuse(name, f"is no day like 15.05.2025: {said[:32]}")

    def verified(self) -> str:
        said = self.day("verification_date") or self.refuse("verification_date", "is missing")
        return said if said >= FIRST_DAY else self.refuse("verification_date", f"is before {FIRST_DAY}: {said}")

    def flag(self, name: str) -> bool:
        value = self.value(name)
        if not isinstance(value, bool):
            self.refuse(name, "is neither true nor false")
        return value
