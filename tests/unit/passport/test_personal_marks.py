"""What was made of a personal section is found again however JSON and XML spell its texts."""

import json
from xml.etree import ElementTree

import pytest

from node.passport.personal_marks import holds, marks_of

NAMES = ('Иванов "Ваня" О\'Нил & сыновья <кв. 5>', "Смирнова\\Алёна", "дом 5\nкв. 7", "Ай", '"', 'a"b@c')


def copies(value: object) -> list[bytes]:
    """A value as answers and files of this node have it."""
    element = ElementTree.Element("person", {"name": str(value)})
    element.text = str(value)
    named = [json.dumps({"name": value}, ensure_ascii=ascii_only).encode() for ascii_only in (False, True)]
    return [*named, ElementTree.tostring(element, encoding="utf-8"), str(value).encode() * (len(str(value)) > 2)]


@pytest.mark.parametrize("name", NAMES)
def test_copy_is_found_however_it_is_spelled(name: str) -> None:
    """Quotes, ampersands, backslashes and line breaks are spelled otherwise within JSON and XML."""
    marks = marks_of(json.dumps({"/owner/name": name}, ensure_ascii=False).encode())

    assert [copy for copy in copies(name) if copy and not holds(copy, marks)] == []


def test_short_text_is_found_as_a_whole_value_alone() -> None:
    """Two letters stand in every answer; where they are not all that a value says, nothing of them is meant."""
    marks = marks_of('{"/owner/name":"Ай","/flat":5,"/id":4509123456,"/note":""}'.encode())

    assert not holds('{"name":"Айвазовский","count":5,"note":""}'.encode(), marks)
    assert holds(b'{"number":4509123456}', marks)
