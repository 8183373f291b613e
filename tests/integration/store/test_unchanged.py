"""What is kept in memory of the store, on both engines: never what was written since."""

from collections.abc import Mapping

import pytest

from node.store.database import Database, ReadTx
from node.store.radio import DEVICES, DeviceState, StoredDevice, find_devices, put_device
from node.store.unchanged import Unchanged

EUI, OTHER = b"\x02" * 8, b"\x03" * 8


def device(eui: bytes, state: DeviceState) -> StoredDevice:
    """A device of a network."""
    return StoredDevice(eui, eui * 2, {}, b"", state, {})


class Asked:
    """Counts how often the store is asked."""

    def __init__(self, database: Database) -> None:
        self.known: Unchanged[bytes, StoredDevice] = Unchanged(database, (DEVICES,), most=10)
        self.times = 0

    async def states(self, tx: ReadTx, *euis: bytes) -> list[DeviceState]:
        """The states of devices."""

        async def load(missing: list[bytes]) -> Mapping[bytes, StoredDevice]:
            self.times += 1
            return await find_devices(tx, missing)

        found = await self.known.find(tx, euis, load)
        return [found[eui].state for eui in euis if eui in found]


async def test_value_is_read_once_until_something_of_its_kind_is_written(database: Database) -> None:
    """Three questions ask the store once; after a write the new value is told."""
    asked = Asked(database)
    async with database.write() as tx:
        await put_device(tx, device(EUI, DeviceState.WAITING))
    for _ in range(3):
        async with database.read() as reader:
            assert await asked.states(reader, EUI, OTHER) == [DeviceState.WAITING]
    assert asked.times == 4 - 1  # a device that is not there is asked for each time

    async with database.write() as tx:
        await put_device(tx, device(EUI, DeviceState.RETIRED))
    async with database.read() as reader:
        assert await asked.states(reader, EUI) == [DeviceState.RETIRED]


async def test_transaction_sees_what_it_wrote_itself_and_leaves_it_to_nobody_where_it_falls(database: Database) -> None:
    """Within its write the new value is told; rolled back, the old one."""
    asked = Asked(database)
    async with database.write() as tx:
        await put_device(tx, device(EUI, DeviceState.WAITING))
    async with database.read() as reader:
        await asked.states(reader, EUI)

    async def fall() -> None:
        async with database.write() as tx:
            await put_device(tx, device(EUI, DeviceState.RETIRED))
            assert await asked.states(tx, EUI) == [DeviceState.RETIRED]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fall()

    async with database.read() as reader:
        assert await asked.states(reader, EUI) == [DeviceState.WAITING]


async def test_what_was_read_before_a_write_is_not_kept_beyond_it(database: Database) -> None:
    """A reader that began before a write and ends after it keeps nothing of what it saw."""
    asked = Asked(database)
    async with database.write() as tx:
        await put_device(tx, device(EUI, DeviceState.WAITING))

    async with database.read() as reader:

        async def load(missing: list[bytes]) -> Mapping[bytes, StoredDevice]:
            found = await find_devices(reader, missing)
            async with database.write() as other:
                await put_device(other, device(EUI, DeviceState.RETIRED))
            return found

        found = await asked.known.find(reader, [EUI], load)
        assert found[EUI].state is DeviceState.WAITING

    async with database.read() as later:
        assert await asked.states(later, EUI) == [DeviceState.RETIRED]
