"""The conflicts page made of views of every shape: each kind of conflict reads in words, with who and where."""

import re

import pytest

from node.passport.bodies import Plate, SamenessBody
from node.passport.drafts import sameness
from node.passport.fold import fold
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import kinds_of_conflict, rows, subjects_of, waiting_words
from node.passport.view import View
from node.web.api.conflicts import ConflictRow
from node.web.assets import Assets
from node.web.rendering import make_environment
from tests.builders import id16
from tests.builders_passport import Author, composition, demo, identity, line_claim, own_claim, parameters

FEDERATION, MAKER, _ = demo()
WORLD = FEDERATION.world
PLATE = Plate(designation="СГВ-15", serial="0012345")
HERE, THERE = "ул. Ленина, 5", "пр. Мира, 7"
WHOLES = id16("whole/1"), id16("whole/2")


def contested() -> View:
    """A device at two places of two parties, in two wholes at once."""
    one, other = Author("one"), Author("other")
    claim = line_claim()
    device = claim.subject.raw
    said = [
        MAKER.say(identity(claim, PLATE)),
        one.say(parameters(device, install_place=HERE)),
        other.say(parameters(device, install_place=THERE)),
        *(MAKER.say(composition(device, whole, "2026-01-01")) for whole in WHOLES),
    ]
    return fold([device], said, WORLD)


def waiting() -> View:
    """A device of which one side said that it is another one too."""
    one, other = Author("one"), Author("other")
    claims = [own_claim(author) for author in (one, other)]
    pair = [claim.subject.raw for claim in claims]
    plate = Plate(designation="КТК-15", serial="12345")
    said = [author.say(identity(claim, plate)) for author, claim in zip((one, other), claims, strict=True)]
    said.append(one.say(sameness(pair[0], pair[1], SamenessBody(says="same", reason="осмотр"), 0)))
    return fold(pair[:1], said, WORLD)


def text(language: str, *views: View, may: bool = True) -> str:
    """The page's own part as one reads it."""
    items = [
        ConflictRow(
            id=str(view["id"]),
            ids=[format_device_id(SubjectId(bytes.fromhex(subject))) for subject in subjects_of(view)],
            title=str(view["title"]),
            kind=str(view["kind"]),
            state="known",
            why=kinds_of_conflict(view),
            conflicts=rows(view, "conflicts"),
            waiting=waiting_words(view),
            changed_us=0,
        )
        for view in views
    ]
    names = {Author(name).org.hex(): name for name in ("one", "other")}
    template = make_environment(language, Assets()).get_template("parts/conflict_list.html")
    page = template.render(items=items, names=names, titles={}, may=may)
    return " ".join(re.sub("<[^>]*>", " ", page).split())


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "ru",
            [
                "два прибора с одной табличкой?",
                "Здесь другой прибор",
                "сразу в двух изделиях",
            ],
        ),
        ("en", ["two devices with one plate?", "This one is another device", "two wholes"]),
    ],
)
def test_places_and_wholes_that_contradict_are_named_with_who_said_them(language: str, told: list[str]) -> None:
    """Both places stand once, with their parties and a way to decide; two wholes are named too."""
    page = text(language, contested())

    for words in (*told, HERE, THERE, "one", "other"):
        assert words in page
    assert page.count(HERE) == 1
    assert "None" not in page


def test_word_that_waits_stands_with_who_said_it_and_why() -> None:
    """What one side said is told with its reason; the reader is led to the comparison."""
    page = text("ru", waiting())

    assert "ждёт другую сторону one: один прибор — EPP1-" in page
    assert page.count("EPP1-") == 1
    assert "осмотр" in page
    assert "Сравнить" in page


def test_reader_without_the_right_is_offered_no_decision() -> None:
    """Who may not record sees what contradicts, without the buttons."""
    page = text("en", contested(), may=False)

    assert THERE in page
    assert "This one is another device" not in page
