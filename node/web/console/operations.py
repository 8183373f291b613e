"""The ledger of operations of a device as a page: what was done with it, by whom, when, where, for which step."""

from collections.abc import Mapping

from node.passport.procedures import Procedure
from node.passport.shown import rows, text
from node.passport.view import View as PassportView
from node.services.access import Scope
from node.web.api.operations import OperationRow, operations_page
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, PageQuery, View
from node.web.columns import Reader
from node.web.languages import mark
from node.web.process_words import titled
from node.web.routes import page
from node.web.tables.operations import operation_name, operation_place


@page("GET", "/devices/{id}/operations", title=mark("Ledger of operations"), scopes=[Scope.READ],
      api="GET /passports/{id}/operations")  # fmt: skip
async def operations(call: Call, path: PassportPath, query: PageQuery) -> View:
    """In the order of time, as the API lists them."""
    passport = await call.context.registry.get(subject_of(path.id), whole=False)
    listed = await operations_page(call, path, query)
    procedures, reader = _procedures(call, passport.content), Reader(call.language)
    return View(
        "operations.html",
        id=path.id,
        title=passport.title or path.id,
        rows=[(row, operation_name(row, reader), operation_place(row, reader)) for row in listed.items],
        step_title=lambda row: _step_title(procedures, row, call.language),
        outcome_title=lambda row: _outcome_title(procedures, row, call.language),
        more=listed.next,
        titles=await call.context.templates.titles(),
        names={org.hex(): card.name for org, card in call.context.projection.world.cards.items()},
    )


def _procedures(call: Call, view: PassportView) -> Mapping[str, Procedure]:
    """The procedures of a passport's processes, by the id of the process."""
    held = {text(row, "id"): call.context.procedures.find(text(row, "procedure")) for row in rows(view, "processes")}
    return {run: one.procedure for run, one in held.items() if one is not None}


def _step_title(procedures: Mapping[str, Procedure], row: OperationRow, language: str) -> str:
    step = procedures[row.run].step(row.step) if row.run in procedures else None
    return titled(step.title if step else {}, row.step, language)


def _outcome_title(procedures: Mapping[str, Procedure], row: OperationRow, language: str) -> str:
    step = procedures[row.run].step(row.step) if row.run in procedures else None
    found = step.find_outcome(row.outcome) if step else None
    return titled(found.title, row.outcome, language) if found else row.outcome


ROUTES = (operations,)
