"""Laws of the codecs: any bytes give a value or a FederationError, and what is accepted is written as it came."""

import base64
from collections.abc import Callable

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from federation import codec
from federation.authority import (
    Attestation,
    Authority,
    pack_erase,
    pack_log_keys,
    pack_witnesses,
    unpack_erase,
    unpack_log_keys,
    unpack_witnesses,
)
from federation.checkpoint import parse_note, verify_checkpoint
from federation.cut import Cut
from federation.errors import CodecError, FederationError, InvitationError, VoidError
from federation.forks import proven_log, verify_fork_proof
from federation.fragment import (
    Fragment,
    check_sections,
    check_signature,
    commitment,
    decode_fragment,
    decode_header,
    pad,
    unpad,
)
from federation.genesis import Genesis
from federation.invitation import PREFIX, parse_invitation
from federation.keys import ED25519, X25519, check_key, verify_hash
from federation.log import Head, decode_log_statement
from federation.request import RequestSignature
from federation.sealing import decode_sealed
from federation.statements import decode_root_statement
from federation.sync.following import FollowAsked, Followed
from tests.builders import Writer, found, fragment, id16, log_statement, section, seed, signing_key
from tests.laws import cases
from tests.unit.federation.test_forks import CHECKPOINTS, HEADERS
from tests.unit.federation.test_invitation import MADE
from tests.unit.federation.test_request import SIGNED

KEY = signing_key("node").public
LOG = id16("log")

VALUES = st.recursive(
    st.none() | st.integers(0, 2**63 - 1) | st.text(max_size=20) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=20,
)
FOREIGN = st.recursive(
    VALUES | st.booleans() | st.floats() | st.integers(-(2**63), 2**64 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
GOOD = [
    found().last.envelope(),
    found().node("a").last.envelope(),
    found().node("a").end("a").last.envelope(),
    log_statement().envelope(),
    fragment(0, section("body"), section("owner", b"yes", 4)).to_bytes(),
    fragment(0).header,
    HEADERS.to_bytes(),
    CHECKPOINTS.to_bytes(),
    Writer().write(3).note(),
    MADE.genesis.to_bytes(),
    SIGNED.to_bytes(),
    Head(LOG, 1, seed("r"), id16("run")).to_bytes(),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good object with bytes altered, cut out or put in."""
    raw = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, max(0, len(raw) - 1)))
        raw[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(raw)


BYTES = st.binary(max_size=200) | damaged() | VALUES.map(codec.pack) | FOREIGN.map(msgpack.packb)


def read_header(raw: bytes) -> bytes:
    header = decode_header(raw, LOG, 0)
    return header.to_bytes() if header.version == 1 else raw


def read_cut(raw: bytes) -> bytes:
    return codec.pack(Cut.from_value(codec.unpack(raw)).to_value())


def read_key(raw: bytes) -> bytes:
    return check_key(raw, raw[0] if raw[:1] in (b"\1", b"\2") else ED25519, "key")


def read_note(raw: bytes) -> bytes:
    parse_note(raw)
    verify_checkpoint(raw, LOG, KEY)
    return raw


def read_proven(raw: bytes) -> bytes:
    proven_log(raw)
    return verify_fork_proof(raw, KEY).to_bytes()


def read_sealed(raw: bytes) -> bytes:
    sealed = decode_sealed(raw)
    return codec.pack([1, sealed.box_key_id, sealed.box])


def read_fragment(raw: bytes) -> bytes:
    found_fragment = decode_fragment(raw)
    header = decode_header(found_fragment.header, LOG, 0)
    check_sections(found_fragment, header)
    check_signature(found_fragment, KEY)
    return found_fragment.to_bytes()


DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "msgpack": lambda raw: codec.pack(codec.unpack(raw)),
    "root statement": lambda raw: decode_root_statement(raw).envelope(),
    "log statement": lambda raw: decode_log_statement(raw).envelope(),
    "head": lambda raw: Head.from_bytes(raw).to_bytes(),
    "fragment envelope": lambda raw: decode_fragment(raw).to_bytes(),
    "fragment": read_fragment,
    "header": read_header,
    "cut": read_cut,
    "follow": lambda raw: FollowAsked.from_bytes(raw).to_bytes(),
    "followed": lambda raw: Followed.from_bytes(raw).to_bytes(),
    "key": read_key,
    "checkpoint": read_note,
    "fork proof": read_proven,
    "sealed": read_sealed,
    "authority": lambda raw: Authority.from_bytes(raw).to_bytes(),
    "attest": lambda raw: Attestation.from_bytes(raw).to_bytes(),
    "witnesses": lambda raw: pack_witnesses(unpack_witnesses(raw)),
    "keys": lambda raw: pack_log_keys(*unpack_log_keys(raw)),
    "erase": lambda raw: pack_erase(unpack_erase(raw)),
    "genesis": lambda raw: Genesis.from_bytes(raw).to_bytes(),
    "request signature": lambda raw: RequestSignature.from_bytes(raw).to_bytes(),
    "padding": lambda raw: pad(unpad(raw)),
}


@pytest.mark.parametrize("name", DECODERS)
@given(raw=BYTES)
@cases(120)
def test_any_bytes_give_a_value_or_the_packages_error(name: str, raw: bytes) -> None:
    """No bytes crash a decoder, and what it accepts it writes again byte for byte."""
    try:
        written = DECODERS[name](raw)
    except FederationError:
        return
    assert written == raw


@given(VALUES)
@cases(300)
def test_value_survives(value: codec.Value) -> None:
    """Every value of the format within its depth is read back as it was written."""
    try:
        raw = codec.pack(value)
    except CodecError:
        return
    assert codec.unpack(raw) == value


@given(FOREIGN)
@cases(300)
def test_foreign_msgpack_is_refused_whole(value: object) -> None:
    """Msgpack with a part that the format has not is refused, though it round-trips elsewhere."""
    raw = msgpack.packb(value)
    try:
        assert codec.unpack(raw) == value
    except CodecError:
        return
    assert codec.pack(codec.unpack(raw)) == raw


@given(st.text(max_size=80) | st.text("ABab01-_", max_size=80).map(lambda text: PREFIX + text))
@cases(200)
def test_any_text_is_an_invitation_or_refused(text: str) -> None:
    """No text crashes the reader of invitations."""
    with pytest.raises(InvitationError):
        parse_invitation(text, 0)


@given(st.integers(0, len(MADE.to_text()) - 1), st.characters(exclude_categories=["Cs"]))
@example(len(MADE.to_text()) - 1, "=")
@cases(400)
def test_one_mistyped_character_is_refused(place: int, wrong: str) -> None:
    """Whatever character stands in the place of the right one, the invitation is refused."""
    text = MADE.to_text()
    if text[place] == wrong:
        return
    with pytest.raises(InvitationError):
        parse_invitation(text[:place] + wrong + text[place + 1 :], 0)


@given(st.binary(max_size=300))
def test_padding_survives_and_is_the_smallest(content: bytes) -> None:
    """Padding comes off again, and half of it would not have been enough."""
    padded = pad(content)
    assert unpad(padded) == content
    assert len(padded) == 64 or len(padded) // 2 < len(content) + 4
    assert len(padded) % 64 == 0
    assert (len(padded) // 64).bit_count() == 1


@given(st.binary(min_size=1, max_size=100), st.integers(0, 799), st.sampled_from([1, 3, 5]))
@cases(150)
def test_any_bit_of_a_section_is_committed(content: bytes, bit: int, klass: int) -> None:
    """Turning a bit of the committed bytes or the salt breaks the commitment."""
    made = fragment(0, section("body", content, klass)).sections[0]
    assert made.salt is not None
    raw = bytearray(made.salt + made.data)
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8

    assert commitment(LOG, "body", bytes(raw[:16]), bytes(raw[16:])) != commitment(LOG, "body", made.salt, made.data)


@given(st.integers(0, 8 * 65 - 1), st.integers(0, 8 * 32 - 1))
@cases(150)
def test_any_bit_of_a_signature_counts(signature_bit: int, hash_bit: int) -> None:
    """Turning a bit of a signature, of its key or of what it signs breaks it."""
    digest = seed("digest")
    signature = signing_key("node").sign_hash("fragment", digest)

    assert verify_hash(KEY, signature, "fragment", digest)
    assert not verify_hash(KEY, turned(signature, signature_bit), "fragment", digest)
    assert not verify_hash(KEY, signature, "fragment", turned(digest, hash_bit))
    assert not verify_hash(turned(KEY, hash_bit), signature, "fragment", digest)


@given(st.integers(0, 8 * len(fragment(0).header) - 1))
@cases(150)
def test_any_bit_of_a_header_is_signed(bit: int) -> None:
    """A turned bit of a header is found: it is void by form, or by signature."""
    made = fragment(0)
    altered = Fragment(turned(made.header, bit), made.signature)

    def judge() -> None:
        decode_header(altered.header, LOG, 0)
        check_signature(altered, KEY)

    with pytest.raises(VoidError):
        judge()


@given(st.binary(min_size=32, max_size=32))
@cases(200)
def test_accepted_keys_have_one_spelling(raw: bytes) -> None:
    """Of all 32-byte strings, those taken as keys are below p, sign bit aside."""
    for algorithm, mask in ((ED25519, 2**255 - 1), (X25519, 2**256 - 1)):
        try:
            check_key(bytes([algorithm]) + raw, algorithm, "key")
        except FederationError:
            continue
        assert int.from_bytes(raw, "little") & mask < 2**255 - 19


@given(st.integers(0, 3), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", max_size=50))
@cases(200)
def test_note_lines_of_any_base64(line: int, text: str) -> None:
    """Whatever base64 stands in a line of a note, it is refused or it is the only spelling of its bytes."""
    lines = Writer().write(2).note().decode().split("\n")
    lines[line] = text if line < 3 else f"\u2014 x {text}"
    try:
        checkpoint, _ = parse_note("\n".join(lines).encode())
    except FederationError:
        return
    assert base64.b64encode(checkpoint.root).decode() == lines[2]


def turned(raw: bytes, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
