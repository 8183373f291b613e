"""The bytes of files, in chunks of 1 MiB: of a form that is being filled in, or of a section of a statement."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update

from federation.fragment import Ref
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import insert_new


def signed_file(ref: Ref, section: str) -> str:
    """What the chunks of a statement's section stand under."""
    return f"{ref.log.hex()}:{ref.seq}/{section}"


def form_file(form: str, section: str) -> str:
    """What the chunks of a file stand under while its form is not signed."""
    return f"form:{form}/{section}"


async def put_chunks(tx: WriteTx, file: str, first: int, chunks: Sequence[bytes]) -> None:
    """Keep chunks that follow each other; one that stands already is left alone."""
    rows: list[dict[str, object]] = [{"file": file, "n": n, "data": data} for n, data in enumerate(chunks, first)]
    await insert_new(tx, schema.chunks, rows)


async def read_chunk(tx: ReadTx, file: str, n: int) -> bytes | None:
    """One chunk, None where it is not here."""
    table = schema.chunks.c
    data: bytes | None = await tx.value(select(table.data).where(table.file == file, table.n == n))
    return data


async def read_chunks(tx: ReadTx, file: str) -> bytes:
    """All the bytes of a file that are here, in order."""
    table = schema.chunks.c
    found = await tx.all(select(table.data).where(table.file == file).order_by(table.n))
    return b"".join(row.data for row in found)


async def held_chunks(tx: ReadTx, file: str) -> set[int]:
    """The numbers of the chunks that are here."""
    table = schema.chunks.c
    return {row.n for row in await tx.all(select(table.n).where(table.file == file))}


async def move_chunks(tx: WriteTx, file: str, to: str) -> None:
    """The chunks of a form's file become those of a signed section."""
    await tx.run(update(schema.chunks).where(schema.chunks.c.file == file).values(file=to))


async def copy_chunks(tx: WriteTx, file: str, to: str) -> None:
    """What is here of a file stands under another name too."""
    for n in sorted(await held_chunks(tx, file)):
        chunk = await read_chunk(tx, file, n)
        if chunk is not None:
            await put_chunks(tx, to, n, [chunk])


async def drop_chunks(tx: WriteTx, file: str) -> None:
    """Forget the bytes of a file."""
    await tx.run(delete(schema.chunks).where(schema.chunks.c.file == file))
