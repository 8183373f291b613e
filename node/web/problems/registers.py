"""Problems of exchanges: the register of verifications, and 1C."""

from node.errors import PeerError
from node.web.problems.text import ProblemText, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "arshin_empty": wrong(
        ("Нет подписанных поверок для выгрузки", "Сначала подпишите протоколы поверки."),
        ("There is no signed verification to export", "Sign verification protocols first."),
    ),
    "arshin_refused": wrong(
        ("Файл для ФГИС «Аршин» не составлен", "Исправьте этот протокол из паспорта прибора и составьте файл снова."),
        (
            "The file for the Arshin register was not made",
            "Correct that protocol from its passport, and make it again.",
        ),
        ("{ru}", ""),
    ),
    "arshin_file_unknown": unknown("Такого файла «Аршин» здесь нет", "There is no such Arshin file here"),
    "annul_foreign": state(
        ("Этот результат подписала другая организация", "Попросите её аннулировать свой результат."),
        ("Another organisation signed this result", "Ask it to annul its own."),
    ),
    "protocol_replaced": state(
        ("Этот протокол уже исправлен", "Откройте исправленный и, если нужно, исправьте его."),
        ("This protocol was corrected already", "Open the corrected one, and correct that if need be."),
        ("Вместо него стоит {ref}.", "In its place stands {ref}."),
    ),
    "annulled_already": state(
        ("Результат уже аннулирован", "Проведите поверку заново и подпишите новый протокол."),
        ("The result is annulled already", "Verify the device anew and sign a new protocol."),
    ),
    "annul_nothing": state(
        ("Этот протокол — не результат поверки", "Аннулируют только результаты поверки."),
        ("This protocol is no result of a verification", "Only results of verification are annulled."),
    ),
    "register_off": state(
        ("Чтение реестра поверок выключено", "Впишите адрес в [arshin] url в config.toml и перезапустите узел."),
        ("Reading the register is off", "Set [arshin] url in config.toml and start the node again."),
    ),
    "register_nothing": wrong(
        ("Спрашивать реестр не о чем", "Выберите приборы, или подпишите поверки."),
        ("There is nothing to ask the register about", "Choose devices, or sign verifications."),
    ),
    "register_too_many": wrong(
        ("Слишком много приборов для одного чтения", "Разделите список."),
        ("Too many devices for one reading", "Split the list."),
        ("За один раз — не больше {most}.", "At most {most} at once."),
    ),
    "register_away": wrong(
        ("Реестр поверок не отвечает", "Повторите позже: уже прочитанное записано."),
        ("The register does not answer", "Try again later: what was read is written."),
        ("{reason}", "{reason}"),
        PeerError,
    ),
    "register_refused": wrong(
        ("Реестр поверок отклонил запрос", "Проверьте адрес в [arshin] url."),
        ("The register refused the request", "Check the address in [arshin] url."),
        ("Ответ {status}.", "It answered {status}."),
        PeerError,
    ),
    "answer_unknown": unknown("Такого ответа реестра здесь нет", "There is no such answer here"),
    "verify_nothing": wrong(
        ("Поверять нечего", "Выберите приборы с проливкой."),
        ("There is nothing to verify", "Choose meters that have a bench run."),
        ("За один раз — от 1 до {most}.", "From 1 to {most} at once."),
    ),
    "message_changed_1c": state(
        ("Под этим номером сообщения уже принято другое содержание", "Отправьте изменения новым сообщением."),
        ("A message of this id was taken with other content", "Send the changes as a new message."),
        ("Сообщение {other}.", "Message {other}."),
    ),
    "number_taken_1c": state(
        ("Порядковый номер занят другим сообщением", "Номера сообщений одной базы не повторяются."),
        ("The number is that of another message", "Numbers of one system's messages never repeat."),
        ("Номер {number} у сообщения {other}.", "Number {number} is that of message {other}."),
    ),
    "message_refused_1c": wrong(
        ("Сообщение 1С не принято", "Исправьте перечисленное и отправьте его снова: ничего не записано."),
        ("The message of 1C was refused", "Put right what is listed and send it again: nothing was written."),
    ),
}
