"""Who may say what, high to low: the authority table, and the rank of an organisation in it.

A rank is held at the time at which a fact occurred. A tier without authority still ranks: its best statement is the
value while nobody with authority has spoken, and is shown as working.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain

from federation.fragment import Ref
from node.passport.catalogs import Catalog, load_central
from node.passport.roles import PartyRole, Tenure, is_inside
from node.passport.world import World
from node.passport.writable import WRITABLE


class FactClass(StrEnum):
    """Kinds of facts that differ in who has authority over them."""

    PRODUCTION = "production"  # type, execution, serial, production parameters, first composition
    VERIFICATION = "verification"
    PHYSICAL = "physical"  # mounting, removal, repair
    ADMISSION = "admission"  # admission to settlement, seals, place
    OWNERSHIP = "ownership"
    RADIO = "radio"
    CATALOG = "catalog"
    OBSERVATION = "observation"


class Ground(StrEnum):
    """Why an organisation may say something of a subject."""

    REGISTER = "register"  # brings the answers of a state register, named so by the federation
    MAKER = "maker"
    PLATE_LAB = "plate-lab"  # accredited at that date, and read the plate
    LAB = "lab"
    NETWORK = "network"
    SETTLEMENT = "settlement"
    TITLE = "title"
    RESPONSIBLE = "responsible"
    DATA_SOURCE = "data-source"
    EXECUTOR = "executor"  # carries out a process, or owns it
    GRANTED = "granted"  # lets it write: somebody who has the ground himself
    NAMED = "named"  # by the maker or a title holder, in an event
    STEWARD = "steward"
    ANYBODY = "anybody"


@dataclass(frozen=True, slots=True)
class Tier:
    """Grounds of equal right; where it goes `by_turn`, a later title is higher than an earlier one.

    What is `sealed` is not for a title that came unopened: who holds it does not say by which key a device joins.
    """

    grounds: tuple[Ground, ...]
    has_authority: bool = True
    by_turn: bool = False
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Rank:
    """How high a statement stands among others of its class; greater is higher."""

    level: int
    has_authority: bool
    ground: Ground


@dataclass(frozen=True, slots=True)
class Title:
    """An organisation holds the title from a time until another (excluded); None is open."""

    org: bytes
    since: int
    until: int | None = None
    is_outside: bool = False  # it has no node, and says nothing itself
    cut: tuple[tuple[bytes, int], ...] | None = None  # sizes up to which its logs count, None for no limit
    passed_to: bytes | None = None  # who said so, by accepting it
    is_unopened: bool = False  # it came without what is secret, to be sold on

    def holds(self, at: int, place: Ref | None = None) -> bool:
        """Whether the title is held at a fact's time, by a statement at that place of a log."""
        in_time = self.since <= at and (self.until is None or at < self.until)
        # What was said before it was passed on counts for ever; what came later counts nothing.
        return in_time and is_inside(self.cut, place)


@dataclass(frozen=True, slots=True)
class Delegation:
    """`org` may say what `by` may say, in these rows: names of kinds, or `kind/class` for one class of facts.

    From and to bound the facts' time. `cut` are the sizes up to which the logs of `org` count, where it was ended.
    """

    by: bytes
    org: bytes
    rows: frozenset[str]
    since: int | None = None
    until: int | None = None
    cut: tuple[tuple[bytes, int], ...] | None = None
    ended_by: bytes | None = None
    said: Ref | None = None  # where `by` said so

    def covers(self, kind: int, at: int, fact_class: FactClass | None = None) -> bool:
        """Whether it was given for facts of a kind (and class) of that time, ended or not."""
        name = WRITABLE.get(kind, "")
        in_time = (self.since is None or self.since <= at) and (self.until is None or at < self.until)
        if fact_class is None:
            return in_time and any(row.partition("/")[0] == name for row in self.rows)
        return in_time and (name in self.rows or f"{name}/{fact_class.value}" in self.rows)

    def lets(self, kind: int, at: int, place: Ref | None, fact_class: FactClass) -> bool:
        """Whether what is said at a place of a log is covered by it."""
        return self.covers(kind, at, fact_class) and is_inside(self.cut, place)


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What ranks depend on: who made the subject, owns it, read its plate and was named for it.

    `made` is the day on which it was made, in microseconds, by the best word of it: nothing happened to it before.
    """

    makers: frozenset[bytes] = frozenset()
    scopes: frozenset[str] = frozenset()
    plate_readers: frozenset[bytes] = frozenset()
    titles: tuple[Title, ...] = ()
    settlement: frozenset[bytes] = frozenset()
    network: frozenset[bytes] = frozenset()
    named: frozenset[bytes] = frozenset()
    made: int | None = None
    roles: tuple[Tenure, ...] = ()
    delegations: tuple[Delegation, ...] = ()

    def has(self, role: PartyRole, org: bytes, at: int, place: Ref | None = None) -> bool:
        """Whether an organisation holds a role at a fact's time, by what it says at that place of a log."""
        return any(one.org == org and one.role is role and one.holds(at, place) for one in self.roles)

    def is_cut(self, org: bytes) -> bool:
        """Whether a role of the organisation was ended, or a grant, so that it matters where in its logs it spoke."""
        entitling: Iterable[Tenure | Delegation | Title] = chain(self.roles, self.delegations, self.titles)
        return any(one.cut is not None and one.org == org for one in entitling)

    def ended_by(self, org: bytes, kind: int, at: int, place: Ref) -> bytes | None:
        """Who ended or took over what entitled an organisation, where what it says at that place came later; else None.

        A title entitles to speak of its own time alone, and a maker speaks of what it made without one.
        """
        mine: list[Tenure | Delegation] = [one for one in self.delegations if one.org == org and one.covers(kind, at)]
        mine += [one for one in self.roles if one.org == org and one.since <= at]
        held = [one for one in self.titles if one.org == org and one.holds(at)] if org not in self.makers else []
        if any(is_inside(one.cut, place) for one in (*mine, *held)):
            return None
        by = (*(one.ended_by for one in mine), *(one.passed_to for one in held))
        return next((one for one in by if one is not None), None)

    @property
    def opened(self) -> "SubjectFacts":
        """The same without titles that came unopened."""
        if not any(title.is_unopened for title in self.titles):
            return self
        return replace(self, titles=tuple(title for title in self.titles if not title.is_unopened))

    @property
    def protocolists(self) -> frozenset[bytes]:
        """Whom somebody lets write protocols now."""
        return frozenset(one.org for one in self.delegations if one.ended_by is None and PROTOCOL in one.rows)

    @property
    def names_somebody(self) -> bool:
        """Whether anybody made it, owns it or was named for it."""
        return bool(self.makers or self.titles or self.settlement or self.network or self.named or self.roles)


PROTOCOL = "protocol"
TURNS = 1000  # a level has room for so many titles one after another

_ANYBODY = Tier((Ground.ANYBODY,), has_authority=False)
_EXECUTORS = (
    Ground.MAKER,
    Ground.LAB,
    Ground.NETWORK,
    Ground.SETTLEMENT,
    Ground.RESPONSIBLE,
    Ground.TITLE,
    Ground.EXECUTOR,
    Ground.NAMED,
)

AUTHORITY: Mapping[FactClass, tuple[Tier, ...]] = {
    FactClass.PRODUCTION: (
        Tier((Ground.MAKER,)),
        Tier((Ground.PLATE_LAB,), has_authority=False),
        Tier((Ground.SETTLEMENT,), has_authority=False),
        Tier((Ground.TITLE,), has_authority=False),
        _ANYBODY,
    ),
    FactClass.VERIFICATION: (Tier((Ground.REGISTER,)), Tier((Ground.LAB,)), _ANYBODY),
    FactClass.PHYSICAL: (Tier(_EXECUTORS), _ANYBODY),
    FactClass.ADMISSION: (Tier((Ground.SETTLEMENT, Ground.RESPONSIBLE, Ground.TITLE)), _ANYBODY),
    FactClass.OWNERSHIP: (Tier((Ground.TITLE,)), Tier((Ground.RESPONSIBLE,)), _ANYBODY),
    FactClass.RADIO: (
        Tier((Ground.NETWORK,)),
        Tier((Ground.TITLE,), by_turn=True, sealed=True),
        Tier((Ground.MAKER,)),
        Tier((Ground.NAMED,), has_authority=False),
        _ANYBODY,
    ),
    FactClass.CATALOG: (Tier((Ground.STEWARD,)), Tier((Ground.MAKER,)), _ANYBODY),
    FactClass.OBSERVATION: (Tier((*_EXECUTORS, Ground.DATA_SOURCE)), _ANYBODY),
}

# What may be lent: what anchors say of somebody, as an accreditation, is his alone.
LENDABLE = frozenset({Ground.MAKER, Ground.TITLE, Ground.RESPONSIBLE, Ground.SETTLEMENT, Ground.NETWORK})

# Who may bring a register's answer about a thing.
READERS = (Ground.REGISTER, Ground.MAKER, Ground.LAB, Ground.TITLE, Ground.SETTLEMENT)

# What is not listed: passport parameters are production, all others are observed.
PARAMETER_CLASSES: Mapping[str, FactClass] = {
    "verification_valid_until": FactClass.VERIFICATION,
    "fif_docnum": FactClass.VERIFICATION,
    "dev_eui": FactClass.RADIO,
    "join_eui": FactClass.RADIO,
    "app_key_ref": FactClass.RADIO,
    "lorawan_version": FactClass.RADIO,
    "lorawan_class": FactClass.RADIO,
    "lorawan_region": FactClass.RADIO,
    "lorawan_activation": FactClass.RADIO,
    "lorawan_ports": FactClass.RADIO,
    "operating_mode": FactClass.RADIO,
    "time_service": FactClass.RADIO,
    "reporting_schedule": FactClass.RADIO,
    "firmware_version": FactClass.PHYSICAL,
    "house_guid": FactClass.ADMISSION,
    "install_place": FactClass.ADMISSION,
    "gis_root_guid": FactClass.ADMISSION,
}

# What is not listed is a physical fact of whoever did it.
EVENT_CLASSES: Mapping[str, FactClass] = {
    "manufactured": FactClass.PRODUCTION,
    "calibrated": FactClass.PRODUCTION,
    "configured": FactClass.PRODUCTION,
    "marked": FactClass.PRODUCTION,
    "packed": FactClass.PRODUCTION,
    "verified": FactClass.VERIFICATION,
    "rejected": FactClass.VERIFICATION,
    "verification_annulled": FactClass.VERIFICATION,
    "admitted": FactClass.ADMISSION,
    "reading_replaced": FactClass.ADMISSION,
    "shipped": FactClass.OWNERSHIP,
    "sold": FactClass.OWNERSHIP,
    "transferred": FactClass.OWNERSHIP,
    "owner_changed": FactClass.OWNERSHIP,
}


def rank(
    fact_class: FactClass,
    org: bytes,
    facts: SubjectFacts,
    world: World,
    at: int,
    place: Ref | None = None,
    kind: int | None = None,
) -> Rank:
    """Where an organisation stands in the table at the time when the fact occurred, by what it says at a place.

    With a kind of statement it may speak for others too: with their authority, and below their own word.
    """
    own = _rank(fact_class, org, facts, world, at, place)
    if own.has_authority or kind is None or not facts.delegations:
        return own
    lent = (
        _rank(fact_class, one.by, facts, world, at, one.said)
        for one in facts.delegations
        if one.org == org and one.lets(kind, at, place, fact_class)
    )
    levels = [found.level for found in lent if found.has_authority and found.ground in LENDABLE]
    return Rank(max(levels) - 1, has_authority=True, ground=Ground.GRANTED) if levels else own


def _rank(
    fact_class: FactClass, org: bytes, facts: SubjectFacts, world: World, at: int, place: Ref | None = None
) -> Rank:
    tiers = AUTHORITY[fact_class]
    for index, tier in enumerate(tiers):
        told = facts.opened if tier.sealed else facts
        for ground in tier.grounds:
            role = _BY_ROLE.get(ground, ())
            if any(told.has(one, org, at, place) for one in role) or _HOLDS[ground](org, told, world, at, place):
                turn = _turn(org, told, at) if tier.by_turn else 0
                return Rank((len(tiers) - index) * TURNS + turn, tier.has_authority, ground)
    return Rank(0, has_authority=False, ground=Ground.ANYBODY)


def has_ground(
    ground: Ground, org: bytes, facts: SubjectFacts, world: World, at: int, place: Ref | None = None
) -> bool:
    """Whether an organisation has that ground to speak of a subject at a fact's time, by what it says at a place.

    Who is let write protocols signs acts as one who was named.
    """
    if ground is Ground.NAMED and org in facts.protocolists:
        return True
    return _HOLDS[ground](org, facts, world, at, place)


def register_rank(org: bytes, facts: SubjectFacts, world: World, at: int) -> Rank:
    """Where an organisation stands that read a register's record and kept the answer.

    As the register, where it could answer for the reading: it makes the thing, verifies such things, owns it or settles
    by it. Anybody else's reading is a word like any other.
    """
    if any(_HOLDS[ground](org, facts, world, at, None) for ground in READERS):
        return Rank(len(AUTHORITY[FactClass.VERIFICATION]) * TURNS, has_authority=True, ground=Ground.REGISTER)
    return rank(FactClass.VERIFICATION, org, facts, world, at)


def parameter_class(central: str | None) -> FactClass:
    """The class of a parameter by its central code; one that is not bound yet is its maker's own."""
    if central is None:
        return FactClass.PRODUCTION
    if central in PARAMETER_CLASSES:
        return PARAMETER_CLASSES[central]
    kind = load_central(Catalog.PARAMETERS).get(central, {}).get("kind", "passport")
    return FactClass.PRODUCTION if kind == "passport" else FactClass.OBSERVATION


def event_class(central: str | None) -> FactClass:
    """The class of an event by its central code."""
    return EVENT_CLASSES.get(central or "", FactClass.PHYSICAL)


def _turn(org: bytes, facts: SubjectFacts, at: int) -> int:
    turns = [turn for turn, title in enumerate(facts.titles) if title.org == org and title.holds(at)]
    return min(max(turns, default=0), TURNS - 1)


def _is_lab(org: bytes, facts: SubjectFacts, world: World, at: int, _place: Ref | None = None) -> bool:
    return world.attestations.is_accredited(org, facts.scopes, at)


def _owns(org: bytes, facts: SubjectFacts, _world: World, at: int, place: Ref | None) -> bool:
    return any(title.org == org and title.holds(at, place) for title in facts.titles)


# Grounds that a role gives.
_BY_ROLE: Mapping[Ground, tuple[PartyRole, ...]] = {
    Ground.NETWORK: (PartyRole.NETWORK,),
    Ground.SETTLEMENT: (PartyRole.SETTLEMENT,),
    Ground.RESPONSIBLE: (PartyRole.RESPONSIBLE,),
    Ground.DATA_SOURCE: (PartyRole.DATA_SOURCE,),
    Ground.EXECUTOR: (PartyRole.PROCESS_OWNER, PartyRole.PROCESS_EXECUTOR),
}

_Holds = Callable[[bytes, SubjectFacts, World, int, Ref | None], bool]

_HOLDS: Mapping[Ground, _Holds] = {
    Ground.REGISTER: lambda org, _, world, at, __: world.attestations.is_steward(org, "register", at),
    Ground.MAKER: lambda org, facts, world, at, _: org in facts.makers and world.attestations.is_maker(org, at),
    Ground.LAB: _is_lab,
    Ground.PLATE_LAB: lambda org, facts, world, at, _: org in facts.plate_readers and _is_lab(org, facts, world, at),
    Ground.NETWORK: lambda org, facts, *_: org in facts.network,
    Ground.SETTLEMENT: lambda org, facts, *_: org in facts.settlement,
    Ground.TITLE: _owns,
    Ground.NAMED: lambda org, facts, *_: org in facts.named,
    Ground.RESPONSIBLE: lambda *_: False,
    Ground.DATA_SOURCE: lambda *_: False,
    Ground.EXECUTOR: lambda *_: False,
    Ground.STEWARD: lambda org, _, world, at, __: world.attestations.is_steward(org, "line", at),
    Ground.ANYBODY: lambda *_: True,
}
