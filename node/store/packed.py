"""What packing lists say of devices: filed once with each part of a shipment, found by what is printed on a device."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import ColumnElement, delete, exists, or_, select

from node.passport.packing import Packed, packed_of, read_list
from node.passport.shipments import Shipment
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.fragments import CHUNK
from node.store.passports import read_titles
from node.store.upserts import insert_new

_ID = re.compile("[0-9a-f]{32}")
_LINE, _DEVICE = schema.packed.c, schema.shipped.c


async def put_packed(tx: WriteTx, shipment: Shipment) -> None:
    """File the lists of those parts of which it was not done yet."""
    firsts = {part.devices[0]: part for part in shipment.parts if part.packing and part.devices}
    known = {row.device for row in await tx.all(select(_LINE.device).where(_mine(shipment.subject, firsts)))}
    for first in firsts.keys() - known:
        part = firsts[first]
        lines = await tx.aside(lambda: read_list(part.packing, part.listed))  # noqa: B023 - awaited
        mine = ((device, lines[device]) for device in part.devices if device in lines)
        rows = [_row(shipment.subject, device, line) for device, line in mine]
        await insert_new(tx, schema.packed, rows)


async def drop_packed(tx: WriteTx, shipment: bytes | None = None) -> None:
    """Forget the lists of a shipment, or of all."""
    gone = delete(schema.packed)
    await tx.run(gone if shipment is None else gone.where(_LINE.shipment == shipment))


async def lines_for(
    tx: ReadTx, devices: Collection[bytes], places: Mapping[bytes, str] | None = None
) -> dict[bytes, Packed]:
    """The lines of a new list, by the passports that are here, each with its place."""
    titles = await read_titles(tx, devices)
    lines = {device: packed_of(title) for device, title in titles.items()}
    for device, place in (places or {}).items():
        lines[device] = replace(lines.get(device, Packed()), place=place)
    return lines


async def find_printed(tx: ReadTx, shipment: bytes, terms: Collection[str]) -> dict[str, dict[bytes, Packed]]:
    """Devices of a shipment by a serial of its list, by whatever a passport here says, and by ids in hex."""
    found: dict[str, dict[bytes, Packed]] = {}
    asked, term = set(terms), schema.terms.c
    wanted = sorted(asked)
    listed = select(schema.packed).where(_LINE.shipment == shipment)
    # Lines have no index by serial: for many the list is read once.
    for row in await tx.all(listed if len(wanted) > CHUNK else listed.where(_LINE.term.in_(wanted))):
        if row.term in asked:
            found.setdefault(row.term, {})[row.device] = Packed(row.name, row.serial, row.place)
    for at in range(0, len(wanted), CHUNK):
        few = wanted[at : at + CHUNK]
        here = (
            select(term.term, term.subject)
            .join(schema.shipped, _DEVICE.device == term.subject)
            .where(_DEVICE.shipment == shipment, term.term.in_(few))
        )
        for row in await tx.all(here):
            found.setdefault(row.term, {}).setdefault(row.subject, Packed())
        ids = [bytes.fromhex(text) for text in few if _ID.fullmatch(text)]
        for row in await tx.all(select(_DEVICE.device).where(_DEVICE.shipment == shipment, _DEVICE.device.in_(ids))):
            found.setdefault(row.device.hex(), {})[row.device] = Packed()
    return found


def is_found_by(term: str) -> ColumnElement[bool]:
    """Whether a device of a shipment, joined with its line, has a term as part of its serial, or in its passport."""
    terms = schema.terms.c
    in_passport = exists().where(terms.subject == _DEVICE.device, terms.term == term)
    return or_(_LINE.term.contains(term, autoescape=True), in_passport)


def _mine(shipment: bytes, devices: Collection[bytes]) -> ColumnElement[bool]:
    return (_LINE.shipment == shipment) & _LINE.device.in_(sorted(devices))


def _row(shipment: bytes, device: bytes, line: Packed) -> dict[str, object]:
    texts = {"name": line.name, "serial": line.serial, "place": line.place, "term": line.term}
    return {"shipment": shipment, "device": device, **texts}
