"""The network's commands as pamoja-lorawan reads them, and its answers as the network counts them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lora.commands import TxParamSetupReq
from lora.events import DownlinkScheduled, Event, JoinAccepted, UplinkAccepted
from lora.link import Link, Status
from lora.policy import Policy
from lora.radio import Heard
from lora.region import EU868, RU864, Channel, Region
from lora.session import RxParams, Session
from tests import peers
from tests.peers import Peer
from tests.unit.lora.builders import DEV_EUI, GATEWAYS, JOIN_EUI, ROOT_KEY, World, make_device, only

pytestmark = [pytest.mark.slow, pytest.mark.peers]

PORT = 2
UPLINKS = 300
PLAIN = Policy(adr=False, status_every_s=0)
TALKS = replace(RU864, sets_tx_params=True)


@pytest.fixture
def peer() -> Iterator[Peer]:
    """pamoja-lorawan with the meter's ids and key."""
    peers.require("lorawan")
    started = peers.start("lorawan", "lorawan_peer.py")
    try:
        started.ask("device", app_key=ROOT_KEY.reveal().hex(), dev_eui=str(DEV_EUI), join_eui=str(JOIN_EUI))
        yield started
    finally:
        started.close()


class Meter:
    """A device of which pamoja makes and reads every frame; what it does with commands is the test's."""

    def __init__(self, peer: Peer, world: World) -> None:
        self.peer, self.world = peer, world
        self.fcnt = 0
        events = self._hear(peer.ask("join_request", dev_nonce=1)["phy"], dr=5, snr_db=0.0)
        only(JoinAccepted, events)
        peer.ask("accept_join", phy=only(DownlinkScheduled, events).transmission.payload.hex(), dev_nonce=1)

    @property
    def session(self) -> Session:
        """What the network keeps of it."""
        (session,) = self.world.stored.sessions.values()
        return session

    def send(self, fopts: str = "", *, dr: int = 5, snr_db: float = 0.0, adr: bool = True, port_0: str = "") -> str:
        """A frame with these answers; the MAC commands that come back, as pamoja reads them."""
        port, payload = (0, port_0) if port_0 else (PORT, "aa")
        phy = self.peer.ask("uplink", fcnt=self.fcnt, port=port, payload=payload, fopts=fopts, adr=adr)["phy"]
        self.fcnt += 1
        events = self._hear(phy, dr=dr, snr_db=snr_db)
        only(UplinkAccepted, events)
        scheduled = [event for event in events if isinstance(event, DownlinkScheduled)]
        if not scheduled:
            return ""
        (one,) = scheduled
        read: dict[str, Any] = self.peer.ask("decode", phy=one.transmission.payload.hex(), fcnt=one.fcnt)
        return str(read["payload"] if read["port"] == 0 else read["fopts"])

    def _hear(self, phy: str, *, dr: int, snr_db: float) -> list[Event]:
        world, region = self.world, self.world.network.region
        heard = Heard(bytes.fromhex(phy), region.channels[0].frequency_hz, region.rate(dr), 1_000_000, -90.0, snr_db)
        world.wait(600)
        events = world.server.receive(GATEWAYS[0], heard, world.now_us)
        world.stored.keep(events)
        return events + world.settle()


@pytest.mark.parametrize(
    ("wish", "asked", "answer", "then"),
    [
        pytest.param(
            {"policy": replace(PLAIN, channels=(Channel(864_100_000, 1, 4),))},
            "0702e8d98341",
            "0703",
            Link(dr=5, added=((864_100_000, 1, 4),)),
            id="NewChannel",
        ),
        pytest.param(
            {"policy": replace(PLAIN, disabled=frozenset({0}))}, "0350020001", "0307", Link(dr=5, off=1), id="LinkADR"
        ),
        pytest.param({"policy": replace(PLAIN, duty_cycle=7)}, "0407", "04", Link(dr=5, duty_cycle=7), id="DutyCycle"),
        pytest.param(
            {"policy": replace(PLAIN, downlinks_hz=((1, 868_900_000),))},
            "0a0168958" + "4",
            "0a03",
            Link(dr=5, downlinks_hz=((1, 868_900_000),)),
            id="DlChannel",
        ),
        pytest.param(
            {"policy": replace(PLAIN, tx_params=TxParamSetupReq(True, False, 5))},
            "0925",
            "09",
            Link(dr=5, tx_params=TxParamSetupReq(True, False, 5)),
            id="TXParamSetup",
        ),
        pytest.param(
            {"policy": PLAIN, "rx2_frequency_hz": 864_100_000},
            "0500e8d983",
            "0507",
            RxParams(1, 0, 0, 864_100_000),
            id="RXParamSetup",
        ),
        pytest.param({"policy": replace(PLAIN, status_every_s=60)}, "06", "06c83f", Status(200, -1, 0), id="DevStatus"),
    ],
)
def test_command_is_read_by_the_peer_and_its_answer_counts(
    peer: Peer, wish: dict[str, object], asked: str, answer: str, then: object
) -> None:
    """The bytes of each command are those of the standard to pamoja, and what it answers is what the network keeps."""
    meter = Meter(peer, World(make_device(region=TALKS), region=TALKS, **wish))

    assert meter.send() == asked
    meter.send(answer)

    session = meter.session
    if isinstance(then, Status):
        status = session.status
        assert status is not None
        assert (status.battery, status.margin_db) == (then.battery, then.margin_db)
    else:
        assert then == (session.rx if isinstance(then, RxParams) else session.link)


def test_peer_reads_the_timing_of_windows(peer: Peer) -> None:
    """A device that joined under another delay of RX1 is asked for the new one, in one byte."""
    world = World(policy=PLAIN)
    meter = Meter(peer, world)
    world.network = replace(world.network, rx1_delay_s=5)
    world.restart()

    assert meter.send() == "0805"
    assert meter.send("08") == ""
    assert meter.session.rx.rx1_delay_s == 5


def test_many_commands_reach_the_peer_on_port_zero(peer: Peer) -> None:
    """What FOpts does not hold pamoja decrypts on port 0 under NwkSKey, and its answers there are read as well."""
    channels = tuple(Channel(864_100_000 + 200_000 * at) for at in range(4))
    meter = Meter(peer, World(policy=replace(PLAIN, channels=channels, duty_cycle=3)))

    asked = meter.send()

    assert asked == "0702e8d98350" + "0703b8e18350" + "070488e98350" + "070558f18350" + "0403"
    assert meter.send(port_0="0703" * 4 + "04") == ""
    assert [row[0] for row in meter.session.link.added if row] == [one.frequency_hz for one in channels]
    assert meter.session.link.duty_cycle == 3


@dataclass
class Reference:
    """The widely used rule, written down once more for this run: a list of uplinks and plain arithmetic."""

    dr: int = 0
    power: int = 0
    nb_trans: int = 1
    heard: list[tuple[int, float]] = field(default_factory=list)

    def hear(self, fcnt: int, snr_db: float) -> None:
        """One uplink under the present settings."""
        self.heard = [*self.heard, (fcnt, snr_db)][-20:]
        is_full = len(self.heard) == 20
        before = (self.dr, self.power, self.nb_trans)
        if is_full:
            lost = self.heard[-1][0] - self.heard[0][0] - 19
            table = [[1, 1, 2], [1, 2, 3], [2, 3, 3], [3, 3, 3]]
            row = [lost * 5 >= limit for limit in (5, 10, 30)].count(True)
            self.nb_trans = table[row][self.nb_trans - 1]
        required = (-20.0, -17.5, -15.0, -12.5, -10.0, -7.5)[self.dr]
        steps = int((max(snr for _, snr in self.heard) - required - 10.0) / 3)
        while steps > 0:
            if self.dr < 5:
                self.dr += 1
            elif self.power < 7:
                self.power += 1
            steps -= 1
        while steps < 0 and is_full:
            self.power = max(self.power - 1, 0)
            steps += 1
        if (self.dr, self.power, self.nb_trans) != before:
            self.heard = []


@pytest.mark.parametrize("region", [RU864, EU868])
@pytest.mark.parametrize(
    ("first_db", "last_db", "every", "ends"),
    [
        (14.0, -7.0, 0, (5, 0, 1)),
        (14.0, 7.0, 0, (5, 3, 1)),
        (-2.0, -19.0, 0, (2, 0, 1)),
        (9.0, 1.0, 30, (5, 0, 1)),
        (9.0, 1.0, 6, (5, 1, 3)),
        (20.0, 12.0, 3, (5, 6, 3)),
    ],
)
def test_meter_at_falling_snr_ends_as_the_reference_rule_says(
    peer: Peer, region: Region, first_db: float, last_db: float, every: int, ends: tuple[int, int, int]
) -> None:
    """Over 300 uplinks at falling SNR, some lost, a meter that obeys what pamoja decodes ends where the rule ends."""
    meter = Meter(peer, World(make_device(region=region), region=region, policy=Policy(status_every_s=0)))
    rule = Reference()
    dr, power, nb_trans, owes = 0, 0, 1, ""
    for at in range(UPLINKS):
        base_db = first_db + (last_db - first_db) * at / (UPLINKS - 1)
        snr_db = round(base_db - 2 * power, 1)
        if every and at > UPLINKS // 3 and at % every == 0 and not owes:
            meter.fcnt += 1
            continue
        rule.hear(meter.fcnt, snr_db)
        told = bytes.fromhex(meter.send(owes, dr=dr, snr_db=snr_db))
        owes = ""
        if told:
            assert (told[0], len(told)) == (0x03, 5)
            dr, power, nb_trans = told[1] >> 4, told[1] & 15, told[4] & 15
            assert int.from_bytes(told[2:4], "little") == (1 << len(region.channels)) - 1
            owes = "0307"
        assert (dr, power, nb_trans) == (rule.dr, rule.power, rule.nb_trans)

    meter.send(owes, dr=dr, snr_db=snr_db)
    link = meter.session.link
    assert (link.dr, link.tx_power, link.nb_trans) == (dr, power, nb_trans)
    assert (dr, power, nb_trans) == ends
