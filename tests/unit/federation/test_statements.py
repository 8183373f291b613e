"""Root statements, one by one."""

import pytest

from federation import codec
from federation.cut import Cut
from federation.errors import CodecError, StatementError
from federation.keys import key_hash
from federation.statements import (
    MAX_CHAIN,
    EndNodeBody,
    KeyBody,
    NodeBody,
    StatementType,
    decode_root_statement,
    root_hash,
    sign_root_statement,
)
from tests.builders import found, id16, row, seed, signing_key


def test_statement_reads_what_it_writes() -> None:
    """Every type of statement survives its envelope, bytes kept."""
    line = found().node("a").end("a", Cut((row("log", 3),))).rotate("root-1", "root-2")
    for statement in line.statements:
        read = decode_root_statement(statement.envelope())
        assert read == statement
        assert read.envelope() == statement.envelope()


def test_type_follows_from_body_and_place() -> None:
    """A key body is a genesis at 0 and a rotate after it."""
    line = found().node("a").end("a").rotate("root-1", "root-2")
    assert [statement.type for statement in line.statements] == [
        StatementType.GENESIS,
        StatementType.NODE,
        StatementType.END_NODE,
        StatementType.ROTATE,
    ]


def test_org_id_is_the_head_of_the_genesis_hash() -> None:
    """All statements of a chain name the first 16 bytes of the genesis hash."""
    line = found().node("a")
    assert line.org == root_hash(line.statements[0].raw)[:16]
    assert [statement.org_id for statement in line.statements] == [line.org, line.org]


def test_statement_is_signed_by_the_key_it_names() -> None:
    """Another key, or a good signature under another name, does not sign it."""
    line = found().node("a")
    assert line.last.is_signed_by(line.root.public)
    assert not line.last.is_signed_by(signing_key("x").public)
    stranger = line.back_to(0).say(line.last.body, signing_key("x")).last
    assert not stranger.is_signed_by(line.root.public)


def test_statement_at_the_end_of_a_chain() -> None:
    """The last place in a chain is 999."""
    body, org = NodeBody(id16("a"), signing_key("a").public), found().org
    last = sign_root_statement(signing_key("root-0"), body, org, MAX_CHAIN - 1, seed("before"))
    assert decode_root_statement(last.envelope()).n == 999
    with pytest.raises(CodecError, match="at most 1000"):
        sign_root_statement(signing_key("root-0"), body, org, MAX_CHAIN, seed("before"))


def test_largest_cut_fits_a_statement() -> None:
    """An end-node with a cut of 64 rows stays under 4 KiB."""
    cut = Cut(tuple(sorted((row(f"log-{n}", 2**63 - 1) for n in range(64)), key=lambda r: r.log)))
    statement = found().node("a").end("a", cut).last
    assert isinstance(decode_root_statement(statement.envelope()).body, EndNodeBody)


def test_rotate_signed_by_the_old_key() -> None:
    """A rotate is signed by the key that it brings."""
    line, new = found(), signing_key("root-1")
    with pytest.raises(CodecError, match="signed by the root key in their body"):
        line.say(KeyBody(new.public, key_hash(signing_key("root-2").public)), line.root)


@pytest.mark.parametrize("raw", [b"", b"\xc0", b"\x92\xc0\xc0", bytes(5000), codec.pack([b"x", bytes(65)])])
def test_envelope_that_is_none(raw: bytes) -> None:
    """Whatever is wrong with an envelope, the error is this package's."""
    with pytest.raises(StatementError, match="root statement"):
        decode_root_statement(raw)
