"""Whatever a passport and the console name by a code has a Russian and an English name."""

import re
from collections.abc import Mapping

import pytest

from federation.authority import Attested
from federation.fragment import SectionClass
from node.config import NodeSection
from node.passport.catalogs import Catalog, find_name, load_central
from node.passport.lifecycle import STATES as LIFECYCLE
from node.passport.merge import Standing
from node.passport.templates.layout import ROLES as TEMPLATE_ROLES
from node.passport.waiting import Waiting
from node.web import console_words, passport_words, protocol_words, radio_words
from node.web.passport_words import fact_words, named, unit_words

CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
LATIN = re.compile("[a-z]", re.IGNORECASE)
TABLES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": table
    for module in (passport_words, console_words, protocol_words, radio_words)
    for name, table in vars(module).items()
    if name.isupper() and isinstance(table, dict)
}


@pytest.mark.parametrize("catalog", list(Catalog))
def test_every_code_of_a_central_catalog_has_both_names(catalog: Catalog) -> None:
    """Each event, parameter, unit, type, process and role ships with a Russian name and an English one."""
    for code in load_central(catalog):
        russian, english = find_name(catalog, code, "ru"), find_name(catalog, code, "en")
        assert russian, code
        assert english, code
        assert not CYRILLIC.search(english), code


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (passport_words.STATES, LIFECYCLE | {"known", "verified", ""}),
        (passport_words.STANDINGS, {standing.value for standing in Standing}),
        (passport_words.CLASSES, {str(int(klass)) for klass in SectionClass}),
        (console_words.PROCESSES, {what.value for what in Waiting}),
        (console_words.ATTESTED, {what.name.lower() for what in Attested}),
        (console_words.JOB_STATES, {"waiting", "running", "done", "failed"}),
        (console_words.PEER_STATES, {"inbox", "active", "ignored"}),
        (protocol_words.ROLES, TEMPLATE_ROLES),
    ],
)
def test_every_code_of_the_product_has_words(table: Mapping[str, object], codes: set[str]) -> None:
    """No state, standing, class, process, attestation, job, peer or role is shown as a bare code."""
    assert codes <= table.keys()


def test_every_step_of_a_process_has_words() -> None:
    """Each step of the central processes reads as words."""
    steps = {str(step) for record in load_central(Catalog.PROCESSES).values() for step in record["steps"]}  # type: ignore[union-attr]  # a list in each record
    assert steps <= passport_words.STEPS.keys()


def test_every_kind_of_organisation_has_words() -> None:
    """What a node may say it is reads as words."""
    kinds = NodeSection.model_json_schema()["properties"]["kind"]["enum"]
    assert set(kinds) <= console_words.ORGANISATION_KINDS.keys()


@pytest.mark.parametrize("name", TABLES)
def test_words_are_in_their_language(name: str) -> None:
    """Each entry of each table of words has two texts, and the English one holds no Cyrillic letter."""
    for code, (russian, english) in TABLES[name].items():
        assert russian, code
        assert english, code
        assert not CYRILLIC.search(english), code


def test_reference_is_named_by_the_central_catalog_first_in_english() -> None:
    """A view holds Russian names; in English a central code is looked up, and an own code keeps its own name."""
    bound = {"local": "00-17", "central": "dn", "name": "Номинальный диаметр"}
    own = {"local": "ЦВЕТ", "central": None, "name": "Цвет"}

    assert named(bound, "parameters", "en") == "Nominal diameter"
    assert named(bound, "parameters", "ru") == "Номинальный диаметр"
    assert named(own, "parameters", "en") == "Цвет"
    assert named({"local": None, "central": "x:new", "name": None}, "parameters", "en") == "x:new"
    assert named({"central": "repaired"}, "events", "ru") == "отремонтирован"


@pytest.mark.parametrize(
    ("what", "russian", "english"),
    [
        ("identity.serial", "Заводской №", "Serial"),
        ("parameters.dn@2026-01-31", "Номинальный диаметр, 31.01.2026", "Nominal diameter, 2026-01-31"),
        ("parameters.local/00ff/ЦВЕТ@", "ЦВЕТ", "ЦВЕТ"),
        ("parties.owner", "Владелец", "Owner"),
        ("composition", "Комплектация", "Composition"),
        ("state", "Состояние", "State"),
    ],
)
def test_disputed_fact_is_named_in_words(what: str, russian: str, english: str) -> None:
    """Conflicts and claims tell the register and the field, or the parameter and since when."""
    assert (fact_words(what, "ru"), fact_words(what, "en")) == (russian, english)


@pytest.mark.parametrize(
    ("code", "russian", "english"), [("m3", "м³", "m³"), ("mo", "мес.", "months"), ("x", "x", "x")]
)
def test_unit_is_written_as_people_write_it(code: str, russian: str, english: str) -> None:
    """A unit has its sign in both languages; one that nobody named stands as its code."""
    assert (unit_words(code, "ru"), unit_words(code, "en")) == (russian, english)
