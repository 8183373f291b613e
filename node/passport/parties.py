"""Parties as views show them: who made the subject, who holds which role since when, and who signed what here."""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from node.passport.attestations import Held as Attestation
from node.passport.bodies import MandateBody
from node.passport.case import Case
from node.passport.deals import NOT_CHOSEN, NOT_HOLDER, PASSED_ALREADY, Deal, Sizes
from node.passport.holding import by_title
from node.passport.merge import Standing
from node.passport.passing import ACCEPTANCE, BY_TITLE, PAPER, Held, Passage
from node.passport.ranks import SubjectFacts, Title
from node.passport.references import ref_text
from node.passport.roles import RESIDENT, PartyRole, Tenure
from node.passport.statement import Statement
from node.passport.titles import Chain
from node.passport.view import DAY_US, Plain, moment_us

WAITING, INEFFECTIVE = "waiting", "ineffective"
MAKER = "maker"
ACCEPTED_TWICE = "accepted-twice"  # why a person has to decide

Row = dict[str, Plain]


def parties_view(case: Case) -> Row:
    """Manufacturer, owner, the chain of deals, who holds and held which role, and who was named for what."""
    chain = leading_chain(case)
    facts = case.facts.values()
    return {
        "manufacturer": _manufacturer(case),
        "owner": _owner(chain),
        "chain": [_deal(deal, Standing.STATED if deal.is_paper else Standing.AGREED) for deal in chain.deals],
        "offers": [_deal(deal, Standing.STATED) for deal in chain.waiting],
        "disputed": [_deal(deal, Standing.DISPUTED) for deal in chain.conflict],
        "claims": [_deal(deal, Standing.CLAIM) for deal in chain.ineffective],
        "named": _orgs(org for found in facts for org in found.named | found.protocolists),
        "settlement": _orgs(org for found in facts for org in found.settlement),
        "network": _orgs(org for found in facts for org in found.network),
        "roles": _once(_roles(case, chain)),
        "transfers": _once(_transfers(case, chain)),
    }


def roles_on(parties: Mapping[str, Plain], day: str | None = None) -> list[Row]:
    """Who holds which role at the end of a day, or at a moment; without one, everybody who ever held one."""
    if day is None:
        return cast("list[Row]", parties["roles"])
    return roles_at(parties, moment_us(day) + (DAY_US - 1 if len(day) == 10 else 0))


def roles_at(parties: Mapping[str, Plain], at: int) -> list[Row]:
    """Who holds which role at a time."""
    held = cast("list[Row]", parties["roles"])
    return [row for row in held if _since(row) <= at and (row["until"] is None or at < cast("int", row["until"]))]


def speakers_of(parties: Mapping[str, Plain]) -> SubjectFacts:
    """Who may speak of a subject, out of the parties that its passport shows."""
    made, held = cast("Row", parties["manufacturer"]), cast("list[Row]", parties["roles"])
    titles = [_title(row) for row in held if row["role"] == PartyRole.TITLE]
    settlement, network, named = (
        frozenset(bytes.fromhex(str(org)) for org in cast("list[Plain]", parties[name]))
        for name in ("settlement", "network", "named")
    )
    makers = frozenset({_org(made["value"])} if made["basis"] == MAKER else ())
    return SubjectFacts(
        makers=makers,
        titles=tuple(titles),
        settlement=settlement,
        network=network,
        named=named,
        roles=tuple(_tenure(row) for row in held if _counts(row)),
    )


def leading_chain(case: Case) -> Chain:
    """The chain of titles of the passport: the longest of its joined subjects, the lead's first."""
    return max((case.chains[s] for s in _ordered(case)), key=lambda chain: len(chain.titles), default=Chain())


def contested_roles(case: Case) -> Iterator[tuple[PartyRole, Deal]]:
    """Deals about capacities that contradict each other."""
    for subject in _ordered(case):
        holding = case.holdings.get(subject)
        for passage in holding.passages if holding else ():
            yield from ((passage.role, deal) for deal in passage.conflict)


def signers_view(case: Case) -> Row:
    """Every organisation that signed something here: its name, and what of it is attested."""
    orgs = sorted({statement.org for statement in case.statements} | case.signers)
    return {org.hex(): _signer(case, org) for org in orgs}


def _roles(case: Case, chain: Chain) -> Iterator[Row]:
    made = [facts.made for facts in case.facts.values() if facts.made is not None]
    for org in sorted({org for facts in case.facts.values() for org in facts.makers}):
        yield _row(case, Tenure(PartyRole.MANUFACTURER, org, min(made, default=0)), MAKER, Standing.STATED)
    yield from _titles(case, chain)
    for subject in _ordered(case):
        holding = case.holdings.get(subject)
        if holding is None:
            continue
        for passage in (holding.responsible, holding.settlement):
            for title, since, until in by_title(case.chains[subject].titles, passage):
                tenure, brought = Tenure(passage.role, title.org, since, until), _brought(chain, title)
                number = _told_number(brought) if brought else None
                act = brought.offer if brought else None
                yield _row(case, tenure, BY_TITLE, Standing.STATED, act=act, number=number)
        yield from (_held(case, held) for held in holding.held)


def _titles(case: Case, chain: Chain) -> Iterator[Row]:
    for turn, title in enumerate(chain.titles):
        deal = chain.deals[turn - 1] if turn else None
        tenure = Tenure(PartyRole.TITLE, title.org, title.since, title.until, title.cut, title.passed_to)
        if deal is None:
            yield _row(case, tenure, MAKER, Standing.STATED)
        else:
            standing, basis = (Standing.STATED, PAPER) if deal.is_paper else (Standing.AGREED, ACCEPTANCE)
            number = _told_number(deal)
            row = _row(case, tenure, basis, standing, act=deal.offer, last=deal.last, number=number)
            yield {**row, "unopened": title.is_unopened}


def _held(case: Case, held: Held) -> Row:
    number = held.number or (RESIDENT if held.is_outside else None)
    return _row(
        case,
        held.tenure,
        held.basis,
        held.standing,
        act=held.act,
        last=held.last,
        number=number if held.is_outside else None,
        ended=held.ended,
        has_authority=held.has_authority,
    )


def _row(
    case: Case,
    tenure: Tenure,
    basis: str,
    standing: Standing,
    *,
    act: Statement | None = None,
    last: Statement | None = None,
    number: str | None = None,
    ended: Statement | None = None,
    has_authority: bool = True,
) -> Row:
    """A role as views show it. `number` is that of a party without a node, or `resident`."""
    body = _mandate(case, act)
    cut: Plain = None if tenure.cut is None else [[log.hex(), size] for log, size in tenure.cut]
    return {
        "role": tenure.role.value,
        "party": tenure.org.hex(),
        "name": case.world.organisation_name(tenure.org) or (body.name if body else None),
        "number": number,
        "since": tenure.since or None,
        "until": tenure.until,
        "standing": standing.value,
        "basis": basis,
        "authority": has_authority,
        "by": act.org.hex() if act else None,
        "act": ref_text(act.ref) if act else None,
        "ref": ref_text(last.ref) if last else None,
        "document": body.document if body else None,
        "ended": ref_text(ended.ref) if ended else None,
        "ended_by": ended.org.hex() if ended else None,
        "cut": cut,
        "unopened": False,
    }


def _transfers(case: Case, chain: Chain) -> Iterator[Row]:
    """What was offered or said and passed nothing, with the reason; and what waits for an answer."""
    had = {title.org for title in chain.titles}
    for deal in chain.waiting:
        yield _transfer(case, PartyRole.TITLE, deal, WAITING, None)
    for deal in chain.conflict:
        yield _transfer(case, PartyRole.TITLE, deal, Standing.DISPUTED.value, None)
    for deal in chain.ineffective:
        why = NOT_CHOSEN if deal.decided else PASSED_ALREADY if deal.offer.org in had else NOT_HOLDER
        yield _transfer(case, PartyRole.TITLE, deal, INEFFECTIVE, deal.fault or why)
    for subject in _ordered(case):
        holding = case.holdings.get(subject)
        if holding is not None:
            for passage in holding.passages:
                yield from _passing(case, passage)
            for statement, roles, why in holding.refused:
                for role in sorted(roles):
                    yield _transfer(case, role, Deal(statement, statement.org), INEFFECTIVE, why)


def _passing(case: Case, passage: Passage) -> Iterator[Row]:
    for deal in passage.waiting:
        yield _transfer(case, passage.role, deal, WAITING, None)
    for deal in passage.conflict:
        yield _transfer(case, passage.role, deal, Standing.DISPUTED.value, None)
    for deal, why in passage.ineffective:
        yield _transfer(case, passage.role, deal, INEFFECTIVE, why)


def _transfer(case: Case, role: PartyRole, deal: Deal, state: str, reason: str | None) -> Row:
    return {
        "role": role.value,
        "from": deal.offer.org.hex(),
        "to": deal.party.hex(),
        "name": case.world.organisation_name(deal.party),
        "act": ref_text(deal.offer.ref),
        "subject": deal.offer.subject.hex(),
        "offered": deal.offer.occurred,
        "until": deal.until,
        "acceptance": ref_text(deal.acceptance.ref) if deal.acceptance else None,
        "state": state,
        "reason": reason,
        "unopened": deal.is_unopened,
    }


def _signer(case: Case, org: bytes) -> Row:
    attested = case.world.attestations
    return {
        "name": case.world.organisation_name(org),
        "numbers": list(attested.numbers(org)),
        "attested": [_attested(held) for held in attested.of(org)],
    }


def _attested(held: Attestation) -> Plain:
    return {
        "what": held.what.name.lower(),
        "rows": list(held.rows),
        "since": held.since,
        "until": held.until,
    }


def _manufacturer(case: Case) -> Row:
    """The attested maker, else the name that the line's record gives."""
    makers = sorted({org for found in case.facts.values() for org in found.makers})
    if makers:
        name = case.world.organisation_name(makers[0])
        return {"value": makers[0].hex(), "name": name, "standing": Standing.STATED.value, "basis": MAKER}
    record = case.world.lines.find(case.identity.key.line) if case.identity.key else None
    if record is not None and record.legal_makers:
        name = record.legal_makers[-1].name
        return {"value": None, "name": name, "standing": Standing.WORKING.value, "basis": "line"}
    return {"value": None, "name": None, "standing": Standing.WORKING.value, "basis": None}


def _owner(chain: Chain) -> Row:
    if chain.conflict:
        return {"value": None, "since": None, "standing": Standing.DISPUTED.value, "ref": None}
    if not chain.titles:
        return {"value": None, "since": None, "standing": None, "ref": None}
    title = chain.titles[-1]
    if not chain.deals:
        return {"value": title.org.hex(), "since": None, "standing": Standing.STATED.value, "ref": None}
    last = chain.deals[-1]
    standing = Standing.STATED if last.is_paper else Standing.AGREED
    return {"value": title.org.hex(), "since": title.since, "standing": standing.value, "ref": ref_text(last.last.ref)}


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


def _ordered(case: Case) -> list[bytes]:
    lead = case.identity.lead
    return sorted(case.chains, key=lambda subject: (subject != lead, subject))


def _mandate(case: Case, act: Statement | None) -> MandateBody | None:
    return case.reading_of(act).body("mandate", MandateBody) if act else None


def _brought(chain: Chain, title: Title) -> Deal | None:
    """The deal that brought a title."""
    at = chain.titles.index(title) if title in chain.titles else 0
    return chain.deals[at - 1] if at else None


def _told_number(deal: Deal) -> str | None:
    return (deal.number or RESIDENT) if deal.is_outside else None


def _counts(row: Row) -> bool:
    """Whether it says what an organisation may say: makers and titles stand apart, and what follows a title is its."""
    return (
        bool(row["authority"])
        and row["number"] is None
        and row["basis"] not in (MAKER, BY_TITLE)
        and row["role"] != PartyRole.TITLE
    )


def _title(row: Row) -> Title:
    until = cast("int | None", row["until"])
    is_outside, is_unopened = row["number"] is not None, bool(row["unopened"])
    return Title(_org(row["party"]), _since(row), until, is_outside, _cut(row), _ended_by(row), is_unopened)


def _tenure(row: Row) -> Tenure:
    until = cast("int | None", row["until"])
    return Tenure(PartyRole(str(row["role"])), _org(row["party"]), _since(row), until, _cut(row), _ended_by(row))


def _cut(row: Row) -> Sizes | None:
    cut = cast("list[list[Plain]] | None", row["cut"])
    return None if cut is None else tuple((_org(log), cast("int", size)) for log, size in cut)


def _ended_by(row: Row) -> bytes | None:
    return None if row["ended_by"] is None else _org(row["ended_by"])


def _since(row: Row) -> int:
    return cast("int | None", row["since"]) or 0


def _org(value: Plain) -> bytes:
    return bytes.fromhex(str(value))


def _once(found: Iterable[Row]) -> list[Plain]:
    """Each row once: an act names a thing under every id that it has."""
    rows: list[Plain] = []
    for row in found:
        if row not in rows:
            rows.append(row)
    return rows


def _orgs(orgs: Iterable[bytes]) -> list[Plain]:
    return [org.hex() for org in sorted(set(orgs))]
