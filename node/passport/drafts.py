"""What is about to be said: drafts of fragments, one maker for each kind of statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from federation import codec
from federation.authority import Attestation, Authority, Kind, Verb, pack_erase
from federation.cut import Cut
from federation.fragment import Ref, SectionClass
from node.passport.bodies import (
    AgreementBody,
    AliasBody,
    AnnulmentBody,
    Body,
    CardBody,
    CatalogReference,
    ClosingBody,
    CompositionBody,
    EndBody,
    ErasedRow,
    ErasureAckBody,
    ErasureGround,
    EventBody,
    ExtractBody,
    GroundBody,
    MandateBody,
    ParametersBody,
    PersonBody,
    Plate,
    RadioBody,
    ReferencesBody,
    RegisterBody,
    RootKeysBody,
    RunBody,
    SamenessBody,
    ShipmentBody,
    SubjectBody,
    TemplateRef,
    TypeBody,
    UnsignedBody,
    WithdrawalBody,
)
from node.passport.writable import WRITABLE

MOST_THINGS = 4096  # of a section `authority`
MANIFEST, PAGE = "release", "release-page"
DRIVER, DRIVER_WITHDRAWAL = "driver", "driver-withdrawal"
OPEN_CLASSES = tuple(map(int, (SectionClass.PUBLIC, SectionClass.AUTHORITY, SectionClass.TECHNICAL)))


@dataclass(frozen=True, slots=True)
class DraftSection:
    """A section to be written: its class decides who may read it."""

    name: str
    content: bytes
    klass: SectionClass


@dataclass(frozen=True, slots=True)
class Draft:
    """A fragment before it has a place in a log; `occurred` in microseconds. `routes` index it under more subjects."""

    kind: Kind
    subjects: tuple[bytes, ...]
    occurred: int
    sections: tuple[DraftSection, ...]
    refs: tuple[Ref, ...] = ()
    auth: tuple[Ref, ...] = ()
    routes: tuple[bytes, ...] = ()


def section(name: str, body: Body, klass: SectionClass = SectionClass.TECHNICAL) -> DraftSection:
    """A section out of a body."""
    return DraftSection(name, body.to_bytes(), klass)


def identity(subject: bytes, claim: bytes, plate: Plate, occurred: int, kind: TypeBody | None = None) -> Draft:
    """Kind 1: this plate is on that subject."""
    sections = [DraftSection("claim", claim, SectionClass.PUBLIC), section("nameplate", plate, SectionClass.PUBLIC)]
    if kind is not None:
        sections.append(section("type", kind, SectionClass.PUBLIC))
    return Draft(Kind.IDENTITY, (subject,), occurred, tuple(sections))


def thing(subject: bytes, claim: bytes, body: SubjectBody, occurred: int) -> Draft:
    """Kind 1: a thing without a plate: a unit, an object, a batch."""
    sections = (DraftSection("claim", claim, SectionClass.PUBLIC), section("subject", body, SectionClass.PUBLIC))
    return Draft(Kind.IDENTITY, (subject,), occurred, sections)


def alias(subject: bytes, body: AliasBody, occurred: int, keys: RootKeysBody | None = None) -> Draft:
    """Kind 2: another name of the subject; where it is heard by that name, with its key as a secret section."""
    sections = [section("alias", body)]
    if keys is not None:
        sections.append(section("root-keys", keys, SectionClass.SECRET))
    return Draft(Kind.ALIAS, (subject,), occurred, tuple(sections))


def sameness(one: bytes, other: bytes, body: SamenessBody, occurred: int, refs: Sequence[Ref] = ()) -> Draft:
    """Kind 3: two subjects are the same, distinct, or the second is a twin of the first."""
    content = section("sameness", body, SectionClass.PUBLIC)
    return Draft(Kind.SAMENESS, (one, other), occurred, (content,), tuple(refs))


def event(
    subject: bytes,
    body: EventBody,
    occurred: int,
    others: Sequence[bytes] = (),
    refs: Sequence[Ref] = (),
    authority: Authority | None = None,
) -> Draft:
    """Kind 4: something happened to the subject."""
    sections = [section("event", body)]
    if authority is not None:
        sections.append(DraftSection("authority", authority.to_bytes(), SectionClass.AUTHORITY))
    return Draft(Kind.EVENT, (subject, *others), occurred, tuple(sections), tuple(refs))


def parameters(subject: bytes, body: ParametersBody, occurred: int, refs: Sequence[Ref] = ()) -> Draft:
    """Kind 5: values of parameters."""
    return Draft(Kind.PARAMETER, (subject,), occurred, (section("parameters", body),), tuple(refs))


def radio(subject: bytes, body: RadioBody, keys: RootKeysBody | None, occurred: int) -> Draft:
    """Kind 5: how the device joins a network, with its root keys as a secret section."""
    sections = [section("radio", body)]
    if keys is not None:
        sections.append(section("root-keys", keys, SectionClass.SECRET))
    return Draft(Kind.PARAMETER, (subject,), occurred, tuple(sections))


def protocol(
    subject: bytes,
    template: TemplateRef,
    document: bytes,
    personal: bytes | None,
    extract: ExtractBody,
    occurred: int,
    *,
    more: Sequence[DraftSection] = (),
    refs: Sequence[Ref] = (),
) -> Draft:
    """Kind 6: a filled document, its personal part apart, what its author took out of it, and what he says beside."""
    sections = [
        section("template", template, SectionClass.PUBLIC),
        DraftSection("document", document, SectionClass.TECHNICAL),
    ]
    if personal is not None:
        sections.append(DraftSection("personal", personal, SectionClass.PERSONAL))
    sections += [section("extract", extract), *more]
    return Draft(Kind.PROTOCOL, (subject,), occurred, tuple(sections), tuple(refs))


def unsigned(subject: bytes, body: UnsignedBody, act: Ref, occurred: int) -> Draft:
    """Kind 6: why an act that it refs lacks signatures; it occurred when the act did, so that its readers read this."""
    return Draft(Kind.PROTOCOL, (subject,), occurred, (section("unsigned", body),), (act,))


def register_record(
    subject: bytes, extract: ExtractBody, body: RegisterBody, answer: bytes, occurred: int, refs: Sequence[Ref] = ()
) -> Draft:
    """Kind 5: what a register was read to say of the subject, with the bytes of its answer."""
    sections = (
        section("extract", extract),
        section("register", body),
        DraftSection("answer", answer, SectionClass.TECHNICAL),
    )
    return Draft(Kind.PARAMETER, (subject,), occurred, sections, tuple(refs))


def annulment(subject: bytes, refs: Sequence[Ref], body: AnnulmentBody, event: EventBody, occurred: int) -> Draft:
    """Kind 6: the author annuls results of verification of his own."""
    sections = (section("event", event), section("annulment", body, SectionClass.AUTHORITY))
    return Draft(Kind.PROTOCOL, (subject,), occurred, sections, tuple(refs))


def closing(subject: bytes, body: ClosingBody, occurred: int, refs: Sequence[Ref] = ()) -> Draft:
    """Kind 11: a month of readings is closed."""
    return Draft(Kind.CLOSING, (subject,), occurred, (section("closing", body),), tuple(refs))


def composition(part: bytes, whole: bytes, body: CompositionBody, occurred: int, refs: Sequence[Ref] = ()) -> Draft:
    """Kind 7: the part stands in the whole."""
    return Draft(Kind.COMPOSITION, (part, whole), occurred, (section("composition", body),), tuple(refs))


def run(subject: bytes, body: RunBody, occurred: int) -> Draft:
    """Kind 8: a move of a process that runs about the subject."""
    return Draft(Kind.PROCESS, (subject,), occurred, (section("run", body),))


def withdrawal(subjects: Sequence[bytes], refs: Sequence[Ref], body: WithdrawalBody, occurred: int) -> Draft:
    """Kind 23: the author takes back what he said of these subjects; at most 16 statements at once."""
    content = section("withdrawal", body, SectionClass.AUTHORITY)
    return Draft(Kind.WITHDRAWAL, tuple(subjects), occurred, (content,), tuple(refs))


def cut_section(cut: Cut) -> DraftSection:
    """How far logs count: what ends something, or takes it over, says so."""
    return DraftSection("cut", codec.pack(cut.to_value()), SectionClass.AUTHORITY)


def shipment(
    subject: bytes,
    verb: Verb,
    party: bytes,
    devices: Sequence[bytes],
    body: ShipmentBody,
    occurred: int,
    offer: Ref | None = None,
    *,
    cut: Cut | None = None,
    number: str = "",
    grounds: Sequence[Ref] = (),
    packing: bytes = b"",
    is_unopened: bool = False,
    via: bytes | None = None,
) -> Draft:
    """Kind 10: an offer of devices to a buyer, with a `packing` list, or its acceptance, which refs the offer; its
    `cut` tells how far the seller's logs are known.

    A buyer without a node is named by its `number` beside. `grounds` are acceptances that brought the title to the
    author. To who trades it is offered unopened, without keys; it goes `via` the node of a carrier. A return, and what
    is said of it, names the shipment whose devices come back as its second subject.
    """
    refs = (offer,) if offer else tuple(grounds)
    marks = (number, "unopened" if is_unopened else "", _via(via))
    content = DraftSection("authority", _title(verb, party, devices, *marks).to_bytes(), SectionClass.AUTHORITY)
    papers = [section("shipment", body, SectionClass.COMMERCIAL)]
    if packing:
        papers.append(DraftSection("packing", packing, SectionClass.COMMERCIAL))
    return Draft(
        Kind.SHIPMENT,
        _shipment_subjects(subject, body),
        occurred,
        (content, *papers) if cut is None else (content, cut_section(cut), *papers),
        refs=refs,
        auth=refs,
        routes=tuple(devices),
    )


def shipment_end(
    subject: bytes,
    party: bytes,
    devices: Sequence[bytes],
    cut: Cut,
    body: ShipmentBody,
    occurred: int,
    offer: Ref,
    *,
    number: str = "",
    via: bytes | None = None,
) -> Draft:
    """Kind 18: the buyer refuses devices of an offer, or the seller withdraws them; why is told to the two alone."""
    return Draft(
        Kind.END,
        _shipment_subjects(subject, body),
        occurred,
        (
            DraftSection(
                "authority", _title(Verb.END, party, devices, number, _via(via)).to_bytes(), SectionClass.AUTHORITY
            ),
            cut_section(cut),
            section("shipment", body, SectionClass.COMMERCIAL),
        ),
        refs=(offer,),
        auth=(offer,),
        routes=tuple(devices),
    )


def _title(verb: Verb, party: bytes, devices: Sequence[bytes], *marks: str) -> Authority:
    rows = ["title", *filter(None, marks)]
    return Authority(verb, party, tuple(sorted(rows, key=codec.pack)), tuple(sorted(devices)))


def _via(carrier: bytes | None) -> str:
    return f"via:{carrier.hex()}" if carrier is not None else ""


def _shipment_subjects(subject: bytes, body: ShipmentBody) -> tuple[bytes, ...]:
    return (subject, bytes.fromhex(body.returns)) if body.returns else (subject,)


def mandate(
    subject: bytes,
    authority: Authority,
    body: MandateBody,
    occurred: int,
    *,
    grounds: Sequence[Ref] = (),
    person: PersonBody | None = None,
    cut: Cut | None = None,
) -> Draft:
    """Kind 9: a role over things offered, accepted, stated or given; `grounds` entitle the author, and the `cut` of an
    acceptance tells how far the logs of who offered are known.
    """
    content = DraftSection("authority", authority.to_bytes(), SectionClass.AUTHORITY)
    sections = [content, section("mandate", body)]
    if cut is not None:
        sections.insert(1, cut_section(cut))
    if person is not None:
        sections.append(section("person", person, SectionClass.PERSONAL))
    is_answer = authority.verb is Verb.ACCEPT
    return Draft(
        Kind.PARTY,
        (subject,),
        occurred,
        tuple(sections),
        refs=tuple(grounds) if is_answer else (),
        auth=tuple(grounds),
        routes=authority.subjects or (),
    )


def ending(subject: bytes, authority: Authority, cut: Cut, body: MandateBody, occurred: int, act: Ref) -> Draft:
    """Kind 18: a role that an act gave ends, or an offer; `cut` tells how far the loser's logs still count."""
    return Draft(
        Kind.END,
        (subject,),
        occurred,
        (
            DraftSection("authority", authority.to_bytes(), SectionClass.AUTHORITY),
            cut_section(cut),
            section("mandate", body),
        ),
        refs=(act,),
        auth=(act,),
        routes=authority.subjects or (),
    )


def share(
    subject: bytes,
    party: bytes,
    classes: Sequence[int],
    occurred: int,
    since: int | None = None,
    until: int | None = None,
) -> Draft:
    """Kind 17: the party may read the subject, or what occurred to it from a time until another (excluded)."""
    authority = Authority(Verb.READ, party, (), (subject,), tuple(sorted(classes)), since, until)
    content = DraftSection("authority", authority.to_bytes(), SectionClass.AUTHORITY)
    return Draft(Kind.GRANT, (subject,), occurred, (content,))


def grant(subject: bytes, authority: Authority, occurred: int) -> Draft:
    """Kind 17: the party may read, write or pass on; the first subject is the grant's own, or its author for a grant
    over all that is his.
    """
    content = DraftSection("authority", authority.to_bytes(), SectionClass.AUTHORITY)
    return Draft(Kind.GRANT, (subject,), occurred, (content,), routes=authority.subjects or ())


def erasure(org: bytes, rows: Iterable[tuple[Ref, str]], ground: ErasureGround, occurred: int) -> Draft:
    """Kind 19: personal sections of statements are to be erased, by everybody who has them."""
    ordered = sorted(set(rows), key=lambda row: codec.pack([row[0].log, row[0].seq, row[0].id16, row[1]]))
    sections = (
        DraftSection("erase", pack_erase(ordered), SectionClass.AUTHORITY),
        section("ground", GroundBody(ground=ground), SectionClass.AUTHORITY),
    )
    return Draft(Kind.ERASURE, (org,), occurred, sections)


def erasure_ack(orgs: Sequence[bytes], asked: Sequence[Ref], rows: Sequence[ErasedRow], occurred: int) -> Draft:
    """Kind 20: to whom asked for it, that this node had these sections and has them no more."""
    content = section("ack", ErasureAckBody(rows=tuple(rows)), SectionClass.AUTHORITY)
    return Draft(Kind.ERASURE_ACK, tuple(orgs), occurred, (content,), tuple(asked))


def template(org: bytes, content: bytes, occurred: int) -> Draft:
    """Kind 12: a protocol template for everybody."""
    return Draft(Kind.TEMPLATE, (org,), occurred, (DraftSection("template", content, SectionClass.PUBLIC),))


def procedure(org: bytes, content: bytes, occurred: int) -> Draft:
    """Kind 12: how a process goes, for everybody."""
    return Draft(Kind.TEMPLATE, (org,), occurred, (DraftSection("procedure", content, SectionClass.PUBLIC),))


def driver(org: bytes, package: bytes, occurred: int) -> Draft:
    """Kind 14: a driver for everybody."""
    return Draft(Kind.DRIVER, (org,), occurred, (DraftSection(DRIVER, package, SectionClass.PUBLIC),))


def driver_withdrawal(org: bytes, published: Ref, body: WithdrawalBody, occurred: int) -> Draft:
    """Kind 14: a driver that its publisher wants to run nowhere any more."""
    content = section(DRIVER_WITHDRAWAL, body, SectionClass.PUBLIC)
    return Draft(Kind.DRIVER, (org,), occurred, (content,), (published,))


def let_write(subject: bytes, party: bytes, things: Sequence[bytes], occurred: int) -> Draft:
    """Kind 17: the party may write of these things with its author's authority, whatever may be let be written."""
    rows = tuple(sorted(WRITABLE.values(), key=codec.pack))
    return grant(subject, Authority(Verb.WRITE, party, rows, tuple(sorted(things))), occurred)


def profile(org: bytes, content: bytes, occurred: int) -> Draft:
    """Kind 12: which parts of a passport a kind of party is shown, for everybody."""
    return Draft(Kind.TEMPLATE, (org,), occurred, (DraftSection("profile", content, SectionClass.PUBLIC),))


def agreement(org: bytes, body: AgreementBody, occurred: int, refs: Sequence[Ref] = ()) -> Draft:
    """Kind 12: the organisation takes part in processes by a published procedure, or does no more."""
    content = section("agreement", body, SectionClass.PUBLIC)
    return Draft(Kind.TEMPLATE, (org,), occurred, (content,), tuple(refs))


def catalog(org: bytes, name: str, content: bytes, occurred: int) -> Draft:
    """Kind 13: a record of a catalog: `line`, `type`, `unit`, `code`."""
    return Draft(Kind.CATALOG, (org,), occurred, (DraftSection(name, content, SectionClass.PUBLIC),))


def reference(org: bytes, body: CatalogReference, occurred: int) -> Draft:
    """Kind 13: one dual reference of the own catalog."""
    return Draft(Kind.CATALOG, (org,), occurred, (section("reference", body, SectionClass.PUBLIC),))


def references(org: bytes, body: ReferencesBody, occurred: int, refs: Sequence[Ref] = ()) -> Draft:
    """Kind 13: many codes of the own catalog; `refs` are the statements that it replaces."""
    return Draft(Kind.CATALOG, (org,), occurred, (section("references", body, SectionClass.PUBLIC),), tuple(refs))


def release(org: bytes, manifest: bytes, pages: Sequence[bytes], occurred: int) -> list[Draft]:
    """Kind 13: a release of a central catalog, its pages first; one page stands beside the manifest."""
    written = [DraftSection(PAGE, page, SectionClass.PUBLIC) for page in pages]
    head = DraftSection(MANIFEST, manifest, SectionClass.PUBLIC)
    if len(written) == 1:
        return [Draft(Kind.CATALOG, (org,), occurred, (head, written[0]))]
    return [Draft(Kind.CATALOG, (org,), occurred, (part,)) for part in (*written, head)]


def type_record(subject: bytes, name: str, content: bytes, occurred: int, refs: Sequence[Ref] = ()) -> Draft:
    """Kind 13: a type (`type`) or a version of it (`type-version`), under the subject of the type."""
    return Draft(
        Kind.CATALOG, (subject,), occurred, (DraftSection(name, content, SectionClass.PUBLIC),), refs=tuple(refs)
    )


def type_of(subject: bytes, body: TypeBody, occurred: int) -> Draft:
    """Kind 5: of which type, execution and version a device is."""
    return Draft(Kind.PARAMETER, (subject,), occurred, (section("type", body, SectionClass.PUBLIC),))


def card(org: bytes, body: CardBody, occurred: int) -> Draft:
    """Kind 15: the own card."""
    return Draft(Kind.CARD, (org,), occurred, (section("card", body, SectionClass.PUBLIC),))


def attestation(body: Attestation, occurred: int, refs: Sequence[Ref] = ()) -> Draft:
    """Kind 16: what an anchor says of an organisation; `refs` are its words that this one stands above."""
    content = DraftSection("attest", body.to_bytes(), SectionClass.AUTHORITY)
    return Draft(Kind.ATTESTATION, (body.org,), occurred, (content,), tuple(refs))


def vouch(federation: bytes, org: bytes, occurred: int, refs: Sequence[Ref] = ()) -> Draft:
    """Kind 16: a member speaks for an organisation, so that it is a guest of the federation."""
    authority = Authority(Verb.MEMBER, org, ("guest",), (federation,))
    content = DraftSection("authority", authority.to_bytes(), SectionClass.AUTHORITY)
    return Draft(Kind.ATTESTATION, (org, federation), occurred, (content,), tuple(refs))


def membership_end(
    federation: bytes, org: bytes, row: str, cut: Cut, body: EndBody, occurred: int, refs: Sequence[Ref] = ()
) -> Draft:
    """Kind 18: a membership ends (`member`), or the own vouch for a guest (`guest`), for everybody to read."""
    authority = Authority(Verb.END, org, (row,), (federation,))
    sections = (
        DraftSection("authority", authority.to_bytes(), SectionClass.AUTHORITY),
        cut_section(cut),
        section("end", body, SectionClass.AUTHORITY),
    )
    return Draft(Kind.END, (org, federation), occurred, sections, tuple(refs))
