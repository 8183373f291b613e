"""Record headers, EN 13757-3 clause 6: DIF and DIFEs, VIF and VIFEs, read once and kept.

DIF: bit 7 another follows, bit 6 the lowest bit of the storage number, bits 4-5 the function, bits 0-3 the data. A DIFE
adds four bits of storage number, two of tariff and one of subunit. At most ten DIFEs and ten VIFEs stand in one header.
"""

from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from functools import lru_cache

from drivers.errors import FrameError
from drivers.mbus import meanings
from drivers.mbus.extensions import find_effects
from drivers.mbus.meanings import Meaning, Shape

MAX_EXTENSIONS = 10
MAX_HEADERS_KEPT = 4096
# No digit is rounded away: 64 bits have 20 digits, an IEEE single 112, a factor adds a few.
EXACT = Context(prec=200)
TEXT, MANUFACTURER = "plain_text", "manufacturer_specific"
_MORE, _CODE = 0x80, 0x7F
_TEXT, _ANY, _MAKER = 0x7C, 0x7E, 0x7F
_TABLES = {0xFB: meanings.ALTERNATE, 0xFD: meanings.SECOND}
_ONE = Decimal(1)


class Function(StrEnum):
    """What of a quantity a record tells."""

    INSTANTANEOUS = "instantaneous"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    ERROR = "error"

    __hash__ = str.__hash__  # an enumeration's own is a Python call for each record


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
    try:
        if data[start] < _MORE and data[start + 1] < _TEXT:
            return start + 2  # nearly every header of a wired meter
        at = _skip_extensions(data, start, where)
        vif = data[at]
        if vif & _CODE == _TEXT:
            # A plain-text VIF is followed by the length of its text and the text, and these by its VIFEs.
            at += 2 + data[at + 1]
            end = _skip_extensions(data, at, where) if vif & _MORE else at
        else:
            end = _skip_extensions(data, at, where)
    except IndexError:
        end = len(data) + 1
    if end > len(data):
        raise FrameError(f"byte {where + start}: the header of a record goes on behind the end")
    return end


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
    return _header(raw, _FUNCTIONS[dif >> 4 & 3], storage, tariff, subunit, raw[at:])


def _skip_extensions(data: bytes, at: int, where: int) -> int:
    """Behind the byte at `at` and those that its highest bit announces."""
    limit = at + 1 + MAX_EXTENSIONS
    while data[at] & _MORE:
        at += 1
        if at == limit:
            raise FrameError(f"byte {where + at}: a record has {MAX_EXTENSIONS} DIFEs and VIFEs each at most")
    return at + 1


def _header(raw: bytes, function: Function, storage: int, tariff: int, subunit: int, vib: bytes) -> Header:
    """A header with what its VIFEs make of its VIF, in their order."""
    meaning, words, codes = _meaning(vib)
    unit, shape, offset = meaning.unit, meaning.shape, Decimal(0)
    scale = _ONE.scaleb(meaning.exponent) * meaning.factor
    for effect in find_effects(codes):
        if effect.unit is not None:
            unit, scale = effect.unit, _ONE
        if effect.factor:
            unit = f"{unit or '1'}{effect.factor}"
        scale = scale.scaleb(effect.exponent)
        offset += effect.offset * meaning.factor
        shape = effect.shape or shape
        words += (effect.word,) if effect.word else ()
    return Header(
        raw, raw[0] & 0x0F, function, storage, tariff, subunit, meaning.quantity, unit, shape, scale, offset, words
    )


def _meaning(vib: bytes) -> tuple[Meaning, tuple[str, ...], bytes]:
    """What the VIF says, its words, and the VIFEs behind it."""
    vif, code = vib[0], vib[0] & _CODE
    if code == _TEXT:
        # Its letters come from the last to the first.
        end = 2 + vib[1]
        return Meaning(TEXT), (vib[2:end][::-1].decode("latin-1"),), vib[end:]
    if vif in _TABLES:
        extended = vib[1] & _CODE
        return _TABLES[vif].get(extended) or Meaning(f"unknown_{vif:02x}{extended:02x}"), (), vib[2:]
    if code == _MAKER:
        return Meaning(MANUFACTURER), (vib[1:].hex(),) if len(vib) > 1 else (), b""
    if code == _ANY:
        return Meaning("any"), (), vib[1:]
    return meanings.PRIMARY.get(code) or Meaning(f"unknown_{code:02x}"), (), vib[1:]
