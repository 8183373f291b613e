"""What the demo's sheets say that a person typed or pressed is what there is to type and to press."""

import ast
import re
from pathlib import Path

import pytest
from typer.main import get_command

from node.cli import app
from node.web.languages import translations
from tests.unit.web.test_texts import messages

DEMO = Path(__file__).parents[3] / "node" / "demo"
COMMAND = re.compile(r"passport-node ([a-z]+)")
PRESSED = re.compile(r"page ([A-Z][A-Za-z ]+?)(?: → ([A-Z][a-z ]+[a-z]))?(?::|$)")


def typed() -> list[str]:
    """The second argument of every `act`, what is filled in left out; texts with a name stand where it is bound."""
    found = []
    for path in sorted(DEMO.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {
            target.id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "act":
                said = node.args[1]
                found.append(text(named.get(said.id, said) if isinstance(said, ast.Name) else said))
    return found


def text(said: ast.expr) -> str:
    return "".join(part.value for part in ast.walk(said) if isinstance(part, ast.Constant) and type(part.value) is str)


def test_no_sheet_names_a_request() -> None:
    """People type commands, press buttons, hold magnets; nobody types a method and a path."""
    assert len(typed()) > 20
    assert not [each for each in typed() if re.search(r"(GET|POST|PUT|PATCH|DELETE) /", each)]


@pytest.mark.parametrize("said", [each for each in typed() if "passport-node" in each])
def test_commands_of_the_sheets_exist(said: str) -> None:
    """Each command that a sheet names is one of `passport-node`."""
    commands = set(getattr(get_command(app), "commands", {}))
    assert set(COMMAND.findall(said)) <= commands


@pytest.mark.parametrize("said", [each for each in typed() if each.startswith("page ")])
def test_pages_and_buttons_of_the_sheets_exist(said: str) -> None:
    """Each page and each button is named as the English console names it."""
    found = PRESSED.match(said)
    assert found, said
    shown = {translations("en").gettext(message) for message in messages()}
    assert {name for name in found.groups() if name} <= shown


def test_sheets_tell_of_import_and_shipment_as_commands() -> None:
    """The files and the shipment of the maker go in by the command."""
    assert {"import", "ship", "arshin", "init", "federation"} <= {
        name for each in typed() for name in COMMAND.findall(each)
    }
