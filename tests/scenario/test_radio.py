"""A LoRa network on a real node: a virtual meter in a process of its own, over real UDP, from passport to reading."""

import json
import random
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from drivers.vega import betar
from lora.crypto import derive_session_keys
from lora.identifiers import NetId
from lora.keys import Key
from node.api_client import ApiError
from node.demo.meters import Event, MeterProcess
from tests.networks import ENERGY, GATEWAYS, WATER, Network, System, energy, now, running_network, water
from tests.nodes import metric, rows
from tests.secrets import search

JOINS = 5
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("radio")]


def put_on_the_air(meter: MeterProcess) -> Event:
    """Let it ask to join as often as real ones do: on a busy machine an answer misses its window."""
    for _ in range(JOINS):
        if (joined := meter.join())["event"] == "joined":
            return joined
    raise AssertionError(f"{JOINS} answers missed their window")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The network, for all tests of this file."""
    with running_network(tmp_path_factory.mktemp("radio"), 7) as running:
        yield running


@pytest.mark.req("A16", "A47")
def test_device_is_found_by_anything_that_stands_on_it_and_slips_are_told(network: Network) -> None:
    """Serial, device id, DevEUI in three spellings and the QR's address lead to one passport; a mistyped id says so."""
    row = network.row(WATER.designation, 6)
    device = network.passport_of(row)
    eui = row["DevEUI"]
    spelled = (eui, eui.lower(), "-".join(eui[at : at + 2] for at in range(0, 16, 2)))

    for text in (row["Заводской номер"], device, device.lower(), f"https://utility.example/d/{device}", *spelled):
        assert [item["id"] for item in network.call("get", "/lookup", q=text)["items"]] == [device], text

    slip = device[:-1] + ("0" if device[-1] != "0" else "1")
    slips = {
        "id_mistyped": (slip, device[:-1], "EPP2" + device[4:], f"https://utility.example/d/{slip}"),
        "eui_mistyped": (eui[:-1], eui[1:], eui + "0", eui.lower()[:-1], spelled[-1][:-1], f"{eui[:6]}0{eui[6:]}"),
    }
    for code, texts in slips.items():
        for text in texts:
            with pytest.raises(ApiError) as refused:
                network.call("get", "/lookup", q=text)
            assert refused.value.code == code, text
    for serial in ("123456789012345", "12345678901234567", row["Заводской номер"][:-1]):
        assert network.call("get", "/lookup", q=serial)["items"] == [], "a serial is digits of any number"


@pytest.mark.req("A49")
def test_profile_comes_from_the_passport_with_nothing_typed(network: Network) -> None:
    """Commissioning by device id alone gives the whole profile; a second time changes nothing."""
    row = network.row(WATER.designation, 0)

    device = network.commission(row)

    assert device["profile"] == {
        "dev_eui": row["DevEUI"].lower(),
        "join_eui": row["JoinEUI"].lower(),
        "region": "RU864",
        "lorawan_version": "1.0.3",
        "class": "A",
        "ports": [2, 3, 4],
        "driver": "betar-vega",
        "driver_version": betar.DESCRIPTOR.version,
        "hardware": "C",
        "firmware": row["Прошивка"],
    }
    assert device["app_eui"] == device["join_eui"]
    assert device["state"] == "waiting"
    assert network.commission(row) == device


def test_water_meter_joins_is_compared_and_read_once(network: Network) -> None:
    """Two gateways 150 ms apart: one reading, two receptions; the frame again is a replay; steps are recorded."""
    row = network.row(WATER.designation, 1)
    network.commission(row)
    meter = network.meter(row)

    assert meter.join()["event"] == "joined"
    meter.send(2, water("12.3456"))
    network.until(lambda: network.device(row)["state"] == "registered")
    meter.replay()
    network.until(lambda: network.frames(row)[-1]["state"] == "refused")

    passport = network.passport_of(row)
    values = network.call("get", f"/passports/{passport}/readings", quantity="volume")["items"]
    assert [(value["value"], value["unit"], value["status"]) for value in values] == [("12.3456", "m3", "ok")]
    frames = network.frames(row)
    assert [(frame["what"], frame["state"]) for frame in frames] == [
        ("join", "accepted"),
        ("uplink", "decoded"),
        ("uplink", "refused"),
    ]
    assert [heard["gateway"] for heard in frames[1]["detail"]["receptions"]] == [GATEWAYS[1].eui, GATEWAYS[0].eui]
    assert frames[2]["detail"]["reason"] == "replay"
    device = network.device(row)
    assert [step["step"] for step in device["steps"]] == [1, 2, 3, 4]
    assert {line["field"] for line in device["rows"]} == {
        *("dev_eui", "join_eui", "region", "port", "payload", "clock", "temperature", "volume")
    }
    view = network.call("get", f"/passports/{passport}")["view"]
    assert {"joined", "registered"} <= {event["what"]["central"] for event in view["events"]}
    assert {"operating_mode", "time_service", "clock_offset", "reporting_schedule"} <= view["parameters"].keys()


def test_electricity_meter_is_known_by_its_own_info_frame(network: Network) -> None:
    """Serial, date made and firmware agree with the passport, and the energy is a reading."""
    row = network.row(ENERGY.designation, 0)
    network.commission(row)
    meter = network.meter(row)

    put_on_the_air(meter)
    meter.send(2, energy(row, 120_340))
    network.until(lambda: network.device(row)["state"] == "registered")

    rows = {line["field"]: line for line in network.device(row)["rows"]}
    assert all(rows[name]["equal"] and rows[name]["passport"] for name in ("serial", "made", "firmware"))
    passport = network.passport_of(row)
    values = network.call("get", f"/passports/{passport}/readings", quantity="energy_active_import")["items"]
    assert [(value["value"], value["unit"]) for value in values] == [("120340", "W.h")]


def test_neighbour_with_copied_name_and_key_is_stopped_by_its_info_frame(network: Network) -> None:
    """It joins, its serial differs, the table names it, its frames stay nobody's; compared again it still differs."""
    row, neighbour = network.row(ENERGY.designation, 1), network.row(ENERGY.designation, 2)
    network.commission(row)
    meter = network.meter(row)

    put_on_the_air(meter)
    meter.send(2, energy(neighbour, 5_000))
    device = network.until(lambda: (d := network.device(row))["state"] == "stopped" and d)
    meter.send(2, energy(neighbour, 5_001))
    network.until(lambda: len(network.frames(row)) == 3)

    differing = [line for line in device["rows"] if not line["equal"]]
    assert [(line["field"], int(line["passport"]), int(line["reported"])) for line in differing] == [
        ("serial", int(row["Заводской номер"]), int(neighbour["Заводской номер"]))
    ]
    assert [frame["state"] for frame in network.frames(row)] == ["accepted", "unresolved", "unresolved"]
    assert network.call("get", f"/passports/{network.passport_of(row)}/series")["items"] == []
    again = network.call("post", f"/radio/devices/{row['DevEUI'].lower()}/comparison")
    assert again["state"] == "stopped"
    journal = network.call("get", "/journal", limit="100")["items"]
    assert any(line["what"] == "registration_stopped" and line["detail"]["fields"] == ["serial"] for line in journal)


@pytest.mark.req("A58")
def test_right_meter_is_taken_after_a_wrong_one_was_stopped(network: Network) -> None:
    """The wrong one stops with the field that differs; the right one agrees, and its four steps are in the passport."""
    row, neighbour = network.row(ENERGY.designation, 3), network.row(ENERGY.designation, 4)
    network.commission(row)
    wrong = network.meter(row)
    wrong.join()
    wrong.send(2, energy(neighbour, 7_000))
    stopped = network.until(lambda: (device := network.device(row))["state"] == "stopped" and device)
    assert [line["field"] for line in stopped["rows"] if not line["equal"]] == ["serial"]

    right = network.meter(row, dev_nonce=wrong.stop())
    put_on_the_air(right)
    right.send(2, energy(row, 9_000))
    network.until(lambda: network.device(row)["state"] == "registered")

    passport = network.passport_of(row)
    values = network.call("get", f"/passports/{passport}/readings", quantity="energy_active_import")["items"]
    assert [value["value"] for value in values] == ["9000"]
    compared = {line["field"] for line in network.device(row)["rows"] if line["equal"] and line["passport"]}
    assert {"serial", "made", "firmware"} <= compared
    view = network.call("get", f"/passports/{passport}")["view"]
    stated = {
        code: view["parameters"][code]["values"][-1]
        for code in ("operating_mode", "time_service", "clock_offset", "reporting_schedule")
    }
    assert all(value["value"] and value["standing"] == "stated" for value in stated.values())
    (registered,) = [event for event in view["events"] if event["what"]["central"] == "registered"]
    assert [registered["detail"][f"step.{number}"].split(":")[0] for number in (1, 2, 3, 4)] == [
        *("compare", "mode", "time", "schedule")
    ]


@pytest.mark.parametrize(
    ("field", "volume_m3", "temperature_c", "expected", "reported"),
    [
        ("volume", "8.9999", 18, "≥ 9 m3", "8.9999 m3"),
        ("temperature", "9.5000", 99, "-40 … 85 Cel", "99 Cel"),
    ],
)
def test_register_below_the_bench_and_a_temperature_that_cannot_be_stop(
    network: Network, field: str, volume_m3: str, temperature_c: int, expected: str, reported: str
) -> None:
    """The maker's bench read 9 m3 and the type works in a range: a meter that says otherwise is not taken."""
    row = network.row(WATER.designation, 14 if field == "volume" else 15)
    bench = {"code": {"central": "bench_reading"}, "value": "9", "unit": "m3", "source": "bench"}
    network.call("post", f"/passports/{network.passport_of(row)}/parameters", {"rows": [bench]})
    network.commission(row)
    meter = network.meter(row)

    put_on_the_air(meter)
    meter.send(2, water(volume_m3, temperature_c=temperature_c))
    device = network.until(lambda: (d := network.device(row))["state"] == "stopped" and d)

    differing = [line for line in device["rows"] if not line["equal"]]
    assert [(line["field"], line["passport"], line["reported"]) for line in differing] == [(field, expected, reported)]
    assert network.call("get", f"/passports/{network.passport_of(row)}/series")["items"] == []


def test_mode_time_and_schedule_that_the_passport_states_are_the_registrations(network: Network) -> None:
    """What the maker stated of the service is recorded in steps 2 to 4, and not what is meant for other meters."""
    row = network.row(WATER.designation, 16)
    stated = {"operating_mode": "N1", "time_service": "no corrections", "reporting_schedule": "06:00 daily"}
    rows = [{"code": {"central": code}, "value": value} for code, value in stated.items()]
    network.call("post", f"/passports/{network.passport_of(row)}/parameters", {"rows": rows})
    network.commission(row)
    meter = network.meter(row)

    put_on_the_air(meter)
    meter.send(2, water("3.0000"))
    network.until(lambda: network.device(row)["state"] == "registered")

    steps = {step["step"]: step["detail"] for step in network.device(row)["steps"]}
    assert [steps[number] for number in (2, 3, 4)] == list(stated.values())


def test_comparing_again_takes_the_latest_word_of_the_meter(network: Network) -> None:
    """A first frame with a clock of last week stops; once the clock was set, comparing again registers the meter."""
    row = network.row(WATER.designation, 11)
    network.commission(row)
    meter = network.meter(row)
    put_on_the_air(meter)
    meter.send(202, b"\x01")
    meter.send(2, water("5.0000", now() - timedelta(days=7)))
    stopped = network.until(lambda: (device := network.device(row))["state"] == "stopped" and device)
    assert [line["field"] for line in stopped["rows"] if not line["equal"]] == ["clock"]
    meter.send(2, water("5.1000"))
    network.until(lambda: len(network.frames(row)) == 4)

    network.call("post", f"/radio/devices/{row['DevEUI'].lower()}/comparison")

    network.until(lambda: network.device(row)["state"] == "registered")
    network.until(lambda: [f["state"] for f in network.frames(row)] == ["accepted", "undecoded", "decoded", "decoded"])
    values = network.call("get", f"/passports/{network.passport_of(row)}/readings", quantity="volume")["items"]
    assert {value["value"]: value["status"] for value in values}["5.1000"] in ("ok", "uncertain")


def test_device_taken_off_and_put_back_goes_on_in_its_activation(network: Network) -> None:
    """It keeps its session: the meter need not join again, and no frame is lost."""
    row = network.row(WATER.designation, 12)
    network.commission(row)
    meter = network.meter(row)
    put_on_the_air(meter)
    meter.send(2, water("7.0000"))
    network.until(lambda: network.device(row)["state"] == "registered")

    network.call("delete", f"/radio/devices/{row['DevEUI'].lower()}")
    assert network.device(row)["state"] == "retired"
    assert network.commission(row)["state"] == "registered"
    meter.send(2, water("7.5000", now() + timedelta(seconds=1)))
    network.until(lambda: [frame["state"] for frame in network.frames(row)].count("decoded") == 2)


def test_readings_are_answered_a_page_at_a_time(network: Network) -> None:
    """What does not fit is asked for from the time that the answer tells; nothing is left out."""
    row = network.row(WATER.designation, 12)
    path = f"/passports/{network.passport_of(row)}/readings"
    whole = network.call("get", path, quantity="volume")
    first = network.call("get", path, quantity="volume", limit="1")

    rest = network.call("get", path, quantity="volume", since=str(first["next_since"]))

    assert whole["next_since"] is None
    assert len(whole["items"]) == 2
    assert [*first["items"], *rest["items"]] == whole["items"]


def test_registered_meter_that_is_swapped_is_stopped(network: Network) -> None:
    """A meter that takes over name and key of a registered one joins, and no frame of it becomes a reading."""
    row, neighbour = network.row(ENERGY.designation, 0), network.row(ENERGY.designation, 2)
    meter = network.meter(row, dev_nonce=100)
    put_on_the_air(meter)
    meter.send(2, energy(neighbour, 130_000))

    network.until(lambda: network.device(row)["state"] == "stopped")

    values = network.call("get", f"/passports/{network.passport_of(row)}/readings", quantity="energy_active_import")
    assert "130000" not in {value["value"] for value in values["items"]}


@pytest.mark.req("A54")
def test_join_is_answered_once_and_only_under_the_right_key(network: Network) -> None:
    """A join is accepted; the same DevNonce and another key are refused, and both refusals stand in the journal."""
    row = network.row(WATER.designation, 8)
    network.commission(row)

    joined = put_on_the_air(network.meter(row))
    again = network.meter(row, dev_nonce=int(joined["dev_nonce"])).join()
    stranger = network.meter(row, key="11" * 16, dev_nonce=500).join()

    assert [joined["event"], again["event"], stranger["event"]] == ["joined", "join_failed", "join_failed"]
    reasons = [frame["detail"].get("reason") for frame in network.frames(row)]
    assert reasons == [None, "dev_nonce_replayed", "broken_mic"]
    journal = network.call("get", "/journal", limit="100")["items"]
    told = {line["detail"]["reason"] for line in journal if line["what"] == "join_refused"}
    assert {"dev_nonce_replayed", "broken_mic"} <= told


@pytest.mark.req("A56")
def test_altered_frame_is_refused_and_session_keys_are_sealed(network: Network) -> None:
    """A frame with any one bit changed is refused; NwkSKey and AppSKey of the session stand in no file of the node."""
    row = network.row(WATER.designation, 9)
    network.commission(row)
    meter = network.meter(row)
    joined = put_on_the_air(meter)
    phy = bytes.fromhex(meter.send(2, water("3.0000"))["phy"])
    network.until(lambda: network.device(row)["state"] == "registered")
    count = len(network.frames(row))

    for place in (0, 6, 9, len(phy) // 2, len(phy) - 1):
        network.push(phy[:place] + bytes([phy[place] ^ 0x80]) + phy[place + 1 :])
    network.until(lambda: metric(network.node, "lora_refused", "broken_mic") >= 3)

    assert len(network.frames(row)) == count
    values = network.call("get", f"/passports/{network.passport_of(row)}/readings", quantity="volume")["items"]
    assert [value["value"] for value in values] == ["3.0000"]
    root = Key(bytes.fromhex(row["AppKey"]))
    keys = derive_session_keys(root, int(joined["join_nonce"]), NetId(0), int(joined["dev_nonce"]))
    secrets = {"NwkSKey": keys.network.reveal(), "AppSKey": keys.application.reveal(), "AppKey": root.reveal()}
    assert search([network.node.folder], secrets) == []


def test_copied_name_without_the_key_is_refused_by_its_mic(network: Network) -> None:
    """The join gets no answer; the refusal stands among the frames and in the journal."""
    row = network.row(WATER.designation, 2)
    network.commission(row)

    meter = network.meter(row, key="00" * 16)

    assert meter.join()["event"] == "join_failed"
    assert [frame["detail"]["reason"] for frame in network.frames(row)] == ["broken_mic"]
    journal = network.call("get", "/journal", limit="100")["items"]
    assert any(line["what"] == "join_refused" and line["detail"]["reason"] == "broken_mic" for line in journal)
    assert network.device(row)["state"] == "waiting"


def test_unknown_device_is_refused_and_visible(network: Network) -> None:
    """A join of a device that nobody commissioned is kept among the refused frames."""
    row = network.row(WATER.designation, 3)

    meter = network.meter(row)

    assert meter.join()["event"] == "join_failed"
    assert [frame["detail"]["reason"] for frame in network.frames(row)] == ["unknown_device"]


@pytest.mark.req("A34")
def test_killed_node_refuses_used_nonces_and_keeps_its_sessions(network: Network) -> None:
    """Two receptions, one frame; after kill -9 the session goes on, the last frame is replay, a used nonce refused."""
    row = network.row(WATER.designation, 4)
    network.commission(row)
    meter = network.meter(row)
    joined = put_on_the_air(meter)
    meter.send(2, water("1.0000"))
    network.until(lambda: network.device(row)["state"] == "registered")
    assert [len(frame["detail"]["receptions"]) for frame in network.frames(row)] == [2, 2]
    port = network.node.addresses["radio"].rpartition(":")[2]

    network.node.kill()
    network.node.start({"PASSPORT_RADIO__PORT": port})
    meter.replay()
    network.until(lambda: network.frames(row)[-1]["state"] == "refused")
    meter.send(2, water("1.5000"))
    network.until(lambda: [f["state"] for f in network.frames(row)].count("decoded") == 2)
    assert network.meter(row, dev_nonce=int(joined["dev_nonce"])).join()["event"] == "join_failed"
    assert network.frames(row)[-1]["detail"]["reason"] == "dev_nonce_replayed"
    assert network.meter(row, key="22" * 16, dev_nonce=77).join()["event"] == "join_failed"
    assert network.frames(row)[-1]["detail"]["reason"] == "broken_mic"
    passport = network.passport_of(row)
    values = network.call("get", f"/passports/{passport}/readings", quantity="volume")["items"]
    assert [value["value"] for value in values] == ["1.0000", "1.5000"]


@pytest.mark.req("A55")
def test_near_meter_is_told_to_send_softer_and_the_node_remembers_it(network: Network) -> None:
    """A meter heard well lowers its power as told, within the region; a killed node knows what its meter uses."""
    row = network.row(WATER.designation, 4)
    meter = network.meter(row, dev_nonce=200)
    put_on_the_air(meter)

    path = f"/radio/devices/{row['DevEUI'].lower()}/link"
    for number in range(9):
        meter.send(2, water(f"20.{number}"))
        network.until(lambda: network.frames(row)[-1]["fcnt"] == number)  # noqa: B023 - asked within this turn
    told = network.call("get", path)
    network.node.kill()
    network.node.start()

    assert (told["dr"], told["rate"], told["nb_trans"]) == (5, "SF7BW125", 1)
    assert told["tx_power"] == 7
    assert told["tx_power_dbm"] == 2
    assert [one["frequency_hz"] for one in told["channels"] if one["enabled"]] == [868_900_000, 869_100_000]
    assert (told["asked"], told["refused"]) == ([], [])
    assert told["best_snr_db"] == max(gateway.snr_db for gateway in GATEWAYS)
    assert network.call("get", path) == told


@pytest.mark.req("A52")
def test_address_changes_with_a_new_join_and_leaves_no_trace(network: Network) -> None:
    """DevAddr is of a session: another after a re-join; it is no name of the device, and no statement carries it."""
    row = network.row(WATER.designation, 5)
    network.commission(row)
    meter = network.meter(row)

    addresses = [str(put_on_the_air(meter)["dev_addr"]) for _ in range(2)]

    assert addresses[0] != addresses[1]
    shown = [
        network.call("get", f"/passports/{network.passport_of(row)}"),
        [frame["detail"] for frame in network.frames(row)],
        network.call("get", "/journal", limit="100"),
    ]
    assert not any(address in str(shown) for address in addresses)
    said = [data for (data,) in rows(network.node.folder, "select data from sections where form = 0")]
    for address in addresses:
        forms = (address.encode(), bytes.fromhex(address), bytes.fromhex(address)[::-1])
        assert not any(form in data for form in forms for data in said)
        assert network.call("get", "/lookup", q=address)["items"] == []


def test_meter_without_a_key_here_is_not_commissioned(network: Network) -> None:
    """A passport whose keys never came here is refused, and the advice says where keys come from."""
    plate = network.call("post", "/plates", {"text": f"{WATER.designation} № 00999999"})

    with pytest.raises(ApiError) as refused:
        network.call("post", f"/passports/{plate['id']}/commissioning")

    assert refused.value.code == "radio_unknown"


@pytest.mark.req("A30")
def test_parameters_are_answered_by_id_to_every_system(network: Network) -> None:
    """The LoRa server takes its profile by id and admits the meter; three systems ask what each may ask.

    Each has a token of its own: one that is cut off is answered no more, and the others still are.
    """
    row = network.row(WATER.designation, 10)
    device, eui = network.passport_of(row), row["DevEUI"].lower()
    made = datetime.strptime(row["Дата изготовления"], "%d.%m.%Y").date().isoformat()  # noqa: DTZ007 - a date
    stated = {"firmware_version": row["Прошивка"], "batch": row["Партия"], "manufactured_on": made}
    passport = f"/passports/{device}"
    systems = {
        "LoRa server": System(network, "LoRa server", "read", "radio"),
        "cabinet": System(network, "cabinet", "read"),
        "service centre": System(network, "service centre", "read", "record"),
        "polling server": System(network, "polling server", "read"),
    }
    lora, cabinet, service, polling = systems.values()

    # The network server: all that it is given is the id.
    commissioned = lora.asks("POST", f"{passport}/commissioning")
    assert commissioned["profile"]["dev_eui"] == eui
    put_on_the_air(network.meter(row))
    # The cabinet shows the passport; the service centre asks of a day, and says what it did; the polling server knows
    # a DevEUI alone, and asks what driver and ports to read it with.
    shown = cabinet.asks("GET", passport)["view"]
    before = service.asks("GET", f"{passport}/parameters?on={made}")["items"]
    change = {"code": {"central": "firmware_version"}, "value": "9.9", "since": "2026-05-01"}
    service.asks("POST", f"{passport}/parameters", {"rows": [change]})
    after = service.asks("GET", f"{passport}/parameters?on=2026-05-02")["items"]
    (found,) = polling.asks("GET", f"/lookup?q={eui}")["items"]
    polled = polling.asks("GET", f"/passports/{found['id']}")["view"]

    for view in (shown, polled):
        assert {code: view["parameters"][code]["values"][0]["value"] for code in stated} == stated
        assert (view["radio"]["dev_eui"]["value"], view["radio"]["ports"]["value"]) == (eui, [2, 3, 4])
    assert {item["code"]: item["value"] for item in before}.items() >= stated.items()
    assert {item["code"]: item["value"] for item in after}.items() >= (stated | {"firmware_version": "9.9"}).items()
    assert found["id"] == device
    for answer in (commissioned, shown, before, after, polled):
        assert row["AppKey"].lower() not in str(answer).lower(), "no answer holds the key"
    for system in (cabinet, polling):
        assert system.status("POST", f"{passport}/parameters", {"rows": [change]}) == 403
    assert service.status("POST", f"{passport}/commissioning") == 403
    network.call("delete", f"/tokens/{cabinet.token}")
    assert {name: system.status("GET", f"{passport}/parameters") for name, system in systems.items()} == {
        "LoRa server": 200, "cabinet": 401, "service centre": 200, "polling server": 200,
    }  # fmt: skip


def test_any_bytes_on_the_gateway_port_are_counted_and_change_nothing(network: Network) -> None:
    """Noise, cut and altered datagrams, broken JSON and strange gateways: each is counted, and the store stays."""
    source = random.Random(5)
    known = bytes.fromhex(GATEWAYS[0].eui)
    push = b"\x02\x00\x01\x00" + known + json.dumps({"rxpk": [{"data": "AA==", "freq": 868.9}]}).encode()
    noise = [source.randbytes(source.randrange(0, 600)) for _ in range(60)]
    noise += [push[: source.randrange(len(push))] for _ in range(30)]
    noise += [_altered(source, push) for _ in range(60)]
    noise += [b"\x02\x00\x01\x00" + known + text for text in (b"{", b"[]", b"[" * 20_000, b'{"rxpk": 7}', b"\xff")]
    strangers = [b"\x02\x00\x01\x02" + source.randbytes(8) for _ in range(20)]
    before = _stored(network)
    heard = metric(network.node, "lora_datagrams", "")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        for datagram in (*noise, *strangers):
            wire.sendto(datagram, network.server)
    network.until(lambda: metric(network.node, "lora_datagrams", "") >= heard + len(noise) + len(strangers))

    assert _stored(network) == before
    assert metric(network.node, "lora_datagrams_bad", "") > 60
    assert metric(network.node, "lora_gateways_unknown", "") >= len(strangers)
    shown = network.call("get", "/radio/gateways")
    assert len(shown["items"]) == len(GATEWAYS)
    assert len(shown["strangers"]) >= len(strangers)


def _altered(source: random.Random, datagram: bytes) -> bytes:
    place = source.randrange(len(datagram))
    return datagram[:place] + source.randbytes(1) + datagram[place + 1 :]


def _stored(network: Network) -> list[object]:
    tables = ("frames", "radio_devices", "radio_nonces", "radio_sessions", "readings", "fragments", "journal")
    return [rows(network.node.folder, f"select count(*) from {table}") for table in tables]  # noqa: S608 - fixed names
