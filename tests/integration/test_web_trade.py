"""What the API answers of shipments, days, files and peers, asked of nodes that trade with each other."""

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pypdfium2
import pytest
import zxingcpp

from node.api_client import ApiClient, ApiError
from node.demo.files import HEADER, SERIAL_AT
from node.exchange.tables import read_table, write_csv
from node.passport.ids import SubjectId, format_device_id
from tests.nodes import command, journal
from tests.trade import Trade, meters, trading, with_serial
from tests.unit.web.running import PASSWORD, SAME_ORIGIN

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web trade")]
Json = Any  # Any: what the API answers
PUBLIC = {
    "PASSPORT_PUBLIC__ENABLED": "true", "PASSPORT_PUBLIC__PORT": "0", "PASSPORT_PUBLIC__DOMAIN": "works.example",
}  # fmt: skip
NOBODYS = format_device_id(SubjectId(bytes(range(16))))
KEY_AT = HEADER.index("AppKey")
REPAIR = {
    "where": "works", "when": "2026-08-10T09:00:00Z",
    "parts": [{"position": "плата", "designation": "ПБ-1", "serial": "000202", "removed_serial": "000101"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with meters, a utility that buys, and a lab that has no part in it."""
    folder = tmp_path_factory.mktemp("web-trade")
    with trading(folder, "utility", "lab", PASSPORT_FEDERATION__DISCOVERY="false", **PUBLIC) as running:
        running.produce(meters(13))
        yield running


def refusal(trade: Trade, name: str, method: str, path: str, *arguments: Json, **query: str) -> str:
    """The stable code with which a node refuses."""
    with pytest.raises(ApiError) as caught:
        trade.call(name, method, path, *arguments, **query)
    return caught.value.code


def offer(trade: Trade, number: str, *devices: str) -> Json:
    """Let the maker offer devices to the utility, and wait until the utility has the offer."""
    body = {"buyer": trade.orgs["utility"], "number": number, "devices": list(devices)}
    made = trade.call("maker", "post", "/shipments", body)
    trade.until("the offer", lambda: listed(trade, "utility", made["id"]))
    return made


def listed(trade: Trade, name: str, shipment: str) -> Json:
    """A shipment as a node lists it, None where it does not."""
    items = trade.call(name, "get", "/shipments")["items"]
    return next((item for item in items if item["id"] == shipment), None)


def arrived(trade: Trade, name: str, shipment: str, count: int) -> Json:
    """A shipment that a node knows as accepted, once so many passports and keys of it are there."""

    def whole() -> Json:
        one = listed(trade, name, shipment)
        return one if one["accepted"] and one["passports"] == one["keys"] == count else None

    return trade.until(f"the accepted shipment at {name}", whole)


def statements(trade: Trade, name: str, device: str) -> int:
    """How many statements of a passport a node has."""
    return len(trade.call(name, "get", f"/passports/{device}")["view"]["statements"])


def states(trade: Trade) -> dict[str, str]:
    """The state of each peer of the utility, by organisation."""
    return {item["org"]: item["state"] for item in trade.call("utility", "get", "/peers")["items"]}


def roles(trade: Trade, name: str, device: str) -> list[tuple[str, str, str]]:
    """Who holds which role at last and by what, as a node tells; nothing where it has no passport."""
    try:
        items = trade.call(name, "get", f"/passports/{device}/roles", on="2199-01-01")["items"]
    except ApiError:
        return []
    return sorted((row["party"], row["role"], row["basis"]) for row in items)


def owner(trade: Trade, name: str, device: str) -> str:
    """Who holds the title, as a node tells."""
    return str(trade.call(name, "get", f"/passports/{device}")["view"]["parties"]["owner"]["value"])


def accept(trade: Trade, name: str, shipment: str) -> Json:
    """Let a node accept a shipment."""
    return trade.call(name, "post", f"/shipments/{shipment}/acceptance")


def scanned(raw: bytes) -> str:
    """The link that an independent reader reads off a label, as a printer of 203 dpi prints it."""
    (code,) = zxingcpp.read_barcodes(pypdfium2.PdfDocument(raw)[0].render(scale=203 / 72).to_pil())
    return str(code.text)


async def opened(trade: Trade, link: str) -> dict[str, tuple[int, str, str]]:
    """Status, address and page of what a scan opens for a person of each organisation, and for anybody at its door."""
    found: dict[str, tuple[int, str, str]] = {}
    for name, node in trade.nodes.items():
        addresses, path = node.addresses, urlsplit(link).path
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            async with client.get(f"{addresses['public']}{path}") as response:
                found[f"anybody at {name}"] = (response.status, response.url.path, await response.text())
            form = {"name": "anna", "password": PASSWORD}
            async with client.post(str(addresses["claim"]), data=form, headers=SAME_ORIGIN) as response:
                assert response.status == 200, await response.text()
            async with client.get(f"{addresses['console']}{path}") as response:
                found[name] = (response.status, response.url.path, await response.text())
    return found


@pytest.mark.req("B39")
def test_label_opens_the_passport_for_each_party_in_its_profile_and_for_anybody(trade: Trade) -> None:
    """A label that the maker printed is scanned: each party sees its own view, anybody the public one, no more is told.

    The lab has no part in the device: its node answers of it as of an id that nobody has.
    """
    device = trade.devices[10]
    serial = trade.call("maker", "get", f"/passports/{device}")["view"]["identity"]["serial"]["value"]
    shipment = offer(trade, "ТТН-9", device)
    accept(trade, "utility", shipment["id"])
    arrived(trade, "utility", shipment["id"], 1)

    async def printed() -> bytes:
        async with ApiClient(trade.nodes["maker"].folder) as api:
            return await api.download(f"/passports/{device}/label")

    raw = trade.call("utility", "post", "/labels", {"shipment": shipment["id"], "code": "datamatrix"})
    link = scanned(asyncio.run(printed()))
    found = asyncio.run(opened(trade, link))
    nobodys = asyncio.run(asked(trade, "lab", f"/d/{NOBODYS}"))

    assert link == scanned(raw) == f"https://works.example/d/{device}"
    for name in ("maker", "utility"):
        status, path, page = found[name]
        assert (status, path) == (200, f"/devices/{device}")
        assert serial in page
        status, path, page = found[f"anybody at {name}"]
        assert (status, path) == (200, f"/d/{device}")
        assert serial in page
        assert "ТТН-9" not in page
    assert found["lab"][:2] == (200, "/find")
    assert found["anybody at lab"][0] == 404
    assert found["anybody at lab"][2].replace(device, "") == nobodys.replace(NOBODYS, "")


async def asked(trade: Trade, name: str, path: str) -> str:
    """What anybody is answered at the public door of a node."""
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{trade.nodes[name].addresses['public']}{path}") as response,
    ):
        return await response.text()


@pytest.mark.req("B58")
def test_day_is_answered_alike_by_seller_and_buyer(trade: Trade) -> None:
    """What a value was and what stood inside, before and after a change, the buyer reads as the seller said it."""
    device = trade.devices[0]
    for value, since in (("1.5", "2026-06-01"), ("1.6", "2026-09-01")):
        row = {"code": {"central": "firmware_version"}, "value": value, "since": since}
        trade.call("maker", "post", f"/passports/{device}/parameters", {"rows": [row]})
    trade.call("maker", "post", f"/passports/{device}/repairs", REPAIR)
    shipment = offer(trade, "ТТН-1", device)
    accept(trade, "utility", shipment["id"])
    arrived(trade, "utility", shipment["id"], 1)
    said = statements(trade, "maker", device)
    trade.until("all that the maker said", lambda: statements(trade, "utility", device) >= said)

    for on, firmware, part in (
        ("2026-05-31", "1.4", "000101"),
        ("2026-06-01", "1.5", "000101"),
        ("2026-08-10T08:59:59Z", "1.5", "000101"),
        ("2026-08-10T09:00:00Z", "1.5", "000202"),
        ("2026-09-01", "1.6", "000202"),
    ):
        for name in ("maker", "utility"):
            values = trade.call(name, "get", f"/passports/{device}/parameters", on=on)
            inside = trade.call(name, "get", f"/passports/{device}/composition", on=on)
            found = [row for row in values["items"] if row["code"] == "firmware_version"]
            assert [(row["value"], row["by"]) for row in found] == [(firmware, trade.orgs["maker"])], (name, on)
            assert [item["serial"] for item in inside["items"]] == [part], (name, on)
            assert values["on"] == inside["on"] == on


@pytest.mark.req("B64b")
def test_responsibility_is_offered_on_one_node_accepted_on_another_and_shown_alike(trade: Trade) -> None:
    """Both signatures pass it on, over several devices in one act; without the other's node a document does."""
    devices, (maker, utility) = trade.devices[5:7], (trade.orgs["maker"], trade.orgs["utility"])
    offered = {"role": "responsible", "org": utility, "ids": devices, "document": "договор 12"}
    made = trade.call("maker", "post", "/mandates/offers", offered)

    def waits() -> Json:
        items = trade.call("utility", "get", "/mandates", direction="in", state="waiting")["items"]
        return [item for item in items if item["id"] == made["id"]]

    (seen,) = trade.until("the offer", waits)
    assert (seen["by"], seen["role"], seen["devices"]) == (maker, "responsible", made["devices"])
    assert seen["papers"]["document"] == "договор 12"
    assert refusal(trade, "maker", "post", f"/mandates/{made['id']}/acceptance") == "mandate_not_ours"
    trade.call("utility", "post", f"/mandates/{made['id']}/acceptance")

    def alike() -> Json:
        both = [[roles(trade, name, device) for device in devices] for name in ("maker", "utility")]
        return both[0] == both[1] and all((utility, "responsible", "acceptance") in held for held in both[0])

    trade.until("the same roles on both", alike)
    assert (maker, "title", "maker") in roles(trade, "utility", devices[0])
    assert refusal(trade, "maker", "post", "/mandates/offers", offered) == "role_not_held"
    # Who is responsible reads the device, and speaks of it with authority.
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    admitted = {"what": "admitted", "where": "Садовая, 1", "when": when}
    trade.call("utility", "post", f"/passports/{devices[0]}/events", admitted)

    def told() -> Json:
        items = trade.call("maker", "get", f"/passports/{devices[0]}/events", who=utility)["items"]
        return [(item["ground"], item["standing"]) for item in items if item["source"] == "event"]

    assert trade.until("the event", told)[-1] == ("responsible", "stated")

    housing = {"role": "title", "ids": [devices[1]], "name": "ТСЖ «Садовая»", "inn": "7736050003", "document": "ДКП 5"}
    trade.call("maker", "post", "/mandates/statements", housing)
    trade.until("the owner", lambda: owner(trade, "utility", devices[1]) == owner(trade, "maker", devices[1]) != maker)
    # The owner has no node: the responsible party, which has one, states the next one.
    trade.call("utility", "post", "/mandates/statements", {**housing, "inn": "7728168971", "name": "ООО «Дом»"})
    trade.until("the next", lambda: owner(trade, "utility", devices[1]) == owner(trade, "maker", devices[1]))
    ended = trade.call("maker", "post", f"/mandates/{made['id']}/end", {"reason": "расторгнут", "ids": [devices[0]]})
    assert ended["ended"] == [devices[0]]
    trade.until("the end", lambda: (maker, "responsible", "title") in roles(trade, "utility", devices[0]))


@pytest.mark.req("B64e")
def test_source_of_data_is_refused_all_but_observed_parameters_on_its_own_node(trade: Trade) -> None:
    """Named by the owner, it reads the device and states readings with authority; other writes stop at entry."""
    device, utility = trade.devices[7], trade.orgs["utility"]
    given = {"role": "data_source", "org": utility, "ids": [device]}
    trade.call("maker", "post", "/mandates/appointments", given)
    trade.until("the role", lambda: (utility, "data_source", "appointment") in roles(trade, "utility", device))

    event = {"what": "installed", "where": "Садовая, 1", "when": "2026-11-01"}
    said = (("dn", "15"), ("rssi", "-70"))
    fixed, seen = ({"rows": [{"code": {"central": code}, "value": value}]} for code, value in said)
    assert refusal(trade, "utility", "post", f"/passports/{device}/events", event) == "role_data_source"
    assert refusal(trade, "utility", "post", f"/passports/{device}/parameters", fixed) == "role_data_source"
    trade.call("utility", "post", f"/passports/{device}/parameters", seen)

    def stated() -> Json:
        items = trade.call("maker", "get", f"/passports/{device}/parameters")["items"]
        return [row["standing"] for row in items if row["code"] == "rssi"]

    assert trade.until("the value", stated) == ["stated"]


def test_shipment_reads_alike_on_both_sides_until_and_after_its_acceptance(trade: Trade) -> None:
    """One id, one set of papers; the buyer has the passports and keys only once it accepted, the seller always had."""
    devices = trade.devices[1:3]
    made = offer(trade, "ТТН-2", *devices)
    papers = ("id", "seller", "buyer", "number", "date")

    for name, here in (("maker", 2), ("utility", 0)):
        seen = trade.call(name, "get", f"/shipments/{made['id']}")
        assert seen | listed(trade, name, made["id"]) == seen
        assert [seen[field] for field in papers] == [made[field] for field in papers]
        assert sorted(seen["devices"]) == sorted(devices)
        assert (seen["accepted"], seen["passports"], seen["keys"]) == (False, here, here), name
    accept(trade, "utility", made["id"])

    for name in ("maker", "utility"):
        arrived(trade, name, made["id"], 2)
    assert trade.call("utility", "get", f"/passports/{devices[0]}/processes")["items"] == []


def test_second_acceptance_changes_nothing(trade: Trade) -> None:
    """It is answered as the first, and neither the log nor the journal grows."""
    made = offer(trade, "ТТН-3", trade.devices[3])
    accept(trade, "utility", made["id"])
    first = arrived(trade, "utility", made["id"], 1)
    size = trade.call("utility", "get", "/node")["size"]
    folder = trade.nodes["utility"].folder
    said = journal(folder, "shipment_accepted")

    assert first | accept(trade, "utility", made["id"]) == accept(trade, "utility", made["id"])

    assert trade.call("utility", "get", "/node")["size"] == size
    assert journal(folder, "shipment_accepted") == said


def test_shipment_is_offered_and_answered_on_the_command_line(trade: Trade, tmp_path: Path) -> None:
    """Devices are named or stand in a file; what is refused and what is accepted the commands tell."""
    one, other = trade.devices[11:13]
    listed_there = tmp_path / "devices.txt"
    listed_there.write_text(f"{one}\n{other}\n", encoding="utf-8")
    maker, utility = (str(trade.nodes[name].folder) for name in ("maker", "utility"))

    told = command("ship", trade.orgs["utility"], "ТТН-8", "--from", str(listed_there), "--folder", maker)

    shipment = told.stdout.split()[-1]
    trade.until("the offer", lambda: listed(trade, "utility", shipment))
    refused = command("refuse", shipment, "missing", other, "--note", "пустая коробка", "--folder", utility)
    assert "offered 1, refused 1" in refused.stdout
    assert "accepted 1, refused 1" in command("accept", shipment, "--folder", utility).stdout
    assert command("accept", shipment, other, "--folder", utility).returncode == 1
    trade.until("the acceptance", lambda: listed(trade, "maker", shipment)["states"]["accepted"] == 1)
    assert "accepted 1, refused 1; here 2 passports and 2 keys" in command("shipments", "--folder", maker).stdout


def test_acceptance_by_anybody_but_the_buyer_is_refused(trade: Trade) -> None:
    """The seller is not the buyer; who has no papers of the shipment learns not even that there is one."""
    made = offer(trade, "ТТН-4", trade.devices[4])

    assert refusal(trade, "maker", "post", f"/shipments/{made['id']}/acceptance") == "not_the_buyer"
    assert refusal(trade, "lab", "post", f"/shipments/{made['id']}/acceptance") == "shipment_unknown"
    assert refusal(trade, "lab", "get", f"/shipments/{made['id']}") == "shipment_unknown"
    assert trade.call("lab", "get", "/shipments")["items"] == []
    assert listed(trade, "utility", made["id"])["accepted"] is False


def test_device_offered_many_times_at_once_is_offered_once(trade: Trade) -> None:
    """Of offers that come together one is signed, the others are refused: what is signed cannot be taken back."""
    device = trade.devices[7]

    async def offer_once(number: int) -> str:
        body = {"buyer": trade.orgs["utility" if number % 2 else "lab"], "number": f"{number}", "devices": [device]}
        async with ApiClient(trade.nodes["maker"].folder) as api:
            try:
                await api.post("/shipments", body)
            except ApiError as error:
                return error.code
        return "offered"

    async def offer_all() -> list[str]:
        return list(await asyncio.gather(*map(offer_once, range(8))))

    assert sorted(asyncio.run(offer_all())) == ["offered", *["shipped_already"] * 7]


def test_what_is_not_known_here_is_neither_shipped_nor_shared(trade: Trade) -> None:
    """A mistyped buyer, and an id without a passport: nothing is signed, and the device stays free."""
    device, nobody, nothing = trade.devices[8], "00" * 16, str(SubjectId(b"\x11" * 16))
    size = trade.call("maker", "get", "/node")["size"]

    for path, body in (
        ("/shipments", {"buyer": nobody, "number": "1", "devices": [device]}),
        ("/shares", {"org": nobody, "ids": [device]}),
    ):
        assert refusal(trade, "maker", "post", path, body) == "org_unknown"
    for path, body in (
        ("/shipments", {"buyer": trade.orgs["utility"], "number": "1", "devices": [device, nothing]}),
        ("/shares", {"org": trade.orgs["utility"], "ids": [nothing]}),
    ):
        assert refusal(trade, "maker", "post", path, body) == "passport_unknown"

    assert trade.call("maker", "get", "/node")["size"] == size
    shipped = [
        trade.call("maker", "get", f"/shipments/{i['id']}") for i in trade.call("maker", "get", "/shipments")["items"]
    ]
    assert not any(device in item["devices"] for item in shipped)


def test_key_that_is_asked_for_is_kept(trade: Trade) -> None:
    """A buyer that lost the sealed key asks the maker, and can open it again."""
    made = offer(trade, "ТТН-7", trade.devices[9])
    accept(trade, "utility", made["id"])
    arrived(trade, "utility", made["id"], 1)
    node = trade.nodes["utility"]
    node.stop()
    connection = sqlite3.connect(node.folder / "passport.sqlite")
    with connection:
        assert connection.execute("delete from sections where name = 'root-keys'").rowcount
    connection.close()
    node.start()
    assert listed(trade, "utility", made["id"])["keys"] == 0

    trade.call("utility", "post", f"/passports/{trade.devices[9]}/key-requests", {"org": trade.orgs["maker"]})

    assert listed(trade, "utility", made["id"])["keys"] == 1


def test_file_that_comes_again_with_another_key_is_reported(trade: Trade) -> None:
    """Rows that were taken are known; a key that is not the one that was stated is not dropped without a word."""
    first, second, *_ = meters(13)
    second[KEY_AT] = "0123456789ABCDEF" * 2

    job = trade.call("maker", "upload", "/imports", write_csv(HEADER, [first, second]), name="again.csv")["job"]

    trade.until("the import", lambda: trade.call("maker", "get", f"/jobs/{job}")["state"] == "done")
    result = trade.call("maker", "get", f"/jobs/{job}")["result"]
    assert (result["accepted"], result["repeated"]) == (0, 1)
    assert [(finding["row"], finding["rule"]) for finding in result["findings"]] == [(3, "app_key.differs")]
    assert second[KEY_AT] not in str(result)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"when": "9999-12-31T23:59:59Z"}, "moment_future"),
        ({"where": " "}, "validation"),
        ({"where": "\n"}, "validation"),
        ({"what": "\u202eabc"}, "validation"),
        ({"what": ""}, "validation"),
    ],
)
def test_event_to_come_or_of_nothing_visible_is_refused(trade: Trade, changes: dict[str, str], code: str) -> None:
    """What is signed stays: a day to come would stand above all that comes later, a blank place is none."""
    event = {"what": "installed", "where": "works", "when": "2026-05-01T00:00:00Z", **changes}

    assert refusal(trade, "maker", "post", f"/passports/{trade.devices[8]}/events", event) == code


def test_own_code_of_an_event_waits_to_be_bound(trade: Trade) -> None:
    """What is not written as a central code is the organisation's own one."""
    event = {"what": "Мойка фильтра", "where": "works", "when": "2026-05-01T00:00:00Z"}

    trade.call("maker", "post", f"/passports/{trade.devices[8]}/events", event)

    said = trade.call("maker", "get", f"/passports/{trade.devices[8]}/events", what="Мойка фильтра")["items"]
    assert [(item["what"]["local"], item["what"]["central"]) for item in said] == [("Мойка фильтра", None)]


@pytest.mark.parametrize("row", ["inn:0000000019", "inn:abc", "ogrn:1", "inn: 0000000018"])
def test_number_whose_check_digits_disagree_is_not_attested(trade: Trade, row: str) -> None:
    """An anchor's word is signed for good: a slip of the pen in a number is refused before."""
    said = {"org": trade.orgs["lab"], "what": "number", "rows": [row]}

    assert refusal(trade, "maker", "post", "/attestations", said) == "number_wrong"


def test_node_does_not_join_by_its_own_invitation(trade: Trade) -> None:
    """It would become its own peer for good."""
    text = trade.call("maker", "post", "/invitations", {})["text"]

    assert refusal(trade, "maker", "post", "/federation/join", {"invitation": text}) == "join_self"


def test_device_that_is_shipped_is_not_shipped_again(trade: Trade) -> None:
    """Neither to the same buyer nor to another, nor beside a free device; and nothing goes to oneself."""
    gone, free = trade.devices[5:7]
    offer(trade, "ТТН-5", gone)
    before = trade.call("maker", "get", "/shipments")["items"]

    for buyer, devices, code in (
        ("utility", [gone], "shipped_already"),
        ("lab", [gone], "shipped_already"),
        ("lab", [free, gone], "shipped_already"),
        ("maker", [free], "ship_to_self"),
    ):
        body = {"buyer": trade.orgs[buyer], "number": "ТТН-6", "devices": devices}
        assert refusal(trade, "maker", "post", "/shipments", body) == code

    assert trade.call("maker", "get", "/shipments")["items"] == before


def test_jobs_are_listed_newest_first_with_their_rows_to_correct(trade: Trade) -> None:
    """A file in order has no report; a faulty row comes back as a table without its key, and goes in corrected."""
    good, short = meters(2, seed=21)
    wrong = with_serial(short, short[SERIAL_AT][1:])
    jobs = [
        trade.call("maker", "upload", "/imports", write_csv(HEADER, [row]), name=name)["job"]
        for name, row in (("целый.csv", good), ("короткий.csv", wrong))
    ]
    first, second = (trade.call("maker", "get", f"/jobs/{job}", wait="20") for job in jobs)

    newest = trade.call("maker", "get", "/jobs")["items"]
    assert [item["job"] for item in newest[:2]] == [jobs[1], jobs[0]]
    assert newest[:2] == [second, first]
    assert [(item["state"], item["kind"], item["result"]["file"]) for item in newest[:2]] == [
        ("done", "import.production", "короткий.csv"),
        ("done", "import.production", "целый.csv"),
    ]
    assert (first["result"]["accepted"], second["result"]["accepted"]) == (1, 0)
    assert refusal(trade, "maker", "get", f"/jobs/{jobs[0]}/report", format="csv") == "report_empty"
    assert refusal(trade, "maker", "get", "/jobs/0000000000000000/report") == "job_unknown"
    raw = trade.call("maker", "get", f"/jobs/{jobs[1]}/report", format="csv")
    table = read_table(raw)
    cells = [cell.text for cell in table.rows[0].cells]
    assert len(table.rows) == 1
    assert wrong[HEADER.index("DevEUI")] in cells
    assert short[KEY_AT].encode() not in raw.upper()
    sheet = trade.call("maker", "get", f"/jobs/{jobs[1]}/report")
    assert [cell.text for cell in read_table(sheet).rows[0].cells] == cells
    mended = [short[SERIAL_AT] if text == wrong[SERIAL_AT] else text for text in cells]
    again = trade.call("maker", "upload", "/imports", write_csv(list(table.header), [mended]))["job"]
    assert trade.call("maker", "get", f"/jobs/{again}", wait="20")["result"]["accepted"] == 1


def test_peer_is_active_ignored_and_active_again(trade: Trade) -> None:
    """A peer stands in the list with its organisation and its state; a decision shows at once, and only there."""
    peers = {item["org"]: item for item in trade.call("utility", "get", "/peers")["items"]}
    maker, lab = peers[trade.orgs["maker"]], peers[trade.orgs["lab"]]
    assert (maker["state"], maker["name"], maker["kind"]) == ("active", "ООО «Завод Приборучёт-Демо»", "maker")

    for state in ("ignored", "active"):
        trade.call("utility", "post", f"/peers/{lab['node']}", {"state": state})

        assert states(trade) == {trade.orgs["lab"]: state, trade.orgs["maker"]: "active"}
    decided = journal(trade.nodes["utility"].folder, "peer_ignored")
    assert [row["node"] for row in decided] == [lab["node"]]


@pytest.mark.parametrize(
    ("node", "state", "code"), [("00" * 16, "ignored", "peer_unknown"), ("", "inbox", "validation")]
)
def test_decision_about_no_peer_or_with_no_state_is_refused(trade: Trade, node: str, state: str, code: str) -> None:
    """A node that was never met has no state, and nobody is put back into the inbox."""
    before = states(trade)
    chosen = node or trade.call("utility", "get", "/peers")["items"][0]["node"]

    assert refusal(trade, "utility", "post", f"/peers/{chosen}", {"state": state}) == code

    assert states(trade) == before
