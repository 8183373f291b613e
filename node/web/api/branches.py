"""Two branches of a root chain that claim one place: what each states, and who attests it."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field

from federation.organisation import RootFork
from federation.statements import KeyBody, RootStatement
from node.web.api.fields import Hex16


class NamedOrganisation(BaseModel):
    """An organisation by its id and its own name of itself."""

    org: Hex16
    name: str | None


class BranchAnswer(BaseModel):
    """One of two branches: its first statement, by the hash that anchors attest."""

    n: int = Field(description="Which statement of the chain both claim to be.")
    hash: str
    type: Literal["node", "end_node", "rotate"]
    node: Hex16 | None = Field(description="The node that it states or ends.")
    root_key: str | None = Field(description="The key that it would bring into force.")
    anchors: list[NamedOrganisation] = Field(description="Who attests it; it counts when as many do as must.")


def branch_answers(
    fork: RootFork | None, anchors: Mapping[str, list[NamedOrganisation]] | None = None
) -> list[BranchAnswer]:
    """Both branches of a fork, none where there is none; `anchors` by hash in hex."""
    sides = (fork.left, fork.right) if fork is not None else ()
    return [_branch(side, (anchors or {}).get(side.hash.hex(), [])) for side in sides]


def _branch(side: RootStatement, anchors: list[NamedOrganisation]) -> BranchAnswer:
    body = side.body
    return BranchAnswer.model_validate(
        {
            "n": side.n,
            "hash": side.hash.hex(),
            "type": side.type.name.lower(),
            "node": None if isinstance(body, KeyBody) else body.node.hex(),
            "root_key": body.root_key.hex() if isinstance(body, KeyBody) else None,
            "anchors": anchors,
        }
    )
