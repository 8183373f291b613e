"""The verification that is in force: until when, by whose word, what the register has of it, and what differs.

The register's record outranks a lab's word about the same result. A result that an accredited lab stated later than the
record is a new one, which the register may not have yet: it is in force, and is shown as waiting for its record. Two
results of one device are never nearer than a month, so that a slip of a day in either is no new result.
"""

from collections.abc import Iterable, Mapping, Sequence

from node.passport.bodies import RegisterBody
from node.passport.case import Case
from node.passport.chronology import AHEAD, format_day
from node.passport.merge import Said
from node.passport.parameters import Parameter, Version, since_us
from node.passport.ranks import Ground
from node.passport.references import ref_text
from node.passport.registered import RECORD, VALID_UNTIL, Result, differences, record_view
from node.passport.timeline import Event
from node.passport.view import DAY_US, Plain, moment_us

NEW_RESULT_US = 31 * DAY_US
VERDICTS = frozenset({"verified", "rejected"})


def verification_view(case: Case, parameters: Mapping[str, Parameter], events: Sequence[Event]) -> dict[str, Plain]:
    """The verification that stands, whether the device was rejected since, and what waits for the register."""
    valid = _in_force(parameters.get(VALID_UNTIL))
    fact = valid.view() if valid else {}
    last = _last(events)
    rejected = last is not None and last.code == "rejected"
    number = _in_force(parameters.get(RECORD))
    record = number.view() if number else {}
    return {
        "valid_until": None if rejected else fact.get("value"),
        "standing": fact.get("standing") or (last.standing.value if last else None),
        "by": fact.get("by") or (last.statement.org.hex() if last else None),
        "ground": fact.get("ground"),
        "ref": fact.get("ref") or (ref_text(last.statement.ref) if last else None),
        "since": fact.get("since"),
        "verified": last.statement.occurred if last and not rejected else None,
        "rejected": last.statement.occurred if last and rejected else None,
        "record": record.get("value"),
        "record_standing": record.get("standing"),
        "unrecorded": _unrecorded(last, number),
        "register": _register(case, parameters, events),
    }


def _in_force(parameter: Parameter | None) -> Version | None:
    """The version of the highest rank, or what a lab with authority stated so much later that it is a new result."""
    if parameter is None:
        return None
    top = parameter.current
    later = [v for v in parameter.versions if _is_new(v, top)]
    return max(later, key=lambda v: (v.verdict.level, _since(v)), default=top)


def _is_new(version: Version, top: Version) -> bool:
    chosen = version.verdict.chosen
    has_authority = chosen is not None and chosen.rank.has_authority
    return has_authority and _since(version) - _since(top) > NEW_RESULT_US


def _since(version: Version) -> int:
    """When the result was got: a lab's protocol may tell it by its own day alone."""
    chosen = version.verdict.chosen
    return since_us(version.since) if version.since or chosen is None else chosen.statement.occurred


def _last(events: Sequence[Event]) -> Event | None:
    """The verdict that counts: of those with authority, where there are any, the last; on one day the highest."""
    told = [e for e in events if e.is_own and e.code in VERDICTS and e.replaced_by is None and AHEAD not in e.warnings]
    counted = [event for event in told if event.rank.has_authority] or told
    return max(counted, key=lambda e: (e.statement.occurred // DAY_US, e.rank.level, e.order), default=None)


def _unrecorded(last: Event | None, number: Version | None) -> str | None:
    """The day of the last result, where nobody knows a record of it."""
    if last is None:
        return None
    since = _since(number) if number and number.verdict.value is not None else None
    if since is not None and last.statement.occurred - since <= NEW_RESULT_US:
        return None
    return format_day(last.statement.occurred)


def _register(case: Case, parameters: Mapping[str, Parameter], events: Sequence[Event]) -> list[Plain]:
    """What the register was read to say, oldest first, each beside the passport's own result."""
    if not case.proved:
        return []
    found: list[Plain] = []
    for reading in sorted(case.spoken, key=lambda reading: reading.statement.order):
        body, record = reading.body("register", RegisterBody), case.proved.get(reading.statement.ref)
        if body is None or record is None:
            continue
        own = _own_result(case, moment_us(record.verified), parameters, events)
        found.append(
            {
                "ref": ref_text(reading.statement.ref),
                "by": reading.statement.org.hex(),
                "register": body.source,
                "url": body.url,
                "asked": body.asked,
                "annulled": reading.statement.ref in case.annulled,
                "record": record_view(record),
                "differences": [
                    {"what": one.what, "register": one.register, "passport": one.passport}
                    for one in (differences(record, own) if own else [])
                ],
            }
        )
    return found


def _own_result(case: Case, day: int, parameters: Mapping[str, Parameter], events: Iterable[Event]) -> Result | None:
    """What is said of the result of about that day by who did not read a register; None where nobody speaks of it."""
    near = [
        event
        for event in events
        if event.is_own
        and event.code in VERDICTS
        and event.replaced_by is None
        and event.statement.ref not in case.proved
        and abs(event.statement.occurred - day) <= NEW_RESULT_US
    ]
    event = max(near, key=lambda e: (e.rank.level, e.order), default=None)
    until, number = (_own_value(case, parameters.get(code), day) for code in (VALID_UNTIL, RECORD))
    if event is None and until is None:
        return None
    lab = event.statement.org if event and event.rank.ground is Ground.LAB else None
    card = case.world.cards.get(lab) if lab else None
    return Result(
        verified=format_day(event.statement.occurred) if event else None,
        valid_until=until,
        docnum=number,
        is_fit=event.code == "verified" if event else None,
        organisation=card.name if card else None,
    )


def _own_value(case: Case, parameter: Parameter | None, day: int) -> str | None:
    """The value by the highest rank, then the latest word, what the register's outranked among them."""
    said: list[Said] = []
    for version in parameter.versions if parameter else ():
        if abs(_since(version) - day) <= NEW_RESULT_US:
            verdict = version.verdict
            told = [*([verdict.chosen] if verdict.chosen else []), *(one for one, _ in verdict.others)]
            said += [one for one in told if one.statement.ref not in case.proved]
    best = max(said, key=lambda one: (one.rank.level, one.statement.order), default=None)
    value = best.value if best else None
    return str(value["value"]) if isinstance(value, dict) else None
