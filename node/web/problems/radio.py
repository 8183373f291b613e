"""Problems of the LoRa network."""

from node.web.problems.text import ProblemText, denied, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "radio_off": state(
        ("На этом узле нет сети LoRa", "Включите раздел [radio] в config.toml и перезапустите узел."),
        ("This node runs no LoRa network", "Enable [radio] in config.toml and start the node again."),
    ),
    "radio_unknown": state(
        ("В паспорте нет раздела о радио", "Попросите изготовителя дополнить паспорт."),
        ("The passport does not say how the device joins", "Ask its maker to complete the passport."),
    ),
    "radio_disputed": state(
        ("Радиоданные паспорта оспорены", "Сначала стороны должны прийти к одному значению."),
        ("The passport's radio facts are disputed", "The parties must agree on one value first."),
        ("Оспорено поле {field}.", "The field {field} is disputed."),
    ),
    "radio_activation": state(
        ("Прибор активируется не по воздуху", "Узел подключает приборы с активацией OTAA."),
        ("The device is not activated over the air", "This node takes devices with OTAA."),
    ),
    "profile_incomplete": state(
        ("Профиль прибора неполон", "Попросите изготовителя дополнить паспорт."),
        ("The device profile is incomplete", "Ask the maker to complete the passport."),
        ("{reason}", "{reason}"),
    ),
    "region_differs": state(
        ("Прибор и сеть разных регионов", "Проверьте, тот ли это прибор и та ли сеть."),
        ("Device and network are of different regions", "Check that this is the right device and network."),
        ("Прибор для {device}, сеть — {network}.", "The device is for {device}, the network is {network}."),
    ),
    "nothing_to_redecode": unknown("Перечитывать нечего", "There is nothing to read again"),
    "redecoding_runs": state(
        ("Архив уже перечитывается", "Дождитесь конца: ход работы — на странице импорта."),
        ("The archive is being read already", "Wait for its end: the page of imports shows how far it is."),
    ),
    "month_open": wrong(
        ("Месяц ещё не окончен", "Закройте его после окончания: месяцы считаются по UTC."),
        ("The month is not over", "Close it when it is over: months are counted in UTC."),
    ),
    "nothing_to_close": unknown("За этот месяц ничего не прочитано", "Nothing was read in that month"),
    "month_not_closed": unknown("Этот узел такой месяц не закрывал", "This node did not close that month"),
    "closing_contested": state(
        ("Возможно, это два прибора", "Сначала решите, один это прибор или два."),
        ("The device may be two", "Decide first whether it is one device or two."),
    ),
    "closing_differs": state(
        ("Этот месяц уже закрыт с другими показаниями", "Закройте его ещё раз и назовите причину: видны будут оба."),
        ("This month was closed with other readings", "Close it again and say why: both closings will be seen."),
    ),
    "closing_series": state(
        ("В месяце слишком много рядов", "Снимите с прибора лишние величины."),
        ("The month has too many series", "Let the driver read fewer quantities."),
        ("Помещается {most}.", "There is room for {most}."),
    ),
    "driver_refused": wrong(
        ("Драйвер не принят", "Исправьте его: причина — в подробностях. Проверить можно командой driver test."),
        ("The driver was refused", "Correct it: the detail tells why. The command driver test checks it."),
        ("{ru}", ""),
    ),
    "driver_state": state(
        ("С драйвером в этом состоянии так не сделать", "Обновите страницу: его состояние изменилось."),
        ("This cannot be done with a driver in that state", "Load the page again: its state has changed."),
    ),
    "driver_not_own": denied(
        ("Драйвер отзывает только его издатель", "У себя его можно остановить."),
        ("Only its publisher withdraws a driver", "On this node it can be stopped."),
    ),
    "mapping_refused": wrong(
        ("Строка сопоставления не принята", "Исправьте названное поле: ничего не изменено."),
        ("The row of the mapping was refused", "Correct the named field: nothing was changed."),
        ("Поле {field}: {why}.", "Field {field}: {why}."),
    ),
    "mapping_row_unknown": unknown("Такой строки сопоставления нет", "The mapping has no such row"),
    "publisher_unknown": unknown("Этому издателю здесь не доверяют", "This publisher is not trusted here"),
    "meter_doubled": state(
        ("Под этим именем в эфире известен другой прибор", "Проверьте имя: изготовитель и номер из телеграммы."),
        ("Another meter is known on the air by that name", "Check it: the maker and the number of its telegrams."),
        ("Имя {meter}.", "Name {meter}."),
    ),
    "driver_missing": state(
        ("Нет подходящего драйвера", "Установите драйвер этого типа и повторите."),
        ("No driver fits", "Install the driver of this type and try again."),
        ("{reason}", "{reason}"),
    ),
    "root_key_missing": state(
        ("Корневой ключ прибора сюда не приходил", "Ключ приходит с отгрузкой: примите её или спросите продавца."),
        ("The device's root key never came here", "It comes with the shipment: accept it, or ask the seller."),
    ),
    "dev_eui_doubled": state(
        ("Этот DevEUI стоит в нескольких паспортах", "Выясните, у какого прибора он настоящий."),
        ("This DevEUI stands in several passports", "Find out which device really has it."),
        ("DevEUI {dev_eui}.", "DevEUI {dev_eui}."),
    ),
    "radio_device_unknown": unknown("Такого прибора в этой сети нет", "This network has no such device"),
    "registration_not_stopped": state(
        ("Регистрация не остановлена", "Сверять заново нечего."),
        ("The registration is not stopped", "There is nothing to compare once more."),
    ),
    "registration_changed": state(
        ("Регистрация тем временем продвинулась", "Обновите страницу."),
        ("The registration went on meanwhile", "Load the page again."),
    ),
    "gateway_unknown": unknown("Такого шлюза здесь нет", "There is no such gateway here"),
    "configuration_not_ours": denied(
        (
            "Радиоданные этого прибора заявляют другие",
            "Их задаёт владелец сети, собственник или изготовитель. Попросите у них право писать о приборе.",
        ),
        (
            "Others state how this device joins",
            "The network's owner, the title holder or the maker does. Ask one of them for the right to write of it.",
        ),
        ("{title}", "{title}"),
    ),
    "setting_missing": wrong(
        ("Не хватает параметра", "Заполните его: без него прибор не подключится."),
        ("A setting is missing", "Fill it in: without it the device does not join."),
        ("Параметр {setting}.", "The setting {setting}."),
    ),
    "setting_nobody": wrong(
        ("Такого адреса нет ни у одного прибора", "Считайте DevEUI с прибора."),
        ("No device has that address", "Read the DevEUI off the device."),
    ),
    "setting_version": wrong(
        ("Такой версии LoRaWAN нет", "Запишите её как 1.0.3."),
        ("There is no such version of LoRaWAN", "Write it as 1.0.3."),
    ),
    "setting_region": wrong(
        ("Такого региона нет в справочнике", "Выберите один из: {regions}."),
        ("The catalog has no such region", "Choose one of: {regions}."),
    ),
    "setting_ports": wrong(
        ("Порты записаны неверно", "Перечислите числа от 1 до 223 через запятую."),
        ("The ports cannot be read", "List numbers from 1 to 223 with commas between them."),
    ),
    "setting_form": wrong(
        ("Параметр записан неверно", "Проверьте его запись."),
        ("A setting cannot be read", "Check how it is written."),
        ("Параметр {setting}.", "The setting {setting}."),
    ),
    "root_key_stated": state(
        (
            "У прибора уже есть ключ",
            "Если он потерян или раскрыт, выпустите новый с указанием причины: прежний перестанет действовать.",
        ),
        (
            "The device has a key already",
            "Where it was lost or given away, issue a new one with the reason: the one before counts no longer.",
        ),
        ("Ключ заявлен {at:%Y-%m-%d %H:%M} UTC.", "It was stated at {at:%Y-%m-%d %H:%M} UTC."),
    ),
    "root_key_form": wrong(
        ("Ключ не читается", "AppKey — это 32 шестнадцатеричные цифры. Скопируйте его целиком."),
        ("The key cannot be read", "An AppKey is 32 hex digits. Copy all of it."),
        ("Пришло знаков: {length}.", "{length} characters came."),
    ),
    "root_key_weak": wrong(
        ("Такой ключ не защищает", "Запишите в прибор другой, выпустив его здесь."),
        ("Such a key protects nothing", "Issue one here and write it into the device."),
        ("Почему: {why}.", "Why: {why}."),
    ),
    "root_key_used": state(
        ("Такой ключ уже есть у другого прибора", "Проверьте, с того ли прибора он взят, или выпустите новый."),
        ("Another device has that key already", "Check which device it was taken from, or issue a new one."),
        ("Прибор: {titles}.", "Device: {titles}."),
    ),
    "root_key_unasked": wrong(
        ("У прибора с такой активацией нет корневого ключа", "Выберите OTAA или оставьте ключ без изменений."),
        ("A device with such an activation has no root key", "Choose OTAA, or leave the key as it is."),
    ),
    "days_reversed": wrong(
        ("Первый день позже последнего", "Поменяйте дни местами."),
        ("The first day is after the last", "Change them about."),
    ),
    "driver_doubled": wrong(
        ("Драйверы с таким именем есть у нескольких издателей", "Назовите издателя: поле org."),
        ("Several publishers have a driver of that id", "Name the publisher: the field org."),
        ("Издатели: {publishers}.", "Publishers: {publishers}."),
    ),
    "driver_unknown": unknown("Такого драйвера на этом узле нет", "This node has no such driver"),
    "frame_unread": wrong(
        ("Драйвер не читает этот кадр", "Проверьте порт, драйвер и ключ; кадр вставьте целиком."),
        ("The driver does not read this frame", "Check port, driver and key; paste the whole frame."),
        ("Почему: {why}.", "Why: {why}."),
    ),
    "frame_typed": wrong(
        ("Это не шестнадцатеричные цифры", "Кадр — пары цифр 0-9 и букв A-F, ключ — 32 таких знака."),
        ("These are no hex digits", "A frame is pairs of 0-9 and A-F, a key 32 of them."),
        ("Поля: {fields}.", "Fields: {fields}."),
    ),
}
