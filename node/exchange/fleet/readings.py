"""Readings that only another unit explains: against the meter's own previous reading, or against its neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from node.exchange.fleet import rules
from node.exchange.fleet.findings import Rule
from node.exchange.fleet.peers import Peers
from node.exchange.fleet.rows import FleetRow

THOUSAND = (800, 1250)
LEAST_LARGE = 100
# A consumption is out of the question above so many usual ones, and usual again up to as many.
ODD, USUAL = 5.0, 1.5
# How many of the unit on the right make one of the unit on the left.
FACTORS: Mapping[str, tuple[tuple[float, str], ...]] = {
    "Gcal_IT": ((4.1868, "GJ"), (1163.0, "kW.h")),
    "GJ": ((1 / 4.1868, "Gcal_IT"), (1000 / 3.6, "kW.h")),
    "MW.h": ((1 / 1.163, "Gcal_IT"), (3.6, "GJ")),
    "kW.h": ((0.0036, "GJ"), (1 / 1163, "Gcal_IT")),
}
HEAT = ((4.1868, "GJ"), (1 / 4.1868, "Gcal_IT"))  # where no unit is told


@dataclass(frozen=True, slots=True)
class Slip:
    """What a reading breaks, and the words of it."""

    rule: Rule
    words: Mapping[str, object]


def find_slip(row: FleetRow, peers: Peers, everyone: Peers) -> Slip | None:
    """What is odd about a reading; of a type with few meters those of all others in its unit tell what is usual."""
    if row.reading is None:
        return None
    unit = row.unit or ""
    usual = peers if peers.has_usual(unit) else everyone
    if row.previous and (found := _converted(row, row.reading, row.previous, usual)):
        return found
    if row.previous is not None and row.reading < row.previous and not is_thousandfold(row.previous, row.reading):
        return Slip(rules.READING_BACK, {"previous": f"{row.previous:f}"})
    slip = usual.slip(row)
    if slip is None and row.previous:
        for one, other in ((row.reading, row.previous), (row.previous, row.reading)):
            if one > LEAST_LARGE and is_thousandfold(one, other):
                slip = (1000, float(row.previous))
    return Slip(rules.UNIT_SLIP, {"times": slip[0], "usual": f"{slip[1]:.6g}"}) if slip else None


def is_thousandfold(one: Decimal, other: Decimal) -> bool:
    """Whether one reading is a thousand times the other, give or take a fifth."""
    return other > 0 and THOUSAND[0] <= one / other <= THOUSAND[1]


def _converted(row: FleetRow, reading: Decimal, previous: Decimal, usual: Peers) -> Slip | None:
    """The unit in which a reading of energy goes on from the previous one as those of the neighbours do."""
    factors = FACTORS.get(row.unit, ()) if row.unit else HEAT if row.resource == "heat" else ()
    high = usual.usual_consumption(row.unit or "") if factors else None
    if high is None or float(previous) < 2 * high or 0 <= float(reading - previous) <= ODD * high:
        return None
    for factor, unit in factors:
        if 0 <= float(reading) / factor - float(previous) <= USUAL * high:
            return Slip(rules.UNIT_CONVERTED, {"previous": f"{previous:f}", "unit": unit, "times": f"{factor:.4g}"})
    return None
