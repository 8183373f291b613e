"""Vectors of section 9.12: which sections of an entry erasures erase."""

from dataclasses import dataclass, replace

from federation.genesis import Genesis
from tests.builders import id16
from tests.vectors.protocol.case import Case, Json, VectorFile

AUTHOR, STRANGER = id16("org/author"), id16("org/stranger")
ANCHORS = tuple(sorted(id16(f"org/anchor {n}") for n in range(3)))
GENESIS = Genesis("Приборы учёта", ANCHORS, 2)
LOG, SEQ = id16("log/author"), 7
CLASSES = {"authority": 4, "mandate": 2, "note": 3, "person": 4, "photo.chunks": 4, "root-keys": 5}


@dataclass(frozen=True)
class Asked:
    """An erasure as far as its effect looks at it: which sections it names at the place of the entry."""

    seq: int
    org: bytes = AUTHOR
    names: tuple[str, ...] = ("person",)
    target: bytes = id16("entry")
    stamp: int = 0

    @property
    def ref(self) -> dict[str, Json]:
        """Where it stands."""
        log = id16(f"log/{self.org.hex()}")
        return {"log": log.hex(), "seq": self.seq, "id16": id16(f"{log.hex()}/{self.seq}").hex()}

    def to_json(self) -> Json:
        """As the file has it."""
        place: dict[str, Json] = {"log": LOG.hex(), "seq": SEQ, "id16": self.target.hex()}
        rows: list[Json] = [{**place, "name": name} for name in self.names]
        told: dict[str, Json] = {"org": self.org.hex(), "stamp": self.stamp or self.seq}
        return {**self.ref, **told, "rows": rows}


def files() -> list[VectorFile]:
    """The file of this section."""
    return [VectorFile("erasure-effect", _cases())]


def _cases() -> list[Case]:
    own = Asked(1)
    one, two, three = (Asked(n, org) for n, org in enumerate(ANCHORS, 2))
    later = replace(own, seq=9)
    return [
        _case("its author", [own], {"person": (own,)}, "the author alone"),
        _case("two sections", [replace(own, names=("person", "photo.chunks"))], {
            "person": (own,), "photo.chunks": (own,)}, "each row for itself"),
        _case("twice", [later, own], {"person": (own,)}, "the first word counts"),
        _case("another entry", [replace(own, target=id16("other"))], {}, "another statement stands at that place"),
        _case("no such section", [replace(own, names=("phone",))], {}, "it names nothing"),
        _case("technical", [replace(own, names=("mandate",))], {}, "corrected, not erased"),
        _case("commercial", [replace(own, names=("note",))], {}, "corrected, not erased"),
        _case("secret", [replace(own, names=("root-keys",))], {}, "class 4 only"),
        _case("authority", [replace(own, names=("authority",))], {}, "never an authority section, whatever its class"),
        _case("a stranger", [Asked(3, STRANGER)], {}, "neither the author nor an anchor"),
        _case("one anchor of two", [one], {}, "k = 2"),
        _case("one anchor twice", [one, replace(one, seq=8)], {}, "k organisations, not k words"),
        _case("an anchor and a stranger", [one, Asked(3, STRANGER)], {}, "a stranger is no anchor"),
        _case("two anchors", [two, one], {"person": (one, two)}, "k of them; it is erased since the last word needed"),
        _case("three anchors", [three, two, one], {"person": (one, two)}, "the first k"),
        _case("two anchors about different sections", [one, replace(two, names=("photo.chunks",))], {},
              "each section for itself"),
        _case("anchors before the author", [one, two, later], {"person": (later,)}, "the author's word is shown"),
        _case("nobody", [], {}, "nothing is erased"),
    ]  # fmt: skip


def _case(name: str, asked: list[Asked], erased: dict[str, tuple[Asked, ...]], why: str) -> Case:
    entry: dict[str, Json] = {"log": LOG.hex(), "seq": SEQ, "id16": id16("entry").hex(), "org": AUTHOR.hex()}
    entry["sections"] = [{"name": section, "class": klass} for section, klass in CLASSES.items()]
    given: dict[str, Json] = {"genesis": GENESIS.to_bytes().hex(), "entry": entry}
    given["erasures"] = [one.to_json() for one in asked]
    gives: list[Json] = [
        {
            "name": section,
            "by": sorted(one.org.hex() for one in said),
            "at": said[-1].stamp or said[-1].seq,
            "said": said[-1].ref,
        }
        for section, said in sorted(erased.items())
    ]
    return Case(name, given, "accept", why, {"erased": gives})
