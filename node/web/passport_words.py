"""What the codes of a passport read as for people, in Russian and English.

Central catalogs bring their names in both languages with them. What people and organisations typed is shown as typed.
"""

from collections.abc import Iterable, Mapping

from node.passport.catalogs import Catalog, find_name

Words = tuple[str, str]  # Russian, English
Table = dict[str, Words]

DAY = len("2026-01-31")

STANDINGS: Table = {
    "registered": ("в госреестре", "registered"),
    "agreed": ("согласовано", "agreed"),
    "stated": ("заявлено уполномоченным", "stated"),
    "working": ("рабочее", "working"),
    "disputed": ("спорно", "disputed"),
    "claim": ("притязание", "claim"),
    "replaced": ("заменено", "replaced"),
}
STATES: Table = {
    "manufactured": ("изготовлен", "manufactured"),
    "calibrated": ("откалиброван", "calibrated"),
    "configured": ("настроен", "configured"),
    "marked": ("промаркирован", "marked"),
    "packed": ("упакован", "packed"),
    "shipped": ("отгружен", "shipped"),
    "sold": ("продан", "sold"),
    "verified": ("поверен", "verified"),
    "rejected": ("признан непригодным", "rejected"),
    "installed": ("установлен", "installed"),
    "admitted": ("допущен к расчётам", "admitted"),
    "joined": ("подключён к сети", "joined"),
    "registered": ("зарегистрирован", "registered"),
    "removed": ("демонтирован", "removed"),
    "repaired": ("отремонтирован", "repaired"),
    "modified": ("доработан", "modified"),
    "transferred": ("передан", "transferred"),
    "lost": ("утерян", "lost"),
    "found": ("найден", "found"),
    "scrapped": ("списан", "scrapped"),
    "known": ("известен, событий нет", "known, no events"),
    "": ("состояние неизвестно", "state unknown"),
}
KINDS: Table = {
    "device": ("прибор", "device"),
    "unit": ("узел", "unit"),
    "component": ("компонент", "component"),
    "batch": ("партия", "batch"),
    "object": ("объект", "object"),
    "type": ("тип", "type"),
    "subject": ("ещё не опознано", "not identified yet"),
}
FIELDS: Table = {
    "mark": ("Товарный знак", "Mark"),
    "designation": ("Обозначение", "Designation"),
    "serial": ("Заводской №", "Serial"),
    "year": ("Год выпуска", "Year"),
    "approvals": ("Номер в ГРСИ", "Approval"),
    "activation": ("Активация", "Activation"),
    "dev_eui": ("DevEUI", "DevEUI"),
    "join_eui": ("JoinEUI (AppEUI)", "JoinEUI (AppEUI)"),
    "device_class": ("Класс", "Class"),
    "driver": ("Драйвер", "Driver"),
    "ports": ("Порты", "Ports"),
    "region": ("Регион", "Region"),
    "version": ("Версия LoRaWAN", "LoRaWAN version"),
    "code": ("Тип", "Type"),
    "type.version": ("Версия типа", "Version of the type"),
    "model": ("Модель", "Model"),
    "execution": ("Исполнение", "Execution"),
    "line": ("Серия номеров", "Serial line"),
    "owner": ("Владелец", "Owner"),
    "responsible": ("Ответственный", "Responsible party"),
    "settlement": ("Сторона расчётов", "Settlement party"),
    "composition": ("Комплектация", "Composition"),
    "state": ("Состояние", "State"),
    "events": ("Событие", "Event"),
    "identity": ("Прибор", "Device"),
    "kind": ("Что это", "What it is"),
    "name": ("Название", "Name"),
    "number": ("Номер", "Number"),
    "address": ("Адрес", "Address"),
}
# Why what was said is no fact.
CONFLICTS: Table = {
    "disputed": ("равные стороны говорят разное", "equal parties differ"),
    "two-parents": ("деталь стоит сразу в двух изделиях", "the part stands in two wholes at once"),
    "cycle": ("изделие стоит в своей же детали", "the whole stands in its own part"),
    "plates-of-several-lines": ("таблички разных серий", "plates of several serial lines"),
    "two-devices-on-one-plate": ("два прибора с одной табличкой?", "two devices with one plate?"),
    "dev-eui-elsewhere": ("DevEUI теперь в другом паспорте", "the DevEUI stands in another passport by now"),
    "waiting": ("слово о приборе ждёт другую сторону", "a word about identity waits for the other side"),
    "before-production": ("было раньше выпуска прибора", "before the device was made"),
    "ahead-of-record": ("датировано позже, чем записано", "dated later than it was recorded"),
    "kept-apart": ("заявлено, что это разные приборы", "somebody says that these are different devices"),
    "accepted-twice": ("приняли двое, решает передавший", "two accepted it: who offered it decides"),
}
# Classes of sections: who may be shown them.
CLASSES: Table = {
    "0": ("общедоступные", "public"),
    "1": ("полномочия", "authority"),
    "2": ("технические", "technical"),
    "3": ("коммерческие", "commercial"),
    "4": ("персональные", "personal"),
    "5": ("секретные", "secret"),
}
SECTIONS: Table = {
    "claim": ("заявка на номер", "claim"),
    "nameplate": ("табличка", "plate"),
    "type": ("тип", "type"),
    "event": ("событие", "event"),
    "parameters": ("параметры", "parameters"),
    "radio": ("радио", "radio"),
    "root-keys": ("ключи", "keys"),
    "alias": ("другое имя", "alias"),
    "composition": ("комплектация", "composition"),
    "template": ("шаблон", "template"),
    "document": ("документ", "document"),
    "personal": ("персональные данные", "personal data"),
    "person": ("имя жителя", "resident’s name"),
    "extract": ("выписка", "extract"),
    "authority": ("полномочия", "authority"),
    "shipment": ("отгрузка", "shipment"),
    "subject": ("описание", "description"),
    "sameness": ("слово о приборе", "word about identity"),
    "correction": ("исправление", "correction"),
    "withdrawal": ("отзыв сказанного", "withdrawal"),
    "run": ("действие процесса", "move of a process"),
    "why": ("для какого шага", "for which step"),
    "procedure": ("регламент", "procedure"),
    "agreement": ("участие по регламенту", "taking part by a procedure"),
}
# Programs that bring what is said.
SYSTEMS: Table = {
    "console": ("консоль", "console"),
    "lora": ("сеть LoRa", "LoRa network"),
    "production-file": ("файл производства", "production file"),
    "bench-file": ("файл проливной установки", "bench file"),
    "protocol": ("протокол", "protocol"),
}
STEPS: Table = {
    "kitting": ("комплектация", "kitting"),
    "smt": ("монтаж плат", "surface mounting"),
    "assembly": ("сборка", "assembly"),
    "firmware": ("прошивка", "firmware"),
    "flow_bench": ("проливка", "flow bench"),
    "adjust": ("регулировка", "adjustment"),
    "mark": ("маркировка", "marking"),
    "initial_verification": ("первичная поверка", "initial verification"),
    "pack": ("упаковка", "packing"),
    "ship": ("отгрузка", "shipping"),
    "request": ("заявка", "request"),
    "check_passport": ("проверка паспорта", "check of the passport"),
    "mount": ("монтаж", "mounting"),
    "seal": ("пломбирование", "sealing"),
    "join": ("подключение к сети", "joining the network"),
    "commission": ("ввод в эксплуатацию", "commissioning"),
    "final_reading": ("последнее показание", "final reading"),
    "unseal": ("снятие пломб", "unsealing"),
    "remove": ("снятие", "removal"),
    "handover": ("передача", "handover"),
    "remove_or_onsite": ("снятие или выезд", "removal or visit"),
    "bench": ("поверочная установка", "bench"),
    "protocol": ("протокол", "protocol"),
    "publish_fif": ("запись в ФИФ ОЕИ", "record in the register"),
    "return": ("возврат", "return"),
    "diagnose": ("диагностика", "diagnosis"),
    "replace_parts": ("замена деталей", "replacement of parts"),
    "calibrate": ("калибровка", "calibration"),
    "verify": ("поверка", "verification"),
    "register": ("регистрация", "registration"),
    "assign": ("назначение", "assignment"),
    "visit": ("выезд", "visit"),
    "resolve": ("устранение", "resolution"),
    "confirm": ("подтверждение", "confirmation"),
    "placement": ("установка компонентов", "placement"),
    "reflow": ("пайка", "reflow"),
    "aoi": ("оптическая инспекция", "optical inspection"),
    "rework": ("доработка", "rework"),
}
# What a meter measures.
MEDIA: Table = {
    "heat": ("тепло", "heat"),
    "hot_water": ("горячая вода", "hot water"),
    "cold_water": ("холодная вода", "cold water"),
    "electricity": ("электроэнергия", "electricity"),
    "gas": ("газ", "gas"),
    "sewage": ("водоотведение", "sewage"),
    "": ("среда не указана", "medium not stated"),
}
# Units that are not in the central catalog.
OTHER_UNITS: Table = {"mo": ("мес.", "months"), "W.h": ("Вт·ч", "W·h")}


def words(table: Mapping[str, Words], code: object, language: str) -> str:
    """The words of a code, or the code itself where it is somebody's own."""
    text = "" if code is None else str(code)
    found = table.get(text)
    return text if found is None else found[0 if language == "ru" else 1]


def named(reference: Mapping[str, object], catalog: str, language: str) -> str:
    """What a dual reference of a view is called: in English by the central catalog first, else by its own name."""
    central = str(reference.get("central") or "")
    english = find_name(catalog, central, "en") if language != "ru" else None
    own = english or reference.get("name") or find_name(catalog, central, "ru")
    return str(own or central or reference.get("local") or "")


def event_kinds(events: Iterable[Mapping[str, object]], language: str) -> list[tuple[str, str]]:
    """(code, name) of what happened in a timeline, each once, by name."""
    kinds: dict[str, str] = {}
    for event in events:
        what = event["what"]
        if isinstance(what, Mapping) and (code := what["central"] or what["local"]):
            kinds.setdefault(str(code), named(what, Catalog.EVENTS, language))
    return sorted(kinds.items(), key=lambda kind: kind[1])


def unit_words(code: object, language: str) -> str:
    """A unit as people write it; one that nobody named stands as its code."""
    text = "" if code is None else str(code)
    return find_name(Catalog.UNITS, text, language) or words(OTHER_UNITS, text, language)


def fact_words(what: str, language: str) -> str:
    """What a fact that is disputed or claimed is called: `identity.serial`, `parameters.dn@2026-01-31`."""
    register, _, name = what.partition(".")
    if register == "parameters":
        code, _, since = name.partition("@")
        shown = find_name(Catalog.PARAMETERS, code, language) or code.rpartition("/")[2]
        day = ".".join(reversed(since.split("-"))) if language == "ru" and len(since) == DAY else since
        return f"{shown}, {day}" if since else shown
    return words(FIELDS, what if what in FIELDS else name or register, language)
