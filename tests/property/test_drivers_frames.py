"""Laws of every driver: no bytes break it, what is written is read back, corrections bring a clock near."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.descriptor import Vector
from drivers.driver import summary
from drivers.errors import DriverError
from drivers.reading import Decoded
from drivers.registry import Installed, load_registry
from drivers.units import UNITS, convert
from drivers.vega import betar, clock, settings, spbzip

REGISTRY = load_registry()
U8, U32 = st.integers(0, 255), st.integers(0, (1 << 32) - 1)
TIMES = U32.map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ALIKE = [
    (one.code, other.code) for one in UNITS.values() for other in UNITS.values() if one.dimension == other.dimension
]


@given(installed=st.sampled_from(REGISTRY.installed), port=st.integers(0, 255), data=st.binary(max_size=300))
def test_any_bytes_give_a_value_or_a_driver_error(installed: Installed, port: int, data: bytes) -> None:
    """Whatever is heard on whatever port, a driver decodes it or refuses it, and nothing else."""
    try:
        decoded = installed.driver.decode(port, data)
    except DriverError:
        return
    assert isinstance(decoded, Decoded)
    assert summary(decoded)


# A part of a telegram may end anywhere: what it is a part of says whether it is whole.
@given(
    frame=st.sampled_from([v for d in REGISTRY.installed if not d.driver.joins for v in d.driver.descriptor.vectors]),
    cut=st.data(),
)
def test_cut_real_frame_is_refused_or_shorter_settings(frame: Vector, cut: st.DataObject) -> None:
    """A real frame cut anywhere is refused; only a settings packet may end between two settings."""
    data = bytes.fromhex(frame.data)
    length = cut.draw(st.integers(0, len(data) - 1))
    driver = next(d.driver for d in REGISTRY.installed if frame in d.driver.descriptor.vectors)

    if frame.port == settings.PORT:
        try:
            assert summary(driver.decode(frame.port, data[:length])) != frame.expected
        except DriverError:
            return
    else:
        with pytest.raises(DriverError):
            driver.decode(frame.port, data[:length])


BETAR = st.builds(
    betar.BetarData,
    U8,
    st.integers(-128, 127),
    TIMES,
    U32.map(lambda steps: Decimal(steps) * Decimal("0.0001")),
    magnet=U8,
    led_lock=U8,
    leak=U8,
    broken=U8,
)
INFO = st.builds(
    spbzip.SpbzipInfo,
    U32,
    TIMES,
    TIMES.map(datetime.date),
    U32.map(lambda number: Decimal(number) / 10),
    U32,
    st.integers(-128, 127),
    st.binary(min_size=4, max_size=4),
    st.binary(min_size=8, max_size=8),
)
TARIFFS = st.builds(
    spbzip.SpbzipTariffs, U32, TIMES, U32, st.tuples(U32, U32, U32, U32), U8, st.binary(min_size=2, max_size=2)
)


@given(BETAR)
def test_betar_frame_is_read_back_as_written(data: betar.BetarData) -> None:
    """Every value that fits goes into 15 bytes and comes out the same."""
    assert betar.parse_data(betar.encode_data(data)) == data


@given(INFO)
def test_spbzip_info_is_read_back_as_written(info: spbzip.SpbzipInfo) -> None:
    """Every value that fits goes into 34 bytes and comes out the same."""
    assert spbzip.parse_info(spbzip.encode_info(info)) == info


@given(TARIFFS)
def test_spbzip_tariffs_are_read_back_as_written(frame: spbzip.SpbzipTariffs) -> None:
    """Every value that fits goes into 32 bytes and comes out the same."""
    assert spbzip.parse_tariffs(spbzip.encode_tariffs(frame)) == frame


@given(st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=255)), min_size=1, max_size=20))
def test_settings_are_read_back_as_written(pairs: list[tuple[int, bytes]]) -> None:
    """Any settings in any order go into a packet and come out the same, known or not."""
    written = tuple(settings.Setting(number, raw) for number, raw in pairs)

    assert settings.parse_settings(settings.encode_settings(written)) == written


@given(TIMES, st.integers(-86_399, 86_399))
def test_correction_brings_the_clock_within_a_second_of_the_delay(device: datetime, late: int) -> None:
    """After a correction that travels for 1 s the clock is right to the second; within 5 s none is sent."""
    received = device + timedelta(seconds=late)
    shift = clock.plan_correction(device, received, None)

    if abs(late) <= 5:
        assert shift is None
    else:
        assert shift is not None
        assert device + timedelta(seconds=shift) == received + timedelta(seconds=1)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=4), st.sampled_from(ALIKE))
def test_conversion_there_and_back_is_the_same(value: Decimal, units: tuple[str, str]) -> None:
    """A value converted to another unit of its dimension and back is itself within 10⁻²⁵."""
    one, other = units

    assert abs(convert(convert(value, one, other), other, one) - value) < Decimal("1e-25")
