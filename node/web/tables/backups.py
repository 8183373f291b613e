"""The columns of the list of backups."""

from node.web.columns import coded, table, time
from node.web.passport_words import Table

STATES: Table = {
    "good": ("исправна", "good"),
    "bad": ("с ошибками", "has faults"),
    "unknown": ("не проверена", "not checked"),
}

BACKUPS = table(
    "backups",
    "Резервные копии",
    "Backups",
    ("Сделана, UTC", "Made, UTC", time("made_us")),
    ("Файл", "File", "name"),
    ("Размер, байт", "Size, bytes", "size"),
    ("Состояние", "State", coded("state", STATES)),
    ("Чем заперта", "Locked to", "locked_to"),
    ("Утверждений", "Statements", "statements"),
    ("Заняло, мс", "Took, ms", "took_ms"),
    ("Проверена, UTC", "Checked, UTC", time("checked_us")),
    ("Восстановлена для пробы, UTC", "Drilled, UTC", time("drilled_us")),
    ("Что не так", "Trouble", "trouble"),
)
