"""Problems of catalogs, releases, imports and checks."""

from node.errors import NotFoundError
from node.web.problems.text import ProblemText, denied, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "catalog_unknown": wrong(
        ("Такого справочника нет", "Выберите справочник из списка."),
        ("There is no such catalog", "Choose one of the list."),
    ),
    "code_unknown": wrong(
        ("В справочнике нет такого кода", "Выберите код из справочника."),
        ("The catalog has no such code", "Choose a code of the catalog."),
    ),
    "catalog_rule": wrong(
        ("Запись не проходит по справочнику", "Исправьте названные поля и отправьте ещё раз: ничего не записано."),
        ("The record breaks a catalog", "Correct the named fields and send it again: nothing was recorded."),
        (
            "{pointer}: «{value}» — правило {rule}. Нарушений всего: {count}.",
            "{pointer}: «{value}» breaks the rule {rule}. Broken rules in all: {count}.",
        ),
    ),
    "catalog_refused": wrong(
        ("Записи не проходят по правилам справочника", "Исправьте названные поля: ничего не подписано."),
        ("Records break the rules of the catalog", "Correct the named fields: nothing was signed."),
        (
            "{pointer}: «{value}» — правило {rule}. Нарушений всего: {count}.",
            "{pointer}: «{value}» breaks the rule {rule}. Broken rules in all: {count}.",
        ),
    ),
    "codes_refused": wrong(
        ("Свои коды не приняты", "Исправьте названные строки и загрузите ещё раз: не взято ничего."),
        ("The own codes were not taken", "Correct the named rows and load them again: nothing was taken."),
        (
            "{pointer}: «{value}» — правило {rule}. Нарушений всего: {count}.",
            "{pointer}: «{value}» breaks the rule {rule}. Broken rules in all: {count}.",
        ),
    ),
    "mapping_empty": wrong(
        ("Ничего не отмечено", "Отметьте подсказки или впишите центральный код."),
        ("Nothing is checked", "Check suggestions, or type a central code."),
    ),
    "mapping_twice": wrong(
        ("Для одного своего кода отмечено два центральных", "Оставьте одну отметку."),
        ("Two central codes are checked for one own code", "Leave one of them checked."),
        ("Код {local}.", "Code {local}."),
    ),
    "codes_too_many": wrong(
        ("Строк слишком много", "Отправьте частями."),
        ("There are too many rows", "Send them in parts."),
    ),
    "own_code_unknown": unknown("О таком своём коде ничего не сказано", "Nothing was said of such an own code"),
    "saying_unknown": wrong(
        ("Такого своего заявления нет", "Выберите заявление из списка связей."),
        ("There is no such own statement", "Choose one of the list of mappings."),
        kind=NotFoundError,
    ),
    "saying_replaced": state(
        ("Код с тех пор связали заново", "Отмените более новую связь или измените её."),
        ("The code was bound anew since", "Undo the newer mapping, or change it."),
        ("Код {local}.", "Code {local}."),
    ),
    "not_a_steward": denied(
        ("Организация не ведёт этот справочник", "Попросите якорь федерации подтвердить это право."),
        ("This organisation does not keep the catalog", "Ask an anchor of the federation to attest it."),
        ("Справочник {catalog}.", "Catalog {catalog}."),
    ),
    "release_number_taken": state(
        ("Выпуск с таким номером уже есть", "Возьмите больший номер."),
        ("There is a release of that number already", "Take a greater number."),
        ("Последний выпуск — {newest}.", "The newest release is {newest}."),
    ),
    "release_refused": wrong(
        ("Выпуск не подписан", "Исправьте названное и повторите."),
        ("The release was not signed", "Correct what is named and try again."),
    ),
    "release_unknown": unknown("Такого выпуска здесь нет", "There is no such release here"),
    "release_arriving": state(
        ("Выпуск ещё не пришёл целиком", "Подождите: остальное придёт обменом."),
        ("The release is not here whole yet", "Wait: the rest comes by exchange."),
    ),
    "release_contested": state(
        ("Под одним номером подписаны разные выпуски", "Спросите, кто ведёт справочник: не действует ни один."),
        ("Two releases were signed under one number", "Ask the stewards: neither of them counts."),
    ),
    "type_unknown": unknown("Такого типа нет", "There is no such type"),
    "type_refused": wrong(
        ("Запись типа не принята", "Исправьте названное поле."),
        ("The record of the type was refused", "Correct the named field."),
    ),
    "type_taken": state(
        ("Тип с этим кодом публикует другая организация", "Возьмите другой код."),
        ("Another organisation publishes a type of this code", "Take another code."),
    ),
    "type_version_taken": state(
        ("Такая версия типа уже опубликована", "Версия не меняется: назовите новую."),
        ("That version of the type is published already", "A version never changes: name a new one."),
        ("Версия {version}.", "Version {version}."),
    ),
    "import_unreadable": wrong(
        ("Файл не читается", "Сохраните его как XLSX или CSV и отправьте ещё раз."),
        ("The file cannot be read", "Save it as XLSX or CSV and send it again."),
        ("{ru}", ""),
    ),
    "file_none": wrong(
        ("Файл не выбран или пуст", "Выберите файл и отправьте ещё раз."),
        ("No file was chosen, or it is empty", "Choose a file and send it again."),
    ),
    "supplier_unknown": wrong(
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
    "check_unreadable": wrong(
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
    "check_unknown": wrong(
        ("Такой проверки здесь нет", "Проверки хранятся час и только в памяти узла: отправьте файл ещё раз."),
        ("There is no such check here", "Checks are kept for an hour, in memory only: send the file again."),
        kind=NotFoundError,
    ),
    "report_empty": wrong(
        ("В отчёте нет строк", "Все строки приняты: исправлять нечего."),
        ("The report has no rows", "Every row was taken: there is nothing to correct."),
    ),
    "undo_unsupported": wrong(
        ("Это задание не отменяется", "Отменяются импорты таблиц приборов и файлов производства."),
        ("This job is not undone", "Imports of fleet tables and production files are."),
    ),
    "undo_running": state(
        ("Импорт или его отмена ещё идёт", "Дождитесь конца и повторите."),
        ("The import, or an undo of it, is not through", "Wait for its end and try again."),
    ),
    "undo_untraced": state(
        ("Узел не помнит, что сказал этот импорт", "Он сделан прежней версией: исправьте паспорта по одному."),
        (
            "The node did not note what this import said",
            "It is of an earlier version: correct the passports one by one.",
        ),
    ),
    "undo_nothing": state(
        ("Отменять нечего", "Всё, что сказал этот импорт, уже отозвано, или он не сказал ничего."),
        ("Nothing is left to undo", "All that this import said was taken back already, or it said nothing."),
    ),
    "shipped_already": state(
        ("Приборы уже стоят в другой отгрузке", "Уберите их из этой отгрузки."),
        ("Devices stand in another shipment already", "Leave them out of this one."),
    ),
}
