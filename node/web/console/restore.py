"""The first page of a new node, the other way: a backup takes its place, and the page follows how far that is."""

from collections.abc import AsyncIterator

from aiohttp import BodyPartReader, web

from node.backup.locks import Passphrase, parse_private
from node.errors import InputError, NodeError
from node.secret import Secret
from node.services.first_restore import PARTS, State, Wish
from node.web.binding import CHUNK, MULTIPART, whole_body
from node.web.calls import Call, View
from node.web.console.login import ClaimPath
from node.web.dispatch import redirect, redirect_in_page
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import page

TITLE = mark("Restore from a backup")
PATH = "/claim/{secret}/restore"
MOST_FIELD = 8192
BLOCK = 1 << 20
NOTHING = Secret(b"")


@page("GET", PATH, title=TITLE, is_open=True, before_claim=True)
async def restore_form(call: Call, path: ClaimPath) -> View | web.Response:
    """The form, or how far it is; where the restored node answers already, the way into that one."""
    if await call.context.access.is_claimed():
        return redirect_in_page(call, "/login")
    await call.context.access.check_claim(path.secret)
    progress = call.context.first_restore.progress
    if "HX-Request" in call.request.headers and progress.state in (State.COMING, State.RESTORING):
        values = {"progress": progress, "parts": PARTS}
        part = call.request.app[RENDERER].part(call, "parts/restore_progress.html", **values)
        return web.Response(text=part, content_type="text/html")
    if "HX-Request" in call.request.headers:
        return redirect_in_page(call, call.request.path)
    return await _view(call, path, progress.trouble)


@page("POST", PATH, title=TITLE, is_open=True, before_claim=True)
async def restore(call: Call, path: ClaimPath) -> View | web.Response:
    """Take the file and what opens it, piece by piece: a backup is larger than what fits into memory."""
    await call.context.access.check_claim(path.secret)
    try:
        await _take(call)
    except NodeError as error:
        await _pass_over(call.request)
        return await _view(call, path, error)
    return redirect(call.request.path)


async def _take(call: Call) -> None:
    request = call.request
    if request.content_type != MULTIPART:
        raise InputError(f"the body is {request.content_type}", "media_type", expected=MULTIPART)
    if request.content_length is None:
        raise InputError("a form says its length first", "length_required")
    fields: dict[str, Secret] = {}
    with whole_body():
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise InputError("a part of the form is a form itself", "request")
            if part.name == "file":
                await call.context.first_restore.take(_blocks(part), request.content_length, _wish(fields))
                return
            fields[part.name or ""] = Secret(await _field(part))
    raise InputError("no file was chosen, or it is empty", "file_none")


def _wish(fields: dict[str, Secret]) -> Wish:
    try:
        key, passphrase, here = (
            fields.get(name, NOTHING).reveal().decode().strip() for name in ("key", "passphrase", "here")
        )
    except UnicodeDecodeError as error:
        raise InputError("a field of the form is no text", "request") from error
    return Wish(parse_private(key) if key else None, Passphrase(passphrase) if passphrase else None, is_here=bool(here))


async def _field(part: BodyPartReader) -> bytes:
    raw = b""
    while chunk := await part.read_chunk(CHUNK):
        raw += chunk
        if len(raw) > MOST_FIELD:
            raise InputError(f"the field {part.name} is larger than {MOST_FIELD} bytes", "too_large", limit=MOST_FIELD)
    return raw


async def _blocks(part: BodyPartReader) -> AsyncIterator[bytes]:
    block = bytearray()
    while chunk := await part.read_chunk(CHUNK):
        block += chunk
        if len(block) >= BLOCK:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


async def _pass_over(request: web.Request) -> None:
    """Read what a browser still sends: it shows an answer only after that."""
    with whole_body():
        async for _ in request.content.iter_chunked(BLOCK):
            pass


async def _view(call: Call, path: ClaimPath, error: Exception | None = None) -> View:
    return View(
        "restore.html",
        error=error,
        secret=path.secret,
        progress=call.context.first_restore.progress,
        is_busy=call.context.first_restore.progress.state in (State.COMING, State.RESTORING),
        parts=PARTS,
        folder=call.context.core.folder.path.name,
    )


ROUTES = (restore_form, restore)
