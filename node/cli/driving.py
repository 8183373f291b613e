"""Drivers: begun, tested and tried in a folder, published, listed and taken back."""

import atexit
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from drivers.context import Context
from drivers.driver import Driver, prove, summary
from drivers.errors import DriverError
from drivers.keys import Key
from drivers.opening import open_package
from drivers.package import MAX_PACKAGE, Package, read_folder
from drivers.script.driver import script_driver
from drivers.script.pool import ScriptPool
from drivers.starting import begin_driver
from node.cli.talk import HERE, Folder, app, ask, out, read, write
from node.errors import InputError

PANEL = "Drivers"
driver_app = typer.Typer(no_args_is_help=True, help="Write a driver for a meter, test it, and publish it.")
app.add_typer(driver_app, name="driver", rich_help_panel=PANEL)

Place = Annotated[Path, typer.Argument(help="The driver's folder: driver.toml and the files beside it.")]
Json = Any  # Any: JSON


@app.command("drivers", rich_help_panel=PANEL)
def list_drivers(folder: Folder = HERE) -> None:
    """What frames are read with here, and what became of every driver that was published."""
    for one in ask(folder, lambda api: api.get("/drivers"))["items"]:
        out.print(f"{one['id']} {one['version']}  {one['level']}  {one['name']}", markup=False)
    for one in ask(folder, lambda api: api.get("/drivers/versions"))["items"]:
        if one["state"] != "active":
            why = f": {one['why']}" if one["why"] else ""
            out.print(f"{one['driver']} {one['version']}  {one['state']}{why}", markup=False)


@driver_app.command("new")
def new(
    place: Place,
    driver_id: Annotated[str, typer.Option("--id", help="The driver's id; by the folder's name if not given.")] = "",
    script: Annotated[bool, typer.Option("--script", help="A script (TS013) and no payload document.")] = False,
    publisher: Annotated[str, typer.Option(help="The organisation's id; the node's own if not given.")] = "",
    folder: Folder = HERE,
) -> None:
    """Begin a driver: a folder with a whole one that holds its own test, to be changed."""
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError(f"{place} is there already: name a new folder")
    org = publisher or ask(folder, lambda api: api.get("/node"))["org"]
    files = begin_driver(driver_id or place.name.lower(), org, is_script=script)
    with refusing():
        read_folder(files)
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write(place / name, content, "name another folder")
        out.print(str(place / name), markup=False)


@driver_app.command("test")
def test(place: Place) -> None:
    """Run the vectors of a driver, as every node does that is to run it."""
    package, driver = opened(place)
    failed = {one.name: one for one in prove(driver)}
    for vector in package.descriptor.vectors:
        wrong = failed.get(vector.name)
        out.print(f"{'FAILED' if wrong else 'ok'}  {vector.name}", markup=False)
        if wrong:
            out.print(f"  expected {wrong.expected}\n  got      {wrong.got}", markup=False)
    if not package.descriptor.vectors:
        raise InputError("the driver has no vectors: no node runs what is not proved")
    out.print(f"{package.descriptor.id} {package.descriptor.version} {package.hash.hex()}", markup=False)
    if failed:
        raise typer.Exit(1)


@driver_app.command("try")
def try_frame(
    driver: Annotated[str, typer.Argument(help="A driver's folder, or the id of one that runs on the node.")],
    port: int,
    frame: Annotated[str, typer.Argument(help="In hex.")],
    key: Annotated[str, typer.Option(help="The meter's key in hex, where the frame is encrypted.")] = "",
    org: Annotated[str, typer.Option(help="Whose driver, where several organisations use its id.")] = "",
    folder: Folder = HERE,
) -> None:
    """Show what a driver makes of a frame; nothing is stored."""
    if not Path(driver).is_dir():
        body = {"port": port, "data": frame, "key": key or None, "org": org or None}
        for line in _shown(ask(folder, lambda api: api.post(f"/drivers/{driver}/decodings", body))):
            out.print(line, markup=False)
        return
    try:
        raw, secret = bytes.fromhex(frame), bytes.fromhex(key)
    except ValueError as error:
        raise InputError("frame and key are hex digits, two for each byte") from error
    with refusing():
        context = Context(key=Key(secret) if secret else None)
        out.print(summary(opened(Path(driver))[1].decode(port, raw, context)), markup=False)


@driver_app.command("pack")
def pack(place: Place, file: Annotated[Path, typer.Argument(help="What to write: a .json.")]) -> None:
    """Write a driver as one file, as the console takes it."""
    raw = packed(place).encode()
    write(file, raw, "name another file")
    out.print(f"{file}: {len(raw)} bytes", markup=False)


@driver_app.command("publish")
def publish(place: Place, folder: Folder = HERE) -> None:
    """Sign a driver and publish it to every member; each node tests it before it runs."""
    with refusing():
        raw = packed(place).encode()
    made = ask(folder, lambda api: api.upload("/drivers/versions", raw))
    out.print(f"{made['driver']} {made['version']} {made['hash']}: {made['state']}", markup=False)


@driver_app.command("withdraw")
def withdraw(
    driver: str,
    version: str,
    reason: Annotated[str, typer.Argument(help="Everybody reads it.")],
    folder: Folder = HERE,
) -> None:
    """Take a driver of this organisation back: it runs nowhere any more."""
    listed = ask(folder, lambda api: api.get("/drivers/versions"))["items"]
    found = [one["hash"] for one in listed if (one["driver"], one["version"]) == (driver, version) and one["own"]]
    if not found:
        raise InputError(f"this organisation published no {driver} {version}; `passport-node drivers` lists them")
    ask(folder, lambda api: api.post(f"/drivers/versions/{found[-1]}/withdrawal", {"reason": reason}))
    out.print(f"{driver} {version} is withdrawn", markup=False)


def packed(place: Path) -> Package:
    """The package of a folder; raise InputError naming what is wrong with it."""
    with refusing():
        return read_folder(_files(place))


def opened(place: Path) -> tuple[Package, Driver]:
    """The package of a folder and its driver; raise InputError naming what is wrong."""
    package = packed(place)
    with refusing():
        return package, open_package(package, _scripts)


def _scripts(package: Package) -> Driver:
    pool = ScriptPool()
    atexit.register(pool.close)
    return script_driver(package, pool)


@contextmanager
def refusing() -> Iterator[None]:
    """What a driver's rules refuse, told as what a person typed."""
    try:
        yield
    except DriverError as error:
        raise InputError(str(error)) from error


def _files(place: Path) -> Mapping[str, bytes]:
    try:
        found = sorted(one for one in place.iterdir() if one.is_file() and not one.name.startswith("."))
        size = sum(one.stat().st_size for one in found)
    except OSError as error:
        raise InputError(f"{place} is no folder that can be read: name the one with driver.toml") from error
    if size > MAX_PACKAGE:
        raise InputError(f"the files of {place} have {size} bytes, a driver at most {MAX_PACKAGE}")
    return {one.name: read(one, "a driver's files are all read") for one in found}


def _shown(found: Json) -> Iterator[str]:
    yield found["frame"] + (f" @{found['at']}" if found["at"] else "")
    for one in found["readings"]:
        tariff, store = f" T{one['tariff']}" if one["tariff"] else "", one["storage"]
        yield f"{one['channel']} {one['quantity']}{tariff} {one['value']} {one['unit']} {store}"
    yield from (f"{one['name']} {one['value']}" for one in found["reported"])
    yield from (f"! {name}" for name in found["alarms"])
    yield from (f"? {one['name']} {one['value']}" for one in found["unmapped"])
