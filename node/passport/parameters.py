"""Parameters: typed values over time, by central code. A code that was only local when written answers the central one
as soon as its author binds it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import cast

from node.passport.bodies import ExtractBody, ParameterRow, ParametersBody, Reference
from node.passport.case import Case, Entry
from node.passport.catalogs import Catalog, load_central
from node.passport.measures import quantity
from node.passport.merge import Standing, Verdict
from node.passport.ranks import parameter_class
from node.passport.reading import Reading
from node.passport.statement import Statement
from node.passport.view import Plain, moment_us


@dataclass(frozen=True, slots=True)
class Version:
    """The values that one parameter has from one time on, merged; `outranked` contradict a higher one before them."""

    since: str | None
    verdict: Verdict
    outranked: bool = False

    def view(self) -> dict[str, Plain]:
        """The version as views show it: a fact with its unit and source."""
        fact = self.verdict.fact()
        if self.outranked:
            fact["standing"] = Standing.CLAIM.value
        others = cast("list[dict[str, Plain]]", fact["others"])
        return {
            **fact,
            **_spread(fact),
            "others": [{**other, **_spread(other)} for other in others],
            "since": self.since,
            "level": self.verdict.level,
        }


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter with its versions, earliest first. `code` is the central code, or `local/<org>/<code>` unbound."""

    code: str
    reference: dict[str, Plain]
    versions: tuple[Version, ...]

    @property
    def current(self) -> Version:
        """What stands last: the highest rank, then the latest valid-from."""
        return max(self.versions, key=lambda v: (v.verdict.level, since_us(v.since)))

    def view(self) -> dict[str, Plain]:
        """The parameter as views show it."""
        return {**self.reference, "values": [version.view() for version in self.versions]}


def parameters_of(case: Case) -> dict[str, Parameter]:
    """All parameters that the statements give, by code."""
    stated: dict[str, list[_Stated]] = {}
    for reading in case.spoken:
        org = reading.statement.org
        for section, row in _rows(reading):
            central = case.world.central(row.code, org, Catalog.PARAMETERS)
            code = central or f"local/{org.hex()}/{row.code.local}"
            if central or row.code.local:
                stated.setdefault(code, []).append(_Stated(reading.statement, section, row, central))
    return {code: _parameter(case, code, items) for code, items in sorted(stated.items())}


def since_us(since: str | None) -> int:
    """The time from which a value holds; None is from the beginning."""
    return moment_us(since) if since else -(1 << 62)


@dataclass(frozen=True, slots=True)
class _Stated:
    statement: Statement
    section: str
    row: ParameterRow
    central: str | None


def _rows(reading: Reading) -> Iterator[tuple[str, ParameterRow]]:
    parameters = reading.body("parameters", ParametersBody)
    extract = reading.body("extract", ExtractBody)
    yield from (("parameters", row) for row in (parameters.rows if parameters else ()))
    yield from (("extract", row) for row in (extract.parameters if extract else ()))


def _parameter(case: Case, code: str, stated: list[_Stated]) -> Parameter:
    first = min(stated, key=lambda s: s.statement.order)
    by_time: dict[int, list[_Stated]] = {}
    for item in stated:
        by_time.setdefault(since_us(item.row.since), []).append(item)
    versions: list[Version] = []
    for _, items in sorted(by_time.items()):
        versions.append(_version(case, items, versions))
    return Parameter(code, case.refer(first.row.code, first.statement.org, Catalog.PARAMETERS), tuple(versions))


def _version(case: Case, items: list[_Stated], earlier: list[Version]) -> Version:
    verdict = case.settle([_entry(case, item) for item in items], parameter_class(items[0].central))
    since = min((item.row.since for item in items if item.row.since), key=lambda text: (len(text), text), default=None)
    above = max(earlier, key=lambda v: v.verdict.level, default=None)
    outranked = above is not None and verdict.level < above.verdict.level and _told(verdict) != _told(above.verdict)
    return Version(since, verdict, outranked)


def _told(verdict: Verdict) -> str | None:
    return verdict.chosen.same if verdict.chosen else None


def _entry(case: Case, item: _Stated) -> Entry:
    row, org = item.row, item.statement.org
    unit = _unit(case, row.unit, org)
    value: dict[str, Plain] = {"value": row.value, "unit": unit, "source": row.source}
    return Entry(item.statement, item.section, value, _same(row.value, unit), item.section)


@lru_cache(maxsize=4096)
def _same(text: str, unit: str | None) -> str:
    """What is equal for one value: 1600 L/h and 1.6 m3/h contradict nobody."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return f"{text} {unit or ''}"
    record = load_central(Catalog.UNITS).get(unit or "")
    told = quantity(number, record) if record else None
    plain = str(number.normalize()) if number.is_finite() else text
    return told or f"{plain} {unit or ''}"


def _unit(case: Case, unit: str | None, org: bytes) -> str | None:
    if unit is None or unit in load_central(Catalog.UNITS):
        return unit
    return case.world.central(Reference(local=unit), org, Catalog.UNITS) or unit


def _spread(fact: dict[str, Plain]) -> dict[str, Plain]:
    value = fact["value"]
    return value if isinstance(value, dict) else {"value": None, "unit": None, "source": None}
