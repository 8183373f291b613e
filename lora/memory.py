"""Devices, activations and sessions in memory: what a running server works on, filled from what was stored."""

from collections.abc import Iterable, Sequence

from lora.identifiers import DevAddr, Eui
from lora.join import Activation
from lora.profile import Device
from lora.session import Session


class MemoryDirectory:
    """A DeviceDirectory in a dict."""

    def __init__(self, devices: Iterable[Device] = ()) -> None:
        self._devices = {device.profile.dev_eui: device for device in devices}

    def put(self, device: Device) -> None:
        """Add or replace a device."""
        self._devices[device.profile.dev_eui] = device

    def remove(self, dev_eui: Eui) -> None:
        """Forget a device, if it is known."""
        self._devices.pop(dev_eui, None)

    def find_device(self, dev_eui: Eui) -> Device | None:
        """The device, or None."""
        return self._devices.get(dev_eui)


class MemorySessionStore:
    """A SessionStore in dicts, indexed by address and by device."""

    def __init__(self, activations: Iterable[Activation] = (), sessions: Iterable[Session] = ()) -> None:
        self._activations = {activation.dev_eui: activation for activation in activations}
        self._by_device: dict[Eui, dict[int, Session]] = {}
        self._by_address: dict[DevAddr, dict[tuple[Eui, int], Session]] = {}
        for session in sessions:
            self.save_session(session)

    def find_activation(self, dev_eui: Eui) -> Activation | None:
        """The join state of a device, or None."""
        return self._activations.get(dev_eui)

    def save_activation(self, activation: Activation) -> None:
        """Put the next join state of a device."""
        self._activations[activation.dev_eui] = activation

    def sessions_at(self, dev_addr: DevAddr) -> Sequence[Session]:
        """Every session with this address."""
        return tuple(self._by_address.get(dev_addr, {}).values())

    def sessions_of(self, dev_eui: Eui) -> Sequence[Session]:
        """Every session of a device, oldest first."""
        held = self._by_device.get(dev_eui, {})
        return tuple(held[number] for number in sorted(held))

    def save_session(self, session: Session) -> None:
        """Put the next state of a session."""
        self._by_device.setdefault(session.dev_eui, {})[session.number] = session
        self._by_address.setdefault(session.dev_addr, {})[session.id] = session

    def end_session(self, session: Session) -> None:
        """Forget a session."""
        self._by_device.get(session.dev_eui, {}).pop(session.number, None)
        self._by_address.get(session.dev_addr, {}).pop(session.id, None)
