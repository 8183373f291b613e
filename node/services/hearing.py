"""What devices in service send, many frames in one go: it becomes readings without another look at the device.

A device is in service where its registration is done and this is the activation that was compared. Whatever else there
is to look at, another meter's number in a frame, a passport that may be of two, a driver that came meanwhile, is left
to `Commissioning.heard`, frame by frame; so are all later frames of that device.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from drivers.comparison import says_same
from drivers.reading import Decoded
from drivers.registry import Installed, Registry
from node.services.attribution import Named, why_held_each
from node.services.decoding import Decoder, Decoding
from node.services.provisioning import SAME, stated_texts
from node.services.readings import Readings
from node.store.database import Database, ReadTx, WriteTx
from node.store.passports import PASSPORTS, find_passport
from node.store.radio import DEVICES, DeviceState, StoredDevice, StoredFrame, find_devices
from node.store.unchanged import Unchanged

MOST = 20_000  # devices of which something is kept in memory

Heard = tuple[StoredFrame, Decoding]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of frames: those that are done, as they stand then, and those that are to be looked at, by number."""

    done: Mapping[int, StoredFrame]
    left: Mapping[int, Decoding]


@dataclass(frozen=True, slots=True)
class _Serving:
    """A device in service, and what its passport states of the meter."""

    device: StoredDevice
    stated: Mapping[str, str]


class Hearing:
    """Tells the frames of devices in service from the others, and keeps their readings."""

    def __init__(self, database: Database, decoder: Decoder, readings: Readings) -> None:
        self._decoder = decoder
        self._readings = readings
        self._database = database
        self._registry: Registry | None = None
        self._known: Unchanged[bytes, _Serving] = Unchanged(database, (DEVICES, PASSPORTS), MOST)

    async def settle(self, tx: WriteTx, heard: Sequence[Heard]) -> Settled:
        """Keep the readings of frames that have their numbers and are about to be inserted."""
        asked = {frame.dev_eui for frame, _ in heard if frame.dev_eui is not None}
        if self._decoder.registry is not self._registry:  # other drivers compare other things
            self._registry = self._decoder.registry
            self._known = Unchanged(self._database, (DEVICES, PASSPORTS), MOST)
        known = await self._known.find(tx, asked, partial(self._load, tx))
        plain: list[tuple[bytes, StoredFrame, Decoding]] = []
        left: dict[int, Decoding] = {}
        waiting: set[bytes] = set()
        for frame, decoding in heard:
            eui = frame.dev_eui or b""
            serving = known.get(eui)
            if serving is None or eui in waiting or not self._is_plain(serving, frame, decoding):
                left[frame.id] = decoding
                waiting.add(eui)
            else:
                plain.append((serving.device.subject, frame, decoding))
        done = await self._readings.store_each(tx, plain)
        return Settled({frame.id: frame for frame in done}, left)

    def _is_plain(self, serving: _Serving, frame: StoredFrame, decoding: Decoding) -> bool:
        passed = serving.device.registration.get("passed")
        if frame.session is None or frame.session != passed or decoding.carried is not None:
            return False
        driver = self._decoder.driver_of(serving.device, frame.received_us)
        if decoding.driver is not driver or (driver is not None and driver.driver.joins):
            return False
        return decoding.decoded is None or driver is None or _is_of(driver, decoding.decoded, serving.stated)

    async def _load(self, tx: ReadTx, dev_euis: Sequence[bytes]) -> dict[bytes, _Serving]:
        """Those of some devices that are in service, and are known to be of one passport."""
        devices = await find_devices(tx, dev_euis)
        serving = [device for device in devices.values() if device.state is DeviceState.REGISTERED]
        held = await why_held_each(tx, [_named(device) for device in serving])
        clear = [device for device in serving if _named(device) not in held]
        return {device.dev_eui: _Serving(device, await self._states(tx, device)) for device in clear}

    async def _states(self, tx: ReadTx, device: StoredDevice) -> Mapping[str, str]:
        """What the passport states by which its meter is told from another, whenever it was heard."""
        every = (item for one in self._decoder.drivers_of(device) for item in one.driver.descriptor.comparisons)
        compared = [item for item in every if item.how in SAME]
        passport = await find_passport(tx, device.subject, whole=False) if compared else None
        return stated_texts(passport.content, compared) if passport else {}


def _named(device: StoredDevice) -> Named:
    return device.subject, device.dev_eui


def _is_of(driver: Installed, decoded: Decoded, stated: Mapping[str, str]) -> bool:
    """Whether a frame names no other meter than the passport's."""
    for item in driver.driver.descriptor.comparisons:
        reported = decoded.find_reported(item.source) if item.how in SAME else None
        text = stated.get(item.source)
        if reported is not None and text is not None and not says_same(item.how, text, str(reported)):
            return False
    return True
