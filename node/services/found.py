"""Making a node: its organisation's root keys, its own keys, its folder and its first settings."""

from dataclasses import dataclass
from pathlib import Path

from federation.keys import SigningKey
from federation.statements import NodeBody, genesis, sign_root_statement
from node.certificate import make_certificate
from node.config import Settings, load_settings
from node.folder import NodeFolder, write_durably
from node.keystore import create_keystore
from node.ports import Clock, Random
from node.store.database import Database
from node.store.migrate import upgrade
from node.store.organisations import insert_statements

SEED = 32


@dataclass(frozen=True, slots=True)
class Founded:
    """What `init` made: the ids to show."""

    org: bytes
    node: bytes
    folder: Path


async def found_node(folder: NodeFolder, config: str, clock: Clock, random: Random) -> Founded:
    """Make a node in an empty folder; raise FolderError or ConfigError before anything is written there."""
    folder.create()
    write_durably(folder.config, config.encode())
    settings = _checked(folder)
    root_seed, next_seed, sign_seed = (random.bytes(SEED) for _ in range(3))
    root, following = SigningKey.from_seed(root_seed), SigningKey.from_seed(next_seed)
    sign, node_id = SigningKey.from_seed(sign_seed), random.bytes(16)
    first = genesis(root, following.public)
    second = sign_root_statement(root, NodeBody(node_id, sign.public), first.org_id, 1, first.hash)
    tls_key, certificate = make_certificate(settings.node.name, clock.now())
    write_durably(folder.certificate, certificate)
    write_durably(folder.root_key, root_seed)
    write_durably(folder.next_root_key, next_seed)
    database = Database(settings.store.url or folder.url(), clock)
    try:
        await upgrade(database)
        async with database.write() as tx:
            await insert_statements(tx, [first, second])
    finally:
        await database.close()
    create_keystore(folder, random, org=first.org_id, node=node_id, sign_seed=sign_seed, tls_key=tls_key)
    return Founded(first.org_id, node_id, folder.path)


def _checked(folder: NodeFolder) -> Settings:
    try:
        return load_settings(folder.path)
    except Exception:
        folder.config.unlink()
        raise
