"""Record headers, EN 13757-3 clauses 6.2-6.4: DIF and DIFEs, VIF and VIFEs, read once and kept.

DIF: bit 7 another follows, bit 6 the lowest bit of the storage number, bits 4-5 the function, bits 0-3 the data. A DIFE
adds four bits of storage number, two of tariff and one of subunit. At most ten DIFEs and ten VIFEs stand in one header.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from drivers.errors import FrameError
from drivers.mbus import meanings
from drivers.mbus.meanings import Meaning, Shape

MAX_EXTENSIONS = 10
MAX_HEADERS_KEPT = 4096
PLAIN_TEXT = "plain_text:"
_MORE = 0x80
_TEXT, _ANY, _MAKER = 0x7C, 0x7E, 0x7F
_ALTERNATE, _SECOND, _EXTENSION = 0xFB, 0xFD, 0x7C
_ONE = Decimal(1)


class Function(StrEnum):
    """What of a quantity a record tells."""

    INSTANTANEOUS = "instantaneous"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    ERROR = "error"


_FUNCTIONS = tuple(Function)


@dataclass(frozen=True, slots=True)
class Header:
    """A record's DIB and VIB: value = raw * scale + offset, in `unit`; `data` is the low half of the DIF."""

    raw: bytes
    data: int
    function: Function
    storage: int
    tariff: int
    subunit: int
    quantity: str
    unit: str
    shape: Shape
    scale: Decimal
    offset: Decimal
    modifiers: tuple[str, ...]


def find_end(data: bytes, start: int, where: int) -> int:
    """Where the header that begins at `start` ends; raise FrameError, naming the place as `where` more."""
    at = start
    try:
        at = _skip_extensions(data, start, where)
        if data[at] & _MAKER == _TEXT:
            # The text of a plain-text VIF stands between it and its VIFEs: its length, then its letters.
            vif, at = data[at], at + 2 + data[at + 1]
            if not vif & _MORE:
                return _within(data, at)
            at -= 1
        return _within(data, _skip_extensions(data, at, where))
    except IndexError:
        raise FrameError(f"byte {where + start}: the header of a record goes on behind the end") from None


@lru_cache(maxsize=MAX_HEADERS_KEPT)
def decode_header(raw: bytes) -> Header:
    """Read a complete header, as `find_end` delimits it."""
    dif, at = raw[0], 1
    storage, tariff, subunit = dif >> 6 & 1, 0, 0
    while raw[at - 1] & _MORE:
        dife, place = raw[at], at - 1
        storage |= (dife & 0x0F) << 4 * place + 1
        tariff |= (dife >> 4 & 3) << 2 * place
        subunit |= (dife >> 6 & 1) << place
        at += 1
    meaning, extensions = _meaning(raw[at:])
    modified = _modified(meaning, extensions)
    return Header(
        raw,
        dif & 0x0F,
        _FUNCTIONS[dif >> 4 & 3],
        storage,
        tariff,
        subunit,
        meaning.quantity,
        modified.unit,
        modified.shape,
        modified.scale,
        modified.offset,
        tuple(modified.words),
    )


def _skip_extensions(data: bytes, at: int, where: int) -> int:
    """Behind the byte at `at` and those that its highest bit announces."""
    limit = at + 1 + MAX_EXTENSIONS
    while data[at] & _MORE:
        at += 1
        if at == limit:
            raise FrameError(f"byte {where + at}: a record has {MAX_EXTENSIONS} DIFEs and VIFEs each at most")
    return at + 1


def _within(data: bytes, at: int) -> int:
    if at > len(data):
        raise IndexError
    return at


def _meaning(vib: bytes) -> tuple[Meaning, bytes]:
    """What the VIF says, and the VIFEs behind it."""
    vif = vib[0]
    if vif & _MAKER == _TEXT:
        end = 2 + vib[1]
        return Meaning(PLAIN_TEXT + vib[2:end][::-1].decode("latin-1")), vib[end:]
    if vif in (_ALTERNATE, _SECOND):
        table, prefix = (meanings.ALTERNATE, "fb") if vif == _ALTERNATE else (meanings.SECOND, "fd")
        code = vib[1] & _MAKER
        return table.get(code) or Meaning(f"unknown_{prefix}{code:02x}"), vib[2:]
    code = vif & _MAKER
    if code == _MAKER:
        return Meaning("manufacturer_specific"), vib[1:]
    if code == _ANY:
        return Meaning("any"), vib[1:]
    return meanings.PRIMARY.get(code) or Meaning(f"unknown_{code:02x}"), vib[1:]


@dataclass(slots=True)
class _Modified:
    """A meaning while VIFEs change it."""

    unit: str
    shape: Shape
    scale: Decimal
    offset: Decimal
    words: list[str]

    def apply(self, code: int) -> None:
        """Take one combinable VIFE (table 15)."""
        if 0x70 <= code <= 0x77:
            self.scale = self.scale.scaleb(code - 0x76)
        elif code == 0x7D:
            self.scale = self.scale.scaleb(3)
        elif 0x78 <= code <= 0x7B:
            self.offset += _ONE.scaleb(code - 0x7B)
        elif code in meanings.MOMENTS:
            self.shape = Shape.TIME
            self.words.append(meanings.MOMENTS[code])
        elif code in meanings.SPANS:
            word, self.unit = meanings.SPANS[code]
            self.scale = _ONE
            self.words.append(word)
        elif code in meanings.COUNTS:
            self.unit, self.scale = "", _ONE
            self.words.append(meanings.COUNTS[code])
        elif code in meanings.PER:
            self.unit = f"{self.unit or '1'}/{meanings.PER[code]}"
        elif code in meanings.TIMES:
            self.unit = f"{self.unit or '1'}.{meanings.TIMES[code]}"
        else:
            self.words.append(_word(code))


def _modified(meaning: Meaning, extensions: bytes) -> _Modified:
    """The meaning after the VIFEs, in their order."""
    result = _Modified(meaning.unit, meaning.shape, _ONE.scaleb(meaning.exponent) * meaning.factor, Decimal(0), [])
    if meaning.quantity == "manufacturer_specific" and extensions:
        result.words.append(extensions.hex())
        return result
    place = 0
    while place < len(extensions):
        code = extensions[place] & _MAKER
        place += 1
        if code == _MAKER:
            result.words.append(f"maker {extensions[place:].hex()}")
            break
        if code == _EXTENSION and place < len(extensions):
            code = extensions[place] & _MAKER
            result.words.append(meanings.EXTENSION.get(code, f"fc{code:02x}"))
            place += 1
        else:
            result.apply(code)
    return result


def _word(code: int) -> str:
    if code in meanings.ERRORS:
        return f"error: {meanings.ERRORS[code]}"
    return meanings.WORDS.get(code) or meanings.PROFILES.get(code) or f"vife {code:02x}"
