"""The columns of lists of what catalogs hold."""

from node.web.columns import (
    coded,
    organisation,
    table,
    take,
    time,
    yes_no,
)
from node.web.console_words import (
    APPROVAL_STATES,
    CATALOGS,
    RELEASE_STATES,
)

CATALOGS_TABLE = table(
    "catalogs",
    "Справочники",
    "Catalogs",
    ("Справочник", "Catalog", coded("catalog", CATALOGS)),
    ("Код", "Code", "catalog"),
    ("Записей", "Records", "count"),
    ("Выпуск", "Release", "release"),
    ("Название выпуска", "Its label", "label"),
    ("Ждут решения", "Wait for you", "waiting"),
    ("Принимать самим", "Adopted by itself", yes_no("automatic")),
    ("Своих кодов", "Own codes", "own"),
    ("Не связано", "Unmapped", "unmapped"),
)
CODES = table(
    "catalog",
    "Справочник",
    "Catalog",
    ("Код", "Code", "central"),
    ("По-русски", "Russian", "ru"),
    ("По-английски", "English", "en"),
    ("ОКЕИ", "OKEI", "record.okei"),
    ("Единица", "Unit", "record.unit"),
    ("OBIS", "OBIS", "record.obis"),
    ("Номер в ГРСИ", "Approval", "record.grsi"),
    ("Модель", "Model", "record.model"),
    ("Свои коды", "Own codes", lambda item, _: ", ".join(map(str, take(item, "own") or ()))),
)
OWN_CODES = table(
    "own-codes",
    "Свои коды",
    "Own codes",
    ("Свой код", "Own code", "local"),
    ("Своё название", "Own name", "name"),
    ("Центральный код", "Central code", "central"),
    ("Центральное название", "Central name", "central_name"),
    ("Паспортов", "Passports", "records"),
    ("Загружен", "Loaded", yes_no("loaded")),
)
HISTORY = table(
    "history",
    "История кода",
    "History of a code",
    ("Когда, UTC", "When, UTC", time("occurred_us")),
    ("Своё название", "Own name", "name"),
    ("Центральный код", "Central code", "central"),
    ("Фрагмент", "Statement", "statement"),
)
MAPPINGS = table(
    "mappings",
    "Связи кодов",
    "Mappings",
    ("Когда, UTC", "When, UTC", time("occurred_us")),
    ("Кодов", "Codes", "count"),
    ("Первые из них", "The first of them", lambda item, _: ", ".join(str(code.get("local")) for code in item.codes)),
    ("Фрагмент", "Statement", "statement"),
)
RELEASES = table(
    "releases",
    "Выпуски",
    "Releases",
    ("Номер", "Number", "number"),
    ("Название", "Label", "label"),
    ("Дата", "Date", "date"),
    ("Кто", "Who", organisation("by")),
    ("Записей", "Records", "count"),
    ("Состояние", "State", coded("state", RELEASE_STATES)),
    ("Отпечаток", "Digest", "digest"),
)
TYPES = table(
    "types",
    "Типы",
    "Types",
    ("Код", "Code", "code"),
    ("Название", "Name", "name"),
    ("Модель", "Model", "model"),
    ("Номер в ГРСИ", "Approval", "approval"),
    ("Утверждение", "State of the approval", coded("approval_state", APPROVAL_STATES)),
    ("Приборов", "Devices", "devices"),
    ("Версий", "Versions", "versions"),
)
LINES = table(
    "lines",
    "Серийные ряды",
    "Serial lines",
    ("Обозначения", "Designations", "designations"),
    ("Товарные знаки", "Marks", "marks"),
    ("Изготовители", "Legal makers", "makers"),
    ("Утверждения типа", "Approvals", "approvals"),
    ("Знаков", "Width", "width"),
    ("Номера каждый год заново", "Restarts each year", yes_no("restarts_yearly")),
    ("Издатель", "Publisher", organisation("publisher")),
    ("Ряд", "Line", "line"),
)
REFERENCES = table(
    "references",
    "Двойные ссылки",
    "Dual references",
    ("Справочник", "Catalog", coded("catalog", CATALOGS)),
    ("Свой код", "Own code", "local"),
    ("Центральный код", "Central code", "central"),
    ("Своё название", "Own name", "local_name"),
    ("Организация", "Organisation", organisation("org")),
)
