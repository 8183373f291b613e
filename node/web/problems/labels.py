"""Problems of labels and of what is scanned off them."""

from node.errors import NotFoundError
from node.web.problems.text import ProblemText, state, wrong

PROBLEMS: dict[str, ProblemText] = {
    "printed_mistyped": wrong(
        (
            "Номер прочитан с ошибкой",
            (
                "Сверьте номер с этикеткой знак за знаком: букв I, L, O и U в нём нет, это 1, 1 и 0. Если код "
                "повреждён, наберите обозначение и заводской номер с таблички."
            ),
        ),
        (
            "The number was misread",
            (
                "Compare it with the label character by character: it has no letters I, L, O and U, those are 1, 1 and "
                "0. If the code is damaged, type the designation and the serial number of the plate."
            ),
        ),
        ("Такого номера не бывает: в нём описка.", "There can be no such number: it has a slip in it."),
    ),
    "public_unknown": wrong(
        (
            "Здесь нет открытого паспорта с таким номером",
            (
                "Проверьте номер. Заводской номер наберите вместе с обозначением: СГВ-15 № 0012345. Если прибор ваш, "
                "откройте этикетку в узле своей организации."
            ),
        ),
        (
            "No public passport is here under that number",
            (
                "Check the number. Type a serial number together with the designation, as it stands on the plate. "
                "If the device is yours, open the label in the node of your own organisation."
            ),
        ),
        ("Открыты для всех паспорта не всех приборов.", "Not every device has a passport that is open to all."),
        kind=NotFoundError,
    ),
    "label_no_domain": state(
        ("Домен для этикеток не задан", "Запишите [public] domain в config.toml и перезапустите узел."),
        ("No domain for labels is set", "Write [public] domain into config.toml and start the node again."),
        (
            "Этикетка ведёт на https://домен/d/…, поэтому домен нужен до печати.",
            "A label leads to https://domain/d/…, so the domain is needed before printing.",
        ),
    ),
    "label_small": wrong(
        ("Этикетка слишком мала", "Возьмите формат крупнее или код Data Matrix."),
        ("The label is too small", "Take a larger format, or the code Data Matrix."),
        ("{title}: на {name} не помещается.", "{title}: does not fit on {name}."),
    ),
    "label_start": wrong(
        ("На листе нет такого места", "Назовите место от 1, считая по строкам."),
        ("The sheet has no such place", "Name a place from 1 on, row by row."),
        ("На листе {name} этикеток: {most}.", "A sheet {name} has {most} labels."),
    ),
    "label_unnamed": wrong(
        ("Строка не называет один прибор", "Запишите номер EPP1 или обозначение с заводским номером."),
        ("A line names no single device", "Write the EPP1 number, or the designation with the serial number."),
        ("Строка: {text}", "The line: {text}"),
    ),
    "labels_none": wrong(
        ("Не назван ни один прибор", "Выберите приборы в списке или впишите их номера."),
        ("No device is named", "Choose devices in the list, or write their numbers."),
        ("Печатать нечего.", "There is nothing to print."),
    ),
    "labels_too_many": wrong(
        ("Слишком много этикеток за один раз", "Сузьте список."),
        ("Too many labels at once", "Narrow the list."),
        ("За один раз печатается не больше {most}.", "No more than {most} are printed at once."),
    ),
    "public_elsewhere": wrong(
        ("Это этикетка другой организации", "Откройте страницу той организации или узел своей."),
        ("This is a label of another organisation", "Open the page of that organisation, or the node of your own."),
        ("Она ведёт на {domain}; здесь такого паспорта нет.", "It leads to {domain}; no such passport is here."),
        kind=NotFoundError,
    ),
    "public_several": state(
        ("Так обозначено несколько приборов", "Сканируйте код с номером EPP1 на этикетке: он один на прибор."),
        ("Several devices carry this", "Scan the code with the EPP1 number on the label: each device has its own."),
        ("Обозначение с номером встречается больше одного раза.", "More than one has that designation and number."),
    ),
    "public_rate": state(
        ("Слишком много запросов с этого адреса", "Подождите минуту и повторите."),
        ("Too many requests from this address", "Wait a minute and try again."),
        ("Страницы этикеток отвечают каждому адресу в меру.", "The pages of labels answer each address in measure."),
    ),
    "public_busy": state(
        ("Узел занят другими запросами", "Повторите через несколько секунд."),
        ("The node is busy with other requests", "Try again in some seconds."),
        ("Паспорта готовятся по одному.", "Passports are made ready one at a time."),
    ),
}
