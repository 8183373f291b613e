"""What the codes of the map of flows read as, in Russian and English."""

from node.web.console_words import HOOK_FAULTS, HOOK_PAUSES
from node.web.passport_words import Table
from node.web.trouble_words import trouble_text

PARTIES: Table = {
    "node": ("Узел другой организации", "Node of another organisation"),
    "base": ("База 1С", "Base of 1C"),
    "system": ("Система с токеном", "System with a token"),
    "webhook": ("Уведомления системы", "Webhook"),
    "bench": ("Папка проливной установки", "Folder of the bench"),
    "register": ("Реестр поверок", "Register of verifications"),
    "gateway": ("Базовая станция", "Gateway"),
}
DIRECTIONS: Table = {
    "in": ("к нам", "to us"),
    "out": ("от нас", "from us"),
    "both": ("в обе стороны", "both ways"),
}
TROUBLES: Table = {
    "blocked": ("система отключена", "the system is cut off"),
    "refused": ("последний запрос отклонён", "the last request was refused"),
    "files": ("есть файлы, которые не приняты", "some files were not taken"),
    "job": ("последнее чтение не удалось", "the last reading failed"),
    "silent": ("молчит больше десяти минут", "silent for more than ten minutes"),
    **{
        f"pause.{code}": (f"остановлено: {russian}", f"paused: {english}")
        for code, (russian, english) in HOOK_PAUSES.items()
    },
    **{f"fault.{code}": words for code, words in HOOK_FAULTS.items()},
}


def flow_trouble(code: str, language: str) -> str:
    """What fails, by its code; what a node found in its own words."""
    if code in TROUBLES:
        return TROUBLES[code][0 if language == "ru" else 1]
    return trouble_text(code, language).title
