"""What a document becomes when it is signed: a draft with what is extracted from it, or why it cannot become one."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from federation.fragment import Ref
from node.errors import InputError
from node.passport import drafts
from node.passport.bodies import EventBody, ExtractBody, ParameterRow, Place, Reference, UnsignedBody, UnsignedRow
from node.passport.catalog_rules import Rulebook, check_row
from node.passport.drafts import Draft, DraftSection
from node.passport.registered import VALID_UNTIL
from node.passport.strict_json import MAX_NAME, Json, format_json
from node.passport.templates.extract import EventItem, ExtractedEvent, ExtractedParameter
from node.passport.templates.findings import Finding, Layer, Severity
from node.passport.templates.pointer import find
from node.passport.templates.rules import HEX_CODES
from node.passport.templates.template import Template, extract, split_personal
from node.passport.unseen import UNSEEN
from node.passport.view import moment_at, moment_us
from node.services.search import read_exact
from node.services.templates import HeldTemplate
from node.store.database import WriteTx

Also = Callable[[WriteTx, Ref], Awaitable[None]]

CATALOG_RULE = "catalog:"
MAX_VALUE = 512
MAX_PLACE = 128


@dataclass(frozen=True, slots=True)
class Beside:
    """What is signed beside a document: further sections, what it refs, and why other parties have not signed.

    `signed` are the bytes of the open part where another party signed them before; `also` runs in the transaction that
    signs, with the place of the statement.
    """

    sections: tuple[DraftSection, ...] = ()
    refs: tuple[Ref, ...] = ()
    unsigned: tuple[UnsignedRow, ...] = ()
    signed: bytes | None = None
    also: Also | None = None

    @property
    def all_sections(self) -> tuple[DraftSection, ...]:
        """The sections, the reasons among them."""
        told = (drafts.section("unsigned", UnsignedBody(rows=self.unsigned)),) if self.unsigned else ()
        return (*self.sections, *told)


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
    place: str,
    system: str,
    now: int,
    beside: Beside | None = None,
) -> Draft:
    """The statement of a document in which nothing is untold; `place` is where an event happened that names no place.

    What is extracted from personal places stays in the document's personal part alone.
    """
    beside = beside or Beside()
    extraction, parts = extract(held.template, document), split_personal(held.template, document)
    told = told_us(held.template, document)
    since = None if told is None else format_told(told)
    rows = (_row(item, since) for item in extraction.parameters if not item.personal)
    body = ExtractBody(
        parameters=tuple(row for row in rows if row is not None),
        events=tuple(_event(event, place, system) for event in extraction.events),
        checked=is_checked,
    )
    personal = format_json(dict(parts.personal)) if parts.personal else None
    occurred = now if told is None else told
    opened = beside.signed if beside.signed is not None else format_json(parts.open)
    more, refs = beside.all_sections, beside.refs
    return drafts.protocol(subject, held.body(), opened, personal, body, occurred, more=more, refs=refs)


def told_us(template: Template, document: Json) -> int | None:
    """When the document's act was, in microseconds, also where its result makes no event."""
    places = (find(document, item.when) for item in template.extract if isinstance(item, EventItem))
    told = (parse_told(text) for text in (*(event.when for event in extract(template, document).events), *places))
    return next((moment for moment in told if moment is not None), None)


def parse_told(text: object) -> int | None:
    """Microseconds of a date or a time with its zone, from 1970 on; None for anything else."""
    try:
        moment = moment_us(text.upper()) if isinstance(text, str) else -1
    except ValueError:
        return None
    return moment if moment >= 0 else None


def format_told(moment: int) -> str:
    """A day where it begins one, else the time in UTC."""
    told = moment_at(moment)
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
        text = "" if item.personal else _text(item)
        if text and (wrong := _fault_of_text(text, MAX_VALUE)):
            yield _finding(item.pointer, item.code, wrong)
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
    if wrong := _fault_of_text(named, MAX_PLACE):
        return wrong
    try:
        read_exact(named)
    except InputError:
        return "place-mistyped"
    return None


def _fault_of_text(text: str, most: int) -> str | None:
    if len(text) > most:
        return "extract-too-long"
    return "extract-unseen" if not text.strip() or UNSEEN.search(text) else None


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
