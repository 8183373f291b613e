"""Everything that is known of the devices that carry one identifier, each apart from the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.services.core import Core
from node.services.readings import Readings, Series, StoredReading
from node.services.search import Search, read_query
from node.store.passports import StoredPassport, find_passport, find_terms

ID = "id"


@dataclass(frozen=True, slots=True)
class Observed:
    """A series of readings: its last, the newest of them, oldest first, and whether older ones stand before."""

    series: Series
    last: StoredReading | None
    newest: Sequence[StoredReading]
    has_older: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """A whole passport, the kind of name by which it was found, and what is observed of the device."""

    passport: StoredPassport
    scheme: str
    observed: Sequence[Observed]


@dataclass(frozen=True, slots=True)
class Dossiers:
    """Those that carry an identifier, by device id; `more` names the last where others follow."""

    items: Sequence[Dossier]
    more: bytes | None


class Archive:
    """Reads dossiers."""

    def __init__(self, core: Core, search: Search, readings: Readings) -> None:
        self._core = core
        self._search = search
        self._readings = readings

    async def read(self, text: str, after: bytes = b"", limit: int = 20, readings: int = 100) -> Dossiers:
        """All that carries exactly that identifier, after a subject; raise InputError where the text is mistyped."""
        query = read_query(text)
        async with self._core.database.read() as tx:
            if query.scheme == ID:
                found = [(bytes.fromhex(query.term), ID)] if not after else []
            else:
                found = await find_terms(tx, query.term, limit=limit + 1, after=after)
            passports = [(await find_passport(tx, subject), scheme) for subject, scheme in found[:limit]]
            if not passports and not after and (slip := await self._search.find_slip(tx, text)):
                raise slip
        items = [
            Dossier(passport, scheme, await self._observed(passport.subject, readings))
            for passport, scheme in passports
            if passport is not None
        ]
        return Dossiers(items, found[limit - 1][0] if len(found) > limit else None)

    async def _observed(self, subject: bytes, limit: int) -> list[Observed]:
        found = await self._readings.latest(subject, limit + 1)
        return [
            Observed(series, newest[-1] if newest else None, newest[max(0, len(newest) - limit) :], len(newest) > limit)
            for series, newest in found
        ]
