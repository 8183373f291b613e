"""Keys do not show themselves."""

import copy
import pickle

import pytest

from lora.errors import IdentifierError
from lora.keys import Key, parse_key
from tests.unit.lora.builders import ROOT_KEY, make_device

TEXT = "000102030405060708090a0b0c0d0e0f"


def test_key_prints_as_stars_wherever_it_stands() -> None:
    """Neither a key nor a value that holds one shows the key in its text."""
    assert str(ROOT_KEY) == repr(ROOT_KEY) == f"{ROOT_KEY}" == "***"
    assert TEXT not in repr(make_device())


def test_key_is_not_pickled() -> None:
    """A key does not leave the process by pickling."""
    with pytest.raises(TypeError):
        pickle.dumps(ROOT_KEY)


def test_equal_keys_are_equal_and_hash_alike() -> None:
    """A key is a value, and its copy is itself."""
    assert parse_key(TEXT) == ROOT_KEY
    assert hash(parse_key(TEXT)) == hash(ROOT_KEY)
    assert copy.deepcopy(ROOT_KEY) is ROOT_KEY
    assert parse_key(TEXT.replace("0f", "0e")) != ROOT_KEY


@pytest.mark.parametrize("text", ["", "00", TEXT + "00", "zz" * 16])
def test_bad_key_text_is_refused_without_repeating_it(text: str) -> None:
    """The error on a mistyped key does not show what was typed."""
    with pytest.raises(IdentifierError) as error:
        parse_key(text)

    assert not text or text not in str(error.value)


def test_cmac_is_that_of_rfc_4493() -> None:
    """AES-CMAC of example 2 of RFC 4493, twice, so that the kept object is not used up."""
    key = Key(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
    message = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")

    assert key.cmac(message).hex() == key.cmac(message).hex() == "070a16b46b4d4144f79bdd9dd04a287c"
