"""Who is shown what: the stored rights applied to entries that are about to leave.

A right to a subject gives every entry that names it, in its header or in its section `authority`: who may read a device
reads who passed its title to whom, since what others say of it stands or falls with that. What entitles the author of
such an entry (field 9 of its header) goes along, and what entitles that: headers and `authority` alone, 64 deep, as
far as who names them may read them.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from federation.authority import Authority, Kind
from federation.errors import CodecError, VoidError
from federation.fragment import Header, Ref, SectionClass, SectionHead, decode_header, fragment_id
from node.passport.profiles import Profile
from node.passport.rights import HEADERS, PASS_ON, PUBLISHED_KINDS, is_of_shipment
from node.passport.standing import is_end
from node.store.database import ReadTx
from node.store.follows import let_through
from node.store.fragments import CLEAR, StoredFragment, entries_at
from node.store.genesis import find_genesis
from node.store.logs import StoredLog, list_logs
from node.store.profiles import read_kept_profiles
from node.store.rights import EVERYBODY, StoredRight, rights_to

AUTHORITY = "authority"
DEPTH = 64  # of grounds of grounds
MOST_GROUNDS, AT_ONCE = 4096, 64  # of all entries that are looked at together, and how many are read at a time

Place = tuple[bytes, int]  # log and seq


@dataclass(frozen=True, slots=True)
class View:
    """What one organisation may see of some entries; `named` are the subjects of each place in a log, `parties` whom
    it names. `grounds` are entries of which header and authority alone are shown: others that are shown rest on them.
    """

    org: bytes
    authors: Mapping[bytes, bytes]
    rights: Mapping[bytes, list[StoredRight]]
    named: Mapping[Place, frozenset[bytes]]
    parties: Mapping[Place, bytes] = field(default_factory=dict)
    grounds: Mapping[Place, StoredFragment] = field(default_factory=dict)
    profiles: Mapping[bytes, Profile] = field(default_factory=dict)
    federation: bytes | None = None

    def shows(self, header: Header) -> bool:
        """Whether the header may be shown, by itself or as a ground of others."""
        return self.may_read(header) or (header.log, header.seq) in self.grounds

    def shows_section(self, header: Header, name: str, klass: int) -> bool:
        """Whether a section may be shown; of a ground the authority alone."""
        return self.may_open(header, klass, name) or (name == AUTHORITY and (header.log, header.seq) in self.grounds)

    def may_read(self, header: Header) -> bool:
        """Whether the header may be shown: to its author and party, to everybody for publications, else by right."""
        if self._is_author(header) or self._is_published(header) or self._is_named(header):
            return True
        return any(right.classes & HEADERS for right in self._rights(header))

    def may_open(self, header: Header, klass: int, name: str = "") -> bool:
        """Whether a section of that class and name may be opened; an unknown class is given to nobody."""
        if klass not in set(SectionClass):
            return False
        if self._is_author(header):
            return True
        if self._is_published(header):
            return klass <= SectionClass.AUTHORITY
        if klass <= SectionClass.AUTHORITY and self._is_named(header):
            return True
        if klass == SectionClass.COMMERCIAL and is_of_shipment(header.kind, name):
            # The papers of a shipment are the two parties', whoever owns the devices or may read them.
            own = self._rights(header, frozenset(header.subjects))
            author = self.authors.get(header.log)
            return any(right.author == author and self._opens(right, header, klass, name) for right in own)
        return any(self._opens(right, header, klass, name) for right in self._rights(header))

    def recipients(self, header: Header) -> list[bytes]:
        """To whom the organisation is to bring what is secret of it, sealed."""
        return sorted({right.profile for right in self._rights(header) if right.classes & PASS_ON and right.profile})

    @property
    def carried_to(self) -> frozenset[bytes]:
        """To whom it is to bring anything."""
        rights = (right for found in self.rights.values() for right in found)
        return frozenset(right.profile for right in rights if right.classes & PASS_ON and right.profile)

    def _opens(self, right: StoredRight, header: Header, klass: int, name: str) -> bool:
        if not right.classes >> klass & 1:
            return False
        profile = self.profiles.get(right.profile)
        return not right.profile or (profile is not None and profile.shows(header.kind, name, klass))

    def _is_published(self, header: Header) -> bool:
        """Grants over all that is somebody's are read by everybody, and what ends them; ends of memberships too."""
        is_standing = header.kind in (Kind.GRANT, Kind.END) and header.subject == self.authors.get(header.log)
        is_told = self.federation is not None and is_end(header, self.federation)
        return header.kind in PUBLISHED_KINDS or is_standing or is_told

    def _is_named(self, header: Header) -> bool:
        """As the party of an act; or as one that asked for what an acknowledgement tells to be erased."""
        is_answered = header.kind == Kind.ERASURE_ACK and self.org in header.subjects
        return is_answered or self.parties.get((header.log, header.seq)) == self.org

    def _is_author(self, header: Header) -> bool:
        return self.authors.get(header.log) == self.org

    def _rights(self, header: Header, subjects: frozenset[bytes] = frozenset()) -> list[StoredRight]:
        author = self.authors.get(header.log)
        named = subjects or self.named.get((header.log, header.seq), frozenset())
        found = [right for subject in named for right in self.rights.get(subject, [])]
        return [r for r in found if r.author in (EVERYBODY, author) and r.covers(header.kind, header.occurred)]


class Disclosure:
    """Builds views."""

    async def view(self, tx: ReadTx, org: bytes, entries: Iterable[StoredFragment], node: bytes | None = None) -> View:
        """What an organisation may see of these entries, and of what they rest on; where a node of it takes them
        without naming them, no more than that follows.
        """
        logs = {log.log: log for log in await list_logs(tx)}
        headers = _headers(entries := list(entries))
        view = await _view(tx, org, entries, headers, logs, node)
        shown = [header for header in headers.values() if header.auth and view.may_read(header)]
        return replace(view, grounds=await _grounds(tx, shown, logs)) if shown else view


async def _view(
    tx: ReadTx,
    org: bytes,
    entries: Iterable[StoredFragment],
    headers: Mapping[Place, Header],
    logs: Mapping[bytes, StoredLog],
    node: bytes | None = None,
) -> View:
    """What an organisation, or a node of it that takes them, may see of entries by themselves."""
    spoken = {(one.log, one.seq): _authority(one) for one in entries if (one.log, one.seq) in headers}
    authors = {log.log: log.org for log in logs.values()}
    named = {place: _deciding(headers[place], found, org, authors) for place, found in spoken.items()}
    subjects = frozenset(subject for found in named.values() for subject in found)
    parties = {place: authority.party for place, authority in spoken.items() if authority is not None}
    rights = await rights_to(tx, subjects, org)
    if node is not None:
        wanted = await let_through(tx, node, rights.keys())
        rights = {subject: found for subject, found in rights.items() if subject in wanted}
    limited = any(right.profile for found in rights.values() for right in found)
    profiles = await read_kept_profiles(tx) if limited else {}
    genesis = await find_genesis(tx) if any(h.kind == Kind.END for h in headers.values()) else None
    federation = genesis.id if genesis else None
    return View(org, authors, rights, named, parties, profiles=profiles, federation=federation)


async def _grounds(
    tx: ReadTx, headers: Iterable[Header], logs: Mapping[bytes, StoredLog]
) -> dict[Place, StoredFragment]:
    """What these entries rest on, as far as it is here and their authors may read it: the auth closure.

    Else whoever learns the id of an entry, as from what supersedes it, would get its authority by naming it.
    """
    found: dict[Place, StoredFragment] = {}
    asked: set[tuple[bytes, Ref]] = set()
    wanted = {(logs[header.log].org, ref) for header in headers for ref in header.auth}
    for _ in range(DEPTH):
        fresh = sorted(one for one in wanted - asked if one[1].log in logs)[: MOST_GROUNDS - len(asked)]
        asked.update(fresh)
        wanted = set()
        for at in range(0, len(fresh), AT_ONCE):
            for entry in await _named(tx, fresh[at : at + AT_ONCE], logs):
                found[entry.log, entry.seq] = entry
                header = decode_header(entry.header, entry.log, entry.seq)
                wanted |= {(logs[entry.log].org, ref) for ref in header.auth}
        if not wanted:
            break
    return found


async def _named(
    tx: ReadTx, grounds: Sequence[tuple[bytes, Ref]], logs: Mapping[bytes, StoredLog]
) -> list[StoredFragment]:
    """Of entries that authors name as their grounds those which one of them may read, without what is not shown."""
    there = await entries_at(tx, {(logs[ref.log].no, ref.seq) for _, ref in grounds})
    entries = [replace(one, sections=tuple(s for s in one.sections if s.name == AUTHORITY)) for one in there]
    headers = _headers(entries)
    found: dict[Place, StoredFragment] = {}
    for org in {author for author, _ in grounds}:
        refs = {ref for author, ref in grounds if author == org}
        mine = [
            entry
            for entry in entries
            if (entry.log, entry.seq) in headers and Ref(entry.log, entry.seq, fragment_id(entry.header)[:16]) in refs
        ]
        if not any(log.own for log in logs.values() if log.org == org):  # who has this node reads whatever is here
            view = await _view(tx, org, mine, headers, logs)
            mine = [one for one in mine if view.may_read(headers[one.log, one.seq])]
        found |= {(one.log, one.seq): one for one in mine}
    return list(found.values())


def _headers(entries: Iterable[StoredFragment]) -> dict[Place, Header]:
    found: dict[Place, Header] = {}
    for entry in entries:
        place = (entry.log, entry.seq)
        with suppress(VoidError):  # altered on the disk: fsck names it
            if entry.void is None:
                found[place] = decode_header(entry.header, *place)
    return found


def _authority(entry: StoredFragment) -> Authority | None:
    raw = next((s.data for s in entry.sections if s.name == AUTHORITY and s.form == CLEAR), None)
    try:
        return Authority.from_bytes(raw) if raw is not None else None
    except CodecError:
        return None


def _deciding(
    header: Header, authority: Authority | None, org: bytes, authors: Mapping[bytes, bytes]
) -> frozenset[bytes]:
    """The subjects by which an organisation may see an entry: those that the header and `authority` name.

    Its author and its party see it anyway. They need rights to thousands of routes only for sections that these open.
    """
    if authority is None or not authority.subjects:
        return frozenset(header.subjects)
    if org in (authors.get(header.log), authority.party) and not any(_is_routed(header, s) for s in header.sections):
        return frozenset(header.subjects)
    return frozenset({*header.subjects, *authority.subjects})


def _is_routed(header: Header, section: SectionHead) -> bool:
    """Whether a section is opened to a party by a right to what `authority` names."""
    if section.klass == SectionClass.COMMERCIAL and is_of_shipment(header.kind, section.name):
        return False
    return section.klass > SectionClass.AUTHORITY
