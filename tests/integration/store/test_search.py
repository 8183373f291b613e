"""What a text that finds nothing is taken for: a DevEUI with a slip of the pen, or a serial that is not known."""

from collections.abc import AsyncIterator

import pytest

from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import TYPE
from node.services.search import Query, Search, read_query
from node.store.database import Database, ReadTx
from node.store.passports import StoredPassport, Term, put_passport

SUBJECT = bytes(range(16))
TERMS = [
    Term("dev_eui", "3634353480123456"),
    Term("dev_eui", "02c0de0025000017"),
    Term("serial", "2023AB000012345"),
    Term(TYPE, "t:cw"),
]


@pytest.fixture
async def tx(database: Database) -> AsyncIterator[ReadTx]:
    """A store with one passport of two DevEUIs, a serial of fifteen hex digits, and a type."""
    async with database.write() as writer:
        passport = StoredPassport(SUBJECT, SUBJECT, "device", "made", "СГВ-15", b"d" * 32, b"{}", writer.now)
        await put_passport(writer, passport, [], TERMS)
    async with database.read() as reader:
        yield reader


@pytest.mark.parametrize(
    "text",
    [
        "02C0DE002500001",
        "02c0de00250000177",
        "02-C0-DE-00-25-00-00-1",
        "FFFFFFFFFFFFFFF",
        "363435348012345",
        "36343534801234567",
    ],
)
async def test_dev_eui_with_a_digit_lost_or_added_is_told(tx: ReadTx, text: str) -> None:
    """Fifteen or seventeen hex digits are one where a letter is among them, or where a known one begins so."""
    slip = await Search().find_slip(tx, text)

    assert slip is not None
    assert slip.code == "eui_mistyped"


@pytest.mark.parametrize(
    "text", ["123456789012345", "12345678901234567", "0012345", "02C0DE0025000017", "02C0DE00250000", "СГВ-15 № 1", ""]
)
async def test_serial_is_never_taken_for_a_dev_eui(tx: ReadTx, text: str) -> None:
    """Digits of any number may be a serial, and a whole DevEUI that is not known here has no slip."""
    assert await Search().find_slip(tx, text) is None


async def test_known_serial_that_looks_like_a_dev_eui_is_found(tx: ReadTx) -> None:
    """A text that names something is never a slip: it is looked for first."""
    found = await Search().find(tx, read_query("2023ab000012345"))

    assert [passport.subject for passport in found] == [SUBJECT]


async def test_type_names_no_passport(tx: ReadTx) -> None:
    """The code of a type finds no passport where a name is looked for."""
    assert await Search().find(tx, Query("alias", "t:cw")) == []


def test_device_id_typed_in_cyrillic_is_that_id() -> None:
    """Letters that look alike are one in an id: its last two characters tell a slip."""
    text = format_device_id(SubjectId(bytes(range(16))))
    typed = text.translate(str.maketrans("EPABCHKMTX", "ЕРАВСНКМТХ"))

    assert typed != text
    assert read_query(typed) == read_query(text) == Query("id", bytes(range(16)).hex())
