"""All that is known of the devices which carry one identifier, in one answer."""

from collections.abc import Collection
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.dossiers import Dossier, Observed
from node.web.api.lookup import LookupRow, begin_look_up, found_row
from node.web.api.readings import ReadingAnswer, SeriesAnswer, media_of, show_reading, show_series
from node.web.api.registry import NearRow, find_near
from node.web.calls import Call
from node.web.routes import api


class FactsQuery(BaseModel):
    """Anything that stands on a device: a serial, a device id, a DevEUI, a plate as it reads, another name."""

    q: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    readings: int = Field(default=100, ge=0, le=10_000, description="How many of the newest readings of each series.")
    limit: int = Field(default=20, ge=1, le=50, description="How many devices at most.")
    cursor: str | None = Field(default=None, description="`next` of the answer before.")


class ObservedAnswer(SeriesAnswer):
    """A series with its newest values, oldest first; `older` where more stand before them."""

    readings: list[ReadingAnswer]
    older: bool


class DeviceFacts(BaseModel):
    """One of the devices: its whole passport, with every event and statement, and what is observed of it."""

    id: str
    title: str
    kind: str
    state: str
    found_by: str = Field(description="Which name of it was asked for: `id`, `serial`, `plate`, `dev_eui` and so on.")
    digest: str
    view: dict[str, Any]  # Any: the view is plain JSON
    series: list[ObservedAnswer]


class FactsAnswer(BaseModel):
    """Each device that carries the identifier; where none here does, who else knows one, and what may be meant."""

    devices: list[DeviceFacts]
    next: str | None = Field(description="Cursor of the next devices; null at the end.")
    elsewhere: list[LookupRow]
    near: list[NearRow]


@api("GET", "/facts", title="All that is known by one identifier", scopes=[Scope.READ],
     problems=["id_mistyped", "eui_mistyped", "query_empty", "cursor"])  # fmt: skip
async def read_facts(call: Call, query: FactsQuery) -> FactsAnswer:
    """Devices of different lines may have one serial: each stands apart, with who said what of it."""
    after = bytes.fromhex(str(call.decode_cursor(query.cursor, str)[0])) if query.cursor else b""
    found = await call.context.archive.read(query.q, after, query.limit, query.readings)
    is_none = not found.items and not after
    looked = await (await begin_look_up(call, query.q)).ended() if is_none else None
    elsewhere = [found_row(one) for one in looked.found] if looked is not None else []
    return FactsAnswer(
        devices=[_facts(call, dossier) for dossier in found.items],
        next=call.encode_cursor(found.more.hex()) if found.more else None,
        elsewhere=elsewhere,
        near=await find_near(call, query.q) if is_none and not elsewhere else [],
    )


def _facts(call: Call, dossier: Dossier) -> DeviceFacts:
    passport = dossier.passport
    return DeviceFacts(
        id=format_device_id(SubjectId(passport.subject)),
        title=passport.title,
        kind=passport.kind,
        state=passport.state,
        found_by=dossier.scheme,
        digest=passport.digest.hex(),
        view=passport.content,
        series=[_observed(call, one, media_of(call, passport.content)) for one in dossier.observed],
    )


def _observed(call: Call, observed: Observed, media: Collection[str]) -> ObservedAnswer:
    shown = show_series(call, observed.series, observed.last, media).model_dump()
    newest = [show_reading(call, reading, media) for reading in observed.newest]
    return ObservedAnswer(**shown, readings=newest, older=observed.has_older)


ROUTES = [read_facts]
