"""What rules are told of a passport, out of its view."""

from datetime import date
from typing import Any

import pytest

from node.passport.templates.facts import PassportFacts, Verification
from node.passport.view import DAY_US, View, moment_us
from node.services.facts import StoredFacts


def result(day: str, code: str = "verified", standing: str = "stated", **more: Any) -> dict[str, Any]:
    found = {"what": {"central": code}, "occurred": moment_us(day), "standing": standing}
    return {**found, "routed": False, "replaced_by": None, **more}


def term(since: str, value: str, level: int = 2000) -> dict[str, Any]:
    return {"since": since, "value": value, "level": level}


def facts(*events: dict[str, Any], terms: tuple[dict[str, Any], ...] = (), **more: Any) -> PassportFacts:
    view: View = {"events": list(events), "parameters": {"verification_valid_until": {"values": list(terms)}}, **more}
    return StoredFacts({"device": view})


def test_latest_result_of_or_before_the_day_counts() -> None:
    """What happened after the document's date is not known to it."""
    told = facts(
        result("2024-01-10"),
        result("2026-01-10"),
        terms=(term("2024-01-10", "2030-01-09"), term("2026-01-10", "2032-01-09")),
    )

    assert told.find_verification("device", date(2024, 1, 9)) is None
    assert told.find_verification("device", date(2025, 12, 31)) == Verification(
        date(2024, 1, 10), True, date(2030, 1, 9)
    )
    assert told.find_verification("device", date(2026, 1, 10)) == Verification(
        date(2026, 1, 10), True, date(2032, 1, 9)
    )


def test_older_term_ends_with_a_later_verification() -> None:
    """A verification that sets no term leaves none, and one that failed has none."""
    terms = (term("2024-01-10", "2030-01-09"),)
    without = facts(result("2024-01-10"), result("2026-01-10"), terms=terms)
    rejected = facts(result("2024-01-10"), result("2026-01-10", "rejected"), terms=terms)

    on = date(2026, 2, 1)
    assert without.find_verification("device", on) == Verification(date(2026, 1, 10), True, None)
    assert rejected.find_verification("device", on) == Verification(date(2026, 1, 10), False, None)


def test_word_without_authority_hides_no_accredited_one() -> None:
    """Of results of several standings the highest speaks, though another is later."""
    told = facts(
        result("2024-01-10", standing="registered"),
        result("2025-01-10", "rejected", standing="stated"),
        result("2026-01-10", "rejected", standing="working"),
        result("2026-01-11", "rejected", routed=True),
        result("2026-01-12", "rejected", standing="registered", replaced_by="x"),
        result("2026-01-13", "repaired", standing="registered"),
    )

    found = told.find_verification("device", date(2026, 2, 1))

    assert found == Verification(date(2024, 1, 10), True, None)


@pytest.mark.parametrize("occurred", [2**63 - 1, 400_000 * 365 * DAY_US])
def test_time_beyond_the_calendar_is_after_every_day(occurred: int) -> None:
    """A stranger's event in a far year breaks nothing and counts for no document."""
    told = facts(result("2024-01-10"), result("2024-01-10", "rejected", occurred=occurred))

    found = told.find_verification("device", date(2026, 2, 1))

    assert found is not None
    assert found.fit


def test_parameter_is_a_radio_fact_or_the_value_that_stands() -> None:
    """A DevEUI is told from the radio profile; what nobody stated, or nobody may read, is nothing."""
    rows = {"values": [term("2024-01-10", "1.4"), term("2025-01-10", "1.5")]}
    view: View = {"radio": {"dev_eui": {"value": "02c0de00"}}, "parameters": {"firmware_version": rows}}  # type: ignore[dict-item]  # plain JSON
    told = StoredFacts({"device": view})

    assert told.has_passport("device")
    assert not told.has_passport("stranger")
    assert told.find_parameter("device", "dev_eui") == "02c0de00"
    assert told.find_parameter("device", "firmware_version") == "1.5"
    assert told.find_parameter("device", "batch") is None
    assert told.find_parameter("stranger", "batch") is None
    assert told.find_verification("stranger", date(2026, 1, 1)) is None
