"""Whether a driver that an organisation published may run on a node: pure rules over what stands there.

A driver decides what readings say, so it runs by itself only where its publisher owns what it is for: the types whose
records are his, or whose approvals his serial lines were made under. Of anybody else it runs where the administrator
trusts the publisher. Versions never go back, a published version never changes, and an id is one publisher's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.descriptor import Level, parse_version
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

    def text(self, language: str) -> str:
        """In Russian or English."""
        return _TEXTS[self.rule][0 if language == "ru" else 1].format_map(self.values)


_TEXTS = {
    Rule.BROKEN: ("пакет не читается: {why}", "the package cannot be read: {why}"),
    Rule.PUBLISHER: (
        "издателем назван {stated}, а опубликовала организация {org}",
        "it names {stated} as its publisher, and {org} published it",
    ),
    Rule.LEVEL: ("драйверы уровня «{level}» здесь не работают", "drivers of the level {level} do not run here"),
    Rule.VECTORS: (
        "в нём нет ни одного проверочного примера: ничто не показывает, что он делает",
        "it has no vectors: nothing shows what it does",
    ),
    Rule.NOTHING: (
        "он ни для чего не предназначен: не названы ни типы, ни модели, ни он сам",
        "it is for nothing: it names no types, no models and not itself",
    ),
    Rule.KEY: (
        "он отзывается на чужое имя {key}: опубликованный драйвер вызывают только как payload={id}",
        "it answers to {key}: a published driver is called by payload={id} alone",
    ),
    Rule.NAMESPACE: (
        "издатель не владеет тем, для чего драйвер: {what}; администратор может доверять издателю",
        "its publisher does not own what it is for: {what}; an administrator may trust the publisher",
    ),
    Rule.ID: ("имя {id} занято другим издателем", "the id {id} is another publisher's"),
    Rule.VERSION_TAKEN: (
        "версия {version} драйвера {id} уже опубликована с другим содержанием",
        "version {version} of {id} is published with other content",
    ),
    Rule.VERSION_BACK: (
        "версия {version} драйвера {id} старше той, что уже была здесь: {held}",
        "version {version} of {id} goes back behind {held}, which stood here",
    ),
    Rule.VECTOR: (
        "пример «{name}» не сошёлся: ожидалось {expected}, получено {got}",
        "vector {name} does not hold: expected {expected}, got {got}",
    ),
    Rule.GONE: (
        "то, чем он был опубликован, больше не засчитывается",
        "the statement that published it does not count any more",
    ),
}


@dataclass(frozen=True, slots=True)
class KnownDriver:
    """A version that stands here, or stood; `org` is None for what is installed on this machine."""

    driver: str
    version: str
    hash: bytes
    org: bytes | None
    state: DriverState

    @property
    def holds_place(self) -> bool:
        """Whether later versions go on from it: what was installed does no more once it is gone."""
        return self.state in STOOD if self.org is not None else self.state is DriverState.ACTIVE


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
    if not is_trusted and (refusal := find_foreign(package, org, world)):
        return refusal
    return _find_older(package, org, [one for one in known if one.driver == text.id and one.holds_place])


def find_foreign(package: Package, org: bytes, world: World) -> Refusal | None:
    """The refusal of a driver for types or models that are not its publisher's, or of one who owns none.

    Who owns nothing has no meters: he would only take names by which passports of others call their drivers.
    """
    codes, models = owned_names(org, world)
    applies = package.descriptor.applies_to
    foreign = [code for code in applies.types if code not in codes]
    foreign += [model for model in applies.models if model.casefold() not in models]
    if not codes and not models:
        foreign += [f"{name}={value}" for name, value in applies.match]
    return Refusal(Rule.NAMESPACE, {"what": ", ".join(foreign)[:200]}) if foreign else None


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


def _find_older(package: Package, org: bytes, known: Iterable[KnownDriver]) -> Refusal | None:
    text, held = package.descriptor, list(known)
    for one in held:
        if one.org != org:
            return Refusal(Rule.ID, {"id": text.id, "by": one.org.hex() if one.org else ""})
    for one in held:
        if one.hash == package.hash:
            continue
        ours, theirs = parse_version(text.version), parse_version(one.version)
        if ours == theirs:
            return Refusal(Rule.VERSION_TAKEN, {"id": text.id, "version": text.version})
        if ours < theirs:
            return Refusal(Rule.VERSION_BACK, {"id": text.id, "version": text.version, "held": one.version})
    return None
