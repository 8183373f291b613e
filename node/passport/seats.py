"""The seats of members in the directory: places of which no organisation chooses its own.

A seat is what k anchors attest as such; where they attested none it follows from the statement by which the
organisation is a member: its id hashes the anchor's header with fresh salt, so that the member has no say in it. An
anchor, which nobody attests, has its seat from the genesis that all anchors agreed on.
"""

import hashlib
import re
from collections.abc import Iterator

from federation.authority import Attested
from federation.directory import SEAT_SIZE, Seats
from node.passport.standing import Stand
from node.passport.world import World

SEAT = re.compile(r"[0-9a-f]{32}")


def seats_of(world: World) -> Seats:
    """Everybody who is a member now, with the seat; nobody without a federation."""
    return Seats(dict(_seats(world)))


def _seats(world: World) -> Iterator[tuple[bytes, bytes]]:
    for stand in world.standings:
        if stand.standing.is_member and world.federation is not None:
            yield stand.org, _attested(world, stand.org) or _derived(world.federation, stand)


def _attested(world: World, org: bytes) -> bytes | None:
    """Of several the first in their order: anchors that want another replace what they said."""
    held = (one for one in world.attestations.of(org) if one.what is Attested.SEAT and one.until is None)
    rows = (row for one in held for row in one.rows if SEAT.fullmatch(row))
    return next((bytes.fromhex(row) for row in rows), None)


def _derived(federation: bytes, stand: Stand) -> bytes:
    ground = min((ref.id16 for ref in stand.grounds), default=federation + stand.org)
    return hashlib.sha256(b"passport/seated/1\n" + ground).digest()[:SEAT_SIZE]
