"""Copies of a node that are started, from a backup and from `cp -a`: what comes back, and what is named as lost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from federation.log import Reason, decode_log_statement
from node.demo.processes import NodeProcess, free_ports
from tests.copies import Vault, back_up, copy_running, counts, make_vault, own_logs, restore, typed
from tests.meters import Rows, meter_rows, production_file, start_maker
from tests.nodes import ALONE, act, ask, check_store, journal, rows, send, until
from tests.secrets import device_keys

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]
SEED = 55_019
BEFORE, AFTER, UNSHIPPED = 12, 6, 2
OF_A_METER = 5  # statements
NAME = "Петрова Анна Сергеевна"
MADE = meter_rows(BEFORE + AFTER + UNSHIPPED, SEED)


@dataclass(slots=True)
class Shop:
    """A maker, the buyer that mirrors it, and copies of the maker made while it wrote."""

    folder: Path
    maker: NodeProcess
    buyer: NodeProcess
    vault: Vault
    copies: list[NodeProcess] = field(default_factory=list)

    def make(self, said: Rows) -> None:
        """Import meters to the end."""
        job = send(self.maker, "/imports", production_file(said), name="p.csv")["job"]
        assert ask(self.maker, f"/jobs/{job}", wait="30")["result"]["accepted"] == len(said)

    def confide(self) -> dict[str, Any]:  # Any: JSON
        """Name a resident who is responsible for a meter; the erasure of that name."""
        device = ask(self.maker, "/passports", limit="1")["items"][0]["id"]
        resident = {"resident": True, "name": NAME, "document": "договор", "role": "responsible", "ids": [device]}
        act(self.maker, "/mandates/statements", resident)
        said = ask(self.maker, f"/passports/{device}")["view"]["statements"]
        (ref,) = [row["ref"] for row in said if any(part["name"] == "person" for part in row["sections"])]
        return {"rows": [{"ref": ref, "section": "person"}], "ground": "consent"}

    def ship(self) -> None:
        """Ship every meter that is not shipped yet, and wait until its key came."""
        held = len(device_keys(self.buyer.folder))
        shipped = {row["subject"] for row in ask(self.buyer, "/passports", limit="200")["items"] if "subject" in row}
        devices = [item["id"] for item in ask(self.maker, "/passports", limit="200")["items"]]
        known = {item["id"] for item in ask(self.buyer, "/passports", limit="200")["items"]} | shipped
        fresh = [device for device in devices if device not in known]
        body = {"buyer": ask(self.buyer, "/node")["org"], "number": f"ТТН-{held}", "devices": fresh}
        shipment = act(self.maker, "/shipments", body)["id"]
        until("the offer comes", lambda: shipment in [item["id"] for item in ask(self.buyer, "/shipments")["items"]])
        act(self.buyer, f"/shipments/{shipment}/acceptance")
        until("the keys come", lambda: len(device_keys(self.buyer.folder)) == held + len(fresh))

    def is_level(self) -> bool:
        """Whether both have the same of the maker's log."""
        log = own_logs(self.maker.folder)[-1]
        size = "select size, note_size from logs where log = ?"
        return rows(self.maker.folder, size, log) == rows(self.buyer.folder, size, log)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A maker with a backup from the middle of its work, and the buyer of what it made after that."""
    ports = free_ports(2)
    maker = start_maker(tmp_path / "maker", ports[0])
    vault = make_vault(maker, tmp_path)
    buyer = NodeProcess("buyer", tmp_path / "buyer", ports[1], ALONE)
    buyer.init(name="МУП «Водоканал»", kind="utility")
    maker.stop()
    maker.environment = {**ALONE, **vault.settings}
    shop = Shop(tmp_path, maker, buyer, vault)
    try:
        maker.start()
        buyer.start()
        act(buyer, "/federation/join", {"invitation": act(maker, "/invitations")["text"]})
        shop.make(MADE[:BEFORE])
        yield shop
    finally:
        for node in (maker, buyer, *shop.copies):
            node.stop()


def test_restored_backup_takes_back_what_it_lacks_and_names_what_is_lost(shop: Shop) -> None:
    """What the buyer may see comes back, keys that were sealed to him with it; what nobody saw is lost, by place.

    A name that was erased after the backup is gone again before the restored node opens a port.
    """
    erasure = shop.confide()
    backup = back_up(shop.maker, shop.vault)
    act(shop.maker, "/erasures", erasure)
    shop.make(MADE[BEFORE : BEFORE + AFTER])
    shop.ship()
    shop.make(MADE[BEFORE + AFTER :])
    until("the buyer is level", shop.is_level)
    before, keys = counts(shop.maker.folder), device_keys(shop.maker.folder)
    old = own_logs(shop.maker.folder)[-1]
    shop.maker.kill()

    node = restore(shop.maker, backup, shop.vault, shop.folder / "restored")
    node.environment = {**ALONE, **shop.vault.settings}
    shop.copies.append(node)
    assert is_named(node)
    node.start()
    assert not is_named(node)
    lost = UNSHIPPED * OF_A_METER
    until("the old log is back", lambda: counts(node.folder).get(old) == before[old] - lost)
    until("the keys are back", lambda: len(device_keys(node.folder)) == len(keys) - UNSHIPPED)
    until("it is told", lambda: [d["count"] for d in journal(node.folder, "statements_lost")][-1:] == [lost])

    (told,) = ask(node, "/restored")["items"]
    assert [detail["reason"] for detail in journal(node.folder, "log_opened")] == ["first", "backup"]
    assert statement(node).previous == old
    assert (told["reason"], told["said"], told["missing"]) == ("backup", before[old], lost)
    assert told["gaps"] == [{"start": before[old] - lost, "end": before[old]}]
    assert set(device_keys(node.folder).values()) < set(keys.values())
    assert "statements_lost" in [item["code"] for item in ask(node, "/health")["items"]]
    assert {log: n for log, n in counts(node.folder).items() if log in before} == {**before, old: before[old] - lost}
    node.stop()
    node.start()
    assert len(journal(node.folder, "log_opened")) == 2
    act(node, "/attestations", {"org": ask(node, "/node")["org"], "what": "number", "rows": ["inn:0000000018"]})
    until("the buyer reads on", lambda: counts(shop.buyer.folder).get(own_logs(node.folder)[-1]) == 1)


def test_copy_of_a_running_node_that_meets_a_peer_opens_a_new_log(shop: Shop) -> None:
    """`cp -a` while an import runs: a peer knows more of the log, so the copy ends the import in another one."""
    until("the buyer is level", shop.is_level)
    job = send(shop.maker, "/imports", production_file(MADE[BEFORE:]), name="p.csv")["job"]
    copy = copy_running(shop.maker, shop.folder / "copied", shop.maker.federation_port, shop.maker.environment)
    shop.copies.append(copy)
    assert ask(shop.maker, f"/jobs/{job}", wait="30")["state"] == "done"
    org = ask(shop.maker, "/node")["org"]
    act(shop.maker, "/attestations", {"org": org, "what": "number", "rows": ["inn:0000000018"]})
    until("the buyer is level", shop.is_level)
    before, old = counts(shop.maker.folder), own_logs(shop.maker.folder)[-1]
    shop.maker.kill()

    copy.start()
    until("all is said", lambda: sum(counts(copy.folder).get(log, 0) for log in own_logs(copy.folder)) == before[old])

    assert statement(copy).reason == Reason.PEER_AHEAD
    assert len(device_keys(copy.folder)) == len(MADE)
    assert rows(shop.buyer.folder, "select count(*) from fork_proofs") == [(0,)]


def test_new_log_after_a_snapshot_is_opened_by_hand(shop: Shop) -> None:
    """The command names the old log and the new one; the next start goes on in it, and nothing is missing."""
    old = own_logs(shop.maker.folder)[-1]
    until("the buyer is level", shop.is_level)
    before = counts(shop.maker.folder)
    shop.maker.stop()

    said = typed("new-log", "--folder", str(shop.maker.folder))
    shop.maker.start()

    assert old.hex() in said
    assert own_logs(shop.maker.folder)[-1].hex() in said
    assert statement(shop.maker).reason == Reason.BY_HAND
    assert counts(shop.maker.folder)[old] == before[old]
    shop.maker.stop()
    check_store(shop.maker.folder)


def statement(node: NodeProcess) -> Any:  # Any: a LogStatement
    """The statement of the log that a node writes."""
    return decode_log_statement(
        rows(node.folder, "select envelope from logs where own = 1 order by no desc limit 1")[0][0]
    )


def is_named(node: NodeProcess) -> bool:
    """Whether the sections of a node's store have the name of the resident."""
    return any(NAME.encode() in data for (data,) in rows(node.folder, "select data from sections"))
