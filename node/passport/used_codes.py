"""Which own codes the records of a passport use, statement by statement."""

from collections.abc import Iterable, Iterator

from node.passport.bodies import EventBody, ExtractBody, ParameterRow, ParametersBody, Reference, TypeBody
from node.passport.catalogs import Catalog, load_central
from node.passport.reading import Reading

PLACES = "places"

Used = tuple[str, str]  # catalog, own code


def used_codes(readings: Iterable[Reading], org: bytes) -> frozenset[Used]:
    """The own codes of an organisation that stand in its records."""
    return frozenset(used for reading in readings if reading.statement.org == org for used in _used(reading))


def _used(reading: Reading) -> Iterator[Used]:
    kind, parameters = reading.body("type", TypeBody), reading.body("parameters", ParametersBody)
    event, extract = reading.body("event", EventBody), reading.body("extract", ExtractBody)
    if kind is not None:
        yield from _local(Catalog.TYPES, kind.type)
    for row in (*(parameters.rows if parameters else ()), *(extract.parameters if extract else ())):
        yield from _of_parameter(row)
    for said in (*((event,) if event else ()), *(extract.events if extract else ())):
        yield from _local(Catalog.EVENTS, said.what)
        if said.where.place is not None:
            yield from _local(PLACES, said.where.place)


def _of_parameter(row: ParameterRow) -> Iterator[Used]:
    yield from _local(Catalog.PARAMETERS, row.code)
    if row.unit and row.unit not in load_central(Catalog.UNITS):
        yield (Catalog.UNITS.value, row.unit)


def _local(catalog: str, reference: Reference) -> Iterator[Used]:
    if reference.local:
        yield (str(catalog), reference.local)
