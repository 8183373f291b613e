"""What a network asks of a device by MAC commands, and what its answers change."""

from dataclasses import replace

import pytest

from lora.commands import (
    DevStatusAns,
    DevStatusReq,
    DlChannelAns,
    DlChannelReq,
    DutyCycleAns,
    DutyCycleReq,
    LinkAdrAns,
    LinkAdrReq,
    LinkCheckReq,
    MacCommand,
    NewChannelAns,
    NewChannelReq,
    RxParamSetupAns,
    RxParamSetupReq,
    RxTimingSetupAns,
    RxTimingSetupReq,
    TxParamSetupAns,
    TxParamSetupReq,
)
from lora.control import MAX_TRIES
from lora.errors import RegionError
from lora.events import (
    CommandFailed,
    DownlinkScheduled,
    Failure,
    Refusal,
    UplinkAccepted,
    UplinkRefused,
    UplinkRepeated,
    Window,
)
from lora.join import Network
from lora.link import Link, Status
from lora.policy import Policy
from lora.region import EU868, RU864, Channel, Region
from lora.session import QueuedDownlink
from tests.unit.lora.builders import (
    DEV_EUI,
    NET_ID,
    World,
    answer,
    joined,
    kinds,
    make_device,
    make_meter,
    only,
)
from tests.unit.lora.radio import Radio

YES = LinkAdrAns(power_ok=True, rate_ok=True, mask_ok=True)
NEW = Channel(864_100_000)
MADE = NewChannelAns(rates_ok=True, frequency_ok=True)
SET = RxParamSetupAns(offset_ok=True, rate_ok=True, channel_ok=True)
PLAIN = Policy(adr=False, status_every_s=0)
TALKS = replace(RU864, sets_tx_params=True)
DAY_S = 86_400
DUTY_US = 36_000_000


def wishing(policy: Policy = PLAIN, region: Region = RU864, **network: object) -> Radio:
    """A device that joined a network without wishes, which then has these."""
    world = World(region=region, policy=PLAIN)
    radio = Radio(world)
    radio.send()
    change(world, policy, **network)
    return radio


def change(world: World, policy: Policy = PLAIN, **network: object) -> None:
    """Let the network begin anew, with other wishes."""
    world.network = Network(NET_ID, world.network.region, policy=policy, **network)  # type: ignore[arg-type]  # by name
    world.restart()


@pytest.mark.parametrize(
    ("wish", "request_", "answered", "link"),
    [
        (
            {"policy": replace(PLAIN, channels=(NEW,))},
            NewChannelReq(2, NEW.frequency_hz, 5, 0),
            MADE,
            Link(dr=5, added=((NEW.frequency_hz, 0, 5),)),
        ),
        ({"channels_hz": (NEW.frequency_hz,)}, NewChannelReq(2, NEW.frequency_hz, 5, 0), MADE, None),
        ({"policy": replace(PLAIN, disabled=frozenset({1}))}, LinkAdrReq(5, 0, 0b01), YES, Link(dr=5, off=0b10)),
        ({"policy": replace(PLAIN, duty_cycle=7)}, DutyCycleReq(7), DutyCycleAns(), Link(dr=5, duty_cycle=7)),
        (
            {"policy": replace(PLAIN, downlinks_hz=((1, 868_500_000),))},
            DlChannelReq(1, 868_500_000),
            DlChannelAns(uplink_ok=True, frequency_ok=True),
            Link(dr=5, downlinks_hz=((1, 868_500_000),)),
        ),
        (
            {"policy": replace(PLAIN, tx_params=TxParamSetupReq(True, False, 5))},
            TxParamSetupReq(True, False, 5),
            TxParamSetupAns(),
            Link(dr=5, tx_params=TxParamSetupReq(True, False, 5)),
        ),
    ],
    ids=["new channel", "channel of the join", "mask", "duty cycle", "downlink channel", "dwell"],
)
def test_wish_is_asked_until_answered_and_then_holds(
    wish: dict[str, object], request_: MacCommand, answered: MacCommand, link: Link | None
) -> None:
    """What a device uses otherwise than wanted is asked with each answer until it says yes, and no more."""
    radio = wishing(region=TALKS, **wish)  # type: ignore[arg-type]  # the fields of Network, by name

    assert radio.ask() == radio.ask() == (request_,)
    before = radio.session.link
    radio.ask(answered)

    assert before == Link(dr=5)
    assert radio.session.link != before
    assert link is None or radio.session.link == link
    assert radio.session.control.asked == ()
    assert radio.ask() == ()


def test_windows_change_from_the_answer_on() -> None:
    """RX1 and RX2 are used as they were until the device says yes, and as asked from that very frame on."""
    radio = wishing(rx1_delay_s=3, rx1_dr_offset=2, rx2_dr=3, rx2_frequency_hz=864_500_000)

    asked = radio.told(radio.send(confirmed=True))
    told = radio.told(radio.send(SET, RxTimingSetupAns(), confirmed=True))

    assert asked is not None
    assert told is not None
    assert asked.commands == (RxParamSetupReq(2, 3, 864_500_000), RxTimingSetupReq(3))
    assert (asked.scheduled.delay_s, asked.scheduled.dr) == (1, 5)
    assert told.commands == ()
    assert (told.scheduled.window, told.scheduled.delay_s, told.scheduled.dr) == (Window.RX1, 3, 3)
    assert radio.session.rx == radio.world.network.rx


def test_moved_downlink_channel_is_where_the_answer_goes() -> None:
    """After DlChannelAns RX1 is on the frequency that was asked, and RX2 where it was."""
    radio = wishing(replace(PLAIN, downlinks_hz=((0, 868_500_000),)))
    radio.ask()

    scheduled = only(DownlinkScheduled, radio.send(DlChannelAns(uplink_ok=True, frequency_ok=True)))

    assert (scheduled.window, scheduled.transmission.frequency_hz) == (Window.RX1, 868_500_000)


def test_answer_that_is_repeated_is_not_counted_for_another_question() -> None:
    """While a device repeats an answer on its windows it is not asked for others: the old yes would count for them."""
    radio = wishing(rx2_dr=3)
    radio.ask()
    radio.send(SET)
    change(radio.world, rx2_dr=4)

    repeated = radio.told(radio.send(SET))
    assert repeated is not None
    assert repeated.commands == ()
    assert radio.session.rx.rx2_dr == 3
    assert radio.ask() == (RxParamSetupReq(0, 4, RU864.rx2_frequency_hz),)
    radio.ask(SET)
    assert radio.session.rx.rx2_dr == 4


def test_device_that_repeats_an_answer_hears_a_downlink() -> None:
    """An answer on windows is repeated until a downlink comes, so that one is sent though nothing else is owed."""
    radio = wishing(rx1_delay_s=2)
    radio.ask()

    told = radio.told(radio.send(RxTimingSetupAns()))

    assert told is not None
    assert (told.commands, told.port) == ((), None)


def test_answer_to_nothing_changes_nothing() -> None:
    """An answer that nobody asked for is not counted."""
    radio = Radio(World(policy=PLAIN))
    before = radio.session

    radio.send(YES, MADE, DutyCycleAns(), DevStatusAns(3, 3))

    assert (radio.session.link, radio.session.control) == (replace(before.link, dr=5), before.control)


@pytest.mark.parametrize(
    "refusal",
    [
        RxParamSetupAns(offset_ok=False, rate_ok=True, channel_ok=True),
        RxParamSetupAns(offset_ok=True, rate_ok=False, channel_ok=True),
        RxParamSetupAns(offset_ok=True, rate_ok=True, channel_ok=False),
    ],
)
def test_refused_command_changes_nothing_and_is_not_asked_again(refusal: MacCommand) -> None:
    """Unless every part is taken nothing is, the refusal is told once, and that wish is dropped for this session."""
    radio = wishing(rx2_dr=3)
    before = radio.session.rx
    radio.ask()

    failed = only(CommandFailed, radio.send(refusal))
    radio.world.restart()

    assert (failed.failure, failed.dev_eui, failed.answers) == (Failure.REFUSED, DEV_EUI, (refusal,))
    assert failed.commands == (RxParamSetupReq(0, 3, RU864.rx2_frequency_hz),)
    assert radio.session.rx == before
    assert [radio.ask() for _ in range(3)] == [(), (), ()]


def test_silent_device_is_asked_so_often_and_again_a_day_later() -> None:
    """A device that never answers is asked a few times, that is told once, and it is asked again after a day."""
    radio = wishing(replace(PLAIN, duty_cycle=7))

    asked = [radio.ask() for _ in range(MAX_TRIES)]
    failed = only(CommandFailed, radio.send())
    later = radio.ask()
    radio.world.wait(DAY_S)

    assert asked == [(DutyCycleReq(7),)] * MAX_TRIES
    assert (failed.failure, failed.commands) == (Failure.UNANSWERED, (DutyCycleReq(7),))
    assert later == ()
    assert radio.ask() == (DutyCycleReq(7),)


def test_question_outlives_a_restart() -> None:
    """A server that begins anew between question and answer counts the answer."""
    radio = wishing(replace(PLAIN, duty_cycle=7))
    radio.ask()

    radio.world.restart()
    radio.ask(DutyCycleAns())

    assert radio.session.link.duty_cycle == 7


def test_status_is_asked_once_a_day() -> None:
    """A device is asked for its battery a day after its join and a day after each answer; what it says is kept."""
    radio = Radio(World(policy=replace(PLAIN, status_every_s=DAY_S)))
    first = radio.ask()
    radio.world.wait(DAY_S)

    asked = radio.ask()
    radio.world.wait(1)
    told = radio.ask(DevStatusAns(200, -7))
    status = radio.session.status
    radio.world.wait(DAY_S)

    assert (first, asked, told) == ((), (DevStatusReq(),), ())
    assert status is not None
    assert (status.battery, status.margin_db) == (200, -7)
    assert radio.ask() == (DevStatusReq(),)
    assert isinstance(radio.session.status, Status)


def test_many_wishes_go_on_port_zero() -> None:
    """More commands than fifteen bytes go encrypted on port 0, in one frame, with FOpts empty."""
    policy = Policy(channels=tuple(Channel(864_100_000 + 200_000 * at) for at in range(5)), status_every_s=0)
    radio = wishing(policy, rx2_dr=3)
    radio.snr_db = 10.0

    told = radio.told(radio.send(LinkCheckReq()))

    assert told is not None
    assert (told.port, told.fopts) == (0, b"")
    assert [type(one).__name__ for one in told.commands] == [
        "LinkCheckAns",
        "LinkAdrReq",
        *["NewChannelReq"] * 5,
        "RxParamSetupReq",
    ]


def test_wishes_beside_a_payload_take_what_room_fopts_has() -> None:
    """Beside an application's payload commands stand in FOpts, the most wanted first; the rest comes with the next."""
    policy = Policy(channels=(NEW, Channel(864_300_000)), status_every_s=0)
    radio = wishing(policy, rx2_dr=3)
    radio.snr_db = 10.0
    radio.world.server.enqueue(DEV_EUI, QueuedDownlink(1, 4, b"set"))

    told = radio.told(radio.send())

    assert told is not None
    assert (told.port, told.payload, len(told.fopts)) == (4, b"set", 11)
    assert [type(one) for one in told.commands] == [LinkAdrReq, NewChannelReq]
    radio.snr_db = 0.0
    assert [type(one) for one in radio.ask(YES, MADE)] == [NewChannelReq, RxParamSetupReq]


def test_large_payload_leaves_no_room_for_wishes() -> None:
    """A payload as large as the rate carries goes alone."""
    radio = wishing(replace(PLAIN, duty_cycle=7))
    radio.world.server.enqueue(DEV_EUI, QueuedDownlink(1, 4, bytes(242)))

    told = radio.told(radio.send())

    assert told is not None
    assert (len(told.payload), told.commands) == (242, ())
    assert radio.ask() == (DutyCycleReq(7),)


@pytest.mark.parametrize("version", ["1.0.0", "1.0.1"])
def test_old_device_is_not_asked_what_it_does_not_know(version: str) -> None:
    """DlChannelReq and TXParamSetupReq came with 1.0.2: an older device would drop all that follows them."""
    policy = replace(PLAIN, duty_cycle=7, downlinks_hz=((1, 868_500_000),), tx_params=TxParamSetupReq(True, False, 5))
    radio = Radio(World(make_device(version=version), region=TALKS, policy=policy))

    assert radio.ask() == (DutyCycleReq(7),)


def test_channel_that_is_wanted_no_more_is_switched_off() -> None:
    """A channel of a former wish is taken back with frequency 0, and its place is free."""
    radio = wishing(replace(PLAIN, channels=(NEW,)))
    radio.ask()
    radio.ask(MADE)
    change(radio.world)

    assert radio.ask() == (NewChannelReq(2, 0, 0, 0),)
    radio.ask(MADE)

    assert radio.session.link.added == ()


def test_mask_that_is_refused_is_asked_as_all_channels() -> None:
    """A device that refuses a mask of all channels known here is told to use all that it has (control 6), and once."""
    radio = wishing(Policy(status_every_s=0))
    radio.snr_db = 5.5
    asked = radio.ask()

    second = radio.ask(replace(YES, mask_ok=False))
    third = radio.ask(replace(YES, mask_ok=False))

    assert asked == (LinkAdrReq(5, 1, 0b11, 0),)
    assert second == (LinkAdrReq(5, 1, 0b11, 6),)
    assert third == ()


@pytest.mark.parametrize("region", [RU864, EU868])
def test_rate_and_power_follow_how_a_device_is_heard(region: Region) -> None:
    """A device that is heard well is told a faster rate; with its yes the history begins anew."""
    radio = Radio(World(make_device(region=region), region=region, policy=Policy(status_every_s=0)))
    radio.dr, radio.snr_db = 0, 0.0
    all_on = (1 << len(region.channels)) - 1

    assert radio.ask() == (LinkAdrReq(3, 0, all_on, 0, 1),)
    radio.dr = 3
    assert radio.ask(YES) == ()
    assert radio.session.link.settings.dr == 3
    assert len(radio.session.history) == 3


def test_device_without_the_adr_bit_keeps_its_rate() -> None:
    """A device that does not ask for it is never told a rate, and its history is empty."""
    radio = Radio(World(policy=Policy(status_every_s=0)))
    radio.dr, radio.snr_db, radio.adr = 0, 10.0, False

    assert [radio.ask() for _ in range(25)] == [()] * 25
    assert radio.session.history == b""


@pytest.mark.parametrize(("version", "kept"), [("1.0.3", (5, 0)), ("1.0.4", (15, 15))])
def test_mask_of_a_device_without_the_adr_bit_leaves_its_rate(version: str, kept: tuple[int, int]) -> None:
    """Channels are switched by a LinkADRReq with the rate that is in use, and from 1.0.4 on with "keep"."""
    radio = Radio(World(make_device(version=version), policy=replace(PLAIN, disabled=frozenset({0}))))
    radio.adr = False

    assert radio.ask() == (LinkAdrReq(*kept, 0b10),)
    radio.ask(YES)

    assert radio.session.link == Link(dr=5, off=0b01)


def test_refused_power_bounds_what_is_asked_next() -> None:
    """A device that has not so little power is asked for a step more."""
    radio = Radio(World(policy=Policy(status_every_s=0)))
    radio.snr_db = 12.0

    (first,) = radio.ask()
    (second,) = radio.ask(replace(YES, power_ok=False))

    assert isinstance(first, LinkAdrReq)
    assert second == replace(first, tx_power=first.tx_power - 1)
    radio.ask(YES)
    assert radio.session.link.tx_power == first.tx_power - 1


def test_refused_rate_bounds_what_is_asked_next() -> None:
    """A device that has not so fast a rate is asked for a slower one."""
    radio = Radio(World(policy=Policy(status_every_s=0)))
    radio.dr, radio.snr_db = 0, -1.0

    (first,) = radio.ask()
    (second,) = radio.ask(replace(YES, rate_ok=False))

    assert first == LinkAdrReq(3, 0, 0b11)
    assert second == LinkAdrReq(2, 1, 0b11)


def test_device_that_says_yes_and_does_otherwise_is_told_of() -> None:
    """A yes to a rate in a frame at another one is shown, and not believed."""
    radio = Radio(World(policy=Policy(status_every_s=0)))
    radio.dr, radio.snr_db = 0, -1.0
    radio.ask()

    failed = only(CommandFailed, radio.send(YES))

    assert (failed.failure, failed.commands) == (Failure.NOT_DONE, (LinkAdrReq(3, 0, 0b11),))
    assert radio.session.link.dr == 0
    assert radio.ask() == ()


def test_device_that_slows_down_by_itself_is_at_full_power() -> None:
    """A device that leaves its rate may have gone to full power: nothing of before counts."""
    radio = Radio(World(policy=Policy(status_every_s=0)))
    radio.snr_db = 12.0
    radio.ask()
    radio.ask(YES)
    assert radio.session.link.tx_power > 0

    radio.dr, radio.snr_db = 3, -10.0
    radio.send()

    assert radio.session.link == Link(dr=3)
    assert len(radio.session.history) == 3


class _Halves(Region):
    """A region whose masks take two LinkADRReqs."""

    __slots__ = ()

    def masks(self, enabled: object) -> tuple[tuple[int, int], ...]:
        return (0, 0b11), (6, 0)


def halves() -> Radio:
    names = RU864.__dataclass_fields__
    region = _Halves(**{name: getattr(RU864, name) for name in names})
    radio = wishing(Policy(status_every_s=0), region=region)
    radio.snr_db = 5.5
    assert radio.ask() == (LinkAdrReq(5, 1, 0b11, 0), LinkAdrReq(5, 1, 0, 6))
    return radio


def test_block_wants_as_many_answers() -> None:
    """Each LinkADRReq of a block is answered: with one answer for two nothing counts, and they are asked again."""
    radio = halves()

    again = radio.ask(YES)
    assert radio.session.link.tx_power == 0
    radio.ask(YES, YES)

    assert len(again) == 2
    assert radio.session.link.tx_power == 1


def test_block_with_one_no_is_refused_whole() -> None:
    """Of a block nothing is applied where one of its answers is no."""
    radio = halves()

    failed = only(CommandFailed, radio.send(YES, replace(YES, mask_ok=False)))

    assert len(failed.commands) == len(failed.answers) == 2
    assert radio.session.link.tx_power == 0


def test_repetition_by_nbtrans_is_one_reading() -> None:
    """A device that was told to send each frame three times is read once; a fourth copy is a replay."""
    world = World(policy=PLAIN)
    radio = Radio(world)
    radio.send()
    world.stored.sessions = {
        key: replace(one, link=replace(one.link, nb_trans=3)) for key, one in world.stored.sessions.items()
    }
    world.restart()

    events = radio.send()
    for _ in range(3):
        world.wait(3)
        events += radio.again()

    heard = [one for one in kinds(events) if one.startswith("Uplink")]
    assert heard == ["UplinkAccepted", "UplinkRepeated", "UplinkRepeated", "UplinkRefused"]
    assert only(UplinkRefused, events).reason is Refusal.REPLAY
    assert not any(isinstance(event, DownlinkScheduled) for event in events)


def test_retransmission_does_not_answer_what_was_asked_since() -> None:
    """A confirmed frame that comes again is acknowledged again; the answer in it is not taken for a later question."""
    radio = wishing(replace(PLAIN, duty_cycle=7))
    radio.ask()
    events = radio.send(DutyCycleAns(), confirmed=True)
    change(radio.world, replace(PLAIN, duty_cycle=3))
    asked = radio.told(radio.send(DutyCycleAns(), confirmed=True))

    repeated = radio.again()

    told = radio.told(repeated)
    assert only(UplinkAccepted, events).fcnt == 2
    assert only(UplinkRepeated, repeated).fcnt == 3
    assert asked is not None
    assert told is not None
    assert asked.commands == told.commands == (DutyCycleReq(3),)
    assert radio.session.link.duty_cycle == 7


def test_commands_alone_leave_half_of_the_air() -> None:
    """What only commands never takes more than half of a gateway's duty cycle; an acknowledgement still goes out."""
    radio = Radio(World(policy=replace(PLAIN, status_every_s=1)))
    radio.dr = 0
    sent: list[DownlinkScheduled] = []
    for _ in range(50):
        events = radio.send(DevStatusAns(100, 0))
        sent += (event for event in events if isinstance(event, DownlinkScheduled))

    assert len(sent) < 50
    assert 0.4 * DUTY_US < sum(one.airtime_us for one in sent) <= 0.5 * DUTY_US
    assert any(isinstance(event, DownlinkScheduled) for event in radio.send(confirmed=True))


@pytest.mark.parametrize(
    "wish",
    [
        {"rx2_frequency_hz": 915_000_000},
        {"rx2_dr": 9},
        {"rx1_dr_offset": 6},
        {"rx1_delay_s": 0},
        {"channels_hz": (863_000_000,)},
        {"policy": Policy(channels=(Channel(864_100_000, 0, 9),))},
        {"policy": Policy(channels=(Channel(864_100_000, 4, 3),))},
        {"policy": Policy(channels=(Channel(864_100_000),) * 15)},
        {"policy": Policy(disabled=frozenset({0, 1}))},
        {"policy": Policy(disabled=frozenset({5}))},
        {"policy": Policy(downlinks_hz=((0, 915_000_000),))},
        {"policy": Policy(downlinks_hz=((9, 868_900_000),))},
        {"policy": Policy(max_dr=8)},
        {"policy": Policy(max_tx_power=8)},
        {"policy": Policy(tx_params=TxParamSetupReq(True, True, 1))},
    ],
)
def test_wish_that_the_region_lacks_is_refused_at_the_start(wish: dict[str, object]) -> None:
    """A network cannot want what its region does not have: no device is ever asked for it."""
    with pytest.raises(RegionError):
        World(**wish)  # type: ignore[arg-type]  # the fields of Network, by name


def test_virtual_meter_ends_as_the_network_wants() -> None:
    """A meter that obeys ends with every wish, within a few frames, and both sides hold the same."""
    policy = Policy(channels=(NEW,), duty_cycle=4, downlinks_hz=((0, 868_500_000),), status_every_s=DAY_S)
    world = World(policy=policy, rx1_delay_s=2, rx2_frequency_hz=864_500_000)
    meter = joined(world, make_meter())
    world.wait(DAY_S)
    for _ in range(6):
        events = world.say(meter.send(2, b"x"))
        if any(isinstance(event, DownlinkScheduled) for event in events):
            answer(meter, events)
        world.wait(60)

    session = next(iter(world.stored.sessions.values()))
    assert (meter.rx, meter.radio.duty_cycle) == (session.rx, 4)
    assert session.rx == world.network.rx
    assert meter.radio.channels == session.link.channels(RU864)
    assert dict(session.link.downlinks_hz) == meter.radio.downlinks_hz
    assert session.status is not None
    assert session.control.asked == ()
