"""Laws of claims and device ids."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from node.passport.claims import Claim, Scheme, decode_claim
from node.passport.codes import claim_of_code
from node.passport.errors import MistypedIdError, PassportError
from node.passport.ids import CROCKFORD, SubjectId, format_device_id, parse_device_id, parse_label_url
from node.passport.plate import DIGITS, LETTERS

subjects = st.binary(min_size=16, max_size=16).map(SubjectId)
hexes = st.binary(min_size=16, max_size=16).map(bytes.hex)
serials = st.text(DIGITS + LETTERS, min_size=1, max_size=64)
twins = st.one_of(st.none(), st.integers(2, 2**63 - 1))
claims = st.one_of(
    st.builds(Claim, st.just(Scheme.LINE), hexes, serials, st.from_regex(r"\A(|[0-9]{4})\Z"), twins),
    st.builds(Claim, st.just(Scheme.APPROVAL), st.integers(1, 999999).map("grsi:{}".format), serials),
    st.builds(Claim, st.just(Scheme.LOCAL), hexes, hexes),
    st.builds(
        Claim, st.just(Scheme.IEC61406), st.just(""), serials.filter(str.isascii).map("https://a.example/{}".format)
    ),
)


def is_caught(text: str) -> bool:
    try:
        parse_device_id(text)
    except MistypedIdError:
        return True
    return False


@given(subjects)
def test_device_id_round_trip(subject: SubjectId) -> None:
    """Every subject has one device id, which reads back as that subject."""
    assert parse_device_id(format_device_id(subject)) == subject
    assert parse_device_id(format_device_id(subject).lower().replace("-", " ")) == subject


@given(subjects)
def test_every_slip_and_swap_is_caught(subject: SubjectId) -> None:
    """No single wrong character and no swap of two neighbours gives another device id."""
    body = format_device_id(subject).replace("-", "")

    for at, character in enumerate(body):
        for other in CROCKFORD:
            if other != character:
                assert is_caught(body[:at] + other + body[at + 1 :])
    for at in range(len(body) - 1):
        if body[at] != body[at + 1]:
            assert is_caught(body[:at] + body[at + 1] + body[at] + body[at + 2 :])


@given(subjects, st.integers(0, 31), st.sampled_from(CROCKFORD))
def test_dropped_and_added_characters_are_caught(subject: SubjectId, at: int, character: str) -> None:
    """A character too few or too many is a slip too."""
    body = format_device_id(subject).replace("-", "")

    assert is_caught(body[:at] + body[at + 1 :])
    assert is_caught(body[:at] + character + body[at:])


@given(st.one_of(st.text(), st.text(CROCKFORD + "ILOU- ", max_size=40).map("EPP1{}".format)))
def test_any_text_gives_a_subject_or_the_error(text: str) -> None:
    """Whatever is typed or scanned reads as a subject or is answered with the package's error."""
    for read in (parse_device_id, parse_label_url):
        with contextlib.suppress(PassportError):
            assert isinstance(read(text), SubjectId)


@given(st.text(max_size=300))
def test_any_scanned_code_gives_a_claim_or_none(text: str) -> None:
    """Whatever a scanner says is a claim that can be encoded, or none."""
    for code in (text, f"https://{text}", f"(01)04607812345679(21){text}"):
        claim = claim_of_code(code)
        assert claim is None or decode_claim(claim.encode()) == claim


@given(claims)
def test_claim_round_trip(claim: Claim) -> None:
    """A claim decodes from its bytes, and from no other bytes."""
    assert decode_claim(claim.encode()) == claim


@given(st.one_of(st.binary(max_size=120), claims.map(Claim.encode)), st.integers(0, 119), st.integers(0, 255))
def test_any_bytes_give_a_claim_or_the_error(raw: bytes, at: int, value: int) -> None:
    """Any bytes, and any claim with a byte altered, give a canonical claim or the package's error."""
    altered = raw[:at] + bytes([value]) + raw[at + 1 :]
    for candidate in (raw, altered):
        with contextlib.suppress(PassportError):
            assert decode_claim(candidate).encode() == candidate


@given(claims, claims)
def test_claims_that_differ_have_subjects_that_differ(left: Claim, right: Claim) -> None:
    """Equal claims have equal subjects, and different ones different subjects."""
    assert (left == right) == (left.subject == right.subject)
