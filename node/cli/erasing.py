"""Erasing personal data: what of a statement may go, asking for it, and who has done it."""

from typing import Annotated, Any

import typer

from node.cli.talk import HERE, Folder, app, ask, out
from node.passport.bodies import ErasureGround
from node.passport.view import moment_at

PANEL = "Passports"
erase_app = typer.Typer(no_args_is_help=True, help="Erase personal sections of statements, on every node for ever.")
app.add_typer(erase_app, name="erase", rich_help_panel=PANEL)

Asked = Any  # Any: JSON


@erase_app.command("show")
def erase_show(statement: str, folder: Folder = HERE) -> None:
    """Tell which sections of a statement may be erased, and who has them; its place as the passport's export has it."""
    found = ask(folder, lambda api: api.get(f"/statements/{statement}/erasable"))
    for one in found["sections"]:
        state = "erased" if one["erased"] else "here" if one["here"] else "not here"
        out.print(f"{one['section']}  {one['size']} bytes  {state}", markup=False)
        for given in one["given"]:
            out.print(f"    given to {_name(given['org'])} {given['node']} since {_time(given['at_us'])}", markup=False)
        if one["others"]:
            out.print(f"    others that may have it: {', '.join(map(_name, one['others']))}", markup=False)


@erase_app.command("ask")
def erase_ask(
    statement: str,
    sections: list[str],
    ground: Annotated[ErasureGround, typer.Option(help="Why; everybody reads it.")],
    anchor: Annotated[bool, typer.Option("--anchor", help="Of another's statement, as an anchor.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
    folder: Folder = HERE,
) -> None:
    """Erase personal sections of a statement: nothing brings them back."""
    if not yes:
        typer.confirm(f"Erase {', '.join(sections)} on every node, for ever?", abort=True)
    rows = [{"ref": statement, "section": section} for section in sections]
    body, path = {"rows": rows, "ground": ground.value}, "/federation/erasures" if anchor else "/erasures"
    _tell(ask(folder, lambda api: api.post(path, body)))


@erase_app.command("sign")
def erase_sign(
    erasure: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
    folder: Folder = HERE,
) -> None:
    """Ask for the same as another anchor does."""
    if not yes:
        typer.confirm("With the last anchor that is needed the data goes everywhere, for ever. Sign?", abort=True)
    _tell(ask(folder, lambda api: api.post(f"/erasures/{erasure}/signature")))


@erase_app.command("list")
def erase_list(
    silent: Annotated[bool, typer.Option("--silent", help="Only those that somebody has not acknowledged.")] = False,
    folder: Folder = HERE,
) -> None:
    """List the newest erasures that are known here, with who has done them and who is silent."""
    for one in ask(folder, lambda api: api.get("/erasures", limit="200"))["items"]:
        if not silent or any(row["waiting"] for row in one["rows"]):
            _tell(one)


def _tell(one: Asked) -> None:
    waits = "  waits for your signature" if one["may_sign"] else ""
    out.print(f"{one['ref']}  {_time(one['at_us'])}  {_name(one['org'])}  {one['ground']}{waits}", markup=False)
    for row in one["rows"]:
        why = f" ({row['hindrance']})" if row["hindrance"] else ""
        out.print(f"    {row['section']} of {row['ref']}: {row['state']}{why}", markup=False)
        for holder in row["acknowledged"]:
            told = _time(holder["acknowledged_us"])
            out.print(f"        acknowledged  {_name(holder['org'])} {holder['node']} {told}", markup=False)
        for holder in row["waiting"]:
            seen = _time(holder["seen_us"]) if holder["seen_us"] else "never"
            out.print(f"        silent        {_name(holder['org'])} {holder['node']} heard {seen}", markup=False)


def _name(org: Asked) -> str:
    return str(org["name"] or org["org"])


def _time(moment_us: int) -> str:
    return moment_at(moment_us).strftime("%Y-%m-%d %H:%M")
