"""Files of the store as they leave it: what is attached to protocols and forms, and what was made for «Аршин»."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping

from pydantic import ValidationError

from federation.chunks import ChunkList
from federation.errors import CodecError
from federation.fragment import Header, Ref, Section
from node.exchange.open_files import Json, Row, content_of, moment
from node.keystore import Vault
from node.passport.bodies import AttachmentsBody
from node.passport.file_types import ENDINGS
from node.services.export_folder import CsvFile, Output
from node.store import schema
from node.store.chunks import form_file, held_chunks, read_chunk, signed_file
from node.store.copying import read_pages
from node.store.database import ReadTx

ATTACHMENTS = ("log", "seq", "section", "name", "type", "size", "sha256", "file")


async def write_attachments(
    tx: ReadTx, output: Output, table: CsvFile, ref: Ref, header: Header, sections: Mapping[str, Section]
) -> None:
    """The files of a statement, a row each; a file of which nobody opened the bytes here has none in `file`."""
    listed = sections.get("attachments")
    raw = content_of(header, listed) if listed is not None and listed.salt is not None else None
    try:
        files = AttachmentsBody.model_validate_json(raw).files if raw is not None else ()
    except ValidationError:
        return
    for one in files:
        chunks = _chunks(header, sections.get(one.section))
        kept = signed_file(ref, one.section)
        count = len(chunks.hashes) if chunks is not None else None
        name = await _write(tx, output, kept, one.sha256, one.type, count)
        told = {"section": one.section, "name": one.name, "type": one.type, "size": str(one.size)}
        row: Row = {"log": header.log.hex(), "seq": str(header.seq), **told, "sha256": one.sha256, "file": name or ""}
        table.write([row])


async def forms(tx: ReadTx, output: Output) -> AsyncIterator[Json]:
    """Forms that are being filled in, and their files."""
    columns = ("template", "subject", "document", "files", "replaces", "actor", "created_us", "changed_us")
    async for page in read_pages(tx, schema.forms, *columns, limit=1):
        for row in page:
            files = json.loads(row.files)
            for one in files:
                name = form_file(row.id, one["section"])
                one["file"] = await _write(tx, output, name, one["sha256"], one["type"], None)
            yield {
                "id": row.id,
                "template": row.template,
                "subject": row.subject.hex(),
                "document": row.document,
                "files": files,
                "replaces": row.replaces,
                "actor": row.actor,
                "created": moment(row.created_us),
                "changed": moment(row.changed_us),
            }


async def write_arshin_files(tx: ReadTx, output: Output, vault: Vault) -> int:
    """The files for «Аршин» as they were made, by their number."""
    count = 0
    async for page in read_pages(tx, schema.arshin_files, "content", limit=1):
        for row in page:
            output.add(f"arshin/{row.id}.xml", await asyncio.to_thread(vault.open, row.content))
            count += 1
    return count


def _chunks(header: Header, section: Section | None) -> ChunkList | None:
    raw = content_of(header, section) if section is not None and section.salt is not None else None
    try:
        return ChunkList.from_bytes(raw) if raw is not None else None
    except CodecError:
        return None


async def _write(tx: ReadTx, output: Output, kept: str, sha256: str, media_type: str, count: int | None) -> str | None:
    """Write a file of which all `count` chunks are here (None: however many there are); answer its name."""
    held = await held_chunks(tx, kept)
    if not held or (count is not None and held != set(range(count))):
        return None
    ending = next((ending for ending, told in ENDINGS.items() if told == media_type), "bin")
    name = f"attachments/{sha256}.{ending}"
    if not output.has(name):
        with output.open(name) as file:
            for n in sorted(held):
                file.write(await read_chunk(tx, kept, n) or b"")
    return name
