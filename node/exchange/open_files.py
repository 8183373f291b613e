"""What a node holds as plain values: rows of tables and objects of JSON that anybody reads without this program.

Names of columns are fixed. Bytes are base64, ids are hex, times are RFC 3339 in UTC, decimals are text as they were
said. What a section says is decoded beside its bytes; a secret is named and never shown.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files

from federation import codec
from federation.authority import Kind
from federation.errors import CodecError, VoidError
from federation.fragment import Header, Section, SectionClass, decode_header, fragment_id, section_content
from federation.merkle import leaf_hash
from node.exchange.cells import has_unprintable
from node.passport.catalogs import Catalog, find_name
from node.passport.ids import SubjectId, format_device_id
from node.passport.releases import Release
from node.passport.shown import at, fact, rows, text
from node.passport.view import Plain, View, moment_at

Json = object  # what json.dumps takes
Row = dict[str, str]

DEVICES = (
    "device_id", "title", "kind", "state", "type", "designation", "mark", "serial", "year", "manufacturer", "owner",
    "owner_org", "verified_until", "needs_verification", "ids", "statements", "conflicts", "claims", "withheld",
    "digest",
)  # fmt: skip
EVENTS = (
    "device_id", "occurred", "code", "own_code", "name", "where", "by", "by_name", "system", "external", "process",
    "step", "standing", "recorded", "detail", "ref", "replaced_by",
)  # fmt: skip
PARAMETERS = (
    "device_id", "code", "name", "value", "unit", "since", "source", "standing", "by", "by_name", "ref", "others",
)  # fmt: skip
COMPOSITION = (
    "whole", "part", "position", "designation", "serial", "quantity", "since", "until", "standing", "by", "relation",
    "by_name", "used", "conflict",
)  # fmt: skip
PROTOCOLS = (
    "device_id", "occurred", "template", "version", "by", "by_name", "standing", "recorded", "ref", "replaced_by",
    "document", "personal",
)  # fmt: skip

MOVES = (
    "device_id", "process", "version", "run", "number", "owner", "n", "says", "step", "outcome", "by", "by_name",
    "occurred", "recorded", "reason", "ref",
)  # fmt: skip


def readme() -> str:
    """The text that explains every file, in Russian and English."""
    return (files("node.exchange") / "open_files.txt").read_text(encoding="utf-8")


def device_row(view: View, digest: str) -> Row:
    """One line of devices.csv."""
    owner = text(view, "parties", "owner", "value")
    return _row(
        DEVICES,
        device_id=view["id"],
        title=view["title"],
        kind=view["kind"],
        state=at(view, "state", "code"),
        type=at(view, "type", "central") or at(view, "type", "local"),
        designation=fact(view, "identity", "designation"),
        mark=fact(view, "identity", "mark"),
        serial=fact(view, "identity", "serial"),
        year=fact(view, "identity", "year"),
        manufacturer=at(view, "parties", "manufacturer", "name"),
        owner=_name(view, owner),
        owner_org=owner,
        verified_until=at(view, "verification", "valid_until"),
        needs_verification=at(view, "state", "needs_verification"),
        ids=view["ids"],
        statements=len(rows(view, "statements")),
        conflicts=len(rows(view, "conflicts")),
        claims=len(rows(view, "claims")),
        withheld=sum(count for count in _object(view["withheld"]).values() if isinstance(count, int)),
        digest=digest,
    )


def event_rows(view: View) -> Iterator[Row]:
    """The lines of events.csv of one passport."""
    for event in rows(view, "events"):
        what, where, why = _object(event["what"]), _object(event["where"]), _object(event["why"])
        place = _object(where.get("place"))
        yield _row(
            EVENTS,
            device_id=view["id"],
            occurred=moment(event["occurred"]),
            code=what.get("central"),
            own_code=what.get("local"),
            name=what.get("name") or find_name(Catalog.EVENTS, str(what.get("central")), "ru"),
            where=place.get("name") or place.get("local") or place.get("central") or _thing(where.get("object")),
            by=event["by"],
            by_name=_name(view, event["by"]),
            system=event["system"],
            external=event["external"],
            process=why.get("process"),
            step=why.get("step"),
            standing=event["standing"],
            recorded=moment(event["recorded"]),
            detail=event["detail"] or None,
            ref=event["ref"],
            replaced_by=event["replaced_by"],
        )


def parameter_rows(view: View) -> Iterator[Row]:
    """The lines of parameters.csv of one passport: every value that it ever had."""
    for code, parameter in sorted(_object(view["parameters"]).items()):
        name = _object(parameter).get("name")
        for row in rows(_object(parameter), "values"):
            yield _row(
                PARAMETERS,
                device_id=view["id"],
                code=code,
                name=name,
                value=row["value"],
                unit=row["unit"],
                since=row["since"],
                source=row["source"],
                standing=row["standing"],
                by=row["by"],
                by_name=_name(view, row["by"]),
                ref=row.get("ref"),
                others=row["others"] or None,
            )


def composition_rows(view: View) -> Iterator[Row]:
    """The lines of composition.csv of one passport: what stands or stood inside it."""
    for edge in rows(view, "composition", "children"):
        yield _row(
            COMPOSITION,
            whole=_device_id(edge["whole"]),
            part=_device_id(edge["part"]),
            by_name=_name(view, edge["by"]),
            **{name: edge[name] for name in COMPOSITION[2:11]},
            used=edge["used"],
            conflict=edge["conflict"],
        )


def protocol_rows(view: View) -> Iterator[Row]:
    """The lines of protocols.csv of one passport, with the names of the files of each document."""
    for item in rows(view, "protocols"):
        yield _row(
            PROTOCOLS,
            device_id=view["id"],
            occurred=moment(item["occurred"]),
            template=at(item, "template", "name"),
            version=at(item, "template", "version"),
            by=item["by"],
            by_name=_name(view, item["by"]),
            standing=item["standing"],
            recorded=moment(item["recorded"]),
            ref=item["ref"],
            replaced_by=item["replaced_by"],
            document=_file(item["document"]),
            personal=_file(item["personal"]),
        )


def move_rows(view: View) -> Iterator[Row]:
    """The lines of processes.csv of one passport: the moves that count, of each process in their order."""
    for run in rows(view, "processes"):
        for move in rows(run, "moves"):
            yield _row(
                MOVES,
                device_id=view["id"],
                process=run["code"],
                version=run["version"],
                run=run["id"],
                number=run["number"],
                owner=run["owner"],
                n=move["n"],
                says=move["says"],
                step=move["step"],
                outcome=move["outcome"],
                by=move["by"],
                by_name=_name(view, move["by"]),
                occurred=moment(move["occurred"]),
                recorded=moment(move["recorded"]),
                reason=move["reason"],
                ref=move["ref"],
            )


def release_object(release: Release, file: str, *, is_adopted: bool) -> dict[str, Json]:
    """A release of a catalog without its records, which stand in a file of their own."""
    return {
        "catalog": release.catalog.value,
        "number": release.number,
        "label": release.label,
        "date": release.date,
        "digest": release.digest,
        "org": release.org.hex(),
        "count": release.count,
        "whole": release.records is not None,
        "contested": release.is_contested,
        "adopted": is_adopted,
        "file": file,
    }


def fragment_object(log: bytes, seq: int, header: bytes, signature: bytes, void: str | None) -> dict[str, Json]:
    """A fragment: its exact bytes, and its header decoded beside them; sections are added by `section_object`."""
    entry = fragment_id(header)
    told: dict[str, Json] = {
        "seq": seq,
        "id": entry.hex(),
        "leaf": leaf_hash(entry + signature).hex(),
        "header": base64_text(header),
        "signature": base64_text(signature),
        "void": void,
    }
    try:
        decoded = decode_header(header, log, seq) if void is None else None
    except VoidError as error:  # altered on the disk: fsck names it
        return {**told, "void": str(error)}
    return {**told, **(_header(decoded) if decoded else {}), "sections": []}


def section_object(header: Header, section: Section | None, name: str, *, is_erased: bool = False) -> dict[str, Json]:
    """A section: its bytes with what they say, or that it is erased, withheld or sealed."""
    head = header.section(name)
    told: dict[str, Json] = {"name": name}
    if head is not None:
        told |= {"class": head.klass, "size": head.size, "commitment": head.commitment.hex()}
    if head is not None and head.klass >= SectionClass.SECRET:
        return {**told, "state": "secret"}
    if section is None:
        return {**told, "state": "erased" if is_erased else "withheld"}
    if section.salt is None:
        return {**told, "state": "sealed", "bytes": base64_text(section.data)}
    told |= {"state": "clear", "salt": section.salt.hex(), "bytes": base64_text(section.data)}
    try:
        content = section_content(head, section.data) if head is not None else section.data
    except CodecError as error:
        return {**told, "fault": str(error)}
    return {**told, **_decoded(content)}


def content_of(header: Header, section: Section) -> bytes | None:
    """What a section says, without its padding; None where the padding is wrong."""
    head = header.section(section.name)
    try:
        return section_content(head, section.data) if head is not None else None
    except CodecError:
        return None


def base64_text(raw: bytes) -> str:
    """Bytes in standard base64."""
    return base64.b64encode(raw).decode()


def moment(micros: object) -> str | None:
    """Microseconds as RFC 3339 in UTC."""
    if micros is None or micros == "":
        return None
    return moment_at(int(str(micros))).isoformat().replace("+00:00", "Z")


def json_line(value: Json) -> bytes:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def plain(value: object) -> Json:
    """Any value of the store or of msgpack as JSON: bytes are hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _header(header: Header) -> dict[str, Json]:
    named = Kind(header.kind).name.lower() if header.kind in set(Kind) else None
    refs = {
        name: [[ref.log.hex(), ref.seq, ref.id16.hex()] for ref in getattr(header, name)] for name in ("refs", "auth")
    }
    return {
        "kind": header.kind,
        "kind_name": named,
        "stamp": moment(header.stamp),
        "occurred": moment(header.occurred),
        "subjects": [subject.hex() for subject in header.subjects],
        "prev": header.prev,
        **refs,
    }


def _decoded(content: bytes) -> dict[str, Json]:
    """What bytes say: text where they are one, else a value of canonical msgpack where they are that."""
    try:
        told = content.decode()
    except UnicodeDecodeError:
        told = ""
    if told and not has_unprintable(told):
        return {"text": told}
    try:
        return {"value": plain(codec.unpack(content))}
    except CodecError:
        return {"text": told} if told else {}


def document_name(raw: bytes) -> str:
    """The name of a document's file, by its bytes."""
    return f"{hashlib.sha256(raw).hexdigest()}.json"


def _file(document: Plain) -> str | None:
    return document_name(document.encode()) if isinstance(document, str) else None


def _row(names: tuple[str, ...], **values: object) -> Row:
    return {name: _cell(values.get(name)) for name in names}


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return " ".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _name(view: View, org: Plain) -> str:
    return text(view, "signers", str(org), "name") if org else ""


def _thing(subject: Plain) -> str | None:
    return _device_id(subject) if subject else None


def _device_id(subject: Plain) -> str:
    return format_device_id(SubjectId(bytes.fromhex(str(subject))))


def _object(value: Plain) -> dict[str, Plain]:
    return value if isinstance(value, dict) else {}
