"""What a job tells so far, read back from its stored result; and the rows it sent back, as a table to correct."""

from node.exchange.tables import write_csv, write_xlsx
from node.store.jobs import Job

# The columns that a table of rows sent back has after its own.
REPORT = ("Правило / Rule", "Замечание / Remark")


def counted(job: Job, name: str) -> int:
    """A count in the result; 0 before the first step."""
    value = job.result.get(name, 0)
    return value if isinstance(value, int) else 0


def listed(job: Job, name: str) -> list[str]:
    """A list of texts in the result; empty before the first step."""
    return _strings(job.result.get(name))


def sent_back(job: Job, kind: str) -> bytes:
    """The rows that a job sent back, as a table (`xlsx` or `csv`) that can be corrected and sent again."""
    rows = job.result.get("faulty")
    faulty = [_strings(row) for row in rows] if isinstance(rows, list) else []
    write = write_xlsx if kind == "xlsx" else write_csv
    return write(listed(job, "header"), faulty)


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
