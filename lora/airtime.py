"""Time on air of a LoRa or FSK frame, in whole microseconds (SX1276 data sheet, 4.1.1.7; AN1200.13)."""

from lora.radio import FskRate, LoraRate, Rate

PREAMBLE_SYMBOLS = 8
LOW_RATE_SYMBOL_US = 16_000
_FSK_PREAMBLE = 5
_FSK_SYNC = 3
_FSK_LENGTH = 1
_FSK_CRC = 2


def time_on_air_us(rate: Rate, size: int, *, coding: int = 1, crc: bool = True, header: bool = True) -> int:
    """How long a PHYPayload of `size` bytes occupies the channel; `coding` 1-4 is 4/5-4/8.

    Downlinks are sent without the physical CRC: pass `crc=False` for them.
    """
    if isinstance(rate, FskRate):
        bits = 8 * (_FSK_PREAMBLE + _FSK_SYNC + _FSK_LENGTH + size + _FSK_CRC * crc)
        return -(-bits * 1_000_000 // rate.bitrate_bps)
    quarter_symbols = 4 * (PREAMBLE_SYMBOLS + _payload_symbols(rate, size, coding, crc, header)) + 17
    return quarter_symbols * (1 << rate.spreading_factor) * 250_000 // rate.bandwidth_hz


def _payload_symbols(rate: LoraRate, size: int, coding: int, crc: bool, header: bool) -> int:
    factor = rate.spreading_factor
    slow = (1 << factor) * 1_000_000 // rate.bandwidth_hz > LOW_RATE_SYMBOL_US
    bits = 8 * size - 4 * factor + 28 + 16 * crc - 20 * (not header)
    blocks = -(-max(bits, 0) // (4 * (factor - 2 * slow)))
    return 8 + blocks * (coding + 4)
