"""The network server, spoken to by a virtual meter over gateways that tests play."""

from dataclasses import replace

import pytest

from lora.commands import DeviceTimeAns, DeviceTimeReq, LinkCheckAns, LinkCheckReq
from lora.device import DeviceJoined, DownlinkTaken
from lora.errors import EncodeError
from lora.events import (
    DownlinkFailed,
    DownlinkScheduled,
    DownlinkSent,
    FrameRefused,
    JoinAccepted,
    JoinRefused,
    QueuedAbandoned,
    QueuedDelivered,
    ReceivedLate,
    Refusal,
    SessionEnded,
    UplinkAccepted,
    UplinkRefused,
    UplinkRepeated,
    Window,
)
from lora.gpstime import gps_from_utc_us
from lora.identifiers import Eui
from lora.radio import LoraRate
from lora.region import RU864
from lora.session import QueuedDownlink
from tests.unit.lora.builders import (
    DEV_EUI,
    GATEWAYS,
    OTHER_KEY,
    SECOND_US,
    World,
    answer,
    heard_of,
    joined,
    kinds,
    make_device,
    make_heard,
    make_meter,
    only,
)

FIRST, SECOND = GATEWAYS[:2]
METER_FRAME = bytes.fromhex("01631e000032e10b5e000001000000")


def test_meter_joins_and_both_sides_hold_one_address() -> None:
    """A join request of a known meter gives it a session, and the answer opens at the meter to the same address."""
    world, meter = World(), make_meter()

    events = world.say(meter.join())

    taken = answer(meter, events)
    assert isinstance(taken, DeviceJoined)
    assert taken.dev_addr == only(JoinAccepted, events).session.dev_addr
    assert taken.dev_addr.network == world.network.net_id.network


def test_join_answer_goes_five_seconds_after_on_the_same_channel() -> None:
    """The join accept is sent in RX1, 5 s after the request by the gateway's counter, on its channel and rate."""
    world, meter = World(), make_meter()
    request = meter.join()

    scheduled = only(DownlinkScheduled, world.say(request))

    order = scheduled.transmission
    assert (scheduled.window, scheduled.delay_s, scheduled.dr) == (Window.RX1, 5, 5)
    assert (order.counter_us, order.frequency_hz, order.rate) == (6_000_000, request.frequency_hz, request.rate)
    assert order.power_dbm == 16


def test_state_stands_before_the_downlink_that_follows_from_it() -> None:
    """What is to be stored comes before what is to be sent."""
    world, meter = World(), make_meter()

    assert kinds(world.say(meter.join())) == [
        "ActivationChanged",
        "SessionChanged",
        "JoinAccepted",
        "DownlinkScheduled",
    ]


def test_uplink_is_decrypted_and_lists_who_heard_it() -> None:
    """The meter's bytes come out as they went in, with both gateways, the better first."""
    world = World()
    meter = joined(world)
    uplink = meter.send(2, METER_FRAME)
    world.hear(uplink, FIRST, snr_db=-5.0)
    world.wait(0.15)
    world.hear(uplink, SECOND, snr_db=7.0)

    accepted = only(UplinkAccepted, world.settle())

    assert (accepted.port, accepted.payload, accepted.fcnt) == (2, METER_FRAME, 0)
    assert [reception.gateway for reception in accepted.receptions] == [SECOND, FIRST]
    assert accepted.dev_eui == DEV_EUI


def test_same_frame_ten_seconds_later_is_a_replay() -> None:
    """The same bytes 10 s later change nothing and are shown as a replay of that device."""
    world = World()
    meter = joined(world)
    world.say(meter.send(2, METER_FRAME))
    world.wait(10)

    refused = only(UplinkRefused, world.say(meter.again()))

    assert (refused.reason, refused.dev_eui) == (Refusal.REPLAY, DEV_EUI)


def test_frame_heard_once_is_not_delayed_past_the_window() -> None:
    """A frame heard once is accepted 200 ms after its reception."""
    world = World()
    meter = joined(world)
    heard_us = world.now_us
    world.hear(meter.send(2, METER_FRAME))

    assert world.server.next_timeout() == heard_us + 200_000
    assert only(UplinkAccepted, world.settle()).at_us == heard_us


def test_server_restarted_from_what_was_stored_refuses_replays() -> None:
    """After a restart an old frame is a replay, an old join request is refused, and the next frame is accepted."""
    world = World()
    meter = make_meter()
    request = meter.join()
    answer(meter, world.say(request))
    old = meter.send(2, b"old")
    world.say(old)

    world.restart()
    world.wait(10)

    assert only(UplinkRefused, world.say(old)).reason is Refusal.REPLAY
    assert only(JoinRefused, world.say(request)).reason is Refusal.DEV_NONCE_REPLAYED
    assert only(UplinkAccepted, world.say(meter.send(2, b"new"))).fcnt == 1


def test_join_nonce_never_repeats_over_restarts() -> None:
    """Each join, also after a restart, is given a JoinNonce of its own."""
    world, meter = World(), make_meter()
    numbers = []
    for _ in range(4):
        numbers.append(only(JoinAccepted, world.say(meter.join())).session.number)
        world.restart()
        world.wait(10)

    assert numbers == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("meter", "reason"),
    [
        (make_meter(dev_eui=Eui(bytes(8))), Refusal.UNKNOWN_DEVICE),
        (make_meter(key=OTHER_KEY), Refusal.BROKEN_MIC),
    ],
)
def test_refused_join_is_visible_and_changes_nothing(meter: object, reason: Refusal) -> None:
    """An unknown device and a copied DevEUI without its key are refused with a reason; nothing is stored or sent."""
    world = World()

    events = world.say(meter.join())  # type: ignore[attr-defined]  # a VirtualDevice, parametrised

    assert kinds(events) == ["JoinRefused"]
    assert only(JoinRefused, events).reason is reason
    assert not world.stored.sessions


def test_two_meters_with_one_identity_cannot_both_keep_a_session() -> None:
    """A meter flashed with its neighbour's DevEUI and key joins, and the session that is used ends the one before."""
    world = World()
    first = joined(world)
    world.say(first.send(2, b"first"))
    second = joined(world, make_meter(dev_nonce=500))

    ended = only(SessionEnded, world.say(second.send(2, b"second")))

    assert ended.session.dev_addr == first.dev_addr
    assert only(UplinkRefused, world.say(first.send(2, b"again"))).reason is Refusal.UNKNOWN_ADDRESS


def test_old_session_lives_until_the_new_one_is_used() -> None:
    """A device that did not hear its join accept goes on with the session it has."""
    world = World()
    meter = joined(world)
    deaf = make_meter(dev_nonce=900)
    world.say(deaf.join())
    world.wait(10)

    assert only(UplinkAccepted, world.say(meter.send(2, b"still here"))).payload == b"still here"


def test_meter_that_never_hears_its_answers_does_not_fill_the_store() -> None:
    """Of sessions that were never used only a few are kept."""
    world, meter = World(), make_meter()
    for _ in range(10):
        world.say(meter.join())
        world.wait(600)

    assert len(world.stored.sessions) <= 4


def test_confirmed_uplink_is_acknowledged_in_rx1_after_one_second() -> None:
    """A confirmed frame is answered with an acknowledgement, 1 s after it, that the meter takes."""
    world = World()
    meter = joined(world)

    events = world.say(meter.send(2, METER_FRAME, confirmed=True))

    scheduled = only(DownlinkScheduled, events)
    assert (scheduled.window, scheduled.delay_s) == (Window.RX1, 1)
    assert scheduled.transmission.counter_us == 2_000_000
    taken = answer(meter, events)
    assert isinstance(taken, DownlinkTaken)
    assert taken.ack
    assert (taken.port, taken.payload) == (None, b"")


def test_unconfirmed_uplink_is_not_answered() -> None:
    """Where nothing is owed, nothing is sent: air time is scarce."""
    world = World()
    meter = joined(world)

    assert kinds(world.say(meter.send(2, METER_FRAME))) == ["SessionChanged", "UplinkAccepted"]


def test_retransmitted_confirmed_frame_is_acknowledged_again_and_read_once() -> None:
    """A confirmed frame sent again is no new reading, and its acknowledgement has a counter of its own."""
    world = World()
    meter = joined(world)
    world.say(meter.send(2, METER_FRAME, confirmed=True))
    world.wait(3)

    events = world.say(meter.again())

    assert only(UplinkRepeated, events).fcnt == 0
    assert only(DownlinkScheduled, events).fcnt == 1


def test_device_time_and_link_check_are_answered_in_one_frame() -> None:
    """The meter asks how it is heard and what time it is, and is told both."""
    world = World()
    meter = joined(world)
    meter.ask(LinkCheckReq(), DeviceTimeReq())
    sent_us = world.now_us

    taken = answer(meter, world.say(meter.send(2, b"?"), FIRST, SECOND))

    assert isinstance(taken, DownlinkTaken)
    link, time = taken.commands
    assert link == LinkCheckAns(margin_db=12, gateways=2)
    assert isinstance(time, DeviceTimeAns)
    assert time.gps_seconds == gps_from_utc_us(sent_us) // SECOND_US


def test_many_questions_in_one_frame_get_one_answer_each() -> None:
    """A frame full of questions cannot make an answer that does not fit."""
    world = World()
    meter = joined(world)
    meter.ask(*[DeviceTimeReq()] * 15)

    taken = answer(meter, world.say(meter.send(2, b"?")))

    assert isinstance(taken, DownlinkTaken)
    assert len(taken.commands) == 1


def test_rx2_is_used_when_rx1_is_too_near() -> None:
    """An answer decided too late for RX1 goes to RX2: 869.1 MHz, DR0."""
    world = World()
    meter = joined(world)
    world.hear(meter.send(2, b"x", confirmed=True))
    world.wait(1)

    scheduled = only(DownlinkScheduled, world.settle())

    assert (scheduled.window, scheduled.dr, scheduled.delay_s) == (Window.RX2, 0, 2)
    assert scheduled.transmission.frequency_hz == RU864.rx2_frequency_hz
    assert scheduled.transmission.rate == LoraRate(12, 125_000)


def test_answer_that_is_too_late_for_both_windows_is_not_sent() -> None:
    """When both windows have passed, the frame is accepted and the answer fails visibly; no counter is used up."""
    world = World()
    meter = joined(world)
    world.hear(meter.send(2, b"x", confirmed=True))
    world.wait(5)

    events = world.settle()

    assert only(UplinkAccepted, events).session.fcnt_down == 0
    assert only(DownlinkFailed, events).dev_eui == DEV_EUI


def test_refusal_of_a_gateway_moves_the_answer_to_the_next_way() -> None:
    """Refused by the best gateway, the same bytes go through the other one, then in RX2, then fail."""
    world = World()
    meter = joined(world)
    world.hear(meter.send(2, b"x", confirmed=True), FIRST, snr_db=9.0)
    world.hear(meter.again(), SECOND, snr_db=1.0)
    first = only(DownlinkScheduled, world.settle())

    ways = [(first.gateway, first.window)]
    events = world.server.handle_tx_result(first.id, "COLLISION_PACKET", world.now_us)
    while kinds(events) == ["DownlinkScheduled"]:
        again = only(DownlinkScheduled, events)
        assert again.transmission.payload == first.transmission.payload
        ways.append((again.gateway, again.window))
        events = world.server.handle_tx_result(again.id, "TOO_LATE", world.now_us)

    assert ways == [(FIRST, Window.RX1), (SECOND, Window.RX1), (FIRST, Window.RX2), (SECOND, Window.RX2)]
    assert only(DownlinkFailed, events).reason == "TOO_LATE"


def test_gateways_word_on_a_downlink_is_an_event_once() -> None:
    """A gateway that took a downlink is named; a second word on it says nothing."""
    world = World()
    meter = joined(world)
    scheduled = only(DownlinkScheduled, world.say(meter.send(2, b"x", confirmed=True)))

    assert world.server.handle_tx_result(scheduled.id, None, world.now_us) == [
        DownlinkSent(scheduled.id, DEV_EUI, FIRST)
    ]
    assert world.server.handle_tx_result(scheduled.id, None, world.now_us) == []


def test_gateway_that_used_its_duty_cycle_does_not_answer() -> None:
    """When one gateway has used its share of the hour, another one answers; with none left the answer fails."""
    world = World()
    meter = joined(world)
    slow = LoraRate(12, 125_000)
    gateways = []
    for _ in range(80):
        uplink = replace(meter.send(2, b"x", confirmed=True), rate=slow)
        events = world.say(uplink, FIRST, SECOND)
        gateways += [event.gateway if isinstance(event, DownlinkScheduled) else None for event in events[2:]]
        world.wait(10)

    assert gateways[0] == FIRST
    assert SECOND in gateways
    assert gateways[-1] is None


def test_queued_downlink_waits_for_the_next_uplink() -> None:
    """A queued downlink goes out with the next answer, and is done when it is sent."""
    world = World()
    meter = joined(world)
    world.server.enqueue(DEV_EUI, QueuedDownlink(77, 4, bytes.fromhex("ff110e000000000000")))

    events = world.say(meter.send(2, b"x"))

    assert only(QueuedDelivered, events).queued_id == 77
    taken = answer(meter, events)
    assert isinstance(taken, DownlinkTaken)
    assert (taken.port, taken.payload.hex(), taken.ack) == (4, "ff110e000000000000", False)


def test_queued_downlink_outlives_a_new_join() -> None:
    """What waits for a meter is sent in the session that it uses next."""
    world = World()
    meter = joined(world)
    world.say(meter.send(2, b"x"))
    world.server.enqueue(DEV_EUI, QueuedDownlink(5, 4, b"set"))
    joined(world, meter)

    taken = answer(meter, world.say(meter.send(2, b"y")))

    assert isinstance(taken, DownlinkTaken)
    assert taken.payload == b"set"


def test_confirmed_downlink_is_repeated_until_acknowledged() -> None:
    """A confirmed downlink is sent with each answer until the meter acknowledges it."""
    world = World()
    meter = joined(world)
    world.server.enqueue(DEV_EUI, QueuedDownlink(1, 4, b"set", confirmed=True))
    world.say(meter.send(2, b"the answer is not heard"))
    world.wait(60)
    answer(meter, world.say(meter.send(2, b"the answer is heard")))
    world.wait(60)

    events = world.say(meter.send(2, b"ack"))

    delivered = only(QueuedDelivered, events)
    assert delivered.acknowledged
    assert only(UplinkAccepted, events).session.queue == ()


def test_confirmed_downlink_is_given_up_after_three_times() -> None:
    """A meter that never acknowledges does not block its queue."""
    world = World()
    meter = joined(world)
    world.server.enqueue(DEV_EUI, QueuedDownlink(1, 4, b"set", confirmed=True))
    for _ in range(3):
        world.say(meter.send(2, b"deaf"))
        world.wait(60)

    assert only(QueuedAbandoned, world.say(meter.send(2, b"deaf"))).queued_id == 1


@pytest.mark.parametrize(
    "downlink",
    [QueuedDownlink(1, 0, b""), QueuedDownlink(1, 224, b""), QueuedDownlink(1, 2, bytes(243))],
)
def test_downlink_that_cannot_be_sent_is_not_queued(downlink: QueuedDownlink) -> None:
    """A port or a size that no frame carries is our own error."""
    world = World()
    joined(world)

    with pytest.raises(EncodeError):
        world.server.enqueue(DEV_EUI, downlink)


def test_network_without_the_application_key_passes_frames_unread() -> None:
    """Where the payload may not be read here, the frame is checked and its payload is None."""
    world = World(make_device(reads=False))
    meter = joined(world)

    accepted = only(UplinkAccepted, world.say(meter.send(2, b"secret")))

    assert accepted.payload is None
    assert accepted.session.application_key is None


def test_channels_of_the_network_reach_the_meter() -> None:
    """The channels that the network adds stand in the join accept, and the meter uses them."""
    world = World(channels_hz=(864_100_000, 864_300_000), rx1_delay_s=3)
    meter = joined(world)

    frequencies = {meter.send(2, b"x").frequency_hz for _ in range(60)}

    assert frequencies == {868_900_000, 869_100_000, 864_100_000, 864_300_000}
    assert only(DownlinkScheduled, world.say(meter.send(2, b"x", confirmed=True))).delay_s == 3


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        (make_heard(b"noise"), Refusal.NOT_LORAWAN),
        (make_heard(b"\x60" + bytes(15)), Refusal.NOT_AN_UPLINK),
        (make_heard(b"\x20" + bytes(16)), Refusal.NOT_AN_UPLINK),
        (make_heard(bytes(23), frequency_hz=915_000_000), Refusal.NOT_OF_REGION),
        (make_heard(bytes(23), rate=LoraRate(7, 500_000)), Refusal.NOT_OF_REGION),
    ],
)
def test_what_is_no_uplink_is_refused_at_once(heard: object, reason: Refusal) -> None:
    """Noise, networks' own frames and other regions are refused with a reason and change nothing."""
    world = World()

    events = world.server.receive(FIRST, heard, world.now_us)  # type: ignore[arg-type]  # a Heard, parametrised

    assert only(FrameRefused, events).reason is reason
    assert world.server.next_timeout() is None


def test_altered_bit_is_refused_by_the_mic() -> None:
    """A frame with one bit changed is refused, and the meter's next frame is accepted."""
    world = World()
    meter = joined(world)
    uplink = meter.send(2, b"meter")
    broken = replace(uplink, payload=uplink.payload[:-5] + bytes([uplink.payload[-5] ^ 1]) + uplink.payload[-4:])

    assert only(UplinkRefused, world.say(broken)).reason is Refusal.BROKEN_MIC
    assert only(UplinkAccepted, world.say(uplink)).payload == b"meter"


def test_late_copy_over_a_slow_gateway_is_of_the_frame_that_was_read() -> None:
    """A copy over another gateway after the window has closed is no second reading nor a replay; 10 s later it is."""
    world = World()
    meter = joined(world)
    uplink = meter.send(2, b"x")
    read = only(UplinkAccepted, world.say(uplink, FIRST))
    world.wait(0.3)

    late = world.server.receive(SECOND, heard_of(uplink), world.now_us) + world.settle()
    again = world.server.receive(SECOND, heard_of(uplink), world.now_us) + world.settle()
    world.wait(10)
    replayed = world.server.receive(SECOND, heard_of(uplink), world.now_us) + world.settle()

    received = only(ReceivedLate, late)
    assert (received.payload, received.at_us) == (uplink.payload, read.at_us)
    assert [one.gateway for one in received.receptions] == [FIRST, SECOND]
    assert not any(isinstance(event, UplinkAccepted) for event in (*late, *again, *replayed))
    assert only(UplinkRefused, again).reason is Refusal.REPLAY
    assert only(UplinkRefused, replayed).reason is Refusal.REPLAY
