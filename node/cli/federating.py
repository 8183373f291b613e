"""Founding and joining federations; own codes and releases of catalogs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from node.cli.talk import HERE, Folder, app, ask, errors, listed, out, read, write
from node.errors import InputError
from node.passport.view import moment_at

PANEL = "Federation"
federation_app = typer.Typer(no_args_is_help=True, help="Found a federation, say who belongs to it as what.")
app.add_typer(federation_app, name="federation", rich_help_panel=PANEL)
bundle_app = typer.Typer(no_args_is_help=True, help="Level two nodes by a file where no wire leads.")
app.add_typer(bundle_app, name="bundle", rich_help_panel=PANEL)
catalog_app = typer.Typer(no_args_is_help=True, help="Load and map own codes, sign and adopt releases of catalogs.")
app.add_typer(catalog_app, name="catalog", rich_help_panel=PANEL)


@federation_app.command("new")
def federation_new(
    name: str,
    anchor: Annotated[list[str] | None, typer.Option(help="Id of another anchor; may be repeated.")] = None,
    quorum: Annotated[int, typer.Option(help="How many anchors must agree.")] = 1,
    folder: Folder = HERE,
) -> None:
    """Found a federation with this organisation as an anchor; others are named now and invited later."""
    body = {"name": name, "anchors": anchor or [], "quorum": quorum}
    answer = ask(folder, lambda api: api.post("/federation", body))
    out.print(f"federation {answer['id']}\nfingerprint {answer['fingerprint']}")


@federation_app.command("members")
def federation_members(folder: Folder = HERE) -> None:
    """List who belongs to the federation as what, by whose word, and why somebody does no more."""
    answer = ask(folder, lambda api: api.get("/federation/members"))
    for one in answer["items"]:
        numbers = [*one["numbers"], *(f"{number} (contested)" for number in one["contested"])]
        said = [" ".join([each["what"], *each["rows"]]) for each in one["said"] if each["counts"]]
        by = [each["name"] or each["org"] for each in one["by"]]
        forked = [f"{side['type']} {side['node'] or side['root_key']} by {side['hash']}" for side in one["branches"]]
        out.print(f"{one['org']}  {one['standing']:8}  {one['name'] or '-'}", markup=False)
        for what, told in (
            ("by", by),
            ("numbers", numbers),
            ("attested", said),
            ("reason", [one["reason"]]),
            ("forked", forked),
        ):
            if any(told):
                out.print(f"    {what}: {', '.join(told)}", markup=False)


@federation_app.command("attest")
def federation_attest(
    org: str,
    what: str,
    rows: Annotated[list[str] | None, typer.Argument()] = None,
    since: Annotated[str | None, typer.Option(help="From when it holds, as 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when, excluded; said again with it, it ends.")] = None,
    folder: Folder = HERE,
) -> None:
    """Say something of an organisation as an anchor: number, maker, accreditation, steward, prefix, branch."""
    body = {"org": org, "what": what, "rows": rows or [], "since": since, "until": until}
    ask(folder, lambda api: api.post("/attestations", body))


@federation_app.command("vouch")
def federation_vouch(
    org: str,
    end: Annotated[str, typer.Option(help="Vouch no more, for this reason.")] = "",
    folder: Folder = HERE,
) -> None:
    """Speak for an organisation as a member: it is a guest by that."""
    path = f"/federation/members/{org}/vouch"
    ask(folder, lambda api: api.post(f"{path}/end", {"reason": end}) if end else api.post(path))


@federation_app.command("expel")
def federation_expel(org: str, reason: str, folder: Folder = HERE) -> None:
    """Say as an anchor that an organisation is a member no more; what it said so far counts for ever."""
    ask(folder, lambda api: api.post(f"/federation/members/{org}/expulsion", {"reason": reason}))


@federation_app.command("leave")
def federation_leave(reason: str, folder: Folder = HERE) -> None:
    """End the own membership; what was said so far counts for ever."""
    typer.confirm("Nobody gives this node anything new after that. Leave the federation?", abort=True)
    ask(folder, lambda api: api.post("/federation/leave", {"reason": reason}))


@federation_app.command("invitations")
def federation_invitations(
    revoke: Annotated[str, typer.Option(help="Let nobody join by this one any more.")] = "",
    folder: Folder = HERE,
) -> None:
    """List the invitations by which a node may still join, or revoke one."""
    for one in listed(folder, "/invitations", drop=revoke):
        until = moment_at(one["expires_us"]).strftime("%Y-%m-%d %H:%M")
        out.print(f"{one['id']}  until {until} UTC  by {one['actor']}", markup=False)


@bundle_app.command("make")
def bundle_make(
    node: Annotated[str, typer.Argument(help="The id of the node that will read it.")],
    file: Path,
    whole: Annotated[bool, typer.Option(help="With what the node said that it has: it may have lost that.")] = False,
    folder: Folder = HERE,
) -> None:
    """Write what a node may see here and has not, sealed to it: carry the file where no wire leads."""
    raw = ask(folder, lambda api: api.fetch(f"/peers/{node}/bundle" + ("?whole=true" if whole else "")))
    write(file, raw, "name another file")
    out.print(f"{file}: {len(raw)} bytes")


@bundle_app.command("take")
def bundle_take(file: Path, folder: Folder = HERE) -> None:
    """Take a bundle that another node made for this one."""
    raw = read(file, "name a bundle")
    taken = ask(folder, lambda api: api.upload("/bundles", raw))
    out.print(f"taken of node {taken['node']}" + (f": {taken['trouble']}" if taken["trouble"] else ""), markup=False)


@app.command(rich_help_panel=PANEL)
def invite(folder: Folder = HERE) -> None:
    """Print an invitation for one node, and the words that its people compare before it joins."""
    answer = ask(folder, lambda api: api.post("/invitations"))
    errors.print(_words(answer["words"]), markup=False)
    print(answer["text"])


@app.command(rich_help_panel=PANEL)
def join(
    invitation: str,
    preview: Annotated[bool, typer.Option(help="Tell what it says and its words, and do not join.")] = False,
    words: Annotated[str, typer.Option(help="Join only if these are its words, in Russian or English.")] = "",
    folder: Folder = HERE,
) -> None:
    """Take an invitation."""
    if preview or words:
        read = ask(folder, lambda api: api.post("/federation/invitation/read", {"invitation": invitation}))
        if preview:
            told = read["federation"]
            out.print(f"{told['name']}\nfederation {told['id']}\nnode {read['node']} at {read['url']}", markup=False)
            out.print(_words(read["words"]), markup=False)
            return
        if " ".join(words.lower().split()) not in read["words"].values():
            raise InputError(f"the invitation has other words, do not join by it: {read['words']['en']}")
    answer = ask(folder, lambda api: api.post("/federation/join", {"invitation": invitation}))
    out.print(f"federation {answer['id']}\nfingerprint {answer['fingerprint']}")


def _words(words: dict[str, str]) -> str:
    return f"compare these words: {words['en']}\nсверьте слова: {words['ru']}"


@catalog_app.command("import")
def catalog_import(catalog: str, file: Path, folder: Folder = HERE) -> None:
    """Load own codes from a table with the columns code, name and central."""
    raw = read(file, "name a table, .csv or .xlsx")
    answer = ask(folder, lambda api: api.upload(f"/catalogs/{catalog}/codes/file", raw))
    out.print(f"{answer['taken']} taken, {answer['known']} known already")


@catalog_app.command("map")
def catalog_map(catalog: str, pairs: list[str], folder: Folder = HERE) -> None:
    """Bind own codes to central ones, as OWN=CENTRAL; OWN= binds to none."""
    items = []
    for pair in pairs:
        local, sign, central = pair.rpartition("=")
        if not sign or not local:
            raise InputError(f"{pair!r} is no pair: write OWN=CENTRAL")
        items.append({"local": local, "central": central or None})
    answer = ask(folder, lambda api: api.post(f"/catalogs/{catalog}/mappings", {"items": items}))
    out.print(f"statement {answer['statement']}" if answer["statement"] else "nothing was new")


@catalog_app.command("publish")
def catalog_publish(
    catalog: str,
    file: Annotated[Path, typer.Argument(help="Records as a list in JSON.")],
    number: Annotated[int, typer.Option(help="The release's number, greater than any before.")],
    label: Annotated[str, typer.Option(help="What people call it.")],
    date: Annotated[str, typer.Option(help="As 2026-01-31.")],
    whole: Annotated[bool, typer.Option(help="These records alone, not over those of the newest release.")] = False,
    folder: Folder = HERE,
) -> None:
    """Sign a release of a central catalog as its steward."""
    try:
        records = json.loads(read(file, "name a list of records in JSON"))
    except ValueError as error:
        raise InputError(f"{file} is no JSON: {error}") from error
    body = {"number": number, "label": label, "date": date, "records": records, "whole": whole}
    answer = ask(folder, lambda api: api.post(f"/catalogs/{catalog}/releases", body))
    out.print(f"release {answer['number']} {answer['digest']}")


@catalog_app.command("adopt")
def catalog_adopt(catalog: str, release: str, folder: Folder = HERE) -> None:
    """Work with a release from now on: its number, or `shipped`."""
    answer = ask(folder, lambda api: api.post(f"/catalogs/{catalog}/adoption", {"release": release}))
    out.print(f"{catalog}: release {answer['release']}")
