"""Who is shown what: the stored rights applied to entries that are about to leave.

A right to a subject gives every entry that names it, in its header or in its section `authority`: who may read a device
reads who passed its title to whom, since what others say of it stands or falls with that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from federation.authority import Authority, Kind
from federation.errors import CodecError
from federation.fragment import Header, SectionClass, decode_header
from node.passport.rights import PUBLISHED_KINDS
from node.passport.standing import is_end
from node.store.database import ReadTx
from node.store.fragments import CLEAR, StoredFragment
from node.store.genesis import find_genesis
from node.store.logs import list_logs
from node.store.rights import EVERYBODY, StoredRight, rights_to


@dataclass(frozen=True, slots=True)
class View:
    """What one organisation may see of some entries; `named` are the subjects of each place in a log."""

    org: bytes
    authors: Mapping[bytes, bytes]
    rights: Mapping[bytes, list[StoredRight]]
    named: Mapping[tuple[bytes, int], frozenset[bytes]]
    federation: bytes | None = None

    def may_read(self, header: Header) -> bool:
        """Whether the header may be shown: to its author, to everybody for publications, else by right."""
        return self._is_author(header) or self._is_published(header) or bool(self._rights(header))

    def may_open(self, header: Header, klass: int) -> bool:
        """Whether a section of that class may be opened; an unknown class is given to nobody."""
        if klass not in set(SectionClass):
            return False
        if self._is_author(header):
            return True
        if self._is_published(header):
            return klass <= SectionClass.AUTHORITY
        if klass == SectionClass.COMMERCIAL and header.kind == Kind.SHIPMENT:
            # The papers of a shipment are the two parties', whoever owns the devices or may read them.
            own = self._rights(header, frozenset(header.subjects))
            return any(right.author == self.authors.get(header.log) for right in own)
        return any(right.classes >> klass & 1 for right in self._rights(header))

    def _is_published(self, header: Header) -> bool:
        """Whether it is for everybody: a publication, or the end of a membership of the federation."""
        return header.kind in PUBLISHED_KINDS or (self.federation is not None and is_end(header, self.federation))

    def _is_author(self, header: Header) -> bool:
        return self.authors.get(header.log) == self.org

    def _rights(self, header: Header, subjects: frozenset[bytes] = frozenset()) -> list[StoredRight]:
        author = self.authors.get(header.log)
        named = subjects or self.named.get((header.log, header.seq), frozenset())
        found = [right for subject in named for right in self.rights.get(subject, [])]
        return [r for r in found if r.author in (EVERYBODY, author) and r.covers(header.kind, header.occurred)]


class Disclosure:
    """Builds views."""

    async def view(self, tx: ReadTx, org: bytes, entries: Iterable[StoredFragment]) -> View:
        """What an organisation may see of these entries."""
        headers = {entry: decode_header(entry.header, entry.log, entry.seq) for entry in entries if entry.void is None}
        named = {(entry.log, entry.seq): _named(entry, header) for entry, header in headers.items()}
        authors = {log.log: log.org for log in await list_logs(tx)}
        subjects = frozenset(subject for found in named.values() for subject in found)
        genesis = await find_genesis(tx) if any(h.kind == Kind.END for h in headers.values()) else None
        return View(org, authors, await rights_to(tx, subjects, org), named, genesis.id if genesis else None)


def _named(entry: StoredFragment, header: Header) -> frozenset[bytes]:
    raw = next((s.data for s in entry.sections if s.name == "authority" and s.form == CLEAR), None)
    try:
        routed = Authority.from_bytes(raw).subjects if raw is not None else None
    except CodecError:
        routed = None
    return frozenset({*header.subjects, *(routed or ())})
