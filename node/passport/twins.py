"""Two things with one plate: sightings that contradict each other in what a thing can have only one of at a time.

A thing stands in one place at a time. Sightings of one identity at different places are held apart until a person says
whether it moved or there are two of them; who saw no place goes with the others only where there is one group.
"""

from collections.abc import Sequence
from typing import TypeVar

from node.passport.places import Places, compare_places

T = TypeVar("T")


def hold_apart(sightings: Sequence[tuple[str, T]]) -> list[list[T]]:
    """Group `(place, sighting)` pairs of one identity: those that may be one thing stand together, in their order."""
    groups: list[tuple[list[str], list[T]]] = []
    placeless: list[T] = []
    for place, sighting in sightings:
        if not place:
            placeless.append(sighting)
            continue
        home = next(
            (g for g in groups if all(compare_places(place, seen) is not Places.DIFFERENT for seen in g[0])), None
        )
        if home is None:
            groups.append(([place], [sighting]))
        else:
            home[0].append(place)
            home[1].append(sighting)
    if len(groups) <= 1:
        return [[*(groups[0][1] if groups else []), *placeless]]
    return [*(members for _, members in groups), *([sighting] for sighting in placeless)]
