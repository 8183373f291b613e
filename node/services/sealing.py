"""How a secret section lies in the store: sealed under the node's storage key, and a root key with its mark."""

from node.keystore import Vault
from node.passport.device_keys import SECTION, key_in
from node.store.fragments import STORED, StoredSection

__all__ = ["stored_secret"]


def stored_secret(vault: Vault, position: int, name: str, salt: bytes | None, content: bytes) -> StoredSection:
    """A section of class secret as it is stored."""
    key = key_in(content) if name == SECTION else None
    mark = vault.mark(key) if key is not None else None
    return StoredSection(position, name, salt, vault.seal(content), STORED, mark)
