"""Boxes: made with their codes and sheets, listed, and claimed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli.labelling import lines_of
from node.cli.talk import HERE, Folder, app, ask, out, write

PANEL = "Shipments"


@app.command(rich_help_panel=PANEL)
def boxes(
    number: Annotated[str, typer.Argument(help="Of the delivery note; without one, own boxes are listed.")] = "",
    listed: Annotated[
        Path | None,
        typer.Option("--list", help="A text file of devices, one a line; behind a tab or ; perhaps the box of each."),
    ] = None,
    devices: Annotated[list[str] | None, typer.Option("--device", help="A device; once for each.")] = None,
    size: Annotated[int | None, typer.Option(help="So many a box, where no box is named.")] = None,
    sheets: Annotated[Path | None, typer.Option(help="A PDF to write the sheets to that lie in the boxes.")] = None,
    folder: Folder = HERE,
) -> None:
    """Offer devices in boxes that whoever has the code claims: each code is printed here, this once."""
    if not number:
        for one in ask(folder, lambda api: api.get("/boxes"))["items"]:
            by = f" by {one['claimed_by']}: shipment {one['shipment']}" if one["claimed_by"] else ""
            out.print(f"{one['id']} {one['number']}: {one['count']} devices, {one['state']}{by}", markup=False)
        return
    body = {"number": number, "devices": [*(devices or ()), *lines_of(listed)], **({"size": size} if size else {})}
    made = ask(folder, lambda api: api.post("/boxes", body))["items"]
    for box in made:
        out.print(f"{box['number']} {box['code']} {len(box['devices'])} devices, shipment {box['id']}", markup=False)
    if sheets is not None:
        _print(folder, made, sheets)


@app.command(rich_help_panel=PANEL)
def claim(
    code: Annotated[str, typer.Argument(help="The code of a box, or what was scanned off its sheet.")],
    device: Annotated[str, typer.Argument(help="A device of the box, where the code was typed.")] = "",
    folder: Folder = HERE,
) -> None:
    """Claim a box by its code: its seller offers the devices to this organisation."""
    answer = ask(folder, lambda api: api.post("/boxes/claims", {"code": code, "device": device}))
    comes = "" if answer["here"] else ", which comes with the next exchange"
    out.print(f"shipment {answer['shipment']}{comes}", markup=False)


def _print(folder: Path, made: list[Any], sheets: Path) -> None:  # Any: JSON
    items = [{"id": box["id"], "code": box["code"]} for box in made]
    raw: bytes = ask(folder, lambda api: api.post("/boxes/sheets", {"items": items}))
    write(sheets, raw, "name another file")
    out.print(f"{sheets}: {len(raw)} bytes", markup=False)
