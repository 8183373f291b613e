"""What the network server must not forget, as it is stored: sessions sealed, profiles and registrations as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from lora.commands import TxParamSetupReq
from lora.events import SessionChanged, SessionEnded
from lora.identifiers import DevAddr, Eui
from lora.keys import Key
from lora.link import FRESH, IDLE, Control, Link, Status, share
from lora.profile import Device, DeviceProfile, build_profile
from lora.radio import Reception
from lora.registration import Registration, Row, Step, StepRecord
from lora.session import QueuedDownlink, RxParams, Session
from node.keystore import Vault
from node.store.radio import StoredDevice, StoredSession

Json = dict[str, Any]  # Any: JSON of our own


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the registration of a device has come.

    `rows` were compared in the activation `session`; `passed` is the activation whose frames are the device's readings,
    None until a comparison agreed. `said` tells whether the passport has the four steps.
    """

    registration: Registration
    session: int | None = None
    passed: int | None = None
    joined_us: int | None = None
    rows: tuple[Row, ...] = field(default=())
    said: bool = False

    @property
    def differing(self) -> tuple[Row, ...]:
        """The rows that stop the registration."""
        return tuple(row for row in self.rows if not row.equal)

    def joined(self, session: int, at_us: int) -> "Progress":
        """The device joined anew: what was compared was of another activation."""
        return replace(self, session=session, joined_us=at_us, rows=())

    def with_rows(self, rows: Sequence[Row]) -> "Progress":
        """The latest word on each field, in the order in which the fields came first."""
        known = {row.field: row for row in self.rows} | {row.field: row for row in rows}
        return replace(self, rows=tuple(known.values()))


def seal_session(vault: Vault, session: Session) -> StoredSession:
    """A session at rest: keys, counters, address, queue and link under the store's own key."""
    rx = session.rx
    state: Json = {
        "dev_addr": session.dev_addr.value,
        "network_key": session.network_key.reveal().hex(),
        "application_key": session.application_key.reveal().hex() if session.application_key else None,
        "rx": [rx.rx1_delay_s, rx.rx1_dr_offset, rx.rx2_dr, rx.rx2_frequency_hz],
        "started_us": session.started_us,
        "fcnt_up": session.fcnt_up,
        "fcnt_down": session.fcnt_down,
        "mic_up": session.mic_up.hex(),
        "repeats": session.repeats,
        "queue": [[item.id, item.port, item.payload.hex(), item.confirmed] for item in session.queue],
        "attempts": session.attempts,
        "link": _show_link(session.link),
        "history": session.history.hex(),
    }
    if session.control != IDLE:
        state["control"] = _show_control(session.control)
    if (status := session.status) is not None:
        state["status"] = [status.battery, status.margin_db, status.at_us]
    return StoredSession(session.dev_eui.raw, session.number, vault.seal(_dump(state)))


def open_session(vault: Vault, stored: StoredSession, dev_eui: Eui | None = None) -> Session:
    """Undo `seal_session`, with that object for the DevEUI; raise KeystoreError where it was sealed under another key
    or changed.
    """
    state = orjson.loads(vault.open(stored.state))
    application_key = state["application_key"]
    return Session(
        dev_eui or Eui(stored.dev_eui),
        stored.number,
        DevAddr(state["dev_addr"]),
        Key(bytes.fromhex(state["network_key"])),
        Key(bytes.fromhex(application_key)) if application_key else None,
        share(RxParams(*state["rx"])),
        state["started_us"],
        state["fcnt_up"],
        state["fcnt_down"],
        bytes.fromhex(state["mic_up"]),
        state["repeats"],
        tuple(QueuedDownlink(i, port, bytes.fromhex(raw), confirmed) for i, port, raw, confirmed in state["queue"]),
        state["attempts"],
        _read_link(state["link"]) if "link" in state else FRESH,
        _read_control(state["control"]) if "control" in state else IDLE,
        bytes.fromhex(state.get("history", "")),
        Status(*state["status"]) if "status" in state else None,
    )


def last_states(events: Sequence[object]) -> tuple[list[Session], list[tuple[bytes, int]]]:
    """The sessions to be stored, each in its last state, and those that ended, out of a list of events."""
    kept: dict[tuple[Eui, int], Session] = {}
    ended: list[tuple[bytes, int]] = []
    for event in events:
        match event:
            case SessionChanged(session):
                kept[session.id] = session
            case SessionEnded(session):
                kept.pop(session.id, None)
                ended.append((session.dev_eui.raw, session.number))
    return list(kept.values()), ended


def show_profile(profile: DeviceProfile) -> Json:
    """A profile as it is stored and shown."""
    return {
        "dev_eui": str(profile.dev_eui),
        "join_eui": str(profile.join_eui),
        "region": profile.region.name,
        "lorawan_version": profile.lorawan_version,
        "class": profile.device_class.value,
        "ports": list(profile.ports),
    }


def open_device(vault: Vault, stored: StoredDevice) -> Device:
    """A device as the network server needs it; raise ProfileError or KeystoreError."""
    return Device(build_profile(stored.profile), Key(vault.open(stored.root_key)))


def show_receptions(receptions: Sequence[Reception]) -> list[Json]:
    """Who heard a frame and how well, best first."""
    return [
        {
            "gateway": str(one.gateway),
            "rssi_dbm": one.heard.rssi_dbm,
            "snr_db": one.heard.snr_db,
            "frequency_hz": one.heard.frequency_hz,
            "rate": str(one.heard.rate),
            "received_us": one.received_us,
        }
        for one in receptions
    ]


def show_progress(progress: Progress) -> Json:
    """A registration as it is stored and shown."""
    registration = progress.registration
    return {
        "session": progress.session,
        "passed": progress.passed,
        "joined_us": progress.joined_us,
        "said": progress.said,
        "rows": [show_row(row) for row in progress.rows],
        "step": int(registration.step),
        "mode": registration.mode,
        "time_service": registration.time_service,
        "schedule": registration.schedule,
        "records": [
            {"step": int(record.step), "detail": record.detail, "at_us": record.at_us}
            for record in registration.records
        ],
    }


def show_row(row: Row) -> Json:
    """One line of the comparison."""
    return {"field": row.field, "passport": row.passport, "reported": row.reported, "equal": row.equal}


def read_progress(dev_eui: Eui, stored: Mapping[str, Any]) -> Progress:  # Any: JSON of our own
    """Undo `show_progress`; an empty object is a registration at its beginning."""
    if not stored:
        return Progress(Registration(dev_eui))
    rows = tuple(Row(row["field"], row["passport"], row["reported"], row["equal"]) for row in stored["rows"])
    registration = Registration(
        dev_eui,
        Step(stored["step"]),
        rows if stored["step"] != Step.COMPARE else (),
        stored["mode"],
        stored["time_service"],
        stored["schedule"],
        tuple(StepRecord(Step(one["step"]), one["detail"], one["at_us"]) for one in stored["records"]),
    )
    return Progress(registration, stored["session"], stored["passed"], stored["joined_us"], rows, stored["said"])


def _show_link(link: Link) -> list[object]:
    params = link.tx_params
    return [
        link.dr,
        link.tx_power,
        link.nb_trans,
        link.added,
        link.off,
        link.downlinks_hz,
        link.duty_cycle,
        [params.downlink_dwell, params.uplink_dwell, params.eirp_index] if params else None,
    ]


def _read_link(stored: Sequence[Any]) -> Link:  # Any: JSON of our own
    dr, tx_power, nb_trans, added, off, moved, duty_cycle, params = stored
    rows = tuple(tuple(row) if row else None for row in added)
    downlinks = tuple((index, hz) for index, hz in moved)
    tx_params = TxParamSetupReq(*params) if params else None
    return share(Link(dr, tx_power, nb_trans, rows, off, downlinks, duty_cycle, tx_params))


def _show_control(control: Control) -> Json:
    return {
        "asked": [[request.hex(), tries] for request, tries in control.asked],
        "refused": [request.hex() for request in control.refused],
        "takes": [control.max_dr, control.max_tx_power, control.min_tx_power, control.takes_masks],
        "quiet_until_us": control.quiet_until_us,
    }


def _read_control(stored: Mapping[str, Any]) -> Control:  # Any: JSON of our own
    max_dr, max_tx_power, min_tx_power, takes_masks = stored["takes"]
    return Control(
        tuple((bytes.fromhex(request), tries) for request, tries in stored["asked"]),
        tuple(bytes.fromhex(request) for request in stored["refused"]),
        max_dr,
        max_tx_power,
        min_tx_power,
        takes_masks,
        stored["quiet_until_us"],
    )


def _dump(state: Json) -> bytes:
    return orjson.dumps(state)
