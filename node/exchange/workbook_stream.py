"""A workbook that is written as its rows come: no more of it in memory than a page, however long the list is.

Every cell is text, so that no zero is lost and no formula runs. A sheet that is full goes on on the next one.
"""

import zipfile
from collections.abc import Mapping, Sequence
from io import RawIOBase
from xml.sax.saxutils import escape, quoteattr

from node.exchange.cells import printable
from node.exchange.workbooks import EPOCH

MAX_ROWS = 1_048_576  # of a sheet, its header among them
MAX_SHEET_BYTES = 1 << 30  # a part of 2 GiB would need what some spreadsheets do not read
MAX_CELL = 32_767
MAX_TITLE = 31

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Format 49 is text: what somebody types into such a cell later stays as it was typed.
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="2">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
BOOK = "xl/workbook.xml"


class WorkbookStream:
    """Rows in, bytes out: what `add` and `finish` answer is the workbook, one after the other."""

    def __init__(self, title: str, header: Sequence[str], max_rows: int = MAX_ROWS) -> None:
        self._title, self._header, self._max_rows = title, header, max_rows
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)
        self._sheets = 0
        self._open_sheet()

    def add(self, rows: Sequence[Sequence[str]]) -> bytes:
        """Further rows."""
        for row in rows:
            if self._rows >= self._max_rows or self._bytes >= MAX_SHEET_BYTES:
                self._close_sheet()
                self._open_sheet()
            self._write(row)
        return self._sink.take()

    def finish(self) -> bytes:
        """The end of the workbook."""
        self._close_sheet()
        for name, content in self._parts().items():
            self._zip.writestr(_info(name), content)
        self._zip.close()
        return self._sink.take()

    def _open_sheet(self) -> None:
        self._sheets += 1
        self._rows = self._bytes = 0
        self._sheet = self._zip.open(_info(f"xl/worksheets/sheet{self._sheets}.xml"), "w")
        self._sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
        self._write(self._header)

    def _close_sheet(self) -> None:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()

    def _write(self, row: Sequence[str]) -> None:
        cells = "".join(
            f'<c s="1" t="inlineStr"><is><t xml:space="preserve">{_text(cell)}</t></is></c>' for cell in row
        )
        raw = f"<row>{cells}</row>".encode()
        self._sheet.write(raw)
        self._rows += 1
        self._bytes += len(raw)

    def _parts(self) -> dict[str, str]:
        numbers = range(1, self._sheets + 1)
        sheets = "".join(
            f'<sheet name={quoteattr(_titled(self._title, n))} sheetId="{n}" r:id="r{n}"/>' for n in numbers
        )
        targets = {f"r{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n in numbers}
        types = {f"xl/worksheets/sheet{n}.xml": "worksheet" for n in numbers}
        return {
            BOOK: f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _links({**targets, "styles": ("styles", "styles.xml")}),
            "xl/styles.xml": _STYLES,
            "_rels/.rels": _links({"book": ("officeDocument", BOOK)}),
            "[Content_Types].xml": _types({BOOK: "sheet.main", "xl/styles.xml": "styles", **types}),
        }


class _Sink(RawIOBase):
    """What was written since it was last taken. It cannot be gone back in, so sizes stand behind their parts."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, raw: object) -> int:
        content = bytes(raw)  # type: ignore[call-overload]  # zipfile gives bytes or a view of them
        self._written += content
        return len(content)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _links(targets: Mapping[str, tuple[str, str]]) -> str:
    rows = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for name, (kind, target) in targets.items()
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{rows}</Relationships>'


def _types(parts: Mapping[str, str]) -> str:
    defaults = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml"}
    rows = [f'<Default Extension="{name}" ContentType="{kind}"/>' for name, kind in defaults.items()]
    rows += [f'<Override PartName="/{name}" ContentType="{_TYPE}.{kind}+xml"/>' for name, kind in parts.items()]
    return f'{_XML}<Types xmlns="{_PACKAGE}/content-types">{"".join(rows)}</Types>'


def _text(cell: str) -> str:
    return escape(printable(cell)[:MAX_CELL], {"\r": "&#13;"})


def _titled(title: str, number: int) -> str:
    if number == 1:
        return title[:MAX_TITLE]
    return f"{title[: MAX_TITLE - len(str(number)) - 1]} {number}"
