"""How many examples a law gets: few in `make test`, as many as asked for in `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

CASES = "PASSPORT_CASES"


def cases(few: int) -> settings:
    """So many examples, or as many as `make fuzz` asks for."""
    # What is slow is their number and their size, not what is made of them.
    return settings(
        max_examples=int(os.environ.get(CASES, few)), deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
