"""The columns of the list of meters side by side: a row a meter, its main registers in columns of one unit each."""

from node.passport.catalogs import Catalog, get_record
from node.web.columns import Cell, Item, Reader, coded, decimal_text, shown, table, time
from node.web.passport_words import MEDIA, unit_words
from node.web.radio_words import READING_STATUSES, UNREAD

# What is settled by.
MAIN = ("volume", "energy_heat", "energy_active_import")


def _value(item: Item, unit: str, reader: Reader) -> str:
    """A value with the reader's decimal sign, and its unit where that is another one than the column's."""
    told = decimal_text(item.value, reader.language)
    return told if item.unit == unit else f"{told} {unit_words(item.unit, reader.language)}"


def _main(code: str) -> tuple[str, str, Cell]:
    record = get_record(Catalog.PARAMETERS, code)
    unit = str(record["unit"])

    def cell(item: Item, reader: Reader) -> str:
        found = [one for one in item.registers if one.quantity == code and _is_total(one)]
        return "; ".join(_value(one, unit, reader) for one in found)

    ru, en = (f"{record[language]}, {unit_words(unit, language)}" for language in ("ru", "en"))
    return ru, en, cell


def _registers(item: Item, reader: Reader) -> str:
    """All the others, each with its unit."""
    found = [one for one in (*item.registers, *item.unmapped) if not (one.quantity in MAIN and _is_total(one))]
    return "; ".join(f"{_name(one)}: {_value(one, '', reader)}" for one in found)


def _is_total(register: Item) -> bool:
    return register.storage == "current" and not register.tariff


def _name(register: Item) -> str:
    tariff = f" T{register.tariff}" if register.tariff else ""
    storage = f" {register.storage}" if register.storage != "current" else ""
    return f"{register.title}{tariff}{storage}"


METERS = table(
    "meters",
    "Приборы рядом",
    "Meters side by side",
    ("Среда", "Medium", coded("medium", MEDIA)),
    ("Прибор", "Meter", "title"),
    ("Идентификатор", "Device id", "id"),
    ("Изготовитель", "Maker", "maker"),
    ("Тип", "Type", "type"),
    ("Модель", "Model", "model"),
    ("Заводской №", "Serial", "serial"),
    ("Место", "Position", "position"),
    ("Драйвер", "Driver", "driver"),
    ("Слышали, UTC", "Last heard, UTC", time("heard_us")),
    ("Достоверность", "Status", coded("status", READING_STATUSES)),
    ("Почему не прочитан", "Why it was not read", coded("why", UNREAD)),
    *map(_main, MAIN),
    ("Остальные показания", "Other registers", _registers),
    ("Байты без документа", "Bytes without a meaning", lambda item, _: shown(item.bytes_left)),
)
