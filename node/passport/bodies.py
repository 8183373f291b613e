"""What stands in the sections that the product writes: UTF-8 JSON without floats, one model for each.

Decimals are strings. Unknown keys are ignored, so that a later version may add some. Times are RFC 3339 text in UTC or
dates; ids are lower-case hex.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from node.passport.canonical import check_json, dump_json
from node.passport.errors import BodyError

Hex = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})+$", max_length=128)]
SubjectHex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
# A store of one of the two engines keeps no text with a NUL in it, and what one node cannot keep none reads.
Line = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\x00]+$")]
Code = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00]+$")]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
MOST_MOVES = 10_000
MOST_CLOSED = 768  # series: so many stand in one section
MOST_PARTS = 64
Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,6})?Z)?$")]


class Body(BaseModel):
    """A section's content."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    def to_bytes(self) -> bytes:
        """The JSON that is signed: sorted keys, no spaces, absent values left out."""
        return dump_json(self.model_dump(mode="json", exclude_none=True, by_alias=True))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read it; raise BodyError."""
        try:
            check_json(raw)  # what the model's own parser lets pass: floats and doubled keys
            return cls.model_validate_json(raw)
        except ValidationError as error:
            first = error.errors()[0]
            where = "/".join(map(str, first["loc"]))
            raise BodyError(f"{cls.__name__} /{where}: {first['msg']}") from error


class Reference(Body):
    """A dual reference: the author's own code, the central one, or both."""

    local: Code | None = None
    central: Code | None = None


class Plate(Body):
    """Section `nameplate`: what was read off the instrument, as it was read."""

    mark: Line | None = None
    designation: Line
    serial: Line
    year: Annotated[str, StringConstraints(pattern=r"^\d{4}$")] | None = None
    approvals: tuple[Code, ...] = ()
    codes: tuple[Line, ...] = ()
    photo: Hex | None = None
    read: Literal["scan", "wire", "typed", "document"] = "typed"


RefText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}:[0-9]{1,16}:[0-9a-f]{32}$")]


class SamenessBody(Body):
    """Section `sameness`: what somebody says of the first two subjects where their plates do not tell.

    A twin gives its claim and names the statements that move to it; `withdrawn` takes back what it refs.
    """

    says: Literal["same", "distinct", "twin", "withdrawn"]
    claim: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})+$", max_length=2304)] | None = None
    moves: Annotated[tuple[RefText, ...], Field(max_length=512)] = ()
    reason: Line | None = None


class TypeBody(Body):
    """Section `type`: which type, execution and version of the type the author says this is."""

    type: Reference
    model: Line | None = None
    execution: Line | None = None
    version: Line | None = None


class SubjectBody(Body):
    """Section `subject`: a thing without a plate of its own, and what it is called."""

    kind: Literal["device", "unit", "component", "batch", "object", "type"]
    name: Line
    number: Line | None = None
    address: Line | None = None


class CorrectionBody(Body):
    """Section `correction` beside a value: why it takes the place of what it refs, and by which paper."""

    reason: Line
    ground: Literal["own", "joint-act", "register", "expertise", "court"] = "own"
    document: Line | None = None


class WithdrawalBody(Body):
    """Section `withdrawal`: why the author takes back what he refs."""

    reason: Line


class EndBody(Body):
    """Section `end`: why a membership ends, or a vouch."""

    reason: Line


class ErasureGround(StrEnum):
    """Why personal bytes are to be erased. No free text: what everybody reads for ever names nobody."""

    CONSENT = "consent"  # it was withdrawn
    PERIOD = "period"  # of storage, which is over
    MISTAKE = "mistake"
    COURT = "court"
    OTHER = "other"


class GroundBody(Body):
    """Section `ground` of an erasure."""

    ground: Annotated[ErasureGround, Field(strict=False)]


class ErasedRow(Body):
    """A section of a statement that was erased."""

    ref: RefText
    section: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_./-]{1,24}$")]


class ErasureAckBody(Body):
    """Section `ack`: the sections that a node had, or was given, and has no more."""

    rows: Annotated[tuple[ErasedRow, ...], Field(min_length=1, max_length=64)]


class AnnulmentBody(Body):
    """Section `annulment`: why a lab takes back the results of the protocols that it refs."""

    reason: Line


class RegisterBody(Body):
    """Section `register` beside `extract` and the bytes of an `answer`: which register was asked, where and when."""

    source: Code
    url: Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")]
    asked: Moment


class AliasBody(Body):
    """Section `alias`: another name of the subject, with its evidence."""

    scheme: Code
    value: Line
    evidence: Literal["label", "wire", "document", "said"]
    since: Moment | None = None
    until: Moment | None = None


class Place(Body):
    """Where: a reference to an object, unit or place of a catalog; never free text alone."""

    object: SubjectHex | None = None
    place: Reference | None = None
    default: bool = False


class Why(Body):
    """Why: the process and its step, and the run of the process where there is one.

    Beside a protocol it stands as the section `why`, and `n` is the move that the protocol is of.
    """

    process: Code
    step: Code | None = None
    run: SubjectHex | None = None
    n: int | None = Field(default=None, ge=0, le=MOST_MOVES)


class EventBody(Body):
    """Section `event`: what, where and why; who and when stand in the header, the system beside."""

    what: Reference
    where: Place
    system: Code
    why: Why | None = None
    external: Line | None = None
    detail: dict[Code, Line] = Field(default_factory=dict)


class ParameterRow(Body):
    """One value: decimal text, UCUM unit, valid from."""

    code: Reference
    value: Line
    unit: Code | None = None
    since: Moment | None = None
    source: Line | None = None


class ParametersBody(Body):
    """Section `parameters`."""

    rows: tuple[ParameterRow, ...] = Field(max_length=512)


class RadioBody(Body):
    """Section `radio`: how the device joins; root keys stand in the section `root-keys`, sealed."""

    dev_eui: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    join_eui: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    version: Code = "1.0.3"
    device_class: Literal["A", "B", "C"] = "A"
    region: Code = "RU864"
    activation: Literal["OTAA", "ABP"] = "OTAA"
    ports: tuple[Annotated[int, Field(ge=1, le=223)], ...] = ()
    driver: Code | None = None


class RootKeysBody(Body):
    """Section `root-keys`, class secret: the AppKey of a LoRaWAN device, or the AES-128 key of a meter on wireless
    M-Bus, in hex.
    """

    app_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] = Field(repr=False)


class ClosedValue(Body):
    """A reading at an end of a closed month: when it was so, as a decimal with its UCUM unit."""

    at: Moment
    value: Line
    unit: Code


class ClosedSeries(Body):
    """One series of a closed month: how many readings, the first and the last, the Merkle root over all of them."""

    series: Line
    count: Annotated[int, Field(ge=1)]
    first: ClosedValue
    last: ClosedValue
    root: Digest


class ClosingBody(Body):
    """Section `closing`: what of a month of readings (UTC) is signed, so that one that is changed later is found.

    A second closing of a month by one author refs the first and says why.
    """

    month: Month
    series: Annotated[tuple[ClosedSeries, ...], Field(min_length=1, max_length=MOST_CLOSED)]
    reason: Line | None = None

    @property
    def count(self) -> int:
        """How many readings are closed."""
        return sum(one.count for one in self.series)


class CompositionBody(Body):
    """Section `composition`: the first subject stands in the second from `since` to `until`.

    Without `since` it stood there before anybody said so: what came out may never have been stated to be inside. A
    `lot` is a batch that the first subject came out of; `material` is a quantity of the first subject, a batch, that
    went into the second. Only a part stands in one whole at a time.
    """

    relation: Literal["lot", "material"] | None = None

    position: Line | None = None
    quantity: Annotated[str, StringConstraints(pattern=r"^\d{1,9}(\.\d{1,6})?$")] = "1"
    since: Moment | None = None
    until: Moment | None = None
    designation: Line | None = None
    serial: Line | None = None


class TemplateRef(Body):
    """Section `template` of a protocol: which published template the document is of, and where it stands."""

    name: Code
    version: Code
    publisher: Hex
    id: Hex
    place: RefText | None = None


class ExtractBody(Body):
    """Section `extract`: what the author took out of the document when signing."""

    parameters: tuple[ParameterRow, ...] = ()
    events: tuple[EventBody, ...] = ()
    checked: bool = True


class UnsignedRow(Body):
    """Why a party has not signed an act: it refused, was absent, gave no answer by a day, has no node, or objects."""

    role: Code
    why: Literal["refused", "absent", "no-answer", "no-node", "objects"]
    until: Day | None = None
    document: Line | None = None
    note: Line | None = None


class UnsignedBody(Body):
    """Section `unsigned`: the signatures that an act lacks, said with a signature of it or later by a ref to one."""

    rows: Annotated[tuple[UnsignedRow, ...], Field(min_length=1, max_length=16)]


class AttachedFile(Body):
    """A file of a protocol; its bytes are the chunks that the section of that name lists."""

    name: Line
    type: Code
    size: Annotated[int, Field(ge=1, le=1 << 32)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    section: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,12}\.chunks$")]


class AttachmentsBody(Body):
    """Section `attachments`: the files that belong to a protocol."""

    files: Annotated[tuple[AttachedFile, ...], Field(min_length=1, max_length=8)]


class ShipmentBody(Body):
    """Section `shipment` of an offer, an acceptance or an end: papers beside the list of subjects in `authority`.

    An offer tells which `part` of how many it is, whether a root key goes with each of its devices, what a buyer
    without a node is called, of a return whose devices come back, and to who claimed a `box`, which one. A refusal, a
    withdrawal and a return give a `reason` (a code) and a `note`.
    """

    number: Line
    date: Day
    accepted: bool | None = None
    part: int | None = Field(default=None, ge=1, le=MOST_PARTS)
    parts: int | None = Field(default=None, ge=1, le=MOST_PARTS)
    keys: bool | None = None
    name: Line | None = None
    returns: SubjectHex | None = None
    box: SubjectHex | None = None
    reason: Code | None = None
    note: Line | None = None


MOST_PACKED = 4_096
# What is printed may be nothing at all, and is cut off nowhere.
Printed = Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00]*$")]


class WordsBody(Body):
    """A text for each device of a part: each text once, and `at` which one each has; without it all have the first."""

    words: tuple[Printed, ...] = Field(max_length=MOST_PACKED)
    at: tuple[int, ...] | None = Field(default=None, max_length=MOST_PACKED)


class PackingBody(Body):
    """Section `packing` of an offer: what is printed on its devices, in the order in which `authority` names them."""

    names: WordsBody
    serials: tuple[Printed, ...] = Field(max_length=MOST_PACKED)
    places: WordsBody


class RunBody(Body):
    """Section `run`: one move of a process that runs, `n` counted from the opening, which is 0.

    Opened: its `nonce`, the SHA-256 of the procedure, who has which role. The others name the `run`, whose id follows
    from opener and nonce. Done: a step with its outcome. Declined: whose turn it is gives his role back. Assigned: a
    role passes to another organisation. Closed: with the result, by the owner.
    """

    says: Literal["opened", "done", "declined", "assigned", "closed"]
    n: int = Field(default=0, ge=0, le=MOST_MOVES)
    nonce: SubjectHex | None = None
    run: SubjectHex | None = None
    procedure: Digest | None = None
    code: Code | None = None
    number: Line | None = None
    about: Line | None = None
    due: Day | None = None
    roles: dict[Code, SubjectHex] = Field(default_factory=dict, max_length=16)
    step: Code | None = None
    outcome: Code | None = None
    detail: dict[Code, Line] = Field(default_factory=dict, max_length=32)
    result: Literal["done", "cancelled"] | None = None
    reason: Line | None = None


class AgreementBody(Body):
    """Section `agreement` of a publication: its author takes part in processes by a procedure, or does no more."""

    procedure: Digest
    says: Literal["accepted", "ended"]


class MandateBody(Body):
    """Section `mandate` of an act about roles: the paper behind it, why, and what a party without a node is called."""

    number: Line | None = None
    date: Day | None = None
    document: Line | None = None
    reason: Line | None = None
    name: Line | None = None


class PersonBody(Body):
    """Section `person`, class personal: the resident whom an act names; it never leaves its author."""

    name: Line
    contact: Line | None = None


class SystemBody(Body):
    """Section `system`: by which system of the author a statement was made."""

    name: Code


class CatalogReference(Body):
    """Section `reference`: one code of the author's own catalog; without a central code it is bound to none."""

    catalog: Code
    local: Code
    central: Code | None = None
    local_name: Line | None = None


class OwnCodeRow(Body):
    """One own code among many: its name, and the central code that it means."""

    local: Code
    central: Code | None = None
    name: Line | None = None


class ReferencesBody(Body):
    """Section `references`: many codes of the author's own catalog, said at once."""

    catalog: Code
    rows: tuple[OwnCodeRow, ...] = Field(min_length=1, max_length=500)


class CardBody(Body):
    """Section `card`: what an organisation says of itself; counts only as far as anchors attest it."""

    name: Line
    inn: Code | None = None
    ogrn: Code | None = None
    kind: Code | None = None
    place: Line | None = None
    url: Line | None = None
    pin: Hex | None = None
    node: Hex | None = None
    domain: Line | None = None  # of its labels: `https://<domain>/d/<device id>`
