"""What the network says in a passport once a device is registered: two events and the parameters of its service."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from lora.registration import Registration, Row, StepRecord
from node.passport import drafts
from node.passport.bodies import EventBody, ParameterRow, ParametersBody, Place, Reference, Why
from node.passport.drafts import Draft
from node.services.provisioning import MODE, SCHEDULE, TIME_SERVICE
from node.services.radio_records import Progress

SYSTEM = "lora"
WHY = ("installation", "commission")
NETWORK = "network"
MAX_CODE = 128
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def registration_drafts(
    subject: bytes, profile: Mapping[str, object], progress: Progress, place: str, now: int
) -> Sequence[Draft]:
    """Joined, registered with its four steps and the compared fields, and mode, time service, clock, schedule."""
    registration = progress.registration
    joined = progress.joined_us or now
    where = Place(place=Reference(local=(place or NETWORK)[:MAX_CODE]), default=True)
    return (
        drafts.event(subject, _event("joined", where, {"dev_eui": str(profile["dev_eui"])}), joined),
        drafts.event(subject, _event("registered", where, _steps(registration, progress.rows)), now),
        drafts.parameters(subject, ParametersBody(rows=_parameters(registration, progress.rows, now)), now),
    )


def _event(code: str, where: Place, detail: dict[str, str]) -> EventBody:
    process, step = WHY
    return EventBody(
        what=Reference(central=code), where=where, system=SYSTEM, why=Why(process=process, step=step), detail=detail
    )


def _steps(registration: Registration, rows: Sequence[Row]) -> dict[str, str]:
    steps = {f"step.{int(record.step)}": _line(record) for record in registration.records if _counts(record)}
    return steps | {f"compared.{row.field}": _compared(row) for row in rows}


def _counts(record: StepRecord) -> bool:
    return not record.detail.startswith("differs")


def _line(record: StepRecord) -> str:
    return f"{record.step.name.lower()}: {record.detail}"


def _parameters(registration: Registration, rows: Sequence[Row], now: int) -> tuple[ParameterRow, ...]:
    since = (EPOCH + timedelta(microseconds=now)).strftime("%Y-%m-%dT%H:%M:%SZ")
    values = {
        MODE: (registration.mode, None),
        TIME_SERVICE: (registration.time_service, None),
        "clock_offset": (_offset(rows), "s"),
        SCHEDULE: (registration.schedule, None),
    }
    return tuple(
        ParameterRow(code=Reference(central=code), value=value, unit=unit, since=since, source=SYSTEM)
        for code, (value, unit) in values.items()
        if value
    )


def _offset(rows: Sequence[Row]) -> str | None:
    """How far the device's clock was from the receive time, in whole seconds."""
    clock = next((row for row in rows if row.field == "clock"), None)
    if clock is None:
        return None
    try:
        told, heard = (datetime.fromisoformat(str(value)) for value in (clock.reported, clock.passport))
    except ValueError:
        return None
    return str((told - heard) // timedelta(seconds=1))


def _compared(row: Row) -> str:
    return f"not stated; {row.reported}" if row.passport is None else f"{row.passport} = {row.reported}"
