"""Cases of passports that are here: everything that was said of a thing, worked out as the fold does."""

from collections.abc import Sequence

from node.errors import NotFoundError
from node.passport.case import Case, open_case
from node.passport.grants import Grant, grants_of
from node.passport.reading import read
from node.passport.sameness import other_sides
from node.passport.statement import Statement
from node.services.core import Core
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store.database import ReadTx
from node.store.passports import every_id, find_passport


class Cases:
    """Opens cases out of the store."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection

    async def of(self, subject: bytes) -> Case:
        """The case of a passport; raise NotFoundError where none is here."""
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
            if passport is None:
                raise NotFoundError("no passport of that id is here", "passport_unknown")
            subjects, reader = await every_id(tx, [passport.subject]), await StatementReader.open(tx)
            return await self.open(tx, reader, subjects, await reader.about(tx, subjects))

    async def open(
        self, tx: ReadTx, reader: StatementReader, subjects: Sequence[bytes], said: Sequence[Statement]
    ) -> Case:
        """The case of a passport with all its subjects, of whom that is said."""
        world = self._projection.world
        if sides := other_sides(said, set(subjects)):
            said = await reader.about(tx, {*subjects, *sides})
        return await tx.aside(lambda: open_case(subjects, said, world))

    async def read(self, tx: ReadTx, reader: StatementReader, subject: bytes) -> Sequence[Grant]:
        """The grants about a thing, with what ended them, whether it has a passport here or not."""
        said = await reader.about(tx, [subject])
        return grants_of([read(statement) for statement in said], subject)
