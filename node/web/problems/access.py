"""Problems of people, tokens, webhooks and systems."""

from node.web.problems.text import ProblemText, denied, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "account_exists": state(
        ("Такая учётная запись уже есть", "Выберите другое имя."), ("The account is here already", "Take another name.")
    ),
    "account_unknown": unknown("Такой учётной записи нет", "There is no such account"),
    "session_unknown": unknown("Такого сеанса нет", "There is no such session"),
    "token_unknown": unknown("Такого токена нет", "There is no such token"),
    "token_days": wrong(
        ("Срок токена неверен", "Срок — от 1 до 366 дней."), ("Wrong lifetime of a token", "1 to 366 days.")
    ),
    "token_scopes": denied(
        ("Токен не может больше своего автора", "Уберите права, которых нет у вас."),
        ("A token may do no more than who issues it", "Leave out the rights that you do not have."),
    ),
    "token_limited": denied(
        ("Токен ограничен отдельными приборами", "Возьмите токен без ограничения: здесь речь не только о них."),
        ("The token is limited to some devices", "Take a token without that limit: this is about more than those."),
    ),
    "token_device": denied(
        ("Токен ограничен другими приборами", "Попросите токен, в который входит этот прибор. Свои — в GET /me."),
        ("The token is limited to other devices", "Ask for a token that has this one. GET /me tells its devices."),
        ("Этого прибора в токене нет: {id}.", "The token does not have {id}."),
    ),
    "webhook_unknown": unknown("Такого уведомления здесь нет", "There is no such webhook"),
    "delivery_unknown": unknown("Такой отправки здесь уже нет", "That delivery is not kept any more"),
    "webhook_target": wrong(
        (
            "Туда этот узел ничего не отправляет",
            "Нужен адрес https:// в открытой сети. Свои сети разрешает администратор: [webhooks] allow в config.toml.",
        ),
        (
            "This node sends nothing there",
            "Take an https:// address in the open network. Own networks: [webhooks] allow in config.toml.",
        ),
    ),
    "webhook_secret": wrong(
        ("Секрет не подходит", "Нужны whsec_ и base64 от 24 до 64 случайных байтов; без секрета узел создаст его сам."),
        ("The secret does not do", "whsec_ and the base64 of 24 to 64 random bytes; without one the node makes it."),
    ),
    "webhooks_too_many": state(
        ("Уведомлений слишком много", "Удалите ненужные: узел держит не больше {most}."),
        ("Too many webhooks", "Remove those that are not needed: this node keeps {most} at most."),
    ),
    "webhook_ended": state(
        (
            "Токен или система, чьё это уведомление, больше не действует",
            "Верните системе доступ или заведите уведомление заново с действующим токеном.",
        ),
        (
            "The token or system whose webhook this is has no access any more",
            "Let the system in again, or add the webhook anew with a token that is valid.",
        ),
    ),
    "events_ahead": state(
        (
            "Журнал узла кончается раньше",
            "Хранилище восстановлено из более ранней копии: прочтите ленту заново с after={last} или с начала.",
        ),
        ("The journal ends before that", "The store is an earlier copy: read on from after={last}, or from the start."),
        ("Последнее событие — {last}, запрошено после {after}.", "The last event is {last}; asked for after {after}."),
    ),
    "last_administrator": state(
        ("Последнего администратора удалить нельзя", "Сначала добавьте другого администратора."),
        ("The last administrator stays", "Add another administrator first."),
    ),
    "no_account": state(
        ("Это доступно только человеку с учётной записью", "Войдите под своей учётной записью."),
        ("Only a person with an account can do this", "Log in with your account."),
    ),
    "password_length": wrong(
        ("Пароль слишком короткий или слишком длинный", "Возьмите пароль от {shortest} до 256 знаков."),
        ("The password is too short or too long", "Take a password of {shortest} to 256 characters."),
    ),
    "system_unknown": unknown("Такой системы здесь нет", "No such system is here"),
    "system_exists": state(
        ("Имя системы занято", "Выберите другое имя или отзовите токен с этим именем."),
        ("The name of the system is taken", "Choose another, or revoke the token of that name."),
        ("Занято имя {system}.", "The name {system} is taken."),
    ),
    "system_named": state(
        ("Так называется зарегистрированная система", "Выпустите токен на её карточке."),
        ("A registered system has that name", "Issue a token of that system."),
        ("Система {system}.", "The system {system}."),
    ),
    "system_network_form": wrong(
        ("Это не сеть", "Напишите сеть как 10.0.0.0/8 или 2001:db8::/32."),
        ("That is no network", "Write it as 10.0.0.0/8 or 2001:db8::/32."),
        ("Прочитано «{text}».", "It reads “{text}”."),
    ),
    "system_blocked": denied(
        ("Система отключена", "Обратитесь к администратору узла."),
        ("The system is cut off", "Ask the administrator of the node."),
        ("Отключена система {system}.", "The system {system} is cut off."),
    ),
    "system_network": denied(
        ("Из этой сети системе входить нельзя", "Администратор узла может добавить сеть."),
        ("The system may not come from this network", "The administrator of the node may add the network."),
        ("Запрос пришёл с адреса {address}.", "The request came from {address}."),
    ),
    "system_rate": state(
        ("Система спрашивает слишком часто", "Подождите минуту."),
        ("The system asks too often", "Wait a minute."),
        ("Не больше {most} запросов в минуту.", "At most {most} requests a minute."),
    ),
    "system_write": denied(
        ("Системе не дано так писать", "Администратор узла может добавить это право."),
        ("The system may not write that", "The administrator of the node may add the right."),
        ("Действие {operation}.", "The operation {operation}."),
    ),
    "system_observed": denied(
        ("Системе даны только наблюдаемые параметры", "Уберите строки с паспортными параметрами."),
        ("The system may state observed parameters alone", "Leave out the rows of passport parameters."),
    ),
    "system_thing": denied(
        ("Этот прибор вне прав системы", "Администратор узла может добавить прибор или тип."),
        ("The system has no right to this thing", "The administrator of the node may add the thing or its type."),
    ),
    "system_other": denied(
        ("Система говорит только за себя", "Уберите поле system."),
        ("A system speaks for itself alone", "Leave out the field `system`."),
        ("Токен системы {system}.", "The token is of the system {system}."),
    ),
    "system_own_token": denied(
        ("Эта система входит со своим токеном", "Запишите от своего имени, без поля system."),
        ("That system has tokens of its own", "Record it in your own name, without the field `system`."),
        ("Зарегистрирована система {system}.", "The system {system} is registered."),
    ),
}
