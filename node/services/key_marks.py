"""Which devices here have a root key already: asked by its mark, so that no other key is opened to compare.

A mark is a keyed hash under the storage key. It is written with the section that holds the key; sections that were
here before marks were kept are marked once, when it is first asked.
"""

import asyncio
from collections.abc import Sequence

from node.errors import KeystoreError
from node.passport.device_keys import SECTION, key_in
from node.secret import Secret
from node.services.core import Core
from node.services.counting import stored_header
from node.services.statements import StatementReader
from node.store.database import ReadTx
from node.store.fragments import STORED, StoredFragment, entries_about, entries_at
from node.store.key_marks import mark_keys, sealed_places, subjects_marked
from node.store.settings import find_setting, set_setting

__all__ = ["KeyMarks"]

MARKED = "keys_marked"
AT_ONCE = 1000


class KeyMarks:
    """Finds equal root keys."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._marking = asyncio.Lock()

    async def others_with(self, key: Secret, subjects: Sequence[bytes]) -> list[bytes]:
        """The things, beside these subjects, of which this very key is stated and was not taken back."""
        await self._mark_all()
        async with self._core.database.read() as tx:
            marked = await subjects_marked(tx, self._core.keystore.vault.mark(key.reveal()))
            others = [subject for subject in marked if subject not in subjects]
            return [subject for subject in others if await self._has(tx, subject, key)]

    async def _has(self, tx: ReadTx, subject: bytes, key: Secret) -> bool:
        entries = (await StatementReader.open(tx)).standing(await entries_about(tx, [subject]))
        return any(key.matches(found) for entry in entries for found in self._keys_of(entry))

    def _keys_of(self, entry: StoredFragment) -> list[bytes]:
        sealed = [section.data for section in entry.sections if section.name == SECTION and section.form == STORED]
        return [key for key in map(self._open, sealed) if key is not None]

    def _open(self, sealed: bytes) -> bytes | None:
        try:
            return key_in(self._core.keystore.vault.open(sealed))
        except KeystoreError:  # altered on the disk: fsck names it
            return None

    async def _mark_all(self) -> None:
        """Mark what came before marks were kept; nothing where that was done."""
        async with self._marking:
            async with self._core.database.read() as tx:
                if await find_setting(tx, MARKED) is not None:
                    return
            place: tuple[int, int] | None = (-1, -1)
            while place is not None:
                place = await self._mark_after(place)

    async def _mark_after(self, place: tuple[int, int]) -> tuple[int, int] | None:
        """Mark the next ones after a place; answer the last of them, None at the end."""
        async with self._core.database.read() as tx:
            places = await sealed_places(tx, SECTION, place, AT_ONCE)
            entries = await entries_at(tx, places)
        marks = await asyncio.to_thread(lambda: [mark for entry in entries for mark in self._marks_of(entry)])
        is_last = len(places) < AT_ONCE
        async with self._core.database.write() as tx:
            await mark_keys(tx, marks)
            if is_last:
                await set_setting(tx, MARKED, b"1")
        return None if is_last else places[-1]

    def _marks_of(self, entry: StoredFragment) -> list[tuple[bytes, bytes]]:
        header, mark = stored_header(entry), self._core.keystore.vault.mark
        return [(mark(key), header.subjects[0]) for key in self._keys_of(entry)] if header is not None else []
