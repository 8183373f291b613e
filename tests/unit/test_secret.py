"""Secrets do not leak by being shown, compared, hashed, copied or stored."""

import copy
import json
import pickle

import pytest

from node.secret import Secret

KEY = bytes(range(16))


def test_secret_prints_as_stars() -> None:
    """However a secret is shown, its bytes are not."""
    secret = Secret(KEY)

    shown = (str(secret), repr(secret), f"{secret}", f"{secret!r:>5}", repr([secret]), repr({"key": secret}))

    assert shown == ("***", "***", "***", "  ***", "[***]", "{'key': ***}")


def test_secret_is_revealed_on_purpose_only() -> None:
    """reveal gives the bytes, and matches compares without giving them."""
    secret = Secret(KEY)

    assert secret.reveal() == KEY
    assert len(secret) == 16
    assert secret.matches(KEY)
    assert secret.matches(Secret(KEY))
    assert not secret.matches(b"")


def test_secret_is_neither_compared_nor_hashed() -> None:
    """== on a secret is a mistake of the program, and so is a secret as a key."""
    with pytest.raises(TypeError, match="matches"):
        _ = Secret(KEY) == Secret(KEY)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret(KEY))


def test_secret_is_not_written_anywhere() -> None:
    """Pickle, copy and JSON refuse a secret."""
    for write in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            write(Secret(KEY))
