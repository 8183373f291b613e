"""The journal page says in words what every service journals, in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.log import Reason
from node.passport.templates.findings import State
from node.services.access import Role, Scope
from node.services.journal import JournalRow
from node.web.assets import Assets
from node.web.console.journal import in_words
from node.web.languages import LANGUAGES
from node.web.passport_words import SECTIONS
from node.web.rendering import make_environment
from node.web.words import ACTORS, CODES, DETAILS, JOURNAL

SERVICES = Path(__file__).parents[3] / "node" / "services"
# Where in a call the kind of a row stands, and the name of its actor; `_say` and `_journal` of services pass it on.
PLACES = {"announce": (2, 1), "write_journal": (3, 2), "_say": (2, None), "_journal": (1, None)}
# Kinds that a call puts together: a refusal of a join or an uplink, a decision on a peer, an act on a shipment.
BUILT = {"join_refused", "uplink_refused", "peer_active", "peer_ignored", "shipment_came", "shipment_taken"}
RAW = re.compile(r"\b(None|True|False)\b|\[|\{")
LATIN, CYRILLIC = re.compile("[A-Za-z]{2,}"), re.compile("[а-яё]", re.IGNORECASE)
# Names that are the same in both languages.
SAME = {"DevEUI", "LoRa", "MIC", "UTC"}
TAGS = re.compile("<[^>]*>")
ID = "00112233445566778899aabbccddeeff"
SAMPLES: dict[str, object] = {
    "attested": "maker",
    "code": "scope",
    "fields": ["serial", "made"],
    "kind": "import.production",
    "language": "en",
    "reason": "broken_mic",
    "role": "operator",
    "rule": "namespace",
    "rows": ["line", "type"],
    "scopes": ["read", "import"],
    "section": "root-keys",
    "state": "valid",
    "active": False,
    "expires_us": 0,
}


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(SERVICES.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in PLACES:
                    yield name, node


def texts(call: ast.Call, place: int | None) -> set[str]:
    """What stands at a place of a call, where that is text."""
    if place is None or len(call.args) <= place:
        return set()
    return {n.value for n in ast.walk(call.args[place]) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


KINDS = {kind for name, call in calls() for kind in texts(call, PLACES[name][0]) if not kind.startswith(("peer_", "_"))}
KINDS |= {"peer_met", "peer_joined", *BUILT}
NAMES = {word.arg for name, call in calls() if name in ("announce", "write_journal") for word in call.keywords} - {
    "org"
}
SYSTEMS = {actor for name, call in calls() for actor in texts(call, PLACES[name][1])} - {"person:"}


def shown(language: str, what: str, actor: str, detail: dict[str, object]) -> str:
    """The text of a row on the page."""
    rows = in_words([JournalRow(1, 0, bytes(16), actor, what, None, detail)], language)
    page = make_environment(language, Assets()).get_template("parts/journal_rows.html").render(rows=rows)
    return " ".join(TAGS.sub(" ", page).split())


def test_every_kind_and_detail_of_a_row_has_words() -> None:
    """No service journals a kind, a detail or an actor that the page shows by its code."""
    assert len(KINDS) > 40
    assert {"line_published", "reference_bound", "log_opened", "shared", "secret_given"} <= KINDS
    assert KINDS - JOURNAL.keys() == set()
    assert {name for name in NAMES if name} - DETAILS.keys() == set()
    assert (SYSTEMS | {"mdns", "card", "merge", "radio"}) - ACTORS.keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", sorted(JOURNAL))
def test_row_of_any_kind_is_in_words(what: str, language: str) -> None:
    """Whatever a row holds, the page shows neither a value of Python's nor a detail that has no value."""
    empty = shown(language, what, "merge", dict.fromkeys(DETAILS))
    whole = shown(language, what, "merge", {name: SAMPLES.get(name, 7) for name in DETAILS})
    truths = shown(language, what, "mdns", dict.fromkeys(DETAILS, True))

    assert not RAW.search(empty + whole + truths)
    assert empty == shown(language, what, "merge", {})
    if language == "ru":
        assert set(LATIN.findall(whole)) <= SAME
    else:
        assert not CYRILLIC.search(whole)


@pytest.mark.parametrize(
    ("detail", "russian", "english"),
    [
        ({"count": 20, "party": None}, "количество 20", "count 20"),
        ({"count": 1, "party": ID}, "количество 1 кому 00112233…", "count 1 to 00112233…"),
        ({"active": False}, "принят нет", "accepted no"),
        ({"active": True}, "принят да", "accepted yes"),
        ({"digest": ID * 2}, "отпечаток 00112233…", "digest 00112233…"),
        ({"scopes": ["read", "import"]}, "права чтение, импорт", "rights read, import"),
        ({"role": "admin"}, "роль администратор", "role administrator"),
        ({"attested": "steward", "rows": ["line"]}, "ведёт справочники", "steward of catalogs"),
        ({"section": "root-keys"}, "раздел ключи", "section keys"),
        ({"reason": "broken_mic"}, "причина чужой ключ", "reason another key"),
        ({"fields": ["serial", "made"]}, "поля Заводской №, Дата изготовления", "fields Serial, Date made"),
    ],
)
def test_detail_is_told_as_one_reads_it(detail: dict[str, object], russian: str, english: str) -> None:
    """A truth, a code and an id are words of the reader's language; a detail without a value is not there."""
    assert russian in shown("ru", "shared", "local:administrator", detail)
    assert english in shown("en", "shared", "local:administrator", detail)


@pytest.mark.parametrize(
    ("actor", "russian", "english"),
    [
        ("merge", "сведение фрагментов", "merging of fragments"),
        ("mdns", "местная сеть", "local network"),
        ("card", "карточка организации", "the organisation’s card"),
        ("node", "этот узел", "this node"),
        ("token:1c", "токен 1c", "token 1c"),
        ("person:anna", "anna", "anna"),
        ("local:administrator", "администратор этой машины", "administrator of this machine"),
    ],
)
def test_actor_is_named_in_words(actor: str, russian: str, english: str) -> None:
    """Who did it, be it a person, a system or a part of the node."""
    assert russian in shown("ru", "shared", actor, {})
    assert english in shown("en", "shared", actor, {})


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("reason", {reason.name.lower() for reason in Reason}),
        ("state", {state.value for state in State}),
        ("section", set(SECTIONS)),
        ("language", set(LANGUAGES)),
    ],
)
def test_every_code_of_a_detail_has_words(name: str, codes: set[str]) -> None:
    """Each code that a detail may hold reads as words."""
    assert codes - CODES[name].keys() == set()


@pytest.mark.parametrize(("name", "codes"), [("role", list(Role)), ("scopes", list(Scope))])
def test_roles_and_rights_are_told_in_both_languages(name: str, codes: list[str]) -> None:
    """Roles and scopes read as the access page names them."""
    for code in map(str, codes):
        assert set(LATIN.findall(shown("ru", "account_added", "node", {name: code}))) <= SAME
        assert not CYRILLIC.search(shown("en", "account_added", "node", {name: code}))
