"""The network server's UDP shell and the simulator, over real sockets and real processes."""

import asyncio
import contextlib
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lora.device import DeviceJoined
from lora.events import (
    ActivationChanged,
    DownlinkScheduled,
    DownlinkSent,
    JoinAccepted,
    JoinRefused,
    Refusal,
    SessionChanged,
    UplinkAccepted,
    UplinkRefused,
)
from lora.gateway.udp import PullResp, PushAck, PushData, TxAck, decode_datagram, encode_datagram
from lora.identifiers import Eui
from lora.join import Network
from lora.net import udp
from lora.net.udp import UdpGateways
from lora.region import RU864
from lora.server import NetworkServer
from tests.unit.lora.builders import (
    DEV_EUI,
    GATEWAYS,
    JOIN_EUI,
    NET_ID,
    OTHER_KEY,
    ROOT_KEY,
    counting_random,
    heard_of,
    make_meter,
)
from tests.unit.lora.live import DEADLINE_S, Node, Wire, serving, wires

METER_FRAME = "01631e000032e10b5e000001000000"


async def test_meter_joins_over_a_real_socket() -> None:
    """A join over UDP is stored, ordered from the gateway that has a way, and acknowledged by it."""
    node, meter = Node(), make_meter()
    async with serving(node) as gateways, wires(gateways.address) as (wire,):
        await wire.open()
        wire.send(wire.gateway.push(heard_of(meter.join()), 0))
        assert isinstance(decode_datagram(await wire.receive()), PushAck)

        order = decode_datagram(await wire.receive())
        assert isinstance(order, PullResp)
        assert node.stored.sessions, "the session was stored before the answer was sent"
        assert isinstance(meter.receive(order.transmission.payload), DeviceJoined)
        wire.send(encode_datagram(TxAck(order.token, GATEWAYS[0])))
        await node.until(lambda: node.of(DownlinkSent))

    assert [type(event).__name__ for event in node.events] == [
        "ActivationChanged",
        "SessionChanged",
        "JoinAccepted",
        "DownlinkScheduled",
        "DownlinkSent",
    ]


async def test_nothing_is_sent_while_the_store_is_away_and_nothing_is_lost() -> None:
    """When the handler fails, the answer is not sent and the shell ends with its error; called again, it goes on."""
    node, meter = Node(), make_meter()
    node.fails = True
    server = NetworkServer(Network(NET_ID, RU864), node.directory, node.stored.store(), counting_random())
    gateways = UdpGateways(
        server,
        node.handle,
        now_us=lambda: time.time_ns() // 1000,
        random=secrets.token_bytes,
        is_allowed=lambda _: True,
        counters=node.counts,
    )
    with contextlib.closing(gateways):
        async with wires(gateways.bind("127.0.0.1", 0)) as (wire,):
            wire.send(wire.gateway.pull())
            wire.send(wire.gateway.push(heard_of(meter.join()), 0))
            with pytest.raises(OSError, match="disk"):
                async with asyncio.timeout(DEADLINE_S):
                    await gateways.serve()
            assert not node.counts[udp.SENT]

            node.fails = False
            serving = asyncio.create_task(gateways.serve())
            await node.until(lambda: node.counts[udp.SENT])
            serving.cancel()

    assert [type(event) for event in node.events] == [
        ActivationChanged,
        SessionChanged,
        JoinAccepted,
        DownlinkScheduled,
    ]


async def test_strange_bytes_are_counted_and_change_nothing() -> None:
    """Noise, a server's datagrams and a gateway that is not allowed are counted; a good gateway goes on working."""
    node = Node()
    stranger = Wire(("127.0.0.1", 9), Eui(bytes(8)))
    async with serving(node) as gateways, wires(gateways.address) as (wire,):
        for noise in (
            b"",
            b"\x02",
            bytes(range(256)) * 8,
            encode_datagram(PushAck(1)),
            b"\x02\0\0\0" + bytes(8) + b"{",
        ):
            wire.send(noise)
        wire.send(stranger.gateway.pull())
        wire.send(encode_datagram(TxAck(77, GATEWAYS[0])))
        await wire.open()

    stranger.close()
    assert node.counts[udp.BAD_DATAGRAMS] == 5
    assert node.counts[udp.UNKNOWN_GATEWAYS] == 1
    assert node.counts[udp.UNKNOWN_TOKENS] == 1
    assert not node.events


async def test_answer_goes_over_the_gateway_that_has_a_way() -> None:
    """The best gateway has sent no PULL_DATA: the answer goes over the other one."""
    node, meter = Node(), make_meter()
    async with serving(node) as gateways, wires(gateways.address, *GATEWAYS[:2]) as (deaf, heard):
        await heard.open()
        request = meter.join()
        deaf.send(deaf.gateway.push(heard_of(request, snr_db=9.0), 0))
        heard.send(heard.gateway.push(heard_of(request, snr_db=1.0), 0))
        assert isinstance(decode_datagram(await heard.receive()), PushAck)

        assert isinstance(decode_datagram(await heard.receive()), PullResp)

    assert node.counts[udp.NOT_SENT] == 1
    assert [event.gateway for event in node.of(DownlinkScheduled)] == list(GATEWAYS[:2])


async def test_flood_of_frames_is_read_to_the_last() -> None:
    """Two thousand different frames in a burst are all taken, in transactions of many."""
    node = Node()
    async with serving(node) as gateways, wires(gateways.address) as (wire,):
        for number in range(2_000):
            payload = b"\x40" + number.to_bytes(4, "little") + bytes(7)
            uplink = heard_of(make_meter().join())
            wire.send(encode_datagram(PushData(0, GATEWAYS[0], (replace(uplink, payload=payload),))))
            if number % 50 == 49:
                await asyncio.sleep(0)
        await node.until(lambda: len(node.of(UplinkRefused)) == 2_000)

    assert {event.reason for event in node.of(UplinkRefused)} == {Refusal.UNKNOWN_ADDRESS}


class Meter:
    """The simulator in its own process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.events: list[dict[str, Any]] = []  # JSON of several shapes

    async def tell(self, **command: object) -> None:
        """Send a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def wait_for(self, *names: str) -> dict[str, Any]:
        """Read events until one of these comes."""
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            while line := await self._process.stdout.readline():
                self.events.append(json.loads(line))
                if self.events[-1]["event"] in names:
                    return self.events[-1]
        raise AssertionError(f"ended without {names}: {self.events}")


@asynccontextmanager
async def simulating(folder: Path, port: int, **changes: object) -> AsyncIterator[Meter]:
    """A virtual meter behind two virtual gateways, the second 150 ms slower."""
    device = {"dev_eui": str(DEV_EUI), "app_eui": str(JOIN_EUI), "region": "RU864", "app_key": ROOT_KEY.reveal().hex()}
    config = {
        "server": {"host": "127.0.0.1", "port": port},
        "device": device | {"dev_nonce": 0} | changes,
        "gateways": [
            {"eui": str(GATEWAYS[0]), "snr_db": 2.0},
            {"eui": str(GATEWAYS[1]), "snr_db": 8.0, "delay_ms": 150},
        ],
        "at_once": changes.pop("at_once", True),
        "join_timeout_ms": 1_500,
    }
    path = folder / "meter.json"
    path.write_text(json.dumps(config))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lora.net.simulator",
        "--config",
        str(path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    meter = Meter(process)
    try:
        yield meter
        await meter.tell(do="stop")
        await meter.wait_for("stopped")
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.slow
async def test_simulated_meter_joins_sends_and_is_read_once(tmp_path: Path) -> None:
    """A meter in its own process sends over two gateways 150 ms apart: one frame, two receptions; then a replay."""
    node = Node()
    async with serving(node) as gateways, simulating(tmp_path, gateways.address[1]) as meter:
        await meter.wait_for("ready")
        await meter.tell(do="join")
        joined = await meter.wait_for("joined", "join_failed")
        assert joined["event"] == "joined"
        await meter.tell(do="ask", what=["link_check", "time"])
        await meter.tell(do="send", port=2, hex=METER_FRAME, confirmed=True)
        downlink = await meter.wait_for("downlink")
        await meter.tell(do="send", port=2, hex="00")
        await node.until(lambda: len(node.of(UplinkAccepted)) == 2)
        await meter.tell(do="replay")
        await node.until(lambda: node.of(UplinkRefused))

    first = node.of(UplinkAccepted)[0]
    assert (first.port, first.payload) == (2, bytes.fromhex(METER_FRAME))
    assert [reception.gateway for reception in first.receptions] == [GATEWAYS[1], GATEWAYS[0]]
    spread_us = first.receptions[0].received_us - first.receptions[1].received_us
    assert 100_000 < spread_us < 200_000
    assert (downlink["ack"], downlink["window"]) == (True, "RX1")
    assert [command["name"] for command in downlink["commands"]][:2] == ["LinkCheckAns", "DeviceTimeAns"]
    assert node.of(UplinkRefused)[0].reason is Refusal.REPLAY
    assert joined["dev_addr"] == str(node.of(JoinAccepted)[0].session.dev_addr)


@pytest.mark.slow
async def test_simulated_meter_hears_its_answer_in_the_window(tmp_path: Path) -> None:
    """Without haste the join accept comes in RX1, five seconds after the request."""
    node = Node()
    async with serving(node) as gateways, simulating(tmp_path, gateways.address[1], at_once=False) as meter:
        await meter.wait_for("ready")
        started = time.monotonic()
        await meter.tell(do="join")
        assert (await meter.wait_for("joined", "missed"))["window"] == "RX1"

    assert time.monotonic() - started > 4.9


@pytest.mark.slow
async def test_meter_with_a_copied_name_is_refused_and_told_nothing(tmp_path: Path) -> None:
    """A process with the meter's DevEUI and another key is refused by its MIC; it hears no answer."""
    node = Node()
    async with (
        serving(node) as gateways,
        simulating(tmp_path, gateways.address[1], app_key=OTHER_KEY.reveal().hex()) as meter,
    ):
        await meter.wait_for("ready")
        await meter.tell(do="join")
        await meter.wait_for("join_failed")
        await meter.tell(do="dance")
        error = await meter.wait_for("error")

    assert [event.reason for event in node.of(JoinRefused)] == [Refusal.BROKEN_MIC]
    assert "dance" in error["text"]
    assert not node.stored.sessions


@pytest.mark.slow
async def test_simulator_shows_no_key(tmp_path: Path) -> None:
    """Neither its events nor a refused configuration show the root key."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lora.net.simulator",
        "--config",
        str(_broken_config(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE_S)

    assert process.returncode == 2
    assert ROOT_KEY.reveal().hex() not in (out + err).decode()


def _broken_config(folder: Path) -> Path:
    path = folder / "broken.json"
    device = {"dev_eui": "1", "app_key": ROOT_KEY.reveal().hex() + "0"}
    path.write_text(json.dumps({"server": {}, "device": device}))
    return path
