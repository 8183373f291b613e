"""What the collector of cyclic garbage looks at."""

import gc


def keep_for_long() -> None:
    """Leave what lives now out of later collections; without cycles it is freed all the same once nobody refers to it.

    Going through a node's catalogs and its code, or through a table of hundreds of thousands of rows, stops every
    thread for a third of a second, and an import makes that happen every few seconds.
    """
    gc.freeze()
