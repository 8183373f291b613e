"""Findings of catalog rules as plain values that doors put into words: pointer, rule, value, texts in two languages."""

from collections.abc import Iterable, Mapping

from node.errors import InputError
from node.passport.catalog_messages import rule_words
from node.passport.catalog_records import RecordFault
from node.passport.catalog_rules import RowFinding

Shown = dict[str, object]
MOST = 100


def show_finding(pointer: str, rule: str, value: str, words: Mapping[str, str], place: str = "body") -> Shown:
    """One broken rule where it stands."""
    texts = {language: rule_words(rule, {"value": value, **words}, language) for language in ("ru", "en")}
    told = {language: {"what": what, "advice": advice} for language, (what, advice) in texts.items()}
    return {"place": place, "pointer": pointer, "rule": rule, "value": value[:80], **told}


def show_row_finding(found: RowFinding, pointers: Mapping[str, str], place: str = "body") -> Shown:
    """A finding of a row; `pointers` say where its fields stand in what was sent."""
    return show_finding(pointers.get(found.field, f"/{found.field}"), found.rule, found.value, found.words, place)


def show_fault(fault: RecordFault) -> Shown:
    """A fault of a record of a catalog, by its code and field."""
    return show_finding(f"/records/{fault.code}/{fault.field}", fault.rule, fault.value, {})


def refusal(code: str, findings: Iterable[Shown]) -> InputError:
    """The error of what breaks rules, with the first hundred of them."""
    shown = list(findings)
    first = shown[0]
    told = first["en"]
    what = told["what"] if isinstance(told, dict) else ""
    message = f"{first['pointer']} {str(first['value'])!r} breaks {first['rule']}: {what}"
    named = {name: first[name] for name in ("pointer", "rule", "value")}
    return InputError(message, code, findings=shown[:MOST], count=len(shown), **named)
