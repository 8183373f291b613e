"""Laws of the table reader."""

import contextlib
import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from node.exchange.bench import read_bench
from node.exchange.errors import ExchangeError
from node.exchange.tables import Table, read_table, write_csv, write_xlsx
from node.exchange.workbooks import MAGIC
from tests.laws import cases

BOOK = write_xlsx(["Заводской номер", "DevEUI"], [["0012345", "02C0DE0025000017"], ["1,5", "=1"]])
cells = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20).map(str.strip).filter(bool)
rows = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=5)
)


def parts_of(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


PARTS = parts_of(BOOK)


def read_or_refuse(raw: bytes) -> None:
    for read in (read_table, read_bench):
        with contextlib.suppress(ExchangeError):
            assert isinstance(read(raw), Table)


@given(
    st.one_of(
        st.binary(),
        st.binary().map(MAGIC.__add__),
        st.text().map(str.encode),
        st.text().map("[{}]".format).map(str.encode),
    )
)
def test_any_bytes_give_a_table_or_the_error(raw: bytes) -> None:
    """Whatever bytes are sent, the reader gives a table or the package's error."""
    read_or_refuse(raw)


@given(st.integers(0, len(BOOK) - 1), st.binary(max_size=8))
def test_altered_workbook_gives_a_table_or_the_error(at: int, piece: bytes) -> None:
    """A workbook with bytes altered anywhere in its archive gives a table or the package's error."""
    read_or_refuse(BOOK[:at] + piece + BOOK[at + len(piece) :])


@cases(300)
@given(
    st.sampled_from(sorted(PARTS)),
    st.integers(0, 1 << 14),
    st.integers(0, 12),
    st.sampled_from(
        [
            "",
            "<",
            ">",
            '"',
            "9",
            "-1",
            "1e400",
            "99999",
            "&#0;",
            "<v>5</v>",
            ' t="s"',
            ' t="b"',
            ' t="d"',
            ' s="3"',
            "<c/>",
            "<row>",
        ]
    ),
)
def test_altered_part_gives_a_table_or_the_error(name: str, at: int, cut: int, piece: str) -> None:
    """A workbook in which one part was altered and packed again gives a table or the package's error."""
    content = PARTS[name]
    at %= len(content)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part, whole in PARTS.items():
            archive.writestr(part, content[:at] + piece.encode() + content[at + cut :] if part == name else whole)

    read_or_refuse(out.getvalue())


@given(rows)
def test_written_table_reads_back(table: list[list[str]]) -> None:
    """What is written as CSV or XLSX is read back cell by cell."""
    for write in (write_csv, write_xlsx):
        read = read_table(write(table[0], table[1:]))
        assert [list(read.header), *([cell.text for cell in row.cells] for row in read.rows)] == table
