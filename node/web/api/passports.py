"""One passport: its view, and its long lists a page at a time."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints
from pydantic_core import to_json

from node.errors import InputError
from node.passport.errors import DeviceIdError
from node.passport.ids import SubjectId, format_device_id, parse_device_id
from node.passport.view import EVENTS, STATEMENTS
from node.services.access import Scope
from node.services.ready import StoredPassport
from node.services.timelines import Asked
from node.web.api.fields import Hex16
from node.web.calls import Call, Page, PageQuery
from node.web.routes import Limit, Written, api
from node.web.tables import passports as tables

DeviceText = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class PassportPath(BaseModel):
    """One passport, by device id."""

    id: DeviceText

    @property
    def subject(self) -> bytes:
        """The subject; raise InputError where the id is mistyped."""
        return subject_of(self.id)


class SealAnswer(BaseModel):
    """What stands in the digest for a list that is read by pages."""

    rows: int
    hash: str = Field(description="Hex; docs/decisions/0010-digest-by-rows.md says how it is made.")


class PassportAnswer(BaseModel):
    """A passport as this organisation may see it, and the digest over the view.

    The events and statements of a long passport are read by pages; here they stand as `sealed`.
    """

    id: str
    digest: str
    view: dict[str, Any]  # Any: the view is plain JSON
    sealed: dict[str, SealAnswer] = Field(description="Lists that `view` leaves out, by name; empty for most.")


class Sift(BaseModel):
    """Which events: of one organisation, of one central or own code."""

    who: Hex16 | None = None
    what: Annotated[str, StringConstraints(max_length=128)] | None = None


class RowsQuery(PageQuery):
    """Rows of a passport."""

    newest: bool = Field(default=False, description="Newest first.")


class TimelineQuery(RowsQuery, Sift):
    """Which events of a passport."""


@api(
    "GET",
    "/passports/{id}",
    title="One passport",
    scopes=[Scope.READ],
    limit=Limit.PASSPORT,
    problems=["passport_unknown", "id_mistyped"],
)
async def read_passport(call: Call, path: PassportPath) -> Written[PassportAnswer]:
    """Every fact with its standing and who said it."""
    ready = await call.context.ready.get(path.subject, _write, moment=call.moment)
    call.set_etag(ready.digest)
    return Written(ready.answer)


@api("GET", "/passports/{id}/events", title="Timeline of a device", scopes=[Scope.READ],
     limit=Limit.PASSPORT, problems=["passport_unknown", "id_mistyped", "cursor"], table=tables.EVENTS)  # fmt: skip
async def timeline(call: Call, path: PassportPath, query: TimelineQuery) -> Page[dict[str, Any]]:  # Any: plain JSON
    """In the order in which it happened, by organisation and by what happened."""
    return await _rows(call, path, EVENTS, query, query.who, query.what)


@api("GET", "/passports/{id}/statements", title="Who signed what of a device", scopes=[Scope.READ],
     limit=Limit.PASSPORT, problems=["passport_unknown", "id_mistyped", "cursor"], table=tables.STATEMENTS)  # fmt: skip
async def list_statements(call: Call, path: PassportPath, query: RowsQuery) -> Page[dict[str, Any]]:  # Any: plain JSON
    """In the order in which it was recorded."""
    return await _rows(call, path, STATEMENTS, query)


def subject_of(text: str) -> bytes:
    """The subject of a device id; raise InputError where it is mistyped."""
    try:
        return parse_device_id(text).raw
    except DeviceIdError as error:
        raise InputError(f"{text[:64]}: {error}", "id_mistyped") from error


async def _rows(
    call: Call, path: PassportPath, name: str, query: RowsQuery, who: str | None = None, what: str | None = None
) -> Page[dict[str, Any]]:  # Any: plain JSON
    after = str(call.decode_cursor(query.cursor, str)[0]) if query.cursor else None
    asked = Asked(query.limit, after, who, what, query.newest)
    page = await call.context.timelines.page(subject_of(path.id), name, asked)
    return Page(items=[*page.rows], next=call.encode_cursor(page.more) if page.more else None)


def _write(passport: StoredPassport) -> bytes:
    """A PassportAnswer around the view as it is stored: what is read only to be written again takes longer than all."""
    head = f'{{"id":"{format_device_id(SubjectId(passport.subject))}","digest":"{passport.digest.hex()}","view":'
    seals = {name: SealAnswer(rows=seal.rows, hash=seal.hash.hex()) for name, seal in passport.seals.items()}
    return b"".join((head.encode(), passport.view, b',"sealed":', to_json(seals), b"}"))


ROUTES = [
    read_passport,
    timeline,
    list_statements,
]
