"""The timeline: who did what, where, when and why; and the state that follows from it.

Events only grow. Two with one system and one external id of one organisation are one event. A later statement that refs
an event is shown beside it and removes nothing. Offers and acceptances of shipments stand in the timeline too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from node.passport.bodies import EventBody, ExtractBody, Place
from node.passport.case import Case
from node.passport.catalogs import Catalog
from node.passport.merge import Standing, standing_of
from node.passport.ranks import FactClass, Ground, Rank, event_class
from node.passport.references import ref_text
from node.passport.statement import Statement
from node.passport.titles import Chain, Deal
from node.passport.view import DAY_US, Plain

# What an event makes of a device; events that are not listed leave its state as it is.
STATES: Mapping[str, str] = {
    "manufactured": "manufactured",
    "packed": "packed",
    "shipped": "shipped",
    "transferred": "transferred",
    "verified": "verified",
    "rejected": "rejected",
    "installed": "installed",
    "admitted": "admitted",
    "removed": "removed",
    "repaired": "repaired",
    "modified": "modified",
    "lost": "lost",
    "found": "found",
    "scrapped": "scrapped",
}
# Verification is a fact beside the life-cycle: it changes the state only of what had none or was out of use for it.
NEEDS_VERIFICATION = frozenset({"repaired", "modified", "seal_broken"})
NOT_ADMITTED = "not-admitted-until-verified"
KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one organisation, with every statement that told of it."""

    key: str
    statement: Statement
    what: dict[str, Plain]
    rank: Rank
    source: str
    is_own: bool
    body: EventBody | None = None
    told: tuple[Statement, ...] = ()
    replaced_by: Statement | None = None

    @property
    def code(self) -> str:
        """The central code, empty while the author's own code is not bound."""
        return str(self.what["central"] or "")

    @property
    def order(self) -> tuple[int, int, bytes, int, str]:
        """Fact time first; what happened at one time stands as it was recorded."""
        statement = self.statement
        return (statement.occurred, *statement.order, self.key)
