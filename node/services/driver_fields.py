"""Which names drivers used on this node: each is noted once, so that a person can say what it means."""

from drivers.reading import Decoded
from node.store.database import WriteTx
from node.store.mappings import BYTES, SeenField, list_fields, note_fields

# A driver of few documents may name what it does not know by its bytes: such names have no end.
MOST = 2_000
LONGEST = 200

_Name = tuple[str, int]


class DriverFields:
    """Remembers what was noted, so that a frame of known names costs nothing."""

    def __init__(self) -> None:
        self._noted: dict[str, set[_Name]] = {}

    async def note(self, tx: WriteTx, driver: str, frame_id: int, decoded: Decoded) -> None:
        """Keep the names of a frame that are new, with the unit of the first value; at most so many of a driver."""
        said = {(reading.quantity, reading.channel): reading.unit for reading in reversed(decoded.readings)}
        said |= {(item.name[:LONGEST], BYTES): "" for item in decoded.unmapped}
        noted = self._noted.get(driver)
        if noted is not None and (said.keys() <= noted or len(noted) >= MOST):
            return
        if noted is None:
            noted = {(field.quantity, field.channel) for field in await list_fields(tx, driver)}
        new = [name for name in said if name not in noted][: max(0, MOST - len(noted))]
        await note_fields(
            tx, [SeenField(driver, name, channel, said[name, channel], tx.now, frame_id) for name, channel in new]
        )
        known = noted.union(new)
        tx.on_commit(lambda: self._noted.setdefault(driver, set()).update(known))
