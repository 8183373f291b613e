"""A passport as something to be kept or handed on: a document for paper, and one signed file."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError
from node.exchange.errors import SheetError
from node.exchange.passport_file import VERIFIER, read_program
from node.exchange.sheets import MAX_CELLS, Sheet, write_pdf
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import text
from node.passport.view import View, digest
from node.services.access import Scope
from node.web.api.fields import Hex16, Line
from node.web.api.passports import PassportPath, subject_of
from node.web.api.protocols import PaperPath
from node.web.api.rights import ProfileId, profile_asked
from node.web.assets import STATIC
from node.web.binding import BYTES
from node.web.calls import Call
from node.web.passport_sheet import Issue, passport_sheet
from node.web.protocol_sheet import protocol_sheet
from node.web.routes import Limit, api

FONTS = STATIC / "vendor"
PDF = "application/pdf"
PYTHON = "text/x-python"
PROBLEMS = ("passport_unknown", "id_mistyped")
TOO_LONG = "pdf_too_long"
PRINTING = web.AppKey("printing", asyncio.Semaphore)


@api("GET", "/passports/{id}/protocols/{ref}/pdf", title="A protocol as PDF", scopes=[Scope.READ], files=[PDF],
     limit=Limit.PASSPORT, problems=[*PROBLEMS, "protocol_unknown", "protocol_unreadable", TOO_LONG])  # fmt: skip
async def read_protocol_pdf(call: Call, path: PaperPath) -> web.Response:
    """As its template lays it out for print, with who signed it and how it stands."""
    subject = subject_of(path.id)
    passport = await call.context.registry.get(subject)
    paper = await call.context.protocols.paper(subject, path.ref)
    names = {org.hex(): card.name for org, card in call.context.projection.world.cards.items()}
    try:
        sheet = protocol_sheet(passport.content, paper, issue_of(call, passport.digest.hex()), names, call.language)
    except SheetError as error:
        raise _too_long(error) from error
    raw = await printed(call, sheet)
    device = format_device_id(SubjectId(passport.subject))
    return answer_file(call, raw, PDF, f"protocol-{device}", sheet.title, "pdf")


class ExportBody(BaseModel):
    """A copy of everything that was made on this machine."""

    folder: Line
    passports: int = Field(ge=0)


class FileQuery(BaseModel):
    """For whom it is, and under which profile."""

    party: Hex16 | None = Field(default=None, description="An organisation: only what it may read. Nothing means all.")
    profile: ProfileId | None = Field(default=None, description="What a kind of party is shown: a name or an id.")


@api("GET", "/passports/{id}/pdf", title="A passport as PDF", scopes=[Scope.READ], files=[PDF],
     problems=[*PROBLEMS, TOO_LONG, "org_unknown", "profile_unknown"], limit=Limit.PASSPORT)  # fmt: skip
async def read_pdf(call: Call, path: PassportPath, query: FileQuery) -> web.Response:
    """What the page shows, for paper: in the language of the request, with the digest of the view and who issued it."""
    subject, view, issue = await _issued(call, subject_of(path.id), query)
    names = {org.hex(): card.name for org, card in call.context.projection.world.cards.items()}
    sheet = passport_sheet(view, issue, names, call.language)
    raw = await printed(call, sheet)
    device = format_device_id(SubjectId(subject))
    return answer_file(call, raw, PDF, f"passport-{device}", text(view, "title"), "pdf")


async def _issued(call: Call, subject: bytes, query: FileQuery) -> tuple[bytes, View, Issue]:
    """The passport as this organisation sees it, or under a profile; a party without one is shown it as an owner is."""
    held = await profile_asked(call, query.profile or ("owner" if query.party else None))
    if held is None:
        passport = await call.context.registry.get(subject)
        return passport.subject, passport.content, issue_of(call, passport.digest.hex())
    party = bytes.fromhex(query.party) if query.party else None
    profile = held.profile
    found = await call.context.passport_files.issue(subject, party, profile)
    title = profile.title.ru if call.language == "ru" else profile.title.en
    withheld = sum(count for *_, count in found.withheld)
    issue = issue_of(call, digest(found.view).hex())
    return found.subject, found.view, replace(issue, profile=f"{title} {profile.version}", left_out=found.left_out,
                                              withheld=withheld)  # fmt: skip


def issue_of(call: Call, digest: str) -> Issue:
    """Who issues a document here and now."""
    context = call.context
    return Issue(
        context.settings.node.name,
        context.core.org.hex(),
        context.core.node.hex(),
        context.public.domain,
        context.clock.now(),
        digest,
    )


def answer_file(call: Call, raw: bytes, kind: str, name: str, title: str, ending: str) -> web.Response:
    """A file to be saved: its name in Latin letters, and what it is of in the reader's."""
    day = datetime.fromtimestamp(call.context.clock.now() / 1e6, UTC).date().isoformat()
    shown = f"{title or name} {day}.{ending}".replace("/", "-")
    own = f"attachment; filename=\"{name}-{day}.{ending}\"; filename*=UTF-8''{quote(shown)}"
    return web.Response(body=raw, content_type=kind, headers={**call.headers, "Content-Disposition": own})


@api("GET", "/passports/{id}/file", title="A passport as a signed file", scopes=[Scope.READ], files=[BYTES],
     limit=Limit.PASSPORT, problems=[*PROBLEMS, "org_unknown", "profile_unknown", "passport_file_large"])  # fmt: skip
async def read_file(call: Call, path: PassportPath, query: FileQuery) -> web.Response:
    """Every fragment that may be seen, with keys and proofs: the program of `GET /verifier` checks it with no node."""
    party = bytes.fromhex(query.party) if query.party else None
    held = await profile_asked(call, query.profile)
    made = await call.context.passport_files.write(subject_of(path.id), call.actor.label, party, held)
    device = format_device_id(SubjectId(made.subject))
    return answer_file(call, made.content, BYTES, f"passport-{device}", made.title, "passport")


@api("GET", "/verifier", title="The program that checks a passport file", is_open=True, before_claim=True,
     limit=Limit.NONE, files=[PYTHON])  # fmt: skip
async def read_verifier(call: Call) -> web.Response:
    """One plain file for Python 3.11 and PyNaCl; it needs no node, no log-in and no network."""
    headers = {**call.headers, "Content-Disposition": f'attachment; filename="{VERIFIER}"'}
    return web.Response(body=read_program(), content_type=PYTHON, charset="utf-8", headers=headers)


@api("POST", "/exports", title="Note that everything was exported", scopes=[Scope.ACCESS], status=204)
async def note_export(call: Call, body: ExportBody) -> None:
    """`passport-node export --all` reads the store beside the running node; who did that stands in the journal."""
    await call.context.export.note(call.actor.label, body.folder, body.passports)


async def printed(call: Call, sheet: Sheet) -> bytes:
    """One document at a time: the threads of a node are for everybody."""
    async with call.request.app[PRINTING]:
        try:
            return await asyncio.to_thread(write_pdf, sheet, FONTS)
        except SheetError as error:
            raise _too_long(error) from error


def _too_long(error: SheetError) -> InputError:
    return InputError(str(error), TOO_LONG, most=MAX_CELLS)


ROUTES = (read_pdf, read_protocol_pdf, read_file, read_verifier, note_export)
