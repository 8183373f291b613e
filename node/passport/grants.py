"""Grants: who let whom read, write or pass on what, until when, and what ended that.

A grant serves its verb only. It names things, or with nil all that is its author's: such a standing grant is spoken
under the id of its author's organisation and is read by everybody, because it may decide about each of its things. A
grant to oneself gives nothing. What its author may open or lend is judged where it is used: a grant gives no right to
grant, so chains and circles of grants give nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from federation.authority import Authority, Kind, Verb
from federation.fragment import Ref
from node.passport.deals import End, end_of, kept_by
from node.passport.profiles import profile_of_rows
from node.passport.ranks import Delegation, Title
from node.passport.reading import Reading, read
from node.passport.roles import is_inside
from node.passport.statement import Statement
from node.passport.world import Standing, is_standing

# An event may open what it is about to the party that it names.
GRANT_KINDS = frozenset({Kind.GRANT, Kind.EVENT})
GRANT_VERBS = frozenset({Verb.READ, Verb.WRITE, Verb.PASS_ON})


@dataclass(frozen=True, slots=True)
class Grant:
    """What one statement lets its party do; `things` is None for all that is its author's.

    `ended` is the first statement that ended it, `cut` how far the party's logs still count then.
    """

    said: Statement
    verb: Verb
    party: bytes
    rows: frozenset[str] = frozenset()
    classes: frozenset[int] = frozenset()
    things: frozenset[bytes] | None = frozenset()
    since: int | None = None
    until: int | None = None
    ended: Statement | None = None
    cut: tuple[tuple[bytes, int], ...] | None = None

    @property
    def by(self) -> bytes:
        """Who grants."""
        return self.said.org

    @property
    def is_standing(self) -> bool:
        """Whether it is over all that is its author's."""
        return self.things is None

    @property
    def profile(self) -> bytes:
        """The key of the profile to which it is limited, empty for none."""
        return profile_of_rows(self.rows) or b""

    @property
    def delegation(self) -> Delegation:
        """What it lends, of a grant to write."""
        ended_by = self.ended.org if self.ended else None
        return Delegation(self.by, self.party, self.rows, self.since, self.until, self.cut, ended_by, self.said.ref)


def grants_of(readings: Iterable[Reading], subject: bytes) -> tuple[Grant, ...]:
    """The grants that name a thing, with what ended them, by their places."""
    named = [
        (reading, reading.authority)
        for reading in readings
        if reading.authority is not None and subject in (reading.authority.subjects or ())
    ]
    ends = [end for reading, authority in named if (end := end_of(reading.statement, authority)) is not None]
    found = (grant_of(reading.statement, authority) for reading, authority in named)
    return _ended((grant for grant in found if grant is not None and not grant.is_standing), ends)


@lru_cache(maxsize=8)  # of the worlds in which passports are folded now
def standing_grants(standing: Standing) -> tuple[Grant, ...]:
    """The grants over all that is their authors', with what ended them, by their places."""
    readings = [read(statement) for statement in standing.statements]
    said = [(reading, reading.authority) for reading in readings if reading.authority is not None]
    ends = [end for reading, authority in said if (end := end_of(reading.statement, authority)) is not None]
    found = (grant_of(reading.statement, authority) for reading, authority in said)
    return _ended((grant for grant in found if grant is not None and grant.is_standing), ends)


def ended_by_owners(grants: Iterable[Grant], ends: Sequence[End], titles: Sequence[Title]) -> tuple[Grant, ...]:
    """The same grants about a thing; what an owner let others write of it, who owns it after him ends too."""
    return tuple(_ended_by_next(grant, ends, titles) for grant in grants)


def _ended_by_next(grant: Grant, ends: Sequence[End], titles: Sequence[Title]) -> Grant:
    held = [at for at, title in enumerate(titles) if title.org == grant.by]
    if not held or grant.verb is not Verb.WRITE or grant.ended is not None:
        return grant
    after = titles[held[0] + 1 :]
    mine = [end for end in ends if end.names(grant.said) and any(_owned(title, end.statement) for title in after)]
    if not mine:
        return grant
    first = min(mine, key=lambda end: (end.statement.occurred, end.statement.order))
    return replace(grant, ended=first.statement, cut=kept_by(mine, grant.party))


def _owned(title: Title, said: Statement) -> bool:
    return title.org == said.org and is_inside(title.cut, said.ref)


def grant_of(statement: Statement, authority: Authority) -> Grant | None:
    """What a statement grants, None where it grants nothing."""
    if statement.kind not in GRANT_KINDS or authority.verb not in GRANT_VERBS or authority.party == statement.org:
        return None
    if statement.kind == Kind.EVENT and authority.verb is not Verb.READ:
        return None
    if authority.subjects is None and not is_standing(statement):
        return None
    things = None if authority.subjects is None else frozenset(authority.subjects)
    rows, classes = frozenset(authority.rows), frozenset(authority.classes)
    return Grant(statement, authority.verb, authority.party, rows, classes, things, authority.since, authority.until)


def _ended(grants: Iterable[Grant], ends: Sequence[End]) -> tuple[Grant, ...]:
    return tuple(sorted((_until_ended(grant, ends) for grant in grants), key=_place))


def _until_ended(grant: Grant, ends: Sequence[End]) -> Grant:
    """A grant is ended by who gave it, and by its party. Of several cuts of one side each keeps what it keeps."""
    mine = [end for end in ends if end.names(grant.said) and end.statement.org in (grant.by, grant.party)]
    if not mine:
        return grant
    first = min(mine, key=lambda end: (end.statement.occurred, end.statement.order))
    return replace(grant, ended=first.statement, cut=kept_by(mine, grant.party))


def _place(grant: Grant) -> Ref:
    return grant.said.ref
