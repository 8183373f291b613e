"""The words of documents for paper that no page has: in English as they stand in the code, here in Russian."""

from node.web.passport_words import Table

RUSSIAN = {
    "Protocol": "Протокол",
    "Signatures": "Подписи",
    "Approval": "Номер в ГРСИ",
    "Attested": "Аттестовано",
    "Class": "Класс",
    "Composition": "Комплектация",
    "Conflicts and claims": "Споры и притязания",
    "Digest of the whole view": "Отпечаток всего паспорта",
    "Electronic passport of a device": "Электронный паспорт прибора",
    "Evidence": "Основание",
    "From — to": "С — по",
    "How many": "Сколько",
    "How read": "Как прочитана",
    "Identity": "Идентичность",
    "Issued": "Выдан",
    "Issued by": "Выдала организация",
    "LoRa network": "Сеть LoRa",
    "Manufacturer": "Изготовитель",
    "Named": "Названа стороной",
    "Number": "Чей номер",
    "Organisation": "Организация",
    "Organisation id": "Номер организации",
    "Other numbers": "Другие номера",
    "Owner": "Владелец",
    "Parameter": "Параметр",
    "Parameters": "Параметры",
    "Part": "Деталь",
    "Parties": "Стороны",
    "Plate": "Табличка",
    "Profile": "Профиль",
    "statements left out": "не показано заявлений",
    "sections withheld": "закрыто разделов",
    "Plates as they were read": "Таблички, как они прочитаны",
    "Position": "Место",
    "Protocols": "Протоколы",
    "Radio": "Радио",
    "Record in the register": "Запись в реестре",
    "Rejected": "Признан непригодным",
    "Role": "Роль",
    "Section": "Раздел",
    "Serial": "Заводской №",
    "Settlement": "Расчёты",
    "Source": "Источник",
    "Standing": "Статус",
    "Stands in": "Стоит в",
    "State": "Состояние",
    "Statement": "Фрагмент",
    "Statements": "Фрагментов",
    "The same device": "Этот же прибор",
    "A print of what that organisation may read; the signed form is the passport file of its node.": (
        "Это распечатка того, что открыто этой организации. Подписанный вид — файл паспорта её узла."
    ),
    "Timeline": "События",
    "Title": "Право",
    "Type": "Тип",
    "Valid until": "Действительна до",
    "Value": "Значение",
    "Verification": "Поверка",
    "Verified": "Поверен",
    "Version of the fold": "Версия свёртки",
    "Waits for its ground": "Ждёт основания",
    "What": "Что",
    "When": "Когда",
    "Where": "Где",
    "Where this comes from": "Откуда это",
    "Who": "Кто",
    "Who signed what": "Кто что подписал",
    "Withheld from this organisation": "Не открыто этой организации",
    "Year": "Год",
    "federation": "федерация",
    "from": "с",
    "node": "узел",
    "not admitted until verified": "не допущен, пока не поверен",
    "page {} of {}": "стр. {} из {}",
}
# How a plate was read, and what stands behind another number of a device.
READ: Table = {
    "scan": ("скан", "scanned"),
    "wire": ("по проводу", "over the wire"),
    "typed": ("введена", "typed"),
    "document": ("документ", "document"),
}
EVIDENCE: Table = {
    "label": ("этикетка", "label"),
    "wire": ("по проводу", "over the wire"),
    "document": ("документ", "document"),
    "said": ("со слов", "said"),
}


def sheet_words(english: str, language: str) -> str:
    """A text of a document in the reader's language; raise KeyError for one that has no Russian."""
    russian = RUSSIAN[english]
    return russian if language == "ru" else english
