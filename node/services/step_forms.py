"""Forms for steps: the protocol that a step of a process demands, filled in here and signed together with the step."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from node.errors import InputError, NotFoundError
from node.passport.bodies import UnsignedRow
from node.passport.runs import fits
from node.passport.strict_json import format_json
from node.passport.templates.form import without_empty_rows
from node.services.core import Core
from node.services.forms import Form, Forms
from node.services.runs import Runs, ShownRun
from node.services.steps import Filled, Turn, Work, other_protocol
from node.services.templates import HeldTemplate, Templates
from node.store.forms import FormStep, find_form_of, update_form


class StepForms:
    """Begins forms for steps whose turn it is, finds them again, and does the steps with them."""

    def __init__(self, core: Core, templates: Templates, forms: Forms, runs: Runs) -> None:
        self._core = core
        self._templates = templates
        self._forms = forms
        self._runs = runs

    async def start(
        self, run: str, step: str, template: str, actor: str, raw: bytes | None = None, beside: Mapping[str, str] = {}
    ) -> Form:
        """Begin the form of a step, or go on with the one that is there; `beside` is what else was typed for the step.

        Raise as `Runs.turn` does, NotFoundError for an unknown template, InputError where the step demands another.
        """
        turn, held = await self._runs.turn(run, step), await self._templates.get(template)
        _check_demand(turn, held)
        of = FormStep(run, step, dict(beside))
        found = await self.find(run, step)
        if raw is None and found is not None and found.held.id == held.id:
            return await self._go_on(found, of)
        return await self._forms.start(template, turn.passport.subject, actor, raw, of)

    async def find(self, run: str, step: str) -> Form | None:
        """The form that is filled in for a step; None where there is none, or its template runs here no longer."""
        async with self._core.database.read() as tx:
            stored = await find_form_of(tx, run, step)
        if stored is None:
            return None
        try:
            return await self._forms.get(stored.id)
        except InputError:
            return None

    async def get(self, run: str, step: str, form_id: str) -> Form:
        """The form of that id; raise NotFoundError where it is none of this step."""
        form = await self._forms.get(form_id)
        of = form.stored.of
        if of is None or (of.run, of.step) != (run, step):
            raise NotFoundError("that form is of another step, or of none", "form_unknown")
        return form

    async def do(self, form: Form, work: Work, actor: str, unsigned: Sequence[UnsignedRow] = ()) -> ShownRun:
        """Do the step of a form with its document and files and what else is said; the form goes with it, or stays."""
        of = form.stored.of
        if of is None:
            raise NotFoundError("that form is of no step", "form_unknown")
        raw = format_json(without_empty_rows(form.document))
        document = Filled(form.held.reference, raw, await self._forms.beside(form, unsigned))
        return await self._runs.do(of.run, of.step, replace(work, document=document), actor)

    async def _go_on(self, form: Form, of: FormStep) -> Form:
        stored = replace(form.stored, of=of)
        async with self._core.database.write() as tx:
            await update_form(tx, stored)
        return replace(form, stored=stored)


def _check_demand(turn: Turn, held: HeldTemplate) -> None:
    if turn.step.protocol is None:
        raise InputError(f"the step {turn.step.code} takes no protocol", "run_protocol_unasked", step=turn.step.name)
    if not fits(turn.step, held.body()):
        raise other_protocol(turn.step, held)
