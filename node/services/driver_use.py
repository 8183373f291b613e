"""How many devices of this node each driver reads now: those in service of its network, and meters behind bridges."""

from collections import Counter
from collections.abc import Mapping

from node.passport.view import load_view
from node.services.bridges import SCHEME, driver_behind
from node.services.decoding import Decoder
from node.services.provisioning import traits_of
from node.store.database import Database, ReadTx
from node.store.passports import read_views, subjects_of_scheme
from node.store.radio import profiles_in_service

CHOSEN_BY = ("driver", "driver_version", "hardware", "firmware")  # what of a profile decides


class DriverUse:
    """Counts devices by the driver that their next frame is given to."""

    def __init__(self, database: Database, decoder: Decoder) -> None:
        self._database = database
        self._decoder = decoder

    async def count(self) -> Mapping[bytes, int]:
        """How many there are, by the hash of the driver."""
        return await self._database.glance(self._count)

    async def _count(self, tx: ReadTx) -> Mapping[bytes, int]:
        profiles = await profiles_in_service(tx)
        alike = Counter(tuple((name, one[name]) for name in CHOSEN_BY if name in one) for one in profiles)
        views = await read_views(tx, await subjects_of_scheme(tx, SCHEME))
        chosen = [(self._decoder.driver_by(dict(profile)), count) for profile, count in alike.items()]
        chosen += [(driver_behind(self._decoder.registry, traits_of(load_view(view))), 1) for view in views.values()]
        counts: Counter[bytes] = Counter()
        for driver, count in chosen:
            if driver is not None:
                counts[driver.hash] += count
        return counts
