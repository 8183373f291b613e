"""Profiles: which parts of a passport a kind of party is shown, published as statements of kind 12.

A profile narrows and never widens: who is granted something by a profile, or is issued a passport under one, is shown
what the right behind it opens and the profile names. Secret sections stand in no profile. A publication is named by the
first 16 bytes of its id, so that a grant by a profile means these bytes for ever; a later version is another one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from federation.authority import Kind
from federation.fragment import Ref, SectionClass
from node.passport.bodies import Body, Line
from node.passport.errors import PassportError
from node.passport.statement import Statement

SECTION = "profile"
GRANT_ROW = "profile:"  # in the rows of a grant to read: and the publication's id in hex
SHIPPED = ("manufacturer", "owner", "service", "utility", "lab", "public")
ANY = "*"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
KindName = Literal["*", "identity", "alias", "sameness", "event", "parameter", "protocol", "composition", "process",
                   "party", "shipment", "closing", "grant", "end", "erasure", "erasure-ack", "correction",
                   "withdrawal"]  # fmt: skip
RoleName = Literal["manufacturer", "title", "responsible", "settlement", "process_owner", "process_executor",
                   "data_source", "network"]  # fmt: skip
SectionName = Annotated[str, StringConstraints(pattern=r"^([a-z0-9_./-]{1,24}|[a-z0-9_./-]{0,23}\*)$")]
Class = Annotated[int, Field(ge=0, lt=int(SectionClass.SECRET))]
Version = Annotated[str, StringConstraints(pattern=r"^\d{1,4}(\.\d{1,4}){0,2}$")]

_KINDS: Mapping[int, str] = {int(kind): kind.name.lower().replace("_", "-") for kind in Kind}


class Titles(Body):
    """What a profile is called."""

    ru: Line
    en: Line


class ProfileRow(Body):
    """Sections of these names and classes, in statements of these kinds; a name may end in `*`."""

    kinds: Annotated[tuple[KindName, ...], Field(min_length=1, max_length=18)]
    sections: Annotated[tuple[SectionName, ...], Field(min_length=1, max_length=64)]
    classes: Annotated[tuple[Class, ...], Field(min_length=1, max_length=5)]

    def names(self, kind: int, section: str, klass: int) -> bool:
        """Whether a section is among what it names."""
        if klass not in self.classes or not {ANY, _KINDS.get(kind, ANY)} & {*self.kinds}:
            return False
        return any(section == name or (name.endswith(ANY) and section.startswith(name[:-1])) for name in self.sections)


class Profile(Body):
    """Section `profile` of kind 12. `headers`: whether the headers of all that was said go along, with what entitles
    their authors; without them only statements of which something is shown. `roles`: of the parties it is meant for.
    """

    name: Name
    version: Version
    title: Titles
    roles: tuple[RoleName, ...] = ()
    headers: bool = True
    rows: Annotated[tuple[ProfileRow, ...], Field(min_length=1, max_length=64)]

    def shows(self, kind: int, section: str, klass: int) -> bool:
        """Whether it names a section; what is secret or of an unknown class it never does."""
        if not 0 <= klass < SectionClass.SECRET:
            return False
        if self.headers and klass <= SectionClass.AUTHORITY:
            return True
        return any(row.names(kind, section, klass) for row in self.rows)

    @property
    def classes(self) -> tuple[int, ...]:
        """Every class of which it shows something, for a grant; those that a header brings along are among them."""
        return tuple(sorted({0, 1, *(klass for row in self.rows for klass in row.classes)}))


@dataclass(frozen=True, slots=True)
class PublishedProfile:
    """A profile with the organisation that published it and the statement it did that with."""

    profile: Profile
    org: bytes
    ref: Ref
    id: bytes
    order: tuple[int, bytes, int]

    @property
    def key(self) -> bytes:
        """By what grants name it."""
        return self.id[:16]

    @property
    def row(self) -> str:
        """How the rows of a grant name it."""
        return GRANT_ROW + self.id.hex()


def read_profiles(statements: Iterable[Statement]) -> dict[bytes, PublishedProfile]:
    """The published profiles by their keys; what breaks its form counts nothing."""
    found: dict[bytes, PublishedProfile] = {}
    for statement in sorted(statements, key=lambda one: one.order):
        raw = statement.sections.get(SECTION)
        if statement.kind != Kind.TEMPLATE or raw is None or statement.org != statement.subject:
            continue
        try:
            profile = Profile.from_bytes(raw)
        except (PassportError, ValueError, RecursionError):
            continue
        one = PublishedProfile(profile, statement.org, statement.ref, statement.id, statement.order)
        found[one.key] = one
    return found


def profile_of_rows(rows: Iterable[str]) -> bytes | None:
    """The key of the profile that the rows of a grant name; None where they name none.

    Of rows that name several, or none that can be, the key is one that nobody has: in doubt it opens headers alone.
    """
    named = [row.removeprefix(GRANT_ROW) for row in rows if row.startswith(GRANT_ROW)]
    if not named:
        return None
    try:
        return bytes.fromhex(named[0])[:16] if len(named) == 1 and len(named[0]) == 64 else UNKNOWN
    except ValueError:
        return UNKNOWN


UNKNOWN = bytes(16)


@cache
def shipped_profiles() -> Mapping[str, Profile]:
    """The profiles that every node brings along, by name."""
    folder = resources.files("node.passport") / "data" / "profiles"
    return {name: Profile.from_bytes((folder / f"{name}.json").read_bytes()) for name in SHIPPED}
