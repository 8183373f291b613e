"""What stands in a frame of how it was read: bounded whatever a driver says, and cut where it was longer."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from drivers.reading import Decoded, Unmapped
from drivers.registry import Installed
from drivers.vega import betar
from node.services.decoding import Decoding, Why
from node.services.frame_detail import CUT, LONGEST_NAME, LONGEST_TEXT, LONGEST_VALUE, MOST_NAMES, cut, detail_of
from node.store.radio import FrameState, StoredFrame

SUBJECT = bytes(16)
FRAME = StoredFrame(0, "uplink", b"", FrameState.UNRESOLVED, detail={"error": "before", "why": "frame", "adr": True})
DRIVER = Installed(betar.DRIVER, bytes(32))
MOST_BYTES = 6 * (MOST_NAMES * (LONGEST_NAME + LONGEST_VALUE + 8) + 4 * LONGEST_TEXT)  # JSON may write \uXXXX


def unmapped(*items: tuple[str, bytes], frame: str = "port-2") -> Decoding:
    """A frame of which a driver named so much that means nothing here."""
    return Decoding(Decoded(frame, None, (), unmapped=tuple(Unmapped(name, raw) for name, raw in items)), DRIVER)


def test_value_of_any_length_is_cut_and_marked() -> None:
    """A megabyte of text in one value, in a name, in the frame's own name or in an error costs some hundred bytes."""
    long = "x" * 1_000_000

    kept = detail_of(SUBJECT, FRAME, unmapped((long, long.encode()), ("short", b"\x01"), frame=long))
    failed = detail_of(SUBJECT, FRAME, Decoding(None, DRIVER, long, Why.FRAME))

    names = kept["unmapped"]
    assert isinstance(names, dict)
    assert names["short"] == "01"
    (name, value), _ = names.items()
    assert (len(name), len(value), name[-1], value[-1]) == (LONGEST_NAME, LONGEST_VALUE, CUT, CUT)
    assert kept["frame"] == "x" * (LONGEST_TEXT - 1) + CUT
    assert (failed["error"], failed["why"]) == ("x" * (LONGEST_TEXT - 1) + CUT, Why.FRAME)


def test_names_over_the_limit_are_counted() -> None:
    """The first stand, of the others how many there were; the next reading of the frame forgets the count."""
    many = unmapped(*((f"n{n}", b"\x01") for n in range(MOST_NAMES + 7)))

    kept = detail_of(SUBJECT, FRAME, many)
    again = detail_of(SUBJECT, replace(FRAME, detail=kept), unmapped(("n", b"\x01")))

    assert isinstance(kept["unmapped"], dict)
    assert (len(kept["unmapped"]), kept["unmapped_more"]) == (MOST_NAMES, 7)
    assert "unmapped_more" not in again
    assert kept["adr"] is True


@given(st.lists(st.tuples(st.text(), st.binary()), max_size=20), st.text(), st.integers(1, 5_000))
def test_detail_is_bounded_for_anything(items: list[tuple[str, bytes]], frame: str, times: int) -> None:
    """Whatever is said, and however much longer than that."""
    said = unmapped(*((f"{n}{name * times}", raw * times) for n, (name, raw) in enumerate(items)), frame=frame * times)

    assert len(json.dumps(detail_of(SUBJECT, FRAME, said))) <= MOST_BYTES


@given(st.text(max_size=600), st.integers(1, 600))
def test_cut_text_begins_as_the_text(text: str, longest: int) -> None:
    """It is the text itself, or its beginning with the mark."""
    kept = cut(text, longest)

    assert len(kept) <= longest
    assert kept == text or (len(text) > longest and kept.endswith(CUT) and text.startswith(kept[: -len(CUT)]))
