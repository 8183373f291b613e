"""Laws of the fleet reader: any bytes give a table or the package's error, and its report can always be written."""

import contextlib
import io
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st

from node.exchange.errors import ExchangeError
from node.exchange.fleet.checkup import check_fleet
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.reader import read_fleet
from node.exchange.fleet.report import FORMATS, write_report
from node.exchange.workbooks import MAGIC
from tests.fleets import ENGLISH, HEADER, ON, as_billing, clean

BOOK = as_billing(clean(6, 1))[0]
words = st.one_of(
    st.sampled_from((*HEADER, *ENGLISH)),
    st.sampled_from(
        [
            "00012345",
            "СГВ-15",
            "12.03.2026",
            "=1",
            "#N/A",
            "кв. 1, СХВ",
            "Итого",
            "7.0E+15",
            "м3",
            "-",
            "999999-99",
            "0",
        ]
    ),
    st.text(max_size=12),
)
tables = st.lists(st.lists(words, max_size=8), max_size=12)


def parts_of(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


PARTS = parts_of(BOOK)


def check_or_refuse(raw: bytes) -> None:
    with contextlib.suppress(ExchangeError):
        table = read_fleet(raw, today=ON)
        report = check_fleet(table)
        for kind in FORMATS:
            assert write_report(report, table, kind, "ru")


@given(st.one_of(st.binary(), st.binary().map(MAGIC.__add__), st.text().map(str.encode)))
def test_any_bytes_give_a_table_or_the_error(raw: bytes) -> None:
    """Whatever bytes are sent, they are checked or refused with the package's error."""
    check_or_refuse(raw)


@settings(max_examples=150, deadline=None)
@given(tables, st.sampled_from(";,\t|"), st.sampled_from(["utf-8", "cp1251", "utf-16"]))
def test_any_cells_give_a_report_or_the_error(found: list[list[str]], delimiter: str, encoding: str) -> None:
    """Whatever cells stand under whatever headers, the table is reported or refused."""
    text = "\n".join(delimiter.join(row) for row in found)
    check_or_refuse(text.encode(encoding, "replace"))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(name for name in PARTS if name.endswith((".xml", ".rels")))),
    st.integers(0, 1 << 14),
    st.integers(0, 12),
    st.sampled_from(
        ["", "<", ">", '"', "9", "-1", "1e400", "99999", "&#0;", "<v>5</v>", ' t="s"', ' t="d"', ' s="9"', "<c/>",
         "<row>", "A1:XFD9", "<f>1</f>", ' hidden="1"']
    ),
)  # fmt: skip
def test_altered_part_gives_a_table_or_the_error(name: str, at: int, cut: int, piece: str) -> None:
    """A workbook in which one part was altered and packed again is checked or refused."""
    content = PARTS[name]
    at %= max(1, len(content))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part, whole in PARTS.items():
            archive.writestr(part, content[:at] + piece.encode() + content[at + cut :] if part == name else whole)

    check_or_refuse(out.getvalue())


@given(st.text())
def test_any_text_is_a_mapping_or_the_error(text: str) -> None:
    """Whatever text is sent as a mapping, it is one or refused."""
    with contextlib.suppress(ExchangeError):
        FleetMapping.from_json(text)
