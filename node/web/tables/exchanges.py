"""The columns of lists of what is exchanged with other systems, and of what is counted for them."""

from node.web.columns import coded, number, organisation, table, time, yes_no
from node.web.exchange_words import FOUND, GROUPINGS, MESSAGES, RESULT_STATES
from node.web.passport_words import STANDINGS

RESULTS = table(
    "arshin-results",
    "Поверки",
    "Verifications",
    ("Прибор", "Device", "id"),
    ("Заводской №", "Serial", "serial"),
    ("Протокол", "Protocol", "number"),
    ("Когда, UTC", "When, UTC", time("occurred_us")),
    ("Файл", "File", "file"),
    ("Состояние", "State", coded("state", RESULT_STATES)),
    ("Место протокола", "Place of the protocol", "ref"),
)
FILES = table(
    "arshin-files",
    "Файлы «Аршин»",
    "Arshin files",
    ("Файл", "File", "file"),
    ("Составлен, UTC", "Made, UTC", time("made_us")),
    ("Кем", "By", "actor"),
    ("Поверок", "Results", "results"),
)
ANSWERS = table(
    "register-answers",
    "Ответы реестра",
    "Answers of the register",
    ("Ответ", "Answer", "answer"),
    ("Прибор", "Device", "id"),
    ("Спрошено, UTC", "Asked, UTC", time("asked_us")),
    ("Найдено", "Found", coded("found", FOUND)),
    ("Адрес", "Address", "url"),
    ("Подробности", "Details", "detail"),
)
RECORDS = table(
    "register-records",
    "Записи реестра",
    "Records of the register",
    ("Номер записи", "Number of the record", "number"),
    ("Поверен", "Verified", "verified"),
    ("Действительна до", "Valid until", "valid_until"),
    ("Кто поверил", "Verified by", "organisation"),
    ("Пригоден", "Fit", "fit"),
    ("Прочёл", "Read by", organisation("by")),
    ("Когда", "When", "asked"),
    ("Расхождения", "Differences", "differences"),
)
MESSAGES_1C = table(
    "messages-1c",
    "Сообщения 1С",
    "Messages of 1C",
    ("Принято, UTC", "Taken, UTC", time("received_us")),
    ("База", "System", "system"),
    ("Номер", "Number", "number"),
    ("Сообщение", "Message", "message"),
    ("Что", "What", coded("kind", MESSAGES)),
    ("Записано", "Written", "written"),
    ("Без изменений", "Unchanged", "same"),
    ("Устарело", "Older than known", "older"),
    ("Кем", "By", "actor"),
)
CHANGES_1C = table(
    "changes-1c",
    "Изменения для 1С",
    "Changes for 1C",
    ("Объект 1С", "Object of 1C", "id"),
    ("Прибор", "Device", "device"),
    ("Название", "Title", "title"),
    ("Состояние", "State", "state"),
    ("Поверка до", "Verified until", "valid_until"),
    ("Номер записи", "Number of the record", "record"),
)
FAILURES = table(
    "failures",
    "Отказы",
    "Failures",
    ("По чему", "By", coded("by", GROUPINGS)),
    ("Группа", "Group", "name"),
    ("Приборов", "Devices", "devices"),
    ("Отказало", "Failed", "failed"),
    ("Доля", "Rate", number("rate")),
    ("События", "Events", "codes"),
    ("Код", "Code", "group"),
)
EVENTS = table(
    "all-events",
    "События",
    "Events",
    ("Прибор", "Device", "title"),
    ("Идентификатор", "Device id", "id"),
    ("Тип", "Type", "type"),
    ("Когда, UTC", "When, UTC", time("occurred_us")),
    ("Что", "What", "what"),
    ("Кто", "Who", organisation("by")),
    ("Система", "System", "system"),
    ("Процесс", "Process", "process"),
    ("Шаг", "Step", "step"),
    ("Статус", "Standing", coded("standing", STANDINGS)),
    ("Заменено", "Replaced", yes_no("replaced")),
    ("Место", "Place of the statement", "ref"),
)
