"""The field lists of a document into the nodes of a program: references spliced in, constructs built."""

from dataclasses import replace

from drivers.errors import DocumentError
from drivers.payload.annotation import ANNOTATIONS, Annotations
from drivers.payload.cursor import MAX_PAYLOAD, Node
from drivers.payload.document import Key, Tree
from drivers.payload.fields import Computed
from drivers.payload.groups import ByteGroup, Cases, FieldList, Flagged, Match, ObjectGroup
from drivers.payload.keys import FALLBACKS, Part, parse_choices, parse_tag
from drivers.payload.reference import (
    Declared,
    Name,
    Operand,
    as_operand,
    get_name,
    take_condition,
    take_name,
)
from drivers.payload.repeat import MAX_COUNT, Repeat
from drivers.payload.section import Section, describe
from drivers.payload.tlv import Case as TagCase
from drivers.payload.tlv import Cases as TagCases
from drivers.payload.tlv import TagField, Tlv
from drivers.payload.typed import Setting, make_field
from drivers.payload.wire import Order, find_wire

MAX_NODES = 5000
MAX_NESTING = 16
MAX_BIT = 63
_REF = "#/definitions/"
_CONSTRUCTS = ("match", "switch", "flagged", "tlv", "byte_group")
_OF_DEFINITION = frozenset({"name", "version", "direction", "cid"})


class Compiler:
    """Compiles the field lists of one document; what they declare and refer to is gathered for the whole."""

    def __init__(self, order: Order, definitions: dict[str, Tree]) -> None:
        self.declared = Declared()
        self.annotations = Annotations()
        self._setting = Setting(order, self.declared)
        self._definitions = definitions
        self._open: list[str] = []  # definitions being spliced
        self._within: tuple[str, ...] = ()  # names of the objects around
        self._depth = 0
        self._left = MAX_NODES

    def field_list(self, tree: Tree, path: str) -> FieldList:
        """The fields of a list, or of a mapping that holds one; raise DocumentError."""
        if isinstance(tree, dict) and "fields" in tree:
            section = Section(tree, path)
            tree, path = section.take("fields"), section.at("fields")
            section.drop(ANNOTATIONS)
            section.done()
        if not isinstance(tree, list):
            raise DocumentError(f"{path}: a list of fields is expected, this is {describe(tree)}")
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise DocumentError(f"{path}: fields are nested at most {MAX_NESTING} deep")
        nodes = [node for index, item in enumerate(tree) for node in self._item(Section(item, f"{path}[{index}]"))]
        self._depth -= 1
        return FieldList(tuple(nodes))

    def _item(self, section: Section) -> tuple[Node, ...]:
        self._left -= 1
        if self._left < 0:
            raise section.error(f"a program has at most {MAX_NODES} fields")
        reference = section.take_one("$ref", "use")
        if reference is None:
            return (self._field(section),)
        section.drop(ANNOTATIONS)
        section.done()
        return self._spliced(section, *reference)

    def _spliced(self, section: Section, key: str, target: Tree) -> tuple[Node, ...]:
        """The fields of a definition; one that is open already refers to itself."""
        name = str(target).removeprefix(_REF)
        if not isinstance(target, str) or (key == "$ref" and not target.startswith(_REF)):
            raise section.error(f"a reference is {_REF}name, this is {describe(target)}", key)
        if name not in self._definitions:
            raise section.error(f"there is no definition {name!r}", key)
        if name in self._open:
            raise section.error(f"the definition {name!r} holds itself", key)
        tree, path = self._definitions[name], f"definitions.{name}"
        self._open.append(name)
        if isinstance(tree, dict) and "type" in tree:
            nodes: tuple[Node, ...] = (self._field(Section(tree, path)),)
        elif isinstance(tree, dict):
            definition = Section(tree, path)
            definition.drop(_OF_DEFINITION | ANNOTATIONS)
            nodes = self.field_list(definition.take("fields"), definition.at("fields")).nodes
            definition.done()
        else:
            nodes = self.field_list(tree, path).nodes
        self._open.pop()
        return nodes

    def _field(self, section: Section) -> Node:
        construct = section.take_one(*_CONSTRUCTS)
        kind = section.text("type")
        if construct is not None:
            if kind not in (None, construct[0]):
                raise section.error(f"a {construct[0]} has no type", "type")
            section.drop(ANNOTATIONS | {"name"})
            node = self._construct(section, *construct)
        elif kind is None:
            raise section.error("a field has a type or a construct")
        else:
            self.annotations.take(section, self._within)
            node = self._typed(section, kind)
        section.done()
        return node

    def _construct(self, section: Section, key: str, tree: Tree) -> Node:
        if key == "byte_group":
            return self._byte_group(section, tree)
        inner = Section(tree, section.at(key))
        if key == "flagged":
            node: Node = self._flagged(inner)
        elif key == "tlv":
            node = self._tlv(inner)
        else:
            node = self._match(inner, get_discriminator(inner, "field", self.declared))
        inner.done()
        return node

    def _typed(self, section: Section, kind: str) -> Node:
        if kind == "object":
            return self._object(section)
        if kind == "repeat":
            return self._repeat(section)
        if kind == "match":
            return self._match(section, get_discriminator(section, "on", self.declared))
        group = self._setting.group
        if group is None:
            return make_field(kind, section, self._setting)
        if "consume" in section:
            raise section.error("a member of a byte group moves nothing on (PS-017)", "consume")
        return make_field(kind, section, self._setting)

    def _object(self, section: Section) -> Node:
        name = take_name(section, self.declared)
        return ObjectGroup(name, self._inside(section, name), section.flag("optional"))

    def _inside(self, section: Section, name: Name) -> FieldList:
        """The fields of an object or an array, which stand under its name."""
        outer, self._within = self._within, (*self._within, name.name)
        body = self.field_list(section.take("fields"), section.at("fields"))
        self._within = outer
        return body

    def _byte_group(self, section: Section, tree: Tree) -> Node:
        outer = self._setting
        if outer.group is not None:
            raise section.error("a byte group stands in no other", "byte_group")
        if isinstance(tree, dict):
            inner = Section(tree, section.at("byte_group"))
            size = inner.take_one("size", "bytes")
            order = outer.order_of(inner)
            members, path = inner.take("fields"), inner.at("fields")
            inner.done()
        else:
            size, order = section.take_one("size"), outer.order
            members, path = tree, section.at("byte_group")
        width = _base_width(members) if size is None else section.bounded(size[1], size[0], 1, 64)
        self._setting = replace(outer, order=order, group=width)
        body = self.field_list(members, path)
        self._setting = outer
        return ByteGroup(body, width)

    def _flagged(self, section: Section) -> Node:
        mask = get_name(section, "field", self.declared)
        groups: list[tuple[int, FieldList]] = []
        for group in section.sections("groups"):
            bit = group.integer("bit", 0, MAX_BIT)
            if bit is None or any(bit == other for other, _ in groups):
                raise group.error("a group has a bit of its own", "bit")
            groups.append((bit, self.field_list(group.take("fields"), group.at("fields"))))
            group.drop(ANNOTATIONS | {"name"})
            group.done()
        if not groups:
            raise section.error("flagged has groups")
        return Flagged(mask, tuple(groups))

    def _match(self, section: Section, field: str | None) -> Node:
        length = section.integer("length", 1, 8) or 0
        if (field is not None) + (length > 0) + section.flag("remaining") != 1:
            raise section.error("a match is by one of field, length and remaining")
        name = take_name(section, self.declared)
        return Match(field, length, self._setting.order_of(section), name, self._cases(section))

    def _cases(self, section: Section) -> Cases:
        exact: dict[int | str, FieldList] = {}
        ranges: list[tuple[int, int, FieldList]] = []
        fallback: FieldList | None = None
        for place, key, tree in _case_items(section):
            body = self.field_list(tree, place.path)
            if key in FALLBACKS:
                fallback = body
                continue
            choices = parse_choices(place, key)
            for low, high in choices if not isinstance(choices, str) else ():
                if low == high:
                    exact.setdefault(low, body)
                else:
                    ranges.append((low, high, body))
            if isinstance(choices, str):
                exact[choices] = body
        default = section.take("default")
        if fallback is None and default is not None and default != "error":
            fallback = FieldList(()) if default == "skip" else self.field_list(default, section.at("default"))
        if not exact and not ranges and fallback is None:
            raise section.error("a match has cases")
        return Cases(exact, tuple(ranges), fallback)

    def _repeat(self, section: Section) -> Node:
        name = take_name(section, self.declared)
        if not name.name:
            raise section.error("an array has a name")
        index, count_as = section.text("index"), section.text("count_as")
        self.declared.names.update(item for item in (index, count_as) if item)
        bound = section.take_one("count", "count_field", "byte_length", "until")
        if bound is None:
            raise section.error("an array has one of count, byte_length and until")
        key, value = bound
        if key == "until" and value != "end":
            raise section.error("until is end, nothing else (PS-086)", "until")
        operand = None if key == "until" else self._size(section, key, value)
        reserve = section.integer("reserve", 0, MAX_PAYLOAD) or 0
        if reserve and operand is not None:
            raise section.error("reserve goes with until: end")
        most = section.integer("max", 0, MAX_COUNT)
        present, trailer = section.section("present_if"), section.take("trailer")
        trailing = None if trailer is None else self.field_list(trailer, section.at("trailer"))
        body = self._inside(section, name)
        return Repeat(
            name,
            body,
            operand if key.startswith("count") else None,
            operand if key == "byte_length" else None,
            section.integer("min", 0, MAX_COUNT) or 0,
            MAX_COUNT if most is None else most,
            index,
            count_as,
            None if present is None else take_condition(present, self.declared),
            tuple(
                (node.name.name, node.carry)
                for node in body.nodes
                if isinstance(node, Computed) and node.carry is not None
            ),
            reserve,
            trailing,
            section.flag("optional"),
        )

    def _size(self, section: Section, key: str, value: Tree) -> Operand:
        if isinstance(value, str):
            return as_operand(section, key, value, self.declared, bare=True)
        return Operand(literal=section.bounded(value, key, 0, MAX_PAYLOAD))

    def _tlv(self, section: Section) -> Node:
        order = self._setting.order
        tag, key = self._tag(section, order)
        length_type = section.text("length_type")
        length = 0 if length_type is None else _type_size(section, "length_type", length_type)
        unknown = section.word("unknown", "skip", "raw", "error") or "skip"
        merge = section.take("merge")
        if merge not in (None, True, False):
            raise section.error("true or false is expected", "merge")
        return Tlv(
            tag,
            key,
            self._tag_cases(section, len(key)),
            section.integer("length_size", 0, 4) or length,
            order,
            unknown,
            merge is not False,
            section.integer("reserve", 0, MAX_PAYLOAD) or 0,
        )

    def _tag(self, section: Section, order: Order) -> tuple[tuple[TagField, ...], tuple[int, ...]]:
        found = section.take_one("tag_size", "tag_type", "tag_fields")
        key, tree = found or ("tag_size", 1)
        if key != "tag_fields":
            size = _type_size(section, key, tree) if key == "tag_type" else section.bounded(tree, key, 1, 4)
            wire = find_wire(f"u{8 * size}", order)
            if wire is None:
                raise section.error("a tag is of 1, 2, 3 or 4 bytes", key)
            return (TagField("", wire, size),), (0,)
        fields = tuple(self._tag_field(item, order) for item in self._tag_sections(section, tree))
        names = [item.name for item in fields]
        keys = [str(item) for item in section.items("tag_key") or names]
        if not fields or not set(keys) <= set(names) or not keys:
            raise section.error("a tag is made of its fields", "tag_key")
        return fields, tuple(names.index(item) for item in keys)

    def _tag_sections(self, section: Section, tree: Tree) -> list[Section]:
        items = section.as_list(tree, "tag_fields")
        return [Section(item, f"{section.at('tag_fields')}[{index}]") for index, item in enumerate(items)]

    def _tag_field(self, section: Section, order: Order) -> TagField:
        name = take_name(section, self.declared)
        kind = section.text("type") or "u8"
        wire = find_wire(kind, "little" if (section.word("endian", "big", "little") or order) == "little" else "big")
        if wire is None or not wire.integral or not name.name:
            raise section.error("a field of a tag is a named integer")
        consume = section.integer("consume", 0, 8)
        section.drop(ANNOTATIONS)
        section.done()
        return TagField(name.name, wire, wire.advance if consume is None else consume)

    def _tag_cases(self, section: Section, width: int) -> TagCases:
        cases = section.section("cases")
        exact: dict[tuple[int, ...], FieldList] = {}
        wide: list[TagCase] = []
        fallback: FieldList | None = None
        for key, tree in cases.entries() if cases else ():
            place = Section({}, f"{section.at('cases')}[{key}]")
            body = self.field_list(tree, place.path)
            if key in FALLBACKS:
                fallback = body
                continue
            for parts in parse_tag(place, key, width):
                if any(part.rank for part in parts):
                    wide.append(TagCase(parts, body))
                else:
                    exact.setdefault(tuple(part.low for part in parts), body)
        if not exact and not wide and fallback is None:
            raise section.error("a tlv has cases")
        wide.sort(key=lambda case: _openness(case.key))
        return TagCases(exact, tuple(wide), fallback)


def get_discriminator(section: Section, key: str, declared: Declared) -> str | None:
    """The field a match chooses by, or None where it reads its own."""
    return get_name(section, key, declared) if key in section else None


def _case_items(section: Section) -> list[tuple[Section, Key, Tree]]:
    """The cases of a match by key: a mapping, or the early language's list of {case, fields}."""
    tree = section.take("cases")
    if isinstance(tree, list):
        found: list[tuple[Section, Key, Tree]] = []
        for index, item in enumerate(section.as_list(tree, "cases")):
            case = Section(item, f"{section.at('cases')}[{index}]")
            key = case.take("case")
            default = case.flag("default")
            found.append((case, "default" if default else _scalar(case, key), case.take("fields")))
            case.drop(ANNOTATIONS)
            case.done()
        return found
    if tree is None:
        return []
    cases = Section(tree, section.at("cases"))
    return [(Section({}, f"{cases.path}[{key}]"), key, body) for key, body in cases.entries()]


def _scalar(section: Section, tree: Tree) -> Key:
    if isinstance(tree, list):
        return f"[{', '.join(map(str, tree))}]"
    if tree is None or isinstance(tree, dict):
        raise section.error("a case has a value", "case")
    return tree


def _type_size(section: Section, key: str, tree: Tree) -> int:
    wire = find_wire(str(tree), "big")
    if wire is None or not wire.unsigned_bits or wire.size > 4:
        raise section.error(f"u8 to u32 is expected, this is {describe(tree)}", key)
    return wire.size


def _base_width(members: Tree) -> int:
    """The bytes a group's widest member is of, where the group does not say its size."""
    kinds = [item.get("type") for item in members if isinstance(item, dict)] if isinstance(members, list) else []
    wires = [wire for kind in kinds if isinstance(kind, str) and (wire := find_wire(kind, "big")) is not None]
    return max((wire.size for wire in wires), default=1)


def _openness(key: tuple[Part, ...]) -> list[int]:
    """How a key ranks: fewer wildcards go first, then fewer exclusions, then fewer ranges (PS-270)."""
    ranks = [part.rank for part in key]
    return [ranks.count(rank) for rank in (3, 2, 1)]
