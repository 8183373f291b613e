"""What a register was read to say of a thing: which statements prove it, and how it differs from what others say.

A reading is a statement with the sections `extract`, `register` (which register, asked where and when) and `answer`
(its bytes). It proves what stands in the extract where one record of the answer says all of that, about this serial and
a type approval of this thing. Nobody signs for the register: whoever reads it answers for the bytes.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from node.passport.bodies import EventBody, ExtractBody, RegisterBody
from node.passport.errors import PassportError
from node.passport.reading import Reading
from node.passport.register_answers import REGISTER, RegisterRecord, parse_answer, type_base
from node.passport.view import Plain, moment_us

SECTION, ANSWER = "register", "answer"
VALID_UNTIL, RECORD = "verification_valid_until", "fif_docnum"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing of which the register says something else than the passport; texts, None where one says nothing."""

    what: str
    register: str | None
    passport: str | None


def proved_by(reading: Reading, is_this: Callable[[str], bool], approvals: Collection[str]) -> RegisterRecord | None:
    """The record that says what a reading says; None where there is none about this thing."""
    body, extract = reading.body(SECTION, RegisterBody), reading.body("extract", ExtractBody)
    raw = reading.statement.sections.get(ANSWER)
    if body is None or extract is None or raw is None or body.source != REGISTER:
        return None
    try:
        records = parse_answer(raw).records
    except PassportError:
        return None
    return next(
        (
            record
            for record in records
            if is_this(record.serial)
            and type_base(record.type_number) in approvals
            and _says(record, extract, reading.statement.occurred)
        ),
        None,
    )


def record_view(record: RegisterRecord) -> dict[str, Plain]:
    """A record as views show it."""
    return {
        "number": record.docnum,
        "id": record.record_id,
        "verified": record.verified,
        "valid_until": record.valid_until,
        "organisation": record.organisation,
        "fit": record.is_fit,
        "type_number": record.type_number,
        "serial": record.serial,
        "modification": record.modification,
    }


@dataclass(frozen=True, slots=True)
class Result:
    """A result of verification as a passport has it, beside which a record is put."""

    verified: str | None
    valid_until: str | None
    docnum: str | None
    is_fit: bool | None
    organisation: str | None


def differences(record: RegisterRecord, result: Result) -> list[Difference]:
    """Day, end, number, conclusion and organisation where both say something and differ, or the register says more."""
    return [*_differences(record, result)]


def _differences(record: RegisterRecord, result: Result) -> Iterator[Difference]:
    fit = {True: "fit", False: "unfit", None: None}
    pairs = (
        ("verified", record.verified, result.verified),
        ("valid_until", record.valid_until, result.valid_until),
        ("number", record.docnum, result.docnum),
        ("fit", fit[record.is_fit], fit[result.is_fit]),
    )
    for what, register, passport in pairs:
        if register != passport:
            yield Difference(what, register, passport)
    if result.organisation and _plain(result.organisation) != _plain(record.organisation):
        yield Difference("organisation", record.organisation, result.organisation)


def _says(record: RegisterRecord, extract: ExtractBody, occurred: int) -> bool:
    told = {VALID_UNTIL: record.valid_until, RECORD: record.docnum}
    rows = [(row.code.central or "", row.value, row.since, row.unit) for row in extract.parameters]
    is_day = occurred == moment_us(record.verified)
    agrees = all(told.get(code) == value and since == record.verified and not unit for code, value, since, unit in rows)
    return is_day and bool(rows or extract.events) and agrees and all(_tells(record, event) for event in extract.events)


def _tells(record: RegisterRecord, event: EventBody) -> bool:
    return event.what.central == record.verdict


def _plain(name: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in name.casefold()).split())
