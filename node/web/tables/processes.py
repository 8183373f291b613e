"""The columns of lists of processes: how they go, which of them run, and who has how much to do."""

from node.web.columns import Item, Reader, coded, table, time, yes_no
from node.web.passport_words import STEPS
from node.web.process_words import RUN_STATES, process_name


def _title(item: Item, reader: Reader) -> str:
    return str(item.title.get(reader.language) or next(iter(item.title.values())))


def _parties(item: Item, _: Reader) -> str:
    return ", ".join(party.name for party in item.parties)


PROCEDURES = table(
    "procedures",
    "Регламенты",
    "Procedures",
    ("Название", "Title", _title),
    ("Код", "Code", "code"),
    ("Версия", "Version", "version"),
    ("Издатель", "Publisher", "publisher_name"),
    ("Опубликован, UTC", "Published, UTC", time("published_us")),
    ("Мы участвуем", "We take part", yes_no("accepted")),
    ("Участники", "Parties", _parties),
    ("SHA-256", "SHA-256", "digest"),
)
PROCESSES = table(
    "processes",
    "Процессы",
    "Processes",
    ("Процесс", "Process", lambda item, reader: process_name(item.code, reader.language)),
    ("Номер", "Number", "number"),
    ("О чём", "About", "about"),
    ("Прибор", "Device", "title"),
    ("Паспорт", "Passport", "id"),
    ("Состояние", "State", coded("state", RUN_STATES)),
    ("Шаг", "Step", coded("step", STEPS)),
    ("Кого ждут", "Waits for", "org_name"),
    ("Срок, UTC", "Term, UTC", time("due_us")),
    ("Просрочен", "Overdue", yes_no("overdue")),
    ("Владелец", "Owner", "owner_name"),
    ("Открыт, UTC", "Opened, UTC", time("opened_us")),
    ("Номер запуска", "Run", "run"),
)
LOADS = table(
    "loads",
    "Загрузка организаций",
    "Open steps by organisation",
    ("Организация", "Organisation", "name"),
    ("Открытых шагов", "Open steps", lambda item, _: str(item.open)),
    ("Из них просрочено", "Overdue", lambda item, _: str(item.overdue)),
    ("Код организации", "Organisation's id", "org"),
)
SHIPPED = table(
    "shipped-procedures",
    "Регламенты из поставки",
    "Procedures that come with the product",
    ("Название", "Title", _title),
    ("Код", "Code", "code"),
    ("Версия", "Version", "version"),
    ("Шаги", "Steps", lambda item, _: ", ".join(step.code for step in item.steps)),
)
