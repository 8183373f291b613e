"""What the codes of rights and grants read as for people, in Russian and English."""

from node.web.passport_words import Table

WHYS: Table = {
    "author": ("автор", "author"),
    "published": ("опубликовано для всех", "published for everybody"),
    "party": ("названа в заявлении", "named in the statement"),
    "maker": ("производитель", "manufacturer"),
    "network": ("сеть LoRa", "LoRa network"),
    "title": ("собственник", "owner by title"),
    "role": ("роль", "role"),
    "offer": ("ей предложена роль", "is offered a role"),
    "carrier": ("отгрузка идёт через её узел", "a shipment goes through its node"),
    "grant": ("разрешение", "grant"),
}
VERBS: Table = {"read": ("читать", "read"), "write": ("писать", "write"), "pass-on": ("передавать дальше", "pass on")}
LACKS: Table = {
    "ended": ("право прекращено", "the right was ended"),
    "profile": ("право ограничено профилем, в котором этого раздела нет", "the profile of the right does not name it"),
    "time": ("это было не в срок действия права", "it occurred outside the time of the right"),
    "author": ("право открывает только слова другого автора", "the right opens another author's statements alone"),
    "class": ("право не открывает разделы этого класса", "the right does not open sections of this class"),
    "personal": ("персональное открывает только автор", "its author alone opens what is personal"),
    "sealed": ("секретное передаётся только запечатанным", "what is secret is given sealed alone"),
    "papers": ("бумаги отгрузки — только её двум сторонам", "papers of a shipment are its two parties'"),
    "none": ("права на этот паспорт нет", "there is no right to this passport"),
}
ROWS: Table = {
    "alias": ("другие номера", "other names"),
    "event": ("события", "events"),
    "parameter": ("параметры", "parameters"),
    "protocol": ("протоколы", "protocols"),
    "composition": ("комплектацию", "composition"),
}
