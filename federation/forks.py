"""Fork proofs: two statements of one author that cannot both stand, in a form that anybody can check.

`[1, log, 1, [header, signature], [header, signature], note | nil]` - two signed headers for one (log, seq);
`[1, log, 2, seq, [note, leaf, path], [note, leaf, path], note | nil]` - two checkpoints with different leaves at seq.
The smaller branch stands first, byte for byte. The last note is the largest cosigned checkpoint known, if any.
Effect, equal everywhere: of that log count the entries below the smallest proven seq, and those under the largest
quorum-cosigned checkpoint attached to a proof.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from federation import codec
from federation.checkpoint import verify_checkpoint
from federation.errors import CheckpointError, CodecError, ProofError
from federation.fragment import MAX_HEADER, fragment_id
from federation.keys import SIGNATURE_SIZE, verify_hash
from federation.merkle import leaf_hash, verify_inclusion

VERSION = 1
TWO_HEADERS = 1
TWO_CHECKPOINTS = 2
MAX_PROOF = 64 * 1024


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """A header's bytes and the signature over its id."""

    header: bytes
    signature: bytes

    def to_value(self) -> codec.Value:
        """The array in the proof."""
        return [self.header, self.signature]


@dataclass(frozen=True, slots=True)
class Branch:
    """A signed checkpoint and the inclusion path of the leaf that it holds at the proven seq."""

    note: bytes
    leaf: bytes
    path: tuple[bytes, ...]

    def to_value(self) -> codec.Value:
        """The array in the proof."""
        return [self.note, self.leaf, list(self.path)]


@dataclass(frozen=True, slots=True)
class ForkProof:
    """That the writer of `log` said two things at `seq`."""

    log: bytes
    seq: int
    left: SignedHeader | Branch
    right: SignedHeader | Branch
    cosigned: bytes | None = None

    def to_bytes(self) -> bytes:
        """The canonical proof."""
        low, high = sorted((self.left.to_value(), self.right.to_value()), key=codec.pack)
        if isinstance(self.left, SignedHeader):
            return codec.pack([VERSION, self.log, TWO_HEADERS, low, high, self.cosigned])
        return codec.pack([VERSION, self.log, TWO_CHECKPOINTS, self.seq, low, high, self.cosigned])


def verify_fork_proof(raw: bytes, sign_key: bytes) -> ForkProof:
    """Read a proof and check it against the log's 33-byte sign key; raise ProofError."""
    try:
        fields = codec.array(codec.unpack(raw, MAX_PROOF), None, "fork proof", most=7)
        if len(fields) < 3 or codec.uint(fields[0], "version") != VERSION:
            raise CodecError("not a fork proof of version 1")
        log = codec.binary(fields[1], 16, "log")
        kind = codec.uint(fields[2], "kind")
        proof = _read_headers(log, fields) if kind == TWO_HEADERS else _read_branches(log, kind, fields)
        _verify(proof, sign_key)
        if proof.to_bytes() != raw:
            raise CodecError("the branches are not in order")
    except (CodecError, CheckpointError) as error:
        raise ProofError(f"fork proof: {error}") from error
    return proof


def prove_headers(left: tuple[bytes, bytes], right: tuple[bytes, bytes]) -> ForkProof:
    """A proof out of two headers with their signatures; raise ProofError where they are not of one place."""
    places = {header_place(header) for header, _ in (left, right)}
    if len(places) != 1:
        raise ProofError("fork proof: the headers are not of one place")
    return ForkProof(*next(iter(places)), SignedHeader(*left), SignedHeader(*right))


def proven_log(raw: bytes) -> bytes:
    """The log that a proof speaks of, before it is checked; raise ProofError."""
    try:
        fields = codec.array(codec.unpack(raw, MAX_PROOF), None, "fork proof", most=7)
        return codec.binary(fields[1] if len(fields) > 1 else None, 16, "log")
    except CodecError as error:
        raise ProofError(f"fork proof: {error}") from error


def counted_size(size: int, proofs: Iterable[ForkProof], cosigned_size: int = 0) -> int:
    """Up to which size a log of `size` entries counts; `cosigned_size` is the largest quorum-cosigned one attached."""
    smallest = min((proof.seq for proof in proofs), default=size)
    return min(size, max(smallest, cosigned_size))


def header_place(header: bytes) -> tuple[bytes, int]:
    """Fields 1 and 2 of a header, of a void one too; raise ProofError."""
    try:
        fields = codec.array(codec.unpack(header, MAX_HEADER), None, "header")
        if len(fields) < 3:
            raise CodecError("header: fewer than three fields")
        return codec.binary(fields[1], 16, "log"), codec.uint(fields[2], "seq")
    except CodecError as error:
        raise ProofError(f"fork proof: {error}") from error


def _read_headers(log: bytes, fields: list[codec.Value]) -> ForkProof:
    _, _, _, left, right, cosigned = codec.array(fields, 6, "fork proof")
    low, high = _signed_header(left), _signed_header(right)
    places = {header_place(low.header), header_place(high.header)}
    if len(places) != 1 or next(iter(places))[0] != log:
        raise ProofError("fork proof: the headers are not of one place in that log")
    return ForkProof(log, next(iter(places))[1], low, high, _note(cosigned))


def _read_branches(log: bytes, kind: int, fields: list[codec.Value]) -> ForkProof:
    if kind != TWO_CHECKPOINTS:
        raise CodecError(f"kind {kind} is unknown")
    _, _, _, seq, left, right, cosigned = codec.array(fields, 7, "fork proof")
    return ForkProof(log, codec.uint(seq, "seq"), _branch(left), _branch(right), _note(cosigned))


def _signed_header(value: codec.Value) -> SignedHeader:
    header, signature = codec.array(value, 2, "signed header")
    return SignedHeader(
        codec.binary(header, None, "header", most=MAX_HEADER), codec.binary(signature, SIGNATURE_SIZE, "signature")
    )


def _branch(value: codec.Value) -> Branch:
    note, leaf, path = codec.array(value, 3, "branch")
    return Branch(
        codec.binary(note, None, "note", most=4096),
        codec.binary(leaf, 32, "leaf"),
        tuple(codec.binary(item, 32, "path") for item in codec.array(path, None, "path", most=64)),
    )


def _note(value: codec.Value) -> bytes | None:
    return None if value is None else codec.binary(value, None, "note", most=4096)


def _verify(proof: ForkProof, sign_key: bytes) -> None:
    leaves = {_verified_leaf(proof, branch, sign_key) for branch in (proof.left, proof.right)}
    if len(leaves) != 2:
        raise ProofError("fork proof: both branches say the same")
    if proof.cosigned is not None:
        verify_checkpoint(proof.cosigned, proof.log, sign_key)


def _verified_leaf(proof: ForkProof, branch: SignedHeader | Branch, sign_key: bytes) -> bytes:
    if isinstance(branch, SignedHeader):
        entry = fragment_id(branch.header)
        if not verify_hash(sign_key, branch.signature, "fragment", entry):
            raise ProofError("fork proof: a header is not signed by the log's key")
        return leaf_hash(entry + branch.signature)
    checkpoint = verify_checkpoint(branch.note, proof.log, sign_key)
    verify_inclusion(branch.leaf, proof.seq, checkpoint.size, branch.path, checkpoint.root)
    return branch.leaf
