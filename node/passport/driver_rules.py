"""Whether a driver that an organisation published may run on a node: pure rules over what stands there.

A driver decides what readings say, so it runs by itself only where its publisher owns what it is for: the types whose
records are his, or whose approvals his serial lines were made under. Of anybody else it runs where the administrator
trusts the publisher. Versions never go back, and a published version never changes. An id is of its publisher: that of
another is another driver, so nobody can take one, whenever he says that he had it. How much of one publisher is looked
at is bounded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.descriptor import Descriptor, Level, parse_version
from drivers.package import Package
from drivers.registry import Reach
from node.passport.world import World

KEY = "payload"  # the match key by which a passport names its driver
MOST_DRIVERS = 64  # ids of one publisher that are looked at
MOST_BYTES = 4 << 20  # of the packages of one publisher that run
MOST_TRIED = 3  # versions of one id that never ran: the newest
PROVING_S = 10.0  # at a time in which vectors of one publisher's drivers are run


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
LIVE = STOOD - {DriverState.WITHDRAWN}


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
    MANY = "many"
    LARGE = "large"
    TRIED = "tried"
    SLOW = "slow"
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
    Rule.ID: (
        "имя {id} занято драйвером, установленным на этой машине",
        "the id {id} is that of a driver installed on this machine",
    ),
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
    Rule.MANY: (
        "у издателя больше {most} драйверов: остальные здесь не рассматриваются, пока он не отзовёт лишние",
        "its publisher has more than {most} drivers: the others are not looked at until he takes some back",
    ),
    Rule.LARGE: (
        "драйверы издателя вместе больше {most} байт: остальные здесь не работают, пока он не отзовёт лишние",
        "the drivers of its publisher have more than {most} bytes: the others do not run until he takes some back",
    ),
    Rule.TRIED: (
        "{most} более новые версии здесь не заработали, более старые не пробуются",
        "{most} newer versions do not run here, and no older one is tried",
    ),
    Rule.SLOW: (
        "проверка драйверов издателя заняла больше {most} с: остальные проверяются позже",
        "to prove the drivers of its publisher took more than {most} s: the others are proved later",
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
    size: int = 0  # of its package, in bytes

    @property
    def holds_place(self) -> bool:
        """Whether later versions go on from it: what was installed does no more once it is gone."""
        return self.state in STOOD if self.org is not None else self.state is DriverState.ACTIVE


def find_refusal(
    package: Package, org: bytes, world: World, known: Iterable[KnownDriver], *, is_trusted: bool
) -> Refusal | None:
    """The first rule that a package breaks which `org` published; None where its vectors decide."""
    text = package.descriptor
    if refusal := find_fault(text, org):
        return refusal
    if not is_trusted and (refusal := find_foreign(text, owned_names(org, world))):
        return refusal
    return _find_older(package, org, [one for one in known if one.driver == text.id and one.holds_place])


def find_fault(text: Descriptor, org: bytes) -> Refusal | None:
    """The first rule that a driver breaks by itself, whatever stands here and whoever is trusted."""
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
    return Refusal(Rule.KEY, {"key": foreign[0][:80], "id": text.id}) if foreign else None


def find_foreign(text: Descriptor, owned: Reach) -> Refusal | None:
    """The refusal of a driver for types or models that are not its publisher's, or of one who owns none.

    Who owns nothing has no meters whose passports could call it.
    """
    applies = text.applies_to
    foreign = [code for code in applies.types if code not in owned.types]
    foreign += [model for model in applies.models if model.casefold() not in owned.models]
    if not owned.types and not owned.models:
        foreign += [f"{name}={value}" for name, value in applies.match]
    return Refusal(Rule.NAMESPACE, {"what": ", ".join(foreign)[:200]}) if foreign else None


def find_excess(known: Iterable[KnownDriver], org: bytes, driver: str, size: int) -> Refusal | None:
    """The refusal of one more driver of a publisher, of so many bytes, where he has as much as may run here."""
    here = [one for one in known if one.org == org and one.driver != driver and one.state in LIVE]
    if len({one.driver for one in here}) >= MOST_DRIVERS:
        return Refusal(Rule.MANY, {"most": str(MOST_DRIVERS)})
    if sum(one.size for one in here if one.state is DriverState.ACTIVE) + size > MOST_BYTES:
        return Refusal(Rule.LARGE, {"most": str(MOST_BYTES)})
    return None


def owned_names(org: bytes, world: World) -> Reach:
    """The codes of the types that an organisation speaks for, and the models of these.

    There, and for what it made, passports call its drivers by their ids.
    """
    lines = [item.record for item in world.line_records.values() if item.org == org]
    own = {code for code, item in world.type_records.items() if item.org == org}
    codes = own | {
        code
        for code, kind in world.types.items()
        if code not in world.type_records and any(line.covers(str(kind.approval)) for line in lines)
    }
    models = {world.types[code].model.casefold() for code in codes if code in world.types}
    models |= {name.casefold() for line in lines for name in line.designations}
    return Reach(frozenset(codes), frozenset(models), org.hex())


def _find_older(package: Package, org: bytes, known: Iterable[KnownDriver]) -> Refusal | None:
    text, held = package.descriptor, list(known)
    if any(one.org is None for one in held):
        return Refusal(Rule.ID, {"id": text.id})
    for one in held:
        if one.hash == package.hash or one.org != org:
            continue
        ours, theirs = parse_version(text.version), parse_version(one.version)
        if ours == theirs:
            return Refusal(Rule.VERSION_TAKEN, {"id": text.id, "version": text.version})
        if ours < theirs:
            return Refusal(Rule.VERSION_BACK, {"id": text.id, "version": text.version, "held": one.version})
    return None
