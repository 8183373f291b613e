"""Identity: which devices a plate may be of, and what people say where plates do not tell."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from node.passport.ids import SubjectId, format_device_id
from node.passport.plate import fill_plate
from node.passport.suggestions import Sighting
from node.services.access import Scope
from node.services.identities import Alike
from node.web.api.fields import Line
from node.web.api.passports import PassportPath, SaidAnswer, subject_of
from node.web.calls import Call
from node.web.routes import api

RefText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}:[0-9]{1,16}:[0-9a-f]{32}$")]


class SeenQuery(BaseModel):
    """A plate as somebody wrote it, and where the thing was seen."""

    designation: str = Field(min_length=1, max_length=512)
    serial: str = Field(min_length=1, max_length=512)
    mark: str = Field(default="", max_length=512)
    year: str = Field(default="", max_length=32)
    approval: str = Field(default="", max_length=64)
    place: str = Field(default="", max_length=512)


class SuggestionRow(BaseModel):
    """A device that the plate may be of: how its serial differs, and what speaks for it and against it."""

    id: str
    title: str
    state: str
    score: float
    slip: str
    signs: list[str]


class SuggestionsAnswer(BaseModel):
    """The likeliest first, at most three."""

    items: list[SuggestionRow]


class SamenessInput(BaseModel):
    """What is said of this passport and another one."""

    says: Literal["same", "distinct"]
    other: Line
    reason: Line | None = None


class TwinInput(BaseModel):
    """The statements that are about another device with the same plate."""

    moves: list[RefText] = Field(min_length=1, max_length=512)
    reason: Line | None = None


class WithdrawalInput(BaseModel):
    """What this organisation said before, by the place of the statement."""

    ref: RefText


@api("GET", "/plates/suggestions", title="Devices that a plate may be of", scopes=[Scope.READ])
async def suggest_for_plate(call: Call, query: SeenQuery) -> SuggestionsAnswer:
    """A slip of the pen, a lost zero or a missing year are thought of; a person decides."""
    plate = fill_plate(query.designation, query.serial, mark=query.mark, year=query.year, approval=query.approval)
    found = await call.context.identities.suggest(Sighting(plate, query.place))
    return SuggestionsAnswer(items=[_row(alike) for alike in found])


@api("GET", "/passports/{id}/suggestions", title="Passports that may be of the same device", scopes=[Scope.READ],
     problems=["passport_unknown", "id_mistyped"])  # fmt: skip
async def suggest_for_passport(call: Call, path: PassportPath) -> SuggestionsAnswer:
    """Without those of which somebody said already that they are the same or distinct."""
    found = await call.context.identities.suggest_for(subject_of(path.id))
    return SuggestionsAnswer(items=[_row(alike) for alike in found])


@api("POST", "/passports/{id}/sameness", title="Say that two passports are of one device, or of two",
     scopes=[Scope.RECORD], status=201, problems=["passport_unknown", "id_mistyped", "sameness_self"])  # fmt: skip
async def say_sameness(call: Call, path: PassportPath, body: SamenessInput) -> SaidAnswer:
    """They are joined once an identity authority of each side says so: the maker, else who stated the plate."""
    one, other = subject_of(path.id), subject_of(body.other)
    await call.context.identities.say(one, other, body.says, body.reason, call.actor.label)
    return SaidAnswer(id=path.id)


@api("POST", "/passports/{id}/twins", title="Tell a twin apart", scopes=[Scope.RECORD], status=201,
     problems=["passport_unknown", "id_mistyped", "twin_moves_unknown", "twin_no_plate"])  # fmt: skip
async def tell_twin(call: Call, path: PassportPath, body: TwinInput) -> SaidAnswer:
    """The named statements move to another device with the same plate; the answer is its id."""
    twin = await call.context.identities.split(subject_of(path.id), body.moves, body.reason, call.actor.label)
    return SaidAnswer(id=format_device_id(SubjectId(twin)))


@api("POST", "/passports/{id}/sameness/withdrawals", title="Take back what was said of identity",
     scopes=[Scope.RECORD], status=204, problems=["sameness_unknown", "id_mistyped"])  # fmt: skip
async def withdraw(call: Call, path: PassportPath, body: WithdrawalInput) -> None:
    """Two passports that were joined are two again, a twin's statements go back."""
    await call.context.identities.withdraw(subject_of(path.id), body.ref, call.actor.label)


def _row(alike: Alike) -> SuggestionRow:
    suggestion = alike.suggestion
    return SuggestionRow(
        id=format_device_id(SubjectId(suggestion.subject)),
        title=alike.title,
        state=alike.state,
        score=suggestion.score,
        slip=suggestion.slip.value,
        signs=[sign.value for sign in suggestion.signs],
    )


ROUTES = [suggest_for_plate, suggest_for_passport, say_sameness, tell_twin, withdraw]
