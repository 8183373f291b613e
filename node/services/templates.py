"""Protocol templates: published by this organisation, and run here whoever published them.

A publication is a statement of kind 12 that every node may hold. What a publisher's bytes say is read again on every
node that runs them; one that is not run here is listed with the reason. What one makes of a document: `papers.py`.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from federation.authority import Kind
from federation.errors import FederationError
from federation.fragment import Ref
from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import TemplateRef
from node.passport.references import parse_ref, ref_text
from node.passport.statement import Statement
from node.passport.templates.errors import TemplateError
from node.passport.templates.template import Template, parse_template
from node.passport.world import World
from node.services.core import Core
from node.services.ingest import Ingest
from node.services.ledger import Ledger, entry_ref
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.services.sync import Sync
from node.store.database import WriteTx
from node.store.fragments import NewEntry
from node.store.peers import list_peers

SECTION = "template"
PEER_S = 10.0


@dataclass(frozen=True, slots=True)
class HeldTemplate:
    """A template that runs here, with the organisation that published it and the statement it did that with."""

    template: Template
    org: bytes
    ref: Ref
    id: bytes

    @property
    def reference(self) -> str:
        """Publisher, name and version as one text."""
        return f"{self.org.hex()}/{self.template.name}/{self.template.version}"

    @property
    def names(self) -> frozenset[str]:
        """Every text under which it is found; its own `$id` is no one's alone and is none of them."""
        return frozenset({self.reference, ref_text(self.ref), self.id.hex(), self.template.digest.hex()})

    def body(self) -> TemplateRef:
        """How a protocol names it."""
        name, version = self.template.name, self.template.version
        place = ref_text(self.ref)
        return TemplateRef(name=name, version=version, publisher=self.org.hex(), id=self.id.hex(), place=place)


@dataclass(frozen=True, slots=True)
class Publication:
    """A published template as it is listed: `held` where it runs here, else `trouble` by language why it does not."""

    org: bytes
    ref: Ref
    id: bytes
    held: HeldTemplate | None
    trouble: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = field(default=b"", repr=False)


class Templates:
    """Publishes templates and finds those that are held."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, sync: Sync, ingest: Ingest) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._sync = sync
        self._ingest = ingest
        self._parsed: dict[bytes, Publication] = {}
        self._listed: tuple[Publication, ...] = ()
        self._seen: World | None = None
        self._publishing = asyncio.Lock()

    async def publish(self, raw: bytes, actor: str) -> HeldTemplate:
        """Publish a template for everybody; the same bytes again are not published again.

        Raise InputError naming the place and the rule of what is refused, and StateError where this version says
        something else already.
        """
        template = await self.check(raw)
        async with self._publishing:  # two presses of one button, or two contents of one version, at once
            return await self._publish(template, raw, actor)

    async def _publish(self, template: Template, raw: bytes, actor: str) -> HeldTemplate:
        said = await self._own(template)
        if said is not None:
            if said.template.digest == template.digest:
                return said
            raise StateError(
                f"{template.name} {template.version} is published with other content: raise the version",
                "template_version_taken",
                name=template.name,
                version=template.version,
            )

        async def note(tx: WriteTx, entries: Sequence[NewEntry]) -> None:
            ref = ref_text(entry_ref(self._ledger.log.log, entries[0]))
            name, version = template.name, template.version
            await self._core.announce(tx, actor, "template_published", ref=ref, name=name, version=version)

        draft = drafts.template(self._core.org, raw, self._core.clock.now())
        entry = (await self._ledger.append([draft], note))[0]
        return HeldTemplate(template, self._core.org, entry_ref(self._ledger.log.log, entry), entry.fragment.id)

    async def list(self) -> tuple[Publication, ...]:
        """Every publication that is held, in the order of (time, log, place)."""
        world = self._projection.world
        if self._seen is not world:
            async with self._core.database.read() as tx:
                reader = await StatementReader.open(tx)
                statements = await reader.of_kinds(tx, (Kind.TEMPLATE,))
            self._listed = await asyncio.to_thread(self._read, statements)
            self._seen = world
        return self._listed

    async def titles(self) -> Mapping[str, Mapping[str, str]]:
        """Titles by language of the templates that run here, by the id of their publication in hex."""
        held = [item.held for item in await self.list() if item.held is not None]
        return {item.id.hex(): item.template.title for item in held}

    async def publication(self, entry: str) -> Publication:
        """A publication by the id of its statement, in hex; raise NotFoundError."""
        found = next((item for item in await self.list() if item.id.hex() == entry), None)
        if found is None:
            raise NotFoundError("no template of that id is held here", "template_unknown")
        return found

    async def check(self, raw: bytes) -> Template:
        """Read a template without publishing it; raise InputError naming the place and the rule."""
        try:
            return await asyncio.to_thread(parse_template, raw)
        except TemplateError as error:
            raise _refused(_reason(error)) from error

    async def get(self, reference: str) -> HeldTemplate:
        """A template by `publisher/name/version`, by the place or id of its statement, or by its SHA-256.

        Raise NotFoundError where none is held, InputError where it is held and does not run here. Of two publications
        of one version the first counts.
        """
        for publication in await self.list():
            if publication.held is not None and reference in publication.held.names:
                return publication.held
            if publication.held is None and reference in (ref_text(publication.ref), publication.id.hex()):
                raise _refused(publication.trouble)
        raise NotFoundError(f"no template {reference[:200]!r} is held here", "template_unknown")

    async def seek(self, place: str, actor: str) -> bool:
        """Ask the peers for a template that a protocol names and that is not here; whether it is here now.

        Raise InputError where the protocol does not tell in which log it stands.
        """
        ref = parse_ref(place)
        if any(publication.ref == ref for publication in await self.list()):
            return True
        async with self._core.database.read() as tx:
            peers = await list_peers(tx, "active")
        for peer in peers:
            with contextlib.suppress(TimeoutError, FederationError):
                async with asyncio.timeout(PEER_S):
                    found = await self._sync.client(peer.address).fetch([ref])
                if found and await self._ingest.take_placed([proven.placed for proven in found]):
                    async with self._core.database.write() as tx:
                        await self._core.announce(tx, actor, "template_fetched", ref=place)
                    return True
        return False

    async def newest_own(self, name: str) -> HeldTemplate | None:
        """What this organisation published last under that name, or None."""
        own = [item.held for item in await self.list() if item.org == self._core.org and item.held is not None]
        return next((held for held in reversed(own) if held.template.name == name), None)

    async def _own(self, template: Template) -> HeldTemplate | None:
        own = [item.held for item in await self.list() if item.org == self._core.org and item.held is not None]
        wanted = (template.name, template.version)
        return next((held for held in own if (held.template.name, held.template.version) == wanted), None)

    def _read(self, statements: Iterable[Statement]) -> tuple[Publication, ...]:
        found: list[Publication] = []
        for statement in sorted(statements, key=lambda item: item.order):
            raw = statement.sections.get(SECTION)
            if raw is None:
                continue
            if statement.id not in self._parsed:
                self._parsed[statement.id] = _parsed(statement, raw)
            found.append(self._parsed[statement.id])
        return tuple(found)


def _parsed(statement: Statement, raw: bytes) -> Publication:
    org, ref, entry = statement.org, statement.ref, statement.id
    try:
        held = HeldTemplate(parse_template(raw), org, ref, entry)
    except TemplateError as error:
        return Publication(org, ref, entry, None, _reason(error), raw)
    return Publication(org, ref, entry, held, raw=raw)


def _reason(error: TemplateError) -> Mapping[str, str]:
    return {language: error.text(language) for language in ("ru", "en")}


def _refused(reason: Mapping[str, str]) -> InputError:
    return InputError(f"the template is refused: {reason['en']}", "template_refused", ru=reason["ru"])
