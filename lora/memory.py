"""Devices, activations and sessions in memory: what a running server works on, filled from what was stored."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from lora.identifiers import DevAddr, Eui
from lora.join import Activation
from lora.profile import Device
from lora.session import Session

_Key = TypeVar("_Key", Eui, DevAddr)


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

    def name_of(self, raw: bytes) -> Eui:
        """A DevEUI of 8 bytes: the same object for whatever is kept of one device."""
        eui = Eui(raw)
        device = self._devices.get(eui)
        return eui if device is None else device.profile.dev_eui


class MemorySessionStore:
    """A SessionStore in dicts, indexed by address and by device: each mostly has one session, so they are tuples."""

    def __init__(self, activations: Iterable[Activation] = (), sessions: Iterable[Session] = ()) -> None:
        self._activations = {activation.dev_eui: activation for activation in activations}
        self._by_device: dict[Eui, tuple[Session, ...]] = {}
        self._by_address: dict[DevAddr, tuple[Session, ...]] = {}
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
        return self._by_address.get(dev_addr, ())

    def sessions_of(self, dev_eui: Eui) -> Sequence[Session]:
        """Every session of a device, oldest first."""
        return self._by_device.get(dev_eui, ())

    def save_session(self, session: Session) -> None:
        """Put the next state of a session."""
        of_device = (*_without(self._by_device.get(session.dev_eui, ()), session), session)
        if len(of_device) > 1:
            of_device = tuple(sorted(of_device, key=lambda one: one.number))
        self._by_device[session.dev_eui] = of_device
        at_address = _without(self._by_address.get(session.dev_addr, ()), session)
        self._by_address[session.dev_addr] = (*at_address, session)

    def end_session(self, session: Session) -> None:
        """Forget a session."""
        _keep(self._by_device, session.dev_eui, session)
        _keep(self._by_address, session.dev_addr, session)


def _keep(index: dict[_Key, tuple[Session, ...]], key: _Key, ended: Session) -> None:
    """Leave what is under a key but for a session that ended; a key under which nothing is left goes too."""
    if left := _without(index.pop(key, ()), ended):
        index[key] = left


def _without(sessions: tuple[Session, ...], session: Session) -> tuple[Session, ...]:
    return tuple(one for one in sessions if one.number != session.number or one.dev_eui != session.dev_eui)
