"""Broken rules of request models in words, by pydantic's own names of rules."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError

LONGEST_VALUE = 80
UNKNOWN = "extra_forbidden"
SECRET_FIELDS = ("password", "secret", "token", "app_key")


class BrokenRule(BaseModel):
    """One value that breaks a rule."""

    place: str = Field(description="Where the value was: body, query or path.")
    pointer: str = Field(description="JSON pointer to the value.")
    rule: str = Field(description="Stable name of the rule.")
    message: str = Field(description="What is wrong.")
    advice: str = Field(description="What to do.")
    value: str | None = Field(default=None, description="The value as it came, shortened.")


def broken_rules(
    place: str, error: ValidationError, language: str, names: Collection[str] = ()
) -> Iterator[BrokenRule]:
    """Every broken rule of one model, in `ru` or `en`; `names` are those of its parameters."""
    for item in error.errors(include_url=False):
        rule, context = item["type"], item.get("ctx", {})
        if place == "query" and rule == UNKNOWN:
            told = "parameter_unknown" if names else "parameter_none"
            message, advice = _words(told, {"names": ", ".join(names)}, "", language)
        else:
            message, advice = _words(rule, context, str(item["msg"]), language)
        pointer = _pointer(item["loc"])
        yield BrokenRule(
            place=place,
            pointer=pointer,
            rule=rule,
            message=message,
            advice=advice,
            value=_shown(pointer, item["input"]),
        )


def _words(rule: str, context: Mapping[str, Any], message: str, language: str) -> tuple[str, str]:
    texts = RULES.get(rule)
    if texts is None:
        return (message, "Исправьте значение." if language == "ru" else "Correct the value.")
    what, advice = texts[0:2] if language == "ru" else texts[2:4]
    values = {"error": "", **context}
    if language == "ru" and "expected" in values:
        values["expected"] = str(values["expected"]).replace(" or ", " или ")
    return what.format_map(values), advice.format_map(values)


def _pointer(location: Sequence[int | str]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def _shown(pointer: str, value: object) -> str | None:
    """A scalar as it came; nothing that could be a secret."""
    if not isinstance(value, str | int | float) or any(name in pointer for name in SECRET_FIELDS):
        return None
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


# rule: (ru what, ru advice, en what, en advice)
RULES: dict[str, tuple[str, str, str, str]] = {
    "procedure_step_twice": (
        "Шаг {step} стоит дважды.",
        "Дайте одному из них другой код.",
        "The step {step} stands twice.",
        "Give one of them another code.",
    ),
    "procedure_roles_twice": (
        "Роль стоит дважды, или названа ролью {owner}, которая есть всегда.",
        "Оставьте каждую роль один раз.",
        "A role stands twice, or is called {owner}, which is always there.",
        "Keep each role once.",
    ),
    "procedure_role_unknown": (
        "Шаг {step}: роли {role} нет.",
        "Есть: {roles}.",
        "Step {step}: there is no role {role}.",
        "There are: {roles}.",
    ),
    "procedure_next_twice": (
        "Шаг {step}: следующий шаг назван и у шага, и у исходов.",
        "Оставьте его у исходов.",
        "Step {step}: what follows is named by the step and by its outcomes.",
        "Keep it in the outcomes.",
    ),
    "procedure_outcome_twice": (
        "Шаг {step}: исход стоит дважды.",
        "Дайте одному из них другой код.",
        "Step {step}: an outcome stands twice.",
        "Give one of them another code.",
    ),
    "procedure_event_alone": (
        "Шаг {step}: событие исхода берётся из протокола, а протокола шаг не требует.",
        "Назовите шаблон протокола или уберите событие у исхода.",
        "Step {step}: the event of an outcome comes out of a protocol, and the step demands none.",
        "Name the protocol's template, or take the event out of the outcome.",
    ),
    "procedure_next_unknown": (
        "Шаг {step}: следующего шага {next} нет.",
        "Проверьте код или добавьте такой шаг.",
        "Step {step}: there is no step {next} to follow.",
        "Check the code, or add that step.",
    ),
    "procedure_step_alone": (
        "К шагу {step} не ведёт ни один шаг.",
        "Назовите его следующим у другого шага.",
        "No step leads to {step}.",
        "Name it as what follows another step.",
    ),
    "procedure_step_endless": (
        "Из шага {step} процесс не заканчивается.",
        "Уберите следующий шаг там, где процесс закончен.",
        "From the step {step} no end is reached.",
        "Leave out what follows where the process is over.",
    ),
    "missing": ("Обязательного поля нет.", "Добавьте поле.", "A required field is missing.", "Add the field."),
    "extra_forbidden": (
        "Такого поля нет.",
        "Удалите поле или проверьте его имя.",
        "There is no such field.",
        "Remove it or check its name.",
    ),
    "parameter_unknown": (
        "Такого параметра нет.",
        "Есть: {names}. Проверьте имя.",
        "There is no such parameter.",
        "There are: {names}. Check the name.",
    ),
    "parameter_none": (
        "Параметров здесь нет.",
        "Уберите параметр из адреса.",
        "This takes no parameters.",
        "Take the parameter out of the address.",
    ),
    "string_type": ("Нужна строка.", "Запишите значение в кавычках.", "A string is needed.", "Quote the value."),
    "string_too_short": (
        "Слишком коротко: нужно не меньше {min_length} знаков.",
        "Дополните значение.",
        "Too short: at least {min_length} characters.",
        "Make it longer.",
    ),
    "string_too_long": (
        "Слишком длинно: можно не больше {max_length} знаков.",
        "Сократите значение.",
        "Too long: at most {max_length} characters.",
        "Make it shorter.",
    ),
    "string_pattern_mismatch": (
        "Значение не подходит под образец {pattern}.",
        "Запишите значение по образцу.",
        "The value does not match {pattern}.",
        "Write it in that form.",
    ),
    "int_type": ("Нужно целое число.", "Введите целое число.", "An integer is needed.", "Enter an integer."),
    "int_parsing": ("Нужно целое число.", "Введите целое число.", "An integer is needed.", "Enter an integer."),
    "int_from_float": ("Нужно целое число.", "Уберите дробную часть.", "An integer is needed.", "Drop the fraction."),
    "float_type": ("Нужно число.", "Введите число.", "A number is needed.", "Enter a number."),
    "float_parsing": ("Нужно число.", "Введите число.", "A number is needed.", "Enter a number."),
    "decimal_parsing": (
        "Нужно десятичное число.",
        "Запишите число с точкой.",
        "A decimal is needed.",
        "Write it with a point.",
    ),
    "bool_type": ("Нужно true или false.", "Введите true или false.", "true or false is needed.", "Enter one of them."),
    "bool_parsing": (
        "Нужно true или false.",
        "Введите true или false.",
        "true or false is needed.",
        "Enter one of them.",
    ),
    "list_type": ("Нужен список.", "Запишите значения списком.", "A list is needed.", "Write a list."),
    "dict_type": ("Нужен объект.", "Запишите объект.", "An object is needed.", "Write an object."),
    "model_type": ("Нужен объект.", "Запишите объект.", "An object is needed.", "Write an object."),
    "model_attributes_type": ("Нужен объект.", "Запишите объект.", "An object is needed.", "Write an object."),
    "too_short": (
        "Нужно не меньше {min_length} значений.",
        "Добавьте значения.",
        "At least {min_length} items are needed.",
        "Add some.",
    ),
    "too_long": (
        "Можно не больше {max_length} значений.",
        "Отправьте частями.",
        "At most {max_length} items are taken.",
        "Send them in parts.",
    ),
    "greater_than": (
        "Нужно больше {gt}.",
        "Исправьте число.",
        "It has to be greater than {gt}.",
        "Correct the number.",
    ),
    "greater_than_equal": (
        "Нужно не меньше {ge}.",
        "Исправьте число.",
        "It has to be at least {ge}.",
        "Correct the number.",
    ),
    "less_than": ("Нужно меньше {lt}.", "Исправьте число.", "It has to be less than {lt}.", "Correct the number."),
    "less_than_equal": (
        "Нужно не больше {le}.",
        "Исправьте число.",
        "It has to be at most {le}.",
        "Correct the number.",
    ),
    "enum": (
        "Можно только: {expected}.",
        "Выберите из списка.",
        "Only {expected} may stand here.",
        "Choose from the list.",
    ),
    "literal_error": (
        "Можно только: {expected}.",
        "Выберите из списка.",
        "Only {expected} may stand here.",
        "Choose from the list.",
    ),
    "datetime_parsing": (
        "Это не дата и время.",
        "Запишите как 2026-01-31T12:00:00Z.",
        "It is no date and time.",
        "Write it as 2026-01-31T12:00:00Z.",
    ),
    "timezone_aware": (
        "У времени нет часового пояса.",
        "Добавьте Z или +03:00.",
        "The time has no zone.",
        "Add Z or +03:00.",
    ),
    "date_from_datetime_parsing": (
        "Это не дата.",
        "Запишите как 2026-01-31.",
        "It is no date.",
        "Write it as 2026-01-31.",
    ),
    "register_number": (
        "Это не {what}: не та длина или не сходятся контрольные цифры.",
        "Сверьте с документом.",
        "It is no {what}: its length or its check digits are wrong.",
        "Compare it with the paper.",
    ),
    "number_missing": (
        "Нет ни ИНН, ни ОГРН.",
        "Введите один из них.",
        "There is neither an ИНН nor an ОГРН.",
        "Enter one of them.",
    ),
    "kind_unknown": (
        "Такого вида событий нет.",
        "Виды перечислены в GET /events/kinds.",
        "There is no such kind of event.",
        "GET /events/kinds tells them.",
    ),
    "value_error": ("Значение неверно: {error}", "Исправьте.", "The value is wrong: {error}", "Correct it."),
}
