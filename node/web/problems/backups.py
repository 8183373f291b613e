"""Problems of backups."""

from node.errors import BackupError
from node.web.problems.text import ProblemText, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "backup": wrong(
        ("Резервная копия не сделана или не открывается", "Посмотрите подробности и повторите."),
        ("A backup cannot be made or does not open", "See the detail and try again."),
        kind=BackupError,
    ),
    "backup_locked": wrong(
        ("Копия заперта другим ключом", "Возьмите файл того ключа восстановления или верную парольную фразу."),
        ("The backup is locked with another key", "Take the file of that recovery key, or the right passphrase."),
        kind=BackupError,
    ),
    "backup_damaged": wrong(
        ("Копия повреждена", "Возьмите другой экземпляр этого файла или более старую копию."),
        ("The backup is damaged", "Take another copy of this file, or an older backup."),
        kind=BackupError,
    ),
    "backup_foreign": wrong(
        ("Это не резервная копия узла", "Назовите файл, имя которого кончается на .backup."),
        ("This is no backup of a node", "Name a file that ends in .backup."),
        kind=BackupError,
    ),
    "backup_changed": wrong(
        ("Файл узла изменился во время копирования", "Сделайте копию ещё раз."),
        ("A file of the node changed while it was copied", "Make the backup again."),
        kind=BackupError,
    ),
    "backup_space": wrong(
        ("На диске мало места", "Освободите место или назовите другую папку в [backup] folder."),
        ("The disk has too little room", "Make room, or name another folder in [backup] folder."),
        ("{folder}: свободно {free} МБ, нужно {needed} МБ.", "{folder}: {free} MB free, {needed} MB needed."),
        kind=BackupError,
    ),
    "backup_passphrase": wrong(
        ("Парольная фраза слишком короткая", "Возьмите несколько слов."),
        ("The passphrase is too short", "Take several words."),
        ("Нужно не меньше {least} знаков.", "At least {least} characters."),
        kind=BackupError,
    ),
    "recovery_key": wrong(
        ("Это не ключ восстановления", "Возьмите файл, который записала команда passport-node backup key."),
        ("This is no recovery key", "Take the file that passport-node backup key wrote."),
        kind=BackupError,
    ),
    "recovery_key_exists": state(
        ("Ключ восстановления уже есть", "Новый ключ заводится с --replace: прежние копии открывает прежний."),
        ("There is a recovery key already", "--replace makes a new one: older backups open with the older one."),
    ),
    "backup_faulty": wrong(
        (
            "В хранилище из этой копии есть ошибки",
            "Возьмите более старую копию; или восстановите её командой passport-node restore: она назовёт ошибки.",
        ),
        (
            "The store in this backup has faults",
            "Take an older backup; or restore it with passport-node restore, which names the faults.",
        ),
        kind=BackupError,
    ),
    "restore_late": state(
        (
            "На этом узле уже работают",
            "Восстановите копию в отдельную папку командой passport-node restore: сделанное здесь не пропадёт.",
        ),
        (
            "This node is in use already",
            "Restore the backup into a folder of its own with passport-node restore: what was done here stays.",
        ),
    ),
    "restore_running": state(
        ("Копия уже восстанавливается", "Дождитесь конца."),
        ("A backup is being restored already", "Wait for its end."),
    ),
    "restore_ports": state(
        (
            "Порт из настроек копии здесь не открыть",
            "Освободите порт; или восстановите командой passport-node restore и поправьте config.toml до запуска.",
        ),
        (
            "A port of the backup's settings cannot be opened here",
            "Free the port; or restore it with passport-node restore and mend config.toml before the start.",
        ),
    ),
    "backup_unlocked": state(
        ("Запереть копию нечем", "Задайте парольную фразу или создайте ключ: passport-node backup key ФАЙЛ."),
        ("There is nothing to lock a backup with", "Give a passphrase, or make a key: passport-node backup key FILE."),
    ),
    "backup_running": state(
        ("Копия уже делается", "Дождитесь её: страница покажет, когда она готова."),
        ("A backup is being made", "Wait for it: the page tells when it is ready."),
    ),
    "backup_none": state(
        ("Копий ещё нет", "Сначала сделайте копию."),
        ("There is no backup yet", "Make one first."),
    ),
    "backup_newest": state(
        ("Это последняя исправная копия", "Сначала сделайте новую."),
        ("This is the newest good backup", "Make a new one first."),
    ),
    "backup_elsewhere": state(
        (
            "Эту копию сделало другое хранилище",
            "Проверьте её командой passport-node backup verify с ключом восстановления.",
        ),
        ("Another store made this backup", "Check it with passport-node backup verify and the recovery key."),
    ),
    "backup_unknown": unknown("Такой копии здесь нет", "There is no such backup here"),
}
