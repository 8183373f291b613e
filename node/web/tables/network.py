"""The columns of lists of what other nodes, shipments and the LoRa network have."""

from collections.abc import Callable

from node.web.columns import (
    Item,
    Reader,
    coded,
    number,
    organisation,
    table,
    time,
    unit,
    yes_no,
)
from node.web.console_words import (
    ATTESTED,
    BOX_STATES,
    DEVICE_STATES,
    LOSSES,
    MEMBER_STANDINGS,
    ORGANISATION_KINDS,
    PEER_STATES,
    SHIPMENT_REASONS,
)
from node.web.erasure_words import ERASURE_STATES, GROUNDS, HINDRANCES
from node.web.flow_words import DIRECTIONS, PARTIES, flow_trouble
from node.web.passport_words import SECTIONS
from node.web.radio_words import DRIVER_STATES, FRAME_STATES, NAME_STATES, RADIO_STATES, READING_STATUSES


def _keys(item: Item, _: Reader) -> str:
    """The keys with which its nodes sign."""
    return ", ".join(node.key for member in item.members for node in member.nodes if not node.ended)


def _said(item: Item, reader: Reader) -> str:
    """What anchors say that counts, with its rows."""
    said = [(one, coded("what", ATTESTED)({"what": one.what}, reader)) for one in item.said if one.counts]
    return "; ".join(f"{words}: {', '.join(one.rows)}" if one.rows else words for one, words in said)


def _losses(item: Item, reader: Reader) -> str:
    return ", ".join(coded("why", LOSSES)({"why": why}, reader) for why in item.losses)


def _flow_trouble(item: Item, reader: Reader) -> str:
    return flow_trouble(item.trouble, reader.language) if item.trouble else ""


def _sections(item: Item, reader: Reader) -> str:
    return ", ".join(coded("section", SECTIONS)({"section": row.section}, reader) for row in item.rows)


def _outcome(item: Item, reader: Reader) -> str:
    codes = dict.fromkeys(row.hindrance or row.state for row in item.rows)
    return ", ".join(coded("code", ERASURE_STATES | HINDRANCES)({"code": code}, reader) for code in codes)


def _orgs(which: str) -> Callable[[Item, Reader], str]:
    def tell(item: Item, _: Reader) -> str:
        found = dict.fromkeys(one.org.name or one.org.org for row in item.rows for one in getattr(row, which))
        return ", ".join(found)

    return tell


ERASURES = table(
    "erasures",
    "Стирание",
    "Erasures",
    ("Когда, UTC", "When, UTC", time("at_us")),
    ("Кто просит", "Who asks", lambda item, _: item.org.name or item.org.org),
    ("Основание", "Ground", coded("ground", GROUNDS)),
    ("Разделы", "Sections", _sections),
    ("Итог", "What came of it", _outcome),
    ("Подтвердили", "Acknowledged", _orgs("acknowledged")),
    ("Молчат", "Silent", _orgs("waiting")),
    ("Фрагмент", "Statement", "ref"),
)
PEERS = table(
    "peers",
    "Узлы",
    "Peers",
    ("Организация", "Organisation", "name"),
    ("Вид", "Kind", coded("kind", ORGANISATION_KINDS)),
    ("Адрес", "Address", "url"),
    ("Только подключается сам", "Dials out only", yes_no("dials_out_only")),
    ("Обмен", "Exchange", coded("state", PEER_STATES)),
    ("Узел", "Node", "node"),
    ("Номер организации", "Organisation id", "org"),
    ("Встречен, UTC", "Met, UTC", time("met_us")),
    ("Последний обмен, UTC", "Last exchange, UTC", time("seen_us")),
    ("Неполадка", "Trouble", "trouble_title"),
    ("Подробности", "What happened", "trouble"),
    ("Не засчитано", "Does not count", _losses),
    ("Взять", "To take", "to_take"),
    ("Отдать", "To give", "to_give"),
    ("Берём только отслеживаемое", "Only what is followed is taken", yes_no("only_followed")),
    ("Отслеживает здесь", "Follows here", "follows"),
)
FOLLOWED = table(
    "followed",
    "Отслеживаемые приборы",
    "Followed devices",
    ("Прибор", "Device", "title"),
    ("Идентификатор", "Device id", "id"),
)
ACCESS_REQUESTS = table(
    "access-requests",
    "Просьбы о доступе",
    "Requests for access",
    ("Организация", "Organisation", organisation("org.org")),
    ("Идентификатор прибора", "Device id", "id"),
    ("По чему искали", "By what it asks", "value"),
    ("Пояснение", "Words", "words"),
    ("Когда, UTC", "When, UTC", time("asked_us")),
)
ANNOUNCERS = table(
    "announcers",
    "Кто объявляет",
    "Who announces",
    ("Организация", "Organisation", organisation("org.org")),
    ("Узел", "Node", "node"),
    ("Номеров", "Identifiers", number("marks")),
    ("Сверено, UTC", "Compared, UTC", time("told_us")),
    ("Верных указаний", "Right referrals", number("good")),
    ("Неверных указаний", "Wrong referrals", number("bad")),
)
MEMBERS = table(
    "members",
    "Участники",
    "Members",
    ("Организация", "Organisation", "name"),
    ("Положение", "Standing", coded("standing", MEMBER_STANDINGS)),
    ("По слову", "By the word of", lambda item, _: "; ".join(one.name or one.org for one in item.by)),
    ("Причина", "Reason", "reason"),
    ("Номера", "Numbers", lambda item, _: ", ".join(item.numbers)),
    ("Спорные номера", "Contested numbers", lambda item, _: ", ".join(item.contested)),
    ("Чужие номера на карточке", "Foreign numbers on its card", lambda item, _: ", ".join(item.foreign)),
    ("Сказано якорями", "Said by anchors", _said),
    ("Номер организации", "Organisation id", "org"),
)
INVITATIONS = table(
    "invitations",
    "Приглашения",
    "Invitations",
    ("Номер", "Id", "id"),
    ("Выпущено, UTC", "Made, UTC", time("made_us")),
    ("Действует до, UTC", "Until, UTC", time("expires_us")),
    ("Кем", "By", "actor"),
)
ORGANISATIONS = table(
    "organisations",
    "Организации",
    "Organisations",
    ("Организация", "Organisation", "name"),
    ("Вид", "Kind", coded("kind", ORGANISATION_KINDS)),
    ("Пишут и так", "Spelled as well", lambda item, _: "; ".join(item.names[1:])),
    ("ИНН", "Taxpayer number", "inn"),
    ("ОГРН", "State register number", "ogrn"),
    ("Место", "Place", "place"),
    (
        "Аттестовано",
        "Attested",
        lambda item, reader: ", ".join(coded("what", ATTESTED)({"what": what}, reader) for what in item.attested),
    ),
    ("Номер организации", "Organisation id", "orgs"),
    ("Ключи узлов", "Keys of nodes", _keys),
)
ORGANISATION_NAMES = table(
    "organisation-names",
    "Названия организаций",
    "Names of organisations",
    ("Название", "Name", "name"),
    ("ИНН", "Taxpayer number", "inn"),
    ("ОГРН", "State register number", "ogrn"),
    ("Номер записи", "Name id", "id"),
)
SHIPMENTS = table(
    "shipments",
    "Отгрузки",
    "Shipments",
    ("Номер", "Number", "number"),
    ("Дата", "Date", "date"),
    ("Продавец", "Seller", organisation("seller")),
    ("Покупатель", "Buyer", organisation("buyer")),
    ("Покупатель без узла", "Buyer without a node", "buyer_name"),
    ("Его номер", "His number", "buyer_number"),
    ("Приборов", "Devices", "count"),
    *((ru, en, f"states.{state}") for state, (ru, en) in DEVICE_STATES.items()),
    ("Паспортов здесь", "Passports here", "passports"),
    ("Ключей здесь", "Keys here", "keys"),
    ("Нераспечатанных", "Unopened", "unopened"),
    ("Через кого", "Through whom", organisation("via")),
    ("Возврат отгрузки", "Sends back the shipment", "returns"),
    ("Номер отгрузки", "Shipment id", "id"),
)
BOXES = table(
    "boxes",
    "Коробки",
    "Boxes",
    ("Номер", "Number", "number"),
    ("Состояние", "State", coded("state", BOX_STATES)),
    ("Приборов", "Devices", "count"),
    ("Кто получил", "Claimed by", organisation("claimed_by")),
    ("Отгрузка ему", "The shipment to him", "shipment"),
    ("Предложена, UTC", "Offered, UTC", time("said_us")),
    ("Номер отгрузки", "Shipment id", "id"),
)
SHIPPED = table(
    "shipped",
    "Приборы отгрузки",
    "Devices of a shipment",
    ("Прибор", "Device", "title"),
    ("По списку продавца", "By the seller's list", "name"),
    ("Заводской № по списку", "Serial by the list", "serial"),
    ("Место", "Box", "place"),
    ("Паспорт отличается от списка", "The passport differs from the list", yes_no("differs")),
    ("Состояние", "State", coded("state", DEVICE_STATES)),
    ("Причина", "Reason", coded("reason", SHIPMENT_REASONS)),
    ("Ключи здесь", "Keys are here", yes_no("key")),
    ("Номер прибора", "Device id", "id"),
)
RADIO_DEVICES = table(
    "radio-devices",
    "Приборы сети LoRa",
    "Devices on the air",
    ("Идентификатор", "Device id", "id"),
    ("DevEUI", "DevEUI", "dev_eui"),
    ("JoinEUI", "JoinEUI", "join_eui"),
    ("Регистрация", "Registration", coded("state", RADIO_STATES)),
    ("Драйвер", "Driver", "profile.driver"),
    ("Шагов", "Steps", lambda item, _: str(len(item.steps))),
    ("Изменён, UTC", "Changed, UTC", time("changed_us")),
)
DRIVERS = table(
    "drivers",
    "Драйверы",
    "Drivers",
    ("Код", "Id", "id"),
    ("Версия", "Version", "version"),
    ("Название", "Name", "name"),
    ("Кто издал", "Publisher", "publisher"),
    ("Модели", "Models", lambda item, _: ", ".join(item.models)),
    ("Прошивка", "Firmware", "firmware"),
    ("Читает приборов", "Devices that it reads", number("devices")),
    ("Хеш", "Hash", "hash"),
)
DRIVER_VERSIONS = table(
    "driver-versions",
    "Опубликованные драйверы",
    "Published drivers",
    ("Код", "Id", "driver"),
    ("Версия", "Version", "version"),
    ("Название", "Name", "name"),
    ("Издатель", "Publisher", lambda item, _: item.publisher or item.org),
    ("Состояние", "State", coded("state", DRIVER_STATES)),
    ("Причина", "Reason", "why"),
    ("Модели", "Models", lambda item, _: ", ".join(item.models)),
    ("Прошивка", "Firmware", "firmware"),
    ("Изменён, UTC", "Changed, UTC", time("changed_us")),
    ("Хеш", "Hash", "hash"),
)
MAPPINGS = table(
    "mappings",
    "Сопоставление величин",
    "Model mapping",
    ("Драйвер", "Driver", "driver"),
    ("Величина драйвера", "Quantity of the driver", "quantity"),
    ("Канал", "Channel", "channel"),
    ("Читается в", "Read in", unit("read_unit")),
    ("Состояние", "State", coded("state", NAME_STATES)),
    ("Код", "Code", "code"),
    ("Параметр", "Parameter", "title"),
    ("Единица", "Unit", unit("unit")),
    ("OBIS", "OBIS", "obis"),
    ("Множитель", "Scale", number("scale")),
    ("Замечена, UTC", "Seen first, UTC", time("since_us")),
    ("Кадр", "Frame", "frame"),
    ("Изменено, UTC", "Changed, UTC", time("changed_us")),
)
PUBLISHERS = table(
    "driver-publishers",
    "Доверенные издатели драйверов",
    "Trusted publishers of drivers",
    ("Издатель", "Publisher", lambda item, _: item.name or item.org),
    ("Организация", "Organisation", "org"),
    ("С какого времени, UTC", "Since, UTC", time("since_us")),
)
CLOSINGS = table(
    "closed-months",
    "Закрытые месяцы показаний",
    "Closed months of readings",
    ("Месяц", "Month", "month"),
    ("Кто закрыл", "Closed by", organisation("by")),
    ("Показаний", "Readings", "count"),
    ("Рядов", "Series", "series"),
    ("Закрыто, UTC", "Closed, UTC", time("recorded_us")),
    ("Почему ещё раз", "Why again", "reason"),
)
SUPERSEDED = table(
    "superseded-readings",
    "Заменённые показания",
    "Readings that were replaced",
    ("Когда, UTC", "At, UTC", time("reading.at_us")),
    ("Величина", "Quantity", "reading.title"),
    ("Канал", "Channel", "reading.channel"),
    ("Тариф", "Tariff", "reading.tariff"),
    ("Значение", "Value", number("reading.value")),
    ("Единица", "Unit", unit("reading.unit")),
    ("Драйвер", "Driver", "reading.driver"),
    ("Заменил", "Replaced by", "superseded_by"),
    ("Заменено, UTC", "Replaced, UTC", time("superseded_us")),
)
GATEWAYS = table(
    "gateways",
    "Базовые станции",
    "Gateways",
    ("Имя", "Name", "name"),
    ("EUI", "EUI", "eui"),
    ("Слышали, UTC", "Last heard, UTC", time("seen_us")),
    ("Кадров", "Frames", "frames"),
)
FRAMES = table(
    "frames",
    "Кадры",
    "Frames",
    ("№", "No.", "id"),
    ("Принят, UTC", "Received, UTC", time("received_us")),
    ("Что", "What", "what"),
    ("Исход", "Outcome", coded("state", FRAME_STATES)),
    ("DevEUI", "DevEUI", "dev_eui"),
    ("Счётчик", "Counter", "fcnt"),
    ("Порт", "Port", "port"),
    ("Данные", "Payload", "payload"),
    ("Кадр", "Frame", "phy"),
)
SERIES = table(
    "series",
    "Ряды показаний",
    "Series",
    ("Величина", "Quantity", "title"),
    ("OBIS", "OBIS", "obis"),
    ("Канал", "Channel", "channel"),
    ("Тариф", "Tariff", "tariff"),
    ("Значение", "Value", number("value")),
    ("Единица", "Unit", unit("unit")),
    ("Когда, UTC", "At, UTC", time("at_us")),
    ("Достоверность", "Status", coded("status", READING_STATUSES)),
)
READINGS = table(
    "readings",
    "Показания",
    "Readings",
    ("Когда, UTC", "At, UTC", time("at_us")),
    ("Величина", "Quantity", "title"),
    ("OBIS", "OBIS", "obis"),
    ("Канал", "Channel", "channel"),
    ("Тариф", "Tariff", "tariff"),
    ("Значение", "Value", number("value")),
    ("Единица", "Unit", unit("unit")),
    ("Достоверность", "Status", coded("status", READING_STATUSES)),
    ("Причины", "Reasons", "reasons"),
    ("Тревоги", "Alarms", "alarms"),
    ("Чьё время", "Time of", "time_source"),
    ("Принято, UTC", "Received, UTC", time("received_us")),
    ("Драйвер", "Driver", "driver"),
    ("Кадр", "Frame", "frame"),
    place="next_since",
    start="since",
    page=2000,
)
FLOWS = table(
    "flows",
    "Информационные потоки",
    "Information flows",
    ("С кем", "With whom", coded("party", PARTIES)),
    ("Название", "Name", "name"),
    ("Идентификатор", "Id", "id"),
    ("Направление", "Direction", coded("direction", DIRECTIONS)),
    ("Последний обмен, UTC", "Last exchange, UTC", "last"),
    ("Взять", "To take", "to_take"),
    ("Отдать", "To give", "to_give"),
    ("Ждёт с, UTC", "Waits since, UTC", "since"),
    ("Ошибок", "Errors", "errors"),
    ("Неполадка", "Trouble", _flow_trouble),
)
