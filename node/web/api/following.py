"""What this node follows, and of which peers nothing else is taken."""

from pydantic import BaseModel, Field

from node.errors import InputError
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.following import OneFollowed
from node.services.search import read_exact
from node.web.api.federation import PeerPath
from node.web.api.fields import Line
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import network as tables

MOST = 4096


class FollowedRow(BaseModel):
    """A device that is followed; the title is empty while nothing is known of it here."""

    id: str
    title: str


class FollowBody(BaseModel):
    """Devices to be followed."""

    devices: list[Line] = Field(
        min_length=1,
        max_length=MOST,
        description="Device ids, whether known here or not; or what stands on a device that is known here.",
    )


class FollowAnswer(BaseModel):
    """How many ids are followed that were not, and what names no device here."""

    new: int
    unknown: list[str]


class PeerChoiceBody(BaseModel):
    """What is taken of a node: what is followed here alone, or all that it may give."""

    only_followed: bool


@api("GET", "/followed", title="Devices that are followed", scopes=[Scope.READ], problems=["cursor"],
     table=tables.FOLLOWED)  # fmt: skip
async def list_followed(call: Call, query: PageQuery) -> Page[FollowedRow]:
    """By id. Of peers of which nothing else is taken, news come about these alone."""
    return await followed_page(call, query)


@api("POST", "/followed", title="Follow devices", scopes=[Scope.RECORD], problems=["followed_most", "id_mistyped"])
async def follow(call: Call, body: FollowBody) -> FollowAnswer:
    """With all that is one passport with them here. Peers are told at once, and what they have of them comes."""
    return await follow_devices(call, body)


async def follow_devices(call: Call, body: FollowBody) -> FollowAnswer:
    """Follow what is named; say what names nothing."""
    named = {text: await _subject(call, text) for text in body.devices}
    found = {subject for subject in named.values() if subject is not None}
    new = await call.context.following.follow(found, call.actor.label)
    return FollowAnswer(new=new, unknown=[text for text, subject in named.items() if subject is None])


@api("DELETE", "/followed/{id}", title="Follow a device no more", scopes=[Scope.RECORD], status=204,
     problems=["id_mistyped"])  # fmt: skip
async def unfollow(call: Call, path: PassportPath) -> None:
    """What is here stays; nothing new about it comes of peers of which only what is followed is taken."""
    await call.context.following.unfollow([subject_of(path.id)], call.actor.label)


@api("POST", "/peers/{node}/choice", title="Take everything of a node, or only what is followed", scopes=[Scope.PEERS],
     status=204, problems=["peer_unknown"])  # fmt: skip
async def choose(call: Call, path: PeerPath, body: PeerChoiceBody) -> None:
    """Publications, what names this organisation and what it says itself come in any case."""
    node = bytes.fromhex(path.node)
    await call.context.following.choose(node, call.actor.label, only_followed=body.only_followed)


async def followed_page(call: Call, query: PageQuery) -> Page[FollowedRow]:
    """A page of what is followed."""
    after = bytes.fromhex(str(call.decode_cursor(query.cursor, str)[0])) if query.cursor else None
    found = await call.context.following.page(after, query.limit + 1)
    shown = found[: query.limit]
    more = call.encode_cursor(shown[-1].subject.hex()) if len(found) > len(shown) else None
    return Page(items=[_row(one) for one in shown], next=more)


async def _subject(call: Call, text: str) -> bytes | None:
    """The device that a text names: any by its id, others where one alone is known here."""
    try:
        exact = read_exact(text)
    except InputError:
        return None
    if exact is not None and exact.scheme == "id":
        return bytes.fromhex(exact.term)
    found = (await call.context.lookup.here([text]))[text]
    return found[0].subject if len(found) == 1 else None


def _row(one: OneFollowed) -> FollowedRow:
    return FollowedRow(id=format_device_id(SubjectId(one.subject)), title=one.title)


ROUTES = [list_followed, follow, unfollow, choose]
