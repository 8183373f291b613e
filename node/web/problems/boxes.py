"""Problems of boxes and of claims to them."""

from node.errors import NotFoundError, PeerError
from node.web.problems.text import ProblemText, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "box_count": wrong(
        ("Коробок слишком много или ни одной", "Разделите их на несколько раз."),
        ("Too many boxes at once, or none", "Make them in several goes."),
        ("За один раз — до {most}.", "Up to {most} are made at once."),
    ),
    "box_empty": wrong(
        ("Нет номера накладной или приборов", "Впишите номер и список приборов, по одному в строке."),
        ("The delivery note's number or the devices are missing", "Fill in the number, and the devices one a line."),
    ),
    "box_split": wrong(
        (
            "Приборы не разложены по коробкам",
            "Укажите коробку у каждой строки или ни у одной; каждый прибор — в одной коробке.",
        ),
        ("The devices are not parted into boxes", "Name a box on every line or on none; each device lies in one box."),
    ),
    "box_not_of_code": unknown("Это код другой коробки", "That is the code of another box"),
    "box_mistyped": wrong(
        (
            "Код коробки записан с ошибкой",
            "Никого не спрашивали. Сверьте с листом: BOX1- и 28 знаков; или отсканируйте лист.",
        ),
        (
            "The code of the box is mistyped",
            "Nobody was asked. Compare it with the sheet: BOX1- and 28 characters; or scan the sheet.",
        ),
    ),
    "box_code_alone": wrong(
        (
            "Это код коробки, а не номер прибора",
            "По нему не ищут, и его никому не сообщают. Здесь нужен номер прибора; код - там, где забирают коробку.",
        ),
        (
            "That is the code of a box, not the number of a device",
            "It is not searched for and told to nobody. Name a device here, and give the code where a box is claimed.",
        ),
    ),
    "box_no_device": wrong(
        ("Не указан прибор из коробки", "Отсканируйте или введите номер любого прибора, который в ней лежит."),
        ("No device of the box is named", "Scan or type the number of any device that lies in it."),
    ),
    "box_own": wrong(
        ("Это коробка вашей организации", "Чтобы вернуть приборы себе, отзовите её на странице отгрузки."),
        ("The box is this organisation's own", "To have its devices back, withdraw it on the page of the shipment."),
    ),
    "box_no_seller": wrong(
        (
            "Этого прибора в федерации никто не знает",
            "Сверьте номер. Если верен, коробка из другой федерации или о ней ещё не сообщили: спросите продавца.",
        ),
        (
            "Nobody in this federation knows that device",
            "Check the number. If it is right, the box is of another federation or not announced yet: ask its seller.",
        ),
        ("Искали: {id}.", "Looked for: {id}."),
        NotFoundError,
    ),
    "box_silent": wrong(
        (
            "Узел продавца не отвечает",
            "Попробуйте позже: код остаётся в силе. Если не ответит и завтра, позвоните продавцу.",
        ),
        (
            "The seller's node does not answer",
            "Try later: the code stays good. Call the seller if it is silent tomorrow.",
        ),
        ("Спрашивали: {name}.", "Asked: {name}."),
        PeerError,
    ),
    "box_unknown": wrong(
        (
            "Такой коробки с этим прибором у продавца нет",
            "Код и прибор должны быть из одной коробки: сверьте оба с листом. Если всё верно, спросите продавца.",
        ),
        (
            "The seller has no such box with that device",
            "Code and device have to be of one box: compare both with the sheet. If they are right, ask the seller.",
        ),
        ("Спрашивали: {name}.", "Asked: {name}."),
        NotFoundError,
    ),
    "box_claimed": state(
        (
            "Эту коробку уже получила другая организация",
            "Коробка передаётся один раз. Если она у вас в руках, сообщите продавцу: он видит, кто её получил.",
        ),
        (
            "Another organisation claimed this box already",
            "A box is handed over once. If you hold it, tell the seller: he sees who claimed it.",
        ),
        ("Продавец: {name}.", "The seller: {name}."),
    ),
    "box_withdrawn": state(
        ("Продавец отозвал эту коробку", "Попросите у продавца новый код или отгрузку на вашу организацию."),
        ("The seller withdrew this box", "Ask him for a new code, or for a shipment to your organisation."),
        ("Продавец: {name}.", "The seller: {name}."),
    ),
    "box_gone": state(
        (
            "Продавец больше не может передать эти приборы",
            "Право на них уже у другой организации или о нём спорят: спросите продавца.",
        ),
        (
            "The seller may not pass these devices on any more",
            "Their title is another organisation's, or is disputed: ask the seller.",
        ),
        ("Продавец: {name}.", "The seller: {name}."),
    ),
    "box_limit": state(
        (
            "Слишком много неудачных попыток сегодня",
            "Узел продавца ответит вашей организации завтра (по UTC). Верный код до тех пор не пропадёт.",
        ),
        (
            "Too many tries failed today",
            "The seller's node answers your organisation again tomorrow (UTC). A right code is not lost meanwhile.",
        ),
        ("Продавец: {name}.", "The seller: {name}."),
    ),
}
