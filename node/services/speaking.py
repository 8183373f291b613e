"""By which system of the organisation something is said: every statement that is signed meanwhile names it.

A statement is signed far below where it is known who asks, by a dozen services; a job signs long after the request.
"""

from contextvars import ContextVar, Token
from dataclasses import replace

from federation.authority import Kind
from federation.fragment import SectionClass
from node.passport.bodies import EventBody, SystemBody
from node.passport.drafts import Draft, section
from node.passport.errors import BodyError

SYSTEMS = frozenset({"system", "token"})  # kinds of actors that are systems

_system: ContextVar[str | None] = ContextVar("system", default=None)


class Speaking:
    """What is said in this block is said by a system; None is by people."""

    __slots__ = ("_before", "_system")

    def __init__(self, system: str | None) -> None:
        self._system = system
        self._before: Token[str | None] | None = None

    def __enter__(self) -> None:
        self._before = _system.set(self._system)

    def __exit__(self, *_error: object) -> None:
        if self._before is not None:
            _system.reset(self._before)


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
