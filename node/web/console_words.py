"""What the codes of jobs, peers, shipments and running processes read as for people, in Russian and English."""

from node.web.passport_words import Table

JOB_KINDS: Table = {
    "import.production": ("Файл производства", "Production file"),
    "import.fleet": ("Таблица приборов", "Fleet table"),
    "import.bench": ("Файл проливной установки", "Bench file"),
    "import.undo": ("Отмена импорта", "Undo of an import"),
    "register.read": ("Чтение реестра поверок", "Reading of the register"),
    "verify.bench": ("Поверка по проливке", "Verification by bench runs"),
    "import.commerceml": ("Номенклатура из 1С", "Items from 1C"),
    "backup.make": ("Резервная копия", "Backup"),
    "backup.verify": ("Проверка копии", "Check of a backup"),
    "backup.drill": ("Пробное восстановление", "Restore drill"),
    "fold": ("Сборка паспортов поставки", "Passports of a shipment folded"),
    "closing": ("Закрытие месяца показаний", "A month of readings closed"),
    "redecode": ("Перечитывание архива", "An archive read again"),
    "refold": ("Пересборка всех паспортов", "Passports folded again"),
}
# Why an undo left a device as it is.
UNDO_GROUNDS: Table = {
    "shipped": ("отгружен или передан", "shipped or handed over"),
    "on-air": ("подключён к сети LoRa", "on the air"),
    "named": ("сказанное подтверждено или исправлено", "what was said was confirmed or corrected"),
    "protocol": ("есть более поздний протокол", "a protocol came later"),
    "event": ("есть более позднее событие", "an event came later"),
    "composition": ("есть более поздняя комплектация", "it was built in, or something into it, later"),
    "said": ("позже сказано другое", "more was said of it later"),
}
JOB_STATES: Table = {
    "waiting": ("в очереди", "waiting"),
    "running": ("выполняется", "running"),
    "done": ("готово", "done"),
    "failed": ("не выполнено", "failed"),
}
BOX_STATES: Table = {
    "waiting": ("ждёт получателя", "waits to be claimed"),
    "claimed": ("получена", "claimed"),
    "withdrawn": ("отозвана", "withdrawn"),
}
# What came of claims, as the journal has it.
BOX_OUTCOMES: Table = {
    "done": ("передана", "handed over"),
    "unknown": ("такой коробки нет", "no such box"),
    "claimed": ("уже получена", "claimed already"),
    "withdrawn": ("отозвана", "withdrawn"),
    "gone": ("больше не передаётся", "may not be passed on"),
    "limit": ("слишком много попыток", "too many tries"),
    "silent": ("узел не ответил", "no answer"),
}
# How a webhook is, why one sends nothing, why an attempt failed, and what it was for.
HOOK_HEALTH: Table = {
    "new": ("ещё ничего не отправлено", "nothing sent yet"),
    "good": ("работает", "works"),
    "failing": ("сбои", "fails"),
    "paused": ("остановлено", "paused"),
}
HOOK_PAUSES: Table = {
    "hand": ("вручную", "by hand"),
    "failing": ("адресат слишком долго не принимал", "the receiver took nothing for too long"),
    "gone": ("адресат ответил, что его больше нет", "the receiver says that it is gone"),
    "token": ("доступ токена или системы закончился", "the access of its token or system has ended"),
}
HOOK_FAULTS: Table = {
    "refused": ("адресат отказал", "the receiver refused"),
    "redirect": ("адресат отсылает на другой адрес", "the receiver points to another address"),
    "timeout": ("нет ответа вовремя", "no answer in time"),
    "address": ("адрес ведёт в закрытую сеть", "the address leads into a closed network"),
    "name": ("имя не найдено", "the name is not found"),
    "connection": ("нет соединения", "no connection"),
    "tls": ("сертификат не подошёл", "the certificate does not do"),
    "answer": ("ответ не по HTTP", "the answer is no HTTP"),
}
HOOK_PURPOSES: Table = {
    "event": ("событие", "event"),
    "resent": ("отправлено ещё раз", "sent again"),
    "test": ("проверка", "test"),
}
CATALOGS: Table = {
    "parameters": ("Параметры", "Parameters"),
    "units": ("Единицы измерения", "Units of measure"),
    "events": ("События", "Events"),
    "types": ("Типы", "Types"),
    "processes": ("Процессы", "Processes"),
    "roles": ("Роли", "Roles"),
    "obis": ("Коды OBIS", "OBIS codes"),
    "places": ("Места", "Places"),
}
RELEASE_STATES: Table = {
    "adopted": ("в работе", "in use"),
    "waiting": ("ждёт решения", "waits for you"),
    "older": ("прежний", "older"),
    "arriving": ("приходит", "arriving"),
    "contested": ("спорный", "contested"),
}
APPROVAL_STATES: Table = {
    "valid": ("действует", "in force"),
    "ended": ("срок истёк", "ended"),
    "not-yet": ("ещё не действует", "not in force yet"),
    "open": ("срок не указан", "no dates stated"),
}
# Fields of records of catalogs.
RECORD_FIELDS: Table = {
    "ru": ("имя по-русски", "name in Russian"),
    "en": ("имя по-английски", "name in English"),
    "type_ru": ("имя по-русски", "name in Russian"),
    "type_en": ("имя по-английски", "name in English"),
    "unit": ("единица", "unit"),
    "okei": ("код ОКЕИ", "OKEI code"),
    "decimals": ("знаков после точки", "digits after the point"),
    "min": ("наименьшее", "least"),
    "above": ("больше чем", "more than"),
    "max": ("наибольшее", "greatest"),
    "synonyms": ("другие имена", "other names"),
    "quantity": ("величина", "quantity"),
    "dimension": ("величина", "dimension"),
    "kind": ("вид", "kind"),
    "grsi": ("номер в ГРСИ", "approval"),
    "valid_from": ("действует с", "valid from"),
    "valid_until": ("действует по", "valid until"),
    "executions": ("исполнения", "executions"),
    "execution_params": ("параметры исполнений", "parameters of executions"),
    "params": ("параметры", "parameters"),
    "mpi_months": ("МПИ, мес.", "verification interval, months"),
    "resources": ("ресурсы", "resources"),
    "driver": ("драйвер", "driver"),
    "model": ("модель", "model"),
    "mpe": ("пределы погрешности", "permissible errors"),
    "obis": ("OBIS", "OBIS"),
    "steps": ("шаги", "steps"),
    "medium": ("среда", "medium"),
    "parameter": ("параметр", "parameter"),
}
PEER_STATES: Table = {
    "inbox": ("ждёт решения", "waits for you"),
    "active": ("обмен идёт", "in exchange"),
    "ignored": ("скрыт", "ignored"),
    "ended": ("отключён своей организацией", "ended by its organisation"),
    "out": ("организация вне федерации", "out of the federation"),
}
# Why entries of a log do not count.
LOSSES: Table = {
    "pending": (
        "корневая цепочка раздвоена, ждёт решения якорей",
        "the root chain is forked and waits for the anchors",
    ),
    "disowned": ("узел не признан своей организацией", "the node is disowned by its organisation"),
    "ended": ("узел отключён своей организацией", "the node was ended by its organisation"),
    "forked": ("за местом доказанного раздвоения журнала", "beyond a proven fork of the log"),
    "left": ("участие организации закончено", "the organisation’s membership ended"),
}
ORGANISATION_KINDS: Table = {
    "maker": ("завод-изготовитель", "maker"),
    "lab": ("поверочная лаборатория", "verification laboratory"),
    "utility": ("ресурсоснабжающая организация", "utility"),
    "housing": ("управляющая организация", "housing company"),
    "service": ("сервисная организация", "service firm"),
    "operator": ("оператор", "operator"),
}
MEMBER_STANDINGS: Table = {
    "anchor": ("якорь", "anchor"),
    "member": ("участник", "member"),
    "guest": ("гость", "guest"),
    "unknown": ("за неё никто не поручился", "nobody speaks for it"),
    "left": ("вышла", "left"),
    "expelled": ("исключена", "expelled"),
}
CARD_FAULTS: Table = {
    "foreign_node": ("карточка называет чужой узел", "its card names another's node"),
    "ended_node": ("карточка называет отключённый узел", "its card names a node that ended"),
    "too_many": ("карточки называют слишком много узлов", "its cards name too many nodes"),
    "address": ("на карточке нет адреса узла", "its card has no address of a node"),
}
ATTESTED: Table = {
    "number": ("реквизиты подтверждены", "numbers confirmed"),
    "maker": ("изготовитель", "maker"),
    "accreditation": ("аккредитация", "accreditation"),
    "steward": ("ведёт справочники", "steward of catalogs"),
    "prefix": ("префикс номеров", "number prefix"),
    "branch": ("ветвь корневой цепочки", "branch of the root chain"),
    "seat": ("место в указателе", "seat in the directory"),
}
SHIPMENT_STATES: Table = {
    "offered": ("ждёт приёмки", "waits for acceptance"),
    "accepted": ("принята", "accepted"),
    "refused": ("не принята", "refused"),
    "withdrawn": ("отозвана", "withdrawn"),
    "returning": ("возвращается", "is being sent back"),
    "returned": ("возвращена", "sent back"),
    "partly": ("частично", "in part"),
    "void": ("без силы", "of no effect"),
}
DEVICE_STATES: Table = {
    "offered": ("Ждёт приёмки", "Waits"),
    "accepted": ("Принят", "Accepted"),
    "refused": ("Не принят", "Refused"),
    "withdrawn": ("Отозван", "Withdrawn"),
    "returning": ("Возвращается", "Being sent back"),
    "returned": ("Возвращён", "Sent back"),
}
SHIPMENT_REASONS: Table = {
    "missing": ("нет в коробке", "missing in the box"),
    "damaged": ("повреждён", "damaged"),
    "defective": ("неисправен", "defective"),
    "not-ordered": ("не заказывали", "not ordered"),
    "wrong": ("не тот прибор", "the wrong device"),
    "other": ("другая причина", "another reason"),
}
SHIPMENT_ACTS: Table = {
    "offered": ("Предложено", "Offered"),
    "accepted": ("Принято", "Accepted"),
    "refused": ("Не принято", "Refused"),
    "withdrawn": ("Отозвано", "Withdrawn"),
    "strange": ("Без силы: этого в отгрузке нет", "Of no effect: not in the shipment"),
}
PROCESSES: Table = {
    "acceptance": ("Отгрузка ждёт приёмки", "A shipment waits for its acceptance"),
    "verification": ("Ждёт поверки", "Waits for a verification"),
    "verification-soon": ("Поверка истекает", "The verification runs out"),
    "verification-overdue": ("Поверка просрочена", "The verification is overdue"),
    "record-missing": ("Нет записи в реестре поверок", "No record in the register of verifications"),
    "step": ("Процесс идёт", "A process runs"),
    "closing": ("Процесс ждёт закрытия", "A process waits to be closed"),
}
