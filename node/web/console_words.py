"""What the codes of jobs, peers, shipments and running processes read as for people, in Russian and English."""

from node.web.passport_words import Table

AWAY = "away: "

JOB_KINDS: Table = {
    "import.production": ("Файл производства", "Production file"),
    "import.bench": ("Файл проливной установки", "Bench file"),
}
JOB_STATES: Table = {
    "waiting": ("в очереди", "waiting"),
    "running": ("выполняется", "running"),
    "done": ("готово", "done"),
    "failed": ("не выполнено", "failed"),
}
PEER_STATES: Table = {
    "inbox": ("ждёт решения", "waits for you"),
    "active": ("обмен идёт", "in exchange"),
    "ignored": ("скрыт", "ignored"),
}
ORGANISATION_KINDS: Table = {
    "maker": ("завод-изготовитель", "maker"),
    "lab": ("поверочная лаборатория", "verification laboratory"),
    "utility": ("ресурсоснабжающая организация", "utility"),
    "housing": ("управляющая организация", "housing company"),
    "service": ("сервисная организация", "service firm"),
    "operator": ("оператор", "operator"),
}
ATTESTED: Table = {
    "number": ("реквизиты подтверждены", "numbers confirmed"),
    "maker": ("изготовитель", "maker"),
    "accreditation": ("аккредитация", "accreditation"),
    "steward": ("ведёт справочники", "steward of catalogs"),
    "prefix": ("префикс номеров", "number prefix"),
    "branch": ("филиал", "branch"),
}
SHIPMENT_STATES: Table = {
    "offered": ("ждёт приёмки", "waits for acceptance"),
    "accepted": ("принята", "accepted"),
    "void": ("без силы", "of no effect"),
}
PROCESSES: Table = {
    "acceptance": ("Отгрузка ждёт приёмки", "A shipment waits for its acceptance"),
    "verification": ("Ждёт поверки", "Waits for a verification"),
    "verification-soon": ("Поверка истекает", "The verification runs out"),
    "verification-overdue": ("Поверка просрочена", "The verification is overdue"),
    "step": ("Процесс идёт", "A process runs"),
}


def trouble_words(text: str, language: str) -> str:
    """Why an exchange with a peer failed; what the peer broke is told as the node found it."""
    if text.startswith(AWAY):
        return "не отвечает" if language == "ru" else "does not answer"
    return text
