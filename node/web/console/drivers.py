"""The drivers of this node, a box in which one of them reads a frame, and those that organisations publish."""

from typing import Annotated, Any  # Any: what templates are given

from aiohttp import web
from pydantic import BaseModel, Field, SecretStr, StringConstraints, ValidationError

from drivers.errors import DriverError
from drivers.package import MAX_PACKAGE, read_folder
from node.errors import InputError, NodeError
from node.services.access import Scope
from node.web.api.driver_versions import (
    HashPath,
    PublisherPath,
    StopInput,
    WithdrawalInput,
    show_checked,
    show_version,
    trusted,
)
from node.web.api.drivers import DriverPath, FrameInput, decode_frame, list_drivers, show_decoded
from node.web.binding import Upload
from node.web.calls import Call, View
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE, PUBLISHED_TITLE = mark("Drivers"), mark("Published drivers")
PATH = "/drivers"
PUBLISHED = f"{PATH}/published"
Typed = Annotated[str, StringConstraints(max_length=10_000)]


class TryForm(BaseModel):
    """A frame as somebody pastes it."""

    driver: Annotated[str, StringConstraints(max_length=130)] = Field(
        description="Id, and its publisher after a blank."
    )
    port: int = Field(default=0, ge=0, le=255)
    data: Typed = ""
    key: SecretStr = SecretStr("")


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.NODE, 7, "drivers"), api="GET /drivers")
async def drivers(call: Call) -> View:
    """What frames are read with."""
    return View("drivers.html", **await _listed(call), form=None, decoded=None)


@page("POST", PATH, title=TITLE, scopes=[Scope.READ], api="POST /drivers/{driver}/decodings")
async def decode(call: Call, body: TryForm) -> View:
    """Nothing is stored; what is wrong is told above the box, which keeps what was pasted but the key."""
    try:
        driver, _, org = body.driver.partition(" ")
        key = body.key if body.key.get_secret_value() else None
        frame = FrameInput(port=body.port, data=body.data, key=key, org=org or None)
        found = await decode_frame(call, DriverPath(driver=driver).driver, frame)
    except ValidationError as error:
        wrong = ", ".join(str(item["loc"][0]) for item in error.errors(include_input=False))
        why = InputError(f"{wrong} is no hex", "frame_typed", fields=wrong)
        return View("drivers.html", error=why, **await _listed(call), form=body, decoded=None)
    except InputError as error:
        return View("drivers.html", error=error, **await _listed(call), form=body, decoded=None)
    return View("drivers.html", **await _listed(call), form=body, decoded=show_decoded(call, found))


async def _listed(call: Call) -> dict[str, Any]:
    found = await list_drivers(call)
    return {"items": found.items, "broken": found.broken}


class PublishForm(BaseModel):
    """A package as one file, or a description with the document or script beside it, and what to do with it."""

    description: Upload
    file: Upload | None = None
    then: str = Field(default="publish", pattern="^(publish|check)$")


@page("GET", PUBLISHED, title=PUBLISHED_TITLE, scopes=[Scope.READ], api="GET /drivers/versions")
async def published(call: Call) -> View:
    """What became of each version here, and what may be done about it."""
    return View("drivers_published.html", **await _published(call))


@page("POST", PUBLISHED, title=PUBLISHED_TITLE, scopes=[Scope.RECORD], api="POST /drivers/versions",
      max_body=2 * MAX_PACKAGE)  # fmt: skip
async def publish(call: Call, body: PublishForm) -> View | web.Response:
    """Run the vectors; then sign it for everybody, or nothing more."""
    book = call.context.driver_book
    try:
        raw = _package(body)
        if body.then == "check":
            checked = show_checked(await book.try_out(raw))
            return View("drivers_published.html", **{**await _published(call), "checked": checked})
        await book.publish(raw, call.actor.label)
    except NodeError as error:
        return View("drivers_published.html", error=error, **await _published(call))
    return redirect_in_page(call, PUBLISHED)


@page("POST", PUBLISHED + "/{hash}/withdrawal", title=PUBLISHED_TITLE, scopes=[Scope.RECORD],
      api="POST /drivers/versions/{hash}/withdrawal")  # fmt: skip
async def withdraw(call: Call, path: HashPath, body: WithdrawalInput) -> web.Response:
    """An own one runs nowhere any more."""
    await call.context.driver_book.withdraw(bytes.fromhex(path.hash), body.reason, call.actor.label)
    return redirect_in_page(call, PUBLISHED)


@page("POST", PUBLISHED + "/{hash}/start", title=PUBLISHED_TITLE, scopes=[Scope.ACCESS],
      api="POST /drivers/versions/{hash}/start")  # fmt: skip
async def start(call: Call, path: HashPath) -> web.Response:
    """Let a version run here."""
    await call.context.driver_book.start(bytes.fromhex(path.hash), call.actor.label)
    return redirect_in_page(call, PUBLISHED)


@page("POST", PUBLISHED + "/{hash}/stop", title=PUBLISHED_TITLE, scopes=[Scope.ACCESS],
      api="POST /drivers/versions/{hash}/stop")  # fmt: skip
async def stop(call: Call, path: HashPath, body: StopInput) -> web.Response:
    """Let a driver run here no more, or one version of it."""
    await call.context.driver_book.stop(bytes.fromhex(path.hash), call.actor.label, whole=body.what == "driver")
    return redirect_in_page(call, PUBLISHED)


@page("POST", PATH + "/publishers/{org}/trust", title=PUBLISHED_TITLE, scopes=[Scope.ACCESS],
      api="PUT /drivers/publishers/{org}")  # fmt: skip
async def trust(call: Call, path: PublisherPath) -> web.Response:
    """Let everything run here that a publisher has published."""
    await call.context.driver_book.trust(bytes.fromhex(path.org), call.actor.label)
    return redirect_in_page(call, PUBLISHED)


@page("POST", PATH + "/publishers/{org}/distrust", title=PUBLISHED_TITLE, scopes=[Scope.ACCESS],
      api="DELETE /drivers/publishers/{org}")  # fmt: skip
async def distrust(call: Call, path: PublisherPath) -> web.Response:
    """Of a publisher only that which is for its own types."""
    await call.context.driver_book.distrust(bytes.fromhex(path.org), call.actor.label)
    return redirect_in_page(call, PUBLISHED)


def _package(body: PublishForm) -> bytes:
    raw = body.description.chosen()
    if not body.description.filename.endswith(".toml"):
        return raw
    files = {"driver.toml": raw}
    if body.file is not None and body.file.content:
        files[body.file.filename] = body.file.content
    try:
        return read_folder(files).encode()
    except DriverError as error:
        raise InputError(f"the driver is refused: {error}", "driver_refused", ru=str(error)) from error


async def _published(call: Call) -> dict[str, Any]:
    held = await call.context.driver_book.versions()
    return {
        "versions": [show_version(call, one) for one in reversed(held)],
        "publishers": (await trusted(call)).items,
        "may_publish": call.actor.may([Scope.RECORD]),
        "may_decide": call.actor.may([Scope.ACCESS]),
        "checked": None,
    }


ROUTES = (drivers, decode, published, publish, withdraw, start, stop, trust, distrust)
