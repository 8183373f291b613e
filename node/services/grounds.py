"""The publications by which a passport is judged: what its file carries beside the statements about it.

They are told from the world in memory: a store of many publications is not read for one passport. What is missed is
found by folding again, since the file must give the view that the whole world gives.
"""

import contextlib
import json
import re
from collections.abc import Iterator, MutableMapping, Sequence

from federation.authority import Authority, Kind
from federation.errors import CodecError
from federation.fragment import Ref
from federation.genesis import Genesis
from node.passport.catalogs import Catalog
from node.passport.references import parse_ref
from node.passport.shown import text
from node.passport.statement import Statement
from node.passport.used_codes import PLACES
from node.passport.view import View, dump_view
from node.passport.world import World
from node.store.database import ReadTx
from node.store.fragments import StoredFragment, entries_at, entries_said_of
from node.store.logs import StoredLog

SAID_OF_PEOPLE = (Kind.CARD, Kind.ATTESTATION, Kind.GRANT, Kind.END)
CATALOGS = (*(catalog.value for catalog in Catalog), PLACES)
OWN_CODE = re.compile(rb'"(?:local|unit)":("(?:[^"\\\\]|\\\\.)*")')
REF = re.compile(rb"[0-9a-f]{32}:[0-9]{1,16}:[0-9a-f]{32}")


async def read_grounds(
    tx: ReadTx,
    said: Sequence[Statement],
    view: View,
    world: World,
    genesis: Genesis | None,
    logs: Sequence[StoredLog],
    people: MutableMapping[frozenset[bytes], list[StoredFragment]],
) -> list[StoredFragment]:
    """What is published of the organisations that a passport names, and the records on which its view stands.

    `people` keeps what was read of organisations in this snapshot.
    """
    named = set(_records(said, view, world))
    orgs = frozenset({*_organisations(said, named, logs), *(genesis.anchors if genesis else ())})
    numbers = {log.log: log.no for log in logs}
    at = await entries_at(tx, [(numbers[ref.log], ref.seq) for ref in named if ref.log in numbers])
    if orgs not in people:
        people[orgs] = await entries_said_of(tx, SAID_OF_PEOPLE, orgs)
    found = {(entry.log, entry.seq): entry for entry in (*at, *people[orgs])}
    return [entry for _, entry in sorted(found.items()) if entry.void is None]


def _records(said: Sequence[Statement], view: View, world: World) -> Iterator[Ref]:
    """Lines, templates and others that the view names, records of its type, own codes, and grounds of authors."""
    shown = {parse_ref(ref.decode()) for ref in REF.findall(dump_view(view))}
    yield from (shown | {ref for statement in said for ref in statement.auth}) & world.known
    code = text(view, "type", "code")
    if code in world.type_records:
        yield world.type_records[code].ref
    yield from (version.ref for version in world.type_versions.of(code))
    yield from (release.ref for release in world.releases.get(Catalog.TYPES, ()))
    for org, code in {(statement.org.hex(), code) for statement in said for code in _own_codes(statement)}:
        keys = ((org, catalog, code) for catalog in CATALOGS)
        yield from (world.own_codes[key].ref for key in keys if key in world.own_codes)
    for template in world.templates.values():
        if any(template.ref.id16.hex().encode() in s.sections.get("template", b"") for s in said):
            yield template.ref


def _own_codes(statement: Statement) -> Iterator[str]:
    """What may be an own code in a statement, unread: more than there are cost a look-up each."""
    for raw in statement.sections.values():
        for found in OWN_CODE.findall(raw):
            with contextlib.suppress(ValueError):
                yield str(json.loads(found))


def _organisations(said: Sequence[Statement], named: set[Ref], logs: Sequence[StoredLog]) -> Iterator[bytes]:
    """Authors, parties of acts, and who published the records."""
    authors = {log.log: log.org for log in logs}
    yield from (statement.org for statement in said)
    yield from (authors[ref.log] for ref in named if ref.log in authors)
    for statement in said:
        try:
            yield Authority.from_bytes(statement.sections.get("authority", b"")).party
        except CodecError:
            continue
