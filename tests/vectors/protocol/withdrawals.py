"""Vectors of section 9.8: which statements a withdrawal takes back."""

from dataclasses import dataclass, replace

from tests.builders import id16
from tests.vectors.protocol.case import Case, Json, VectorFile

ORG, OTHER = id16("org/one"), id16("org/two")
A, B = id16("subject/a"), id16("subject/b")


@dataclass(frozen=True)
class Said:
    """A statement as far as a withdrawal looks at it."""

    seq: int
    kind: int = 5
    log: bytes = id16("log/one")
    org: bytes = ORG
    stamp: int = 0
    subjects: tuple[bytes, ...] = (A,)
    refs: tuple["Said", ...] = ()
    sections: tuple[str, ...] = ("parameters",)

    @property
    def ref(self) -> dict[str, Json]:
        """How others name it."""
        return {"log": self.log.hex(), "seq": self.seq, "id16": id16(f"{self.log.hex()}/{self.seq}").hex()}

    def to_json(self) -> Json:
        """As the file has it."""
        return {
            **self.ref,
            "org": self.org.hex(),
            "kind": self.kind,
            "stamp": self.stamp or self.seq,
            "subjects": [subject.hex() for subject in self.subjects],
            "refs": [one.ref for one in self.refs],
            "sections": [{"name": name} for name in self.sections],
        }


def files() -> list[VectorFile]:
    """The file of this section."""
    return [VectorFile("withdrawal-effect", _cases())]


def _word(seq: int, *refs: Said, subjects: tuple[bytes, ...] = (A,)) -> Said:
    return Said(seq, 23, subjects=subjects, refs=refs, sections=("withdrawal",))


def _cases() -> list[Case]:
    said, moved = Said(1), Said(1, 7, subjects=(A, B), sections=("composition",))
    word = _word(2, said)
    elsewhere = replace(word, log=id16("log/new"))
    cases = [
        _case("own words", [said, word], {said: word}, "they count as not said"),
        _case("in any order", [word, said], {said: word}, "what came first decides nothing"),
        _case("from another log", [said, elsewhere], {said: elsewhere}, "one organisation, whichever its log"),
        _case("not here", [word], {}, "there is nothing to take back yet"),
        _case("somebody else's", [said, replace(word, org=OTHER, log=id16("log/two"))], {}, "own words only"),
        _case("twice", [said, _word(4, said), _word(3, said)], {said: _word(3, said)}, "the first one is shown"),
        _case("a withdrawal", [said, word, _word(3, word)], {said: word}, "a withdrawal is not withdrawn"),
        _case(
            "all its subjects", [moved, _word(2, moved, subjects=(B, A))], {moved: _word(2, moved)}, "both are named"
        ),
        _case("one of two subjects", [moved, _word(2, moved)], {}, "who folds the other one would not know"),
    ]
    for kind in (1, 2, 4, 5, 7):
        one = Said(1, kind)
        cases.append(_case(f"kind {kind}", [one, _word(2, one)], {one: _word(2, one)}, "a fact about a thing"))
    for kind in (3, 6, 9, 10, 13, 17, 19):
        one = Said(1, kind)
        cases.append(_case(f"kind {kind}", [one, _word(2, one)], {}, "it ends by a statement of its own"))
    shared = Said(1, 4, sections=("event", "authority"))
    cases.append(_case("an event with a party", [shared, _word(2, shared)], {}, "section authority: an act"))
    return cases


def _case(name: str, said: list[Said], withdrawn: dict[Said, Said], why: str) -> Case:
    given: dict[str, Json] = {"statements": [one.to_json() for one in said]}
    found: list[Json] = [{"of": one.ref, "by": word.ref} for one, word in withdrawn.items()]
    return Case(name, given, "accept", why, {"withdrawn": found})
