"""What the codes of the LoRa network and of readings read as for people, in Russian and English."""

import re

from node.web.passport_words import words

RADIO_STATES: dict[str, tuple[str, str]] = {
    "waiting": ("ждёт подключения", "waits for its join"),
    "joined": ("подключён, сверяется", "joined, being compared"),
    "agreed": ("сверен", "compared"),
    "registered": ("зарегистрирован", "registered"),
    "stopped": ("остановлен: данные расходятся", "stopped: fields differ"),
    "retired": ("снят с сети", "taken off the air"),
}
FRAME_STATES: dict[str, tuple[str, str]] = {
    "accepted": ("принят", "accepted"),
    "decoded": ("прочитан", "read"),
    "undecoded": ("не прочитан", "not read"),
    "unresolved": ("ничей", "nobody’s"),
    "refused": ("отклонён", "refused"),
}
DRIVER_STATES: dict[str, tuple[str, str]] = {
    "active": ("работает", "runs"),
    "replaced": ("заменён новой версией", "replaced by a later version"),
    "refused": ("не принят", "refused"),
    "quarantined": ("в карантине: повторные сбои", "quarantined: it failed again and again"),
    "stopped": ("остановлен администратором", "stopped by an administrator"),
    "withdrawn": ("отозван издателем", "withdrawn by its publisher"),
}
NAME_STATES: dict[str, tuple[str, str]] = {  # how a driver's name stands to the catalog
    "mapped": ("сопоставлено", "mapped"),
    "name": ("по названию", "by its name"),
    "unmapped": ("не сопоставлено", "not mapped"),
}
UNREAD: dict[str, tuple[str, str]] = {
    "no-driver": ("нет драйвера", "no driver"),
    "no-passport": ("нет паспорта прибора, который услышал мост", "no passport of the meter that a bridge heard"),
    "empty": ("нет данных для чтения", "nothing to read"),
    "missing-key": ("нет ключа прибора", "no key of the meter"),
    "wrong-key": ("ключ не подходит", "the key is another one"),
    "unknown-format": ("формат сжатого кадра ещё не встречался", "a compact format that was not heard yet"),
    "unprotected": ("не зашифровано, хотя ключ есть", "not encrypted, though the key is known"),
    "foreign-meter": ("кадр другого прибора", "a frame of another meter"),
    "frame": ("драйвер не узнаёт кадр", "the driver does not know the frame"),
    "fault": ("сбой драйвера", "the driver failed"),
    "suspended": ("драйвер приостановлен после сбоя, будет прочитан позже", "its driver is suspended, read later"),
    "driver-changed": ("драйвер сменился, будет прочитан заново", "the driver changed, it will be read again"),
}
CAPABILITIES: dict[str, tuple[str, str]] = {
    "time-read": ("время читается", "time is read"),
    "time-set": ("время устанавливается", "time is set"),
    "stamped-archive": ("архив с метками времени", "archive with times"),
}
REFUSALS: dict[str, tuple[str, str]] = {
    "unknown_device": ("прибор не этой сети", "not a device of this network"),
    "wrong_join_eui": ("другой JoinEUI", "another JoinEUI"),
    "broken_mic": ("чужой ключ: MIC не сходится", "another key: the MIC does not hold"),
    "dev_nonce_replayed": ("повтор DevNonce", "DevNonce used before"),
    "exhausted": ("JoinNonce исчерпан", "no JoinNonce left"),
    "unknown_address": ("адрес не этой сети", "no address of this network"),
    "replay": ("повтор кадра", "a replay"),
    "counter_end": ("счётчик исчерпан", "the counter has run out"),
}
DISOBEYED: dict[str, tuple[str, str]] = {  # why a device does not do what the network asked
    "refused": ("прибор отказался", "the device refused"),
    "unanswered": ("прибор не ответил", "the device did not answer"),
    "not_done": ("прибор согласился и не выполнил", "the device agreed and did otherwise"),
}
COMPARED: dict[str, tuple[str, str]] = {
    "dev_eui": ("DevEUI", "DevEUI"),
    "join_eui": ("JoinEUI (AppEUI)", "JoinEUI (AppEUI)"),
    "region": ("Регион", "Region"),
    "port": ("Порт", "Port"),
    "payload": ("Вид данных", "Payload shape"),
    "serial": ("Заводской №", "Serial"),
    "made": ("Дата изготовления", "Date made"),
    "firmware": ("Версия прошивки", "Firmware"),
    "clock": ("Часы", "Clock"),
    "temperature": ("Температура", "Temperature"),
    "volume": ("Показание, объём", "Register, volume"),
    "energy_active_import": ("Показание, энергия", "Register, energy"),
}
STEP_DETAILS: dict[str, tuple[str, str]] = {
    "class-a": ("класс A: слушает после каждой передачи", "class A: listens after each transmission"),
    "class-c": ("класс C: слушает всегда", "class C: listens always"),
    "none": ("часы прибора не видны", "its clock is not seen"),
    "utc-watch": ("часы сверяются с UTC", "its clock is watched against UTC"),
    "device": ("по расписанию прибора", "as the device has it"),
}
SETTINGS: dict[str, tuple[str, str]] = {
    "dev_eui": ("DevEUI", "DevEUI"),
    "join_eui": ("JoinEUI (AppEUI)", "JoinEUI (AppEUI)"),
    "version": ("Версия LoRaWAN", "LoRaWAN version"),
    "device_class": ("Класс", "Class"),
    "region": ("Регион", "Region"),
    "activation": ("Активация", "Activation"),
    "ports": ("Порты", "Ports"),
    "driver": ("Драйвер", "Driver"),
    "firmware_version": ("Версия прошивки", "Firmware version"),
    "operating_mode": ("Режим работы", "Operating mode"),
    "time_service": ("Служба времени", "Time service"),
    "reporting_schedule": ("Расписание передачи", "Reporting schedule"),
}
CHOSEN = frozenset({"operating_mode", "time_service", "reporting_schedule"})
READING_STATUSES: dict[str, tuple[str, str]] = {
    "ok": ("достоверно", "ok"),
    "uncertain": ("сомнительно", "uncertain"),
    "bad": ("недостоверно", "bad"),
}
DOUBTS: dict[str, tuple[str, str]] = {  # why a value is not ok
    "clock-ahead": ("часы прибора впереди", "the clock of the meter is ahead"),
    "clock-behind": ("часы прибора отстают", "the clock of the meter is behind"),
    "counter-below-last": ("меньше прежнего показания", "below the reading before"),
    "below-range": ("ниже допустимого", "below the range"),
    "above-range": ("выше допустимого", "above the range"),
    "unit-mismatch": ("единица не подходит к величине", "the unit does not fit the quantity"),
    "not-mapped": ("сопоставить нельзя: другая единица", "cannot be mapped: another unit"),
    "second-value": ("второе значение этого момента", "a second value of this moment"),
}


def parameter_words(code: str, value: object, language: str) -> str:
    """A value of a parameter: what a registration chose is told in words."""
    return words(STEP_DETAILS if code in CHOSEN else {}, value, language)


def step_words(detail: str, language: str) -> str:
    """What was decided in a step of a registration."""
    count = re.fullmatch(r"(\d+) fields agree", detail)
    if count:
        return f"сходится полей: {count[1]}" if language == "ru" else f"{count[1]} fields agree"
    differs = re.fullmatch(r"differs: (.+)", detail)
    if differs:
        names = ", ".join(words(COMPARED, name, language) for name in differs[1].split(", "))
        return f"расходятся: {names}" if language == "ru" else f"differ: {names}"
    return words(STEP_DETAILS, detail, language)
