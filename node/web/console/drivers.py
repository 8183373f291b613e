"""The drivers of this node, and a box in which one of them reads a frame."""

from typing import Annotated, Any  # Any: what templates are given

from pydantic import BaseModel, Field, SecretStr, StringConstraints, ValidationError

from node.errors import InputError
from node.services.access import Scope
from node.web.api.drivers import DriverPath, FrameInput, decode_frame, show_decoded, show_driver
from node.web.calls import Call, View
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Drivers")
PATH = "/drivers"
Typed = Annotated[str, StringConstraints(max_length=10_000)]


class TryForm(BaseModel):
    """A frame as somebody pastes it."""

    driver: Annotated[str, StringConstraints(max_length=64)]
    port: int = Field(default=0, ge=0, le=255)
    data: Typed = ""
    key: SecretStr = SecretStr("")


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.NODE, 7, "drivers"), api="GET /drivers")
async def drivers(call: Call) -> View:
    """What frames are read with."""
    return View("drivers.html", **_listed(call), form=None, decoded=None)


@page("POST", PATH, title=TITLE, scopes=[Scope.READ], api="POST /drivers/{driver}/decodings")
async def decode(call: Call, body: TryForm) -> View:
    """Nothing is stored; what is wrong is told above the box, which keeps what was pasted but the key."""
    try:
        frame = FrameInput(port=body.port, data=body.data, key=body.key if body.key.get_secret_value() else None)
        found = await decode_frame(call, DriverPath(driver=body.driver).driver, frame)
    except ValidationError as error:
        wrong = ", ".join(str(item["loc"][0]) for item in error.errors(include_input=False))
        why = InputError(f"{wrong} is no hex", "frame_typed", fields=wrong)
        return View("drivers.html", error=why, **_listed(call), form=body, decoded=None)
    except InputError as error:
        return View("drivers.html", error=error, **_listed(call), form=body, decoded=None)
    return View("drivers.html", **_listed(call), form=body, decoded=show_decoded(call, found))


def _listed(call: Call) -> dict[str, Any]:
    found = call.context.drivers
    return {"items": [show_driver(item) for item in found.installed], "broken": found.broken}


ROUTES = (drivers, decode)
