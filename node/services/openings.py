"""Who may read what was folded, as the store keeps it."""

from collections.abc import Iterable

from node.passport.case import Case
from node.passport.rights import rights_of
from node.store.rights import EVERYBODY, FOR_EVER, StoredRight

Opened = dict[bytes, list[StoredRight]]


def openings_of(case: Case, own: bytes) -> Opened:
    """The rights of others than the own organisation that follow from a case, by subject; every subject is there."""
    found: Opened = {subject: [] for subject in sorted(case.facts)}
    for right in rights_of(case):
        if right.org != own:
            author = EVERYBODY if right.author is None else right.author
            until = FOR_EVER if right.until is None else right.until
            stored = StoredRight(right.org, author, right.classes, right.since or 0, until, right.profile or right.to)
            found.setdefault(right.subject, []).append(stored)
    return found


def together(opened: Iterable[Opened]) -> Opened:
    """The rights of several cases, by subject."""
    found: Opened = {}
    for rights in opened:
        for subject, some in rights.items():
            found.setdefault(subject, []).extend(some)
    return found
