"""What of a passport goes out when it is issued: by the right of a party, and under a profile.

A profile narrows what the party behind it may read. Without a party it narrows what this organisation may open to
others: a file is handed on, so nothing goes into it that a grant of ours could not open. Secrets never go out so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from federation.authority import Verb
from federation.fragment import Header, SectionClass
from node.passport.case import Case
from node.passport.grants import Grant
from node.passport.profiles import Profile
from node.passport.rights import Right, granted, may_open, may_read_entry
from node.passport.statement import Statement
from node.services.disclosure import Place, View

ANYBODY = bytes(16)  # whom a passport is issued to where nobody is named


class Sieve(Protocol):
    """Lets headers and sections through."""

    def shows(self, header: Header, /) -> bool:
        """Whether the header goes out."""
        ...

    def opens(self, header: Header, name: str, klass: int, /) -> bool:
        """Whether a section does."""
        ...


@dataclass(frozen=True, slots=True)
class Upto:
    """Every header, and sections up to a class: all that is not secret, or what is published."""

    klass: SectionClass

    def shows(self, _header: Header) -> bool:
        """Every header."""
        return True

    def opens(self, _header: Header, _name: str, klass: int) -> bool:
        """Every section up to the class."""
        return klass <= self.klass


EVERYTHING, PUBLISHED = Upto(SectionClass.PERSONAL), Upto(SectionClass.AUTHORITY)


@dataclass(frozen=True, slots=True)
class ByRight:
    """What a party may read."""

    view: View

    def shows(self, header: Header) -> bool:
        """By its right, or as a ground."""
        return self.view.shows(header)

    def opens(self, header: Header, name: str, klass: int) -> bool:
        """By its right."""
        return klass < SectionClass.SECRET and self.view.shows_section(header, name, klass)


@dataclass(frozen=True, slots=True)
class ByOwnRight:
    """What this organisation may open to anybody: as a grant of ours to read all classes would."""

    said: Mapping[Place, Statement]
    rights: tuple[Right, ...] = field(default=())

    @classmethod
    def of(cls, case: Case, own: bytes, published: Iterable[Statement] = ()) -> "ByOwnRight":
        """The rights that such a grant would give over a passport."""
        classes = frozenset(klass for klass in map(int, SectionClass) if klass < SectionClass.SECRET)
        said = replace(case.statements[0], org=own)
        grant = Grant(said, Verb.READ, ANYBODY, classes=classes, things=case.subjects)
        rights = (right for subject, facts in case.facts.items() for right in granted(subject, grant, facts))
        places = {(one.ref.log, one.ref.seq): one for one in (*case.told, *published)}
        return cls(places, tuple(rights))

    def shows(self, header: Header) -> bool:
        """What we may tell others of."""
        statement = self.said.get((header.log, header.seq))
        return statement is not None and may_read_entry(ANYBODY, statement, self.rights)

    def opens(self, header: Header, name: str, klass: int) -> bool:
        """What we may open to others."""
        statement = self.said.get((header.log, header.seq))
        return statement is not None and may_open(ANYBODY, statement, klass, self.rights, name)


@dataclass(frozen=True, slots=True)
class UnderProfile:
    """What is let through, as far as a profile names it; without headers of all, statements of which it shows some."""

    inner: Sieve
    profile: Profile

    def shows(self, header: Header) -> bool:
        """Every header that may be seen, or those of which something is shown."""
        if not self.inner.shows(header):
            return False
        return self.profile.headers or any(self.opens(header, head.name, head.klass) for head in header.sections)

    def opens(self, header: Header, name: str, klass: int) -> bool:
        """What both let through."""
        return self.profile.shows(header.kind, name, klass) and self.inner.opens(header, name, klass)
