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
    "dials_out_only": state(
        (
            "Узел только подключается сам, к нему подключиться нельзя",
            "Пусть приглашает узел с адресом; или уберите dial_out_only из config.toml и укажите url.",
        ),
        (
            "This node only dials out: nobody can reach it",
            "Let a node with an address invite; or take dial_out_only out of config.toml and name a url.",
        ),
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
    "bundle_no_key": state(
        ("Узел ещё не сообщил сюда свой ключ", "Сначала узлы должны хотя бы раз связаться, или примите пакет от него."),
        ("That node has told no key of its own here", "Both have to meet once, or take a bundle of that node first."),
    ),
    "bundle_damaged": wrong(
        ("Пакет повреждён", "Скопируйте файл ещё раз или попросите сделать новый. Ничего из него не принято на веру."),
        ("The bundle is damaged", "Copy the file again, or have a new one made. Nothing of it was taken on trust."),
    ),
    "bundle_of_another": wrong(
        ("Пакет для другого узла", "Попросите сделать пакет для этого узла."),
        ("The bundle is for another node", "Have one made for this node."),
    ),
    "bundle_of_stranger": wrong(
        (
            "Узел, сделавший пакет, здесь незнаком",
            "Сначала познакомьтесь с ним: приглашение или входящие на странице узлов.",
        ),
        ("The node that made the bundle was not met here", "Meet it first: by an invitation, or the inbox of peers."),
    ),
    "node_ended": state(
        (
            "Этот узел отключён своей организацией",
            "Сделайте новый узел организации: `passport-node init --organisation-of`.",
        ),
        (
            "This node was ended by its organisation",
            "Make a new node of the organisation: `passport-node init --organisation-of`.",
        ),
    ),
    "peer_ended": state(
        ("Узел отключён своей организацией", "С ним больше не обмениваются: встретьте другой узел организации."),
        ("The node was ended by its organisation", "Nobody exchanges with it: meet another node of the organisation."),
    ),
    "share_with_self": wrong(
        ("Открыть доступ самому себе нельзя", "Выберите другую организацию."),
        ("A subject is shared with others", "Choose another organisation."),
    ),
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
