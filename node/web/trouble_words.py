"""Why an exchange with a peer failed, for people: what it is, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.web.passport_words import Table

CODES: Table = {
    "away": ("не отвечает", "does not answer"),
    "unconnected": ("не подключён", "not connected"),
    "busy": ("просит подождать", "asks to wait"),
    "refused": ("отказывает", "refuses"),
    "answer": ("ответ не его", "not its own answer"),
    "oversize": ("слишком большой ответ", "too large an answer"),
    "slow": ("ответ тянется без конца", "an answer without end"),
    "truncated": ("ответ обрывается", "its answer breaks off"),
    "certificate": ("чужой сертификат", "another certificate"),
    "broken": ("у него сбой", "it failed"),
    "filter": ("не помнит, что отслеживать", "does not keep what is followed"),
    "lacking": ("в пакете этого нет", "not in the bundle"),
    "entry": ("запись не сходится", "an entry does not verify"),
    "protocol": ("нарушает протокол", "breaks the protocol"),
    "own": ("сбой этого узла", "a fault of this node"),
}
ADVICE: Table = {
    "away": (
        "Узел спросим снова сами. Если это надолго, проверьте его адрес и связь.",
        "It is asked again by itself. If this lasts, check its address and the network.",
    ),
    "unconnected": (
        "Он подключается только сам: ждём его. Проверьте, что он работает и видит этот узел.",
        "It only dials out, so this node waits for it. Check that it runs and can reach this node.",
    ),
    "busy": (
        "Спросим позже сами. Если это надолго, администратору узла стоит поднять federation.limits.",
        "It is asked later by itself. If this lasts, its administrator may raise federation.limits.",
    ),
    "refused": (
        "Проверьте, что он знает этот узел: не скрыт ли он там и не закрыт ли его ключ.",
        "Check that it knows this node: whether it is ignored there, or its key was ended.",
    ),
    "answer": (
        "По адресу отвечает другой узел или посредник. Сверьте адрес и ключ с его администратором.",
        "Another node or something in between answers there. Compare address and key with its administrator.",
    ),
    "oversize": (
        "Остальным узлам это не мешает. Сообщите его администратору; если повторяется, скройте узел.",
        "Other nodes are not affected. Tell its administrator; if it goes on, ignore the node.",
    ),
    "slow": (
        "Остальным узлам это не мешает. Проверьте связь с ним; если повторяется, скройте узел.",
        "Other nodes are not affected. Check the line to it; if it goes on, ignore the node.",
    ),
    "truncated": (
        "Спросим снова сами. Если повторяется, проверьте связь или посредника между узлами.",
        "It is asked again by itself. If it goes on, check the line, or what stands between the nodes.",
    ),
    "certificate": (
        "Если он сменил сертификат, попросите новое приглашение; если нет, отвечает не он.",
        "If it changed its certificate, ask for a new invitation; if not, it is not the one that answers.",
    ),
    "broken": (
        "Причина в журнале работы того узла: сообщите его администратору.",
        "Its own log tells why: tell its administrator.",
    ),
    "filter": (
        "Сравните версии узлов; если повторяется, берите от него всё или скройте узел.",
        "Compare the versions of both nodes; if it goes on, take everything of it, or ignore the node.",
    ),
    "lacking": (
        "Попросите полный пакет: узел, сделавший этот, считает, что остальное здесь есть.",
        "Have a whole bundle made: whoever made this one takes it that the rest is here.",
    ),
    "entry": (
        "Всё до этой записи принято, дальше журнал не берём. Сообщите администратору того узла.",
        "All before it was taken, nothing after it is. Tell the administrator of that node.",
    ),
    "protocol": (
        "Принятое ранее цело. Сравните версии узлов; если повторяется, скройте узел.",
        "What was taken before is whole. Compare the versions of both nodes; if it goes on, ignore the node.",
    ),
    "own": (
        "Подробности в журнале работы этого узла (node.log в его папке).",
        "The log of this node tells more (node.log in its folder).",
    ),
}

# What refusals say, in words of their own: what stands in them, then Russian and English.
SAID: Sequence[tuple[str, str, str]] = (
    ("was expelled from the federation", "наша организация исключена из федерации", "we are expelled"),
    ("left the federation", "наша организация вышла из федерации", "we left the federation"),
    ("nobody in the federation speaks for", "за нас никто не поручился", "nobody speaks for us"),
    ("no node of a known organisation", "нас там ещё не знают", "we are not known there yet"),
    ("entries a day of", "гость прислал больше записей, чем берётся за день", "a guest sent too much for a day"),
    (", which is a guest", "у гостя слишком много журналов", "a guest has too many logs"),
)


@dataclass(frozen=True, slots=True)
class TroubleText:
    """What people read of a trouble: a word, what to do, and what happened as the node noted it."""

    title: str
    advice: str
    happened: str


def trouble_text(noted: str, language: str) -> TroubleText:
    """The words of a trouble of a peer, which is kept as `code: what happened`."""
    code, _, happened = noted.partition(": ")
    if code not in CODES:
        code, happened = "protocol", noted  # noted by an earlier version
    at = 0 if language == "ru" else 1
    said = next((words[at] for needle, *words in SAID if needle in happened), CODES[code][at])
    return TroubleText(said, ADVICE[code][at], happened)
