"""Small faults, one or two for each invariant: shipped code with one thing in it broken, as long as a block lasts.

A simulator that does not find them finds nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from federation.authority import Kind
from federation.counting import Counted, counted_of
from federation.fragment import Fragment
from federation.genesis import Genesis
from federation.organisation import NodeEntry
from federation.sync import mirror
from federation.sync.mirror import VerifiedEntry, verify_entry
from node.passport import attestations, identity, ranks
from node.passport.statement import Statement
from node.services import counting, erasing, ingest, jobs, ledger
from node.services.disclosure import View
from node.services.forks import Forks
from tests.simulation import hostile, invariants
from tests.simulation.invariants import Invariant
from tests.simulation.network import CALM
from tests.simulation.playing import play
from tests.simulation.scripts import Plot
from tests.simulation.surroundings import BEGINNING_US

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault, the invariant that it breaks, and the plot in which that is looked for; `is_costly` if it takes long."""

    name: str
    breaks: Invariant
    plot: Plot
    patched: Callable[[], AbstractContextManager[object]]
    is_costly: bool = False


MOST_SEEDS = 200


def find(mutant: Mutant) -> int | None:
    """The first seed that finds a mutant by the invariant that it breaks."""
    with mutant.patched():
        for seed in range(1, MOST_SEEDS + 1):
            if any(fault.startswith(f"{mutant.breaks.__name__}:") for fault in play(mutant.plot, seed).faults):
                return seed
    return None


def _not_waited_for(path: Path, data: bytes) -> None:
    """What `write_durably` does, but for waiting for the disk."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(data)
    temporary.chmod(0o600)
    temporary.replace(path)


def _void_if_ahead(log: bytes, seq: int, fragment: Fragment, sign_key: bytes) -> VerifiedEntry:
    """What `verify_entry` does, but that a publication of somebody whose clock is an hour ahead is void."""
    entry = verify_entry(log, seq, fragment, sign_key)
    now_us = BEGINNING_US + int(asyncio.get_running_loop().time() * 1e6)
    if entry.header is not None and entry.header.kind == Kind.CATALOG and entry.header.stamp > now_us + HOUR_US:
        return VerifiedEntry(seq, Fragment(fragment.header, fragment.signature), None, "from the future")
    return entry


async def _no_fork(*_: object) -> bool:
    return False


async def _nothing_given_up(*_: object) -> None:
    """The input of a job that ended stays."""


async def _nothing_erased(*_: object) -> bool:
    """A section stays where an erasure says that it goes."""
    return True


def _read_of_anybody(statements: Iterable[Statement], genesis: Genesis) -> Iterator[object]:
    """What `attestations._read` does, but that everybody who says something is an anchor."""
    said = list(statements)
    everybody = SimpleNamespace(id=genesis.id, anchors={statement.org for statement in said})
    return _READ(said, everybody)  # type: ignore[arg-type]  # as much of a genesis as it looks at


def _counted_without_end(log: bytes, node: NodeEntry | None, *rest: Any, **named: Any) -> Counted:  # Any: handed on
    """What `counted_of` does, but that nothing ends a node."""
    return counted_of(log, replace(node, ended=None, earlier=()) if node else None, *rest, **named)


@contextmanager
def _both(one: AbstractContextManager[object], other: AbstractContextManager[object]) -> Iterator[None]:
    with one, other:
        yield


QUIET = Plot(steps=10, mischief=(), share=0.0, others=("utility",), weather=CALM)

_READ = attestations._read

MUTANTS = (
    Mutant(
        "statements are folded in the order of their arrival",
        invariants.equal_views,
        Plot(steps=10, mischief=(), share=0.0, weather=CALM),
        lambda: _both(
            patch.object(identity, "unique", list), patch.object(Statement, "order", property(lambda _: (0, b"", 0)))
        ),
    ),
    Mutant(
        "the head file is not waited for",
        invariants.kept_appends,
        Plot(steps=6, mischief=("restore",), share=0.7, others=("utility",), weather=CALM, settled_s=120),
        lambda: patch.object(ledger, "write_durably", _not_waited_for),
        is_costly=True,
    ),
    Mutant(
        "everybody may state what the maker alone may",
        invariants.authorised_values,
        Plot(steps=10, mischief=(), share=0.0, others=("utility",), ill=hostile.Thief, weather=CALM),
        lambda: patch.dict(ranks._HOLDS, {ranks.Ground.MAKER: lambda *_: True}),
    ),
    Mutant(
        "everybody may attest",
        invariants.authorised_values,
        Plot(steps=10, mischief=(), share=0.0, others=("utility",), ill=hostile.Impostor, weather=CALM),
        lambda: patch.object(attestations, "_read", _read_of_anybody),
        is_costly=True,
    ),
    Mutant(
        "an ended node counts on",
        invariants.authorised_values,
        Plot(steps=10, mischief=(), share=0.0, others=("utility",), ill=hostile.Revoked, weather=CALM),
        lambda: patch.object(counting, "counted_of", _counted_without_end),
        is_costly=True,
    ),
    Mutant(
        "forks are not noticed",
        invariants.settled_equivocations,
        Plot(steps=3, mischief=(), share=0.0, ill=hostile.Equivocator, weather=CALM, settled_s=120),
        lambda: patch.multiple(Forks, meet=_no_fork, is_apart=_no_fork, take_header=_no_fork),
        is_costly=True,
    ),
    Mutant(
        "every section is opened to everybody",
        invariants.withheld_bytes,
        QUIET,
        lambda: patch.multiple(View, may_read=lambda *_: True, may_open=lambda *_: True),
    ),
    Mutant(
        "the input of a job stays when the job ends",
        invariants.erased_bytes,
        Plot(steps=2, mischief=(), share=0.0, others=("utility",), weather=CALM),
        lambda: patch.object(jobs, "forget_input", _nothing_given_up),
    ),
    Mutant(
        "an erasure is stored and not carried out",
        invariants.erased_bytes,
        Plot(steps=6, mischief=(), share=0.0, others=("utility",), weather=CALM),
        lambda: patch.object(erasing, "erase_section", _nothing_erased),
        is_costly=True,
    ),
    Mutant(
        "a publication of somebody whose clock is ahead is void",
        invariants.no_accusation,
        Plot(steps=2, mischief=(), share=0.0, others=("utility",), weather=CALM),
        lambda: _both(
            patch.object(mirror, "verify_entry", _void_if_ahead), patch.object(ingest, "verify_entry", _void_if_ahead)
        ),
    ),
)
