"""What of a signed protocol becomes central parameters and events: run by the author, who signs the results with it."""

from collections.abc import Collection
from dataclasses import dataclass

from node.passport.strict_json import Json, json_equal, show
from node.passport.templates.errors import PointerError, TemplateRefusedError
from node.passport.templates.personal import holds_personal
from node.passport.templates.pointer import MISSING, Pointer, find, parse_pointer
from node.passport.templates.schema import Schema, is_personal, schema_at
from node.passport.unseen import UNSEEN

MAX_ITEMS = 200
MAX_CODE = 128
# Line ends, other controls and what turns the direction of writing: in a passport nobody would see them.


@dataclass(frozen=True, slots=True)
class Condition:
    """`if`: the value at the pointer equals this one; a missing value equals nothing."""

    pointer: Pointer
    equals: Json

    def holds(self, document: Json) -> bool:
        """Whether the document meets the condition."""
        value = find(document, self.pointer)
        return value is not MISSING and json_equal(value, self.equals)


@dataclass(frozen=True, slots=True)
class ParameterItem:
    """One line of `extract` that becomes a parameter; `since` points at its valid-from."""

    code: str
    pointer: Pointer
    since: Pointer | None
    condition: Condition | None


@dataclass(frozen=True, slots=True)
class EventItem:
    """One line of `extract` that becomes an event; without `where` the place is the one in the author's card."""

    code: str
    when: Pointer
    where: Pointer | None
    condition: Condition | None


@dataclass(frozen=True, slots=True)
class ExtractedParameter:
    """A central parameter stated by a document; `unit` is UCUM or empty; a personal one belongs in section class 4."""

    code: str
    value: Json
    unit: str
    pointer: str
    valid_from: str | None
    personal: bool


@dataclass(frozen=True, slots=True)
class ExtractedEvent:
    """A central event stated by a document: `when` as RFC 3339 text; `where` None is the author's own place."""

    code: str
    when: str
    where: str | None
    pointer: str
    personal: bool


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that a document states; `skipped` names events whose time the document does not give."""

    parameters: tuple[ExtractedParameter, ...] = ()
    events: tuple[ExtractedEvent, ...] = ()
    skipped: tuple[str, ...] = ()


ExtractItem = ParameterItem | EventItem


def read_extract(raw: Json, schema: Schema) -> tuple[ExtractItem, ...]:
    """The `extract` list of a template; raise TemplateRefusedError naming the line."""
    if not isinstance(raw, list) or len(raw) > MAX_ITEMS:
        raise TemplateRefusedError(
            f"extract is no list of at most {MAX_ITEMS}", f"extract — не список до {MAX_ITEMS} строк"
        )
    return tuple(_read_item(item, schema, f"extract/{index}") for index, item in enumerate(raw))


def read_condition(raw: Json, schema: Schema, where: str) -> Condition | None:
    """An `if`; None if it says more than is understood here. Raise TemplateRefusedError if it says less."""
    if not isinstance(raw, dict) or not raw.keys() >= {"pointer", "equals"}:
        raise TemplateRefusedError(
            f"if needs pointer and equals, got {show(raw)}", f"в if нужны pointer и equals, а стоит {show(raw)}", where
        )
    condition = Condition(read_place(raw["pointer"], schema, f"{where}/if"), raw["equals"])
    return condition if raw.keys() == {"pointer", "equals"} else None


def read_place(raw: Json, schema: Schema, where: str, *, wildcard: bool = False) -> Pointer:
    """A pointer to a place the schema can have; raise TemplateRefusedError."""
    try:
        pointer = parse_pointer(raw)
    except PointerError as error:
        raise TemplateRefusedError(str(error), error.text("ru"), where) from error
    if pointer.has_wildcard and not wildcard:
        raise TemplateRefusedError(f"{pointer} leads to many places", f"{pointer} ведёт сразу на много мест", where)
    if schema_at(schema, pointer) is None:
        raise TemplateRefusedError(
            f"{pointer} leads to nothing that the schema allows",
            f"{pointer} ведёт туда, где по схеме ничего быть не может",
            where,
        )
    return pointer


def extract_from(items: tuple[ExtractItem, ...], schema: Schema, document: Json) -> Extraction:
    """Run the list over a valid document."""
    due = [item for item in items if isinstance(item, EventItem) and _applies(item.condition, document)]
    dated = [(item, when) for item in due if isinstance(when := find(document, item.when), str)]
    events = tuple(_event(item, when, schema, document) for item, when in dated)
    skipped = tuple(item.code for item in due if not isinstance(find(document, item.when), str))
    default = events[0].when if events else None
    named = [item for item in items if isinstance(item, ParameterItem)]
    # Each place once: many items may take one large value.
    hidden = {place for place in {item.pointer for item in named} if _is_hidden(schema, document, place)}
    stated = (_parameter(item, schema, document, default, hidden) for item in named)
    return Extraction(tuple(item for item in stated if item is not None), events, skipped)


def _read_item(raw: Json, schema: Schema, where: str) -> ExtractItem:
    if not isinstance(raw, dict) or ("parameter" in raw) == ("event" in raw):
        raise TemplateRefusedError(
            f"one of parameter and event, got {show(raw)}",
            f"нужно одно из двух, parameter или event, а стоит {show(raw)}",
            where,
        )
    kind = "parameter" if "parameter" in raw else "event"
    needed, allowed = _MEMBERS[kind]
    if not needed <= raw.keys() <= needed | allowed:
        asked, known = ", ".join(sorted(needed)), ", ".join(sorted(needed | allowed))
        raise TemplateRefusedError(
            f"{kind} needs {asked} and has nothing but {known}",
            f"в {kind} нужны {asked}, допустимы только {known}",
            where,
        )
    code = raw[kind]
    if not isinstance(code, str) or not 0 < len(code) <= MAX_CODE or UNSEEN.search(code) or not code.strip():
        raise TemplateRefusedError(f"{show(code)} is no code", f"{show(code)} — не код", where)
    condition = _condition(raw, schema, where)
    if kind == "parameter":
        since = _optional(raw, "from", schema, where)
        return ParameterItem(code, read_place(raw["pointer"], schema, where), since, condition)
    return EventItem(code, read_place(raw["when"], schema, where), _optional(raw, "where", schema, where), condition)


def _condition(raw: dict[str, Json], schema: Schema, where: str) -> Condition | None:
    if "if" not in raw:
        return None
    condition = read_condition(raw["if"], schema, where)
    if condition is None:
        raise TemplateRefusedError(
            f"if has pointer and equals alone, got {show(raw['if'])}",
            f"в if бывают только pointer и equals, а стоит {show(raw['if'])}",
            where,
        )
    if is_personal(schema, condition.pointer):
        raise TemplateRefusedError(
            f"what is extracted would tell of {condition.pointer}, which is personal",
            f"по извлечённому было бы видно {condition.pointer}, а это персональные данные",
            where,
        )
    return condition


def _optional(raw: dict[str, Json], name: str, schema: Schema, where: str) -> Pointer | None:
    return read_place(raw[name], schema, where) if name in raw else None


def _applies(condition: Condition | None, document: Json) -> bool:
    return condition is None or condition.holds(document)


def _event(item: EventItem, when: str, schema: Schema, document: Json) -> ExtractedEvent:
    where = find(document, item.where) if item.where is not None else None
    personal = any(is_personal(schema, place) for place in (item.when, item.where) if place is not None)
    return ExtractedEvent(item.code, when, where if isinstance(where, str) else None, str(item.when), personal)


def _parameter(
    item: ParameterItem, schema: Schema, document: Json, default: str | None, hidden: Collection[Pointer]
) -> ExtractedParameter | None:
    value = find(document, item.pointer)
    if value is MISSING or value is None or not _applies(item.condition, document):
        return None
    since = find(document, item.since) if item.since is not None else default
    unit = (schema_at(schema, item.pointer) or {}).get("x-epd-unit", "")
    valid_from = since if isinstance(since, str) else None
    return ExtractedParameter(item.code, value, str(unit), str(item.pointer), valid_from, item.pointer in hidden)


def _is_hidden(schema: Schema, document: Json, place: Pointer) -> bool:
    value = find(document, place)
    within = schema_at(schema, place) or {}
    return is_personal(schema, place) or (value is not MISSING and holds_personal(within, value))


_MEMBERS = {
    "parameter": (frozenset({"parameter", "pointer"}), frozenset({"from", "if"})),
    "event": (frozenset({"event", "when"}), frozenset({"where", "if"})),
}
