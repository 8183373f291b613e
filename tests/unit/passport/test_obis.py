"""Which OBIS code a series has by the parameter catalog."""

import pytest

from node.passport.catalogs import Catalog, load_central
from node.passport.obis import obis_in, of_tariff

RECORDS = load_central(Catalog.PARAMETERS)


@pytest.mark.parametrize(
    ("code", "media", "obis"),
    [
        ("volume", ("hot_water",), "9-0:1.0.0"),
        ("volume", ("electricity",), ""),
        ("volume", (), ""),
        ("volume", ("cold_water", "hot_water"), ""),
        ("energy_active_import", (), "1-0:1.8.0"),
        ("energy_active_import", ("heat", "electricity"), "1-0:1.8.0"),
        ("temp_supply", ("cold_water",), ""),
        ("temperature", ("heat",), ""),
        ("pressure_supply", ("heat",), ""),
    ],
)
def test_code_is_of_the_medium_of_the_device(code: str, media: tuple[str, ...], obis: str) -> None:
    """Where the catalog has one for each medium the device decides; without it nothing is guessed."""
    assert obis_in(RECORDS[code], media) == obis


@pytest.mark.parametrize(
    ("obis", "tariff", "told"),
    [
        ("1-0:1.8.0", 2, "1-0:1.8.2"),
        ("1-0:1.8.0", 0, "1-0:1.8.0"),
        ("1-0:1.8.0*255", 4, "1-0:1.8.4*255"),
        ("1-0:1.8.1", 1, "1-0:1.8.1"),
        ("1.8.0", 3, "1.8.3"),
        ("", 3, ""),
    ],
)
def test_tariff_stands_in_group_e_of_a_total(obis: str, tariff: int, told: str) -> None:
    """A code that names a tariff already stays."""
    assert of_tariff(obis, tariff) == told
