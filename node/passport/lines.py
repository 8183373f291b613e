"""Serial lines: who prints which designations and serials, and which line a plate belongs to.

A line is published by its maker, or by a steward for a maker that is gone. `Lines` holds the lines that count, which
its caller decides. Identity binds late: two plates are one device when they resolve to the same (line, serial, year)
here, however each was typed; an id that was computed before the line was known stays valid beside it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from node.passport.bodies import Body, Day, Line, SubjectHex
from node.passport.claims import GRSI_PREFIX, Claim, Scheme, approval_claim, local_claim
from node.passport.codes import claim_of_code
from node.passport.errors import ClaimError, NumberError, PlateError
from node.passport.ids import SubjectId
from node.passport.makers import is_named
from node.passport.numbers import parse_grsi
from node.passport.plate import Nameplate, PlateLike, comparison_text, cut_label, split_typed
from node.passport.serials import SerialPattern

WIRE = "wire:"

# Words before a designation that say what kind of meter it is and tell no two lines apart.
_KIND_WORDS = """счётчик счетчик прибор учёта учета воды холодной горячей хвс гвс водосчётчик водосчетчик теплосчётчик
    теплосчетчик электросчётчик электросчетчик тепла газа электроэнергии электрический тепловой газовый бытовой
    квартирный крыльчатый турбинный механический ультразвуковой электромагнитный общедомовой индивидуальный
    одноструйный многоструйный однофазный трёхфазный трехфазный расходомер теплоэнергии
    ипу одпу meter water heat gas electricity"""
_KINDS = frozenset(map(comparison_text, _KIND_WORDS.split()))
_PARENTHESES = dict.fromkeys(map(ord, "()[]"), " ")
_BARE_NUMBER = re.compile(r"[0-9]{1,6}")  # a ГРСИ number whose year suffix was left out


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Held(Body):
    """A name, a mark or a number, valid from `since` up to `until` (excluded); None is open."""

    name: Line
    since: Day | None = None
    until: Day | None = None

    def holds(self, first: str, last: str) -> bool:
        """Whether it is valid on some day from `first` to `last`, both included (ISO dates)."""
        return (self.since is None or self.since <= last) and (self.until is None or first < self.until)


HeldList = Annotated[tuple[Annotated[Held, BeforeValidator(_named)], ...], Field(max_length=64)]
Prefix = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2,15}$")]


class SerialLine(Body):
    """Section `line` of a catalog fragment. A name with no dates may stand as plain text.

    Set, width and year flag never change: a mistake is a new line.
    """

    line: SubjectHex
    publisher: SubjectHex
    marks: HeldList
    designations: Annotated[tuple[Line, ...], Field(min_length=1, max_length=512)]
    legal_makers: HeldList = ()
    holders: HeldList = ()
    approvals: HeldList = ()
    serial: SerialPattern
    restarts_yearly: bool = False
    wire_codes: Annotated[tuple[Line, ...], Field(max_length=64)] = ()
    dev_eui_prefixes: Annotated[tuple[Prefix, ...], Field(max_length=64)] = ()

    @property
    def id(self) -> SubjectId:
        """The subject of the line's record."""
        return SubjectId(bytes.fromhex(self.line))

    def covers(self, approval: str, first: str = "", last: str = "9999-12-31") -> bool:
        """Whether the line was made under an approval, whatever the year suffix, between two ISO dates."""
        wanted = approval_key(approval)
        return any(approval_key(held.name) == wanted and held.holds(first, last) for held in self.approvals)


@dataclass(frozen=True, slots=True)
class LineKey:
    """What makes two plates one device; `year` is empty unless the line restarts its serials each year."""

    line: SubjectId
    serial: str
    year: str

    @property
    def claim(self) -> Claim:
        """The identity claim of this key."""
        return Claim(Scheme.LINE, self.line.hex, self.serial, self.year)


class Reason(StrEnum):
    """Why a plate belongs to no line."""

    UNKNOWN = "unknown-designation"
    CONTRADICTED = "mark-or-approval-of-no-such-line"
    AMBIGUOUS = "several-lines"
    SERIAL = "serial-not-of-this-line"
    NO_YEAR = "year-needed"


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A plate that no line can be told for, with the lines that came near."""

    reason: Reason
    candidates: tuple[SubjectId, ...] = ()


class Lines:
    """The lines that count, indexed by what is printed. Equal sets give equal answers in any order."""

    def __init__(self, lines: Iterable[SerialLine] = ()) -> None:
        """Take one record for each line; of two with one id the greater in bytes counts."""
        ordered = sorted(lines, key=lambda line: (line.line, line.to_bytes()))
        self._lines = {line.line: line for line in ordered}
        self._by_designation: dict[str, list[SerialLine]] = {}
        self._by_letters: dict[str, list[SerialLine]] = {}
        self._by_wire: dict[str, list[SerialLine]] = {}
        self._marks = sorted({mark for line in self._lines.values() for mark in _marks_of(line)})
        for line in self._lines.values():
            for text in sorted({comparison_text(designation) for designation in line.designations}):
                self._by_designation.setdefault(text, []).append(line)
                if "-" not in text:
                    self._by_letters.setdefault(text, []).append(line)
            for code in sorted(set(line.wire_codes)):
                self._by_wire.setdefault(code, []).append(line)

    def __len__(self) -> int:
        return len(self._lines)

    def find(self, line: SubjectId) -> SerialLine | None:
        """The record of a line, or None."""
        return self._lines.get(line.hex)

    def find_by_dev_eui(self, dev_eui: str) -> tuple[SerialLine, ...]:
        """Lines whose radio modules have a DevEUI prefix that begins this one (lower-case hex)."""
        return tuple(line for line in self._lines.values() if dev_eui.startswith(line.dev_eui_prefixes))

    def near(self, plate: PlateLike) -> frozenset[str]:
        """The ids (hex) of the lines that print this designation, or else this wire code."""
        return frozenset(line.line for line in self._near(plate))

    def resolve(self, plate: PlateLike, on: date | None = None) -> SerialLine | Unresolved:
        """The one line that agrees with all that was read, or why there is none.

        `on` is the date of manufacture where it is known better than the plate's year; dates only decide between
        lines that agree otherwise, because years are misread.
        """
        near = self._near(plate)
        if not near:
            return Unresolved(Reason.UNKNOWN)
        agreeing = _agreeing(near, plate)
        if not agreeing:
            return Unresolved(Reason.CONTRADICTED, _ids(near))
        fitting = [line for line in agreeing if _canonical(line, plate.serial) is not None]
        if not fitting:
            return Unresolved(Reason.SERIAL, _ids(agreeing))
        chosen = fitting if len(fitting) == 1 else [line for line in fitting if _in_time(line, plate, on)]
        return chosen[0] if len(chosen) == 1 else Unresolved(Reason.AMBIGUOUS, _ids(fitting))

    def key(self, plate: PlateLike, on: date | None = None) -> LineKey | Unresolved:
        """The (line, serial, year) of a plate, or why there is none."""
        line = self.resolve(plate, on)
        if isinstance(line, Unresolved):
            return line
        year = (plate.year or (str(on.year) if on else "")) if line.restarts_yearly else ""
        if line.restarts_yearly and not year:
            return Unresolved(Reason.NO_YEAR, (line.id,))
        serial = _canonical(line, plate.serial)
        return Unresolved(Reason.SERIAL, (line.id,)) if serial is None else LineKey(line.id, serial, year)

    def claim_for(self, plate: PlateLike, *, log: bytes, randomness: bytes, on: date | None = None) -> Claim:
        """The strongest claim that a plate allows: line, scanned code, approval, and else a local one.

        An approval identifies only where nobody has published the line: a plate that a known line cannot key (no year,
        several lines) gets a local claim, and suggestions. `log` is the author's log id, `randomness` 16 fresh bytes;
        both count only for a local claim.
        """
        key = self.key(plate, on)
        if isinstance(key, LineKey):
            return key.claim
        for code in plate.codes:
            if (claim := claim_of_code(code)) is not None:
                return claim
        for approval in plate.approvals if key.reason is Reason.UNKNOWN else ():
            try:
                return approval_claim(approval, plate.serial)
            except ClaimError:
                continue  # an approval of another kind, or a serial with no plate text
        return local_claim(log, randomness)

    def read_typed(self, text: str) -> Nameplate | None:
        """A designation and a serial typed as one text, split where a known designation ends; None if it has no two.

        Without a line that prints the designation, the split is at the label word or before the last word.
        """
        words = text.split()
        for at in range(len(words) - 1, 0, -1):
            designation = " ".join(words[:at])
            if comparison_text(designation) in self._by_designation:
                return Nameplate(designation, cut_label(" ".join(words[at:])))
        parts = split_typed(text)
        return Nameplate(*parts) if parts else None

    def _near(self, plate: PlateLike) -> list[SerialLine]:
        text = comparison_text(plate.designation)
        if found := self._by_designation.get(text, []) or self._behind_words(plate) or self._otherwise_cut(text, plate):
            return found
        codes = [code.removeprefix(WIRE) for code in plate.codes if code.startswith(WIRE)]
        return list({line.line: line for code in codes for line in self._by_wire.get(code, [])}.values())

    def _behind_words(self, plate: PlateLike) -> list[SerialLine]:
        """Lines whose designation stands beside what kind of meter it is, or beside the mark.

        As in «Счётчик воды СГВ-15», «Бетар-СГВ-15», «СГВ-15 "Бетар"» and «СГВ-15 (Бетар)».
        """
        words = plate.designation.translate(_PARENTHESES).split()
        for at in range(1, len(words)):
            lines = self._by_designation.get(comparison_text(" ".join(words[at:])), [])
            if found := [line for line in lines if _names_only_kind(words[:at], line)]:
                return found
        text = without_kind(" ".join(words))
        for mark in self._marks:
            for bare in (text.removeprefix(f"{mark}-"), text.removesuffix(f"-{mark}")):
                lines = self._by_designation.get(bare, []) if bare != text else []
                if found := [line for line in lines if mark in _marks_of(line)]:
                    return found
        return []

    def _otherwise_cut(self, text: str, plate: PlateLike) -> list[SerialLine]:
        """Lines that print this designation without separators too, so that it may be cut anywhere.

        The plate must name a mark or an approval of theirs: dropping separators joins 15-3 with 153.
        """
        lines = self._by_letters.get(text.replace("-", ""), [])
        return [line for line in lines if _agrees(line, plate) and (plate.mark or _covered(line, plate))]


def without_kind(designation: str) -> str:
    """A designation in the form of comparison, without the words that say what kind of meter it is."""
    return comparison_text(" ".join(word for word in designation.split() if comparison_text(word) not in _KINDS))


def approval_key(text: str) -> str:
    """The form in which approvals are compared: a ГРСИ number without its year suffix, else the text."""
    if _BARE_NUMBER.fullmatch(text):
        return f"{GRSI_PREFIX}{int(text)}"
    try:
        return f"{GRSI_PREFIX}{parse_grsi(text).number}"
    except NumberError:
        return comparison_text(text)


def _marks_of(line: SerialLine) -> set[str]:
    return {comparison_text(held.name) for held in (*line.marks, *line.legal_makers)}


def _names_only_kind(words: list[str], line: SerialLine) -> bool:
    said = without_kind(" ".join(words))
    return not said or said in _marks_of(line)


def _agreeing(lines: Sequence[SerialLine], plate: PlateLike) -> list[SerialLine]:
    """The lines that nothing on the plate contradicts: those whose mark it spells, else whose it names."""
    named = [line for line in lines if _agrees(line, plate)]
    if not plate.mark:
        return named
    wanted = comparison_text(plate.mark)
    return [line for line in named if wanted in map(comparison_text, _names_of(line))] or named


def _agrees(line: SerialLine, plate: PlateLike) -> bool:
    if plate.mark and not is_named(plate.mark, _names_of(line)):
        return False
    # Only numbers of one register contradict each other: a certificate beside a ГРСИ number says nothing of it.
    registers = {_register(held.name) for held in line.approvals}
    told = [approval for approval in plate.approvals if _register(approval) in registers]
    return not told or _covered(line, plate)


def _names_of(line: SerialLine) -> list[str]:
    return [held.name for held in (*line.marks, *line.legal_makers, *line.holders)]


def _covered(line: SerialLine, plate: PlateLike) -> bool:
    return any(line.covers(approval) for approval in plate.approvals)


def _in_time(line: SerialLine, plate: PlateLike, on: date | None) -> bool:
    if on is None and not plate.year:
        return True
    first, last = (on.isoformat(),) * 2 if on else (f"{plate.year}-01-01", f"{plate.year}-12-31")
    groups = (line.marks, line.legal_makers, line.approvals)
    return all(not group or any(held.holds(first, last) for held in group) for group in groups)


def _canonical(line: SerialLine, serial: str) -> str | None:
    try:
        return None if line.serial.may_hide_digit(serial) else line.serial.canonical(serial)
    except PlateError:
        return None


def _register(approval: str) -> bool:
    return approval_key(approval).startswith(GRSI_PREFIX)


def _ids(lines: Iterable[SerialLine]) -> tuple[SubjectId, ...]:
    return tuple(line.id for line in lines)
