"""What the codes of roles and of acts about them read as for people, in Russian and English."""

from node.web.passport_words import Table

ROLES: Table = {
    "manufacturer": ("Производитель", "Manufacturer"),
    "title": ("Собственник", "Owner by title"),
    "responsible": ("Ответственный", "Responsible party"),
    "settlement": ("Сторона расчётов", "Settlement party"),
    "process_owner": ("Владелец процесса", "Owner of processes"),
    "process_executor": ("Исполнитель процесса", "Executor of processes"),
    "data_source": ("Источник данных", "Source of data"),
    "network": ("Сеть LoRa", "LoRa network"),
    "escrow": ("Хранитель ключей", "Escrow of the keys"),
}
NUMBERS: Table = {"inn": ("ИНН", "INN"), "ogrn": ("ОГРН", "OGRN")}
BASES: Table = {
    "maker": ("изготовил", "made it"),
    "title": ("по праву собственности", "by title"),
    "acceptance": ("предложено и принято", "offered and accepted"),
    "document": ("по документу", "by a document"),
    "appointment": ("назначение", "given"),
    "offer": ("предложение", "offer"),
}
STATES: Table = {
    "waiting": ("ждёт ответа", "waits for an answer"),
    "lapsed": ("срок вышел", "lapsed"),
    "refused": ("отклонено", "refused"),
    "withdrawn": ("отозвано", "withdrawn"),
    "stands": ("действует", "stands"),
    "ended": ("прекращено", "ended"),
    "disputed": ("приняли двое", "accepted twice"),
    "not_chosen": ("выбрано другое", "another was chosen"),
    "ineffective": ("не действует", "has no effect"),
}
REASONS: Table = {
    "refused": ("сторона отказалась", "the party refused"),
    "withdrawn": ("предложение отозвано", "the offer was withdrawn"),
    "expired": ("ответ пришёл после срока", "answered too late"),
    "not-the-holder": ("предложил не тот, у кого эта роль", "offered by who does not hold it"),
    "not-entitled": ("назначил не собственник и не ответственный", "given by neither owner nor responsible party"),
    "passed-already": ("роль уже передана другому", "it had passed on already"),
    "not-chosen": ("из двух принятых прежний владелец выбрал другое", "the former holder chose the other acceptance"),
    "needs-acceptance": ("у стороны есть узел: нужна её подпись", "the party has a node: its signature is missing"),
    "needs-document": ("нет документа", "there is no document"),
    "no-party": ("не сказано, кому", "it is not told to whom"),
}
RESIDENT: Table = {"resident": ("житель", "resident")}
# What a system may write.
WRITES: Table = {
    "plates": ("таблички и типы", "plates and types"),
    "events": ("события", "events"),
    "parameters": ("параметры", "parameters"),
    "observed": ("наблюдаемые параметры", "observed parameters"),
    "protocols": ("протоколы", "protocols"),
    "imports": ("файлы и сообщения", "files and messages"),
    "composition": ("комплектацию", "composition"),
    "codes": ("свои коды", "own codes"),
    "shipments": ("отгрузки", "shipments"),
    "processes": ("процессы", "processes"),
    "configuration": ("настройку и ключи", "settings and keys"),
}
