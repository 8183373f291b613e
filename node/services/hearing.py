"""What devices in service send, many frames in one go: it becomes readings without another look at the device.

A device is in service where its registration is done and this is the activation that was compared. Whatever else there
is to look at, another meter's number in a frame, a passport that may be of two, a driver that came meanwhile, is left
to `Commissioning.heard`, frame by frame; so are all later frames of that device.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivers.comparison import says_same
from drivers.descriptor import Comparison
from drivers.reading import Decoded
from drivers.registry import Installed
from node.services.attribution import why_held_each
from node.services.decoding import Decoder, Decoding
from node.services.provisioning import SAME, stated_texts
from node.services.readings import Readings
from node.store.database import ReadTx, WriteTx
from node.store.passports import find_passport, read_digests, read_leads
from node.store.radio import DeviceState, StoredDevice, StoredFrame, find_devices

MOST = 20_000  # passports of which it is remembered what they state

Heard = tuple[StoredFrame, Decoding]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of frames: those that are done, as they stand then, and those that are to be looked at, by number."""

    done: Mapping[int, StoredFrame]
    left: Mapping[int, Decoding]


class Hearing:
    """Tells the frames of devices in service from the others, and keeps their readings."""

    def __init__(self, decoder: Decoder, readings: Readings) -> None:
        self._decoder = decoder
        self._readings = readings
        self._stated: OrderedDict[bytes, tuple[bytes, Mapping[str, str]]] = OrderedDict()

    async def settle(self, tx: WriteTx, heard: Sequence[Heard]) -> Settled:
        """Keep the readings of frames that have their numbers and are about to be inserted."""
        devices = await find_devices(tx, {frame.dev_eui for frame, _ in heard if frame.dev_eui})
        serving = {eui: device for eui, device in devices.items() if device.state is DeviceState.REGISTERED}
        held = await why_held_each(tx, [(device.subject, eui) for eui, device in serving.items()])
        ready = {eui: device for eui, device in serving.items() if (device.subject, eui) not in held}
        stated = await self._states(tx, [device for device in ready.values() if self._compares(device)])
        plain: list[tuple[bytes, StoredFrame, Decoding]] = []
        left: dict[int, Decoding] = {}
        waiting: set[bytes] = set()
        for frame, decoding in heard:
            eui = frame.dev_eui or b""
            device = ready.get(eui)
            said = stated.get(device.subject, {}) if device else {}
            if device is None or eui in waiting or not self._is_plain(device, frame, decoding, said):
                left[frame.id] = decoding
                waiting.add(eui)
            else:
                plain.append((device.subject, frame, decoding))
        done = await self._readings.store_each(tx, plain)
        return Settled({frame.id: frame for frame in done}, left)

    def _is_plain(
        self, device: StoredDevice, frame: StoredFrame, decoding: Decoding, stated: Mapping[str, str]
    ) -> bool:
        if frame.session is None or frame.session != device.registration.get("passed") or decoding.carried is not None:
            return False
        driver = self._decoder.driver_of(device, frame.received_us)
        if decoding.driver is not driver or (driver is not None and driver.driver.joins):
            return False
        return decoding.decoded is None or driver is None or _is_of(driver, decoding.decoded, stated)

    def _compares(self, device: StoredDevice) -> bool:
        return any(item.how in SAME for item in self._comparisons(device))

    def _comparisons(self, device: StoredDevice) -> list[Comparison]:
        return [one for driver in self._decoder.drivers_of(device) for one in driver.driver.descriptor.comparisons]

    async def _states(self, tx: ReadTx, devices: Sequence[StoredDevice]) -> dict[bytes, Mapping[str, str]]:
        """What the passports of devices state by which a meter is told from another, by subject."""
        if not devices:
            return {}
        leads = await read_leads(tx, [device.subject for device in devices])
        digests = await read_digests(tx, leads.values())
        found: dict[bytes, Mapping[str, str]] = {}
        for device in devices:
            digest = digests.get(leads.get(device.subject, b""), b"")
            known = self._stated.get(device.subject)
            if known is None or known[0] != digest:
                known = digest, await self._read(tx, device)
                self._stated[device.subject] = known
            self._stated.move_to_end(device.subject)
            found[device.subject] = known[1]
        while len(self._stated) > MOST:
            self._stated.popitem(last=False)
        return found

    async def _read(self, tx: ReadTx, device: StoredDevice) -> Mapping[str, str]:
        passport = await find_passport(tx, device.subject, whole=False)
        return {} if passport is None else stated_texts(passport.content, self._comparisons(device))


def _is_of(driver: Installed, decoded: Decoded, stated: Mapping[str, str]) -> bool:
    """Whether a frame names no other meter than the passport's."""
    for item in driver.driver.descriptor.comparisons:
        reported = decoded.find_reported(item.source) if item.how in SAME else None
        text = stated.get(item.source)
        if reported is not None and text is not None and not says_same(item.how, text, str(reported)):
            return False
    return True
