"""What the codes of a passport read as for people, in Russian and English."""

STANDINGS: dict[str, tuple[str, str]] = {
    "registered": ("в госреестре", "registered"),
    "agreed": ("согласовано", "agreed"),
    "stated": ("заявлено уполномоченным", "stated"),
    "working": ("рабочее", "working"),
    "disputed": ("спорно", "disputed"),
    "claim": ("притязание", "claim"),
}
STATES: dict[str, tuple[str, str]] = {
    "manufactured": ("изготовлен", "manufactured"),
    "calibrated": ("откалиброван", "calibrated"),
    "configured": ("настроен", "configured"),
    "marked": ("промаркирован", "marked"),
    "packed": ("упакован", "packed"),
    "shipped": ("отгружен", "shipped"),
    "sold": ("продан", "sold"),
    "verified": ("поверен", "verified"),
    "rejected": ("признан непригодным", "rejected"),
    "installed": ("установлен", "installed"),
    "admitted": ("допущен к расчётам", "admitted"),
    "joined": ("подключён к сети", "joined"),
    "registered": ("зарегистрирован", "registered"),
    "removed": ("демонтирован", "removed"),
    "repaired": ("отремонтирован", "repaired"),
    "modified": ("доработан", "modified"),
    "transferred": ("передан", "transferred"),
    "lost": ("утерян", "lost"),
    "found": ("найден", "found"),
    "scrapped": ("списан", "scrapped"),
    "": ("состояние неизвестно", "state unknown"),
}
FIELDS: dict[str, tuple[str, str]] = {
    "mark": ("Товарный знак", "Mark"),
    "designation": ("Обозначение", "Designation"),
    "serial": ("Заводской №", "Serial"),
    "year": ("Год выпуска", "Year"),
    "approvals": ("Номер в ГРСИ", "Approval"),
    "activation": ("Активация", "Activation"),
    "dev_eui": ("DevEUI", "DevEUI"),
    "join_eui": ("JoinEUI (AppEUI)", "JoinEUI (AppEUI)"),
    "device_class": ("Класс", "Class"),
    "driver": ("Драйвер", "Driver"),
    "ports": ("Порты", "Ports"),
    "region": ("Регион", "Region"),
    "version": ("Версия LoRaWAN", "LoRaWAN version"),
}


def words(table: dict[str, tuple[str, str]], code: object, language: str) -> str:
    """The words of a code, or the code itself where it is somebody's own."""
    text = "" if code is None else str(code)
    found = table.get(text)
    return text if found is None else found[0 if language == "ru" else 1]
