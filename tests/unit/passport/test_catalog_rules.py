"""What catalogs say of a row: the field, the rule, and nothing put right silently."""

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from node.passport.catalog_messages import RULES, rule_words
from node.passport.catalog_records import find_faults
from node.passport.catalog_rules import FIELDS, RowFinding, Rulebook, check_parameter, check_row
from node.passport.catalogs import Catalog, load_central, load_types, parse_type
from node.passport.code_suggestions import MOST, Suggester
from node.passport.measures import convert, find_unit

CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
UNITS = load_central(Catalog.UNITS)
THEN = "grsi-not-valid-then"
VALID = parse_type(
    {
        "code": "t:v", "grsi": "12345-20", "type_ru": "Счётчик", "type_en": "Meter", "model": "В-1", "mpi_months": 72,
        "executions": ["В-1-15"], "valid_from": "2020-03-01", "valid_until": "2025-02-28",
    }
)  # fmt: skip
BOOK = Rulebook(
    records={catalog.value: load_central(catalog) for catalog in Catalog},
    types={**load_types(), "t:v": VALID},
    own={
        ("parameters", "P-1"): "energy_heat",
        ("units", "куб"): "m3",
        ("types", "00-1"): "t:v",
        ("events", "ПУСК"): None,
    },
    versions={"t:v": frozenset({"1.0"})},
)


def rules(**row: str) -> list[tuple[str, str]]:
    """(field, rule) of every finding that refuses."""
    return [(found.field, found.rule) for found in check_row(BOOK, row) if not found.is_hint]


@pytest.mark.parametrize("catalog", list(Catalog))
def test_shipped_records_keep_the_rules_of_their_catalog(catalog: Catalog) -> None:
    """Release 0 holds nothing that a steward could not sign."""
    assert [fault for record in load_central(catalog).values() for fault in find_faults(catalog, record)] == []


@pytest.mark.parametrize(
    ("row", "broken"),
    [
        ({"parameter": "volume", "value": "12.5", "unit": "m3"}, []),
        ({"parameter": "P-1", "value": "12.5", "unit": "Gcal_IT"}, []),
        ({"parameter": "P-1", "value": "12.5", "unit": "m3"}, [("unit", "unit-dimension")]),
        ({"parameter": "energy_heat", "value": "1", "unit": "Гкал"}, [("unit", "unit-unknown-near")]),
        ({"parameter": "energy_heat", "value": "1", "unit": "furlong"}, [("unit", "unit-unknown")]),
        ({"parameter": "energy_heat", "value": "1", "unit": "Gcal"}, [("unit", "unit-trap")]),
        ({"parameter": "volume", "value": "1", "unit": "куб"}, []),
        ({"parameter": "volume", "value": "1,5"}, [("value", "value-number")]),
        ({"parameter": "volume", "value": "1.2345"}, [("value", "value-decimals")]),
        ({"parameter": "volume", "value": "-1"}, [("value", "value-range")]),
        ({"parameter": "dn", "value": "0.5"}, []),
        ({"parameter": "dn", "value": "-15"}, [("value", "value-above")]),
        ({"parameter": "dn", "value": "0", "unit": "mm"}, [("value", "value-above")]),
        ({"parameter": "pulse_weight", "value": "-0.001", "unit": "m3"}, [("value", "value-above")]),
        ({"parameter": "q3", "value": "0.0"}, [("value", "value-above")]),
        ({"parameter": "mpi_months", "value": "0"}, [("value", "value-above")]),
        ({"parameter": "mpi_months", "value": "7.5"}, [("value", "value-integer")]),
        ({"parameter": "manufactured_on", "value": "31.01.2026"}, [("value", "value-date")]),
        ({"parameter": "manufactured_on", "value": "2026-02-30"}, [("value", "value-date")]),
        ({"parameter": "manufactured_on", "value": "2026-01-31", "unit": "d"}, [("unit", "unit-needless")]),
        ({"parameter": "lorawan_class", "value": "D"}, [("value", "value-choice")]),
        ({"parameter": "dev_eui", "value": "70B3D5"}, [("value", "value-eui")]),
        ({"parameter": "house_guid", "value": "1"}, [("value", "value-guid")]),
        ({"parameter": "app_key_ref", "value": "0f" * 16}, [("value", "value-secret")]),
        ({"parameter": "ЦВЕТ", "value": "синий"}, []),
        ({"type": "00-1", "execution": "В-1-15", "version": "1.0"}, []),
        ({"type": "t:v", "execution": "В-9"}, [("execution", "execution-unknown")]),
        ({"type": "t:v", "version": "2.0"}, [("version", "version-unknown")]),
        ({"type": "t:v", "approval": "12345-20", "manufactured_on": "2024-05-01"}, []),
        ({"type": "t:v", "approval": "12345-20", "manufactured_on": "2025-03-01"}, [("approval", THEN)]),
        ({"approval": "12345-20", "manufactured_on": "2019-01-01"}, [("approval", "grsi-not-valid-then")]),
        ({"type": "t:v", "approval": "54321-20"}, [("approval", "grsi-of-another-type")]),
        ({"approval": "1234567-20"}, [("approval", "grsi-malformed")]),
        ({"approval": "MID 0102/2014"}, []),
        ({"obis": "1-0:1.8.0"}, []),
        ({"obis": "1-0:1.8.0*255"}, []),
        ({"obis": "1.8.0"}, [("obis", "obis-malformed")]),
        ({"obis": "1-0:1.8.256"}, [("obis", "obis-malformed")]),
    ],
)  # fmt: skip
@pytest.mark.req("B19")
def test_row_that_breaks_a_catalog_is_named_by_field_and_rule(
    row: dict[str, str], broken: list[tuple[str, str]]
) -> None:
    """Each rule speaks of the field that breaks it, and an own code that means nothing yet breaks none."""
    assert rules(**row) == broken


def test_value_in_another_unit_of_one_dimension_is_a_hint() -> None:
    """Heat in GJ is taken as it is; the hint tells it in the parameter's own unit, in the trade's calorie."""
    found = check_row(BOOK, {"parameter": "energy_heat", "value": "4.1868", "unit": "GJ"})

    assert [(one.rule, one.is_hint, one.words["converted"]) for one in found] == [("unit-converts", True, "1")]


def test_range_is_held_in_the_unit_of_the_parameter() -> None:
    """A million litres are a thousand cubic metres; a value too great in its own unit is refused in any."""
    assert rules(parameter="volume", value="1000000", unit="L") == []
    assert rules(parameter="volume", value="999999999", unit="L") == [("value", "value-range")]


@pytest.mark.parametrize("code", ["dn", "q3", "ratio_r", "pulse_weight", "mpi_months", "k_factor"])
def test_quantity_of_a_device_is_more_than_nothing(code: str) -> None:
    """Diameters, flows, weights of pulses, intervals and factors have a strict least value in the catalog."""
    assert [rules(parameter=code, value=value) for value in ("0", "-1", "1")] == [
        [("value", "value-above")],
        [("value", "value-above")],
        [],
    ]


def test_thermochemical_calorie_is_another_unit() -> None:
    """One Gcal of the heat trade is 0.07 per cent more than UCUM's Gcal."""
    assert convert(Decimal("4184"), UNITS["Gcal_IT"], UNITS["Gcal"]) == Decimal("4186.8")
    assert find_unit(UNITS, "гкал") == "Gcal_IT"


@pytest.mark.parametrize(
    ("text", "code"), [("куб. м", "m3"), ("кВт*ч", "kW.h"), ("233", "Gcal_IT"), ("°С", None), ("M³/H", "m3/h")]
)
def test_unit_is_found_by_what_people_write(text: str, code: str | None) -> None:
    """Signs, synonyms and ОКЕИ codes lead to the UCUM code."""
    assert find_unit(UNITS, text) == code


@pytest.mark.parametrize("rule", RULES)
def test_rule_speaks_both_languages(rule: str) -> None:
    """Each rule says in both languages what is wrong and what to do."""
    words = dict.fromkeys(("catalog", "central", "near", "given", "wanted", "unit", "instead", "converted"), "x")
    words |= dict.fromkeys(
        ("decimals", "min", "max", "choices", "above", "type", "known", "own", "day", "from", "to", "first"), "x"
    )
    russian, english = (rule_words(rule, {**words, "value": "x"}, language) for language in ("ru", "en"))

    assert all(CYRILLIC.search(text) for text in russian)
    assert not any(CYRILLIC.search(text.replace("ГРСИ", "")) for text in english)


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=40)))
@example({"type": "\0"})
@example({"parameter": "x" * 5000})
def test_any_row_gives_findings(row: dict[str, str]) -> None:
    """Whatever texts stand in a row, each finding has words in both languages."""
    for found in check_row(BOOK, row):
        assert isinstance(found, RowFinding)
        assert all(rule_words(found.rule, {"value": found.value, **found.words}, language) for language in ("ru", "en"))


@pytest.mark.parametrize(
    ("catalog", "name", "code"),
    [
        (Catalog.PARAMETERS, "Объем  воды", "volume"),
        (Catalog.PARAMETERS, "supply TEMPERATURE", "temp_supply"),
        (Catalog.UNITS, "куб.м", "m3"),
        (Catalog.EVENTS, "Установлен.", "installed"),
        (Catalog.TYPES, "ТВ-307Д", "t:calc"),
    ],
)
def test_own_name_leads_to_the_central_code(catalog: Catalog, name: str, code: str) -> None:
    """Names in either language are compared without case, punctuation and word order; three at most are offered."""
    found = Suggester(load_central(catalog)).suggest([name])

    assert found[0].code == code
    assert len(found) <= MOST


@pytest.mark.parametrize(
    ("code", "value", "unit", "rules"),
    [
        ("dn", "20", None, ["unit-absent"]),
        ("dn", "20", "mm", []),
        ("dn", "-5", "mm", ["value-above"]),
        ("ratio_r", "80", None, []),
        ("firmware_version", "1.0", None, []),
    ],
)
def test_number_without_its_unit_is_told_and_a_negative_size_is_refused(
    code: str, value: str, unit: str | None, rules: list[str]
) -> None:
    """A number whose parameter has a unit is taken and marked; what is counted or divided needs none."""
    records = {catalog.value: load_central(catalog) for catalog in (Catalog.PARAMETERS, Catalog.UNITS)}

    found = list(check_parameter(Rulebook(records=records, types={}), code, value, unit))

    assert [one.rule for one in found] == rules
    assert all(one.is_hint for one in found if one.rule == "unit-absent")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Монтаж", "installed"), ("Снятие", "removed"), ("Демонтаж прибора", "removed"),
        ("Поверка периодическая", "verified"), ("Ремонт в сервисе", "repaired"), ("Отгрузка", "shipped"),
        ("Списание", "scrapped"), ("Допуск в эксплуатацию", "admitted"), ("Калибровка", "calibrated"),
        ("Смена собственника", "owner_changed"), ("Срыв пломбы", "seal_broken"),
    ],
)  # fmt: skip
def test_event_is_found_by_the_noun_that_systems_call_it(name: str, code: str) -> None:
    """Other systems name acts, the catalog says what happened: the noun is as sure as the participle."""
    assert Suggester(load_central(Catalog.EVENTS)).suggest([name])[0].code == code


@pytest.mark.parametrize("name", ["Опломбирование", "Замена батареи", "Осмотр"])
def test_act_that_the_catalog_lacks_is_sure_of_nothing(name: str) -> None:
    """What would be bound to another act is at most a weak guess."""
    assert all(found.score < 75 for found in Suggester(load_central(Catalog.EVENTS)).suggest([name]))


@pytest.mark.parametrize(("name", "code"), [("Т1", "temp_supply"), ("т2, °C", "temp_return"), ("ДУ, мм", "dn")])
def test_sign_of_a_formula_is_found_in_either_alphabet_and_with_its_unit(name: str, code: str) -> None:
    """«Т1» in Cyrillic is T1; what stands after a comma is the unit."""
    assert Suggester(load_central(Catalog.PARAMETERS)).suggest([name])[0].code == code


def test_refused_suggestion_is_offered_no_more() -> None:
    """What a person refused for an own code gives way to the next one."""
    suggester = Suggester(load_central(Catalog.UNITS))

    assert suggester.suggest(["гкал"])[0].code == "Gcal_IT"
    assert "Gcal_IT" not in {one.code for one in suggester.suggest(["гкал"], ["Gcal_IT"])}
