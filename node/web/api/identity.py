"""Identity: which devices a plate may be of, and what people say where plates do not tell."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from node.passport.ids import SubjectId, format_device_id
from node.passport.plate import fill_plate
from node.passport.scans import Filled, PlateCheck
from node.passport.suggestions import Sighting
from node.passport.unseen import VISIBLE
from node.services.access import Scope
from node.services.identities import Alike
from node.web.api.fields import SCANNED, Line
from node.web.api.passports import PassportPath, subject_of
from node.web.api.records import SaidAnswer
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import passports as tables

RefText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}:[0-9]{1,16}:[0-9a-f]{32}$")]


class SeenQuery(BaseModel):
    """A plate as somebody wrote it, and where the thing was seen."""

    designation: str = Field(min_length=1, max_length=512)
    serial: str = Field(min_length=1, max_length=512)
    mark: str = Field(default="", max_length=512)
    year: str = Field(default="", max_length=32)
    approval: str = Field(default="", max_length=64)
    place: str = Field(default="", max_length=512)


class FilledQuery(BaseModel):
    """What somebody typed or scanned, as one text or in parts; parts stand before the text."""

    text: str = Field(default="", max_length=512, pattern=SCANNED)
    designation: str = Field(default="", max_length=512, pattern=VISIBLE)
    serial: str = Field(default="", max_length=512, pattern=VISIBLE)
    mark: str = Field(default="", max_length=512, pattern=VISIBLE)
    year: str = Field(default="", max_length=32, pattern=VISIBLE)
    approval: str = Field(default="", max_length=64, pattern=VISIBLE)


class FindingRow(BaseModel):
    """What is wrong with the serial by the rules of its line."""

    rule: str
    message: str
    suggestion: str | None


class ReadingAnswer(BaseModel):
    """What it reads as: the parts of a plate, its line or why there is none, and the passport that it leads to."""

    id: str | None = Field(description="The passport that exactly this leads to, where it is here.")
    title: str | None
    designation: str
    serial: str
    mark: str | None
    year: str | None
    approvals: list[str]
    code: str | None = Field(description="The scheme of a scanned code of the maker.")
    line: str | None = Field(description="The serial line that the plate is of.")
    no_line: str | None = Field(description="Why no published line is told, or what is lacking for its key.")
    finding: FindingRow | None


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


class PairQuery(BaseModel):
    """Two passports, by device id."""

    a: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    b: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class ComparedAnswerRow(BaseModel):
    """A fact as both passports have it."""

    section: str
    name: str
    left: list[str]
    right: list[str]
    likeness: str = Field(description="`same`, `different`, or `one-sided` where only one says something.")


class SideAnswer(BaseModel):
    """One of both: who may speak of its identity, and by which right."""

    id: str
    title: str
    right: str
    authorities: list[str]


class ComparisonAnswer(BaseModel):
    """Two passports side by side, and what was said of the two."""

    left: SideAnswer
    right: SideAnswer
    rows: list[ComparedAnswerRow]
    said: list[dict[str, Any]]  # Any: part of a view, plain JSON


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


@api("GET", "/plates/suggestions", title="Devices that a plate may be of", scopes=[Scope.READ],
     table=tables.SUGGESTIONS)  # fmt: skip
async def suggest_for_plate(call: Call, query: SeenQuery) -> SuggestionsAnswer:
    """A slip of the pen, a lost zero or a missing year are thought of; a person decides."""
    plate = fill_plate(query.designation, query.serial, mark=query.mark, year=query.year, approval=query.approval)
    found = await call.context.identities.suggest(Sighting(plate, query.place))
    return SuggestionsAnswer(items=[_row(alike) for alike in found])


@api("GET", "/plates/reading", title="What a text or a scan reads as", scopes=[Scope.READ], problems=["id_mistyped"])
async def read_plate(call: Call, query: FilledQuery) -> ReadingAnswer:
    """The plate in its parts, the rules of its line, and the passport that it leads to; nothing is written."""
    found = await call.context.identities.read(Filled(**query.model_dump()))
    plate, check = found.scan.plate, found.check
    return ReadingAnswer(
        id=format_device_id(SubjectId(found.known.subject)) if found.known else None,
        title=found.known.title if found.known else None,
        designation=plate.designation,
        serial=plate.serial,
        mark=plate.mark,
        year=plate.year,
        approvals=list(plate.approvals),
        code=found.scan.code.scheme.value if found.scan.code else None,
        line=check.line.line if check and check.line else None,
        no_line=check.reason.value if check and check.reason else None,
        finding=_finding(check, call.language),
    )


@api("GET", "/comparisons", title="Two passports side by side", scopes=[Scope.READ],
     problems=["passport_unknown", "id_mistyped", "sameness_self"])  # fmt: skip
async def compare(call: Call, query: PairQuery) -> ComparisonAnswer:
    """Fact by fact; and whose word it takes to join them."""
    found = await call.context.identities.compare(subject_of(query.a), subject_of(query.b))
    sides = [
        SideAnswer(
            id=text,
            title=passport.title,
            right=held.right.name.lower(),
            authorities=sorted(org.hex() for org in held.orgs),
        )
        for text, passport, held in zip((query.a, query.b), (found.left, found.right), found.authorities, strict=True)
    ]
    rows = [
        ComparedAnswerRow(section=r.section, name=r.name, left=[*r.left], right=[*r.right], likeness=r.likeness)
        for r in found.rows
    ]
    return ComparisonAnswer(left=sides[0], right=sides[1], rows=rows, said=found.said)


@api("GET", "/passports/{id}/suggestions", title="Passports that may be of the same device", scopes=[Scope.READ],
     problems=["passport_unknown", "id_mistyped"], table=tables.SUGGESTIONS)  # fmt: skip
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


def _finding(check: PlateCheck | None, language: str) -> FindingRow | None:
    if check is None or check.finding is None:
        return None
    found = check.finding
    return FindingRow(rule=found.rule, message=found.ru if language == "ru" else found.en, suggestion=found.suggestion)


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


ROUTES = [suggest_for_plate, read_plate, compare, suggest_for_passport, say_sameness, tell_twin, withdraw]
