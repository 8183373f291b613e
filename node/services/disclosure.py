"""Who is shown what: the stored rights applied to entries that are about to leave."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from federation.authority import Kind
from federation.fragment import Header, SectionClass, decode_header
from node.passport.rights import PUBLISHED_KINDS
from node.store.database import ReadTx
from node.store.fragments import StoredFragment
from node.store.logs import list_logs
from node.store.rights import EVERYBODY, StoredRight, rights_to


@dataclass(frozen=True, slots=True)
class View:
    """What one organisation may see of some entries."""

    org: bytes
    authors: Mapping[bytes, bytes]
    rights: Mapping[bytes, list[StoredRight]]

    def may_read(self, header: Header) -> bool:
        """Whether the header may be shown: to its author, to everybody for publications, else by right."""
        return self._is_author(header) or header.kind in PUBLISHED_KINDS or bool(self._rights(header))

    def may_open(self, header: Header, klass: int) -> bool:
        """Whether a section of that class may be opened; an unknown class is given to nobody."""
        if klass not in set(SectionClass):
            return False
        if self._is_author(header):
            return True
        if header.kind in PUBLISHED_KINDS:
            return klass <= SectionClass.AUTHORITY
        if klass == SectionClass.COMMERCIAL and header.kind == Kind.SHIPMENT:
            # The papers of a shipment are the two parties', whoever owns the devices later.
            return any(right.author == self.authors.get(header.log) for right in self._rights(header))
        return any(right.classes >> klass & 1 for right in self._rights(header))

    def _is_author(self, header: Header) -> bool:
        return self.authors.get(header.log) == self.org

    def _rights(self, header: Header) -> list[StoredRight]:
        author = self.authors.get(header.log)
        found = [right for subject in header.subjects for right in self.rights.get(subject, [])]
        return [r for r in found if r.author in (EVERYBODY, author) and r.since_us <= header.occurred < r.until_us]


class Disclosure:
    """Builds views."""

    async def view(self, tx: ReadTx, org: bytes, entries: Iterable[StoredFragment]) -> View:
        """What an organisation may see of these entries."""
        subjects: set[bytes] = set()
        for entry in entries:
            if entry.void is None:
                subjects |= set(decode_header(entry.header, entry.log, entry.seq).subjects)
        authors = {log.log: log.org for log in await list_logs(tx)}
        return View(org, authors, await rights_to(tx, subjects, org))
