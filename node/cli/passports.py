"""Passports out: found, written for people, for the register and for other programs."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import typer

from node.cli.opening import open_node, refusals_of_the_store
from node.cli.talk import HERE, Folder, app, ask, errors, out, progress_bar, reason, write
from node.errors import FolderError, InputError, NodeError, NotFoundError
from node.passport.errors import DeviceIdError
from node.passport.ids import format_device_id, parse_device_id
from node.passport.view import Seal, digest

if TYPE_CHECKING:
    from node.api_client import ApiClient
    from node.app import Node

PANEL = "Passports"
LOCAL = "local:administrator"
LONGEST_TEXT = 256  # characters that a look-up takes


@app.command(rich_help_panel=PANEL)
def arshin(
    file: Path,
    new: Annotated[bool, typer.Option("--new", help="Only what stood in no file before.")] = False,
    folder: Folder = HERE,
) -> None:
    """Write the «Аршин» import file of this lab's verifications."""
    raw, left_out = ask(folder, lambda api: _arshin(api, new=new))
    write(file, raw, "name another file")
    for one in left_out:
        out.print(f"left out: {one['number']}: {one['why']}", markup=False)
    out.print(f"{file}: {raw.count(b'<gost:result>') or raw.count(b'result>') // 2} results")


async def _arshin(api: "ApiClient", *, new: bool) -> tuple[bytes, list[dict[str, Any]]]:
    """The file of all results, or one of those that stood in none; and what it leaves out."""
    made = await api.post("/arshin/files", {"new": new})
    return await api.download(f"/arshin/files/{made['file']}"), made["left_out"]


@app.command(rich_help_panel=PANEL)
def lookup(
    text: str,
    folder: Folder = HERE,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="The digest, conflicts and claims as well.")] = False,
) -> None:
    """Find a device by anything that stands on it: here, then at others; exit 1 where nothing is found."""
    _check_length(text)
    found, answer = ask(folder, lambda api: _look_up(api, text, whole=verbose))
    for line in _mute(answer["asked"]):
        errors.print(line, markup=False)
    if not found:
        raise _nothing(text, answer["near"], _keepers(answer["asked"]))
    for row, passport in found:
        out.print(f"{row['id']}  {row['title']}  {row['state']}  {row['source']}{_age(row)}", markup=False)
        if passport is not None:
            _print_digest(passport)


@app.command(rich_help_panel=PANEL)
def facts(text: str, folder: Folder = HERE) -> None:
    """Print as JSON all that is known of each device that carries a serial, DevEUI, id or plate; exit 1 if none."""
    _check_length(text)
    found = ask(folder, lambda api: _read_facts(api, text))
    if not found["devices"]:
        raise _nothing(text, found["near"], [row["source"] for row in found["elsewhere"]])
    print(json.dumps(found["devices"], ensure_ascii=False, indent=1))


@app.command(rich_help_panel=PANEL)
def export(
    subject: Annotated[str, typer.Argument(help="A device id.")] = "",
    everything: Annotated[Path | None, typer.Option("--all", help="Write the whole node as open files.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write a document for paper.")] = None,
    file: Annotated[Path | None, typer.Option(help="Write the signed file, for `check-file`.")] = None,
    party: Annotated[str, typer.Option(help="An organisation: only what it may read.")] = "",
    profile: Annotated[str, typer.Option(help="What a kind of party is shown: a name or an id.")] = "",
    language: Annotated[str, typer.Option(help="Of the document: ru or en.")] = "",
    folder: Folder = HERE,
) -> None:
    """Print a passport as JSON, write it as PDF or as a signed file; or write the whole node as open files."""
    if everything is not None:
        if subject:
            raise InputError("name a device, or --all with a folder: not both")
        counts = _export_all(folder, everything)
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        out.print(f"{everything}: {told}", markup=False)
        return
    device = _device(subject)
    named = {name: value for name, value in (("party", party), ("profile", profile)) if value}
    if pdf is None and file is None:
        path = f"/passports/{device}/issue" if profile else f"/passports/{device}"
        asked = named if profile else {}
        print(json.dumps(ask(folder, lambda api: api.get(path, **asked)), ensure_ascii=False, indent=1))
    if pdf is not None:
        from node.config import load_settings  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

        spoken = language or load_settings(folder).node.language
        query = f"?{urlencode(named)}" if named else ""
        write(pdf, ask(folder, lambda api: api.read(f"/passports/{device}/pdf{query}", spoken)), "name another file")
        out.print(str(pdf), markup=False)
    if file is not None:
        write(file, ask(folder, lambda api: api.download(f"/passports/{device}/file", **named)), "name another file")
        out.print(str(file), markup=False)


@app.command(rich_help_panel=PANEL)
def why(
    subject: Annotated[str, typer.Argument(help="A device id.")],
    org: Annotated[str, typer.Argument(help="An organisation's id.")],
    ref: Annotated[str, typer.Option(help="A statement's place, as `export` prints it.")] = "",
    section: Annotated[str, typer.Option(help="A section of that statement.")] = "",
    folder: Folder = HERE,
) -> None:
    """Tell whether an organisation is shown a passport, a statement or a section, and why; exit 1 where it is not."""
    device = _device(subject)
    asked = {name: value for name, value in (("org", org), ("ref", ref), ("section", section)) if value}
    found = ask(folder, lambda api: api.get(f"/passports/{device}/access/why", **asked))
    for row in (*found["why"], *found["ended"]):
        told = ", ".join(f"{name} {row[name]}" for name in ("role", "by", "ref", "profile", "ended_by") if row[name])
        out.print(f"{row['why']}{': ' if told else ''}{told}", markup=False)
        for window in row["windows"]:
            out.print(f"  may still be served by {window['node']} of {window['org']}", markup=False)
    if not found["shown"]:
        out.print(f"not shown: {found['lack']}", markup=False)
        for one in found["ask"]:
            out.print(f"may open it: {one}", markup=False)
        raise typer.Exit(1)


def _device(subject: str) -> str:
    try:
        return format_device_id(parse_device_id(subject))
    except DeviceIdError as error:
        raise InputError(f"{subject!r} is no device id: {error}; `passport-node lookup` tells ids") from error


@app.command(rich_help_panel=PANEL)
def verifier() -> None:
    """Print the program with which anybody checks a passport file, with no node: verifier > verify_passport.py."""
    from node.exchange.passport_file import read_program  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    sys.stdout.buffer.write(read_program())


@app.command("check-file", rich_help_panel=PANEL)
def check_passport_file(
    file: Path,
    fingerprint: Annotated[str, typer.Option(help="Of the federation, as its people compare it.")] = "",
) -> None:
    """Check a passport file with no node: what is signed by whom, and what was altered; exit 1 where anything was."""
    from node.exchange.errors import PassportFileError  # noqa: PLC0415 - imported where it is needed: the other commands answer at once
    from node.exchange.file_report import report_file  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    try:
        report = report_file(file.read_bytes(), fingerprint)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {reason(error)}; name a passport file") from error
    except PassportFileError as error:
        raise InputError(f"{file}: {error}") from error
    for line in report.lines:
        out.print(line, markup=False)
    for finding in report.findings:
        out.print(str(finding), style="red", markup=False)
    out.print("nothing is wrong" if not report.findings else f"{len(report.findings)} findings")
    if report.findings:
        raise typer.Exit(1)


def _export_all(folder: Path, target: Path) -> dict[str, int]:
    """Write everything; a running node goes on, and is told for its journal."""
    with refusals_of_the_store(folder):
        node = open_node(folder)
        try:
            with node.folder.locked():
                return asyncio.run(_export(node, target, is_alone=True))
        except FolderError as error:
            if error.code != "folder_locked":
                raise
        counts = asyncio.run(_export(open_node(folder), target, is_alone=False))
    body = {"folder": str(target), "passports": counts.get("passports", 0)}
    ask(folder, lambda api: api.post("/exports", body))
    return counts


async def _export(node: "Node", target: Path, *, is_alone: bool) -> dict[str, int]:
    with progress_bar() as bar:
        task = bar.add_task("export", total=None)
        try:
            if is_alone:
                await node.core.database.lock()
            async for progress in node.export.write(target):
                bar.update(task, description=progress.what, completed=progress.done, total=progress.total)
            if is_alone:
                await node.export.note(LOCAL, str(target), node.export.counts.get("passports", 0))
        finally:
            await node.core.database.close()
    return node.export.counts


async def _look_up(api: "ApiClient", text: str, *, whole: bool) -> tuple[list[tuple[Any, Any]], Any]:  # Any: JSON
    """What carries the text, with the whole passport of each that is here, if wanted; and the whole answer."""
    answer = await api.get("/lookup", q=text)
    found = [
        (row, await api.get(f"/passports/{row['id']}") if whole and row["source"] == "here" else None)
        for row in answer["items"]
    ]
    return found, answer


def _age(row: Any) -> str:  # Any: JSON
    """How old is what another organisation knows, and whether it is only said."""
    if row["source"] == "here":
        return ""
    told = "" if row["proved"] else ", not proved"
    return f" ({row['age_us'] // 60_000_000} min old{told})"


def _keepers(asked: list[Any]) -> list[str]:  # Any: JSON
    """Who keeps a passport and does not open it."""
    return [row["name"] or row["org"] for row in asked if row["answer"] == "held"]


def _mute(asked: list[Any]) -> list[str]:  # Any: JSON
    """Who was asked and did not answer."""
    said = {"silent": "did not answer", "refused": "refused", "wrong": "answered what does not verify"}
    return [
        f"{row['name'] or row['org']} {said[row['answer']]}{': ' * bool(row['reason'])}{row['reason']}"
        for row in asked
        if row["answer"] in said
    ]


async def _read_facts(api: "ApiClient", text: str) -> Any:  # Any: JSON
    """The answer with the devices of every page."""
    answer = page = await api.get("/facts", q=text)
    while page["next"]:
        page = await api.get("/facts", q=text, cursor=page["next"])
        answer["devices"] += page["devices"]
    return answer


def _check_length(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"nothing on a device has {len(text)} characters: look up its number, DevEUI or id, "
            f"in at most {LONGEST_TEXT}"
        )


def _nothing(text: str, near: list[Any], holders: list[str] | None = None) -> NotFoundError:  # Any: JSON
    """Why nothing is printed, and what to try."""
    if holders:
        told = ", ".join(sorted(set(holders)))
        return NotFoundError(f"{text!r} is not known here: {told} knows it and may share its passport with this node")
    if near:
        told = "; ".join(f"{row['title']} ({row['id']})" for row in near)
        return NotFoundError(f"nothing that carries {text!r} is known here: did you mean {told}")
    return NotFoundError(
        f"nothing that carries {text!r} is known here or told by the peers that answer: compare it with the device "
        "character by character; if it is right, ask who owns the device to share its passport with this node"
    )


def _print_digest(passport: Any) -> None:  # Any: JSON
    """The digest, computed over what the node answered, and what stands in dispute in it."""
    view = passport["view"]
    sealed = {name: Seal(seal["rows"], bytes.fromhex(seal["hash"])) for name, seal in passport["sealed"].items()}
    mark = digest(view, sealed).hex()
    if mark != passport["digest"]:
        raise NodeError(f"{passport['id']}: the node answers a view of digest {mark} and says {passport['digest']}")
    count = sealed["statements"].rows if "statements" in sealed else len(view["statements"])
    out.print(f"  digest {mark} over the whole view: {count} statements")
    for name in ("conflicts", "claims", "pending"):
        for item in view[name]:
            out.print(f"  {name.removesuffix('s')}: {json.dumps(item, ensure_ascii=False)}", markup=False)
