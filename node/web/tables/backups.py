"""The columns of the lists of backups, of what came back after a restore, and of what health looks at."""

from node.web.columns import coded, table, time
from node.web.health_words import GRADES
from node.web.passport_words import Table
from node.web.words import REASONS as OPENED_WHY

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
RETURNED = table(
    "restored",
    "Что вернулось после восстановления",
    "What came back after a restore",
    ("Журнал", "Log", "log"),
    ("Новый журнал", "New log", "opened"),
    ("Причина", "Reason", coded("reason", OPENED_WHY)),
    ("Открыт, UTC", "Opened, UTC", time("at_us")),
    ("Копия сделана, UTC", "Backup made, UTC", time("backup_us")),
    ("Было здесь", "Stood here", "held"),
    ("Было сказано", "Was said", "said"),
    ("Вернулось", "Came back", "came_back"),
    ("Потеряно", "Lost", "missing"),
)
HEALTH = table(
    "health",
    "Состояние узла",
    "Health of the node",
    ("Оценка", "Grade", coded("grade", GRADES)),
    ("Код", "Code", "code"),
    ("Что", "What", "told"),
    ("Что сделать", "What to do", "advice"),
)
