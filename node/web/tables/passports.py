"""The columns of lists of what a passport says, and what is found in the registry."""

from node.passport.catalogs import Catalog
from node.web.columns import (
    Item,
    Reader,
    coded,
    number,
    organisation,
    reference,
    shown,
    table,
    take,
    time,
    unit,
    yes_no,
)
from node.web.console_words import LOSSES, PROCESSES
from node.web.identity_words import SIGNS, SLIPS
from node.web.passport_words import CONFLICTS, KINDS, SECTIONS, STANDINGS, STATES, STEPS, SYSTEMS, named, words
from node.web.radio_words import parameter_words


def _place(item: Item, _: Reader) -> str:
    """Where an event happened: the place's name, else its code, else the object."""
    where = item.get("where") or {}
    place = where.get("place") or {}
    return str(place.get("name") or place.get("local") or place.get("central") or where.get("object") or "")


def _why(item: Item, reader: Reader) -> str:
    why = item.get("why") or {}
    name = reference("process", Catalog.PROCESSES)({"process": {"central": why.get("process")}}, reader)
    return ", ".join(filter(None, (name, coded("step", STEPS)(why, reader)))) if why else ""


def _value(item: Item, reader: Reader) -> str:
    told = parameter_words(str(take(item, "code")), shown(take(item, "value")), reader.language)
    return number("value")({"value": told}, reader)


def _sections(item: Item, reader: Reader) -> str:
    return ", ".join(words(SECTIONS, str(section["name"]), reader.language) for section in item["sections"])


def _withdrawn(item: Item, reader: Reader) -> str:
    """When a statement was taken back; of a withdrawal itself nothing."""
    told = item["withdrawn"]
    return time("at")(told, reader) if told and told["ref"] != item["ref"] else ""


def _signs(item: Item, reader: Reader) -> str:
    return ", ".join(words(SIGNS, sign, reader.language) for sign in item.signs)


def _reasons(item: Item, reader: Reader) -> str:
    return ", ".join(words(CONFLICTS, why, reader.language) for why in item.why)


def _printed(item: Item, _: Reader) -> tuple[str, str]:
    """The designation and the serial of a title; of a thing without a serial its name alone."""
    name, sign, serial = str(take(item, "title")).rpartition(" № ")
    return (name, serial) if sign else (serial, "")


def _type(item: Item, reader: Reader) -> str:
    return named({"central": take(item, "type")}, Catalog.TYPES.value, reader.language)


IMPORTED = table(
    "imported",
    "Загруженное",
    "Imported",
    ("Идентификатор", "Device id", "id"),
    ("Название", "Title", "title"),
    ("Вид", "Kind", coded("kind", KINDS)),
    ("Состояние", "State", coded("state", STATES)),
)
DEVICES = table(
    "devices",
    "Приборы",
    "Devices",
    ("Прибор", "Device", "title"),
    ("Идентификатор", "Device id", "id"),
    ("Обозначение", "Designation", lambda item, reader: _printed(item, reader)[0]),
    ("Заводской №", "Serial", lambda item, reader: _printed(item, reader)[1]),
    ("Вид", "Kind", coded("kind", KINDS)),
    ("Состояние", "State", coded("state", STATES)),
    ("Тип", "Type", _type),
    ("Код типа", "Code of the type", "type"),
    ("Место", "Place", "place"),
    ("Владелец", "Owner", "owner_name"),
    ("Поверка до", "Verified until", "expires"),
    ("Поверен, записи нет", "Verified, no record", "unrecorded"),
    ("Номеров", "Ids", "ids"),
    ("Изменён, UTC", "Changed, UTC", time("changed_us")),
)
FOUND = table(
    "found",
    "Найдено",
    "Found",
    ("Прибор", "Device", "title"),
    ("Идентификатор", "Device id", "id"),
    ("Состояние", "State", coded("state", STATES)),
    ("Откуда", "Source", "source"),
)
SUGGESTIONS = table(
    "suggestions",
    "Похожие приборы",
    "Devices that may be the same",
    ("Прибор", "Device", "title"),
    ("Идентификатор", "Device id", "id"),
    ("Состояние", "State", coded("state", STATES)),
    ("Сходство", "Score", number("score")),
    ("Описка", "Slip", coded("slip", SLIPS)),
    ("Признаки", "Signs", _signs),
)
CONFLICTS_TABLE = table(
    "conflicts",
    "Противоречия",
    "Conflicts",
    ("Прибор", "Device", "title"),
    ("Идентификатор", "Device id", "id"),
    ("Вид", "Kind", coded("kind", KINDS)),
    ("Состояние", "State", coded("state", STATES)),
    ("Почему", "Why", _reasons),
    ("Изменён, UTC", "Changed, UTC", time("changed_us")),
)
EVENTS = table(
    "events",
    "События",
    "Events",
    ("Когда, UTC", "When, UTC", time("occurred")),
    ("Что", "What", reference("what", Catalog.EVENTS)),
    ("Код", "Code", "what.central"),
    ("Где", "Where", _place),
    ("Кто", "Who", organisation("by")),
    ("Система", "System", coded("system", SYSTEMS)),
    ("Процесс", "Process", _why),
    ("Статус", "Standing", coded("standing", STANDINGS)),
    ("Подробности", "Details", "detail"),
    ("Записано, UTC", "Recorded, UTC", time("recorded")),
    ("Фрагмент", "Statement", "ref"),
    ("Заменено", "Replaced by", "replaced_by"),
)
STATEMENTS = table(
    "statements",
    "Фрагменты",
    "Statements",
    ("Записано, UTC", "Recorded, UTC", time("stamp")),
    ("Когда, UTC", "When, UTC", time("occurred")),
    ("Кто", "Who", organisation("org")),
    ("Что", "What", _sections),
    ("Отозвано, UTC", "Withdrawn, UTC", _withdrawn),
    ("Почему", "Why", "withdrawn.reason"),
    ("Не засчитано", "Does not count", coded("lost.why", LOSSES)),
    ("Фрагмент", "Statement", "ref"),
    ("Неполадки", "Faults", "faults"),
)
PARAMETERS = table(
    "parameters",
    "Параметры",
    "Parameters",
    ("Параметр", "Parameter", "name"),
    ("Код", "Code", "code"),
    ("Значение", "Value", _value),
    ("Единица", "Unit", unit("unit")),
    ("Действует с", "Since", "since"),
    ("Источник", "Source", "source"),
    ("Статус", "Standing", coded("standing", STANDINGS)),
    ("Кто", "Who", organisation("by")),
)
COMPOSITION = table(
    "composition",
    "Комплектация",
    "Composition",
    ("Место", "Position", "position"),
    ("Обозначение", "Designation", "designation"),
    ("Заводской №", "Serial", "serial"),
    ("Количество", "How many", number("quantity")),
    ("С", "From", "since"),
    ("По", "To", "until"),
    ("Статус", "Standing", coded("standing", STANDINGS)),
    ("Кто", "Who", organisation("by")),
    ("Номер детали", "Part id", "part"),
)
REACH = table(
    "reach",
    "Кого это затрагивает",
    "Whom it reaches",
    ("Прибор", "Device", "title"),
    ("Идентификатор", "Device id", "id"),
    ("Вид", "Kind", coded("kind", KINDS)),
    ("Состояние", "State", coded("state", STATES)),
    ("Владелец", "Owner", organisation("owner")),
    ("Место", "Place", "place"),
    ("Сейчас внутри", "Inside now", yes_no("inside")),
)
PROCESSES_TABLE = table(
    "processes",
    "Процессы",
    "Processes",
    ("Что", "What", coded("what", PROCESSES)),
    ("С, UTC", "Since, UTC", time("since")),
    ("До", "Until", "until"),
    ("Кто", "By", organisation("by")),
    ("Кого ждут", "Waits for", organisation("party")),
    ("Код", "Code", "code"),
    ("Шаг", "Step", coded("step", STEPS)),
    ("Следующий шаг", "Next step", coded("next_step", STEPS)),
    ("Фрагмент", "Statement", "ref"),
)
