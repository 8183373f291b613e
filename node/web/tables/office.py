"""The columns of lists of what goes on at the node: people, tokens, journal, jobs."""

from node.web.columns import (
    Item,
    Reader,
    coded,
    device_id,
    number,
    organisation,
    shown,
    table,
    time,
)
from node.web.console_words import (
    HOOK_FAULTS,
    HOOK_HEALTH,
    HOOK_PAUSES,
    HOOK_PURPOSES,
    JOB_KINDS,
    JOB_STATES,
    UNDO_GROUNDS,
)
from node.web.passport_words import words
from node.web.words import actor_words, detail_name, detail_text, detail_values, journal_words

ROLES = {
    "reader": ("читает", "reads"),
    "operator": ("работает", "operates"),
    "admin": ("администратор", "administers"),
}


def _happened(item: Item, reader: Reader) -> str:
    return journal_words(item.what, reader.language)


def _detail(detail: Item, reader: Reader) -> str:
    """The details of a journal row in words."""
    told = detail_values(detail, reader.language)
    return "; ".join(f"{detail_name(name, reader.language)}: {_told(name, value)}" for name, value in told.items())


def _told(name: str, value: object) -> str:
    return time("value")({"value": value}, Reader("")) if name.endswith("_us") else detail_text(value)


JOURNAL = table(
    "journal",
    "Журнал",
    "Journal",
    ("№", "No.", "id"),
    ("Когда, UTC", "When, UTC", time("at")),
    ("Что", "What", _happened),
    ("Код", "Code", "what"),
    ("Кто", "Who", lambda item, reader: actor_words(item.actor, reader.language)),
    ("Организация", "Organisation", organisation("org")),
    ("Предмет", "Subject", device_id("subject")),
    ("Подробности", "Details", lambda item, reader: _detail(item.detail, reader)),
)
JOBS = table(
    "jobs",
    "Задания",
    "Jobs",
    ("Создано, UTC", "Created, UTC", time("created_us")),
    ("Что", "What", coded("kind", JOB_KINDS)),
    ("Файл", "File", "result.file"),
    ("Состояние", "State", coded("state", JOB_STATES)),
    ("Сделано", "Done", "done"),
    ("Всего", "Total", "total"),
    ("Принято", "Accepted", "result.accepted"),
    ("Возвращено", "Sent back", lambda item, _: str(len(item.result.get("findings", ())))),
    ("Изменено, UTC", "Changed, UTC", time("changed_us")),
    ("Задание", "Job", "job"),
)
WEBHOOKS = table(
    "webhooks",
    "Уведомления систем",
    "Webhooks",
    ("Адрес", "Address", "url"),
    ("Для чего", "What for", "description"),
    ("Состояние", "Health", coded("health", HOOK_HEALTH)),
    ("Почему остановлено", "Why paused", coded("paused", HOOK_PAUSES)),
    ("Ошибка", "Error", coded("error", HOOK_FAULTS)),
    ("Сбои с, UTC", "Failing since, UTC", time("failing_since")),
    ("Принято событий", "Events taken", "taken"),
    ("Принято последнее, UTC", "Last taken, UTC", time("taken_at")),
    ("Виды событий", "Kinds of events", lambda item, _: ", ".join(item.what)),
    ("Приборы", "Devices", lambda item, _: ", ".join(item.devices)),
    ("Кто завёл", "Made by", lambda item, reader: actor_words(item.author, reader.language)),
    ("Заведено, UTC", "Made, UTC", time("created")),
    ("Уведомление", "Webhook", "id"),
)
DELIVERIES = table(
    "deliveries",
    "Отправки",
    "Deliveries",
    ("№", "No.", "n"),
    ("Когда, UTC", "When, UTC", time("at")),
    ("Что", "What", lambda item, reader: journal_words(item.what, reader.language) if item.event else ""),
    ("Событие", "Event", "event"),
    ("Зачем", "Purpose", coded("purpose", HOOK_PURPOSES)),
    ("Попытка", "Attempt", "attempt"),
    ("Ответ", "Answer", "status"),
    ("Ошибка", "Error", coded("error", HOOK_FAULTS)),
    ("Заняло, мс", "Took, ms", "took_ms"),
)
LEFT = table(
    "left",
    "Оставлены при отмене импорта",
    "Left by an undo",
    ("Идентификатор", "Device id", "id"),
    ("Прибор", "Device", "title"),
    ("Почему оставлен", "Why it stays", coded("rule", UNDO_GROUNDS)),
    ("Кто", "Who", organisation("by")),
    ("Когда, UTC", "When, UTC", time("at_us")),
)
FINDINGS = table(
    "findings",
    "Замечания",
    "Findings",
    ("Строка", "Row", "row"),
    ("Строк", "Rows", "rows"),
    ("Столбец", "Column", "column"),
    ("Значение", "Value", "value"),
    ("Замечание", "Finding", lambda item, reader: reader.choose((item.ru, item.en))),
    ("Правило", "Rule", "rule"),
    ("Адрес", "Address", "address"),
    ("Обозначение", "Designation", "designation"),
    ("Заводской №", "Serial", "serial"),
)
SUPPLIERS = table(
    "suppliers",
    "Поставщики",
    "Suppliers",
    ("Поставщик", "Supplier", "name"),
    ("Столбцы", "Columns", lambda item, _: shown(item.mapping.columns)),
    ("Лист", "Sheet", "mapping.sheet"),
    ("Строка заголовка", "Header row", "mapping.header_row"),
)
ACCOUNTS = table(
    "accounts",
    "Люди",
    "People",
    ("Имя", "Name", "name"),
    ("Роль", "Role", lambda item, reader: words(ROLES, item.role.value, reader.language)),
    ("Язык", "Language", "language"),
    ("С, UTC", "Since, UTC", time("created")),
)
SESSIONS = table(
    "sessions",
    "Сеансы",
    "Sessions",
    ("Имя", "Name", "account"),
    ("Адрес", "Address", "address"),
    ("Начат, UTC", "Began, UTC", time("created")),
    ("Последний раз, UTC", "Last seen, UTC", time("seen")),
    ("До, UTC", "Until, UTC", time("expires")),
    ("Сеанс", "Session", "id"),
)
TOKENS = table(
    "tokens",
    "Токены",
    "Tokens",
    ("Имя", "Name", "name"),
    ("Права", "Rights", "scopes"),
    ("Кто выдал", "Issued by", lambda item, reader: actor_words(item.issuer, reader.language)),
    ("Выдан, UTC", "Issued, UTC", time("created")),
    ("До, UTC", "Until, UTC", time("expires")),
    ("Токен", "Token", "id"),
)

LABEL_FORMATS = table(
    "label-formats",
    "Форматы этикеток",
    "Formats of labels",
    ("Формат", "Format", "name"),
    ("Ширина, мм", "Width, mm", number("width")),
    ("Высота, мм", "Height, mm", number("height")),
    ("Столбцов на листе", "Columns on a sheet", "columns"),
    ("Строк на листе", "Rows on a sheet", "rows"),
)
