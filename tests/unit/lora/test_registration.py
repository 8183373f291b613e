"""The four steps of a registration."""

import pytest

from lora.errors import RegistrationError
from lora.registration import Registration, Row, Step, compare_fields
from tests.unit.lora.builders import DEV_EUI, START_US

PASSPORT = {"serial": "1591497", "made": "2019-10-04", "firmware": "1.2"}


def test_equal_parameters_lead_through_all_four_steps() -> None:
    """When all agrees, mode, time service and schedule follow, and each step is recorded with its time."""
    registration = Registration(DEV_EUI).compare(compare_fields(PASSPORT, PASSPORT), START_US)
    registration = registration.choose_mode("hourly", START_US + 1).attach_time("vega-clock", START_US + 2)
    registration = registration.set_schedule("random phase, 6 h", START_US + 3)

    assert registration.is_done
    assert [record.step for record in registration.records] == [Step.COMPARE, Step.MODE, Step.TIME, Step.SCHEDULE]
    assert [record.at_us for record in registration.records] == [START_US + index for index in range(4)]


def test_mismatch_stops_with_the_differing_fields() -> None:
    """A neighbour's serial stops the registration: the table shows both values, and no later step can be done."""
    registration = Registration(DEV_EUI).compare(compare_fields(PASSPORT, PASSPORT | {"serial": "1591498"}), START_US)

    assert registration.is_stopped
    assert registration.differing == (Row("serial", "1591497", "1591498", equal=False),)
    with pytest.raises(RegistrationError, match="serial"):
        registration.choose_mode("hourly", START_US)


def test_comparison_may_be_done_again_after_a_mismatch() -> None:
    """When the difference is gone, the registration goes on; both comparisons stay recorded."""
    stopped = Registration(DEV_EUI).compare(compare_fields(PASSPORT, {}), START_US)

    registration = stopped.compare(compare_fields(PASSPORT, PASSPORT), START_US + 1)

    assert registration.step is Step.MODE
    assert [record.detail for record in registration.records] == [
        "differs: serial, made, firmware",
        "3 fields agree",
    ]


def test_steps_are_done_in_order() -> None:
    """No step is done before the one ahead of it, nor twice."""
    compared = Registration(DEV_EUI).compare(compare_fields(PASSPORT, PASSPORT), START_US)
    with pytest.raises(RegistrationError):
        Registration(DEV_EUI).choose_mode("hourly", START_US)
    with pytest.raises(RegistrationError):
        compared.set_schedule("hourly", START_US)
    with pytest.raises(RegistrationError):
        compared.compare(compare_fields(PASSPORT, PASSPORT), START_US)


def test_nothing_compared_is_no_agreement() -> None:
    """An empty table does not let a meter through."""
    with pytest.raises(RegistrationError):
        Registration(DEV_EUI).compare((), START_US)


def test_field_compares_by_its_own_rule() -> None:
    """A rule decides for its field; a value that one side does not give is a difference."""
    rules = {"volume": lambda passport, reported: reported >= passport}

    rows = compare_fields({"volume": 10, "port": 2}, {"volume": 12, "clock": 1}, rules)

    assert [(row.field, row.equal) for row in rows] == [("volume", True), ("port", False), ("clock", False)]
