"""The texts of problems by their stable codes, in Russian and English: what is wrong and what to do.

`detail` says this occurrence with the error's values in braces; without one, or without the values, the error's own
message stands there.
"""

from dataclasses import dataclass

from node.errors import (
    ConfigError,
    DeniedError,
    FolderError,
    InputError,
    KeystoreError,
    NodeError,
    NotFoundError,
    PeerError,
    StateError,
)


@dataclass(frozen=True, slots=True)
class Words:
    """A problem in one language."""

    title: str
    advice: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ProblemText:
    """A problem in both languages, and the class of the errors that have its code."""

    ru: Words
    en: Words
    kind: type[NodeError]

    def words(self, language: str) -> Words:
        """In `ru`, or in English for any other language."""
        return self.ru if language == "ru" else self.en


def find_text(code: str, general: str = "internal") -> ProblemText:
    """The texts of a code, or those of a more general one."""
    return PROBLEMS.get(code) or PROBLEMS.get(general) or PROBLEMS["internal"]


def _text(
    ru: tuple[str, str],
    en: tuple[str, str],
    detail: tuple[str, str] = ("", ""),
    kind: type[NodeError] = InputError,
) -> ProblemText:
    return ProblemText(Words(*ru, detail[0]), Words(*en, detail[1]), kind)


def _state(ru: tuple[str, str], en: tuple[str, str], detail: tuple[str, str] = ("", "")) -> ProblemText:
    return _text(ru, en, detail, StateError)


def _denied(ru: tuple[str, str], en: tuple[str, str], detail: tuple[str, str] = ("", "")) -> ProblemText:
    return _text(ru, en, detail, DeniedError)


def _unknown(ru: str, en: str) -> ProblemText:
    return _text((ru, "Проверьте идентификатор."), (en, "Check the identifier."), kind=NotFoundError)


PROBLEMS: dict[str, ProblemText] = {
    # Of the door itself.
    "internal": _text(
        ("Внутренняя ошибка узла", "Повторите позже. Если не помогло, передайте администратору номер происшествия."),
        ("Internal error of the node", "Try again later. If it stays, give the administrator the incident number."),
        ("Происшествие {incident} записано в журнал узла.", "Incident {incident} is in the node's log."),
        kind=NodeError,
    ),
    "unauthenticated": _denied(
        ("Нужен вход", "Войдите или передайте действующий токен в заголовке Authorization: Bearer."),
        ("Log-in needed", "Log in, or send a valid token in the header Authorization: Bearer."),
    ),
    "scope": _denied(
        ("Прав недостаточно", "Попросите администратора узла дать право или токен с этим правом."),
        ("Not enough rights", "Ask the node's administrator for the right or a token that has it."),
        ("Нужны права: {scopes}.", "Needed rights: {scopes}."),
    ),
    "unclaimed": _denied(
        ("У узла ещё нет владельца", "Откройте одноразовую ссылку, которую узел вывел в терминал при запуске."),
        ("The node has no owner yet", "Open the one-time link that the node printed in its terminal."),
    ),
    "claimed": _state(
        ("У узла уже есть владелец", "Войдите под своей учётной записью."),
        ("The node has an owner already", "Log in with your account."),
    ),
    "claim_unknown": _text(
        ("Ссылка недействительна", "Возьмите последнюю ссылку из терминала узла: каждая новая отменяет прежние."),
        ("The link is not valid", "Take the newest link from the node's terminal: each new one replaces the others."),
        kind=NotFoundError,
    ),
    "login_failed": _denied(
        ("Имя или пароль неверны", "Проверьте раскладку и повторите."),
        ("The name or the password is wrong", "Check the keyboard layout and try again."),
    ),
    "too_many_attempts": _state(
        ("Слишком много попыток входа", "Подождите и повторите."),
        ("Too many attempts to log in", "Wait and try again."),
        ("Попытки снова принимаются через {minutes} мин.", "Attempts are taken again in {minutes} minutes."),
    ),
    "csrf": _denied(
        ("Запрос пришёл с чужого сайта", "Откройте страницу узла и повторите действие на ней."),
        ("The request came from another site", "Open the node's own page and act there."),
    ),
    "route_unknown": _text(
        ("Такой страницы нет", "Проверьте адрес или начните с главной страницы."),
        ("There is no such page", "Check the address or start at the home page."),
        kind=NotFoundError,
    ),
    "method": _text(
        ("Этот метод здесь не применяется", "Список методов — в заголовке Allow."),
        ("This method does not work here", "The header Allow lists those that do."),
    ),
    "request": _text(
        ("Запрос не разобран", "Проверьте запрос."),
        ("The request could not be read", "Check the request."),
    ),
    "folder_not_empty": _text(
        ("Папка не пуста", "Назовите новую папку."),
        ("The folder is not empty", "Name a new folder."),
        kind=NodeError,
    ),
    "pdf_too_long": _text(
        ("Документ слишком длинный для печати", "Возьмите подписанный файл или списки паспорта в CSV."),
        ("The document is too long for paper", "Take the signed file, or the lists of the passport as CSV."),
        ("В нём не больше {most} значений.", "It has at most {most} values."),
    ),
    "export_unfolded": _state(
        ("Паспорта сведены другой программой", "Запустите узел один раз этой программой и повторите."),
        ("The passports were folded by another program", "Start the node once with this program and try again."),
    ),
    "passport_file_large": _text(
        ("Паспорт слишком велик для одного файла", "Выгрузите весь узел: passport-node export --all."),
        ("The passport is too large for one file", "Export the whole node: passport-node export --all."),
        ("Файл паспорта не больше {most} МБ.", "A passport file has at most {most} MB."),
    ),
    "format_unknown": _text(
        ("Такого вида ответа нет", "Списки отдаются как csv, xlsx и jsonl, остальное — как указано в подробностях."),
        ("There is no such form of the answer", "Lists come as csv, xlsx and jsonl, all else as the detail tells."),
        ("Можно: {formats}.", "Possible: {formats}."),
    ),
    "validation": _text(
        ("Данные не прошли проверку", "Исправьте перечисленные значения и отправьте ещё раз."),
        ("The data breaks rules", "Correct the listed values and send it again."),
    ),
    "json": _text(
        ("Тело запроса — не JSON", "Отправьте JSON в кодировке UTF-8."),
        ("The body is not JSON", "Send JSON in UTF-8."),
    ),
    "media_type": _text(
        ("Неподдерживаемый тип содержимого", "Укажите тип содержимого из описания API."),
        ("Content type not supported", "Use the content type from the API description."),
        ("Ожидается {expected}.", "Expected {expected}."),
    ),
    "too_large": _text(
        ("Запрос слишком велик", "Разделите данные на части."),
        ("The request is too large", "Split the data."),
        ("Допускается не больше {limit} байт.", "At most {limit} bytes are taken."),
    ),
    "length_required": _text(
        ("Не указана длина запроса", "Передайте заголовок Content-Length."),
        ("The length is missing", "Send the header Content-Length."),
    ),
    "cursor": _text(
        ("Метка страницы списка неверна", "Начните список с начала, без параметра cursor."),
        ("The cursor is broken", "Start the list again without the parameter cursor."),
    ),
    "precondition": _text(
        ("Данные успели измениться", "Прочитайте их заново и повторите изменение."),
        ("The data has changed meanwhile", "Read it again and repeat the change."),
    ),
    "precondition_required": _text(
        ("Нужен заголовок If-Match", "Прочитайте данные и передайте их ETag в If-Match."),
        ("The header If-Match is needed", "Read the data and send its ETag in If-Match."),
    ),
    "idempotency_key": _text(
        ("Ключ повтора записан неверно", "Idempotency-Key — от 1 до 255 печатных знаков ASCII."),
        ("The idempotency key is malformed", "An Idempotency-Key is 1 to 255 printable ASCII characters."),
    ),
    "idempotency_mismatch": _text(
        ("Ключ повтора уже использован для другого запроса", "Для нового запроса возьмите новый ключ."),
        ("The idempotency key was used for another request", "Take a new key for a new request."),
    ),
    "idempotency_running": _state(
        (
            "Запрос с этим ключом ещё выполняется или был прерван",
            "Проверьте состояние, потом повторите или смените ключ.",
        ),
        ("The request with this key is running or was cut off", "Look at the state, then repeat or take a new key."),
    ),
    "too_many_streams": _state(
        ("Открыто слишком много потоков событий", "Закройте лишние вкладки."),
        ("Too many event streams are open", "Close some tabs."),
    ),
    # By class, where the code is no more exact.
    "node": _text(
        ("Узел не смог это сделать", "Повторите позже."),
        ("The node could not do it", "Try again later."),
        kind=NodeError,
    ),
    "invalid": _text(("Данные неверны", "Исправьте и повторите."), ("The data is wrong", "Correct it and try again.")),
    "not_found": _unknown("Здесь такого нет", "Not known here"),
    "denied": _denied(
        ("Доступа нет", "Попросите доступ у владельца данных."),
        ("Access denied", "Ask the owner of the data for access."),
    ),
    "state": _state(
        ("Сейчас это сделать нельзя", "Посмотрите состояние и повторите, когда оно изменится."),
        ("It cannot be done now", "Look at the state and try again when it has changed."),
    ),
    "peer": _text(
        ("Другой узел не ответил или ответил неверно", "Проверьте связь; узел повторит сам."),
        ("Another node did not answer, or answered badly", "Check the connection; the node tries again by itself."),
        kind=PeerError,
    ),
    "config": _text(
        ("Ошибка настроек узла", "Исправьте config.toml."), ("Wrong settings", "Correct config.toml."), kind=ConfigError
    ),
    "folder": _text(
        ("Ошибка папки узла", "Проверьте папку и права."),
        ("The node's folder is wrong", "Check the folder."),
        kind=FolderError,
    ),
    "keystore": _text(
        ("Ключи узла недоступны", "Проверьте файлы ключей."),
        ("The node's keys cannot be used", "Check the key files."),
        kind=KeystoreError,
    ),
    # Access.
    "account_exists": _state(
        ("Такая учётная запись уже есть", "Выберите другое имя."), ("The account is here already", "Take another name.")
    ),
    "account_unknown": _unknown("Такой учётной записи нет", "There is no such account"),
    "session_unknown": _unknown("Такого сеанса нет", "There is no such session"),
    "token_unknown": _unknown("Такого токена нет", "There is no such token"),
    "token_days": _text(
        ("Срок токена неверен", "Срок — от 1 до 366 дней."), ("Wrong lifetime of a token", "1 to 366 days.")
    ),
    "token_scopes": _denied(
        ("Токен не может больше своего автора", "Уберите права, которых нет у вас."),
        ("A token may do no more than who issues it", "Leave out the rights that you do not have."),
    ),
    "token_limited": _denied(
        ("Токен ограничен отдельными приборами", "Возьмите токен без ограничения: здесь речь не только о них."),
        ("The token is limited to some devices", "Take a token without that limit: this is about more than those."),
    ),
    "token_device": _denied(
        ("Токен ограничен другими приборами", "Попросите токен, в который входит этот прибор. Свои — в GET /me."),
        ("The token is limited to other devices", "Ask for a token that has this one. GET /me tells its devices."),
        ("Этого прибора в токене нет: {id}.", "The token does not have {id}."),
    ),
    "webhook_unknown": _unknown("Такого уведомления здесь нет", "There is no such webhook"),
    "delivery_unknown": _unknown("Такой отправки здесь уже нет", "That delivery is not kept any more"),
    "webhook_target": _text(
        (
            "Туда этот узел ничего не отправляет",
            "Нужен адрес https:// в открытой сети. Свои сети разрешает администратор: [webhooks] allow в config.toml.",
        ),
        (
            "This node sends nothing there",
            "Take an https:// address in the open network. Own networks: [webhooks] allow in config.toml.",
        ),
    ),
    "webhook_secret": _text(
        ("Секрет не подходит", "Нужны whsec_ и base64 от 24 до 64 случайных байтов; без секрета узел создаст его сам."),
        ("The secret does not do", "whsec_ and the base64 of 24 to 64 random bytes; without one the node makes it."),
    ),
    "webhooks_too_many": _state(
        ("Уведомлений слишком много", "Удалите ненужные: узел держит не больше {most}."),
        ("Too many webhooks", "Remove those that are not needed: this node keeps {most} at most."),
    ),
    "webhook_ended": _state(
        (
            "Токен или система, чьё это уведомление, больше не действует",
            "Верните системе доступ или заведите уведомление заново с действующим токеном.",
        ),
        (
            "The token or system whose webhook this is has no access any more",
            "Let the system in again, or add the webhook anew with a token that is valid.",
        ),
    ),
    "events_ahead": _state(
        (
            "Журнал узла кончается раньше",
            "Хранилище восстановлено из более ранней копии: прочтите ленту заново с after={last} или с начала.",
        ),
        ("The journal ends before that", "The store is an earlier copy: read on from after={last}, or from the start."),
        ("Последнее событие — {last}, запрошено после {after}.", "The last event is {last}; asked for after {after}."),
    ),
    "last_administrator": _state(
        ("Последнего администратора удалить нельзя", "Сначала добавьте другого администратора."),
        ("The last administrator stays", "Add another administrator first."),
    ),
    "no_account": _state(
        ("Это доступно только человеку с учётной записью", "Войдите под своей учётной записью."),
        ("Only a person with an account can do this", "Log in with your account."),
    ),
    "password_length": _text(
        ("Пароль слишком короткий или слишком длинный", "Возьмите пароль от {shortest} до 256 знаков."),
        ("The password is too short or too long", "Take a password of {shortest} to 256 characters."),
    ),
    # Federation, peers and shipments.
    "federation_exists": _state(
        ("Узел уже состоит в федерации", "Вторая федерация узлу не нужна."),
        ("This node is in a federation already", "A node needs no second one."),
    ),
    "no_federation": _state(
        ("Узел не состоит в федерации", "Создайте федерацию или вступите по приглашению."),
        ("This node is in no federation", "Found one or join by invitation."),
    ),
    "other_federation": _state(
        ("Узел состоит в другой федерации", "Попросите приглашение в свою федерацию."),
        ("This node is in another federation", "Ask for an invitation to your own."),
    ),
    "not_an_anchor": _state(
        ("Это может только якорь федерации", "Обратитесь к организации-якорю."),
        ("Only an anchor of the federation may", "Ask the anchor organisation."),
    ),
    "invitation": _text(
        ("Приглашение не принято", "Попросите новое приглашение и вставьте его целиком."),
        ("The invitation was not taken", "Ask for a new one and paste all of it."),
    ),
    "join_self": _text(
        ("Это приглашение выдал сам этот узел", "Вставьте его на узле организации, которую приглашаете."),
        ("This node gave the invitation itself", "Paste it on the node of the organisation that you invite."),
    ),
    "number_wrong": _text(
        ("В номере организации ошибка", "Сверьте ИНН или ОГРН с документом: контрольные цифры не сходятся."),
        ("The number of the organisation is wrong", "Compare it with the document: its check digits disagree."),
    ),
    "organisation_unknown": _unknown("Такое название здесь не записано", "No such name is kept here"),
    "organisations_too_many": _text(
        ("Названий слишком много", "Удалите лишние названия организаций."),
        ("Too many names", "Forget names of organisations that nobody needs."),
        ("Узел хранит не больше {most} названий.", "A node keeps at most {most} names."),
    ),
    "org_unknown": _unknown("Такая организация здесь неизвестна", "The organisation is not known here"),
    "peer_unknown": _unknown("Такой узел здесь неизвестен", "The node is not known here"),
    "share_with_self": _text(
        ("Открыть доступ самому себе нельзя", "Выберите другую организацию."),
        ("A subject is shared with others", "Choose another organisation."),
    ),
    "token_overlap": _text(
        ("Неверное время перехода", "Старые токены живут ещё от 0 до 31 дня."),
        ("Wrong time of overlap", "The tokens before it live on for 0 to 31 days."),
    ),
    "system_unknown": _unknown("Такой системы здесь нет", "No such system is here"),
    "system_exists": _state(
        ("Имя системы занято", "Выберите другое имя или отзовите токен с этим именем."),
        ("The name of the system is taken", "Choose another, or revoke the token of that name."),
        ("Занято имя {system}.", "The name {system} is taken."),
    ),
    "system_named": _state(
        ("Так называется зарегистрированная система", "Выпустите токен на её карточке."),
        ("A registered system has that name", "Issue a token of that system."),
        ("Система {system}.", "The system {system}."),
    ),
    "system_network_form": _text(
        ("Это не сеть", "Напишите сеть как 10.0.0.0/8 или 2001:db8::/32."),
        ("That is no network", "Write it as 10.0.0.0/8 or 2001:db8::/32."),
        ("Прочитано «{text}».", "It reads “{text}”."),
    ),
    "system_blocked": _denied(
        ("Система отключена", "Обратитесь к администратору узла."),
        ("The system is cut off", "Ask the administrator of the node."),
        ("Отключена система {system}.", "The system {system} is cut off."),
    ),
    "system_network": _denied(
        ("Из этой сети системе входить нельзя", "Администратор узла может добавить сеть."),
        ("The system may not come from this network", "The administrator of the node may add the network."),
        ("Запрос пришёл с адреса {address}.", "The request came from {address}."),
    ),
    "system_rate": _state(
        ("Система спрашивает слишком часто", "Подождите минуту."),
        ("The system asks too often", "Wait a minute."),
        ("Не больше {most} запросов в минуту.", "At most {most} requests a minute."),
    ),
    "system_write": _denied(
        ("Системе не дано так писать", "Администратор узла может добавить это право."),
        ("The system may not write that", "The administrator of the node may add the right."),
        ("Действие {operation}.", "The operation {operation}."),
    ),
    "system_observed": _denied(
        ("Системе даны только наблюдаемые параметры", "Уберите строки с паспортными параметрами."),
        ("The system may state observed parameters alone", "Leave out the rows of passport parameters."),
    ),
    "system_thing": _denied(
        ("Этот прибор вне прав системы", "Администратор узла может добавить прибор или тип."),
        ("The system has no right to this thing", "The administrator of the node may add the thing or its type."),
    ),
    "system_other": _denied(
        ("Система говорит только за себя", "Уберите поле system."),
        ("A system speaks for itself alone", "Leave out the field `system`."),
        ("Токен системы {system}.", "The token is of the system {system}."),
    ),
    "base_taken_1c": _denied(
        ("Эта база 1С — другой системы", "Отправляйте сообщения базы с токеном её системы."),
        ("That base of 1C is another system's", "Send its messages with a token of that system."),
        ("База {base} — системы {system}.", "The base {base} is that of {system}."),
    ),
    "system_own_token": _denied(
        ("Эта система входит со своим токеном", "Запишите от своего имени, без поля system."),
        ("That system has tokens of its own", "Record it in your own name, without the field `system`."),
        ("Зарегистрирована система {system}.", "The system {system} is registered."),
    ),
    "role_not_held": _denied(
        ("Эту роль даёт не наша организация", "Смотрите в паспорте, у кого роль сейчас: передаёт её он."),
        ("The role is not ours to give", "See in the passport who holds it now: that organisation passes it on."),
        ("Прибор {id}.", "Device {id}."),
    ),
    "role_data_source": _denied(
        (
            "Наша организация здесь только источник данных",
            "Записывайте наблюдаемые параметры и показания; прочее записывают владелец, ответственный и исполнитель.",
        ),
        (
            "Our organisation is a source of data here and no more",
            "Record observed parameters and readings; the rest is for the owner, the responsible party, the executor.",
        ),
    ),
    "mandate_unknown": _unknown("Такого акта о роли здесь нет", "No such act about a role is here"),
    "mandate_to_self": _text(
        ("Себе роль не предлагают", "Выберите другую организацию."),
        ("A role is offered to others", "Choose another organisation."),
    ),
    "mandate_count": _text(
        ("Неверное число приборов в акте", "Разделите список на несколько актов."),
        ("Wrong number of things in an act", "Divide the list into several acts."),
        (
            "В одном акте от 1 до {most}, считая все номера одного прибора.",
            "1 to {most}, counting every id of a thing.",
        ),
    ),
    "mandate_grounds": _text(
        ("Слишком много разных оснований в одном акте", "Разделите приборы по тому, откуда они у вас."),
        ("Too many grounds for one act", "Divide the things by how they came to you."),
    ),
    "mandate_period": _text(
        ("Конец раньше начала", "Исправьте срок."), ("It would end before it begins", "Correct the time.")
    ),
    "mandate_document": _text(
        ("Нет документа", "Назовите договор или акт, по которому у стороны эта роль."),
        ("There is no document", "Name the contract or act by which the party has the role."),
    ),
    "mandate_has_node": _state(
        ("У этой организации есть узел", "Предложите ей роль: нужна и её подпись."),
        ("That organisation has a node", "Offer it the role: it signs too."),
        ("Номер {number}.", "Number {number}."),
    ),
    "mandate_needs_offer": _text(
        ("Эту роль не назначают", "Предложите её, или заявите по документу."),
        ("This role is not given", "Offer it, or state it by a document."),
    ),
    "mandate_not_offered": _text(("Эту роль не предлагают", "Назначьте её."), ("This role is not offered", "Give it.")),
    "mandate_offered": _state(
        ("Роль уже предложена и ждёт ответа", "Дождитесь ответа или отзовите прежнее предложение."),
        ("The role is offered already", "Wait for the answer, or take the earlier offer back."),
        ("Акт {mandate}.", "Act {mandate}."),
    ),
    "mandate_no_offer": _state(
        ("Этот акт — не предложение", "На него не отвечают; роль можно прекратить."),
        ("That act is no offer", "It is not answered; the role may be ended."),
    ),
    "mandate_not_ours": _denied(
        ("Отвечает другая организация", "Ответить может та, кому предложено, отозвать — та, кто предложил."),
        ("Another organisation answers", "The one that is named answers, the one that offered takes back."),
    ),
    "mandate_answered": _state(
        ("Предложение больше не ждёт ответа", "Если роль ещё нужна, предложите её заново."),
        ("The offer waits no longer", "Offer the role anew if it is still wanted."),
    ),
    "mandate_not_standing": _state(
        ("Прекращать нечего: акт не действует", "Посмотрите историю роли в паспорте."),
        ("There is nothing to end: the act does not stand", "See the history of the role in the passport."),
    ),
    "mandate_title": _text(
        ("Право собственности не прекращают", "Передайте его: предложением или по документу."),
        ("A title does not end", "Pass it on: by an offer, or by a document."),
    ),
    "mandate_things": _text(
        ("В этом акте таких приборов нет", "Проверьте номера."),
        ("The act names none of these things", "Check the ids."),
        kind=NotFoundError,
    ),
    "ship_to_self": _text(
        ("Отгрузить самому себе нельзя", "Выберите другую организацию."),
        ("A shipment goes to others", "Choose another organisation."),
    ),
    "ship_count": _text(
        ("Неверное число приборов в отгрузке", "Проверьте состав отгрузки."),
        ("Wrong number of meters in a shipment", "Check what the shipment holds."),
    ),
    "shipment_unknown": _unknown("Такой отгрузки нет", "There is no such shipment"),
    "not_the_buyer": _denied(
        ("Принять отгрузку может только получатель", "Проверьте, кому она отправлена."),
        ("Only the buyer accepts a shipment", "Check to whom it was offered."),
    ),
    # Subjects, search and jobs.
    "passport_unknown": _unknown("Такого паспорта здесь нет", "There is no such passport here"),
    "passport_withdrawn": _text(
        (
            "Паспорта больше нет: сказанное отозвано",
            "История осталась в журнале. Ошибка? Зарегистрируйте прибор заново.",
        ),
        ("No passport any more: it was taken back", "Its journal stays. Was that a mistake? Register the device anew."),
        ("Отозвано {day}: {reason}", "Taken back on {day}: {reason}"),
        kind=NotFoundError,
    ),
    "query_empty": _text(
        ("Пустой запрос", "Введите номер, идентификатор или DevEUI."),
        ("The query is empty", "Type a serial, an id or a DevEUI."),
    ),
    "job_unknown": _unknown("Такого задания нет", "There is no such job"),
    "moment": _text(
        ("Это не дата и время", "Запишите как 2026-01-31 или 2026-01-31T12:00:00Z."),
        ("This is no date and time", "Write it as 2026-01-31 or 2026-01-31T12:00:00Z."),
    ),
    "moment_future": _text(
        ("Это время ещё не наступило", "Записывают то, что уже было: проверьте год и число."),
        ("This moment has not come yet", "What is recorded has happened: check the year and the day."),
    ),
    "id_mistyped": _text(
        ("Идентификатор прибора записан с ошибкой", "Проверьте знаки: последние два — контрольные."),
        ("The device id is mistyped", "Check its characters: the last ones are a check."),
    ),
    "eui_mistyped": _text(
        ("DevEUI записан с ошибкой", "В DevEUI 16 знаков 0-9 и A-F: проверьте, не пропущен ли знак и нет ли лишнего."),
        ("The DevEUI is mistyped", "A DevEUI has 16 characters 0-9 and A-F: check whether one is missing or too many."),
    ),
    "not_signable": _text(
        ("Этого нельзя подписать", "Уберите лишние знаки из текстов или сократите их: причина — в подробностях."),
        ("This cannot be signed", "Take odd characters out of the texts, or shorten them: the detail tells why."),
    ),
    "plate_unread": _text(
        ("Надпись на шильдике не разобрана", "Введите обозначение и заводской номер отдельно."),
        ("The plate could not be read", "Type the designation and the serial apart."),
    ),
    "plate_mute": _text(
        ("На табличке нет ни буквы, ни цифры", "Введите обозначение и заводской номер, как они напечатаны."),
        ("The plate has no letter and no digit", "Type the designation and the serial as they are printed."),
        ("Прочитано: «{text}» ({field}).", "It reads «{text}» ({field})."),
    ),
    "plate_year_future": _text(
        ("Год изготовления ещё не наступил", "Проверьте год на табличке."),
        ("The year of make has not come", "Check the year on the plate."),
        ("На табличке прочитан год {year}.", "The plate was read as of {year}."),
    ),
    "part_same": _text(
        ("Снята и установлена одна и та же деталь", "Проверьте заводские номера: их два."),
        ("One part came out and went in again", "Check the serials: there are two of them."),
    ),
    "event_before_production": _text(
        ("Событие раньше изготовления прибора", "Проверьте дату события."),
        ("The event is earlier than the device's manufacture", "Check the date of the event."),
        ("Прибор изготовлен {made}.", "The device was made on {made}."),
    ),
    "production_after_events": _text(
        ("Изготовление позже других событий прибора", "Проверьте дату изготовления и даты событий."),
        ("The manufacture is later than other events of the device", "Check its date and those of the events."),
        ("Событие «{what}» было уже {on}.", "{what} was on {on} already."),
    ),
    "verification_before_production": _text(
        ("Поверка кончилась раньше изготовления прибора", "Проверьте срок поверки и дату изготовления."),
        ("The verification ends before the device was made", "Check its term and the date of manufacture."),
        ("Прибор изготовлен {made}.", "The device was made on {made}."),
    ),
    "correction_nothing": _text(
        ("Исправлять нечего", "Такое значение в паспорте ещё никто не заявил: запишите его как новое."),
        ("There is nothing to correct", "Nobody stated that value in this passport: record it as a new one."),
        kind=NotFoundError,
    ),
    "correction_value": _text(
        ("Такого значения не бывает", "Проверьте, что написано на табличке."),
        ("There is no such value", "Compare with what stands on the plate."),
        ("Поле {fact} записано не по правилу.", "The field {fact} breaks its rule."),
    ),
    "correction_same": _text(
        ("Значение уже такое", "Исправление должно отличаться от того, что есть."),
        ("That is the value already", "A correction differs from what stands."),
    ),
    "correction_replaced": _state(
        ("Это событие уже исправлено", "Исправляйте то, что стоит вместо него."),
        ("This event was corrected already", "Correct the one that stands in its place."),
        ("Вместо него стоит {ref}.", "In its place stands {ref}."),
    ),
    "event_told_otherwise": _state(
        ("Под этим номером система сообщила о другом", "Пришлите событие под своим номером или исправьте прежнее."),
        ("The system told another event under this id", "Send it under its own id, or correct the earlier one."),
        ("Событие {external} системы {system} — {ref}.", "Event {external} of {system} is {ref}."),
    ),
    "correction_unit": _text(
        ("Неясно, в какой единице значение", "Назовите единицу: без неё то же число значило бы другое."),
        ("In which unit the value is, is not clear", "Name the unit: without it the number would mean another value."),
        ("Параметр {fact} заявлен в единицах: {units}.", "The parameter {fact} is stated in {units}."),
    ),
    "correction_document": _text(
        ("Нет документа", "Спор закрывают документом: укажите акт, запись реестра, заключение или решение."),
        ("The document is missing", "A dispute is closed by a paper: name the act, record, expertise or ruling."),
    ),
    "correction_ground": _text(
        ("Такого документа в паспорте нет", "Назовите запись этого паспорта либо номер бумаги словами."),
        ("There is no such document in this passport", "Name a statement of this passport, or a paper in words."),
        ("{document} не относится к этому прибору.", "{document} is not about this device."),
    ),
    "correction_unknown": _text(
        ("Такого исправления нет", "Исправления перечислены в паспорте среди записей."),
        ("There is no such correction", "The passport lists corrections among its statements."),
        kind=NotFoundError,
    ),
    "correction_own": _text(
        ("Это ваше исправление", "Подтвердить его должна другая сторона: владелец или лаборатория."),
        ("This correction is your own", "Another party agrees with it: the owner or a lab."),
    ),
    "composition_cycle": _state(
        ("Изделие оказалось бы в своей же детали", "Проверьте, что во что входит."),
        ("The whole would stand in its own part", "Check what stands in what."),
        ("{part} уже содержит это изделие: {path}.", "{part} holds this whole already: {path}."),
    ),
    "composition_two_parents": _state(
        ("Деталь уже стоит в другом изделии", "Сначала запишите снятие, либо выберите более поздний момент."),
        ("The part stands in another whole", "Record its removal first, or choose a later moment."),
        ("{part} стоит в {whole} ({title}) с {since}.", "{part} stands in {whole} ({title}) since {since}."),
    ),
    "composition_there": _state(
        ("Деталь уже стоит здесь", "Повторно записывать её не нужно."),
        ("The part stands here already", "There is nothing to record."),
        ("{part} уже стоит в {whole} ({title}).", "{part} stands in {whole} ({title}) already."),
    ),
    "composition_twice": _text(
        ("Одна деталь названа дважды", "Оставьте её в списке один раз."),
        ("One part is named twice", "Leave it once in the list."),
    ),
    "composition_absent": _text(
        ("Такой детали в изделии нет", "Посмотрите состав на нужную дату."),
        ("No such part stands in this whole", "Look at what stands inside on that date."),
        kind=NotFoundError,
    ),
    "part_unnamed": _text(
        ("Деталь не названа", "Укажите id детали, либо обозначение или номер с неё."),
        ("The part is not named", "Give its id, or the designation or serial printed on it."),
    ),
    "part_several": _text(
        ("Под этим номером известно несколько изделий", "Укажите id нужного: он есть в паспорте и в QR-коде."),
        ("Several things are known by this", "Give the id of the one that is meant: its passport and QR code have it."),
        ("Подходят: {titles}.", "These fit: {titles}."),
    ),
    "plate_elsewhere": _state(
        (
            "Прибор с такой табличкой уже стоит в другом месте",
            "Переехал — запишите демонтаж или заявите табличку без места; другой прибор — зарегистрируйте двойника.",
        ),
        (
            "A device with this plate is known to stand elsewhere",
            "If it moved, record its removal or state the plate without a place; else register it as a twin.",
        ),
        ("Прибор {id} стоит: {place}.", "The device {id} stands at {place}."),
    ),
    "sameness_self": _text(
        ("Это уже один паспорт", "Назовите два разных паспорта."),
        ("This is one passport already", "Name two different passports."),
    ),
    "sameness_unknown": _text(
        (
            "Такого заявления нет",
            "Отозвать можно только то, что заявила ваша организация: список есть в паспорте.",
        ),
        ("There is no such word", "Only what your organisation said can be taken back: the passport lists it."),
        kind=NotFoundError,
    ),
    "twin_moves_unknown": _text(
        ("Запись не об этом приборе", "Перечислите записи этого паспорта: они показаны в нём."),
        ("That statement is not about this device", "Name statements of this passport: it shows them."),
    ),
    "twin_no_plate": _text(
        ("Выделить двойника нельзя", "Двойник возможен у прибора, чью табличку кто-нибудь заявил."),
        ("No twin can be told apart", "There are twins only of a device whose plate somebody stated."),
    ),
    "line_refused": _text(
        ("Серия номеров не принята", "Исправьте описание серии."),
        ("The serial line was not taken", "Correct the description of the line."),
    ),
    # Catalogs and imports.
    "catalog_unknown": _text(
        ("Такого справочника нет", "Выберите справочник из списка."),
        ("There is no such catalog", "Choose one of the list."),
    ),
    "code_unknown": _text(
        ("В справочнике нет такого кода", "Выберите код из справочника."),
        ("The catalog has no such code", "Choose a code of the catalog."),
    ),
    "catalog_rule": _text(
        ("Запись не проходит по справочнику", "Исправьте названные поля и отправьте ещё раз: ничего не записано."),
        ("The record breaks a catalog", "Correct the named fields and send it again: nothing was recorded."),
        (
            "{pointer}: «{value}» — правило {rule}. Нарушений всего: {count}.",
            "{pointer}: «{value}» breaks the rule {rule}. Broken rules in all: {count}.",
        ),
    ),
    "catalog_refused": _text(
        ("Записи не проходят по правилам справочника", "Исправьте названные поля: ничего не подписано."),
        ("Records break the rules of the catalog", "Correct the named fields: nothing was signed."),
        (
            "{pointer}: «{value}» — правило {rule}. Нарушений всего: {count}.",
            "{pointer}: «{value}» breaks the rule {rule}. Broken rules in all: {count}.",
        ),
    ),
    "codes_refused": _text(
        ("Свои коды не приняты", "Исправьте названные строки и загрузите ещё раз: не взято ничего."),
        ("The own codes were not taken", "Correct the named rows and load them again: nothing was taken."),
        (
            "{pointer}: «{value}» — правило {rule}. Нарушений всего: {count}.",
            "{pointer}: «{value}» breaks the rule {rule}. Broken rules in all: {count}.",
        ),
    ),
    "mapping_empty": _text(
        ("Ничего не отмечено", "Отметьте подсказки или впишите центральный код."),
        ("Nothing is checked", "Check suggestions, or type a central code."),
    ),
    "mapping_twice": _text(
        ("Для одного своего кода отмечено два центральных", "Оставьте одну отметку."),
        ("Two central codes are checked for one own code", "Leave one of them checked."),
        ("Код {local}.", "Code {local}."),
    ),
    "codes_too_many": _text(
        ("Строк слишком много", "Отправьте частями."),
        ("There are too many rows", "Send them in parts."),
    ),
    "own_code_unknown": _unknown("О таком своём коде ничего не сказано", "Nothing was said of such an own code"),
    "saying_unknown": _text(
        ("Такого своего заявления нет", "Выберите заявление из списка связей."),
        ("There is no such own statement", "Choose one of the list of mappings."),
        kind=NotFoundError,
    ),
    "saying_replaced": _state(
        ("Код с тех пор связали заново", "Отмените более новую связь или измените её."),
        ("The code was bound anew since", "Undo the newer mapping, or change it."),
        ("Код {local}.", "Code {local}."),
    ),
    "not_a_steward": _denied(
        ("Организация не ведёт этот справочник", "Попросите якорь федерации подтвердить это право."),
        ("This organisation does not keep the catalog", "Ask an anchor of the federation to attest it."),
        ("Справочник {catalog}.", "Catalog {catalog}."),
    ),
    "release_number_taken": _state(
        ("Выпуск с таким номером уже есть", "Возьмите больший номер."),
        ("There is a release of that number already", "Take a greater number."),
        ("Последний выпуск — {newest}.", "The newest release is {newest}."),
    ),
    "release_refused": _text(
        ("Выпуск не подписан", "Исправьте названное и повторите."),
        ("The release was not signed", "Correct what is named and try again."),
    ),
    "release_unknown": _unknown("Такого выпуска здесь нет", "There is no such release here"),
    "release_arriving": _state(
        ("Выпуск ещё не пришёл целиком", "Подождите: остальное придёт обменом."),
        ("The release is not here whole yet", "Wait: the rest comes by exchange."),
    ),
    "release_contested": _state(
        ("Под одним номером подписаны разные выпуски", "Спросите, кто ведёт справочник: не действует ни один."),
        ("Two releases were signed under one number", "Ask the stewards: neither of them counts."),
    ),
    "type_unknown": _unknown("Такого типа нет", "There is no such type"),
    "type_refused": _text(
        ("Запись типа не принята", "Исправьте названное поле."),
        ("The record of the type was refused", "Correct the named field."),
    ),
    "type_taken": _state(
        ("Тип с этим кодом публикует другая организация", "Возьмите другой код."),
        ("Another organisation publishes a type of this code", "Take another code."),
    ),
    "type_version_taken": _state(
        ("Такая версия типа уже опубликована", "Версия не меняется: назовите новую."),
        ("That version of the type is published already", "A version never changes: name a new one."),
        ("Версия {version}.", "Version {version}."),
    ),
    "import_unreadable": _text(
        ("Файл не читается", "Сохраните его как XLSX или CSV и отправьте ещё раз."),
        ("The file cannot be read", "Save it as XLSX or CSV and send it again."),
        ("{ru}", ""),
    ),
    "supplier_unknown": _text(
        (
            "Столбцы этого поставщика не сохранены",
            "Укажите столбцы один раз вместе с его именем: со следующей таблицы хватит имени.",
        ),
        (
            "No columns are kept for this supplier",
            "Name the columns once together with the supplier: from the next table on the name is enough.",
        ),
        kind=NotFoundError,
    ),
    "check_unreadable": _text(
        (
            "Таблица не читается",
            "Сохраните её как XLSX или CSV. Если не найден столбец с заводскими номерами, укажите его.",
        ),
        (
            "The table cannot be read",
            "Save it as XLSX or CSV. If no column of serial numbers was found, say which it is.",
        ),
        ("{ru}", ""),
    ),
    "check_unknown": _text(
        ("Такой проверки здесь нет", "Проверки хранятся час и только в памяти узла: отправьте файл ещё раз."),
        ("There is no such check here", "Checks are kept for an hour, in memory only: send the file again."),
        kind=NotFoundError,
    ),
    "report_empty": _text(
        ("В отчёте нет строк", "Все строки приняты: исправлять нечего."),
        ("The report has no rows", "Every row was taken: there is nothing to correct."),
    ),
    "undo_unsupported": _text(
        ("Это задание не отменяется", "Отменяются импорты таблиц приборов и файлов производства."),
        ("This job is not undone", "Imports of fleet tables and production files are."),
    ),
    "undo_running": _state(
        ("Импорт или его отмена ещё идёт", "Дождитесь конца и повторите."),
        ("The import, or an undo of it, is not through", "Wait for its end and try again."),
    ),
    "undo_untraced": _state(
        ("Узел не помнит, что сказал этот импорт", "Он сделан прежней версией: исправьте паспорта по одному."),
        (
            "The node did not note what this import said",
            "It is of an earlier version: correct the passports one by one.",
        ),
    ),
    "undo_nothing": _state(
        ("Отменять нечего", "Всё, что сказал этот импорт, уже отозвано, или он не сказал ничего."),
        ("Nothing is left to undo", "All that this import said was taken back already, or it said nothing."),
    ),
    "shipped_already": _state(
        ("Приборы уже стоят в другой отгрузке", "Уберите их из этой отгрузки."),
        ("Devices stand in another shipment already", "Leave them out of this one."),
    ),
    # Templates and keys.
    "template_unknown": _unknown("Такого шаблона здесь нет", "There is no such template here"),
    "template_refused": _text(
        ("Шаблон не принят", "Исправьте шаблон: причина — в подробностях."),
        ("The template was refused", "Correct it: the detail tells why."),
    ),
    "template_version_taken": _state(
        ("Эта версия шаблона уже опубликована с другим содержанием", "Увеличьте номер версии."),
        ("This version of the template is published with other content", "Raise the version."),
    ),
    "key_refused": _denied(
        ("В ключе прибора отказано", "Ключ выдаётся только получателю отгрузки."),
        ("The device's key was refused", "It is given to the receiver of a shipment only."),
    ),
    # Protocols, bench files and the register's file.
    "document_unreadable": _text(
        ("Документ не читается", "Отправьте JSON по шаблону, дробные числа — строками."),
        ("The document cannot be read", "Send JSON by the template, with decimals as text."),
    ),
    "document_refused": _text(
        ("Документ нарушает правила шаблона", "Исправьте перечисленные значения и отправьте ещё раз."),
        ("The document breaks rules of its template", "Correct the listed values and send it again."),
    ),
    "document_too_large": _text(
        ("Документ слишком велик для подписи", "Сократите его или вынесите вложения."),
        ("The document is too large to be signed", "Shorten it or leave attachments out."),
    ),
    "protocol_unknown": _unknown("Такого протокола здесь нет", "There is no such protocol here"),
    "protocol_unreadable": _text(
        ("Подписанный протокол не читается", "Попросите автора записать его заново."),
        ("A signed protocol cannot be read", "Ask its author to record it again."),
    ),
    "template_missing": _state(
        ("Шаблона этого акта здесь нет или он не работает", "Запросите шаблон у узлов на странице протокола."),
        ("The template of this act is not here or does not run", "Ask the peers for it on the protocol's page."),
    ),
    "protocol_not_own": _state(
        ("Исправить можно только свой действующий протокол", "Попросите автора исправить его."),
        ("Only an own protocol that stands can be corrected", "Ask its author to correct it."),
    ),
    "act_one_party": _state(
        ("У этого протокола одна сторона, и она подписала", "Подписывать больше некому."),
        ("This protocol has one party, and it has signed", "Nobody else has to sign it."),
    ),
    "act_replaced": _state(
        ("Автор заменил этот документ другим", "Откройте новый документ и подпишите его."),
        ("Its author replaced this document", "Open the new one and sign that."),
        ("Вместо него стоит {ref}.", "In its place stands {ref}."),
    ),
    "act_annulled": _state(
        ("Автор аннулировал этот документ", "Попросите автора составить новый."),
        ("Its author annulled this document", "Ask its author for a new one."),
        ("Причина: {reason}.", "The reason: {reason}."),
    ),
    "act_closed": _denied(
        ("Сам документ вашей организации не открыт", "Попросите автора открыть паспорт прибора."),
        ("The document itself is not open to your organisation", "Ask its author to share the passport."),
    ),
    "act_not_party": _denied(
        ("Ваша организация — не сторона этого акта", "Подписать или объяснить может сторона, названная в документе."),
        ("Your organisation is no party of this act", "A party that the document names signs it or gives the reason."),
    ),
    "act_role": _text(
        ("Подпись этой стороны не ждут", "Выберите сторону, подписи которой нет."),
        ("The signature of this party is not waited for", "Choose a party whose signature is lacking."),
    ),
    "act_objection": _text(
        ("Возражает сама сторона, а не другая за неё", "Укажите причину: отказ, отсутствие, нет ответа или узла."),
        ("A party objects itself, nobody does for it", "Give a reason: refused, absent, no answer or no node."),
    ),
    "attachment_unknown": _unknown("Такого файла у протокола нет", "The protocol has no such file"),
    "attachment_closed": _denied(
        ("Файл вашей организации не открыт", "Попросите автора открыть его."),
        ("The file is not open to your organisation", "Ask its author to share it."),
    ),
    "attachment_large": _text(
        ("Файл слишком велик или пуст", "Один файл — до 20 МБ, все вместе — до 40 МБ. Уменьшите снимок."),
        ("The file is too large or empty", "One file has at most 20 MB, all together 40 MB. Make the picture smaller."),
    ),
    "attachment_refused": _text(
        ("Такой файл приложить нельзя", "Приложите снимок JPEG, PNG или WebP, файл PDF, XML, CSV или TXT."),
        ("Such a file cannot be attached", "Attach a picture (JPEG, PNG, WebP), a PDF, XML, CSV or TXT."),
    ),
    "attachments_many": _text(
        ("Файлов больше, чем можно приложить", "Соедините снимки в один PDF."),
        ("More files than can be attached", "Put the pictures into one PDF."),
        ("Можно не больше {most}.", "At most {most} are taken."),
    ),
    "attachment_wrong": _text(
        ("Байты файла не те, что подписаны", "Сообщите автору протокола."),
        ("The bytes of the file are not those that were signed", "Tell the author of the protocol."),
    ),
    "attachment_away": _text(
        ("Файл сейчас взять неоткуда", "Повторите, когда узел автора будет на связи."),
        ("Nobody gives the file now", "Try again when the author's node can be reached."),
        kind=PeerError,
    ),
    "form_unknown": _unknown("Такого черновика здесь нет", "There is no such draft here"),
    "form_changed": _state(
        (
            "Черновик тем временем изменён в другом окне",
            "Ниже то, что набрано в этом окне: проверьте и сохраните ещё раз, тогда останется оно.",
        ),
        (
            "The draft was changed in another window meanwhile",
            "Below is what was typed in this one: look at it and keep it again, and it stays.",
        ),
    ),
    "form_of_step": _state(
        ("Черновик протокола подписывается вместе с шагом", "Выполните шаг: протокол подпишется с ним."),
        ("The draft is signed together with its step", "Do the step: the protocol is signed with it."),
        ("Шаг {step} процесса {run}.", "Step {step} of the process {run}."),
    ),
    "forms_many": _state(
        ("Слишком много черновиков", "Подпишите или удалите старые."),
        ("Too many drafts", "Sign or drop old ones."),
        ("Можно не больше {most}.", "At most {most} are kept."),
    ),
    "bench_no_template": _text(
        ("Нет шаблона проливной установки", "Сначала опубликуйте шаблон, потом отправьте файл."),
        ("There is no template of a flow bench", "Publish one before the first bench file."),
    ),
    "arshin_empty": _text(
        ("Нет подписанных поверок для выгрузки", "Сначала подпишите протоколы поверки."),
        ("There is no signed verification to export", "Sign verification protocols first."),
    ),
    "arshin_refused": _text(
        ("Файл для ФГИС «Аршин» не составлен", "Исправьте этот протокол из паспорта прибора и составьте файл снова."),
        (
            "The file for the Arshin register was not made",
            "Correct that protocol from its passport, and make it again.",
        ),
        ("{ru}", ""),
    ),
    # Processes.
    "procedure_refused": _text(
        ("Регламент не принят", "Исправьте указанное место."),
        ("The procedure is refused", "Correct the named place."),
        ("{reason}", "{reason}"),
    ),
    "procedure_version_taken": _state(
        ("Эта версия регламента уже опубликована с другим содержанием", "Увеличьте номер версии."),
        ("This version is published with other content", "Raise the version."),
        ("Регламент {procedure}, версия {version}.", "Procedure {procedure}, version {version}."),
    ),
    "procedure_unknown": _unknown("Такого регламента здесь нет", "There is no such procedure here"),
    "procedure_not_accepted": _state(
        ("Регламент не принят участником", "Попросите организацию принять регламент или поручите шаг другой."),
        ("The procedure is not accepted", "Ask the organisation to accept it, or choose another one."),
        ("{procedure} {version}: {org}", "{procedure} {version}: {org}"),
    ),
    "run_count": _text(
        ("Столько процессов сразу не открывается", "Откройте их частями, до 500."),
        ("So many processes are not opened at once", "Open them in parts of at most 500."),
    ),
    "run_role_unknown": _text(
        ("Такой роли в регламенте нет", "Роли регламента: {roles}."),
        ("The procedure has no such role", "Its roles: {roles}."),
        ("Роль {role}.", "Role {role}."),
    ),
    "run_kind": _text(
        ("Регламент не для таких предметов", "Выберите предмет одного из видов: {kinds}."),
        ("The procedure is not of such things", "Choose one of: {kinds}."),
        ("Вид предмета: {kind}.", "Its kind: {kind}."),
    ),
    "run_open_already": _state(
        ("Такой процесс об этом предмете уже идёт", "Продолжите его или закройте."),
        ("Such a process of this thing runs already", "Go on with it, or close it."),
        ("Паспорт {id}, процесс {run}.", "Passport {id}, process {run}."),
    ),
    "run_unknown": _unknown("Такого процесса здесь нет", "There is no such process here"),
    "run_unread": _state(
        ("Регламент этого процесса сюда не пришёл", "Дождитесь обмена с узлом издателя."),
        ("The procedure of this process is not here", "Wait for the exchange with its publisher."),
    ),
    "run_over": _state(
        ("Процесс не ждёт этого действия", "Посмотрите, на чём он остановился."),
        ("The process does not wait for that", "Look where it stands."),
        ("Состояние процесса: {state}.", "State of the process: {state}."),
    ),
    "run_step_order": _state(
        ("Сейчас очередь другого шага", "Сначала выполните шаг {expected}."),
        ("It is another step's turn", "Do the step {expected} first."),
        ("Шаг {step}, а очередь шага {expected}.", "Step {step}, while it is the turn of {expected}."),
    ),
    "run_no_mandate": _text(
        ("Шаг поручен другой организации", "Владелец процесса может поручить его вам."),
        ("The step is another organisation's", "The owner of the process can give it to you."),
        ("Шаг {step}, роль {role}.", "Step {step}, role {role}."),
        DeniedError,
    ),
    "run_owner_only": _text(
        ("Это делает только владелец процесса", "Обратитесь к владельцу процесса."),
        ("Only the owner of the process does that", "Ask the owner."),
        kind=DeniedError,
    ),
    "run_owner_declines": _state(
        ("Владелец не отказывается от своего процесса", "Отмените процесс с указанием причины."),
        ("The owner does not decline his own process", "Cancel it with a reason."),
    ),
    "run_reason": _text(
        ("Не указана причина отмены", "Напишите, почему процесс отменяется."),
        ("The reason is missing", "Write why the process is cancelled."),
    ),
    "run_protocol_needed": _text(
        ("Шаг требует протокола", "Заполните документ по шаблону {template}."),
        ("The step demands a protocol", "Fill in a document of the template {template}."),
        ("Шаг {step}.", "Step {step}."),
    ),
    "run_protocol_unasked": _text(
        ("Шаг не требует протокола", "Подпишите документ отдельно от шага."),
        ("The step takes no protocol", "Sign the document apart from the step."),
        ("Шаг {step}.", "Step {step}."),
    ),
    "run_protocol_other": _text(
        ("Протокол другого вида", "Нужен документ по шаблону {template}."),
        ("The protocol is of another kind", "A document of the template {template} is needed."),
        ("Шаг {step}: получен {got}.", "Step {step}: got {got}."),
    ),
    "run_protocol_unchecked": _state(
        ("Протокол здесь проверен не полностью", "Обновите узел: ему неизвестны правила шаблона."),
        ("The protocol is not fully checked here", "Update the node: it does not know rules of the template."),
        ("Правила: {rules}.", "Rules: {rules}."),
    ),
    "run_protocol_device": _text(
        ("Протокол о другом приборе", "Проверьте прибор в документе."),
        ("The protocol is of another device", "Check the device in the document."),
        ("В протоколе {device}, в процессе {expected}.", "The protocol names {device}, the process {expected}."),
    ),
    "run_document": _text(
        ("Документ и шаблон указываются вместе", "Укажите и документ, и ссылку на его шаблон."),
        ("A document comes with its template", "Give both the document and the reference of its template."),
    ),
    "run_outcome": _text(
        ("Исход шага не указан или не из списка", "Возможные исходы: {outcomes}."),
        ("The outcome is missing or none of the step's", "Its outcomes: {outcomes}."),
        ("Шаг {step}.", "Step {step}."),
    ),
    "run_outcome_differs": _text(
        ("Исход шага расходится с протоколом", "Исход следует из протокола; возможные: {outcomes}."),
        ("The outcome differs from the protocol", "It follows from the protocol; possible: {outcomes}."),
        ("Шаг {step}.", "Step {step}."),
    ),
    "run_need_verified": _state(
        ("Нет действующей поверки", "Сначала поверьте прибор."),
        ("No verification is in force", "Have the device verified first."),
        ("Шаг {step}, поверка до: {until}.", "Step {step}, verified until: {until}."),
    ),
    "run_need_mounted": _state(
        ("Прибор уже установлен", "Сначала оформите его снятие."),
        ("The device is installed already", "Record its removal first."),
        ("Шаг {step}.", "Step {step}."),
    ),
    "run_parts_unasked": _text(
        ("Шаг не меняет состава прибора", "Запишите детали отдельно от шага."),
        ("The step does not alter the composition", "Record the parts apart from the step."),
        ("Шаг {step}.", "Step {step}."),
    ),
    "line_no_process": _state(
        ("Этот прибор здесь не в работе", "Откройте для него процесс, или ремонт, если прибор вернулся."),
        ("This device is not in work here", "Open a process for it, or a repair where the device came back."),
        ("{title}.", "{title}."),
    ),
    "line_other_step": _state(
        ("Прибор на другом шаге", "Передайте его туда, где этот шаг выполняют."),
        ("The device is at another step", "Pass it on to where that step is done."),
        ("{title}: {step}.", "{title}: {step}."),
    ),
    "line_not_ours": _state(
        ("Этот шаг ждёт другую организацию", "Шаг выполняет тот, кому он поручен."),
        ("This step waits for another organisation", "Whoever has the role does the step."),
        ("{title}.", "{title}."),
    ),
    "scan_unknown": _text(
        ("Здесь нет ничего с таким номером", "Отсканируйте ещё раз или заведите паспорт прибора."),
        ("Nothing here has that number", "Scan it once more, or register the device."),
        ("Прочитано: {text}.", "Read: {text}."),
        NotFoundError,
    ),
    "part_quantity": _text(
        ("Количество не число", "Введите число больше нуля, до шести знаков после запятой."),
        ("That is no quantity", "Enter a number above nothing, up to six digits after the point."),
        ("Введено: {quantity}.", "Entered: {quantity}."),
    ),
    "kit_designation": _text(
        ("Этой детали нет в комплекте", "Верните её на место и возьмите деталь из комплекта: {expected}."),
        ("That part is not of this kit", "Put it back and take one of the kit: {expected}."),
        ("Отсканировано: {designation}.", "Scanned: {designation}."),
    ),
    "kit_position": _text(
        ("Такого места в комплекте нет", "Есть места: {positions}."),
        ("The kit has no such position", "There are: {positions}."),
        ("{designation}, место {position}.", "{designation}, position {position}."),
    ),
    "kit_too_many": _text(
        ("Эта деталь уже установлена", "На место {position} идёт {quantity}. Лишнюю верните."),
        ("That part is there already", "Position {position} takes {quantity}. Put the other one back."),
        ("{designation}, место {position}.", "{designation}, position {position}."),
    ),
    "kit_missing": _text(
        ("Комплект неполный", "Отсканируйте недостающее: {missing}."),
        ("The kit is not complete", "Scan what is missing: {missing}."),
        ("Не хватает: {missing}.", "Missing: {missing}."),
    ),
    "run_parts_needed": _text(
        ("Не указаны детали", "Отсканируйте детали комплекта."),
        ("No parts are named", "Scan the parts of the kit."),
        ("Шаг {step}.", "Step {step}."),
    ),
    "run_detail_needed": _text(
        ("Не заполнено то, о чём спрашивает шаг", "Заполните: {missing}."),
        ("Something that the step asks is missing", "Fill in: {missing}."),
        ("Шаг {step}.", "Step {step}."),
    ),
    "device_unfit": _state(
        ("Прибор признан непригодным", "Отправьте его в ремонт или замените."),
        ("The device was found unfit", "Have it repaired, or take another one."),
        ("Признан непригодным {on}.", "Found unfit on {on}."),
    ),
    "arshin_file_unknown": _unknown("Такого файла «Аршин» здесь нет", "There is no such Arshin file here"),
    "result_unknown": _unknown("Такого результата поверки здесь нет", "There is no such result of verification here"),
    "result_stands": _state(
        ("Результат в силе или не выгружался", "Аннулируйте его здесь, прежде чем отметить аннулирование в реестре."),
        ("The result stands, or went into no file", "Annul it here before you note that the register did."),
    ),
    "annul_foreign": _state(
        ("Этот результат подписала другая организация", "Попросите её аннулировать свой результат."),
        ("Another organisation signed this result", "Ask it to annul its own."),
    ),
    "annulled_already": _state(
        ("Результат уже аннулирован", "Проведите поверку заново и подпишите новый протокол."),
        ("The result is annulled already", "Verify the device anew and sign a new protocol."),
    ),
    "annul_nothing": _state(
        ("Этот протокол — не результат поверки", "Аннулируют только результаты поверки."),
        ("This protocol is no result of a verification", "Only results of verification are annulled."),
    ),
    "register_off": _state(
        ("Чтение реестра поверок выключено", "Впишите адрес в [arshin] url в config.toml и перезапустите узел."),
        ("Reading the register is off", "Set [arshin] url in config.toml and start the node again."),
    ),
    "register_nothing": _text(
        ("Спрашивать реестр не о чем", "Выберите приборы, или подпишите поверки."),
        ("There is nothing to ask the register about", "Choose devices, or sign verifications."),
    ),
    "register_too_many": _text(
        ("Слишком много приборов для одного чтения", "Разделите список."),
        ("Too many devices for one reading", "Split the list."),
        ("За один раз — не больше {most}.", "At most {most} at once."),
    ),
    "register_away": _text(
        ("Реестр поверок не отвечает", "Повторите позже: уже прочитанное записано."),
        ("The register does not answer", "Try again later: what was read is written."),
        ("{reason}", "{reason}"),
        PeerError,
    ),
    "register_refused": _text(
        ("Реестр поверок отклонил запрос", "Проверьте адрес в [arshin] url."),
        ("The register refused the request", "Check the address in [arshin] url."),
        ("Ответ {status}.", "It answered {status}."),
        PeerError,
    ),
    "answer_unknown": _unknown("Такого ответа реестра здесь нет", "There is no such answer here"),
    "verify_nothing": _text(
        ("Поверять нечего", "Выберите приборы с проливкой."),
        ("There is nothing to verify", "Choose meters that have a bench run."),
        ("За один раз — от 1 до {most}.", "From 1 to {most} at once."),
    ),
    # 1C.
    "message_changed_1c": _state(
        ("Под этим номером сообщения уже принято другое содержание", "Отправьте изменения новым сообщением."),
        ("A message of this id was taken with other content", "Send the changes as a new message."),
        ("Сообщение {other}.", "Message {other}."),
    ),
    "number_taken_1c": _state(
        ("Порядковый номер занят другим сообщением", "Номера сообщений одной базы не повторяются."),
        ("The number is that of another message", "Numbers of one system's messages never repeat."),
        ("Номер {number} у сообщения {other}.", "Number {number} is that of message {other}."),
    ),
    "message_refused_1c": _text(
        ("Сообщение 1С не принято", "Исправьте перечисленное и отправьте его снова: ничего не записано."),
        ("The message of 1C was refused", "Put right what is listed and send it again: nothing was written."),
    ),
    # The LoRa network.
    "radio_off": _state(
        ("На этом узле нет сети LoRa", "Включите раздел [radio] в config.toml и перезапустите узел."),
        ("This node runs no LoRa network", "Enable [radio] in config.toml and start the node again."),
    ),
    "radio_unknown": _state(
        ("В паспорте нет раздела о радио", "Попросите изготовителя дополнить паспорт."),
        ("The passport does not say how the device joins", "Ask its maker to complete the passport."),
    ),
    "radio_disputed": _state(
        ("Радиоданные паспорта оспорены", "Сначала стороны должны прийти к одному значению."),
        ("The passport's radio facts are disputed", "The parties must agree on one value first."),
        ("Оспорено поле {field}.", "The field {field} is disputed."),
    ),
    "radio_activation": _state(
        ("Прибор активируется не по воздуху", "Узел подключает приборы с активацией OTAA."),
        ("The device is not activated over the air", "This node takes devices with OTAA."),
    ),
    "profile_incomplete": _state(
        ("Профиль прибора неполон", "Попросите изготовителя дополнить паспорт."),
        ("The device profile is incomplete", "Ask the maker to complete the passport."),
        ("{reason}", "{reason}"),
    ),
    "region_differs": _state(
        ("Прибор и сеть разных регионов", "Проверьте, тот ли это прибор и та ли сеть."),
        ("Device and network are of different regions", "Check that this is the right device and network."),
        ("Прибор для {device}, сеть — {network}.", "The device is for {device}, the network is {network}."),
    ),
    "driver_missing": _state(
        ("Нет подходящего драйвера", "Установите драйвер этого типа и повторите."),
        ("No driver fits", "Install the driver of this type and try again."),
        ("{reason}", "{reason}"),
    ),
    "root_key_missing": _state(
        ("Корневой ключ прибора сюда не приходил", "Ключ приходит с отгрузкой: примите её или спросите продавца."),
        ("The device's root key never came here", "It comes with the shipment: accept it, or ask the seller."),
    ),
    "dev_eui_doubled": _state(
        ("Этот DevEUI стоит в нескольких паспортах", "Выясните, у какого прибора он настоящий."),
        ("This DevEUI stands in several passports", "Find out which device really has it."),
        ("DevEUI {dev_eui}.", "DevEUI {dev_eui}."),
    ),
    "radio_device_unknown": _unknown("Такого прибора в этой сети нет", "This network has no such device"),
    "registration_not_stopped": _state(
        ("Регистрация не остановлена", "Сверять заново нечего."),
        ("The registration is not stopped", "There is nothing to compare once more."),
    ),
    "registration_changed": _state(
        ("Регистрация тем временем продвинулась", "Обновите страницу."),
        ("The registration went on meanwhile", "Load the page again."),
    ),
    "gateway_unknown": _unknown("Такого шлюза здесь нет", "There is no such gateway here"),
}
