"""Findings in words: what is wrong and what to do, in Russian and English, from the stable code of a finding."""

from dataclasses import dataclass

from node.passport.templates.findings import Finding

LANGUAGES = ("ru", "en")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One finding for a person: where, what is wrong, what to do."""

    place: str
    what: str
    advice: str


def explain(finding: Finding, language: str) -> Explanation:
    """The finding in `ru` or `en`; any other language reads as `en`. A code without a text shows itself."""
    texts = TEXTS.get(finding.code, _UNKNOWN)
    what, advice = texts[0:2] if language == "ru" else texts[2:4]
    values = {"value": finding.value or "—", "rule": finding.rule, "expected": "", **dict(finding.parameters)}
    return Explanation(finding.pointer or "/", what.format_map(values), advice.format_map(values))


_UNKNOWN = ("Нарушено правило {rule}.", "Исправьте значение.", "The rule {rule} is broken.", "Correct the value.")

# code: (ru what, ru advice, en what, en advice)
TEXTS: dict[str, tuple[str, str, str, str]] = {
    "schema-required": (
        "Обязательное поле не заполнено.", "Заполните поле.",
        "A required field is missing.", "Fill it in.",
    ),
    "personal-not-shown": (
        "Личные данные этого поля здесь не показаны.", "Ничего делать не нужно: их проверил тот, кто их вписал.",
        "The personal data of this field is not shown here.", "Nothing needs doing: who wrote it has checked it.",
    ),
    "schema-additionalProperties": (
        "Такого поля в шаблоне нет.", "Удалите поле или проверьте его имя.",
        "The template has no such field.", "Remove it or check its name.",
    ),
    "schema-falseSchema": (
        "Здесь по шаблону ничего быть не может.", "Удалите значение.",
        "The template allows nothing here.", "Remove the value.",
    ),
    "schema-type": (
        "Значение {value} другого вида: нужен {expected}.", "Введите значение нужного вида.",
        "The value {value} is of another type: {expected} is needed.", "Enter a value of that type.",
    ),
    "schema-enum": (
        "Значения {value} нет в списке: {expected}.", "Выберите значение из списка.",
        "The value {value} is not in the list: {expected}.", "Choose one of the list.",
    ),
    "schema-const": (
        "Здесь может быть только {expected}.", "Введите это значение.",
        "Only {expected} may stand here.", "Enter that value.",
    ),
    "schema-pattern": (
        "Значение {value} не подходит под образец {expected}.", "Введите значение по образцу.",
        "The value {value} does not match {expected}.", "Enter a value of that form.",
    ),
    "schema-latin-letters": (
        "В значении {value} латинские буквы {letters}, а нужны русские.",
        "Наберите заново в русской раскладке; похоже, имелось в виду {meant}.",
        "The value {value} has Latin letters {letters} where Cyrillic ones are needed.",
        "Type it again on a Russian keyboard; {meant} seems to be meant.",
    ),
    "schema-format": (
        "Значение {value} не читается как {expected}.", "Введите, например, 2025-05-15 или 2025-05-15T09:12:00+05:00.",
        "The value {value} is no {expected}.", "Enter, for instance, 2025-05-15 or 2025-05-15T09:12:00+05:00.",
    ),
    "schema-minLength": (
        "Текст короче {expected} знаков.", "Введите текст полностью.",
        "The text is shorter than {expected} characters.", "Enter all of it.",
    ),
    "schema-maxLength": (
        "Текст длиннее {expected} знаков.", "Сократите текст.",
        "The text is longer than {expected} characters.", "Shorten it.",
    ),
    "schema-minimum": (
        "Значение {value} меньше {expected}.", "Проверьте значение и единицу измерения.",
        "The value {value} is below {expected}.", "Check the value and its unit.",
    ),
    "schema-maximum": (
        "Значение {value} больше {expected}.", "Проверьте значение и единицу измерения.",
        "The value {value} is above {expected}.", "Check the value and its unit.",
    ),
    "schema-exclusiveMinimum": (
        "Значение {value} должно быть больше {expected}.", "Проверьте значение и единицу измерения.",
        "The value {value} must be above {expected}.", "Check the value and its unit.",
    ),
    "schema-exclusiveMaximum": (
        "Значение {value} должно быть меньше {expected}.", "Проверьте значение и единицу измерения.",
        "The value {value} must be below {expected}.", "Check the value and its unit.",
    ),
    "schema-multipleOf": (
        "Значение {value} не кратно {expected}.", "Проверьте число знаков.",
        "The value {value} is no multiple of {expected}.", "Check the number of digits.",
    ),
    "schema-minItems": (
        "В списке меньше {expected} строк.", "Добавьте строки.",
        "The list has fewer than {expected} items.", "Add items.",
    ),
    "schema-maxItems": (
        "В списке больше {expected} строк.", "Уберите лишние строки.",
        "The list has more than {expected} items.", "Remove items.",
    ),
    "schema-uniqueItems": (
        "Строки списка повторяются.", "Уберите повторы.",
        "Items of the list repeat.", "Remove the repeated ones.",
    ),
    "schema-minProperties": (
        "Заполнено меньше {expected} полей.", "Заполните хотя бы столько.",
        "Fewer than {expected} fields are filled in.", "Fill in at least as many.",
    ),
    "schema-maxProperties": (
        "Заполнено больше {expected} полей.", "Уберите лишние.",
        "More than {expected} fields are filled in.", "Remove some.",
    ),
    "check-failed": (
        "В номере {value} не сходится контроль ({check}).", "Сверьте номер с документом.",
        "The number {value} fails its check ({check}).", "Compare it with the document.",
    ),
    "check-unknown": (
        "Этот узел не умеет проверять {check}.", "Обновите узел; до этого документ проверен не полностью.",
        "This node cannot check {check}.", "Update the node; until then the document is not fully checked.",
    ),
    "rule-unknown": (
        "Правило шаблона {rule} этому узлу неизвестно.", "Обновите узел; до этого документ проверен не полностью.",
        "This node does not know the template's rule {rule}.",
        "Update the node; until then the document is not fully checked.",
    ),
    "rules-too-long": (
        "Правил и строк так много, что проверены не все: предел — {most}.",
        "Разделите документ; иначе он проверен не полностью.",
        "There are so many rules and rows that not all are checked: the limit is {most}.",
        "Split the document; otherwise it is not fully checked.",
    ),
    "relative-error-no-reference": (
        "Эталонное значение равно нулю: погрешность не вычисляется.", "Введите показание эталона.",
        "The reference value is zero: no error can be computed.", "Enter the reference's reading.",
    ),
    "relative-error-differs": (
        "Погрешность {stated} % не следует из показаний: выходит {computed} % (допуск {tolerance}).",
        "Сверьте показания прибора и эталона с погрешностью.",
        "The error {stated} % does not follow from the readings: they give {computed} % (tolerance {tolerance}).",
        "Compare the readings of meter and reference with the error.",
    ),
    "mpe-exceeded": (
        "Погрешность {error} % больше предела {mpe} %, а точка не отмечена как непройденная.",
        "Проверьте погрешность или отметьте точку как непройденную.",
        "The error {error} % is over the limit {mpe} %, and the point is not marked as failed.",
        "Check the error or mark the point as failed.",
    ),
    "mpe-kept-but-failed": (
        "Погрешность {error} % в пределах {mpe} %, а точка отмечена как непройденная.",
        "Проверьте отметку.",
        "The error {error} % is within the limit {mpe} %, yet the point is marked as failed.",
        "Check the mark.",
    ),
    "not-passed": (
        "Точка не пройдена, а заключение положительное.", "Проверьте отметку точки или заключение.",
        "A point has not passed, yet the result is positive.", "Check the point's mark or the result.",
    ),
    "no-time": (
        "{value} не читается как дата или время с поясом.", "Введите, например, 2025-05-14T09:12:00+05:00.",
        "{value} is no date and no time with a zone.", "Enter, for instance, 2025-05-14T09:12:00+05:00.",
    ),
    "time-order": (
        "Окончание {end} раньше начала {start}.", "Проверьте оба времени.",
        "The end {end} is before the start {start}.", "Check both times.",
    ),
    "required-if": (
        "При таком заключении это поле обязательно.", "Заполните поле.",
        "With this result the field is required.", "Fill it in.",
    ),
    "min-items-if": (
        "Строк {count}, а при таком заключении нужно не меньше {minimum}.", "Добавьте строки или измените заключение.",
        "There are {count} items; with this result at least {minimum} are needed.", "Add items or change the result.",
    ),
    "date-out-of-range": (
        "К дате {start} нельзя прибавить {months} мес.", "Проверьте интервал.",
        "{months} months cannot be added to {start}.", "Check the interval.",
    ),
    "valid-until-differs": (
        "Указано {stated}, а {start} плюс {months} мес. минус день — это {expected}.",
        "Исправьте дату или интервал; дата реестра важнее этого правила.",
        "It says {stated}; {start} plus {months} months minus a day is {expected}.",
        "Correct the date or the interval; a register's date outranks this rule.",
    ),
    "docnum-unreadable": (
        "{value} не похоже на номер записи о поверке.", "Номер выглядит так: С-АБВ/15-05-2025/900000017.",
        "{value} is no number of a verification record.", "It looks like С-АБВ/15-05-2025/900000017.",
    ),
    "docnum-fit": (
        "Номер записи начинается с {written}, а по заключению должно быть {expected}.",
        "С — пригодно, И — непригодно: сверьте номер и заключение.",
        "The record number begins with {written}; the result calls for {expected}.",
        "С is fit, И is unfit: compare the number with the result.",
    ),
    "docnum-cipher": (
        "В номере записи шифр {written}, а в документе {expected}.", "Сверьте номер с реестром.",
        "The record number has the cipher {written}, the document {expected}.", "Compare it with the register.",
    ),
    "docnum-date": (
        "В номере записи дата {written}, а в документе {expected}.", "Сверьте номер с реестром.",
        "The record number has the date {written}, the document {expected}.", "Compare it with the register.",
    ),
    "fact-not-given": (
        "В документе нет прибора или даты, чтобы заглянуть в паспорт.", "Укажите прибор и дату.",
        "The document names no device or no date to look up in a passport.", "Name the device and the date.",
    ),
    "passport-unknown": (
        "Паспорта прибора {device} на этом узле нет: правило не проверено.", "Запросите паспорт и проверьте снова.",
        "This node has no passport of {device}: the rule is not checked.", "Ask for the passport and check again.",
    ),
    "not-verified": (
        "В паспорте нет поверки на {on}.", "Поверьте прибор или внесите протокол поверки.",
        "The passport has no verification on {on}.", "Have the device verified or enter its protocol.",
    ),
    "verified-unfit": (
        "Последняя поверка {verified_on} признала прибор непригодным.", "Такой прибор к расчётам не допускают.",
        "The last verification on {verified_on} found the device unfit.", "It cannot be admitted.",
    ),
    "verified-without-term": (
        "В паспорте есть поверка, но нет срока.", "Внесите дату, до которой она действует.",
        "The passport has a verification without a term.", "Enter the date it is valid until.",
    ),
    "verification-expired": (
        "Поверка действовала до {valid_until}, а документ от {on}.", "Сначала поверьте прибор.",
        "The verification was valid until {valid_until}; the document is of {on}.", "Have the device verified first.",
    ),
    "parameter-first-stated": (
        "В паспорте ещё нет параметра {parameter}: документ указывает его первым.", "Ничего делать не нужно.",
        "The passport does not have {parameter} yet: this document is the first to state it.", "Nothing needs doing.",
    ),
    "parameter-differs": (
        "Параметр {parameter} — {value}, а в паспорте {passport}.", "Проверьте, тот ли это прибор.",
        "{parameter} is {value}; the passport says {passport}.", "Check that this is the right device.",
    ),
}  # fmt: skip
