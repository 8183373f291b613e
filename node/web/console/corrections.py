"""Correcting a value, and closing a dispute, from the passport page."""

import re

from aiohttp import web

from node.passport.bodies import CorrectionBody
from node.services.access import Scope
from node.services.corrections import ON_PLATE
from node.web.api.corrections import CorrectionInput
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call
from node.web.dispatch import redirect
from node.web.languages import mark
from node.web.routes import page

DATED = re.compile(r"(.+)@(\d{4}-\d\d-\d\d[^@]*)")
DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]+")


class CorrectionForm(CorrectionInput):
    """What the form sends: `fact` with from when it is valid behind a `@`, where it has a time."""


@page("POST", "/devices/{id}/corrections", title=mark("Correct a value or close a dispute"), scopes=[Scope.RECORD],
      api="POST /passports/{id}/corrections")  # fmt: skip
async def correct(call: Call, path: PassportPath, body: CorrectionForm) -> web.Response:
    """The earlier value stays to be seen; the page shows both."""
    dated = DATED.fullmatch(body.fact)
    fact, since = (dated[1], dated[2]) if dated else (body.fact, None)
    why = CorrectionBody(reason=body.reason, ground=body.ground, document=body.document)
    await call.context.corrections.correct(
        subject_of(path.id), fact, _typed(fact, body.value), why, call.actor.label, since, body.unit
    )
    return redirect(f"/devices/{path.id}")


def _typed(fact: str, value: str) -> str:
    """The value as it is stated: a number that was typed with a comma has a point."""
    return value.replace(",", ".") if fact not in ON_PLATE and DECIMAL_COMMA.fullmatch(value) else value


ROUTES = (correct,)
