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
