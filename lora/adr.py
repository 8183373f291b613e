"""Adaptive data rate: from how well a device was heard to the rate, power and repetitions it is to use.

The rule is Semtech's recommended one as ChirpStack's default algorithm runs it: the margin is the best SNR of the last
20 uplinks, less what the rate needs, less an installation margin; each 3 dB of it is a step. Steps up raise the data
rate first, then take power back; steps down give power again and never lower the rate, which a device does by itself
when it hears nobody (1.0.3, 4.3.1.1). Repetitions follow from lost frames by a table. Steps down and repetitions wait
for 20 uplinks under the settings that are in force, so a history ends where these change.
"""

import struct
from dataclasses import dataclass

HISTORY = 20
STEP_DB = 3.0
MARGIN_DB = 10.0
MAX_NB_TRANS = 3
MAX_GAP = 255
TENTHS = 10
MAX_SNR_DB = 100.0
# By NbTrans 1, 2, 3: less than so many per cent of frames lost, and the next NbTrans.
LOSSES = ((5.0, (1, 1, 2)), (10.0, (1, 2, 3)), (30.0, (2, 3, 3)), (float("inf"), (3, 3, 3)))
_ENTRY = struct.Struct("<hB")
_SIZE = HISTORY * _ENTRY.size
_SHAPES = tuple(struct.Struct("<" + "hB" * heard) for heard in range(HISTORY + 1))


@dataclass(frozen=True, slots=True)
class Settings:
    """What a LinkADRReq sets beside channels: data rate, TXPower index, NbTrans."""

    dr: int
    tx_power: int = 0
    nb_trans: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device may be told: rates and powers that its region, channels and radio have, and the network's margin.

    `floors_db` are the SNRs that data rates from 0 on need; nothing is decided for a rate that has none.
    """

    max_dr: int
    max_tx_power: int
    floors_db: tuple[float, ...]
    margin_db: float = MARGIN_DB
    min_tx_power: int = 0


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a device was heard under its present settings: how many uplinks, the best SNR, how many were lost."""

    heard: int
    best_snr_db: float | None
    lost: int


def note(history: bytes, snr_db: float, gap: int) -> bytes:
    """The history with one more uplink: its best SNR, and by how much its counter is above that of the one before.

    A history is at most 60 bytes, three an uplink, oldest first: it is kept with each session.
    """
    # A gateway writes what it likes, also what is no number.
    if not -MAX_SNR_DB <= snr_db <= MAX_SNR_DB:
        snr_db = MAX_SNR_DB if snr_db > 0 else -MAX_SNR_DB
    return history[_ENTRY.size - _SIZE :] + _ENTRY.pack(round(snr_db * TENTHS), gap if gap < MAX_GAP else MAX_GAP)


def summarise(history: bytes) -> Quality:
    """What a history says."""
    values = _values(history)
    if not values:
        return Quality(0, None, 0)
    return Quality(len(values) // 2, max(values[::2]) / TENTHS, _lost(values))


def decide(history: bytes, now: Settings, limits: Limits) -> Settings | None:
    """What a device is to use instead of what it uses now, or None where nothing is to change."""
    if not history or now.dr >= len(limits.floors_db):
        return None
    is_full = len(history) >= _SIZE
    values = _values(history)
    margin_db = max(values[::2]) / TENTHS - limits.floors_db[now.dr] - limits.margin_db
    dr = now.dr if now.dr <= limits.max_dr else limits.max_dr
    power = now.tx_power
    nb_trans = now.nb_trans
    if is_full:
        lost = _lost(values)
        if lost or nb_trans != 1:
            nb_trans = _repetitions(nb_trans, lost)
    # Towards zero: less than a whole step is none.
    steps = int(margin_db / STEP_DB)
    if steps > 0:
        faster = min(steps, limits.max_dr - dr)
        dr, power = dr + faster, power + steps - faster
    elif steps < 0 and is_full:
        power += steps
    power = max(min(power, limits.max_tx_power), limits.min_tx_power)
    if dr == now.dr and power == now.tx_power and nb_trans == now.nb_trans:
        return None
    return Settings(dr, power, nb_trans)


def _values(history: bytes) -> tuple[int, ...]:
    """Tenths of dB and counter steps in turn, oldest first."""
    return _SHAPES[len(history) // _ENTRY.size].unpack(history)


def _lost(values: tuple[int, ...]) -> int:
    """The frames that are missing between the first and the last."""
    return sum(values[3::2]) - len(values) // 2 + 1


def _repetitions(now: int, lost: int) -> int:
    """NbTrans after so many of the frames between the first and the last of a full history were lost."""
    share = 100.0 * lost / HISTORY
    row = next(row for below, row in LOSSES if share < below)
    return row[min(max(now, 1), MAX_NB_TRANS) - 1]
