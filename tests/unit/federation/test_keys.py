"""Keys and signatures, the hostile ones first of all."""

import nacl.bindings
import pytest

from federation.errors import KeyRefusedError, SealError
from federation.keys import (
    ED25519,
    X25519,
    BoxKey,
    SigningKey,
    check_key,
    key_hash,
    key_id,
    seal,
    verify_hash,
    verify_raw,
)
from tests.builders import box_key, seed, signing_key
from tests.vectors.protocol import curve


@pytest.mark.parametrize("number", range(8))
def test_key_of_small_order(number: int) -> None:
    """None of the eight points of small order is a key, and nothing verifies against one."""
    raw = curve.encode(curve.SMALL_ORDER[number])

    with pytest.raises(KeyRefusedError):
        check_key(b"\1" + raw, ED25519, "key")
    assert not verify_raw(b"\1" + raw, curve.encode(curve.IDENTITY) + bytes(32), b"anything")


def test_small_order_points_are_those_of_the_curve() -> None:
    """The eight points differ and eight times each is the identity."""
    assert len(set(curve.SMALL_ORDER)) == 8
    assert all(curve.multiply(8, point) == curve.IDENTITY for point in curve.SMALL_ORDER)


@pytest.mark.parametrize("raw", curve.non_canonical_keys(), ids=bytes.hex)
def test_key_that_is_not_canonical(raw: bytes) -> None:
    """A second spelling of a point is no key."""
    with pytest.raises(KeyRefusedError):
        check_key(b"\1" + raw, ED25519, "key")


def test_key_of_mixed_order() -> None:
    """A good key with a point of small order added is refused."""
    for torsion in curve.SMALL_ORDER[1:]:
        mixed = curve.encode(curve.add(curve.decode(signing_key("a").public[1:]), torsion))
        with pytest.raises(KeyRefusedError):
            check_key(b"\1" + mixed, ED25519, "key")


def test_signature_that_holds_only_times_the_cofactor() -> None:
    """R with a point of small order added satisfies the equation times eight, and is refused."""
    key, message = signing_key("a").public, b"message"
    for torsion in (curve.SMALL_ORDER[1], curve.SMALL_ORDER[4]):
        signature = curve.sign_with(seed("a"), message, torsion)
        r, s = curve.decode(signature[:32]), int.from_bytes(signature[32:], "little")
        k = curve.challenge(signature[:32], key[1:], message)
        left = curve.multiply(s, curve.BASE)
        right = curve.add(r, curve.multiply(k, curve.decode(key[1:])))

        assert left != right
        assert curve.multiply(8, left) == curve.multiply(8, right)
        assert not verify_raw(key, signature, message)


def test_signature_made_by_hand() -> None:
    """The plain-integer curve of the tests and libsodium make one and the same signature."""
    assert curve.sign_with(seed("a"), b"message") == signing_key("a").sign(b"message")


def test_signature_with_s_beyond_the_order() -> None:
    """S + L satisfies the equation and is refused: one signature has one spelling."""
    key, message = signing_key("a"), b"message"
    good = key.sign(message)
    for factor in (1, 2, 15):
        s = int.from_bytes(good[32:], "little") + factor * curve.L
        assert not verify_raw(key.public, good[:32] + s.to_bytes(32, "little"), message)
    assert verify_raw(key.public, good, message)


def test_signature_with_r_of_small_order() -> None:
    """R of small order is refused even where the equation holds."""
    key, message = signing_key("a").public, b"message"
    r = curve.encode(curve.IDENTITY)
    scalar, _ = curve.scalar_of(seed("a"))
    s = curve.challenge(r, key[1:], message) * scalar % curve.L

    assert not verify_raw(key, r + s.to_bytes(32, "little"), message)


def test_signature_is_bound_to_what_it_signs() -> None:
    """A signature for one kind of object does not hold for another."""
    key, digest = signing_key("a"), seed("digest")
    signature = key.sign_hash("root", digest)

    assert verify_hash(key.public, signature, "root", digest)
    assert not verify_hash(key.public, signature, "log", digest)
    assert not verify_hash(key.public, signature, "root", seed("other"))
    assert not verify_hash(signing_key("b").public, signature, "root", digest)


@pytest.mark.parametrize("raw", [b"", b"\1", bytes(64), b"\2" + bytes(64), b"\1" + bytes(65)])
def test_signature_of_wrong_form(raw: bytes) -> None:
    """A signature is 65 bytes and starts with 1; anything else is false, not an error."""
    assert not verify_hash(signing_key("a").public, raw, "root", seed("digest"))


def test_x25519_point_of_small_order() -> None:
    """A box key that makes every shared secret zero is refused."""
    for u in (0, 1, curve.P - 1, curve.P, curve.P + 1):
        with pytest.raises(KeyRefusedError):
            check_key(b"\2" + u.to_bytes(32, "little"), X25519, "box key")


def test_key_in_the_wrong_place() -> None:
    """The place where a key stands says its algorithm."""
    with pytest.raises(KeyRefusedError, match="box key: algorithm 1, expected 2"):
        check_key(signing_key("a").public, X25519, "box key")
    with pytest.raises(KeyRefusedError, match="a key is 33 bytes, got 32"):
        check_key(signing_key("a").public[1:], ED25519, "sign key")


def test_key_id_is_the_head_of_its_hash() -> None:
    """A key id is the first half of the hash that a promise holds whole."""
    key = signing_key("a")
    assert key.id == key_id(key.public) == key_hash(key.public)[:16]
    assert box_key("a").id == key_id(box_key("a").public)


def test_key_pair_hides_its_seed() -> None:
    """The text of a key pair names its id and nothing secret."""
    assert repr(SigningKey.from_seed(seed("a"))) == f"SigningKey({signing_key('a').id.hex()})"
    assert repr(BoxKey.from_seed(seed("a"))).startswith("BoxKey(")


def test_sealed_box_opens_with_its_key_only() -> None:
    """What was sealed opens with the key it was sealed to."""
    sealed = seal(box_key("a").public, b"content")

    assert box_key("a").open(sealed) == b"content"
    with pytest.raises(SealError):
        box_key("b").open(sealed)
    for broken in (b"", sealed[:47], sealed[:-1], bytes(len(sealed))):
        with pytest.raises(SealError):
            box_key("a").open(broken)


def test_seal_to_a_key_of_small_order() -> None:
    """Nothing is sealed to a key that everybody could open."""
    with pytest.raises(KeyRefusedError):
        seal(b"\2" + bytes(32), b"content")


def test_ed25519_without_cofactor_is_what_the_library_does() -> None:
    """The installed libsodium verifies without the cofactor: a newer one that does not must be noticed."""
    message = b"message"
    twisted = curve.sign_with(seed("a"), message, curve.ORDER_8)
    with pytest.raises(nacl.exceptions.BadSignatureError):
        nacl.bindings.crypto_sign_open(twisted + message, signing_key("a").public[1:])
