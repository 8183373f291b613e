"""A million devices at fifty organisations, a tenth of the nodes down: how many are found, and at what price.

Directory, messages and the asking are those of the product; a node here is its lists alone, without a store, and
answers at once. `python -m tests.simulation.lookup [DEVICES] [LOOKUPS]` prints the table.
"""

import asyncio
import base64
import hashlib
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from federation.directory import (
    Seats,
    alias_key,
    bucket_digest,
    bucket_of,
    by_bucket,
    has_mark,
    join_marks,
    list_digest,
    mark_of,
)
from federation.errors import AwayError
from federation.request import RequestSignature
from federation.sync.announcing import (
    Announced,
    Referral,
    decode_differing,
    decode_refer,
    decode_referrals,
    encode_differing,
    encode_refer,
    encode_referrals,
    whole_lists,
)
from federation.sync.looking import Known, Looked, decode_looked, decode_lookup, encode_looked, encode_lookup
from node.passport.identifiers import ID, NUMBER, Identifier
from node.passport.sightings import Outcome, Sighting, Source
from node.services.inquiry import Inquiry
from node.store.directory import Announcer
from node.store.peers import Peer

NODES, DEVICES, LOOKUPS, DOWN = 50, 1_000_000, 20_000, 0.1
NEW_A_DAY = 0.001  # of the devices
KEEPERS = (0.2, 0.6, 0.2)  # how many organisations hold a device: one, two or three
KEY = bytes(65)
SIGNED = RequestSignature(bytes(16), bytes(16), bytes(16), 1 << 40, bytes(16), KEY).to_bytes()
HEADERS = len(base64.b64encode(SIGNED)) + len(base64.b64encode(KEY))  # of a signed question and its answer


@dataclass
class Model:
    """One node: what it holds, what others announced to it, and what it sent."""

    number: int
    holds: set[bytes] = field(default_factory=set)  # marks
    lists: dict[bytes, dict[int, bytes]] = field(default_factory=dict)  # by the node that announced
    is_up: bool = True
    announced: int = 0  # bytes

    @property
    def org(self) -> bytes:
        """The organisation, and its node."""
        return _id(f"org/{self.number}")

    @property
    def peer(self) -> Peer:
        """As others know it."""
        return Peer(self.org, self.org, "https://x", bytes(32), bytes(33), "active", b"", 0, 0, None, None)

    def take(self, sender: bytes, raw: bytes) -> bytes | None:
        """Answer an announcement."""
        said, kept = Announced.from_bytes(raw), self.lists.setdefault(sender, {})
        kept.update(said.whole)
        for bucket, marks in by_bucket(said.added[at : at + 8] for at in range(0, len(said.added), 8)).items():
            before = kept.get(bucket, b"")
            kept[bucket] = join_marks([*(before[at : at + 8] for at in range(0, len(before), 8)), *marks])
        digests = {bucket: bucket_digest(marks) for bucket, marks in kept.items() if marks}
        return None if said.list in (None, list_digest(digests)) else encode_differing(digests)

    def refer(self, raw: bytes) -> bytes:
        """Answer who announced."""
        found = []
        for key in decode_refer(raw):
            lists, mine = sorted(self.lists.items()), [Referral(self.org, self.org, 0)]
            told = [Referral(o, o, 1) for o, b in lists if has_mark(b.get(bucket_of(key), b""), mark_of(key))]
            found.append(mine + told if mark_of(key) in self.holds else told)
        return encode_referrals(found)

    def look(self, raw: bytes) -> bytes:
        """Answer what it holds."""
        asked = Identifier(*decode_lookup(raw))
        assert asked.key is not None
        known = (Known(asked.key, 1),) if mark_of(asked.key) in self.holds else ()
        return encode_looked(Looked(known))


@dataclass
class Link:
    """A question to a model; what it costs is counted."""

    model: Model
    spent: list[int]  # bytes

    async def refer(self, keys: Sequence[bytes]) -> list[tuple[Referral, ...]]:
        """Ask a holder."""
        raw = encode_refer(keys)
        return decode_referrals(self._counted(raw, self.model.refer), len(keys))

    async def lookup(self, scheme: str, value: str) -> Looked:
        """Ask who holds."""
        return decode_looked(self._counted(encode_lookup(scheme, value), self.model.look))

    def _counted(self, raw: bytes, answer: object) -> bytes:
        if not self.model.is_up:
            raise AwayError("down")
        answered: bytes = answer(raw)  # type: ignore[operator]  # one of the two above
        self.spent[0] += len(raw) + len(answered) + HEADERS
        return answered


class Plain:
    """An answer is taken as it is: nothing here is signed."""

    async def check(self, _asked: Identifier, known: Known, source: Source) -> Sighting | None:
        """What it says."""
        return Sighting(known.subject, frozenset({known.subject}), "", is_proved=True, sources=(source,))


@dataclass(frozen=True, slots=True)
class Report:
    """How it went: look-ups of devices with a data holder up, those that found, round trips, and bytes."""

    devices: int
    lookups: int
    found: int
    rounds_p99: int
    most_rounds: int
    bytes_a_lookup: float
    first_list: int  # bytes of announcing everything, by all nodes
    daily: int  # bytes of a day: digests, and what is new
    reachable: float  # of all devices with a data holder up: with a holder of the key up, by the lists alone

    def text(self) -> str:
        """The table."""
        return "\n".join(
            [
                f"{self.devices} devices, {self.lookups} look-ups: {self.found / self.lookups:.3%} found",
                f"with a holder of the key up, of all devices: {self.reachable:.3%}",
                f"round trips: {self.rounds_p99} at p99, {self.most_rounds} at most",
                f"bytes of a look-up: {self.bytes_a_lookup:.0f}",
                f"bytes of announcing, all nodes: {self.first_list} at first, {self.daily} a day ({NEW_A_DAY:.1%} new)",
            ]
        )


def keys_of(device: int) -> tuple[bytes, bytes]:
    """A subject and a serial."""
    return _id(f"device/{device}"), alias_key(NUMBER, f"{device:09d}")


def play(devices: int = DEVICES, lookups: int = LOOKUPS, seed: int = 1) -> Report:
    """Announce, let a tenth fall, and look up."""
    chance = random.Random(seed)
    models = [Model(number) for number in range(NODES)]
    seats = Seats({model.org: chance.randbytes(16) for model in models})
    keepers = [chance.sample(range(NODES), chance.choices((1, 2, 3), KEEPERS)[0]) for _ in range(devices)]
    for device, held_by in enumerate(keepers):
        for number in held_by:
            models[number].holds.update(map(mark_of, keys_of(device)))
    first = _announce(models, seats)
    daily = _announce(models, seats) + _announce_new(models, seats, chance, devices)
    for model in chance.sample(models, int(NODES * DOWN)):
        model.is_up = False
    up = {model.number for model in models if model.is_up}
    sought = [device for device, held_by in enumerate(keepers) if up & set(held_by)]
    outcomes, spent = asyncio.run(_look_up(models, seats, [*chance.choices(sought, k=lookups)], keepers, chance))
    rounds = sorted(outcome.rounds for outcome in outcomes)
    return Report(
        devices,
        lookups,
        sum(bool(outcome.sightings) for outcome in outcomes),
        rounds[int(len(rounds) * 0.99) - 1],
        rounds[-1],
        spent / lookups,
        first,
        daily,
        _reachable(models, seats, sought),
    )


def _announce(models: Sequence[Model], seats: Seats) -> int:
    """Let everybody tell every holder his list; bytes with headers."""
    held, before = seats.held_by(), sum(model.announced for model in models)
    for model in models:
        mine = {n: join_marks(marks) for n, marks in by_bucket(model.holds).items()}
        digests = {n: bucket_digest(marks) for n, marks in mine.items()}
        for holder in models:
            if holder is not model:
                _level(model, holder, mine, {n: digests[n] for n in held[holder.org] & digests.keys()})
    return sum(model.announced for model in models) - before


def _level(model: Model, holder: Model, mine: dict[int, bytes], digests: dict[int, bytes]) -> None:
    wanted = list_digest(digests)
    there = _tell(model, holder, Announced(wanted))
    if there is not None:
        differing = {n: mine.get(n, b"") for n in {*digests, *there} if digests.get(n) != there.get(n)}
        for asked in whole_lists(wanted, differing):
            there = _tell(model, holder, asked)
    assert there is None


def _announce_new(models: Sequence[Model], seats: Seats, chance: random.Random, devices: int) -> int:
    """What a day's new devices cost, told at once."""
    before = sum(model.announced for model in models)
    held, fresh = seats.held_by(), dict[int, set[bytes]]()
    for device in range(devices, devices + int(devices * NEW_A_DAY)):
        marks = set(map(mark_of, keys_of(device)))
        fresh.setdefault(chance.randrange(NODES), set()).update(marks)
    for number, marks in fresh.items():
        models[number].holds |= marks
        for holder in models:
            some = [mark for mark in marks if bucket_of(mark) in held[holder.org]]
            if holder is not models[number] and some:
                _tell(models[number], holder, Announced(None, added=join_marks(some)))
    return sum(model.announced for model in models) - before


def _tell(model: Model, holder: Model, asked: Announced) -> dict[int, bytes] | None:
    raw = asked.to_bytes()
    answer = holder.take(model.org, raw)
    model.announced += len(raw) + len(answer or b"") + HEADERS
    return decode_differing(answer)


async def _look_up(
    models: Sequence[Model],
    seats: Seats,
    sought: Sequence[int],
    keepers: Sequence[Sequence[int]],
    chance: random.Random,
) -> tuple[list[Outcome], int]:
    by_org, spent = {model.org: model for model in models}, [0]
    told = {model.org: Announcer(model.org, model.org, told_us=1) for model in models}
    askers = [model for model in models if model.is_up]
    outcomes = []
    for device in sought:
        asker = chance.choice([model for model in askers if model.number not in keepers[device]])
        subject, _ = keys_of(device)
        asked = chance.choice([Identifier(ID, subject.hex()), Identifier(NUMBER, f"{device:09d}")])
        peers = [model.peer for model in models if model is not asker]
        key = asked.key
        assert key is not None
        here = decode_referrals(asker.refer(encode_refer([key])), 1)[0]
        inquiry = Inquiry((asked,), peers, told, lambda peer: Link(by_org[peer.org], spent), Plain())
        outcomes.append(await inquiry.run(seats, (), {asked: here}))
    return outcomes, spent[0]


def _reachable(models: Sequence[Model], seats: Seats, sought: Sequence[int]) -> float:
    down = {model.org for model in models if not model.is_up}
    lost = {bucket for bucket in range(4096) if down.issuperset(seats.holders(bucket))}
    return sum(bucket_of(keys_of(device)[0]) not in lost for device in sought) / len(sought)


def _id(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]


def main() -> int:
    """Play it and print the table."""
    print(play(*map(int, sys.argv[1:3])).text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
