"""Stories for the laws of the fold: what a few organisations say about one device, in the order in which they say it.

Authors offer, accept, state, give and end roles, contradict each other, restate and correct by refs with and without a
paper, repair and verify, sell, share, name grounds that are here or missing, type plates in Cyrillic and Latin, put the
device at other places, into lots and out of them, say that it is another one, that it is not, or that there are two,
speak in codes of their own that are bound to central ones, open a repair and go on with it, keep sections to
themselves, and take back what they said.
"""

from dataclasses import replace
from functools import cache

from hypothesis import strategies as st

from federation.authority import Kind
from federation.fragment import Ref
from node.passport import drafts
from node.passport.bodies import (
    AliasBody,
    CompositionBody,
    CorrectionBody,
    EventBody,
    Place,
    Plate,
    Reference,
    SamenessBody,
    SubjectBody,
    TypeBody,
)
from node.passport.drafts import Draft
from node.passport.references import ref_text
from node.passport.roles import CAPACITIES, GIVEN, PASSING
from node.passport.roles import PartyRole as Role
from node.passport.sameness import TWIN
from node.passport.statement import Statement
from tests.builders import id16
from tests.builders_passport import (
    Author,
    acceptance,
    appointment,
    composition,
    demo,
    dual,
    event,
    identity,
    line_claim,
    offer,
    own_claim,
    parameters,
    radio,
    raw,
    reading,
    role_answer,
    role_end,
    role_offer,
    role_paper,
    verification,
    withdrawal,
)
from tests.laws import cases
from tests.processes import agreement, move, opening, paper, procedure_bytes

FEDERATION, _, LAB = demo()
for what, local in (("events", "своё"), ("parameters", "ду"), ("types", "ВС")):
    FEDERATION.publish(LAB, dual(LAB, what, local, {"events": "repaired", "parameters": "dn", "types": "СГВ"}[what]))
PROCEDURE = procedure_bytes()
FEDERATION.publish(LAB, drafts.procedure(LAB.org, PROCEDURE, 0))
for name in ("maker", "lab", "owner"):
    FEDERATION.publish(Author(name, seq=50), agreement(Author(name), PROCEDURE))
WORLD = FEDERATION.world
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
TWIN_CLAIM = CLAIM.with_twin(2)
NAMES = ("maker", "lab", "owner", "stranger")
PLACES = ("Садовая, 1, кв. 2", "Садовая, 1, кв. 3", "сад., д. 1 кв 2", "Полевая, 7")
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
    "run",
    "why",
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


def mounting(place: str) -> Draft:
    """It was mounted in a house."""
    body = EventBody(what=Reference(central="installed"), where=Place(object=id16(place).hex()), system="АРМ")
    return drafts.event(DEVICE, body, 0)


def tied(part: bytes, whole: bytes, relation: str, since: str | None) -> Draft:
    """It came out of a lot, or a quantity of it went into something."""
    body = CompositionBody.model_validate({"relation": relation, "since": since})
    return drafts.composition(part, whole, body, 0)


def corrected(draft: Draft, ground: str) -> Draft:
    """The same with the paper by which it takes the place of what it names."""
    body = CorrectionBody.model_validate({"reason": "описка", "ground": ground})
    return replace(draft, sections=(*draft.sections, drafts.section("correction", body)))


@st.composite
def sameness_of(draw: st.DrawFn, said: list[Statement]) -> Draft:
    """The device is another one, is not, or there are two, to the second of which some of what was said moves."""
    others = [own_claim(Author(name), "same").subject.raw for name in NAMES]
    says = draw(st.sampled_from(["same", "same", "distinct", "twin", "withdrawn"]))
    if says != TWIN:
        sides = [DEVICE, draw(st.sampled_from([*others, TWIN_CLAIM.subject.raw]))]
        one, other = draw(st.permutations(sides))
        return drafts.sameness(one, other, SamenessBody.model_validate({"says": says}), 0)
    moved = draw(st.lists(st.sampled_from(said), max_size=3, unique_by=lambda s: s.ref)) if said else []
    claim = draw(st.sampled_from([TWIN_CLAIM, TWIN_CLAIM, CLAIM.with_twin(3), CLAIM]))
    body = SamenessBody(says=TWIN, claim=claim.encode().hex(), moves=tuple(ref_text(s.ref) for s in moved))
    return drafts.sameness(DEVICE, TWIN_CLAIM.subject.raw, body, 0)


OWNER = Author("owner")
MOVES: tuple[tuple[str, dict[str, object]], ...] = (
    ("done", {"step": "diagnose"}),
    ("done", {"step": "replace"}),
    ("done", {"step": "verify", "outcome": "fit"}),
    ("done", {"step": "verify", "outcome": "unfit"}),
    ("declined", {"step": "diagnose"}),
    ("assigned", {"roles": {"workshop": Author("lab").org.hex()}}),
    ("closed", {"result": "cancelled"}),
)


@cache  # as below
def run_drafts() -> st.SearchStrategy[Draft]:
    """A repair is opened and goes on, in whatever order, by whomever, with or without its protocol."""
    opened = opening(DEVICE, PROCEDURE, workshop=Author("maker"), lab=Author("lab"))
    moves = st.builds(
        lambda n, made: move(DEVICE, OWNER, n, made[0], **made[1]), st.integers(0, 4), st.sampled_from(MOVES)
    )
    papers = st.builds(
        lambda n, event: paper(DEVICE, OWNER, n, event), st.integers(0, 4), st.sampled_from(["verified", "rejected"])
    )
    return st.one_of(st.just(opened), moves, moves, papers)


@st.composite
def role_answers(draw: st.DrawFn, acts: list[Statement]) -> Draft:
    """An offer of a role is accepted, or a role or an offer ends, by whoever says so."""
    act = draw(st.sampled_from(acts))
    role = draw(st.sampled_from([*PASSING, Role.DATA_SOURCE]))
    sizes = {Author(name).log: draw(st.integers(100, 112)) for name in draw(st.sets(st.sampled_from(NAMES)))}
    if draw(st.booleans()):
        return role_answer(act, role, DEVICE, sizes=draw(st.sampled_from([None, sizes])))
    return role_end(act, Author(draw(st.sampled_from(NAMES))).org, role, DEVICE, sizes=sizes)


@cache  # made once: drawing is faster than making what is drawn from
def drafts_of() -> st.SearchStrategy[Draft]:
    """Anything that somebody may say."""
    device, others = st.just(DEVICE), st.sampled_from([id16("one"), id16("two")])
    names, roles = st.sampled_from(NAMES), st.sampled_from([*CAPACITIES, *GIVEN])
    numbered = st.sampled_from(["inn:7707083893", "resident"])
    relations, types = st.sampled_from(["lot", "material"]), st.sampled_from(["ВС", "СГВ"])
    return st.one_of(
        run_drafts(),
        st.builds(
            lambda place, since: parameters(DEVICE, since=since, install_place=place),
            st.sampled_from(PLACES),
            st.none() | days,
        ),
        st.builds(mounting, st.sampled_from(PLACES)),
        st.builds(tied, device, others, relations, st.none() | days),
        st.builds(tied, others, device, relations, st.none() | days),
        st.builds(lambda n: parameters(DEVICE, local=True, ду=n), numbers),
        st.builds(event, device, st.just("своё"), local=st.just(True)),
        st.builds(
            lambda name, local: drafts.type_of(
                DEVICE, TypeBody(type=Reference(local=name) if local else Reference(central=name)), 0
            ),
            types,
            st.booleans(),
        ),
        st.builds(
            lambda name: drafts.thing(DEVICE, CLAIM.encode(), SubjectBody(kind="device", name=name), 0),
            st.sampled_from(["Прибор", "Узел"]),
        ),
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
        st.builds(
            lambda a, b, role, until: role_offer(Author(a), Author(b), role, DEVICE, until=until),
            names,
            names,
            roles,
            st.none() | days.filter(lambda day: len(day) == 10),
        ),
        st.builds(lambda a, number, role: role_paper(Author(a), number, role, DEVICE), names, numbered, roles),
        st.builds(lambda a, b, role: appointment(Author(a), Author(b), role, DEVICE), names, names, roles),
        st.builds(
            lambda a, b, sealed, via: offer(Author(a), Author(b), DEVICE, unopened=sealed, via=via and Author(via)),
            names,
            names,
            st.booleans(),
            st.none() | names,
        ),
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
        known = draw(st.sampled_from([None, *range(100, 112, 4)]))
        accepted = (
            [acceptance(author, draw(st.sampled_from(offers)), DEVICE, knows=known)] if offers and answers else []
        )
        draft = accepted[0] if accepted else draw(drafts_of())
        hide = draw(st.sampled_from([(), ("parameters",), ("event",), ("personal",)]))
        auth = refs[:1] if draw(st.integers(0, 5)) == 0 else []
        acts = [s for s in said if s.kind == Kind.PARTY]
        if acts and draw(st.integers(0, 2)) == 0:
            draft = draw(role_answers(acts))
        refs = [] if draft.kind in (Kind.SHIPMENT, Kind.PARTY, Kind.END) else refs
        has_paper = draw(st.booleans())
        if said and draw(st.integers(0, 5)) == 0:
            # Mostly one's own words; those of others, and withdrawals, are named in vain.
            mine = [s for s in said if s.org == author.org]
            draft = withdrawal(*draw(st.lists(st.sampled_from(mine or said), min_size=1, unique_by=lambda s: s.ref)))
            hide, auth, refs = draw(st.sampled_from([(), ("withdrawal",)])), [], []
        elif draw(st.integers(0, 5)) == 0:
            draft = draw(sameness_of(said))
        elif refs and has_paper:
            draft = corrected(draft, draw(st.sampled_from(["own", "joint-act", "register", "expertise", "court"])))
        made = author.say(draft, refs=refs, auth=auth, hide=hide, on=draw(st.none() | days))
        waits = draw(st.integers(0, 20)) == 0
        said.append(replace(made, auth=(*made.auth, MISSING)) if waits else made)
    return said
