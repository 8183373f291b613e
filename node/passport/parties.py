"""Parties as views show them: who made the subject, who owns it and by which chain, and who signed what here."""

from collections.abc import Iterable, Mapping
from typing import cast

from node.passport.attestations import Held
from node.passport.case import Case
from node.passport.merge import Standing
from node.passport.ranks import SubjectFacts, Title
from node.passport.references import ref_text
from node.passport.titles import Chain, Deal
from node.passport.view import Plain


def parties_view(case: Case) -> dict[str, Plain]:
    """Manufacturer, owner, the chain of deals, and who was named for what."""
    chain = leading_chain(case)
    facts = case.facts.values()
    return {
        "manufacturer": _manufacturer(case),
        "owner": _owner(chain),
        "chain": [_deal(deal, Standing.AGREED) for deal in chain.deals],
        "offers": [_deal(deal, Standing.STATED) for deal in chain.waiting],
        "disputed": [_deal(deal, Standing.DISPUTED) for deal in chain.conflict],
        "claims": [_deal(deal, Standing.CLAIM) for deal in chain.ineffective],
        "named": _orgs(org for found in facts for org in found.named),
        "settlement": _orgs(org for found in facts for org in found.settlement),
        "network": _orgs(org for found in facts for org in found.network),
    }


def speakers_of(parties: Mapping[str, Plain]) -> SubjectFacts:
    """Who may speak of a subject, out of the parties that its passport shows."""
    made, owner = (cast("dict[str, Plain]", parties[name]) for name in ("manufacturer", "owner"))
    titles: list[Title] = []
    for deal in cast("list[dict[str, Plain]]", parties["chain"]):
        first = Title(bytes.fromhex(str(deal["from"])), 0)
        last = titles.pop() if titles else first
        at = max(last.since, cast("int", deal["accepted"]))
        titles += [Title(last.org, last.since, at), Title(bytes.fromhex(str(deal["to"])), at)]
    if not titles and owner["value"]:
        titles = [Title(bytes.fromhex(str(owner["value"])), 0)]
    settlement, network, named = (
        frozenset(bytes.fromhex(str(org)) for org in cast("list[Plain]", parties[name]))
        for name in ("settlement", "network", "named")
    )
    makers = frozenset({bytes.fromhex(str(made["value"]))} if made["basis"] == "maker" else ())
    return SubjectFacts(makers=makers, titles=tuple(titles), settlement=settlement, network=network, named=named)


def leading_chain(case: Case) -> Chain:
    """The chain of titles of the passport: the longest of its joined subjects, the lead's first."""
    lead = case.identity.lead
    ordered = sorted(case.chains, key=lambda subject: (subject != lead, subject))
    return max((case.chains[s] for s in ordered), key=lambda chain: len(chain.titles), default=Chain())


def signers_view(case: Case) -> dict[str, Plain]:
    """Every organisation that signed something here: its name, and what of it is attested."""
    orgs = sorted({statement.org for statement in case.statements} | case.signers)
    return {org.hex(): _signer(case, org) for org in orgs}


def _signer(case: Case, org: bytes) -> dict[str, Plain]:
    attested = case.world.attestations
    return {
        "name": case.world.organisation_name(org),
        "numbers": list(attested.numbers(org)),
        "attested": [_held(held) for held in attested.of(org)],
    }


def _held(held: Held) -> Plain:
    return {
        "what": held.what.name.lower(),
        "rows": list(held.rows),
        "since": held.since,
        "until": held.until,
    }


def _manufacturer(case: Case) -> dict[str, Plain]:
    """The attested maker, else the name that the line's record gives."""
    makers = sorted({org for found in case.facts.values() for org in found.makers})
    if makers:
        name = case.world.organisation_name(makers[0])
        return {"value": makers[0].hex(), "name": name, "standing": Standing.STATED.value, "basis": "maker"}
    record = case.world.lines.find(case.identity.key.line) if case.identity.key else None
    if record is not None and record.legal_makers:
        name = record.legal_makers[-1].name
        return {"value": None, "name": name, "standing": Standing.WORKING.value, "basis": "line"}
    return {"value": None, "name": None, "standing": Standing.WORKING.value, "basis": None}


def _owner(chain: Chain) -> dict[str, Plain]:
    if chain.conflict:
        return {"value": None, "since": None, "standing": Standing.DISPUTED.value, "ref": None}
    if not chain.titles:
        return {"value": None, "since": None, "standing": None, "ref": None}
    title = chain.titles[-1]
    if not chain.deals:
        return {"value": title.org.hex(), "since": None, "standing": Standing.STATED.value, "ref": None}
    ref = ref_text(chain.deals[-1].last.ref)
    return {"value": title.org.hex(), "since": title.since, "standing": Standing.AGREED.value, "ref": ref}


def _deal(deal: Deal, standing: Standing) -> Plain:
    acceptance = deal.acceptance
    return {
        "from": deal.offer.org.hex(),
        "to": deal.party.hex(),
        "offer": ref_text(deal.offer.ref),
        "offered": deal.offer.occurred,
        "acceptance": ref_text(acceptance.ref) if acceptance else None,
        "accepted": acceptance.occurred if acceptance else None,
        "standing": standing.value,
    }


def _orgs(orgs: Iterable[bytes]) -> list[Plain]:
    return [org.hex() for org in sorted(set(orgs))]
