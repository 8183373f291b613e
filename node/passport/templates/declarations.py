"""How a template declares its rules: each of a type of the catalog, with its members and an `if`.

A rule of a type, or with a member, that this node does not know is kept and leaves every document not fully checked.
A known rule that lacks a member, or points where the schema allows nothing, refuses the template.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from node.passport.strict_json import Json, show
from node.passport.templates.errors import TemplateRefusedError
from node.passport.templates.extract import Condition, read_condition, read_place
from node.passport.templates.facts import PassportFacts
from node.passport.templates.findings import Severity, parameters
from node.passport.templates.pointer import EVERY, Pointer
from node.passport.templates.rules import (
    MAX_MONTHS,
    AllPass,
    DatePlusMonthsMinusDay,
    DocnumAgrees,
    FactRule,
    MinItemsIf,
    ParameterEquals,
    Problem,
    RelativeError,
    RequiredIf,
    Rule,
    TimeOrder,
    VerificationValidOn,
    WithinMpe,
)
from node.passport.templates.schema import Schema

MAX_RULES = 200


@dataclass(frozen=True, slots=True)
class Declared:
    """A rule as a template declares it; `rule` is None where this node does not understand it."""

    name: str
    rule: Rule | None
    condition: Condition | None = None

    def check(self, document: Json, facts: PassportFacts) -> Iterator[Problem]:
        """Problems of a document, if the rule's condition holds; an unknown rule is itself a problem."""
        if self.rule is None:
            yield Problem(Pointer(), "rule-unknown", parameters(rule=self.name), Severity.UNCHECKED)
        elif self.condition is None or self.condition.holds(document):
            if isinstance(self.rule, FactRule):
                yield from self.rule.check(document, facts)
            else:
                yield from self.rule.check(document)


def read_rules(raw: Json, schema: Schema) -> tuple[Declared, ...]:
    """The `rules` list of a template; raise TemplateRefusedError naming the rule that is broken."""
    if not isinstance(raw, list) or len(raw) > MAX_RULES:
        raise TemplateRefusedError(
            f"rules is no list of at most {MAX_RULES}", f"rules — не список до {MAX_RULES} правил"
        )
    return tuple(_read_rule(item, schema, f"rules/{index}") for index, item in enumerate(raw))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the members of one declared rule; every failure names the rule."""

    raw: Mapping[str, Json]
    schema: Schema
    where: str

    def place(self, name: str) -> Pointer:
        return read_place(self.raw[name], self.schema, f"{self.where}/{name}")

    def each(self) -> Pointer:
        return read_place(self.raw["each"], self.schema, f"{self.where}/each", wildcard=True)

    def member(self, name: str) -> Pointer:
        raw = self.raw[name]
        if not isinstance(raw, str) or not raw:
            raise TemplateRefusedError(
                f"{show(raw)} names no member", f"{show(raw)} — не имя поля", f"{self.where}/{name}"
            )
        inside = raw if raw.startswith("/") else "/" + raw.replace("~", "~0").replace("/", "~1")
        full = read_place(f"{self.each().child(EVERY)}{inside}", self.schema, f"{self.where}/{name}", wildcard=True)
        return Pointer(full.tokens[len(self.each().tokens) + 1 :])

    def tolerance(self, name: str) -> Decimal:
        raw = self.raw[name]
        if isinstance(raw, bool) or not isinstance(raw, int | Decimal) or raw < 0:
            raise TemplateRefusedError(
                f"{show(raw)} is no number of at least 0", f"{show(raw)} — не число от 0", f"{self.where}/{name}"
            )
        return Decimal(raw)

    def count(self, name: str, most: int) -> int:
        raw = self.raw[name]
        if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= most:
            raise TemplateRefusedError(
                f"{show(raw)} is no number from 0 to {most}",
                f"{show(raw)} — не целое число от 0 до {most}",
                f"{self.where}/{name}",
            )
        return raw

    def months(self, name: str) -> Pointer | int:
        return self.place(name) if isinstance(self.raw[name], str) else self.count(name, MAX_MONTHS)

    def text(self, name: str) -> str:
        raw = self.raw[name]
        if not isinstance(raw, str) or not raw:
            raise TemplateRefusedError(f"{show(raw)} is no code", f"{show(raw)} — не код", f"{self.where}/{name}")
        return raw


Build = Callable[[_Reader], Rule]
_CATALOG: dict[str, tuple[frozenset[str], frozenset[str], Build]] = {
    "relative_error": (
        frozenset({"each", "measured", "reference", "error", "tolerance"}),
        frozenset(),
        lambda r: RelativeError(
            r.each(), r.member("measured"), r.member("reference"), r.member("error"), r.tolerance("tolerance")
        ),
    ),
    "within_mpe": (
        frozenset({"each", "error", "mpe"}),
        frozenset({"flag"}),
        lambda r: WithinMpe(
            r.each(), r.member("error"), r.member("mpe"), r.member("flag") if "flag" in r.raw else None
        ),
    ),
    "all_pass": (frozenset({"each", "flag"}), frozenset(), lambda r: AllPass(r.each(), r.member("flag"))),
    "time_order": (frozenset({"from", "to"}), frozenset(), lambda r: TimeOrder(r.place("from"), r.place("to"))),
    "required_if": (frozenset({"pointer", "if"}), frozenset(), lambda r: RequiredIf(r.place("pointer"))),
    "min_items_if": (
        frozenset({"pointer", "min", "if"}),
        frozenset(),
        lambda r: MinItemsIf(r.place("pointer"), r.count("min", 100_000)),
    ),
    "date_plus_months_minus_day": (
        frozenset({"from", "months", "to"}),
        frozenset(),
        lambda r: DatePlusMonthsMinusDay(r.place("from"), r.months("months"), r.place("to")),
    ),
    "docnum_agrees": (
        frozenset({"pointer", "cipher", "date", "fit"}),
        frozenset(),
        lambda r: DocnumAgrees(r.place("pointer"), r.place("cipher"), r.place("date"), r.place("fit")),
    ),
    "verification_valid_on": (
        frozenset({"device", "date"}),
        frozenset(),
        lambda r: VerificationValidOn(r.place("device"), r.place("date")),
    ),
    "parameter_equals": (
        frozenset({"device", "parameter", "pointer"}),
        frozenset(),
        lambda r: ParameterEquals(r.place("device"), r.text("parameter"), r.place("pointer")),
    ),
}
RULE_TYPES = frozenset(_CATALOG)
_COMMON = frozenset({"type", "if", "title", "description"})


def _read_rule(raw: Json, schema: Schema, where: str) -> Declared:
    if not isinstance(raw, dict) or not isinstance(name := raw.get("type"), str) or not name:
        raise TemplateRefusedError(
            f"a rule has a type, got {show(raw)}", f"у правила должен быть type, а стоит {show(raw)}", where
        )
    if name not in _CATALOG:
        return Declared(name, None)
    needed, allowed, build = _CATALOG[name]
    if lacking := sorted(needed - raw.keys()):
        raise TemplateRefusedError(f"{name} lacks {', '.join(lacking)}", f"в {name} нет {', '.join(lacking)}", where)
    condition = read_condition(raw["if"], schema, where) if "if" in raw else None
    rule = build(_Reader(raw, schema, where))
    understood = raw.keys() <= needed | allowed | _COMMON and (condition is not None or "if" not in raw)
    return Declared(name, rule if understood else None, condition)
