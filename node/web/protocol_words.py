"""What the places and values of protocols read as for people, where a template gives no words of its own.

Templates are data of their publishers, who mostly title fields in Russian. In English the usual names below speak
first; a name that is not here is shown as the publisher wrote it.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from node.passport.catalogs import Catalog, find_name
from node.passport.strict_json import Json, show
from node.passport.templates.form import Field
from node.passport.templates.layout import Texts
from node.passport.templates.pointer import EVERY, Missing
from node.passport.templates.sheet import Label
from node.web.passport_words import MEDIA, Table, unit_words, words

DAY = re.compile(r"\d{4}-\d\d-\d\d")
# By the last two names of a place, or by its last one.
PLACES: Table = {
    "protocol_no": ("Протокол №", "Protocol no."),
    "date": ("Дата", "Date"),
    "started_at": ("Начало", "Started"),
    "finished_at": ("Окончание", "Finished"),
    "verifier_org/org": ("Организация-поверитель", "Verifying organisation"),
    "verifier_org/name": ("Организация-поверитель", "Verifying organisation"),
    "executor/org": ("Исполнитель", "Executor"),
    "executor/name": ("Исполнитель", "Executor"),
    "inn": ("ИНН", "Taxpayer number"),
    "local_code": ("Код в своём справочнике", "Own code"),
    "accreditation": ("Аккредитация", "Accreditation"),
    "sign_cipher": ("Шифр знака поверки", "Cipher of the verification mark"),
    "metrologist/name": ("Поверитель", "Verifier"),
    "executor_person/name": ("Представитель исполнителя", "Executor's representative"),
    "utility_person/name": ("Представитель ресурсоснабжающей организации", "Utility's representative"),
    "final_readings": ("Показания при снятии", "Readings at removal"),
    "checks": ("Проверки", "Checks"),
    "checks/name": ("Проверка", "Check"),
    "operator/name": ("Оператор", "Operator"),
    "position": ("Должность", "Position"),
    "bench/position": ("Место на линии", "Place on the line"),
    "snils": ("СНИЛС", "Personal insurance number"),
    "gid": ("Идентификатор прибора", "Device id"),
    "grsi": ("Номер типа в Госреестре СИ", "Type number in the state register"),
    "model": ("Модель", "Model"),
    "execution": ("Исполнение (модификация)", "Execution"),
    "serial": ("Заводской №", "Serial"),
    "year": ("Год выпуска", "Year"),
    "owner": ("Владелец СИ", "Owner of the instrument"),
    "kind": ("Вид", "Kind"),
    "batch": ("Партия", "Batch"),
    "stage": ("Стадия", "Stage"),
    "by_calibration_results": ("С использованием результатов калибровки", "By results of calibration"),
    "method_doc": ("Методика", "Method"),
    "method": ("Метод", "Method"),
    "reg_number": ("Номер в реестре", "Number in the register"),
    "type_number": ("Номер типа", "Type number"),
    "standards": ("Средства поверки", "Standards"),
    "points": ("Точки", "Points"),
    "standards/name": ("Наименование", "Name"),
    "bench/name": ("Установка", "Bench"),
    "expanded_uncertainty": ("Расширенная неопределённость", "Expanded uncertainty"),
    "operations/name": ("Операция", "Operation"),
    "points/name": ("Точка", "Point"),
    "name": ("Наименование", "Name"),
    "valid_until": ("Действительно до", "Valid until"),
    "t_air": ("Температура воздуха", "Air temperature"),
    "t_water": ("Температура воды", "Water temperature"),
    "pressure": ("Атмосферное давление", "Air pressure"),
    "humidity": ("Относительная влажность", "Relative humidity"),
    "other": ("Прочее", "Other"),
    "pass": ("Соответствует", "Pass"),
    "note": ("Примечание", "Note"),
    "q_set": ("Расход заданный", "Flow set"),
    "q_actual": ("Расход измеренный", "Flow measured"),
    "duration": ("Время пролива", "Duration"),
    "v_ref": ("Объём по эталону", "Volume by the standard"),
    "v_meter": ("Объём по прибору", "Volume by the meter"),
    "pulses": ("Импульсы", "Pulses"),
    "error": ("Относительная погрешность", "Relative error"),
    "mpe": ("Предел погрешности", "Permissible error"),
    "k_factor_before": ("Вес импульса до", "Pulse weight before"),
    "k_factor_after": ("Вес импульса после", "Pulse weight after"),
    "firmware": ("Прошивка", "Firmware"),
    "version": ("Версия", "Version"),
    "checksum": ("Контрольная сумма", "Checksum"),
    "settings_crc": ("Контрольная сумма настроек", "Checksum of the settings"),
    "applicable": ("Пригодно", "Fit for use"),
    "mpi_months": ("Интервал между поверками, мес", "Verification interval, months"),
    "unfit_reasons": ("Причины непригодности", "Why it is unfit"),
    "reject_reason": ("Причина брака", "Why it was rejected"),
    "result": ("Заключение", "Result"),
    "sticker_no": ("Номер наклейки", "Sticker number"),
    "sign_in_passport": ("Знак поверки в паспорте", "Mark in the passport"),
    "sign_on_device": ("Знак поверки на приборе", "Mark on the device"),
    "seals": ("Пломбы", "Seals"),
    "docnum": ("Номер записи в ФИФ ОЕИ", "Record number in the state register"),
    "vri_id": ("Запись ФГИС «Аршин»", "Record of the Arshin register"),
    "published_at": ("Опубликовано", "Published"),
    "act_no": ("Акт №", "Act no."),
    "reason": ("Причина", "Reason"),
    "place/object": ("Объект", "Object"),
    "place/node": ("Узел учёта", "Metering node"),
    "place/house_guid": ("GUID дома", "GUID of the house"),
    "place/premise": ("Помещение", "Premise"),
    "place/pipe": ("Трубопровод", "Pipe"),
    "place/point": ("Точка", "Point"),
    "resource": ("Ресурс", "Resource"),
    "owner/org": ("Владелец", "Owner"),
    "utility/org": ("Ресурсоснабжающая организация", "Utility"),
    "seals/no": ("Пломба №", "Seal no."),
    "seals/place": ("Где стоит", "Where"),
    "seals/by": ("Кто поставил", "By whom"),
    "dev_eui": ("DevEUI", "DevEUI"),
    "join_eui": ("JoinEUI", "JoinEUI"),
    "network_node": ("Узел сети", "Node of the network"),
    "joined_at": ("Подключён", "Joined"),
    "schedule": ("Расписание", "Schedule"),
    "mode": ("Режим", "Mode"),
    "sha256": ("SHA-256", "SHA-256"),
    "media_type": ("Вид файла", "Media type"),
    "size": ("Размер, байт", "Size, bytes"),
    "admitted": ("Допущен к расчётам", "Admitted for billing"),
    "software": ("ПО", "Software"),
    "table/q": ("Расход", "Flow"),
    "table/k": ("Поправка", "Correction"),
}
VALUES: Table = {
    "initial": ("первичная", "initial"),
    "periodic": ("периодическая", "periodic"),
    "mieta": ("СИ, применяемое как эталон", "instrument used as a standard"),
    "mi": ("средство измерений", "measuring instrument"),
    "npe": ("государственный первичный эталон", "national primary standard"),
    "uve": ("эталон единицы величины", "working standard"),
    "se": ("стандартный образец", "reference material"),
    "visual": ("внешний осмотр", "visual inspection"),
    "functional": ("опробование", "functional test"),
    "leak": ("герметичность", "tightness"),
    "software-id": ("идентификация ПО", "software identification"),
    "error-flow": ("погрешность измерения объёма", "error of volume"),
    "error-temperature": ("погрешность измерения температуры", "error of temperature"),
    "error-heat": ("погрешность измерения теплоты", "error of heat"),
    "clock": ("погрешность часов", "error of the clock"),
    "volumetric": ("объёмный", "volumetric"),
    "gravimetric": ("весовой", "gravimetric"),
    "master-meter": ("сличение с эталонным расходомером", "master meter"),
    "before-adjustment": ("до регулировки", "before adjustment"),
    "after-adjustment": ("после регулировки", "after adjustment"),
    "control": ("контрольная", "control"),
    "pass": ("годен", "pass"),
    "fail": ("брак", "fail"),
    "adjust": ("на регулировку", "to be adjusted"),
    "verification-expired": ("истекла поверка", "the verification has run out"),
    "failure": ("неисправность", "failure"),
    "planned": ("плановая замена", "planned"),
    "damage": ("повреждение", "damage"),
    "owner-request": ("по заявке владельца", "asked for by the owner"),
    "supply": ("подача", "supply"),
    "return": ("обратка", "return"),
    "makeup": ("подпитка", "make-up"),
    "cold": ("холодная", "cold"),
    "hot": ("горячая", "hot"),
    "circulation": ("циркуляция", "circulation"),
    **{code: told for code, told in MEDIA.items() if code},
    "verification-valid": ("поверка действует", "the verification is valid"),
    "flow-direction": ("направление потока", "direction of flow"),
    "straight-runs": ("прямые участки", "straight runs"),
    "wiring": ("подключение цепей", "wiring"),
    "radio-link": ("радиосвязь", "radio link"),
    "parameters-match": ("параметры совпадают", "the parameters match"),
}
ROLES: Table = {
    "manufacturer": ("Изготовитель", "Manufacturer"),
    "owner": ("Владелец", "Owner"),
    "process_owner": ("Владелец процесса", "Owner of the process"),
    "process_executor": ("Исполнитель", "Executor"),
    "data_source": ("Источник данных", "Source of data"),
    "administrator": ("Администратор", "Administrator"),
}


REASONS: Table = {
    "refused": ("отказ от подписи", "refused to sign"),
    "absent": ("представитель отсутствовал", "was absent"),
    "no-answer": ("нет ответа", "gave no answer"),
    "no-node": ("у стороны нет узла", "has no node"),
    "objects": ("возражает", "objects"),
}
RULES: Table = {
    "relative_error": ("Погрешность следует из показаний", "The error follows from the readings"),
    "within_mpe": ("Отметка точки согласуется с пределом погрешности", "The mark of a point agrees with its limit"),
    "all_pass": ("Все точки пройдены", "All points have passed"),
    "time_order": ("Окончание не раньше начала", "The end is not before the start"),
    "required_if": ("Поле обязательно при условии", "The field is required under a condition"),
    "min_items_if": ("Строк не меньше при условии", "At least so many rows under a condition"),
    "date_plus_months_minus_day": (
        "Срок — дата плюс интервал минус день",
        "The term is a date plus months minus a day",
    ),
    "docnum_agrees": ("Номер записи согласуется с документом", "The record number agrees with the document"),
    "verification_valid_on": ("Поверка действует на дату", "The verification is valid on the date"),
    "parameter_equals": ("Значение то же, что в паспорте", "The value is that of the passport"),
}


def label_words(label: Label, language: str) -> str:
    """What a value of a document is called, with its unit."""
    names = [token for token in label.place.tokens if token != EVERY and not token.isdigit()]
    usual = next((PLACES[key] for key in ("/".join(names[-2:]), names[-1] if names else "") if key in PLACES), None)
    title = label.title or (names[-1] if names else "")
    if usual is not None and (language != "ru" or not label.title):
        title = usual[0 if language == "ru" else 1]
    unit = unit_words(label.unit, language) if label.unit else ""
    return f"{title}, {unit}" if unit else title


def text_words(texts: Texts, language: str) -> str:
    """A text of a template in the reader's language, else in one that it has."""
    return texts.get(language) or texts.get("ru") or next(iter(texts.values()), "")


def value_words(value: Json | Missing, language: str) -> str:
    """A value of a document as people read it; numbers keep the digits that were signed."""
    if value is None or isinstance(value, Missing):
        return "—"
    if isinstance(value, bool):
        return {True: ("да", "yes"), False: ("нет", "no")}[value][0 if language == "ru" else 1]
    if isinstance(value, int | Decimal):
        text = format(Decimal(value), "f")
        return text.replace(".", ",") if language == "ru" else text
    if isinstance(value, str):
        told = words(VALUES, value, language)
        return ".".join(reversed(told.split("-"))) if language == "ru" and DAY.fullmatch(told) else told
    if isinstance(value, list):
        return ", ".join(value_words(item, language) for item in value)
    return ", ".join(f"{_name(name, language)}: {value_words(item, language)}" for name, item in value.items())


def typed_text(field: Field, language: str) -> str:
    """A value as it stands in its input: numbers with the reader's mark, pairs one a line."""
    value = field.value
    if isinstance(value, Missing) or value is None:
        return ""
    if isinstance(value, dict):
        return "\n".join(f"{name} = {_plain(item, language)}" for name, item in value.items())
    return _plain(value, language)


def _plain(value: Json, language: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value if isinstance(value, str) else show(value)
    text = format(Decimal(value), "f")
    return text.replace(".", ",") if language == "ru" else text


def titles_words(titles: Mapping[str, str] | None, fallback: object, language: str) -> str:
    """The title of a template, or what else names it."""
    return text_words(titles, language) if titles else str(fallback or "")


def _name(name: str, language: str) -> str:
    return find_name(Catalog.PARAMETERS, name, language) or words(PLACES, name, language)
