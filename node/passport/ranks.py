"""Who may say what, high to low: the authority table, and the rank of an organisation in it.

A rank is held at the time at which a fact occurred. A tier without authority still ranks: its best statement is the
value while nobody with authority has spoken, and is shown as working.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from node.passport.catalogs import Catalog, load_central
from node.passport.world import World


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
    NAMED = "named"  # by the maker or a title holder, in a share or an event
    STEWARD = "steward"
    ANYBODY = "anybody"


@dataclass(frozen=True, slots=True)
class Tier:
    """Grounds of equal right; where it goes `by_turn`, a later title is higher than an earlier one."""

    grounds: tuple[Ground, ...]
    has_authority: bool = True
    by_turn: bool = False


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

    def holds(self, at: int) -> bool:
        """Whether the title is held at a fact's time."""
        return self.since <= at and (self.until is None or at < self.until)


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

    @property
    def names_somebody(self) -> bool:
        """Whether anybody made it, owns it or was named for it."""
        return bool(self.makers or self.titles or self.settlement or self.network or self.named)


TURNS = 1000  # a level has room for so many titles one after another

_ANYBODY = Tier((Ground.ANYBODY,), has_authority=False)
_EXECUTORS = Tier((Ground.MAKER, Ground.LAB, Ground.NETWORK, Ground.SETTLEMENT, Ground.TITLE, Ground.NAMED))

AUTHORITY: Mapping[FactClass, tuple[Tier, ...]] = {
    FactClass.PRODUCTION: (
        Tier((Ground.MAKER,)),
        Tier((Ground.PLATE_LAB,), has_authority=False),
        Tier((Ground.SETTLEMENT,), has_authority=False),
        Tier((Ground.TITLE,), has_authority=False),
        _ANYBODY,
    ),
    FactClass.VERIFICATION: (Tier((Ground.REGISTER,)), Tier((Ground.LAB,)), _ANYBODY),
    FactClass.PHYSICAL: (_EXECUTORS, _ANYBODY),
    FactClass.ADMISSION: (Tier((Ground.SETTLEMENT, Ground.TITLE)), _ANYBODY),
    FactClass.OWNERSHIP: (Tier((Ground.TITLE,)), _ANYBODY),
    FactClass.RADIO: (
        Tier((Ground.NETWORK,)),
        Tier((Ground.TITLE,), by_turn=True),
        Tier((Ground.MAKER,)),
        Tier((Ground.NAMED,), has_authority=False),
        _ANYBODY,
    ),
    FactClass.CATALOG: (Tier((Ground.STEWARD,)), Tier((Ground.MAKER,)), _ANYBODY),
    FactClass.OBSERVATION: (_EXECUTORS, _ANYBODY),
}

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
    "admitted": FactClass.ADMISSION,
    "reading_replaced": FactClass.ADMISSION,
    "shipped": FactClass.OWNERSHIP,
    "sold": FactClass.OWNERSHIP,
    "transferred": FactClass.OWNERSHIP,
    "owner_changed": FactClass.OWNERSHIP,
}


def rank(fact_class: FactClass, org: bytes, facts: SubjectFacts, world: World, at: int) -> Rank:
    """Where an organisation stands in the table at the time when the fact occurred."""
    tiers = AUTHORITY[fact_class]
    for index, tier in enumerate(tiers):
        for ground in tier.grounds:
            if _HOLDS[ground](org, facts, world, at):
                turn = _turn(org, facts, at) if tier.by_turn else 0
                return Rank((len(tiers) - index) * TURNS + turn, tier.has_authority, ground)
    return Rank(0, has_authority=False, ground=Ground.ANYBODY)


def has_ground(ground: Ground, org: bytes, facts: SubjectFacts, world: World, at: int) -> bool:
    """Whether an organisation has that ground to speak of a subject at a fact's time."""
    return _HOLDS[ground](org, facts, world, at)


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


def _is_lab(org: bytes, facts: SubjectFacts, world: World, at: int) -> bool:
    return world.attestations.is_accredited(org, facts.scopes, at)


_Holds = Callable[[bytes, SubjectFacts, World, int], bool]

_HOLDS: Mapping[Ground, _Holds] = {
    Ground.REGISTER: lambda org, _, world, at: world.attestations.is_steward(org, "register", at),
    Ground.MAKER: lambda org, facts, world, at: org in facts.makers and world.attestations.is_maker(org, at),
    Ground.LAB: _is_lab,
    Ground.PLATE_LAB: lambda org, facts, world, at: org in facts.plate_readers and _is_lab(org, facts, world, at),
    Ground.NETWORK: lambda org, facts, _, __: org in facts.network,
    Ground.SETTLEMENT: lambda org, facts, _, __: org in facts.settlement,
    Ground.TITLE: lambda org, facts, _, at: any(title.org == org and title.holds(at) for title in facts.titles),
    Ground.NAMED: lambda org, facts, _, __: org in facts.named,
    Ground.STEWARD: lambda org, _, world, at: world.attestations.is_steward(org, "line", at),
    Ground.ANYBODY: lambda *_: True,
}
