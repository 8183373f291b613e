"""Whether a driver that an organisation published may run on a node: pure rules over what stands there.

A driver decides what readings say, so it runs by itself only where its publisher owns what it is for: the types whose
records are his, or whose approvals his serial lines were made under. Of anybody else it runs where the administrator
trusts the publisher. Versions never go back, a published version never changes, and an id is one publisher's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.descriptor import Descriptor, Level, parse_version
from drivers.package import Package
from node.passport.world import World

KEY = "payload"  # the match key by which a passport names its driver


class DriverState(StrEnum):
    """How a version of a driver stands on a node."""

    ACTIVE = "active"
    REPLACED = "replaced"  # by a later version of its publisher
    REFUSED = "refused"
    QUARANTINED = "quarantined"  # it failed again and again
    STOPPED = "stopped"  # by an administrator
    WITHDRAWN = "withdrawn"  # by its publisher


# What stood here once: later versions go on from it.
STOOD = frozenset(DriverState) - {DriverState.REFUSED}


class Rule(StrEnum):
    """What a driver was refused by."""

    BROKEN = "broken"  # it is no package, or does not build
    PUBLISHER = "publisher"
    LEVEL = "level"
    VECTORS = "vectors"
    NOTHING = "nothing"
    KEY = "key"
    NAMESPACE = "namespace"
    ID = "id"
    VERSION_TAKEN = "version-taken"
    VERSION_BACK = "version-back"
    VECTOR = "vector"
    GONE = "gone"  # what published it does not count any more


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a driver does not run here; the values fill the words of the rule."""

    rule: Rule
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The rule with its values, for logs and journals."""
        return " ".join((self.rule.value, *(f"{name}={value}" for name, value in sorted(self.values.items()))))


@dataclass(frozen=True, slots=True)
class KnownDriver:
    """A version that stands here, or stood; `org` is None for what is installed on this machine."""

    driver: str
    version: str
    hash: bytes
    org: bytes | None
    state: DriverState


def find_refusal(
    package: Package, org: bytes, world: World, known: Iterable[KnownDriver], *, is_trusted: bool
) -> Refusal | None:
    """The first rule that a package breaks which `org` published; None where its vectors decide."""
    text = package.descriptor
    if text.publisher != org.hex():
        return Refusal(Rule.PUBLISHER, {"stated": text.publisher[:64], "org": org.hex()})
    if text.level not in (Level.PAYLOAD, Level.SCRIPT):
        return Refusal(Rule.LEVEL, {"level": Level(text.level).name.lower()})
    if not text.vectors:
        return Refusal(Rule.VECTORS)
    applies = text.applies_to
    if not (applies.types or applies.models or applies.match):
        return Refusal(Rule.NOTHING)
    foreign = [f"{name}={value}" for name, value in applies.match if (name, value) != (KEY, text.id)]
    if foreign:
        return Refusal(Rule.KEY, {"key": foreign[0][:80], "id": text.id})
    if not is_trusted and (missing := _not_owned(text, org, world)):
        return Refusal(Rule.NAMESPACE, {"what": ", ".join(missing)[:200]})
    return _find_older(package, org, [one for one in known if one.driver == text.id and one.state in STOOD])


def owned_names(org: bytes, world: World) -> tuple[frozenset[str], frozenset[str]]:
    """The codes of the types that an organisation speaks for, and the models of these, case-folded."""
    lines = [item.record for item in world.line_records.values() if item.org == org]
    own = {code for code, item in world.type_records.items() if item.org == org}
    codes = own | {
        code
        for code, kind in world.types.items()
        if code not in world.type_records and any(line.covers(str(kind.approval)) for line in lines)
    }
    models = {world.types[code].model.casefold() for code in codes if code in world.types}
    models |= {name.casefold() for line in lines for name in line.designations}
    return frozenset(codes), frozenset(models)


def _not_owned(text: Descriptor, org: bytes, world: World) -> list[str]:
    codes, models = owned_names(org, world)
    wanted = [code for code in text.applies_to.types if code not in codes]
    return wanted + [model for model in text.applies_to.models if model.casefold() not in models]


def _find_older(package: Package, org: bytes, known: Iterable[KnownDriver]) -> Refusal | None:
    text = package.descriptor
    for one in known:
        if one.org != org:
            return Refusal(Rule.ID, {"id": text.id, "by": one.org.hex() if one.org else ""})
        if one.hash == package.hash:
            continue
        ours, theirs = parse_version(text.version), parse_version(one.version)
        if ours == theirs:
            return Refusal(Rule.VERSION_TAKEN, {"id": text.id, "version": text.version})
        if ours < theirs:
            return Refusal(Rule.VERSION_BACK, {"id": text.id, "version": text.version, "held": one.version})
    return None
