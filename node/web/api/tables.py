"""The tables of the API's lists: which columns a list has as a file. A list names its own in its route."""

from node.passport.catalogs import Catalog
from node.web.columns import (
    Item,
    Reader,
    Table,
    coded,
    column,
    device_id,
    number,
    organisation,
    reference,
    shown,
    take,
    text,
    time,
    unit,
    yes_no,
)
from node.web.console_words import (
    ATTESTED,
    JOB_KINDS,
    JOB_STATES,
    ORGANISATION_KINDS,
    PEER_STATES,
    PROCESSES,
    UNDO_GROUNDS,
)
from node.web.passport_words import STANDINGS, STATES, STEPS, SYSTEMS, words
from node.web.radio_words import FRAME_STATES, QUANTITIES, RADIO_STATES, READING_STATUSES, parameter_words
from node.web.words import actor_words, detail_name, detail_text, detail_values, journal_words

ROLES = {
    "reader": ("читает", "reads"),
    "operator": ("работает", "operates"),
    "admin": ("администратор", "administers"),
}

DEVICES = Table(
    "devices",
    ("Приборы", "Devices"),
    (
        column("Прибор", "Device", text("title")),
        column("Идентификатор", "Device id", text("id")),
        column("Состояние", "State", coded("state", STATES)),
        column("Тип", "Type", text("type")),
        column("Место", "Place", text("place")),
        column("Владелец", "Owner", text("owner_name")),
        column("Поверка до", "Verified until", text("expires")),
        column("Номеров", "Ids", text("ids")),
        column("Изменён, UTC", "Changed, UTC", time("changed_us")),
    ),
)


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


def _happened(item: Item, reader: Reader) -> str:
    return journal_words(item.what, reader.language)


EVENTS = Table(
    "events",
    ("События", "Events"),
    (
        column("Когда, UTC", "When, UTC", time("occurred")),
        column("Что", "What", reference("what", Catalog.EVENTS)),
        column("Код", "Code", text("what.central")),
        column("Где", "Where", _place),
        column("Кто", "Who", organisation("by")),
        column("Система", "System", coded("system", SYSTEMS)),
        column("Процесс", "Process", _why),
        column("Статус", "Standing", coded("standing", STANDINGS)),
        column("Подробности", "Details", text("detail")),
        column("Записано, UTC", "Recorded, UTC", time("recorded")),
        column("Фрагмент", "Statement", text("ref")),
        column("Заменено", "Replaced by", text("replaced_by")),
    ),
)
PARAMETERS = Table(
    "parameters",
    ("Параметры", "Parameters"),
    (
        column("Параметр", "Parameter", text("name")),
        column("Код", "Code", text("code")),
        column("Значение", "Value", _value),
        column("Единица", "Unit", unit("unit")),
        column("Действует с", "Since", text("since")),
        column("Источник", "Source", text("source")),
        column("Статус", "Standing", coded("standing", STANDINGS)),
        column("Кто", "Who", organisation("by")),
    ),
)
COMPOSITION = Table(
    "composition",
    ("Комплектация", "Composition"),
    (
        column("Место", "Position", text("position")),
        column("Обозначение", "Designation", text("designation")),
        column("Заводской №", "Serial", text("serial")),
        column("Количество", "How many", number("quantity")),
        column("С", "From", text("since")),
        column("По", "To", text("until")),
        column("Статус", "Standing", coded("standing", STANDINGS)),
        column("Кто", "Who", organisation("by")),
        column("Номер детали", "Part id", text("part")),
    ),
)
PROCESSES_TABLE = Table(
    "processes",
    ("Процессы", "Processes"),
    (
        column("Что", "What", coded("what", PROCESSES)),
        column("С, UTC", "Since, UTC", time("since")),
        column("До", "Until", text("until")),
        column("Кто", "By", organisation("by")),
        column("Кого ждут", "Waits for", organisation("party")),
        column("Код", "Code", text("code")),
        column("Шаг", "Step", coded("step", STEPS)),
        column("Следующий шаг", "Next step", coded("next_step", STEPS)),
        column("Фрагмент", "Statement", text("ref")),
    ),
)
PROTOCOLS = Table(
    "protocols",
    ("Протоколы", "Protocols"),
    (
        column("Когда, UTC", "When, UTC", time("occurred_us")),
        column("Шаблон", "Template", text("template")),
        column("Кто", "Who", organisation("by")),
        column("Статус", "Standing", coded("standing", STANDINGS)),
        column("Записано, UTC", "Recorded, UTC", time("recorded_us")),
        column("Открыт целиком", "Open whole", yes_no("whole")),
        column("Фрагмент", "Statement", text("ref")),
    ),
)
JOURNAL = Table(
    "journal",
    ("Журнал", "Journal"),
    (
        column("№", "No.", text("id")),
        column("Когда, UTC", "When, UTC", time("at")),
        column("Что", "What", _happened),
        column("Код", "Code", text("what")),
        column("Кто", "Who", lambda item, reader: actor_words(item.actor, reader.language)),
        column("Организация", "Organisation", organisation("org")),
        column("Предмет", "Subject", device_id("subject")),
        column("Подробности", "Details", lambda item, reader: _detail(item.detail, reader)),
    ),
)
PEERS = Table(
    "peers",
    ("Узлы", "Peers"),
    (
        column("Организация", "Organisation", text("name")),
        column("Вид", "Kind", coded("kind", ORGANISATION_KINDS)),
        column("Адрес", "Address", text("url")),
        column("Обмен", "Exchange", coded("state", PEER_STATES)),
        column("Узел", "Node", text("node")),
        column("Номер организации", "Organisation id", text("org")),
        column("Встречен, UTC", "Met, UTC", time("met_us")),
        column("Последний обмен, UTC", "Last exchange, UTC", time("seen_us")),
        column("Неполадка", "Trouble", text("trouble")),
        column("Взять", "To take", text("to_take")),
        column("Отдать", "To give", text("to_give")),
    ),
)
ORGANISATIONS = Table(
    "organisations",
    ("Организации", "Organisations"),
    (
        column("Организация", "Organisation", text("name")),
        column("Вид", "Kind", coded("kind", ORGANISATION_KINDS)),
        column("ИНН", "Taxpayer number", text("inn")),
        column("Место", "Place", text("place")),
        column(
            "Аттестовано",
            "Attested",
            lambda item, reader: ", ".join(coded("what", ATTESTED)({"what": what}, reader) for what in item.attested),
        ),
        column("Номер организации", "Organisation id", text("org")),
    ),
)
SHIPMENTS = Table(
    "shipments",
    ("Отгрузки", "Shipments"),
    (
        column("Номер", "Number", text("number")),
        column("Дата", "Date", text("date")),
        column("Продавец", "Seller", organisation("seller")),
        column("Покупатель", "Buyer", organisation("buyer")),
        column("Принята", "Accepted", yes_no("accepted")),
        column("Приборов", "Devices", lambda item, _: str(len(item.devices))),
        column("Паспортов здесь", "Passports here", text("passports")),
        column("Ключей здесь", "Keys here", text("keys")),
        column("Номера приборов", "Device ids", text("devices")),
        column("Номер отгрузки", "Shipment id", text("id")),
    ),
)
JOBS = Table(
    "jobs",
    ("Задания", "Jobs"),
    (
        column("Создано, UTC", "Created, UTC", time("created_us")),
        column("Что", "What", coded("kind", JOB_KINDS)),
        column("Файл", "File", text("result.file")),
        column("Состояние", "State", coded("state", JOB_STATES)),
        column("Сделано", "Done", text("done")),
        column("Всего", "Total", text("total")),
        column("Принято", "Accepted", text("result.accepted")),
        column("Возвращено", "Sent back", lambda item, _: str(len(item.result.get("findings", ())))),
        column("Изменено, UTC", "Changed, UTC", time("changed_us")),
        column("Задание", "Job", text("job")),
    ),
)
LEFT = Table(
    "left",
    ("Оставлены при отмене импорта", "Left by an undo"),
    (
        column("Идентификатор", "Device id", text("id")),
        column("Прибор", "Device", text("title")),
        column("Почему оставлен", "Why it stays", coded("rule", UNDO_GROUNDS)),
        column("Кто", "Who", organisation("by")),
        column("Когда, UTC", "When, UTC", time("at_us")),
    ),
)
ACCOUNTS = Table(
    "accounts",
    ("Люди", "People"),
    (
        column("Имя", "Name", text("name")),
        column("Роль", "Role", lambda item, reader: words(ROLES, item.role.value, reader.language)),
        column("Язык", "Language", text("language")),
        column("С, UTC", "Since, UTC", time("created")),
    ),
)
SESSIONS = Table(
    "sessions",
    ("Сеансы", "Sessions"),
    (
        column("Имя", "Name", text("account")),
        column("Адрес", "Address", text("address")),
        column("Начат, UTC", "Began, UTC", time("created")),
        column("Последний раз, UTC", "Last seen, UTC", time("seen")),
        column("До, UTC", "Until, UTC", time("expires")),
        column("Сеанс", "Session", text("id")),
    ),
)
TOKENS = Table(
    "tokens",
    ("Токены", "Tokens"),
    (
        column("Имя", "Name", text("name")),
        column("Права", "Rights", text("scopes")),
        column("Кто выдал", "Issued by", lambda item, reader: actor_words(item.issuer, reader.language)),
        column("Выдан, UTC", "Issued, UTC", time("created")),
        column("До, UTC", "Until, UTC", time("expires")),
        column("Токен", "Token", text("id")),
    ),
)
RADIO_DEVICES = Table(
    "radio-devices",
    ("Приборы сети LoRa", "Devices on the air"),
    (
        column("Идентификатор", "Device id", text("id")),
        column("DevEUI", "DevEUI", text("dev_eui")),
        column("JoinEUI", "JoinEUI", text("join_eui")),
        column("Регистрация", "Registration", coded("state", RADIO_STATES)),
        column("Драйвер", "Driver", text("profile.driver")),
        column("Шагов", "Steps", lambda item, _: str(len(item.steps))),
        column("Изменён, UTC", "Changed, UTC", time("changed_us")),
    ),
)
GATEWAYS = Table(
    "gateways",
    ("Базовые станции", "Gateways"),
    (
        column("Имя", "Name", text("name")),
        column("EUI", "EUI", text("eui")),
        column("Слышали, UTC", "Last heard, UTC", time("seen_us")),
        column("Кадров", "Frames", text("frames")),
    ),
)
FRAMES = Table(
    "frames",
    ("Кадры", "Frames"),
    (
        column("№", "No.", text("id")),
        column("Принят, UTC", "Received, UTC", time("received_us")),
        column("Что", "What", text("what")),
        column("Исход", "Outcome", coded("state", FRAME_STATES)),
        column("DevEUI", "DevEUI", text("dev_eui")),
        column("Счётчик", "Counter", text("fcnt")),
        column("Порт", "Port", text("port")),
        column("Данные", "Payload", text("payload")),
        column("Кадр", "Frame", text("phy")),
    ),
)
SERIES = Table(
    "series",
    ("Ряды показаний", "Series"),
    (
        column("Величина", "Quantity", coded("quantity", QUANTITIES)),
        column("Канал", "Channel", text("channel")),
        column("Тариф", "Tariff", text("tariff")),
        column("Значение", "Value", number("value")),
        column("Единица", "Unit", unit("unit")),
        column("Когда, UTC", "At, UTC", time("at_us")),
        column("Достоверность", "Status", coded("status", READING_STATUSES)),
    ),
)
READINGS = Table(
    "readings",
    ("Показания", "Readings"),
    (
        column("Когда, UTC", "At, UTC", time("at_us")),
        column("Величина", "Quantity", coded("quantity", QUANTITIES)),
        column("Канал", "Channel", text("channel")),
        column("Тариф", "Tariff", text("tariff")),
        column("Значение", "Value", number("value")),
        column("Единица", "Unit", unit("unit")),
        column("Достоверность", "Status", coded("status", READING_STATUSES)),
        column("Причины", "Reasons", text("reasons")),
        column("Тревоги", "Alarms", text("alarms")),
        column("Чьё время", "Time of", text("time_source")),
        column("Принято, UTC", "Received, UTC", time("received_us")),
        column("Драйвер", "Driver", text("driver")),
        column("Кадр", "Frame", text("frame")),
    ),
    place="next_since",
    start="since",
    page=2000,
)
TEMPLATES = Table(
    "templates",
    ("Шаблоны протоколов", "Protocol templates"),
    (
        column("Имя", "Name", text("name")),
        column("Версия", "Version", text("version")),
        column("Издатель", "Publisher", organisation("org")),
        column("Ссылка", "Reference", text("reference")),
        column("Почему не работает здесь", "Why it does not run here", text("trouble")),
    ),
)
LINES = Table(
    "lines",
    ("Серийные ряды", "Serial lines"),
    (
        column("Обозначения", "Designations", text("designations")),
        column("Товарные знаки", "Marks", text("marks")),
        column("Изготовители", "Legal makers", text("makers")),
        column("Утверждения типа", "Approvals", text("approvals")),
        column("Знаков", "Width", text("width")),
        column("Номера каждый год заново", "Restarts each year", yes_no("restarts_yearly")),
        column("Издатель", "Publisher", organisation("publisher")),
        column("Ряд", "Line", text("line")),
    ),
)
REFERENCES = Table(
    "references",
    ("Двойные ссылки", "Dual references"),
    (
        column("Справочник", "Catalog", text("catalog")),
        column("Свой код", "Own code", text("local")),
        column("Центральный код", "Central code", text("central")),
        column("Своё название", "Own name", text("local_name")),
        column("Организация", "Organisation", organisation("org")),
    ),
)
CODES = Table(
    "catalog",
    ("Справочник", "Catalog"),
    (
        column("Код", "Code", text("central")),
        column("По-русски", "Russian", text("ru")),
        column("По-английски", "English", text("en")),
        column("Свои коды", "Own codes", lambda item, _: ", ".join(map(str, take(item, "own") or ()))),
    ),
)


def _detail(detail: Item, reader: Reader) -> str:
    """The details of a journal row in words."""
    told = detail_values(detail, reader.language)
    return "; ".join(f"{detail_name(name, reader.language)}: {_told(name, value)}" for name, value in told.items())


def _told(name: str, value: object) -> str:
    return time("value")({"value": value}, Reader("")) if name.endswith("_us") else detail_text(value)
