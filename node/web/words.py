"""What the journal's codes read as for people, in Russian and English."""

from collections.abc import Mapping

from node.web.console_words import (
    ATTESTED,
    BOX_OUTCOMES,
    CATALOGS,
    JOB_KINDS,
    LOSSES,
    MEMBER_STANDINGS,
    SHIPMENT_REASONS,
)
from node.web.erasure_words import GROUNDS
from node.web.languages import mark, translations
from node.web.passport_words import SECTIONS, STEPS, Table, words
from node.web.problems import PROBLEMS
from node.web.radio_words import COMPARED, DISOBEYED, REFUSALS
from node.web.role_words import ROLES

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
    "webhook_added": ("Заведено уведомление системы", "Webhook added"),
    "webhook_changed": ("Изменено уведомление системы", "Webhook changed"),
    "webhook_removed": ("Удалено уведомление системы", "Webhook removed"),
    "webhook_paused": ("Уведомления системы остановлены", "Webhook paused"),
    "webhook_resumed": ("Уведомления системы возобновлены", "Webhook resumed"),
    "webhook_moved": ("Уведомления системы отправляются с другого места", "Webhook sends from another place"),
    "webhook_secret_changed": ("Сменён секрет уведомлений", "Secret of a webhook changed"),
    "system_registered": ("Зарегистрирована система", "System registered"),
    "system_changed": ("Изменены права системы", "Rights of a system changed"),
    "system_blocked": ("Система отключена", "System cut off"),
    "system_unblocked": ("Система снова допущена", "System let in again"),
    "system_refused": ("Системе отказано во входе", "A system was refused"),
    "federation_founded": ("Создана федерация", "Federation founded"),
    "joined_federation": ("Узел вступил в федерацию", "Joined a federation"),
    "invited": ("Выпущено приглашение", "Invitation made"),
    "invitation_revoked": ("Приглашение отозвано", "Invitation revoked"),
    "attested": ("Организация аттестована", "Organisation attested"),
    "vouched": ("Поручились за организацию", "Vouched for an organisation"),
    "vouch_ended": ("Поручительство отозвано", "A vouch was taken back"),
    "expelled": ("Организация исключается из федерации", "An organisation is expelled"),
    "left": ("Организация вышла из федерации", "The organisation left the federation"),
    "peer_met": ("Обнаружен узел", "A node was met"),
    "bundle_made": ("Сделан пакет для узла без связи", "Bundle made for a node without a connection"),
    "bundle_taken": ("Принят пакет узла", "Bundle of a node taken"),
    "access_asked": ("Организация просит показать паспорт", "An organisation asks to be shown a passport"),
    "access_requested": ("У организации попросили показать паспорт", "An organisation was asked to show a passport"),
    "access_request_closed": ("Просьба о доступе убрана", "A request for access was put away"),
    "looked_up": ("Прибор искали у других организаций", "A device was looked for at other organisations"),
    "looked_up_here": ("Другая организация искала прибор", "Another organisation looked for a device"),
    "lookups_unwritten": ("Поисков было больше, чем записано", "There were more look-ups than are written down"),
    "peer_joined": ("Узел вступил по приглашению", "A node joined by invitation"),
    "peer_active": ("Узел принят", "Node accepted"),
    "peer_followed_only": ("От узла берётся только отслеживаемое", "Only what is followed is taken of a node"),
    "peer_taken_whole": ("От узла берётся всё доступное", "All that it may give is taken of a node"),
    "followed": ("Прибор отслеживается", "A device is followed"),
    "unfollowed": ("Прибор больше не отслеживается", "A device is followed no more"),
    "peer_dismissed": ("Узел убран из входящих", "A node was dismissed from the inbox"),
    "peer_out": ("Обмен с узлом прекращён: организация вне федерации", "Exchange with a node ended"),
    "peer_ignored": ("Узел скрыт", "Node ignored"),
    "shipped": ("Отгрузка предложена", "Shipment offered"),
    "role_offered": ("Предложена роль", "A role was offered"),
    "role_stated": ("Роль заявлена по документу", "A role was stated by a document"),
    "role_given": ("Назначена роль", "A role was given"),
    "role_accepted": ("Роль принята", "A role was accepted"),
    "role_refused": ("От роли отказались", "A role was refused"),
    "role_withdrawn": ("Предложение роли отозвано", "The offer of a role was withdrawn"),
    "role_ended": ("Роль прекращена", "A role was ended"),
    "role_widened": ("Засчитано сказанное прежним владельцем", "More of what the former holder said counts"),
    "role_decided": ("Решено, кому передано", "It was decided to whom it passed"),
    "box_offered": ("Коробка предложена тому, у кого код", "A box was offered to whoever has its code"),
    "box_claimed": ("Коробка передана по коду", "A box was handed over by its code"),
    "box_refused": ("По коду коробки отказано", "A box was not handed over, though the code was right"),
    "box_wrong": ("Неверный код коробки", "A wrong code of a box"),
    "box_tries": ("Неверных кодов слишком много: до завтра отказ", "Too many wrong codes: refused until tomorrow"),
    "box_asked": ("Запрошена коробка по коду", "A box was claimed of its seller"),
    "shipment_accepted": ("Отгрузка принята", "Shipment accepted"),
    "shipment_refused": ("От приборов отгрузки отказались", "Devices of a shipment were refused"),
    "shipment_withdrawn": ("Отгрузка отозвана", "The shipment was withdrawn"),
    "shipment_returned": ("Приборы предложены назад продавцу", "Devices were offered back to their seller"),
    "shipment_came": ("Нам предложили отгрузку", "A shipment was offered to us"),
    "shipment_taken": ("Получатель принял отгрузку", "The buyer accepted the shipment"),
    "shipment_declined": ("Получатель отказался от приборов", "The buyer refused devices"),
    "shipment_called_back": ("Продавец отозвал отгрузку", "The seller withdrew the shipment"),
    "shipment_return_came": ("Нам возвращают приборы", "Devices come back to us"),
    "shipment_carried": ("Отгрузка идёт через этот узел", "A shipment goes through this node"),
    "shipment_strange": ("Приняли то, чего в отгрузке нет", "Things were answered for that were not shipped"),
    "shipment_buyer_joined": ("У получателя отгрузки появился узел", "The buyer of a shipment has a node now"),
    "entry_refused": ("Фрагмент отклонён", "A fragment was refused"),
    "sealed_swapped": ("Запечатанный раздел подменён", "A sealed section was swapped"),
    "job_taken": ("Задание принято", "Job taken"),
    "job_failed": ("Задание не выполнено", "Job failed"),
    "organisations_named": ("Организации названы", "Organisations named"),
    "organisation_forgotten": ("Название организации удалено", "Name of an organisation forgotten"),
    "backup_made": ("Сделана резервная копия", "Backup made"),
    "backup_removed": ("Удалена резервная копия", "Backup removed"),
    "backup_checked": ("Проверена резервная копия", "Backup checked"),
    "backup_drilled": ("Пробное восстановление", "Restore drilled"),
    "statements_returned": ("Сказанное нами вернулось от соседей", "What this node had said came back from peers"),
    "statements_lost": ("Часть сказанного нами не вернулась", "Some of what this node had said did not come back"),
    "supplier_kept": ("Столбцы поставщика сохранены", "Columns of a supplier kept"),
    "supplier_forgotten": ("Столбцы поставщика забыты", "Columns of a supplier forgotten"),
    "import_advanced": ("Импорт продвинулся", "Import advanced"),
    "erasure_asked": ("Запрошено стирание персональных данных", "Erasure of personal data was asked for"),
    "section_erased": ("Персональные данные стёрты", "Personal data was erased"),
    "personal_held": ("Персональное придержано: хранилище — старая копия", "Personal data held back: an older copy"),
    "personal_released": ("Персональное снова открыто", "Personal data shown again"),
    "erasure_acknowledged": ("Стирание подтверждено тому, кто его просил", "Erasure was acknowledged to who asked"),
    "import_undone": ("Импорт отменён", "Import undone"),
    "refold_advanced": ("Пересборка паспортов продвинулась", "Folding passports again advanced"),
    "plate_stated": ("Зарегистрирован прибор", "Meter registered"),
    "event_recorded": ("Записано событие", "Event recorded"),
    "parameters_recorded": ("Записаны параметры", "Parameters recorded"),
    "corrected": ("Записано исправление", "A correction was recorded"),
    "correction_agreed": ("Исправление подтверждено", "A correction was agreed with"),
    "thing_stated": ("Заведён паспорт без таблички", "A thing without a plate was stated"),
    "parts_added": ("Записана комплектация", "Parts went in"),
    "part_removed": ("Снята деталь", "A part came out"),
    "recalled": ("Объявлен отзыв", "A recall was declared"),
    "said_same": ("Заявлено: паспорта об одном приборе", "Said: two passports are of one device"),
    "said_distinct": ("Заявлено: это два разных прибора", "Said: these are two devices"),
    "said_twin": ("Выделен двойник с той же табличкой", "A twin with the same plate was told apart"),
    "said_withdrawn": ("Заявление о приборе отозвано", "A word about identity was taken back"),
    "move_recorded": ("Записан перенос прибора", "A move was recorded"),
    "repair_recorded": ("Записан ремонт", "Repair recorded"),
    "node_exported": ("Узел выгружен открытыми файлами", "The node was exported as open files"),
    "passport_exported": ("Паспорт выдан файлом", "Passport issued as a file"),
    "passport_changed": ("Паспорт изменился", "Passport changed"),
    "passport_gone": ("Паспорта больше нет: всё сказанное отозвано", "No passport any more: all was taken back"),
    "secret_given": ("Ключ прибора выдан", "Device key given"),
    "secret_refused": ("В ключе прибора отказано", "Device key refused"),
    "key_received": ("Получен ключ прибора", "Device key received"),
    "key_refused": ("В ключе прибора отказано", "Device key refused"),
    "undecoded_read": ("Прочитаны кадры, которые раньше не читались", "Frames were read that could not be read before"),
    "month_closed": ("Месяц показаний закрыт", "A month of readings was closed"),
    "closing_advanced": ("Закрытие месяца продвинулось", "Closing a month advanced"),
    "redecode_advanced": ("Перечитывание архива продвинулось", "Reading an archive again advanced"),
    "meter_named": ("Указано имя прибора в эфире", "How a meter is named on the air was stated"),
    "device_versions_followed": (
        "Кадры прибора читаются по новым сведениям о прошивке",
        "Frames of a device are read as its firmware is stated now",
    ),
    "driver_published": ("Опубликован драйвер", "Driver published"),
    "driver_active": ("Драйвер принят и работает", "A driver was taken and runs"),
    "driver_replaced": ("Драйвер заменён новой версией", "A driver was replaced by a later version"),
    "driver_refused": ("Драйвер не принят", "A driver was refused"),
    "driver_quarantined": ("Драйвер в карантине: повторные сбои", "A driver failed again and again: quarantined"),
    "driver_started": ("Драйвер запущен", "A driver was started"),
    "driver_stopped": ("Версия драйвера остановлена", "A version of a driver was stopped"),
    "driver_stopped_whole": ("Драйвер остановлен целиком", "A driver was stopped, whatever version comes"),
    "driver_withdrawn": ("Драйвер отозван издателем", "A driver was withdrawn by its publisher"),
    "mapping_put": ("Величине драйвера назначен код", "A driver's quantity was mapped to a code"),
    "mapping_dropped": ("Код величины драйвера снят", "A driver's quantity is mapped no more"),
    "publisher_trusted": ("Издателю драйверов доверяют", "A publisher of drivers is trusted"),
    "publisher_distrusted": ("Издателю драйверов больше не доверяют", "A publisher of drivers is trusted no more"),
    "template_published": ("Опубликован шаблон", "Template published"),
    "template_fetched": ("Шаблон получен у другого узла", "Template fetched from a peer"),
    "act_explained": ("Указана причина отсутствия подписи", "Said why a signature is missing"),
    "protocol_signed": ("Подписан протокол", "Protocol signed"),
    "procedure_published": ("Опубликован регламент", "Procedure published"),
    "procedure_accepted": ("Регламент принят", "Procedure accepted"),
    "procedure_ended": ("Участие по регламенту прекращено", "Taking part by a procedure ended"),
    "run_opened": ("Открыт процесс", "Process opened"),
    "step_done": ("Выполнен шаг процесса", "Step of a process done"),
    "step_declined": ("Исполнитель отказался от шага", "A step was declined"),
    "step_overdue": ("Срок шага истёк", "A step is overdue"),
    "run_assigned": ("Назначен исполнитель", "A role was given"),
    "run_closed": ("Процесс закрыт", "Process closed"),
    "run_cancelled": ("Процесс отменён", "Process cancelled"),
    "arshin_exported": ("Составлен файл для ФГИС «Аршин»", "Arshin file made"),
    "arshin_settled": ("Реестр аннулировал результат поверки", "The register annulled a verification"),
    "verification_annulled": ("Результат поверки аннулирован", "Verification annulled"),
    "register_read": ("Прочитан реестр поверок", "Register of verifications read"),
    "message_taken_1c": ("Принято сообщение 1С", "Message of 1C taken"),
    "message_refused_1c": ("Сообщение 1С не принято", "Message of 1C refused"),
    "shared": ("Открыт доступ", "Access opened"),
    "granted": ("Выдано разрешение", "A grant was given"),
    "grant_ended": ("Разрешение прекращено", "A grant was ended"),
    "profile_published": ("Опубликован профиль", "Profile published"),
    "profile_adopted": ("Принят профиль", "Profile adopted"),
    "device_configured": ("Прибор настроен", "Device set up"),
    "root_key_replaced": (
        "Ключ прибора сменён: в сети он ещё с прежним",
        "The device's key was replaced: it is on the air with the one before",
    ),
    "device_commissioned": ("Прибор подготовлен к подключению", "Device put on the air"),
    "device_retired": ("Прибор снят с сети", "Device taken off the air"),
    "device_joined": ("Прибор подключился к сети", "Device joined the network"),
    "device_registered": ("Прибор зарегистрирован в сети", "Device registered in the network"),
    "registration_stopped": ("Регистрация остановлена: данные расходятся", "Registration stopped: fields differ"),
    "registration_retried": ("Сверка повторена", "Compared once more"),
    "join_refused": ("В подключении к сети отказано", "A join was refused"),
    "uplink_refused": ("Кадр прибора отклонён", "A device's frame was refused"),
    "device_disobeyed": ("Прибор не выполнил команду сети", "A device did not do what the network asked"),
    "gateway_allowed": ("Шлюз разрешён", "Gateway allowed"),
    "gateway_removed": ("Шлюз удалён", "Gateway removed"),
    "line_published": ("Опубликован серийный ряд", "Serial line published"),
    "reference_bound": ("Код связан с центральным", "Code bound to a central one"),
    "codes_loaded": ("Загружены свои коды", "Own codes loaded"),
    "codes_mapped": ("Свои коды связаны с центральными", "Own codes mapped"),
    "mapping_undone": ("Связь кодов отменена", "A mapping was undone"),
    "suggestions_refused": ("Отклонены подсказки", "Suggestions refused"),
    "release_published": ("Подписан выпуск справочника", "Release of a catalog signed"),
    "release_arrived": ("Пришёл выпуск справочника", "A release of a catalog arrived"),
    "release_adopted": ("Принят выпуск справочника", "A release of a catalog was adopted"),
    "release_mode_set": ("Изменён порядок приёма выпусков", "How releases are adopted was changed"),
    "type_published": ("Опубликован тип", "Type published"),
    "type_version_published": ("Опубликована версия типа", "Version of a type published"),
    "type_stated": ("Указан тип прибора", "Type of a device stated"),
    "log_opened": ("Открыт журнал узла", "The node opened a log"),
    "log_counted": ("Из журнала узла засчитано другое число фрагментов", "Another number of a log’s entries counts"),
    "log_forked": ("Доказано раздвоение журнала узла", "A log was proven to be forked"),
    "log_said_again": ("Утраченное сказано снова", "What fell was said again"),
    "root_stated": ("Подписано корневое утверждение", "A root statement was taken"),
    "node_ended": ("Узел отключён своей организацией", "A node was ended by its organisation"),
    "node_disowned": ("Узел не признан своей организацией", "A node was disowned by its organisation"),
    "chain_forked": ("Корневая цепочка организации раздвоена", "The root chain of an organisation is forked"),
}
# Names that templates put together: `scope read`, `role admin`.
NAMES = (
    mark("scope read"), mark("scope import"), mark("scope record"), mark("scope ship"), mark("scope peers"),
    mark("scope radio"), mark("scope hooks"), mark("scope backup"), mark("scope access"),
    mark("role reader"), mark("role operator"), mark("role admin"), mark("frame join"),
    mark("frame uplink"), mark("step 1"), mark("step 2"),
    mark("step 3"), mark("step 4"),
)  # fmt: skip
ACTORS: dict[str, tuple[str, str]] = {
    "local:administrator": ("администратор этой машины", "administrator of this machine"),
    "local": ("с этой машины:", "on this machine:"),
    "person": ("", ""),
    "token": ("токен", "token"),
    "folder": ("папка", "folder"),
    "system": ("система", "system"),
    "nobody": ("без входа", "not logged in"),
    "peer": ("другой узел", "another node"),
    "sync": ("обмен", "sync"),
    "drivers": ("драйверы", "drivers"),
    "radio": ("сеть LoRa", "LoRa network"),
    "merge": ("сведение фрагментов", "merging of fragments"),
    "mdns": ("местная сеть", "local network"),
    "card": ("карточка организации", "the organisation’s card"),
    "node": ("этот узел", "this node"),
    "clock": ("часы узла", "the node's clock"),
}


# What stands in the details of journal rows.
DETAILS: dict[str, tuple[str, str]] = {
    "account": ("учётная запись", "account"),
    "active": ("принят", "accepted"),
    "address": ("адрес", "address"),
    "asked": ("спрошено узлов", "nodes asked"),
    "attested": ("аттестация", "attested"),
    "automatic": ("сам", "by itself"),
    "capacity": ("роль", "role"),
    "catalog": ("справочник", "catalog"),
    "code": ("код", "code"),
    "command": ("команда", "command"),
    "channel": ("канал", "channel"),
    "quantity": ("величина", "quantity"),
    "was": ("было", "was"),
    "now": ("стало", "is now"),
    "dev_eui": ("DevEUI", "DevEUI"),
    "devices": ("приборов", "devices"),
    "driver": ("драйвер", "driver"),
    "firmware": ("прошивка", "firmware"),
    "digest": ("отпечаток", "digest"),
    "verb": ("что можно", "may"),
    "fields": ("поля", "fields"),
    "gateway": ("шлюз", "gateway"),
    "gone": ("больше нет", "no more"),
    "left": ("оставлено", "left"),
    "thinner": ("осталось со словами других", "kept by other words"),
    "reason": ("причина", "reason"),
    "standing": ("положение", "standing"),
    "count": ("количество", "count"),
    "done": ("сделано", "done"),
    "error": ("ошибка", "error"),
    "expires_us": ("до", "until"),
    "federation": ("федерация", "federation"),
    "month": ("месяц", "month"),
    "file": ("файл", "file"),
    "hook": ("уведомление", "webhook"),
    "after": ("после события", "after the event"),
    "target": ("куда", "where to"),
    "found": ("найдено", "found"),
    "system": ("база", "system"),
    "message": ("сообщение", "message"),
    "written": ("записано", "written"),
    "same": ("без изменений", "unchanged"),
    "older": ("устарело", "older than known"),
    "job": ("задание", "job"),
    "kind": ("вид", "kind"),
    "language": ("язык", "language"),
    "log": ("журнал узла", "log"),
    "mandate": ("акт", "act"),
    "name": ("имя", "name"),
    "node": ("узел", "node"),
    "supplier": ("поставщик", "supplier"),
    "note": ("замечание", "remark"),
    "number": ("номер", "number"),
    "of": ("чей", "of"),
    "operation": ("действие", "operation"),
    "reached": ("затронуто", "reached"),
    "other": ("другой прибор", "the other device"),
    "party": ("кому", "to"),
    "record": ("запись справочника", "record"),
    "ref": ("фрагмент", "statement"),
    "role": ("роль", "role"),
    "rule": ("правило", "rule"),
    "release": ("выпуск", "release"),
    "rows": ("строки", "rows"),
    "scopes": ("права", "rights"),
    "scheme": ("что искали", "what was looked for"),
    "section": ("раздел", "section"),
    "ground": ("основание", "ground"),
    "seq": ("номер фрагмента", "entry"),
    "session": ("сеанс", "session"),
    "state": ("проверка", "check"),
    "template": ("шаблон", "template"),
    "title": ("название", "title"),
    "to": ("кому", "to"),
    "token": ("токен", "token"),
    "total": ("всего", "total"),
    "type": ("тип", "type"),
    "process": ("процесс", "process"),
    "run": ("запуск", "run"),
    "step": ("шаг", "step"),
    "answer": ("ответ", "answer"),
    "outcome": ("исход", "outcome"),
    "due_us": ("срок", "term"),
    "trouble": ("что не так", "trouble"),
    "url": ("адрес", "address"),
    "value": ("значение", "value"),
    "words": ("пояснение", "words"),
    "version": ("версия", "version"),
}
# What a truth in the details reads as.
YES_NO: Table = {"True": ("да", "yes"), "False": ("нет", "no")}
# Why a log was opened.
REASONS: Table = {
    "first": ("первый", "the first one"),
    "head_lost": ("потерян конец прежнего", "the end of the one before is lost"),
    "behind": ("хранилище отстало", "the store is behind"),
    "root_differs": ("корень другой", "the root differs"),
    "backup": ("из резервной копии", "from a backup"),
    "peer_ahead": ("другой узел знает больше", "another node knows more"),
    "by_hand": ("вручную", "by hand"),
    "key_changed": ("сменён ключ", "the key was changed"),
}
# Catalogs that a steward keeps, and what an accreditation is for.
ROWS: Table = {
    "line": ("серийные ряды", "serial lines"),
    "type": ("типы", "types"),
    "unit": ("единицы", "units"),
    "code": ("коды", "codes"),
    "verification": ("поверка", "verification"),
    **CATALOGS,
}
CHECKS: Table = {
    "valid": ("по правилам шаблона", "by the template’s rules"),
    "invalid": ("против правил шаблона", "against the template’s rules"),
    "not-fully-checked": ("проверено не всё", "not fully checked"),
}
TONGUES: Table = {"ru": ("русский", "Russian"), "en": ("английский", "English")}
# What the codes in details read as, by the detail's name.
RULES: Table = {
    "broken": ("пакет не читается", "the package cannot be read"),
    "publisher": ("назван другой издатель", "another publisher is named"),
    "level": ("такие драйверы здесь не работают", "such drivers do not run here"),
    "vectors": ("нет проверочных примеров", "no vectors"),
    "nothing": ("ни для чего не предназначен", "it is for nothing"),
    "key": ("чужое имя", "a name of another driver"),
    "namespace": ("не его типы приборов", "types of others"),
    "id": ("имя занято", "the id is taken"),
    "version-taken": ("версия занята", "the version is taken"),
    "version-back": ("версия назад", "the version goes back"),
    "vector": ("пример не сошёлся", "a vector does not hold"),
    "gone": ("публикация не засчитывается", "the publication does not count"),
}
CODES: dict[str, Table] = {
    "rule": RULES,
    "answer": BOX_OUTCOMES,
    "attested": ATTESTED,
    "code": {code: (text.ru.title, text.en.title) for code, text in PROBLEMS.items()},
    "automatic": {"yes": ("да", "yes"), "no": ("нет", "no")},
    "capacity": ROLES,
    "catalog": CATALOGS,
    "fields": COMPARED,
    "ground": GROUNDS,
    "kind": JOB_KINDS,
    "language": TONGUES,
    "reason": REFUSALS | DISOBEYED | REASONS | LOSSES | SHIPMENT_REASONS,
    "rows": ROWS,
    "section": SECTIONS,
    "standing": MEMBER_STANDINGS,
    "state": CHECKS,
    "step": STEPS,
}
# What the .po files name with a word before it, see NAMES.
NAMED = {"role": "role", "scopes": "scope"}
NOTHING: tuple[object, ...] = (None, "", [])
LONGEST_ID = 16


def detail_name(name: str, language: str) -> str:
    """What a detail of a journal row is called; a name without words shows itself."""
    return _in(DETAILS.get(name), language) or name


def detail_values(detail: Mapping[str, object], language: str) -> dict[str, object]:
    """The details of a journal row that hold something: truths and codes as words, all else as it stands."""
    return {name: _told(name, value, language) for name, value in detail.items() if value not in NOTHING}


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
    known = ACTORS.get(kind)
    return " ".join(filter(None, (_in(known, language), name))) if known else label


def _told(name: str, value: object, language: str) -> object:
    if isinstance(value, list):
        return [_told(name, item, language) for item in value]
    if isinstance(value, bool):
        return words(YES_NO, value, language)
    if name in NAMED:
        marked = f"{NAMED[name]} {value}"
        found = translations(language).gettext(marked)
        return value if found == marked else found
    return words(CODES[name], value, language) if name in CODES else value


def _in(texts: tuple[str, str] | None, language: str) -> str:
    return "" if texts is None else texts[0 if language == "ru" else 1]
