"""The production line: what a station scanned, found and done."""

from typing import Any

from pydantic import BaseModel, Field

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.line import InHand, Station, asks_of
from node.web.api.fields import SCANNED, Line
from node.web.api.processes import DOING, Code
from node.web.calls import Call
from node.web.routes import api

PROBLEMS = (
    *DOING, "scan_unknown", "part_several", "line_no_process", "line_other_step", "line_not_ours",
)  # fmt: skip


class StationInput(BaseModel):
    """A station: which step of which kind of process is done there, where, and by whom."""

    code: Code
    step: Code
    station: str = Field(default="", max_length=128)
    operator: str = Field(default="", max_length=128)


class ScanInput(StationInput):
    """A device that was scanned, with the parts that were scanned for it."""

    text: str = Field(min_length=1, max_length=512, pattern=SCANNED, description="What was scanned off the device.")
    parts: list[Line] = Field(default=[], max_length=512, description="What was scanned off each part that goes in.")
    detail: dict[Code, Line] = Field(default={}, max_length=32, description="What the step asks beside.")
    outcome: Code | None = None
    do: bool = Field(default=False, description="Do the step; else it is only told what stands there.")


class KitLine(BaseModel):
    """A row of the kit, and how much of it was scanned or is inside."""

    position: str
    designation: str
    quantity: str
    given: str
    optional: bool


class ScanAnswer(BaseModel):
    """The device at the station."""

    run: str
    id: str
    title: str
    asks: list[str] = Field(description="What the step asks beside the station and the operator.")
    kit: list[KitLine]
    whole: bool = Field(description="Whether the parts that were scanned make the kit.")
    done: bool
    process: dict[str, Any]  # Any: part of a view, plain JSON


class DoneAnswer(BaseModel):
    """How often a step was done on this day (UTC)."""

    done: int


@api("POST", "/line/scans", title="Scan a device at a station of the line", scopes=[Scope.RECORD], problems=PROBLEMS)
async def scan(call: Call, body: ScanInput) -> ScanAnswer:
    """Find its process that waits at that step, check the parts, and with `do` do the step."""
    line, station = call.context.line, station_of(body)
    if call.actor.limits is not None:
        scanned = await call.context.recognition.get(body.text)
        await call.context.correspondents.check_thing(call.actor, scanned.subject)
    hand = await line.take(station, body.text, body.parts)
    row = hand.shown.row
    if body.do:
        done = await line.do(hand, station, body.detail, body.outcome, call.actor.system or "console", call.actor.label)
        row = done.row
    return ScanAnswer(
        run=hand.run,
        id=format_device_id(SubjectId(hand.passport.subject)),
        title=hand.passport.title,
        asks=asks_of(hand.step),
        kit=kit_of(hand),
        whole=hand.is_whole,
        done=body.do,
        process=row,
    )


@api("GET", "/line/done", title="How much a station has done today", scopes=[Scope.READ])
async def read_done(call: Call, query: StationInput) -> DoneAnswer:
    """Of this step over all stations."""
    return DoneAnswer(done=await call.context.line.done_today(station_of(query)))


def station_of(said: StationInput) -> Station:
    """The station in the terms of this node."""
    return Station(said.code, said.step, said.station.strip(), said.operator.strip())


def kit_of(hand: InHand) -> list[KitLine]:
    """The rows of the kit of a device in hand."""
    return [
        KitLine(
            position=one.row.position,
            designation=one.row.designation,
            quantity=one.row.quantity,
            given=format(one.given, "f"),
            optional=one.row.optional,
        )
        for one in hand.kit
    ]


ROUTES = (scan, read_done)
