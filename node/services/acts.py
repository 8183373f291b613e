"""Acts of several parties: signed by the other party from its own node, and why a signature is missing.

The other party signs the very bytes that were signed first, with a ref to them. What of the document it may not read
stays out of what it signs and is told as unchecked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from federation.fragment import Ref
from node.errors import DeniedError, InputError, StateError
from node.passport import drafts
from node.passport.bodies import UnsignedBody, UnsignedRow
from node.passport.references import parse_ref, ref_text
from node.passport.shown import ACT, act_term, at, open_acts, rows
from node.passport.templates.findings import State
from node.passport.view import View
from node.services.core import Core
from node.services.ledger import Ledger, entry_ref
from node.services.papers import Beside
from node.services.projection import Projection
from node.services.protocols import Paper, Protocols, Signed
from node.services.sides import Sides, check_reasons
from node.store.database import WriteTx
from node.store.fragments import NewEntry
from node.store.passports import find_passport, find_subjects

MOST = 200
OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class OpenAct:
    """An act that lacks a signature: whose device it is of, and its first signature as the passport shows it."""

    subject: bytes
    title: str
    row: View

    @property
    def ref(self) -> str:
        """The place of the first signature."""
        return str(self.row["ref"])


class Acts:
    """Signs acts of others, and says why a signature is missing."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, protocols: Protocols) -> None:
        self._core = core
        self._ledger = ledger
        self._protocols = protocols
        self._sides = Sides(core, projection)

    async def waiting(self, *, signs: bool) -> list[OpenAct]:
        """The acts that this organisation is to sign, or those that it signed and that wait for others."""
        org = self._core.org.hex()
        found: list[OpenAct] = []
        async with self._core.database.read() as tx:
            for subject in await find_subjects(tx, ACT, [act_term(org, signs=signs)], MOST):
                passport = await find_passport(tx, subject, whole=False)
                for row in open_acts(passport.content) if passport else ():
                    if passport is not None and _concerns(row, org, signs=signs):
                        found.append(OpenAct(passport.subject, passport.title, row))
        return found

    async def sign(self, subject: bytes, ref: str, actor: str) -> Signed:
        """Sign the document that another party signed at a place; the same again is not signed again.

        Raise StateError where it is no act of several parties, was replaced or annulled, DeniedError where the document
        names other parties or is not open here, InputError `document_refused` with its findings.
        """
        paper, view = await self._act(subject, ref)
        held, document = paper.held, paper.document
        own = next((s for s in rows(paper.row, "act", "sides") if s["by"] == self._core.org.hex()), None)
        if own is not None:
            return Signed(parse_ref(str(own["ref"])), paper.subject, State.VALID, (), is_new=False)
        if held is None:
            raise StateError("the template of this act does not run here", "template_missing", id=_template_id(paper))
        if document is None:
            raise DeniedError("the document is not open to this organisation", "act_closed")
        if not self._sides.is_party(view, held, document):
            raise DeniedError("the document names other organisations as its parties", "act_not_party")
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
        checked = await self._protocols.judge(held, document, passport, is_whole=paper.is_whole)
        beside = Beside(refs=(parse_ref(ref),), signed=str(paper.row["document"]).encode())
        return await self._protocols.put(checked, actor, "console", beside)

    async def explain(self, subject: bytes, ref: str, told: Sequence[UnsignedRow], actor: str) -> Ref:
        """Say why an act lacks signatures: of others, as one who signed it, or one's own, which is an objection.

        Raise StateError where it is no such act, InputError for a role whose signature is not lacking.
        """
        paper, view = await self._act(subject, ref)
        own, lacking = self._own_roles(paper, view), _lacking(paper.row)
        check_reasons(told, lacking)
        has_signed = any(side["by"] == self._core.org.hex() for side in rows(paper.row, "act", "sides"))
        for row in told:
            if row.role not in own and not has_signed:
                raise DeniedError("only a party of the act says why a signature is missing", "act_not_party")
            if row.why == OBJECTS and row.role not in own:
                raise InputError("an objection is the party's own to make", "act_objection", role=row.role)
        occurred = int(str(paper.row["occurred"]))
        draft = drafts.unsigned(paper.subject, UnsignedBody(rows=tuple(told)), parse_ref(ref), occurred)
        openings = self._sides.openings(paper.held, paper.document, draft) if paper.held else []

        async def note(tx: WriteTx, entries: Sequence[NewEntry]) -> None:
            place = ref_text(entry_ref(self._ledger.log.log, entries[0]))
            why = ", ".join(f"{row.role}: {row.why}" for row in told)
            await self._core.announce(tx, actor, "act_explained", paper.subject, ref=place, reason=why)

        return entry_ref(self._ledger.log.log, (await self._ledger.append([draft, *openings], note))[0])

    def own_roles(self, paper: Paper, view: View) -> list[str]:
        """The sides of an act that this organisation may still sign."""
        lacking = _lacking(paper.row)
        return [role for role in self._own_roles(paper, view) if role in lacking]

    async def _act(self, subject: bytes, ref: str) -> tuple[Paper, View]:
        paper = await self._protocols.paper(subject, ref)
        if paper.row["act"] is None:
            raise StateError("this protocol has one party, and it has signed", "act_one_party")
        if replaced := paper.row["replaced_by"]:
            raise StateError(f"the document was replaced by {replaced}", "act_replaced", ref=replaced)
        if paper.row["annulled"] is not None:
            raise StateError(
                "its author annulled the document", "act_annulled", reason=at(paper.row, "annulled", "reason")
            )
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
        return paper, passport.content if passport else {}

    def _own_roles(self, paper: Paper, view: View) -> list[str]:
        held, document, own = paper.held, paper.document, self._core.org
        if held is None or document is None:
            return []
        return [one.role for one in held.template.signers if self._sides.may(view, held, document, own, one)]


def _concerns(row: View, org: str, *, signs: bool) -> bool:
    sides = rows(row, "act", "sides")
    if signs:
        return any(side["ref"] is None and side["org"] == org for side in sides)
    return any(side["by"] == org for side in sides)


def _lacking(row: View) -> list[str]:
    return [str(side["role"]) for side in rows(row, "act", "sides") if side["ref"] is None]


def _template_id(paper: Paper) -> str:
    return str(at(paper.row, "template", "id"))
