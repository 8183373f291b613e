"""By which system of the organisation something is said: every statement that is signed meanwhile names it.

A statement is signed far below where it is known who asks, by a dozen services; a job signs long after the request.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from federation.authority import Kind
from federation.fragment import SectionClass
from node.passport.bodies import EventBody, SystemBody
from node.passport.drafts import Draft, section
from node.passport.errors import BodyError

SYSTEMS = frozenset({"system", "token"})  # kinds of actors that are systems

_system: ContextVar[str | None] = ContextVar("system", default=None)


@contextmanager
def speaking(system: str | None) -> Iterator[None]:
    """What is said in this block is said by a system; None is by people."""
    token = _system.set(system)
    try:
        yield
    finally:
        _system.reset(token)


def system_of(label: str) -> str | None:
    """The system that an actor's label names; None for people and for the node itself."""
    kind, _, name = label.partition(":")
    return name if kind in SYSTEMS else None


def said_by_system(draft: Draft) -> Draft:
    """The draft with the name of the system that speaks, unless it is an event that names it itself."""
    name = _system.get()
    if name is None or (draft.kind == Kind.EVENT and _names(draft, name)):
        return draft
    # Whoever may see the header sees it: of a publication nothing else is shown to everybody.
    told = section("system", SystemBody(name=name), SectionClass.AUTHORITY)
    return replace(draft, sections=(*draft.sections, told))


def _names(draft: Draft, system: str) -> bool:
    raw = next((part.content for part in draft.sections if part.name == "event"), None)
    try:
        return raw is not None and EventBody.from_bytes(raw).system == system
    except BodyError:
        return False
