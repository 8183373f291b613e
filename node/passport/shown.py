"""Reading values out of a view, and the terms by which a passport is found."""

import re
from collections.abc import Iterator
from typing import cast

from node.passport.bodies import Place, Plate, Reference
from node.passport.plate import cut_label, number_text
from node.passport.suggestions import bare_serial
from node.passport.view import Plain, View, value_on

TYPE = "type"  # the scheme of a central code that many passports share: it narrows a list and names no thing

CONFLICT = "conflict"  # the scheme of what a person has to decide about a passport
WAITING = "waiting"  # somebody's word about identity that has no effect yet
RECALLED = "recalled"
PLACE = "install_place"
SUBJECT = re.compile(r"[0-9a-f]{32}")
LONGEST_CODE = 128
# Events that say where a thing stands, or that it stands there no longer.
MOUNTED, DISMOUNTED = frozenset({"installed"}), frozenset({"removed", "scrapped", "lost"})
EXTRACTED = "protocol"  # the source of values that documents stated, and the scheme of their terms
ACT = "act"  # the scheme of acts that lack a signature
CODE = "code"  # the scheme of what is printed as a picture
RECORD = "record"  # the scheme of the number of a verification in the register
OF_1C = "1c"  # the scheme of an object's id in a base, behind the name of that base
BARE = "bare"  # the scheme of serials without separators and leading zeros: by it slips of reading are looked up


def bare_term(bare: str) -> str:
    """How a bare serial stands among the terms: no text that somebody types begins so."""
    return f"~{bare}"


def conflict_term(why: str) -> str:
    """How a kind of conflict stands among the terms: no text that somebody types begins so."""
    return f"!{why}"


def at(view: View, *path: str) -> Plain:
    """The value under a path of names, None where a name is missing."""
    value: Plain = view
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text(view: View, *path: str) -> str:
    """The text under a path, empty where there is none."""
    value = at(view, *path)
    return value if isinstance(value, str) else ""


def rows(view: View, *path: str) -> list[dict[str, Plain]]:
    """The objects of a list under a path."""
    value = at(view, *path)
    return [cast("dict[str, Plain]", item) for item in value] if isinstance(value, list) else []


def fact(view: View, *path: str) -> str:
    """The value of a fact as text, empty where there is none."""
    value = at(view, *path, "value")
    return "" if value is None else str(value)


def place_of(view: View) -> str:
    """Where a thing stands by what is known: its stated address, else where it was mounted last and still is."""
    stated = value_on(view, PLACE) if isinstance(view.get("parameters"), dict) else None
    if stated and stated.get("value"):
        return str(stated["value"])
    if address := fact(view, "subject", "address"):
        return address
    for event in reversed(rows(view, "events")):
        code = at(event, "what", "central")
        if event.get("routed") or event.get("replaced_by") or code not in MOUNTED | DISMOUNTED:
            continue
        named = at(event, "where", "place")
        if code in DISMOUNTED or not isinstance(named, dict):
            return "" if code in DISMOUNTED else text(event, "where", "object")
        return str(named.get("name") or named.get("local") or named.get("central") or "")
    return ""


def where_of(view: View, default: str) -> Place:
    """Where a thing stands, as an event says it: the object it was mounted in, else the words; `default` if unknown."""
    known = place_of(view)
    if SUBJECT.fullmatch(known):
        return Place(object=known)
    return Place(place=Reference(local=(known or default)[:LONGEST_CODE]))


def plate_term(designation: str, serial: str) -> str:
    """How a designation and a serial together stand among the terms, under the scheme `plate`."""
    return f"{number_text(designation)}-{number_text(cut_label(serial))}"


def has_plate(view: View, org: bytes, plate: Plate) -> bool:
    """Whether an organisation stated exactly this plate."""
    wanted = plate.model_dump(mode="json")
    return any(
        row["by"] == org.hex() and all(_same(row.get(name), value) for name, value in wanted.items())
        for row in rows(view, "plates")
    )


def is_stated_by(view: View, org: bytes) -> bool:
    """Whether an organisation stated a plate of this passport."""
    return any(row["by"] == org.hex() for row in rows(view, "plates"))


def terms_of(view: View) -> Iterator[tuple[str, str]]:
    """`(scheme, term)` of everything that somebody may type or scan to find this passport, and of its type."""
    for row in rows(view, "plates"):
        yield from plate_terms(str(row["designation"]), str(row["serial"]))
        yield from ((CODE, number_text(code)) for code in _texts(row.get("codes")))
    title = text(view, "title")
    if "№" in title:
        designation, _, serial = title.partition(" № ")
        yield from plate_terms(designation, serial)
    for alias in rows(view, "aliases"):
        scheme, value = str(alias["scheme"]), str(alias["value"])
        yield (scheme, value.lower() if scheme == "dev_eui" else number_text(value))
        if scheme == OF_1C:
            yield (scheme, number_text(value.partition(":")[2]))  # as it stands there, without the name of the base
    if dev_eui := fact(view, "radio", "dev_eui"):
        yield ("dev_eui", dev_eui)
    if record := text(view, "verification", "record"):
        yield (RECORD, number_text(record))
    if kind := text(view, "type", "central"):
        yield (TYPE, kind)
    for why in kinds_of_conflict(view):
        yield (CONFLICT, conflict_term(why))
    yield from ((EXTRACTED, parameter_term(code, value)) for code, value in extracted_of(view))
    yield from ((ACT, term) for term in _act_terms(view))


def parameter_term(code: str, value: str) -> str:
    """How a value that a document stated stands among the terms; it is typed as `code=value`."""
    return f"{code}={number_text(value)}"


def extracted_of(view: View) -> Iterator[tuple[str, str]]:
    """The code and the value that stands of each parameter that documents stated."""
    parameters = at(view, "parameters")
    for code in parameters if isinstance(parameters, dict) else ():
        values = rows(view, "parameters", code, "values")
        if values and values[-1].get("source") == EXTRACTED and isinstance(values[-1]["value"], str):
            yield code, str(values[-1]["value"])


def act_term(org: str, *, signs: bool) -> str:
    """The term of passports with an act that an organisation (in hex) is to sign, or signed and waits for others."""
    return f"{ACT}={'sign' if signs else 'wait'}={org}"


def open_acts(view: View) -> list[dict[str, Plain]]:
    """The first signature of each act here that lacks a party's, where its author has not replaced nor annulled it."""
    return [
        row
        for row in rows(view, "protocols")
        if row["act"] is not None
        and at(row, "act", "lead") == row["ref"]
        and not at(row, "act", "agreed")
        and row["replaced_by"] is None
        and row["annulled"] is None
    ]


def _act_terms(view: View) -> Iterator[str]:
    for row in open_acts(view):
        for side in rows(row, "act", "sides"):
            if side["ref"] is not None:
                yield act_term(str(side["by"]), signs=False)
            elif side["org"] is not None:
                yield act_term(str(side["org"]), signs=True)


def kinds_of_conflict(view: View) -> list[str]:
    """Why a person has to look at this passport, each reason once, in the order of the alphabet."""
    found = {str(row["why"]) for row in rows(view, "conflicts")}
    return sorted(found | {WAITING} if waiting_words(view) else found)


def sides_of(told: Plain) -> list[Plain]:
    """Of what is told about a dispute what its equal sides say, not what they said before nor what has less right."""
    found = told if isinstance(told, list) else []
    return [one for one in found if not isinstance(one, dict) or one["standing"] == "disputed"]


def subjects_of(view: View) -> list[str]:
    """Every subject that this passport is of, in hex."""
    return _texts(at(view, "subjects"))


def waiting_words(view: View) -> list[dict[str, Plain]]:
    """What was said of identity and has no effect: an identity authority of the other side has not said it."""
    here = set(subjects_of(view))
    return [
        row
        for row in rows(view, "sameness")
        if not row["counts"] and not (row["says"] == "same" and set(_texts(row["subjects"])) <= here)
    ]


def recalls_of(view: View) -> list[dict[str, Plain]]:
    """The recalls that reach this thing or were declared of it, the latest first."""
    found = [
        row for row in rows(view, "events") if at(row, "what", "central") == RECALLED and row["replaced_by"] is None
    ]
    return sorted(found, key=lambda row: (-int(str(row["occurred"])), str(row["ref"])))


def plate_terms(designation: str, serial: str) -> Iterator[tuple[str, str]]:
    """`(scheme, term)` of what stands on a plate."""
    number = number_text(cut_label(serial))
    if number:
        yield ("serial", number)
        yield ("plate", plate_term(designation, serial))
    if bare := bare_serial(serial):
        yield (BARE, bare_term(bare))


def _texts(value: Plain) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _same(shown: Plain, stated: object) -> bool:
    return shown == (list(stated) if isinstance(stated, tuple) else stated)
