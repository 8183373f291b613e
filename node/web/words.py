"""What the journal's codes read as for people, in Russian and English."""

from node.web.languages import mark

# What a code reads as: Russian, English.
JOURNAL: dict[str, tuple[str, str]] = {
    "node_claimed": ("Узел получил владельца", "The node was claimed"),
    "logged_in": ("Вход", "Logged in"),
    "login_refused": ("Вход отклонён", "Log-in refused"),
    "session_ended": ("Сеанс завершён", "Session ended"),
    "account_added": ("Добавлена учётная запись", "Account added"),
    "account_removed": ("Удалена учётная запись", "Account removed"),
    "password_changed": ("Изменён пароль", "Password changed"),
    "language_changed": ("Изменён язык", "Language changed"),
    "write_refused": ("Действие отклонено: прав недостаточно", "Refused: not enough rights"),
    "token_issued": ("Выпущен токен", "Token issued"),
    "token_revoked": ("Отозван токен", "Token revoked"),
    "federation_founded": ("Создана федерация", "Federation founded"),
    "joined_federation": ("Узел вступил в федерацию", "Joined a federation"),
    "invited": ("Выпущено приглашение", "Invitation made"),
    "attested": ("Организация аттестована", "Organisation attested"),
    "peer_met": ("Обнаружен узел", "A node was met"),
    "peer_joined": ("Узел вступил по приглашению", "A node joined by invitation"),
    "peer_active": ("Узел принят", "Node accepted"),
    "peer_ignored": ("Узел скрыт", "Node ignored"),
    "shipped": ("Отгрузка предложена", "Shipment offered"),
    "shipment_accepted": ("Отгрузка принята", "Shipment accepted"),
    "shipment_came": ("Нам предложили отгрузку", "A shipment was offered to us"),
    "shipment_taken": ("Получатель принял отгрузку", "The buyer accepted the shipment"),
    "entry_refused": ("Фрагмент отклонён", "A fragment was refused"),
    "job_taken": ("Задание принято", "Job taken"),
    "job_failed": ("Задание не выполнено", "Job failed"),
    "import_advanced": ("Импорт продвинулся", "Import advanced"),
    "plate_stated": ("Зарегистрирован прибор", "Meter registered"),
    "event_recorded": ("Записано событие", "Event recorded"),
    "parameters_recorded": ("Записаны параметры", "Parameters recorded"),
    "repair_recorded": ("Записан ремонт", "Repair recorded"),
    "passport_changed": ("Паспорт изменился", "Passport changed"),
    "secret_given": ("Ключ прибора выдан", "Device key given"),
    "secret_refused": ("В ключе прибора отказано", "Device key refused"),
    "key_received": ("Получен ключ прибора", "Device key received"),
    "key_refused": ("В ключе прибора отказано", "Device key refused"),
    "template_published": ("Опубликован шаблон", "Template published"),
    "protocol_signed": ("Подписан протокол", "Protocol signed"),
    "arshin_exported": ("Составлен файл для ФГИС «Аршин»", "Arshin file made"),
    "shared": ("Открыт доступ", "Access opened"),
    "device_commissioned": ("Прибор подготовлен к подключению", "Device put on the air"),
    "device_retired": ("Прибор снят с сети", "Device taken off the air"),
    "device_joined": ("Прибор подключился к сети", "Device joined the network"),
    "device_registered": ("Прибор зарегистрирован в сети", "Device registered in the network"),
    "registration_stopped": ("Регистрация остановлена: данные расходятся", "Registration stopped: fields differ"),
    "registration_retried": ("Сверка повторена", "Compared once more"),
    "join_refused": ("В подключении к сети отказано", "A join was refused"),
    "uplink_refused": ("Кадр прибора отклонён", "A device's frame was refused"),
    "gateway_allowed": ("Шлюз разрешён", "Gateway allowed"),
    "gateway_removed": ("Шлюз удалён", "Gateway removed"),
}
# Names that templates put together: `scope read`, `role admin`.
NAMES = (
    mark("scope read"), mark("scope import"), mark("scope record"), mark("scope ship"), mark("scope peers"),
    mark("scope radio"), mark("scope access"), mark("role reader"), mark("role operator"), mark("role admin"),
    mark("frame join"), mark("frame uplink"), mark("step 1"), mark("step 2"), mark("step 3"), mark("step 4"),
)  # fmt: skip
ACTORS: dict[str, tuple[str, str]] = {
    "local:administrator": ("администратор этой машины", "administrator of this machine"),
    "local": ("с этой машины:", "on this machine:"),
    "person": ("", ""),
    "token": ("токен", "token"),
    "nobody": ("без входа", "not logged in"),
    "peer": ("другой узел", "another node"),
    "sync": ("обмен", "sync"),
    "radio": ("сеть LoRa", "LoRa network"),
}


# What stands in the details of journal rows.
DETAILS: dict[str, tuple[str, str]] = {
    "account": ("учётная запись", "account"),
    "active": ("принят", "accepted"),
    "address": ("адрес", "address"),
    "attested": ("аттестация", "attested"),
    "code": ("код", "code"),
    "dev_eui": ("DevEUI", "DevEUI"),
    "fields": ("поля", "fields"),
    "gateway": ("шлюз", "gateway"),
    "reason": ("причина", "reason"),
    "count": ("количество", "count"),
    "done": ("сделано", "done"),
    "error": ("ошибка", "error"),
    "expires_us": ("до", "until"),
    "federation": ("федерация", "federation"),
    "file": ("файл", "file"),
    "job": ("задание", "job"),
    "kind": ("вид", "kind"),
    "language": ("язык", "language"),
    "name": ("имя", "name"),
    "node": ("узел", "node"),
    "of": ("чей", "of"),
    "operation": ("действие", "operation"),
    "party": ("кому", "to"),
    "role": ("роль", "role"),
    "rows": ("строки", "rows"),
    "scopes": ("права", "rights"),
    "section": ("раздел", "section"),
    "session": ("сеанс", "session"),
    "title": ("название", "title"),
    "to": ("кому", "to"),
    "token": ("токен", "token"),
    "total": ("всего", "total"),
    "url": ("адрес", "address"),
    "version": ("версия", "version"),
}
LONGEST_ID = 16


def detail_name(name: str, language: str) -> str:
    """What a detail of a journal row is called; a name without words shows itself."""
    return _in(DETAILS.get(name), language) or name


def detail_text(value: object) -> str:
    """A detail as one reads it: lists with commas, long ids by their beginning."""
    if isinstance(value, list):
        return ", ".join(map(detail_text, value))
    text = str(value)
    is_id = len(text) > LONGEST_ID and all(sign in "0123456789abcdef" for sign in text)
    return f"{text[:8]}…" if is_id else text


def journal_words(what: str, language: str) -> str:
    """What a journal row says happened; a code without words shows itself."""
    return _in(JOURNAL.get(what), language) or what


def actor_words(label: str, language: str) -> str:
    """Who did it, from an actor's label."""
    if label in ACTORS:
        return _in(ACTORS[label], language)
    kind, _, name = label.partition(":")
    words = ACTORS.get(kind)
    return " ".join(filter(None, (_in(words, language), name))) if words else label


def _in(words: tuple[str, str] | None, language: str) -> str:
    return "" if words is None else words[0 if language == "ru" else 1]
