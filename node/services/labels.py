"""Labels of passports that are here: which things are meant, and what stands on the label of each."""

from collections.abc import AsyncIterator, Sequence

from node.errors import InputError, NotFoundError, StateError
from node.exchange.label_layout import Label
from node.passport.errors import DeviceIdError
from node.passport.ids import SubjectId, format_device_id, format_label_url, groups_of, parse_device_id
from node.passport.shown import at, text
from node.services.core import Core
from node.services.imported import Imported
from node.services.lookup import Lookup, Question
from node.services.public import PublicPassports
from node.services.shipments import Shipments
from node.store.passports import StoredPassport, read_passports

MOST = 10_000  # labels that one order makes
AT_ONCE = 200


class Labels:
    """Tells what labels say."""

    def __init__(
        self, core: Core, public: PublicPassports, lookup: Lookup, imported: Imported, shipments: Shipments
    ) -> None:
        self._core = core
        self._public = public
        self._lookup = lookup
        self._imported = imported
        self._shipments = shipments

    @property
    def domain(self) -> str:
        """The domain that is printed; raise StateError where this organisation has none."""
        if not self._public.domain:
            raise StateError("this organisation has no domain for labels: set [public] domain", "label_no_domain")
        return self._public.domain

    async def named(self, texts: Sequence[str]) -> list[bytes]:
        """The subjects that texts name, each a device id or what stands on a plate, in their order and each once.

        Raise InputError for a text that names nothing here, or several things.
        """
        _check_count(len(texts))
        ids = {typed: _subject_of(typed) for typed in texts}
        found = await self._lookup.here([typed for typed, subject in ids.items() if subject is None])
        subjects: dict[bytes, None] = {}
        for typed, subject in ids.items():
            here = [subject] if subject is not None else [passport.subject for passport in found[typed]]
            if len(here) != 1:
                raise InputError(f"{typed[:64]!r} names {len(here)} things here", "label_unnamed", text=typed[:64])
            subjects[here[0]] = None
        return [*subjects]

    async def asked(self, question: Question, among: frozenset[bytes] | None = None) -> list[bytes]:
        """The subjects that a list shows; raise InputError where they are too many."""
        listed = await self._lookup.page(question, None, MOST + 1, among=among)
        _check_count(len(listed.cards))
        return [card.subject for card in listed.cards]

    async def brought(self, job: str) -> list[bytes]:
        """The subjects that an import brought; raise NotFoundError for no such job."""
        found = await self._imported.things(job, 0, MOST + 1)
        _check_count(len(found))
        return [passport.subject for passport in found]

    async def shipped(self, shipment: bytes) -> list[bytes]:
        """The devices of a shipment whose passports are here; raise NotFoundError for no such shipment."""
        await self._shipments.filed(shipment)
        found = await self._shipments.devices(shipment, limit=MOST + 1)
        _check_count(len(found))
        return [one.device for one in found if one.title is not None]

    async def read(self, subjects: Sequence[bytes]) -> AsyncIterator[Label]:
        """The label of each subject, in their order; raise NotFoundError for one that has no passport here."""
        domain = self.domain
        for start in range(0, len(subjects), AT_ONCE):
            part = subjects[start : start + AT_ONCE]
            async with self._core.database.read() as tx:
                found = await read_passports(tx, part)
            for subject in part:
                if subject not in found:
                    device = format_device_id(SubjectId(subject))
                    raise NotFoundError(f"no passport of {device} is here", "passport_unknown")
                yield label_of(found[subject], domain)


def label_of(passport: StoredPassport, domain: str) -> Label:
    """What the label of a passport says."""
    view, subject = passport.content, SubjectId(passport.subject)
    designation, serial = (text(view, "identity", name, "value") for name in ("designation", "serial"))
    maker = at(view, "parties", "manufacturer", "name") or text(view, "identity", "mark", "value")
    link = format_label_url(domain, subject)
    groups = groups_of(format_device_id(subject))
    if not serial:
        return Label(link, groups, passport.title, "", str(maker or ""))
    return Label(link, groups, designation, f"№ {serial}", str(maker or ""))


def _subject_of(typed: str) -> bytes | None:
    try:
        return parse_device_id(typed).raw
    except DeviceIdError:
        return None


def _check_count(count: int) -> None:
    if count > MOST:
        raise InputError(f"more than {MOST} labels at once", "labels_too_many", most=MOST)
