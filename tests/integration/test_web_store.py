"""Accounts, sessions, tokens, attempts and kept answers, on both engines."""

import pytest

from node.store import access
from node.store.access import KeptAnswer, StoredSession, StoredToken
from node.store.database import Database
from node.store.errors import ConflictError

DAY_US = 86_400_000_000


async def test_account_name_is_taken_once(database: Database) -> None:
    """A second account of the same name is refused and the first one stands."""
    async with database.write() as tx:
        await access.insert_account(tx, "anna", "hash", "admin", "ru")
    with pytest.raises(ConflictError):
        async with database.write() as tx:
            await access.insert_account(tx, "anna", "other", "reader", "en")
    async with database.read() as tx:
        assert [(a.name, a.role) for a in await access.list_accounts(tx)] == [("anna", "admin")]
        assert await access.count_accounts(tx, "admin") == 1


async def test_session_is_found_until_it_ends(database: Database) -> None:
    """A session leads to its account until its time is over or the account is gone."""
    async with database.write() as tx:
        await access.insert_account(tx, "anna", "hash", "admin", "ru")
        for name, until in ((b"short", tx.now + 1), (b"long", tx.now + DAY_US)):
            session = StoredSession(name, name.hex(), "anna", "127.0.0.1", tx.now, tx.now, until)
            await access.insert_session(tx, session)
    async with database.write() as tx:
        assert await access.find_session(tx, b"short") is None
        found = await access.find_session(tx, b"long")
        assert found is not None
        assert (found[0].id, found[1].name) == (b"long".hex(), "anna")
        assert await access.delete_account(tx, "anna")
        assert await access.find_session(tx, b"long") is None


async def test_tokens_follow_each_other_by_place(database: Database) -> None:
    """Tokens are listed newest first; a place given by the last one read goes on after it."""
    async with database.write() as tx:
        for n in range(5):
            created = 1000 + n // 2
            token = StoredToken(bytes([n]), f"id{n}", f"t{n}", ("read", "ship"), "local", created, DAY_US)
            await access.insert_token(tx, token)
    async with database.read() as tx:
        first = await access.list_tokens(tx, None, 2)
        rest = await access.list_tokens(tx, (first[-1].created_us, first[-1].id), 10)
        assert [token.id for token in first + rest] == ["id4", "id3", "id2", "id1", "id0"]
        assert first[0].scopes == ("read", "ship")


async def test_attempts_are_counted_within_their_window(database: Database) -> None:
    """Attempts add up under their key, are forgotten when told, and begin anew after the window."""
    async with database.write() as tx:
        assert [await access.count_attempt(tx, "a", DAY_US) for _ in range(3)] == [1, 2, 3]
        assert await access.count_attempt(tx, "b", DAY_US) == 1
        await access.forget_attempts(tx, "a")
        assert await access.count_attempt(tx, "a", DAY_US) == 1
    async with database.write() as tx:
        assert await access.count_attempt(tx, "a", 0) == 1


async def test_answer_is_reserved_kept_and_forgotten(database: Database) -> None:
    """A key is taken once, then holds the answer, until it is given back or its day is over."""
    async with database.write() as tx:
        assert await access.reserve_answer(tx, "a", "k", b"hash", DAY_US) is None
        assert await access.reserve_answer(tx, "a", "k", b"hash", DAY_US) == KeptAnswer(b"hash", 0, {}, b"")
        assert await access.reserve_answer(tx, "b", "k", b"hash", DAY_US) is None
        await access.keep_answer(tx, "a", "k", KeptAnswer(b"", 201, {"ETag": "x"}, b"body"))
        await access.drop_answer(tx, "b", "k")
    async with database.write() as tx:
        assert await access.reserve_answer(tx, "a", "k", b"", DAY_US) == KeptAnswer(
            b"hash", 201, {"ETag": "x"}, b"body"
        )
        assert await access.reserve_answer(tx, "b", "k", b"other", DAY_US) is None
    async with database.write() as tx:
        assert await access.reserve_answer(tx, "a", "k", b"new", 0) is None
