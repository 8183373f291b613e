"""`passport-node`: every command. Those about a running node ask it through its socket.

What a node itself is made of is imported by the commands that run one: the others answer at once.
"""

import gc
import sys

from node.collecting import loading

with loading():
    from federation.errors import FederationError
    from node.cli import (
        backups,
        boxing,
        driving,
        erasing,
        federating,
        keys,
        labelling,
        passports,
        serving,
        shipping,
        tables,
    )
    from node.cli.hardening import leave_no_dump
    from node.cli.talk import app, errors, reason
    from node.errors import NodeError
    from node.store.errors import StoreError

__all__ = (
    "app",
    "backups",
    "boxing",
    "driving",
    "erasing",
    "federating",
    "keys",
    "labelling",
    "main",
    "passports",
    "serving",
    "shipping",
    "tables",
)


def main() -> None:
    """The entry point: errors are one clear line, and the exit code is 1."""
    leave_no_dump()
    try:
        app()
    except (NodeError, StoreError, FederationError) as error:
        text = str(error)
    except OSError as error:
        text = f"the system refuses{f' {error.filename}' if error.filename else ''}: {reason(error)}"
    else:
        return
    finally:
        gc.freeze()  # what is left is given back with the process, not piece by piece
    errors.print(f"passport-node: {text}", style="red", markup=False)
    sys.exit(1)
