"""Content in chunks: the list that is signed, and the message that asks for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.chunks import CHUNK_SIZE, ChunkList, chunk_hash, split_chunks
from federation.codec import pack
from federation.errors import CodecError, RemoteProtocolError
from federation.fragment import Ref
from federation.sync import messages

REF = Ref(b"\x01" * 16, 7, b"\x02" * 16)


@pytest.mark.parametrize("size", [1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE])
def test_list_names_every_chunk_by_its_hash_and_size(size: int) -> None:
    """All chunks are of 1 MiB but the last one, and together they are the content."""
    content = bytes(size)

    listed, chunks = split_chunks(content)

    assert b"".join(chunks) == content
    assert ChunkList.from_bytes(listed.to_bytes()) == listed
    assert [listed.size_of(n) for n in range(len(chunks))] == [len(chunk) for chunk in chunks]
    assert list(listed.hashes) == [chunk_hash(chunk) for chunk in chunks]


@pytest.mark.parametrize(
    "value",
    [[0, []], [1, []], [CHUNK_SIZE + 1, [b"x" * 32]], [5, [b"x" * 32] * 2], [5, [b"x" * 31]], [5], [-1 % 7, "x"]],
)
def test_list_whose_total_and_hashes_do_not_agree_is_refused(value: list[object]) -> None:
    """No bytes, too few or too many hashes, a short hash, another form."""
    with pytest.raises(CodecError):
        ChunkList.from_bytes(pack(value))  # type: ignore[arg-type]  # what a stranger may write


def test_question_and_answer_are_read_as_they_were_written() -> None:
    """Place, id, section and number; then the bytes."""
    assert messages.decode_chunk_asked(messages.encode_chunk_asked(REF, "file-0.chunks", 3)) == (
        REF,
        "file-0.chunks",
        3,
    )
    assert messages.decode_chunk(messages.encode_chunk(b"\x00" * CHUNK_SIZE)) == b"\x00" * CHUNK_SIZE


@pytest.mark.parametrize(("section", "n"), [("document", 0), ("file-0.chunks", 4096)])
def test_question_for_what_is_no_chunk_is_the_askers_fault(section: str, n: int) -> None:
    """A plain section, or a number beyond the largest list."""
    with pytest.raises(RemoteProtocolError):
        messages.decode_chunk_asked(messages.encode_chunk_asked(REF, section, n))


@given(st.binary(max_size=80))
def test_any_bytes_are_a_message_or_the_peers_fault(raw: bytes) -> None:
    """Whatever a peer sends."""
    for decode in (messages.decode_chunk_asked, messages.decode_chunk):
        try:
            decode(raw)
        except RemoteProtocolError:
            continue
