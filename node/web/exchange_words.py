"""What stands in the exchanges with other systems, in words."""

from node.web.passport_words import Table

FOUND: Table = {
    "recorded": ("запись внесена в паспорт", "written into the passport"),
    "known": ("запись уже в паспорте", "in the passport already"),
    "none": ("записи в реестре нет", "no record in the register"),
    "other": ("ответ о другом приборе", "an answer about another device"),
    "unreadable": ("ответ не читается", "the answer cannot be read"),
    "silent": ("реестр не ответил", "the register did not answer"),
    "unnamed": ("нет номера типа или заводского", "no type approval number or serial"),
}
RESULT_STATES: Table = {
    "stands": ("в силе", "in force"),
    "annulled": ("аннулирован", "annulled"),
    "replaced": ("исправлен другим протоколом", "replaced by another protocol"),
    "void": ("подпись больше не действует", "its signature counts no more"),
}
DIFFERENCES: Table = {
    "verified": ("день поверки", "day of verification"),
    "valid_until": ("действительна до", "valid until"),
    "number": ("номер записи", "number of the record"),
    "fit": ("пригодность", "conclusion"),
    "organisation": ("кто поверил", "who verified"),
}
FITNESS: Table = {"fit": ("пригоден", "fit"), "unfit": ("непригоден", "unfit")}
MESSAGES: Table = {
    "items": ("номенклатура", "items"),
    "devices": ("приборы", "devices"),
    "documents": ("документы", "documents"),
}
GROUPINGS: Table = {
    "batch": ("партия приборов", "batch of devices"),
    "lot": ("партия деталей", "lot of components"),
    "type": ("тип", "type"),
}
