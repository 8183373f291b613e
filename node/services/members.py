"""The list of who belongs to the federation, as what: standing, numbers, what anchors say, and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from federation.authority import Attested
from federation.organisation import RootFork
from node.passport.attestations import Attestations, Proposed
from node.passport.bodies import CardBody
from node.passport.standing import Stand
from node.passport.world import World
from node.services.core import Core
from node.services.projection import Projection
from node.store.organisations import branched_organisations, find_chain, known_organisations


@dataclass(frozen=True, slots=True)
class Said:
    """Something that anchors say of an organisation, and whether as many say so as must."""

    words: Proposed
    counts: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One organisation of which this node knows.

    `numbers` are its own by k anchors, `contested` those of them that are nobody's, `foreign` those that its card
    states and that are attested to another. `fork` is that of its root chain; `attested_branches` tells by the hash of
    a root statement, in hex, which anchors attest it.
    """

    org: bytes
    card: CardBody | None
    stand: Stand
    numbers: tuple[str, ...]
    contested: tuple[str, ...]
    foreign: tuple[str, ...]
    said: tuple[Said, ...]
    fork: RootFork | None = None
    attested_branches: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)


class Members:
    """Reads who is known here."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection

    async def list(self) -> list[Member]:
        """Every organisation that is known here, by its standing and its name."""
        async with self._core.database.read() as tx:
            known = set(await known_organisations(tx))
            chains = {org: await find_chain(tx, org) for org in await branched_organisations(tx)}
        forks = {org: chain.fork for org, chain in chains.items() if chain is not None}
        world = self._projection.world
        known |= {stand.org for stand in world.standings} | {one.org for one in world.attestations.proposed}
        said = _said_of(world.attestations)
        contested = world.attestations.contested()
        members = [_member(world, org, said.get(org, ()), contested, forks.get(org)) for org in known]
        return sorted(members, key=_order)


def _member(
    world: World,
    org: bytes,
    said: tuple[Said, ...],
    contested: Mapping[str, frozenset[bytes]],
    fork: RootFork | None,
) -> Member:
    card, attested = world.cards.get(org), world.attestations
    stated = [
        f"{kind}:{number}" for kind, number in (("inn", card and card.inn), ("ogrn", card and card.ogrn)) if number
    ]
    return Member(
        org,
        card,
        world.standings.of(org),
        attested.numbers(org),
        tuple(number for number, orgs in contested.items() if org in orgs),
        tuple(number for number in stated if attested.holder(number) not in (None, org)),
        said,
        fork,
        {row: one.anchors for one in attested.proposed if _is_branch(one, org) for row in one.rows},
    )


def _is_branch(words: Proposed, org: bytes) -> bool:
    return (words.what, words.org) == (Attested.BRANCH, org)


def _said_of(attested: Attestations) -> dict[bytes, tuple[Said, ...]]:
    held = {(one.what, one.org, one.rows) for one in attested.held}
    found: dict[bytes, tuple[Said, ...]] = {}
    for words in attested.proposed:
        if words.what is not Attested.BRANCH:
            said = Said(words, (words.what, words.org, words.rows) in held)
            found[words.org] = (*found.get(words.org, ()), said)
    return found


def _order(member: Member) -> tuple[int, str, bytes]:
    order = list(type(member.stand.standing))
    return order.index(member.stand.standing), member.card.name if member.card else "\uffff", member.org
