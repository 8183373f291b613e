"""The configuration station: a device is scanned, set up, and given its root key.

The key is made here by the system's source of randomness, or is one that the device brings. It is stated sealed beside
the settings, as an import does; the fragment holds its commitment. Who configures the device is given it once. Of a
device that has a key already another one is stated only on purpose: with a reason, and told to whoever put it on the
air. Where a process of the device waits at a step that records its configuration, that step is done with it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from federation.fragment import Ref
from node.errors import DeniedError, InputError, StateError
from node.passport import drafts
from node.passport.bodies import AliasBody, EventBody, ParametersBody, Place, RadioBody, Reference, RootKeysBody
from node.passport.case import open_case
from node.passport.configuring import (
    EVENT,
    OTAA,
    Setting,
    may_configure,
    parameters_of,
    radio_of,
    says_anew,
    settings_of,
)
from node.passport.device_keys import KEY_BYTES, SECTION, Weakness, find_weakness, read_app_key
from node.passport.drafts import Draft
from node.passport.errors import SettingError
from node.passport.places import NO_PLACE
from node.passport.shown import rows, text
from node.secret import Secret
from node.services.core import Core
from node.services.counting import stored_header
from node.services.entry import Entry
from node.services.key_marks import KeyMarks
from node.services.ledger import Ledger, entry_ref
from node.services.projection import Projection
from node.services.provisioning import counting_key, subjects_of
from node.services.registry import Registry
from node.services.replaced_keys import ReplacedKeys
from node.services.runs import Completed, Runs
from node.services.statements import StatementReader
from node.services.steps import Turn, Work
from node.store.database import ReadTx, WriteTx
from node.store.fragments import entries_about
from node.store.passports import StoredPassport, find_terms, read_titles
from node.store.radio import StoredDevice

__all__ = ["Configuration", "Configured", "KeyAct", "KeyStated", "Prepared", "Wish"]

STATION, OPERATOR, FIRMWARE = "station", "operator", "firmware"
MOST_NAMED = 5
WEAK: Mapping[Weakness, Mapping[str, str]] = {
    Weakness.EQUAL: {"ru": "все байты одинаковы", "en": "all its bytes are equal"},
    Weakness.ADDRESS: {"ru": "он составлен из адресов прибора", "en": "it is made of the device's addresses"},
    Weakness.REPEATS: {"ru": "байты повторяются", "en": "its bytes repeat"},
    Weakness.COUNTS: {"ru": "байты идут подряд", "en": "its bytes count"},
    Weakness.PUBLISHED: {"ru": "это пример из документации", "en": "it is a published example"},
}


class KeyAct(StrEnum):
    """What is done about the root key."""

    KEEP = "keep"  # as it stands, or none
    ISSUE = "issue"  # a new one is made here
    IMPORT = "import"  # the device brings it


@dataclass(frozen=True, slots=True)
class KeyStated:
    """The last word on the device's root key: when and by whom, how many there were, and whether the key is here."""

    stamp: int
    org: bytes
    count: int
    is_here: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A device at the station: its settings prefilled, its key, and the step of a process that waits for this."""

    passport: StoredPassport
    settings: Mapping[str, Setting]
    key: KeyStated | None
    turn: Turn | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done: settings that differ from the prefilled ones, the key, who works where, what a step asks.

    `reason` is why another key is stated where there is one.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    act: KeyAct = KeyAct.KEEP
    app_key: str = field(default="", repr=False)
    reason: str = ""
    station: str = ""
    operator: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configured:
    """What was done. `issued` is the new key, for whoever configures the device; it is given here and nowhere else.

    `replaced` are devices of our network that joined with the key before. `place` is None where nothing was said.
    """

    passport: StoredPassport
    radio: RadioBody
    act: KeyAct
    place: Ref | None
    issued: Secret | None
    replaced: Sequence[StoredDevice]
    done: Completed | None


class Configuration:
    """Sets devices up."""

    def __init__(
        self,
        core: Core,
        ledger: Ledger,
        projection: Projection,
        registry: Registry,
        runs: Runs,
        entry: Entry,
        replaced: ReplacedKeys,
    ) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._registry = registry
        self._runs = runs
        self._entry = entry
        self._replaced = replaced
        self._marks = KeyMarks(core)
        self._one_at_a_time = asyncio.Lock()  # of two keys asked for at once the second one sees the first

    async def prepare(self, subject: bytes) -> Prepared:
        """A device at the station; raise NotFoundError, or DeniedError where others state how it joins."""
        passport = await self._registry.get(subject, whole=False)
        view = passport.content
        async with self._core.database.read() as tx:
            await self._check_right(tx, passport)
            key = await self._key_stated(tx, passport)
        return Prepared(passport, settings_of(view), key, await self._runs.waiting_for(passport.subject, EVENT))

    async def configure(self, subject: bytes, wish: Wish, system: str, actor: str) -> Configured:
        """State the settings and the key, and do the step that waits for it: all or nothing.

        Raise InputError for a setting or a key that is refused, StateError where a key stands and no reason is given.
        """
        async with self._one_at_a_time:
            prepared = await self.prepare(subject)
            values = {name: wish.values.get(name) or one.value for name, one in prepared.settings.items()}
            radio = _radio(values)
            await self._check_alone(prepared.passport, radio.dev_eui)
            act, key = await self._key(prepared, radio, wish)
            async with self._runs.moving():
                return await self._say(prepared, radio, values, wish, (act, key), system, actor)

    async def _say(
        self,
        prepared: Prepared,
        radio: RadioBody,
        values: Mapping[str, str],
        wish: Wish,
        key: tuple[KeyAct, Secret | None],
        system: str,
        actor: str,
    ) -> Configured:
        passport, now = prepared.passport, self._core.clock.now()
        said = self._settings(passport, radio, values, key[1], now)
        work = Work(now, system, detail=_detail(prepared.turn, values, wish, key[0]))
        done = await self._runs.completed_with(passport.subject, EVENT, work)
        if not said and done is None and wish.act is not key[0]:
            return Configured(passport, radio, key[0], None, None, (), None)  # the same key was brought once more
        said += done.drafts if done is not None else await self._event(passport, work)

        async def record(tx: WriteTx, _entries: object) -> None:
            told = {"dev_eui": radio.dev_eui, "key": key[0].value, "reason": wish.reason or None}
            await self._core.announce(tx, actor, "device_configured", passport.subject, org=None, **told)
            if done is not None:
                await self._core.announce(tx, actor, "step_done", passport.subject, org=None, **done.told)

        entries = await self._ledger.append(said, record)
        place = entry_ref(self._ledger.log.log, entries[0])
        issued = key[1] if key[0] is KeyAct.ISSUE else None
        async with self._core.database.read() as tx:
            replaced = await self._replaced.outdated(tx, [passport.subject])
        return Configured(passport, radio, key[0], place, issued, replaced, done)

    def _settings(
        self, passport: StoredPassport, radio: RadioBody, values: Mapping[str, str], key: Secret | None, now: int
    ) -> list[Draft]:
        """What is said of the settings, as far as it is new, and the key beside how the device joins."""
        subject, view, org = passport.subject, passport.content, self._core.org
        since = datetime.fromtimestamp(now // 10**6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said: list[Draft] = []
        if key is not None or says_anew(view, radio, org):
            keys = None if key is None else RootKeysBody(app_key=key.reveal().hex())
            said.append(drafts.radio(subject, radio, keys, now))
        named = {str(row["value"]).lower() for row in rows(view, "aliases") if row["scheme"] == "dev_eui"}
        if radio.dev_eui not in named:
            body = AliasBody(scheme="dev_eui", value=radio.dev_eui, evidence="label", since=since)
            said.append(drafts.alias(subject, body, now))
        if parameters := parameters_of(view, values, since):
            self._entry.check_rows(parameters, "/settings")
            said.append(drafts.parameters(subject, ParametersBody(rows=parameters), now))
        return said

    async def _event(self, passport: StoredPassport, work: Work) -> list[Draft]:
        place = Place(place=Reference(local=self._core.settings.node.place or NO_PLACE), default=True)
        body = EventBody(what=Reference(central=EVENT), where=place, system=work.system, detail=dict(work.detail))
        await self._registry.check_event(passport, body, work.occurred)
        return [drafts.event(passport.subject, body, work.occurred)]

    async def _key(self, prepared: Prepared, radio: RadioBody, wish: Wish) -> tuple[KeyAct, Secret | None]:
        """What is done about the key, and the key that is stated; None where none is."""
        if wish.act is KeyAct.KEEP:
            return wish.act, None
        if radio.activation != OTAA:
            raise InputError(f"a device with {radio.activation} has no root key", "root_key_unasked")
        key = Secret(self._core.random.bytes(KEY_BYTES))
        if wish.act is KeyAct.IMPORT:
            key = await self._brought(prepared, radio, wish.app_key)
            if await self._stands(prepared.passport, radio.dev_eui, key):
                return KeyAct.KEEP, None
        if prepared.key is not None and not wish.reason:
            stated = datetime.fromtimestamp(prepared.key.stamp / 1e6, UTC)
            raise StateError("a root key of this device is stated", "root_key_stated", at=stated)
        return wish.act, key

    async def _brought(self, prepared: Prepared, radio: RadioBody, told: str) -> Secret:
        """A key that the device brings; raise InputError or StateError where it protects nothing."""
        key = read_app_key(told)
        if key is None:
            raise InputError("the key is not 32 hex digits", "root_key_form", length=len(told.strip()))
        weakness = find_weakness(key, radio.dev_eui, radio.join_eui)
        if weakness is not None:
            raise InputError(f"the key is weak: {weakness.value}", "root_key_weak", why=WEAK[weakness])
        others = await self._marks.others_with(key, subjects_of(prepared.passport.content))
        if others:
            async with self._core.database.read() as tx:
                titles = sorted(set((await read_titles(tx, others[:MOST_NAMED])).values()))
            raise StateError("another device has that key", "root_key_used", titles=", ".join(titles))
        return key

    async def _stands(self, passport: StoredPassport, dev_eui: str, key: Secret) -> bool:
        """Whether that key is the one with which the device joins by now: said once more, it is said once."""
        async with self._core.database.read() as tx:
            standing = await self._counting(tx, passport, dev_eui)
        return standing is not None and key.matches(standing)

    async def _counting(self, tx: ReadTx, passport: StoredPassport, dev_eui: str) -> bytes | None:
        return await counting_key(tx, self._core.keystore.vault, self._projection.world, passport.content, dev_eui)

    async def _key_stated(self, tx: ReadTx, passport: StoredPassport) -> KeyStated | None:
        reader = await StatementReader.open(tx)
        entries = reader.standing(await entries_about(tx, subjects_of(passport.content)))
        found = [
            (header.stamp, header.log) for e in entries if (header := stored_header(e)) and header.section(SECTION)
        ]
        if not found:
            return None
        stamp, log = max(found)
        dev_eui = text(passport.content, "radio", "dev_eui", "value")
        key = await self._counting(tx, passport, dev_eui)
        return KeyStated(stamp, reader.author(log), len(found), key is not None)

    async def _check_right(self, tx: ReadTx, passport: StoredPassport) -> None:
        subjects = subjects_of(passport.content)
        said = await (await StatementReader.open(tx)).about(tx, subjects)
        case = open_case(subjects, said, self._projection.world)
        if not may_configure(case, self._core.org, self._core.clock.now()):
            raise DeniedError("others state how this device joins", "configuration_not_ours", title=passport.title)

    async def _check_alone(self, passport: StoredPassport, dev_eui: str) -> None:
        own = {passport.subject, *subjects_of(passport.content)}
        async with self._core.database.read() as tx:
            others = {subject for subject, _ in await find_terms(tx, dev_eui, "dev_eui")} - own
        if others:
            raise StateError(f"DevEUI {dev_eui} stands in another passport", "dev_eui_doubled", dev_eui=dev_eui)


def _radio(values: Mapping[str, str]) -> RadioBody:
    try:
        return radio_of(values)
    except SettingError as error:
        raise InputError(str(error), f"setting_{error.rule}", setting=error.setting, **error.values) from error


def _detail(turn: Turn | None, values: Mapping[str, str], wish: Wish, act: KeyAct) -> dict[str, str]:
    """What the event tells beside: who and where, what the step asks, what was done about the key and why."""
    known = {ask.code for ask in turn.step.asks} if turn is not None else {STATION, OPERATOR}
    told = {STATION: wish.station, OPERATOR: wish.operator, FIRMWARE: values.get("firmware_version", "")}
    asked = {code: value for code, value in told.items() if value and code in known}
    key = {} if act is KeyAct.KEEP else {"key": act.value, **({"reason": wish.reason} if wish.reason else {})}
    return {**asked, **wish.detail, **key}
