"""What a network answers at once to the questions of a device: LinkCheck and DeviceTime (1.0.3, 5.1 and 5.10)."""

from collections.abc import Sequence

from lora.commands import GPS_FRACTION, DeviceTimeAns, DeviceTimeReq, LinkCheckAns, LinkCheckReq, MacCommand
from lora.gpstime import SECOND_US, gps_from_utc_us
from lora.radio import LoraRate, Reception

MAX_MARGIN_DB = 254
MAX_GATEWAYS = 255


def answer_commands(commands: Sequence[MacCommand], receptions: Sequence[Reception]) -> tuple[MacCommand, ...]:
    """One answer to each kind of question, however often it was asked, so that the answers always fit FOpts."""
    answers: list[MacCommand] = []
    if any(isinstance(command, LinkCheckReq) for command in commands):
        answers.append(check_link(receptions))
    if any(isinstance(command, DeviceTimeReq) for command in commands):
        answers.append(tell_time(min(reception.received_us for reception in receptions)))
    return tuple(answers)


def check_link(receptions: Sequence[Reception]) -> LinkCheckAns:
    """The margin of the best reception over its rate's demodulation floor, and how many gateways heard."""
    best = receptions[0].heard
    floor = best.rate.required_snr_db if isinstance(best.rate, LoraRate) else best.snr_db
    margin = min(max(int(best.snr_db - floor), 0), MAX_MARGIN_DB)
    return LinkCheckAns(margin, min(len(receptions), MAX_GATEWAYS))


def tell_time(received_us: int) -> DeviceTimeAns:
    """GPS time at the end of an uplink, taken as the moment the first gateway's message came in."""
    seconds, rest_us = divmod(gps_from_utc_us(received_us), SECOND_US)
    return DeviceTimeAns(seconds & 0xFFFFFFFF, rest_us * GPS_FRACTION // SECOND_US)
