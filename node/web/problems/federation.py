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
    "followed_most": state(
        ("Столько приборов отслеживать нельзя", "Перестаньте отслеживать лишние или берите от узлов всё."),
        ("So many devices cannot be followed", "Stop following some, or take everything of the nodes."),
        ("Можно не больше {most}.", "At most {most} may be."),
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
    "quorum_wrong": wrong(
        ("Столько якорей согласиться не могут", "Назовите больше якорей или меньше согласных."),
        ("So many anchors cannot agree", "Name more anchors, or fewer that must agree."),
        ("Якорей {most}.", "There are {most} anchors."),
    ),
    "not_a_member": denied(
        ("Это может только участник федерации", "Попросите якорь подтвердить номер вашей организации."),
        ("Only a member of the federation may", "Ask an anchor to attest the number of your organisation."),
    ),
    "org_expelled": state(
        ("Организация исключена из федерации", "Вернуть её могут только якоря: подтвердите её номер заново."),
        ("The organisation is expelled", "Anchors alone take it in again: attest its number anew."),
    ),
    "not_the_voucher": state(
        ("Ваша организация за неё не поручалась", "Отозвать поручительство может только поручитель."),
        ("Your organisation does not vouch for it", "Who vouches takes the word back."),
    ),
    "anchor_stays": state(
        ("Якорь записан в основании федерации", "Другой состав якорей — это другая федерация."),
        ("An anchor stands in the genesis", "Another set of anchors is another federation."),
    ),
    "number_taken": state(
        (
            "Номер подтверждён за другой организацией",
            "Сначала исключите её из федерации: дата окончания номер не освобождает.",
        ),
        (
            "The number is attested to another organisation",
            "Expel that one first: an end by date does not free the number.",
        ),
        ("Номер {number} занят.", "The number {number} is taken."),
    ),
    "prefix_wrong": wrong(
        ("Это не префикс", "Пишите gs1: или grsi: и цифры, например gs1:460."),
        ("That is no prefix", "Write gs1: or grsi: and digits, as gs1:460."),
    ),
    "request_unknown": unknown("Такой просьбы о доступе нет", "No such request for access waits here"),
    "seat_wrong": wrong(
        ("Это не место в указателе", "Укажите одной строкой 32 шестнадцатеричные цифры, взятые случайно."),
        ("That is no seat in the directory", "Give 32 hex digits, drawn at random, in one row."),
    ),
    "branch_wrong": wrong(
        (
            "Это не утверждение корневой цепочки этой организации",
            "Укажите одной строкой хеш верной ветви: его назовёт сама организация, и он есть среди участников.",
        ),
        (
            "That is no statement of this organisation's root chain",
            "Give the hash of the right branch in one row: the organisation tells it, and the members page shows it.",
        ),
    ),
    "accreditation_wrong": wrong(
        ("Нет номера аккредитации", "Первой строкой укажите номер в реестре аккредитованных лиц, затем область."),
        ("The number of the accreditation is missing", "Give its number first, then its scope."),
    ),
    "invitation": wrong(
        ("Приглашение не принято", "Попросите новое приглашение и вставьте его целиком."),
        ("The invitation was not taken", "Ask for a new one and paste all of it."),
    ),
    "invitation_unknown": unknown(
        "Такого открытого приглашения нет: оно использовано, отозвано или истекло",
        "No such invitation is open: it was used or revoked, or its time is over",
    ),
    "qr_too_long": wrong(
        ("Текст не помещается в QR-код", "Передайте текст: скопируйте его или отправьте файлом."),
        ("The text does not fit into a QR code", "Hand the text on: copy it, or send it as a file."),
        ("{size} байт, в QR-код помещается {most}.", "{size} bytes, a QR code holds {most}."),
    ),
    "join_self": wrong(
        ("Это приглашение выдал сам этот узел", "Вставьте его на узле организации, которую приглашаете."),
        ("This node gave the invitation itself", "Paste it on the node of the organisation that you invite."),
    ),
    "number_wrong": wrong(
        (
            "В номере организации ошибка",
            "Пишите inn: или ogrn: и цифры, например inn:7707083893; сверьте их с документом: сходятся ли контрольные.",
        ),
        (
            "The number of the organisation is wrong",
            "Write inn: or ogrn: and digits, as inn:7707083893; compare them with the document: check digits agree.",
        ),
    ),
    "organisation_unknown": unknown("Такое название здесь не записано", "No such name is kept here"),
    "organisations_too_many": wrong(
        ("Названий слишком много", "Удалите лишние названия организаций."),
        ("Too many names", "Forget names of organisations that nobody needs."),
        ("Узел хранит не больше {most} названий.", "A node keeps at most {most} names."),
    ),
    "org_unknown": unknown("Такая организация здесь неизвестна", "The organisation is not known here"),
    "peer_unknown": unknown("Такой узел здесь неизвестен", "The node is not known here"),
    "chain_missing": state(
        (
            "Корневой цепочки организации здесь нет",
            "Возьмите её с другого узла организации: `passport-node keys take`.",
        ),
        ("The organisation's root chain is not here", "Take it from another node of it: `passport-node keys take`."),
    ),
    "node_unknown": unknown("У организации нет такого узла", "The organisation has no such node"),
    "cut_unknown": wrong(
        ("Такой отсечки здесь не проверить", "Назовите размер, до которого журнал узла здесь есть."),
        ("Such a cut cannot be checked here", "Name a size up to which the node's log is here."),
        ("Журнал здесь до {here}, а не до {size}.", "The log is here up to {here}, not to {size}."),
    ),
    "cut_large": wrong(
        ("В отсечке слишком много журналов", "Назовите ключом --at те журналы, которые нужно засчитать."),
        ("The cut has too many logs", "Name with --at the logs that should count."),
        ("В отсечке не больше {most} журналов.", "A cut has at most {most} logs."),
    ),
    "root_statement": wrong(
        (
            "Корневое утверждение не принято",
            "Подпишите его корневым ключом, который действует, после последнего утверждения.",
        ),
        ("The root statement was not taken", "Sign it with the root key in force, after the last statement."),
    ),
    "drill": state(
        ("Учение не прошло", "Проверьте, те ли корневые ключи названы и цела ли цепочка: `passport-node keys status`."),
        (
            "The drill failed",
            "See that the keys named are the chain's, and that it is whole: `passport-node keys status`.",
        ),
    ),
    "enrolment": wrong(
        ("Ответ новому узлу не принят", "Пусть узел, у которого корневой ключ, подпишет запрос из этой папки."),
        ("The answer to a new node was not taken", "Have the request of this folder stated with the root key."),
    ),
    "org_refused": state(
        ("Этой организации ничего не передают", "Почему, сказано среди участников: там её принимают снова."),
        ("Nothing is handed to that organisation", "The members tell why: there it is taken in again."),
    ),
    "bundle_no_key": state(
        ("Узел ещё не сообщил сюда свой ключ", "Сначала узлы должны хотя бы раз связаться, или примите пакет от него."),
        ("That node has told no key of its own here", "Both have to meet once, or take a bundle of that node first."),
    ),
    "bundle_large": state(
        ("Пакет получился бы слишком большим", "Соедините узлы сетью; или пусть тот узел берёт только нужные приборы."),
        ("The bundle would be too large", "Let the nodes meet by a wire; or let that node take only what it follows."),
        ("Можно не больше {most} МиБ.", "At most {most} MiB may be."),
    ),
    "bundle_later": wrong(
        (
            "Пакет начинается позже, чем есть здесь",
            "Попросите полный пакет: узел, сделавший этот, считает, что начало здесь.",
        ),
        (
            "The bundle begins after what is here",
            "Have a whole one made: its maker takes it that this node has the beginning.",
        ),
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
    "org_ended": state(
        (
            "Организация вышла из федерации или исключена",
            "Её ответ ничего не значил бы: оформите передачу документом, с её ИНН или ОГРН.",
        ),
        (
            "The organisation left the federation or was expelled",
            "Its answer would count nothing: state the hand-over by a document, with its number in the state register.",
        ),
    ),
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
    "ship_via": wrong(
        ("Перевозчик — третья организация, а у покупателя есть узел", "Выберите другого перевозчика, или никакого."),
        ("A carrier is a third organisation, and the buyer has a node", "Choose another carrier, or none."),
    ),
    "ship_via_unknown": state(
        ("Узел покупателя здесь ещё не известен", "Подождите, пока о нём расскажет перевозчик, и повторите."),
        ("The buyer's node is not known here yet", "Wait until the carrier tells of it, and try again."),
    ),
    "ship_via_member": state(
        ("Перевозчик — не участник федерации", "Выберите другого перевозчика, или никакого."),
        ("The carrier is no member of the federation", "Choose another carrier, or none."),
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
    "not_the_seller": denied(
        ("Отозвать отгрузку может только продавец", "Если она пришла вам, откажитесь от неё."),
        ("Only the seller withdraws a shipment", "If it came to you, refuse it."),
    ),
    "ship_not_ours": denied(
        (
            "Прибор принадлежит другой организации",
            "Отгружает только владелец или кто принял его с будущего дня: уберите прибор.",
        ),
        (
            "The device is another organisation's",
            "Only its owner ships it, or who accepted it from a later day: leave it out.",
        ),
        ("Это прибор {id}.", "It is {id}."),
    ),
    "ship_parts": wrong(
        ("Приборы пришли слишком многими отгрузками", "Разделите их на несколько отгрузок."),
        ("The devices came by too many shipments", "Make several shipments of them."),
    ),
    "ship_buyer": wrong(
        ("Не указан получатель", "Выберите организацию или укажите название и один номер: ИНН или ОГРН."),
        ("The buyer is not told", "Choose an organisation, or give a name and one number of a state register."),
    ),
    "ship_none_chosen": wrong(
        ("Не выбран ни один прибор", "Отметьте приборы или вставьте их номера."),
        ("No device was chosen", "Tick devices, or paste their ids."),
    ),
    "shipment_not_in_it": wrong(
        ("Этого прибора в отгрузке нет", "Проверьте номер: принять можно только то, что отгружено."),
        ("That device is not in the shipment", "Check the id: only what was shipped is accepted."),
        ("Это {id}.", "It is {id}."),
    ),
    "shipment_ambiguous": wrong(
        ("Этот номер стоит на нескольких приборах отгрузки", "Назовите обозначение и номер, или номер прибора."),
        ("Several devices of the shipment have that number", "Give designation and serial, or the device id."),
        ("Это {id}.", "It is {id}."),
    ),
    "shipment_answered": state(
        ("По этому прибору уже ответили", "Посмотрите, в каком он состоянии, и уберите его из списка."),
        ("That device was answered for already", "See how it stands, and leave it out."),
        ("Это {id}.", "It is {id}."),
    ),
    "shipment_no_part": unknown("Столько приборов в отгрузке нет", "The shipment has not so many devices"),
    "shipment_settled": state(
        ("В отгрузке нет приборов, к которым это относится", "Откройте отгрузку и посмотрите состояния приборов."),
        ("No device of the shipment is left for that", "Open the shipment and see how its devices stand."),
    ),
    "key_refused": denied(
        ("В ключе прибора отказано", "Ключ выдаётся только получателю отгрузки."),
        ("The device's key was refused", "It is given to the receiver of a shipment only."),
    ),
}
