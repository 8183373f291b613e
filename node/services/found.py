"""Making a node: its organisation's root keys, its own keys, its folder and its first settings."""

from dataclasses import dataclass
from pathlib import Path

from federation.keys import SigningKey
from federation.statements import NodeBody, genesis, sign_root_statement
from node.certificate import make_certificate
from node.config import load_settings
from node.errors import FolderError
from node.folder import NodeFolder, write_durably
from node.keystore import create_keystore
from node.ports import Clock, Random
from node.store.address import show_address
from node.store.database import Database
from node.store.migrate import upgrade
from node.store.organisations import has_statements, insert_statements

SEED = 32


@dataclass(frozen=True, slots=True)
class Founded:
    """What `init` made: the ids to show."""

    org: bytes
    node: bytes
    folder: Path


async def found_node(
    folder: NodeFolder, config: str, clock: Clock, random: Random, store_password: str = ""
) -> Founded:
    """Make a node in an empty folder, over a store that is empty too; raise FolderError or ConfigError.

    What is refused leaves no keys behind.
    """
    folder.create()
    if store_password:
        write_durably(folder.store_password, store_password.encode())
    write_durably(folder.config, config.encode())
    database: Database | None = None
    try:
        settings = load_settings(folder.path)
        database = Database.of_node(folder, settings.store, clock)
        await _take_empty(database)
        tls_key, certificate = make_certificate(settings.node.name, clock.now())
        write_durably(folder.certificate, certificate)
        return await found_organisation(folder, database, random, tls_key)
    except Exception:
        if not folder.keys.exists():
            folder.config.unlink()
            folder.store_password.unlink(missing_ok=True)
        raise
    finally:
        if database is not None:
            await database.close()


async def found_organisation(folder: NodeFolder, database: Database, random: Random, tls_key: bytes) -> Founded:
    """Make an organisation and its first node: keys in the folder, a chain in the store, which has its tables."""
    root_seed, next_seed, sign_seed = (random.bytes(SEED) for _ in range(3))
    root, following = SigningKey.from_seed(root_seed), SigningKey.from_seed(next_seed)
    sign, node_id = SigningKey.from_seed(sign_seed), random.bytes(16)
    first = genesis(root, following.public)
    second = sign_root_statement(root, NodeBody(node_id, sign.public), first.org_id, 1, first.hash)
    write_durably(folder.root_key, root_seed)
    write_durably(folder.next_root_key, next_seed)
    await database.hold(node_id, node_id)
    async with database.write() as tx:
        await insert_statements(tx, [first, second])
    create_keystore(folder, random, org=first.org_id, node=node_id, sign_seed=sign_seed, tls_key=tls_key)
    return Founded(first.org_id, node_id, folder.path)


async def _take_empty(database: Database) -> None:
    """Make the tables of a store and keep it; raise FolderError where it holds a node."""
    await upgrade(database)
    async with database.read() as tx:
        if await has_statements(tx):
            where = show_address(database.url)
            raise FolderError(f"{where} holds a node already: give this one a database of its own", "store_not_empty")
