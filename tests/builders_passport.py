"""Builders of statements as the merge sees them: authors with logs of their own, who say drafts."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from federation.authority import Attestation, Attested, Authority, Kind, Verb
from federation.codec import pack, unpack
from federation.cut import Cut, CutRow
from federation.fragment import Ref, SectionClass
from federation.genesis import Genesis
from node.passport import drafts
from node.passport.bodies import (
    CardBody,
    CatalogReference,
    CompositionBody,
    EventBody,
    ExtractBody,
    MandateBody,
    ParameterRow,
    ParametersBody,
    Place,
    Plate,
    RadioBody,
    Reference,
    RootKeysBody,
    ShipmentBody,
    TemplateRef,
    TypeBody,
    WithdrawalBody,
)
from node.passport.canonical import dump_json
from node.passport.claims import Claim, local_claim
from node.passport.drafts import Draft
from node.passport.ids import SubjectId
from node.passport.lines import LineKey
from node.passport.roles import PartyRole as Role
from node.passport.roles import outside_party
from node.passport.statement import Statement
from node.passport.view import DAY_US, moment_us
from node.passport.world import World, build_world
from tests.builders import id16

APP_KEY = "0f" * 16
DAY = "2026-03-01"
YEAR_US = 365 * DAY_US


@dataclass
class Author:
    """An organisation with one log; what it says gets the next place in it."""

    name: str
    seq: int = 0
    clock: int = field(default_factory=lambda: moment_us("2026-01-01"))

    @property
    def org(self) -> bytes:
        """The organisation's id."""
        return id16("org/" + self.name)

    @property
    def log(self) -> bytes:
        """The log's id."""
        return id16("log/" + self.name)

    def say(
        self,
        draft: Draft,
        *,
        refs: Sequence[Statement] = (),
        auth: Sequence[Statement] = (),
        hide: Sequence[str] = (),
        on: str | None = None,
        proved: bool = True,
    ) -> Statement:
        """The statement of a draft; `hide` names sections that are withheld here, `on` is when it occurred.

        The roots in its cut are those of the logs where it is `proved`. It is signed a year later, so that what stories
        tell has happened by then.
        """
        seq, self.seq, self.clock = self.seq, self.seq + 1, self.clock + 1_000_000
        entry = hashlib.sha256(self.log + seq.to_bytes(4)).digest()
        return Statement(
            Ref(self.log, seq, entry[:16]),
            entry,
            self.org,
            int(draft.kind),
            draft.subjects,
            self.clock + YEAR_US,
            moment_us(on) if on else draft.occurred or self.clock,
            (*draft.refs, *(s.ref for s in refs)),
            (*draft.auth, *(s.ref for s in auth)),
            {s.name: s.content for s in draft.sections if s.name not in hide and s.name != "root-keys"},
            tuple((s.name, int(s.klass)) for s in draft.sections if s.name in hide or s.name == "root-keys"),
            cut=_cut(draft) if proved else (),
            classes=tuple((s.name, int(s.klass)) for s in draft.sections),
        )


def _cut(draft: Draft) -> tuple[tuple[bytes, int], ...]:
    raw = next((s.content for s in draft.sections if s.name == "cut"), None)
    return tuple((row.log, row.size) for row in Cut.from_value(unpack(raw)).rows) if raw is not None else ()


@dataclass
class Federation:
    """Anchors, a maker, a lab and the others, with all that was published."""

    anchors: tuple[Author, ...] = field(default_factory=lambda: (Author("anchor"),))
    quorum: int = 1
    published: list[Statement] = field(default_factory=list)

    @property
    def genesis(self) -> Genesis:
        """The federation's genesis."""
        return Genesis("Демо", tuple(sorted(a.org for a in self.anchors)), self.quorum)

    def attest(
        self, author: Author, what: Attested, *rows: str, since: str | None = None, until: str | None = None
    ) -> None:
        """All anchors say the same of an organisation."""
        for anchor in self.anchors:
            self.published.append(anchor.say(attestation(self.genesis, author, what, *rows, since=since, until=until)))

    def publish(self, author: Author, draft: Draft, *, refs: Sequence[Statement] = ()) -> Statement:
        """Add a publication."""
        statement = author.say(draft, refs=refs)
        self.published.append(statement)
        return statement

    @property
    def world(self) -> World:
        """What counts of it."""
        return build_world(self.published, self.genesis)


def attestation(
    genesis: Genesis, author: Author, what: Attested, *rows: str, since: str | None = None, until: str | None = None
) -> Draft:
    """What an anchor says of an organisation."""
    ordered = tuple(sorted(rows, key=pack))
    times = (moment_us(day) if day else None for day in (since, until))
    return drafts.attestation(Attestation(genesis.id, what, author.org, ordered, *times), 0)


def line(author: Author, name: str = "line", designation: str = "СГВ-15", width: int = 7, **more: object) -> Draft:
    """A serial line of digits."""
    record = {
        "line": id16(name).hex(),
        "publisher": author.org.hex(),
        "marks": ["Демо"],
        "designations": [designation],
        "legal_makers": ["ООО «Демо»"],
        "serial": {"pattern": "digits", "width": width},
        **more,
    }
    return drafts.catalog(author.org, "line", dump_json(record), 0)


def line_claim(serial: str = "0012345", name: str = "line", year: str = "") -> Claim:
    """The claim of a device of that line."""
    return LineKey(SubjectId(id16(name)), serial, year).claim


def identity(claim: Claim, plate: Plate, kind: TypeBody | None = None) -> Draft:
    """A plate was read."""
    return drafts.identity(claim.subject.raw, claim.encode(), plate, 0, kind)


def own_claim(author: Author, name: str = "device") -> Claim:
    """A claim of the author's own log."""
    return local_claim(author.log, id16(name))


def event(
    subject: bytes,
    code: str,
    *,
    external: str | None = None,
    local: bool = False,
    share: Authority | None = None,
    **detail: str,
) -> Draft:
    """Something happened in the workshop; `local` says it with the author's own code."""
    what = Reference(local=code) if local else Reference(central=code)
    body = EventBody(
        what=what, where=Place(place=Reference(local="цех")), system="1С", external=external, detail=detail
    )
    return drafts.event(subject, body, 0, authority=share)


def parameters(subject: bytes, *, since: str | None = None, local: bool = False, **values: str) -> Draft:
    """Parameters by code."""
    rows = tuple(
        ParameterRow(code=Reference(local=code) if local else Reference(central=code), value=value, since=since)
        for code, value in values.items()
    )
    return drafts.parameters(subject, ParametersBody(rows=rows), 0)


def radio(subject: bytes, dev_eui: str = "0011223344556677") -> Draft:
    """A radio profile with its key, which is withheld everywhere."""
    body = RadioBody(dev_eui=dev_eui, join_eui="8899aabbccddeeff")
    return drafts.radio(subject, body, RootKeysBody(app_key=APP_KEY), 0)


def withdrawal(*said: Statement, reason: str = "введено по ошибке") -> Draft:
    """An author takes these statements back, of which the first ones' subjects are named."""
    subjects = list(dict.fromkeys(subject for statement in said for subject in statement.subjects))[:4]
    return drafts.withdrawal(subjects, [s.ref for s in said][:16], WithdrawalBody(reason=reason), 0)


def verification(subject: bytes, *, valid_until: str = "2032-02-29", fit: bool = True) -> Draft:
    """A protocol of verification with what the lab took out of it."""
    template = TemplateRef(name="verification", version="1.0.0", publisher=id16("lab").hex(), id=id16("t").hex())
    what = EventBody(
        what=Reference(central="verified" if fit else "rejected"),
        where=Place(place=Reference(local="лаборатория"), default=True),
        system="стенд",
    )
    row = ParameterRow(code=Reference(central="verification_valid_until"), value=valid_until, source="protocol")
    extract = ExtractBody(parameters=(row,) if fit else (), events=(what,))
    return drafts.protocol(subject, template, b'{"fit": true}', b'{"who": "-"}', extract, 0)


def offer(seller: Author, buyer: Author, *devices: bytes, unopened: bool = False, via: Author | None = None) -> Draft:
    """An offer of devices; `unopened` to who trades them without keys, `via` the node of a carrier."""
    papers, subject = ShipmentBody(number="1", date=DAY), id16("shipment/" + seller.name)
    return drafts.shipment(
        subject, Verb.OFFER, buyer.org, devices, papers, 0, is_unopened=unopened, via=via.org if via else None
    )


def acceptance(seller: Author, made: Statement, *devices: bytes, knows: int | None = None) -> Draft:
    """The answer to an offer; `knows` is the size of the seller's log that the buyer knows, None for no cut."""
    papers = ShipmentBody(number="1", date=DAY, accepted=True)
    subject = id16("shipment/" + seller.name)
    cut = None if knows is None else sizes_known({seller.log: knows})
    return drafts.shipment(subject, Verb.ACCEPT, seller.org, devices, papers, 0, made.ref, cut=cut)


def role_offer(
    seller: Author, party: Author, role: Role, *devices: bytes, since: str | None = None, until: str | None = None
) -> Draft:
    """An offer of a role over devices, which lapses at `until`."""
    return _mandate(Verb.OFFER, seller, party.org, (role.value,), devices, since=since, until=until)


def role_answer(made: Statement, role: Role, *devices: bytes, sizes: Mapping[bytes, int] | None = None) -> Draft:
    """The acceptance of an offer of a role; `sizes` are those of the logs of who offered, None for no cut."""
    authority = Authority(Verb.ACCEPT, made.org, (role.value,), tuple(sorted(devices)))
    cut = None if sizes is None else sizes_known(sizes)
    return drafts.mandate(made.subject, authority, MandateBody(), 0, grounds=[made.ref], cut=cut)


def role_paper(author: Author, number: str, role: Role, *devices: bytes, is_whole: bool = True) -> Draft:
    """A role of a party without a node, by a document; `number` is `inn:...`, or `resident`."""
    party = id16(f"resident/{author.name}") if number == "resident" else outside_party(number)
    rows = [role.value, number, *(["document"] if is_whole else [])]
    return _mandate(Verb.ROLE, author, party, rows, devices, document="договор 7")


def appointment(
    author: Author, party: Author, role: Role, *devices: bytes, since: str | None = None, until: str | None = None
) -> Draft:
    """A role that is given."""
    return _mandate(Verb.ROLE, author, party.org, (role.value,), devices, since=since, until=until)


def role_end(act: Statement, party: bytes, role: Role, *devices: bytes, sizes: Mapping[bytes, int]) -> Draft:
    """A role or an offer ends; `sizes` are those up to which the logs of the loser count."""
    authority = Authority(Verb.END, party, (role.value,), tuple(sorted(devices)))
    cut = sizes_known(sizes)
    return drafts.ending(act.subject, authority, cut, MandateBody(reason="расторгнут"), 0, act.ref)


def _mandate(
    verb: Verb,
    author: Author,
    party: bytes,
    rows: Sequence[str],
    devices: Sequence[bytes],
    *,
    since: str | None = None,
    until: str | None = None,
    document: str | None = None,
) -> Draft:
    times = (moment_us(day) if day else None for day in (since, until))
    authority = Authority(verb, party, tuple(sorted(rows, key=pack)), tuple(sorted(devices)), (), *times)
    subject = id16(f"mandate/{author.name}/{author.seq}")
    return drafts.mandate(subject, authority, MandateBody(document=document, name="ТСЖ «Садовая»"), 0)


def sizes_known(sizes: Mapping[bytes, int]) -> Cut:
    """A cut at some sizes of logs."""
    return Cut(tuple(CutRow(log, size, bytes(32)) for log, size in sorted(sizes.items())))


def composition(part: bytes, whole: bytes, since: str | None, until: str | None = None, quantity: str = "1") -> Draft:
    """A part stood in a whole, without `since` from before anybody spoke of it."""
    return drafts.composition(part, whole, CompositionBody(since=since, until=until, quantity=quantity), 0)


def reading(subject: bytes, party: Author, *classes: int) -> Draft:
    """A share."""
    return drafts.share(subject, party.org, classes, 0)


def grant(author: Author, party: Author, verb: Verb, *devices: bytes, **terms: object) -> Draft:
    """A grant over devices, over all that is the author's where none is named; terms: rows, classes, since, until."""
    rows, classes = terms.get("rows", ()), terms.get("classes", ())
    times = (moment_us(str(day)) if (day := terms.get(name)) else None for name in ("since", "until"))
    things = tuple(sorted(devices)) if devices else None
    ordered = tuple(sorted(cast("Sequence[str]", rows), key=pack)), tuple(sorted(cast("Sequence[int]", classes)))
    authority = Authority(verb, party.org, ordered[0], things, ordered[1], *times)
    return drafts.grant(id16(f"grant/{author.name}/{author.seq}") if devices else author.org, authority, 0)


def grant_end(act: Statement, party: bytes, *devices: bytes, sizes: Mapping[bytes, int] | None = None) -> Draft:
    """A grant ends; `sizes` are those up to which the logs of its party count."""
    cut = sizes_known(sizes or {})
    authority = Authority(Verb.END, party, (), tuple(sorted(devices)) if devices else None)
    return drafts.ending(act.subject, authority, cut, MandateBody(reason="расторгнут"), 0, act.ref)


def card(author: Author, name: str) -> Draft:
    """An organisation's card."""
    return drafts.card(author.org, CardBody(name=name), 0)


def dual(author: Author, catalog: str, local: str, central: str) -> Draft:
    """A dual reference."""
    return drafts.reference(author.org, CatalogReference(catalog=catalog, local=local, central=central), 0)


def raw(kind: Kind, subject: bytes, **sections: bytes) -> Draft:
    """A statement with sections of any bytes."""
    parts = tuple(drafts.DraftSection(name, content, SectionClass.TECHNICAL) for name, content in sections.items())
    return Draft(kind, (subject,), 0, parts)


def demo() -> tuple[Federation, Author, Author]:
    """A federation with an attested maker, who published a line, and an accredited lab, which is a steward."""
    federation, maker, lab = Federation(), Author("maker"), Author("lab")
    federation.attest(maker, Attested.MAKER)
    federation.attest(lab, Attested.ACCREDITATION, "RA.RU.000000")
    federation.attest(lab, Attested.STEWARD, "line", "type", "code", "unit")
    federation.publish(maker, line(maker))
    return federation, maker, lab
