"""What the network server takes from above it.

The server asks and tells these while it runs, in memory and at once: none of them waits. What must last is also in the
events it returns (`ActivationChanged`, `SessionChanged`, `SessionEnded`): the caller stores those in one transaction
before it sends a downlink, and fills the store from them when it starts again.
"""

from collections.abc import Sequence
from typing import Protocol

from lora.identifiers import DevAddr, Eui
from lora.join import Activation
from lora.profile import Device
from lora.session import Session


class DeviceDirectory(Protocol):
    """Which devices this network knows, with their root keys."""

    def find_device(self, dev_eui: Eui) -> Device | None:
        """The device, or None where nobody told us of it."""
        ...


class SessionStore(Protocol):
    """The working copy of activations and sessions."""

    def find_activation(self, dev_eui: Eui) -> Activation | None:
        """The join state of a device, or None before its first join."""
        ...

    def save_activation(self, activation: Activation) -> None:
        """Put the next join state of a device."""
        ...

    def sessions_at(self, dev_addr: DevAddr) -> Sequence[Session]:
        """Every session with this address."""
        ...

    def sessions_of(self, dev_eui: Eui) -> Sequence[Session]:
        """Every session of a device, oldest first."""
        ...

    def save_session(self, session: Session) -> None:
        """Put the next state of a session."""
        ...

    def end_session(self, session: Session) -> None:
        """Forget a session."""
        ...


class Counters(Protocol):
    """Where the shells count what they drop and what they do."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter; the names are constants of the module that counts."""
        ...
