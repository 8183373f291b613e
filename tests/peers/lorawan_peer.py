"""PyPI pamoja-lorawan as an end device and as a network; runs in its own environment."""

import sys
from pathlib import Path
from typing import Any

from pamoja import lorawan  # type: ignore[import-not-found]  # installed in the peer's environment only

sys.path.insert(0, str(Path(__file__).parent))
from lines import serve  # type: ignore[import-not-found]  # lies beside this script, and in no package there

STATE: dict[str, Any] = {}


def device(dev_eui: str, join_eui: str, app_key: str) -> dict[str, Any]:
    """Become an end device."""
    parts = (bytes.fromhex(part) for part in (dev_eui, join_eui, app_key))
    STATE["device"] = lorawan.device(*parts)
    return {}


def join_request(dev_nonce: int) -> dict[str, Any]:
    """A join request."""
    return {"phy": bytes(STATE["device"].join_request(dev_nonce)).hex()}


def accept_join(phy: str, dev_nonce: int) -> dict[str, Any]:
    """Take a join accept, and its session."""
    accept = STATE["device"].accept_join(bytes.fromhex(phy), dev_nonce)
    STATE["session"] = accept.session()
    return {
        "dev_addr": f"{accept.dev_addr:08x}",
        "net_id": accept.net_id,
        "dl_settings": accept.dl_settings,
        "rx_delay": accept.rx_delay,
    }


def uplink(
    fcnt: int, port: int, payload: str, confirmed: bool = False, fopts: str = "", adr: bool = False
) -> dict[str, Any]:
    """A data frame of the session."""
    options = bytes.fromhex(fopts) or None
    body = bytes.fromhex(payload)
    raw = STATE["session"].encode_uplink(fcnt, port, body, confirmed=confirmed, adr=adr, fopts=options)
    return {"phy": bytes(raw).hex()}


def downlink(fcnt: int, port: int, payload: str, ack: bool = False) -> dict[str, Any]:
    """A data frame to the device of the session."""
    return {"phy": bytes(STATE["session"].encode_downlink(fcnt, port, bytes.fromhex(payload), ack=ack)).hex()}


def decode(phy: str, fcnt: int) -> dict[str, Any]:
    """Read a data frame of the session."""
    data = STATE["session"].decode(bytes.fromhex(phy), fcnt)
    return {
        "port": data.fport,
        "payload": bytes(data.payload).hex(),
        "ack": data.ack,
        "adr": data.adr,
        "confirmed": data.confirmed,
        "fopts": bytes(data.fopts).hex(),
        "direction": str(data.direction),
    }


def network(phy: str, app_key: str, app_nonce: int, net_id: int, dev_addr: str) -> dict[str, Any]:
    """Be the network: check a join request and grant it."""
    key = bytes.fromhex(app_key)
    request = lorawan.parse_join_request(bytes.fromhex(phy), key)
    grant = lorawan.grant(app_nonce, net_id, int(dev_addr, 16), rx_delay=1)
    STATE["session"] = grant.session(key, request.dev_nonce)
    return {
        "phy": bytes(grant.accept(key, request.dev_nonce)).hex(),
        "dev_eui": bytes(request.dev_eui).hex(),
        "join_eui": bytes(request.app_eui).hex(),
        "dev_nonce": request.dev_nonce,
    }


if __name__ == "__main__":
    serve({verb.__name__: verb for verb in (device, join_request, accept_join, uplink, downlink, decode, network)})
