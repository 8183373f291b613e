"""Many meters verified by one form: what is typed in it holds for all that wait at its step and were on the bench."""

from aiohttp import web

from node.errors import InputError, NodeError
from node.passport.strict_json import format_json
from node.passport.templates.form import without_empty_rows
from node.services.access import Scope
from node.web.api.forms import FormPath
from node.web.calls import Call, View
from node.web.console.benched import MOST, waiting_beside
from node.web.console.forms import BODY, PATH, FilledForm, filled, form_view
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.routes import page

TITLE = mark("Filling in a protocol")


@page("POST", PATH + "/{form}/verifications", title=TITLE, scopes=[Scope.RECORD], api="POST /verifications",
      max_body=BODY)  # fmt: skip
async def verify_all(call: Call, path: FormPath, body: FilledForm) -> View | web.Response:
    """Keep what was typed, and sign a verification of every meter that waits and was on the bench."""
    form = await call.context.forms.get(path.form)
    try:
        form = await call.context.forms.save(form, filled(form, body))
        waiting = await waiting_beside(call, form)
        if waiting is None or not waiting.benched:
            raise InputError("no meter that waits at this step was on the bench", "verify_nothing", most=MOST)
        head = format_json(without_empty_rows(form.document))
        job = await call.context.verifying.submit(form.held.reference, head, waiting.benched, call.actor.label)
    except NodeError as error:
        return await form_view(call, form, error=error)
    return redirect_in_page(call, f"/imports/{job}")


ROUTES = (verify_all,)
