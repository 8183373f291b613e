"""Forms: protocols that are being filled in. They are kept on this node alone, with their files, until they are signed.

What is signed is exactly what was checked: the document without rows that nobody filled in, the hashes of its files,
and why other parties have not signed, in one statement. The form goes with the transaction that signs it.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from federation.chunks import split_chunks
from federation.fragment import Ref, SectionClass
from node.errors import InputError, NotFoundError, StateError
from node.passport.bodies import AttachedFile, AttachmentsBody, UnsignedRow
from node.passport.drafts import DraftSection, section
from node.passport.file_types import FileRefusedError, check_file
from node.passport.ids import SubjectId, format_device_id
from node.passport.references import parse_ref
from node.passport.shown import fact, rows, text
from node.passport.strict_json import Json, format_json
from node.passport.templates.errors import JsonError
from node.passport.templates.form import prefill, without_empty_rows
from node.passport.templates.template import Template, parse_document
from node.passport.unseen import UNSEEN
from node.passport.view import View
from node.services.core import Core
from node.services.files import MAX_FILE, MAX_FILES, MAX_TOTAL
from node.services.papers import Beside
from node.services.protocols import Checked, Protocols, Signed
from node.services.templates import HeldTemplate, Templates
from node.store.chunks import drop_chunks, form_file, move_chunks, put_chunks, read_chunks, signed_file
from node.store.database import ReadTx, WriteTx
from node.store.forms import (
    FormFile,
    FormStep,
    StoredForm,
    delete_form,
    find_form,
    insert_form,
    list_forms,
    update_form,
)
from node.store.passports import StoredPassport, find_passport

MOST = 500
SECTIONS = tuple(f"file-{n}.chunks" for n in range(MAX_FILES))


@dataclass(frozen=True, slots=True)
class Form:
    """A form with its template and the document so far; `title` is of the device that it is for."""

    stored: StoredForm
    held: HeldTemplate
    document: Json
    title: str

    @property
    def id(self) -> str:
        """The form's id."""
        return self.stored.id

    @property
    def mark(self) -> str:
        """By this a window tells whether the document is still the one that it shows."""
        return hashlib.sha256(self.stored.document).hexdigest()[:16]


class Forms:
    """Keeps forms, and signs what came of them."""

    def __init__(self, core: Core, templates: Templates, protocols: Protocols) -> None:
        self._core = core
        self._templates = templates
        self._protocols = protocols

    async def start(
        self, template: str, subject: bytes, actor: str, raw: bytes | None = None, of: FormStep | None = None
    ) -> Form:
        """Begin a form for a device: with what its passport tells, or with a document that somebody has already.

        `of` is the step of a process that it is for. Raise NotFoundError for an unknown template or device, InputError
        for what is no document.
        """
        held = await self._templates.get(template)
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
        if passport is None:
            raise NotFoundError("no passport of that id is here", "passport_unknown")
        now = self._core.clock.now()
        begun = self._new(held.template, passport.subject, passport.content, now) if raw is None else _read(raw)
        return await self._begin(held, passport, begun, "", actor, of)

    async def correct(self, subject: bytes, ref: str, actor: str) -> Form:
        """Begin a form that takes the place of an own protocol, with its document.

        Raise NotFoundError where there is none, StateError where it is another's, was replaced, or does not run here.
        """
        paper = await self._protocols.paper(subject, ref)
        if paper.row["by"] != self._core.org.hex() or paper.row["replaced_by"] is not None:
            raise StateError("only an own protocol that stands is corrected", "protocol_not_own")
        if paper.held is None or paper.document is None:
            raise StateError("its template does not run here", "template_missing")
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
        if passport is None:
            raise NotFoundError("no passport of that id is here", "passport_unknown")
        return await self._begin(paper.held, passport, paper.document, ref, actor)

    async def _begin(
        self,
        held: HeldTemplate,
        passport: StoredPassport,
        document: Json,
        replaces: str,
        actor: str,
        of: FormStep | None = None,
    ) -> Form:
        now, form_id = self._core.clock.now(), self._core.random.bytes(8).hex()
        raw, subject = format_json(document), passport.subject
        stored = StoredForm(form_id, held.id.hex(), subject, raw, (), replaces, actor, now, now, of)
        async with self._core.database.write() as tx:
            if len(await list_forms(tx, MOST)) >= MOST:
                raise StateError(f"{MOST} forms are being filled in: sign or drop some", "forms_many", most=MOST)
            await insert_form(tx, stored)
        return Form(stored, held, document, passport.title)

    async def list(self) -> Sequence[Form]:
        """Forms whose templates run here, those changed last first."""
        async with self._core.database.read() as tx:
            kept = await list_forms(tx, MOST)
        found = []
        for stored in kept:
            with contextlib.suppress(InputError):
                found.append(await self.get(stored.id))
        return found

    async def get(self, form_id: str) -> Form:
        """A form; raise NotFoundError."""
        async with self._core.database.read() as tx:
            stored = await _stored(tx, form_id)
            passport = await find_passport(tx, stored.subject, whole=False)
        held = await self._templates.get(stored.template)
        return Form(stored, held, _read(stored.document), passport.title if passport else "")

    async def keep(self, form: Form, raw: bytes) -> Form:
        """Keep a document as bytes; raise InputError where it is no JSON within the limits."""
        return await self.save(form, _read(raw))

    async def save(self, form: Form, document: Json) -> Form:
        """Keep what a form has become; raise InputError where it is over a limit."""
        raw = format_json(document)
        _read(raw)
        async with self._core.database.write() as tx:
            stored = replace(await _stored(tx, form.id), document=raw, changed_us=tx.now)
            await update_form(tx, stored)
        return replace(form, stored=stored, document=document)

    async def attach(self, form: Form, name: str, content: bytes, *, personal: bool) -> Form:
        """Add a file; raise InputError where it is too large, one too many, or not of a type that may be attached."""
        name = UNSEEN.sub("", name).rpartition("/")[2][-255:]
        _check_room(form.stored.files, name, content)
        try:
            kind = await asyncio.to_thread(check_file, name, content)
        except FileRefusedError as error:
            raise InputError(str(error), "attachment_refused", ru=error.ru) from error
        digest = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
        _, chunks = await asyncio.to_thread(split_chunks, content)
        async with self._core.database.write() as tx:
            # Read again: another request may have added a file meanwhile.
            stored = await _stored(tx, form.id)
            if all(file.sha256 != digest for file in stored.files):
                _check_room(stored.files, name, content)
                taken = {file.section for file in stored.files}
                free = next(section for section in SECTIONS if section not in taken)
                added = FormFile(free, name, kind, len(content), digest, personal)
                stored = replace(stored, files=(*stored.files, added), changed_us=tx.now)
                await put_chunks(tx, form_file(form.id, free), 0, chunks)
                await update_form(tx, stored)
        return replace(form, stored=stored, document=_read(stored.document))

    async def detach(self, form: Form, sha256: str) -> Form:
        """Take a file out again."""
        async with self._core.database.write() as tx:
            stored = await _stored(tx, form.id)
            for file in stored.files:
                if file.sha256 == sha256:
                    await drop_chunks(tx, form_file(form.id, file.section))
            kept = tuple(file for file in stored.files if file.sha256 != sha256)
            stored = replace(stored, files=kept, changed_us=tx.now)
            await update_form(tx, stored)
        return replace(form, stored=stored, document=_read(stored.document))

    async def drop(self, form_id: str) -> None:
        """Forget a form with its files, also one whose template does not run here; raise NotFoundError."""
        async with self._core.database.write() as tx:
            await _forget(tx, await _stored(tx, form_id))

    async def save_over(self, form: Form, document: Json, mark: str) -> Form:
        """Keep what a window sent that had shown the document of a mark.

        Raise StateError where the document became another since, and is not what was sent.
        """
        if mark != form.mark and format_json(document) != form.stored.document:
            raise _changed()
        return await self.save(form, document)

    async def check(self, form: Form) -> Checked:
        """Judge what is filled in; nothing is signed."""
        return await self._protocols.judge(form.held, without_empty_rows(form.document))

    async def sign(self, form: Form, actor: str, unsigned: Sequence[UnsignedRow] = ()) -> Signed:
        """Sign the document with its files; raise InputError `document_refused` with its findings.

        Raise StateError for a form of a step, which is signed with the step alone, and where the form became another
        meanwhile; NotFoundError where it was signed or dropped.
        """
        if form.stored.of is not None:
            raise StateError("that form is signed with its step", "form_of_step", run=form.stored.of.run,
                             step=form.stored.of.step)  # fmt: skip
        signed = await self._protocols.put(await self.check(form), actor, "console", await self.beside(form, unsigned))
        if not signed.is_new:
            with contextlib.suppress(NotFoundError):
                await self.drop(form.id)
        return signed

    async def beside(self, form: Form, unsigned: Sequence[UnsignedRow] = ()) -> Beside:
        """What is signed beside the document of a form: its files. The form goes with the transaction that signs it."""
        files = form.stored.files
        lists = {file.section: await self._listed(form, file) for file in files}
        sections = [DraftSection(file.section, lists[file.section], _class(file)) for file in files]
        if files:
            body = AttachmentsBody(files=tuple(_attached(file) for file in files))
            sections.insert(0, section("attachments", body))

        async def moved(tx: WriteTx, ref: Ref) -> None:
            stored = await _stored(tx, form.id)
            if (stored.document, stored.files) != (form.stored.document, files):
                raise _changed()
            for file in files:
                await move_chunks(tx, form_file(form.id, file.section), signed_file(ref, file.section))
            await _forget(tx, stored)

        refs = (parse_ref(form.stored.replaces),) if form.stored.replaces else ()
        return Beside(sections=tuple(sections), refs=refs, unsigned=tuple(unsigned), also=moved)

    async def _listed(self, form: Form, file: FormFile) -> bytes:
        async with self._core.database.read() as tx:
            content = await read_chunks(tx, form_file(form.id, file.section))
        return (await asyncio.to_thread(split_chunks, content))[0].to_bytes()

    def _new(self, template: Template, subject: bytes, view: View, now: int) -> Json:
        today = datetime.fromtimestamp(now / 1e6, UTC).date().isoformat()
        return prefill(template, _known(subject, view), today, self._core.org.hex())


async def _stored(tx: ReadTx, form_id: str) -> StoredForm:
    stored = await find_form(tx, form_id)
    if stored is None:
        raise NotFoundError("no such form is being filled in here", "form_unknown")
    return stored


async def _forget(tx: WriteTx, stored: StoredForm) -> None:
    for file in stored.files:
        await drop_chunks(tx, form_file(stored.id, file.section))
    await delete_form(tx, stored.id)


def _changed() -> StateError:
    return StateError("the form was changed in another window meanwhile", "form_changed")


def _check_room(files: Sequence[FormFile], name: str, content: bytes) -> None:
    """Raise InputError for a file that is empty or too large, or one too many."""
    if not content or len(content) > MAX_FILE or sum(file.size for file in files) + len(content) > MAX_TOTAL:
        raise InputError(f"{name[:80]!r} has {len(content)} bytes", "attachment_large", most=MAX_FILE)
    if len(files) >= MAX_FILES:
        raise InputError(f"a protocol has at most {MAX_FILES} files", "attachments_many", most=MAX_FILES)


def _read(raw: bytes) -> Json:
    try:
        return parse_document(raw)
    except JsonError as error:
        raise InputError(f"the document cannot be read: {error}", "document_unreadable", ru=error.text("ru")) from error


def _known(subject: bytes, view: View) -> Mapping[str, str]:
    """What a passport tells of its device, by the names of bindings; `device.<name>` stand beside the serial."""
    plate = next(iter(rows(view, "plates")), {})
    approvals = plate.get("approvals")
    record = text(view, "type", "record", "approval")
    known = {
        "device.gid": format_device_id(SubjectId(subject)),
        "device.serial": fact(view, "identity", "serial") or str(plate.get("serial") or ""),
        "type.grsi": record or (str(approvals[0]) if isinstance(approvals, list) and approvals else ""),
        "device.model": text(view, "type", "model") or str(plate.get("designation") or ""),
        "device.execution": text(view, "type", "execution"),
        "device.year": str(plate.get("year") or ""),
    }
    return {name: value for name, value in known.items() if value}


def _attached(file: FormFile) -> AttachedFile:
    return AttachedFile(name=file.name, type=file.type, size=file.size, sha256=file.sha256, section=file.section)


def _class(file: FormFile) -> SectionClass:
    return SectionClass.PERSONAL if file.personal else SectionClass.TECHNICAL
