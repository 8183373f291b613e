"""Which rows of the model mapping can stand, and by which rule the others cannot."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.mapping import ANY, MappingRow
from node.passport.catalogs import Catalog, load_central
from node.passport.mapping_rules import _TEXTS, KnownField, MappingFault, MappingRule, RowDraft, read_row

RECORDS = load_central(Catalog.PARAMETERS)
DRAFT = RowDraft("meter", "volume_backward", "volume")
READ = KnownField(is_driver=True, units={1: {"L"}, 2: {"1"}})


def broken(draft: RowDraft, known: KnownField = READ) -> tuple[str, str]:
    """The field and the rule that a draft breaks; empty where none."""
    found = read_row(draft, known, RECORDS)
    return (found.field, found.rule.value) if isinstance(found, MappingFault) else ("", "")


def test_what_is_left_out_is_the_catalogs_or_every() -> None:
    """Every channel, the unit of the parameter, no OBIS code, and one as the scale."""
    assert read_row(DRAFT, READ, RECORDS) == MappingRow("meter", "volume_backward", ANY, "volume", "m3")


def test_what_is_typed_is_kept() -> None:
    """Spaces around go; the number stays as it is written."""
    draft = replace(DRAFT, channel=2, unit=" L ", obis="8-0:1.0.0*255", scale=" 0.0010 ")

    assert read_row(draft, READ, RECORDS) == MappingRow(
        "meter", "volume_backward", 2, "volume", "L", "8-0:1.0.0*255", Decimal("0.0010")
    )


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"code": "nothing"}, "code", "code-unknown"),
        ({"code": ""}, "code", "code-unknown"),
        ({"code": "dev_eui"}, "code", "code-without-unit"),
        ({"unit": "m³"}, "unit", "unit-unknown"),
        ({"unit": "kW.h"}, "unit", "unit-of-code"),
        ({"unit": "kW.h", "scale": "2"}, "unit", "unit-of-code"),
        ({"channel": 2}, "unit", "unit-as-read"),
        ({"channel": 2, "scale": "0.01"}, "", ""),
        ({"code": "energy_heat"}, "unit", "unit-as-read"),
        ({"channel": 9}, "", ""),
        *(({"obis": text}, "", "") for text in ("1.8.0", "1-0:1.8.0", "255-255:255.255.255*255", "1.8.0*0", "")),
        *(
            ({"obis": text}, "obis", "obis-form")
            for text in ("1-0:1.8", "256-0:1.8.0", "1.8.0*256", "1-1.8.0", "1.8.0*", "a-0:1.8.0", "1.8.0 1", "١.8.0")
        ),
        *(({"scale": text}, "", "") for text in ("-1", "+2", "1e3", "1E-19", "0.5", "12345678901234567890")),
        *(
            ({"scale": text}, "scale", "scale-form")
            for text in ("", "x", "NaN", "Infinity", "1_0", "1,5", "0x1", "1e999999999", "1e", "٣", "9" * 65)
        ),
        *(({"scale": text}, "scale", "scale-zero") for text in ("0", "-0.00", "0e5")),
        *(({"scale": text}, "scale", "scale-digits") for text in ("123456789012345678901", "1e20", "1e-20", "1e99")),
    ],
)
def test_rule_that_is_broken_is_named_with_its_field(changes: dict[str, object], field: str, rule: str) -> None:
    """One rule, the field it is of, and nothing else."""
    assert broken(replace(DRAFT, **changes)) == (field, rule)  # type: ignore[arg-type]  # as of the draft


def test_driver_and_quantity_are_ones_that_were_here() -> None:
    """An unknown driver, a name never used, and a name of bytes that are no number are told apart."""
    assert broken(DRAFT, KnownField(is_driver=False)) == ("driver", "driver-unknown")
    assert broken(DRAFT, KnownField(is_driver=True)) == ("quantity", "quantity-unknown")
    assert broken(DRAFT, KnownField(is_driver=True, is_bytes=True)) == ("quantity", "quantity-bytes")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_each_rule_has_words(language: str) -> None:
    """In both languages, with the values that the rule gives."""
    names = ("driver", "quantity", "code", "unit", "wanted", "read", "obis", "scale")

    assert _TEXTS.keys() == set(MappingRule)
    assert all(MappingFault("x", rule, dict.fromkeys(names, "7")).text(language) for rule in MappingRule)


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_any_texts_give_a_row_or_a_fault_with_words(code: str, unit: str, obis: str, scale: str) -> None:
    """Whatever is typed, nothing else is raised."""
    for typed in (code, "volume"):
        found = read_row(RowDraft("meter", "q", typed, None, unit, obis, scale), READ, RECORDS)
        assert isinstance(found, MappingRow) or (found.text("ru") and found.text("en"))
