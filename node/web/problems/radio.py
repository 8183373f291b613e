"""Problems of the LoRa network."""

from node.web.problems.text import ProblemText, state, unknown

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
}
