"""Forms that are being filled in: drafts of protocols, kept here alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import delete, insert, select, update

from node.store import schema
from node.store.chunks import drop_chunks, form_file
from node.store.database import ReadTx, Record, WriteTx


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form: its bytes stand in chunks under the name of its section to be."""

    section: str
    name: str
    type: str
    size: int
    sha256: str
    personal: bool = False


@dataclass(frozen=True, slots=True)
class FormStep:
    """The step of a process for which a form is filled in, and what else was typed for that step, by its fields."""

    run: str
    step: str
    beside: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredForm:
    """A form: the id of its template's statement, the subject, and the JSON so far.

    `replaces` is the place of the own protocol that it corrects, empty where it corrects none; `of` is the step that
    it does once it is signed.
    """

    id: str
    template: str
    subject: bytes
    document: bytes
    files: tuple[FormFile, ...]
    replaces: str
    actor: str
    created_us: int
    changed_us: int
    of: FormStep | None = None


async def insert_form(tx: WriteTx, form: StoredForm) -> None:
    """Keep a new form."""
    await tx.run(insert(schema.forms).values(_row(form)))


async def update_form(tx: WriteTx, form: StoredForm) -> None:
    """Keep what a form has become."""
    await tx.run(update(schema.forms).where(schema.forms.c.id == form.id).values(_row(form)))


async def find_form(tx: ReadTx, form_id: str) -> StoredForm | None:
    """The form of that id."""
    row = await tx.first(select(schema.forms).where(schema.forms.c.id == form_id))
    return None if row is None else _form(row)


async def find_form_of(tx: ReadTx, run: str, step: str) -> StoredForm | None:
    """The form that is filled in for a step of a process: of several the one that was changed last."""
    forms = schema.forms.c
    asked = select(schema.forms).where(forms.run == run, forms.step == step).order_by(forms.changed_us.desc(), forms.id)
    row = await tx.first(asked.limit(1))
    return None if row is None else _form(row)


async def list_forms(tx: ReadTx, limit: int) -> Sequence[StoredForm]:
    """Forms, those changed last first."""
    rows = await tx.all(select(schema.forms).order_by(schema.forms.c.changed_us.desc(), schema.forms.c.id).limit(limit))
    return [_form(row) for row in rows]


async def delete_form(tx: WriteTx, form_id: str) -> None:
    """Forget a form."""
    await tx.run(delete(schema.forms).where(schema.forms.c.id == form_id))


async def drop_forms_of(tx: WriteTx, place: str) -> None:
    """Forget the forms that were begun with the document of an own protocol, and their files."""
    table = schema.forms.c
    for row in await tx.all(select(schema.forms).where(table.replaces == place)):
        form = _form(row)
        for file in form.files:
            await drop_chunks(tx, form_file(form.id, file.section))
        await delete_form(tx, form.id)


def _row(form: StoredForm) -> dict[str, object]:
    return {
        "id": form.id,
        "template": form.template,
        "subject": form.subject,
        "document": form.document.decode(),
        "files": json.dumps([asdict(file) for file in form.files], ensure_ascii=False),
        "replaces": form.replaces,
        "actor": form.actor,
        "created_us": form.created_us,
        "changed_us": form.changed_us,
        "run": form.of.run if form.of else "",
        "step": form.of.step if form.of else "",
        "beside": json.dumps(dict(form.of.beside), ensure_ascii=False) if form.of else "{}",
    }


def _form(row: Record) -> StoredForm:
    files = tuple(FormFile(**file) for file in json.loads(row.files))
    return StoredForm(
        row.id,
        row.template,
        row.subject,
        row.document.encode(),
        files,
        row.replaces,
        row.actor,
        row.created_us,
        row.changed_us,
        FormStep(row.run, row.step, json.loads(row.beside)) if row.run else None,
    )
