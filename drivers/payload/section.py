"""One mapping of a document, taken key by key: every key is asked for once, and what nobody asked for is an error.

A path, as `fields[3].lookup`, says in every error where in the document it is.
"""

from collections.abc import Iterator
from decimal import Decimal

from drivers.errors import DocumentError
from drivers.payload.document import Key, Tree
from drivers.payload.values import Number

MAX_TEXT = 256
MAX_ITEMS = 1024


class Section:
    """A mapping at a path. `done()` refuses what was not taken."""

    def __init__(self, tree: Tree, path: str) -> None:
        if not isinstance(tree, dict):
            raise DocumentError(f"{path}: a mapping is expected, this is {describe(tree)}")
        self.path = path
        self._entries = tree
        self._left = dict.fromkeys(tree)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def error(self, rule: str, key: str | None = None) -> DocumentError:
        """An error at this place, or at one of its keys."""
        return DocumentError(f"{self.at(key) if key else self.path}: {rule}")

    def at(self, key: object) -> str:
        """The path of a key."""
        return f"{self.path}.{key}" if self.path else str(key)

    def take(self, key: str) -> Tree:
        """What stands under a key, or None; the key counts as read."""
        self._left.pop(key, None)
        return self._entries.get(key)

    def take_one(self, *keys: str) -> tuple[str, Tree] | None:
        """The one of several spellings that is here, with its value; raise DocumentError if two are."""
        found = [key for key in keys if key in self._entries]
        if len(found) > 1:
            raise self.error(f"{' and '.join(found)} exclude each other")
        return (found[0], self.take(found[0])) if found else None

    def drop(self, keys: frozenset[str]) -> None:
        """Let keys that say nothing of bytes stand."""
        for key in keys & self._left.keys():
            del self._left[key]

    def done(self) -> None:
        """Raise DocumentError for the first key that the language does not have here."""
        for key in self._left:
            raise self.error(f"the language has no key {key!r} here")

    def section(self, key: str) -> "Section | None":
        """The mapping under a key, or None."""
        tree = self.take(key)
        return None if tree is None else Section(tree, self.at(key))

    def text(self, key: str) -> str | None:
        """The text under a key, or None; at most MAX_TEXT characters."""
        value = self.take(key)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise self.error(f"a text of at most {MAX_TEXT} characters is expected, this is {describe(value)}", key)
        return value

    def word(self, key: str, *words: str) -> str | None:
        """One of these words under a key, or None."""
        value = self.text(key)
        if value is not None and value not in words:
            raise self.error(f"{value!r} is none of {', '.join(words)}", key)
        return value

    def integer(self, key: str, low: int, high: int) -> int | None:
        """The integer under a key, within bounds, or None."""
        value = self.take(key)
        if value is None:
            return None
        return self.bounded(value, key, low, high)

    def bounded(self, value: Tree, key: str, low: int, high: int) -> int:
        """This value as an integer within bounds."""
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.error(f"an integer from {low} to {high} is expected, this is {describe(value)}", key)
        return value

    def number(self, key: str) -> Number | None:
        """The number under a key, or None."""
        value = self.take(key)
        return None if value is None else self.as_number(value, key)

    def as_number(self, value: Tree, key: str) -> Number:
        """This value as a number."""
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            raise self.error(f"a number is expected, this is {describe(value)}", key)
        return value

    def flag(self, key: str) -> bool:
        """The truth under a key; absent is false."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            raise self.error(f"true or false is expected, this is {describe(value)}", key)
        return bool(value)

    def items(self, key: str) -> list[Tree] | None:
        """The list under a key, or None."""
        value = self.take(key)
        return None if value is None else self.as_list(value, key)

    def as_list(self, value: Tree, key: str) -> list[Tree]:
        """This value as a list of at most MAX_ITEMS."""
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise self.error(f"a list of at most {MAX_ITEMS} is expected, this is {describe(value)}", key)
        return value

    def sections(self, key: str) -> "Iterator[Section]":
        """The mappings of the list under a key."""
        for index, item in enumerate(self.items(key) or ()):
            yield Section(item, f"{self.at(key)}[{index}]")

    def entries(self) -> Iterator[tuple[Key, Tree]]:
        """Every key with its value, all taken: for mappings whose keys are data."""
        self._left.clear()
        if len(self._entries) > MAX_ITEMS:
            raise self.error(f"at most {MAX_ITEMS} entries are expected, here are {len(self._entries)}")
        yield from self._entries.items()


def describe(tree: Tree) -> str:
    """What a value is, short enough for an error."""
    if isinstance(tree, dict):
        return f"a mapping of {len(tree)}"
    if isinstance(tree, list):
        return f"a list of {len(tree)}"
    text = repr(tree) if isinstance(tree, str) else str(tree)
    return text if len(text) <= 60 else f"{text[:57]}..."
