"""How often the interpreter looks for rings of objects that nobody holds."""

import gc

# A fold of ten thousand statements makes a million objects that live until its end: at the usual thresholds (700, 10,
# 10) a third of its time goes to walking them again and again.
THRESHOLDS = (50_000, 20, 20)


def settle_collector() -> None:
    """Look no more at what is loaded by now, and less often at what is new."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
