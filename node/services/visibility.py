"""Who may see what of a passport and why, out of what is here; and which peers may still serve what was ended."""

from collections.abc import Iterable
from dataclasses import dataclass

from federation.fragment import Ref
from node.errors import NotFoundError
from node.passport.case import Case
from node.passport.statement import Statement
from node.passport.visibility import Access, Answer, Withheld, accesses, explain, withheld_here
from node.services.cases import Cases
from node.services.core import Core
from node.services.known import check_organisation
from node.services.sync import Sync
from node.store.peers import Peer, list_peers


@dataclass(frozen=True, slots=True)
class Window:
    """A peer that may not know of an end yet: its node, its organisation, and whether it was asked how far it is."""

    node: bytes
    org: bytes
    is_known: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """An answer, the thing it is about, and for each end that it names the peers that may not know of it."""

    case: Case
    answer: Answer
    windows: dict[Ref, tuple[Window, ...]]


class Visibility:
    """Explains access."""

    def __init__(self, core: Core, cases: Cases, sync: Sync) -> None:
        self._core = core
        self._cases = cases
        self._sync = sync

    async def accesses(self, subject: bytes) -> tuple[Case, list[Access], dict[Ref, tuple[Window, ...]]]:
        """Every right to a passport, what ended some, and who may not know of that yet."""
        case = await self._cases.of(subject)
        found = accesses(case)
        return case, found, await self._windows(found)

    async def explain(
        self, subject: bytes, org: bytes, ref: Ref | None = None, section: str | None = None
    ) -> Explained:
        """Whether an organisation is shown a passport, a statement or a section, and why.

        Raise NotFoundError for an organisation, a statement or a section that is not known here.
        """
        async with self._core.database.read() as tx:
            await check_organisation(tx, org)
        case = await self._cases.of(subject)
        statement = _statement(case, ref, section)
        answer = explain(case, org, statement, section)
        return Explained(case, answer, await self._windows(answer.ended))

    async def withheld(self, subject: bytes) -> list[Withheld]:
        """What of a passport is known of and may not be read on this node."""
        return withheld_here(await self._cases.of(subject), self._core.org)

    async def _windows(self, found: Iterable[Access]) -> dict[Ref, tuple[Window, ...]]:
        ends = {access.ended.ref: access for access in found if access.ended is not None}
        if not ends:
            return {}
        async with self._core.database.read() as tx:
            peers = await list_peers(tx, "active")
        return {ref: tuple(self._window(peer, ref) for peer in peers if not self._knows(peer, ref)) for ref in ends}

    def _knows(self, peer: Peer, ref: Ref) -> bool:
        size = self._sync.size_there(peer.node, ref.log)
        return size is not None and size > ref.seq

    def _window(self, peer: Peer, ref: Ref) -> Window:
        return Window(peer.node, peer.org, self._sync.size_there(peer.node, ref.log) is not None)


def _statement(case: Case, ref: Ref | None, section: str | None) -> Statement | None:
    if ref is None:
        return None
    found = next((statement for statement in case.told if statement.ref == ref), None)
    if found is None:
        raise NotFoundError("no statement about it stands at that place", "statement_unknown")
    if section is not None and section not in dict(found.classes):
        raise NotFoundError(f"the statement has no section {section}", "section_unknown", section=section)
    return found
