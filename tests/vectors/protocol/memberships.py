"""Vectors of section 9.10: where organisations stand, and what counts of those that were ended."""

from dataclasses import dataclass, field, replace

from federation import codec
from federation.authority import Attestation, Attested, Authority, Verb
from federation.cut import Cut, CutRow
from federation.genesis import Genesis
from tests.builders import id16, seed
from tests.vectors.protocol.case import Case, Json, VectorFile

ANCHORS = tuple(sorted(id16(f"membership/anchor/{n}") for n in range(3)))
A, B, C = ANCHORS
MAKER, GUEST, LAB = (id16(f"membership/{name}") for name in ("maker", "guest", "lab"))
GENESIS = Genesis("Трое", ANCHORS, 2)
LOG = id16("membership/log")
ROOTS = {size: seed(f"membership/root/{size}") for size in range(1, 10)}


@dataclass(frozen=True)
class Said:
    """A statement as far as memberships look at it."""

    org: bytes
    kind: int
    subjects: tuple[bytes, ...]
    seq: int = 1
    log: bytes = b""
    refs: tuple["Said", ...] = ()
    sections: dict[str, bytes] = field(default_factory=dict, hash=False)

    @property
    def ref(self) -> dict[str, Json]:
        """How others name it."""
        log = self.log or self.org
        return {"log": log.hex(), "seq": self.seq, "id16": id16(f"{log.hex()}/{self.seq}").hex()}

    def to_json(self) -> Json:
        """As the file has it."""
        return {
            **self.ref,
            "org": self.org.hex(),
            "kind": self.kind,
            "stamp": self.seq,
            "subjects": [subject.hex() for subject in self.subjects],
            "refs": [one.ref for one in self.refs],
            "sections": {name: content.hex() for name, content in self.sections.items()},
        }


def files() -> list[VectorFile]:
    """The file of this section."""
    return [VectorFile("membership", _cases())]


def number(anchor: bytes, org: bytes = MAKER, *, until: int | None = None, row: str = "inn:1", seq: int = 1) -> Said:
    """An anchor attests a number."""
    body = Attestation(GENESIS.id, Attested.NUMBER, org, (row,), None, until)
    return Said(anchor, 16, (org,), seq, sections={"attest": body.to_bytes()})


def vouch(member: bytes, org: bytes, *, seq: int = 2) -> Said:
    """A member speaks for an organisation."""
    body = Authority(Verb.MEMBER, org, ("guest",), (GENESIS.id,))
    return Said(member, 16, (org, GENESIS.id), seq, sections={"authority": body.to_bytes()})


def end(author: bytes, org: bytes, size: int = 0, *, row: str = "member", seq: int = 3) -> Said:
    """A membership ends, or a vouch."""
    body = Authority(Verb.END, org, (row,), (GENESIS.id,))
    cut = Cut((CutRow(LOG, size, ROOTS[size]),) if size else ())
    sections = {"authority": body.to_bytes(), "cut": codec.pack(cut.to_value())}
    return Said(author, 18, (org, GENESIS.id), seq, sections=sections)


def _cases() -> list[Case]:
    joined = [number(A), number(B)]
    expelled = [end(A, MAKER, 5), end(B, MAKER, 3)]
    gone = replace(end(MAKER, MAKER, 2), log=LOG, seq=7)
    vouched = vouch(MAKER, GUEST)
    taken = replace(end(MAKER, GUEST, row="guest"), refs=(vouched,))
    is_maker, is_guest = {MAKER: "member"}, {MAKER: "member", GUEST: "guest"}
    lost = {MAKER: "expelled"}
    wide = [replace(end(A, MAKER, 9, seq=4), refs=(expelled[0],)), end(B, MAKER, 9, seq=4)]
    undone = replace(number(B, seq=5), refs=(expelled[1],))
    back = [replace(number(anchor, seq=8), refs=(gone,)) for anchor in (A, B)]
    return [
        _case("anchors alone", [], {}, "they stand in the genesis"),
        _case("a number by two of three", joined, is_maker, "k anchors attest it"),
        _case("a number by one of three", joined[:1], {}, "k is 2"),
        _case("one anchor twice", [number(A), number(A, seq=2)], {}, "an anchor has one voice"),
        _case("two numbers by one anchor each", [number(A), number(B, row="inn:2")], {}, "the same rows"),
        _case("a number with an end", [number(A), number(B, until=5)], {}, "the one by B has an end"),
        _case("a number that was corrected", [*joined, replace(number(B, until=5, seq=2), refs=(joined[1],))], {},
              "B says an end by now"),
        _case("a guest of a member", [*joined, vouched], is_guest, "a member vouches"),
        _case("a guest of an anchor", [vouch(A, GUEST)], {GUEST: "guest"}, "an anchor is a member"),
        _case("a guest of a guest", [vouch(A, GUEST), vouch(GUEST, LAB)], {GUEST: "guest"}, "guests vouch for nobody"),
        _case("a circle", [vouch(LAB, GUEST), vouch(GUEST, LAB)], {}, "neither is a member"),
        _case("a vouch for oneself", [vouch(GUEST, GUEST)], {}, "nobody vouches for himself"),
        _case("a vouch taken back", [*joined, vouched, taken], is_maker, "the end is not below the vouch"),
        _case("a vouch anew", [*joined, vouched, taken, replace(vouch(MAKER, GUEST, seq=4), refs=(taken,))], is_guest,
              "the second vouch stands above the end"),
        _case("expelled by two", [*joined, *expelled], lost, "the second largest size counts", {MAKER: 3}),
        _case("expelled by one", [*joined, expelled[0]], is_maker, "k is 2"),
        _case("expelled by three", [*joined, *expelled, end(C, MAKER, 7)], lost, "of 7, 5 and 3", {MAKER: 5}),
        _case("cuts that are widened", [*joined, *expelled, *wide], lost, "each anchor's widest", {MAKER: 9}),
        _case("expelled with empty cuts", [end(A, MAKER), end(B, MAKER)], lost, "no log is named", {MAKER: 0}),
        _case("a guest of the expelled", [*joined, vouched, *expelled], lost, "its voucher is no member", {MAKER: 3}),
        _case("an expulsion undone", [*joined, *expelled, undone], is_maker, "B spoke for it above its end"),
        _case("spoken for beside the end", [*joined, *expelled, number(B, seq=5)], lost, "not above it", {MAKER: 3}),
        _case("an anchor is not ended", [end(B, A, 5), end(C, A, 5)], {}, "another set is another genesis"),
        _case("left", [*joined, gone], {MAKER: "left"}, "up to its own word, in the log of it", {MAKER: 8}),
        _case("left, in another log", [*joined, replace(gone, log=MAKER)], {MAKER: "left"}, "by its cut", {MAKER: 2}),
        _case("left after a vouch", [*joined, vouch(A, MAKER), gone], {MAKER: "left"}, "not above", {MAKER: 8}),
        _case("left and back", [*joined, gone, *back], is_maker, "both numbers stand above the leaving"),
        _case("left and half back", [*joined, gone, back[0]], {MAKER: "left"}, "one of two", {MAKER: 8}),
        _case("left and invited", [*joined, gone, replace(vouch(A, MAKER, seq=9), refs=(gone,))], {MAKER: "guest"},
              "a vouch above the leaving"),
        _case("ended by a stranger", [*joined, end(LAB, MAKER, 5), end(GUEST, MAKER, 5)], is_maker, "no anchors"),
        _case("not said to the federation", [*joined, *[replace(one, subjects=(MAKER,)) for one in expelled]], is_maker,
              "the federation is no subject of it"),
    ]  # fmt: skip


def _case(
    name: str, said: list[Said], stands: dict[bytes, str], why: str, counted: dict[bytes, int] | None = None
) -> Case:
    standings = {**dict.fromkeys(ANCHORS, "anchor"), **stands}
    given: dict[str, Json] = {
        "genesis": GENESIS.to_bytes().hex(),
        "statements": [one.to_json() for one in said],
        "log": LOG.hex(),
        "roots": {str(size): root.hex() for size, root in ROOTS.items()},
    }
    gives: dict[str, Json] = {
        "standings": [{"org": org.hex(), "standing": standing} for org, standing in sorted(standings.items())],
        "counted": [{"org": org.hex(), "size": size} for org, size in sorted((counted or {}).items())],
    }
    return Case(name, given, "accept", why, gives)
