"""Problems of roles and of who may give them."""

from node.errors import NotFoundError
from node.web.problems.text import ProblemText, denied, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "role_not_held": denied(
        (
            "Эту роль даёт не наша организация",
            "Смотрите в паспорте, у кого роль сейчас или с будущего дня: передаёт её он.",
        ),
        (
            "The role is not ours to give",
            "See in the passport who holds it now, or from a later day: that organisation passes it on.",
        ),
        ("Прибор {id}.", "Device {id}."),
    ),
    "role_data_source": denied(
        (
            "Наша организация здесь только источник данных",
            "Записывайте наблюдаемые параметры и показания; прочее записывают владелец, ответственный и исполнитель.",
        ),
        (
            "Our organisation is a source of data here and no more",
            "Record observed parameters and readings; the rest is for the owner, the responsible party, the executor.",
        ),
    ),
    "mandate_unknown": unknown("Такого акта о роли здесь нет", "No such act about a role is here"),
    "mandate_to_self": wrong(
        ("Себе роль не предлагают", "Выберите другую организацию."),
        ("A role is offered to others", "Choose another organisation."),
    ),
    "mandate_count": wrong(
        ("Неверное число приборов в акте", "Разделите список на несколько актов."),
        ("Wrong number of things in an act", "Divide the list into several acts."),
        (
            "В одном акте от 1 до {most}, считая все номера одного прибора.",
            "1 to {most}, counting every id of a thing.",
        ),
    ),
    "mandate_grounds": wrong(
        ("Слишком много разных оснований в одном акте", "Разделите приборы по тому, откуда они у вас."),
        ("Too many grounds for one act", "Divide the things by how they came to you."),
    ),
    "mandate_period": wrong(
        ("Конец раньше начала", "Исправьте срок."), ("It would end before it begins", "Correct the time.")
    ),
    "mandate_document": wrong(
        ("Нет документа", "Назовите договор или акт, по которому у стороны эта роль."),
        ("There is no document", "Name the contract or act by which the party has the role."),
    ),
    "mandate_has_node": state(
        ("У этой организации есть узел", "Предложите ей роль: нужна и её подпись."),
        ("That organisation has a node", "Offer it the role: it signs too."),
        ("Номер {number}.", "Number {number}."),
    ),
    "mandate_needs_offer": wrong(
        ("Эту роль не назначают", "Предложите её, или заявите по документу."),
        ("This role is not given", "Offer it, or state it by a document."),
    ),
    "mandate_not_offered": wrong(("Эту роль не предлагают", "Назначьте её."), ("This role is not offered", "Give it.")),
    "mandate_offered": state(
        ("Роль уже предложена и ждёт ответа", "Дождитесь ответа или отзовите прежнее предложение."),
        ("The role is offered already", "Wait for the answer, or take the earlier offer back."),
        ("Акт {mandate}.", "Act {mandate}."),
    ),
    "mandate_no_offer": state(
        ("Этот акт — не предложение", "На него не отвечают; роль можно прекратить."),
        ("That act is no offer", "It is not answered; the role may be ended."),
    ),
    "mandate_not_ours": denied(
        ("Отвечает другая организация", "Ответить может та, кому предложено, отозвать — та, кто предложил."),
        ("Another organisation answers", "The one that is named answers, the one that offered takes back."),
    ),
    "mandate_answered": state(
        ("Предложение больше не ждёт ответа", "Если роль ещё нужна, предложите её заново."),
        ("The offer waits no longer", "Offer the role anew if it is still wanted."),
    ),
    "mandate_lapsed": state(
        ("Срок предложения вышел", "Попросите предложить роль заново: принятое после срока не действует."),
        ("The offer has lapsed", "Ask for a new one: what is accepted after its time has no effect."),
        ("Оно действовало до {until}.", "It stood until {until}."),
    ),
    "mandate_disputed": state(
        ("Роль приняли двое", "Сначала решите на странице передач, чьё принятие действует."),
        ("Two organisations accepted the role", "Decide on the page of hand-overs first which acceptance counts."),
        ("Прибор {id}.", "Device {id}."),
    ),
    "mandate_shipped": state(
        ("Прибор стоит в отгрузке, которая ждёт ответа", "Дождитесь ответа покупателя или отзовите отгрузку."),
        ("The device stands in a shipment that waits", "Wait for the buyer, or take the shipment back."),
        ("Прибор {id}.", "Device {id}."),
    ),
    "ship_offered": state(
        (
            "Право на прибор уже предложено по акту передачи",
            "Отзовите то предложение на странице ролей, потом отгружайте.",
        ),
        (
            "The title is offered by an act of hand-over already",
            "Take that offer back on the page of roles, then ship.",
        ),
        ("Прибор {id}.", "Device {id}."),
    ),
    "mandate_escrow_until": wrong(
        ("Хранение ключей не назначают на срок", "Уберите срок: хранение прекращает собственник."),
        ("An escrow has no term", "Leave the term out: the owner ends it."),
    ),
    "handover_no_dispute": unknown(
        "По этому акту ничего не принято дважды", "Nothing that this act offered was accepted twice"
    ),
    "handover_not_ours": denied(
        ("Решает тот, кто предложил", "Попросите решить прежнего владельца роли."),
        ("Who offered it decides", "Ask the former holder of the role to decide."),
    ),
    "mandate_not_standing": state(
        ("Прекращать нечего: акт не действует", "Посмотрите историю роли в паспорте."),
        ("There is nothing to end: the act does not stand", "See the history of the role in the passport."),
    ),
    "mandate_title": wrong(
        ("Право собственности не прекращают", "Передайте его: предложением или по документу."),
        ("A title does not end", "Pass it on: by an offer, or by a document."),
    ),
    "mandate_things": wrong(
        ("В этом акте таких приборов нет", "Проверьте номера."),
        ("The act names none of these things", "Check the ids."),
        kind=NotFoundError,
    ),
}
