"""AES-128 keys that do not show themselves, with the ciphers made from them kept.

A `Key` prints as `***`, compares in constant time and refuses to be pickled. It makes its CMAC and its block cipher
once: a copy of a prepared CMAC costs a third of a fresh one, and a kept ECB context half of a CTR object.
"""

import hmac
from typing import NoReturn

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from lora.errors import IdentifierError

KEY_SIZE = 16
BLOCK_SIZE = 16


class Key:
    """16 secret bytes and what is computed with them."""

    __slots__ = ("_cmac", "_encryptor", "_raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_SIZE:
            raise IdentifierError(f"a key is {KEY_SIZE} bytes, got {len(raw)}")
        self._raw = bytes(raw)
        self._cmac: CMAC | None = None
        self._encryptor: CipherContext | None = None

    def reveal(self) -> bytes:
        """The bytes themselves, for sealing at rest and for nothing else."""
        return self._raw

    def cmac(self, message: bytes) -> bytes:
        """AES-CMAC of the message (RFC 4493): 16 bytes."""
        if self._cmac is None:
            self._cmac = CMAC(algorithms.AES(self._raw))
        mac = self._cmac.copy()
        mac.update(message)
        return mac.finalize()

    def encrypt(self, blocks: bytes) -> bytes:
        """AES of each 16-byte block on its own: the building stone of LoRaWAN's modes; whole blocks only."""
        if self._encryptor is None:
            self._encryptor = self._cipher().encryptor()
        return self._encryptor.update(blocks)

    def decrypt(self, blocks: bytes) -> bytes:
        """Undo `encrypt`."""
        return self._cipher().decryptor().update(blocks)

    def _cipher(self) -> Cipher[modes.ECB]:
        # LoRaWAN 1.0.3, 4.3.3 and 6.2.3-6.2.5 define their modes over single AES blocks that never repeat.
        return Cipher(algorithms.AES(self._raw), modes.ECB())  # noqa: S305 - one block at a time

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and hmac.compare_digest(self._raw, other._raw)

    def __hash__(self) -> int:
        return hash(self._raw)

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")

    def __copy__(self) -> "Key":
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "Key":
        return self


def parse_key(text: str) -> Key:
    """Read 32 hex digits; raise IdentifierError, which does not repeat the text."""
    try:
        return Key(bytes.fromhex(text))
    except ValueError:
        raise IdentifierError("a key is 32 hex digits") from None
