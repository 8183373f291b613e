"""Telegrams joined from the uplinks of a Lobaro bridge."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from drivers.errors import FrameError
from drivers.wmbus.bridge import (
    KEPT_FOR,
    MAX_TELEGRAM,
    BridgeReported,
    BridgeSession,
    Event,
    PartsDropped,
    TelegramJoined,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEARD = datetime(2020, 2, 24, 16, 0, 26, tzinfo=UTC)
TELEGRAM = bytes.fromhex("0102030405060708090a0b0c0d0e0f")


def play(*uplinks: tuple[int, str, int]) -> list[Event]:
    session = BridgeSession()
    return [
        event
        for port, data, counter in uplinks
        for event in session.receive_uplink(port, bytes.fromhex(data), counter, NOW)
    ]


def test_telegram_in_one_uplink_is_joined() -> None:
    """Port 11 is the first part of one."""
    assert play((11, TELEGRAM.hex(), 5)) == [TelegramJoined(TELEGRAM)]


def test_telegram_in_three_uplinks_is_joined() -> None:
    """Ports 13, 23 and 33 with successive counters are one telegram."""
    assert play((13, "0102", 5), (23, "0304", 6), (33, "05", 7)) == [TelegramJoined(bytes([1, 2, 3, 4, 5]))]


def test_timed_telegram_is_the_makers_own_example() -> None:
    """The documentation's telegram over three uplinks on port 101."""
    events = play((101, "01005e53f31a0102", 519), (101, "0003040506070809", 520), (101, "020a0b0c0d0e0f", 521))

    assert events == [TelegramJoined(TELEGRAM, HEARD)]


def test_telegram_with_rssi_tells_how_strongly_it_was_heard() -> None:
    """Port 102 has the negated RSSI behind the time."""
    assert play((102, "03005e53f31a50" + TELEGRAM.hex(), 1)) == [TelegramJoined(TELEGRAM, HEARD, -80)]


def test_missing_part_is_told() -> None:
    """A gap of the frame counter gives up the parts before and after it."""
    events = play((101, "01005e53f31a0102", 123), (101, "020a0b", 125))

    assert events == [
        PartsDropped(123, 1, "frame counter 125 came after 123"),
        PartsDropped(125, 1, "the first part is missing"),
    ]


def test_new_telegram_gives_up_the_unfinished_one() -> None:
    """A first part begins anew."""
    assert play((12, "01", 1), (11, "05", 2)) == [
        PartsDropped(1, 1, "another telegram began"),
        TelegramJoined(b"\x05"),
    ]


@pytest.mark.parametrize(("port", "reason"), [(33, "another telegram"), (24, "another telegram"), (101, "another")])
def test_part_of_another_telegram_is_not_joined(port: int, reason: str) -> None:
    """Total, number and kind of port must go on."""
    events = play((12, "01", 1), (port, "0002", 2))

    assert isinstance(events[0], PartsDropped)
    assert reason in events[0].reason
    assert not any(isinstance(event, TelegramJoined) for event in events)


def test_part_out_of_its_place_is_not_joined() -> None:
    """Part 3 does not follow part 1, though the counters do."""
    events = play((13, "01", 1), (33, "03", 2))

    assert events[0] == PartsDropped(1, 1, "part 3 came after part 1")


def test_uplink_that_came_twice_counts_once() -> None:
    """A network that hands one uplink on twice does no harm."""
    assert play((12, "01", 1), (12, "01", 1), (22, "02", 2)) == [TelegramJoined(b"\x01\x02")]


def test_parts_wait_for_a_while_and_no_longer() -> None:
    """What is not whole in time is given up and told."""
    session = BridgeSession()
    session.receive_uplink(12, b"\x01", 1, NOW)

    assert session.expire(NOW + KEPT_FOR) == []
    (dropped,) = session.expire(NOW + KEPT_FOR + timedelta(seconds=1))
    assert isinstance(dropped, PartsDropped)
    assert session.receive_uplink(22, b"\x02", 2, NOW + 2 * KEPT_FOR) == [
        PartsDropped(2, 1, "the first part is missing")
    ]


def test_no_more_is_kept_than_a_telegram_has() -> None:
    """A bridge that never ends a telegram fills no memory."""
    session = BridgeSession()
    events = session.receive_uplink(101, b"\x01" + bytes(240), 1, NOW)
    events += session.receive_uplink(101, b"\x00" + bytes(240), 2, NOW)

    assert events == [PartsDropped(1, 2, f"more than {MAX_TELEGRAM} bytes or 64 parts")]


def test_status_tells_firmware_battery_and_temperature() -> None:
    """The documentation's example, and a bridge without a sensor."""
    assert play((1, "010501830bf600", 1)) == [BridgeReported("1.5.1", Decimal("2.947"), Decimal("24.6"))]
    assert play((1, "010501830bffff01", 1)) == [BridgeReported("1.5.1", Decimal("2.947"), None)]


@pytest.mark.parametrize(
    ("port", "data"), [(0, "01"), (10, "01"), (21, "01"), (103, "03"), (101, "04"), (101, ""), (1, "01")]
)
def test_uplink_of_no_bridge_is_refused(port: int, data: str) -> None:
    """Ports and first bytes that the documentation does not know are errors of the frame."""
    with pytest.raises(FrameError):
        play((port, data, 1))
