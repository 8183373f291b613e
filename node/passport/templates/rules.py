"""The typed rules of templates: a fixed published catalog, run from the template's data alone.

No code and no expressions travel in a template. Whether a place must be filled in is said by the schema and by
`required_if`; the other rules speak of what is there. How a rule is declared is read in `template_rules`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from typing import ClassVar

from node.passport.strict_json import Json, json_equal, show
from node.passport.templates.facts import PassportFacts
from node.passport.templates.findings import Parameters, Severity, parameters
from node.passport.templates.pointer import EVERY, MISSING, Missing, Pointer, expand, find

MAX_MONTHS = 1_200
ARITHMETIC = Context(prec=60)
# A passport keeps decimals as text and hex in lower case; a document need not.
HEX_CODES = frozenset({"dev_eui", "join_eui"})
DECIMAL_TEXT = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
DOCNUM = re.compile(r"([СИ])-([А-Я]{1,3})/([0-9]{2})-([0-9]{2})-([0-9]{4})/[0-9]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """What one rule found at one place; `code` selects the text shown."""

    pointer: Pointer
    code: str
    parameters: Parameters = ()
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class RelativeError:
    """In each item, the stated error in % is (measured - reference) / reference * 100 within the tolerance."""

    name: ClassVar[str] = "relative_error"
    each: Pointer
    measured: Pointer
    reference: Pointer
    error: Pointer
    tolerance: Decimal

    def check(self, document: Json) -> Iterator[Problem]:
        """One problem for each item whose error does not follow from its volumes."""
        for place, item in _items(document, self.each):
            measured, reference, stated = (_number(item, at) for at in (self.measured, self.reference, self.error))
            if measured is None or reference is None or stated is None:
                continue
            if reference == 0:
                yield Problem(place.join(self.reference), "relative-error-no-reference")
                continue
            computed = ARITHMETIC.divide(
                ARITHMETIC.multiply(ARITHMETIC.subtract(measured, reference), Decimal(100)), reference
            )
            if ARITHMETIC.subtract(computed, stated).copy_abs() > self.tolerance:
                values = parameters(stated=stated, computed=_short(computed), tolerance=self.tolerance)
                yield Problem(place.join(self.error), "relative-error-differs", values)


@dataclass(frozen=True, slots=True)
class WithinMpe:
    """In each item the flag says truly whether |error| is within the limit; without a flag it must be."""

    name: ClassVar[str] = "within_mpe"
    each: Pointer
    error: Pointer
    mpe: Pointer
    flag: Pointer | None = None

    def check(self, document: Json) -> Iterator[Problem]:
        """One problem for each item whose flag is not true of it."""
        for place, item in _items(document, self.each):
            error, limit = _number(item, self.error), _number(item, self.mpe)
            if error is None or limit is None:
                continue
            flag = find(item, self.flag) if self.flag is not None else MISSING
            passed = flag if isinstance(flag, bool) else True
            if passed != (error.copy_abs() <= limit):
                at = place.join(self.flag if self.flag is not None and flag is not MISSING else self.error)
                code = "mpe-exceeded" if passed else "mpe-kept-but-failed"
                yield Problem(at, code, parameters(error=error, mpe=limit))


@dataclass(frozen=True, slots=True)
class AllPass:
    """The flag of every item is true."""

    name: ClassVar[str] = "all_pass"
    each: Pointer
    flag: Pointer

    def check(self, document: Json) -> Iterator[Problem]:
        """One problem for each item that is not said to have passed."""
        for place, item in _items(document, self.each):
            if find(item, self.flag) is not True:
                yield Problem(place.join(self.flag), "not-passed")


@dataclass(frozen=True, slots=True)
class TimeOrder:
    """`to` is not before `from`; of a date and a date-time the days are compared."""

    name: ClassVar[str] = "time_order"
    start: Pointer
    end: Pointer

    def check(self, document: Json) -> Iterator[Problem]:
        """A problem if the order is wrong or a time cannot be read."""
        start, end = find(document, self.start), find(document, self.end)
        if start is MISSING or end is MISSING:
            return
        moments = _moment(start), _moment(end)
        for moment, pointer in zip(moments, (self.start, self.end), strict=True):
            if moment is None:
                yield Problem(pointer, "no-time")
        if moments[0] is not None and moments[1] is not None and _later(moments[0], moments[1]):
            yield Problem(self.end, "time-order", parameters(start=start, end=end))


@dataclass(frozen=True, slots=True)
class RequiredIf:
    """The place is filled in."""

    name: ClassVar[str] = "required_if"
    pointer: Pointer

    def check(self, document: Json) -> Iterator[Problem]:
        """A problem if nothing, null or an empty text stands there."""
        if find(document, self.pointer) in (MISSING, None, ""):
            yield Problem(self.pointer, "required-if")


@dataclass(frozen=True, slots=True)
class MinItemsIf:
    """The list has at least `minimum` items; a missing list has none."""

    name: ClassVar[str] = "min_items_if"
    pointer: Pointer
    minimum: int

    def check(self, document: Json) -> Iterator[Problem]:
        """A problem if there are fewer."""
        value = find(document, self.pointer)
        count = len(value) if isinstance(value, list) else 0
        if count < self.minimum:
            yield Problem(self.pointer, "min-items-if", parameters(count=count, minimum=self.minimum))


@dataclass(frozen=True, slots=True)
class DatePlusMonthsMinusDay:
    """`to` is `from` plus months, minus one day; a day that the month lacks becomes its last."""

    name: ClassVar[str] = "date_plus_months_minus_day"
    start: Pointer
    months: Pointer | int
    end: Pointer

    def check(self, document: Json) -> Iterator[Problem]:
        """A problem if the date is another one; the record of a register outranks this rule."""
        start, end = _day(find(document, self.start)), _day(find(document, self.end))
        months = self._months(document)
        if start is None or end is None or months is None:
            return
        later = add_months(start, int(months)) if months == int(months) and abs(months) <= MAX_MONTHS else None
        if later is None or later == date.min:
            yield Problem(self.end, "date-out-of-range", parameters(start=start, months=months))
        elif end != (expected := later - timedelta(days=1)):
            values = parameters(start=start, months=months, stated=end, expected=expected)
            yield Problem(self.end, "valid-until-differs", values)

    def _months(self, document: Json) -> Decimal | None:
        return _number(document, self.months) if isinstance(self.months, Pointer) else Decimal(self.months)


@dataclass(frozen=True, slots=True)
class DocnumAgrees:
    """A register's record number (С or И - cipher / date / number) says the cipher, date and result of the document."""

    name: ClassVar[str] = "docnum_agrees"
    pointer: Pointer
    cipher: Pointer
    date: Pointer
    fit: Pointer

    def check(self, document: Json) -> Iterator[Problem]:
        """One problem for each part of the number that says something else."""
        number = find(document, self.pointer)
        if not isinstance(number, str):
            return
        match = DOCNUM.fullmatch(number)
        if match is None:
            yield Problem(self.pointer, "docnum-unreadable")
            return
        letter, cipher, day, month, year = match.groups()
        fit = find(document, self.fit)
        said = (
            ("docnum-fit", letter, {True: "С", False: "И"}.get(fit) if isinstance(fit, bool) else None),
            ("docnum-cipher", cipher, _text(find(document, self.cipher))),
            ("docnum-date", f"{year}-{month}-{day}", _text(find(document, self.date))),
        )
        for code, written, expected in said:
            if expected is not None and written != expected[:10]:
                yield Problem(self.pointer, code, parameters(written=written, expected=expected))


@dataclass(frozen=True, slots=True)
class VerificationValidOn:
    """By its passport the device was verified fit on or before the date, and the term has not run out."""

    name: ClassVar[str] = "verification_valid_on"
    device: Pointer
    date: Pointer

    def check(self, document: Json, facts: PassportFacts) -> Iterator[Problem]:
        """A problem if the device was not fit on that day, or if this node cannot tell."""
        device, on = _text(find(document, self.device)), _day(find(document, self.date))
        if device is None or on is None:
            yield Problem(self.device if device is None else self.date, "fact-not-given", (), Severity.UNCHECKED)
            return
        if not facts.has_passport(device):
            yield Problem(self.device, "passport-unknown", parameters(device=device), Severity.UNCHECKED)
            return
        known = facts.find_verification(device, on)
        if known is None:
            yield Problem(self.device, "not-verified", parameters(on=on))
        elif not known.fit:
            yield Problem(self.device, "verified-unfit", parameters(verified_on=known.verified_on))
        elif known.valid_until is None:
            yield Problem(self.device, "verified-without-term", (), Severity.UNCHECKED)
        elif known.valid_until < on:
            yield Problem(self.device, "verification-expired", parameters(valid_until=known.valid_until, on=on))


@dataclass(frozen=True, slots=True)
class ParameterEquals:
    """The place says what the device's passport says under a central code."""

    name: ClassVar[str] = "parameter_equals"
    device: Pointer
    parameter: str
    pointer: Pointer

    def check(self, document: Json, facts: PassportFacts) -> Iterator[Problem]:
        """A problem if both say something and they differ; a notice if the document is the first to say it."""
        device, stated = _text(find(document, self.device)), find(document, self.pointer)
        if stated is MISSING:
            return
        if device is None or not facts.has_passport(device):
            yield Problem(self.device, "passport-unknown", parameters(device=device or ""), Severity.UNCHECKED)
            return
        known = facts.find_parameter(device, self.parameter)
        if known is None:
            yield Problem(self.pointer, "parameter-first-stated", parameters(parameter=self.parameter), Severity.NOTICE)
        elif not _alike(self.parameter, known, stated):
            values = parameters(parameter=self.parameter, passport=show(known))
            yield Problem(self.pointer, "parameter-differs", values)


DocumentRule = (
    RelativeError | WithinMpe | AllPass | TimeOrder | RequiredIf | MinItemsIf | DatePlusMonthsMinusDay | DocnumAgrees
)
EachRule = RelativeError | WithinMpe | AllPass
FactRule = VerificationValidOn | ParameterEquals
Rule = DocumentRule | FactRule


def count_items(rule: Rule, document: Json) -> int:
    """How many items of a document a rule looks at."""
    return sum(1 for _ in _items(document, rule.each)) if isinstance(rule, EachRule) else 1


def add_months(day: date, months: int) -> date | None:
    """The same day of a later month, or the month's last day; None beyond the calendar."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    return None


def _items(document: Json, each: Pointer) -> Iterator[tuple[Pointer, Json]]:
    return expand(document, each.child(EVERY))


def _number(document: Json, pointer: Pointer) -> Decimal | None:
    value = find(document, pointer)
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _text(value: Json | Missing) -> str | None:
    return value if isinstance(value, str) else None


def _day(value: Json | Missing) -> date | None:
    moment = _moment(value)
    return moment.date() if isinstance(moment, datetime) else moment


def _moment(value: Json | Missing) -> date | datetime | None:
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2025-05-15"):
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _alike(code: str, known: Json, stated: Json) -> bool:
    if code in HEX_CODES and isinstance(known, str) and isinstance(stated, str):
        return known.lower() == stated.lower()
    if isinstance(known, str) and isinstance(stated, int | Decimal) and not isinstance(stated, bool):
        return DECIMAL_TEXT.fullmatch(known) is not None and Decimal(known) == stated
    return json_equal(known, stated)


def _later(one: date | datetime, other: date | datetime) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one > other
    return (one.date() if isinstance(one, datetime) else one) > (other.date() if isinstance(other, datetime) else other)


def _short(value: Decimal) -> str:
    return format(value, ".6f").rstrip("0").rstrip(".")
