"""Who may read what was folded, as the store keeps it."""

from collections.abc import Iterable

from federation.fragment import SectionClass
from node.passport.case import Case
from node.passport.rights import rights_of
from node.store.rights import EVERYBODY, FOR_EVER, StoredRight

SECRET = 1 << SectionClass.SECRET

Opened = dict[bytes, list[StoredRight]]


def openings_of(case: Case, own: bytes) -> Opened:
    """The rights of others than the own organisation that follow from a case, by subject.

    Whoever holds the title now is given what is secret too.
    """
    found: Opened = {}
    for right in rights_of(case):
        author = EVERYBODY if right.author is None else right.author
        until = FOR_EVER if right.until is None else right.until
        stored = StoredRight(right.org, author, right.classes, right.since or 0, until)
        found.setdefault(right.subject, []).append(stored)
    for subject, facts in case.facts.items():
        current = [title for title in facts.titles if title.until is None and not title.is_outside]
        held = [StoredRight(title.org, EVERYBODY, SECRET) for title in current]
        found.setdefault(subject, []).extend(held)
    others = {subject: [right for right in rights if right.org != own] for subject, rights in sorted(found.items())}
    return {subject: rights for subject, rights in others.items() if rights}


def together(opened: Iterable[Opened]) -> Opened:
    """The rights of several cases, by subject."""
    found: Opened = {}
    for rights in opened:
        for subject, some in rights.items():
            found.setdefault(subject, []).extend(some)
    return found
