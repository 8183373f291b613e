"""What the page of a process sends for a step, and the work that it makes of it."""

import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from node.errors import InputError
from node.passport.procedures import Parts
from node.services.runs import Work
from node.web.api.processes import StepInput, StepPath, work_of
from node.web.binding import RulesError, Upload
from node.web.calls import Call
from node.web.nested import rows_of, texts_of

BESIDE = ("outcome", "when", "where", "reason")


class StepForm(BaseModel):
    """What a step is done with; beside it `detail.CODE` for what is asked, and `parts.N.…` for its parts.

    `draft` is the form that is filled in for the step; a document that is sent counts before it.
    """

    model_config = ConfigDict(extra="allow")

    act: str = Field(default="", max_length=16)
    outcome: str = ""
    when: str = ""
    where: str = ""
    template: str = ""
    document: str = ""
    file: Upload | None = None
    draft: str = ""
    reason: str = ""

    @property
    def detail(self) -> dict[str, str]:
        """What the step asks."""
        return texts_of(self.model_extra or {}, "detail")

    @property
    def parts(self) -> list[dict[str, str]]:
        """The rows of parts that are filled in."""
        return rows_of(self.model_extra or {}, "parts")

    @property
    def raw(self) -> str:
        """The document that was sent as a file or as text; empty where none was."""
        sent = self.file.content if self.file else b""
        return sent.decode("utf-8", errors="replace") if sent else self.document

    @property
    def beside(self) -> dict[str, str]:
        """What was typed beside the protocol, by its fields."""
        more = {name: value for name, value in (self.model_extra or {}).items() if isinstance(value, str)}
        return {name: value for name, value in {**{n: getattr(self, n) for n in BESIDE}, **more}.items() if value}


async def step_work(call: Call, path: StepPath, form: StepForm) -> Work:
    """What the form says; raise InputError."""
    shown = await call.context.runs.get(path.run)
    step = shown.held.procedure.step(path.step) if shown.held else None
    said: dict[str, object] = {
        "outcome": form.outcome or None,
        "when": form.when or None,
        "where": form.where or None,
        "reason": form.reason or None,
        "detail": form.detail,
        "template": form.template if form.raw and form.template else None,
        "document": form.raw or None,
    }
    if step and step.parts is Parts.REPLACE:
        said["replaced"] = form.parts
    try:
        work = work_of(call, StepInput.model_validate(said))
    except ValidationError as error:
        raise RulesError("body", error) from error
    if step and step.parts is Parts.FIT:
        return await _with_parts(call, work, form.parts)
    return work


async def _with_parts(call: Call, work: Work, parts: Sequence[Mapping[str, str]]) -> Work:
    recognition = call.context.recognition
    fitted = [
        await recognition.part(part["part"], part.get("position"), quantity_of(part.get("quantity", "1")))
        for part in parts
        if part.get("part")
    ]
    return Work(
        work.occurred, work.system, work.outcome, work.place, work.detail, work.document, fitted, (), work.reason
    )


def quantity_of(text: str) -> str:
    """How many, as it was typed; raise InputError where that is no number above nothing."""
    told = text.strip().replace(",", ".")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", told, re.ASCII) or not told.strip("0."):
        raise InputError(f"{text[:32]} is no quantity", "part_quantity", quantity=text[:32])
    return told
