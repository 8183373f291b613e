"""The registry: lists of passports, and their counts."""

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, Field

from node.errors import InputError
from node.passport.card import Card, format_expiry
from node.passport.ids import SubjectId, format_device_id
from node.passport.organisations import Directory
from node.passport.sifting import Order, Spot, spot_of
from node.services.access import Scope
from node.services.lookup import Listed, Question
from node.web.calls import Call, Page, PageQuery
from node.web.routes import Limit, api
from node.web.tables import passports as tables

KindName = Literal["device", "unit", "component", "batch", "object", "type", "subject"]
StateName = Literal[
    "manufactured", "calibrated", "configured", "marked", "packed", "shipped", "sold", "verified", "rejected",
    "installed", "admitted", "joined", "registered", "removed", "repaired", "modified", "transferred", "lost", "found",
    "scrapped", "known",
]  # fmt: skip


class PassportRow(BaseModel):
    """A passport in a list; texts are empty where nothing is known."""

    id: str
    title: str
    kind: str
    state: str
    type: str = Field(description="The central code of the type.")
    place: str
    owner: str = Field(description="The organisation that holds the title, in hex.")
    owner_name: str
    expires: str | None = Field(description="The day on which the verification ends.")
    unrecorded: str | None = Field(description="The day of the last verification, while no record of it is known.")
    ids: int = Field(description="How many ids lead to it; more than one where duplicates were joined.")
    changed_us: int


class PassportsPage(Page[PassportRow]):
    """Part of the registry."""

    previous: str | None = Field(description="Cursor of the page before; null at the beginning.")


class PassportsQuery(PageQuery):
    """Which passports: every condition holds.

    Each word of `q` is part of a serial, alias, title, type, place or owner's name; a word of one or two characters is
    a whole one there. A device id finds its passport, by any id that it ever had.
    """

    q: str = Field(default="", max_length=128, description="Words: parts of serials and aliases, of a place, an owner.")
    kind: KindName | None = None
    state: StateName | None = None
    type: str | None = Field(default=None, max_length=128, description="The central code of a type, as `t:cw`.")
    owner: str | None = Field(
        default=None,
        max_length=128,
        description="An organisation's id, ИНН or ОГРН, or words of a spelling: every id of the company.",
    )
    place: str = Field(default="", max_length=128, description="Words of the place.")
    expires_before: str | None = Field(
        default=None, pattern=r"^(\d{4}-\d\d-\d\d)?$", description="The verification ends before that day."
    )
    unrecorded_before: str | None = Field(
        default=None,
        pattern=r"^(\d{4}-\d\d-\d\d)?$",
        description="Verified before that day, and no record of it in the register is known.",
    )
    joined: bool = Field(default=False, description="Only passports to which several ids lead.")
    sort: Literal["title", "changed"] = Field(default="title", description="By title, or the last changed first.")

    @property
    def question(self) -> Question:
        """What is asked."""
        return Question(
            text=self.q,
            kind=self.kind or None,
            state=self.state or None,
            type_code=self.type or None,
            owner=self.owner or None,
            place=self.place,
            expires_before=self.expires_before or None,
            unrecorded_before=self.unrecorded_before or None,
            is_joined=self.joined,
            order=Order(self.sort),
        )


class CountsAnswer(BaseModel):
    """The registry in numbers: `joined` are passports to which several ids lead."""

    total: int
    states: dict[str, int]
    joined: int


class PassportsCounts(CountsAnswer):
    """The registry in numbers, by kind and by central type too."""

    kinds: dict[str, int]
    types: dict[str, int]


class NearRow(BaseModel):
    """A device whose serial is one slip away from what was typed."""

    id: str
    title: str
    state: str
    serial: str
    slip: str = Field(description="How the serials differ: `look-alike`, `swapped`, `one-character` and so on.")


@api("GET", "/passports", title="Passports", scopes=[Scope.READ],
     problems=["id_mistyped", "eui_mistyped", "query_empty", "moment"], table=tables.DEVICES,
     limit=Limit.NARROWS)  # fmt: skip
async def list_passports(call: Call, query: PassportsQuery) -> PassportsPage:
    """The registry, narrowed by what is asked; `next` and `previous` lead through it while it changes."""
    listed, following, previous = await find_page(call, query)
    directory = await call.context.organisations.directory()
    rows = [_row(card, directory) for card in listed.cards]
    return PassportsPage(items=rows, next=following, previous=previous)


@api("GET", "/passports/counts", title="Passports by state, kind and type", scopes=[Scope.READ])
async def count_passports(call: Call) -> PassportsCounts:
    """How many there are of each, over the whole registry."""
    found = await call.context.lookup.count()
    return PassportsCounts(
        total=found.total, states=found.states, joined=found.joined, kinds=found.kinds, types=found.types
    )


@api("GET", "/registry", title="The registry in numbers", scopes=[Scope.READ])
async def count(call: Call) -> CountsAnswer:
    """How many passports there are, by state, and how many have several ids."""
    found = await call.context.lookup.count()
    return CountsAnswer(total=found.total, states=found.states, joined=found.joined)


async def find_near(call: Call, text: str) -> list[NearRow]:
    """The devices that may have been meant by a text that nothing here carries."""
    return [
        NearRow(
            id=format_device_id(SubjectId(near.passport.subject)),
            title=near.passport.title,
            state=near.passport.state,
            serial=near.serial,
            slip=near.slip.value,
        )
        for near in await call.context.lookup.near(text)
    ]


async def find_page(call: Call, query: PassportsQuery) -> tuple[Listed, str | None, str | None]:
    """A page of the registry, the cursor of the next one and that of the one before."""
    question, spot, is_back = query.question, None, False
    if query.owner:
        question = replace(question, owners=await call.context.organisations.owners(query.owner))
    if query.cursor:
        way, second, title, subject = call.decode_cursor(query.cursor, str, int, str, str)
        if way not in (f"{question.order}>", f"{question.order}<"):
            raise InputError("the cursor is of a list that is sorted otherwise", "cursor")
        spot = Spot(int(second), str(title), bytes.fromhex(str(subject)))
        is_back = str(way).endswith("<")
    among = await call.context.limits.narrow(call.actor)
    listed = await call.context.lookup.page(question, spot, query.limit, backwards=is_back, among=among)

    def cursor(card: Card, way: str) -> str:
        at = spot_of(card, question.order)
        return call.encode_cursor(f"{question.order}{way}", at.second, at.title, at.subject.hex())

    following = cursor(listed.cards[-1], ">") if listed.cards and listed.has_after else None
    previous = cursor(listed.cards[0], "<") if listed.cards and listed.has_before else None
    return listed, following, previous


def owner_name(card: Card, directory: Directory) -> str:
    """What a company is called in lists, whatever the spelling under which it owns."""
    company = directory.find(bytes.fromhex(card.owner)) if card.owner else None
    return company.name if company else card.owner_name


def _row(card: Card, directory: Directory) -> PassportRow:
    return PassportRow(
        id=format_device_id(SubjectId(card.subject)),
        title=card.title,
        kind=card.kind,
        state=card.state,
        type=card.type,
        place=card.place,
        owner=card.owner,
        owner_name=owner_name(card, directory),
        expires=format_expiry(card.expires) if card.expires else None,
        unrecorded=format_expiry(card.unrecorded) if card.unrecorded else None,
        ids=card.ids,
        changed_us=card.changed_us,
    )


ROUTES = [
    list_passports,
    count_passports,
    count,
]
