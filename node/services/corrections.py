"""Corrections and the closing of disputes: a value in the place of another, which stays to be seen, and why."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from federation.authority import Kind
from federation.fragment import Ref, SectionClass
from node.errors import InputError, NotFoundError
from node.passport import drafts
from node.passport.bodies import CorrectionBody, ParameterRow, ParametersBody, Plate, Reference
from node.passport.drafts import Draft
from node.passport.errors import PlateError
from node.passport.merge import Standing
from node.passport.plate import cut_label, plate_text
from node.passport.references import parse_ref, ref_text
from node.passport.shown import at, rows
from node.passport.statement import Statement
from node.passport.view import Plain
from node.passport.withdrawals import standing
from node.services.core import Core
from node.services.entry import Entry
from node.services.ledger import Ledger, entry_ref
from node.services.statements import StatementReader
from node.store.database import WriteTx
from node.store.passports import StoredPassport, every_id, find_passport

ON_PLATE = ("mark", "designation", "serial", "year")
OWN = "own"
PLACE = re.compile(r"[0-9a-f]{32}:[0-9]{1,16}:[0-9a-f]{32}")
KEPT = {
    "claim": SectionClass.PUBLIC,
    "nameplate": SectionClass.PUBLIC,
    "parameters": SectionClass.TECHNICAL,
    "correction": SectionClass.TECHNICAL,
}


class Corrections:
    """Says corrections in this organisation's name, and agrees with those of others."""

    def __init__(self, core: Core, ledger: Ledger, entry: Entry) -> None:
        self._entry = entry
        self._core = core
        self._ledger = ledger

    async def correct(
        self,
        subject: bytes,
        fact: str,
        value: str,
        why: CorrectionBody,
        actor: str,
        since: str | None = None,
        unit: str | None = None,
    ) -> Ref:
        """Put a value in the place of what stands for a fact: of one's own words, or of all where a ground is named.

        `fact` is a field of the plate or the code of a parameter, whose unit stays where none is given. What others of
        equal right said stays beside it until they agree. A document that is a statement of this passport becomes the
        ground of the correction. Raise NotFoundError where nothing is stated for the fact, InputError where it is not
        clear in which unit the value is.
        """
        if why.ground != OWN and not why.document:
            raise InputError(f"a dispute is closed by a paper: {why.ground} needs its document", "correction_document")
        passport, said = await self._read(subject)
        grounds = _grounds(why, said)
        if fact in ON_PLATE:
            draft = self._plate(passport, said, fact, value, why)
        else:
            draft = self._parameter(passport, said, fact, (value, unit), since, why)
        draft = replace(draft, sections=(*draft.sections, drafts.section("correction", why)), auth=grounds)
        return await self._say(draft, actor, "corrected", subject)

    async def agree(self, subject: bytes, ref: str, actor: str) -> Ref:
        """Say the same as a correction of somebody else, with a ref to it."""
        _, said = await self._read(subject)
        found = said.get(ref)
        if found is None or "correction" not in found.sections:
            raise NotFoundError("that is no correction in this passport", "correction_unknown")
        if found.org == self._core.org:
            raise InputError("a correction is agreed by another organisation", "correction_own")
        kept = tuple(
            drafts.DraftSection(
                name, content, SectionClass.PUBLIC if name in ("claim", "nameplate") else SectionClass.TECHNICAL
            )
            for name, content in sorted(found.sections.items())
            if name in KEPT
        )
        draft = Draft(Kind(found.kind), (found.subject,), self._core.clock.now(), kept, (found.ref,), found.auth)
        return await self._say(draft, actor, "correction_agreed", subject)

    async def _read(self, subject: bytes) -> tuple[StoredPassport, Mapping[str, Statement]]:
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject)
            if passport is None:
                raise NotFoundError("no passport of that id is here", "passport_unknown")
            reader = await StatementReader.open(tx)
            said = standing(await reader.about(tx, await every_id(tx, [passport.subject])))
        return passport, {ref_text(statement.ref): statement for statement in said}

    def _plate(
        self, passport: StoredPassport, said: Mapping[str, Statement], fact: str, value: str, why: CorrectionBody
    ) -> Draft:
        plates = [row for row in rows(passport.content, "plates") if str(row["ref"]) in said]
        own = [row for row in plates if row["by"] == self._core.org.hex()]
        based = own or plates
        if not based:
            raise NotFoundError("no plate is stated in this passport", "correction_nothing")
        row = based[-1]
        statement = said[str(row["ref"])]
        if row[fact] == value:
            raise InputError(f"{fact} is {value} already", "correction_same")
        stated = Plate.from_bytes(statement.sections["nameplate"]).model_dump()
        try:
            plate = Plate.model_validate({**stated, fact: value})
            plate_text(cut_label(plate.serial))
        except (ValidationError, PlateError) as error:
            raise InputError(f"{fact}: {value[:64]!r} is none", "correction_value", fact=fact) from error
        replaced = [str(other["ref"]) for other in (own if why.ground == OWN else plates)]
        draft = drafts.identity(statement.subject, statement.sections["claim"], plate, self._core.clock.now())
        return replace(draft, refs=_refs(replaced))

    def _parameter(
        self,
        passport: StoredPassport,
        said: Mapping[str, Statement],
        code: str,
        stands: tuple[str, str | None],
        since: str | None,
        why: CorrectionBody,
    ) -> Draft:
        parameter = at(passport.content, "parameters", code)
        if not isinstance(parameter, dict):
            raise NotFoundError(f"nothing is stated for {code} in this passport", "correction_nothing")
        versions = rows(passport.content, "parameters", code, "values")
        found = next((v for v in reversed(versions) if since in (None, v["since"])), None)
        if found is None:
            raise NotFoundError(f"{code} has no value from {since} on", "correction_nothing")
        stated = [v for v in (found, *_others(found)) if v.get("value") is not None]
        mine = [v for v in stated if v["by"] == self._core.org.hex()]
        corrected = mine if why.ground == OWN else stated
        value, unit = stands[0], stands[1] or _unit(code, corrected or stated)
        if (found["value"], found.get("unit")) == (value, unit):
            raise InputError(f"{code} is {value} already", "correction_same")
        replaced = [str(v["ref"]) for v in corrected if v["ref"]]
        row = ParameterRow(
            code=Reference(local=_text(parameter["local"]), central=_text(parameter["central"])),
            value=value,
            unit=unit,
            since=_text(found["since"]),
            source=why.document,
        )
        self._entry.check_rows([row], "")
        based = [said[ref].subject for ref in replaced if ref in said]
        draft = drafts.parameters(
            based[0] if based else passport.subject, ParametersBody(rows=(row,)), self._core.clock.now()
        )
        return replace(draft, refs=_refs(replaced))

    async def _say(self, draft: Draft, actor: str, what: str, subject: bytes) -> Ref:
        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, what, subject)

        entries = await self._ledger.append([draft], note)
        return entry_ref(self._ledger.log.log, entries[0])


def _grounds(why: CorrectionBody, said: Mapping[str, Statement]) -> tuple[Ref, ...]:
    """The statement that is named as the document; a paper that is kept elsewhere is none."""
    if why.document is None or not PLACE.fullmatch(why.document):
        return ()
    if why.document not in said:
        raise InputError(
            f"{why.document}: no statement about this passport", "correction_ground", document=why.document
        )
    return (said[why.document].ref,)


def _others(version: Mapping[str, Plain]) -> list[dict[str, Plain]]:
    others = version["others"]
    return [row for row in others if isinstance(row, dict)] if isinstance(others, list) else []


def _unit(code: str, stated: Sequence[Mapping[str, Plain]]) -> str | None:
    """The unit of the values that stand; raise InputError where they have several: a number alone would be another."""
    alive = [v for v in stated if v["standing"] != Standing.REPLACED] or stated
    units = sorted({unit for v in alive if (unit := _text(v.get("unit")))})
    if len(units) > 1:
        known = ", ".join(units)
        raise InputError(f"{code} is stated in {known}: name the unit", "correction_unit", fact=code, units=known)
    return units[0] if units else None


def _refs(places: Sequence[str]) -> tuple[Ref, ...]:
    return tuple(parse_ref(place) for place in sorted(set(places)))


def _text(value: Plain) -> str | None:
    return value if isinstance(value, str) else None
