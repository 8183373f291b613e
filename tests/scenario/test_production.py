"""What a production file makes of its devices, on a real maker's node."""

from collections.abc import Iterator

import pytest

from node.demo.files import HEADER, SERIAL_AT
from node.exchange.tables import write_csv
from tests.networks import WATER, Network, running_network
from tests.nodes import act, ask, send, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("radio")]

EXECUTION, DEV_EUI, APP_KEY, BOX = (HEADER.index(name) for name in ("Исполнение", "DevEUI", "AppKey", "Код коробки"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A maker with its lines, references and first meters."""
    with running_network(tmp_path_factory.mktemp("production"), 17) as running:
        yield running


@pytest.mark.req("B53")
def test_execution_fills_in_what_the_type_leaves_open(network: Network) -> None:
    """Two executions of one model differ in their ratio and flows; everything else is the type's."""
    first = [network.row(WATER.designation)[name] for name in HEADER]
    made = {}
    for serial, execution in (("00000041", "БВ-15Д-80-Р868"), ("00000042", "БВ-15Д-40-Р868")):
        row = list(first)
        row[SERIAL_AT], row[EXECUTION], row[DEV_EUI] = serial, execution, f"02C0DE00{serial}"
        row[APP_KEY], row[BOX] = serial * 4, serial
        job = send(network.node, "/imports", write_csv(HEADER, [row]), name="more.csv")["job"]
        until("the import is over", lambda job=job: ask(network.node, f"/jobs/{job}")["state"] == "done")  # type: ignore[misc]  # a bound default
        (found,) = ask(network.node, "/lookup", q=serial)["items"]
        made[execution] = ask(network.node, f"/passports/{found['id']}")["view"]["type"]

    eighty, forty = made["БВ-15Д-80-Р868"], made["БВ-15Д-40-Р868"]
    assert (eighty["execution"], forty["execution"]) == ("БВ-15Д-80-Р868", "БВ-15Д-40-Р868")
    differ = {code: (value, forty["defaults"][code]) for code, value in eighty["defaults"].items()}
    assert {code: pair for code, pair in differ.items() if pair[0] != pair[1]} == {
        "q1": ("0.02", "0.04"),
        "q2": ("0.032", "0.064"),
        "ratio_r": ("80", "40"),
    }
    assert eighty["defaults"]["lorawan_region"] == "RU864"


def test_device_made_here_is_not_made_again(network: Network) -> None:
    """The same plate stated by hand is the passport that the file made, not another one."""
    row = network.row(WATER.designation)

    again = act(network.node, "/plates", {"text": f"{WATER.designation} № {row['Заводской номер']}"})

    assert again["id"] == network.passport_of(row)
