"""Packing lists at work: which device of a shipment a storekeeper holds in his hands, and the list for paper."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from node.errors import InputError, NotFoundError, StateError
from node.passport.identifiers import ID, Identifier, number_value
from node.passport.packing import Packed, packed_of
from node.passport.plate import cut_label, split_typed
from node.passport.shipments import DeviceState
from node.services.core import Core
from node.services.projection import Projection
from node.services.search import read_asked
from node.services.shipments import MAX_DEVICES
from node.store.database import ReadTx
from node.store.packed import find_printed
from node.store.shipments import FiledShipment, ShippedDevice, find_shipment, list_differing, list_shipped

SHOWN_DIFFERING = 100
GONE = (DeviceState.REFUSED, DeviceState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class PaperList:
    """Some devices of a shipment for paper: volume `n` of `of`, and of the whole shipment how many of each type."""

    shipment: FiledShipment
    rows: Sequence[tuple[bytes, Packed]]
    first: int  # the number of the first row, counted from 1
    n: int
    of: int
    totals: Sequence[tuple[str, int]]


class PackingLists:
    """Reads what is packed."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection

    async def named(self, shipment: bytes, texts: Collection[str]) -> list[bytes]:
        """Devices of a shipment by ids, labels, serials or codes; raise InputError for what names none, or several.

        An id comes back as it is: who answers for it looks whether it is in the shipment.
        """
        lines = self._projection.world.lines
        async with self._core.database.read() as tx:
            asked = await tx.aside(lambda: {text: read_asked(text, lines) for text in texts})
            printed = {text: said for text, said in asked.items() if len(said) > 1 or said[0].scheme != ID}
            found = {text: bytes.fromhex(said[0].value) for text, said in asked.items() if text not in printed}
            if printed:
                await _shipment(tx, shipment)
                found |= await _printed(tx, shipment, printed)
        return list(dict.fromkeys(found[text] for text in asked))

    async def differing(self, shipment: bytes) -> list[ShippedDevice]:
        """Devices whose passport came and tells of another designation or serial than the list, the first 100."""
        async with self._core.database.read() as tx:
            spelled = await list_differing(tx, shipment)
            return await tx.aside(lambda: [*islice((one for one in spelled if one.differs), SHOWN_DIFFERING)])

    async def paper(self, subject: bytes, n: int, size: int) -> PaperList:
        """The n-th so many devices that are not gone out of a shipment; raise NotFoundError where there are no more,
        StateError where all are gone.
        """
        async with self._core.database.read() as tx:
            shipment = await _shipment(tx, subject)
            devices = await list_shipped(tx, subject, limit=MAX_DEVICES)
        lines = sorted(
            ((one.device, _line(one)) for one in devices if one.state not in GONE),
            key=lambda row: (row[1].name, row[1].place, row[1].serial, row[0]),
        )
        if not lines:
            raise StateError("all of its devices were refused or withdrawn", "shipment_settled")
        rows = lines[(n - 1) * size : n * size]
        if not rows:
            raise NotFoundError(f"the shipment has no part {n} of {size} devices", "shipment_no_part")
        totals = sorted(Counter(line.name for _, line in lines).items())
        return PaperList(shipment, rows, (n - 1) * size + 1, n, -(-len(lines) // size), totals)


async def _printed(tx: ReadTx, shipment: bytes, asked: dict[str, tuple[Identifier, ...]]) -> dict[str, bytes]:
    terms = await tx.aside(lambda: {text: _terms(text, said) for text, said in asked.items()})
    by_term = await find_printed(tx, shipment, {term for some in terms.values() for term in some})
    return await tx.aside(lambda: {text: _only(text, some, by_term) for text, some in terms.items()})


def _only(text: str, terms: Collection[str], by_term: Mapping[str, Mapping[bytes, Packed]]) -> bytes:
    """The device on which a text is printed, by the terms that it may be."""
    lines = {device: line for term in terms for device, line in by_term.get(term, {}).items()}
    named = [device for device, line in lines.items() if line.is_called(text)]
    if not named:
        raise InputError(f"{text[:64]} is not in the shipment", "shipment_not_in_it", id=text[:64])
    if len(named) > 1:
        raise InputError(f"{text[:64]} is on {len(named)} devices", "shipment_ambiguous", id=text[:64])
    return named[0]


def _terms(text: str, said: Sequence[Identifier]) -> set[str]:
    """What a text may be: with its designation, or as the serial that it ends with; a code tells an id too."""
    typed = split_typed(text.strip())
    return {one.value for one in said} | ({number_value(cut_label(typed[1]))} if typed else set())


async def _shipment(tx: ReadTx, subject: bytes) -> FiledShipment:
    if (found := await find_shipment(tx, subject)) is None:
        raise NotFoundError("no shipment of that id is here", "shipment_unknown")
    return found


def _line(one: ShippedDevice) -> Packed:
    return one.line if one.line.title else packed_of(one.title or "", one.line.place)
