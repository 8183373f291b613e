"""What the collector of cyclic garbage looks at."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# A fold of ten thousand statements makes a million objects that live until its end: at the usual thresholds (700, 10,
# 10) a third of its time goes to walking them again and again.
THRESHOLDS = (50_000, 20, 20)


@contextmanager
def loading() -> Iterator[None]:
    """Import in the block: what is loaded stays, so that looking through it for garbage finds none.

    It would take a sixth of a command and a third of a node's start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def settle_collector() -> None:
    """Look no more at what is loaded by now, and less often at what is new."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


@contextmanager
def kept_for_long() -> Iterator[None]:
    """Leave what is made in the block, and all that lives by then, out of later collections.

    Without cycles it is freed all the same once nobody refers to it; garbage that has some is collected before. Going
    through a node's catalogs and code, or through a table of hundreds of thousands of rows, stops every thread for a
    third of a second, and an import makes that happen every few seconds.
    """
    gc.collect()
    yield
    gc.freeze()
