"""YAML of a payload document: 1.2, numbers as written, and limits before anything is built."""

from decimal import Decimal

import pytest

from drivers.errors import DocumentError
from drivers.payload.document import MAX_BYTES, MAX_DEPTH, Tree, parse_document


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{NO: on, y: off}", {"NO": "on", "y": "off"}),
        ("[0x10, 0o17, -3, +4, 0]", [16, 15, -3, 4, 0]),
        ("[0.10, 1e-3, .5]", [Decimal("0.10"), Decimal("0.001"), Decimal("0.5")]),
        ("[0910, '12', 1_000]", ["0910", "12", "1_000"]),
        ("[~, null, '', True, FALSE]", [None, None, "", True, False]),
        ("{[1, 0x67]: a, '[2, !0]': b}", {"[1, 103]": "a", "[2, !0]": "b"}),
        ("{2..5: a, _: b}", {"2..5": "a", "_": "b"}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
    ],
)
def test_scalar_is_what_yaml_1_2_says(text: str, expected: Tree) -> None:
    """Words of YAML 1.1 are text, a fraction keeps its digits, digits after a zero stay text, a list may be a key."""
    assert parse_document(text.encode()) == expected


LAUGHS = "a: &a [x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 8)}]" for n in range(8)
)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"a: " + b"x" * MAX_BYTES, "at most"),
        (b"\xff", "UTF-8"),
        (b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), "nesting"),
        (LAUGHS.encode(), "expands to at most"),
        (b"a: *b", r"\*b stands for nothing"),
        (b"a: &a [*a]", "stands for nothing"),
        (b"a: 1\na: 2", "'a' stands twice"),
        (b"a: !!python/object:os.system x", "tag"),
        (b"a: !x [1]", "tag"),
        (b"a: 1e999999999999999999999", "beyond"),
        (b"a: 1e300", "beyond"),
        (b"a: .inf", "no number"),
        (b"a: " + b"9" * 50, "at most 40"),
        (b"a: [", "no YAML"),
        (b"a\n---\nb", "exactly one document"),
        (b"", "exactly one document"),
        (b"{{a: b}: c}", "a key is a scalar"),
        (b"a: \x00", "no YAML"),
    ],
)
def test_document_beyond_the_limits_is_refused(raw: bytes, says: str) -> None:
    """Too large, too deep, aliases that multiply, tags, doubled keys, numbers without end: each is named."""
    with pytest.raises(DocumentError, match=says):
        parse_document(raw)
