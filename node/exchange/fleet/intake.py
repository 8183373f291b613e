"""What an importer makes of a fleet table: its meters with plate and claim, and the rows that go back to be corrected.

What is wrong with a row alone, or beside the other rows, is judged here; what the registry knows is judged by the
caller. An expired verification is true of the meter and no fault of the table: such a row is taken.
"""

import datetime
import hashlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from node.exchange.cells import Row
from node.exchange.fleet import rules
from node.exchange.fleet.checkup import check_rows
from node.exchange.fleet.columns import Column
from node.exchange.fleet.fields import ADDRESS_PARTS, Field
from node.exchange.fleet.findings import FleetFinding, Grade, Rule
from node.exchange.fleet.known import Known
from node.exchange.fleet.layout import Layout
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.outcome import FleetReport
from node.exchange.fleet.plates import key_of
from node.exchange.fleet.reader import FleetTable, Passed, read_fleet
from node.exchange.fleet.rows import FleetRow
from node.exchange.grids import Grid
from node.passport.bodies import Plate
from node.passport.claims import Claim, Scheme
from node.passport.plate import comparison_text

REPORT = ("Правило / Rule", "Замечание / Remark")
BY_TITLE = (Field.DESIGNATION, Field.DEVICE, Field.SERIAL)
TRUE_OF_THE_METER = frozenset({rules.EXPIRED.code})

ELSEWHERE = Rule(
    "twin.elsewhere",
    Grade.ERROR,
    "Известен по другому адресу",
    "Known at another address",
    "Прибор с такой табличкой известен здесь по другому адресу: {device}. Сверьте таблички; если прибор переставили, "
    "запишите это в его паспорте.",
    "A meter with this plate is known here at another address: {device}. Compare the plates; if it was moved, record "
    "that in its passport.",
)

# Headers that any reading of the report understands with no mapping.
_TITLES: Mapping[Field, str] = {
    Field.ADDRESS: "Адрес",
    Field.ACCOUNT: "Лицевой счёт",
    Field.RESOURCE: "Ресурс",
    Field.DEVICE: "Тип и заводской номер",
    Field.DESIGNATION: "Тип прибора",
    Field.MARK: "Товарный знак",
    Field.SERIAL: "Заводской номер",
    Field.YEAR: "Год выпуска",
    Field.MADE_ON: "Дата изготовления",
    Field.INSTALLED_ON: "Дата установки",
    Field.VERIFIED_ON: "Дата поверки",
    Field.VALID_UNTIL: "Поверен до",
    Field.INTERVAL: "Межповерочный интервал, мес",
    Field.APPROVAL: "Номер в Госреестре",
    Field.PLACE: "Место установки",
    Field.PREVIOUS: "Предыдущее показание",
    Field.READING: "Показание",
    Field.READ_ON: "Дата показания",
    Field.UNIT: "Единица измерения",
    Field.DEV_EUI: "DevEUI",
    Field.OWN_NUMBER: "Инвентарный номер",
}

Days = Mapping[Field, Callable[[FleetRow], datetime.date | None]]
_DAYS: Days = {
    Field.MADE_ON: lambda row: row.made_on,
    Field.INSTALLED_ON: lambda row: row.installed_on,
    Field.VERIFIED_ON: lambda row: row.verified_on,
    Field.VALID_UNTIL: lambda row: row.valid_until,
    Field.READ_ON: lambda row: row.read_on,
}


@dataclass(frozen=True, slots=True)
class FleetMeter:
    """A meter of a table that nothing in the table speaks against, and its claim."""

    row: FleetRow
    claim: Claim

    @property
    def plate(self) -> Plate:
        """What is on its plate: made when it is asked for, because a table has hundreds of thousands."""
        return _plate(self.row)


@dataclass(frozen=True, slots=True)
class Intake:
    """A table that was judged: each meter, or what is wrong with it, in the order of the file. The cells, which take
    most of the room, are not kept: they are read again where rows go back.

    `order` are their places by type and serial as they stand in the cells, and by nothing that may be known better
    later: neighbours in the registry are taken one after another, also by an import that goes on after a crash.
    """

    layout: Layout
    report: FleetReport
    rows: tuple[FleetRow, ...]
    meters: tuple[FleetMeter | tuple[FleetFinding, ...], ...]
    order: Sequence[int] = ()

    @property
    def refused(self) -> dict[int, tuple[FleetFinding, ...]]:
        """What the table itself speaks against, by the places of the meters."""
        return {at: meter for at, meter in enumerate(self.meters) if not isinstance(meter, FleetMeter)}

    def finding(self, rule: Rule, row: FleetRow, name: Field, value: str, **words: object) -> FleetFinding:
        """A finding at the cell of a field of a meter."""
        column = self.layout.at(row.row).places(row.block).get(name)
        return FleetFinding(rule, row.row, name, column.title if column else "", value, words)

    def serial_field(self, row: FleetRow) -> Field:
        """The field in which the serials of this table stand."""
        return Field.SERIAL if Field.SERIAL in self.layout.at(row.row).places(row.block) else Field.DEVICE

    def faulty(
        self, found: Iterable[tuple[int, Sequence[FleetFinding]]], grid: Grid
    ) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Header and rows of the table to correct: a row for each meter, by its place in `meters`, and its findings.
        `grid` is the sheet that was judged.

        Dates and addresses stand in it as they were understood; a column that was not used does not stand in it.
        """
        fields = self._fields()
        by_number = {row.number: row for row in grid.rows}
        rows = [
            (
                *(self._cell(self.rows[at], name, by_number) for name in fields),
                ", ".join(dict.fromkeys(finding.rule.code for finding in findings)),
                " ".join(self._remark(finding) for finding in findings),
            )
            for at, findings in found
        ]
        return (*(_TITLES[name] for name in fields), *REPORT), rows

    def _remark(self, finding: FleetFinding) -> str:
        """Where and what, in both languages."""
        row = self.layout.where(finding.row)
        where = f"{row}, {finding.column}" if finding.column else row
        return f"{where}: {finding.text('ru')} / {finding.text('en')}"

    def _fields(self) -> list[Field]:
        used = {column.field for column in self.layout.every_column}
        if used & {*ADDRESS_PARTS} or any(row.address for row in self.rows):
            used.add(Field.ADDRESS)
        return [name for name in _TITLES if name in used]

    def _cell(self, row: FleetRow, name: Field, by_number: Mapping[int, Row]) -> str:
        if name is Field.ADDRESS:
            return row.address
        if name is Field.INTERVAL and row.interval_months:
            return str(row.interval_months)
        if name in _DAYS and (day := _DAYS[name](row)):
            return day.strftime("%d.%m.%Y")
        return _cell_text(self.layout, row, name, by_number[row.row])


def take_in(
    raw: bytes, mapping: FleetMapping, *, today: datetime.date, known: Known, log: bytes, source: str
) -> Intake:
    """Judge a table; raise TableError, TableLimitError or ColumnError.

    `log` and `source` make the local claims of meters that no line and no approval identifies: equal ones give equal
    claims, so that a judgement can be made again.
    """
    table, passed = read_fleet(raw, mapping, today=today, known=known), Passed()
    rows = list(table.rows(passed))
    order = _order(table, rows)
    # The cells take as much room as all that is made of them.
    table = replace(table, grid=replace(table.grid, rows=()))
    report = check_rows(table, rows, passed)
    wrong: dict[int, list[FleetFinding]] = {}
    for finding in report.findings:
        if finding.grade is Grade.ERROR and finding.rule.code not in TRUE_OF_THE_METER:
            wrong.setdefault(finding.row, []).append(finding)
    intake = Intake(table.layout, report, tuple(rows), ())
    seen: dict[object, int] = {}
    claims = partial(known.lines.claim_for, log=log)
    meters = tuple(_judge(intake, row, wrong.get(row.row, []), seen, claims, source) for row in rows)
    return replace(intake, meters=meters, order=order)


def _order(table: FleetTable, rows: Sequence[FleetRow]) -> Sequence[int]:
    keys: list[str] = []
    cells = iter(table.grid.rows)
    here = next(cells, None)
    for row in rows:
        while here is not None and here.number != row.row:
            here = next(cells, None)
        if here is not None:
            keys.append("\0".join(_cell_text(table.layout, row, name, here) for name in BY_TITLE))
    return array("I", sorted(range(len(rows)), key=keys.__getitem__))


def _judge(
    intake: Intake,
    row: FleetRow,
    wrong: Sequence[FleetFinding],
    seen: dict[object, int],
    claim_for: Callable[..., Claim],
    source: str,
) -> FleetMeter | tuple[FleetFinding, ...]:
    if wrong:
        return tuple(wrong)
    if not row.designation:
        return (intake.finding(rules.TYPE_REQUIRED, row, Field.DESIGNATION, ""),)
    plate = _plate(row)
    mixed = hashlib.sha256(f"{source}\n{row.row}\n{row.block}".encode()).digest()[:16]
    claim = claim_for(plate, randomness=mixed, on=row.made_on)
    key: object = claim.subject.raw
    if claim.scheme is Scheme.LOCAL:
        key = (comparison_text(row.designation), comparison_text(row.mark), key_of(row.serial), plate.year)
    if key in seen:
        return (
            intake.finding(
                rules.DUPLICATE, row, intake.serial_field(row), row.serial, other=intake.layout.where(seen[key])
            ),
        )
    seen[key] = row.row
    return FleetMeter(row, claim)


def _plate(row: FleetRow) -> Plate:
    return Plate(
        mark=row.mark or None,
        designation=row.designation,
        serial=row.serial,
        year=str(row.year) if row.year else None,
        approvals=(row.approval,) if row.approval else (),
        read="document",
    )


def _cell_text(layout: Layout, row: FleetRow, name: Field, cells: Row) -> str:
    """What stands in the cell of a field of a meter."""
    column: Column | None = layout.at(row.row).places(row.block).get(name)
    return cells.cells[column.place].text if column and column.place < len(cells.cells) else ""
