"""The facts of a public passport as rows for a page: what it is, by whom it was made, and what is printed on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from node.passport.catalogs import Catalog
from node.passport.shown import at, text
from node.passport.view import Plain, View
from node.web.passport_words import FIELDS, KINDS, STANDINGS, named, words
from node.web.sheet_words import sheet_words

ON_PLATE = ("designation", "mark", "serial", "year")


@dataclass(frozen=True, slots=True)
class Fact:
    """A row: its name, its value, and how it stands where nobody with a right to say it has said it."""

    name: str
    value: str
    standing: str = ""


def facts_of(view: View, language: str) -> list[Fact]:
    """The rows of a view that was folded of what is public; empty ones are left out."""
    return [fact for fact in (*_what(view, language), *_printed(view, language)) if fact.value]


def _what(view: View, language: str) -> Iterator[Fact]:
    if text(view, "kind") != "device":
        yield Fact(words(FIELDS, "kind", language), words(KINDS, view["kind"], language))
    kind = at(view, "type")
    if isinstance(kind, dict):
        told = (named(kind, Catalog.TYPES, language), kind["model"], kind["execution"])
        model = " ".join(dict.fromkeys(str(one) for one in told if one))
        yield Fact(words(FIELDS, "code", language), model)
        yield Fact(words(FIELDS, "approvals", language), text(view, "type", "record", "approval"))
    yield Fact(sheet_words("Manufacturer", language), text(view, "parties", "manufacturer", "name"))


def _printed(view: View, language: str) -> Iterator[Fact]:
    for name in ON_PLATE:
        fact = at(view, "identity", name)
        if isinstance(fact, dict) and fact["value"] is not None:
            yield Fact(words(FIELDS, name, language), str(fact["value"]), _standing(fact, language))


def _standing(fact: Mapping[str, Plain], language: str) -> str:
    return words(STANDINGS, fact["standing"], language) if fact["standing"] in ("disputed", "claim") else ""
