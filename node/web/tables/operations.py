"""The columns of the ledger of operations."""

from node.passport.catalogs import Catalog
from node.web.columns import Item, Reader, coded, organisation, table, time, yes_no
from node.web.passport_words import STANDINGS, STEPS, SYSTEMS, Table, named, words
from node.web.process_words import MOVES, process_name, titled

WHAT: Table = {
    "event": ("событие", "event"),
    "protocol": ("протокол", "protocol"),
    "fitted": ("деталь установлена", "a part went in"),
    "removed": ("деталь снята", "a part came out"),
    "move": ("шаг процесса", "move of a process"),
}


def operation_name(item: Item, reader: Reader) -> str:
    """What was done: the event, the template, the part, or the step."""
    name = item.name
    if item.what == "event":
        return named(name, Catalog.EVENTS, reader.language)
    if item.what == "protocol":
        return str(name.get("title") or name.get("name") or "")
    if item.what == "move":
        told = titled(name, item.step, reader.language) if item.step else ""
        moved = words(MOVES, item.says, reader.language)
        return f"{told}: {moved}" if told else moved
    printed = f"{name.get('designation') or ''} № {name.get('serial') or ''}".strip(" №")
    return f"{name.get('position') or ''} {printed or name.get('part')}".strip()


def operation_place(item: Item, _: Reader) -> str:
    """Where it was done, as far as the statement says."""
    where = item.where or {}
    place = where.get("place") or {}
    return str(place.get("name") or place.get("local") or place.get("central") or where.get("object") or "")


def _process(item: Item, reader: Reader) -> str:
    return process_name(item.process, reader.language) if item.process else ""


OPERATIONS = table(
    "operations",
    "Операции",
    "Operations",
    ("Когда, UTC", "When, UTC", time("when_us")),
    ("Вид", "Kind", coded("what", WHAT)),
    ("Операция", "Operation", operation_name),
    ("Исход", "Outcome", "outcome"),
    ("Кто", "Who", organisation("by")),
    ("Система", "System", coded("system", SYSTEMS)),
    ("Где", "Where", operation_place),
    ("Рабочее место", "Station", "station"),
    ("Табельный номер", "Operator", "operator"),
    ("Процесс", "Process", _process),
    ("Шаг", "Step", coded("step", STEPS)),
    ("Статус", "Standing", coded("standing", STANDINGS)),
    ("Заменено", "Replaced", yes_no("replaced")),
    ("Запуск процесса", "Run", "run"),
    ("Фрагмент", "Statement", "ref"),
)
