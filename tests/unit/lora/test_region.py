"""Channel plans."""

import pytest

from lora.errors import EncodeError, RegionError
from lora.radio import FskRate, LoraRate, parse_lora_rate
from lora.region import EU868, RU864, Region, get_region


@pytest.mark.parametrize(
    ("region", "channels", "rx2"),
    [
        (RU864, (868_900_000, 869_100_000), 869_100_000),
        (EU868, (868_100_000, 868_300_000, 868_500_000), 869_525_000),
    ],
)
def test_default_channels_windows_and_power(region: Region, channels: tuple[int, ...], rx2: int) -> None:
    """The default channels carry DR0-5, RX2 is DR0, RX1 comes after 1 s, a join's after 5 s, devices send 16 dBm."""
    assert tuple(channel.frequency_hz for channel in region.channels) == channels
    assert {(channel.min_dr, channel.max_dr) for channel in region.channels} == {(0, 5)}
    assert (region.rx2_frequency_hz, region.rx2_dr) == (rx2, 0)
    assert (region.rx1_delay_s, region.join_delay_s, region.max_eirp_dbm) == (1, 5, 16)


@pytest.mark.parametrize("region", [RU864, EU868])
def test_data_rates_run_from_slow_to_fast(region: Region) -> None:
    """DR0-5 are SF12-7 at 125 kHz, DR6 is SF7 at 250 kHz, DR7 is FSK at 50 kbit/s; there is no DR8."""
    assert [str(region.rate(dr)) for dr in range(6)] == [f"SF{factor}BW125" for factor in range(12, 6, -1)]
    assert region.rate(6) == LoraRate(7, 250_000)
    assert region.rate(7) == FskRate(50_000)
    with pytest.raises(RegionError):
        region.rate(8)


@pytest.mark.parametrize(("dr", "size"), [(0, 51), (1, 51), (2, 51), (3, 115), (4, 242), (5, 242), (6, 242), (7, 242)])
def test_largest_payload_by_rate(dr: int, size: int) -> None:
    """The largest payload without FOpts and repeater, and FOpts take from it."""
    assert RU864.max_payload(dr) == EU868.max_payload(dr) == size
    assert RU864.max_payload(dr, fopts=15) == size - 15


def test_rx1_rate_is_the_uplinks_less_the_offset() -> None:
    """RX1 is slower than the uplink by the offset, and never below DR0."""
    assert [RU864.rx1_dr(5, offset) for offset in range(6)] == [5, 4, 3, 2, 1, 0]
    assert RU864.rx1_dr(1, 5) == 0
    with pytest.raises(RegionError):
        RU864.rx1_dr(5, 6)


def test_channel_list_is_of_type_zero_and_comes_back() -> None:
    """A channel list is sixteen bytes of type 0: five frequencies in steps of 100 Hz, unused ones zero."""
    raw = RU864.encode_cf_list((864_100_000, 864_300_000))

    assert len(raw) == 16
    assert raw[-1] == 0
    assert RU864.decode_cf_list(raw) == (864_100_000, 864_300_000)
    assert RU864.encode_cf_list(()) == b""


def test_channel_list_of_another_type_adds_nothing() -> None:
    """A list whose type is not 0 is not read as frequencies."""
    assert RU864.decode_cf_list(RU864.encode_cf_list((864_100_000,))[:-1] + b"\x01") == ()


def test_channel_outside_the_region_is_refused() -> None:
    """A network cannot add a channel that its region does not have, nor six of them."""
    with pytest.raises(RegionError):
        RU864.encode_cf_list((863_900_000,))
    with pytest.raises(EncodeError):
        RU864.encode_cf_list((864_100_000,) * 6)


def test_channel_mask_controls_zero_and_six() -> None:
    """Control 0 switches channels one by one, 6 switches all on, any other and an undefined channel are refused."""
    assert RU864.masked(0, 0b10, range(2)) == frozenset({1})
    assert RU864.masked(6, 0, range(2)) == frozenset({0, 1})
    assert RU864.masked(0, 0b100, range(2)) is None
    assert RU864.masked(0, 0, range(2)) is None
    assert RU864.masked(5, 0b11, range(2)) is None


def test_power_falls_by_two_db_a_step() -> None:
    """TXPower 0-7 is 16 to 2 dBm."""
    assert [RU864.tx_power_dbm(index) for index in range(8)] == [16, 14, 12, 10, 8, 6, 4, 2]
    with pytest.raises(RegionError):
        RU864.tx_power_dbm(8)


def test_every_frequency_of_a_region_has_a_sub_band() -> None:
    """No channel can be made on which nothing is known of the duty cycle."""
    for region in (RU864, EU868):
        for frequency_hz in range(region.low_hz, region.high_hz + 1, 25_000):
            assert 0 < region.band(frequency_hz).duty_cycle <= 0.1


def test_european_rx2_may_be_louder() -> None:
    """869.525 MHz lies in the sub-band of 10 % and 29 dBm."""
    band = EU868.band(EU868.rx2_frequency_hz)

    assert (band.duty_cycle, band.power_dbm) == (0.1, 29)


def test_region_is_found_by_its_names() -> None:
    """Regions are found in any case and under the names that plates carry."""
    assert get_region("ru864-870") is get_region(" RU864 ") is RU864
    with pytest.raises(RegionError, match="US915"):
        get_region("US915")


@pytest.mark.parametrize("text", ["SF7", "SF4BW125", "SF13BW125", "sf7bw125", "SF７BW125", "SF7BW0125000"])
def test_bad_rate_text_is_refused(text: str) -> None:
    """Only the protocol's own spelling of a rate is read."""
    with pytest.raises(RegionError):
        parse_lora_rate(text)
