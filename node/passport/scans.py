"""What somebody typed or scanned off a thing: an id of ours, a code of its maker, or a plate; and what is odd in it."""

import re
from dataclasses import dataclass, field, replace

from node.passport.claims import Claim
from node.passport.codes import claim_of_code
from node.passport.ids import SubjectId, looks_like_device_id, parse_device_id
from node.passport.lines import Lines, Reason, SerialLine, Unresolved
from node.passport.plate import Nameplate, fill_plate
from node.passport.serials import SerialFinding, check_serial

_LABEL = re.compile(r"/d/([^/?#\s]+)/?$")


@dataclass(frozen=True, slots=True)
class Filled:
    """What a person filled in: one text, or the parts of a plate; parts that are filled in stand before the text."""

    text: str = ""
    designation: str = ""
    serial: str = ""
    mark: str = ""
    year: str = ""
    approval: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """What it is: the id on a label of ours, else a plate as far as it is there, with the claim of a scanned code."""

    subject: SubjectId | None = None
    plate: Nameplate = field(default_factory=lambda: Nameplate("", ""))
    code: Claim | None = None

    @property
    def is_whole(self) -> bool:
        """Whether a plate can be stated of it."""
        return bool(self.plate.designation and self.plate.serial)


@dataclass(frozen=True, slots=True)
class PlateCheck:
    """What the published lines say of a plate: its line, or why there is none; and what is wrong with the serial."""

    line: SerialLine | None
    reason: Reason | None
    finding: SerialFinding | None


def read_scan(filled: Filled, lines: Lines) -> Scan:
    """Tell what was filled in; raise DeviceIdError where it is an id of ours with a slip of the pen."""
    typed = filled.text.strip()
    if subject := _own_id(typed):
        return Scan(subject=subject)
    code = claim_of_code(typed) if typed else None
    read = lines.read_typed(typed) if typed and code is None else None
    designation = filled.designation.strip() or (read.designation if read else "")
    serial = filled.serial.strip() or (read.serial if read else code.serial if code and code.issuer else "")
    plate = fill_plate(designation, serial, mark=filled.mark, year=filled.year, approval=filled.approval)
    return Scan(plate=replace(plate, codes=(typed,)) if code else plate, code=code)


def check_plate(plate: Nameplate, lines: Lines) -> PlateCheck:
    """Compare a plate with the lines that count."""
    line = lines.resolve(plate)
    reason = None
    if isinstance(line, Unresolved):
        reason = line.reason
        near = lines.find(line.candidates[0]) if reason is Reason.SERIAL else None
        return PlateCheck(None, reason, check_serial(near.serial, plate.serial) if near else None)
    if line.restarts_yearly and not plate.year:
        reason = Reason.NO_YEAR
    return PlateCheck(line, reason, check_serial(line.serial, plate.serial))


def _own_id(typed: str) -> SubjectId | None:
    label = _LABEL.search(typed)
    text = label[1] if label else typed
    return parse_device_id(text) if looks_like_device_id(text) else None
