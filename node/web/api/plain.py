"""Values of catalogs as JSON and back: a decimal goes out as text, and a number with a point comes in exact."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from node.passport.catalogs import Json


def plain(value: object) -> Any:  # Any: plain JSON
    """The value without decimals: text with the digits that were signed."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def exact(value: Any) -> Json:  # Any: plain JSON
    """The value with each float as the decimal that it prints as."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    found: Json = [exact(item) for item in value] if isinstance(value, list) else value
    return found
