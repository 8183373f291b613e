"""Checking stored chains of root statements: each under its hash and its signature, without a gap.

What is damaged is a finding, and the check goes on: node keys are taken from every statement that stands under its
hash, so that logs are checked even where a signature of the chain is broken.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from federation.errors import StatementError
from federation.organisation import Chain
from federation.statements import KeyBody, NodeBody, RootStatement, decode_root_statement
from node.store.database import Record

NodeKeys = Mapping[tuple[bytes, bytes], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was signed. `where` is a log, an organisation or a file; seq None: all of it."""

    where: str
    seq: int | None
    id: bytes | None
    what: str

    def __str__(self) -> str:
        place = "" if self.seq is None else f" seq {self.seq} id {self.id.hex() if self.id else '?'}"
        return f"{self.where}{place}: {self.what}"


def check_root_statements(rows: Iterable[Record]) -> tuple[list[Finding], NodeKeys]:
    """What is wrong in the chains, and each node's key as its statement has it, whether or not its chain holds.

    A key is taken from every statement that stands under its hash: so the logs of an organisation whose signatures were
    altered are checked all the same.
    """
    found: list[Finding] = []
    keys: dict[tuple[bytes, bytes], list[bytes]] = {}
    for org, group in groupby(rows, key=lambda row: bytes(row.org)):
        wrong, sound = _sound_statements(org, list(group))
        wrong += _check_signers(org, sound)
        for statement in sound:
            if isinstance(statement.body, NodeBody):
                keys.setdefault((org, statement.body.node), []).append(statement.body.sign_key)
        found += wrong or _check_chain(org, sound)
    return found, keys


def _sound_statements(org: bytes, rows: Sequence[Record]) -> tuple[list[Finding], list[RootStatement]]:
    found: list[Finding] = []
    sound: list[RootStatement] = []
    for row in rows:
        try:
            statement = decode_root_statement(row.envelope)
        except StatementError as error:
            found.append(Finding(_org_name(org), row.n, row.hash, f"the root statement was altered: {error}"))
            continue
        if (statement.hash, statement.org_id, statement.n) == (row.hash, org, row.n):
            sound.append(statement)
        else:
            what = "the root statement was altered: its hash, organisation or number is not the one it is kept under"
            found.append(Finding(_org_name(org), row.n, row.hash, what))
    return found, sound


def _check_signers(org: bytes, sound: Sequence[RootStatement]) -> list[Finding]:
    """Every signature by the root key that was in force, also after a statement whose own does not hold."""
    found: list[Finding] = []
    signers: dict[bytes, bytes] = {}
    for statement in sound:
        before = signers.get(statement.previous) if statement.previous else b""
        signer = statement.body.root_key if isinstance(statement.body, KeyBody) else before
        if before is None:
            what = "a root statement before it is missing or altered"
            found.append(Finding(_org_name(org), statement.n, statement.hash, what))
        elif signer is None or not statement.is_signed_by(signer):
            what = "the root statement was altered: its signature does not hold"
            found.append(Finding(_org_name(org), statement.n, statement.hash, what))
        if signer:
            signers[statement.hash] = signer
    return found


def _check_chain(org: bytes, sound: Sequence[RootStatement]) -> list[Finding]:
    try:
        refused = Chain(sound).refused
    except StatementError as error:
        return [Finding(_org_name(org), None, None, f"the root statements are no chain: {error}")]
    return [Finding(_org_name(org), s.n, s.hash, f"the root statement does not follow: {why}") for s, why in refused]


def _org_name(org: bytes) -> str:
    return f"organisation {org.hex()}"
