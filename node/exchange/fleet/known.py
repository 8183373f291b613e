"""What is known of types here: serial lines of the node, types of its catalogs, asked by designation."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from node.passport.catalogs import DeviceType
from node.passport.errors import NumberError
from node.passport.lines import Lines, Reason, SerialLine, Unresolved
from node.passport.numbers import parse_grsi
from node.passport.plate import Nameplate, comparison_text


@dataclass(frozen=True, slots=True)
class Known:
    """Lines and types, and whether a text is a designation of one of them."""

    lines: Lines = field(default_factory=Lines)
    types: Mapping[str, DeviceType] = field(default_factory=dict)
    _names: dict[str, DeviceType] = field(default_factory=dict)
    _lined: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Index the types by their models and executions."""
        for kind in self.types.values():
            for name in (kind.model, *kind.executions):
                self._names.setdefault(comparison_text(name), kind)

    def knows(self, key: str) -> bool:
        """Whether a designation, in comparison form, is that of a line or a type."""
        return key in self._names or self.is_lined(key)

    def is_lined(self, key: str) -> bool:
        """Whether a line prints a designation, in comparison form."""
        if not len(self.lines):
            return False
        if key not in self._lined:
            found = self.lines.resolve(Nameplate(key, "1"))
            self._lined[key] = not isinstance(found, Unresolved) or found.reason is not Reason.UNKNOWN
        return self._lined[key]

    def find_type(self, key: str) -> DeviceType | None:
        """The type of a designation in comparison form, or None."""
        return self._names.get(key)

    def find_line(self, plate: Nameplate, on: datetime.date | None) -> SerialLine | None:
        """The one line of a plate, whether or not its serial fits; None where there is none or several."""
        found = self.lines.resolve(plate, on)
        if isinstance(found, SerialLine):
            return found
        fits = found.reason in (Reason.SERIAL, Reason.CONTRADICTED) and len(found.candidates) == 1
        return self.lines.find(found.candidates[0]) if fits else None

    def approvals(self, key: str, line: SerialLine | None) -> tuple[str, ...]:
        """The approvals that are known of a designation."""
        if line is not None and line.approvals:
            return tuple(dict.fromkeys(held.name for held in line.approvals))
        kinds = {str(kind.approval) for name, kind in self._names.items() if name == key}
        return tuple(sorted(kinds))


def same_approval(one: str, other: str) -> bool:
    """Whether two approval numbers are of one type: the number counts, the year behind it is that of its renewal."""
    try:
        return parse_grsi(one).number == parse_grsi(other).number
    except NumberError:
        return comparison_text(one) == comparison_text(other)
