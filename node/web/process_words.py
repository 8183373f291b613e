"""What processes read as for people, in Russian and English."""

from collections.abc import Mapping

from node.passport.catalogs import Catalog, load_central
from node.web.passport_words import STEPS, Table, words

RUN_STATES: Table = {
    "open": ("идёт", "runs"),
    "ended": ("ждёт закрытия", "waits to be closed"),
    "done": ("завершён", "done"),
    "cancelled": ("отменён", "cancelled"),
    "unread": ("регламент не получен", "its procedure is not here"),
}
MOVES: Table = {
    "opened": ("открыт", "opened"),
    "done": ("шаг выполнен", "step done"),
    "declined": ("исполнитель отказался", "declined"),
    "assigned": ("исполнитель назначен", "role given"),
    "closed": ("закрыт", "closed"),
}
IDLE: Table = {
    "owner-only": ("это делает только владелец процесса", "only the owner of the process does that"),
    "owner-stays": ("владелец не отказывается от своего шага", "the owner declines no step of his own"),
    "no-mandate": ("шаг поручен другой организации", "the step is another organisation's"),
    "not-accepted": ("организация не приняла регламент", "the organisation has not accepted the procedure"),
    "out-of-order": ("сейчас очередь другого шага", "it is another step's turn"),
    "no-protocol": ("нет протокола, которого требует шаг", "the protocol that the step demands is missing"),
    "no-outcome": ("не указан исход шага", "the outcome of the step is missing"),
    "taken": ("процесс тем временем продвинулся", "the process went on meanwhile"),
    "closed": ("процесс уже закрыт", "the process is closed already"),
    "earlier-missing": ("предыдущее действие сюда не пришло", "an earlier move has not arrived here"),
    "procedure-missing": ("регламент сюда не пришёл", "the procedure has not arrived here"),
}
NEEDS: Table = {
    "verified": ("действующая поверка", "a verification in force"),
    "fit": ("не признан непригодным", "not found unfit"),
    "not-mounted": ("не установлен", "not installed"),
}
PARTS: Table = {
    "fit": ("детали ставятся", "parts go in"),
    "replace": ("детали заменяются", "parts are replaced"),
}


def process_name(code: str, language: str) -> str:
    """What a process is called in the catalog; another code shows itself."""
    record = load_central(Catalog.PROCESSES).get(code, {})
    name = record.get("ru" if language == "ru" else "en")
    return name if isinstance(name, str) else code


def titled(title: Mapping[str, str], code: str, language: str) -> str:
    """A title in the reader's language, else in the first one that there is, else what the code is called."""
    return title.get(language) or next(iter(title.values()), "") or words(STEPS, code, language)
