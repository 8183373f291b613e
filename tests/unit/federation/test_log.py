"""Log statements, the head file, and when a new log is opened."""

from dataclasses import replace

import pytest

from federation.errors import CodecError, StatementError
from federation.log import Head, OwnLog, Reason, decode_log_statement, find_doubt, log_hash, sign_log_statement
from tests.builders import box_key, id16, log_statement, seed, signing_key

KEY_ID = signing_key("node").id
HEAD = Head(id16("log"), 10, seed("root"), id16("run"))
OWN = OwnLog(id16("log"), 10, seed("root"), KEY_ID)


def test_log_statement_reads_what_it_writes() -> None:
    """A log statement survives its envelope and is signed by its node."""
    made = log_statement()
    read = decode_log_statement(made.envelope())
    assert read == made
    assert read.log_id == log_hash(made.raw)[:16]
    read.check_signed_by(signing_key("node").public)


def test_log_statement_of_another_key() -> None:
    """A log that another key signed, or that names another key, is refused."""
    with pytest.raises(StatementError, match="not signed by the key of its node"):
        log_statement().check_signed_by(signing_key("x").public)
    with pytest.raises(StatementError):
        replace(log_statement(), signature=bytes(65)).check_signed_by(signing_key("node").public)


def test_log_id_differs_by_nonce() -> None:
    """Two logs of one node never share an id."""
    assert log_statement(nonce="1").log_id != log_statement(nonce="2").log_id


def test_witness_key_that_is_the_sign_key() -> None:
    """A node does not witness with the key that signs its entries."""
    key = signing_key("node")
    with pytest.raises(CodecError, match="the witness key is the sign key"):
        sign_log_statement(
            key,
            org=id16("org"),
            node=id16("node"),
            nonce=id16("n"),
            witness_key=key.public,
            box_key=box_key("b").public,
        )


@pytest.mark.parametrize("raw", [b"", b"\x92\xc0\xc0", bytes(2000), b"\x92\xc4\x01\xc0\xc4\x00"])
def test_envelope_that_is_none(raw: bytes) -> None:
    """Whatever is wrong with an envelope, the error is this package's."""
    with pytest.raises(StatementError, match="log statement"):
        decode_log_statement(raw)


def test_head_reads_what_it_writes() -> None:
    """The head file survives, and torn bytes are refused."""
    assert Head.from_bytes(HEAD.to_bytes()) == HEAD
    for raw in (b"", HEAD.to_bytes()[:-1], HEAD.to_bytes() + b"\0", bytes(300)):
        with pytest.raises(CodecError):
            Head.from_bytes(raw)


@pytest.mark.parametrize(
    ("head", "own", "peer_size", "reason"),
    [
        (HEAD, OWN, 0, None),
        (HEAD, OWN, 10, None),
        (HEAD, replace(OWN, size=12), 0, None),
        (HEAD, replace(OWN, size=12), 12, None),
        (None, OWN, 0, Reason.HEAD_LOST),
        (replace(HEAD, log=id16("other")), OWN, 0, Reason.HEAD_LOST),
        (HEAD, replace(OWN, size=9, root_at_head=None), 0, Reason.BEHIND),
        (HEAD, replace(OWN, root_at_head=seed("other")), 0, Reason.ROOT_DIFFERS),
        (HEAD, replace(OWN, is_backup=True), 0, Reason.BACKUP),
        (None, replace(OWN, is_backup=True), 0, Reason.BACKUP),
        (HEAD, OWN, 11, Reason.PEER_AHEAD),
        (HEAD, replace(OWN, sign_key_id=id16("x")), 0, Reason.KEY_CHANGED),
        (None, None, 0, Reason.FIRST),
        (HEAD, None, 0, Reason.BEHIND),
        (replace(HEAD, size=0), None, 0, Reason.BEHIND),
    ],
)
def test_doubt(head: Head | None, own: OwnLog | None, peer_size: int, reason: Reason | None) -> None:
    """A node goes on only where head, database and peers agree; a database ahead of its head is no doubt."""
    assert find_doubt(head, own, KEY_ID, peer_size) is reason
