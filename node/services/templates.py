"""Protocol templates: published by this organisation, and run here whoever published them.

A publication is a statement of kind 12 that every node may hold. What a publisher's bytes say is read again on every
node that runs them; one that is not run here is listed with the reason. What a held template makes of a document is a
draft: the document in two parts, and what is extracted from it.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from federation.authority import Kind
from federation.fragment import Ref
from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import EventBody, ExtractBody, ParameterRow, Place, Reference, TemplateRef
from node.passport.catalog_rules import Rulebook, check_row
from node.passport.drafts import Draft
from node.passport.references import ref_text
from node.passport.registered import VALID_UNTIL
from node.passport.rules import HEX_CODES
from node.passport.statement import Statement
from node.passport.template_errors import TemplateError
from node.passport.template_extract import EventItem, ExtractedEvent, ExtractedParameter, Extraction
from node.passport.template_findings import Finding, Layer, Severity
from node.passport.template_json import MAX_NAME, Json, format_json
from node.passport.template_pointer import find
from node.passport.templates import Template, extract, parse_template, split_personal
from node.passport.view import moment_us
from node.passport.world import World
from node.services.core import Core
from node.services.ledger import Ledger, entry_ref
from node.services.projection import Projection
from node.services.search import read_exact
from node.services.statements import StatementReader
from node.store.database import WriteTx
from node.store.fragments import NewEntry

SECTION = "template"
CATALOG_RULE = "catalog:"
MAX_VALUE = 512
MAX_PLACE = 128


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
        return TemplateRef(name=name, version=version, publisher=self.org.hex(), id=self.id.hex())


@dataclass(frozen=True, slots=True)
class Publication:
    """A published template as it is listed: `held` where it runs here, else `trouble` says why it does not."""

    org: bytes
    ref: Ref
    id: bytes
    held: HeldTemplate | None
    trouble: str = ""


class Templates:
    """Publishes templates and finds those that are held."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._parsed: dict[bytes, Publication] = {}
        self._listed: tuple[Publication, ...] = ()
        self._seen: World | None = None

    async def publish(self, raw: bytes, actor: str) -> HeldTemplate:
        """Publish a template for everybody; the same bytes again are not published again.

        Raise InputError naming the place and the rule of what is refused, and StateError where this version says
        something else already.
        """
        try:
            template = await asyncio.to_thread(parse_template, raw)
        except TemplateError as error:
            raise InputError(f"the template is refused: {error}", "template_refused", reason=str(error)) from error
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

    async def get(self, reference: str) -> HeldTemplate:
        """A template by `publisher/name/version`, by the place or id of its statement, or by its SHA-256.

        Raise NotFoundError where none is held, InputError where it is held and does not run here. Of two publications
        of one version the first counts.
        """
        for publication in await self.list():
            if publication.held is not None and reference in publication.held.names:
                return publication.held
            if publication.held is None and reference in (ref_text(publication.ref), publication.id.hex()):
                raise InputError(f"the template is refused: {publication.trouble}", "template_refused")
        raise NotFoundError(f"no template {reference[:200]!r} is held here", "template_unknown")

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
        return Publication(org, ref, entry, None, str(error))
    return Publication(org, ref, entry, held)


def find_untold(template: Template, document: Json, latest_us: int, made: int | None = None) -> tuple[Finding, ...]:
    """Why a valid document cannot become a statement: events without one time of their own, or with one that has not
    come by `latest_us` or is before the device was made, a term that ends before that, values that do not fit.
    """
    early = _before_made(template, document, made) if made is not None else ()
    return (*_untold(template, document), *_to_come(template, document, latest_us), *early)


def find_broken(template: Template, document: Json, book: Rulebook) -> tuple[Finding, ...]:
    """Which rules of the catalogs the values break that a document would state: place, rule and value.

    A unit stands in the template: where it is not that of the parameter, whoever fills the document in is warned alone.
    """
    extraction = extract(template, document)
    rows = [
        (item.pointer, {"parameter": item.code, "value": _text(item), **({"unit": item.unit} if item.unit else {})})
        for item in extraction.parameters
        if not item.personal and _text(item)
    ]
    rows += [(event.pointer, {"event": event.code}) for event in extraction.events if not event.personal]
    return tuple(
        Finding(
            Layer.RULE,
            Severity.NOTICE if found.field == "unit" else Severity.ERROR,
            pointer,
            f"{CATALOG_RULE}{found.rule}",
            found.rule,
            tuple(sorted(found.words.items())),
            found.value,
        )
        for pointer, row in rows
        for found in check_row(book, row)
        if not found.is_hint
    )


def draft_protocol(
    held: HeldTemplate,
    document: Json,
    subject: bytes,
    *,
    is_checked: bool,
    with_events: bool,
    place: str,
    system: str,
    now: int,
) -> Draft:
    """The statement of a document in which nothing is untold; `place` is where an event happened that names no place.

    What is extracted from personal places stays in the document's personal part alone.
    """
    extraction, parts = extract(held.template, document), split_personal(held.template, document)
    told = _told_us(held.template, document, extraction)
    since = None if told is None else format_told(told)
    rows = (_row(item, since) for item in extraction.parameters if not item.personal)
    events = extraction.events if with_events else ()
    body = ExtractBody(
        parameters=tuple(row for row in rows if row is not None),
        events=tuple(_event(event, place, system) for event in events),
        checked=is_checked,
    )
    personal = format_json(dict(parts.personal)) if parts.personal else None
    occurred = now if told is None else told
    return drafts.protocol(subject, held.body(), format_json(parts.open), personal, body, occurred)


def parse_told(text: object) -> int | None:
    """Microseconds of a date or a time with its zone, from 1970 on; None for anything else."""
    try:
        moment = moment_us(text.upper()) if isinstance(text, str) else -1
    except (ValueError, OverflowError):
        return None
    return moment if moment >= 0 else None


def format_told(moment: int) -> str:
    """A day where it begins one, else the time in UTC."""
    seconds, micros = divmod(moment, 1_000_000)
    told = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    if moment % 86_400_000_000 == 0:
        return told.date().isoformat()
    return told.replace(tzinfo=None).isoformat() + "Z"


def _untold(template: Template, document: Json) -> Iterator[Finding]:
    extraction = extract(template, document)
    for code in extraction.skipped:
        yield _finding("", code, "extract-no-time")
    for event in extraction.events:
        if event.personal:
            yield _finding(event.pointer, event.code, "extract-personal")
        elif parse_told(event.when) is None:
            yield _finding(event.pointer, event.code, "extract-no-time", event.when)
        elif event.where is not None and (wrong := _fault_of_place(event.where)):
            yield _finding(event.pointer, event.code, wrong, event.where)
    if len({parse_told(event.when) for event in extraction.events}) > 1:
        yield _finding(extraction.events[0].pointer, extraction.events[0].code, "extract-times-differ")
    for item in extraction.parameters:
        if item.valid_from is not None and parse_told(item.valid_from) is None:
            yield _finding(item.pointer, item.code, "extract-no-time")
        if not item.personal and len(_text(item)) > MAX_VALUE:
            yield _finding(item.pointer, item.code, "extract-too-long")
    # The personal part is JSON by pointers, and is read again within the limit of names.
    for pointer in split_personal(template, document).personal:
        if len(pointer) > MAX_NAME:
            yield Finding(Layer.RULE, Severity.ERROR, pointer, "x-epd-access", "personal-too-deep", personal=True)


def _to_come(template: Template, document: Json, latest_us: int) -> Iterator[Finding]:
    """The times of acts, also of those whose result makes no event."""
    places = dict.fromkeys(item.when for item in template.extract if isinstance(item, EventItem))
    for place in places:
        if (parse_told(find(document, place)) or 0) > latest_us:
            yield _finding(str(place), "when", "extract-to-come")


def _before_made(template: Template, document: Json, made: int) -> Iterator[Finding]:
    places = dict.fromkeys(item.when for item in template.extract if isinstance(item, EventItem))
    for place in places:
        if (moment := parse_told(find(document, place))) is not None and moment < made:
            yield _finding(str(place), "when", "extract-before-made")
    for item in extract(template, document).parameters:
        if item.code == VALID_UNTIL and (until := parse_told(item.value)) is not None and until < made:
            yield _finding(item.pointer, item.code, "extract-before-made")


def _finding(pointer: str, code: str, what: str, value: str = "") -> Finding:
    return Finding(Layer.RULE, Severity.ERROR, pointer, f"extract:{code}", what, (), value)


def _told_us(template: Template, document: Json, extraction: Extraction) -> int | None:
    """When the document's act was, also where its result makes no event."""
    items = (find(document, item.when) for item in template.extract if isinstance(item, EventItem))
    told = (parse_told(text) for text in (*(event.when for event in extraction.events), *items))
    return next((moment for moment in told if moment is not None), None)


def _row(item: ExtractedParameter, since: str | None) -> ParameterRow | None:
    text = _text(item)
    if not text:
        return None
    own = parse_told(item.valid_from)
    return ParameterRow(
        code=Reference(central=item.code),
        value=text,
        unit=item.unit[:MAX_PLACE] or None,
        since=since if own is None else format_told(own),
        source="protocol",
    )


def _event(event: ExtractedEvent, place: str, system: str) -> EventBody:
    return EventBody(what=Reference(central=event.code), where=_where(event.where, place), system=system)


def _where(named: str | None, place: str) -> Place:
    if named is None:
        return Place(place=Reference(local=place), default=True)
    exact = read_exact(named)
    is_object = exact is not None and exact.scheme == "id"
    return Place(object=exact.term) if exact and is_object else Place(place=Reference(local=named))


def _fault_of_place(named: str) -> str | None:
    if not 0 < len(named) <= MAX_PLACE:
        return "extract-too-long"
    try:
        read_exact(named)
    except InputError:
        return "place-mistyped"
    return None


def _text(item: ExtractedParameter) -> str:
    """A value as passports keep it: decimals as text, hex in lower case."""
    value = item.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return format(Decimal(value), "f")
    if isinstance(value, str):
        return value.lower() if item.code in HEX_CODES else value
    return format_json(value).decode()
