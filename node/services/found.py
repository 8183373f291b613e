"""Making a node: its organisation's root keys, its own keys, its folder and its first settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from federation.enrolment import Enrolment, NodeRequest
from federation.errors import StatementError
from federation.keys import SigningKey
from federation.organisation import Chain
from federation.statements import NodeBody, genesis, sign_root_statement
from node.certificate import make_certificate
from node.config import Settings, load_settings
from node.errors import FolderError, InputError
from node.folder import NodeFolder, write_durably
from node.keystore import NOBODY, create_keystore, open_keystore
from node.ports import Clock, Random
from node.store.address import show_address
from node.store.database import Database
from node.store.genesis import FEDERATION
from node.store.migrate import upgrade
from node.store.organisations import has_statements, insert_statements
from node.store.peers import put_peer
from node.store.settings import set_setting

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
    async with _making(folder, config, clock, store_password) as (settings, database):
        tls_key, certificate = make_certificate(settings.node.name, clock.now())
        write_durably(folder.certificate, certificate)
        return await found_organisation(folder, database, random, tls_key)


async def prepare_node(
    folder: NodeFolder, config: str, clock: Clock, random: Random, store_password: str = ""
) -> NodeRequest:
    """Make a node that waits for an organisation to state it; answer what it asks. Raise as `found_node` does."""
    sign_seed, node_id = random.bytes(SEED), random.bytes(16)
    async with _making(folder, config, clock, store_password) as (settings, _):
        tls_key, certificate = make_certificate(settings.node.name, clock.now())
        write_durably(folder.certificate, certificate)
        create_keystore(folder, random, org=NOBODY, node=node_id, sign_seed=sign_seed, tls_key=tls_key)
    return NodeRequest(node_id, SigningKey.from_seed(sign_seed).public)


async def enrol_node(folder: NodeFolder, enrolment: Enrolment, clock: Clock, random: Random) -> Founded:
    """Take the organisation that states this node; raise InputError where it does not, or another one is taken."""
    keystore = open_keystore(folder, random)
    try:
        chain = Chain(enrolment.statements)
    except StatementError as error:
        raise InputError(f"the answer holds no root chain: {error}", "enrolment") from error
    node = chain.node(keystore.node)
    if node is None or node.sign_key != keystore.sign.public or node.ended is not None:
        raise InputError(
            f"organisation {chain.org_id.hex()} does not state this node: have the request of this folder stated",
            "enrolment",
        )
    if keystore.org not in (NOBODY, chain.org_id):
        raise InputError(f"this node is of organisation {keystore.org.hex()} already", "enrolment")
    database = Database.of_node(folder, load_settings(folder.path).store, clock)
    try:
        await upgrade(database)
        await database.hold(keystore.node, keystore.node)
        async with database.write() as tx:
            await insert_statements(tx, chain.path)
            if enrolment.genesis is not None:
                await set_setting(tx, FEDERATION, enrolment.genesis.to_bytes())
            if enrolment.peer is not None and chain.node(enrolment.peer.node) is not None:
                await put_peer(tx, enrolment.peer, chain.org_id, "active")
    finally:
        await database.close()
    keystore.org = chain.org_id
    keystore.save()
    return Founded(chain.org_id, keystore.node, folder.path)


@asynccontextmanager
async def _making(
    folder: NodeFolder, config: str, clock: Clock, store_password: str
) -> AsyncIterator[tuple[Settings, Database]]:
    """A new folder with its settings, and its empty store; taken back where what is made in it is refused."""
    folder.create()
    if store_password:
        write_durably(folder.store_password, store_password.encode())
    write_durably(folder.config, config.encode())
    database: Database | None = None
    try:
        settings = load_settings(folder.path)
        database = Database.of_node(folder, settings.store, clock)
        await _take_empty(database)
        yield settings, database
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
