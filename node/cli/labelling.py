"""Labels for a printer: of devices named one by one, of a list in a file, of an import, or of a search."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from node.cli.talk import HERE, Folder, app, ask, out, read, write
from node.errors import InputError

PANEL = "Passports"


class Code(StrEnum):
    """The kinds of codes."""

    QR = "qr"
    DATAMATRIX = "datamatrix"


@app.command(rich_help_panel=PANEL)
def labels(
    file: Annotated[Path, typer.Argument(help="What to write: a name that ends in .pdf, .zip or .zpl.")],
    devices: Annotated[list[str] | None, typer.Argument(help="Device ids, or designations with serials.")] = None,
    listed: Annotated[Path | None, typer.Option("--list", help="A text file of them, one a line.")] = None,
    search: Annotated[str, typer.Option(help="Words: all devices that a search for them finds.")] = "",
    job: Annotated[str, typer.Option(help="An import: all devices that it brought.")] = "",
    size: Annotated[str, typer.Option(help="58x40, 58x30, 43x25, a4-3x7, a4-3x8, a4-4x10 or a4-5x13.")] = "58x40",
    code: Annotated[Code, typer.Option(help="The kind of code.")] = Code.QR,
    start: Annotated[int, typer.Option(help="The place of the first label on a sheet, row by row.")] = 1,
    folder: Folder = HERE,
) -> None:
    """Write labels to be printed; more than 500 are a ZIP of several PDFs."""
    ending = file.suffix.lower()
    if ending not in (".pdf", ".zip", ".zpl"):
        raise InputError(f"{file} is no file of labels: give it a name that ends in .pdf or .zpl")
    named = [*(devices or ()), *lines_of(listed)]
    choice = {"size": size, "code": code.value, "start": start, "file": "zpl" if ending == ".zpl" else "pdf"}
    which: dict[str, object] = {"devices": named}
    if not named and (job or search):
        which = {"job": job} if job else {"filter": {"q": search, "kind": "device"}}
    raw: bytes = ask(folder, lambda api: api.post("/labels", {**choice, **which}))
    is_zip = raw.startswith(b"PK")
    if is_zip and ending == ".pdf":
        file = file.with_suffix(".zip")
    write(file, raw, "name another file")
    out.print(f"{file}: {len(raw)} bytes", markup=False)


def lines_of(listed: Path | None) -> list[str]:
    """The lines of a text file that say something."""
    if listed is None:
        return []
    text = read(listed, "name a text file").decode("utf-8-sig", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]
