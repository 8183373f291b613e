"""The sections that the federation reads."""

import pytest

from federation import codec
from federation.authority import (
    Attestation,
    Attested,
    Authority,
    Kind,
    Verb,
    Witness,
    pack_erase,
    pack_log_keys,
    pack_witnesses,
    unpack_erase,
    unpack_log_keys,
    unpack_witnesses,
)
from federation.errors import CodecError, FederationError, KeyRefusedError
from federation.fragment import Ref
from tests.builders import STAMP, box_key, id16, signing_key

IDS = [bytes(15) + bytes([n]) for n in range(6)]


@pytest.mark.parametrize("verb", Verb)
def test_authority_reads_what_it_writes(verb: Verb) -> None:
    """An authority section of each verb survives, with lists, nil and times."""
    for made in (
        Authority(verb, id16("party")),
        Authority(verb, id16("party"), ("b", "aa"), None, (0, 2, 200), STAMP, STAMP + 1),
        Authority(verb, id16("party"), (), tuple(IDS), (), None, 0),
    ):
        assert Authority.from_bytes(made.to_bytes()) == made


def test_authority_over_mine_is_not_over_nothing() -> None:
    """Nil subjects mean all of the author's; an empty list means none."""
    mine, none = Authority(Verb.READ, IDS[0], subjects=None), Authority(Verb.READ, IDS[0], subjects=())
    assert Authority.from_bytes(mine.to_bytes()).subjects is None
    assert Authority.from_bytes(none.to_bytes()).subjects == ()


@pytest.mark.parametrize(
    "made",
    [
        Authority(Verb.READ, b"short"),
        Authority(Verb.READ, IDS[0], ("b", "a")),
        Authority(Verb.READ, IDS[0], ("a", "a")),
        Authority(Verb.READ, IDS[0], ("",)),
        Authority(Verb.READ, IDS[0], tuple(f"{n:02}" for n in range(65))),
        Authority(Verb.READ, IDS[0], (), (IDS[1], IDS[0])),
        Authority(Verb.READ, IDS[0], (), (b"short",)),
        Authority(Verb.READ, IDS[0], (), (), (2, 1)),
        Authority(Verb.READ, IDS[0], (), (), tuple(range(17))),
    ],
)
def test_authority_that_breaks_a_rule(made: Authority) -> None:
    """Lists that do not ascend, doubles and limits are refused by the reader."""
    with pytest.raises(CodecError):
        Authority.from_bytes(made.to_bytes())


@pytest.mark.parametrize("verb", [0, 10, None, "read"])
def test_unknown_verb(verb: codec.Value) -> None:
    """A verb is one of nine numbers."""
    with pytest.raises(CodecError):
        Authority.from_bytes(codec.pack([verb, IDS[0], [], [], [], None, None]))


@pytest.mark.parametrize("what", Attested)
def test_attestation_reads_what_it_writes(what: Attested) -> None:
    """An attestation of each kind survives."""
    made = Attestation(id16("federation"), what, id16("org"), ("inn:7707083893",), STAMP, None)
    assert Attestation.from_bytes(made.to_bytes()) == made


@pytest.mark.parametrize("what", [0, 8, None])
def test_unknown_attestation(what: codec.Value) -> None:
    """What is attested is one of seven."""
    with pytest.raises(CodecError):
        Attestation.from_bytes(codec.pack([IDS[0], what, IDS[1], [], None, None]))


def test_witnesses_read_what_they_write() -> None:
    """Up to five witnesses, ascending."""
    made = [Witness(org, f"passport/witness/{n}", signing_key(f"w{n}").public) for n, org in enumerate(IDS)]
    for count in range(6):
        assert unpack_witnesses(pack_witnesses(made[:count])) == made[:count]
    for wrong in (made, made[1::-1], [made[0], made[0]]):
        with pytest.raises(CodecError):
            unpack_witnesses(pack_witnesses(wrong))


def test_witness_that_would_count_twice() -> None:
    """One organisation, or one key under two names, is one voice in a quorum."""
    one, two = signing_key("w1").public, signing_key("w2").public
    for wrong in (
        [Witness(IDS[0], "a", one), Witness(IDS[0], "b", two)],
        [Witness(IDS[0], "a", one), Witness(IDS[1], "b", one)],
    ):
        with pytest.raises(CodecError, match="count twice"):
            unpack_witnesses(pack_witnesses(wrong))


def test_witness_with_a_key_of_small_order() -> None:
    """A key for which anybody could cosign is refused."""
    with pytest.raises(KeyRefusedError):
        unpack_witnesses(pack_witnesses([Witness(IDS[0], "a", b"\1" + bytes(32))]))


def test_log_keys_read_what_they_write() -> None:
    """A witness key and a box key, in this order."""
    witness, box = signing_key("w").public, box_key("w").public
    assert unpack_log_keys(pack_log_keys(witness, box)) == (witness, box)
    for wrong in ((box, witness), (witness, witness), (witness, b"\2" + bytes(32)), (b"", box)):
        with pytest.raises(FederationError):
            unpack_log_keys(pack_log_keys(*wrong))


def test_erase_reads_what_it_writes() -> None:
    """Sections named one by one, ascending, at most 64."""
    made = [(Ref(id16("log"), n, id16("entry")), "owner") for n in range(65)]
    assert unpack_erase(pack_erase(made[:64])) == made[:64]
    for wrong in (made, made[1::-1], [made[0], made[0]], [(made[0][0], "x" * 25)]):
        with pytest.raises(CodecError):
            unpack_erase(pack_erase(wrong))


def test_kinds_are_those_of_the_page() -> None:
    """Kinds are 1 to 23 without a gap."""
    assert [int(kind) for kind in Kind] == list(range(1, 24))
