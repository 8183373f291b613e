"""MAC commands in both directions."""

import pytest

from lora.commands import (
    DeviceTimeAns,
    DeviceTimeReq,
    DevStatusAns,
    DlChannelReq,
    DutyCycleReq,
    LinkAdrAns,
    LinkAdrReq,
    LinkCheckAns,
    LinkCheckReq,
    MacCommand,
    NewChannelReq,
    RxParamSetupReq,
    RxTimingSetupReq,
    TxParamSetupReq,
)
from lora.crypto import Direction
from lora.errors import EncodeError
from lora.mac import encode_command, encode_commands, parse_commands

DOWN = [
    (LinkCheckAns(20, 3), "021403"),
    (LinkAdrReq(5, 1, 0x00FF, 0, 1), "0351ff0001"),
    (LinkAdrReq(0, 7, 0xFFFF, 6, 3), "0307ffff63"),
    (DutyCycleReq(7), "0407"),
    (RxParamSetupReq(2, 3, 869_100_000), "0523389d84"),
    (NewChannelReq(3, 864_100_000), "0703e8d98350"),
    (RxTimingSetupReq(5), "0805"),
    (TxParamSetupReq(True, False, 5), "0925"),
    (DlChannelReq(2, 868_900_000), "0a02689584"),
    (DeviceTimeAns(0x4A9C6B00, 128), "0d006b9c4a80"),
]


@pytest.mark.parametrize(("command", "text"), DOWN, ids=lambda value: type(value).__name__)
def test_network_command_has_these_bytes(command: MacCommand, text: str) -> None:
    """A command of the network has exactly these bytes, and they read back as it."""
    assert encode_command(command).hex() == text
    assert parse_commands(Direction.DOWN, bytes.fromhex(text)).commands == (command,)


def test_battery_margin_is_signed_in_six_bits() -> None:
    """The margin of DevStatusAns runs from -32 to 31 dB."""
    parsed = parse_commands(Direction.UP, bytes.fromhex("06fe20" + "06ff1f" + "06003f"))

    assert parsed.commands == (DevStatusAns(254, -32), DevStatusAns(255, 31), DevStatusAns(0, -1))


def test_unknown_command_ends_parsing_and_keeps_what_came_before() -> None:
    """What follows an unknown command has no known length: it is handed back unread."""
    parsed = parse_commands(Direction.UP, bytes.fromhex("02" + "0307" + "7f01" + "0d"))

    assert parsed.commands == (LinkCheckReq(), LinkAdrAns(power_ok=True, rate_ok=True, mask_ok=True))
    assert parsed.rest.hex() == "7f010d"


def test_cut_command_ends_parsing() -> None:
    """A command whose fields are cut is not read."""
    parsed = parse_commands(Direction.UP, bytes.fromhex("0d06fe"))

    assert parsed.commands == (DeviceTimeReq(),)
    assert parsed.rest.hex() == "06fe"


def test_one_identifier_means_another_command_in_each_direction() -> None:
    """0x02 asks in an uplink and answers in a downlink."""
    assert parse_commands(Direction.UP, b"\x02").commands == (LinkCheckReq(),)
    assert parse_commands(Direction.DOWN, b"\x02\x01\x02").commands == (LinkCheckAns(1, 2),)


def test_commands_stand_one_after_another() -> None:
    """Several commands share FOpts without separators."""
    assert encode_commands((LinkCheckReq(), DeviceTimeReq())).hex() == "020d"


@pytest.mark.parametrize(
    "command",
    [LinkAdrReq(16, 0, 0), DutyCycleReq(16), DevStatusAns(0, 32), DlChannelReq(0, 868_900_050), LinkCheckAns(256, 0)],
)
def test_field_that_does_not_fit_is_our_error(command: MacCommand) -> None:
    """A value that its bits do not hold is not written."""
    with pytest.raises(EncodeError):
        encode_command(command)
