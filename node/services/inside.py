"""What stands in a whole, and in what stands in it: each thing once, level by level."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from node.passport.view import View, inside_on, load_view
from node.store.database import ReadTx
from node.store.passports import read_leads, read_views

DEEPEST = 32  # wholes one in the other
MOST_INSIDE = 5_000  # things

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Inside:
    """A thing with its passport, without long lists of rows.

    `path` are the wholes that it stands in, the outermost first, and none for that one itself; `position` is its place
    in the last of them.
    """

    subject: bytes
    view: View
    path: tuple[bytes, ...]
    position: str


async def read_inside(tx: ReadTx, whole: bytes, on: str, read: Callable[[Inside], T]) -> tuple[list[T], bool]:
    """What is read of a whole and of everything that stood in it at the end of a day; whether there is more inside.

    Nothing where the whole is not here. Material is used up and a lot is no place: neither stands inside.
    """
    found: dict[bytes, T] = {}
    level: dict[bytes, tuple[tuple[bytes, ...], str]] = {whole: ((), "")}
    while level:
        leads = await read_leads(tx, level)
        views = await read_views(tx, leads.values())
        below: dict[bytes, tuple[tuple[bytes, ...], str]] = {}
        for subject, (path, position) in level.items():
            lead = leads.get(subject, subject)
            if lead not in views or lead in found:
                continue
            if len(found) == MOST_INSIDE or len(path) > DEEPEST:
                return list(found.values()), True
            view = load_view(views[lead])
            found[lead] = read(Inside(lead, view, path, position))
            for edge in inside_on(view, on):
                if edge["relation"] is None:
                    below.setdefault(bytes.fromhex(str(edge["part"])), ((*path, lead), str(edge["position"] or "")))
        level = below
    return list(found.values()), False
