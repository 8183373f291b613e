"""The columns of lists of what was filled, and by which templates."""

from node.web.columns import (
    coded,
    organisation,
    table,
    time,
    yes_no,
)
from node.web.passport_words import STANDINGS

PROTOCOLS = table(
    "protocols",
    "Протоколы",
    "Protocols",
    ("Когда, UTC", "When, UTC", time("occurred_us")),
    ("Шаблон", "Template", "template"),
    ("Кто", "Who", organisation("by")),
    ("Статус", "Standing", coded("standing", STANDINGS)),
    ("Записано, UTC", "Recorded, UTC", time("recorded_us")),
    ("Открыт целиком", "Open whole", yes_no("whole")),
    ("Фрагмент", "Statement", "ref"),
)
TEMPLATES = table(
    "templates",
    "Шаблоны протоколов",
    "Protocol templates",
    ("Имя", "Name", "name"),
    ("Версия", "Version", "version"),
    ("Издатель", "Publisher", organisation("org")),
    ("Ссылка", "Reference", "reference"),
    ("Почему не работает здесь", "Why it does not run here", "trouble"),
)
