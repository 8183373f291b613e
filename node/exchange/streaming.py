"""Tables that are written as they are read: no more of them in memory than a page."""

from collections.abc import Sequence

from node.exchange.delimited import write_csv

MARK = b"\xef\xbb\xbf"


def csv_header(names: Sequence[str]) -> bytes:
    """The beginning of a CSV file."""
    return write_csv(names, [])


def csv_rows(rows: Sequence[Sequence[str]]) -> bytes:
    """Further rows of a CSV file."""
    return write_csv(rows[0], rows[1:]).removeprefix(MARK) if rows else b""
