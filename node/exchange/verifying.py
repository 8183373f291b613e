"""A verification out of a bench run: what is the same for all meters of a day, with what was measured of one.

The head is a document of the verification template, of which what differs by meter is passed over; the run is a
flow-bench document. The conclusion follows the run; whether the whole is in order the template's own rules tell.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from node.passport.strict_json import Json
from node.passport.templates.rules import add_months

POINTS = "error-flow"
UNFIT = "Погрешность превышает допускаемую в точках: {points}"
LONGEST_NUMBER = 64
OF_ONE_METER = ("fif_record", "sticker_no", "seals", "reading_at_verification")


def verify_run(head: Mapping[str, Json], run: Mapping[str, Json], number: str) -> dict[str, Json]:
    """The verification document of one meter; `number` is that of its protocol."""
    points = [point for point in _list(run.get("points")) if isinstance(point, Mapping)]
    is_fit = run.get("result") == "pass"
    operation: dict[str, Json] = {"name": POINTS, "pass": is_fit, "points": [dict(point) for point in points]}
    document: dict[str, Json] = {
        **{name: value for name, value in head.items() if name not in OF_ONE_METER},
        "protocol_no": number[:LONGEST_NUMBER],
        "device": run.get("device"),
        "conditions": head.get("conditions") or run.get("conditions"),
        "operations": [*(one for one in _list(head.get("operations")) if not _is_measured(one)), operation],
        "applicable": is_fit,
    }
    if is_fit:
        document |= {"valid_until": _valid_until(head), "unfit_reasons": None}
    else:
        failed = ", ".join(str(point.get("name")) for point in points if point.get("pass") is not True)
        document |= {
            "unfit_reasons": UNFIT.format(points=failed or "—"),
            "valid_until": None,
            "sign_in_passport": None,
            "sign_on_device": None,
        }
    return {name: value for name, value in document.items() if value is not None}


def _is_measured(operation: Json) -> bool:
    return isinstance(operation, Mapping) and bool(operation.get("points") or operation.get("name") == POINTS)


def _valid_until(head: Mapping[str, Json]) -> str | None:
    """The day before the next verification is due; None where the head does not tell enough."""
    said, months = head.get("date"), head.get("mpi_months")
    try:
        day = date.fromisoformat(said) if isinstance(said, str) else None
        due = add_months(day, int(str(months))) if day is not None and months is not None else None
    except ValueError:
        return None
    return (due - timedelta(days=1)).isoformat() if due is not None else None


def _list(value: Json | None) -> list[Json]:
    return list(value) if isinstance(value, list) else []
