"""Names inside a document: what a field is called, what it refers to, and the conditions on what was decoded before.

A reference is `$name`; where a key can hold nothing else, also `name`. What nobody declares is an error when the
document is read; what a payload did not bring has no value.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt, ne

from drivers.errors import DocumentError, EncodeError, FrameError
from drivers.payload.cursor import MAX_NAME, Claims, Inputs, Sink, Source
from drivers.payload.document import Tree
from drivers.payload.section import Section, describe
from drivers.payload.values import Given, Number, Value, as_integer, as_number, format_value

RESERVED = frozenset({"_meta", "_quality", "_warnings"})
_PLACE = re.compile(r"\$\{([^{}$]+)\}")
_Test = Callable[[Number, Number], bool]
_COMPARISONS: dict[str, _Test] = {"gt": gt, "gte": ge, "lt": lt, "lte": le, "eq": eq, "ne": ne}


@dataclass(frozen=True, slots=True)
class Declared:
    """The names a document declares and those it refers to, with the places of the references."""

    names: set[str] = field(default_factory=set)
    references: dict[str, str] = field(default_factory=dict)

    def refer(self, name: str, path: str) -> str:
        """Note a reference and give its name without the sign."""
        bare = name.removeprefix("$")
        self.references.setdefault(bare, path)
        return bare

    def check(self) -> None:
        """Raise DocumentError for a reference to what no field declares."""
        for name, path in self.references.items():
            if name not in self.names:
                raise DocumentError(f"{path}: no field and no var is called {name!r}")


@dataclass(frozen=True, slots=True)
class Operand:
    """A value of the document, or a reference to one of the payload."""

    literal: Value | None = None
    name: str | None = None

    def value(self, names: Mapping[str, object]) -> object:
        """The value now, or None."""
        return self.literal if self.name is None else names.get(self.name)


def take_operand(section: Section, key: str, declared: Declared, *, bare: bool = False) -> Operand | None:
    """What stands under a key, or None; text without `$` is a name only where `bare`."""
    tree = section.take(key)
    return None if tree is None else as_operand(section, key, tree, declared, bare=bare)


def as_operand(section: Section, key: str, tree: Tree, declared: Declared, *, bare: bool = False) -> Operand:
    """This value as an operand."""
    if isinstance(tree, str) and (bare or tree.startswith("$")):
        return Operand(name=declared.refer(tree, section.at(key)))
    if tree is None or isinstance(tree, list | dict):
        raise section.error(f"a value or a $reference is expected, this is {describe(tree)}", key)
    return Operand(literal=tree)


def get_name(section: Section, key: str, declared: Declared) -> str:
    """The name referred to under a key that must hold one."""
    text = section.text(key)
    if not text:
        raise section.error("a reference is expected", key)
    return declared.refer(text, section.at(key))


@dataclass(frozen=True, slots=True)
class Condition:
    """Comparisons of one value, all of which must hold."""

    name: str
    comparisons: tuple[tuple[_Test, Operand], ...]

    def holds(self, names: Mapping[str, object]) -> bool:
        """Whether it does; not for a value that is not there."""
        value = names.get(self.name)
        return value is not None and all(_compare(test, value, item.value(names)) for test, item in self.comparisons)


def take_condition(section: Section, declared: Declared) -> Condition:
    """One condition of a guard or of `present_if`; raise DocumentError."""
    name = get_name(section, "field", declared)
    found = [
        (test, operand)
        for word, test in _COMPARISONS.items()
        if (operand := take_operand(section, word, declared)) is not None
    ]
    if not found:
        raise section.error(f"one of {', '.join(_COMPARISONS)} is expected")
    section.done()
    return Condition(name, tuple(found))


@dataclass(frozen=True, slots=True)
class Template:
    """Text with places, as `channel_${ch}_reading`."""

    text: str

    def fill(self, names: Mapping[str, object]) -> str | None:
        """The text with what was decoded, or None where a value is missing or the text becomes too long."""
        values = {name: names.get(name) for name in _PLACE.findall(self.text)}
        if None in values.values():
            return None
        text = _PLACE.sub(lambda match: format_value(values[match[1]]), self.text)
        return text if len(text) <= MAX_NAME else None


@dataclass(frozen=True, slots=True)
class Name:
    """What a field is called: in the output, in references, and whether it is reported at all.

    `reported` is whether the value is put out: a name that begins with _ is internal (PS-432). `plain` is the usual
    case, a name that is the key and nothing else.
    """

    name: str = ""
    alias: str | None = None
    template: Template | None = None
    reported: bool = field(init=False)
    plain: bool = field(init=False)

    def __post_init__(self) -> None:
        """Settle what every read would ask again."""
        reported = bool(self.name) and not self.name.startswith("_")
        object.__setattr__(self, "reported", reported)
        object.__setattr__(self, "plain", reported and self.alias is None and self.template is None)

    def claims(self, *, spared: bool = False) -> Claims:
        """The key its value has among others, where it is known before a run; `spared` is one that may be missing."""
        names = frozenset({self.name} if self.reported and self.template is None else ())
        return Claims(frozenset() if spared else names, names)

    def store(self, source: Source, out: dict[str, Value], value: Value) -> None:
        """Keep a decoded value for references, and put it out."""
        if self.plain:
            source.names[self.name] = out[self.name] = value
            return
        if not self.name:
            return
        source.names[self.name] = value
        if self.alias is not None:
            source.names[self.alias] = value
        if self.template is not None:
            key = self.template.fill(source.names)
            if key is None:
                raise FrameError(f"byte {source.at}: {self.template.text} cannot be filled")
            out[key] = value
        elif self.reported:
            out[self.name] = value

    def key(self, sink: Sink) -> str:
        """The key of the value to write."""
        if self.template is None:
            return self.name
        key = self.template.fill(sink.names)
        if key is None:
            raise EncodeError(f"{self.template.text} cannot be filled")
        return key

    def find(self, sink: Sink, inputs: Inputs) -> Given | None:
        """The value to write, given or inferred, or None."""
        value = inputs.get(self.key(sink)) if self.name else None
        return sink.names.get(self.name) if value is None else value

    def bind(self, sink: Sink, value: Given) -> None:
        """Keep a written value for references."""
        if self.name:
            sink.names[self.name] = value
        if self.alias is not None:
            sink.names[self.alias] = value


def take_name(section: Section, declared: Declared) -> Name:
    """The name of a field; raise DocumentError."""
    name, alias, template = section.text("name"), section.text("var"), section.text("name_from")
    if name in RESERVED:
        raise section.error(f"{name} is reserved for what an interpreter says", "name")
    if template is not None:
        if name is None:
            raise section.error("a field with name_from has a name too")
        places = _PLACE.findall(template)
        if "$" in _PLACE.sub("", template):
            raise section.error("a place is written ${name}", "name_from")
        for place in places:
            declared.refer(place, section.at("name_from"))
    declared.names.update(item for item in (name, alias) if item)
    return Name(name or "", alias, Template(template) if template is not None else None)


def size_of(operand: Operand, names: Mapping[str, object], what: str, limit: int) -> int:
    """The count or length an operand says; raise FrameError unless it is an integer from 0 to the limit."""
    size = as_integer(operand.value(names))
    if size is None or not 0 <= size <= limit:
        raise FrameError(f"{what}: {operand.name or 'the size'} says {operand.value(names)}, 0 to {limit} is expected")
    return size


def _compare(test: _Test, left: object, right: object) -> bool:
    one, other = as_number(left), as_number(right)
    if one is not None and other is not None:
        return test(one, other)
    return (left == right) is (test is eq) if test in (eq, ne) else False
