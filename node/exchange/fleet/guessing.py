"""What one column holds: its header says it, unless its cells say clearly something else."""

from node.exchange.fleet.columns import Column, Why
from node.exchange.fleet.content import Content
from node.exchange.fleet.fields import DATES, Field, find_field, is_weak
from node.exchange.fleet.headers import letters

SURE, LIKELY = 0.7, 0.6
# What cannot be said without a digit.
_FIGURES = DATES | {Field.READING, Field.PREVIOUS, Field.YEAR, Field.INTERVAL, Field.DEV_EUI}
_USUAL_INTERVALS = frozenset(map(str, (12, 24, 36, 48, 60, 72, 96, 120, 144, 180, 192)))


def guess_column(place: int, title: str, content: Content) -> Column:
    """A column by its header, unless its cells say clearly something else."""
    said = find_field(title) if title != letters(place) else None
    if not content.filled:
        return Column(place, title, said or Field.IGNORED, Why.HEADER if said else Why.EMPTY)
    told, share = _told(content)
    if said is Field.VALID_UNTIL and content.share(Field.INTERVAL) >= 0.9:
        said = Field.INTERVAL  # «Срок поверки» over 6, 6, 4
    if said in _FIGURES and not content.has_digits:
        return Column(place, title, Field.IGNORED, Why.UNKNOWN, 0, sample_of(said, content))
    if said is not None and not is_weak(title) and not _contradicts(said, told, content):
        return Column(place, title, said, Why.HEADER, 0, sample_of(said, content))
    if told is None:
        field = said or Field.IGNORED
        return Column(place, title, field, Why.HEADER if said else Why.UNKNOWN, 0, sample_of(field, content))
    agrees = said is None or is_weak(title) or {said, told} <= {Field.DEVICE, Field.DESIGNATION}
    why = Why.CONTENT if agrees else Why.AGAINST_HEADER
    return Column(place, title, told, why, round(share * 100), sample_of(told, content))


def sample_of(field: Field, content: Content) -> tuple[str, ...]:
    """Some of a column's cells, none of persons."""
    return () if field is Field.PERSON else content.sample


def _told(content: Content) -> tuple[Field | None, float]:
    """What the cells alone say."""
    if content.is_sequence:
        return Field.INDEX, 1.0
    if content.dates >= SURE:
        return Field.VERIFIED_ON, content.dates  # which date it is, the columns together say
    ordered = (Field.DEV_EUI, Field.APPROVAL, Field.UNIT, Field.RESOURCE, Field.PERSON, Field.ADDRESS, Field.DEVICE)
    for field in ordered:
        if content.share(field) >= (LIKELY if field is Field.ADDRESS else SURE):
            return field, content.share(field)
    if content.share(Field.YEAR) >= 0.9:
        return Field.YEAR, content.share(Field.YEAR)
    if content.share(Field.INTERVAL) >= 0.9 and content.sample and content.sample[0] in _USUAL_INTERVALS:
        return Field.INTERVAL, content.share(Field.INTERVAL)
    if content.share(Field.SERIAL) >= SURE:
        return Field.SERIAL, content.share(Field.SERIAL)
    if content.fractions >= SURE:
        return Field.READING, content.fractions
    if content.share(Field.DESIGNATION) >= 0.8 and content.filled >= 5:
        return Field.DESIGNATION, content.share(Field.DESIGNATION)
    return None, 0.0


def _contradicts(said: Field, told: Field | None, content: Content) -> bool:
    """Whether cells that read as something else unmistakable stand under a header."""
    if told is None or told is said:
        return False
    if said in (Field.IGNORED, Field.PERSON, Field.ACCOUNT, Field.OWN_NUMBER, Field.READ_ON, Field.MARK):
        return False
    if said in DATES:
        return told in (Field.ADDRESS, Field.APPROVAL, Field.DEV_EUI, Field.DEVICE, Field.PERSON, Field.RESOURCE)
    if said is Field.SERIAL:
        clear = {Field.ADDRESS, Field.APPROVAL, Field.DEVICE, Field.PERSON, Field.RESOURCE, Field.UNIT, Field.DEV_EUI}
        return content.dates >= SURE or told in clear or (told is Field.DESIGNATION and not content.has_digits)
    if said in (Field.DESIGNATION, Field.DEVICE):
        return told in (Field.RESOURCE, Field.ADDRESS, Field.APPROVAL, Field.SERIAL, Field.DEVICE) or (
            content.dates >= SURE
        )
    if said in (Field.INTERVAL, Field.APPROVAL, Field.YEAR, Field.UNIT, Field.RESOURCE, Field.DEV_EUI):
        return content.dates >= SURE or told in (Field.ADDRESS, Field.PERSON, Field.APPROVAL, Field.DESIGNATION)
    if said is Field.INDEX:
        return told in (Field.SERIAL, Field.ADDRESS)
    return False
