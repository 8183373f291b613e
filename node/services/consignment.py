"""What an offer of devices may hold: which are this organisation's to offer, by which acts, and whether keys go along.

Where the seller himself has a device unopened, the keys are with who sold it so: whether there are any is told by what
that one committed to, and they come to the buyer from him.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from federation.authority import Kind
from federation.fragment import Ref
from node.errors import DeniedError, StateError
from node.passport.device_keys import SECTION
from node.passport.entitlement import entitlement, title_before, title_now
from node.passport.ids import SubjectId
from node.passport.parties import WAITING
from node.passport.references import parse_ref, ref_text
from node.passport.roles import PartyRole
from node.passport.shipments import DeviceState, NewPart, Shipment, divide
from node.passport.shown import rows
from node.passport.view import View
from node.services.counting import stored_header
from node.store.database import ReadTx
from node.store.fragments import headers_about, named_by_own, with_secret
from node.store.passports import read_owners, read_passports
from node.store.shipments import HELD, taken_devices


@dataclass(frozen=True, slots=True)
class _Owned:
    """By which acts this organisation holds a title, and whether it came unopened."""

    grounds: frozenset[Ref] = frozenset()
    is_unopened: bool = False


async def consign(
    tx: ReadTx, own: bytes, devices: Sequence[bytes], now: int, *, is_unopened: bool = False
) -> list[NewPart]:
    """The parts of an offer of devices, each of which is named under every id; raise StateError for what stands in
    another offer, or is nobody's for now, DeniedError for what is another's.
    """
    await _check_free(tx, own, devices)
    owned = await _owned(tx, own, devices, now)
    grounds = {device: one.grounds for device, one in owned.items()}
    return divide(grounds, () if is_unopened else await _keyed(tx, owned), is_unopened=is_unopened)


async def consign_boxes(tx: ReadTx, own: bytes, boxes: Sequence[Sequence[bytes]], now: int) -> list[list[NewPart]]:
    """The parts of the offer of each box. Raise as `consign` does."""
    devices = [device for box in boxes for device in box]
    await _check_free(tx, own, devices)
    owned = await _owned(tx, own, devices, now)
    keyed = await _keyed(tx, owned)
    return [divide({device: owned[device].grounds for device in box}, keyed) for box in boxes]


async def consign_claimed(tx: ReadTx, box: Shipment, devices: Sequence[bytes], now: int) -> list[NewPart]:
    """The parts of an offer of what lies in an own box, whose own offer ends with it. Raise as `consign` does."""
    ended = frozenset(ref_text(part.offer) for part in box.parts)
    owned = await _owned(tx, box.seller, devices, now, ended)
    return divide({device: one.grounds for device, one in owned.items()}, await _keyed(tx, owned))


async def consign_back(tx: ReadTx, shipment: Shipment, devices: Sequence[bytes], now: int) -> list[NewPart]:
    """The parts of an offer of accepted devices back to their seller, who gets back what he had: what he had unopened
    stands apart. Raise as `consign` does.
    """
    own, brought = shipment.buyer.org, {device: shipment.items[device].said for device in devices}
    await _check_free(tx, own, devices)
    owned = await _owned(tx, own, devices, now)
    keyed, sealed = await _keyed(tx, owned), await _had_unopened(tx, brought)
    back: list[NewPart] = []
    for is_unopened in (False, True):
        chosen = {device: said for device, said in brought.items() if (device in sealed) is is_unopened}
        # What was sold on and came back is held by the act that brought it back.
        grounds = {device: owned[device].grounds | {said} for device, said in chosen.items()}
        back += divide(grounds, () if is_unopened else keyed, is_unopened=is_unopened)
    return back


async def _check_free(tx: ReadTx, own: bytes, devices: Collection[bytes]) -> None:
    taken = await taken_devices(tx, own, devices, [DeviceState.OFFERED])
    if taken:
        raise _taken(len(taken), next(iter(taken.values())))


async def _owned(
    tx: ReadTx, own: bytes, devices: Sequence[bytes], now: int, ended: Collection[str] = ()
) -> dict[bytes, _Owned]:
    """How this organisation holds the titles, by devices; raise DeniedError where another one holds a title, StateError
    where nobody does and the device was accepted, or where an offer of the title waits that is not to be `ended`.
    """
    found = dict.fromkeys(devices, _Owned())
    # Where no own word stands about parties, the title is the maker's from the start, or another's.
    passed = await named_by_own(tx, devices, (Kind.PARTY, Kind.SHIPMENT))
    for device, owner in (await read_owners(tx, set(devices) - passed)).items():
        if owner not in ("", own.hex()):
            raise _not_ours(device)
    held = await taken_devices(tx, own, passed, HELD)
    for device, passport in (await read_passports(tx, sorted(passed))).items():
        entitled = entitlement(passport.content, PartyRole.TITLE, own, now)
        roles = {row["role"] for row in rows(passport.content, "parties", "roles")}
        if not entitled.may and PartyRole.TITLE in roles:
            raise _not_ours(device)
        if not entitled.may and device in held:
            raise _taken(1, held[device])
        if _is_offered(passport.content, own, ended):
            raise StateError(f"the title of {SubjectId(device)} is offered", "ship_offered", id=str(SubjectId(device)))
        title = title_now(passport.content, now)
        is_unopened = title is not None and bool(title["unopened"])
        found[device] = _Owned(frozenset(map(parse_ref, entitled.grounds)), is_unopened)
    return found


async def _keyed(tx: ReadTx, owned: Mapping[bytes, _Owned]) -> set[bytes]:
    """Those of some devices with which a root key goes: it is here, or with who sold them unopened."""
    sealed = [device for device, one in owned.items() if one.is_unopened]
    found = await with_secret(tx, owned, SECTION)
    for device, entries in (await headers_about(tx, sealed)).items() if sealed else ():
        headers = (stored_header(entry) for entry in entries)
        if any(header is not None and header.section(SECTION) is not None for header in headers):
            found.add(device)
    return found


async def _had_unopened(tx: ReadTx, brought: Mapping[bytes, Ref]) -> set[bytes]:
    """Those of which the acts that brought them passed on a title that had come unopened."""
    found: set[bytes] = set()
    for device, passport in (await read_passports(tx, sorted(brought))).items():
        former = title_before(passport.content, ref_text(brought[device]))
        if former is not None and former["unopened"]:
            found.add(device)
    return found


def _is_offered(view: View, own: bytes, ended: Collection[str]) -> bool:
    """Whether another offer of the title waits, lapsed or not: it may be accepted at any time."""
    told = [row for row in rows(view, "parties", "transfers") if row["act"] not in ended]
    return any((row["role"], row["state"], row["from"]) == (PartyRole.TITLE, WAITING, own.hex()) for row in told)


def _taken(count: int, number: str) -> StateError:
    return StateError(f"{count} of the devices stand in shipment {number} already", "shipped_already")


def _not_ours(device: bytes) -> DeniedError:
    text = str(SubjectId(device))
    return DeniedError(f"the title to {text} is another organisation's", "ship_not_ours", id=text)
