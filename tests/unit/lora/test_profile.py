"""Device profiles and identifiers."""

import pytest

from lora.errors import IdentifierError, ProfileError
from lora.identifiers import DevAddr, Eui, NetId, parse_dev_addr, parse_eui, parse_net_id
from lora.profile import DeviceClass, build_profile
from lora.region import RU864

FIELDS: dict[str, object] = {"dev_eui": "70B3D58FF1010001", "app_eui": "70-b3-d5-8f-f0-00-00-00", "region": "RU864"}


def test_profile_is_made_from_the_passports_fields() -> None:
    """What a passport states is enough: nothing is typed, and the rest has the standard's defaults."""
    profile = build_profile(FIELDS | {"ports": [2, 3, 4]})

    assert str(profile.dev_eui) == "70b3d58ff1010001"
    assert profile.join_eui == profile.app_eui == parse_eui("70b3d58ff0000000")
    assert (profile.region, profile.device_class, profile.ports) == (RU864, DeviceClass.A, (2, 3, 4))
    assert not profile.counts_dev_nonces


def test_same_fields_make_the_same_profile() -> None:
    """A second attempt changes nothing."""
    assert build_profile(FIELDS) == build_profile(dict(FIELDS))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"dev_eui": None}, "no dev_eui"),
        ({"app_eui": None}, "no join_eui"),
        ({"region": None}, "no region"),
        ({"region": "MARS"}, "MARS"),
        ({"dev_eui": 7.0e15}, "text"),
        ({"dev_eui": "70B3D58FF101000"}, "16 hex"),
        ({"join_eui": "0000000000000001"}, "differ"),
        ({"lorawan_version": "1.1"}, "lorawan_version"),
        ({"class": "B"}, "class"),
        ({"ports": [0]}, "port"),
        ({"ports": "2"}, "ports"),
    ],
)
def test_profile_that_cannot_go_on_the_air_names_the_field(change: dict[str, object], what: str) -> None:
    """A type without the data is not put on the air, and the message says what is missing or wrong."""
    with pytest.raises(ProfileError, match=what):
        build_profile(FIELDS | change)


def test_identifiers_read_and_write_most_significant_first() -> None:
    """Texts of EUIs, addresses and network ids begin with the most significant digit."""
    assert parse_eui("00AF:EE7C:F5ED:6F1E") == Eui(bytes.fromhex("00afee7cf5ed6f1e"))
    assert str(parse_dev_addr("26012e43")) == "26012e43"
    assert parse_net_id("000013") == NetId(0x13)
    assert DevAddr(0x26012E43).network == 0x13
    assert NetId(0x13).address(0x0012E43).network == 0x13


@pytest.mark.parametrize("value", [-1, 1 << 32])
def test_number_that_is_no_address_is_refused(value: int) -> None:
    """An address has 32 bits, a network id 24."""
    with pytest.raises(IdentifierError):
        DevAddr(value)
    with pytest.raises(IdentifierError):
        NetId(value)
