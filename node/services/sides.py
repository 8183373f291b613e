"""The parties of a document: whether this organisation is one, whose signature is lacking, and who is let read it."""

from collections.abc import Collection, Sequence

from node.errors import InputError
from node.passport import drafts
from node.passport.acts import may_fill, meant, named_by
from node.passport.bodies import UnsignedRow
from node.passport.drafts import OPEN_CLASSES, Draft
from node.passport.parties import speakers_of
from node.passport.publications import Signatory
from node.passport.shown import at
from node.passport.strict_json import Json
from node.passport.templates.findings import Finding, Layer, Severity
from node.passport.view import View
from node.services.core import Core
from node.services.papers import told_us
from node.services.projection import Projection
from node.services.templates import HeldTemplate

PARTIES = "parties"


class Sides:
    """Judges the parties of documents as the fold does, out of the passport that is here."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection

    def lacking(self, view: View, held: HeldTemplate, document: Json, signed: Collection[bytes]) -> list[str]:
        """The roles that have still to sign a document after those who did, and after this organisation."""
        signers = held.template.signers
        if len(signers) < 2:
            return []
        orgs = {*signed, self._core.org}
        return [one.role for one in signers if not any(self.may(view, held, document, org, one) for org in orgs)]

    def may(self, view: View, held: HeldTemplate, document: Json, org: bytes, signatory: Signatory) -> bool:
        """Whether an organisation may sign a document for a party."""
        told, parties = told_us(held.template, document), at(view, "parties")
        when = self._core.clock.now() if told is None else told
        facts = speakers_of(parties if isinstance(parties, dict) else {})
        alone = len(held.template.signers) == 1
        return may_fill(signatory, document, org, facts, self._projection.world, when, alone=alone)

    def is_party(self, view: View, held: HeldTemplate, document: Json) -> bool:
        """Whether this organisation may sign a document at all; of a template without parties everybody may."""
        signers = held.template.signers
        return not signers or any(self.may(view, held, document, self._core.org, one) for one in signers)

    def unnamed(self, view: View, held: HeldTemplate, document: Json) -> list[Finding]:
        """Why this organisation is no party that may sign a document."""
        if self.is_party(view, held, document):
            return []
        one = held.template.signers[0]
        named = named_by(document, one) or ""
        place = str(one.organisation or "")
        return [Finding(Layer.RULE, Severity.ERROR, place, PARTIES, "party-not-named", (), named)]

    def openings(self, held: HeldTemplate, document: Json, draft: Draft) -> list[Draft]:
        """Let the parties that a document names read what is said of its moment, and nothing else."""
        parties, world = held.template.layout.parties, self._projection.world
        named = {meant(document, Signatory(party.role, party.organisation), world) for party in parties}
        orgs = sorted(org for org in named if org is not None and org != self._core.org)
        at_us = draft.occurred
        return [drafts.share(draft.subjects[0], org, OPEN_CLASSES, at_us, at_us, at_us + 1) for org in orgs]


def check_reasons(told: Sequence[UnsignedRow], lacking: Collection[str]) -> None:
    """Raise InputError where a reason is given for a signature that is not lacking."""
    for row in told:
        if row.role not in lacking:
            raise InputError(f"the signature of {row.role!r} is not one that is lacking", "act_role", role=row.role)
