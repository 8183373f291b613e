"""Drivers that organisations publish: publishing, taking back, and which of them run on this node."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from drivers.descriptor import Level, VersionRange
from drivers.package import MAX_PACKAGE, Package
from drivers.registry import Standing
from node.services.access import Scope
from node.services.driver_book import HeldDriver
from node.web.api.drivers import show_range
from node.web.api.fields import Hex16, Line
from node.web.binding import JSON
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import network as tables

DriverHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class VersionAnswer(BaseModel):
    """A published version of a driver, and how it stands here."""

    hash: str
    driver: str
    version: str
    name: str
    level: str
    org: Hex16
    publisher: str | None = Field(description="What its publisher is called, where a card says it.")
    own: bool = Field(description="Whether this organisation published it.")
    namesakes: list[Hex16] = Field(description="Other publishers a driver of whose runs here under the same id.")
    stopped: bool = Field(description="Whether the driver is stopped as a whole, whatever version comes.")
    state: str = Field(description="active, replaced, refused, quarantined, stopped or withdrawn.")
    standing: str = Field(
        description="owner where its publisher owns what it is for, else trusted; empty if not active."
    )
    why: str = Field(description="In the language of the request: what keeps it from running.")
    may_start: bool
    types: list[str]
    models: list[str]
    keys: list[str] = Field(
        description="By which names passports call it: of its publisher's types and models alone, unless he is trusted."
    )
    firmware: str
    vectors: int
    changed_us: int


class VersionsAnswer(BaseModel):
    """Every published version that is or was here."""

    items: list[VersionAnswer]


class CheckedDriverAnswer(BaseModel):
    """What a driver is, were it published: its vectors hold here."""

    driver: str
    version: str
    name: str
    level: str
    hash: str
    vectors: int


class StopInput(BaseModel):
    """What is stopped: the driver, whatever its publisher publishes later, or one version alone."""

    what: Literal["driver", "version"] = "driver"


class HashPath(BaseModel):
    """A version by its hash."""

    hash: DriverHash


class WithdrawalInput(BaseModel):
    """Why a driver is taken back; everybody reads it."""

    reason: Line


class PublisherAnswer(BaseModel):
    """An organisation whose drivers run here whatever they are for."""

    org: Hex16
    name: str | None
    since_us: int


class PublishersAnswer(BaseModel):
    """The trusted publishers."""

    items: list[PublisherAnswer]


class PublisherPath(BaseModel):
    """An organisation."""

    org: Hex16


@api("GET", "/drivers/versions", title="Published drivers", scopes=[Scope.READ], table=tables.DRIVER_VERSIONS)
async def versions(call: Call) -> VersionsAnswer:
    """Those of every organisation, with what became of them here."""
    return VersionsAnswer(items=[show_version(call, one) for one in await call.context.driver_book.versions()])


@api("POST", "/drivers/versions", title="Publish a driver", scopes=[Scope.RECORD], status=201,
     problems=["driver_refused"], max_body=MAX_PACKAGE)  # fmt: skip
async def publish(call: Call, body: bytes) -> VersionAnswer:
    """A package: its vectors are run, it is signed and travels to every member."""
    return show_version(call, await call.context.driver_book.publish(body, call.actor.label))


@api("POST", "/drivers/checks", title="Check a driver", scopes=[Scope.READ, Scope.RECORD],
     problems=["driver_refused"], max_body=MAX_PACKAGE)  # fmt: skip
async def check(call: Call, body: bytes) -> CheckedDriverAnswer:
    """Nothing is published; a refusal names the rule."""
    return show_checked(await call.context.driver_book.try_out(body))


@api("GET", "/drivers/versions/{hash}", title="The package of a driver", scopes=[Scope.READ],
     problems=["driver_unknown"], files=[JSON])  # fmt: skip
async def read(call: Call, path: HashPath) -> web.Response:
    """The very bytes that were published."""
    raw = await call.context.driver_book.read(bytes.fromhex(path.hash))
    return web.Response(body=raw, content_type=JSON, headers=call.headers)


@api("POST", "/drivers/versions/{hash}/withdrawal", title="Take an own driver back", scopes=[Scope.RECORD],
     problems=["driver_unknown", "driver_not_own"])  # fmt: skip
async def withdraw(call: Call, path: HashPath, body: WithdrawalInput) -> VersionAnswer:
    """It runs nowhere any more; what it read stays."""
    await call.context.driver_book.withdraw(bytes.fromhex(path.hash), body.reason, call.actor.label)
    return await _version(call, path)


@api("POST", "/drivers/versions/{hash}/start", title="Let a driver run here", scopes=[Scope.ACCESS],
     problems=["driver_unknown", "driver_state", "driver_refused"])  # fmt: skip
async def start(call: Call, path: HashPath) -> VersionAnswer:
    """One that was stopped, replaced or quarantined, or whose publisher owns less than it is for. A driver that was
    stopped as a whole is stopped no more.
    """
    await call.context.driver_book.start(bytes.fromhex(path.hash), call.actor.label)
    return await _version(call, path)


@api("POST", "/drivers/versions/{hash}/stop", title="Let a driver run here no more", scopes=[Scope.ACCESS],
     problems=["driver_unknown", "driver_state"])  # fmt: skip
async def stop(call: Call, path: HashPath, body: StopInput) -> VersionAnswer:
    """Until somebody starts it; what it read stays, frames that come are kept. As a whole later versions wait too."""
    await call.context.driver_book.stop(bytes.fromhex(path.hash), call.actor.label, whole=body.what == "driver")
    return await _version(call, path)


@api("GET", "/drivers/publishers", title="Trusted publishers of drivers", scopes=[Scope.READ], table=tables.PUBLISHERS)
async def publishers(call: Call) -> PublishersAnswer:
    """Their drivers run here whatever they are for."""
    return await trusted(call)


@api("PUT", "/drivers/publishers/{org}", title="Trust a publisher of drivers", scopes=[Scope.ACCESS],
     problems=["org_unknown"])  # fmt: skip
async def trust(call: Call, path: PublisherPath) -> PublishersAnswer:
    """Of others a driver runs where its publisher owns what it is for."""
    await call.context.driver_book.trust(bytes.fromhex(path.org), call.actor.label)
    return await trusted(call)


@api("DELETE", "/drivers/publishers/{org}", title="Trust a publisher no more", scopes=[Scope.ACCESS],
     problems=["publisher_unknown"])  # fmt: skip
async def distrust(call: Call, path: PublisherPath) -> PublishersAnswer:
    """What it published for types of others stops here."""
    await call.context.driver_book.distrust(bytes.fromhex(path.org), call.actor.label)
    return await trusted(call)


async def trusted(call: Call) -> PublishersAnswer:
    """The trusted publishers with their names."""
    name_of = call.context.projection.world.organisation_name
    found = await call.context.driver_book.trusted()
    return PublishersAnswer(
        items=[
            PublisherAnswer(org=org.hex(), name=name_of(org), since_us=since) for org, since in sorted(found.items())
        ]
    )


async def _version(call: Call, path: HashPath) -> VersionAnswer:
    return show_version(call, await call.context.driver_book.get(bytes.fromhex(path.hash)))


def show_version(call: Call, held: HeldDriver) -> VersionAnswer:
    """A version as the API answers it."""
    stored, refusal, about = held.stored, held.refusal, held.stored.detail
    running = call.context.drivers.registry.find_by_hash(stored.hash)
    org = stored.org or b""
    return VersionAnswer(
        hash=stored.hash.hex(),
        driver=stored.driver,
        version=stored.version,
        name=str(about.get("name", "")),
        level=Level(stored.level).name.lower(),
        org=org.hex(),
        publisher=call.context.projection.world.organisation_name(org),
        own=org == call.context.core.org,
        namesakes=[one.hex() for one in held.namesakes],
        stopped=held.is_stopped,
        state=stored.state,
        standing=Standing(running.standing).name.lower() if running else "",
        why=refusal.text(call.language) if refusal else str(about.get("why", "")),
        may_start=held.may_start,
        types=_texts(about.get("types")),
        models=_texts(about.get("models")),
        keys=_texts(about.get("keys")),
        firmware=show_range(_range(about.get("firmware"))),
        vectors=int(str(about.get("vectors", 0))),
        changed_us=stored.changed_us,
    )


def _texts(given: object) -> list[str]:
    return [str(one) for one in given] if isinstance(given, list) else []


def _range(given: object) -> VersionRange:
    return VersionRange(*given) if isinstance(given, list) else VersionRange()


def show_checked(package: Package) -> CheckedDriverAnswer:
    """A package as the API answers it."""
    text = package.descriptor
    return CheckedDriverAnswer(
        driver=text.id,
        version=text.version,
        name=text.name,
        level=Level(text.level).name.lower(),
        hash=package.hash.hex(),
        vectors=len(text.vectors),
    )


ROUTES = (versions, publish, check, publishers, read, withdraw, start, stop, trust, distrust)
