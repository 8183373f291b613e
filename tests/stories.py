"""Stories for the laws of the fold: what a few organisations say about one device, in the order in which they say it.

Authors contradict each other, restate and correct by refs, repair and verify, sell, share, name grounds that are here
or missing, type plates in Cyrillic and Latin, keep sections to themselves, and take back what they said.
"""

from dataclasses import replace

from hypothesis import strategies as st

from federation.authority import Kind
from federation.fragment import Ref
from node.passport import drafts
from node.passport.bodies import AliasBody, Plate
from node.passport.drafts import Draft
from node.passport.statement import Statement
from tests.builders import id16
from tests.builders_passport import (
    Author,
    acceptance,
    composition,
    demo,
    event,
    identity,
    line_claim,
    offer,
    own_claim,
    parameters,
    radio,
    raw,
    reading,
    verification,
    withdrawal,
)
from tests.laws import cases

WORLD = demo()[0].world
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
NAMES = ("maker", "lab", "owner", "stranger")
CODES = ("manufactured", "packed", "installed", "admitted", "repaired", "verified", "scrapped", "своё")
SECTIONS = (
    "claim",
    "nameplate",
    "type",
    "event",
    "parameters",
    "radio",
    "composition",
    "extract",
    "template",
    "authority",
)


LAWS = cases(40)
days = st.sampled_from(["2026-01-01", "2026-01-02T10:00:00Z", "2026-03-01"])
plates = st.builds(
    Plate,
    designation=st.sampled_from(["СГВ-15", "CГB 15", "сгв–15", "ТВ-7"]),
    serial=st.sampled_from(["0012345", "12345", "9"]),
    year=st.sampled_from([None, "2019"]),
)
numbers = st.sampled_from(["15", "15.0", "20"])


MISSING = Ref(id16("log/nobody"), 7, id16("nothing"))


def alias(subject: bytes, until: str | None) -> Draft:
    """An inventory number, with its end where it has one."""
    return drafts.alias(subject, AliasBody(scheme="inventory", value="7", evidence="document", until=until), 0)


def drafts_of() -> st.SearchStrategy[Draft]:
    """Anything that somebody may say."""
    device, others = st.just(DEVICE), st.sampled_from([id16("one"), id16("two")])
    return st.one_of(
        st.builds(identity, st.just(CLAIM), plates),
        st.builds(event, device, st.sampled_from(CODES), external=st.sampled_from([None, "1", "2"])),
        st.builds(lambda n, day: parameters(DEVICE, since=day, dn=n), numbers, st.none() | days),
        st.builds(radio, device, st.sampled_from(["00" * 8, "11" * 8])),
        st.builds(lambda until: alias(DEVICE, until), st.none() | days),
        st.builds(lambda who, plate: identity(own_claim(Author(who), "same"), plate), st.sampled_from(NAMES), plates),
        st.builds(verification, device, fit=st.booleans()),
        st.builds(composition, others, device, st.none() | days, st.none() | days),
        st.builds(composition, device, others, days),
        st.builds(lambda who: reading(DEVICE, Author(who), 2), st.sampled_from(NAMES)),
        st.builds(lambda a, b: offer(Author(a), Author(b), DEVICE), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.builds(
            lambda name, content: raw(Kind.EVENT, DEVICE, **{name: content}),
            st.sampled_from(SECTIONS),
            st.binary(max_size=40) | st.sampled_from([b"{}", b"[]", b'{"rows":[]}', b"\x90"]),
        ),
    )


@st.composite
def stories(draw: st.DrawFn) -> list[Statement]:
    """What a few organisations say, in the order in which they say it."""
    authors = {name: Author(name, seq=100) for name in NAMES}
    said: list[Statement] = []
    for _ in range(draw(st.integers(1, 12))):
        author = authors[draw(st.sampled_from(NAMES))]
        offers = [s for s in said if s.kind == Kind.SHIPMENT and not s.refs]
        refs = draw(st.lists(st.sampled_from(said), max_size=2, unique_by=lambda s: s.ref)) if said else []
        answers = draw(st.booleans())
        accepted = [acceptance(author, draw(st.sampled_from(offers)), DEVICE)] if offers and answers else []
        draft = accepted[0] if accepted else draw(drafts_of())
        hide = draw(st.sampled_from([(), ("parameters",), ("event",), ("personal",)]))
        auth = refs[:1] if draw(st.integers(0, 5)) == 0 else []
        refs = [] if draft.kind == Kind.SHIPMENT else refs
        if said and draw(st.integers(0, 5)) == 0:
            # Mostly one's own words; those of others, and withdrawals, are named in vain.
            mine = [s for s in said if s.org == author.org]
            draft = withdrawal(*draw(st.lists(st.sampled_from(mine or said), min_size=1, unique_by=lambda s: s.ref)))
            hide, auth, refs = draw(st.sampled_from([(), ("withdrawal",)])), [], []
        made = author.say(draft, refs=refs, auth=auth, hide=hide, on=draw(st.none() | days))
        waits = draw(st.integers(0, 20)) == 0
        said.append(replace(made, auth=(*made.auth, MISSING)) if waits else made)
    return said
