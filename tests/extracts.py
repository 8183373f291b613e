"""One device of which everything is said that nodes say, with a canary in each section; and who is shown which."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from federation.authority import Authority, Kind, Verb
from federation.codec import pack
from federation.cut import Cut
from federation.fragment import Ref, SectionClass
from node.passport.bodies import (
    EventBody,
    ParameterRow,
    ParametersBody,
    PersonBody,
    Place,
    RadioBody,
    Reference,
    RootKeysBody,
)
from node.passport.drafts import Draft, DraftSection
from node.passport.profiles import shipped_profiles
from node.passport.rights import is_of_shipment

KEY = "ca9a5b1dca9a5b1dca9a5b1dca9a5b1d"
EUI = "c0ffee00c0ffee01"
PUBLIC, AUTHORITY, TECHNICAL, COMMERCIAL, PERSONAL, SECRET = SectionClass
Row = tuple[Kind, tuple[tuple[str, SectionClass], ...]]


@dataclass(frozen=True, slots=True)
class Said:
    """A section of a statement of some kind."""

    kind: Kind
    section: str
    klass: SectionClass

    @property
    def canary(self) -> str:
        """What stands in it and nowhere else."""
        own = {"root-keys": KEY, "radio": EUI}
        return own.get(self.section, f"CANARY-{self.kind.name}-{self.section.upper()}.")

    @property
    def has_canary(self) -> bool:
        """Whether words can stand in it: what a right follows from is of another form, a plate is looked up."""
        return self.section not in {"authority", "cut", "claim", "nameplate"}


# In the order of the table; one row here is one statement.
STATEMENTS: tuple[Row, ...] = (
    (Kind.IDENTITY, (("claim", PUBLIC), ("nameplate", PUBLIC))),
    (Kind.ALIAS, (("alias", TECHNICAL),)),
    (Kind.SAMENESS, (("sameness", PUBLIC),)),
    (Kind.EVENT, (("event", TECHNICAL), ("system", AUTHORITY), ("price", COMMERCIAL), ("correction", TECHNICAL),
                  ("why", TECHNICAL))),
    (Kind.PARAMETER, (("parameters", TECHNICAL),)),
    (Kind.PARAMETER, (("type", PUBLIC),)),
    (Kind.PARAMETER, (("radio", TECHNICAL), ("root-keys", SECRET))),
    (Kind.PARAMETER, (("extract", TECHNICAL), ("register", TECHNICAL), ("answer", TECHNICAL))),
    (Kind.PROTOCOL, (("template", PUBLIC), ("document", TECHNICAL), ("personal", PERSONAL), ("extract", TECHNICAL),
                     ("attachments", TECHNICAL), ("file-1.chunks", TECHNICAL), ("cost", COMMERCIAL))),
    (Kind.PROTOCOL, (("unsigned", TECHNICAL),)),
    (Kind.PROTOCOL, (("annulment", AUTHORITY),)),
    (Kind.COMPOSITION, (("composition", TECHNICAL),)),
    (Kind.PROCESS, (("run", TECHNICAL),)),
    (Kind.PARTY, (("authority", AUTHORITY), ("mandate", TECHNICAL), ("person", PERSONAL))),
    (Kind.SHIPMENT, (("authority", AUTHORITY), ("shipment", COMMERCIAL), ("packing", COMMERCIAL))),
    (Kind.CLOSING, (("closing", TECHNICAL), ("bill", COMMERCIAL))),
    (Kind.GRANT, (("authority", AUTHORITY),)),
    (Kind.END, (("authority", AUTHORITY), ("cut", AUTHORITY), ("mandate", TECHNICAL))),
    (Kind.WITHDRAWAL, (("withdrawal", AUTHORITY),)),
)  # fmt: skip
SECTIONS = tuple(Said(kind, name, klass) for kind, sections in STATEMENTS for name, klass in sections)


def shown(profile: str) -> frozenset[tuple[int, str]]:
    """Kind and name of each section that stands in an extract under a shipped profile."""
    one, papers = shipped_profiles()[profile], {s for s in SECTIONS if is_of_shipment(s.kind, s.section)}
    named = (s for s in SECTIONS if one.shows(int(s.kind), s.section, int(s.klass)))
    return frozenset((int(s.kind), s.section) for s in named if s not in papers or s.klass is not COMMERCIAL)


def story(device: bytes, others: Sequence[bytes], first: Ref, now: int) -> list[Draft]:
    """All but the first statement, which `first` is; `others` are subjects of acts and of another device."""
    return [_draft(row, device, others[number], others[-1], first, now) for number, row in enumerate(STATEMENTS[1:])]


def _draft(
    row: tuple[Kind, tuple[tuple[str, SectionClass], ...]],
    device: bytes,
    act: bytes,
    other: bytes,
    first: Ref,
    now: int,
) -> Draft:
    kind, sections = row
    made = tuple(
        DraftSection(name, _content(Said(kind, name, klass), device, other), klass) for name, klass in sections
    )
    refs = (first,) if kind in {Kind.WITHDRAWAL, Kind.END} else ()
    if kind in {Kind.PARTY, Kind.SHIPMENT, Kind.GRANT, Kind.END}:
        return Draft(kind, (act,), now, made, refs, routes=(device,))
    return Draft(kind, (device, other) if kind in {Kind.SAMENESS, Kind.COMPOSITION} else (device,), now, made, refs)


def _content(said: Said, device: bytes, party: bytes) -> bytes:
    if said.section == "cut":
        return pack(Cut().to_value())
    if said.section == "authority":
        verbs = {Kind.PARTY: Verb.ROLE, Kind.SHIPMENT: Verb.OFFER, Kind.GRANT: Verb.READ, Kind.END: Verb.END}
        rows = {Kind.PARTY: ("document", "resident", "responsible"), Kind.SHIPMENT: ("title",)}.get(said.kind, ())
        return Authority(verbs[said.kind], party, rows, (device,), (0, 1) if said.kind is Kind.GRANT else ()).to_bytes()
    where = Place(place=Reference(local="цех"))
    told = Reference(central="calibrated")
    row = ParameterRow(code=Reference(local="own"), value=said.canary)
    bodies = {
        "event": EventBody(what=told, where=where, system="1С", detail={"note": said.canary}),
        "parameters": ParametersBody(rows=(row,)),
        "radio": RadioBody(dev_eui=EUI, join_eui="8899aabbccddeeff"),
        "root-keys": RootKeysBody(app_key=KEY),
        "person": PersonBody(name=said.canary),
    }
    found = bodies.get(said.section)
    return found.to_bytes() if found else json.dumps({"note": said.canary}).encode()
