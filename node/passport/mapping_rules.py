"""Whether a row of the model mapping can stand: pure rules over what a driver said and what the catalog has."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from drivers.mapping import ANY, ONE, MappingRow
from drivers.units import UNITS
from node.passport.catalogs import Record
from node.passport.errors import NumberError
from node.passport.numbers import parse_obis

MOST_DIGITS = 20
LONGEST = 64
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")


class MappingRule(StrEnum):
    """What a row may break."""

    DRIVER = "driver-unknown"
    QUANTITY = "quantity-unknown"
    BYTES = "quantity-bytes"
    CODE = "code-unknown"
    CODE_UNIT = "code-without-unit"
    UNIT = "unit-unknown"
    UNIT_CODE = "unit-of-code"
    UNIT_READ = "unit-as-read"
    OBIS = "obis-form"
    SCALE = "scale-form"
    SCALE_ZERO = "scale-zero"
    SCALE_LONG = "scale-digits"


@dataclass(frozen=True, slots=True)
class MappingFault:
    """What is wrong with a row: the field, the rule, and the values that fill its words."""

    field: str
    rule: MappingRule
    values: Mapping[str, str]

    def text(self, language: str) -> str:
        """In Russian or English."""
        return _TEXTS[self.rule][0 if language == "ru" else 1].format_map(self.values)


_TEXTS = {
    MappingRule.DRIVER: ("драйвер {driver} здесь неизвестен", "no driver {driver} is or was here"),
    MappingRule.QUANTITY: (
        "драйвер {driver} не называл величины {quantity} и не объявляет её",
        "the driver {driver} never named {quantity} and does not declare it",
    ),
    MappingRule.BYTES: (
        "{quantity} — байты без документа, а не число: драйвер не читает их как показание",
        "{quantity} are bytes without a document: the driver reads no number there",
    ),
    MappingRule.CODE: ("в справочнике параметров нет кода {code}", "the catalog of parameters has no code {code}"),
    MappingRule.CODE_UNIT: (
        "у параметра {code} нет единицы: показанием он не бывает",
        "the parameter {code} has no unit: no reading can be of it",
    ),
    MappingRule.UNIT: ("единицы {unit} нет среди кодов UCUM этого узла", "{unit} is no UCUM code that this node knows"),
    MappingRule.UNIT_CODE: (
        "{unit} — не та величина: параметр {code} измеряется в {wanted}",
        "{unit} measures something else: the parameter {code} is in {wanted}",
    ),
    MappingRule.UNIT_READ: (
        "драйвер читает в {read}, и это не переводится в {unit}: нужен множитель",
        "the driver reads in {read}, which does not convert to {unit}: a scale is needed",
    ),
    MappingRule.OBIS: (
        "{obis} — не код OBIS: он пишется A-B:C.D.E*F, группы до 255, A-B: и *F можно опустить",
        "{obis} is no OBIS code: it is A-B:C.D.E*F with groups up to 255, where A-B: and *F may be left out",
    ),
    MappingRule.SCALE: ("множитель {scale} — не число", "the scale {scale} is no number"),
    MappingRule.SCALE_ZERO: ("множитель — ноль", "the scale is zero"),
    MappingRule.SCALE_LONG: (
        "в множителе больше 20 цифр: {scale}",
        "the scale has more than 20 digits: {scale}",
    ),
}


@dataclass(frozen=True, slots=True)
class RowDraft:
    """A row as somebody typed it; no channel is every channel, no unit the catalog's."""

    driver: str
    quantity: str
    code: str
    channel: int | None = None
    unit: str = ""
    obis: str = ""
    scale: str = "1"


@dataclass(frozen=True, slots=True)
class KnownField:
    """What is known of a quantity of a driver: units by channel as it was read or is declared."""

    is_driver: bool
    units: Mapping[int, Set[str]] = field(default_factory=dict)
    is_bytes: bool = False


def read_row(draft: RowDraft, known: KnownField, records: Mapping[str, Record]) -> MappingRow | MappingFault:
    """The row of a draft, or the first rule that it breaks; `records` is the catalog of parameters."""
    fault = _name_fault(draft, known) or _code_fault(draft, records) or _obis_fault(draft.obis.strip())
    scale = fault or _scale(draft.scale.strip())
    if isinstance(scale, MappingFault):
        return scale
    wanted = str(records[draft.code]["unit"])
    unit = draft.unit.strip() or wanted
    channel = ANY if draft.channel is None else draft.channel
    row = MappingRow(draft.driver, draft.quantity, channel, draft.code, unit, draft.obis.strip(), scale)
    return _unit_fault(row, wanted, known) or row


def _name_fault(draft: RowDraft, known: KnownField) -> MappingFault | None:
    named = {"driver": draft.driver[:LONGEST], "quantity": draft.quantity[:LONGEST]}
    if not known.is_driver:
        return MappingFault("driver", MappingRule.DRIVER, named)
    if not known.units:
        return MappingFault("quantity", MappingRule.BYTES if known.is_bytes else MappingRule.QUANTITY, named)
    return None


def _code_fault(draft: RowDraft, records: Mapping[str, Record]) -> MappingFault | None:
    record = records.get(draft.code)
    if record is None:
        return MappingFault("code", MappingRule.CODE, {"code": draft.code[:LONGEST]})
    if not record.get("unit"):
        return MappingFault("code", MappingRule.CODE_UNIT, {"code": draft.code})
    return None


def _unit_fault(row: MappingRow, wanted: str, known: KnownField) -> MappingFault | None:
    if row.unit not in UNITS:
        return MappingFault("unit", MappingRule.UNIT, {"unit": row.unit[:LONGEST]})
    # A unit that a release of the catalog brought, and this program does not know, is the unit of nothing it reads.
    if wanted not in UNITS or UNITS[row.unit].dimension != UNITS[wanted].dimension:
        return MappingFault("unit", MappingRule.UNIT_CODE, {"unit": row.unit, "code": row.code, "wanted": wanted})
    read = known.units.get(row.channel) or frozenset[str]().union(*known.units.values())
    if not any(row.can_tell(unit) for unit in read):
        return MappingFault("unit", MappingRule.UNIT_READ, {"unit": row.unit, "read": ", ".join(sorted(read))})
    return None


def _obis_fault(text: str) -> MappingFault | None:
    try:
        if text:
            parse_obis(text if ":" in text else f"0-0:{text}")
    except NumberError:
        return MappingFault("obis", MappingRule.OBIS, {"obis": text[:LONGEST]})
    return None


def _scale(text: str) -> Decimal | MappingFault:
    named = {"scale": text[:LONGEST]}
    if len(text) > LONGEST or not _NUMBER.fullmatch(text):
        return MappingFault("scale", MappingRule.SCALE, named)
    scale = Decimal(text)
    if not scale:
        return MappingFault("scale", MappingRule.SCALE_ZERO, named)
    if sum(sign.isdigit() for sign in format(scale, "f")) > MOST_DIGITS:
        return MappingFault("scale", MappingRule.SCALE_LONG, named)
    return ONE if scale == ONE else scale
