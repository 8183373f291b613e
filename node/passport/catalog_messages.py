"""What the rules of catalogs say to people: by the rule's stable name, in Russian and English."""

from collections.abc import Mapping

Words = tuple[str, str, str, str]  # Russian: what is wrong, what to do; English: the same

RULES: Mapping[str, Words] = {
    "plate-known": (
        "Такая табличка уже известна: {value}.",
        "Если это один прибор, скажите об этом; если другой — заявите двойника.",
        "Such a plate is known as {value}.",
        "Say that both are one device where they are; state a twin where it is another.",
    ),
    "line-unattested": (
        "Серия опубликована, но эту организацию никто не подтвердил как изготовителя: серия не учитывается.",
        "Попросите подтверждение у организации, которой доверяют узлы.",
        "Published, but nobody attested this organisation as its maker: it does not count until an anchor does.",
        "Ask an anchor for the attestation.",
    ),
    "code-unknown": (
        "В центральном справочнике «{catalog}» нет такого кода.",
        "Проверьте код по справочнику или загрузите его как свой.",
        "The central catalog «{catalog}» has no such code.",
        "Check it against the catalog, or load it as an own code.",
    ),
    "code-bound-otherwise": (
        "Свой код уже связан с другим центральным: {central}.",
        "Запишите один код или измените связь.",
        "The own code is bound to another central one already: {central}.",
        "Write one of the codes, or change the binding.",
    ),
    "code-shadows": (
        "Свой код пишется так же, как центральный, и связан с другим.",
        "Свяжите его с тем же кодом или назовите иначе.",
        "The own code is spelled as a central one and bound to another.",
        "Bind it to that same code, or name it otherwise.",
    ),
    "item-unknown": (
        "Обозначение прибора неизвестно: номенклатура {value} не связана с типом.",
        "Свяжите её с центральным кодом или пришлите обозначение с таблички.",
        "The device's designation is not known: item {value} is bound to no type.",
        "Bind it to a central code, or send what the plate prints.",
    ),
    "serial-changed": (
        "У объекта 1С другой заводской номер, чем прежде: {value}.",
        "Исправьте номер в паспорте прибора или пришлите другой объект.",
        "The object of 1C had another serial before: {value}.",
        "Correct the serial in the passport, or send another object.",
    ),
    "day-ahead": (
        "День {value} ещё не наступил.",
        "Исправьте дату в 1С или часы её сервера.",
        "The day {value} has not come yet.",
        "Correct the date in 1C, or its server's clock.",
    ),
    "device-unknown": (
        "Прибор {value} из 1С сюда не приходил.",
        "Сначала пришлите приборы, потом документы.",
        "Device {value} of 1C never came here.",
        "Send the devices first, then the documents.",
    ),
    "code-empty": ("Кода нет.", "Впишите свой код.", "There is no code.", "Fill in the own code."),
    "code-hidden": (
        "В тексте есть невидимые знаки.",
        "Впишите его заново.",
        "The text holds characters that nobody sees.",
        "Type it again.",
    ),
    "code-long": (
        "Код длиннее 128 знаков.",
        "Сократите код.",
        "The code is longer than 128 characters.",
        "Make it shorter.",
    ),
    "code-twice": (
        "Код стоит в файле дважды с разными значениями, впервые — {first}.",
        "Оставьте одну строку.",
        "The code stands twice with different values, first at {first}.",
        "Keep one row.",
    ),
    "code-bound-twice": (
        "Один свой код связывается дважды, впервые — {first}.",
        "Оставьте одну строку.",
        "One own code is bound twice, first at {first}.",
        "Keep one row.",
    ),
    "unit-absent": (
        "Единицы нет, а параметр измеряется в {unit}.",
        "Добавьте единицу: число без неё каждый поймёт по-своему.",
        "There is no unit, and the parameter is measured in {unit}.",
        "Add the unit: a number without one is read by everybody in his own way.",
    ),
    "unit-unknown": (
        "Такой единицы нет в справочнике.",
        "Запишите код UCUM, например m3 или Gcal_IT, или загрузите свою единицу.",
        "The catalog has no such unit.",
        "Write a UCUM code, as m3 or Gcal_IT, or load an own unit.",
    ),
    "unit-unknown-near": (
        "Такого кода единицы нет; похоже на {near}.",
        "Запишите {near} или загрузите своё обозначение и свяжите его.",
        "There is no such code of a unit; it looks like {near}.",
        "Write {near}, or load the own sign and bind it.",
    ),
    "unit-dimension": (
        "Единица другой величины: {given}, а параметр измеряется в {unit} ({wanted}).",
        "Проверьте параметр и единицу.",
        "The unit measures {given}, the parameter is measured in {unit} ({wanted}).",
        "Check the parameter and the unit.",
    ),
    "unit-needless": (
        "У этого параметра нет единицы.",
        "Уберите единицу.",
        "This parameter has no unit.",
        "Leave the unit out.",
    ),
    "unit-trap": (
        "Это термохимическая единица; в теплоучёте — {instead}.",
        "Запишите {instead}.",
        "This is the thermochemical unit; the heat trade counts in {instead}.",
        "Write {instead}.",
    ),
    "unit-converts": (
        "Это {converted} {unit}; записано как есть, в {given}.",
        "Менять ничего не нужно.",
        "That is {converted} {unit}; it is kept as written, in {given}.",
        "Nothing has to be changed.",
    ),
    "value-number": (
        "Нужно число с точкой, например 12.5.",
        "Исправьте значение.",
        "A number with a point is needed, as 12.5.",
        "Correct the value.",
    ),
    "value-integer": ("Нужно целое число.", "Уберите дробную часть.", "An integer is needed.", "Drop the fraction."),
    "value-decimals": (
        "Знаков после точки больше, чем {decimals}.",
        "Округлите по показанию прибора.",
        "There are more than {decimals} digits after the point.",
        "Write what the device shows.",
    ),
    "value-range": (
        "Значение вне пределов от {min} до {max}.",
        "Проверьте значение и единицу.",
        "The value is outside {min} to {max}.",
        "Check the value and the unit.",
    ),
    "value-above": (
        "Значение должно быть больше {above}.",
        "Проверьте знак и число.",
        "The value has to be more than {above}.",
        "Check the sign and the number.",
    ),
    "value-choice": (
        "Можно только: {choices}.",
        "Выберите из списка.",
        "Only {choices} may stand here.",
        "Choose from the list.",
    ),
    "value-date": (
        "Нужна дата вида 2026-01-31.",
        "Исправьте дату.",
        "A date is needed, as 2026-01-31.",
        "Correct the date.",
    ),
    "value-eui": (
        "Нужно 16 шестнадцатеричных цифр.",
        "Скопируйте значение с прибора.",
        "16 hexadecimal digits are needed.",
        "Copy the value from the device.",
    ),
    "value-guid": (
        "Нужен GUID.",
        "Скопируйте его из адресного реестра.",
        "A GUID is needed.",
        "Copy it from the address register.",
    ),
    "value-secret": (
        "Похоже на сам ключ; здесь стоит только ссылка на него.",
        "Не записывайте ключ в параметры.",
        "This looks like the key itself; only a reference to it stands here.",
        "Never write a key into parameters.",
    ),
    "execution-unknown": (
        "У типа {type} нет такого исполнения; есть: {known}.",
        "Выберите исполнение из карточки типа.",
        "Type {type} has no such execution; it has: {known}.",
        "Choose an execution of the type card.",
    ),
    "version-unknown": (
        "У типа {type} нет такой версии; есть: {known}.",
        "Опубликуйте версию типа или выберите из карточки.",
        "Type {type} has no such version; it has: {known}.",
        "Publish the version, or choose one of the type card.",
    ),
    "grsi-malformed": (
        "Номер ГРСИ — это от 1 до 6 цифр, дефис и 2 цифры.",
        "Запишите как 12345-18.",
        "A ГРСИ number is 1 to 6 digits, a hyphen and 2 digits.",
        "Write it as 12345-18.",
    ),
    "grsi-of-another-type": (
        "У типа {type} номер ГРСИ {own}.",
        "Проверьте тип и номер по табличке.",
        "Type {type} has the ГРСИ number {own}.",
        "Check the type and the number on the plate.",
    ),
    "grsi-not-valid-then": (
        "На {day} утверждение типа не действовало: оно с {from} по {to}.",
        "Проверьте дату изготовления и номер.",
        "The approval was not in force on {day}: it holds from {from} to {to}.",
        "Check the date of manufacture and the number.",
    ),
    "obis-malformed": (
        "Код OBIS пишется A-B:C.D.E, группы до 255.",
        "Запишите как 1-0:1.8.0.",
        "An OBIS code is A-B:C.D.E with groups up to 255.",
        "Write it as 1-0:1.8.0.",
    ),
    "record-code": (
        "У записи нет кода, или он другого вида.",
        "Запишите код строчными латинскими буквами, цифрами и _ . : -",
        "The record has no code, or it has another form.",
        "Write it in small Latin letters, digits and _ . : -",
    ),
    "record-name": (
        "У записи нет имени на двух языках.",
        "Заполните русское и английское имя.",
        "The record has no name in both languages.",
        "Fill in the Russian and the English name.",
    ),
    "record-type": (
        "Запись типа неполна: {value}",
        "Исправьте поле.",
        "The record of the type is not whole: {value}",
        "Correct the field.",
    ),
    "record-execution": (
        "Параметры заданы для исполнения, которого у типа нет: {value}.",
        "Добавьте исполнение или уберите параметры.",
        "Parameters are given for an execution that the type has not: {value}.",
        "Add the execution, or drop the parameters.",
    ),
    "record-validity": (
        "Срок кончается раньше, чем начинается.",
        "Проверьте даты.",
        "The validity ends before it begins.",
        "Check the dates.",
    ),
    "record-kind": (
        "Вид параметра — cumulative, instant или passport.",
        "Исправьте вид.",
        "The kind of a parameter is cumulative, instant or passport.",
        "Correct the kind.",
    ),
    "record-dimension": (
        "У единицы нет величины.",
        "Впишите величину, например energy.",
        "The unit has no dimension.",
        "Fill it in, as energy.",
    ),
    "record-factor": (
        "Множитель единицы — целое число или дробь, например 1/3600.",
        "Исправьте множитель.",
        "The factor of a unit is a whole number or a fraction, as 1/3600.",
        "Correct the factor.",
    ),
    "record-twice": (
        "Код стоит в выпуске дважды.",
        "Оставьте одну запись.",
        "The code stands twice in the release.",
        "Keep one record.",
    ),
    "record-meaning": (
        "Запись меняет смысл кода, а смысл кода не меняется.",
        "Заведите новый код.",
        "The record changes what the code means, and a code never changes its meaning.",
        "Make a new code.",
    ),
}

# What the rules' own values are called: dimensions of units, and catalogs.
IN_RUSSIAN: Mapping[str, str] = {
    "volume": "объём",
    "volume flow": "расход",
    "energy": "энергия",
    "power": "мощность",
    "mass": "масса",
    "temperature": "температура",
    "pressure": "давление",
    "time": "время",
    "calendar time": "календарное время",
    "length": "длина",
    "number": "число",
    "voltage": "напряжение",
    "current": "ток",
    "charge": "заряд",
    "frequency": "частота",
    "resistance": "сопротивление",
    "apparent power": "полная мощность",
    "reactive power": "реактивная мощность",
    "reactive energy": "реактивная энергия",
    "power level": "уровень мощности",
    "level": "уровень",
    "parameters": "параметры",
    "units": "единицы",
    "events": "события",
    "types": "типы",
    "processes": "процессы",
    "roles": "роли",
    "obis": "OBIS",
}


def rule_words(rule: str, values: Mapping[str, str], language: str) -> tuple[str, str]:
    """What is wrong and what to do, in `ru` or in English for any other language."""
    texts = RULES[rule]
    if language == "ru":
        values = {name: IN_RUSSIAN.get(value, value) for name, value in values.items()}
    what, advice = texts[:2] if language == "ru" else texts[2:]
    return what.format_map(values), advice.format_map(values)
