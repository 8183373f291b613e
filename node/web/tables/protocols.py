"""The columns of lists of what was filled, and by which templates."""

from node.web.columns import (
    Item,
    Reader,
    coded,
    organisation,
    table,
    time,
    yes_no,
)
from node.web.passport_words import STANDINGS, words
from node.web.protocol_words import ROLES
from node.web.words import actor_words


def _sides(item: Item, reader: Reader, *, is_signed: bool) -> str:
    return ", ".join(
        words(ROLES, side.role, reader.language) for side in item.parties if (side.by is not None) == is_signed
    )


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
ACTS = table(
    "acts",
    "Акты без подписи",
    "Acts that lack a signature",
    ("Прибор", "Device", "title"),
    ("Паспорт", "Passport", "id"),
    ("Шаблон", "Template", "template"),
    ("Когда, UTC", "When, UTC", time("occurred_us")),
    ("Подписали", "Signed", lambda item, reader: _sides(item, reader, is_signed=True)),
    ("Не подписали", "Have not signed", lambda item, reader: _sides(item, reader, is_signed=False)),
    ("Фрагмент", "Statement", "ref"),
)
FORMS = table(
    "forms",
    "Заполняемые протоколы",
    "Protocols that are being filled in",
    ("Паспорт", "Passport", "id"),
    ("Шаблон", "Template", "template"),
    ("Кто", "Who", lambda item, reader: actor_words(item.actor, reader.language)),
    ("Начат, UTC", "Begun, UTC", time("created_us")),
    ("Изменён, UTC", "Changed, UTC", time("changed_us")),
    ("Файлов", "Files", lambda item, _: str(len(item.files))),
    ("Форма", "Form", "form"),
)
