"""Passports of types: publishing a type and its versions, saying of which one a device is, and the card of a type."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from federation.fragment import Ref
from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import TypeBody
from node.passport.catalog_records import find_faults
from node.passport.catalogs import Catalog, DeviceType, Json
from node.passport.errors import PassportError
from node.passport.ids import SubjectId
from node.passport.publications import Published, read_record
from node.passport.strict_json import format_json
from node.passport.type_passports import VERSION, TypeVersion, subject_of_type
from node.services.core import Core
from node.services.findings import refusal, show_fault
from node.services.known import check_passports
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.services.releases import Releases
from node.services.search import read_exact
from node.store.database import WriteTx
from node.store.own_codes import count_types

RECORD = "type"


@dataclass(frozen=True, slots=True)
class TypeCard:
    """A type as people see it: `publisher` is the organisation that published it alone, `release` the adopted one.

    `approval_state` on this day is valid, ended, not-yet or open (nobody stated dates).
    """

    subject: SubjectId
    kind: DeviceType
    approval_state: str
    executions: Mapping[str, Mapping[str, Json]]
    versions: tuple[Published[TypeVersion], ...]
    publisher: bytes | None
    release: int | None
    devices: int


class Types:
    """Publishes types and versions, in this organisation's name, and answers cards."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, releases: Releases) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._releases = releases

    async def card(self, code: str) -> TypeCard:
        """The card of a type by its code or id; raise NotFoundError, or InputError for a mistyped id.

        A type that no adopted release has still has a card: devices may name it.
        """
        known = self._releases.types()
        if (exact := read_exact(code)) and exact.scheme == "id":
            code = next((one for one in known if subject_of_type(one).hex == exact.term), code)
        kind = known.get(code) or self._projection.world.types.get(code)
        if kind is None:
            raise NotFoundError(f"there is no type {code[:64]}", "type_unknown", type=code)
        async with self._core.database.read() as tx:
            devices = (await count_types(tx)).get(code, 0)
        return self._card(kind, devices)

    async def cards(self) -> list[TypeCard]:
        """Every type that this node works with, by code."""
        async with self._core.database.read() as tx:
            devices = await count_types(tx)
        return [self._card(kind, devices.get(code, 0)) for code, kind in sorted(self._releases.types().items())]

    async def publish(self, record: Mapping[str, Any], actor: str) -> bool:
        """Publish a type and answer whether it counts: where this organisation is an attested maker or a steward.

        Raise InputError naming field and rule, StateError where the code is another organisation's. Any: plain JSON.
        """
        try:
            raw = format_json(dict(record))
            values = read_record(raw)
        except (PassportError, ValueError, TypeError) as error:
            raise InputError(f"the record is no JSON that may be signed: {error}", "type_refused") from error
        if faults := [show_fault(fault) for fault in find_faults(Catalog.TYPES, values)]:
            raise refusal("catalog_refused", faults)
        code = str(values["code"])
        known = self._projection.world.type_records.get(code)
        if known is not None and known.org != self._core.org:
            raise StateError(f"type {code} is published by another organisation", "type_taken", type=code)
        refs = [known.ref] if known is not None else []
        await self._say(code, RECORD, raw, actor, "type_published", refs=refs)
        counted = self._projection.world.type_records.get(code)
        return counted is not None and counted.org == self._core.org

    async def publish_version(self, code: str, version: Mapping[str, Any], actor: str) -> bool:
        """Publish a version of a type and answer whether it counts; a version never changes. Any: plain JSON."""
        await self.card(code)
        values = {**version, "type": code, "publisher": self._core.org.hex()}
        try:
            body = TypeVersion.from_bytes(json.dumps(values).encode())
        except (PassportError, ValueError, TypeError) as error:
            raise InputError(str(error), "type_refused") from error
        if self._projection.world.type_versions.find(code, body.version) is not None:
            raise StateError(
                f"version {body.version} of {code} is published already", "type_version_taken", version=body.version
            )
        await self._say(code, VERSION, body.to_bytes(), actor, "type_version_published", version=body.version)
        counted = self._projection.world.type_versions.find(code, body.version)
        return counted is not None and counted.org == self._core.org

    async def state(self, subject: bytes, body: TypeBody, actor: str) -> None:
        """Say of which type, execution and version a device is."""
        async with self._core.database.read() as tx:
            await check_passports(tx, [subject])
        draft = drafts.type_of(subject, body, self._core.clock.now())

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "type_stated", subject, version=body.version)

        await self._ledger.append([draft], note)

    def _card(self, kind: DeviceType, devices: int) -> TypeCard:
        world = self._projection.world
        published = world.type_records.get(kind.code)
        adopted = self._releases.state(Catalog.TYPES).adopted
        is_released = adopted is not None and kind.code in (adopted.records or {})
        return TypeCard(
            subject=subject_of_type(kind.code),
            kind=kind,
            approval_state=self._approval_state(kind),
            executions={name: kind.defaults(name) for name in kind.executions},
            versions=world.type_versions.of(kind.code),
            publisher=published.org if published else None,
            release=adopted.number if adopted is not None and is_released else None,
            devices=devices,
        )

    def _approval_state(self, kind: DeviceType) -> str:
        today = datetime.fromtimestamp(self._core.clock.now() / 1e6, UTC).date().isoformat()
        if kind.valid_from is None and kind.valid_until is None:
            return "open"
        if kind.is_valid_on(today):
            return "valid"
        return "not-yet" if today < (kind.valid_from or "") else "ended"

    async def _say(
        self, code: str, name: str, raw: bytes, actor: str, what: str, *, refs: Sequence[Ref] = (), version: str = ""
    ) -> None:
        subject = subject_of_type(code).raw
        draft = drafts.type_record(subject, name, raw, self._core.clock.now(), refs)

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, what, type=code, version=version)

        await self._ledger.append([draft], note)
