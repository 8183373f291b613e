"""Meters behind a radio bridge: what its frames carry is read with their own passports, drivers and keys.

A wireless M-Bus meter is found by its plate as it stands in its telegrams, `KAM-12345678`: another name of its passport
under the scheme `wmbus`. Its AES-128 key stands, sealed, where a root key stands, in the statement that names it so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from drivers.context import Context, Heard
from drivers.errors import DriverChoiceError
from drivers.keys import Key
from drivers.reading import Carried
from drivers.registry import DeviceTraits, Installed, Registry
from drivers.wmbus.bridge import KEPT_FOR, MAX_PARTS
from federation.errors import FederationError
from node.errors import KeystoreError, StateError
from node.passport import drafts
from node.passport.bodies import AliasBody, RootKeysBody
from node.passport.device_keys import SECTION
from node.passport.errors import BodyError
from node.passport.identifiers import number_value
from node.services.core import Core
from node.services.decoding import Decoder, Decoding, Why
from node.services.known import check_passports
from node.services.ledger import Ledger
from node.services.provisioning import open_root_key, traits_of
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.formats import newest_format, read_formats
from node.store.fragments import CLEAR, STORED, StoredFragment, count_sections, entries_about
from node.store.passports import count_terms, find_passport, find_terms
from node.store.radio import StoredDevice, StoredFrame, list_frames
from node.store.readings import moment_of

SCHEME = "wmbus"
PLAIN = "wmbus-oms"  # reads the telegrams of meters whose passports name no driver
RADIO_KEY = {"radio": "wmbus"}


@dataclass(frozen=True, slots=True)
class _Meter:
    """A meter behind a bridge: its subject, its driver, and what that is told."""

    subject: bytes
    driver: Installed | None
    context: Context


class Bridges:
    """Reads what bridges carry, and states by which name a meter is heard."""

    def __init__(self, core: Core, ledger: Ledger, decoder: Decoder) -> None:
        self._core = core
        self._ledger = ledger
        self._decoder = decoder

    async def state(self, subject: bytes, meter: str, key: bytes | None, actor: str) -> None:
        """State how a meter is named in its telegrams, and its key. Raise NotFoundError, or StateError for a name that
        another passport has.
        """
        now = self._core.clock.now()
        async with self._core.database.read() as tx:
            await check_passports(tx, [subject])
            others = {found for found, _ in await find_terms(tx, _term(meter), SCHEME)} - {subject}
        if others:
            raise StateError(f"{meter} stands in another passport", "meter_doubled", meter=meter)
        keys = None if key is None else RootKeysBody(app_key=key.hex())
        draft = drafts.alias(subject, AliasBody(scheme=SCHEME, value=meter, evidence="wire"), now, keys)

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "meter_named", subject, name=meter)

        await self._ledger.append([draft], note)

    @staticmethod
    async def known(tx: ReadTx) -> bytes:
        """Changes where a name, a key or a format came: what could not be read may be."""
        found = await count_terms(tx, SCHEME), await count_sections(tx, SECTION), await newest_format(tx)
        return str(found).encode()

    @staticmethod
    async def before(tx: ReadTx, device: StoredDevice, frame: StoredFrame, fresh: Sequence[StoredFrame]) -> Context:
        """What a driver that joins parts is told: the frames of the session before this one, `fresh` ones too."""
        stored = await list_frames(tx, dev_eui=device.dev_eui, before=frame.id, limit=MAX_PARTS)
        since = frame.received_us - int(KEPT_FOR.total_seconds() * 1e6)
        counter = frame.fcnt or 0
        heard = {
            one.fcnt: Heard(one.port, one.payload, one.fcnt, moment_of(one.received_us))
            for one in (*reversed(stored), *fresh)
            if one.session == frame.session and one.port is not None and one.payload is not None
            if one.fcnt is not None and one.fcnt < counter and one.received_us >= since
        }
        return Context(counter=counter, earlier=tuple(heard[number] for number in sorted(heard))[-MAX_PARTS:])

    async def read(self, frame: StoredFrame, decoding: Decoding) -> Decoding:
        """The decoding of a bridge's frame with that of the telegram which it carried."""
        if decoding.decoded is None or not decoding.decoded.carried:
            return decoding
        carried = decoding.decoded.carried[0]
        async with self._core.database.read() as tx:
            meter = await self._find(tx, carried, frame.received_us)
        if meter is None:
            error = f"no passport here is of the meter {carried.meter}, or several are"
            inner = Decoding(None, None, error, Why.NO_PASSPORT)
            return replace(decoding, carried=inner, meter=carried.meter)
        asked = replace(frame, port=0, payload=carried.raw)
        (inner,) = await self._decoder.decode([(meter.driver, asked, meter.context)])
        return replace(decoding, carried=inner, subject=meter.subject, meter=carried.meter)

    async def _find(self, tx: ReadTx, carried: Carried, at_us: int) -> _Meter | None:
        subjects = sorted({subject for subject, _ in await find_terms(tx, _term(carried.meter), SCHEME)})
        passport = await find_passport(tx, subjects[0], whole=False) if len(subjects) == 1 else None
        if passport is None:
            return None
        reader = await StatementReader.open(tx)
        key = self._key(reader.standing(await entries_about(tx, [passport.subject])), carried.meter)
        driver = driver_behind(self._decoder.registry, traits_of(passport.content, at_us))
        return _Meter(passport.subject, driver, Context(meter=carried.meter, key=key, formats=await read_formats(tx)))

    def _key(self, entries: Sequence[StoredFragment], meter: str) -> Key | None:
        """The key of the newest statement that names the meter so and has one."""
        for entry in sorted(entries, key=lambda one: (one.log_no, one.seq), reverse=True):
            sealed = next((s.data for s in entry.sections if s.name == SECTION and s.form == STORED), None)
            if sealed is None or not _names(entry, meter):
                continue
            try:
                return Key(open_root_key(self._core.keystore.vault, sealed))
            except (BodyError, FederationError, KeystoreError):
                continue
        return None


def driver_behind(registry: Registry, meter: DeviceTraits) -> Installed | None:
    """The driver of a meter behind a bridge: the one that fits; that of any meter where its passport names none."""
    try:
        return registry.choose(meter)
    except DriverChoiceError:
        if meter.keys:
            return None
    try:
        return registry.choose(DeviceTraits(keys=RADIO_KEY))
    except DriverChoiceError:
        return registry.find(PLAIN)


def _names(entry: StoredFragment, meter: str) -> bool:
    raw = next((s.data for s in entry.sections if s.name == "alias" and s.form == CLEAR), None)
    try:
        body = AliasBody.from_bytes(raw) if raw is not None else None
    except BodyError:
        return False
    return body is not None and (body.scheme, body.value) == (SCHEME, meter)


def _term(meter: str) -> str:
    return number_value(meter)
