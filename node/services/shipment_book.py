"""The book of shipments: what each has come to, filed in the transaction that stored what was said of it.

What others said of a shipment of this organisation is journalled with it, once its papers are here.
"""

from collections.abc import Collection, Iterable, Sequence

from federation.authority import Kind
from federation.fragment import Header
from node.passport.shipments import SECTION, Act, Did, Shipment, shipment_of
from node.passport.world import World
from node.services.core import Core
from node.services.ledger import Taken
from node.services.statements import StatementReader
from node.store.database import WriteTx
from node.store.fragments import subjects_of_kind
from node.store.settings import find_setting, set_setting
from node.store.shipments import (
    FiledShipment,
    clear_shipments,
    drop_shipment,
    filed_shipments,
    find_shipment,
    outside_shipments,
    put_shipment,
)

VERSION, FILED = b"2", "shipments_filed"
Places = Collection[tuple[bytes, int]]  # log and seq
# What another organisation did with a shipment of ours, as the journal calls it.
TOLD = {Did.ACCEPTED: "shipment_taken", Did.REFUSED: "shipment_declined", Did.WITHDRAWN: "shipment_called_back"}


class ShipmentBook:
    """Files shipments."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def open(self, world: World) -> None:
        """File every shipment anew where that was not done by this version."""
        async with self._core.database.read() as tx:
            if await find_setting(tx, FILED) == VERSION:
                return
        async with self._core.database.write() as tx:
            await clear_shipments(tx)
            await self._file(tx, await subjects_of_kind(tx, Kind.SHIPMENT), await StatementReader.open(tx), world)
            await set_setting(tx, FILED, VERSION)

    async def take(self, tx: WriteTx, taken: Sequence[Taken], world: World) -> None:
        """Entries were stored: file the shipments of which they speak, and journal what others did."""
        headers = [entry.header for _, entries in taken for entry in entries if entry.header is not None]
        subjects = await self._subjects(tx, headers)
        if subjects:
            fresh = {(log.log, entry.seq) for log, entries in taken if not log.own for entry in entries}
            await self._file(tx, subjects, await StatementReader.open(tx), world, fresh)

    async def refile(self, tx: WriteTx, subjects: Iterable[bytes], reader: StatementReader, world: World) -> None:
        """What counts of the statements about these subjects altered: file those of them that are shipments."""
        of_kind = await subjects_of_kind(tx, Kind.SHIPMENT, among=set(subjects))
        await self._file(tx, of_kind | await filed_shipments(tx, subjects), reader, world)

    async def find_buyers(self, tx: WriteTx, reader: StatementReader, world: World) -> list[bytes]:
        """Shipments to a number that is a member's by now: they are his from here on. Answer which."""
        waiting = await outside_shipments(tx)
        found = [subject for subject, number in waiting if world.attestations.holder(number) is not None]
        await self._file(tx, found, reader, world)
        return found

    async def _subjects(self, tx: WriteTx, headers: Iterable[Header]) -> set[bytes]:
        """The shipments of which entries speak; an end may be of anything else."""
        spoken: set[bytes] = set()
        beside: set[bytes] = set()
        for header in headers:
            if header.kind == Kind.SHIPMENT:
                spoken.add(header.subject)
                beside.update(header.subjects[1:])
            elif header.kind == Kind.END:
                beside.update(header.subjects)
        return spoken | await filed_shipments(tx, beside - spoken) if beside - spoken else spoken

    async def _file(
        self,
        tx: WriteTx,
        subjects: Iterable[bytes],
        reader: StatementReader,
        world: World,
        fresh: Places = frozenset(),
    ) -> None:
        for subject in sorted(subjects):
            known = await find_shipment(tx, subject)
            statements = await reader.about(tx, [subject])
            # Who offered under a subject first here is its seller, whatever others say under it.
            seller = known.seller if known else None
            shipment = await tx.aside(lambda: shipment_of(subject, statements, world, seller))  # noqa: B023 - awaited
            if shipment is not None:
                await put_shipment(tx, shipment)
                await self._tell(tx, shipment, known, fresh)
            elif known is not None:
                await drop_shipment(tx, subject)

    async def _tell(self, tx: WriteTx, shipment: Shipment, known: FiledShipment | None, fresh: Places) -> None:
        acts = [act for act in shipment.acts if (act.said.ref.log, act.said.ref.seq) in fresh and _is_read(act)]
        own, buyer = self._core.org, shipment.buyer.org
        offered = [act for act in acts if act.did is Did.OFFERED]
        if known is not None and known.outside and not shipment.buyer.is_outside:
            await self._say(tx, shipment, "shipment_buyer_joined", buyer, len(shipment.items))
            offered = [act for act in shipment.acts if act.did is Did.OFFERED]
        if offered and buyer == own:
            what = "shipment_return_came" if shipment.returns else "shipment_came"
            count = sum(len(act.devices) for act in offered)
            await self._say(tx, shipment, what, shipment.seller, count, reason=offered[0].reason)
        elif offered and shipment.via == own:
            await self._say(tx, shipment, "shipment_carried", shipment.seller, sum(len(act.devices) for act in offered))
        for act in acts:
            is_ours = own == (buyer if act.did is Did.WITHDRAWN else shipment.seller)
            if act.did in TOLD and is_ours:
                await self._say(tx, shipment, TOLD[act.did], act.said.org, len(act.devices), act.reason, act.note)
            elif act.did is Did.STRANGE and own in (buyer, shipment.seller):
                await self._say(tx, shipment, "shipment_strange", act.said.org, len(act.devices))

    async def _say(
        self,
        tx: WriteTx,
        shipment: Shipment,
        what: str,
        org: bytes,
        count: int,
        reason: str | None = None,
        note: str | None = None,
    ) -> None:
        told = {name: text for name, text in (("reason", reason), ("note", note)) if text}
        number = shipment.number
        await self._core.announce(tx, "sync", what, shipment.subject, org=org, count=count, number=number, **told)


def _is_read(act: Act) -> bool:
    """Whether its papers are here, where it has some: they may come after its header, and tell why."""
    return all(name != SECTION for name, _ in act.said.withheld)
