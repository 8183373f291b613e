"""The check-up of a fleet: what its rows show together, and which verifications run out when.

Nothing is written and nothing is decided. The measure is what is known here of a type; where nothing is, the other
meters of the same table.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from node.exchange.cells import CellKind
from node.exchange.fleet import rules
from node.exchange.fleet.columns import Column
from node.exchange.fleet.fields import Field
from node.exchange.fleet.findings import ORDER, FleetFinding, Rule
from node.exchange.fleet.known import same_approval
from node.exchange.fleet.outcome import Due, FleetReport, Meter
from node.exchange.fleet.peers import HOUSEHOLD_M3, SOME, Peers
from node.exchange.fleet.plates import PLACEHOLDERS, digits_for_letters, key_of
from node.exchange.fleet.reader import FleetTable, Passed
from node.exchange.fleet.readings import find_slip
from node.exchange.fleet.rows import FleetRow
from node.exchange.fleet.values import COUNTED, QUANTITIES, add_months, months_between
from node.exchange.grids import Progress, no_progress
from node.passport.catalogs import Catalog, find_name
from node.passport.errors import NumberError
from node.passport.lines import SerialLine
from node.passport.numbers import parse_inn
from node.passport.plate import Nameplate, comparison_text
from node.passport.serials import check_serial

DAYS = 90
MAX_DAYS = 3650
NAMED_TYPES = 8
_ENDS = frozenset({Field.VERIFIED_ON, Field.VALID_UNTIL})


@dataclass(slots=True)
class _Seen:
    """The rows of what may stand once only."""

    serials: dict[tuple[str, str], list[FleetRow]] = field(default_factory=dict)
    dev_euis: dict[str, int] = field(default_factory=dict)


def check_fleet(
    table: FleetTable,
    *,
    days: int = DAYS,
    progress: Progress = no_progress,
    each: Callable[[FleetRow], None] | None = None,
) -> FleetReport:
    """Check every row of a table on the table's day; verifications that end within `days` are told.

    `each` is called with every meter, for those who compare them with what they have.
    """
    passed = Passed()
    rows = list(table.rows(passed, progress))
    if each is not None:
        for row in rows:
            each(row)
    return check_rows(table, rows, passed, days, progress)


def check_rows(
    table: FleetTable,
    rows: Sequence[FleetRow],
    passed: Passed,
    days: int = DAYS,
    progress: Progress = no_progress,
) -> FleetReport:
    """Check rows that were read of a table, and what was passed over meanwhile; its cells are not looked at."""
    check = _Check(table, rows, days)
    for at, row in enumerate(rows):
        if not at % 2_000:
            progress("check", at, len(rows))
        check.take(row)
    progress("check", len(rows), len(rows))
    return check.report(passed)


class _Check:
    """One pass over the meters of a table."""

    def __init__(self, table: FleetTable, rows: Sequence[FleetRow], days: int) -> None:
        self._table, self._rows, self._days = table, rows, days
        self._known, self._on = table.known, table.today
        self._findings: list[FleetFinding] = []
        self._seen = _Seen()
        self._due: list[Due] = []
        self._months: Counter[str] = Counter()
        self._undated = 0
        self._keys: dict[str, str] = {}
        self._peers: dict[str, Peers] = {}
        self._all = Peers()
        for row in rows:
            self._all.take(row)
            self._peers.setdefault(self._key(row.designation), Peers()).take(row)
        self._columns: dict[tuple[int, int], dict[Field, Column]] = {}
        self._where = table.layout.where
        self._wants_date = bool({column.field for column in table.layout.every_column} & _ENDS)
        self._wants_address = sum(bool(row.address) for row in rows) * 2 >= len(rows) and len(rows) > 1
        self._types: dict[str, list[FleetRow]] = {}

    def take(self, row: FleetRow) -> None:
        """Judge a meter."""
        self._findings += row.findings
        key = self._key(row.designation)
        plate = Nameplate(
            row.designation,
            row.serial,
            mark=row.mark or None,
            year=str(row.year) if row.year else None,
            approvals=(row.approval,) if row.approval else (),
        )
        line = self._known.find_line(plate, row.made_on) if len(self._known.lines) else None
        if row.designation:
            self._types.setdefault(key, []).append(row)
            self._spelling(row, self._peers[key])
        if row.plate:
            self._serial(row, self._peers[key], line)
            if not row.is_continued:
                self._twin(row, key, line)
        if row.approval:
            self._approval(row, key, line)
        self._verification(row, key)
        self._reading(row, self._peers[key])
        if row.dev_eui:
            self._dev_eui(row)
        if self._wants_address and not row.address:
            self._add(rules.ADDRESS_MISSING, row, Field.ADDRESS, "")

    def report(self, passed: Passed) -> FleetReport:
        """What was found, in the order of the rows."""
        self._unknown_types()
        self._litres()
        if self._wants_date and self._rows and not self._months:
            self._add(rules.VERIFICATION_UNCHECKED, self._rows[0], Field.VERIFIED_ON, "")
        findings = self._folded()
        if passed.empty:
            first = FleetFinding(rules.NO_METER, passed.empty[0], Field.SERIAL, "", "", rows=len(passed.empty))
            findings.append(first)
        findings.sort(key=lambda finding: (finding.row, ORDER[finding.grade], finding.rule.code))
        self._due.sort(key=lambda due: (due.until, due.row))
        told = {finding.row for finding in findings}
        faulty = {row.row: Meter(row.address, row.designation, row.serial) for row in self._rows if row.row in told}
        return FleetReport(
            layout=self._table.layout,
            others=self._table.others,
            passed=passed,
            meters=len(self._rows),
            on=self._on,
            days=self._days,
            findings=tuple(findings),
            due=tuple(self._due),
            months=dict(sorted(self._months.items())),
            undated=self._undated,
            faulty=faulty,
            known_types=sum(len(rows) for key, rows in self._types.items() if self._known.knows(key)),
        )

    def _places(self, row: FleetRow) -> dict[Field, Column]:
        """The columns of a meter by their fields."""
        layout = self._table.layout.at(row.row)
        key = (id(layout), row.block)
        if key not in self._columns:
            self._columns[key] = layout.places(row.block)
        return self._columns[key]

    def _add(self, rule: Rule, row: FleetRow, name: Field, value: str, **words: object) -> None:
        column = self._places(row).get(name)
        self._findings.append(FleetFinding(rule, row.row, name, column.title if column else "", value, words))

    def _key(self, designation: str) -> str:
        if designation not in self._keys:
            self._keys[designation] = comparison_text(designation)
        return self._keys[designation]

    def _serial_field(self, row: FleetRow) -> Field:
        return Field.SERIAL if Field.SERIAL in self._places(row) else Field.DEVICE

    def _serial(self, row: FleetRow, peers: Peers, line: SerialLine | None) -> None:
        name = self._serial_field(row)
        if row.account and key_of(row.account) == row.plate:
            self._add(rules.SERIAL_ACCOUNT, row, name, row.serial)
            return
        if line is not None and self._breaks_line(row, line, name):
            return
        if not line and self._breaks_peers(row, peers, name):
            return
        if row.plate in PLACEHOLDERS:
            self._add(rules.SERIAL_PLACEHOLDER, row, name, row.serial)
        elif row.serial_kind is CellKind.NUMBER:
            self._add(rules.SERIAL_NUMBER, row, name, row.serial)

    def _breaks_line(self, row: FleetRow, line: SerialLine, name: Field) -> bool:
        found = check_serial(line.serial, row.serial)
        if found is None:
            return False
        guess = digits_for_letters(row.plate)
        if guess and check_serial(line.serial, guess) is None:
            self._add(rules.SERIAL_LOOK_ALIKE, row, name, row.serial, guess=guess)
        elif found.rule == "serial.lost_zero":
            words = {"length": len(row.plate), "width": line.serial.total, "guess": found.suggestion or ""}
            self._add(rules.LOST_ZERO, row, name, row.serial, **words)
        else:
            self._add(rules.SERIAL_PATTERN, row, name, row.serial, ru=found.ru, en=found.en)
        return True

    def _breaks_peers(self, row: FleetRow, peers: Peers, name: Field) -> bool:
        if not row.plate.isdecimal():
            return self._looks_alike(row, peers, name)
        length, width = len(row.plate), peers.width
        if not width or length == width:
            return False
        # What few of a type cannot show all others may, where all have one width.
        both = (peers, self._all) if self._all.is_uniform and self._all.width == width else (peers,)
        is_rare = any(counted.is_rare(length) for counted in both)
        zeros = any(counted.zeros for counted in both)
        words = {"length": length, "width": width, "guess": row.plate.rjust(width, "0")}
        is_number = row.serial_kind is CellKind.NUMBER
        if _is_inn(row.plate):
            self._add(rules.SERIAL_INN, row, name, row.serial)
        elif length < width and (is_number or peers.lost_zeros or peers.lead_with_zeros or (zeros and is_rare)):
            self._add(rules.LOST_ZERO, row, name, row.serial, **words)
        elif is_rare:
            self._add(rules.SERIAL_WIDTH, row, name, row.serial, **words)
        else:
            return False
        return True

    def _looks_alike(self, row: FleetRow, peers: Peers, name: Field) -> bool:
        guess = digits_for_letters(row.plate)
        if not guess:
            return False
        letters = [at for at, sign in enumerate(row.plate) if not sign.isdecimal()]
        # A letter inside is none of a series, and neither is an O before digits.
        slips = len(row.plate) >= 6 and all(0 < at < len(row.plate) - 1 or row.plate[at] in "OО" for at in letters)
        all_digits = peers.digits >= 5 and peers.digits >= (peers.serials - 1) * 0.9
        if (all_digits and (not peers.width or len(guess) == peers.width)) or (slips and len(letters) == 1):
            self._add(rules.SERIAL_LOOK_ALIKE, row, name, row.serial, guess=guess)
            return True
        return False

    def _twin(self, row: FleetRow, key: str, line: SerialLine | None) -> None:
        bare = row.plate.lstrip("0") or "0" if row.plate.isdecimal() else row.plate
        if line is not None and line.restarts_yearly and row.year:
            bare = f"{bare}/{row.year}"
        earlier = self._seen.serials.setdefault((key, bare), [])
        name = self._serial_field(row)
        for other in earlier:
            where, here = _place_of(other.address), _place_of(row.address)
            if other.row == row.row:
                rule = rules.DUPLICATE
            elif other.year and row.year and other.year != row.year:
                rule = rules.SERIAL_YEARS
            elif where and here and where != here:
                rule = rules.TWIN
            else:
                rule = rules.DUPLICATE
            self._add(rule, row, name, row.serial, other=self._where(other.row))
            break
        if len(earlier) < 2:
            earlier.append(row)

    def _spelling(self, row: FleetRow, peers: Peers) -> None:
        usual, count = peers.usual_spelling
        if usual == row.designation or count < 3 or peers.spellings[row.designation] * 3 > count:
            return
        if _place_of(usual) != _place_of(row.designation) and self._key(usual) == self._key(row.designation):
            self._add(rules.TYPE_SPELLING, row, Field.DESIGNATION, row.designation, usual=usual)

    def _approval(self, row: FleetRow, key: str, line: SerialLine | None) -> None:
        approval = row.approval or ""
        usual = self._peers[key].approval
        if approval == usual and not self._known.knows(key):
            return
        known = self._known.approvals(key, line) or ((usual,) if usual and row.designation else ())
        if known and not any(same_approval(approval, other) for other in known):
            self._add(rules.APPROVAL_UNKNOWN, row, Field.APPROVAL, approval, known=", ".join(known[:3]))
            return
        made = row.made_on or (datetime.date(row.year, 1, 1) if row.year else None)
        if line is None or made is None or not line.approvals:
            return
        last = row.made_on or made.replace(month=12, day=31)
        if line.covers(approval) and not line.covers(approval, made.isoformat(), last.isoformat()):
            held = next(held for held in line.approvals if same_approval(held.name, approval))
            words = {"made": made.year, "since": held.since or "…", "until": held.until or "…"}
            self._add(rules.APPROVAL_EXPIRED, row, Field.APPROVAL, approval, **words)

    def _verification(self, row: FleetRow, key: str) -> None:
        verified, until = row.verified_on, row.valid_until
        kind = self._known.find_type(key)
        if verified and verified > self._on:
            verified = None  # told already
        if verified:
            made = row.made_on
            if (made and verified < made) or (row.year and verified.year < row.year):
                self._add(rules.BEFORE_MADE, row, Field.VERIFIED_ON, _shown(verified), made=made or row.year)
        if verified and until and until <= verified:
            self._add(rules.VERIFICATION_ORDER, row, Field.VALID_UNTIL, _shown(until), verified=verified)
            return
        of_type = kind.interval_months if kind else 0
        self._interval(row, verified, of_type, self._peers[key])
        end = until
        months = row.interval_months or of_type
        if end is None and verified and months:
            end = add_months(verified, months)
        if end is not None:
            self._ends(row, end, is_computed=until is None)
        elif _ENDS & self._places(row).keys():
            self._undated += 1
            told = any(f.field in (Field.VERIFIED_ON, Field.VALID_UNTIL) for f in row.findings)
            if not told and not verified and not row.is_continued:
                name = Field.VALID_UNTIL if Field.VALID_UNTIL in self._places(row) else Field.VERIFIED_ON
                self._add(rules.VERIFICATION_MISSING, row, name, "")

    def _ends(self, row: FleetRow, end: datetime.date, *, is_computed: bool) -> None:
        self._months[end.strftime("%Y-%m")] += 1
        left = (end - self._on).days
        if left > self._days:
            return
        name = Field.VERIFIED_ON if is_computed else Field.VALID_UNTIL
        self._add(rules.EXPIRED if left < 0 else rules.EXPIRING, row, name, _shown(end), until=end, days=abs(left))
        self._due.append(Due(row.row, row.address, row.designation, row.serial, end, left, is_computed))

    def _interval(self, row: FleetRow, verified: datetime.date | None, of_type: int, peers: Peers) -> None:
        if row.interval_months and of_type and row.interval_months != of_type:
            self._add(
                rules.INTERVAL_TYPE, row, Field.INTERVAL, str(row.interval_months), wanted=of_type,
                found=row.interval_months,
            )  # fmt: skip
        if not verified or not row.valid_until:
            return
        wanted = row.interval_months or of_type or peers.interval
        found = months_between(verified, row.valid_until)
        if wanted and abs(found - wanted) > 1:
            until = _shown(row.valid_until)
            self._add(rules.VERIFICATION_INTERVAL, row, Field.VALID_UNTIL, until, found=found, wanted=wanted)

    def _reading(self, row: FleetRow, peers: Peers) -> None:
        if row.unit:
            name = Field.UNIT if Field.UNIT in self._places(row) else Field.READING
            if row.resource and QUANTITIES.get(row.unit) not in COUNTED.get(row.resource, {QUANTITIES.get(row.unit)}):
                self._add(rules.UNIT_RESOURCE, row, name, _unit_name(row.unit))
            elif peers.unit and row.unit != peers.unit:
                self._add(rules.UNIT_DIFFERS, row, name, _unit_name(row.unit), usual=_unit_name(peers.unit))
        if slip := find_slip(row, peers, self._all):
            words = slip.words
            if slip.rule is rules.UNIT_CONVERTED:
                words = {**words, "unit": _unit_name(str(words["unit"]))}
            self._add(slip.rule, row, Field.READING, f"{row.reading:f}", **words)

    def _dev_eui(self, row: FleetRow) -> None:
        eui = row.dev_eui or ""
        if eui in ("0" * 16, "f" * 16):
            self._add(rules.EUI_FORM, row, Field.DEV_EUI, eui.upper(), length=16)
            return
        other = self._seen.dev_euis.setdefault(eui, row.row)
        if other != row.row:
            self._add(rules.EUI_TWICE, row, Field.DEV_EUI, eui.upper(), other=self._where(other))

    def _unknown_types(self) -> None:
        """Types that nothing here knows: one by one where most are known, else together, for then it is we who lack."""
        unknown = {key: rows for key, rows in self._types.items() if not self._known.knows(key)}
        lacking = sum(map(len, unknown.values()))
        if not unknown:
            return
        if lacking * 2 < sum(map(len, self._types.values())):
            for rows in unknown.values():
                self._add(rules.TYPE_UNKNOWN, rows[0], Field.DESIGNATION, rows[0].designation, count=len(rows))
            return
        ordered = sorted(unknown.values(), key=len, reverse=True)
        names = ", ".join(rows[0].designation[:40] for rows in ordered[:NAMED_TYPES])
        self._unapproved(unknown)
        first = min((rows[0] for rows in ordered), key=lambda row: row.row)
        self._add(rules.TYPE_UNCHECKED, first, Field.DESIGNATION, names, count=lacking, types=len(ordered))

    def _unapproved(self, unknown: Mapping[str, list[FleetRow]]) -> None:
        """Types without an approval number where others of the table have theirs."""
        approved = sum(any(row.approval for row in rows) for rows in unknown.values())
        for rows in unknown.values():
            wanting = Field.APPROVAL in self._places(rows[0]) and not any(row.approval for row in rows)
            if wanting and approved * 2 >= len(unknown):
                self._add(rules.APPROVAL_MISSING, rows[0], Field.APPROVAL, "", count=len(rows))

    def _litres(self) -> None:
        """A whole column of water readings that only litres explain."""
        water = [row for row in self._rows if row.unit == "m3" and row.reading and row.resource != "heat"]
        values = sorted(row.reading for row in water if row.reading)
        if len(values) >= SOME and values[len(values) // 2] > HOUSEHOLD_M3:
            self._add(rules.UNIT_COLUMN, water[0], Field.READING, f"{water[0].reading:f}", usual=HOUSEHOLD_M3)

    def _folded(self) -> list[FleetFinding]:
        """The findings, those that most rows of a column share told once."""
        counted = Counter((f.rule.code, f.column) for f in self._findings if f.rule.folds)
        least = max(5, len(self._rows) // 2 // self._table.layout.blocks)
        folding = {key: count for key, count in counted.items() if count > least}
        if not folding:
            return self._findings
        kept: list[FleetFinding] = []
        for finding in self._findings:
            key = (finding.rule.code, finding.column)
            if key not in folding:
                kept.append(finding)
            elif folding[key]:
                kept.append(replace(finding, rows=folding[key]))
                folding[key] = 0
        return kept


def _place_of(address: str) -> str:
    """An address as two of them are compared."""
    return "".join(sign for sign in address.casefold() if sign.isalnum())


def _shown(day: datetime.date) -> str:
    return day.strftime("%d.%m.%Y")


def _unit_name(code: str) -> str:
    return find_name(Catalog.UNITS, code) or code


def _is_inn(text: str) -> bool:
    if len(text) not in (10, 12):
        return False
    try:
        parse_inn(text)
    except NumberError:
        return False
    return True
