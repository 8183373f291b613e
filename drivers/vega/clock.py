"""The clock of the Vega family: a report on port 4 and the correction that answers it on the same port.

Report `ff | unix u32`, answer `ff | seconds to shift, int64`, little-endian. A server corrects when the difference is
over 5 s, at most once in 60 s a device, and allows 1 s for the way down: a clock one hour late is answered +3601 s.
"""

import struct
from datetime import datetime, timedelta

from drivers.descriptor import ClockPolicy
from drivers.driver import Downlink
from drivers.errors import FrameError
from drivers.reading import Decoded, Reported, from_unix
from drivers.vega.frame import pack, preview, to_unix, unpack_integers

PORT = 4
MARK = 0xFF
FRAME = "clock"
POLICY = ClockPolicy(
    ahead_s=60, behind_s=86_400, correct_over_s=5, min_interval_s=60, link_delay_s=1, person_over_s=86_400
)

_REPORT = struct.Struct("<BI")
_CORRECTION = struct.Struct("<Bq")


def decode_clock_report(data: bytes) -> Decoded:
    """Read `ff | unix u32`: the meter's own time, reported as `clock`; raise FrameError."""
    mark, seconds = unpack_integers(_REPORT, data, "a clock report")
    if mark != MARK:
        raise FrameError(f"a clock report begins with ff, got {mark:02x} in {preview(data)}")
    moment = from_unix(seconds)
    return Decoded(FRAME, moment, reported=(Reported("clock", moment),))


def encode_clock_report(device_time: datetime) -> bytes:
    """The report a meter sends at this time of its own clock; raise EncodeError."""
    return pack(_REPORT, "a clock report", MARK, to_unix(device_time, "a clock report"))


def decode_correction(data: bytes) -> timedelta:
    """How far a correction moves the clock, positive forward; raise FrameError."""
    mark, seconds = unpack_integers(_CORRECTION, data, "a clock correction")
    if mark != MARK:
        raise FrameError(f"a clock correction begins with ff, got {mark:02x} in {preview(data)}")
    try:
        return timedelta(seconds=seconds)
    except OverflowError as error:
        raise FrameError(f"a clock correction of {seconds} s is no span of time") from error


def encode_correction(shift_s: int) -> bytes:
    """The bytes that move a clock by whole seconds, positive forward; raise EncodeError."""
    return pack(_CORRECTION, "a clock correction", MARK, shift_s)


def plan_correction(
    device_time: datetime, received_at: datetime, last_answer_at: datetime | None, policy: ClockPolicy = POLICY
) -> int | None:
    """Seconds to shift the clock by, or None: it is near enough, was answered lately, or is a person's matter."""
    if policy.correct_over_s is None:
        return None
    if (
        last_answer_at
        and policy.min_interval_s
        and received_at - last_answer_at < timedelta(seconds=policy.min_interval_s)
    ):
        return None
    late_s = (received_at - device_time) // timedelta(seconds=1)
    if abs(late_s) <= policy.correct_over_s:
        return None
    if policy.person_over_s is not None and abs(late_s) >= policy.person_over_s:
        return None
    shift_s = late_s + policy.link_delay_s
    return shift_s if policy.max_step_s is None else max(-policy.max_step_s, min(policy.max_step_s, shift_s))


def answer_clock_report(decoded: Decoded, received_at: datetime, last_answer_at: datetime | None) -> Downlink | None:
    """The correction a clock report asks for, or None; other frames ask for nothing."""
    if decoded.frame != FRAME or decoded.device_time is None:
        return None
    shift_s = plan_correction(decoded.device_time, received_at, last_answer_at)
    return None if shift_s is None else Downlink(PORT, encode_correction(shift_s))
