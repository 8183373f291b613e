"""Where and when a downlink can go: receive windows, gateways and their duty cycle.

After an uplink a class A device listens twice: in RX1 on the uplink's channel at a rate derived from the uplink's, and
one second later in RX2 on a fixed channel (1.0.3, 3.3). Every gateway that heard the uplink can answer by its own
counter.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lora.airtime import time_on_air_us
from lora.events import Window
from lora.frame import MIC_SIZE
from lora.identifiers import Eui
from lora.radio import COUNTER_RANGE, Reception, Transmission
from lora.region import Band, Region
from lora.session import RxParams

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
RX2_AFTER_RX1_S = 1
# A gateway needs the order this long before its window: a slow backhaul, its own queue and the radio's start.
LEAD_US = 60_000
MHDR_SIZE = 1


@dataclass(frozen=True, slots=True)
class Slot:
    """One window of a device: its name, seconds after the uplink, Hz and data rate."""

    window: Window
    delay_s: int
    frequency_hz: int
    dr: int


@dataclass(frozen=True, slots=True)
class Option:
    """One way to send a downlink: through whom, in which slot, when by the node's clock, and for how long."""

    gateway: Eui
    slot: Slot
    transmission: Transmission
    starts_us: int
    airtime_us: int


class DutyLedger:
    """How long each gateway has sent in each sub-band within the last hour."""

    def __init__(self) -> None:
        self._sent: dict[tuple[Eui, Band], deque[tuple[int, int]]] = {}

    def allows(self, gateway: Eui, band: Band, airtime_us: int, now_us: int, share: float = 1.0) -> bool:
        """Whether that much more stays within the sub-band's share of the hour, or within a share of that."""
        entries = self._sent.get((gateway, band), deque())
        while entries and entries[0][0] <= now_us - HOUR_US:
            entries.popleft()
        return sum(airtime for _, airtime in entries) + airtime_us <= share * band.duty_cycle * HOUR_US

    def record(self, gateway: Eui, band: Band, airtime_us: int, now_us: int) -> None:
        """Remember a transmission."""
        self._sent.setdefault((gateway, band), deque()).append((now_us, airtime_us))

    def forget(self, gateway: Eui, band: Band, airtime_us: int, now_us: int) -> None:
        """Take back a transmission that a gateway refused."""
        entries = self._sent.get((gateway, band))
        if entries and (now_us, airtime_us) in entries:
            entries.remove((now_us, airtime_us))


def join_slots(region: Region, uplink: Reception) -> tuple[Slot, ...]:
    """The windows after a join request: 5 and 6 s, no RX1 offset, the region's RX2."""
    return _slots(region, RxParams.of_region(region), region.join_delay_s, uplink)


def data_slots(
    region: Region, rx: RxParams, uplink: Reception, moved: Mapping[int, int] | None = None
) -> tuple[Slot, ...]:
    """The windows after a data frame, as the session has them; `moved` are RX1 frequencies by the uplink's (5.9)."""
    slots = _slots(region, rx, rx.rx1_delay_s, uplink)
    return tuple(_moved(slot, moved) for slot in slots) if moved else slots


def fitting(region: Region, slots: Sequence[Slot], phy_size: int) -> tuple[Slot, ...]:
    """The slots whose data rate carries a PHYPayload of that size."""
    return tuple(slot for slot in slots if phy_size - MHDR_SIZE - MIC_SIZE <= region.max_sizes[slot.dr])


def room(region: Region, slots: Sequence[Slot]) -> int:
    """The largest PHYPayload that fits each of these slots."""
    return min(region.max_sizes[slot.dr] for slot in slots) + MHDR_SIZE + MIC_SIZE


def options(region: Region, slots: Sequence[Slot], receptions: Sequence[Reception], payload: bytes) -> Iterator[Option]:
    """Every way to send a payload: RX1 over each gateway, best SNR first, then RX2 over each."""
    for slot in fitting(region, slots, len(payload)):
        rate = region.rate(slot.dr)
        airtime_us = time_on_air_us(rate, len(payload), crc=False)
        for reception in receptions:
            delay_us = slot.delay_s * SECOND_US
            counter_us = (reception.heard.counter_us + delay_us) % COUNTER_RANGE
            power = region.band(slot.frequency_hz).power_dbm
            order = Transmission(payload, slot.frequency_hz, rate, power, counter_us, 0)
            yield Option(reception.gateway, slot, order, reception.received_us + delay_us, airtime_us)


def choose(region: Region, ways: Sequence[Option], ledger: DutyLedger, now_us: int, share: float = 1.0) -> int | None:
    """The index of the first way that is still in time and within that share of the gateway's duty cycle, or None."""
    for index, way in enumerate(ways):
        band = region.band(way.transmission.frequency_hz)
        if now_us + LEAD_US <= way.starts_us and ledger.allows(way.gateway, band, way.airtime_us, now_us, share):
            return index
    return None


def _slots(region: Region, rx: RxParams, delay_s: int, uplink: Reception) -> tuple[Slot, ...]:
    rx2 = Slot(Window.RX2, delay_s + RX2_AFTER_RX1_S, rx.rx2_frequency_hz, rx.rx2_dr)
    uplink_dr = region.find_dr(uplink.heard.rate)
    if uplink_dr is None:
        return (rx2,)
    rx1_dr = region.rx1_dr(uplink_dr, rx.rx1_dr_offset)
    return Slot(Window.RX1, delay_s, uplink.heard.frequency_hz, rx1_dr), rx2


def _moved(slot: Slot, moved: Mapping[int, int]) -> Slot:
    if slot.window is not Window.RX1:
        return slot
    return replace(slot, frequency_hz=moved.get(slot.frequency_hz, slot.frequency_hz))
