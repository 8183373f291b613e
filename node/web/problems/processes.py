"""Problems of procedures, processes and the production line."""

from node.errors import DeniedError, NotFoundError
from node.web.problems.text import ProblemText, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "procedure_refused": wrong(
        ("Регламент не принят", "Исправьте указанное место."),
        ("The procedure is refused", "Correct the named place."),
        ("{reason}", "{reason}"),
    ),
    "procedure_version_taken": state(
        ("Эта версия регламента уже опубликована с другим содержанием", "Увеличьте номер версии."),
        ("This version is published with other content", "Raise the version."),
        ("Регламент {procedure}, версия {version}.", "Procedure {procedure}, version {version}."),
    ),
    "procedure_unknown": unknown("Такого регламента здесь нет", "There is no such procedure here"),
    "procedure_not_accepted": state(
        (
            "Регламент не принят участником",
            "Своё согласие даётся в «Регламентах»; чужого попросите или поручите шаг другой организации.",
        ),
        (
            "The procedure is not accepted",
            "For your own organisation accept it in “Procedures”; else ask the other one, or choose another.",
        ),
        ("{procedure} {version}: {org}", "{procedure} {version}: {org}"),
    ),
    "run_count": wrong(
        ("Столько процессов сразу не открывается", "Откройте их частями, до 500."),
        ("So many processes are not opened at once", "Open them in parts of at most 500."),
    ),
    "run_role_unknown": wrong(
        ("Такой роли в регламенте нет", "Роли регламента: {roles}."),
        ("The procedure has no such role", "Its roles: {roles}."),
        ("Роль «{role}».", "Role “{role}”."),
    ),
    "run_kind": wrong(
        ("Регламент не для таких предметов", "Выберите предмет одного из видов: {kinds}."),
        ("The procedure is not of such things", "Choose one of: {kinds}."),
        ("Вид предмета: {kind}.", "Its kind: {kind}."),
    ),
    "run_open_already": state(
        ("Такой процесс об этом предмете уже идёт", "Продолжите его или закройте."),
        ("Such a process of this thing runs already", "Go on with it, or close it."),
        ("Паспорт {id}, процесс {run}.", "Passport {id}, process {run}."),
    ),
    "run_unknown": unknown("Такого процесса здесь нет", "There is no such process here"),
    "run_unread": state(
        ("Регламент этого процесса сюда не пришёл", "Дождитесь обмена с узлом издателя."),
        ("The procedure of this process is not here", "Wait for the exchange with its publisher."),
    ),
    "run_over": state(
        ("Процесс не ждёт этого действия", "Посмотрите, на чём он остановился."),
        ("The process does not wait for that", "Look where it stands."),
        ("Состояние процесса: {state}.", "State of the process: {state}."),
    ),
    "run_step_order": state(
        ("Сейчас очередь другого шага", "Сначала выполните шаг {expected}."),
        ("It is another step's turn", "Do the step {expected} first."),
        ("Шаг «{step}», а очередь шага «{expected}».", "Step “{step}”, while it is the turn of “{expected}”."),
    ),
    "run_no_mandate": wrong(
        ("Шаг поручен другой организации", "Владелец процесса может поручить его вам."),
        ("The step is another organisation's", "The owner of the process can give it to you."),
        ("Шаг «{step}», роль «{role}».", "Step “{step}”, role “{role}”."),
        DeniedError,
    ),
    "run_owner_only": wrong(
        ("Это делает только владелец процесса", "Обратитесь к владельцу процесса."),
        ("Only the owner of the process does that", "Ask the owner."),
        kind=DeniedError,
    ),
    "run_owner_declines": state(
        ("Владелец не отказывается от своего процесса", "Отмените процесс с указанием причины."),
        ("The owner does not decline his own process", "Cancel it with a reason."),
    ),
    "run_reason": wrong(
        ("Не указана причина отмены", "Напишите, почему процесс отменяется."),
        ("The reason is missing", "Write why the process is cancelled."),
    ),
    "run_protocol_needed": wrong(
        ("Шаг требует протокола", "Заполните документ по шаблону {template}."),
        ("The step demands a protocol", "Fill in a document of the template {template}."),
        ("Шаг «{step}».", "Step “{step}”."),
    ),
    "run_protocol_unasked": wrong(
        ("Шаг не требует протокола", "Подпишите документ отдельно от шага."),
        ("The step takes no protocol", "Sign the document apart from the step."),
        ("Шаг «{step}».", "Step “{step}”."),
    ),
    "run_protocol_other": wrong(
        ("Протокол другого вида", "Нужен документ по шаблону {template}."),
        ("The protocol is of another kind", "A document of the template {template} is needed."),
        ("Шаг «{step}»: получен {got}.", "Step “{step}”: got {got}."),
    ),
    "run_protocol_unchecked": state(
        ("Протокол здесь проверен не полностью", "Обновите узел: ему неизвестны правила шаблона."),
        ("The protocol is not fully checked here", "Update the node: it does not know rules of the template."),
        ("Правила: {rules}.", "Rules: {rules}."),
    ),
    "run_protocol_device": wrong(
        ("Протокол о другом приборе", "Проверьте прибор в документе."),
        ("The protocol is of another device", "Check the device in the document."),
        ("В протоколе {device}, в процессе {expected}.", "The protocol names {device}, the process {expected}."),
    ),
    "run_document": wrong(
        ("Документ и шаблон указываются вместе", "Укажите и документ, и ссылку на его шаблон."),
        ("A document comes with its template", "Give both the document and the reference of its template."),
    ),
    "run_outcome": wrong(
        ("Исход шага не указан или не из списка", "Возможные исходы: {outcomes}."),
        ("The outcome is missing or none of the step's", "Its outcomes: {outcomes}."),
        ("Шаг «{step}».", "Step “{step}”."),
    ),
    "run_outcome_differs": wrong(
        ("Исход шага расходится с протоколом", "Исход следует из протокола; возможные: {outcomes}."),
        ("The outcome differs from the protocol", "It follows from the protocol; possible: {outcomes}."),
        ("Шаг «{step}».", "Step “{step}”."),
    ),
    "run_need_verified": state(
        ("Нет действующей поверки", "Сначала поверьте прибор."),
        ("No verification is in force", "Have the device verified first."),
        ("Шаг «{step}», поверка до: {until}.", "Step “{step}”, verified until: {until}."),
    ),
    "run_need_mounted": state(
        ("Прибор уже установлен", "Сначала оформите его снятие."),
        ("The device is installed already", "Record its removal first."),
        ("Шаг «{step}».", "Step “{step}”."),
    ),
    "run_parts_unasked": wrong(
        ("Шаг не меняет состава прибора", "Запишите детали отдельно от шага."),
        ("The step does not alter the composition", "Record the parts apart from the step."),
        ("Шаг «{step}».", "Step “{step}”."),
    ),
    "line_no_process": state(
        ("Этот прибор здесь не в работе", "Откройте для него процесс, или ремонт, если прибор вернулся."),
        ("This device is not in work here", "Open a process for it, or a repair where the device came back."),
        ("{title}.", "{title}."),
    ),
    "line_other_step": state(
        ("Прибор на другом шаге", "Передайте его туда, где этот шаг выполняют."),
        ("The device is at another step", "Pass it on to where that step is done."),
        ("{title}: {step}.", "{title}: {step}."),
    ),
    "line_not_ours": state(
        ("Этот шаг ждёт другую организацию", "Шаг выполняет тот, кому он поручен."),
        ("This step waits for another organisation", "Whoever has the role does the step."),
        ("{title}.", "{title}."),
    ),
    "scan_unknown": wrong(
        ("Здесь нет ничего с таким номером", "Отсканируйте ещё раз или заведите паспорт прибора."),
        ("Nothing here has that number", "Scan it once more, or register the device."),
        ("Прочитано: {text}.", "Read: {text}."),
        NotFoundError,
    ),
    "part_quantity": wrong(
        ("Количество не число", "Введите число больше нуля, до шести знаков после запятой."),
        ("That is no quantity", "Enter a number above nothing, up to six digits after the point."),
        ("Введено: {quantity}.", "Entered: {quantity}."),
    ),
    "kit_designation": wrong(
        ("Этой детали нет в комплекте", "Верните её на место и возьмите деталь из комплекта: {expected}."),
        ("That part is not of this kit", "Put it back and take one of the kit: {expected}."),
        ("Отсканировано: {designation}.", "Scanned: {designation}."),
    ),
    "kit_position": wrong(
        ("Такого места в комплекте нет", "Есть места: {positions}."),
        ("The kit has no such position", "There are: {positions}."),
        ("{designation}, место {position}.", "{designation}, position {position}."),
    ),
    "kit_too_many": wrong(
        ("Эта деталь уже установлена", "На место {position} идёт {quantity}. Лишнюю верните."),
        ("That part is there already", "Position {position} takes {quantity}. Put the other one back."),
        ("{designation}, место {position}.", "{designation}, position {position}."),
    ),
    "kit_missing": wrong(
        ("Комплект неполный", "Отсканируйте недостающее: {missing}."),
        ("The kit is not complete", "Scan what is missing: {missing}."),
        ("Не хватает: {missing}.", "Missing: {missing}."),
    ),
    "run_parts_needed": wrong(
        ("Не указаны детали", "Отсканируйте детали комплекта."),
        ("No parts are named", "Scan the parts of the kit."),
        ("Шаг «{step}».", "Step “{step}”."),
    ),
    "run_detail_needed": wrong(
        ("Не заполнено то, о чём спрашивает шаг", "Заполните: {missing}."),
        ("Something that the step asks is missing", "Fill in: {missing}."),
        ("Шаг «{step}».", "Step “{step}”."),
    ),
    "device_unfit": state(
        ("Прибор признан непригодным", "Отправьте его в ремонт или замените."),
        ("The device was found unfit", "Have it repaired, or take another one."),
        ("Признан непригодным {on}.", "Found unfit on {on}."),
    ),
    "result_unknown": unknown("Такого результата поверки здесь нет", "There is no such result of verification here"),
    "result_stands": state(
        ("Результат в силе или не выгружался", "Аннулируйте его здесь, прежде чем отметить аннулирование в реестре."),
        ("The result stands, or went into no file", "Annul it here before you note that the register did."),
    ),
}
