"""What a file is, told by its bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.passport.file_types import TYPES, FileRefusedError, check_file

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("узел.PNG", PNG, "image/png"),
        ("a.jpg", JPEG, "image/jpeg"),
        ("a.jpeg", JPEG, "image/jpeg"),
        ("a.webp", b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("a.pdf", b"%PDF-1.7\n", "application/pdf"),
        ("a.xml", "<?xml version='1.0' encoding='windows-1251'?><акт/>".encode("cp1251"), "application/xml"),
        ("a.csv", "дата;показание\r\n03.11.2026;0,012".encode("cp1251"), "text/csv"),
        ("a.txt", "заметка".encode(), "text/plain"),
    ],
)
def test_file_is_what_its_bytes_say_where_its_name_agrees(name: str, content: bytes, kind: str) -> None:
    """Pictures, PDF, XML and text in either encoding."""
    assert check_file(name, content) == kind


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", JPEG),
        ("a.pdf", PNG),
        ("a.txt", PNG),
        ("a.csv", b"a;b\x00"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("a.xml", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("a.xml", b"<x:svg xmlns:x='http://www.w3.org/2000/svg'/>"),
        ("a.xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"),
        ("a.txt", b"hello <ScRiPt>alert(1)</script>"),
        ("a.txt", b"< html><body>"),
        ("a.html", b"<p>"),
        ("a.exe", b"MZ"),
        ("noending", PNG),
        ("a.png.html", PNG),
    ],
)
def test_file_of_another_type_than_its_name_or_one_that_runs_is_refused(name: str, content: bytes) -> None:
    """A name that lies, markup that a browser draws or runs, an entity, a program."""
    with pytest.raises(FileRefusedError) as refused:
        check_file(name, content)

    assert name in refused.value.ru
    assert "по содержимому" in refused.value.ru or "не оканчивается" in refused.value.ru


@given(st.text(max_size=20), st.binary(max_size=200))
def test_any_bytes_are_a_known_type_or_refused(name: str, content: bytes) -> None:
    """Nothing else is raised, and nothing else is answered."""
    try:
        kind = check_file(name, content)
    except FileRefusedError:
        return
    assert kind in TYPES
