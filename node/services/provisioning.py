"""What a passport gives to a network: the profile, the root key, the driver, and what the meter is compared with."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from drivers.descriptor import Comparison, How
from drivers.errors import DriverChoiceError, UnitError
from drivers.plausibility import Amount
from drivers.reading import Decoded
from drivers.registry import DeviceTraits, Installed, Registry
from drivers.units import convert
from federation.fragment import unpad
from lora.errors import ProfileError
from lora.profile import DeviceProfile, build_profile
from node.errors import StateError
from node.keystore import Vault
from node.passport.bodies import RadioBody, RootKeysBody
from node.passport.case import open_case
from node.passport.device_keys import SECTION
from node.passport.errors import BodyError
from node.passport.merge import Standing
from node.passport.ranks import FactClass, Ground, Rank
from node.passport.shown import at, fact, text
from node.passport.view import View, value_on, values_over
from node.passport.world import World
from node.services.counting import stored_header
from node.services.statements import StatementReader
from node.store.database import ReadTx
from node.store.fragments import CLEAR, STORED, StoredFragment, entries_about

# Fields of a profile, and the radio facts of a passport that fill them.
PROFILE_FIELDS = {
    "dev_eui": "dev_eui",
    "join_eui": "join_eui",
    "region": "region",
    "lorawan_version": "version",
    "class": "device_class",
    "ports": "ports",
}
ACTIVATION, OTAA, RADIO = "activation", "OTAA", "radio"
# Where a passport states what a meter reports of itself.
HARDWARE, FIRMWARE = "hardware_version", "firmware_version"
PARAMETERS = {"made": "manufactured_on", "firmware": FIRMWARE}
BENCH = "bench_reading"
# How the network is to serve the device, where its passport says so.
MODE, TIME_SERVICE, SCHEDULE = "operating_mode", "time_service", "reporting_schedule"
_ANY_RANK = Rank(0, has_authority=False, ground=Ground.ANYBODY)
SAME = (How.SAME_NUMBER, How.SAME_TEXT, How.SAME_VERSION)


def profile_of(view: View, region: str) -> DeviceProfile:
    """The device profile out of a passport, for a network of that region; raise StateError naming what is wrong."""
    for name in (*PROFILE_FIELDS.values(), ACTIVATION):
        if at(view, "radio", name, "standing") == Standing.DISPUTED.value:
            raise StateError(f"the passport's {name} is disputed", "radio_disputed", field=name)
    if not at(view, "radio", "dev_eui", "value"):
        raise StateError("the passport does not say how the device joins", "radio_unknown")
    if fact(view, "radio", ACTIVATION) not in ("", OTAA):
        raise StateError("activation by personalisation is not offered", "radio_activation")
    stated = {field: at(view, "radio", name, "value") for field, name in PROFILE_FIELDS.items()}
    try:
        profile = build_profile({name: value for name, value in stated.items() if value})
    except (ProfileError, ValueError) as error:
        raise StateError(str(error), "profile_incomplete", reason=str(error)) from error
    if profile.region.name != region:
        names = {"device": profile.region.name, "network": region}
        raise StateError(
            f"the device is for {profile.region.name}, the network for {region}", "region_differs", **names
        )
    return profile


def traits_of(view: View, at_us: int | None = None) -> DeviceTraits:
    """What a passport says by which a driver is chosen, with the versions that it states for a time, or now."""
    named = fact(view, "radio", "driver")
    return DeviceTraits(
        text(view, "type", "central") or None,
        text(view, "type", "model") or None,
        _version(view, HARDWARE, at_us),
        _version(view, FIRMWARE, at_us),
        {"payload": named} if named else {},
        None if at(view, "identity", "line", "steward") else text(view, "identity", "line", "by") or None,
    )


def versions_over(view: View) -> list[tuple[int, str | None, str | None]]:
    """Hardware and firmware of a device as its passport states them one after another, each since a microsecond."""
    moments = {since for code in (HARDWARE, FIRMWARE) for since, _ in values_over(view, code)}
    return [(at, _version(view, HARDWARE, at), _version(view, FIRMWARE, at)) for at in sorted(moments)]


def choose_driver(drivers: Registry, view: View, at_us: int | None = None) -> Installed:
    """The driver that fits what the passport says, now or of a time; raise StateError where none does, or several."""
    try:
        return drivers.choose(traits_of(view, at_us))
    except DriverChoiceError as error:
        raise StateError(str(error), "driver_missing", reason=str(error)) from error


def find_root_key(
    entries: Sequence[StoredFragment], dev_eui: str, ranks: Mapping[tuple[bytes, int], Rank] | None = None
) -> bytes | None:
    """The sealed `root-keys` section that counts, of those that were stated together with this DevEUI.

    It is the newest; where ranks are told, by (log, seq), the newest of the highest. Whoever speaks for an owner goes
    before an owner before him, with whom he ties. None where no key came here.
    """
    found: list[tuple[int, bool, int, bytes]] = []
    for entry in entries:
        rank = ranks.get((entry.log, entry.seq)) if ranks is not None else _ANY_RANK
        header = stored_header(entry)
        if rank is None or header is None or not _states(entry, dev_eui):
            continue
        keys = [section.data for section in entry.sections if section.name == SECTION and section.form == STORED]
        found += [(rank.level, rank.ground is Ground.GRANTED, header.stamp, sealed) for sealed in keys]
    return max(found)[-1] if found else None


async def counting_key(tx: ReadTx, vault: Vault, world: World, view: View, dev_eui: str) -> bytes | None:
    """The AppKey with which a device joins, by what is said of it now; None where it did not come here."""
    reader, subjects = await StatementReader.open(tx), subjects_of(view)
    stands = reader.standing(await entries_about(tx, subjects))
    case = open_case(subjects, await reader.about(tx, subjects), world)
    said = [reading.statement for reading in case.spoken if RADIO in reading.statement.sections]
    ranks = {(one.ref.log, one.ref.seq): case.rank(FactClass.RADIO, one) for one in said}
    sealed = find_root_key(stands, dev_eui, ranks)
    return None if sealed is None else open_root_key(vault, sealed)


async def keys_in_order(
    tx: ReadTx, world: World, subject: bytes, entries: Sequence[StoredFragment]
) -> list[StoredFragment]:
    """Of entries about a device those that count, first the one whose word on how it joins counts most: by rank, of
    equals the newest.
    """
    reader = await StatementReader.open(tx)
    case = open_case([subject], await reader.about(tx, [subject]), world)
    ranks = {
        (one.statement.ref.log, one.statement.ref.seq): case.rank(FactClass.RADIO, one.statement)
        for one in case.spoken
        if RADIO in one.statement.sections
    }

    def weight(entry: StoredFragment) -> tuple[int, bool, int]:
        header, rank = stored_header(entry), ranks.get((entry.log, entry.seq), _ANY_RANK)
        return (rank.level, rank.ground is Ground.GRANTED, header.stamp if header else 0)

    return sorted(reader.standing(entries), key=weight, reverse=True)


def open_root_key(vault: Vault, sealed: bytes) -> bytes:
    """The AppKey of a sealed `root-keys` section; raise BodyError or FederationError where it holds none."""
    return bytes.fromhex(RootKeysBody.from_bytes(unpad(vault.open(sealed))).app_key)


def stated_values(view: View, decoded: Decoded, comparisons: Iterable[Comparison]) -> dict[str, str | Amount]:
    """What the passport states by the names that a driver compares; a register's bench reading where units allow."""
    comparisons = list(comparisons)
    stated: dict[str, str | Amount] = {**stated_texts(view, comparisons)}
    for item in comparisons:
        reading = decoded.find_reading(item.source) if item.how is How.NOT_BELOW else None
        if reading is not None and (value := _bench(view, reading.unit)):
            stated[item.source] = value
    return stated


def stated_texts(view: View, comparisons: Iterable[Comparison]) -> dict[str, str]:
    """What the passport states of what tells one meter from another: serial, day made, firmware."""
    stated: dict[str, str] = {}
    for item in comparisons:
        if item.source == "serial" and item.how is not How.NOT_BELOW:
            stated[item.source] = fact(view, "identity", "serial") or _disputed(view)
        elif item.how in SAME:
            stated[item.source] = _parameter(view, PARAMETERS.get(item.source, item.source)) or ""
    return {name: value for name, value in stated.items() if value}


def service_of(view: View) -> dict[str, str]:
    """What the passport states of mode, time service and schedule, by the parameter's code."""
    return {code: value for code in (MODE, TIME_SERVICE, SCHEDULE) if (value := _parameter(view, code))}


def _disputed(view: View) -> str:
    """A serial that the parties dispute agrees with no meter."""
    return "?" if at(view, "identity", "serial", "standing") == Standing.DISPUTED.value else ""


def subjects_of(view: View) -> list[bytes]:
    """The subjects that are one passport."""
    subjects = at(view, "subjects")
    return [bytes.fromhex(str(subject)) for subject in subjects] if isinstance(subjects, list) else []


def _states(entry: StoredFragment, dev_eui: str) -> bool:
    """Whether the entry's radio section is about this DevEUI."""
    radio = next((s for s in entry.sections if s.name == "radio" and s.form == CLEAR), None)
    try:
        return radio is not None and RadioBody.from_bytes(radio.data).dev_eui == dev_eui
    except BodyError:
        return False


def _version(view: View, code: str, at_us: int | None) -> str | None:
    """A version as it is stated for a time; before all that is stated the first."""
    if at_us is None:
        return _parameter(view, code)
    rows = values_over(view, code)
    due = [row for since, row in rows if since <= at_us] or [row for _, row in rows[:1]]
    value = due[-1].get("value") if due else None
    return value if isinstance(value, str) else None


def _parameter(view: View, code: str) -> str | None:
    row = value_on(view, code)
    value = row.get("value") if row else None
    return value if isinstance(value, str) else None


def _bench(view: View, unit: str) -> Amount | None:
    """The last reading on the maker's bench, where it is of the register's kind."""
    row = value_on(view, BENCH)
    if row is None:
        return None
    try:
        amount = Amount(Decimal(str(row["value"])), str(row["unit"]))
        convert(amount.value, amount.unit, unit)
    except (InvalidOperation, UnitError):
        return None
    return amount
