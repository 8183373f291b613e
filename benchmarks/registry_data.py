"""Devices of a registry as a large utility has them: a seeded generator of cards that is quick and skews as life does.

Designations, owners, streets and states are few and uneven; serials run on within a designation; titles follow the
type, as they do where a maker delivers by the thousand.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

from node.passport.card import Card, search_words

DAY_US = 86_400_000_000
START_US = 1_735_689_600_000_000  # 2025-01-01
TODAY = 20_454  # 2026-01-01
STATES = ("installed", "admitted", "manufactured", "shipped", "removed", "known", "repaired", "scrapped", "rejected")
STATE_WEIGHTS = (420, 330, 90, 60, 50, 30, 10, 9, 1)
KINDS = ("device", "unit", "component", "object")
KIND_WEIGHTS = (940, 30, 25, 5)
MODELS = ("СГВ-15", "СХВ-15", "СГВ-20", "СХВ-20", "ВСХН-40", "БЕТАР-15", "ПУЛЬСАР-15", "МЕРКУРИЙ-200", "СПБЗИП-СЕ",
          "КАРАТ-551", "ТЭМ-104", "НОРД-М")  # fmt: skip
STREETS = ("Ленина", "Мира", "Гагарина", "Победы", "Калинина", "Советская", "Октябрьская", "Лесная", "Садовая",
           "Школьная", "Молодёжная", "Карла Маркса", "Кирова", "Пушкина", "Зелёная", "Набережная", "Заводская",
           "Первомайская", "Северная", "Южная", "Парковая", "Строителей", "Чапаева", "8 Марта")  # fmt: skip
TOWNS = ("Казань", "Елабуга", "Чистополь", "Зеленодольск", "Бугульма", "Альметьевск", "Набережные Челны", "Заинск")
FIRMS = ("Водоканал", "Теплосеть", "Энергосбыт", "Управдом", "Жилсервис", "Горсвет", "Уют", "Ремонтник")


@dataclass(frozen=True, slots=True)
class Owner:
    """An organisation that owns devices."""

    org: str
    name: str


def owners(count: int = 300) -> list[Owner]:
    """Organisations, the first of which own most."""
    return [
        Owner(hashlib.sha256(b"owner%d" % n).hexdigest()[:32], f"ООО «{FIRMS[n % len(FIRMS)]}-{n}»")
        for n in range(count)
    ]


def make_cards(count: int, seed: int = 1) -> Iterator[Card]:
    """Cards in the order in which they came: deliveries of a thousand of one type, one after another."""
    source = random.Random(seed)
    firms = owners()
    weights = [1 / (n + 1) for n in range(len(firms))]
    serials = {model: source.randrange(10**6) for model in MODELS}
    for start in range(0, count, 1_000):
        model = MODELS[min(int(source.expovariate(0.35)), len(MODELS) - 1)]
        owner = source.choices(firms, weights)[0]
        came = START_US + start * 30_000_000 + source.randrange(10**6)
        for n in range(start, min(start + 1_000, count)):
            serials[model] += source.randint(1, 3)
            yield _card(n, source, model, serials[model], owner, came + (n - start) * 2_000)


def _card(n: int, source: random.Random, model: str, number: int, owner: Owner, came: int) -> Card:
    subject = hashlib.sha256(b"device%d" % n).digest()[:16]
    serial = f"{number:08}"
    title = f"{model} № {serial}"
    state = source.choices(STATES, STATE_WEIGHTS)[0]
    is_placed = state in {"installed", "admitted"}
    names = [title, f"02c0de{source.randrange(1 << 40):010x}", f"{model} счётчик воды", f"{30_000 + len(model) * 7}-19"]
    if source.random() < 0.3:
        names.append(f"ИНВ-{source.randrange(10**7):07}")
    return Card(
        subject=subject,
        kind=source.choices(KINDS, KIND_WEIGHTS)[0],
        state=state,
        title=title,
        names=" ".join(search_words(" ".join(names))),
        type=f"t:{MODELS.index(model):02}",
        place=_place(source) if is_placed else "",
        owner=owner.org,
        owner_name=owner.name,
        expires=TODAY + int(source.gauss(900, 700)) if is_placed else 0,
        ids=2 if source.random() < 0.002 else 1,
        changed_us=came + int(source.expovariate(1 / 40)) * DAY_US // 4,
    )


def _place(source: random.Random) -> str:
    town = TOWNS[min(int(source.expovariate(0.5)), len(TOWNS) - 1)]
    street = STREETS[min(int(source.expovariate(0.15)), len(STREETS) - 1)]
    return f"г. {town}, ул. {street}, д. {source.randint(1, 180)}, кв. {source.randint(1, 240)}"
