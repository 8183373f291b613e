"""Registers: facts of which there is one at a time, merged key by key; and plates and aliases, which only grow."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import cast

from node.passport.bodies import AliasBody, Plate, RadioBody, SubjectBody, TypeBody
from node.passport.case import Case, Entry
from node.passport.catalogs import Catalog, DeviceType, Json
from node.passport.identity import serial_key
from node.passport.merge import Standing, Verdict, standing_of
from node.passport.plate import comparison_text
from node.passport.ranks import FactClass
from node.passport.reading import Reading
from node.passport.references import ref_text
from node.passport.statement import Statement
from node.passport.view import Plain

FORMER_SERIAL = "former-serial"
SUBJECT_FIELDS = ("kind", "name", "number", "address")
RADIO_FIELDS = ("dev_eui", "join_eui", "version", "device_class", "region", "activation", "ports", "driver")


def identity_facts(case: Case) -> dict[str, Verdict]:
    """Mark, designation, serial and year, from every plate; spellings that are one by the rules do not contradict."""
    entries: dict[str, list[Entry]] = {}
    for reading, plate in _plates(case):
        shown = {
            "mark": (plate.mark, comparison_text(plate.mark or "")),
            "designation": (plate.designation, comparison_text(plate.designation)),
            "serial": _serial(case, plate),
            "year": (plate.year, plate.year or ""),
        }
        for name, (value, same) in shown.items():
            if value:
                entries.setdefault(name, []).append(Entry(reading.statement, "nameplate", value, same, plate.read))
    return {name: case.settle(items, FactClass.PRODUCTION) for name, items in sorted(entries.items())}


def subject_facts(case: Case) -> dict[str, Verdict]:
    """What a thing without a plate is: its kind, name, number and address."""
    entries: dict[str, list[Entry]] = {}
    for reading in case.spoken:
        body = reading.body("subject", SubjectBody)
        for name in SUBJECT_FIELDS if body else ():
            value = getattr(body, name)
            if value:
                same = value if name == "kind" else comparison_text(value)
                entries.setdefault(name, []).append(Entry(reading.statement, "subject", value, same))
    return {name: case.settle(items, FactClass.PRODUCTION) for name, items in sorted(entries.items())}


def type_facts(case: Case) -> dict[str, Verdict]:
    """Type by its dual reference, model, execution and version."""
    entries: dict[str, list[Entry]] = {}
    for reading in case.spoken:
        body = reading.body("type", TypeBody)
        if body is None:
            continue
        statement = reading.statement
        code = case.refer(body.type, statement.org, Catalog.TYPES)
        same = cast("str | None", code["central"]) or f"{statement.org.hex()}/{code['local']}"
        if code["central"] or code["local"]:
            entries.setdefault("code", []).append(Entry(statement, "type", code, same))
        for name, text in (("model", body.model), ("execution", body.execution), ("version", body.version)):
            if text:
                entries.setdefault(name, []).append(Entry(statement, "type", text, comparison_text(text)))
    return {name: case.settle(items, FactClass.PRODUCTION) for name, items in sorted(entries.items())}


def radio_facts(case: Case) -> dict[str, Verdict]:
    """How the device joins, field by field; root keys are no part of any view."""
    entries: dict[str, list[Entry]] = {}
    for reading in case.spoken:
        body = reading.body("radio", RadioBody)
        for name in RADIO_FIELDS if body else ():
            value = getattr(body, name)
            shown: Plain = list(value) if isinstance(value, tuple) else value
            if shown:
                entries.setdefault(name, []).append(Entry(reading.statement, "radio", shown, str(shown)))
    return {name: case.settle(items, FactClass.RADIO) for name, items in sorted(entries.items())}


def type_view(case: Case, facts: dict[str, Verdict]) -> dict[str, Plain]:
    """The type in one place: what stands, what its record adds, and the facts behind."""
    code = facts["code"].value if "code" in facts else None
    shown = code if isinstance(code, dict) else {}
    record = case.world.types.get(str(shown.get("central")))
    model, stated = (facts[name].value if name in facts else None for name in ("model", "execution"))
    execution = stated or (_only_execution(record) if record else None)
    return {
        "local": shown.get("local"),
        "central": shown.get("central"),
        "name": shown.get("name"),
        "model": model or (record.model if record else None),
        "execution": execution,
        "record": _record(record) if record else None,
        "defaults": _defaults(record, execution) if record else {},
        "facts": {name: verdict.fact() for name, verdict in facts.items()},
    }


def plates_of(case: Case) -> list[Reading]:
    """The statements of a plate, in the order in which they were recorded."""
    return [reading for reading, _ in _plates(case)]


def plates_view(case: Case) -> list[Plain]:
    """Each plate as it was read: by whom, when and how. Nothing overwrites it."""
    return [
        {
            "by": reading.statement.org.hex(),
            "ref": ref_text(reading.statement.ref),
            "subject": reading.statement.subject.hex(),
            "occurred": reading.statement.occurred,
            "recorded": reading.statement.stamp,
            "read": plate.read,
            "mark": plate.mark,
            "designation": plate.designation,
            "serial": plate.serial,
            "year": plate.year,
            "approvals": list(plate.approvals),
            "codes": list(plate.codes),
            "photo": plate.photo,
        }
        for reading, plate in _plates(case)
    ]


def sameness_view(case: Case) -> list[Plain]:
    """What was said of the identity of these subjects beside their plates, and whether it has effect."""
    return [
        {
            "says": said.body.says,
            "subjects": [subject.hex() for subject in said.pair],
            "by": said.statement.org.hex(),
            "ref": ref_text(said.statement.ref),
            "occurred": said.statement.occurred,
            "reason": said.body.reason,
            "moves": list(said.body.moves),
            "counts": case.sameness.counts(said),
        }
        for said in case.sameness.said
        if case.subjects & set(said.pair)
    ]


def aliases_view(case: Case, identity: Mapping[str, Verdict]) -> list[Plain]:
    """Other names with their evidence. Nothing removes a name; its end is a later statement of who gave it.

    A serial that was corrected stays one of them.
    """
    named: dict[tuple[str, str], list[tuple[Reading, AliasBody]]] = {}
    for reading in case.spoken:
        body = reading.body("alias", AliasBody)
        if body is not None:
            named.setdefault((body.scheme, body.value), []).append((reading, body))
    rows: list[Plain] = [
        {"scheme": scheme, "value": value, "said": [_alias(case, *item) for item in _latest(case, items)]}
        for (scheme, value), items in sorted(named.items())
    ]
    return [*rows, *_former_serials(case, identity)]


def title_of(case: Case, identity: dict[str, Verdict]) -> str:
    """What a passport is called: `СГВ-15 № 0012345`, or the device id's beginning where nothing was read."""
    designation = str(identity["designation"].value or "") if "designation" in identity else ""
    serial = str(identity["serial"].value or "") if "serial" in identity else ""
    key = case.identity.key
    record = case.world.lines.find(key.line) if key else None
    if key is not None:
        serial = key.serial
    if record is not None:
        printed = {comparison_text(text): text for text in reversed(record.designations)}
        designation = printed.get(comparison_text(designation), record.designations[0])
    return f"{designation} № {serial}".strip() if designation or serial else ""


def _plates(case: Case) -> Iterator[tuple[Reading, Plate]]:
    for reading in sorted(case.spoken, key=lambda r: r.statement.order):
        plate = reading.body("nameplate", Plate)
        if plate is not None:
            yield reading, plate


def _serial(case: Case, plate: Plate) -> tuple[str, str]:
    same = serial_key(case.identity, case.world, plate.serial)
    return (same, same) if same == case.identity.serial else (plate.serial, same)


def _only_execution(record: DeviceType) -> str | None:
    return record.executions[0] if len(record.executions) == 1 else None


def _record(record: DeviceType) -> dict[str, Plain]:
    return {
        "model": record.model,
        "name": record.name_ru,
        "approval": str(record.approval),
        "interval_months": record.interval_months,
        "resources": list(record.resources),
        "driver": record.driver,
    }


def _defaults(record: DeviceType, execution: Plain) -> dict[str, Plain]:
    """What the execution fills in; what the type says alone where the execution is not of it."""
    known = execution if isinstance(execution, str) and execution in record.executions else None
    return {code: _default_text(value) for code, value in sorted(record.defaults(known).items())}


def _default_text(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(map(_default_text, value))
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _latest(case: Case, items: Iterable[tuple[Reading, AliasBody]]) -> list[tuple[Reading, AliasBody]]:
    by_org: dict[bytes, dict[bytes, tuple[Reading, AliasBody]]] = {}
    for item in items:
        by_org.setdefault(item[0].statement.org, {})[item[0].statement.id] = item
    newest = (
        mine[case.references.newest(reading.statement for reading, _ in mine.values()).id] for mine in by_org.values()
    )
    return sorted(newest, key=lambda item: item[0].statement.order)


def _former_serials(case: Case, identity: Mapping[str, Verdict]) -> Iterator[Plain]:
    verdict = identity.get("serial")
    if verdict is None or verdict.chosen is None:
        return
    former: dict[str, list[Plain]] = {}
    for said, standing in verdict.others:
        if standing is Standing.REPLACED and said.same != verdict.chosen.same:
            body = AliasBody(scheme=FORMER_SERIAL, value=str(said.value), evidence="label")
            former.setdefault(str(said.value), []).append(_named_by(case, said.statement, body))
    for value, by in sorted(former.items()):
        yield {"scheme": FORMER_SERIAL, "value": value, "said": by}


def _alias(case: Case, reading: Reading, body: AliasBody) -> Plain:
    return _named_by(case, reading.statement, body)


def _named_by(case: Case, statement: Statement, body: AliasBody) -> Plain:
    held = case.rank(FactClass.PHYSICAL, statement)
    return {
        "by": statement.org.hex(),
        "ref": ref_text(statement.ref),
        "evidence": body.evidence,
        "since": body.since,
        "until": body.until,
        "standing": Standing.REPLACED.value if _is_ended_unseen(case, statement) else standing_of(held).value,
    }


def _is_ended_unseen(case: Case, statement: Statement) -> bool:
    """Whether its author said something of a name over it that may not be read here."""
    return any(
        other.org == statement.org and case.references.supersedes(other, statement) for other in case.hiding("alias")
    )
