"""Secrets in memory: a value that prints as `***` wherever it is shown by mistake.

What has been revealed is no `Secret` any more: the log's filter behind it is `node/redaction.py`.
"""

import hmac
from typing import NoReturn, SupportsIndex

MASK = "***"


class Secret:
    """Bytes that are never printed, compared with ==, hashed, copied or pickled.

    `reveal` is the one way out, so that every use of a key can be found by its name.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The bytes, for the one who needs them now."""
        return self._value

    def matches(self, other: "Secret | bytes") -> bool:
        """Whether both are the same bytes, in a time that does not tell where they differ."""
        return hmac.compare_digest(self._value, other.reveal() if isinstance(other, Secret) else other)

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("secrets are compared with matches()")

    # An unhashable secret cannot become a key of a dictionary by mistake.
    __hash__ = None  # type: ignore[assignment]  # the way Python spells "unhashable"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied")
