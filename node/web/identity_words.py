"""What the codes of identity and composition read as for people, in Russian and English."""

from node.web.passport_words import Table

# How the serials differ.
SLIPS: Table = {
    "same-serial": ("номер тот же", "the same serial"),
    "zeros": ("тот же номер, иначе записан (нули, пробелы)", "the same serial, written otherwise (zeros, spaces)"),
    "look-alike": ("в номере похожие знаки", "look-alike characters in the serial"),
    "swapped": ("два знака номера переставлены", "two characters of the serial are swapped"),
    "one-character": ("в номере отличается один знак", "one character of the serial differs"),
    "one-more-or-less": ("в номере на знак больше или меньше", "the serial has a character more or less"),
    "with-more-text": ("рядом с номером записано лишнее", "something else is written beside the serial"),
}
# What speaks for a suggestion, or against it.
SIGNS: Table = {
    "same-line": ("тот же серийный ряд", "the same serial line"),
    "same-designation": ("то же обозначение", "the same designation"),
    "near-designation": ("обозначение почти то же", "nearly the same designation"),
    "other-designation": ("обозначение другое", "another designation"),
    "same-approval": ("тот же номер ГРСИ", "the same approval"),
    "other-approval": ("другой номер ГРСИ", "another approval"),
    "same-mark": ("тот же товарный знак", "the same mark"),
    "other-mark": ("другой товарный знак", "another mark"),
    "same-year": ("тот же год", "the same year"),
    "other-year": ("другой год", "another year"),
    "same-place": ("то же место", "the same place"),
    "other-place": ("другое место", "another place"),
}
# Why no published line is told for a plate, and what can be done about it.
NO_LINE: Table = {
    "unknown-designation": (
        "Серийный ряд с таким обозначением ещё никто не опубликовал: правила номера не проверены.",
        "Nobody has published a serial line of this designation: the serial is not checked.",
    ),
    "mark-or-approval-of-no-such-line": (
        "Товарный знак или номер ГРСИ не от этого серийного ряда: сверьте с табличкой.",
        "The mark or approval is not of this serial line: compare with the plate.",
    ),
    "several-lines": (
        "Так обозначают несколько серийных рядов: укажите знак, год или номер ГРСИ.",
        "Several serial lines print this designation: give the mark, the year or the approval.",
    ),
    "serial-not-of-this-line": (
        "Такого номера в этом серийном ряду быть не может.",
        "This serial line has no such serial.",
    ),
    "year-needed": (
        "Номера этого ряда каждый год начинаются заново: укажите год выпуска.",
        "Serials of this line begin anew each year: give the year of manufacture.",
    ),
}
# What is said of two passports.
SAYS: Table = {
    "same": ("один прибор", "one device"),
    "distinct": ("разные приборы", "different devices"),
    "twin": ("двойник с той же табличкой", "a twin with the same plate"),
}
# By which right an organisation speaks of a device's identity.
RIGHTS: Table = {
    "maker": ("изготовитель серийного ряда", "maker of the serial line"),
    "author": ("кто заявил табличку", "who stated the plate"),
    "lab": ("поверитель с результатом", "laboratory with a result"),
    "none": ("никто", "nobody"),
}
# What compared rows are of, where the name of the fact does not say it.
COMPARED_FACTS: Table = {
    "plates": ("Таблички", "Plates"),
    "place": ("Место", "Place"),
    "valid_until": ("Поверен до", "Verified until"),
    "record": ("Запись о поверке", "Verification record"),
    "name": ("Название", "Name"),
    "number": ("Номер", "Number"),
    "address": ("Адрес", "Address"),
    "kind": ("Что это", "What it is"),
}
