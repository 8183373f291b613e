"""One package, three ways to run it: a central node, a federation, a single laptop offline; one set of tests for all.

The roles are the same everywhere: who makes, who verifies, whose the meters are. On a central node and on a laptop one
node has all three, in a federation each has a node of its own.
"""

import asyncio
import json
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer

from node.cli import app
from node.demo.documents import verification_document, verification_template
from tests.conftest import fresh_database
from tests.meters import DEV_EUI_AT, SERIAL_AT
from tests.nodes import ALONE, Json, check_store, command
from tests.trade import Trade, meters, trading_over

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.xdist_group("scenario")]

CENTRAL, FEDERATION, LAPTOP = "central", "federation", "laptop"
ROLES = ("maker", "lab", "utility")
METERS = 4
PAGE = Path(__file__).parents[2] / "docs" / "deployments.md"


class Deployment:
    """Whoever makes, verifies and owns, on as many nodes as the deployment has."""

    def __init__(self, trade: Trade, kind: str) -> None:
        self.trade, self.kind = trade, kind
        self.rows = meters(METERS)
        self.made: list[Json] = []

    @property
    def is_one(self) -> bool:
        """Whether one node has every role."""
        return self.kind != FEDERATION

    def call(self, role: str, method: str, path: str, /, *arguments: object, **query: str) -> Json:
        """One request to the node of a role."""
        return self.trade.call(self._at(role), method, path, *arguments, **query)

    def org(self, role: str) -> str:
        """The organisation that has a role."""
        return self.trade.orgs[self._at(role)]

    def folder(self, role: str) -> Path:
        """The folder of the node of a role."""
        return self.trade.nodes[self._at(role)].folder

    def passport(self, role: str, device: str) -> Json:
        """A passport at a role."""
        return self.call(role, "get", f"/passports/{device}")

    def produce(self) -> None:
        """Import the maker's file."""
        self.made = [row for row in self.trade.produce(self.rows) if row["kind"] == "device"]

    def verify(self) -> None:
        """Let the lab verify what was made, where it can see it."""
        if not self.is_one:
            self.trade.verify(self.made)
            return
        template = self.call("lab", "upload", "/templates", verification_template())["reference"]
        for number, row in enumerate(self.made, 1):
            document = verification_document(row["id"], row["title"], number)
            self.call("lab", "upload", "/protocols", document, template=template)

    def deliver(self) -> None:
        """Hand what was made to its owner: by an offer that he accepts, where he is another organisation."""
        if self.is_one:
            return
        offer = {"buyer": self.org("utility"), "number": "ТТН-1", "devices": [row["id"] for row in self.made]}
        shipment = self.call("maker", "post", "/shipments", offer)["id"]
        self.trade.until("the offer", lambda: self.call("utility", "get", "/shipments")["items"])
        self.call("utility", "post", f"/shipments/{shipment}/acceptance")
        self.trade.until("what was sold", self._has_come)

    def _has_come(self) -> bool:
        (shipment,) = self.call("utility", "get", "/shipments")["items"]
        return bool(shipment["keys"] == METERS) and all(self.trade.protocols("utility", r["id"]) for r in self.made)

    def _at(self, role: str) -> str:
        return "maker" if self.is_one else role


@contextmanager
def deployed(kind: str, folder: Path, store: str) -> Iterator[Deployment]:
    """The nodes of a deployment, with what was made, verified and delivered."""
    others = () if kind != FEDERATION else [role for role in ROLES if role != "maker"]
    with trading_over({"maker": store} if store else {}, folder, *others, **ALONE) as trade:
        deployment = Deployment(trade, kind)
        if deployment.is_one:
            body = {"org": deployment.org("lab"), "what": "accreditation", "rows": ["RA.RU.000000", "verification"]}
            deployment.call("maker", "post", "/attestations", body)
        deployment.produce()
        deployment.verify()
        deployment.deliver()
        yield deployment


@pytest.fixture(scope="module", params=[CENTRAL, FEDERATION, LAPTOP])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Each deployment in turn: the central one on PostgreSQL, the laptop's node knows nobody."""
    store = ""
    if request.param == CENTRAL:
        store = asyncio.run(fresh_database(request.getfixturevalue("postgres_url"), "central"))
    with deployed(request.param, tmp_path_factory.mktemp(request.param), store) as deployment:
        yield deployment


def test_page_names_commands_that_there_are() -> None:
    """Each command of the page of deployments, with each of its options, is one of the program."""
    typed = re.findall(r"^(?:\w+=\S+ )*passport-node ([^#\n]+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    for line in typed:
        words = shlex.split(line)
        made: Any = typer.main.get_command(app)  # Any: typer brings click's classes of its own
        for name in words:
            if not hasattr(made, "commands"):
                break
            made = made.commands[name]
        options = {option for parameter in made.params for option in parameter.opts}
        assert [word for word in words if word.startswith("--") and word not in options] == [], line
    assert len(typed) > 10


def test_deployment_is_what_it_says(place: Deployment) -> None:
    """One node on a server's database, three nodes that know each other, one node with a file and no peer."""
    peers = {role: len(place.call(role, "get", "/peers")["items"]) for role in ROLES}
    stores = [path.name for role in ROLES for path in place.folder(role).glob("passport.sqlite")]

    assert len(place.trade.nodes) == (3 if place.kind == FEDERATION else 1)
    assert set(peers.values()) == ({2} if place.kind == FEDERATION else {0})
    assert bool(stores) is (place.kind != CENTRAL)


@pytest.mark.req("B68")
def test_owner_finds_each_meter_by_what_is_on_it(place: Deployment) -> None:
    """By serial, by DevEUI and by the plate in look-alike letters, on the owner's node: one meter each time."""
    for typed in place.rows:
        serial, eui = typed[SERIAL_AT], typed[DEV_EUI_AT]
        (meter,) = [row for row in place.made if row["title"].endswith(serial)]
        for text in (serial, eui, meter["title"].replace("С", "C")):
            found = place.call("utility", "get", "/lookup", q=text)["items"]
            assert [item["id"] for item in found] == [meter["id"]], text


@pytest.mark.req("B68")
def test_verification_counts_with_maker_and_owner(place: Deployment) -> None:
    """Who verified and until when is the same on both, and the protocol is behind it."""
    for role in ("maker", "utility"):
        for row in place.made:
            shown = place.passport(role, row["id"])["view"]["verification"]
            assert (shown["valid_until"], shown["by"]) == ("2032-11-01", place.org("lab"))
            assert place.call(role, "get", f"/passports/{row['id']}/protocols")["items"]


@pytest.mark.req("B68")
def test_document_that_breaks_a_rule_is_refused(place: Deployment) -> None:
    """A validity that is a day too long is refused by the rule's name, whoever runs the node."""
    row = place.made[0]
    (template,) = [t for t in place.call("lab", "get", "/templates")["items"] if t["name"] == "verification"]
    wrong = verification_document(row["id"], row["title"], 99, wrong=True)

    with pytest.raises(Exception, match="valid_until"):
        place.call("lab", "upload", "/protocols", wrong, template=template["reference"])


@pytest.mark.req("B68")
def test_repair_by_the_owner_is_shown_until_the_meter_is_verified(place: Deployment) -> None:
    """The removed part and the fitted one stand in the passport with their times; the meter is not admitted."""
    device = place.made[-1]["id"]
    part = {"position": "плата", "designation": "СЭ-1", "serial": "26-2", "removed_serial": "26-1"}
    body = {"where": "workshop", "when": f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}", "parts": [part]}

    place.call("utility", "post", f"/passports/{device}/repairs", body)

    view = place.passport("utility", device)["view"]
    edges = {edge["serial"]: edge for edge in view["composition"]["children"]}
    assert (view["state"]["code"], view["state"]["note"]) == ("repaired", "not-admitted-until-verified")
    assert edges["26-1"]["until"] == edges["26-2"]["since"] is not None


@pytest.mark.req("B68")
def test_plate_of_a_foreign_meter_typed_twice_is_one_passport(place: Deployment) -> None:
    """A meter that no maker stated is known from its plate, in either alphabet."""
    ids = {
        place.call("utility", "post", "/plates", {"text": text})["id"]
        for text in ("СГВ-15 № 0012345", "CГB-15 0012345")
    }
    found = place.call("utility", "get", "/lookup", q="0012345")["items"]

    assert ids == {item["id"] for item in found}
    assert len(found) == 1


@pytest.mark.req("B68")
def test_passport_file_is_checked_with_no_node(place: Deployment) -> None:
    """What the owner hands on names who signed it and is whole; a changed byte is found."""
    file = place.folder("utility").parent / f"{place.kind}.passport"
    command("export", place.made[0]["id"], "--file", str(file), "--folder", str(place.folder("utility")))
    whole = command("check-file", str(file))
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    altered = command("check-file", str(file))

    assert (whole.returncode, whole.stdout.splitlines()[-1]) == (0, "nothing is wrong")
    assert altered.returncode == 1


@pytest.mark.req("B68")
def test_everything_is_there_after_a_power_cut(place: Deployment) -> None:
    """Killed and started again each node shows the same bytes, and its store is whole; all of it goes out as files."""
    before = {role: [place.passport(role, row["id"]) for row in place.made] for role in ("maker", "utility")}
    for node in place.trade.nodes.values():
        node.kill()
        node.start()
    after = {role: [place.passport(role, row["id"]) for row in place.made] for role in ("maker", "utility")}
    target = place.folder("utility").parent / f"{place.kind}-all"
    exported = command("export", "--all", str(target), "--folder", str(place.folder("utility")))

    assert after == before
    assert exported.returncode == 0, exported.stderr
    rows = [json.loads(line) for line in (target / "passports.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["id"] for row in place.made} <= {row.get("id") for row in rows}
    for node in place.trade.nodes.values():
        node.stop()
        check_store(node.folder)
        node.start()
