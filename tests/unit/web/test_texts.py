"""Whatever the console and the API say exists in both languages."""

import ast
import re
from collections.abc import Iterator
from inspect import isclass
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from node import errors as node_errors
from node.errors import NodeError
from node.web.errors import STATUS_BY_CODE, status_of, status_of_code
from node.web.languages import LANGUAGES, LOCALES, accepted_language, translations
from node.web.problems import PROBLEMS
from node.web.routes import Route
from node.web.server import ROUTES
from node.web.words import JOURNAL

NODE = Path(__file__).parents[3] / "node"
CLASSES = {name: value for name, value in vars(node_errors).items() if isclass(value) and issubclass(value, NodeError)}
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None}
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def calls(*folders: str) -> Iterator[ast.Call]:
    for folder in folders:
        for path in sorted((NODE / folder).rglob("*.py")):
            yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def raised_codes() -> set[tuple[str, str]]:
    """(class, code) of every error of node/errors.py that services and doors make with a code of its own."""
    found = set()
    for call in calls("services", "web"):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in CLASSES and len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
            found.add((name, str(call.args[1].value)))
    return found


def announced() -> set[str]:
    """Every code that a service journals."""
    found = set()
    for call in calls("services"):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name == "announce" and len(call.args) > 2 and isinstance(call.args[2], ast.Constant):
            found.add(str(call.args[2].value))
    return found


def messages() -> set[str]:
    methods = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
    return {str(item[2]) for item in extract_from_dir(NODE / "web", methods, keywords=KEYWORDS)}


def test_every_code_that_is_raised_has_texts() -> None:
    """Each stable code of a service or a door has a title and advice in Russian and English."""
    assert {code for _, code in raised_codes()} - PROBLEMS.keys() == set()


def test_problem_texts_are_in_their_language() -> None:
    """Russian texts of problems hold Cyrillic letters and English ones none."""
    for code, text in PROBLEMS.items():
        assert CYRILLIC.search(text.ru.title), code
        assert CYRILLIC.search(text.ru.advice), code
        assert not CYRILLIC.search(text.en.title + text.en.advice + text.en.detail), code


def test_documented_status_is_the_status_that_is_answered() -> None:
    """The status that the document gives for a code is that of the errors raised with it."""
    raised = {(name, code) for name, code in raised_codes() if code in PROBLEMS}
    answered = {(code, status_of(CLASSES[name]("", code))) for name, code in raised}
    assert {(code, status_of_code(code)) for code, _ in answered} == answered


def test_statuses_are_given_to_known_codes_only() -> None:
    """Each code with a status of its own has texts."""
    assert STATUS_BY_CODE.keys() <= PROBLEMS.keys()


def test_every_journal_code_has_words() -> None:
    """Each code that a service journals reads as words on the page."""
    assert announced() - JOURNAL.keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_console_is_translated(language: str) -> None:
    """Each marked text of code and templates has a translation that is neither empty nor fuzzy."""
    with (LOCALES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalog = {str(message.id): message for message in read_po(file) if message.id}
    missing = {text for text in messages() if text not in catalog or not catalog[text].string or catalog[text].fuzzy}
    assert missing == set()


def test_no_translation_is_left_over() -> None:
    """A catalog holds no text that nothing shows."""
    with (LOCALES / "ru" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        assert {str(message.id) for message in read_po(file) if message.id} - messages() == set()


@pytest.mark.parametrize("route", [route for route in ROUTES if route.is_page and route.menu], ids=lambda r: r.name)
def test_menu_titles_are_translated(route: Route) -> None:
    """A title in the menu differs between the languages."""
    assert translations("ru").gettext(route.title) != translations("en").gettext(route.title)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "ru"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("de,en;q=0.5,ru;q=0.9", "ru"),
        ("ru;q=0,en", "en"),
        ("fr", "ru"),
        ("en;q=nonsense", "ru"),
        ("*", "ru"),
    ],
)
def test_accept_language_chooses_ours(header: str, language: str) -> None:
    """The best of our languages in the header wins; else the node's own."""
    assert accepted_language(header, "ru") == language
