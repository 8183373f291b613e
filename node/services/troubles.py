"""What is shown of a peer with which an exchange failed: a code for people, and what happened."""

from federation.errors import FederationError
from node.errors import NodeError
from node.store.errors import StoreError

OWN = "own"  # the fault is this node's, as far as anybody knows


def trouble_of(error: Exception) -> str:
    """`code: what happened`; a code is that of the error of the federation, or `own`."""
    if isinstance(error, FederationError):
        return f"{error.code}: {error}"
    if isinstance(error, NodeError | StoreError):
        return f"{OWN}: {error}"
    return f"{OWN}: {type(error).__name__}, the log of this node tells more"
