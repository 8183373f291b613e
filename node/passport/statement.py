"""A fragment as the merge sees it: who said what about which subject, and which sections may be read here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from federation.errors import CodecError
from federation.fragment import Fragment, Header, Ref, section_content


@dataclass(frozen=True, slots=True, order=True)
class Erased:
    """A section that is gone: by whose words, when the last of them was said that was needed, why, and where."""

    by: tuple[bytes, ...]
    at: int
    ground: str
    said: Ref


@dataclass(frozen=True, slots=True)
class Statement:
    """One counted entry of one log. `sections` holds the contents that are readable here."""

    ref: Ref
    id: bytes
    org: bytes
    kind: int
    subjects: tuple[bytes, ...]
    stamp: int
    occurred: int
    refs: tuple[Ref, ...] = ()
    auth: tuple[Ref, ...] = ()
    sections: Mapping[str, bytes] = field(default_factory=dict)
    withheld: tuple[tuple[str, int], ...] = ()
    faults: tuple[str, ...] = ()
    cut: tuple[tuple[bytes, int], ...] = ()  # rows of its section `cut` whose root is that of the log
    classes: tuple[tuple[str, int], ...] = ()  # of all its sections
    erased: tuple[tuple[str, Erased], ...] = ()  # sections whose bytes are gone, which are not among `withheld`

    @property
    def subject(self) -> bytes:
        """The subject that is spoken about."""
        return self.subjects[0]

    @property
    def limit(self) -> tuple[tuple[bytes, int], ...] | None:
        """Up to which sizes logs count by its section `cut`, no other log counts; None where it has none."""
        return self.cut if any(name == "cut" for name, _ in self.classes) else None

    @property
    def order(self) -> tuple[int, bytes, int]:
        """How ties of one organisation are broken: stamp, log, seq."""
        return (self.stamp, self.ref.log, self.ref.seq)


def read_statement(fragment: Fragment, header: Header, org: bytes) -> Statement:
    """Take what is readable out of a verified entry; a section of wrong size or padding is a fault, not an error."""
    contents: dict[str, bytes] = {}
    faults: list[str] = []
    present = {section.name: section for section in fragment.sections if section.salt is not None}
    for head in header.sections:
        section = present.get(head.name)
        if section is None:
            continue
        try:
            contents[head.name] = section_content(head, section.data)
        except CodecError as error:
            faults.append(f"{head.name}: {error}")
    withheld = tuple((head.name, head.klass) for head in header.sections if head.name not in present)
    entry = fragment.id
    return Statement(
        Ref(header.log, header.seq, entry[:16]),
        entry,
        org,
        header.kind,
        header.subjects,
        header.stamp,
        header.occurred,
        header.refs,
        header.auth,
        contents,
        withheld,
        tuple(faults),
        classes=tuple((head.name, head.klass) for head in header.sections),
    )
