"""Fields of one value by their `type`: which keys each type has, and the node they make."""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.payload import arithmetic
from drivers.payload.cursor import MAX_PAYLOAD, Node
from drivers.payload.document import Tree
from drivers.payload.fields import BitString, BoolField, Computed, NumberField
from drivers.payload.labels import Table, table_of, take_values
from drivers.payload.meaning import take_meaning, with_table
from drivers.payload.octets import (
    BytesField,
    Padding,
    Parse,
    Render,
    render_array,
    render_base64,
    render_hex,
    render_text,
)
from drivers.payload.reference import Declared, Operand, as_operand, take_condition, take_name, take_operand
from drivers.payload.section import Section
from drivers.payload.values import Number
from drivers.payload.wire import Order, Wire, bit_range, find_wire, with_encoding

MAX_WIDTH = 64
MAX_PARTS = 32
_OPERATIONS: dict[str, Callable[[Number, Number], Number | None]] = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "div": arithmetic.divide,
    "mod": arithmetic.remainder,
    "idiv": arithmetic.whole_quotient,
}
_BASES = {None: "d", "decimal": "d", "hex": "x", "hex:upper": "X"}
_HINTS = {"array": "; write repeat", "float": "; write f32", "double": "; write f64"}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a field stands: the byte order around it, the byte group it shares (its size), what is declared."""

    order: Order
    declared: Declared
    group: int | None = None

    def order_of(self, section: Section) -> Order:
        """The field's own byte order, or the one around it."""
        return "little" if (section.word("endian", "big", "little") or self.order) == "little" else "big"


def make_field(kind: str, section: Section, setting: Setting) -> Node:
    """The node of a field of one value; raise DocumentError."""
    make = _MAKERS.get(kind)
    if make is not None:
        return make(kind, section, setting)
    wire = find_wire(kind, setting.order_of(section))
    if wire is None:
        raise section.error(f"the language has no type {kind!r}{_HINTS.get(kind, '')}", "type")
    encoding = section.word("encoding", "sign_magnitude", "bcd", "gray")
    if encoding is not None:
        if not wire.unsigned_bits:
            raise section.error("an encoding is of a plain unsigned integer", "encoding")
        wire = with_encoding(wire, encoding)
    spoken = section.take("enum")
    return _number(section, setting, wire, None if spoken is None else table_of(section, "enum", spoken))


def _number(section: Section, setting: Setting, wire: Wire, spoken: Table | None, table: Table | None = None) -> Node:
    meaning = take_meaning(section, setting.declared)
    if table is not None:
        if meaning is not None and meaning.table is not None:
            raise section.error("an enum has its labels in values", "lookup")
        meaning = with_table(meaning, table)
    sentinels = tuple(
        section.bounded(item, "sentinel", -(1 << 63), (1 << 64) - 1) for item in section.items("sentinel") or ()
    )
    return NumberField(
        take_name(section, setting.declared),
        wire,
        _advance(section, wire.advance),
        meaning,
        sentinels,
        _constant(section, "value"),
        _constant(section, "default"),
        spoken,
        section.flag("optional"),
    )


def _enum(_kind: str, section: Section, setting: Setting) -> Node:
    size = section.integer("size", 1, 8)
    base = section.text("base") or f"u{8 * (size or 1)}"
    wire = find_wire(base, setting.order_of(section))
    if wire is None or not wire.integral:
        raise section.error(f"{base!r} is no integer type", "base")
    return _number(section, setting, wire, None, take_values(section))


def _bool(_kind: str, section: Section, setting: Setting) -> Node:
    size = setting.group or 1
    bit = section.integer("bit", 0, 8 * size - 1)
    order = setting.order_of(section)
    wire = bit_range(size, order, 0, 8 * size - 1) if bit is None else bit_range(size, order, bit, bit)
    return BoolField(
        take_name(section, setting.declared),
        wire,
        _advance(section, 0),
        _constant(section),
        section.flag("optional"),
    )


def _bytes(kind: str, section: Section, setting: Setting) -> Node:
    if kind == "string" and "length" not in section:
        return _literal(section, setting)
    length = section.take("length")
    if length is None:
        raise section.error(f"{kind} has a length", "length")
    render, parse = _rendering(kind, section)
    return BytesField(
        take_name(section, setting.declared),
        None if length == "remaining" else _length(section, length, setting),
        render,
        parse,
        kind in ("ascii", "string"),
        _constant(section),
        section.flag("optional"),
    )


def _rendering(kind: str, section: Section) -> tuple[Render, Parse]:
    form = kind if kind != "bytes" else section.word("format", "hex", "hex:upper", "base64", "array") or "hex"
    separator = section.text("separator") if kind in ("bytes", "hex") else None
    if separator is not None and form in ("base64", "array"):
        raise section.error("a separator stands between hex digits", "separator")
    if form in ("hex", "hex:upper"):
        return render_hex(separator or "", upper=form == "hex:upper")
    return {"base64": render_base64, "array": render_array}.get(form, render_text)()


def _skip(_kind: str, section: Section, setting: Setting) -> Node:
    length = section.take("length")
    take_name(section, setting.declared)
    section.flag("optional")
    return Padding(Operand(literal=1) if length is None else _length(section, length, setting))


def _length(section: Section, length: Tree, setting: Setting) -> Operand:
    if isinstance(length, str):
        return as_operand(section, "length", length, setting.declared, bare=True)
    return Operand(literal=section.bounded(length, "length", 0, MAX_PAYLOAD))


def _bit_string(kind: str, section: Section, setting: Setting) -> Node:
    length = section.integer("length", 1, MAX_WIDTH)
    parts = tuple(_part(section, item, 8 * (length or 1)) for item in section.items("parts") or ())
    if length is None or not 1 <= len(parts) <= MAX_PARTS:
        raise section.error(f"{kind} has a length and 1 to {MAX_PARTS} parts")
    delimiter = section.text("delimiter")
    return BitString(
        take_name(section, setting.declared),
        length,
        setting.order_of(section),
        parts,
        "." if delimiter is None else delimiter,
        section.text("prefix") or "",
        _advance(section, length),
        section.flag("optional"),
    )


def _part(section: Section, tree: Tree, bits: int) -> tuple[int, int, str]:
    items = section.as_list(tree, "parts")
    if not 2 <= len(items) <= 3:
        raise section.error("a part is [lowest bit, width] or [lowest bit, width, format]", "parts")
    low = section.bounded(items[0], "parts", 0, bits - 1)
    width = section.bounded(items[1], "parts", 1, bits - low)
    form = items[2] if len(items) == 3 else None
    if not isinstance(form, str | None) or form not in _BASES:
        raise section.error(f"the format of a part is decimal, hex or hex:upper, this is {form}", "parts")
    return low, width, _BASES[form]


def _literal(section: Section, setting: Setting) -> Node:
    value = section.text("value")
    if value is None:
        raise section.error("a string is a constant with a value; text of the payload is ascii")
    return Computed(take_name(section, setting.declared), literal=value)


def _computed(kind: str, section: Section, setting: Setting) -> Node:
    declared = setting.declared
    name = take_name(section, declared)
    literal, operand, compute = (
        section.take("value"),
        take_operand(section, "ref", declared),
        section.section("compute"),
    )
    if isinstance(literal, list | dict):
        raise section.error("a literal is one value", "value")
    operation = None if compute is None else _operation(compute, declared)
    # A formula of a computed field is its source, not a step after one.
    meaning = take_meaning(section, declared)
    formula = None
    if meaning is not None and operand is None and operation is None:
        formula, meaning = meaning.formula, meaning.without_formula()
    sources = [item for item in (literal, operand, operation, formula) if item is not None]
    if len(sources) != 1:
        raise section.error(f"{kind} has one of value, ref, compute and formula")
    if operand is not None and operand.name is None:
        raise section.error("a reference is written $name", "ref")
    guard = section.section("guard")
    conditions = () if guard is None else tuple(take_condition(item, declared) for item in guard.sections("when"))
    otherwise = None if guard is None else take_operand(guard, "else", declared)
    if guard is not None:
        if not conditions:
            raise guard.error("a guard has conditions under when")
        guard.done()
    carry = take_operand(section, "carry", declared)
    return Computed(name, literal, operand, operation, formula, meaning, conditions, otherwise, carry)


def _operation(
    section: Section, declared: Declared
) -> tuple[Callable[[Number, Number], Number | None], Operand, Operand]:
    word = section.word("op", *_OPERATIONS)
    left, right = take_operand(section, "a", declared), take_operand(section, "b", declared)
    if word is None or left is None or right is None:
        raise section.error("an operation has op, a and b")
    section.done()
    return _OPERATIONS[word], left, right


def _advance(section: Section, advance: int) -> int:
    consume = section.integer("consume", 0, MAX_WIDTH)
    return advance if consume is None else consume


def _constant(section: Section, key: str = "value") -> bool | int | str | Number | None:
    value = section.take(key)
    if isinstance(value, list | dict):
        raise section.error("a constant is one value", key)
    return value


_MAKERS: dict[str, Callable[[str, Section, Setting], Node]] = {
    "enum": _enum,
    "bool": _bool,
    "ascii": _bytes,
    "hex": _bytes,
    "bytes": _bytes,
    "base64": _bytes,
    "string": _bytes,
    "skip": _skip,
    "bitfield_string": _bit_string,
    "version_string": _bit_string,
    "number": _computed,
    "integer": _computed,
}
