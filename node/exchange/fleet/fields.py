"""What a column of a fleet table may hold, and how a header says so in Russian and English."""

import re
from enum import StrEnum
from functools import lru_cache


class Field(StrEnum):
    """A field of a meter's row; `--column "Header=serial"` and mappings name them so."""

    SERIAL = "serial"
    DEVICE = "device"  # designation and serial in one cell
    DESIGNATION = "designation"
    MARK = "mark"
    RESOURCE = "resource"
    YEAR = "year"
    MADE_ON = "made_on"
    INSTALLED_ON = "installed_on"
    VERIFIED_ON = "verified_on"
    VALID_UNTIL = "valid_until"
    INTERVAL = "interval"
    APPROVAL = "approval"
    ADDRESS = "address"
    LOCALITY = "locality"
    STREET = "street"
    HOUSE = "house"
    BLOCK = "block"
    FLAT = "flat"
    PLACE = "place"
    ACCOUNT = "account"
    READING = "reading"
    PREVIOUS = "previous"
    READ_ON = "read_on"
    UNIT = "unit"
    DEV_EUI = "dev_eui"
    OWN_NUMBER = "own_number"
    INDEX = "index"
    PERSON = "person"  # never shown nor copied
    IGNORED = "ignored"


NAMES: dict[Field, tuple[str, str]] = {
    Field.SERIAL: ("заводской номер", "serial number"),
    Field.DEVICE: ("тип и заводской номер вместе", "type and serial number together"),
    Field.DESIGNATION: ("тип прибора", "type of the meter"),
    Field.MARK: ("товарный знак, изготовитель", "mark, maker"),
    Field.RESOURCE: ("ресурс", "resource"),
    Field.YEAR: ("год выпуска", "year of make"),
    Field.MADE_ON: ("дата изготовления", "date of manufacture"),
    Field.INSTALLED_ON: ("дата установки", "date of installation"),
    Field.VERIFIED_ON: ("дата поверки", "date of verification"),
    Field.VALID_UNTIL: ("поверен до", "verified until"),
    Field.INTERVAL: ("межповерочный интервал", "verification interval"),
    Field.APPROVAL: ("номер в Госреестре", "type approval number"),
    Field.ADDRESS: ("адрес", "address"),
    Field.LOCALITY: ("населённый пункт", "town"),
    Field.STREET: ("улица", "street"),
    Field.HOUSE: ("дом", "house"),
    Field.BLOCK: ("корпус", "block"),
    Field.FLAT: ("квартира, помещение", "flat, room"),
    Field.PLACE: ("место установки", "place of installation"),
    Field.ACCOUNT: ("лицевой счёт", "account"),
    Field.READING: ("показание", "reading"),
    Field.PREVIOUS: ("предыдущее показание", "previous reading"),
    Field.READ_ON: ("дата показания", "date of the reading"),
    Field.UNIT: ("единица измерения", "unit"),
    Field.DEV_EUI: ("DevEUI", "DevEUI"),
    Field.OWN_NUMBER: ("свой номер", "own number"),
    Field.INDEX: ("номер по порядку", "line number"),
    Field.PERSON: ("персональные данные, не используются", "personal data, not used"),
    Field.IGNORED: ("не используется", "not used"),
}

LEVEL = " · "  # between the heading of a group and the title under it
DATES = frozenset({Field.MADE_ON, Field.INSTALLED_ON, Field.VERIFIED_ON, Field.VALID_UNTIL, Field.READ_ON})
ADDRESS_PARTS = (Field.LOCALITY, Field.STREET, Field.HOUSE, Field.BLOCK, Field.FLAT)
# What makes a row one of a meter, when its serial is not there to say so.
OF_A_METER = frozenset(
    {
        *(Field.SERIAL, Field.DEVICE, Field.DESIGNATION, Field.APPROVAL, Field.DEV_EUI, Field.VERIFIED_ON),
        *(Field.VALID_UNTIL, Field.YEAR, Field.MADE_ON),
    }
)
# Several meters may stand side by side in one row, each with its own of these.
OF_ONE_METER = OF_A_METER | {
    *(Field.READING, Field.PREVIOUS, Field.READ_ON, Field.UNIT),
    *(Field.MARK, Field.RESOURCE, Field.INSTALLED_ON, Field.INTERVAL),
    Field.PLACE,
}

_NOT_WORD = re.compile(r"[^0-9a-zа-я№]+")
_METER = r"(?:[ио]?пу|одпу|кпу|сч|(?:водо|тепло|электро)?счетчик\w*|прибор\w*|водомер\w*|устройств\w*)"
_VERIFYING = r"(?:повер|(?:\b|гос)пов\b|мпи|межпов)"
_NUMBER = r"(?:№|номер\w*|ном|n|no|nr|num|number|id)"
_RESOURCE = (
    r"(?:хвс|гвс|схв|сгв|хв|гв|холодн\w*|горяч\w*|тепло\w*|отоплен\w*|электро\w*|ээ|газ\w*|cold|hot|heat|gas)\d?"
)

# In order: the first that is found decides. Titles come folded: small letters, ё as е, words parted by one space.
_PATTERNS: tuple[tuple[Field, tuple[str, ...]], ...] = (
    (Field.IGNORED, (
        r"\bинн\b", r"\bкпп\b", r"\bогрн\b", r"\bснилс\b", r"паспорт\w* данн", r"\bплощадь", "тариф", r"\bсумма\b",
        "начислен", r"\bдолг",
    )),
    (Field.IGNORED, (
        r"тип (?:дом|помещ|адрес|абонент|лиц|строен|установ|снят|показан)\w*", "вид (?:работ|дом)",
        r"(?:количеств|кол во|число)\b",
    )),
    (Field.IGNORED, (
        r"\bприм(?:ечан|\b)", "коммент", "статус", "состояни", r"\bremark", r"\bcomment", r"\bnote", r"\bstatus",
        r"\bstate\b", "пломб", r"\bseal",
    )),
    (Field.IGNORED, (
        "(?:осталось|дней до|days (?:left|to))", "свидетельств", "протокол", r"организаци\w* повер", "поверител",
        "certificate",
    )),
    (Field.DEV_EUI, (
        r"\bdev ?eui\b", r"\beui\b", r"\bdeveui\w*",
    )),
    (Field.IGNORED, (
        r"\bapp ?key", r"\bjoin ?eui", r"\bapp ?eui", r"\bnwk",
    )),
    (Field.READ_ON, (
        r"дата\w* .*(?:показан|сняти|передач)", r"показан\w* на дату", "read(?:ing)? (?:date|on)",
        "date (?:of )?(?:the )?read",
    )),
    (Field.PREVIOUS, (
        r"(?:пред|прошл|начал|нач\b)\w*.*показ", r"показ\w* .*(?:пред|прошл|начал|нач\b)", r"\bprev\w*",
        r"\b(?:пред\w*|прошл\w*|нач\w*) пок\w*",
        "last month",
    )),
    (Field.UNIT, (
        r"\bед\w* изм", r"единиц\w*", "^ед$", r"\bизмерен\w* единиц", r"\bunits?\b", r"\buom\b", "размерност",
    )),
    (Field.READING, (
        "показан", r"\breading", r"\btekushee", "meter value", "^value$", r"\b(?:тек|кон)\w* (?:пок|знач)",
        r"\b(?:last|current|present) read\b", r"\bindex value",
    )),
    (Field.INTERVAL, (
        r"(?:повер|мпи|межпов)\w*.*\b(?:лет|месяц\w*|мес|years?|months?)\b",
        r"^(?!.*(?:дат|оконч|истек|истеч|конец)).*(?:межпов\w* интервал|срок межпов)",
    )),
    (Field.VALID_UNTIL, (
        rf"\b(?:сл|след|оч|очередн\w*|следующ\w*|срок\w*)\b.*{_VERIFYING}",
        rf"\b(?:оконч\w*|конец|конца|действ\w*|годен|годн\w*|истек\w*|истеч\w*)\b.*{_VERIFYING}",
        rf"\b(?:план\w*|предстоящ\w*)\b.*{_VERIFYING}", r"\bгоден (?:до|по)\b", r"дата оконч\w* срок",
    )),
    (Field.VALID_UNTIL, (
        r"(?:повер\w*|\b(?:гос)?пов|мпи|межпов\w*)(?: \w+)? (?:до|сл|след|оч)\b",
        r"(?:повер\w*|\b(?:гос)?пов|мпи|межпов\w*)(?: \w+)? (?:очередн|следующ|действ|оконч|истек|срок|годн|план)\w*",
    )),
    (Field.VALID_UNTIL, (
        r"\bсп до", r"действител\w* до", "valid (?:until|till|to|thru)", "valid$",
        r"next (?:verif|calib|cal\b|test|check|inspect)", "expir", r"(?:verif\w*|calib\w*) due", "due date",
        r"^(?:следующ|очередн)\w*(?: дата)?$", "^next(?: due)?$",
    )),
    (Field.INTERVAL, (
        r"\bмпи\b", r"межпов\w*", "интервал", r"периодичн\w* повер", "interval", r"verif\w* period",
    )),
    (Field.VERIFIED_ON, (
        r"повер(?!ит)\w*", r"\b(?:гос)?пов\b", "verif", "calibrat", r"\bcal date",
        r"last (?:cal|test|check|inspect\w*)\b",
    )),
    (Field.APPROVAL, (
        "гос ?реестр", r"\bгрси\b", r"\bфиф\b", r"реестр\w* (?:си|средств)", "(?:№|номер) (?:в )?реестр",
        r"утвержд\w* тип", r"тип\w* си (?:№|номер)", "(?:№|номер) типа", "approval", r"\bfif\b", r"\bgrsi\b",
    )),
    (Field.RESOURCE, (
        "ресурс", "вид услуг", "услуг", r"\bсреда\b", "коммунал", r"\bresource", r"\bcommodity", r"\bmedium\b",
        r"\bservice\b", r"\butility\b", r"вид (?:учета|пу\b|ипу\b|прибор|счетчик)", r"\bхвс\/?гвс\b", "энергоносит",
    )),
    (Field.INSTALLED_ON, (
        r"дата\w* (?:\w+ )?(?:установ|уст\b|монтаж|ввод|опломб|приемк)\w*",
        r"(?:установлен|смонтирован|введен)\w*(?: дата)?$", r"ввод\w* в эксп",
        "install(?!er|ation (?:place|site|loc))", "commission",
    )),
    (Field.MADE_ON, (
        r"дата (?:\w+ )?(?:выпуск|изгот|произв)", r"(?:manufactur\w*|production|made) (?:date|on)",
        "date of (?:manuf|prod)",
    )),
    (Field.YEAR, (
        r"\bгод\b(?! повер)", r"\bг в\b", r"\bг вып", r"\byear\b", r"\byom\b", "manufactured$",
    )),
    (Field.PLACE, (
        "место (?:установ|монтаж|располож)", "помещение установ", r"\bкомната\b",
        "installation (?:place|site|location)", r"\broom\b",
    )),
    (Field.SERIAL, (
        rf"\bзав(?:одск\w*)? {_NUMBER}", r"\bзаводск\w*(?! изгот)", r"\bсерийн\w*", rf"\bсер {_NUMBER}",
        r"\bфабричн\w*", r"\bserial", r"\bs n\b", "^sn$", r"\bser no",
    )),
    (Field.SERIAL, (
        rf"{_NUMBER} (?:\w+ )?{_METER}\b", rf"^{_METER}(?: \w+)? {_NUMBER}(?!\w)",
        r"\bmeter ?(?:no|nr|number|id|num|№)\b", r"\bmeter №", r"\bdevice (?:no|number|id)\b", rf"{_NUMBER} meter",
        rf"^{_RESOURCE}(?: (?:вод\w*|water))? {_NUMBER}$",
    )),
    (Field.MARK, (
        r"товарн\w* знак", "изготовит", "производит", "^завод$", "manufacturer", r"\bmaker\b", r"\bbrand\b",
        r"\bvendor\b", "^make$", "^mark$",
    )),
    (Field.ACCOUNT, (
        r"\bл с\b", r"\bлс\b", "лицев", r"лиц\w* сч", r"\baccount", r"\bacct\b", "договор", r"\bcontract",
        "(?:№|номер|код) абон", r"абон\w* (?:№|номер|код)", "personal acc",
    )),
    (Field.ADDRESS, (
        # Of a subscriber too, but for the flat alone and for a mail box.
        r"^(?!.*(?:электрон|mail|фио|ф и о|\bкв\b|кварт)).*\bадрес",
    )),
    (Field.PERSON, (
        r"\bфио\b", r"\bф и о\b", "фамили", "собственник", "потребител", "абонент", "квартиросъем", "нанимател",
        "плательщик", "ответствен", "телефон", r"\bтел\b", r"\bpho?ne\b", "e ?mail", "почт", r"\bowner\b",
        "customer", "tenant", r"\bname of\b", "^name$", "consumer",
    )),
    (Field.DESIGNATION, (
        r"\bтип\w*", r"\bмарк\w*", r"\bмодел\w*", "модификац", "наименован", "обозначен", r"\bmodel", r"\btype\b",
        r"\bmeter$", "^вид$", rf"^{_METER}(?: учета| воды)?$", "designation",
    )),
    (Field.FLAT, (
        r"\bкв\b", "кварт", "помещ", r"\bflat\b", r"\bapartment", r"\bapt\b", r"\boffice\b", r"\bофис",
    )),
    (Field.ADDRESS, (
        "адрес", "местонахожд", "местополож", r"\baddress", r"\blocation\b", r"\bsite\b", "объект", r"\bpremises?\b",
    )),
    (Field.LOCALITY, (
        r"\bгород\b", r"населен\w* пункт", r"\bнас п\b", r"\bн п$", r"\bcity\b", r"\btown\b", r"\bvillage\b",
        r"\bпоселок", r"\bмуницип",
    )),
    (Field.STREET, (
        r"\bулиц\w*", r"\bул\b", r"\bstreet\b",
    )),
    (Field.BLOCK, (
        r"\bкорп\w*", "^к$", r"\bлитер\w*", r"\bстроен", r"\bblock\b",
    )),
    (Field.HOUSE, (
        r"\bдом\w*", "^д$", r"\bhouse\b", r"\bbuilding\b", r"\bздани",
    )),
    (Field.INDEX, (
        "^№$", "^п п$", "^№ п п$", "^n п п$", "^№ пп$", "^пп$", r"^№ стр\w*", "^#$", "^no$", "^n$", "^№ п$",
        r"^порядк\w* номер", "^row$", "^line$", "^id$",
    )),
    (Field.OWN_NUMBER, (
        r"\bинв\b", "инвентарн", r"внутренн\w* номер", "код (?:прибор|пу|объект|точк)", r"точк\w* учета",
        "inventory", "asset", "^код$", "^code$", "gis", "гис жкх", "идентификатор",
    )),
)  # fmt: skip
_COMPILED = tuple((field, re.compile("|".join(alternatives))) for field, alternatives in _PATTERNS)
# Titles that alone say little: content decides before them.
_WEAK = frozenset(
    {"номер", "number", "n", "№", "no", "id", "код", "code", "дата", "date", "до", "name", "value", "тип"}
)
_OF_THE_PLATE = re.compile(r"\b(?:зав\b|заводск|серийн|сер\b|фабричн|serial|sn\b)|\bs n\b")
_DEVICE_WORDS = re.compile(r"\b(?:тип|марка|модель|наименование|type|model)\b")


def fold_title(text: str) -> str:
    """A title as it is compared: small letters, ё as е, words parted by one space."""
    return _NOT_WORD.sub(" ", text.casefold().replace("ё", "е").replace("#", "№")).strip()


@lru_cache(4096)
def find_field(title: str) -> Field | None:
    """The field that a header names, or None; a part of an address keeps its name under any heading of a group."""
    group, _, leaf = title.rpartition(LEVEL)
    if group and (part := find_field(leaf)) in ADDRESS_PARTS:
        return part
    folded = fold_title(title)
    if not folded:
        return Field.INDEX if title.strip() in ("#", "№") else None
    if len(folded) > 160:
        return None  # a sentence is no header
    for field, pattern in _COMPILED:
        if pattern.search(folded):
            if field is Field.SERIAL and _DEVICE_WORDS.search(folded):
                return Field.DEVICE
            return field
    return None


def is_weak(title: str) -> bool:
    """Whether a header alone says too little to be believed against its column."""
    return fold_title(title) in _WEAK


def is_of_plate(title: str) -> bool:
    """Whether a header says that a number is the maker's, and not just some number of the meter."""
    return bool(_OF_THE_PLATE.search(fold_title(title)))
