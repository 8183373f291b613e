"""The last believed value of each series, kept in memory: what a new reading of a counter is judged by.

One process writes a store. Whatever changes readings otherwise than by adding some says `forget`.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import partial

from drivers.plausibility import Amount
from node.store.database import WriteTx
from node.store.readings import END_US, OK, Series, StoredReading, find_last

MOST = 50_000  # subjects
NEVER = -1

Asked = tuple[bytes, Series, int]
Known = tuple[int, Amount | None]  # when it was so, microseconds; NEVER where nothing was believed yet


class LastValues:
    """Answers what was believed of a series before a time."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, dict[Series, Known]] = OrderedDict()

    async def find(self, tx: WriteTx, asked: Iterable[Asked]) -> dict[Asked, Known]:
        """The last believed value of each series of a subject before a time."""
        found: dict[Asked, Known] = {}
        for one in asked:
            subject, series, before_us = one
            known = self._known.get(subject, {}).get(series)
            if known is None:
                last = await find_last(tx, subject, series, END_US)
                known = _known(last)
                tx.on_commit(partial(self._learn, subject, series, known))
            found[one] = known if known[0] < before_us else _known(await find_last(tx, subject, series, before_us))
        return found

    def note(self, tx: WriteTx, readings: Sequence[StoredReading]) -> None:
        """These were added in a transaction, each under a key that was free."""
        tx.on_commit(partial(self._add, readings))

    def forget(self, subject: bytes) -> None:
        """Readings of a subject were changed."""
        self._known.pop(subject, None)

    def _learn(self, subject: bytes, series: Series, known: Known) -> None:
        self._known.setdefault(subject, {})[series] = known
        self._known.move_to_end(subject)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def _add(self, readings: Sequence[StoredReading]) -> None:
        for reading in readings:
            series = self._known.get(reading.subject, {})
            known = series.get(reading.series)
            # Where nothing is known, what is added need not be the last.
            if reading.status == OK and known is not None and known[0] < reading.effective_us:
                series[reading.series] = reading.effective_us, Amount(reading.value, reading.unit)


def _known(last: StoredReading | None) -> Known:
    return (NEVER, None) if last is None else (last.effective_us, Amount(last.value, last.unit))
