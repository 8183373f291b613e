"""Procedures: published by this organisation, and accepted or ended by its signature, whoever published them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import AgreementBody
from node.passport.catalogs import Catalog
from node.passport.errors import BodyError
from node.passport.procedures import Procedure, Procedures, PublishedProcedure, digest_of
from node.services.core import Core
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.services.releases import Releases
from node.store.database import WriteTx


@dataclass(frozen=True, slots=True)
class HeldProcedure:
    """A procedure that is known here, and which organisations take part in it now, its publisher among them."""

    published: PublishedProcedure
    parties: tuple[bytes, ...]

    @property
    def procedure(self) -> Procedure:
        """What was published."""
        return self.published.procedure

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes: the name of the version."""
        return self.published.digest


class ProcedureBook:
    """Publishes, accepts and finds procedures."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, releases: Releases) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._releases = releases
        self._saying = asyncio.Lock()  # of two that say one thing at once the second finds it said

    async def publish(self, procedure: Procedure, actor: str) -> HeldProcedure:
        """Publish a version for everybody; the same again is not published again.

        Raise StateError where this version says something else already, InputError for an event that is in no catalog.
        """
        self._check_events(procedure)
        raw = procedure.to_bytes()
        digest = digest_of(raw)
        async with self._saying:
            known = self._own(procedure)
            if known is not None and known.digest != digest:
                raise StateError(
                    f"{procedure.code} {procedure.version} is published with other content: raise the version",
                    "procedure_version_taken",
                    procedure=procedure.code,
                    version=procedure.version,
                )
            if known is None:
                await self._say(drafts.procedure(self._core.org, raw, self._core.clock.now()), actor,
                                "procedure_published", procedure)  # fmt: skip
        return self.get(digest)

    def all(self) -> list[HeldProcedure]:
        """Every version that is known, by publisher, code and time."""
        said = self._said
        found = sorted(said.published.values(), key=lambda one: (one.procedure.code, one.org, one.occurred, one.digest))
        return [HeldProcedure(one, self._parties(one.digest)) for one in found]

    def get(self, name: str) -> HeldProcedure:
        """A version by its digest, or by `publisher/code/version`; raise NotFoundError."""
        found = self._said.find(name) or next(
            (one for one in self._said.published.values() if _name(one) == name), None
        )
        if found is None:
            raise NotFoundError(f"no procedure {name[:200]!r} is known here", "procedure_unknown")
        return HeldProcedure(found, self._parties(found.digest))

    def find(self, digest: str) -> HeldProcedure | None:
        """A version by its digest, None where it is not here."""
        found = self._said.find(digest)
        return HeldProcedure(found, self._parties(digest)) if found else None

    @property
    def accepted(self) -> frozenset[tuple[bytes, str]]:
        """(organisation, digest) of everybody who ever accepted a procedure."""
        return self._said.accepted

    def name_of(self, org: bytes) -> str:
        """What an organisation is called, else its id."""
        return self._projection.world.organisation_name(org) or org.hex()

    def takes_part(self, org: bytes, digest: str) -> bool:
        """Whether an organisation accepts new work by a procedure."""
        return (org, digest) in self._said.current

    async def accept(self, name: str, actor: str) -> HeldProcedure:
        """Take part in processes by a procedure from now on; accepted already, nothing is said."""
        held = self.get(name)
        async with self._saying:
            if not self.takes_part(self._core.org, held.digest):
                await self._agree(held, "accepted", actor)
        return self.get(held.digest)

    async def end(self, name: str, actor: str) -> HeldProcedure:
        """Take no new work by a procedure; what runs goes on. Raise StateError where it is not accepted."""
        held = self.get(name)
        async with self._saying:
            if not self.takes_part(self._core.org, held.digest):
                raise StateError("this organisation does not take part by that procedure", "procedure_not_accepted",
                                 procedure=held.procedure.code, version=held.procedure.version,
                                 org=self._core.settings.node.name)  # fmt: skip
            await self._agree(held, "ended", actor)
        return self.get(held.digest)

    @property
    def _said(self) -> Procedures:
        return self._projection.world.procedures

    def _check_events(self, procedure: Procedure) -> None:
        known = self._releases.records(Catalog.EVENTS)
        for step in procedure.steps:
            for code in (step.event, *(outcome.event for outcome in step.outcomes)):
                if code is not None and code not in known:
                    raise InputError(f"steps/{step.code}: the catalog of events has no code {code}", "code_unknown")

    def _own(self, procedure: Procedure) -> PublishedProcedure | None:
        named = (self._core.org, procedure.code, procedure.version)
        found = (one for one in self._said.published.values())
        return next((one for one in found if (one.org, one.procedure.code, one.procedure.version) == named), None)

    def _parties(self, digest: str) -> tuple[bytes, ...]:
        return tuple(sorted(org for org, accepted in self._said.current if accepted == digest))

    async def _agree(self, held: HeldProcedure, says: str, actor: str) -> None:
        before = self._said.said.get((self._core.org, held.digest))
        body = AgreementBody.model_validate({"procedure": held.digest, "says": says})
        draft = drafts.agreement(self._core.org, body, self._core.clock.now(), [before] if before else [])
        what = "procedure_accepted" if says == "accepted" else "procedure_ended"
        await self._say(draft, actor, what, held.procedure)

    async def _say(self, draft: drafts.Draft, actor: str, what: str, procedure: Procedure) -> None:
        async def note(tx: WriteTx, _entries: Sequence[object]) -> None:
            await self._core.announce(tx, actor, what, process=procedure.code, version=procedure.version)

        await self._ledger.append([draft], note)


@cache
def shipped_procedures() -> tuple[Procedure, ...]:
    """The procedures that come with the product, by code; an organisation publishes them, as they are or altered."""
    folder = resources.files("node.passport") / "data" / "procedures"
    found = [Procedure.from_bytes(file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".json")]
    return tuple(sorted(found, key=lambda procedure: procedure.code))


def read_procedure(raw: bytes) -> Procedure:
    """A procedure as somebody sends it; raise InputError naming the place and the rule that is broken."""
    try:
        return Procedure.from_bytes(raw)
    except (BodyError, ValueError, RecursionError) as error:
        raise InputError(f"the procedure is refused: {error}", "procedure_refused", reason=str(error)) from error


def _name(published: PublishedProcedure) -> str:
    return f"{published.org.hex()}/{published.procedure.code}/{published.procedure.version}"
