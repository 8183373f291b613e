"""PyPI pamoja-gateway as the gateway's side of the Semtech UDP protocol; runs in its own environment."""

import sys
from pathlib import Path
from typing import Any

from pamoja import gateway  # type: ignore[import-not-found]  # installed in the peer's environment only
from pamoja.lora import link  # type: ignore[import-not-found]  # as above

sys.path.insert(0, str(Path(__file__).parent))
from lines import serve  # type: ignore[import-not-found]  # lies beside this script, and in no package there


def push(eui: str, token: int, packets: list[dict[str, Any]]) -> dict[str, Any]:
    """A PUSH_DATA with what it heard."""
    heard = [
        gateway.Rxpk(
            packet["frequency_hz"],
            bytes.fromhex(packet["phy"]),
            link=link(packet["spreading_factor"], 125_000),
            rssi_dbm=packet["rssi_dbm"],
            snr_db=packet["snr_db"],
            timestamp_us=packet["counter_us"],
        )
        for packet in packets
    ]
    return _encode(gateway.Packet(gateway.PacketKind.PUSH_DATA, token, gateway=eui, packets=heard))


def stat(eui: str, token: int) -> dict[str, Any]:
    """A PUSH_DATA with the gateway's own report."""
    report = gateway.Stat(
        time_s=1_700_000_000, latitude_deg=55.75, longitude_deg=37.62, altitude_m=150, received=9, received_ok=8
    )
    return _encode(gateway.Packet(gateway.PacketKind.PUSH_DATA, token, gateway=eui, status=report))


def pull(eui: str, token: int) -> dict[str, Any]:
    """A PULL_DATA."""
    return _encode(gateway.Packet(gateway.PacketKind.PULL_DATA, token, gateway=eui))


def tx_ack(eui: str, token: int, status: str) -> dict[str, Any]:
    """A TX_ACK."""
    return _encode(gateway.Packet(gateway.PacketKind.TX_ACK, token, gateway=eui, tx_status=status))


def parse(datagram: str) -> dict[str, Any]:
    """Read a datagram of the server."""
    packet = gateway.parse(bytes.fromhex(datagram))
    found: dict[str, Any] = {"kind": str(packet.kind), "token": packet.token}
    order = packet.transmit
    if order is not None:
        found |= {
            "phy": bytes(order.payload).hex(),
            "frequency_hz": order.frequency_hz,
            "spreading_factor": order.link.spreading_factor,
            "counter_us": order.timestamp_us,
            "inverted": order.invert_polarity,
            "without_crc": order.without_crc,
            "power_dbm": order.power_dbm,
            "airtime_us": link(order.link.spreading_factor, order.link.bandwidth_hz, crc=False).airtime_us(
                len(bytes(order.payload))
            ),
        }
    return found


def airtime(spreading_factor: int, size: int) -> dict[str, Any]:
    """Time on air of an uplink."""
    return {"us": link(spreading_factor, 125_000).airtime_us(size)}


def _encode(packet: Any) -> dict[str, Any]:
    # Any: the peer's own type, which is not installed where types are checked.
    return {"datagram": bytes(gateway.encode(packet)).hex()}


if __name__ == "__main__":
    serve({verb.__name__: verb for verb in (push, stat, pull, tx_ack, parse, airtime)})
