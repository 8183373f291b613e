"""Findings of a document in words: the template's own, the catalogs' and the node's, with personal values masked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from node.passport.catalog_messages import rule_words
from node.passport.templates.findings import Finding
from node.passport.templates.messages import Explanation, explain
from node.secret import MASK
from node.services.papers import CATALOG_RULE

OPEN_WORDS = frozenset({"expected", "check", "rule"})  # parameters of findings that come from the template alone


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding in words. The value of a personal place is masked wherever it stands."""

    pointer: str
    layer: str
    severity: str
    rule: str
    code: str
    value: str
    ru: Explanation
    en: Explanation


def explain_all(findings: Iterable[Finding]) -> tuple[Remark, ...]:
    """Findings in both languages, with personal values masked."""
    return tuple(_remark(finding) for finding in findings)


def _remark(finding: Finding) -> Remark:
    shown = _masked(finding) if finding.personal else finding
    return Remark(
        shown.pointer,
        shown.layer.value,
        shown.severity.value,
        shown.rule,
        shown.code,
        shown.value,
        _words(shown, "ru"),
        _words(shown, "en"),
    )


def _masked(finding: Finding) -> Finding:
    words = tuple((name, value if name in OPEN_WORDS else MASK) for name, value in finding.parameters)
    return Finding(
        finding.layer,
        finding.severity,
        finding.pointer,
        finding.rule,
        finding.code,
        words,
        MASK if finding.value else "",
        personal=True,
    )


def _words(finding: Finding, language: str) -> Explanation:
    own = TEXTS.get(finding.code)
    if finding.rule.startswith(CATALOG_RULE):
        values = {"value": finding.value, **{name: str(value) for name, value in finding.parameters}}
        return Explanation(finding.pointer or "/", *rule_words(finding.code, values, language))
    if own is None:
        return explain(finding, language)
    what, advice = own[0:2] if language == "ru" else own[2:4]
    return Explanation(finding.pointer or "/", what.format(value=finding.value), advice)


# What a node finds beside the template's own rules; code: (ru what, ru advice, en what, en advice).
TEXTS: Mapping[str, tuple[str, str, str, str]] = {
    "party-not-named": (
        "Документ называет стороной другую организацию: {value}. Подписать его может только названная сторона.",
        "Впишите свою организацию (идентификатор или ИНН) или передайте документ названной стороне.",
        "The document names another organisation as its party: {value}. Only a party that is named may sign it.",
        "Fill in your own organisation (its id or taxpayer number), or hand the document to the party that is named.",
    ),
    "device-not-named": (
        "Документ не называет прибор.", "Впишите идентификатор прибора или тип и заводской номер.",
        "The document names no device.", "Fill in the device's id, or its type and serial.",
    ),
    "device-mistyped": (
        "Идентификатор {value} набран с ошибкой.", "Сверьте его с этикеткой прибора.",
        "The id {value} is mistyped.", "Compare it with the device's label.",
    ),
    "place-mistyped": (
        "Идентификатор места {value} набран с ошибкой.", "Сверьте его с паспортом объекта.",
        "The id of the place, {value}, is mistyped.", "Compare it with the passport of the object.",
    ),
    "device-unknown": (
        "Паспорта прибора {value} на этом узле нет.", "Сначала импортируйте прибор или запросите его паспорт.",
        "No passport of {value} is on this node.", "Import the device first, or ask for its passport.",
    ),
    "device-ambiguous": (
        "Под {value} здесь несколько приборов.", "Укажите идентификатор прибора.",
        "Several devices here go by {value}.", "Name the device by its id.",
    ),
    "device-serial-differs": (
        "Заводской номер {value} не этого прибора.", "Сверьте идентификатор и номер с табличкой.",
        "The serial {value} is not of this device.", "Compare id and serial with the plate.",
    ),
    "extract-no-time": (
        "Событие документа без времени, которое можно прочесть.", "Впишите дату или время с поясом, с 1970 года.",
        "An event of the document has no time that can be read.", "Fill in a date, or a time with its zone.",
    ),
    "extract-to-come": (
        "Этот день ещё не наступил.", "Проверьте год и число: подписывают то, что уже было.",
        "That day has not come yet.", "Check the year and the day: what is signed has happened.",
    ),
    "extract-before-made": (
        "Этот день раньше выпуска прибора.", "Сверьте дату с табличкой и паспортом прибора.",
        "That day is before the device was made.", "Compare the date with the plate and the passport.",
    ),
    "extract-times-differ": (
        "События одного документа в разное время здесь не подписываются.", "Оформите их разными документами.",
        "Events of one document at different times are not signed here.", "Make a document of each.",
    ),
    "extract-personal": (
        "Событие берётся из личных данных и было бы видно всем.", "Сообщите издателю шаблона.",
        "An event is taken out of personal data and would be seen by all.", "Tell the template's publisher.",
    ),
    "extract-too-long": (
        "Значение для паспорта длиннее 512 знаков.", "Сократите значение.",
        "A value for the passport has more than 512 characters.", "Shorten it.",
    ),
    "extract-unseen": (
        "Значение для паспорта пусто или содержит знаки, которых не видно: переводы строк, управляющие.",
        "Наберите его заново одной строкой.",
        "A value for the passport is empty or has characters that nobody sees: line ends, controls.",
        "Type it again in one line.",
    ),
    "personal-too-deep": (
        "Личные данные стоят слишком глубоко в документе.", "Сообщите издателю шаблона.",
        "Personal data stands too deep in the document.", "Tell the template's publisher.",
    ),
}  # fmt: skip
