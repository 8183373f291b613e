"""The tree of errors."""

import inspect

from federation import errors
from federation.errors import EntryRefusedError


def test_every_error_is_a_federation_error() -> None:
    """Who catches FederationError catches all that this package raises."""
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert all(issubclass(kind, errors.FederationError) for kind in found)
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in found)


def test_refused_entry_names_its_place() -> None:
    """A refused entry says log, seq, id and what differs, the same everywhere."""
    error = EntryRefusedError(bytes(16), 7, b"\1" * 32, "section body differs")
    assert str(error) == f"log {'00' * 16} seq 7 id {'01' * 32}: section body differs"
    assert "id unreadable" in str(EntryRefusedError(bytes(16), 7, None, "x"))
