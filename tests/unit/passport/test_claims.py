"""Identity claims beside their vectors (tests/unit/test_vectors.py), and the claims that scanned codes carry."""

import hashlib

import msgpack
import pytest

from node.passport.claims import Claim, Scheme, approval_claim, decode_claim, local_claim
from node.passport.codes import claim_of_code
from node.passport.errors import ClaimError

LINE = "0f" * 16


def test_subject_is_the_hash_that_the_protocol_names() -> None:
    """The subject is the first 16 bytes of SHA-256 over the prefix and the claim's canonical msgpack."""
    raw = msgpack.packb(["line", LINE, "0012345", ""])

    expected = hashlib.sha256(b"passport/id/1\n" + raw).digest()[:16]

    assert Claim(Scheme.LINE, LINE, "0012345").subject.raw == expected
    assert decode_claim(raw) == Claim(Scheme.LINE, LINE, "0012345")


def test_twin_is_another_subject() -> None:
    """A twin of a plate has a claim and a subject of its own, and twins are numbered from 2."""
    claim = Claim(Scheme.LINE, LINE, "0012345")

    assert len({claim.subject, claim.with_twin(2).subject, claim.with_twin(3).subject}) == 3
    with pytest.raises(ClaimError, match="from 2"):
        claim.with_twin(1)


def test_approval_claim_drops_the_year_suffix() -> None:
    """Two renewals of one approval give one claim, and Cyrillic look-alikes give it too."""
    assert approval_claim("99029-19", "К7901752") == approval_claim("99029-25", "K7901752")
    with pytest.raises(ClaimError, match="ГРСИ"):
        approval_claim("MID-0102", "1")
    with pytest.raises(ClaimError, match="plate text"):
        approval_claim("99029-19", "12²")


def test_local_claim_is_of_sixteen_bytes_each() -> None:
    """A local claim spells the log id and 16 random bytes in hex, and takes no other size."""
    assert local_claim(b"\xa1" * 16, b"\x00" * 16).serial == "00" * 16
    with pytest.raises(ClaimError):
        local_claim(b"\xa1" * 16, b"\x00" * 15)


@pytest.mark.parametrize(
    ("code", "issuer", "serial"),
    [
        ("(01)04607812345679(21)SN-1", "04607812345679", "SN-1"),
        ("010460781234567921SN-1", "04607812345679", "SN-1"),
        ("]d2010460781234567921SN-1\x1d10LOT", "04607812345679", "SN-1"),
        ("01046078123456791126050421SN-1", "04607812345679", "SN-1"),
        ("https://id.example.org/01/04607812345679/21/SN-1?x=1", "04607812345679", "SN-1"),
        ("https://id.example.org/01/4607812345679/21/SN%2F1", "04607812345679", "SN/1"),
        ("(8004)4607812345ABC", "8004", "4607812345ABC"),
        ("https://id.example.org/8003/04607812345679X1", "8003", "04607812345679X1"),
    ],
)
def test_code_of_gs1_is_a_claim(code: str, issuer: str, serial: str) -> None:
    """A GS1 code carries one claim, however it is spelled."""
    assert claim_of_code(code) == Claim(Scheme.GS1, issuer, serial)


def test_code_that_is_another_link_is_an_iec_claim() -> None:
    """Any other link identifies by all its characters, case kept."""
    link = "https://Maker.example/Q?a=B"

    assert claim_of_code(link) == Claim(Scheme.IEC61406, "", link)


@pytest.mark.parametrize(
    "code",
    ["", "wire:KAM", "(01)04607812345679", "(01)04607812345678(21)1", "plain", "https://x/d/EPP1-0"],
)
def test_code_without_identity_is_no_claim(code: str) -> None:
    """A code that names a kind of goods, a wrong check digit, our own label or nothing is no claim."""
    assert claim_of_code(code) is None
