"""Telling that a device of our network joins with a root key that is no longer the one its passport states."""

from collections.abc import Iterable

from node.errors import KeystoreError
from node.passport.device_keys import SECTION
from node.services.core import Core
from node.services.provisioning import counting_key
from node.store.database import WriteTx
from node.store.fragments import STORED, NewEntry
from node.store.passports import find_passport, read_leads
from node.store.radio import DeviceState, StoredDevice, list_devices

__all__ = ["tell_replaced"]


async def tell_replaced(core: Core, tx: WriteTx, entries: Iterable[NewEntry], actor: str) -> list[StoredDevice]:
    """Journal, and answer, the devices on the air that joined with another key than these entries made to count.

    Call it after the entries were projected. Such a device goes on in its session, and joins anew with the old key
    until it is put on the air again.
    """
    named = {entry.header.subjects[0] for entry in entries if entry.header and _has_key(entry)}
    if not named:
        return []
    devices = await list_devices(tx, subjects=[*named, *(await read_leads(tx, named)).values()])
    found = [device for device in devices if await _joins_with_another(core, tx, device)]
    for device in found:
        dev_eui, state = device.dev_eui.hex(), device.state.value
        await core.announce(tx, actor, "root_key_replaced", device.subject, dev_eui=dev_eui, state=state)
    return found


async def _joins_with_another(core: Core, tx: WriteTx, device: StoredDevice) -> bool:
    passport = await find_passport(tx, device.subject, whole=False)
    if device.state is DeviceState.RETIRED or passport is None:
        return False
    key = await counting_key(tx, core.keystore.vault, passport.content, device.dev_eui.hex())
    return key is not None and key != _held(core, device)


def _has_key(entry: NewEntry) -> bool:
    return any(section.name == SECTION and section.form == STORED for section in entry.stored)


def _held(core: Core, device: StoredDevice) -> bytes:
    try:
        return core.keystore.vault.open(device.root_key)
    except KeystoreError:  # a damaged row: the device is off the air, and is told so at a start
        return b""
