"""Two things with one plate: sightings that contradict each other in what a thing can have only one of at a time.

A thing stands in one place at a time. What parties saw of one identity at different places is held apart until a person
says whether it moved or there are two; who may have seen either, or no place, stands alone.
"""

from collections.abc import Sequence

from node.passport.stays import Stay


def hold_apart(parties: Sequence[bytes], stays: Sequence[Stay]) -> list[list[bytes]]:
    """Group the parties of one identity by where they saw it: those that may have seen one thing stand together.

    The groups follow from the order of the parties; one group where no stays contradict each other.
    """
    seen = {org: [stay for stay in stays if stay.statement.org == org] for org in parties}
    groups: list[list[bytes]] = []
    # Whom nobody contradicts may have seen either thing: he begins no group.
    for org in (org for org in parties if not _may_be_one(seen, org, parties)):
        if not any(_may_be_one(seen, org, group) for group in groups):
            groups.append([org])
    if len(groups) < 2:
        return [list(parties)]
    alone: list[list[bytes]] = []
    first = {group[0] for group in groups}
    for org in parties:
        homes = [group for group in groups if _may_be_one(seen, org, group)] if seen[org] else []
        if org not in first:
            (homes[0] if len(homes) == 1 else _new(alone)).append(org)
    return [*groups, *alone]


def _may_be_one(seen: dict[bytes, list[Stay]], org: bytes, group: Sequence[bytes]) -> bool:
    return not any(one.contradicts(other) for one in seen[org] for member in group for other in seen[member])


def _new(groups: list[list[bytes]]) -> list[bytes]:
    groups.append([])
    return groups[-1]
