"""The page of erasures: what waits for this organisation's signature, who has not acknowledged, and asking for one."""

from functools import partial

from aiohttp import web
from pydantic import BaseModel, Field, field_validator

from node.errors import DeniedError
from node.passport.bodies import ErasureGround
from node.services.access import Scope
from node.web.api.erasures import (
    ErasureBody,
    StatementPath,
    ask_as_anchor,
    ask_erasure,
    erasable_answers,
    erasures_page,
    sign_erasure,
)
from node.web.api.identity import RefText
from node.web.calls import Call, PageQuery, View
from node.web.dispatch import acted
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Erasures")
PATH = "/erasures"


class ErasableQuery(BaseModel):
    """The statement of which something is to be erased."""

    ref: RefText


class ErasureForm(BaseModel):
    """The sections that are ticked, why, and that whoever asks knows that nothing brings them back."""

    ref: RefText
    sections: list[str] = Field(min_length=1, max_length=16)
    ground: ErasureGround
    sure: str = Field(pattern="^yes$")

    @field_validator("sections", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


async def _waiting(call: Call) -> int:
    return len(await call.context.erasures.to_sign()) if call.actor.may([Scope.PEERS]) else 0


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.PASSPORTS, 7, "erasures", _waiting),
      api="GET /erasures")  # fmt: skip
async def erasures(call: Call, query: PageQuery) -> View:
    """Newest first; what waits for this organisation stands above."""
    return await _view(call, query=query)


@page("POST", PATH + "/{ref}/signature", title=TITLE, scopes=[Scope.PEERS], api="POST /erasures/{ref}/signature")
async def sign_by_form(call: Call, path: StatementPath) -> View | web.Response:
    """Ask for the same as an anchor."""
    return await acted(sign_erasure.handler(call, path=path), PATH, partial(_view, call))


@page("GET", PATH + "/new", title=mark("Erase personal data"), scopes=[Scope.RECORD],
      api="GET /statements/{ref}/erasable")  # fmt: skip
async def new_erasure(call: Call, query: ErasableQuery) -> View:
    """What would go, and who has it."""
    return await _asking(call, query.ref)


@page("POST", PATH, title=mark("Erase personal data"), scopes=[Scope.RECORD], api="POST /erasures")
async def erase_by_form(call: Call, body: ErasureForm) -> View | web.Response:
    """Erase the ticked sections; a statement of another organisation as an anchor."""
    wanted = ErasureBody.model_validate(
        {"rows": [{"ref": body.ref, "section": name} for name in body.sections], "ground": body.ground}
    )
    found = await erasable_answers(call, body.ref)
    is_own = found.org.org == call.context.core.org.hex()
    ask = ask_erasure if is_own else ask_as_anchor
    if not is_own and not call.actor.may([Scope.PEERS]):
        raise DeniedError(f"{call.actor.label} lacks a scope", "scope", scopes=Scope.PEERS.value)
    return await acted(ask.handler(call, body=wanted), PATH, partial(_asking, call, body.ref))


async def _asking(call: Call, ref: str, error: Exception | None = None) -> View:
    found = await erasable_answers(call, ref)
    genesis = await call.context.attesting.genesis()
    is_own = found.org.org == call.context.core.org.hex()
    return View(
        "erasure_new.html",
        error=error,
        found=found,
        is_own=is_own,
        quorum=genesis.quorum if genesis else 1,
        grounds=[*ErasureGround],
    )


async def _view(call: Call, error: Exception | None = None, query: PageQuery | None = None) -> View:
    listed = await erasures_page(call, query or PageQuery())
    genesis = await call.context.attesting.genesis()
    return View(
        "erasures.html",
        error=error,
        may_sign=call.actor.may([Scope.PEERS]),
        quorum=genesis.quorum if genesis else 1,
        items=listed.items,
        next=listed.next,
    )


ROUTES = (erasures, sign_by_form, new_erasure, erase_by_form)
