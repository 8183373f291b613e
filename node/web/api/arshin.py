"""ФГИС «Аршин»: results that wait for a file or a record, the files that were made, and reading the register."""

import json
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.passport.ids import SubjectId, format_device_id
from node.passport.result_cards import ResultState
from node.passport.shown import at, rows
from node.passport.view import moment_us
from node.services.access import Scope
from node.services.arshin import LeftOut, ResultSift, StoredResult
from node.services.register_reading import Answer, Which
from node.web.api.fields import IsoDay, Line
from node.web.api.identity import RefText
from node.web.api.imports import JobTaken
from node.web.api.passports import PassportPath, subject_of
from node.web.api.protocols import PaperPath
from node.web.binding import BYTES
from node.web.calls import Call, Page, PageQuery
from node.web.routes import Limit, api
from node.web.tables import exchanges as tables

DeviceId = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class ResultsQuery(PageQuery):
    """Which results of this organisation."""

    since: IsoDay | None = Field(default=None, description="From that day on; nothing means all.")
    waits: Literal["file", "annulment"] | None = Field(
        default=None,
        description="Only what waits for a file, or what the register has though it is in force no longer.",
    )


class ResultRow(BaseModel):
    """A signed result of verification of this organisation, and the file that it went into."""

    ref: str
    id: str
    serial: str
    number: str = Field(description="The number of the protocol.")
    occurred_us: int
    file: int | None = Field(description="The first that it stood in; null while it waits for one.")
    state: ResultState


class FileWish(BaseModel):
    """What a file is to hold."""

    since: IsoDay | None = Field(default=None, description="Results from that day on.")
    new: bool = Field(default=True, description="Only what stood in no file before.")


class FileRow(BaseModel):
    """A file that was made."""

    file: int
    made_us: int
    actor: str
    results: int


class LeftOutRow(BaseModel):
    """A result that the file cannot take: it goes on waiting until its document is corrected, or it is annulled."""

    ref: str
    id: str
    number: str
    why: str


class FileMade(BaseModel):
    """The number of a file, by which it is fetched, and what it leaves out."""

    file: int
    left_out: list[LeftOutRow]


class FilePath(BaseModel):
    """One file."""

    file: Annotated[int, Field(ge=1, le=2**53)]


class ResultPath(BaseModel):
    """One result, by the place of its protocol."""

    ref: RefText


class Annulment(BaseModel):
    """Why a result is taken back."""

    reason: Line


class AnnulmentAnswer(BaseModel):
    """The file by which the register has the result already, where there is one: it is annulled there too."""

    file: int | None


class VerifyWish(BaseModel):
    """Many meters verified at once, each by its newest bench run."""

    template: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    head: dict[str, Any] = Field(
        description="The document without what differs by meter; `protocol_no` begins every number."
    )  # Any: JSON of the template
    devices: list[DeviceId] = Field(min_length=1, max_length=10_000)


class ReadWish(BaseModel):
    """About which devices the register is asked: a list, or all of a kind."""

    devices: list[DeviceId] = Field(default=[], max_length=10_000)
    which: Which | None = Field(
        default=None, description="Without a list: results that wait for a record, or terms that end in 90 days."
    )


class AnswerRow(BaseModel):
    """An answer of the register: `found` is recorded, known, none, other or unreadable."""

    answer: int
    id: str
    asked_us: int
    url: str
    found: str
    detail: dict[str, Any]  # Any: what was found is plain JSON


class AnswerPath(BaseModel):
    """One answer."""

    answer: Annotated[int, Field(ge=1, le=2**53)]


class DifferenceRow(BaseModel):
    """One thing of which the register says something else than the passport."""

    what: str
    register_says: str | None
    passport_says: str | None


class RecordRow(BaseModel):
    """A record of the register as it was read, beside what the passport says."""

    number: str | None
    verified: str
    valid_until: str | None
    organisation: str
    fit: bool
    by: str = Field(description="The organisation that read it, in hex.")
    asked: str
    url: str
    differences: list[DifferenceRow]


class RegisterAnswerOf(BaseModel):
    """What the register says of a device; `unrecorded` is the day of a result that has no record."""

    valid_until: str | None
    standing: str | None
    record: str | None
    record_standing: str | None
    unrecorded: str | None
    items: list[RecordRow]


@api("GET", "/arshin/results", title="Results for the «Аршин» file", scopes=[Scope.READ], problems=["cursor"],
     table=tables.RESULTS)  # fmt: skip
async def list_results(call: Call, query: ResultsQuery) -> Page[ResultRow]:
    """This organisation's own that stand, newest first, each with the file that it went into."""
    place = call.decode_cursor(query.cursor, int, str) if query.cursor else None
    since = moment_us(query.since.isoformat()) if query.since else None
    sift = ResultSift(is_gone=query.waits == "annulment", is_new=query.waits == "file", since_us=since)
    before = (int(place[0]), str(place[1])) if place else None
    found = await call.context.arshin.results(sift, query.limit + 1, before)
    last = found[query.limit - 1].card if len(found) > query.limit else None
    more = call.encode_cursor(last.occurred, last.ref) if last else None
    return Page(items=[result_row(one) for one in found[: query.limit]], next=more)


@api("POST", "/arshin/results/{ref}/settlement", title="Note that the register annulled a result too", status=204,
     scopes=[Scope.RECORD], problems=["result_unknown", "result_stands"])  # fmt: skip
async def settle(call: Call, path: ResultPath) -> None:
    """A result that was annulled or replaced after it went into a file waits for nothing more."""
    await call.context.arshin.settle(path.ref, call.actor.label)


@api("POST", "/arshin/files", title="Make an «Аршин» file", scopes=[Scope.RECORD], status=201,
     problems=["arshin_empty", "arshin_refused"])  # fmt: skip
async def make_file(call: Call, body: FileWish) -> FileMade:
    """Of what is new, or of everything; it is checked against the register's schema and kept."""
    made = await call.context.arshin.make(call.actor.label, body.since, only_new=body.new)
    return FileMade(file=made.number, left_out=[left_out_row(one, call.language) for one in made.left_out])


@api("GET", "/arshin/files", title="«Аршин» files", scopes=[Scope.READ], problems=["cursor"], table=tables.FILES)
async def list_files(call: Call, query: PageQuery) -> Page[FileRow]:
    """Newest first."""
    before = int(call.decode_cursor(query.cursor, int)[0]) if query.cursor else None
    found = await call.context.arshin.files(query.limit + 1, before)
    last = found[query.limit - 1] if len(found) > query.limit else None
    shown = [
        FileRow(file=one.id, made_us=one.made_us, actor=one.actor, results=one.results) for one in found[: query.limit]
    ]
    return Page(items=shown, next=call.encode_cursor(last.id) if last else None)


@api("GET", "/arshin/files/{file}", title="One «Аршин» file", scopes=[Scope.RECORD],
     problems=["arshin_file_unknown"], files=["application/xml"])  # fmt: skip
async def read_file(call: Call, path: FilePath) -> web.Response:
    """As it was made."""
    raw = await call.context.arshin.file(path.file)
    headers = {"Content-Disposition": f'attachment; filename="arshin-{path.file}.xml"'}
    return web.Response(body=raw, content_type="application/xml", headers=headers)


@api("POST", "/passports/{id}/protocols/{ref}/annul", title="Annul a verification", scopes=[Scope.RECORD],
     problems=["protocol_unknown", "annul_foreign", "annulled_already", "annul_nothing"])  # fmt: skip
async def annul(call: Call, path: PaperPath, body: Annulment) -> AnnulmentAnswer:
    """The protocol stays and is shown as annulled; the verification is in force no longer."""
    file = await call.context.arshin.annul(subject_of(path.id), path.ref, body.reason, call.actor.label)
    return AnnulmentAnswer(file=file)


@api("POST", "/verifications", title="Verify meters by their bench runs", scopes=[Scope.RECORD], status=202,
     problems=["document_unreadable", "verify_nothing"])  # fmt: skip
async def verify(call: Call, body: VerifyWish) -> JobTaken:
    """A protocol of each is signed; what the template's rules refuse is told by the job."""
    subjects = [subject_of(one) for one in body.devices]
    head = json.dumps(body.head, ensure_ascii=False).encode()
    job = await call.context.verifying.submit(body.template, head, subjects, call.actor.label)
    return JobTaken(job=job)


@api("POST", "/register/read", title="Read the register of verifications", scopes=[Scope.RECORD], status=202,
     problems=["register_off", "register_nothing", "register_too_many"])  # fmt: skip
async def read_register(call: Call, body: ReadWish) -> JobTaken:
    """One request every two seconds; what the register says is written into the passports with its answers."""
    subjects = [subject_of(one) for one in body.devices]
    return JobTaken(job=await call.context.register.submit(subjects, call.actor.label, body.which))


@api("GET", "/register/answers", title="Answers of the register", scopes=[Scope.READ], problems=["cursor"],
     table=tables.ANSWERS)  # fmt: skip
async def list_answers(call: Call, query: PageQuery) -> Page[AnswerRow]:
    """Newest first, without their bytes."""
    before = int(call.decode_cursor(query.cursor, int)[0]) if query.cursor else None
    found = await call.context.register.newest(query.limit + 1, before)
    last = found[query.limit - 1] if len(found) > query.limit else None
    return Page(
        items=[answer_row(one) for one in found[: query.limit]], next=call.encode_cursor(last.id) if last else None
    )


@api("GET", "/register/answers/{answer}", title="One answer of the register", scopes=[Scope.READ], files=[BYTES],
     problems=["answer_unknown"])  # fmt: skip
async def read_answer(call: Call, path: AnswerPath) -> web.Response:
    """The bytes as they came."""
    kept = await call.context.register.answer(path.answer)
    headers = {"Content-Disposition": f'attachment; filename="answer-{kept.id}.json"'}
    return web.Response(body=kept.body, content_type="application/octet-stream", headers=headers)


@api("GET", "/passports/{id}/register", title="What the register says of a device", scopes=[Scope.READ],
     limit=Limit.PASSPORT, table=tables.RECORDS)  # fmt: skip
async def read_records(call: Call, path: PassportPath) -> RegisterAnswerOf:
    """Each record that was read, beside the passport's own result."""
    view = (await call.context.registry.get(subject_of(path.id), whole=False)).content
    items = [
        RecordRow(
            **{name: at(row, "record", name) for name in ("number", "verified", "valid_until", "organisation", "fit")},
            **{name: row[name] for name in ("by", "asked", "url")},
            differences=[
                DifferenceRow(what=one["what"], register_says=one["register"], passport_says=one["passport"])
                for one in rows(row, "differences")
            ],
        )
        for row in rows(view, "verification", "register")
    ]
    told = {
        name: at(view, "verification", name)
        for name in ("valid_until", "standing", "record", "record_standing", "unrecorded")
    }
    return RegisterAnswerOf(**told, items=items)


def result_row(one: StoredResult) -> ResultRow:
    """A result as lists show it."""
    return ResultRow(
        ref=one.card.ref,
        id=format_device_id(SubjectId(one.lead)),
        serial=one.card.serial,
        number=one.card.number,
        occurred_us=one.card.occurred,
        file=one.file,
        state=one.card.state,
    )


def left_out_row(one: LeftOut, language: str) -> LeftOutRow:
    """A result that a file cannot take."""
    result = one.result
    return LeftOutRow(
        ref=result.card.ref,
        id=format_device_id(SubjectId(result.lead)),
        number=result.card.number,
        why=one.why.text(language),
    )


def answer_row(kept: Answer) -> AnswerRow:
    """An answer as lists show it, without its bytes."""
    return AnswerRow(
        answer=kept.id,
        id=format_device_id(SubjectId(kept.subject)),
        asked_us=kept.asked_us,
        url=kept.url,
        found=kept.found,
        detail=kept.detail,
    )


ROUTES = (
    list_results,
    settle,
    make_file,
    list_files,
    read_file,
    annul,
    verify,
    read_register,
    list_answers,
    read_answer,
    read_records,
)
