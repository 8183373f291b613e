"""Organisations whose logs a running node mirrors: what they state comes in as it does from a peer."""

from collections.abc import Sequence
from random import Random

from benchmarks.fold import BEGIN_US, Author
from federation.fragment import Ref
from node.passport.drafts import Draft
from node.store.fragments import insert_entries
from node.store.logs import insert_log
from node.store.organisations import insert_statements
from tests.unit.web.running import RunningWeb


async def peer(web: RunningWeb, seed: int) -> Author:
    """An organisation whose log is mirrored here."""
    author = Author(f"peer{seed}", Random(seed))
    async with web.context.core.database.write() as tx:
        await insert_statements(tx, author.chain)
        author.stored = await insert_log(tx, author.statement, own=False)
    return author


async def arrive(
    web: RunningWeb, author: Author, draft: Draft, refs: Sequence[Ref] = (), occurred: int | None = None
) -> Ref:
    """A statement of a peer comes in; answer its place."""
    assert author.stored is not None
    ref = author.say(draft, occurred if occurred is not None else BEGIN_US + len(author.entries), refs)
    async with web.context.core.database.write() as tx:
        await insert_entries(tx, author.stored.no, author.entries[-1:])
        await web.context.projection.take(tx, [(author.stored, author.entries[-1:])])
    return ref
