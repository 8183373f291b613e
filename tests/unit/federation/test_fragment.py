"""Fragments: void, transport and shown faults, padding, versions."""

import hashlib
from dataclasses import replace

import pytest

from federation import codec
from federation.errors import CodecError, TransportError, VoidError
from federation.fragment import (
    MAX_FRAGMENT,
    MAX_SECTION,
    Fragment,
    Header,
    Ref,
    Section,
    SectionHead,
    check_sections,
    check_signature,
    commitment,
    decode_fragment,
    decode_header,
    pad,
    section_content,
    unpad,
)
from federation.keys import SIGNATURE_SIZE
from tests.builders import fragment, id16, section, seed, signing_key

LOG = id16("log")
KEY = signing_key("node")


def header_of(made: Fragment, seq: int = 0) -> Header:
    return decode_header(made.header, LOG, seq)


def later(*rest: codec.Value) -> bytes:
    return codec.pack([2, LOG, 0, 1, 4, [id16("subject")], *rest])


def test_fragment_reads_what_it_writes() -> None:
    """A fragment with every field filled survives its envelope."""
    made = fragment(
        3,
        section("body", b"{}"),
        section("owner", b"yes", 4),
        subjects=[id16("a"), id16("b")],
        prev=1,
        refs=[Ref(LOG, 1, id16("x"))],
        auth=[Ref(LOG, 2, id16("y"))],
    )

    read = decode_fragment(made.to_bytes())

    assert read == made
    header = header_of(read, 3)
    assert header.subject == id16("a")
    assert (header.prev, header.refs, header.auth) == (1, (Ref(LOG, 1, id16("x")),), (Ref(LOG, 2, id16("y")),))
    check_signature(read, KEY.public)
    check_sections(read, header)


def test_id_and_leaf_are_over_the_bytes() -> None:
    """The id is over the header as it came, the leaf over id and signature."""
    made = fragment()
    assert made.id == hashlib.sha256(b"\x10" + made.header).digest()
    assert made.leaf == hashlib.sha256(b"\0" + made.id + made.signature).digest()


def test_commitment_is_bound_to_log_and_name() -> None:
    """The same bytes under another log, name or salt have another commitment; no two fields run together."""
    base = commitment(LOG, "body", id16("salt"), b"{}")
    others = {
        commitment(id16("other"), "body", id16("salt"), b"{}"),
        commitment(LOG, "bodx", id16("salt"), b"{}"),
        commitment(LOG, "bod", b"y" + id16("salt")[:15], id16("salt")[15:] + b"{}"),
        commitment(LOG, "body", id16("other"), b"{}"),
        commitment(LOG, "body", id16("salt"), b"[]"),
    }
    assert base not in others
    assert len(others) == 5


def test_writer_refuses_what_would_be_void() -> None:
    """A node never signs an entry that its readers would call void."""
    for wrong in (
        {"kind": 0},
        {"subjects": [id16("a"), id16("a")]},
        {"subjects": [id16(str(n)) for n in range(5)]},
        {"refs": [Ref(LOG, n, id16("x")) for n in range(17)]},
        {"auth": [Ref(LOG, n, id16("x")) for n in range(9)]},
        {"stamp": -1},
    ):
        with pytest.raises(CodecError):
            fragment(0, **wrong)
    for sections in (
        [section("Body")],
        [section("a"), section("a")],
        [section(f"s{n}") for n in range(17)],
        [section("a", bytes(MAX_SECTION + 1))],
        [section(f"s{n}", bytes(MAX_SECTION)) for n in range(4)],
        [section("a", bytes(MAX_SECTION - 3), 3)],
    ):
        with pytest.raises(CodecError):
            fragment(0, *sections)


def test_header_over_4_kib_is_the_senders_fault() -> None:
    """4,096 bytes of header are judged, 4,097 are a broken envelope."""
    signature = bytes(SIGNATURE_SIZE)
    assert decode_fragment(codec.pack([bytes(4096), signature, []])).header == bytes(4096)
    with pytest.raises(TransportError, match="header"):
        decode_fragment(codec.pack([bytes(4097), signature, []]))


def test_largest_header_fits() -> None:
    """Sixteen sections, refs and auth at their limits with the longest numbers stay under 4 KiB."""
    refs = [Ref(LOG, 2**63 - 1, id16(str(n))) for n in range(16)]
    heads = [section(f"{n:02}" + "n" * 22, b"") for n in range(16)]
    made = fragment(0, *heads, subjects=[id16(str(n)) for n in range(4)], refs=refs, auth=refs[:8], stamp=2**63 - 1)
    assert len(made.header) <= 4096


def test_envelope_over_its_limit() -> None:
    """An envelope over 1 MiB + 64 KiB is refused unread."""
    with pytest.raises(TransportError, match="at most"):
        decode_fragment(bytes(MAX_FRAGMENT + 1))


def test_largest_fragment_fits_its_envelope() -> None:
    """Sections of 1 MiB - 8 KiB together, the largest sum, are carried."""
    made = fragment(0, *(section(f"s{n}", bytes(MAX_SECTION)) for n in range(3)), section("s3", bytes(253952)))
    assert decode_fragment(made.to_bytes()) == made


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not msgpack"),
        (b"\x90", "version"),
        (codec.pack([1, LOG, 0]), "11 values"),
        (codec.pack([0, LOG, 0, 1, 4, [id16("s")]]), "version"),
        (codec.pack([2, LOG, 0, 1, 4]), "six fields"),
        (codec.pack([2, id16("x"), 0, 1, 4, [id16("s")]]), "the header says log"),
        (codec.pack([2, LOG, 1, 1, 4, [id16("s")]]), "the header says log"),
    ],
)
def test_header_that_is_void(raw: bytes, why: str) -> None:
    """What cannot be read as a header of its place is void, with the place and the reason."""
    with pytest.raises(VoidError, match=f"log {LOG.hex()} seq 0: .*{why}"):
        decode_header(raw, LOG, 0)


def test_void_entry_keeps_its_leaf() -> None:
    """A void entry has an id and a leaf, so that the log goes on."""
    void = Fragment(b"\xc3", KEY.sign_hash("fragment", hashlib.sha256(b"\x10\xc3").digest()))
    with pytest.raises(VoidError):
        header_of(void)
    check_signature(void, KEY.public)
    assert len(void.leaf) == 32


def test_signature_that_does_not_hold_is_void() -> None:
    """A bad signature is the author's fault: its leaf was under his root."""
    made = fragment()
    for signature in (bytes(65), b"\2" + made.signature[1:], KEY.sign_hash("log", made.id)):
        with pytest.raises(VoidError):
            check_signature(replace(made, signature=signature), KEY.public)
    with pytest.raises(VoidError):
        check_signature(made, signing_key("x").public)


def test_sections_may_be_withheld() -> None:
    """Any of the sections may be left out; the rest stands in header order."""
    made = fragment(0, section("a"), section("b"), section("c"))
    for kept in ((), made.sections[:1], made.sections[1:], made.sections[::2]):
        check_sections(replace(made, sections=tuple(kept)), header_of(made))
    for order in (made.sections[::-1], (made.sections[0], made.sections[0])):
        with pytest.raises(TransportError, match="not those of the header"):
            check_sections(replace(made, sections=tuple(order)), header_of(made))


def test_section_off_its_commitment_is_the_senders_fault() -> None:
    """Altered bytes, salt or name are no fault of the author."""
    made = fragment()
    only = made.sections[0]
    for wrong in (replace(only, data=b"[]"), replace(only, salt=id16("x")), replace(only, name="other")):
        with pytest.raises(TransportError):
            check_sections(replace(made, sections=(wrong,)), header_of(made))


def test_secret_section_in_clear() -> None:
    """Class 5 travels sealed only, even under its commitment."""
    made = fragment(0, section("keys", b"0123456789abcdef", 5))
    with pytest.raises(TransportError, match="sealed only"):
        check_sections(made, header_of(made))
    check_sections(replace(made, sections=(Section("keys", None, b"sealed"),)), header_of(made))


def test_later_version_is_kept_and_not_read() -> None:
    """A later version has its first fields read; its sections are nobody's fault."""
    header = decode_header(later("new", [1]), LOG, 0)
    assert (header.version, header.kind, header.sections) == (2, 4, ())
    raw = later()
    entry = Fragment(raw, bytes(65), (Section("body", id16("salt"), b"{}"),))
    check_sections(entry, decode_header(raw, LOG, 0))


@pytest.mark.parametrize(("length", "size"), [(0, 64), (60, 64), (61, 128), (124, 128), (125, 256), (2044, 2048)])
def test_padding_hides_the_length(length: int, size: int) -> None:
    """Content is padded to the smallest 64 * 2^k, and yes and no look alike."""
    assert len(pad(b"x" * length)) == size
    assert unpad(pad(b"x" * length)) == b"x" * length
    assert len(pad(b"yes")) == len(pad(b"no"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(3),
        bytes(4),
        bytes(63),
        b"\0\0\0\x3d" + bytes(60),
        pad(b"abc")[:-1] + b"\1",
        pad(b"abc") + bytes(64),
        b"\xff\xff\xff\xff" + bytes(60),
    ],
)
def test_padding_that_is_wrong(data: bytes) -> None:
    """Padding has one form; anything else makes the section unreadable."""
    with pytest.raises(CodecError):
        unpad(data)


def test_section_of_another_size_is_shown_as_unreadable() -> None:
    """The right commitment with the wrong size is a flaw to show, not to refuse."""
    head = SectionHead("body", seed("c"), 2, 0)
    assert section_content(head, b"{}") == b"{}"
    with pytest.raises(CodecError, match="3 bytes, the header says 2"):
        section_content(head, b"{} ")
    assert section_content(SectionHead("o", seed("c"), 64, 4), pad(b"x")) == b"x"
    assert section_content(SectionHead("o", seed("c"), 64, 9), pad(b"x")) == b"x"
