"""The directory: keys, marks, holders, and lists that are brought level."""

import hashlib
import itertools

import pytest

from federation import codec
from federation.directory import (
    ALL_HOLD,
    BUCKETS,
    HOLDERS,
    MARK_SIZE,
    NO_LIST,
    Seats,
    alias_key,
    bucket_digest,
    bucket_of,
    by_bucket,
    has_mark,
    join_marks,
    list_digest,
    mark_of,
)
from federation.errors import FederationError, RemoteProtocolError
from federation.sync.announcing import (
    FULL,
    MAX_KEYS,
    Announced,
    Referral,
    decode_differing,
    decode_refer,
    decode_referrals,
    encode_differing,
    encode_refer,
    encode_referrals,
    whole_lists,
)
from tests.builders import id16


def seats(count: int) -> dict[bytes, bytes]:
    """So many members."""
    return {id16(f"org/{n}"): id16(f"seat/{n}") for n in range(count)}


def mark(n: int) -> bytes:
    """A mark anywhere."""
    return hashlib.sha256(n.to_bytes(8)).digest()[:MARK_SIZE]


def test_alias_key_hashes_scheme_and_value_apart() -> None:
    """The key is the hash of both as canonical msgpack, so that no value of one scheme is one of another."""
    said = b"passport/alias/1\n" + codec.pack(["number", "00012345"])

    assert alias_key("number", "00012345") == hashlib.sha256(said).digest()[:16]
    assert len({alias_key("number", "1"), alias_key("dev_eui", "1"), alias_key("number", "11")}) == 3


def test_everybody_holds_everything_up_to_eight_members() -> None:
    """A small federation needs no choice of holders."""
    small, large = Seats(seats(ALL_HOLD)), Seats(seats(ALL_HOLD + 1))

    assert all(set(small.holders(bucket)) == set(small.seats) for bucket in range(0, BUCKETS, 97))
    assert all(len(set(large.holders(bucket))) == HOLDERS for bucket in range(0, BUCKETS, 97))


def test_holders_share_the_buckets_evenly() -> None:
    """Of fifty members none holds twice its share."""
    held = Seats(seats(50)).held_by()

    share = BUCKETS * HOLDERS / 50
    assert sum(map(len, held.values())) == BUCKETS * HOLDERS
    assert all(share / 2 < len(buckets) < share * 2 for buckets in held.values())


def test_member_that_joins_or_leaves_moves_its_own_share_alone() -> None:
    """Where one joins, no bucket goes from one old holder to another; where it leaves, the same back."""
    before, after = Seats(seats(30)), Seats(seats(31))
    newcomer = (after.seats.keys() - before.seats.keys()).pop()

    for bucket in range(BUCKETS):
        old, new = set(before.holders(bucket)), set(after.holders(bucket))
        assert new - old <= {newcomer}
        assert len(old - new) <= 1


def test_order_of_members_decides_nothing() -> None:
    """Equal seats give equal holders, in whatever order they became known."""
    one = seats(12)
    other = dict(reversed(one.items()))

    assert Seats(one) == Seats(other)
    assert [Seats(one).holders(n) for n in range(64)] == [Seats(other).holders(n) for n in range(64)]


def test_mark_is_found_in_its_bucket_alone() -> None:
    """A list is searched by halves; neighbours and parts of marks are no marks."""
    marks = sorted({mark(n) for n in range(500)})
    raw = join_marks(reversed(marks))

    assert all(has_mark(raw, one) for one in marks)
    assert not any(has_mark(raw, mark(n)) for n in range(500, 1000))
    assert not has_mark(raw, raw[4 : 4 + MARK_SIZE])
    assert not has_mark(b"", mark(1))
    assert all(bucket_of(one) == bucket for bucket, some in by_bucket(marks).items() for one in some)
    assert mark_of(id16("x")) == id16("x")[:8]


def test_lists_that_differ_are_level_after_the_buckets_that_differ() -> None:
    """One question tells whether lists are equal; if not, the digests tell which buckets travel."""
    mine = {bucket: join_marks(some) for bucket, some in by_bucket(map(mark, range(3000))).items()}
    theirs = {bucket: join_marks(some) for bucket, some in by_bucket(map(mark, range(40, 3040))).items()}

    def digests(held: dict[int, bytes]) -> dict[int, bytes]:
        return {bucket: bucket_digest(marks) for bucket, marks in held.items() if marks}

    there = decode_differing(encode_differing(digests(theirs)))
    assert there is not None
    differing = [b for b in {*mine, *there} if digests(mine).get(b) != there.get(b)]
    for asked in whole_lists(list_digest(digests(mine)), {b: mine.get(b, b"") for b in differing}):
        theirs |= Announced.from_bytes(asked.to_bytes()).whole

    assert len(differing) <= 80
    assert list_digest(digests(theirs)) == asked.list == list_digest(digests(mine))
    assert list_digest({}) == NO_LIST


def test_large_list_travels_in_questions_of_bounded_size() -> None:
    """A hundred thousand keys are 800 kB of marks; each question stays below what a node takes."""
    buckets = {bucket: join_marks(some) for bucket, some in by_bucket(map(mark, range(100_000))).items()}

    asked = [one.to_bytes() for one in whole_lists(bytes(16), buckets)]

    assert len(asked) == 2
    assert all(len(raw) < FULL + 16 * BUCKETS for raw in asked)
    assert sum(map(len, asked)) < 100_000 * MARK_SIZE + 8 * BUCKETS
    assert [Announced.from_bytes(raw).list for raw in asked] == [None, bytes(16)]


BUCKET = bucket_of(b"\x12\x30" + bytes(6))
REFUSED = {
    "no array": codec.pack([]),
    "a mark of another bucket": codec.pack([None, [[BUCKET + 1, b"\x12\x30" + bytes(6)]], b"", b""]),
    "marks that do not ascend": codec.pack([None, [], mark(1) + mark(1), b""]),
    "half a mark": codec.pack([None, [], b"1234", b""]),
    "a bucket that is none": codec.pack([None, [[BUCKETS, b""]], b"", b""]),
    "buckets in disorder": codec.pack([None, [[2, b""], [1, b""]], b"", b""]),
    "a bucket twice": codec.pack([None, [[1, b""], [1, b""]], b"", b""]),
    "a list of another size": codec.pack([b"12345678", [], b"", b""]),
    "too many marks": codec.pack([None, [], bytes(8 * 65_537), b""]),
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_announcement_in_disorder_is_refused(raw: bytes) -> None:
    """What is no list of marks is the sender's fault, and nothing of it is kept."""
    with pytest.raises(RemoteProtocolError):
        Announced.from_bytes(raw)


def test_referrals_come_back_for_each_key() -> None:
    """A holder answers for each key by itself; an answer for another number of keys is refused."""
    keys = [id16("one"), id16("two")]
    said = [(Referral(id16("org"), id16("node"), 5),), ()]

    assert decode_refer(encode_refer(keys)) == keys
    assert decode_referrals(encode_referrals(said), 2) == said
    with pytest.raises(RemoteProtocolError):
        decode_referrals(encode_referrals(said), 1)
    with pytest.raises(FederationError):
        decode_refer(encode_refer([id16(str(n)) for n in range(MAX_KEYS + 1)]))


def test_no_two_buckets_make_one_list() -> None:
    """A digest of a list names its buckets: moved marks are another list."""
    digests = [{1: b"12345678"}, {2: b"12345678"}, {1: b"12345678", 2: b"12345678"}, {}]

    assert len({list_digest(one) for one in digests}) == len(digests)
    assert all(a != b for a, b in itertools.combinations(map(list_digest, digests), 2))
