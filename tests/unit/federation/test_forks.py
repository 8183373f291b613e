"""Fork proofs of both kinds, and that no honest log can be accused."""

from dataclasses import replace

import pytest

from federation import codec
from federation.errors import ProofError
from federation.forks import Branch, ForkProof, SignedHeader, counted_size, header_place, proven_log, verify_fork_proof
from federation.fragment import fragment_id
from tests.builders import Writer, fragment, id16, section, signing_key

LOG = id16("log")
KEY = signing_key("node")


def signed(header: bytes) -> SignedHeader:
    return SignedHeader(header, KEY.sign_hash("fragment", fragment_id(header)))


def branch(writer: Writer, seq: int, size: int | None = None) -> Branch:
    return Branch(writer.note(size), writer.leaves[seq], tuple(writer.path(seq, size)))


ONE, TWO = (signed(fragment(7, section(content=content)).header) for content in (b"1", b"2"))
HEADERS = ForkProof(LOG, 7, ONE, TWO)
HONEST, OTHER = Writer().write(5), Writer().write(2).write(5, "fork")
CHECKPOINTS = ForkProof(LOG, 2, branch(HONEST, 2), branch(OTHER, 2))


@pytest.mark.parametrize("proof", [HEADERS, CHECKPOINTS])
def test_proof_reads_what_it_writes(proof: ForkProof) -> None:
    """A proof of either kind verifies and names log and seq, whichever branch was put first."""
    raw = proof.to_bytes()
    read = verify_fork_proof(raw, KEY.public)

    assert (read.log, read.seq) == (proof.log, proof.seq)
    assert read.to_bytes() == raw == replace(proof, left=proof.right, right=proof.left).to_bytes()
    assert proven_log(raw) == LOG


@pytest.mark.parametrize("proof", [HEADERS, CHECKPOINTS])
def test_proof_against_another_key(proof: ForkProof) -> None:
    """A proof holds against the key that signed both branches only."""
    with pytest.raises(ProofError):
        verify_fork_proof(proof.to_bytes(), signing_key("x").public)


@pytest.mark.parametrize("proof", [HEADERS, CHECKPOINTS])
def test_proof_with_branches_in_another_order(proof: ForkProof) -> None:
    """One fork has one spelling."""
    fields = codec.array(codec.unpack(proof.to_bytes()), None, "proof")
    first = len(fields) - 3
    fields[first], fields[first + 1] = fields[first + 1], fields[first]
    with pytest.raises(ProofError, match="not in order"):
        verify_fork_proof(codec.pack(fields), KEY.public)


@pytest.mark.parametrize("same", [replace(HEADERS, right=HEADERS.left), replace(CHECKPOINTS, right=CHECKPOINTS.left)])
def test_same_branch_twice(same: ForkProof) -> None:
    """One statement is no fork with itself."""
    with pytest.raises(ProofError, match="say the same"):
        verify_fork_proof(same.to_bytes(), KEY.public)


def test_two_sizes_of_an_honest_log() -> None:
    """A log that grew cannot be accused at any seq with any two of its checkpoints."""
    grown = Writer().write(6)
    for small in range(1, 6):
        for seq in range(small):
            with pytest.raises(ProofError, match="say the same"):
                verify_fork_proof(
                    ForkProof(LOG, seq, branch(grown, seq, small), branch(grown, seq)).to_bytes(), KEY.public
                )


def test_two_places_of_an_honest_log() -> None:
    """Two headers of two places, or of two logs of one key, are no fork."""
    for other in (fragment(8), fragment(7, log=id16("other"))):
        with pytest.raises(ProofError, match="not of one place"):
            verify_fork_proof(ForkProof(LOG, 7, ONE, signed(other.header)).to_bytes(), KEY.public)


def test_void_header_in_a_proof() -> None:
    """A void header, or one of a later version, proves a fork by its first fields."""
    for header in (codec.pack([1, LOG, 7]), codec.pack([2, LOG, 7, "new"]), codec.pack([None, LOG, 7, []])):
        proof = verify_fork_proof(ForkProof(LOG, 7, ONE, signed(header)).to_bytes(), KEY.public)
        assert proof.seq == 7


@pytest.mark.parametrize(
    "header", [b"", b"\xc3", codec.pack([1, LOG]), codec.pack([1, LOG, None]), codec.pack([1, b"x", 7])]
)
def test_header_without_a_place(header: bytes) -> None:
    """A header whose place cannot be read proves nothing by itself."""
    with pytest.raises(ProofError):
        header_place(header)
    with pytest.raises(ProofError):
        verify_fork_proof(ForkProof(LOG, 7, ONE, signed(header)).to_bytes(), KEY.public)


def test_signature_that_does_not_hold() -> None:
    """Anybody can write a header: only the author's signature accuses him."""
    forged = SignedHeader(fragment(7, section(content=b"3")).header, bytes(65))
    with pytest.raises(ProofError, match="not signed by the log's key"):
        verify_fork_proof(ForkProof(LOG, 7, ONE, forged).to_bytes(), KEY.public)


def test_request_signature_cannot_accuse() -> None:
    """A signature of the same key for another object does not stand for a header."""
    header = fragment(7, section(content=b"3")).header
    wrong = SignedHeader(header, KEY.sign_hash("request", fragment_id(header)))
    with pytest.raises(ProofError):
        verify_fork_proof(ForkProof(LOG, 7, ONE, wrong).to_bytes(), KEY.public)


def test_leaf_not_under_its_checkpoint() -> None:
    """A leaf, a path or a seq that does not lead to the signed root proves nothing."""
    good = branch(OTHER, 2)
    for wrong in (
        replace(good, leaf=bytes(32)),
        replace(good, path=good.path[:-1]),
        replace(good, path=(bytes(32),) * 3),
    ):
        with pytest.raises(ProofError):
            verify_fork_proof(replace(CHECKPOINTS, right=wrong).to_bytes(), KEY.public)
    for seq in (3, 99):
        with pytest.raises(ProofError):
            verify_fork_proof(replace(CHECKPOINTS, seq=seq).to_bytes(), KEY.public)


def test_cosigned_checkpoint_must_be_the_logs() -> None:
    """The attached checkpoint carries the log's own signature."""
    assert verify_fork_proof(replace(HEADERS, cosigned=HONEST.note()).to_bytes(), KEY.public).cosigned == HONEST.note()
    for note in (b"", Writer(key=signing_key("x")).write(1).note(), Writer(log=id16("other")).write(1).note()):
        with pytest.raises(ProofError):
            verify_fork_proof(replace(HEADERS, cosigned=note).to_bytes(), KEY.public)


@pytest.mark.parametrize("raw", [b"", b"\x90", b"\xc0", codec.pack([1]), codec.pack([1, LOG, 3]), bytes(70_000)])
def test_proof_that_is_none(raw: bytes) -> None:
    """Whatever is wrong with a proof, the error is this package's."""
    with pytest.raises(ProofError):
        verify_fork_proof(raw, KEY.public)


def test_proven_log_of_nonsense() -> None:
    """A proof whose log cannot be read is refused."""
    for raw in (b"", b"\x90", codec.pack([1, b"short", 1])):
        with pytest.raises(ProofError):
            proven_log(raw)


def test_what_counts_after_a_fork() -> None:
    """Entries below the smallest proven seq count, and those under the largest cosigned checkpoint."""
    later = replace(HEADERS, seq=20)
    assert counted_size(100, []) == 100
    assert counted_size(100, [later, HEADERS]) == 7
    assert counted_size(100, [HEADERS], cosigned_size=12) == 12
    assert counted_size(100, [HEADERS], cosigned_size=3) == 7
    assert counted_size(5, [HEADERS], cosigned_size=12) == 5
