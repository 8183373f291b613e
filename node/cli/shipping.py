"""Shipments: offered, listed, answered in whole or in part, withdrawn and sent back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli.talk import HERE, Folder, app, ask, out
from node.errors import InputError

PANEL = "Shipments"
Devices = Annotated[list[str] | None, typer.Argument(help="Device ids; none means all that it can be about.")]
FromFile = Annotated[Path | None, typer.Option("--from", help="A file with more device ids, one a line.")]
Note = Annotated[str, typer.Option(help="A remark for the other side.")]
ReasonCode = Annotated[str, typer.Argument(help="missing, damaged, defective, not-ordered, wrong or other.")]


@app.command(rich_help_panel=PANEL)
def ship(
    buyer: Annotated[str, typer.Argument(help="An organisation's id; of one without a node inn:… or ogrn:…")],
    number: str,
    devices: Devices = None,
    more: FromFile = None,
    name: Annotated[str, typer.Option(help="What a buyer without a node is called.")] = "",
    unopened: Annotated[bool, typer.Option("--unopened", help="To who trades them: no key goes to him.")] = False,
    via: Annotated[str, typer.Option(help="A member through whose node it goes, by its id.")] = "",
    folder: Folder = HERE,
) -> None:
    """Offer devices to a buyer."""
    kind, _, digits = buyer.partition(":")
    to = {kind: digits, "name": name} if digits else {"buyer": buyer}
    body = {**to, "number": number, "devices": _named(devices, more), "unopened": unopened, "via": via or None}
    answer = ask(folder, lambda api: api.post("/shipments", body))
    out.print(f"shipment {answer['id']}")


@app.command(rich_help_panel=PANEL)
def shipments(folder: Folder = HERE) -> None:
    """The newest shipments in and out, and how their devices stand."""
    for one in ask(folder, lambda api: api.get("/shipments"))["items"]:
        out.print(f"{one['id']} {one['direction']} {one['number']}: {_stands(one)}", markup=False)


@app.command(rich_help_panel=PANEL)
def accept(shipment: str, devices: Devices = None, more: FromFile = None, folder: Folder = HERE) -> None:
    """Accept a shipment, or some of it."""
    _answer(folder, shipment, "acceptance", devices, more)


@app.command(rich_help_panel=PANEL)
def refuse(
    shipment: str,
    reason: ReasonCode,
    devices: Devices = None,
    more: FromFile = None,
    note: Note = "",
    folder: Folder = HERE,
) -> None:
    """Refuse a shipment, or some of it."""
    _answer(folder, shipment, "refusal", devices, more, reason=reason, note=note)


@app.command(rich_help_panel=PANEL)
def withdraw(
    shipment: str, devices: Devices = None, more: FromFile = None, note: Note = "", folder: Folder = HERE
) -> None:
    """Take an own shipment back, or some of it, as far as nobody accepted it."""
    _answer(folder, shipment, "withdrawal", devices, more, note=note)


@app.command(rich_help_panel=PANEL)
def send_back(
    shipment: str,
    number: str,
    reason: ReasonCode,
    devices: Devices = None,
    more: FromFile = None,
    note: Note = "",
    folder: Folder = HERE,
) -> None:
    """Send devices back to their seller that were accepted."""
    _answer(folder, shipment, "return", devices, more, number=number, reason=reason, note=note)


def _answer(folder: Path, shipment: str, act: str, devices: list[str] | None, more: Path | None, **said: str) -> None:
    named = _named(devices, more)
    body: dict[str, Any] = {name: text for name, text in said.items() if text}  # Any: JSON
    if devices or more is not None:
        body["devices"] = named
    answer = ask(folder, lambda api: api.post(f"/shipments/{shipment}/{act}", body))
    out.print(f"shipment {answer['id']}: {_stands(answer)}", markup=False)


def _named(devices: list[str] | None, more: Path | None) -> list[str]:
    try:
        listed = more.read_text(encoding="utf-8").split() if more else []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{more} cannot be read: name a file with one device id a line, as UTF-8") from error
    return [*(devices or ()), *listed]


def _stands(one: Any) -> str:  # Any: JSON
    states = ", ".join(f"{state} {count}" for state, count in one["states"].items() if count)
    return f"{states}; here {one['passports']} passports and {one['keys']} keys"
