"""What stands in a frame of how it was read: bounded, for a driver says what it likes and as much as it likes.

The frame itself is kept whole, so nothing is lost: what was cut is read again from its bytes.
"""

from collections.abc import Mapping
from itertools import islice

from drivers.reading import Decoded
from node.services.decoding import Decoding, Why
from node.store.radio import StoredFrame
from node.store.readings import fits

OWNER = "subject"  # whose it was when it was attributed
MOST_NAMES = 200  # names of a frame that mean nothing here; as many more are counted
LONGEST_NAME, LONGEST_VALUE, LONGEST_TEXT = 200, 256, 500  # characters
CUT = "\N{HORIZONTAL ELLIPSIS}"  # at the end of what was cut


def detail_of(subject: bytes, frame: StoredFrame, decoding: Decoding) -> dict[str, object]:
    """What stands in a frame of whose it is, and how it was read."""
    heard = {name: value for name, value in frame.detail.items() if name not in ("error", "why")}
    heard[OWNER] = subject.hex()
    if decoding.decoded is None or decoding.driver is None:
        return {**heard, "error": cut(decoding.error), "why": decoding.why or Why.FRAME}
    unmapped = _unmapped(decoding.decoded)
    shown = {cut(name, LONGEST_NAME): cut(value, LONGEST_VALUE) for name, value in islice(unmapped.items(), MOST_NAMES)}
    more = {"unmapped_more": len(unmapped) - MOST_NAMES} if len(unmapped) > MOST_NAMES else {}
    read = {"frame": cut(decoding.decoded.frame), "driver": decoding.driver.name, "unmapped": shown}
    return {**{name: value for name, value in heard.items() if name != "unmapped_more"}, **read, **more}


def cut(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text of at most so many characters: one that was longer ends with a mark."""
    return text if len(text) <= longest else text[: longest - len(CUT)] + CUT


def _unmapped(decoded: Decoded) -> Mapping[str, str]:
    """Values without a meaning in hex, and readings that the store cannot hold."""
    found = {item.name: item.raw[:LONGEST_VALUE].hex() for item in decoded.unmapped}
    return found | {one.quantity: f"{one.value:f} {one.unit}" for one in decoded.readings if not fits(one.value)}
