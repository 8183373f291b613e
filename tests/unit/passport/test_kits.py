"""Kits: which parts make the kit of a version, and why others do not."""

from decimal import Decimal

import pytest

from node.passport.kits import Kit, KitFault, KitPart
from node.passport.type_passports import KitRow, TypeVersion

ROWS = (
    KitRow(position="A1", designation="СЭ-2726"),
    KitRow(position="B1", designation="Батарея ER14505", alternates=("LS14500",)),
    KitRow(position="V1", designation="Винт М3", quantity="4"),
    KitRow(position="C1", designation="Крышка", optional=True),
)
WHOLE = (KitPart("СЭ-2726"), KitPart("LS14500"), KitPart("Винт М3", quantity=Decimal(4)))


def code_of(put: object) -> str:
    """The code of a fault."""
    assert isinstance(put, KitFault)
    return put.code


def test_parts_stand_at_the_positions_of_their_designations() -> None:
    """Without a position a part stands where its designation, or one that may stand for it, is missing."""
    kit = Kit(ROWS)

    assert [kit.put(part) for part in WHOLE] == ["A1", "B1", "V1"]
    assert kit.missing is None
    assert [one.is_full for one in kit.filled] == [True, True, True, False]


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (KitPart("СЭ-2727"), "kit_designation"),
        (KitPart("СЭ-2726", "B1"), "kit_designation"),
        (KitPart("СЭ-2726", "Z1"), "kit_position"),
        (KitPart("СЭ-2726", "A1", Decimal(2)), "kit_too_many"),
        (KitPart("Винт М3", quantity=Decimal("4.5")), "kit_too_many"),
    ],
)
def test_part_that_does_not_belong_is_refused_with_the_reason(part: KitPart, code: str) -> None:
    """Another designation, a position that the kit has not, and one too many are told apart."""
    assert code_of(Kit(ROWS).put(part)) == code


def test_kit_names_what_is_missing() -> None:
    """What may be left out is not missing; half of a quantity is."""
    kit = Kit(ROWS)
    for part in (KitPart("СЭ-2726"), KitPart("Винт М3", quantity=Decimal(2))):
        kit.put(part)

    missing = kit.missing
    assert missing is not None
    assert missing.values["missing"] == "B1 Батарея ER14505, V1 Винт М3"


def test_version_that_was_published_without_a_kit_is_read() -> None:
    """Versions from before kits say nothing of parts."""
    raw = b'{"publisher":"' + b"0" * 32 + b'","type":"t","version":"1"}'

    assert TypeVersion.from_bytes(raw).kit == ()
