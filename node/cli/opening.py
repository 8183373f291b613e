"""The node itself, for commands that are more than questions to one that runs: imported by them alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from node.clock import SystemClock, SystemRandom
from node.collecting import loading
from node.errors import ConfigError, FolderError, StoreAwayError
from node.folder import NodeFolder

if TYPE_CHECKING:
    from node.app import Node


def open_node(folder: Path) -> "Node":
    """A node by its folder, after one that was restored beside it has taken its place; nothing of it is opened yet."""
    with loading():
        from node.app import Node  # noqa: PLC0415 - imported where it is needed: the other commands answer at once
        from node.services.restoring import take_place  # noqa: PLC0415 - as above
    take_place(NodeFolder(folder))
    return Node(folder, SystemClock(), SystemRandom())


@contextmanager
def refusals_of_the_store(folder: Path, url: str = "") -> Iterator[None]:
    """Work on the store of a node; raise FolderError naming it where the database refuses, is away or is another's.

    `url` is its address, where the folder has no settings yet.
    """
    with loading():
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

        from node.store.errors import AccessError, LockedError  # noqa: PLC0415 - as above

    known = (LockedError, AccessError, StoreAwayError, SQLAlchemyError)
    try:
        yield
    except BaseExceptionGroup as group:  # of the tasks of a node
        if group.split(known)[1] is not None:
            raise
        raise _refusal(_store_name(folder, url), _innermost(group)) from group
    except known as error:
        raise _refusal(_store_name(folder, url), error) from error


def _refusal(store: str, error: BaseException) -> FolderError:
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    from node.store.errors import LockedError  # noqa: PLC0415 - as above

    if isinstance(error, LockedError):
        return FolderError(f"the store {store}: {error}", "store_locked")
    # SQLAlchemy's own text repeats the statement with its values, which may be secrets.
    reason = error.orig if isinstance(error, DBAPIError) else error
    return FolderError(
        f"the store {store} cannot be used: {reason}; see that it is this node's database, whole, "
        "and that this user may write it"
    )


def _innermost(error: BaseException) -> BaseException:
    """The first error of a group of the tasks of a node, which may be groups themselves."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _store_name(folder: Path, url: str) -> str:
    """The file of a store, or the address of its server without the password."""
    from node.config import load_settings  # noqa: PLC0415 - imported where it is needed: the other commands answer at once
    from node.store.address import show_address  # noqa: PLC0415 - as above

    try:
        return show_address(url or load_settings(folder).store.url or NodeFolder(folder).url())
    except ConfigError:  # a node that is being made
        return "of [store] url"
