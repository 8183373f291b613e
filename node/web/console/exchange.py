"""The exchange page: «Аршин» files and the register's answers, messages of 1C, and the folder of the bench."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

from aiohttp import web
from pydantic import BaseModel

from node.errors import NodeError
from node.services.access import Scope
from node.services.arshin import LeftOut, ResultSift
from node.web.api.arshin import DeviceId, answer_row, left_out_row, result_row
from node.web.api.exchange_1c import message_row
from node.web.api.fields import Line
from node.web.api.identity import RefText
from node.web.api.passports import subject_of
from node.web.calls import Call, View
from node.web.dispatch import acted, redirect
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Exchange")
PATH = "/exchange"
SHOWN = 20
RESULTS = 50


class ReadForm(BaseModel):
    """Which devices the register is asked about."""

    which: Literal["unrecorded", "expiring"]


class ResultForm(BaseModel):
    """One result."""

    ref: RefText


class AnnulForm(ResultForm):
    """Which result is taken back, and why."""

    id: DeviceId
    reason: Line


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.NODE, 1, "exchange"), api="GET /arshin/results",
      lists=["GET /arshin/files", "GET /register/answers", "GET /exchange/1c/messages"])  # fmt: skip
async def exchange(call: Call) -> View:
    """What goes to other systems and what came from them."""
    return await _view(call)


@page("POST", PATH + "/arshin", title=TITLE, scopes=[Scope.RECORD], api="POST /arshin/files")
async def make_file(call: Call) -> View | web.Response:
    """Make the file of what is new."""
    try:
        made = await call.context.arshin.make(call.actor.label, only_new=True)
    except NodeError as error:
        return await _view(call, error)
    return await _view(call, left_out=made.left_out) if made.left_out else redirect(PATH)


@page("POST", PATH + "/register", title=TITLE, scopes=[Scope.RECORD], api="POST /register/read")
async def read_register(call: Call, body: ReadForm) -> View | web.Response:
    """Ask the register, and go to the job that does it."""
    try:
        job = await call.context.register.submit([], call.actor.label, body.which)
    except NodeError as error:
        return await _view(call, error)
    return redirect(f"/imports/{job}")


@page("POST", PATH + "/annul", title=TITLE, scopes=[Scope.RECORD], api="POST /passports/{id}/protocols/{ref}/annul")
async def annul(call: Call, body: AnnulForm) -> View | web.Response:
    """Annul a result of one's own."""
    try:
        await call.context.arshin.annul(subject_of(body.id), body.ref, body.reason, call.actor.label)
    except NodeError as error:
        return await _view(call, error)
    return redirect(PATH)


@page("POST", PATH + "/settlement", title=TITLE, scopes=[Scope.RECORD], api="POST /arshin/results/{ref}/settlement")
async def settle(call: Call, body: ResultForm) -> View | web.Response:
    """Note that the register annulled a result too."""
    return await acted(call.context.arshin.settle(body.ref, call.actor.label), PATH, partial(_view, call))


async def _view(call: Call, error: Exception | None = None, left_out: Sequence[LeftOut] = ()) -> View:
    context = call.context
    results, gone = [
        [result_row(one) for one in await context.arshin.results(ResultSift(is_gone=is_gone), RESULTS)]
        for is_gone in (False, True)
    ]
    today = datetime.fromtimestamp(context.clock.now() / 1e6, UTC).date()
    return View(
        "exchange.html",
        error=error,
        waiting=await context.arshin.waiting(),
        results=results,
        most=RESULTS,
        gone=gone,
        left_out=[left_out_row(one, call.language) for one in left_out],
        files=await context.arshin.files(SHOWN),
        is_on=context.register.is_on,
        record_days=context.settings.arshin.record_days,
        overdue=(today - timedelta(days=context.settings.arshin.record_days)).isoformat(),
        answers=[answer_row(one) for one in await context.register.newest(SHOWN)],
        messages=[message_row(one) for one in await context.exchange_1c.messages(SHOWN)],
        bench=await context.bench_folder.state(),
        may=call.actor.may([Scope.RECORD]),
    )


ROUTES = (exchange, make_file, read_register, annul, settle)
