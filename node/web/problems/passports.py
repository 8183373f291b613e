"""Problems of passports, their search, identity, corrections and composition."""

from node.errors import NotFoundError
from node.web.problems.text import ProblemText, denied, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "passport_unknown": unknown("Такого паспорта здесь нет", "There is no such passport here"),
    "passport_withdrawn": wrong(
        (
            "Паспорта больше нет: сказанное отозвано",
            "История осталась в журнале. Ошибка? Зарегистрируйте прибор заново.",
        ),
        ("No passport any more: it was taken back", "Its journal stays. Was that a mistake? Register the device anew."),
        ("Отозвано {day}: {reason}", "Taken back on {day}: {reason}"),
        kind=NotFoundError,
    ),
    "statement_unknown": unknown("Такого фрагмента здесь нет", "There is no such statement here"),
    "erasure_unknown": unknown("Такого запроса на стирание здесь нет", "There is no such erasure here"),
    "erase_count": wrong(
        ("Слишком много разделов для одного запроса", "Разделите запрос: не больше {most} разделов сразу."),
        ("Too many sections for one erasure", "Ask in parts of at most {most} sections."),
    ),
    "erase_nothing": wrong(
        ("В этом фрагменте нечего стирать", "Персональных разделов в нём нет: ошибку исправляют, а не стирают."),
        ("Nothing of this statement may be erased", "It has no personal section: a mistake is corrected, not erased."),
    ),
    "erase_no_section": wrong(
        ("Такого раздела у фрагмента нет", "Выберите раздел из списка персональных."),
        ("The statement has no such section", "Choose one of its personal sections."),
        ("{section}", "{section}"),
    ),
    "erase_not_personal": wrong(
        ("Стирают только персональные разделы", "Остальное исправляют: запишите исправление."),
        ("Only personal sections are erased", "Everything else is corrected: record a correction."),
        ("{section}", "{section}"),
    ),
    "erase_foreign": denied(
        ("Чужой фрагмент", "Попросите его автора; не ответит — якорей федерации."),
        ("The statement is another organisation's", "Ask its author; if it does not answer, the federation's anchors."),
    ),
    "erased_already": state(
        ("Этот раздел уже стёрт", "Кто ещё не подтвердил — на странице «Стирание»."),
        ("This section is erased already", "The page “Erasures” tells who has not acknowledged it."),
    ),
    "erase_asked": state(
        ("Вы уже просили стереть этот раздел", "Запрос ждёт подписи других якорей."),
        ("You asked for this section already", "The request waits for other anchors."),
    ),
    "erase_not_waiting": state(
        ("Этот запрос не ждёт вашей подписи", "Обновите страницу: его могли уже выполнить."),
        ("This erasure does not wait for you", "Reload the page: it may be done by now."),
    ),
    "query_empty": wrong(
        ("Пустой запрос", "Введите номер, идентификатор или DevEUI."),
        ("The query is empty", "Type a serial, an id or a DevEUI."),
    ),
    "job_unknown": unknown("Такого задания нет", "There is no such job"),
    "moment": wrong(
        ("Это не дата и время", "Запишите как 2026-01-31 или 2026-01-31T12:00:00Z."),
        ("This is no date and time", "Write it as 2026-01-31 or 2026-01-31T12:00:00Z."),
    ),
    "moment_future": wrong(
        ("Это время ещё не наступило", "Записывают то, что уже было: проверьте год и число."),
        ("This moment has not come yet", "What is recorded has happened: check the year and the day."),
    ),
    "id_mistyped": wrong(
        ("Идентификатор прибора записан с ошибкой", "Проверьте знаки: последние два — контрольные."),
        ("The device id is mistyped", "Check its characters: the last ones are a check."),
    ),
    "eui_mistyped": wrong(
        ("DevEUI записан с ошибкой", "В DevEUI 16 знаков 0-9 и A-F: проверьте, не пропущен ли знак и нет ли лишнего."),
        ("The DevEUI is mistyped", "A DevEUI has 16 characters 0-9 and A-F: check whether one is missing or too many."),
    ),
    "not_signable": wrong(
        ("Этого нельзя подписать", "Уберите лишние знаки из текстов или сократите их: причина — в подробностях."),
        ("This cannot be signed", "Take odd characters out of the texts, or shorten them: the detail tells why."),
    ),
    "plate_unread": wrong(
        ("Надпись на шильдике не разобрана", "Введите обозначение и заводской номер отдельно."),
        ("The plate could not be read", "Type the designation and the serial apart."),
    ),
    "plate_mute": wrong(
        ("На табличке нет ни буквы, ни цифры", "Введите обозначение и заводской номер, как они напечатаны."),
        ("The plate has no letter and no digit", "Type the designation and the serial as they are printed."),
        ("Прочитано: «{text}» ({field}).", "It reads «{text}» ({field})."),
    ),
    "plate_year_future": wrong(
        ("Год изготовления ещё не наступил", "Проверьте год на табличке."),
        ("The year of make has not come", "Check the year on the plate."),
        ("На табличке прочитан год {year}.", "The plate was read as of {year}."),
    ),
    "part_same": wrong(
        ("Снята и установлена одна и та же деталь", "Проверьте заводские номера: их два."),
        ("One part came out and went in again", "Check the serials: there are two of them."),
    ),
    "event_before_production": wrong(
        ("Событие раньше изготовления прибора", "Проверьте дату события."),
        ("The event is earlier than the device's manufacture", "Check the date of the event."),
        ("Прибор изготовлен {made}.", "The device was made on {made}."),
    ),
    "production_after_events": wrong(
        ("Изготовление позже других событий прибора", "Проверьте дату изготовления и даты событий."),
        ("The manufacture is later than other events of the device", "Check its date and those of the events."),
        ("Событие «{what}» было уже {on}.", "{what} was on {on} already."),
    ),
    "verification_before_production": wrong(
        ("Поверка кончилась раньше изготовления прибора", "Проверьте срок поверки и дату изготовления."),
        ("The verification ends before the device was made", "Check its term and the date of manufacture."),
        ("Прибор изготовлен {made}.", "The device was made on {made}."),
    ),
    "correction_nothing": wrong(
        ("Исправлять нечего", "Такое значение в паспорте ещё никто не заявил: запишите его как новое."),
        ("There is nothing to correct", "Nobody stated that value in this passport: record it as a new one."),
        kind=NotFoundError,
    ),
    "correction_value": wrong(
        ("Такого значения не бывает", "Проверьте, что написано на табличке."),
        ("There is no such value", "Compare with what stands on the plate."),
        ("Поле {fact} записано не по правилу.", "The field {fact} breaks its rule."),
    ),
    "correction_same": wrong(
        ("Значение уже такое", "Исправление должно отличаться от того, что есть."),
        ("That is the value already", "A correction differs from what stands."),
    ),
    "correction_replaced": state(
        ("Это событие уже исправлено", "Исправляйте то, что стоит вместо него."),
        ("This event was corrected already", "Correct the one that stands in its place."),
        ("Вместо него стоит {ref}.", "In its place stands {ref}."),
    ),
    "event_told_otherwise": state(
        ("Под этим номером система сообщила о другом", "Пришлите событие под своим номером или исправьте прежнее."),
        ("The system told another event under this id", "Send it under its own id, or correct the earlier one."),
        ("Событие {external} системы {system} — {ref}.", "Event {external} of {system} is {ref}."),
    ),
    "correction_unit": wrong(
        ("Неясно, в какой единице значение", "Назовите единицу: без неё то же число значило бы другое."),
        ("In which unit the value is, is not clear", "Name the unit: without it the number would mean another value."),
        ("Параметр {fact} заявлен в единицах: {units}.", "The parameter {fact} is stated in {units}."),
    ),
    "correction_document": wrong(
        ("Нет документа", "Спор закрывают документом: укажите акт, запись реестра, заключение или решение."),
        ("The document is missing", "A dispute is closed by a paper: name the act, record, expertise or ruling."),
    ),
    "correction_ground": wrong(
        ("Такого документа в паспорте нет", "Назовите запись этого паспорта либо номер бумаги словами."),
        ("There is no such document in this passport", "Name a statement of this passport, or a paper in words."),
        ("{document} не относится к этому прибору.", "{document} is not about this device."),
    ),
    "correction_unknown": wrong(
        ("Такого исправления нет", "Исправления перечислены в паспорте среди записей."),
        ("There is no such correction", "The passport lists corrections among its statements."),
        kind=NotFoundError,
    ),
    "correction_own": wrong(
        ("Это ваше исправление", "Подтвердить его должна другая сторона: владелец или лаборатория."),
        ("This correction is your own", "Another party agrees with it: the owner or a lab."),
    ),
    "composition_cycle": state(
        ("Изделие оказалось бы в своей же детали", "Проверьте, что во что входит."),
        ("The whole would stand in its own part", "Check what stands in what."),
        ("{part} уже содержит это изделие: {path}.", "{part} holds this whole already: {path}."),
    ),
    "composition_two_parents": state(
        ("Деталь уже стоит в другом изделии", "Сначала запишите снятие, либо выберите более поздний момент."),
        ("The part stands in another whole", "Record its removal first, or choose a later moment."),
        ("{part} стоит в {whole} ({title}) с {since}.", "{part} stands in {whole} ({title}) since {since}."),
    ),
    "composition_there": state(
        ("Деталь уже стоит здесь", "Повторно записывать её не нужно."),
        ("The part stands here already", "There is nothing to record."),
        ("{part} уже стоит в {whole} ({title}).", "{part} stands in {whole} ({title}) already."),
    ),
    "composition_twice": wrong(
        ("Одна деталь названа дважды", "Оставьте её в списке один раз."),
        ("One part is named twice", "Leave it once in the list."),
    ),
    "composition_absent": wrong(
        ("Такой детали в изделии нет", "Посмотрите состав на нужную дату."),
        ("No such part stands in this whole", "Look at what stands inside on that date."),
        kind=NotFoundError,
    ),
    "part_unnamed": wrong(
        ("Деталь не названа", "Укажите id детали, либо обозначение или номер с неё."),
        ("The part is not named", "Give its id, or the designation or serial printed on it."),
    ),
    "part_several": wrong(
        ("Под этим номером известно несколько изделий", "Укажите id нужного: он есть в паспорте и в QR-коде."),
        ("Several things are known by this", "Give the id of the one that is meant: its passport and QR code have it."),
        ("Подходят: {titles}.", "These fit: {titles}."),
    ),
    "plate_elsewhere": state(
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
    "sameness_self": wrong(
        ("Это уже один паспорт", "Назовите два разных паспорта."),
        ("This is one passport already", "Name two different passports."),
    ),
    "sameness_unknown": wrong(
        (
            "Такого заявления нет",
            "Отозвать можно только то, что заявила ваша организация: список есть в паспорте.",
        ),
        ("There is no such word", "Only what your organisation said can be taken back: the passport lists it."),
        kind=NotFoundError,
    ),
    "twin_moves_unknown": wrong(
        ("Запись не об этом приборе", "Перечислите записи этого паспорта: они показаны в нём."),
        ("That statement is not about this device", "Name statements of this passport: it shows them."),
    ),
    "twin_no_plate": wrong(
        ("Выделить двойника нельзя", "Двойник возможен у прибора, чью табличку кто-нибудь заявил."),
        ("No twin can be told apart", "There are twins only of a device whose plate somebody stated."),
    ),
    "line_refused": wrong(
        ("Серия номеров не принята", "Исправьте описание серии."),
        ("The serial line was not taken", "Correct the description of the line."),
    ),
}
