"""The node itself, for commands that are more than questions to one that runs: imported by them alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from node.clock import SystemClock, SystemRandom
from node.collecting import loading
from node.errors import FolderError
from node.folder import NodeFolder

if TYPE_CHECKING:
    from node.app import Node


def open_node(folder: Path) -> "Node":
    """A node by its folder; nothing of it is opened yet."""
    with loading():
        from node.app import Node  # noqa: PLC0415 - imported where it is needed: the other commands answer at once
    return Node(folder, SystemClock(), SystemRandom())


@contextmanager
def refusals_of_the_store(folder: Path) -> Iterator[None]:
    """Work on the store of a node; raise FolderError naming it where the database refuses."""
    with loading():
        from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    try:
        yield
    except (SQLAlchemyError, ConnectionRefusedError) as error:
        # SQLAlchemy's own text repeats the statement with its values, which may be secrets.
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise FolderError(
            f"the store {_store_name(folder)} cannot be used: {reason}; see that it is this node's database, whole, "
            "and that this user may write it"
        ) from error


def _store_name(folder: Path) -> str:
    """The file of a store, or the address of its server without the password."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - imported where it is needed: the other commands answer at once
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    from node.config import load_settings  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    try:
        url = make_url(load_settings(folder).store.url or NodeFolder(folder).url())
    except ArgumentError:
        return "of the setting [store] url"
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
