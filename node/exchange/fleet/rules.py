"""The rules of the check-up, each with its grade and what it says, in Russian and English."""

from node.exchange.fleet.findings import Grade, Rule

RULES: dict[str, Rule] = {}


def _rule(code: str, grade: Grade, titles: tuple[str, str], ru: str, en: str, *, folds: bool = False) -> Rule:
    RULES[code] = rule = Rule(code, grade, *titles, ru, en, folds)
    return rule


E, W, N = Grade.ERROR, Grade.WARNING, Grade.NOTE

FORMULA = _rule(
    "cell.formula",
    E,
    ("Формулы без значения", "Formulas without a value"),
    "В ячейке формула, значения её в файле нет. Вставьте столбец как значения и сохраните.",
    "The cell holds a formula and the file has no value of it. Paste the column as values and save.",
)
COMPUTED = _rule(
    "cell.computed",
    W,
    ("Посчитано формулой", "Computed by a formula"),
    "Значение посчитано формулой: оно изменится без ведома. Вставьте как значение.",
    "The value is computed by a formula and may change unseen. Paste it as a value.",
    folds=True,
)
CELL_ERROR = _rule(
    "cell.error",
    E,
    ("Ошибки электронной таблицы", "Spreadsheet errors"),
    "В ячейке ошибка таблицы или решётки вместо значения. Исправьте формулу или расширьте столбец и впишите значение.",
    "The cell shows a spreadsheet error or hashes. Mend the formula, or widen the column and type the value.",
)
NUMBER = _rule(
    "cell.number",
    E,
    ("Число вместо текста", "A number where text must be"),
    "Ячейка набрана числом: ведущие нули и последние цифры потеряны. Задайте столбцу формат «Текст», впишите заново.",
    "The cell was typed as a number: leading zeros and the last digits are lost. Format the column as text, type anew.",
)
SERIAL_REQUIRED = _rule(
    "serial.required",
    E,
    ("Нет заводского номера", "No serial number"),
    "Заводского номера нет. Спишите его с таблички.",
    "There is no serial number. Copy it from the plate.",
)
SERIAL_UNREADABLE = _rule(
    "serial.unreadable",
    E,
    ("Нечитаемые номера", "Unreadable serials"),
    "Это не заводской номер: в нём нет того, что бывает на табличке, или есть лишние знаки. Спишите номер с таблички.",
    "This is no serial number: it has nothing that a plate has, or signs that none has. Copy it from the plate.",
)
SERIAL_PLACEHOLDER = _rule(
    "serial.placeholder",
    W,
    ("Невозможные номера", "Impossible serials"),
    "Похоже на отписку, а не на заводской номер. Спишите номер с таблички.",
    "This looks typed to fill the cell, not copied from a plate. Copy the serial from the plate.",
)
SERIAL_LONG = _rule(
    "serial.too_long",
    E,
    ("Невозможные номера", "Impossible serials"),
    "В номере больше знаков, чем бывает ({most}). Спишите его с таблички.",
    "The serial has more characters than any has ({most}). Copy it from the plate.",
)
SERIAL_PATTERN = _rule(
    "serial.pattern",
    E,
    ("Невозможные номера", "Impossible serials"),
    "{ru}",
    "{en}",
)
LOST_ZERO = _rule(
    "serial.lost_zero",
    E,
    ("Потерянные нули", "Lost zeros"),
    "В номере знаков: {length}, у этого типа их {width}: ведущий ноль потерян? Сверьте с табличкой; возможно, {guess}.",
    "The serial has {length} characters, this type has {width}: was a leading zero lost? Compare with the plate; "
    "perhaps {guess}.",
)
SERIAL_WIDTH = _rule(
    "serial.width",
    W,
    ("Номер другой длины", "Serial of another length"),
    "В номере знаков: {length}, а почти у всех приборов этого типа в таблице {width}. Сверьте с табличкой.",
    "The serial has {length} characters, nearly all of this type in the table have {width}. Compare with the plate.",
)
SERIAL_NUMBER = _rule(
    "serial.number",
    W,
    ("Номер набран числом", "Serial typed as a number"),
    "Номер набран числом: ведущие нули, если они были, потеряны. Сверьте с табличкой, столбцу задайте формат «Текст».",
    "The serial is typed as a number: leading zeros, if there were any, are lost. Compare with the plate; format the "
    "column as text.",
    folds=True,
)
SERIAL_LOOK_ALIKE = _rule(
    "serial.look_alike",
    E,
    ("Похожие буквы", "Look-alike letters"),
    "Среди цифр номера буква, похожая на цифру. Сверьте с табличкой; возможно, {guess}.",
    "Among the digits of the serial stands a letter that looks like one. Compare with the plate; perhaps {guess}.",
)
SERIAL_ACCOUNT = _rule(
    "serial.account",
    W,
    ("Чужой номер вместо заводского", "Another number for the serial"),
    "На месте заводского номера стоит лицевой счёт этой же строки. Спишите номер с таблички.",
    "The account of the same row stands in place of the serial. Copy the serial from the plate.",
    folds=True,
)
SERIAL_INN = _rule(
    "serial.inn",
    W,
    ("Чужой номер вместо заводского", "Another number for the serial"),
    "На месте заводского номера стоит ИНН. Спишите номер с таблички.",
    "A tax number (ИНН) stands in place of the serial. Copy the serial from the plate.",
)
SERIAL_DATE = _rule(
    "serial.date",
    E,
    ("Дата вместо номера", "A date for the serial"),
    "На месте заводского номера дата: её сделала электронная таблица. Спишите номер с таблички, формат «Текст».",
    "A date stands in place of the serial: the spreadsheet made it. Copy the serial from the plate, as text.",
)
TWIN = _rule(
    "serial.twin",
    E,
    ("Двойники", "Twins"),
    "Тот же тип и номер по другому адресу стоит в строке {other}. Сверьте таблички обоих приборов.",
    "The same type and serial stand at another address in row {other}. Compare the plates of both meters.",
)
DUPLICATE = _rule(
    "row.duplicate",
    W,
    ("Повторы строк", "Repeated rows"),
    "Этот прибор уже записан в строке {other}. Удалите лишнюю строку или сверьте номер.",
    "This meter is listed in row {other} already. Delete one of the rows, or compare the serial.",
    folds=True,
)
SERIAL_YEARS = _rule(
    "serial.years",
    W,
    ("Один номер, разные годы", "One serial, different years"),
    "Тот же тип и номер с другим годом выпуска стоит в строке {other}. Сверьте год и номер с табличками.",
    "The same type and serial with another year stand in row {other}. Compare year and serial with the plates.",
)
TYPE_REQUIRED = _rule(
    "type.required",
    W,
    ("Не указан тип", "No type"),
    "Тип прибора не указан. Впишите обозначение с таблички.",
    "The type of the meter is not given. Fill in the designation from its plate.",
    folds=True,
)
TYPE_UNKNOWN = _rule(
    "type.unknown",
    W,
    ("Типы без утверждения", "Types without approval"),
    "Такого обозначения нет ни в одной известной серии и ни в одном утверждённом типе; строк с ним: {count}. Проверьте "
    "обозначение по свидетельству или найдите тип в Госреестре.",
    "No known serial line and no approved type has this designation; rows with it: {count}. Compare it with the "
    "certificate, or find the type in the state register.",
)
TYPE_UNCHECKED = _rule(
    "type.unchecked",
    N,
    ("Типы, которых здесь не знают", "Types not known here"),
    "Обозначений, которых не знают здешние справочники: {types}, строк с ними: {count}. Утверждение этих типов не "
    "проверено. Проверьте таблицу на узле, где есть справочник типов.",
    "Designations that the catalogs here do not know: {types}, rows with them: {count}. The approval of these types "
    "was not checked. Check the table on a node that has a catalog of the types.",
)
TYPE_SPELLING = _rule(
    "type.spelling",
    N,
    ("Похожие буквы в обозначении", "Look-alike letters in a designation"),
    "Обозначение набрано буквами другого алфавита, чем {usual}. Для сличения это одно и то же; поправьте при случае.",
    "The designation is typed with letters of another alphabet than {usual}. They compare equal; mend it when you can.",
)
APPROVAL_FORM = _rule(
    "approval.form",
    E,
    ("Номер Госреестра", "Type approval number"),
    "Номер в Госреестре — это от одной до шести цифр, дефис и две цифры года, как 12345-18. Спишите со свидетельства.",
    "A type approval number is one to six digits, a hyphen and two digits of a year, as 12345-18. Copy it from the "
    "certificate.",
)
APPROVAL_MISSING = _rule(
    "approval.missing",
    W,
    ("Типы без утверждения", "Types without approval"),
    "У этого типа номера в Госреестре нет, у других в таблице он есть; строк: {count}. Найдите тип в Госреестре: "
    "показания неутверждённого прибора к расчёту не принимают.",
    "This type has no approval number while others in the table have one; rows: {count}. Find the type in the state "
    "register: readings of a meter of no approved type are not billed.",
)
APPROVAL_UNKNOWN = _rule(
    "approval.unknown",
    W,
    ("Утверждение не того типа", "Approval of another type"),
    "Для этого обозначения известно утверждение {known}, а не такое. Сверьте со свидетельством.",
    "For this designation the approval {known} is known, not this one. Compare with the certificate.",
)
APPROVAL_EXPIRED = _rule(
    "approval.expired",
    E,
    ("Утверждение не действовало", "Approval not in force"),
    "На дату изготовления ({made}) это утверждение типа не действовало ({since} — {until}). Проверьте год и номер.",
    "At the date of manufacture ({made}) this type approval was not in force ({since} to {until}). Check year and "
    "number.",
)
DATE_UNREADABLE = _rule(
    "date.unreadable",
    E,
    ("Нечитаемые даты", "Unreadable dates"),
    "Это не дата. Впишите её как 14.03.2026.",
    "This is no date. Type it as 2026-03-14 or 14.03.2026.",
)
DATE_IMPOSSIBLE = _rule(
    "date.impossible",
    E,
    ("Невозможные даты", "Impossible dates"),
    "Такой даты нет или прибор не может быть таким старым. Сверьте со свидетельством или паспортом.",
    "There is no such date, or no meter is so old. Compare with the certificate or the passport.",
)
DATE_SWAPPED = _rule(
    "date.swapped",
    W,
    ("День и месяц переставлены", "Day and month swapped"),
    "День и месяц стоят наоборот; прочитано как {guess}. Поправьте дату.",
    "Day and month stand the other way round; read as {guess}. Correct the date.",
)
DATE_SHORT = _rule(
    "date.short_year",
    W,
    ("Год двумя цифрами", "A year of two digits"),
    "Год набран двумя цифрами; прочитано как {guess}. Впишите год целиком.",
    "The year has two digits; read as {guess}. Type the whole year.",
    folds=True,
)
DATE_NUMBER = _rule(
    "date.number",
    W,
    ("Дата набрана числом", "A date as a number"),
    "Дата стоит числом электронной таблицы; прочитано как {guess}. Задайте столбцу формат даты.",
    "The date stands as a spreadsheet's number; read as {guess}. Format the column as a date.",
    folds=True,
)
DATE_PART = _rule(
    "date.part",
    N,
    ("Дата не целиком", "Part of a date"),
    "Указаны только месяц и год или только год; прочитано как {guess}. Впишите день, если он известен.",
    "Only month and year are given, or the year alone; read as {guess}. Type the day if it is known.",
    folds=True,
)
DATE_FUTURE = _rule(
    "date.future",
    E,
    ("Будущие даты", "Future dates"),
    "Этот день ещё не наступил. Проверьте год.",
    "That day has not come yet. Check the year.",
)
YEAR_FORM = _rule(
    "year.form",
    E,
    ("Год выпуска", "Year of make"),
    "Нужен год четырьмя цифрами, не раньше 1970 и не из будущего.",
    "A year of four digits is needed, not before 1970 and not to come.",
)
BEFORE_MADE = _rule(
    "verification.before_made",
    E,
    ("Поверка раньше выпуска", "Verified before made"),
    "Поверка раньше, чем прибор изготовлен ({made}). Исправьте одну из дат.",
    "The verification is before the meter was made ({made}). Correct one of the dates.",
)
VERIFICATION_ORDER = _rule(
    "verification.order",
    E,
    ("Срок раньше поверки", "Ends before it begins"),
    "Срок поверки кончается не позже, чем она проведена ({verified}). Исправьте одну из дат.",
    "The verification ends no later than it was made ({verified}). Correct one of the dates.",
)
EXPIRED = _rule(
    "verification.expired",
    E,
    ("Поверка просрочена", "Verification expired"),
    "Поверка истекла {until} (дней назад: {days}): показания к расчёту не принимают. Назначьте поверку или замену.",
    "The verification ended on {until} ({days} days ago): readings are not billed. Arrange another one.",
)
EXPIRING = _rule(
    "verification.expiring",
    W,
    ("Поверка истекает", "Verification expires soon"),
    "Поверка истекает {until} (дней: {days}). Назначьте поверку.",
    "The verification ends on {until} (in {days} days). Arrange the next one.",
)
VERIFICATION_UNCHECKED = _rule(
    "verification.unchecked",
    N,
    ("Сроки поверки не проверены", "Ends of verifications not checked"),
    "Нет ни срока, ни интервала поверки, и тип здесь не известен: просроченные и истекающие не искались. "
    "Добавьте столбец «Поверен до» или «МПИ».",
    "There is no end and no interval of verifications, and the type is not known here: expired and expiring ones were "
    "not looked for. Add a column “Verified until” or an interval.",
)
VERIFICATION_MISSING = _rule(
    "verification.missing",
    W,
    ("Нет срока поверки", "No verification date"),
    "Ни даты поверки, ни её срока нет. Найдите свидетельство или запись в ФГИС «Аршин».",
    "There is neither a date of verification nor its end. Find the certificate, or the record in the register.",
    folds=True,
)
VERIFICATION_INTERVAL = _rule(
    "verification.interval",
    W,
    ("Интервал не сходится", "Interval disagrees"),
    "Между поверкой и её сроком месяцев: {found}, а межповерочный интервал {wanted}. Сверьте со свидетельством.",
    "Between the verification and its end are {found} months, the interval is {wanted}. Compare with the certificate.",
)
INTERVAL_FORM = _rule(
    "interval.form",
    W,
    ("Межповерочный интервал", "Verification interval"),
    "Это не интервал. Впишите число месяцев или лет, как «72 мес» или «6 лет».",
    "This is no interval. Type months or years, as 72 months or 6 years.",
)
INTERVAL_TYPE = _rule(
    "interval.type",
    W,
    ("Интервал не сходится", "Interval disagrees"),
    "У этого типа межповерочный интервал {wanted} мес, а здесь {found}. Сверьте с описанием типа.",
    "The interval of this type is {wanted} months, here it is {found}. Compare with the type description.",
)
UNIT_UNKNOWN = _rule(
    "unit.unknown",
    E,
    ("Неизвестные единицы", "Unknown units"),
    "Такой единицы нет. Впишите м³, л, Гкал, ГДж, кВт·ч или МВт·ч.",
    "There is no such unit. Type m³, L, Gcal, GJ, kW·h or MW·h.",
)
UNIT_RESOURCE = _rule(
    "unit.resource",
    E,
    ("Единица не того ресурса", "Unit of another resource"),
    "Этой единицей такой ресурс не считают. Исправьте единицу или ресурс.",
    "That resource is not counted in this unit. Correct the unit or the resource.",
)
UNIT_DIFFERS = _rule(
    "unit.differs",
    W,
    ("Единица не как у соседей", "Unit unlike the neighbours'"),
    "Почти все приборы этого типа в таблице считают в {usual}. Сверьте единицу с прибором.",
    "Nearly all meters of this type in the table count in {usual}. Compare the unit with the meter.",
)
UNIT_SLIP = _rule(
    "unit.slip",
    W,
    ("Скачок в тысячу раз", "A thousand times off"),
    "Показание отличается от обычного ({usual}) в {times} раз: литры вместо м³, кВт·ч вместо МВт·ч или потеряна "
    "запятая? Сверьте с прибором.",
    "The reading is {times} times off the usual one ({usual}): litres for m³, kW·h for MW·h, or a lost decimal point? "
    "Compare with the meter.",
)
UNIT_CONVERTED = _rule(
    "unit.converted",
    W,
    ("Показание в другой единице", "A reading in another unit"),
    "С предыдущим ({previous}) показание сходится, только если снято в {unit}. Сверьте единицу с прибором и "
    "пересчитайте показание.",
    "The reading follows the previous one ({previous}) only if it was taken in {unit}. Compare the unit with the "
    "meter and convert the reading.",
)
UNIT_COLUMN = _rule(
    "unit.column",
    W,
    ("Скачок в тысячу раз", "A thousand times off"),
    "Половина показаний воды в этом столбце больше {usual} м³, чего у квартирных счётчиков нет: столбец в литрах? "
    "Укажите единицу.",
    "Half of the water readings in this column are above {usual} m³, which no flat's meter shows: is the column in "
    "litres? Say the unit.",
)
READING_FORM = _rule(
    "reading.form",
    E,
    ("Нечитаемые показания", "Unreadable readings"),
    "Это не показание. Впишите число, например 123,456.",
    "This is no reading. Type a number, for example 123.456.",
)
READING_NEGATIVE = _rule(
    "reading.negative",
    E,
    ("Нечитаемые показания", "Unreadable readings"),
    "Показание меньше нуля не бывает. Сверьте с прибором.",
    "No reading is below zero. Compare with the meter.",
)
READING_BACK = _rule(
    "reading.back",
    W,
    ("Показание меньше предыдущего", "Reading below the previous one"),
    "Показание меньше предыдущего ({previous}). Сверьте с прибором: ошибка, замена или переход через ноль.",
    "The reading is below the previous one ({previous}). Compare with the meter: a slip, a replacement or a roll-over.",
    folds=True,
)
ADDRESS_MISSING = _rule(
    "address.missing",
    W,
    ("Нет адреса", "No address"),
    "Адреса нет. Впишите, где прибор стоит.",
    "There is no address. Fill in where the meter is.",
    folds=True,
)
EUI_FORM = _rule(
    "dev_eui.form",
    E,
    ("DevEUI не читается", "Unreadable DevEUI"),
    "В DevEUI 16 шестнадцатеричных цифр, здесь знаков: {length}. Скопируйте его с прибора.",
    "A DevEUI has 16 hexadecimal digits, this has {length} characters. Copy it from the device.",
)
EUI_LOOK_ALIKE = _rule(
    "dev_eui.look_alike",
    E,
    ("Похожие буквы", "Look-alike letters"),
    "В DevEUI буквы, похожие на латинские цифры. Скопируйте его с прибора; возможно, {guess}.",
    "The DevEUI has letters that only look like hexadecimal digits. Copy it from the device; perhaps {guess}.",
)
EUI_TWICE = _rule(
    "dev_eui.duplicate",
    E,
    ("DevEUI дважды", "DevEUI twice"),
    "Этот DevEUI уже стоит в строке {other}. Сверьте оба радиомодуля.",
    "This DevEUI stands in row {other} already. Compare both radio modules.",
)
EUI_KNOWN = _rule(
    "dev_eui.known",
    E,
    ("DevEUI другого прибора", "DevEUI of another device"),
    "По реестру узла этот DevEUI принадлежит прибору {device}. Сверьте с табличкой.",
    "In the node's registry this DevEUI belongs to {device}. Compare with the plate.",
)
NO_METER = _rule(
    "row.no_meter",
    N,
    ("Строки без прибора", "Rows without a meter"),
    "В строке есть адрес или счёт, но прибора нет.",
    "The row has an address or an account but no meter.",
    folds=True,
)
