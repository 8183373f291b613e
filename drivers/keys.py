"""AES-128 keys of meters, which do not show themselves.

A `Key` prints as `***`, compares in constant time and refuses to be pickled; its errors name lengths and never bytes.
"""

import hmac
from typing import NoReturn

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from drivers.errors import EncodeError

KEY_SIZE = 16
BLOCK_SIZE = 16


class Key:
    """16 secret bytes and what is computed with them."""

    __slots__ = ("_aes", "_cmac", "_raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_SIZE:
            raise EncodeError(f"a key is {KEY_SIZE} bytes, got {len(raw)}")
        self._raw = bytes(raw)
        self._aes = algorithms.AES(self._raw)
        self._cmac: CMAC | None = None

    def cmac(self, message: bytes) -> bytes:
        """AES-CMAC of the message (RFC 4493): 16 bytes."""
        if self._cmac is None:
            self._cmac = CMAC(self._aes)
        mac = self._cmac.copy()
        mac.update(message)
        return mac.finalize()

    def encrypt_cbc(self, initial: bytes, blocks: bytes) -> bytes:
        """AES-128-CBC without padding; whole blocks only."""
        return Cipher(self._aes, modes.CBC(initial)).encryptor().update(blocks)

    def decrypt_cbc(self, initial: bytes, blocks: bytes) -> bytes:
        """Undo `encrypt_cbc`."""
        return Cipher(self._aes, modes.CBC(initial)).decryptor().update(blocks)

    def crypt_ctr(self, counter: bytes, data: bytes) -> bytes:
        """AES-128-CTR from a first counter block, which hides and opens alike."""
        return Cipher(self._aes, modes.CTR(counter)).encryptor().update(data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and hmac.compare_digest(self._raw, other._raw)

    def __hash__(self) -> int:
        return hash((Key, self._raw))

    def __repr__(self) -> str:
        return "Key(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")
