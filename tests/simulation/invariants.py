"""The seven invariants: each looks at a world that was healed, and answers what breaks it, in words.

Nothing here asks a node: stores are read as they lie there, and what was sent as it went over the links.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.simulation.evidence import Evidence, read_evidence, rows_with
from tests.simulation.machine import Machine
from tests.simulation.story import BATCH, Device, Story
from tests.simulation.world import World

UNSURE = frozenset({"working", "claim"})


@dataclass(slots=True)
class Outcome:
    """A world after healing. `pulled` holds what was acknowledged and lay at another machine too, before any loss."""

    world: World
    story: Story
    honest: list[Machine]
    pulled: set[tuple[bytes, int, bytes]] = field(default_factory=set)
    lost: frozenset[str] = frozenset()
    forkers: frozenset[bytes] = frozenset()
    erased: list[bytes] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    anew: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    compared: int = 0
    unsettled: str = ""

    def read(self) -> None:
        """Read every honest store."""
        self.evidence = [read_evidence(machine.name, machine.folder.database) for machine in self.honest]

    @property
    def orgs(self) -> dict[bytes, str]:
        """The honest organisations."""
        return {machine.org: machine.name for machine in self.honest}


Invariant = Callable[[Outcome], Iterator[str]]


def equal_views(outcome: Outcome) -> Iterator[str]:
    """1: what was folded from equal sets and evidence is byte-equal: on two machines, and on one at once and anew."""
    seen: dict[tuple[bytes, bytes], tuple[str, bytes]] = {}
    for held in outcome.evidence:
        for lead, passport in sorted(held.passports.items()):
            key = (lead, passport.folded_from)
            name, raw = seen.setdefault(key, (held.name, passport.raw))
            outcome.compared += name != held.name
            if raw != passport.raw:
                yield f"{name} and {held.name} fold {lead.hex()} otherwise from the same"
            if outcome.anew[held.name][lead] != passport.digest:
                yield f"{held.name} folds {lead.hex()} otherwise at once, in another order"


def kept_appends(outcome: Outcome) -> Iterator[str]:
    """2: what was acknowledged and pulled once survives the loss of any one machine."""
    holders: dict[tuple[bytes, int, bytes], int] = {}
    forked = {log for held in outcome.evidence for log in held.forks}
    for held in outcome.evidence:
        for (log, seq), entry in held.entries.items():
            holders[log, seq, entry.id] = holders.get((log, seq, entry.id), 0) + 1
    least = 1 if outcome.lost else 2
    for log, seq, entry_id in sorted(outcome.pulled):
        if holders.get((log, seq, entry_id), 0) < least and not (log in forked and outcome.forkers):
            yield f"entry {seq} of log {log.hex()} is held by fewer than {least}"


def authorised_values(outcome: Outcome) -> Iterator[str]:
    """3: no value that its author had no right to state is in effect in any view, nor contests one that is."""
    strangers = {device.subject: device for device in outcome.story.devices}
    for held in outcome.evidence:
        for passport in held.passports.values():
            for subject in sorted(passport.subjects & strangers.keys()):
                yield from _forged(held, passport.view, strangers[subject], outcome)
        for log, size in outcome.story.cuts.items():
            if log in held.logs and held.logs[log].size > size != held.logs[log].counted:
                yield f"{held.name} counts log {log.hex()} up to {held.logs[log].counted}, it was cut at {size}"


def settled_equivocations(outcome: Outcome) -> Iterator[str]:
    """4: a machine that holds a branch of a forked log has the proof, or shows its peer as not reconciled."""
    branches: dict[tuple[bytes, int], set[bytes]] = {}
    for held in outcome.evidence:
        for log, leaves in held.leaves.items():
            for seq, leaf in enumerate(leaves):
                branches.setdefault((log, seq), set()).update({leaf} - {b""})
    forked = {log for (log, _), leaves in branches.items() if len(leaves) > 1}
    forked |= {log for held in outcome.evidence for log in held.forks}
    for held in outcome.evidence:
        for log in sorted(forked & held.logs.keys() - held.forks):
            if held.logs[log].size and not any("not reconciled" in text for text in held.troubles.values()):
                yield f"{held.name} holds a branch of log {log.hex()} and no proof"


def withheld_bytes(outcome: Outcome) -> Iterator[str]:
    """5: no machine was ever sent what its organisation was never let read."""
    for machine in outcome.world.machines.values():
        came = b"\n".join(outcome.world.network.heard[machine.name])
        for device in outcome.story.devices:
            for told in device.canaries if machine.org not in device.readers else ():
                if told.encode() in came:
                    yield f"{machine.name} was sent {told}"


def erased_bytes(outcome: Outcome) -> Iterator[str]:
    """6: what was erased lies in no honest store: names whose erasure somebody has, and inputs of jobs that ended.

    An erasure that was lost with the only machine that had it, or fell with a fork, erases nothing.
    """
    known = {(log, seq): entry.id[:16] for held in outcome.evidence for (log, seq), entry in held.entries.items()}
    forked = {log for held in outcome.evidence for log in held.forks}
    asked = [(name.encode(), ref) for name, ref in outcome.story.erased if ref.log not in forked]
    names = [name for name, ref in asked if known.get((ref.log, ref.seq)) == ref.id16]
    for value in (*outcome.erased, *names):
        for machine in outcome.honest:
            for table in rows_with(machine.folder.database, value):
                yield f"{machine.name} has erased bytes in {table}"


def no_accusation(outcome: Outcome) -> Iterator[str]:
    """7: no honest organisation is shown with a fork that it did not make, a void entry, or a log that stopped."""
    honest = outcome.orgs.keys() - outcome.forkers
    for held in outcome.evidence:
        for log, stored in sorted(held.logs.items()):
            if stored.org not in honest:
                continue
            who = f"{outcome.orgs[stored.org]} at {held.name}"
            if log in held.forks:
                yield f"a fork is proven against {who}"
            if stored.stopped is not None:
                yield f"a log of {who} stopped: {stored.stopped}"
            if stored.loss is not None:
                yield f"a log of {who} does not count: {stored.loss}"
        for (log, seq), entry in sorted(held.entries.items()):
            if entry.void is not None and held.logs[log].org in honest:
                yield f"entry {seq} of {outcome.orgs[held.logs[log].org]} is void at {held.name}: {entry.void}"


INVARIANTS: tuple[Invariant, ...] = (
    equal_views,
    kept_appends,
    authorised_values,
    settled_equivocations,
    withheld_bytes,
    erased_bytes,
    no_accusation,
)


def broken(outcome: Outcome) -> list[str]:
    """What breaks the invariants: `invariant: words`."""
    outcome.read()
    late = [f"settling: {outcome.unsettled}"] if outcome.unsettled else []
    return late + [f"{invariant.__name__}: {said}" for invariant in INVARIANTS for said in invariant(outcome)]


def _forged(held: Evidence, view: dict, device: Device, outcome: Outcome) -> Iterator[str]:  # type: ignore[type-arg]  # a view
    values = view["parameters"].get(BATCH, {}).get("values", [])
    has_spoken = device.batch is not None and any(device.batch in json.dumps(row) for row in values)
    for row in values:
        marked = [marker for marker in device.forged if marker in json.dumps(row["value"])]
        if marked and (has_spoken or row["standing"] not in UNSURE):
            yield f"{held.name} shows {marked[0]} as {row['standing']}"
        if has_spoken and row["standing"] == "disputed":
            yield f"{held.name} lets a stranger dispute {device.batch}"
    yield from _usurped(held, view, device)


def _usurped(held: Evidence, view: dict, device: Device) -> Iterator[str]:  # type: ignore[type-arg]  # a view
    """Who is shown as maker, owner or holder of a role without having been made so."""
    parties, entitled = view["parties"], {org.hex() for org in device.readers}
    maker, owner = parties["manufacturer"]["value"], parties["owner"]
    if view["plates"] and maker != device.maker.hex():
        yield f"{held.name} shows {maker} as manufacturer of {device.subject.hex()}"
    if (owner["value"] or device.maker.hex()) not in entitled or owner["standing"] == "disputed":
        yield f"{held.name} shows {owner['value']} as owner of {device.subject.hex()}, {owner['standing']}"
    for row in parties["roles"]:
        if row["party"] not in entitled:
            yield f"{held.name} shows {row['party']} as {row['role']} of {device.subject.hex()}"
