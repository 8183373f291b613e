"""The whole node as open files: one snapshot of the store in a folder that anybody reads without this program.

The folder appears when it is whole: until then it is `<name>.part` beside it, gone again where something fails.
What is sealed stays sealed, keys and passwords are not read at all, and no more than a page is in memory.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from federation.authority import Kind
from federation.fragment import Header, Ref, Section, decode_header, fragment_id
from federation.genesis import Genesis, fingerprint
from federation.sync.messages import Tile
from federation.sync.mirror import Hash
from node.errors import StateError
from node.exchange import open_files
from node.exchange.open_files import Json, Row, json_line, moment, plain
from node.passport.catalogs import Catalog
from node.passport.fold import FOLD_VERSION
from node.passport.papers import DOCUMENT, PERSONAL
from node.passport.view import View
from node.passport.world import World, build_world
from node.services.core import Core
from node.services.export_files import ATTACHMENTS, forms, write_arshin_files, write_attachments
from node.services.export_folder import CsvFile, Output
from node.services.export_tables import (
    FRAMES,
    READINGS,
    SMALL,
    jobs,
    radio_devices,
    register_answers,
    write_journal_files,
    write_table,
)
from node.services.fleet import SUPPLIER
from node.services.own_codes import REFUSED
from node.services.projection import VERSION
from node.services.releases import ADOPTED, working_records
from node.services.statements import StatementReader
from node.store import schema
from node.store.copying import count_rows
from node.store.database import ReadTx
from node.store.fragments import CLEAR, ERASED, SEALED, StoredFragment, entries_between
from node.store.genesis import find_genesis
from node.store.logs import StoredLog, checkpoints_between, list_logs
from node.store.migrate import check_schema
from node.store.organisations import read_chains, read_statements
from node.store.passports import read_leading
from node.store.settings import find_setting, settings_like
from node.store.trees import read_hashes

ENTRIES, LEAVES, PASSPORTS = 64, 4096, 100


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the export is."""

    what: str
    done: int
    total: int


class Export:
    """Writes everything out."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.counts: dict[str, int] = {}

    async def write(self, folder: Path) -> AsyncIterator[Progress]:
        """Write the folder; raise FolderError where it is not empty, StateError where the store waits for a start."""
        output = Output(folder)
        try:
            async with self._core.database.snapshot() as tx:
                async for progress in self._write(tx, output):
                    yield progress
            output.finish()
        finally:
            output.discard()

    async def note(self, actor: str, folder: str, passports: int) -> None:
        """Journal that everything was exported."""
        async with self._core.database.write() as tx:
            await self._core.announce(tx, actor, "node_exported", file=folder, count=passports)

    async def _write(self, tx: ReadTx, output: "Output") -> AsyncIterator[Progress]:
        version = await check_schema(tx)
        if await find_setting(tx, VERSION) != str(FOLD_VERSION).encode():
            raise StateError(
                "the passports here were folded by another program: start the node once", "export_unfolded"
            )
        logs = await list_logs(tx)
        counted = (schema.passports, schema.readings, schema.frames, schema.journal)
        total = sum(log.size for log in logs) + await count_rows(tx, *counted)
        output.add("README.txt", open_files.readme().encode())
        world, genesis = await self._world(tx)
        self.counts = {"organisations": await _organisations(tx, output, world), "logs": _logs(output, logs)}
        await _catalogs(tx, output, world)
        self.counts["suppliers"] = await _suppliers(tx, output)
        done = 0
        with CsvFile(output, "attachments", ATTACHMENTS) as attachments:
            for log in logs:
                async for count in _log(tx, output, log, attachments):
                    done += count
                    yield Progress("fragments", done, total)
        self.counts["fragments"] = done
        for what, steps in (
            ("passports", _passports(tx, output)),
            ("readings", write_table(tx, output, READINGS)),
            ("frames", write_table(tx, output, FRAMES)),
            ("journal", write_journal_files(tx, output)),
        ):
            self.counts[what] = 0
            async for count in steps:
                self.counts[what] += count
                done += count
                yield Progress(what, min(done, total), total)
        for listing in SMALL:
            self.counts[listing.name] = sum([count async for count in write_table(tx, output, listing)])
        for what, lines in (
            ("radio-devices", radio_devices(tx)),
            ("jobs", jobs(tx)),
            ("forms", forms(tx, output)),
            ("register-answers", register_answers(tx)),
        ):
            self.counts[what] = await _lines(output, f"{what}.jsonl", lines)
        self.counts["arshin"] = await write_arshin_files(tx, output, self._core.keystore.vault)
        output.add("node.json", self._about(tx, version, genesis))
        yield Progress("done", total, total)

    async def _world(self, tx: ReadTx) -> tuple[World, Genesis | None]:
        genesis = await find_genesis(tx)
        reader = await StatementReader.open(tx)
        return build_world(await reader.published(tx, genesis), genesis), genesis

    def _about(self, tx: ReadTx, version: str, genesis: Genesis | None) -> bytes:
        node = self._core.settings.node
        federation = None
        if genesis is not None:
            named = {"id": genesis.id.hex(), "name": genesis.name, "fingerprint": fingerprint(genesis.id)}
            federation = {**named, "genesis": open_files.base64_text(genesis.to_bytes())}
        about = {
            "organisation": {"id": self._core.org.hex(), "name": node.name, "inn": node.inn, "ogrn": node.ogrn},
            "node": self._core.node.hex(),
            "exported": moment(tx.now),
            "store": version,
            "fold": FOLD_VERSION,
            "federation": federation,
            "counts": self.counts,
        }
        return json.dumps(about, ensure_ascii=False, indent=1).encode() + b"\n"


async def _lines(output: Output, name: str, lines: AsyncIterator[Json]) -> int:
    count = 0
    with output.open(name) as file:
        async for line in lines:
            file.write(json_line(line))
            count += 1
    return count


async def _organisations(tx: ReadTx, output: Output, world: World) -> int:
    chains, told_of = await read_chains(tx), await read_statements(tx)
    with output.open("organisations.jsonl") as file:
        for org, chain in sorted(chains.items()):
            card = world.cards.get(org)
            nodes = [
                {"node": node.node.hex(), "sign_key": node.sign_key.hex(), "ended": node.ended is not None,
                 "disowned": node.disowned}
                for node in chain.nodes.values()
            ]  # fmt: skip
            attested = [{"what": held.what.name.lower(), "rows": list(held.rows), "since": moment(held.since),
                         "until": moment(held.until)} for held in world.attestations.of(org)]  # fmt: skip
            told = [{"n": s.n, "type": s.type.name.lower(), "hash": s.hash.hex(),
                     "envelope": open_files.base64_text(s.envelope())} for s in told_of[org]]  # fmt: skip
            shown = card.model_dump(mode="json", exclude_none=True) if card else None
            file.write(
                json_line({"org": org.hex(), "card": shown, "nodes": nodes, "attested": attested, "statements": told})
            )
    return len(chains)


def _logs(output: Output, logs: Sequence[StoredLog]) -> int:
    with output.open("logs.jsonl") as file:
        for log in logs:
            file.write(
                json_line(
                    {
                        "log": log.log.hex(),
                        "org": log.org.hex(),
                        "node": log.node.hex(),
                        "own": log.own,
                        "size": log.size,
                        "statement": open_files.base64_text(log.envelope),
                        "checkpoint": log.note.decode() if log.note else None,
                        "stopped": log.stopped,
                    }
                )
            )
    return len(logs)


async def _catalogs(tx: ReadTx, output: Output, world: World) -> None:
    """The records that this node works with, every release that is here, and what all say of their own codes."""
    adopted = {name.removeprefix(ADOPTED): raw.decode() for name, raw in (await settings_like(tx, ADOPTED)).items()}
    listed = []
    for catalog in Catalog:
        works_with = adopted.get(catalog.value)
        records = working_records(world, catalog, works_with).items()
        _add_lines(output, f"catalogs/{catalog.value}.jsonl", (plain(dict(record)) for _, record in sorted(records)))
        for release in world.releases.get(catalog, ()):
            file = f"catalogs/releases/{catalog.value}-{release.number}-{release.digest[:8]}.jsonl"
            listed.append(open_files.release_object(release, file, is_adopted=release.digest == works_with))
            _add_lines(output, file, (plain(dict(record)) for _, record in sorted((release.records or {}).items())))
    _add_lines(output, "catalogs/releases.jsonl", listed)
    held = [item.record.model_dump(mode="json", exclude_none=True) for _, item in sorted(world.line_records.items())]
    _add_lines(output, "catalogs/lines.jsonl", held)
    duals = [
        {"org": org, "catalog": catalog, "local": local, "central": code.central, "local_name": code.name}
        for (org, catalog, local), code in sorted(world.own_codes.items())
    ]
    _add_lines(output, "catalogs/references.jsonl", duals)
    refused = {name.removeprefix(REFUSED): raw for name, raw in (await settings_like(tx, REFUSED)).items()}
    lines = [{"catalog": name, "refused": json.loads(raw)} for name, raw in sorted(refused.items())]
    _add_lines(output, "catalogs/refused.jsonl", lines)


async def _suppliers(tx: ReadTx, output: Output) -> int:
    """How the tables of each supplier are read."""
    kept = await settings_like(tx, SUPPLIER)
    lines = [{"name": name.removeprefix(SUPPLIER), "mapping": json.loads(raw)} for name, raw in sorted(kept.items())]
    _add_lines(output, "suppliers.jsonl", lines)
    return len(lines)


def _add_lines(output: Output, name: str, lines: Iterable[Json]) -> None:
    output.add(name, b"".join(map(json_line, lines)))


async def _log(tx: ReadTx, output: Output, log: StoredLog, attachments: CsvFile) -> AsyncIterator[int]:
    folder = f"logs/{log.log.hex()}"
    with output.open(f"{folder}/leaves.txt") as file:
        for start in range(0, log.size, LEAVES):
            hashes = await read_hashes(tx, log.no, start, min(start + LEAVES, log.size))
            file.write(b"".join(map(_hash_line, hashes)))
    with output.open(f"{folder}/checkpoints.jsonl") as file:
        for start in range(0, log.size, LEAVES):
            notes = await checkpoints_between(tx, log.no, start, start + LEAVES)
            file.write(b"".join(json_line({"size": note.size, "note": note.note.decode()}) for note in notes))
    with output.open(f"{folder}/fragments.jsonl") as file:
        for start in range(0, log.size, ENTRIES):
            entries = await entries_between(tx, log.no, start, start + ENTRIES)
            for _, entry in sorted(entries.items()):
                file.write(json_line(await _fragment(tx, output, entry, attachments)))
            yield min(ENTRIES, log.size - start)


def _hash_line(item: Hash) -> bytes:
    return f"tile {item.hash.hex()}\n".encode() if isinstance(item, Tile) else item.hex().encode() + b"\n"


async def _fragment(tx: ReadTx, output: Output, entry: StoredFragment, attachments: CsvFile) -> dict[str, Json]:
    told = open_files.fragment_object(entry.log, entry.seq, entry.header, entry.signature, entry.void)
    told["received"] = moment(entry.received_us)
    if told["void"] is None:
        header = decode_header(entry.header, entry.log, entry.seq)
        sections = {
            s.name: Section(s.name, s.salt, s.data) for s in entry.sections if s.form in {CLEAR, SEALED} and s.data
        }
        erased = {section.name for section in entry.sections if section.form == ERASED}
        told["sections"] = [
            open_files.section_object(header, sections.get(head.name), head.name, is_erased=head.name in erased)
            for head in header.sections
        ]
        _documents(output, header, sections)
        await write_attachments(tx, output, attachments, _ref(entry), header, sections)
    return told


def _ref(entry: StoredFragment) -> Ref:
    return Ref(entry.log, entry.seq, fragment_id(entry.header)[:16])


def _documents(output: Output, header: Header, sections: Mapping[str, Section]) -> None:
    """Documents, templates and procedures byte for byte, each in a file of its own."""
    wanted = {
        Kind.PROTOCOL: ("documents", (DOCUMENT, PERSONAL)),
        Kind.TEMPLATE: ("templates", ("template", "procedure")),
    }
    folder, names = wanted.get(Kind(header.kind), ("", ())) if header.kind in set(Kind) else ("", ())
    for name in names:
        section = sections.get(name)
        if section is not None and section.salt is not None:
            raw = open_files.content_of(header, section)
            if raw is not None:
                output.add(f"{folder}/{open_files.document_name(raw)}", raw)


async def _passports(tx: ReadTx, output: Output) -> AsyncIterator[int]:
    makers: tuple[tuple[str, Sequence[str], Callable[[View], Iterator[Row]]], ...] = (
        ("events", open_files.EVENTS, open_files.event_rows),
        ("parameters", open_files.PARAMETERS, open_files.parameter_rows),
        ("composition", open_files.COMPOSITION, open_files.composition_rows),
        ("protocols", open_files.PROTOCOLS, open_files.protocol_rows),
        ("processes", open_files.MOVES, open_files.move_rows),
    )
    with ExitStack() as opened:
        file = opened.enter_context(output.open("passports.jsonl"))
        devices = opened.enter_context(CsvFile(output, "devices", open_files.DEVICES))
        tables = [(opened.enter_context(CsvFile(output, name, columns)), rows) for name, columns, rows in makers]
        after = b""
        while page := await read_leading(tx, after, PASSPORTS):
            for stored in page:
                view = stored.content
                file.write(json_line({"id": view["id"], "digest": stored.digest.hex(), "view": view}))
                devices.write([open_files.device_row(view, stored.digest.hex())])
                for table, rows in tables:
                    table.write(rows(view))
            yield len(page)
            after = page[-1].subject
