"""Central catalogs, dual references and what an execution fills in."""

from decimal import Decimal

import pytest

from node.passport.catalogs import (
    Bindings,
    Catalog,
    Radio,
    Reference,
    find_type,
    get_record,
    load_central,
    load_types,
    parse_type,
    resolve,
)
from node.passport.errors import CatalogError, NumberError
from node.passport.numbers import parse_grsi, parse_inn, parse_ogrn


@pytest.mark.parametrize("catalog", list(Catalog))
def test_central_catalog_ships_with_the_product(catalog: Catalog) -> None:
    """Each central catalog is there, and its codes are unique."""
    assert load_central(catalog)


def test_reference_binds_late() -> None:
    """A record with only a local code answers the central code as soon as a mapping arrives, and is not rewritten."""
    reference = Reference(local="00-00005203")
    before = Bindings()

    after = before.bound("org", "types", "00-00005203", "t:cw")

    assert resolve(reference, before, "org", "types") is None
    assert resolve(reference, after, "org", "types") == "t:cw"
    assert resolve(reference, after, "another", "types") is None
    assert resolve(Reference("00-00005203", "t:hw"), after, "org", "types") == "t:hw"


def test_reference_to_nothing_is_refused() -> None:
    """A reference has a local code, a central one, or both."""
    with pytest.raises(CatalogError):
        Reference()


def test_execution_fills_in_parameters() -> None:
    """A device gets the parameters of its type, and those in which its execution differs."""
    kind = load_types()["t:cwv"]

    assert kind.defaults()["ratio_r"] == 80
    assert kind.defaults("БВ-15Д-40-Р868")["ratio_r"] == 40
    assert kind.defaults("БВ-15Д-40-Р868")["q3"] == Decimal("1.6")
    with pytest.raises(CatalogError, match="no execution"):
        kind.defaults("БВ-15Д-99")


def test_types_of_the_demo_go_on_air() -> None:
    """The water meter and the electricity meter of the demo name their driver, region, version, class and ports."""
    types = load_types()

    assert types["t:cwv"].radio() == Radio("1.0.3", "A", "RU864", "OTAA", (2, 3, 4))
    assert types["t:el"].radio().ports == (2,)
    assert (types["t:cwv"].driver, types["t:el"].driver) == ("betar-vega", "spbzip-ce272x")


def test_type_without_radio_data_is_not_put_on_air() -> None:
    """A type that does not say how it joins is refused, and the message names what it lacks."""
    with pytest.raises(CatalogError, match="lorawan_version, lorawan_activation, lorawan_ports"):
        load_types()["t:cw"].radio()


def test_permissible_error_follows_the_zones() -> None:
    """The zone that begins at a flow counts there: 5 % at Q1, 2 % from Q2 on."""
    kind = load_types()["t:cw"]

    assert [kind.mpe_at(name) for name in ("Q1", "Q2", "Q3", "Q4")] == [5, 2, 2, 2]
    assert load_types()["t:el"].mpe_at("Q1") is None


def test_type_is_found_by_model_or_execution() -> None:
    """What is printed leads to the type, whether it is the model or a whole execution."""
    types = load_types()

    assert find_type(types.values(), "БВ-15Д") == find_type(types.values(), "БВ-15Д-80-Р868") == types["t:cwv"]
    assert find_type(types.values(), "БВ") is None


def test_record_that_is_missing_or_malformed_is_refused() -> None:
    """A code that the catalog lacks, a wrong type of value and a wrong approval number each have their error."""
    record = dict(get_record(Catalog.TYPES, "t:cw"))

    with pytest.raises(CatalogError, match="t:none"):
        get_record(Catalog.TYPES, "t:none")
    with pytest.raises(CatalogError, match="mpi_months"):
        parse_type({**record, "mpi_months": "72"})
    with pytest.raises(NumberError):
        parse_type({**record, "grsi": "999902"})


def test_grsi_number_has_one_form() -> None:
    """A ГРСИ number is 1 to 6 digits, a hyphen and two digits; leading zeros do not count."""
    assert str(parse_grsi("00123-15")) == "123-15"
    for wrong in ("1234567-15", "123-2015", "123", "-15", "٣-15", "0-15", "123-15\n"):
        with pytest.raises(NumberError):
            parse_grsi(wrong)


def test_inn_and_ogrn_have_check_digits() -> None:
    """The demo's numbers hold, and with one digit changed they do not."""
    assert parse_inn("0000000018") == "0000000018"
    assert parse_ogrn("1250099000018") == "1250099000018"
    for wrong in ("0000000019", "00000000", "abc"):
        with pytest.raises(NumberError):
            parse_inn(wrong)
    for wrong in ("1250099000019", "0250099000018", "x"):
        with pytest.raises(NumberError):
            parse_ogrn(wrong)
