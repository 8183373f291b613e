"""Readings of a device of which it is asked whether it is two: held back, and told once somebody decided."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

from benchmarks.fold import BEGIN_US, Author
from drivers.registry import load_registry
from drivers.vega.betar import DESCRIPTOR, BetarData, encode_data
from federation.fragment import Ref
from lora.identifiers import Eui
from lora.memory import MemoryDirectory
from lora.registration import Registration
from node.metrics import Metrics
from node.passport import drafts
from node.passport.bodies import (
    AliasBody,
    ParameterRow,
    ParametersBody,
    Plate,
    Reference,
    SamenessBody,
)
from node.passport.claims import Claim, local_claim
from node.passport.references import ref_text
from node.passport.sameness import twin_of
from node.services.bridges import Bridges
from node.services.commissioning import Commissioning
from node.services.decoding import Decoder
from node.services.drivers import Drivers
from node.services.hearing import Hearing
from node.services.ledger import entry_ref
from node.services.radio import Radio
from node.services.radio_records import Progress, show_progress
from node.services.readings import Readings
from node.store.fragments import insert_entries
from node.store.logs import insert_log
from node.store.organisations import insert_statements
from node.store.radio import DeviceState, StoredDevice, list_frames, put_device
from tests.heard import accepted
from tests.unit.node_protocols.builders import Desk, new_desk

DEV_EUI = bytes.fromhex("70b3d58ff1010001")
HERE, THERE = "Королёв, ул. Гагарина, 5, кв. 12", "Тула, пр. Ленина, 9, кв. 3"
HOUR_US = 3_600_000_000


@dataclass
class Station:
    """A node with a registered radio device, and a peer whose log it mirrors."""

    desk: Desk
    commissioning: Commissioning
    radio: Radio
    readings: Readings
    subject: bytes
    claim: Claim | None
    peer: Author
    sent: int = 0

    async def say(self, *said: drafts.Draft) -> list[Ref]:
        """This node states something."""
        log = self.desk.ledger.log.log
        return [entry_ref(log, entry) for entry in await self.desk.ledger.append(list(said))]

    async def arrive(self, draft: drafts.Draft, refs: Sequence[Ref] = ()) -> Ref:
        """The peer's statement comes in."""
        assert self.peer.stored is not None
        ref = self.peer.say(draft, BEGIN_US, refs)
        async with self.desk.core.database.write() as tx:
            await insert_entries(tx, self.peer.stored.no, self.peer.entries[-1:])
            await self.desk.projection.take(tx, [(self.peer.stored, self.peer.entries[-1:])])
        return ref

    async def hear(self) -> None:
        """The device sends its volume."""
        self.sent += 1
        at = BEGIN_US + self.sent * HOUR_US
        told = datetime.fromtimestamp(at / 1e6, UTC)
        payload = encode_data(BetarData(98, 20, told, Decimal(self.sent)))
        assert await self.radio.handle([[accepted(DEV_EUI, self.sent, payload, at, DESCRIPTOR.ports[0])]])

    async def volumes(self) -> list[str]:
        """What counts as the device's own volume."""
        found, _ = await self.readings.values(self.subject, "volume", 0, 2 * BEGIN_US, 100)
        return [format(reading.value.normalize(), "f") for reading in found]

    async def frames(self) -> list[tuple[str, object]]:
        """What became of what was heard, oldest first."""
        async with self.desk.core.database.read() as tx:
            found = await list_frames(tx, dev_eui=DEV_EUI)
        return [(frame.state.value, frame.detail.get("held")) for frame in reversed(found)]


@asynccontextmanager
async def station(folder: Path, *, is_made_here: bool = False) -> AsyncIterator[Station]:
    """A meter that nobody made (or this node), at the place that this node stated."""
    async with new_desk(folder) as desk:
        drivers, readings = Drivers(load_registry(), desk.core.database), Readings(desk.core.database)
        decoder = Decoder(drivers, desk.core.clock)
        bridges = Bridges(desk.core, desk.ledger, decoder)
        directory = MemoryDirectory()
        commissioning = Commissioning(desk.core, desk.ledger, desk.projection, readings, decoder, bridges, directory)
        hearing = Hearing(desk.core.database, decoder, readings)
        radio = Radio(desk.core, Metrics(), commissioning, hearing, directory)
        claim = None if is_made_here else local_claim(desk.ledger.log.log, bytes(16))
        if claim is None:
            subject = await desk.device("0012345")
        else:
            subject = claim.subject.raw
            plate = Plate(designation="ВС-15", serial="77")
            await desk.ledger.append([drafts.identity(subject, claim.encode(), plate, BEGIN_US)])
        peer = Author("peer", Random(1))
        async with desk.core.database.write() as tx:
            await insert_statements(tx, peer.chain)
            peer.stored = await insert_log(tx, peer.statement, own=False)
            profile: dict[str, object] = {"driver": DESCRIPTOR.id, "driver_version": DESCRIPTOR.version, "ports": []}
            progress = show_progress(Progress(Registration(Eui(DEV_EUI)), session=1, passed=1, said=True))
            await put_device(tx, StoredDevice(DEV_EUI, subject, profile, b"", DeviceState.REGISTERED, progress))
        found = Station(desk, commissioning, radio, readings, subject, claim, peer)
        await found.say(named(subject), place_of(subject, HERE))
        yield found


def named(subject: bytes) -> drafts.Draft:
    return drafts.alias(subject, AliasBody(scheme="dev_eui", value=DEV_EUI.hex(), evidence="label"), BEGIN_US)


def place_of(subject: bytes, place: str) -> drafts.Draft:
    row = ParameterRow(code=Reference(central="install_place"), value=place, since="2020-09-01")
    return drafts.parameters(subject, ParametersBody(rows=(row,)), BEGIN_US)


async def test_readings_wait_while_equals_put_the_device_at_two_places(tmp_path: Path) -> None:
    """What is heard meanwhile is nobody's and says why; once the peer corrects its word, all of it is told in order."""
    async with station(tmp_path) as here:
        await here.hear()
        mistaken = await here.arrive(place_of(here.subject, THERE))
        await here.hear()
        await here.hear()
        before, held = await here.volumes(), await here.frames()
        released = await here.commissioning.release()

        await here.arrive(place_of(here.subject, HERE), [mistaken])
        released_then = await here.commissioning.release()

        assert before == ["1"]
        assert held == [("decoded", None), *[("unresolved", "two-devices-on-one-plate")] * 2]
        assert (released, released_then) == (0, 1)
        assert await here.volumes() == ["1", "2", "3"]
        assert await here.frames() == [("decoded", None)] * 3
        assert await here.commissioning.release() == 0


async def test_stranger_raises_the_question_and_holds_nothing(tmp_path: Path) -> None:
    """Beside the word of who holds the title, another address asks whether there is a twin; readings go on."""
    async with station(tmp_path, is_made_here=True) as here:
        await here.arrive(place_of(here.subject, THERE))
        await here.hear()

        conflicts = (await here.desk.view(here.subject))["conflicts"]
        assert isinstance(conflicts, list)
        assert [(row["why"], row["equals"]) for row in conflicts if isinstance(row, dict)] == [
            ("two-devices-on-one-plate", False)
        ]
        assert await here.volumes() == ["1"]


async def test_readings_of_a_radio_that_moved_to_the_twin_are_not_the_originals(tmp_path: Path) -> None:
    """The statement of the DevEUI is of the twin by now: what is heard waits, and is told of neither silently."""
    async with station(tmp_path) as here:
        assert here.claim is not None
        (ref,) = await here.say(named(here.subject))
        twin = twin_of(here.claim, [])
        first = [str(row["ref"]) for row in await statements(here) if row["kind"] == 2]  # both words of the alias
        body = SamenessBody(says="twin", claim=twin.encode().hex(), moves=tuple(first))
        await here.say(drafts.sameness(here.subject, twin.subject.raw, body, BEGIN_US))
        await here.hear()

        assert ref_text(ref) in first
        assert await here.volumes() == []
        assert await here.frames() == [("unresolved", "dev-eui-elsewhere")]


async def statements(here: Station) -> list[dict[str, object]]:
    found = (await here.desk.view(here.subject))["statements"]
    assert isinstance(found, list)
    return [dict(row) for row in found if isinstance(row, dict)]
