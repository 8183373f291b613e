"""Protocols: documents against held templates, checked, signed, shown whole again, and exported.

A document that breaks a rule is refused with every reason in Russian and English, and nothing is written. What its
schema marks as personal goes into a section of its own; what its template extracts is signed beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from federation.authority import Kind
from federation.errors import CodecError
from federation.fragment import Ref
from node.errors import InputError, NotFoundError
from node.exchange.arshin import write_application
from node.exchange.errors import ArshinError
from node.passport.bodies import ExtractBody
from node.passport.catalog_messages import rule_words
from node.passport.catalogs import Catalog
from node.passport.errors import PassportError
from node.passport.references import References, parse_ref, ref_text
from node.passport.shown import at, rows, text
from node.passport.statement import Statement
from node.passport.template_findings import Finding, Layer, State, Verdict
from node.passport.template_json import Json, format_json
from node.passport.template_messages import Explanation, explain
from node.passport.template_personal import Parts, join
from node.passport.templates import parse_document, split_personal, validate
from node.passport.view import DAY_US, View, moment_us
from node.secret import MASK
from node.services.core import Core
from node.services.entry import Entry
from node.services.facts import VERDICTS, find_device, read_facts
from node.services.ledger import Ledger, entry_ref
from node.services.projection import Projection
from node.services.search import Search
from node.services.statements import StatementReader
from node.services.templates import CATALOG_RULE, HeldTemplate, Templates, draft_protocol, find_broken, find_untold
from node.store.database import WriteTx
from node.store.fragments import NewEntry
from node.store.passports import StoredPassport, find_passport, read_leads, read_members

Allow = Callable[[bytes], Awaitable[None]]
OPEN_WORDS = frozenset({"expected", "check", "rule"})  # parameters of findings that come from the template alone


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding in words. The value of a personal place is masked wherever it stands."""

    pointer: str
    layer: str
    severity: str
    rule: str
    code: str
    value: str
    ru: Explanation
    en: Explanation


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

    async def check(self, template: str, raw: bytes) -> Checked:
        """Check a document against a template by its reference; nothing is written.

        Raise NotFoundError for a template that is not held and InputError for bytes that are no document.
        """
        held = await self._templates.get(template)
        try:
            document = await asyncio.to_thread(parse_document, raw)
        except PassportError as error:
            raise InputError(f"the document cannot be read: {error}", "document_unreadable") from error
        return await self.judge(held, document)

    async def judge(self, held: HeldTemplate, document: Json) -> Checked:
        """The same for a document that was read already."""
        template = held.template
        async with self._core.database.read() as tx:
            facts = await read_facts(tx, self._search, template, document)
            device = await find_device(tx, self._search, self._projection.world, template, document)
        verdict = await asyncio.to_thread(validate, template, document, facts)
        if verdict.layer is Layer.SCHEMA:
            return Checked(held, document, verdict, explain_all(verdict.findings), None)
        more = [device] if isinstance(device, Finding) else []
        made = text(device.content, "made") if isinstance(device, StoredPassport) else ""
        latest = self._core.clock.now() + DAY_US
        untold = find_untold(template, document, latest, moment_us(made) if made else None)
        broken = find_broken(template, document, self._entry.book)
        whole = Verdict((*verdict.findings, *more, *untold, *broken), verdict.truncated)
        passport = device if isinstance(device, StoredPassport) else None
        return Checked(held, document, whole, explain_all(whole.findings), passport)

    async def sign(
        self, template: str, raw: bytes, actor: str, system: str = "protocol", allow: Allow | None = None
    ) -> Signed:
        """Sign a document of a device; raise InputError `document_refused` with its findings, and write nothing.

        `allow` raises where the device is none of those that the system may write about.

        The same document again is not signed again. Of a template with several signing parties the events arise with
        the last signature that is needed.
        """
        checked = await self.check(template, raw)
        if checked.state is State.INVALID or checked.passport is None:
            raise refusal(checked)
        subject, view = checked.passport.subject, checked.passport.content
        if allow is not None:
            await allow(subject)
        said = find_said(view, self._core.org, checked.held, checked.document)
        if said is not None:
            return Signed(_ref(said), subject, checked.state, checked.remarks, is_new=False)
        lacking = self._lacking(view, checked)
        draft = draft_protocol(
            checked.held,
            checked.document,
            subject,
            is_checked=checked.state is State.VALID,
            with_events=lacking == 0,
            place=self.place,
            system=system,
            now=self._core.clock.now(),
        )

        async def note(tx: WriteTx, entries: Sequence[NewEntry]) -> None:
            ref = ref_text(entry_ref(self._ledger.log.log, entries[0]))
            named = checked.held.reference
            await self._core.announce(
                tx, actor, "protocol_signed", subject, ref=ref, template=named, state=checked.state.value
            )

        try:
            entries = await self._ledger.append([draft], note)
        except CodecError as error:
            raise InputError(f"the document is too large to be signed: {error}", "document_too_large") from error
        ref = entry_ref(self._ledger.log.log, entries[0])
        return Signed(ref, subject, checked.state, checked.remarks, lacking)

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
            document = _joined(open_part, _bytes(row["personal"])) if open_part is not None else None
        except PassportError as error:
            raise InputError(f"the protocol cannot be read: {error}", "protocol_unreadable") from error
        return Paper(passport.subject, row, held, document, not withheld & {"document", "personal"})

    async def arshin(self, actor: str, subjects: Sequence[bytes] = (), since: date | None = None) -> bytes:
        """The «Аршин» import file of this organisation's verifications: of these devices, or from a day on.

        Raise InputError naming the protocol and the place that the file cannot do with.
        """
        documents = await self._verifications(subjects, since)
        if not documents:
            raise InputError("there is no signed verification to export", "arshin_empty")
        try:
            raw = await asyncio.to_thread(write_application, documents)
        except ArshinError as error:
            raise InputError(str(error), "arshin_refused") from error
        async with self._core.database.write() as tx:
            await self._core.announce(tx, actor, "arshin_exported", count=len(documents))
        return raw

    async def _verifications(self, subjects: Sequence[bytes], since: date | None) -> list[Json]:
        async with self._core.database.read() as tx:
            reader = await StatementReader.open(tx)
            if subjects:
                leads = await read_leads(tx, subjects)
                members = await read_members(tx, leads.values())
                wanted = {*subjects, *(subject for group in members.values() for subject in group)}
                said = [s for s in await reader.about(tx, wanted) if s.subject in wanted]
            else:
                said = await reader.of_kinds(tx, (Kind.PROTOCOL,))
        earliest = moment_us(since.isoformat()) if since else 0
        mine = [s for s in said if s.org == self._core.org and s.kind == Kind.PROTOCOL]
        try:
            return await asyncio.to_thread(self._documents, [s for s in mine if s.occurred >= earliest], mine)
        except PassportError as error:
            raise InputError(f"a protocol cannot be read: {error}", "arshin_refused") from error

    def _documents(self, chosen: Iterable[Statement], mine: Sequence[Statement]) -> list[Json]:
        references, later = References(mine), [s for s in mine if s.refs]
        documents = []
        for statement in sorted(chosen, key=lambda s: (s.occurred, s.order)):
            is_replaced = any(references.supersedes(other, statement) for other in later)
            if not is_replaced and self._is_verification(statement):
                sections = statement.sections
                documents.append(_joined(sections.get("document"), sections.get("personal")))
        return documents

    def _is_verification(self, statement: Statement) -> bool:
        raw = statement.sections.get("extract")
        events = ExtractBody.from_bytes(raw).events if raw else ()
        world = self._projection.world
        return any(world.central(event.what, statement.org, Catalog.EVENTS) in VERDICTS for event in events)

    def _lacking(self, view: View, checked: Checked) -> int:
        """How many parties have still to sign the same document after this one."""
        needed = len(checked.held.template.layout.signers)
        same = _same(view, checked.held, checked.document)
        version = checked.held.id.hex()
        others = {str(row["by"]) for row in same if at(row, "template", "id") == version} - {self._core.org.hex()}
        return max(0, needed - 1 - len(others))


def explain_all(findings: Iterable[Finding]) -> tuple[Remark, ...]:
    """Findings in both languages, with personal values masked."""
    return tuple(_remark(finding) for finding in findings)


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


def _same(view: View, held: HeldTemplate, document: Json) -> list[View]:
    """Protocols with the same open part under the same publisher's template of that name, whoever signed them."""
    wanted = format_json(split_personal(held.template, document).open).decode()
    key = (held.org.hex(), held.template.name)
    return [
        row
        for row in rows(view, "protocols")
        if row["document"] == wanted and (at(row, "template", "publisher"), at(row, "template", "name")) == key
    ]


def _joined(document: bytes | None, personal: bytes | None) -> Json:
    """A document out of its sections; raise TemplateError where they are none or do not join."""
    parts = parse_document(personal) if personal is not None else {}
    return join(Parts(parse_document(document or b""), parts if isinstance(parts, dict) else {}))


def _bytes(value: object) -> bytes | None:
    return value.encode() if isinstance(value, str) else None


def _ref(row: View) -> Ref:
    return parse_ref(str(row["ref"]))


def _remark(finding: Finding) -> Remark:
    shown = _masked(finding) if finding.personal else finding
    return Remark(
        shown.pointer,
        shown.layer.value,
        shown.severity.value,
        shown.rule,
        shown.code,
        shown.value,
        _words(shown, "ru"),
        _words(shown, "en"),
    )


def _masked(finding: Finding) -> Finding:
    words = tuple((name, value if name in OPEN_WORDS else MASK) for name, value in finding.parameters)
    return Finding(
        finding.layer,
        finding.severity,
        finding.pointer,
        finding.rule,
        finding.code,
        words,
        MASK if finding.value else "",
        personal=True,
    )


def _words(finding: Finding, language: str) -> Explanation:
    own = TEXTS.get(finding.code)
    if finding.rule.startswith(CATALOG_RULE):
        values = {"value": finding.value, **{name: str(value) for name, value in finding.parameters}}
        return Explanation(finding.pointer or "/", *rule_words(finding.code, values, language))
    if own is None:
        return explain(finding, language)
    what, advice = own[0:2] if language == "ru" else own[2:4]
    return Explanation(finding.pointer or "/", what.format(value=finding.value), advice)


# What a node finds beside the template's own rules; code: (ru what, ru advice, en what, en advice).
TEXTS: Mapping[str, tuple[str, str, str, str]] = {
    "device-not-named": (
        "Документ не называет прибор.", "Впишите идентификатор прибора или тип и заводской номер.",
        "The document names no device.", "Fill in the device's id, or its type and serial.",
    ),
    "device-mistyped": (
        "Идентификатор {value} набран с ошибкой.", "Сверьте его с этикеткой прибора.",
        "The id {value} is mistyped.", "Compare it with the device's label.",
    ),
    "place-mistyped": (
        "Идентификатор места {value} набран с ошибкой.", "Сверьте его с паспортом объекта.",
        "The id of the place, {value}, is mistyped.", "Compare it with the passport of the object.",
    ),
    "device-unknown": (
        "Паспорта прибора {value} на этом узле нет.", "Сначала импортируйте прибор или запросите его паспорт.",
        "No passport of {value} is on this node.", "Import the device first, or ask for its passport.",
    ),
    "device-ambiguous": (
        "Под {value} здесь несколько приборов.", "Укажите идентификатор прибора.",
        "Several devices here go by {value}.", "Name the device by its id.",
    ),
    "device-serial-differs": (
        "Заводской номер {value} не этого прибора.", "Сверьте идентификатор и номер с табличкой.",
        "The serial {value} is not of this device.", "Compare id and serial with the plate.",
    ),
    "extract-no-time": (
        "Событие документа без времени, которое можно прочесть.", "Впишите дату или время с поясом, с 1970 года.",
        "An event of the document has no time that can be read.", "Fill in a date, or a time with its zone.",
    ),
    "extract-to-come": (
        "Этот день ещё не наступил.", "Проверьте год и число: подписывают то, что уже было.",
        "That day has not come yet.", "Check the year and the day: what is signed has happened.",
    ),
    "extract-before-made": (
        "Этот день раньше выпуска прибора.", "Сверьте дату с табличкой и паспортом прибора.",
        "That day is before the device was made.", "Compare the date with the plate and the passport.",
    ),
    "extract-times-differ": (
        "События одного документа в разное время здесь не подписываются.", "Оформите их разными документами.",
        "Events of one document at different times are not signed here.", "Make a document of each.",
    ),
    "extract-personal": (
        "Событие берётся из личных данных и было бы видно всем.", "Сообщите издателю шаблона.",
        "An event is taken out of personal data and would be seen by all.", "Tell the template's publisher.",
    ),
    "extract-too-long": (
        "Значение для паспорта длиннее 512 знаков.", "Сократите значение.",
        "A value for the passport has more than 512 characters.", "Shorten it.",
    ),
    "personal-too-deep": (
        "Личные данные стоят слишком глубоко в документе.", "Сообщите издателю шаблона.",
        "Personal data stands too deep in the document.", "Tell the template's publisher.",
    ),
}  # fmt: skip
