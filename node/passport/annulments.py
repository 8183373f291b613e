"""Annulments: a lab takes back a result of verification of its own. What it took out of the document counts no more.

A statement with the section `annulment` names in its refs protocols of the same organisation. They stay whole, and
views show them as annulled. What a register was read to say of that day before the annulment counts no more either: the
register had not been told yet. An annulment is not itself taken back: the device is verified anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.bodies import AnnulmentBody, RegisterBody
from node.passport.reading import Reading
from node.passport.statement import Statement
from node.passport.view import DAY_US, moment_us

SECTION, RESULT = "annulment", "extract"


def find_annulled(readings: Sequence[Reading]) -> dict[Ref, Statement]:
    """The results that were annulled, by place, each with the first annulment of it by (stamp, log, seq)."""
    words = [reading.statement for reading in readings if reading.body(SECTION, AnnulmentBody)]
    if not words:
        return {}
    protocols = {r.statement.ref: r.statement for r in readings if r.statement.kind == Kind.PROTOCOL}
    found: dict[Ref, Statement] = {}
    days: dict[int, Statement] = {}
    for word in sorted(words, key=lambda statement: statement.order):
        for ref in word.refs:
            protocol = protocols.get(ref)
            if protocol is not None and protocol.org == word.org and word.subject in protocol.subjects:
                found.setdefault(ref, word)
                days.setdefault(protocol.occurred // DAY_US, word)
    return found | dict(_read_before(readings, days))


def without_results(readings: Iterable[Reading], annulled: Mapping[Ref, Statement]) -> tuple[Reading, ...]:
    """The same readings, those that were annulled without what their author took out of them."""
    return tuple(_bare(reading) if reading.statement.ref in annulled else reading for reading in readings)


def _read_before(readings: Iterable[Reading], days: Mapping[int, Statement]) -> Iterable[tuple[Ref, Statement]]:
    for reading in readings:
        body, word = reading.body("register", RegisterBody), days.get(reading.statement.occurred // DAY_US)
        if body is not None and word is not None and moment_us(body.asked) <= word.occurred:
            yield reading.statement.ref, word


def _bare(reading: Reading) -> Reading:
    return replace(reading, bodies={name: body for name, body in reading.bodies.items() if name != RESULT})
