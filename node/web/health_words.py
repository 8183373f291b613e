"""What the conditions of a node read as for people, in Russian and English: what is so, and what to do about it."""

from collections.abc import Mapping

from node.services.health import Condition
from node.web.passport_words import Table
from node.web.words import REASONS

Told = tuple[str, str]

# By the condition's code: Russian and English, each what is so and what to do. Values stand in braces.
CONDITIONS: Mapping[str, tuple[Told, Told]] = {
    "disk": (("На диске свободно {free_mb} МБ из {total_mb}.", ""), ("{free_mb} MB of {total_mb} are free.", "")),
    "disk_low": (
        ("На диске свободно только {free_mb} МБ из {total_mb}.", "Освободите место: без него узел ничего не запишет."),
        ("Only {free_mb} MB of {total_mb} are free on the disk.", "Make room: without it the node writes nothing."),
    ),
    "backup": (
        ("Последняя исправная копия {file} сделана {age}.", ""),
        ("The last good backup {file} was made {age}.", ""),
    ),
    "backup_none": (
        ("Исправной резервной копии нет.", "Сделайте копию: кнопка ниже или passport-node backup make."),
        ("There is no good backup.", "Make one: by the button below, or with passport-node backup make."),
    ),
    "backup_old": (
        ("Последняя исправная копия {file} сделана {age}.", "Сделайте новую и посмотрите, что мешает."),
        ("The last good backup {file} was made {age}.", "Make a new one, and see what is in the way."),
    ),
    "backup_failed": (
        ("Последняя попытка сделать копию не удалась: {error}", "Устраните причину и сделайте копию снова."),
        ("The last backup failed: {error}", "Remove the cause and make it again."),
    ),
    "backup_broken": (
        ("В копии {file} найдены ошибки.", "Проверьте диск; прежние копии не удаляются, пока нет новой исправной."),
        ("The backup {file} has faults.", "See to the disk; older backups stay until there is a new good one."),
    ),
    "backup_no_key": (
        (
            "Ключа восстановления нет, копии сами не делаются.",
            "Создайте его: passport-node backup key ФАЙЛ, и храните файл отдельно.",
        ),
        (
            "There is no recovery key, so no backup is made by itself.",
            "Make one: passport-node backup key FILE, and keep the file apart.",
        ),
    ),
    "backup_key_broken": (
        (
            "Файл ключа восстановления не читается, копии сами не делаются: {fault}.",
            "Верните recovery.public или создайте новый ключ: passport-node backup key ФАЙЛ --replace.",
        ),
        (
            "The file of the recovery key cannot be read, so no backup is made by itself: {fault}.",
            "Put recovery.public back, or make another key: passport-node backup key FILE --replace.",
        ),
    ),
    "backup_same_disk": (
        ("Копии лежат на том же диске, что и данные: {folder}.", "Назовите в [backup] folder другой диск."),
        ("Backups lie on the same disk as the data: {folder}.", "Name another disk in [backup] folder."),
    ),
    "root_keys": (("Корневых ключей организации на этой машине нет.", ""), ("No root key lies on this machine.", "")),
    "root_keys_here": (
        ("Корневые ключи лежат на этой машине: {files}.", "Перенесите их туда, где нет сети, и удалите здесь."),
        ("Root keys lie on this machine: {files}.", "Move them to where there is no network, and remove them here."),
    ),
    "node_ended": (
        ("Этот узел отключён своей организацией: что он скажет, не засчитывается.", "Сделайте новый узел организации."),
        ("This node was ended by its organisation: what it says does not count.", "Make a new node of it."),
    ),
    "chain_forked": (
        (
            "Корневая цепочка организации раздвоена с утверждения {number}.",
            "Назовите якорям федерации верную ветвь со страницы ключей или отмените обе: passport-node keys rotate.",
        ),
        (
            "The organisation's root chain is forked at statement {number}.",
            "Tell the anchors the right branch from the page of keys, or undo both: passport-node keys rotate.",
        ),
    ),
    "logs_forked": (
        (
            "Доказано раздвоений журналов: {count}.",
            "Если среди них свой, работает копия этого узла: остановите её. Утраченное сказано снова.",
        ),
        (
            "Logs proven to be forked: {count}.",
            "If an own one is among them, a copy of this node runs: stop it. What fell was said again.",
        ),
    ),
    "peers": (("Все соседи отвечают: {count}.", ""), ("All peers answer: {count}.", "")),
    "peer_away": (
        ("Сосед не отвечает: {org}. {trouble}", "Проверьте связь; узел повторяет сам."),
        ("A peer does not answer: {org}. {trouble}", "Check the connection; the node tries again by itself."),
    ),
    "peer_clock": (
        ("Часы соседа {org} расходятся с нашими на {seconds} с.", "Сообщите ему: обмену это не мешает."),
        ("The clock of {org} differs from ours by {seconds} s.", "Tell them: the exchange goes on all the same."),
    ),
    "clock_differs": (
        ("Наши часы расходятся с часами большинства соседей на {seconds} с.", "Проверьте время на этой машине."),
        ("Our clock differs from those of most peers by {seconds} s.", "See to the time of this machine."),
    ),
    "log_doubt": (
        ("Открыт новый журнал: {reason}.", "Прежний журнал цел; сказанное в нём возвращается от соседей."),
        ("A new log was opened: {reason}.", "The old one stays; what it lacks comes back from peers."),
    ),
    "statements_lost": (
        ("Утверждений, которые не вернулись: {count}.", "Внесите их снова; места названы в разделе «Вернувшееся»."),
        ("Statements that did not come back: {count}.", "Say them anew; their places stand under “What came back”."),
    ),
    "personal_held": (
        (
            "Персональных разделов придержано: {count}.",
            "Копия хранилища старая: пока не ответит хоть один сосед, неизвестно, что из них стёрто.",
        ),
        (
            "Personal sections that are held back: {count}.",
            "The store is an older copy: until one peer answers, nobody here knows which of them were erased.",
        ),
    ),
    "statements_away": (
        ("Утверждений, которых ждём от соседей: {count}.", "Подождите, пока ответят все соседи."),
        ("Statements that peers are to give back: {count}.", "Wait until all peers have answered."),
    ),
}
GRADES: Table = {
    "good": ("в порядке", "good"),
    "warning": ("внимание", "warning"),
    "bad": ("плохо", "bad"),
}


def condition_words(found: Condition, language: str, names: Mapping[str, str]) -> Told:
    """What is so and what to do; organisations by their names where they are known."""
    told = CONDITIONS[found.code][0 if language == "ru" else 1]
    values = dict(found.values)
    if "hours" in values:
        values["age"] = _age(int(str(values["hours"])), language)
    if "org" in values:
        org = str(values["org"])
        values["org"] = names.get(org, org[:8])
    if "reason" in values:
        values["reason"] = REASONS[str(values["reason"])][0 if language == "ru" else 1]
    return told[0].format(**values).strip(), told[1]


def _age(hours: int, language: str) -> str:
    if hours == 0:
        return "меньше часа назад" if language == "ru" else "less than an hour ago"
    if hours < 0:
        return "в будущем: часы с тех пор переведены" if language == "ru" else "in the future: the clock was set since"
    return f"{hours} ч назад" if language == "ru" else f"{hours} h ago"
