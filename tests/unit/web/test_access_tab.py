"""The access tab's rows: the rights of an organisation by their grounds."""

from node.passport.roles import PartyRole
from node.passport.visibility import Why
from node.web.api.rights import AccessRow
from node.web.console.rights import Span, held

ORG, MAKER, REF = "a1" * 16, "b2" * 16, "c3" * 16 + ":0:" + "d4" * 16


def access(*classes: int, author: str | None = None, since: int | None = None, until: int | None = None) -> AccessRow:
    """A right by one grant."""
    return AccessRow(
        org=ORG, name=None, why=Why.GRANT, role=None, verb="read", classes=[*classes], rows=[], profile=None,
        author=author, by=MAKER, ref=REF, at=1, since=since, until=until, ended_by=None, ended_ref=None, ended_at=None,
        windows=[],
    )  # fmt: skip


def test_one_grant_with_and_without_an_end_is_one_row() -> None:
    """A former owner's grant opens his own words for ever, others' up to the end of his title: each is told once."""
    found = held([access(0, 1, 2, 3, author=MAKER), access(0, 1, 2, until=9), access(0, 1, 3, since=5, until=9)])

    assert [item.spans for item in found] == [
        (Span((0, 1, 2), None, None, 9), Span((3,), None, 5, 9), Span((0, 1, 2, 3), MAKER, None, None))
    ]


def test_class_stands_in_its_widest_span_alone() -> None:
    """What an owner reads for ever is not told again with the time of his title."""
    owner = access(0, 1, 2, 5).model_copy(update={"why": Why.TITLE, "role": PartyRole.TITLE, "ref": None})
    later = owner.model_copy(update={"classes": [0, 1, 3], "since": 5})

    (item,) = held([later, owner])

    assert item.spans == (Span((0, 1, 2, 5), None, None, None), Span((3,), None, 5, None))


def test_grounds_stay_apart_and_one_without_classes_is_kept() -> None:
    """Two grants to one organisation are two rows, each with its own end; a grant to write has no classes."""
    other = access(2).model_copy(update={"ref": REF.replace(":0:", ":1:"), "verb": "write", "classes": []})

    assert [item.spans for item in held([access(2), other])] == [
        (Span((2,), None, None, None),), (Span((), None, None, None),),
    ]  # fmt: skip
