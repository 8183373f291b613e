"""To whom secret sections leave sealed: to who asks and may have them, and by a carrier to whom he is to bring them.

A carrier gets them sealed to the newest box key of the organisation that is to have them: he cannot read them, and
gives them on to no box key but that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from federation.fragment import Header, Section, SectionClass
from federation.keys import key_id
from federation.ports import Asker
from federation.sealing import is_sealed_to
from node.services.disclosure import View
from node.store.database import ReadTx
from node.store.fragments import StoredSection
from node.store.logs import list_logs
from node.store.organisations import find_chain


@dataclass(frozen=True, slots=True)
class Seals:
    """The newest box key of the node that asks and the ids of all that it has; and the newest box keys of those to whom
    it is to bring something, by organisation.
    """

    own: bytes | None = None
    ids: frozenset[bytes] = frozenset()
    others: Mapping[bytes, bytes] = field(default_factory=dict)

    def key_for(self, view: View, header: Header, klass: int, name: str) -> bytes | None:
        """The box key to which the asker is given a secret section, None where it is not."""
        if self.own is not None and view.may_open(header, klass, name):
            return self.own
        if klass != SectionClass.SECRET:
            return None
        return next((key for org in view.recipients(header) if (key := self.others.get(org)) is not None), None)

    def passes_on(self, view: View, header: Header, klass: int, stored: StoredSection) -> bool:
        """Whether what was sealed by another is the asker's: sealed to a box key of its node, and due to it."""
        section = Section(stored.name, None, stored.data)
        return bool(self.ids) and is_sealed_to(section, self.ids) and view.may_open(header, klass, stored.name)


NO_SEALS = Seals()


async def seals_of(tx: ReadTx, asker: Asker, view: View) -> Seals:
    """The box keys that are asked about where what is in view leaves."""
    mine = [log for log in await list_logs(tx, org=asker.org) if log.node == asker.node]
    own = mine[-1].statement.box_key if mine else None
    others = {org: key for org in view.carried_to if (key := await newest_box_key(tx, org)) is not None}
    return Seals(own, frozenset(key_id(log.statement.box_key) for log in mine), others)


async def newest_box_key(tx: ReadTx, org: bytes) -> bytes | None:
    """The box key of the newest log of an organisation's nodes that were not ended; None where none is known here."""
    chain = await find_chain(tx, org)
    logs = await list_logs(tx, org=org) if chain is not None else []
    live = [log for log in logs if chain and (node := chain.node(log.node)) is not None and node.ended is None]
    return live[-1].statement.box_key if live else None
