"""The organisation's own catalogs: loading codes, seeing which are unmapped, binding many at once, undoing.

What is said of own codes is signed and published, so that whoever reads a record knows what its codes mean; a later
word replaces an earlier one and the earlier one stays. Refused suggestions are this node's own business.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from federation.authority import Kind
from federation.fragment import Ref
from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import OwnCodeRow, ReferencesBody
from node.passport.catalogs import Catalog, name_in
from node.passport.code_suggestions import Suggester, Suggestion
from node.passport.drafts import Draft
from node.passport.own_codes import OwnCode, before, history_of, read_own_codes
from node.passport.references import ref_text
from node.passport.statement import Statement
from node.passport.unseen import UNSEEN
from node.passport.used_codes import PLACES
from node.services.core import Core
from node.services.findings import Shown, refusal, show_finding
from node.services.ledger import Ledger, entry_ref
from node.services.projection import Projection
from node.services.releases import Releases
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.fragments import NewEntry
from node.store.own_codes import count_own_codes
from node.store.settings import find_setting, set_setting

REFUSED = "catalog/refused/"
CHUNK = 500
MAX_REFS = 16  # more would not leave room in a header; the later stamp decides then
MAX_LOADED = 20_000
MAX_CODE = 128
MAX_REFUSED = 20_000


@dataclass(frozen=True, slots=True)
class Listed:
    """An own code as lists show it, with how many passports use it."""

    local: str
    name: str | None
    central: str | None
    records: int
    is_loaded: bool

    @property
    def place(self) -> tuple[int, int, str]:
        """Where it stands: unmapped first, the most used first."""
        return (int(self.central is not None), -self.records, self.local)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A row of what is loaded: an own code, its name and its central code; `pointer` says where it stood."""

    local: str
    name: str | None = None
    central: str | None = None
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Saying:
    """A statement about own codes: when it was said, and of how many."""

    ref: Ref
    occurred: int
    codes: tuple[OwnCode, ...]


class OwnCodes:
    """Loads, lists and maps own codes, in this organisation's name."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, releases: Releases) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._releases = releases
        self._suggesters: dict[str, tuple[object, Suggester]] = {}

    def known(self, catalog: str) -> dict[str, OwnCode]:
        """What this organisation says of its codes in a catalog."""
        own = self._core.org.hex()
        codes = self._projection.world.own_codes
        return {local: code for (org, where, local), code in codes.items() if (org, where) == (own, catalog)}

    async def listed(self, catalog: str) -> list[Listed]:
        """Every own code that was loaded or stands in a record, unmapped first."""
        check_catalog(catalog)
        known = self.known(catalog)
        async with self._core.database.read() as tx:
            used = await count_own_codes(tx, catalog)
        rows = [_listed(local, known.get(local), used.get(local, 0)) for local in known.keys() | used.keys()]
        return sorted(rows, key=lambda row: row.place)

    async def suggest(self, catalog: str, rows: Iterable[Listed]) -> dict[str, tuple[Suggestion, ...]]:
        """Up to three central codes that each of these may mean, without those that were refused."""
        if catalog == PLACES:
            return {}
        async with self._core.database.read() as tx:
            refused = await self._refused(tx, catalog)
        asked = [(row.local, (row.name, row.local)) for row in rows]
        return await asyncio.to_thread(self._suggest, Catalog(catalog), asked, refused)

    async def load(self, catalog: str, rows: Sequence[Loaded], actor: str) -> tuple[int, int]:
        """Take many own codes in one transaction; answer how many were said, and how many were known so already.

        A row that says nothing of a name or of a central code leaves what was said of it. Raise InputError naming row,
        field and rule; nothing is taken then.
        """
        check_catalog(catalog)
        if len(rows) > MAX_LOADED:
            raise InputError(f"{len(rows)} rows are more than {MAX_LOADED}", "codes_too_many", most=MAX_LOADED)
        if findings := self._find_faults(catalog, rows):
            raise refusal("codes_refused", findings)
        fresh = self._fresh(catalog, rows)
        await self._say(catalog, fresh, actor, "codes_loaded")
        return len(fresh), len({row.local for row in rows}) - len(fresh)

    def prepare(self, catalog: str, rows: Sequence[Loaded]) -> tuple[list[Draft], list[Shown]]:
        """What loading these codes says, for who says it with more in one transaction, and what is wrong with them."""
        check_catalog(catalog)
        findings = self._find_faults(catalog, rows)
        return ([], findings) if findings else (self._drafts(catalog, self._fresh(catalog, rows)), [])

    def _fresh(self, catalog: str, rows: Sequence[Loaded]) -> list[OwnCodeRow]:
        """Of these rows those that say something new, a code once."""
        known = self.known(catalog)
        fresh: dict[str, OwnCodeRow] = {}
        for row in rows:
            said = known.get(row.local)
            name = row.name or (said.name if said else None)
            central = row.central or (said.central if said else None)
            if said is None or (said.name, said.central) != (name, central):
                fresh[row.local] = OwnCodeRow(local=row.local, name=name, central=central)
        return list(fresh.values())

    async def map(self, catalog: str, pairs: Sequence[tuple[str, str | None]], actor: str) -> Ref | None:
        """Bind own codes to central ones in one transaction, or to none; answer the last statement that says so.

        Raise InputError where one own code stands twice, with both places.
        """
        check_catalog(catalog)
        known = self.known(catalog)
        rows = [Loaded(local, None, central, f"/items/{at}") for at, (local, central) in enumerate(pairs)]
        if findings := [*_find_doubles(rows), *self._find_faults(catalog, rows)]:
            raise refusal("codes_refused", findings)
        fresh = [
            OwnCodeRow(local=row.local, name=known[row.local].name if row.local in known else None, central=row.central)
            for row in rows
            if row.local not in known or known[row.local].central != row.central
        ]
        return await self._say(catalog, fresh, actor, "codes_mapped")

    async def refuse(self, catalog: str, pairs: Mapping[str, str], actor: str) -> None:
        """Suggest these central codes for these own ones no more."""
        check_catalog(catalog)
        async with self._core.database.write() as tx:
            refused = await self._refused(tx, catalog)
            for local, central in pairs.items():
                refused[local] = sorted({*refused.get(local, []), central})
            if sum(map(len, refused.values())) > MAX_REFUSED:
                raise InputError(f"more than {MAX_REFUSED} suggestions are refused already", "codes_too_many")
            await set_setting(tx, REFUSED + catalog, json.dumps(refused, ensure_ascii=False).encode())
            await self._core.announce(tx, actor, "suggestions_refused", catalog=catalog, count=len(pairs))

    async def sayings(self, catalog: str) -> list[Saying]:
        """What this organisation said of its codes in a catalog, newest first."""
        found = []
        for statement in sorted(await self._own(), key=lambda item: item.order, reverse=True):
            codes = tuple(code for code in read_own_codes(statement) if code.catalog == catalog)
            if codes:
                found.append(Saying(statement.ref, statement.occurred, codes))
        return found

    async def history(self, catalog: str, local: str) -> list[OwnCode]:
        """What was said of one own code, oldest first; raise NotFoundError where nothing was."""
        check_catalog(catalog)
        if not (found := history_of(await self._own(), catalog, local)):
            raise NotFoundError(f"nothing was said of {local[:64]!r} in {catalog}", "own_code_unknown")
        return found

    async def undo(self, catalog: str, ref: Ref, actor: str) -> Ref | None:
        """Take back one statement: its codes mean again what they meant before it.

        Raise NotFoundError where it is no own statement, StateError where something was said of its codes since.
        """
        earlier = {key: code for key, code in before(await self._own(), ref).items() if key[0] == catalog}
        if not earlier:
            raise NotFoundError(f"no own statement {ref_text(ref)} speaks of {catalog}", "saying_unknown")
        known = self.known(catalog)
        if later := [local for _, local in earlier if local in known and known[local].ref != ref]:
            raise StateError(f"code {later[0]} was bound anew since", "saying_replaced", local=later[0])
        rows = [
            OwnCodeRow(
                local=local, name=code.name if code else known[local].name, central=code.central if code else None
            )
            for (_, local), code in earlier.items()
        ]
        return await self._say(catalog, rows, actor, "mapping_undone")

    def _suggest(
        self, catalog: Catalog, asked: Sequence[tuple[str, tuple[str | None, str]]], refused: Mapping[str, list[str]]
    ) -> dict[str, tuple[Suggestion, ...]]:
        records = self._releases.records(catalog)
        kept = self._suggesters.get(catalog.value)
        if kept is None or kept[0] is not records:
            kept = (records, Suggester(records))
            self._suggesters[catalog.value] = kept
        return {local: kept[1].suggest(texts, refused.get(local, ())) for local, texts in asked}

    def _find_faults(self, catalog: str, rows: Sequence[Loaded]) -> list[Shown]:
        central = {} if catalog == PLACES else self._releases.records(Catalog(catalog))
        seen: dict[str, Loaded] = {}
        found: list[Shown] = []
        for row in rows:
            if rule := _broken(row.local):
                found.append(show_finding(f"{row.pointer}/code", rule, row.local, {}))
            if row.name and UNSEEN.search(row.name):
                found.append(show_finding(f"{row.pointer}/name", "code-hidden", row.name, {}))
            if row.central and row.central not in central:
                found.append(show_finding(f"{row.pointer}/central", "code-unknown", row.central, {"catalog": catalog}))
            elif row.central and row.local in central and row.local != row.central:
                found.append(show_finding(f"{row.pointer}/central", "code-shadows", row.local, {}))
            other = seen.setdefault(row.local, row)
            if (other.name, other.central) != (row.name, row.central):
                found.append(show_finding(f"{row.pointer}/code", "code-twice", row.local, {"first": other.pointer}))
        return found

    async def _say(self, catalog: str, rows: Sequence[OwnCodeRow], actor: str, what: str) -> Ref | None:
        if not rows:
            return None
        said = self._drafts(catalog, rows)

        async def note(tx: WriteTx, entries: Sequence[NewEntry]) -> None:
            ref = ref_text(entry_ref(self._ledger.log.log, entries[-1]))
            await self._core.announce(tx, actor, what, catalog=catalog, count=len(rows), ref=ref)

        entries = await self._ledger.append(said, note)
        return entry_ref(self._ledger.log.log, entries[-1])

    def _drafts(self, catalog: str, rows: Sequence[OwnCodeRow]) -> list[Draft]:
        known, now = self.known(catalog), self._core.clock.now()
        return [
            drafts.references(self._core.org, ReferencesBody(catalog=catalog, rows=part), now, _refs(known, part))
            for at in range(0, len(rows), CHUNK)
            if (part := tuple(rows[at : at + CHUNK]))
        ]

    async def _own(self) -> list[Statement]:
        async with self._core.database.read() as tx:
            reader = await StatementReader.open(tx)
            statements = await reader.of_kinds(tx, (Kind.CATALOG,))
        return [statement for statement in statements if statement.org == self._core.org]

    async def _refused(self, tx: ReadTx, catalog: str) -> dict[str, list[str]]:
        raw = await find_setting(tx, REFUSED + catalog)
        found: dict[str, list[str]] = json.loads(raw) if raw else {}
        return found


def check_catalog(name: str) -> None:
    """Raise InputError for a catalog of which nobody keeps own codes."""
    if name != PLACES and name not in {catalog.value for catalog in Catalog}:
        raise InputError(f"there is no catalog {name[:64]}", "catalog_unknown")


def central_name(releases: Releases, catalog: str, code: str | None, language: str) -> str | None:
    """What a central code is called here."""
    if code is None or catalog == PLACES:
        return None
    record = releases.records(Catalog(catalog)).get(code, {})
    return name_in(record, language) or name_in(record, "ru")


def _find_doubles(rows: Iterable[Loaded]) -> Iterator[Shown]:
    seen: dict[str, Loaded] = {}
    for row in rows:
        if (other := seen.setdefault(row.local, row)) is not row:
            yield show_finding(f"{row.pointer}/local", "code-bound-twice", row.local, {"first": other.pointer})


def _listed(local: str, code: OwnCode | None, records: int) -> Listed:
    return Listed(local, code.name if code else None, code.central if code else None, records, code is not None)


def _broken(local: str) -> str | None:
    if not local.strip():
        return "code-empty"
    if UNSEEN.search(local):
        return "code-hidden"
    return "code-long" if len(local) > MAX_CODE else None


def _refs(known: Mapping[str, OwnCode], rows: Iterable[OwnCodeRow]) -> list[Ref]:
    replaced = {known[row.local].ref for row in rows if row.local in known}
    return sorted(replaced)[:MAX_REFS] if len(replaced) <= MAX_REFS else []
