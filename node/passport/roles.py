"""The roles of organisations over a thing: their names, who a party is, and how long a role is held.

Three of them pass from one holder to the next (title, responsibility, settlement), the others are given by whoever may;
whose network it is is given and passes on as well.
A party that has no node is known by its number in the state register, whatever its spelling, or is a resident, of whom
nothing but a random id stands where everybody may read. Who claims a box with its code is not known at all before.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from federation.authority import Authority, Verb
from federation.fragment import Ref
from node.passport.boxes import BOX, is_box
from node.passport.organisations import INN, OGRN
from node.passport.world import World


class PartyRole(StrEnum):
    """What an organisation is to a thing."""

    MANUFACTURER = "manufacturer"
    TITLE = "title"
    RESPONSIBLE = "responsible"
    SETTLEMENT = "settlement"
    PROCESS_OWNER = "process_owner"
    PROCESS_EXECUTOR = "process_executor"
    DATA_SOURCE = "data_source"
    NETWORK = "network"
    ESCROW = "escrow"


# The capacities of an owner: they pass by both signatures, or by a document where one side has no node.
CAPACITIES = (PartyRole.TITLE, PartyRole.RESPONSIBLE, PartyRole.SETTLEMENT)
# What one organisation offers and another accepts: whose network it is passes on from one to the next too.
PASSING = (*CAPACITIES, PartyRole.NETWORK)
GIVEN = (
    PartyRole.PROCESS_OWNER, PartyRole.PROCESS_EXECUTOR, PartyRole.DATA_SOURCE, PartyRole.NETWORK, PartyRole.ESCROW,
)  # fmt: skip

# What touches the keys of a thing: nobody names it while the thing is traded unopened.
OF_KEYS = frozenset({PartyRole.NETWORK, PartyRole.ESCROW})

_ORG = re.compile("[0-9a-f]{32}")

# Rows of the section `authority` beside the names of roles.
DOCUMENT = "document"  # a document stands behind the statement; it is named in the section `mandate`
RESIDENT = "resident"  # the party is a person; the name stands in the section `person`
UNOPENED = "unopened"  # of an offer of the title: it passes to who trades, without what is secret


VIA = "via:"  # of a shipment: through whose node it goes, by its id


@dataclass(frozen=True, slots=True)
class Tenure:
    """An organisation with a node holds a role from a time until another, which is excluded; None is open.

    `cut` are the sizes up to which its logs count, where the role was ended by somebody; None is no limit.
    """

    role: PartyRole
    org: bytes
    since: int
    until: int | None = None
    cut: tuple[tuple[bytes, int], ...] | None = None
    ended_by: bytes | None = None

    def holds(self, at: int, place: Ref | None = None) -> bool:
        """Whether it is held at a fact's time, by a statement at that place of a log."""
        in_time = self.since <= at and (self.until is None or at < self.until)
        # What the holder said before the role was ended counts for ever; what came later counts nothing.
        return in_time and is_inside(self.cut, place)


def is_inside(cut: tuple[tuple[bytes, int], ...] | None, place: Ref | None) -> bool:
    """Whether a place of a log counts by a cut; without a cut, and where no place is asked about, it does."""
    return cut is None or place is None or dict(cut).get(place.log, 0) > place.seq


@dataclass(frozen=True, slots=True)
class Party:
    """Whom an act names. `number` is `inn:...` or `ogrn:...` of one without a node, `box:...` of a box."""

    org: bytes
    number: str | None = None
    is_resident: bool = False
    is_outside: bool = False


def outside_party(number: str) -> bytes:
    """The id of an organisation that is known by its number alone: the same for everybody who names it."""
    return hashlib.sha256(f"passport/party/1\n{number}".encode()).digest()[:16]


def party_of(authority: Authority, world: World) -> Party | None:
    """Whom an act names; None where its rows contradict each other. A number that is a member's means the member."""
    # By a document nothing passes to a box: who claims it signs himself.
    known = (INN, OGRN) if authority.verb is Verb.ROLE else (INN, OGRN, BOX)
    numbers = [row for row in authority.rows if row.partition(":")[0] in known]
    is_resident = RESIDENT in authority.rows
    if not numbers:
        return Party(authority.party, is_resident=is_resident, is_outside=is_resident)
    if is_resident or len(numbers) > 1 or outside_party(numbers[0]) != authority.party:
        return None
    member = None if is_box(numbers[0]) else world.attestations.holder(numbers[0])
    return Party(member, numbers[0]) if member else Party(authority.party, numbers[0], is_outside=True)


def carrier_of(authority: Authority) -> bytes | None:
    """Through whose node a shipment goes; None where it goes straight, and where that is not told well."""
    told = [row.removeprefix(VIA) for row in authority.rows if row.startswith(VIA)]
    return bytes.fromhex(told[0]) if len(told) == 1 and _ORG.fullmatch(told[0]) else None


def roles_named(authority: Authority) -> frozenset[PartyRole]:
    """The roles of which an act speaks."""
    return frozenset(role for role in PartyRole if role.value in authority.rows)
