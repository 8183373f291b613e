"""The virtual end device: what it takes, refuses and answers."""

import pytest

from lora.commands import (
    DevStatusAns,
    DevStatusReq,
    DlChannelAns,
    DlChannelReq,
    LinkAdrAns,
    LinkAdrReq,
    MacCommand,
    NewChannelAns,
    NewChannelReq,
    RxParamSetupAns,
    RxParamSetupReq,
    RxTimingSetupAns,
    RxTimingSetupReq,
)
from lora.crypto import Direction, data_mic
from lora.device import DownlinkTaken, VirtualDevice
from lora.errors import EncodeError, FrameError
from lora.events import DownlinkScheduled, UplinkAccepted
from lora.frame import FCtrl, MType, encode_data
from lora.mac import encode_commands
from lora.region import RU864
from tests.unit.lora.builders import ROOT_KEY, World, answer, joined, make_meter, only


def command(world: World, meter: VirtualDevice, *commands: MacCommand, fcnt: int = 100) -> DownlinkTaken:
    """Let the network send MAC commands in FOpts of a downlink of its session."""
    session = next(iter(world.stored.sessions.values()))
    assert session.dev_addr == meter.dev_addr
    fopts = encode_commands(commands)
    signed = encode_data(
        MType.UNCONFIRMED_DOWN, session.dev_addr, FCtrl(), fcnt=fcnt, fopts=fopts, fport=None, payload=b""
    )
    mic = data_mic(session.network_key, Direction.DOWN, session.dev_addr, fcnt, signed)
    taken = meter.receive(signed + mic)
    assert isinstance(taken, DownlinkTaken)
    return taken


def answers(world: World, meter: VirtualDevice) -> tuple[MacCommand, ...]:
    """What the meter answers with its next frame."""
    return only(UplinkAccepted, world.say(meter.send(2, b"x"))).commands


def test_commands_are_applied_and_answered() -> None:
    """The meter changes rate, power, channels and windows as told, and says so in its next frame."""
    world = World()
    meter = joined(world)

    command(world, meter, NewChannelReq(2, 864_100_000), LinkAdrReq(3, 2, 0b100), RxTimingSetupReq(5))

    assert answers(world, meter) == (
        NewChannelAns(rates_ok=True, frequency_ok=True),
        LinkAdrAns(power_ok=True, rate_ok=True, mask_ok=True),
        RxTimingSetupAns(),
    )
    uplink = meter.send(2, b"x")
    assert (uplink.frequency_hz, uplink.rate) == (864_100_000, RU864.rate(3))
    assert (meter.rx.rx1_delay_s, meter.radio.tx_power) == (5, 2)


def test_answer_on_windows_is_repeated_until_a_downlink_comes() -> None:
    """The meter tells of its windows with each frame until it hears a downlink, and answers all else once."""
    world = World()
    meter = joined(world)
    command(world, meter, LinkAdrReq(3, 2, 0b11), RxTimingSetupReq(5))
    first = answers(world, meter)

    again = answers(world, meter)
    command(world, meter, fcnt=101)

    assert [type(one) for one in first] == [LinkAdrAns, RxTimingSetupAns]
    assert again == (RxTimingSetupAns(),)
    assert answers(world, meter) == ()


def test_command_that_does_not_fit_is_refused_by_parts_and_not_applied() -> None:
    """A rate or a channel that does not exist is named in the answer, and nothing changes."""
    world = World()
    meter = joined(world)
    before = meter.radio

    command(world, meter, LinkAdrReq(9, 0, 0b11), RxParamSetupReq(0, 0, 915_000_000))
    command(world, meter, NewChannelReq(0, 864_100_000), fcnt=101)

    assert answers(world, meter) == (
        LinkAdrAns(power_ok=True, rate_ok=False, mask_ok=True),
        RxParamSetupAns(offset_ok=True, rate_ok=True, channel_ok=False),
        NewChannelAns(rates_ok=True, frequency_ok=False),
    )
    assert meter.radio == before


def test_meter_tells_its_status_and_moves_a_downlink_channel() -> None:
    """DevStatus is answered, and a channel's RX1 frequency is moved."""
    world = World()
    meter = joined(world)

    command(world, meter, DevStatusReq(), DlChannelReq(0, 869_000_000), DlChannelReq(9, 869_000_000))

    assert answers(world, meter) == (
        DevStatusAns(255, 0),
        DlChannelAns(uplink_ok=True, frequency_ok=True),
        DlChannelAns(uplink_ok=False, frequency_ok=True),
    )


def test_downlink_taken_twice_is_refused() -> None:
    """The meter does not take a downlink again."""
    world = World()
    meter = joined(world)
    raw = only(DownlinkScheduled, world.say(meter.send(2, b"x", confirmed=True))).transmission.payload
    meter.receive(raw)

    with pytest.raises(FrameError, match="replay"):
        meter.receive(raw)


def test_join_accept_is_taken_once() -> None:
    """A join accept that was not asked for, or comes again, is refused."""
    world, meter = World(), make_meter()
    raw = only(DownlinkScheduled, world.say(meter.join())).transmission.payload
    meter.receive(raw)

    with pytest.raises(FrameError, match="not asked"):
        meter.receive(raw)


def test_each_join_uses_the_next_dev_nonce() -> None:
    """DevNonce counts up, and when all are used the device says so."""
    meter = make_meter(dev_nonce=65_535)
    meter.join()

    with pytest.raises(EncodeError, match="DevNonce"):
        meter.join()


def test_meter_that_has_not_joined_sends_nothing() -> None:
    """Without a session there is no data frame."""
    with pytest.raises(EncodeError, match="not joined"):
        make_meter().send(2, b"x")


def test_payload_that_does_not_fit_the_rate_uses_no_counter() -> None:
    """A payload over the rate's limit is refused and the counter stays."""
    world = World()
    meter = joined(world)

    with pytest.raises(EncodeError, match="fit"):
        meter.send(2, bytes(243))

    assert meter.fcnt_up == 0


def test_frame_of_another_device_is_refused() -> None:
    """A meter takes neither another device's uplink nor a downlink to another address."""
    world = World()
    meter = joined(world)
    with pytest.raises(FrameError):
        meter.receive(meter.send(2, b"x").payload)

    other = joined(World(), make_meter(key=ROOT_KEY, dev_nonce=3))
    events = world.say(meter.send(2, b"x", confirmed=True))
    with pytest.raises(FrameError):
        answer(make_meter(), events)
    assert other.dev_addr is not None
