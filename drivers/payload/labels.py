"""Tables from numbers to labels: `lookup` in its two forms, and the values of an enum.

A sequence is indexed from zero and an index past it is an error (PS-105); a mapping leaves an unlisted number out
(PS-269), unless a default stands for it, which may name the number as `${value}` (PS-406).
"""

from dataclasses import dataclass
from decimal import Decimal

from drivers.errors import EncodeError, FrameError
from drivers.payload.document import Key, Tree
from drivers.payload.keys import parse_bounds
from drivers.payload.section import MAX_TEXT, Section, describe
from drivers.payload.values import Given, Number, as_integer, as_number, format_value

Label = int | Decimal | str
_PLACE = "${value}"


@dataclass(frozen=True, slots=True)
class Table:
    """Labels by number. `closed` is a sequence: nothing is beyond it."""

    labels: dict[int, Label]
    default: Label | None = None
    closed: bool = False

    def label(self, number: Number) -> Label | None:
        """The label of a number, or None where it has none; raise FrameError past a sequence."""
        whole = as_integer(number)
        label = None if whole is None else self.labels.get(whole)
        if label is None and self.closed:
            raise FrameError(f"{format_value(number)} is no index of {len(self.labels)} labels")
        if label is None and isinstance(self.default, str):
            return self.default.replace(_PLACE, format_value(number))
        return self.default if label is None else label

    def number(self, label: Given) -> Number:
        """The number of a label, or a number as it is; raise EncodeError for a label that stands for no one number."""
        for number, known in self.labels.items():
            # A label true is neither 1 nor "true" (PS-513).
            if known == label and isinstance(known, bool) == isinstance(label, bool):
                return number
        found = self._from_default(label) if isinstance(label, str) else as_number(label)
        if found is None:
            raise EncodeError(f"{label!r} is none of the labels")
        return found

    def _from_default(self, label: str) -> Number | None:
        if not isinstance(self.default, str) or _PLACE not in self.default:
            return None
        before, _, after = self.default.partition(_PLACE)
        digits = label.removeprefix(before).removesuffix(after)
        if label != f"{before}{digits}{after}" or len(digits) > 40:
            return None
        try:
            number = as_number(Decimal(digits))
        except ArithmeticError:
            return None
        return number if number is not None and format_value(number) == digits else None


def take_lookup(section: Section) -> Table | None:
    """The table under `lookup`, or None."""
    tree = section.take("lookup")
    return None if tree is None else table_of(section, "lookup", tree)


def take_values(section: Section) -> Table:
    """The labels of an enum, under `values`, with its `default`."""
    tree = section.take("values")
    if tree is None:
        raise section.error("an enum has values")
    table = table_of(section, "values", tree)
    default = section.take("default")
    if default is not None:
        return Table(table.labels, _label(section, "default", default))
    return Table(table.labels, table.default)


def table_of(section: Section, key: str, tree: Tree) -> Table:
    """The table of a list or a mapping; raise DocumentError."""
    if isinstance(tree, list):
        items = section.as_list(tree, key)
        if not items:
            raise section.error("a table has labels", key)
        return Table({index: _label(section, key, item) for index, item in enumerate(items)}, closed=True)
    entries = Section(tree, section.at(key))
    labels: dict[int, Label] = {}
    default: Label | None = None
    for number, item in entries.entries():
        if number == "default":
            default = _label(section, key, item)
        else:
            labels[_index(entries, number)] = _label(section, key, item)
    return Table(labels, default)


def _index(entries: Section, key: Key) -> int:
    if isinstance(key, str):
        bounds = parse_bounds(entries, key)
        if bounds is None or bounds[0] != bounds[1]:
            raise entries.error(f"a number or default is expected, this is {key!r}")
        return bounds[0]
    if not isinstance(key, int) or isinstance(key, bool):
        raise entries.error(f"a number or default is expected, this is {key}")
    return key


def _label(section: Section, key: str, tree: Tree) -> Label:
    if isinstance(tree, dict):  # {name, description} of an enum value (PS-394)
        entry = Section(tree, section.at(key))
        name = entry.take("name")
        entry.drop(frozenset({"description"}))
        entry.done()
        tree = name
    if tree is None or isinstance(tree, list | dict) or (isinstance(tree, str) and len(tree) > MAX_TEXT):
        raise section.error(f"a label is a text or a number, this is {describe(tree)}", key)
    return tree
