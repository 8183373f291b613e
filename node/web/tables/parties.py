"""The columns of lists of roles, of the acts by which they pass, and of systems that write here."""

from node.web.columns import Cell, Item, Reader, coded, organisation, table, time, yes_no
from node.web.passport_words import CLASSES, STANDINGS, Table, words
from node.web.right_words import ROWS, VERBS, WHYS
from node.web.role_words import BASES, RESIDENT, ROLES, STATES, WRITES


def coded_all(name: str, codes: Table) -> Cell:
    """The words of several codes, with commas."""
    return lambda item, reader: ", ".join(words(codes, str(code), reader.language) for code in getattr(item, name))


def _called(item: Item, reader: Reader) -> str:
    return reader.organisations.get(item.org) or item.name or str(item.org)


def _party(item: Item, reader: Reader) -> str:
    """What a party is called: by its card, by the act, by its number, or that it is a resident."""
    number = words(RESIDENT, item.number, reader.language) if item.number else ""
    return reader.organisations.get(item.party) or ", ".join(filter(None, (item.name, number))) or str(item.party)


def _to(item: Item, reader: Reader) -> str:
    resident = words(RESIDENT, "resident", reader.language) if item.resident else ""
    known = reader.organisations.get(item.org or "")
    return known or ", ".join(filter(None, (item.name, item.number, resident))) or str(item.org or "")


def _sides(item: Item, reader: Reader) -> str:
    return ", ".join(reader.organisations.get(side.org) or str(side.org) for side in item.sides)


ROLES_OVER = table(
    "roles",
    "Роли",
    "Roles",
    ("Роль", "Role", coded("role", ROLES)),
    ("Кто", "Who", _party),
    ("С, UTC", "Since, UTC", time("since")),
    ("До, UTC", "Until, UTC", time("until")),
    ("Основание", "Ground", coded("basis", BASES)),
    ("Без ключей", "Unopened", yes_no("unopened")),
    ("Документ", "Document", "document"),
    ("Статус", "Standing", coded("standing", STANDINGS)),
    ("Кто заявил", "Stated by", organisation("by")),
    ("Кто прекратил", "Ended by", organisation("ended_by")),
    ("Организация", "Organisation id", "party"),
)
ACCESS = table(
    "access",
    "Кому что видно",
    "Who may see what",
    ("Организация", "Organisation", _called),
    ("Почему", "Why", coded("why", WHYS)),
    ("Роль", "Role", coded("role", ROLES)),
    ("Что может", "May", coded("verb", VERBS)),
    ("Классы", "Classes", coded_all("classes", CLASSES)),
    ("Что пишет", "Writes", coded_all("rows", ROWS)),
    ("Профиль", "Profile", "profile"),
    ("Только слова", "Statements of", organisation("author")),
    ("Кто открыл", "Given by", organisation("by")),
    ("Когда, UTC", "When, UTC", time("at")),
    ("С, UTC", "Since, UTC", time("since")),
    ("До, UTC", "Until, UTC", time("until")),
    ("Кто прекратил", "Ended by", organisation("ended_by")),
    ("Прекращено, UTC", "Ended, UTC", time("ended_at")),
    ("Заявление", "Statement", "ref"),
)
PROFILES = table(
    "profiles",
    "Профили",
    "Profiles",
    ("Имя", "Name", "name"),
    ("Версия", "Version", "version"),
    ("Название", "Title", lambda item, reader: str(item.title["ru" if reader.language == "ru" else "en"])),
    ("Роли", "Roles", coded_all("roles", ROLES)),
    ("Издатель", "Publisher", organisation("org")),
    ("Действует", "Used", lambda item, _: "+" if item.used else ""),
    ("Номер", "Id", "id"),
)
SYSTEMS = table(
    "systems",
    "Системы",
    "Systems",
    ("Имя", "Name", "name"),
    ("Вид", "Kind", "kind"),
    ("Контакт", "Contact", "contact"),
    ("Права", "Rights", "scopes"),
    ("Что пишет", "Writes", coded_all("writes", WRITES)),
    ("Сети", "Networks", "networks"),
    ("Типы", "Types", "types"),
    ("Приборы", "Things", "things"),
    ("Запросов в минуту", "Requests a minute", "per_minute"),
    ("Отключена, UTC", "Cut off, UTC", time("blocked")),
    ("Почему", "Why", "reason"),
    ("Запросов", "Requests", "used"),
    ("Последний, UTC", "Last, UTC", time("used_at")),
    ("Отказов", "Refused", "refused"),
)
MANDATES = table(
    "mandates",
    "Передача и назначение ролей",
    "Acts about roles",
    ("Сказано, UTC", "Said, UTC", time("said")),
    ("Роль", "Role", coded("role", ROLES)),
    ("Кто", "By", organisation("by")),
    ("Кому", "To", _to),
    ("Основание", "Ground", coded("basis", BASES)),
    ("Состояние", "State", coded("state", STATES)),
    ("Отвечено, UTC", "Answered, UTC", time("answered")),
    ("С, UTC", "From, UTC", time("since")),
    ("До, UTC", "Until, UTC", time("until")),
    ("Документ", "Document", lambda item, _: str(item.papers.get("document", ""))),
    ("Приборов", "Things", lambda item, _: str(len(item.devices))),
    ("Номера приборов", "Ids of things", "devices"),
    ("Номер акта", "Act id", "id"),
)
DISPUTES = table(
    "disputes",
    "Принято двумя",
    "Accepted twice",
    ("Роль", "Role", coded("role", ROLES)),
    ("Кто предложил", "Offered by", organisation("by")),
    ("Кто принял", "Accepted by", _sides),
    ("Приборов", "Things", lambda item, _: str(len(item.devices))),
    ("Номера приборов", "Ids of things", "devices"),
)
BURDENS = table(
    "standing",
    "Что остаётся на приборах",
    "What stands over things",
    ("Что", "What", coded("what", {**ROLES, **VERBS})),
    ("Кому", "To", organisation("org")),
    ("Кто дал", "By", organisation("by")),
    ("С, UTC", "From, UTC", time("since")),
    ("До, UTC", "Until, UTC", time("until")),
    ("Номера приборов", "Ids of things", "devices"),
)
