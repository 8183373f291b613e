"""The directory of organisations: spellings and ids that are one company by its number in the state register.

A number that anchors attest to a member is that member's: another that only states it on its card stands apart, marked.
Where nobody's is attested, what cards state joins. A name joins nothing: companies of one name are named to each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from federation.authority import Attested
from node.passport.card import search_words
from node.passport.errors import NumberError
from node.passport.numbers import parse_inn, parse_ogrn
from node.passport.world import World

INN, OGRN, ORG, NAME = "inn", "ogrn", "org", "name"


class Source(StrEnum):
    """Where a name stands: on a member's own card, among what this node's people wrote, of tables, of serial lines."""

    CARD = "card"
    NAMED = "named"
    SUPPLIER = "supplier"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Voice:
    """One naming of a company; `org` of a member, `attested` those of its numbers that anchors attest."""

    name: str
    source: Source
    inn: str | None = None
    ogrn: str | None = None
    org: bytes | None = None
    attested: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Company:
    """One company: every spelling, the ids under which it is a member, and the keys of companies of the same name.

    `key` is `inn:...`, else `ogrn:...`, else that of its id or its name. `is_contested`: it states a number on its card
    that is attested to another.
    """

    key: str
    names: tuple[str, ...]
    inn: str | None
    ogrn: str | None
    orgs: tuple[bytes, ...]
    sources: tuple[Source, ...]
    is_attested: bool = False
    is_contested: bool = False
    alike: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called first."""
        return self.names[0]


class Directory:
    """Companies by name, and by everything that leads to one."""

    def __init__(self, companies: Iterable[Company] = ()) -> None:
        self.companies = sorted(companies, key=lambda company: (name_key(company.name), company.key))
        self._by_org = {org: company for company in self.companies for org in company.orgs}

    def find(self, org: bytes) -> Company | None:
        """The company that an organisation's id is of."""
        return self._by_org.get(org)

    def search(self, text: str) -> list[Company]:
        """Those of which a spelling has each word, or a number begins so; all for an empty text."""
        number = text.strip().removeprefix(f"{INN}:").removeprefix(f"{OGRN}:")
        if number.isascii() and number.isdigit():
            return [one for one in self.companies if any((n or "").startswith(number) for n in (one.inn, one.ogrn))]
        ways = (search_words(text), name_key(text).split())
        return [one for one in self.companies if any(_speaks(words, name) for words in ways for name in one.names)]


def build_directory(voices: Sequence[Voice]) -> Directory:
    """One company for each number; a voice without one stands by its id, or by its name."""
    attested = {number for voice in voices for number in voice.attested}
    contested = [voice for voice in voices if voice.org and _numbers(voice) & attested - voice.attested]
    inns = _inns_of([voice for voice in voices if voice not in contested])
    grouped: dict[str, list[Voice]] = {}
    for voice in voices:
        key = f"{ORG}:{voice.org.hex()}" if voice in contested and voice.org else _key(voice, inns)
        grouped.setdefault(key, []).append(voice)
    by_name: dict[str, set[str]] = {}
    for key, said in grouped.items():
        for voice in said:
            by_name.setdefault(name_key(voice.name), set()).add(key)
    return Directory(
        _company(key, said, any(voice in contested for voice in said), by_name) for key, said in grouped.items()
    )


def voices_of(world: World) -> list[Voice]:
    """The members by their cards and attested numbers, and those whom serial lines name without an id."""
    found = [
        Voice(
            card.name,
            Source.CARD,
            next((number for number in _attested(world, org, INN)), None) or _checked_inn(card.inn),
            next((number for number in _attested(world, org, OGRN)), None) or _checked_ogrn(card.ogrn),
            org,
            frozenset(f"{kind}:{number}" for kind in (INN, OGRN) for number in _attested(world, org, kind)),
        )
        for org, card in sorted(world.cards.items())
    ]
    lines = (published.record for published in world.line_records.values())
    named = {held.name for line in lines for held in (*line.legal_makers, *line.holders)}
    known = {name_key(voice.name) for voice in found}
    return found + [Voice(name, Source.LINE) for name in sorted(named) if name_key(name) not in known]


def name_key(name: str) -> str:
    """The words of a name in any order, in the spelling of search, its legal form as it is shortened."""
    words = f" {' '.join(search_words(name))} "
    for long, short in _FORMS:
        words = words.replace(long, short)
    return " ".join(sorted(words.split()))


def _key(voice: Voice, inns: Mapping[str, set[str]]) -> str:
    if voice.inn:
        return f"{INN}:{voice.inn}"
    if voice.ogrn:
        told = inns.get(voice.ogrn, set())
        return f"{INN}:{next(iter(told))}" if len(told) == 1 else f"{OGRN}:{voice.ogrn}"
    return f"{ORG}:{voice.org.hex()}" if voice.org else f"{NAME}:{name_key(voice.name)}"


def _inns_of(voices: Iterable[Voice]) -> dict[str, set[str]]:
    """With which ИНН each ОГРН is named."""
    found: dict[str, set[str]] = {}
    for voice in voices:
        if voice.inn and voice.ogrn:
            found.setdefault(voice.ogrn, set()).add(voice.inn)
    return found


def _company(key: str, said: Sequence[Voice], is_contested: bool, by_name: Mapping[str, set[str]]) -> Company:
    ordered = sorted(said, key=lambda voice: (voice.org is None, not voice.attested, list(Source).index(voice.source)))
    names = tuple(dict.fromkeys(voice.name for voice in ordered))
    alike = {other for name in names for other in by_name[name_key(name)]} - {key}
    return Company(
        key,
        names,
        next((voice.inn for voice in ordered if voice.inn), None),
        next((voice.ogrn for voice in ordered if voice.ogrn), None),
        tuple(dict.fromkeys(voice.org for voice in ordered if voice.org)),
        tuple(sorted({voice.source for voice in ordered}, key=list(Source).index)),
        any(voice.attested for voice in ordered),
        is_contested,
        tuple(sorted(alike)),
    )


def _numbers(voice: Voice) -> frozenset[str]:
    return frozenset(f"{kind}:{number}" for kind, number in ((INN, voice.inn), (OGRN, voice.ogrn)) if number)


def _attested(world: World, org: bytes, kind: str) -> list[str]:
    """The numbers of a kind that anchors attest to an organisation, whoever else holds them."""
    held = [held for held in world.attestations.of(org) if held.what is Attested.NUMBER]
    return sorted({row.removeprefix(f"{kind}:") for one in held for row in one.rows if row.startswith(f"{kind}:")})


def _checked_inn(text: str | None) -> str | None:
    try:
        return parse_inn(text) if text else None
    except NumberError:
        return None


def _checked_ogrn(text: str | None) -> str | None:
    try:
        return parse_ogrn(text) if text else None
    except NumberError:
        return None


def _speaks(words: Sequence[str], name: str) -> bool:
    said = [*search_words(name), *name_key(name).split()]
    return all(any(word in one for one in said) for word in words)


_SHORT = {
    "Общество с ограниченной ответственностью": "ООО",
    "Публичное акционерное общество": "ПАО",
    "Закрытое акционерное общество": "ЗАО",
    "Открытое акционерное общество": "ОАО",
    "Акционерное общество": "АО",
    "Индивидуальный предприниматель": "ИП",
    "Муниципальное унитарное предприятие": "МУП",
    "Государственное унитарное предприятие": "ГУП",
    "Товарищество собственников жилья": "ТСЖ",
    "Федеральное бюджетное учреждение": "ФБУ",
    "Управляющая компания": "УК",
}
_FORMS = [
    tuple(f" {' '.join(search_words(text))} " for text in pair)
    for pair in sorted(_SHORT.items(), key=lambda pair: -len(pair[0]))
]
