"""Problems of templates, documents, acts, attachments and bench files."""

from node.errors import NotFoundError, PeerError
from node.web.problems.text import ProblemText, denied, state, unknown, wrong

PROBLEMS: dict[str, ProblemText] = {
    "template_unknown": unknown("Такого шаблона здесь нет", "There is no such template here"),
    "template_refused": wrong(
        ("Шаблон не принят", "Исправьте шаблон: причина — в подробностях."),
        ("The template was refused", "Correct it: the detail tells why."),
        ("{ru}", ""),
    ),
    "template_version_taken": state(
        ("Эта версия шаблона уже опубликована с другим содержанием", "Увеличьте номер версии."),
        ("This version of the template is published with other content", "Raise the version."),
    ),
    "document_unreadable": wrong(
        ("Документ не читается", "Отправьте JSON по шаблону, дробные числа — строками."),
        ("The document cannot be read", "Send JSON by the template, with decimals as text."),
        ("{ru}", ""),
    ),
    "document_refused": wrong(
        ("Документ нарушает правила шаблона", "Исправьте перечисленные значения и отправьте ещё раз."),
        ("The document breaks rules of its template", "Correct the listed values and send it again."),
    ),
    "document_too_large": wrong(
        ("Документ слишком велик для подписи", "Сократите его или вынесите вложения."),
        ("The document is too large to be signed", "Shorten it or leave attachments out."),
    ),
    "protocol_unknown": unknown("Такого протокола здесь нет", "There is no such protocol here"),
    "protocol_unreadable": wrong(
        ("Подписанный протокол не читается", "Попросите автора записать его заново."),
        ("A signed protocol cannot be read", "Ask its author to record it again."),
        ("{ru}", ""),
    ),
    "template_missing": state(
        ("Шаблона этого акта здесь нет или он не работает", "Запросите шаблон у узлов на странице протокола."),
        ("The template of this act is not here or does not run", "Ask the peers for it on the protocol's page."),
    ),
    "protocol_not_own": state(
        ("Исправить можно только свой действующий протокол", "Попросите автора исправить его."),
        ("Only an own protocol that stands can be corrected", "Ask its author to correct it."),
    ),
    "act_one_party": state(
        ("У этого протокола одна сторона, и она подписала", "Подписывать больше некому."),
        ("This protocol has one party, and it has signed", "Nobody else has to sign it."),
    ),
    "act_replaced": state(
        ("Автор заменил этот документ другим", "Откройте новый документ и подпишите его."),
        ("Its author replaced this document", "Open the new one and sign that."),
        ("Вместо него стоит {ref}.", "In its place stands {ref}."),
    ),
    "act_annulled": state(
        ("Автор аннулировал этот документ", "Попросите автора составить новый."),
        ("Its author annulled this document", "Ask its author for a new one."),
        ("Причина: {reason}.", "The reason: {reason}."),
    ),
    "act_closed": denied(
        ("Сам документ вашей организации не открыт", "Попросите автора открыть паспорт прибора."),
        ("The document itself is not open to your organisation", "Ask its author to share the passport."),
    ),
    "act_not_party": denied(
        ("Ваша организация — не сторона этого акта", "Подписать или объяснить может сторона, названная в документе."),
        ("Your organisation is no party of this act", "A party that the document names signs it or gives the reason."),
    ),
    "act_role": wrong(
        ("Подпись этой стороны не ждут", "Выберите сторону, подписи которой нет."),
        ("The signature of this party is not waited for", "Choose a party whose signature is lacking."),
    ),
    "act_objection": wrong(
        ("Возражает сама сторона, а не другая за неё", "Укажите причину: отказ, отсутствие, нет ответа или узла."),
        ("A party objects itself, nobody does for it", "Give a reason: refused, absent, no answer or no node."),
    ),
    "attachment_unknown": unknown("Такого файла у протокола нет", "The protocol has no such file"),
    "attachment_erased": wrong(
        ("Этот файл стёрт", "Кто, когда и почему — в паспорте, у этой записи."),
        ("This file was erased", "The passport tells at this statement who let it be erased, when and why."),
        kind=NotFoundError,
    ),
    "attachment_closed": denied(
        ("Файл вашей организации не открыт", "Попросите автора открыть его."),
        ("The file is not open to your organisation", "Ask its author to share it."),
    ),
    "attachment_large": wrong(
        ("Файл слишком велик или пуст", "Один файл — до 20 МБ, все вместе — до 40 МБ. Уменьшите снимок."),
        ("The file is too large or empty", "One file has at most 20 MB, all together 40 MB. Make the picture smaller."),
    ),
    "attachment_refused": wrong(
        ("Такой файл приложить нельзя", "Приложите снимок JPEG, PNG или WebP, файл PDF, XML, CSV или TXT."),
        ("Such a file cannot be attached", "Attach a picture (JPEG, PNG, WebP), a PDF, XML, CSV or TXT."),
        ("{ru}", ""),
    ),
    "attachments_many": wrong(
        ("Файлов больше, чем можно приложить", "Соедините снимки в один PDF."),
        ("More files than can be attached", "Put the pictures into one PDF."),
        ("Можно не больше {most}.", "At most {most} are taken."),
    ),
    "attachment_wrong": wrong(
        ("Байты файла не те, что подписаны", "Сообщите автору протокола."),
        ("The bytes of the file are not those that were signed", "Tell the author of the protocol."),
    ),
    "attachment_away": wrong(
        ("Файл сейчас взять неоткуда", "Повторите, когда узел автора будет на связи."),
        ("Nobody gives the file now", "Try again when the author's node can be reached."),
        kind=PeerError,
    ),
    "form_unknown": unknown("Такого черновика здесь нет", "There is no such draft here"),
    "form_changed": state(
        (
            "Черновик тем временем изменён в другом окне",
            "Ниже то, что набрано в этом окне: проверьте и сохраните ещё раз, тогда останется оно.",
        ),
        (
            "The draft was changed in another window meanwhile",
            "Below is what was typed in this one: look at it and keep it again, and it stays.",
        ),
    ),
    "form_of_step": state(
        ("Черновик протокола подписывается вместе с шагом", "Выполните шаг: протокол подпишется с ним."),
        ("The draft is signed together with its step", "Do the step: the protocol is signed with it."),
        ("Шаг {step} процесса {run}.", "Step {step} of the process {run}."),
    ),
    "forms_many": state(
        ("Слишком много черновиков", "Подпишите или удалите старые."),
        ("Too many drafts", "Sign or drop old ones."),
        ("Можно не больше {most}.", "At most {most} are kept."),
    ),
    "bench_no_template": wrong(
        ("Нет шаблона проливной установки", "Сначала опубликуйте шаблон, потом отправьте файл."),
        ("There is no template of a flow bench", "Publish one before the first bench file."),
    ),
}
