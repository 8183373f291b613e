"""Device profiles: what must be known of a device before it is put on the air.

A profile is made from named fields, as a passport states them, with nothing typed: a missing or impossible field is
named. AppEUI of LoRaWAN 1.0 and JoinEUI of 1.0.4 are the same field under two names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from lora.errors import IdentifierError, ProfileError, RegionError
from lora.identifiers import Eui, parse_eui
from lora.keys import Key
from lora.region import Region, get_region
from lora.session import RxParams

VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4")
COUNTED_NONCES = "1.0.4"
_JOIN_EUI_NAMES = ("join_eui", "app_eui")
_PORTS = range(1, 224)


class DeviceClass(StrEnum):
    """When a device listens (1.0.3, 2.1)."""

    A = "A"
    C = "C"


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """How one device joins and speaks; `ports` are those it sends data on, empty where the type does not say."""

    dev_eui: Eui
    join_eui: Eui
    region: Region
    lorawan_version: str = "1.0.3"
    device_class: DeviceClass = DeviceClass.A
    ports: tuple[int, ...] = ()
    rx: RxParams | None = None

    @property
    def app_eui(self) -> Eui:
        """The name of the JoinEUI up to LoRaWAN 1.0.3."""
        return self.join_eui

    @property
    def counts_dev_nonces(self) -> bool:
        """Whether DevNonce is a counter (1.0.4, 6.2.3) and not a random number (1.0.3, 6.2.4)."""
        return self.lorawan_version >= COUNTED_NONCES


@dataclass(frozen=True, slots=True)
class Device:
    """What the network server is told of a device: its profile, its root key, and whether payloads may be read here."""

    profile: DeviceProfile
    root_key: Key
    reads_payloads: bool = True


def build_profile(fields: Mapping[str, object]) -> DeviceProfile:
    """Make a profile from named fields as text.

    `dev_eui`, `join_eui` or `app_eui`, and `region` must be there; `lorawan_version`, `class` and `ports` may be.
    Raise ProfileError naming the field that is missing, contradicts another or has no meaning.
    """
    try:
        return DeviceProfile(
            parse_eui(_text(fields, "dev_eui")),
            _join_eui(fields),
            get_region(_text(fields, "region")),
            _one_of(fields, "lorawan_version", VERSIONS, "1.0.3"),
            DeviceClass(_one_of(fields, "class", tuple(DeviceClass), "A")),
            _ports(fields),
        )
    except (IdentifierError, RegionError) as error:
        raise ProfileError(str(error)) from error


def _join_eui(fields: Mapping[str, object]) -> Eui:
    found = {_shared_eui(_text(fields, name)) for name in _JOIN_EUI_NAMES if fields.get(name) is not None}
    if not found:
        raise ProfileError("the profile has no join_eui (app_eui)")
    if len(found) > 1:
        raise ProfileError("join_eui and app_eui are two names of one field, and differ")
    return found.pop()


# Many devices have the same: one object is enough for all of them.
_shared_eui = lru_cache(maxsize=1024)(parse_eui)


@lru_cache(maxsize=1024)
def _shared_ports(ports: tuple[int, ...]) -> tuple[int, ...]:
    return ports


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if value is None:
        raise ProfileError(f"the profile has no {name}")
    if not isinstance(value, str):
        raise ProfileError(f"{name} is text, got {value!r}")
    return value


def _one_of(fields: Mapping[str, object], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = fields.get(name, default)
    for one in allowed:
        if one == value:
            return one
    raise ProfileError(f"{name} is one of {', '.join(allowed)}, got {value!r}")


def _ports(fields: Mapping[str, object]) -> tuple[int, ...]:
    value = fields.get("ports", ())
    if not isinstance(value, list | tuple):
        raise ProfileError(f"ports is a list, got {value!r}")
    for port in value:
        if not isinstance(port, int) or isinstance(port, bool) or port not in _PORTS:
            raise ProfileError(f"a port is {_PORTS.start} to {_PORTS.stop - 1}, got {port!r}")
    return _shared_ports(tuple(value))
