"""A document laid out for print by its template."""

from decimal import Decimal

import pytest

from node.passport.strict_json import Json
from node.passport.templates.layout import BlockKind
from node.passport.templates.pointer import MISSING
from node.passport.templates.sheet import MAX_VALUES, attachments_of, parties_of, sheet_of
from node.passport.templates.template import split_personal
from node.web.protocol_words import label_words, value_words
from tests.unit.passport.test_templates import NAMES, load_document, load_template
from tests.unit.passport.test_templates_personal import template_with

VERIFICATION = load_template("verification")


def test_sheet_follows_the_print_layout_in_order() -> None:
    """Blocks stand in the template's order with its titles; what the document does not say is left out."""
    blocks = sheet_of(VERIFICATION, load_document("verification.ok"))

    assert [block.title.get("en") for block in blocks] == [
        "Verification protocol",
        "Instrument",
        "Method and conditions",
        "Standards",
        "Operations",
        "Flow points",
        "Result",
        "Signatures",
    ]
    first = blocks[0]
    assert [str(line.label.place) for line in first.lines][:2] == ["/protocol_no", "/date"]
    assert all(line.value is not MISSING for line in first.lines)


def test_table_has_the_columns_that_some_row_fills_in() -> None:
    """Rows of nested arrays stand in one table; a column that no row fills in is left out."""
    document = load_document("verification.ok")
    points = next(b for b in sheet_of(VERIFICATION, document) if b.title.get("en") == "Flow points")
    operations = document["operations"]
    assert isinstance(operations, list)
    told = [point for item in operations if isinstance(item, dict) for point in item.get("points", [])]  # type: ignore[union-attr]  # a list in the example

    assert points.kind is BlockKind.TABLE
    assert len(points.rows) == len(told)
    assert all(len(row) == len(points.columns) for row in points.rows)
    assert [label_words(label, "en") for label in points.columns][:3] == [
        "Point",
        "Flow set, m³/h",
        "Volume by the standard, m³",
    ]


def test_personal_value_that_is_withheld_is_shown_as_such() -> None:
    """Of a document without its personal part the places are shown with nothing in them; whole, nothing is missing."""
    document = load_document("verification.ok")
    open_part = split_personal(VERIFICATION, document).open

    shown = {
        str(line.label.place): line.value for b in sheet_of(VERIFICATION, open_part, is_whole=False) for line in b.lines
    }
    whole = {str(line.label.place): line.value for b in sheet_of(VERIFICATION, document) for line in b.lines}

    assert shown["/owner"] is MISSING
    assert whole["/owner"] == document["owner"]
    assert "/owner" not in {str(line.label.place) for b in sheet_of(VERIFICATION, open_part) for line in b.lines}


def test_parties_are_those_of_the_template() -> None:
    """Each party has its title, whether it signs, and whom the document names."""
    executor, owner = parties_of(VERIFICATION, load_document("verification.ok"))

    assert (executor.role, executor.signs) == ("process_executor", True)
    assert executor.organisation is not None
    assert (owner.role, owner.signs, owner.organisation) == ("owner", False, None)


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".ok")])
def test_every_value_of_a_good_example_reads_in_both_languages(name: str) -> None:
    """Every label and value of the three templates' good documents is a text in Russian and in English."""
    template = load_template(name.partition(".")[0])
    for block in sheet_of(template, load_document(name)):
        for language in ("ru", "en"):
            assert all(label_words(line.label, language) and value_words(line.value, language) for line in block.lines)
            assert all(label_words(column, language) for column in block.columns)


def test_attachments_are_found_wherever_a_digest_stands() -> None:
    """A file is told by its SHA-256 at any depth; a text that only is called so is none."""
    digest = "ab" * 32
    document: Json = {
        "photos": [{"sha256": digest, "media_type": "image/png", "size": 7}, {"sha256": "short"}],
        "note": {"file": {"sha256": digest}},
    }

    found = [(str(place), file["sha256"]) for place, file in attachments_of(document)]

    assert found == [("/photos/0", digest), ("/note/file", digest)]


@pytest.mark.parametrize(
    ("value", "russian", "english"),
    [
        (Decimal("0.0050"), "0,0050", "0.0050"),
        (True, "да", "yes"),
        (None, "—", "—"),
        (MISSING, "—", "—"),
        ("2026-11-02", "02.11.2026", "2026-11-02"),
        ("initial", "первичная", "initial"),
        ("СГВ-15", "СГВ-15", "СГВ-15"),
        ([1, 2], "1, 2", "1, 2"),
        ({"volume": Decimal("0.012")}, "Объём: 0,012", "Volume: 0.012"),
    ],
)
def test_value_reads_as_people_write_it(value: object, russian: str, english: str) -> None:
    """Numbers keep their digits, with a comma in Russian; days, answers and usual words are told in the language."""
    assert (value_words(value, "ru"), value_words(value, "en")) == (russian, english)  # type: ignore[arg-type]  # JSON values of every kind


@pytest.mark.timeout(20)
def test_sheet_of_millions_of_cells_is_cut() -> None:
    """A stranger's table of 500 columns and 40,000 rows, and places by the ten thousand, take what a page may take."""
    columns = [f"c{number}" for number in range(500)]
    blocks = [{"kind": "fields", "fields": ["/b/*"]}] + [{"kind": "table", "each": "/a", "columns": columns}] * 4
    template = template_with({"a": {"type": "array"}, "b": {"type": "array"}}, print={"blocks": blocks})

    fields, *tables = sheet_of(template, {"a": [{"c0": 1}] * 40_000, "b": [1] * 9_000})

    assert ((len(fields.lines), fields.is_cut), [table.is_cut for table in tables]) == ((9_000, False), [True] * 4)
    assert sum(len(table.rows) for table in tables) == (MAX_VALUES - 9_000) // 500
