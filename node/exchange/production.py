"""The maker's production file: one row for each meter, in the maker's own codes.

Rows that are in order are accepted, the others come back as a table with the findings beside them, which can be
corrected and sent again as it is. Keys never stand in that table: a masked cell of a table sent again means the key of
the row that its reference names, which the caller has kept sealed.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from node.exchange import findings as advice
from node.exchange.columns import Columns, RowReader, SecretFields
from node.exchange.findings import Advice, Finding
from node.exchange.tables import Row, Table, write_csv, write_xlsx
from node.passport.catalog_messages import rule_words
from node.passport.catalog_rules import RowFinding, Rulebook, check_row
from node.passport.catalogs import Bindings, Catalog, DeviceType, Reference, resolve
from node.passport.claims import Claim
from node.passport.ids import SubjectId, format_device_id
from node.passport.lines import LineKey, Lines, Reason, Unresolved
from node.passport.plate import Nameplate, cut_label
from node.passport.serials import check_serial
from node.secret import MASK, Secret

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "local_code": ("Код 1С", "Код номенклатуры", "Код", "1C code", "Item code"),
    "mark": ("Товарный знак", "Марка", "Mark"),
    "designation": ("Обозначение", "Тип", "Designation", "Type"),
    "execution": ("Исполнение", "Модификация", "Execution"),
    "serial": ("Заводской номер", "Заводской №", "Зав. №", "Серийный номер", "Serial number", "Serial", "S/N"),
    "year": ("Год выпуска", "Год", "Year"),
    "dev_eui": ("DevEUI",),
    "join_eui": ("JoinEUI", "AppEUI"),
    "app_key": ("AppKey", "Ключ", "Root key"),
    "firmware": ("Прошивка", "Версия ПО", "Firmware"),
    "hardware": ("Версия платы", "Плата", "Hardware"),
    "batch": ("Партия", "Batch"),
    "made_on": ("Дата изготовления", "Made on", "Date made"),
    "box_code": ("Код коробки", "Box code"),
    "rule": ("Правило", "Rule"),
    "remark": ("Что исправить", "What to do"),
    "reference": ("Ссылка отчёта", "Report reference"),
}
NEEDED = ("local_code", "designation", "serial")
SECRETS: SecretFields = frozenset({"app_key", "box_code"})
REPORT_FIELDS = ("rule", "remark", "reference")

EARLIEST = date(1970, 1, 1)

DESIGNATION = Advice(
    "designation.unknown",
    "Ни одна опубликованная серия не печатает такое обозначение и знак. Исправьте его или опубликуйте серию.",
    "No published serial line prints this designation and mark. Correct it, or publish the line.",
)
AMBIGUOUS = Advice(
    "designation.ambiguous",
    "Такое обозначение печатают несколько серий. Укажите товарный знак и год.",
    "Several serial lines print this designation. Give the mark and the year.",
)
NO_YEAR = Advice(
    "year.needed",
    "Номера этой серии начинаются заново каждый год. Укажите год выпуска.",
    "This line starts its serials again each year. Give the year.",
)
YEAR_DISAGREES = Advice(
    "year.disagrees",
    "Год выпуска и дата изготовления не согласуются. Исправьте одно из них.",
    "The year and the date of manufacture disagree. Correct one of them.",
)
DUPLICATE = Advice(
    "{field}.duplicate",
    "Уже стоит в строке {earlier} этого файла. Сверьте с табличками обоих приборов.",
    "Stands in row {earlier} of this file already. Compare with the plates of both devices.",
)
KNOWN = Advice(
    "{field}.known",
    "Уже принадлежит прибору {device}. Сверьте с табличкой.",
    "Belongs to {device} already. Compare with the plate.",
)
KEY_MASKED = Advice(
    "app_key.masked",
    "Ключ скрыт, и прежняя строка не найдена. Впишите ключ заново.",
    "The key is masked and the earlier row is not known. Type the key again.",
)
KEY_WEAK = Advice(
    "app_key.weak",
    "Такой ключ не защищает: все байты одинаковы. Выпустите новый.",
    "Such a key protects nothing: all its bytes are equal. Issue a new one.",
)
TOO_EARLY = Advice(
    "made_on.early",
    "Дата раньше 1970 года: с него узел считает время. Проверьте её.",
    "The date is before 1970, from where moments are counted. Check it.",
)
TOO_LATE = Advice(
    "made_on.future",
    "Этот день ещё не наступил. Проверьте год.",
    "That day has not come yet. Check the year.",
)
DIFFERS = Advice(
    "{field}.differs",
    "В паспорте {device} вами заявлено другое, и этот файл его не меняет. Сверьте с табличкой и с прошлым файлом.",
    "You stated another one in passport {device}, and this file does not change it. Compare with the plate and with "
    "the earlier file.",
)
# What stands in a row beside the plate, by the central code of the parameter that it becomes.
STATED_PARAMETERS = {
    "firmware": "firmware_version",
    "hardware": "hardware_version",
    "batch": "batch",
    "made_on": "manufactured_on",
}
CATALOG_FIELDS = {"type": "local_code", "execution": "execution", "approval": "made_on", "manufactured_on": "made_on"}
EXECUTION_RULE = "execution-unknown"
EXECUTION = Advice(
    "execution.unknown",
    "У типа {type} нет такого исполнения. Исправьте код или дополните справочник.",
    "Type {type} has no such execution. Correct the code, or add it to the catalog.",
)


@dataclass(frozen=True, slots=True)
class HeldSecrets:
    """The secrets of a row that was sent back, kept for the corrected one."""

    app_key: Secret | None = field(default=None, compare=False)
    box_code: Secret | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Stated:
    """What its maker stated of a device before, by the names of the columns; empty where nothing was."""

    dev_eui: str = ""
    join_eui: str = ""
    execution: str = ""
    batch: str = ""
    made_on: str = ""
    app_key: Secret | None = field(default=None, compare=False)

    def differing(self, row: "ProductionRow") -> list[str]:
        """The columns of a row that say something else than what was stated."""
        made_on = row.made_on.isoformat() if row.made_on else None
        said = {"join_eui": row.join_eui, "execution": row.execution, "batch": row.batch, "made_on": made_on}
        other = [name for name, value in said.items() if value and getattr(self, name) not in ("", value)]
        if row.app_key is not None and self.app_key is not None:
            same = hmac.compare_digest(row.app_key.reveal(), self.app_key.reveal())
            other += [] if same else ["app_key"]
        return other


@dataclass(frozen=True, slots=True)
class Known:
    """What the node has already: what was stated of each subject, the subject of each DevEUI, and the secrets of rows
    that were sent back, by their references.
    """

    devices: Mapping[SubjectId, Stated] = field(default_factory=dict)
    dev_euis: Mapping[str, SubjectId] = field(default_factory=dict)
    held: Mapping[str, HeldSecrets] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProductionRow:
    """A meter as its maker states it. EUIs are lower-case hex, the AppKey is 16 bytes, the box code UTF-8."""

    row: int
    type: Reference
    plate: Nameplate
    execution: str | None
    line: SubjectId
    claim: Claim
    dev_eui: str | None
    join_eui: str | None
    firmware: str | None
    hardware: str | None
    batch: str | None
    made_on: date | None
    app_key: Secret | None = field(default=None, compare=False)
    box_code: Secret | None = field(default=None, compare=False)

    @property
    def subject(self) -> SubjectId:
        """The subject of this meter's passport."""
        return self.claim.subject


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file: rows accepted, row numbers that say what is known already, findings, and local codes
    that no central code is bound to yet. `held` goes, sealed, into the `Known` of the next file.
    """

    accepted: tuple[ProductionRow, ...]
    repeated: tuple[int, ...]
    findings: tuple[Finding, ...]
    unbound: tuple[str, ...]
    ignored: tuple[str, ...]
    header: tuple[str, ...]
    faulty: tuple[tuple[str, ...], ...]
    held: Mapping[str, HeldSecrets] = field(default_factory=dict, compare=False, repr=False)

    def to_xlsx(self) -> bytes:
        """The faulty rows with their findings as a workbook that can be corrected and sent again."""
        return write_xlsx(self.header, self.faulty)

    def to_csv(self) -> bytes:
        """The same as CSV."""
        return write_csv(self.header, self.faulty)


def check_rows(
    table: Table,
    lines: Lines,
    bindings: Bindings,
    known: Known,
    *,
    organisation: str,
    types: Mapping[str, DeviceType],
    source: str,
    today: date,
    columns: Mapping[str, str] | None = None,
    book: Rulebook | None = None,
) -> Report:
    """Check a production file against the lines, the references and what is known; raise ColumnError.

    `organisation` owns the local codes, `source` names this import in the references of the report, nothing was made
    after `today`, `columns` maps headers of this maker to fields of COLUMNS where they are not among the known ones.
    `book` are the catalogs to which what a row states is held.
    """
    found = Columns.find(table.header, COLUMNS, NEEDED, columns or {})
    checker = _Checker(
        columns=found,
        lines=lines,
        bindings=bindings,
        known=known,
        organisation=organisation,
        types=types,
        source=source,
        today=today,
        book=book,
    )
    for row in table.rows:
        checker.take(row)
    return checker.report(table)


class _Checker:
    """One pass over the rows of a file."""

    def __init__(
        self,
        *,
        columns: Columns,
        lines: Lines,
        bindings: Bindings,
        known: Known,
        organisation: str,
        types: Mapping[str, DeviceType],
        source: str,
        today: date,
        book: Rulebook | None,
    ) -> None:
        self._today, self._book = today, book
        self._columns, self._lines, self._bindings, self._known = columns, lines, bindings, known
        self._organisation, self._types, self._source = organisation, types, source
        self._accepted: list[ProductionRow] = []
        self._repeated: list[int] = []
        self._readers: list[RowReader] = []  # of faulty rows
        self._held: dict[str, HeldSecrets] = {}
        self._seen: dict[tuple[str, bytes | str], int] = {}

    def take(self, row: Row) -> None:
        """Accept the row, or keep it with what is wrong."""
        reader = RowReader(row, self._columns, SECRETS)
        held = self._known.held.get(reader.raw("reference"), HeldSecrets())
        app_key, box_code = _app_key(reader, held), _box_code(reader, held)
        meter = self._meter(reader, app_key, box_code)
        if meter is not None and not reader.findings:
            self._check_unique(reader, meter)
        if reader.findings or meter is None:
            self._readers.append(reader)
            self._held[f"{self._source}:{row.number}"] = HeldSecrets(app_key, box_code)
        elif self._is_repeated(meter):
            self._repeated.append(row.number)
        else:
            self._accepted.append(meter)

    def report(self, table: Table) -> Report:
        """What became of all rows taken."""
        unbound = {row.type.local for row in self._accepted if row.type.local and not row.type.central}
        names = {name: self._columns.header(name, COLUMNS[name][0]) for name in REPORT_FIELDS}
        kept = [at for at, text in enumerate(table.header) if text not in names.values()]
        return Report(
            accepted=tuple(self._accepted),
            repeated=tuple(self._repeated),
            findings=tuple(finding for reader in self._readers for finding in reader.findings),
            unbound=tuple(sorted(unbound)),
            ignored=self._columns.ignored,
            header=(*(table.header[at] for at in kept), *names.values()),
            faulty=tuple(self._sent_back(reader, kept) for reader in self._readers),
            held=self._held,
        )

    def _sent_back(self, reader: RowReader, kept: Iterable[int]) -> tuple[str, ...]:
        cells = [reader.shown(at) for at in kept]
        rules = "; ".join(dict.fromkeys(finding.rule for finding in reader.findings))
        remarks = " ".join(f"{finding.column}: {finding.ru} / {finding.en}" for finding in reader.findings)
        return (*cells, rules, remarks, f"{self._source}:{reader.number}")

    def _meter(self, reader: RowReader, app_key: Secret | None, box_code: Secret | None) -> ProductionRow | None:
        kind = self._type(reader)
        made_on, year = reader.date("made_on"), reader.year("year")
        if made_on and made_on < EARLIEST:
            reader.add(TOO_EARLY, "made_on")
        if made_on and made_on > self._today:
            reader.add(TOO_LATE, "made_on")
        if made_on and year and str(made_on.year) != year:
            reader.add(YEAR_DISAGREES, "year")
        plate = Nameplate(
            reader.text("designation", needed=True) or "",
            cut_label(reader.text("serial", needed=True) or ""),
            mark=reader.text("mark"),
            year=year or (str(made_on.year) if made_on else None),
        )
        dev_eui, join_eui = reader.hex("dev_eui", 8), reader.hex("join_eui", 8)
        if dev_eui:
            for name, present in (("join_eui", reader.raw("join_eui")), ("app_key", reader.raw("app_key"))):
                if not present:
                    reader.add(advice.REQUIRED, name)
        texts = {name: reader.text(name) for name in ("execution", "firmware", "hardware", "batch")}
        key = self._key(reader, plate, made_on) if plate.designation and plate.serial else None
        if self._book is not None:
            self._check_catalogs(self._book, reader, kind, made_on, texts)
        if key is None or kind is None:
            return None
        return ProductionRow(
            reader.number,
            kind,
            plate,
            line=key.line,
            claim=key.claim,
            dev_eui=dev_eui,
            join_eui=join_eui,
            made_on=made_on,
            app_key=app_key,
            box_code=box_code,
            **texts,
        )

    def _type(self, reader: RowReader) -> Reference | None:
        local = reader.text("local_code", needed=True)
        if not local:
            return None
        central = resolve(Reference(local), self._bindings, self._organisation, Catalog.TYPES.value)
        kind = self._types.get(central or "")
        execution = reader.raw("execution")
        if kind and execution and execution not in kind.executions:
            reader.add(EXECUTION, "execution", type=kind.model)
        return Reference(local, central)

    def _check_catalogs(
        self,
        book: Rulebook,
        reader: RowReader,
        kind: Reference | None,
        made_on: date | None,
        texts: Mapping[str, str | None],
    ) -> None:
        """Hold what the row states to the catalogs; each finding names the cell and the catalog's rule."""
        record = book.types.get((kind.central if kind else None) or "")
        row = {"type": kind.local or "" if kind else "", "execution": texts["execution"] or ""}
        if record is not None and made_on is not None:
            row |= {"approval": str(record.approval), "manufactured_on": made_on.isoformat()}
        for found in check_row(book, row):
            if found.rule != EXECUTION_RULE:  # told in the words of this file already
                reader.add(_catalog_advice(found), CATALOG_FIELDS.get(found.field, "local_code"))
        for name, code in STATED_PARAMETERS.items():
            value = made_on.isoformat() if name == "made_on" and made_on else texts.get(name)
            for found in check_row(book, {"parameter": code, "value": value}) if value else ():
                if not found.is_hint:
                    reader.add(_catalog_advice(found), name)

    def _key(self, reader: RowReader, plate: Nameplate, made_on: date | None) -> LineKey | None:
        key = self._lines.key(plate, made_on)
        lines = (key.line,) if isinstance(key, LineKey) else key.candidates
        if isinstance(key, LineKey) or key.reason is Reason.SERIAL:
            line = self._lines.find(lines[0])
            if line and (finding := check_serial(line.serial, plate.serial)):
                reader.add(Advice(finding.rule, finding.ru, finding.en), "serial")
        if isinstance(key, Unresolved):
            self._explain(reader, key)
            return None
        return key

    def _explain(self, reader: RowReader, key: Unresolved) -> None:
        if key.reason is Reason.NO_YEAR:
            reader.add(NO_YEAR, "year")
        elif key.reason is Reason.AMBIGUOUS:
            reader.add(AMBIGUOUS, "designation")
        elif key.reason is not Reason.SERIAL:
            reader.add(DESIGNATION, "designation")

    def _is_repeated(self, meter: ProductionRow) -> bool:
        stated = self._known.devices.get(meter.subject)
        return stated is not None and stated.dev_eui == (meter.dev_eui or "")

    def _check_unique(self, reader: RowReader, meter: ProductionRow) -> None:
        # The file is compared with itself first, so that an import taken up again after a crash says the same.
        for name, value in _unique_values(meter):
            if (earlier := self._seen.get((name, value))) is not None:
                reader.add(_for(name, DUPLICATE), name, earlier=earlier)
        if not reader.findings:
            self._check_known(reader, meter)
        if not reader.findings:
            self._seen |= dict.fromkeys(_unique_values(meter), meter.row)

    def _check_known(self, reader: RowReader, meter: ProductionRow) -> None:
        stated = self._known.devices.get(meter.subject)
        if stated is not None and self._is_repeated(meter):
            for name in stated.differing(meter):
                reader.add(_for(name, DIFFERS), name, device=format_device_id(meter.subject))
            return
        if stated is not None:
            reader.add(_for("serial", KNOWN), "serial", device=format_device_id(meter.subject))
        owner = self._known.dev_euis.get(meter.dev_eui or "")
        if owner is not None and owner != meter.subject:
            reader.add(_for("dev_eui", KNOWN), "dev_eui", device=format_device_id(owner))


def _unique_values(meter: ProductionRow) -> list[tuple[str, bytes | str]]:
    values: list[tuple[str, bytes | str]] = [("serial", meter.subject.raw)]
    if meter.dev_eui:
        values.append(("dev_eui", meter.dev_eui))
    if meter.app_key:
        values.append(("app_key", hashlib.sha256(meter.app_key.reveal()).digest()))
    return values


def _app_key(reader: RowReader, held: HeldSecrets) -> Secret | None:
    if reader.raw("app_key") == MASK:
        if held.app_key is None:
            reader.add(KEY_MASKED, "app_key")
        return held.app_key
    text = reader.hex("app_key", 16)
    if text is None:
        return None
    raw = bytes.fromhex(text)
    if len(set(raw)) == 1:
        reader.add(KEY_WEAK, "app_key")
        return None
    return Secret(raw)


def _box_code(reader: RowReader, held: HeldSecrets) -> Secret | None:
    if reader.raw("box_code") == MASK:
        return held.box_code
    text = reader.text("box_code")
    return Secret(text.encode()) if text else None


def _catalog_advice(found: RowFinding) -> Advice:
    """A rule of a catalog as this file tells it; its words are filled in already."""
    texts = (" ".join(rule_words(found.rule, {"value": found.value, **found.words}, told)) for told in ("ru", "en"))
    russian, english = (text.replace("{", "{{").replace("}", "}}") for text in texts)
    return Advice(f"catalog.{found.rule}", russian, english)


def _for(name: str, rule: Advice) -> Advice:
    return Advice(rule.rule.format(field=name), rule.ru, rule.en)
