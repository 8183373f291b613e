"""Problems of the door itself, and of classes of errors where a code is no more exact."""

from node.errors import ConfigError, FolderError, KeystoreError, NodeError, NotFoundError, PeerError, StoreAwayError
from node.web.problems.text import ProblemText, denied, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "internal": wrong(
        ("Внутренняя ошибка узла", "Повторите позже. Если не помогло, передайте администратору номер происшествия."),
        ("Internal error of the node", "Try again later. If it stays, give the administrator the incident number."),
        ("Происшествие {incident} записано в журнал узла.", "Incident {incident} is in the node's log."),
        kind=NodeError,
    ),
    "store_away": wrong(
        ("База данных узла не отвечает", "Повторите через несколько секунд. Если не помогло, проверьте сервер базы."),
        ("The node's database does not answer", "Try again in some seconds. If it stays, look at the database server."),
        kind=StoreAwayError,
    ),
    "unauthenticated": denied(
        ("Нужен вход", "Войдите или передайте действующий токен в заголовке Authorization: Bearer."),
        ("Log-in needed", "Log in, or send a valid token in the header Authorization: Bearer."),
    ),
    "scope": denied(
        ("Прав недостаточно", "Попросите администратора узла дать право или токен с этим правом."),
        ("Not enough rights", "Ask the node's administrator for the right or a token that has it."),
        ("Нужны права: {scopes}.", "Needed rights: {scopes}."),
    ),
    "unclaimed": denied(
        ("У узла ещё нет владельца", "Откройте одноразовую ссылку, которую узел вывел в терминал при запуске."),
        ("The node has no owner yet", "Open the one-time link that the node printed in its terminal."),
    ),
    "claimed": state(
        ("У узла уже есть владелец", "Войдите под своей учётной записью."),
        ("The node has an owner already", "Log in with your account."),
    ),
    "claim_unknown": wrong(
        ("Ссылка недействительна", "Возьмите последнюю ссылку из терминала узла: каждая новая отменяет прежние."),
        ("The link is not valid", "Take the newest link from the node's terminal: each new one replaces the others."),
        kind=NotFoundError,
    ),
    "login_failed": denied(
        ("Имя или пароль неверны", "Проверьте раскладку и повторите."),
        ("The name or the password is wrong", "Check the keyboard layout and try again."),
    ),
    "too_many_attempts": state(
        ("Слишком много попыток входа", "Подождите и повторите."),
        ("Too many attempts to log in", "Wait and try again."),
        ("Попытки снова принимаются через {minutes} мин.", "Attempts are taken again in {minutes} minutes."),
    ),
    "csrf": denied(
        ("Запрос пришёл с чужого сайта", "Откройте страницу узла и повторите действие на ней."),
        ("The request came from another site", "Open the node's own page and act there."),
    ),
    "route_unknown": wrong(
        ("Такой страницы нет", "Проверьте адрес или начните с главной страницы."),
        ("There is no such page", "Check the address or start at the home page."),
        kind=NotFoundError,
    ),
    "method": wrong(
        ("Этот метод здесь не применяется", "Список методов — в заголовке Allow."),
        ("This method does not work here", "The header Allow lists those that do."),
    ),
    "request": wrong(
        ("Запрос не разобран", "Проверьте запрос."),
        ("The request could not be read", "Check the request."),
        ("{ru}", ""),
    ),
    "store_not_empty": wrong(
        ("В базе данных уже есть узел", "Создайте для этого узла отдельную базу."),
        ("The database holds a node already", "Make a database of its own for this node."),
        kind=FolderError,
    ),
    "store_locked": wrong(
        ("База данных занята другим процессом", "Завершите тот процесс: у узла один пишущий процесс."),
        ("Another process has the database", "End that process: one process at a time writes a node's store."),
        kind=FolderError,
    ),
    "node_exists": wrong(
        ("Здесь уже есть узел", "Назовите новую папку или пустое хранилище."),
        ("A node is there already", "Name a new folder, or an empty store."),
        kind=NodeError,
    ),
    "folder_not_empty": wrong(
        ("Папка не пуста", "Назовите новую папку."),
        ("The folder is not empty", "Name a new folder."),
        kind=NodeError,
    ),
    "pdf_too_long": wrong(
        ("Документ слишком длинный для печати", "Возьмите подписанный файл или списки паспорта в CSV."),
        ("The document is too long for paper", "Take the signed file, or the lists of the passport as CSV."),
        ("В нём не больше {most} значений.", "It has at most {most} values."),
    ),
    "export_unfolded": state(
        ("Паспорта сведены другой программой", "Запустите узел один раз этой программой и повторите."),
        ("The passports were folded by another program", "Start the node once with this program and try again."),
    ),
    "passport_file_large": wrong(
        ("Паспорт слишком велик для одного файла", "Выгрузите весь узел: passport-node export --all."),
        ("The passport is too large for one file", "Export the whole node: passport-node export --all."),
        ("Файл паспорта не больше {most} МБ.", "A passport file has at most {most} MB."),
    ),
    "format_unknown": wrong(
        ("Такого вида ответа нет", "Списки отдаются как csv, xlsx и jsonl, остальное — как указано в подробностях."),
        ("There is no such form of the answer", "Lists come as csv, xlsx and jsonl, all else as the detail tells."),
        ("Можно: {formats}.", "Possible: {formats}."),
    ),
    "validation": wrong(
        ("Данные не прошли проверку", "Исправьте перечисленные значения и отправьте ещё раз."),
        ("The data breaks rules", "Correct the listed values and send it again."),
    ),
    "json": wrong(
        ("Тело запроса — не JSON", "Отправьте JSON в кодировке UTF-8."),
        ("The body is not JSON", "Send JSON in UTF-8."),
    ),
    "media_type": wrong(
        ("Неподдерживаемый тип содержимого", "Укажите тип содержимого из описания API."),
        ("Content type not supported", "Use the content type from the API description."),
        ("Ожидается {expected}.", "Expected {expected}."),
    ),
    "too_large": wrong(
        ("Запрос слишком велик", "Разделите данные на части."),
        ("The request is too large", "Split the data."),
        ("Допускается не больше {limit} байт.", "At most {limit} bytes are taken."),
    ),
    "length_required": wrong(
        ("Не указана длина запроса", "Передайте заголовок Content-Length."),
        ("The length is missing", "Send the header Content-Length."),
    ),
    "cursor": wrong(
        ("Метка страницы списка неверна", "Начните список с начала, без параметра cursor."),
        ("The cursor is broken", "Start the list again without the parameter cursor."),
    ),
    "precondition": wrong(
        ("Данные успели измениться", "Прочитайте их заново и повторите изменение."),
        ("The data has changed meanwhile", "Read it again and repeat the change."),
    ),
    "precondition_required": wrong(
        ("Нужен заголовок If-Match", "Прочитайте данные и передайте их ETag в If-Match."),
        ("The header If-Match is needed", "Read the data and send its ETag in If-Match."),
    ),
    "idempotency_key": wrong(
        ("Ключ повтора записан неверно", "Idempotency-Key — от 1 до 255 печатных знаков ASCII."),
        ("The idempotency key is malformed", "An Idempotency-Key is 1 to 255 printable ASCII characters."),
    ),
    "idempotency_mismatch": wrong(
        ("Ключ повтора уже использован для другого запроса", "Для нового запроса возьмите новый ключ."),
        ("The idempotency key was used for another request", "Take a new key for a new request."),
    ),
    "idempotency_running": state(
        (
            "Запрос с этим ключом ещё выполняется или был прерван",
            "Проверьте состояние, потом повторите или смените ключ.",
        ),
        ("The request with this key is running or was cut off", "Look at the state, then repeat or take a new key."),
    ),
    "too_many_streams": state(
        ("Открыто слишком много потоков событий", "Закройте лишние вкладки."),
        ("Too many event streams are open", "Close some tabs."),
    ),
    "node": wrong(
        ("Узел не смог это сделать", "Повторите позже."),
        ("The node could not do it", "Try again later."),
        kind=NodeError,
    ),
    "invalid": wrong(("Данные неверны", "Исправьте и повторите."), ("The data is wrong", "Correct it and try again.")),
    "not_found": unknown("Здесь такого нет", "Not known here"),
    "denied": denied(
        ("Доступа нет", "Попросите доступ у владельца данных."),
        ("Access denied", "Ask the owner of the data for access."),
    ),
    "state": state(
        ("Сейчас это сделать нельзя", "Посмотрите состояние и повторите, когда оно изменится."),
        ("It cannot be done now", "Look at the state and try again when it has changed."),
    ),
    "peer": wrong(
        ("Другой узел не ответил или ответил неверно", "Проверьте связь; узел повторит сам."),
        ("Another node did not answer, or answered badly", "Check the connection; the node tries again by itself."),
        kind=PeerError,
    ),
    "config": wrong(
        ("Ошибка настроек узла", "Исправьте config.toml."), ("Wrong settings", "Correct config.toml."), kind=ConfigError
    ),
    "folder": wrong(
        ("Ошибка папки узла", "Проверьте папку и права."),
        ("The node's folder is wrong", "Check the folder."),
        kind=FolderError,
    ),
    "keystore": wrong(
        ("Ключи узла недоступны", "Проверьте файлы ключей."),
        ("The node's keys cannot be used", "Check the key files."),
        kind=KeystoreError,
    ),
}
