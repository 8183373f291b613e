"""Erasures: what of a statement may be erased, asking for it, signing with other anchors, and who has done it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from node.passport.bodies import ErasedRow, ErasureGround
from node.passport.references import ref_text
from node.passport.statement import Erased
from node.services.access import Scope
from node.services.erasures import Asked, Erasable, Holder, Row
from node.web.api.branches import NamedOrganisation
from node.web.api.fields import Hex16
from node.web.api.identity import RefText
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import network as tables

Names = Mapping[str, str]


class StatementPath(BaseModel):
    """One statement by its place."""

    ref: RefText


class ErasureBody(BaseModel):
    """Which sections are to be erased, for ever and by everybody who has them, and why."""

    rows: Annotated[list[ErasedRow], Field(min_length=1, max_length=64)]
    ground: ErasureGround


class ErasedAnswer(BaseModel):
    """By whose words a section is gone, since when, and on what ground."""

    by: list[NamedOrganisation]
    at_us: int
    ground: str


class GivenAnswer(BaseModel):
    """A node to which a section was given from here, and when first."""

    org: NamedOrganisation
    node: Hex16
    at_us: int


class ErasableAnswer(BaseModel):
    """A personal section of a statement."""

    section: str
    size: int = Field(description="Bytes, those of a file in chunks among them.")
    here: bool = Field(description="Whether its bytes are on this node.")
    given: list[GivenAnswer] = Field(description="Nodes that took it from here: each is asked to erase it.")
    others: list[NamedOrganisation] = Field(description="Organisations that may open it and did not take it here.")
    erased: ErasedAnswer | None
    asked: list[NamedOrganisation] = Field(description="Anchors that asked for it so far.")


class ErasableAnswers(BaseModel):
    """What may be erased of a statement."""

    ref: RefText
    org: NamedOrganisation
    sections: list[ErasableAnswer]


class HolderAnswer(BaseModel):
    """A node that had a section: silent until it acknowledged that it has it no more."""

    org: NamedOrganisation
    node: Hex16
    given_us: int | None = Field(description="When it was given from here; null where it came from elsewhere.")
    seen_us: int | None = Field(description="When the node was heard last.")
    acknowledged_us: int | None


class ErasureRow(BaseModel):
    """One section that an erasure names, and what came of it."""

    ref: RefText
    section: str
    org: NamedOrganisation | None = Field(description="Who wrote the statement; null while it is not here.")
    state: Literal["erased", "waiting", "refused", "absent"] = Field(
        description="`waiting` for other anchors; `refused`: it has no effect; `absent`: the statement is not here."
    )
    hindrance: str | None = Field(description="Why it has no effect.")
    erased: ErasedAnswer | None
    acknowledged: list[HolderAnswer]
    waiting: list[HolderAnswer] = Field(description="Who had it and has not acknowledged.")
    others: list[NamedOrganisation]


class ErasureAnswer(BaseModel):
    """An erasure with its rows."""

    ref: RefText
    org: NamedOrganisation
    at_us: int
    ground: str
    may_sign: bool = Field(description="Whether it waits for this organisation as an anchor.")
    rows: list[ErasureRow]


@api("GET", "/statements/{ref}/erasable", title="What may be erased of a statement", scopes=[Scope.READ],
     problems=["statement_unknown", "erase_nothing"])  # fmt: skip
async def list_erasable(call: Call, path: StatementPath) -> ErasableAnswers:
    """Its personal sections, each with who has it as far as that is known here; the content is not told."""
    return await erasable_answers(call, path.ref)


@api("GET", "/erasures", title="Erasures", scopes=[Scope.READ], problems=["cursor"], table=tables.ERASURES)
async def list_erasures(call: Call, query: PageQuery) -> Page[ErasureAnswer]:
    """All that are known here, newest first, with who has acknowledged and who is silent."""
    return await erasures_page(call, query)


@api("GET", "/erasures/{ref}", title="One erasure", scopes=[Scope.READ], problems=["erasure_unknown"])
async def read_erasure(call: Call, path: StatementPath) -> ErasureAnswer:
    """By the place of the statement that asks for it."""
    return erasure_answer(await call.context.erasures.get(path.ref), names_of(call))


@api("POST", "/erasures", title="Erase personal sections of own statements", scopes=[Scope.RECORD], status=201,
     problems=["statement_unknown", "erase_count", "erase_no_section", "erase_not_personal", "erase_foreign",
               "erased_already"])  # fmt: skip
async def ask_erasure(call: Call, body: ErasureBody) -> ErasureAnswer:
    """Here at once, everywhere else as soon as it is heard; it cannot be taken back. Everybody reads which section of
    which statement, never what stood in it.
    """
    rows = [(row.ref, row.section) for row in body.rows]
    asked = await call.context.erasures.ask(rows, body.ground, call.actor.label)
    return erasure_answer(asked, names_of(call))


@api("POST", "/federation/erasures", title="Ask for an erasure, as an anchor", scopes=[Scope.PEERS], status=201,
     problems=["statement_unknown", "erase_count", "erase_no_section", "erase_not_personal", "erase_foreign",
               "erased_already", "erase_asked"])  # fmt: skip
async def ask_as_anchor(call: Call, body: ErasureBody) -> ErasureAnswer:
    """Of statements of others: it takes effect once as many anchors as must agree asked for the same."""
    rows = [(row.ref, row.section) for row in body.rows]
    asked = await call.context.erasures.ask(rows, body.ground, call.actor.label, as_anchor=True)
    return erasure_answer(asked, names_of(call))


@api("POST", "/erasures/{ref}/signature", title="Ask for the same erasure, as an anchor", scopes=[Scope.PEERS],
     status=201, problems=["erasure_unknown", "erase_not_waiting"])  # fmt: skip
async def sign_erasure(call: Call, path: StatementPath) -> ErasureAnswer:
    """The rows that wait for more anchors, in this organisation's name."""
    return erasure_answer(await call.context.erasures.sign(path.ref, call.actor.label), names_of(call))


async def erasable_answers(call: Call, ref: str) -> ErasableAnswers:
    """What may be erased of a statement, as it is answered."""
    found, names = await call.context.erasures.preview(ref), names_of(call)
    return ErasableAnswers(ref=ref, org=named(found[0].org, names), sections=[_erasable(one, names) for one in found])


async def erasures_page(call: Call, query: PageQuery) -> Page[ErasureAnswer]:
    """A page of the list."""
    before: tuple[int, bytes, int] | None = None
    if query.cursor:
        at, log, seq = call.decode_cursor(query.cursor, int, str, int)
        before = (int(at), bytes.fromhex(str(log)), int(seq))
    found = await call.context.erasures.list(query.limit + 1, before)
    shown, names = found[: query.limit], names_of(call)
    last = shown[-1] if len(found) > query.limit else None
    following = call.encode_cursor(last.at, last.said.log.hex(), last.said.seq) if last is not None else None
    return Page(items=[erasure_answer(one, names) for one in shown], next=following)


def names_of(call: Call) -> Names:
    """What organisations call themselves, by their id in hex."""
    return {org.hex(): card.name for org, card in call.context.projection.world.cards.items()}


def named(org: bytes, names: Names) -> NamedOrganisation:
    """An organisation as answers have it."""
    return NamedOrganisation(org=org.hex(), name=names.get(org.hex()))


def erasure_answer(asked: Asked, names: Names) -> ErasureAnswer:
    """An erasure as it is answered."""
    return ErasureAnswer(
        ref=ref_text(asked.said),
        org=named(asked.org, names),
        at_us=asked.at,
        ground=asked.ground,
        may_sign=asked.may_sign,
        rows=[_row(row, names) for row in asked.rows],
    )


def _row(row: Row, names: Names) -> ErasureRow:
    silent = {holder.node for holder in row.waiting}
    return ErasureRow(
        ref=ref_text(row.word.target),
        section=row.word.section,
        org=named(row.target.org, names) if row.target else None,
        state=_state(row),
        hindrance=row.hindrance.value if row.hindrance else None,
        erased=_erased(row.erased, names),
        acknowledged=_holders((one for one in row.holders if one.node not in silent), names),
        waiting=_holders(row.waiting, names),
        others=[named(org, names) for org in row.others],
    )


def _state(row: Row) -> Literal["erased", "waiting", "refused", "absent"]:
    if row.erased is not None:
        return "erased"
    if row.target is None:
        return "absent"
    return "waiting" if row.hindrance == "few-anchors" else "refused"


def _erasable(one: Erasable, names: Names) -> ErasableAnswer:
    return ErasableAnswer(
        section=one.section,
        size=one.size,
        here=one.is_here,
        given=[GivenAnswer(org=named(g.org, names), node=g.node.hex(), at_us=g.at_us) for g in one.given],
        others=[named(org, names) for org in one.others],
        erased=_erased(one.erased, names),
        asked=[named(org, names) for org in one.asked],
    )


def _erased(one: Erased | None, names: Names) -> ErasedAnswer | None:
    if one is None:
        return None
    return ErasedAnswer(by=[named(org, names) for org in one.by], at_us=one.at, ground=one.ground)


def _holders(holders: Iterable[Holder], names: Names) -> list[HolderAnswer]:
    return [
        HolderAnswer(
            org=named(one.org, names),
            node=one.node.hex(),
            given_us=one.given_us or None,
            seen_us=one.seen_us,
            acknowledged_us=one.said.at if one.said else None,
        )
        for one in holders
    ]


ROUTES = (
    list_erasable,
    list_erasures,
    read_erasure,
    ask_erasure,
    ask_as_anchor,
    sign_erasure,
)
