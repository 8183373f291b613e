"""The packing list of a part of a shipment: what is printed on each device, and in which box it lies.

The seller signs it with the offer, so that a storekeeper reads serials before the passports come with the acceptance.
It goes by the order of the devices in the section `authority`, and is read leniently: what of it cannot be read is
nothing, and no offer is worse for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from federation.fragment import MAX_SECTION, pad
from node.passport.bodies import PackingBody, WordsBody
from node.passport.errors import BodyError
from node.passport.plate import comparison_text, cut_label, number_text, split_typed
from node.passport.shipments import NewPart

BETWEEN = " № "  # in titles of passports, between designation and serial


@dataclass(frozen=True, slots=True)
class Packed:
    """A line of the list: designation, serial as it is printed, the seller's place; texts are empty where unknown."""

    name: str = ""
    serial: str = ""
    place: str = ""

    @property
    def title(self) -> str:
        """As a passport would be called."""
        return f"{self.name}{BETWEEN}{self.serial}".strip() if self.serial else self.name

    @property
    def term(self) -> str:
        """The serial as it is compared."""
        return number_text(cut_label(self.serial)) if self.serial else ""

    def differs(self, title: str) -> bool:
        """Whether a passport of that title tells of another device than the line does."""
        return bool(self.serial) and comparison_text(self.title) != comparison_text(title)

    def is_called(self, text: str) -> bool:
        """Whether a text that has designation and serial names this device; one of a serial alone says no other."""
        typed = split_typed(text.strip())
        return not self.name or typed is None or comparison_text(typed[0]) == comparison_text(self.name)


def packed_of(title: str, place: str = "") -> Packed:
    """The line of a device whose passport has that title; a title that was read off no plate is not printed there."""
    name, _, serial = f" {title} ".partition(BETWEEN)
    return Packed(name.strip(), serial.strip(), place) if BETWEEN.strip() in title else Packed(place=place)


def with_lists(parts: Sequence[NewPart], listed: Mapping[bytes, Packed]) -> Iterator[tuple[NewPart, bytes]]:
    """Each part with its list as it is signed; a part whose list is larger than a section goes as two."""
    for part in parts:
        raw = _body([listed.get(device, Packed()) for device in sorted(part.devices)]).to_bytes()
        if len(pad(raw)) <= MAX_SECTION or len(part.devices) == 1:
            yield part, raw
            continue
        half = len(part.devices) // 2
        halves = [replace(part, devices=some) for some in (part.devices[:half], part.devices[half:])]
        yield from with_lists(halves, listed)


def read_list(raw: bytes, devices: Sequence[bytes]) -> dict[bytes, Packed]:
    """The lines of these devices, in their order; nothing where it is no list."""
    try:
        body = PackingBody.from_bytes(raw)
    except (BodyError, ValueError, RecursionError):
        return {}
    names, places = _texts(body.names, len(devices)), _texts(body.places, len(devices))
    lines = zip(devices, names, body.serials, places, strict=False)
    return {device: Packed(name, serial, place) for device, name, serial, place in lines}


def _body(lines: Sequence[Packed]) -> PackingBody:
    return PackingBody(
        names=_words([line.name for line in lines]),
        serials=tuple(line.serial for line in lines),
        places=_words([line.place for line in lines]),
    )


def _words(texts: Sequence[str]) -> WordsBody:
    places = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    return WordsBody(words=tuple(places), at=tuple(places[text] for text in texts) if len(places) > 1 else None)


def _texts(body: WordsBody, count: int) -> list[str]:
    """A text for each device; empty where the list says none."""
    words = dict(enumerate(body.words))
    at = (0,) * count if body.at is None else body.at
    return [words.get(n, "") for n in at[:count]] + [""] * (count - len(at))
