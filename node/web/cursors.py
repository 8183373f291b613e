"""Places in a list, given to the reader as opaque text and checked when they come back."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from node.errors import InputError

MAC_SIZE = 12
LONGEST = 4096  # a title of two texts of 512 characters


class Cursors:
    """Writes and checks the cursors of one node. A cursor of one list is none of another."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.blake2b(b"cursors", key=secret).digest()[:32]

    def encode(self, name: str, *place: int | str) -> str:
        """The cursor after a row of the list called `name`."""
        content = json.dumps(place, ensure_ascii=False, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(name, content) + content).rstrip(b"=").decode()

    def decode(self, name: str, text: str, *types: type[int] | type[str]) -> Sequence[Any]:  # Any: of those types
        """The place that a cursor names; raise InputError where this list of this node never gave it."""
        content = self._checked(name, text)
        place = json.loads(content)
        if [type(value) for value in place] != list(types):
            raise InputError("the cursor is of another version of this list", "cursor")
        return list(place)

    def _checked(self, name: str, text: str) -> bytes:
        try:
            raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise InputError("the cursor is not one that this node gave", "cursor") from error
        mac, content = raw[:MAC_SIZE], raw[MAC_SIZE:]
        if len(text) > LONGEST or not hmac.compare_digest(mac, self._mac(name, content)):
            raise InputError("the cursor is not one that this node gave", "cursor")
        return content

    def _mac(self, name: str, content: bytes) -> bytes:
        return hashlib.blake2b(name.encode() + b"\n" + content, key=self._key, digest_size=MAC_SIZE).digest()
