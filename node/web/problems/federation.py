"""Problems of the federation, peers and shipments."""

from node.web.problems.text import ProblemText, denied, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "federation_exists": state(
        ("Узел уже состоит в федерации", "Вторая федерация узлу не нужна."),
        ("This node is in a federation already", "A node needs no second one."),
    ),
    "no_federation": state(
        ("Узел не состоит в федерации", "Создайте федерацию или вступите по приглашению."),
        ("This node is in no federation", "Found one or join by invitation."),
    ),
    "other_federation": state(
        ("Узел состоит в другой федерации", "Попросите приглашение в свою федерацию."),
        ("This node is in another federation", "Ask for an invitation to your own."),
    ),
    "not_an_anchor": state(
        ("Это может только якорь федерации", "Обратитесь к организации-якорю."),
        ("Only an anchor of the federation may", "Ask the anchor organisation."),
    ),
    "invitation": wrong(
        ("Приглашение не принято", "Попросите новое приглашение и вставьте его целиком."),
        ("The invitation was not taken", "Ask for a new one and paste all of it."),
    ),
    "join_self": wrong(
        ("Это приглашение выдал сам этот узел", "Вставьте его на узле организации, которую приглашаете."),
        ("This node gave the invitation itself", "Paste it on the node of the organisation that you invite."),
    ),
    "number_wrong": wrong(
        ("В номере организации ошибка", "Сверьте ИНН или ОГРН с документом: контрольные цифры не сходятся."),
        ("The number of the organisation is wrong", "Compare it with the document: its check digits disagree."),
    ),
    "organisation_unknown": unknown("Такое название здесь не записано", "No such name is kept here"),
    "organisations_too_many": wrong(
        ("Названий слишком много", "Удалите лишние названия организаций."),
        ("Too many names", "Forget names of organisations that nobody needs."),
        ("Узел хранит не больше {most} названий.", "A node keeps at most {most} names."),
    ),
    "org_unknown": unknown("Такая организация здесь неизвестна", "The organisation is not known here"),
    "peer_unknown": unknown("Такой узел здесь неизвестен", "The node is not known here"),
    "share_with_self": wrong(
        ("Открыть доступ самому себе нельзя", "Выберите другую организацию."),
        ("A subject is shared with others", "Choose another organisation."),
    ),
    "grant_to_self": wrong(
        ("Разрешение себе не выдают", "Выберите другую организацию."),
        ("A grant is given to others", "Choose another organisation."),
    ),
    "grant_classes": wrong(
        ("Не сказано, что открыть", "Назовите классы разделов или профиль, одно из двух."),
        ("It is not told what to open", "Name classes of sections, or a profile: one of the two."),
    ),
    "grant_rows": wrong(
        ("Не сказано, что можно писать", "Назовите виды: alias, event, parameter, protocol, composition."),
        ("It is not told what may be written", "Name kinds: alias, event, parameter, protocol, composition."),
    ),
    "grant_things": wrong(
        ("Разрешение на всё своё заранее не посчитать", "Назовите приборы, чтобы увидеть, что откроется."),
        ("A grant over all that is ours is not counted beforehand", "Name things to see what would be opened."),
    ),
    "grant_not_held": denied(
        ("Своего слова об этом приборе у вас нет", "Писать разрешает производитель, собственник или ответственный."),
        ("There is no word of ours to lend", "The maker, the owner or the responsible party lets others write."),
    ),
    "grant_unknown": unknown("Такого разрешения здесь нет", "No such grant is here"),
    "grant_not_ours": denied(
        ("Это разрешение не ваше", "Прекратить его может тот, кто выдал, или тот, кому оно выдано."),
        ("The grant is not ours", "Who gave it ends it, or its party."),
    ),
    "grant_ended": state(
        ("Разрешение уже прекращено", "Если доступ нужен снова, выдайте новое."),
        ("The grant was ended already", "Give a new one if it is needed again."),
    ),
    "profile_unknown": unknown("Такого профиля здесь нет", "No such profile is known here"),
    "profile_wrong": wrong(
        ("Это не профиль", "Исправьте файл: имя, версия, названия и строки с видами, разделами и классами 0–4."),
        ("This is no profile", "Correct the file: name, version, titles, rows of kinds, sections and classes 0-4."),
        ("{detail}", "{detail}"),
    ),
    "profile_version_taken": state(
        ("Эта версия профиля уже опубликована с другим содержанием", "Поднимите версию."),
        ("This version says something else already", "Raise the version."),
        ("{name} {version}.", "{name} {version}."),
    ),
    "statement_unknown": unknown("Такого заявления об этом приборе здесь нет", "No such statement about it is here"),
    "section_unknown": unknown("Такого раздела в этом заявлении нет", "The statement has no such section"),
    "token_overlap": wrong(
        ("Неверное время перехода", "Старые токены живут ещё от 0 до 31 дня."),
        ("Wrong time of overlap", "The tokens before it live on for 0 to 31 days."),
    ),
    "base_taken_1c": denied(
        ("Эта база 1С — другой системы", "Отправляйте сообщения базы с токеном её системы."),
        ("That base of 1C is another system's", "Send its messages with a token of that system."),
        ("База {base} — системы {system}.", "The base {base} is that of {system}."),
    ),
    "ship_to_self": wrong(
        ("Отгрузить самому себе нельзя", "Выберите другую организацию."),
        ("A shipment goes to others", "Choose another organisation."),
    ),
    "ship_count": wrong(
        ("Неверное число приборов в отгрузке", "Проверьте состав отгрузки."),
        ("Wrong number of meters in a shipment", "Check what the shipment holds."),
    ),
    "shipment_unknown": unknown("Такой отгрузки нет", "There is no such shipment"),
    "not_the_buyer": denied(
        ("Принять отгрузку может только получатель", "Проверьте, кому она отправлена."),
        ("Only the buyer accepts a shipment", "Check to whom it was offered."),
    ),
    "key_refused": denied(
        ("В ключе прибора отказано", "Ключ выдаётся только получателю отгрузки."),
        ("The device's key was refused", "It is given to the receiver of a shipment only."),
    ),
}
