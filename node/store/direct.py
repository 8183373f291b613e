"""Work that awaits nothing but its transaction, run in one hop to the thread of a SQLite connection.

A statement goes to that thread up to four times (open, run, fetch, close), and each hop costs more than a look-up by
key. Where some statements follow each other, all of the work goes there instead, Python between them included.
"""

import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sqlalchemy import Connection, StaticPool, create_engine

T = TypeVar("T")

Work = Coroutine[Any, Any, T]  # Any: what a coroutine yields and is sent; this kind yields nothing


def drive(work: Work[T]) -> T:
    """What a coroutine answers that never has to wait; raise RuntimeError where it waits."""
    try:
        work.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    work.close()
    raise RuntimeError("work at once awaits nothing but its transaction")


def join(raw: sqlite3.Connection) -> Connection:
    """A connection of SQLAlchemy inside the transaction that is open; it begins, commits and closes nothing."""
    return create_engine("sqlite://", creator=lambda: Joined(raw), poolclass=StaticPool).connect()


class Joined:
    """A connection of the driver whose transaction is somebody else's."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.cursor: Callable[..., sqlite3.Cursor] = raw.cursor
        self.create_function = raw.create_function

    def commit(self) -> None:
        """Whoever began it commits."""

    def rollback(self) -> None:
        """Whoever began it rolls back."""

    def close(self) -> None:
        """Whoever opened it closes it."""
