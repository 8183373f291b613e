"""Suggestions: which known devices a plate may be of where its line does not tell. Never a merge: a person decides.

The asking side spells every serial that one slip away could have been read as (a lost zero, a look-alike, one character
wrong, missing, doubled or swapped) in its bare form, and looks all of them up exactly. What is found is weighed by what
else stands on the plates: line or designation, approval, mark, year, and the place where the thing was seen.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from node.passport.errors import PlateError
from node.passport.lines import Lines, approval_key, without_kind
from node.passport.makers import bare_name
from node.passport.places import Places, compare_places
from node.passport.plate import AS_DIGIT, DIGITS, LETTERS, LOOK_ALIKE, PlateLike, comparison_text, cut_label, plate_text

SHOWN = 3
LONGEST = 24  # characters of a bare serial whose neighbours are spelled; longer ones are looked up as they are
LEAST_SCORE = 2.0
LETTERS_END = 2  # a serial opens with at most so many letters
LEAST_PART = 4  # characters of a part of a serial that is looked up by itself


class Slip(StrEnum):
    """How two serials differ, from the least to the most."""

    NONE = "same-serial"
    LOOK_ALIKE = "look-alike"
    SWAPPED = "swapped"
    DIGIT = "one-character"
    LENGTH = "one-more-or-less"
    PART = "with-more-text"


class Sign(StrEnum):
    """What speaks for a suggestion, or against it."""

    LINE = "same-line"
    DESIGNATION = "same-designation"
    NEAR_DESIGNATION = "near-designation"
    OTHER_DESIGNATION = "other-designation"
    APPROVAL = "same-approval"
    OTHER_APPROVAL = "other-approval"
    MARK = "same-mark"
    OTHER_MARK = "other-mark"
    YEAR = "same-year"
    OTHER_YEAR = "other-year"
    PLACE = "same-place"
    OTHER_PLACE = "other-place"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A plate and where the thing was seen; the place is empty where nobody said."""

    plate: PlateLike
    place: str = ""


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device that a look-up gave, with everything that was read off it."""

    subject: bytes
    sightings: tuple[Sighting, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A device that the plate may be of, with what speaks for it and against it."""

    subject: bytes
    score: float
    slip: Slip
    signs: tuple[Sign, ...]


def bare_serial(serial: str) -> str:
    """A serial without separators and without the zeros that open its digits; empty where it has no plate text."""
    text = _whole(serial)
    letters = next((at for at, character in enumerate(text) if character in DIGITS), len(text))
    return text[:letters] + (text[letters:].lstrip("0") or text[letters:][-1:])


def serials_near(serial: str) -> dict[str, Slip]:
    """Every bare serial that a slip could have made of this one, with the least slip for each."""
    bare = bare_serial(serial)
    if not bare:
        return {}
    found: dict[str, Slip] = {bare: Slip.NONE}
    if len(bare) > LONGEST:
        return found
    order = list(Slip)
    # Zeros that open it may have been misread too; where they were lost there is nothing else to spell.
    for text, slip in dict.fromkeys((*_slips(bare), *_slips(_whole(serial)), *_parts(serial))):
        spelled = bare_serial(text)
        if spelled and (spelled not in found or order.index(slip) < order.index(found[spelled])):
            found[spelled] = slip
    return found


def suggest(sighting: Sighting, known: Iterable[KnownDevice], lines: Lines, most: int = SHOWN) -> list[Suggestion]:
    """The devices that this plate may be of, the likeliest first; ties stand by subject."""
    near = serials_near(sighting.plate.serial)
    found = [best for device in known if (best := _best(sighting, device, near, lines)) is not None]
    return sorted(found, key=lambda s: (-s.score, s.subject))[:most]


_COST = {Slip.NONE: 0.0, Slip.LOOK_ALIKE: 0.5, Slip.SWAPPED: 1.5, Slip.DIGIT: 1.5, Slip.LENGTH: 2.0, Slip.PART: 2.0}
_WEIGHT = {
    Sign.LINE: 3.0,
    Sign.DESIGNATION: 3.0,
    Sign.NEAR_DESIGNATION: 1.5,
    Sign.OTHER_DESIGNATION: -2.0,
    Sign.APPROVAL: 2.0,
    Sign.OTHER_APPROVAL: -2.0,
    Sign.MARK: 1.0,
    Sign.OTHER_MARK: -1.0,
    Sign.YEAR: 1.0,
    Sign.OTHER_YEAR: -0.5,
    Sign.PLACE: 4.0,
    Sign.OTHER_PLACE: -4.0,
}


def _slips(bare: str) -> Iterator[tuple[str, Slip]]:
    as_digits = "".join(AS_DIGIT.get(character, character) for character in bare)
    yield as_digits, Slip.LOOK_ALIKE
    for at, character in enumerate(bare):
        before, after = bare[:at], bare[at + 1 :]
        for letter in LOOK_ALIKE.get(character, AS_DIGIT.get(character, "")):
            yield before + letter + after, Slip.LOOK_ALIKE
        if after:
            yield before + after[0] + character + after[1:], Slip.SWAPPED
        # Letters stand where a serial begins: further on a digit is misread as one only where they look alike.
        others = DIGITS if character in DIGITS and at >= LETTERS_END else DIGITS + LETTERS
        for other in others:
            yield before + other + after, Slip.DIGIT
        yield before + after, Slip.LENGTH
    if bare[:1] in DIGITS:
        for letter in LETTERS:
            yield letter + bare, Slip.LENGTH
    for at in range(len(bare) + 1):
        for digit in DIGITS:
            yield bare[:at] + digit + bare[at:], Slip.LENGTH


def _whole(serial: str) -> str:
    try:
        return plate_text(cut_label(serial)).replace("-", "")
    except PlateError:
        return ""


def _parts(serial: str) -> Iterator[tuple[str, Slip]]:
    """What is left of a serial without the word, the year or the letters that somebody wrote beside it."""
    words = " ".join(comparison_text(serial).split("-")).split()
    whole = "".join(words)
    for part in ("".join(words[:-1]), "".join(words[1:]), whole.strip(LETTERS), whole.rstrip(LETTERS)):
        if LEAST_PART <= len(part) <= LONGEST and part != whole and any(character in DIGITS for character in part):
            yield part, Slip.PART


def _best(asked: Sighting, device: KnownDevice, near: Mapping[str, Slip], lines: Lines) -> Suggestion | None:
    weighed = []
    for other in device.sightings:
        slip = near.get(bare_serial(other.plate.serial))
        if slip is not None:
            signs = tuple(_signs(asked, other, lines))
            weighed.append((sum(_WEIGHT[sign] for sign in signs) - _COST[slip], slip, signs))
    if not weighed:
        return None
    score, slip, signs = max(weighed, key=lambda item: (item[0], item[1].value))
    return Suggestion(device.subject, score, slip, signs) if score >= LEAST_SCORE else None


def _signs(asked: Sighting, other: Sighting, lines: Lines) -> Iterator[Sign]:
    one, two = asked.plate, other.plate
    yield _designations(one, two, lines)
    yield from _compared(_approvals(one), _approvals(two), Sign.APPROVAL, Sign.OTHER_APPROVAL)
    yield from _compared(_mark(one.mark), _mark(two.mark), Sign.MARK, Sign.OTHER_MARK)
    yield from _compared(_text(one.year), _text(two.year), Sign.YEAR, Sign.OTHER_YEAR)
    match compare_places(asked.place, other.place):
        case Places.SAME:
            yield Sign.PLACE
        case Places.DIFFERENT:
            yield Sign.OTHER_PLACE


def _designations(one: PlateLike, two: PlateLike, lines: Lines) -> Sign:
    if lines.near(one) & lines.near(two):
        return Sign.LINE
    if comparison_text(one.designation) == comparison_text(two.designation):
        return Sign.DESIGNATION
    near = _without_separators(without_kind(one.designation)) == _without_separators(without_kind(two.designation))
    return Sign.NEAR_DESIGNATION if near else Sign.OTHER_DESIGNATION


def _without_separators(text: str) -> str:
    return "".join(AS_DIGIT.get(character, character) for character in text if character != "-")


def _compared(left: frozenset[str], right: frozenset[str], same: Sign, other: Sign) -> Iterator[Sign]:
    if left and right:
        yield same if left & right else other


def _approvals(plate: PlateLike) -> frozenset[str]:
    return frozenset(map(approval_key, plate.approvals))


def _mark(value: str | None) -> frozenset[str]:
    return frozenset({bare_name(value)}) if value else frozenset()


def _text(value: str | None) -> frozenset[str]:
    return frozenset({comparison_text(value)}) if value else frozenset()
