"""Making a node, running it, and looking after it."""

import asyncio
import json
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli.opening import open_node, refusals_of_the_store
from node.cli.talk import HERE, Folder, Language, app, ask, choose_language, out, progress_bar, reason, write
from node.clock import SystemClock, SystemRandom
from node.collecting import loading
from node.errors import ConfigError, FolderError
from node.folder import NodeFolder

if TYPE_CHECKING:
    from node.app import Addresses, Node


PANEL = "The node"


@app.command(rich_help_panel=PANEL)
def init(
    folder: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    name: Annotated[str, typer.Option(help="The organisation's name, as others will see it.")],
    kind: Annotated[str, typer.Option(help="maker, lab, utility, housing, service or operator.")] = "utility",
    inn: str = "",
    ogrn: str = "",
    place: str = "",
    language: str = "ru",
    web_port: int = 8440,
    federation_port: int = 8441,
    dial_out: Annotated[bool, typer.Option(help="No federation port: others cannot reach this machine.")] = False,
    radio_port: Annotated[int | None, typer.Option(help="Open the gateway port: this node owns a network.")] = None,
    store_url: Annotated[
        str, typer.Option(help="postgresql://user@host/database; a file in the folder if empty.")
    ] = "",
    store_password_file: Annotated[str, typer.Option(help="Where the password of that user stands, alone.")] = "",
    organisation_of: Annotated[
        Path | None,
        typer.Option(help="Make one more node of an organisation that exists, and write what it asks into this file."),
    ] = None,
) -> None:
    """Make a node: its organisation's root keys, its own keys, its store."""
    from node.config import template_config  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    url, password = _store_options(store_url, store_password_file)
    text = template_config(
        {"name": name, "kind": kind, "inn": inn, "ogrn": ogrn, "place": place, "language": language},
        web_port,
        federation_port,
        radio_port,
        {"url": url, "password_file": NodeFolder(folder).store_password.name if password else store_password_file},
        dial_out=dial_out,
    )
    if organisation_of is not None:
        _prepare(folder, text, organisation_of, url, password)
        return
    with loading():
        from node.services.found import found_node  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    with _making(folder, url):
        founded = asyncio.run(found_node(NodeFolder(folder), text, SystemClock(), SystemRandom(), password))
    out.print(f"organisation {founded.org.hex()}\nnode         {founded.node.hex()}\nfolder       {folder}")
    out.print("Move root.key and next-root.key off this machine: they are needed to add or end nodes only.")
    out.print(f"passport-node keys move DIR -f {folder}")
    out.print(f"Next: passport-node serve -f {folder}")


@app.command(rich_help_panel=PANEL)
def serve(folder: Folder = HERE) -> None:
    """Run the node until it is interrupted."""

    def started(addresses: "Addresses") -> None:
        print(json.dumps({"started": addresses.as_dict()}), flush=True)

    from node.cli.node_log import configure_logging  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    with refusals_of_the_store(folder):
        node = open_node(folder)
        configure_logging(NodeFolder(folder).log)
        while asyncio.run(_until_signal(node.run(started))):
            node = open_node(folder)


@app.command(rich_help_panel=PANEL)
def health(
    folder: Folder = HERE,
    language: Language = "en",
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where something is bad, too.")] = False,
) -> None:
    """Ask a running node how it is: disk, backups, keys, peers, clocks, log; exit 1 where it does not answer."""
    ask(folder, lambda api: api.health())
    spoken = choose_language(language)
    told = ask(folder, lambda api: api.get("/health"), spoken)
    for item in told["items"]:
        text = " ".join(filter(None, (item["told"], item["advice"])))
        out.print(text, style={"bad": "red", "warning": "yellow"}.get(item["grade"], ""), markup=False)
    if strict and told["grade"] == "bad":
        raise typer.Exit(1)


@app.command(rich_help_panel=PANEL)
def fsck(folder: Folder = HERE) -> None:
    """Check every leaf, section, signature and root of the store."""
    with refusals_of_the_store(folder):
        found = asyncio.run(_fsck(open_node(folder)))
    for text in found:
        out.print(text, style="red", markup=False)
    out.print("nothing is wrong" if not found else f"{len(found)} findings")
    if found:
        raise typer.Exit(1)


@app.command(rich_help_panel=PANEL)
def demo(
    folder: Path = Path("build/demo"),
    seed: int = 1,
    once: bool = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="The digest of each passport on each node.")] = False,
) -> None:
    """Play the product's main job on four nodes of this machine."""
    from node.demo.run import run_demo  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    raise typer.Exit(run_demo(folder, seed, once=once, verbose=verbose))


def _prepare(folder: Path, text: str, request: Path, url: str, password: str) -> None:
    """Make a node that waits for its organisation."""
    with loading():
        from node.services.found import prepare_node  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    if not request.absolute().parent.is_dir():
        raise FolderError(f"the request {request} cannot be written: {request.parent} is no folder; make it first")
    with _making(folder, url):
        asked = asyncio.run(prepare_node(NodeFolder(folder), text, SystemClock(), SystemRandom(), password))
    write(request, asked.to_text().encode(), "name another file")
    out.print(f"node         {asked.node.hex()}\nfolder       {folder}\nrequest      {request}")
    out.print(f"Where the root key is: passport-node keys state-node {request.name} --to ANSWER")
    out.print(f"Then here: passport-node keys take ANSWER -f {folder}")


@contextmanager
def _making(folder: Path, url: str) -> Iterator[None]:
    try:
        with refusals_of_the_store(folder, url):
            yield
    except OSError as error:
        raise FolderError(f"{folder} cannot be made a node's folder: {reason(error)}; name a new one") from error


def _store_options(url: str, password_file: str) -> tuple[str, str]:
    """The address of a store without its password, and the password; raise ConfigError where it is no address."""
    from node.store.address import parse_address, split_password  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    try:
        address, password = split_password(parse_address(url)) if url else ("", "")
    except ValueError as error:
        raise ConfigError(f"--store-url: {error}") from error
    if password and password_file:
        raise ConfigError("the password of the store stands in --store-url or in --store-password-file, not in both")
    return address, password


async def _until_signal(run: Coroutine[Any, Any, bool]) -> bool:  # Any: what asyncio sends into a coroutine
    task = asyncio.ensure_future(run)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return False


async def _fsck(node: "Node") -> list[str]:
    found: list[str] = []
    with node.folder.locked(), progress_bar() as bar:
        task = bar.add_task("fsck", total=None)
        try:
            await node.core.database.lock()
            async for progress in node.fsck.run():
                bar.update(task, completed=progress.done, total=progress.total)
                found += map(str, progress.findings)
        finally:
            await node.core.database.close()
    return found
