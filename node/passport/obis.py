"""The OBIS code of what a series observes, of those that a record of the parameter catalog has by medium."""

from collections.abc import Collection, Mapping

from node.passport.catalogs import Record

TOTAL = "0"


def obis_in(record: Record, media: Collection[str] = ()) -> str:
    """The code for what a device measures; where that is not known, the only one. Empty where none is, or several."""
    codes = record.get("obis")
    known = {medium: str(code) for medium, code in codes.items()} if isinstance(codes, Mapping) else {}
    fitting = {code for medium, code in known.items() if medium in media or not media}
    return fitting.pop() if len(fitting) == 1 else ""


def of_tariff(obis: str, tariff: int) -> str:
    """The code of a tariff: its number is group E, where the code is that of the total (IEC 62056-6-1)."""
    head, point, last = obis.rpartition(".")
    total, star, period = last.partition("*")
    return f"{head}{point}{tariff}{star}{period}" if tariff and total == TOTAL else obis
