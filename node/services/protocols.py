"""Protocols: documents against held templates, checked, signed, shown whole again, and exported.

A document that breaks a rule is refused with every reason in Russian and English, and nothing is written. What its
schema marks as personal goes into a section of its own; what its template extracts is signed beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from weakref import WeakValueDictionary

from federation.errors import CodecError
from federation.fragment import Ref
from node.errors import InputError, NotFoundError, StateError
from node.passport.drafts import Draft
from node.passport.references import parse_ref, ref_text
from node.passport.shown import at, rows, text
from node.passport.strict_json import Json, format_json
from node.passport.templates.errors import JsonError, TemplateError
from node.passport.templates.findings import Finding, Layer, State, Verdict
from node.passport.templates.personal import Parts, join
from node.passport.templates.template import parse_document, split_personal, validate
from node.passport.view import DAY_US, View, moment_us
from node.services.core import Core
from node.services.entry import Entry
from node.services.facts import find_device, read_facts
from node.services.ledger import Ledger, entry_ref
from node.services.papers import Beside, draft_protocol, find_broken, find_untold
from node.services.projection import Projection
from node.services.remarks import Remark, explain_all
from node.services.search import Search
from node.services.sides import Sides, check_reasons
from node.services.templates import HeldTemplate, Templates
from node.store.database import WriteTx
from node.store.fragments import NewEntry
from node.store.passports import StoredPassport, find_passport

Allow = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found; `passport` is the device's where it could be told."""

    held: HeldTemplate
    document: Json
    verdict: Verdict
    remarks: tuple[Remark, ...]
    passport: StoredPassport | None

    @property
    def state(self) -> State:
        """Valid, invalid or not fully checked."""
        return self.verdict.state


@dataclass(frozen=True, slots=True)
class Signed:
    """A protocol that stands; `waits_for` counts the parties whose signature its events wait for."""

    ref: Ref
    subject: bytes
    state: State
    remarks: tuple[Remark, ...]
    waits_for: int = 0
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Paper:
    """A protocol to be shown or printed: the document with its personal part, as far as they may be read here.

    `row` is the protocol as the passport's view has it; `held` is None where its template does not run here.
    """

    subject: bytes
    row: View
    held: HeldTemplate | None
    document: Json
    is_whole: bool


class Protocols:
    """Checks and signs documents in this organisation's name."""

    def __init__(
        self,
        core: Core,
        ledger: Ledger,
        projection: Projection,
        search: Search,
        templates: Templates,
        entry: Entry,
    ) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._search = search
        self._templates = templates
        self._entry = entry
        self._sides = Sides(core, projection)
        self._signing: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def check(self, template: str, raw: bytes) -> Checked:
        """Check a document against a template by its reference; nothing is written.

        Raise NotFoundError for a template that is not held and InputError for bytes that are no document.
        """
        held = await self._templates.get(template)
        try:
            document = await asyncio.to_thread(parse_document, raw)
        except JsonError as error:
            raise InputError(
                f"the document cannot be read: {error}", "document_unreadable", ru=error.text("ru")
            ) from error
        return await self.judge(held, document)

    async def judge(
        self, held: HeldTemplate, document: Json, passport: StoredPassport | None = None, *, is_whole: bool = True
    ) -> Checked:
        """The same for a document that was read already, of a passport where that is known.

        What is not whole may lack the personal values that its template requires.
        """
        template = held.template
        async with self._core.database.read() as tx:
            facts = await read_facts(tx, self._search, template, document)
            device = passport or await find_device(tx, self._search, self._projection.world, template, document)
        verdict = await asyncio.to_thread(validate, template, document, facts, is_whole=is_whole)
        if verdict.layer is Layer.SCHEMA:
            return Checked(held, document, verdict, explain_all(verdict.findings), None)
        more = [device] if isinstance(device, Finding) else self._sides.unnamed(device.content, held, document)
        made = text(device.content, "made") if isinstance(device, StoredPassport) else ""
        latest = self._core.clock.now() + DAY_US
        since, book = moment_us(made) if made else None, self._entry.book
        untold = await asyncio.to_thread(find_untold, template, document, latest, since)
        broken = await asyncio.to_thread(find_broken, template, document, book)
        whole = Verdict((*verdict.findings, *more, *untold, *broken), verdict.truncated)
        known = device if isinstance(device, StoredPassport) else None
        return Checked(held, document, whole, explain_all(whole.findings), known)

    async def sign(
        self,
        template: str,
        raw: bytes,
        actor: str,
        system: str = "protocol",
        beside: Beside | None = None,
        allow: Allow | None = None,
    ) -> Signed:
        """Sign a document of a device; raise InputError `document_refused` with its findings, and write nothing.

        `allow` raises where the device is none of those that the system may write about.

        The same document again is not signed again. The events of a template with several signing parties arise with
        the last signature that is needed.
        """
        checked = await self.check(template, raw)
        if allow is not None and checked.passport is not None:
            await allow(checked.passport.subject)
        return await self.put(checked, actor, system, beside or Beside())

    async def put(self, checked: Checked, actor: str, system: str, beside: Beside) -> Signed:
        """Sign what was checked."""
        if checked.state is State.INVALID or checked.passport is None:
            raise refusal(checked)
        # Of two presses of one button the second finds what the first signed.
        async with self._signing.setdefault(checked.passport.subject, asyncio.Lock()):
            async with self._core.database.read() as tx:
                passport = await find_passport(tx, checked.passport.subject, whole=False)
            return await self._put(checked, passport or checked.passport, actor, system, beside)

    async def _put(self, checked: Checked, passport: StoredPassport, actor: str, system: str, beside: Beside) -> Signed:
        subject, view = passport.subject, passport.content
        said = find_said(view, self._core.org, checked.held, checked.document)
        if said is not None:
            return Signed(_ref(said), subject, checked.state, checked.remarks, is_new=False)
        _check_replaced(view, self._core.org, beside)
        held, document = checked.held, checked.document
        lacking = self._sides.lacking(view, held, document, signers_of(view, held, document))

        async def note(tx: WriteTx, entries: Sequence[NewEntry]) -> None:
            ref, state = entry_ref(self._ledger.log.log, entries[0]), checked.state.value
            named, place = held.reference, ref_text(ref)
            await self._core.announce(tx, actor, "protocol_signed", subject, ref=place, template=named, state=state)
            if beside.also is not None:
                await beside.also(tx, ref)

        try:
            entries = await self._ledger.append(self.drafts_of(checked, subject, system, beside), note)
        except CodecError as error:
            raise InputError(f"the document is too large to be signed: {error}", "document_too_large") from error
        ref = entry_ref(self._ledger.log.log, entries[0])
        return Signed(ref, subject, checked.state, checked.remarks, len(lacking))

    def drafts_of(self, checked: Checked, subject: bytes, system: str, beside: Beside) -> list[Draft]:
        """What is said where a checked document is signed: the protocol first, then what opens it to its parties.

        Raise InputError for a reason of a party that is none of those whose signature is missing.
        """
        held, document = checked.held, checked.document
        if beside.unsigned and checked.passport is not None:
            view = checked.passport.content
            lacking = self._sides.lacking(view, held, document, signers_of(view, held, document))
            check_reasons(beside.unsigned, lacking)
        draft = draft_protocol(
            held,
            document,
            subject,
            is_checked=checked.state is State.VALID,
            place=self.place,
            system=system,
            now=self._core.clock.now(),
            beside=beside,
        )
        return [draft, *self._sides.openings(held, document, draft)]

    @property
    def place(self) -> str:
        """Where this organisation works, for events whose document names no place."""
        node = self._core.settings.node
        return (node.place or node.name)[:128]

    async def paper(self, subject: bytes, ref: str) -> Paper:
        """A protocol of a passport by its place; raise NotFoundError, or InputError where it cannot be read."""
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
        view = passport.content if passport else {}
        row = next((row for row in rows(view, "protocols") if row["ref"] == ref), None)
        if passport is None or row is None:
            raise NotFoundError("no protocol of that place is here", "protocol_unknown")
        try:
            held = await self._templates.get(str(at(row, "template", "id")))
        except InputError:
            held = None
        withheld = {str(part["name"]) for part in rows(row, "sections") if part["present"] is False}
        open_part = _bytes(row["document"])
        try:
            document = join_sections(open_part, _bytes(row["personal"])) if open_part is not None else None
        except TemplateError as error:
            raise InputError(
                f"the protocol cannot be read: {error}", "protocol_unreadable", ru=error.text("ru")
            ) from error
        return Paper(passport.subject, row, held, document, not withheld & {"document", "personal"})


def refusal(checked: Checked) -> InputError:
    """The error of a document that is not signed: the first rule in its text, every finding in its values."""
    refusing = [remark for remark in checked.remarks if remark.severity == "error"]
    first = refusing[0]
    more = f" (and {len(refusing) - 1} more)" if len(refusing) > 1 else ""
    return InputError(
        f"the document is refused: {first.pointer or '/'}: {first.en.what} Rule {first.rule}{more}.",
        "document_refused",
        rule=first.rule,
        pointer=first.pointer,
        findings=[asdict(remark) for remark in checked.remarks],
    )


def find_said(view: View, org: bytes, held: HeldTemplate, document: Json) -> "View | None":
    """The protocol in which an organisation signed exactly this document, under whichever version of the template."""
    personal = split_personal(held.template, document).personal
    wanted = format_json(dict(personal)).decode() if personal else None
    return next(
        (row for row in _same(view, held, document) if row["by"] == org.hex() and row["personal"] == wanted), None
    )


def signers_of(view: View, held: HeldTemplate, document: Json) -> set[bytes]:
    """The organisations that signed this document under this very template."""
    same = _same(view, held, document)
    return {bytes.fromhex(str(row["by"])) for row in same if at(row, "template", "id") == held.id.hex()}


def _check_replaced(view: View, org: bytes, beside: Beside) -> None:
    """Raise StateError where what a document takes the place of was replaced meanwhile: one result is not two."""
    replaced = {ref_text(ref) for ref in beside.refs}
    for row in rows(view, "protocols"):
        if row["ref"] in replaced and row["by"] == org.hex() and (other := row["replaced_by"]) is not None:
            raise StateError(f"the protocol was replaced by {other}", "protocol_replaced", ref=other)


def _same(view: View, held: HeldTemplate, document: Json) -> list[View]:
    """Protocols with the same open part under the same publisher's template of that name, whoever signed them."""
    wanted = format_json(split_personal(held.template, document).open).decode()
    key = (held.org.hex(), held.template.name)
    return [
        row
        for row in rows(view, "protocols")
        if row["annulled"] is None
        and row["document"] == wanted
        and (at(row, "template", "publisher"), at(row, "template", "name")) == key
    ]


def join_sections(document: bytes | None, personal: bytes | None) -> Json:
    """A document out of its sections; raise TemplateError where they are none or do not join."""
    parts = parse_document(personal) if personal is not None else {}
    return join(Parts(parse_document(document or b""), parts if isinstance(parts, dict) else {}))


def _bytes(value: object) -> bytes | None:
    return value.encode() if isinstance(value, str) else None


def _ref(row: View) -> Ref:
    return parse_ref(str(row["ref"]))
