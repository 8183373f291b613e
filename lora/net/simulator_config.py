"""The configuration file of the simulator: JSON text to values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from lora.errors import LoraError, SimulatorError
from lora.identifiers import Eui, parse_eui
from lora.keys import Key, parse_key
from lora.profile import build_profile
from lora.region import Region

DEFAULT_JOIN_TIMEOUT_MS = 8_000


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """One virtual gateway: how well it hears, and how late its messages come."""

    eui: Eui
    delay_ms: float = 0.0
    snr_db: float = 7.5
    rssi_dbm: float = -70.0


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """The virtual meter, its gateways and the server they speak to."""

    server: tuple[str, int]
    dev_eui: Eui
    join_eui: Eui
    app_key: Key
    region: Region
    gateways: tuple[GatewayConfig, ...]
    dev_nonce: int = 0
    at_once: bool = False
    join_timeout_ms: float = DEFAULT_JOIN_TIMEOUT_MS


def read_config(text: str) -> SimulatorConfig:
    """Read the file's text; raise SimulatorError naming what is wrong, never showing the key."""
    try:
        value = _object(json.loads(text), "the file")
        return _build(value)
    except LoraError as error:
        raise SimulatorError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise SimulatorError(f"no JSON: {type(error).__name__}") from None


def _build(value: Mapping[str, object]) -> SimulatorConfig:
    server = _object(value.get("server"), "server")
    device = _object(value.get("device"), "device")
    profile = build_profile({name: device[name] for name in device if name not in ("app_key", "dev_nonce")})
    gateways = value.get("gateways")
    if not isinstance(gateways, list) or not gateways:
        raise SimulatorError("gateways is a list of at least one")
    return SimulatorConfig(
        (_text(server, "host"), int(_number(server, "port", None, 0, 65_535))),
        profile.dev_eui,
        profile.join_eui,
        parse_key(_text(device, "app_key")),
        profile.region,
        tuple(_gateway(_object(gateway, "a gateway")) for gateway in gateways),
        int(_number(device, "dev_nonce", 0, 0, 65_535)),
        value.get("at_once") is True,
        _number(value, "join_timeout_ms", DEFAULT_JOIN_TIMEOUT_MS, 1, 3_600_000),
    )


def _gateway(value: Mapping[str, object]) -> GatewayConfig:
    return GatewayConfig(
        parse_eui(_text(value, "eui")),
        _number(value, "delay_ms", 0.0, 0, 60_000),
        _number(value, "snr_db", 7.5, -30, 30),
        _number(value, "rssi_dbm", -70.0, -200, 10),
    )


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise SimulatorError(f"{what} is no object")
    return value


def _text(value: Mapping[str, object], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise SimulatorError(f"{name} is text and must be there")
    return found


def _number(value: Mapping[str, object], name: str, default: float | None, low: float, high: float) -> float:
    found = value.get(name, default)
    if not isinstance(found, int | float) or isinstance(found, bool) or not low <= found <= high:
        raise SimulatorError(f"{name} is a number {low} to {high}")
    return float(found)
