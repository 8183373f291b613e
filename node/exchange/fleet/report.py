"""A check-up's report for others: as JSON with both languages, as tables to work off, as a page of its own.

Personal data of columns that were not used never stand in it; what a spreadsheet would run as a formula is text.
"""

import html
import json
from collections.abc import Iterable, Sequence

from node.exchange.fleet.columns import Column
from node.exchange.fleet.fields import NAMES, Field, fold_title
from node.exchange.fleet.findings import GRADES, ORDER, FleetFinding, Grade, format_day
from node.exchange.fleet.headers import letters
from node.exchange.fleet.outcome import Due, FleetReport
from node.exchange.fleet.reader import FleetTable
from node.exchange.tables import write_csv
from node.exchange.workbooks import write_workbook

FORMATS = ("xlsx", "csv", "json", "html")
EXAMPLES = 10
SHOWN_DUE = 200

Told = dict[str, object]
Sheet = tuple[str, Sequence[str], Iterable[Sequence[str]]]

_SHEETS = {"ru": ("Сводка", "Замечания", "Строки", "Поверки"), "en": ("Summary", "Findings", "Rows", "Verifications")}
_FINDING_HEADER = {
    "ru": ("Строка", "Оценка", "Правило", "Столбец", "Значение", "Что сделать", "Адрес", "Тип", "Заводской номер"),
    "en": ("Row", "Grade", "Rule", "Column", "Value", "What to do", "Address", "Type", "Serial number"),
}
_ROW_HEADER = {"ru": ("Строка", "Оценка", "Что сделать"), "en": ("Row", "Grade", "What to do")}
_DUE_HEADER = {
    "ru": ("Поверен до", "Осталось дней", "Адрес", "Тип", "Заводской номер", "Строка", "Срок"),
    "en": ("Verified until", "Days left", "Address", "Type", "Serial number", "Row", "End"),
}
_ENDS = {"ru": ("из таблицы", "вычислен по интервалу"), "en": ("as stated", "from the interval")}
_SUMMARY = {
    "ru": ("Дата проверки", "Приборов", "Правило", "Строк", "Просрочено", "Истекает за дней: {days}", "Без срока"),
    "en": ("Checked on", "Meters", "Rule", "Rows", "Expired", "Ending within {days} days", "Without an end"),
}
_TITLE = {"ru": "Проверка таблицы приборов", "en": "Check-up of a fleet table"}
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}td,th{border-bottom:1px solid #d8dde3;padding:.3rem .5rem;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}.error{color:#a40e26}.warning{color:#8a5a00}"
    "@media(max-width:40rem){table{font-size:13px}}"
)


def report_json(report: FleetReport, file: str = "", examples: int | None = EXAMPLES) -> Told:
    """The report as JSON values; `examples` bounds the findings of each rule and the verifications, None is all."""
    layout = report.layout
    by_rule: dict[tuple[str, Grade], list[FleetFinding]] = {}
    for finding in report.findings:
        listed = by_rule.setdefault((finding.rule.code, finding.grade), [])
        if examples is None or len(listed) < examples:
            listed.append(finding)
    return {
        "file": file,
        "on": report.on.isoformat(),
        "days": report.days,
        "meters": report.meters,
        "sheet": layout.sheet,
        "sheets": [part.sheet for part in layout.parts],
        "encoding": layout.encoding,
        "header_rows": list(layout.header.rows),
        "columns": [_column(column) for column in layout.every_column],
        "other_sheets": [
            {"name": other.name, "rows": other.rows, "fleet": other.is_fleet, "hidden": other.is_hidden}
            for other in report.others
        ],
        "hidden_rows": layout.hidden_rows,
        "passed": {
            "headings": report.passed.headings,
            "totals": report.passed.totals,
            "footers": report.passed.footers,
            "headers": report.passed.headers,
            "empty": len(report.passed.empty),
        },
        "grades": {grade.value: count for grade, count in report.graded().items()},
        "rules": [
            {
                "rule": rule.code,
                "grade": grade.value,
                "title_ru": rule.title_ru,
                "title_en": rule.title_en,
                "rows": count,
                "findings": [finding_json(report, finding) for finding in by_rule[rule.code, grade]],
            }
            for rule, grade, count in report.counts()
        ],
        "months": [{"month": month, "count": count} for month, count in report.months.items()],
        "expired": report.expired,
        "expiring": len(report.due) - report.expired,
        "undated": report.undated,
        "due": [_due(report, due) for due in (report.due if examples is None else report.due[:SHOWN_DUE])],
        "known_types": report.known_types,
        "in_registry": report.in_registry,
        "mapping": json.loads(layout.mapping.to_json()),
    }


def finding_json(report: FleetReport, finding: FleetFinding) -> Told:
    """One finding as JSON values, with the meter of its row."""
    meter = report.faulty.get(finding.row)
    return {
        "row": finding.row,
        "where": report.layout.where(finding.row),
        "rows": finding.rows,
        "grade": finding.grade.value,
        "rule": finding.rule.code,
        "field": finding.field.value,
        "column": finding.column,
        "value": finding.shown,
        "ru": finding.text("ru"),
        "en": finding.text("en"),
        "address": meter.address if meter else "",
        "designation": meter.designation if meter else "",
        "serial": meter.serial if meter else "",
    }


def write_report(report: FleetReport, table: FleetTable, kind: str, language: str, file: str = "") -> bytes:
    """The report as a file of one of FORMATS, to be worked off."""
    if kind == "json":
        return json.dumps(report_json(report, file, None), ensure_ascii=False, indent=1).encode()
    if kind == "html":
        return _page(report, table, language, file)
    if kind == "csv":
        header = _FINDING_HEADER[language]
        return write_csv(header, _findings(report, language))
    return write_workbook(_sheets(report, table, language))


def _column(column: Column) -> Told:
    return {
        "letter": letters(column.place),
        "title": column.title,
        "field": column.field.value,
        "name_ru": column.name("ru"),
        "name_en": column.name("en"),
        "reason_ru": column.reason("ru"),
        "reason_en": column.reason("en"),
        "why": column.why.value,
        "sample": list(column.sample),
        "hidden": column.is_hidden,
        "block": column.block,
    }


def _due(report: FleetReport, due: Due) -> Told:
    return {
        "row": due.row,
        "where": report.layout.where(due.row),
        "address": due.address,
        "designation": due.designation,
        "serial": due.serial,
        "until": due.until.isoformat(),
        "days": due.days,
        "computed": due.is_computed,
    }


def _sheets(report: FleetReport, table: FleetTable, language: str) -> list[Sheet]:
    summary, found, rows, due = _SHEETS[language]
    used = _used(report)
    titles = (*_ROW_HEADER[language], *(column.title for column in used))
    return [
        (summary, (_TITLE[language], ""), _summary(report, language)),
        (found, _FINDING_HEADER[language], _findings(report, language)),
        (rows, titles, _rows(report, table, used, language)),
        (due, _DUE_HEADER[language], _dues(report, language)),
    ]


def _used(report: FleetReport) -> list[Column]:
    return [column for column in report.layout.every_column if column.field not in (Field.IGNORED, Field.PERSON)]


def _summary(report: FleetReport, language: str) -> list[tuple[str, str]]:
    on, meters, rule_word, rows_word, expired, expiring, undated = _SUMMARY[language]
    told = [
        (on, format_day(report.on, language)),
        (meters, str(report.meters)),
        (expired, str(report.expired)),
        (expiring.format(days=report.days), str(len(report.due) - report.expired)),
        (undated, str(report.undated)),
        ("", ""),
        (rule_word, rows_word),
    ]
    names = {grade: GRADES[grade][0 if language == "ru" else 1] for grade in Grade}
    told += [(f"{names[grade]}: {rule.title(language)} ({rule.code})", str(n)) for rule, grade, n in report.counts()]
    told.append(("", ""))
    told += [(column.title, NAMES[column.field][0 if language == "ru" else 1]) for column in report.layout.every_column]
    return told


def _findings(report: FleetReport, language: str) -> Iterable[tuple[str, ...]]:
    for finding in report.findings:
        meter = report.faulty.get(finding.row)
        yield (
            report.layout.where(finding.row),
            GRADES[finding.grade][0 if language == "ru" else 1],
            finding.rule.code,
            finding.column,
            finding.shown,
            finding.text(language),
            meter.address if meter else "",
            meter.designation if meter else "",
            meter.serial if meter else "",
        )


def _rows(report: FleetReport, table: FleetTable, used: Sequence[Column], language: str) -> Iterable[tuple[str, ...]]:
    """Each row with its cells as the file has them, and what to do in it."""
    by_row: dict[int, list[FleetFinding]] = {}
    for finding in report.findings:
        if finding.grade is not Grade.NOTE:
            by_row.setdefault(finding.row, []).append(finding)
    for row in table.grid.rows:
        if row.number in by_row:
            mine = by_row[row.number]
            worst = min((finding.grade for finding in mine), key=lambda grade: ORDER[grade])
            remarks = " ".join(f"{finding.column}: {finding.text(language)}" for finding in mine)
            own = {(fold_title(c.title), c.field): c.place for c in report.layout.at(row.number).columns}
            places = (own.get((fold_title(column.title), column.field), len(row.cells)) for column in used)
            cells = (row.cells[place].text if place < len(row.cells) else "" for place in places)
            yield (report.layout.where(row.number), GRADES[worst][0 if language == "ru" else 1], remarks, *cells)


def _dues(report: FleetReport, language: str) -> Iterable[tuple[str, ...]]:
    stated, computed = _ENDS[language]
    for due in report.due:
        end = computed if due.is_computed else stated
        yield (
            format_day(due.until, language),
            str(due.days),
            due.address,
            due.designation,
            due.serial,
            report.layout.where(due.row),
            end,
        )


def _page(report: FleetReport, table: FleetTable, language: str, file: str) -> bytes:
    """One file that a browser opens without a network."""
    parts = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{html.escape(_TITLE[language])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{html.escape(_TITLE[language])}</h1><p>{html.escape(file)}</p>",
    ]
    for title, header, rows in _sheets(report, table, language):
        heads = "".join(f"<th>{html.escape(text)}</th>" for text in header)
        parts.append(f"<h2>{html.escape(title)}</h2><table><thead><tr>{heads}</tr></thead><tbody>")
        for row in rows:
            parts.append("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>")
        parts.append("</tbody></table>")
    return "".join([*parts, "</body></html>"]).encode()
