"""Folding what was said, and telling of devices that join with a root key that no longer counts for their passport."""

from collections.abc import Iterable, Sequence

from node.errors import KeystoreError
from node.passport.device_keys import SECTION
from node.services.core import Core
from node.services.ledger import Taken
from node.services.projection import Projection
from node.services.provisioning import counting_key
from node.store.database import ReadTx, WriteTx
from node.store.fragments import STORED, NewEntry
from node.store.logs import StoredLog
from node.store.passports import find_passport, read_leads
from node.store.radio import DeviceState, StoredDevice, list_devices

__all__ = ["ReplacedKeys"]


class ReplacedKeys:
    """Watches the keys that come, whoever states them."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection

    async def take(self, tx: WriteTx, taken: Sequence[Taken]) -> None:
        """Fold entries that were stored, and journal the devices on the air whose key they took the place of.

        Such a device goes on in its session, and joins with the old key until it is put on the air again.
        """
        await self._projection.take(tx, taken)
        for log, entries in taken:
            await self._tell(tx, log, entries)

    async def _tell(self, tx: WriteTx, log: StoredLog, entries: Sequence[NewEntry]) -> None:
        named = {entry.header.subjects[0] for entry in entries if entry.header and _has_key(entry)}
        for device in await self.outdated(tx, named) if named else ():
            dev_eui, state = device.dev_eui.hex(), device.state.value
            told = {"dev_eui": dev_eui, "state": state}
            await self._core.announce(tx, "radio", "root_key_replaced", device.subject, org=log.org, **told)

    async def outdated(self, tx: ReadTx, subjects: Iterable[bytes]) -> list[StoredDevice]:
        """The devices of our network that join with another key than the one that counts for these things."""
        named = set(subjects)
        devices = await list_devices(tx, subjects=[*named, *(await read_leads(tx, named)).values()])
        return [device for device in devices if await self._is_outdated(tx, device)]

    async def _is_outdated(self, tx: ReadTx, device: StoredDevice) -> bool:
        passport = await find_passport(tx, device.subject, whole=False)
        if device.state is DeviceState.RETIRED or passport is None:
            return False
        vault, world = self._core.keystore.vault, self._projection.world
        key = await counting_key(tx, vault, world, passport.content, device.dev_eui.hex())
        try:
            return key is not None and key != vault.open(device.root_key)
        except KeystoreError:  # a damaged row: the device is off the air, and is told so at a start
            return False


def _has_key(entry: NewEntry) -> bool:
    return any(section.name == SECTION and section.form == STORED for section in entry.stored)
