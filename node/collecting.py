"""What the collector of cyclic garbage looks at."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
