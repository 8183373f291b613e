"""A node that is killed while it imports or syncs goes on after its restart: nothing lost, nothing twice, no fork."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from federation.fragment import Fragment, decode_header
from node.demo.processes import NodeProcess, free_ports
from tests.meters import SERIAL_AT, Rows, meter_rows, production_file, start_maker
from tests.nodes import ALONE, Json, act, ask, check_store, journal, metric, rows, send, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]
SEED = 40_961
IMPORTED = 300
POINTS = sorted(random.Random(SEED).sample(range(20, IMPORTED - 80), 2))
ROUNDS, ROWS_A_ROUND = 3, 50
KEYS_HELD = "select count(*) from sections where name = 'root-keys' and form = 2"
# identity, alias of the DevEUI, manufactured, parameters and radio
KINDS_OF_A_METER = {1: 1, 2: 1, 4: 1, 5: 2}


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[NodeProcess]:
    """A maker whose serial line counts, at one address over its restarts."""
    node = start_maker(tmp_path / "maker", free_ports(1)[0])
    yield node
    node.stop()


@pytest.fixture
def buyer(tmp_path: Path) -> Iterator[NodeProcess]:
    """A utility that has met nobody yet, at one address over its restarts."""
    node = NodeProcess("buyer", tmp_path / "buyer", free_ports(1)[0], ALONE)
    node.init(name="МУП «Водоканал»", kind="utility")
    node.start()
    yield node
    node.stop()


def test_killed_import_ends_by_itself_with_each_row_once(maker: NodeProcess) -> None:
    """Killed at once, at several points and twice in a row, a job ends after a restart with one passport a row."""
    said = meter_rows(IMPORTED, SEED)
    said[-1] = [*said[0][:6], *said[-1][6:]]
    job = send(maker, "/imports", production_file(said), name="p.csv")["job"]
    seen = []
    for point in (0, *POINTS, POINTS[-1]):
        until(f"{point} rows are done", partial(_has_done, maker, job, point))
        maker.kill()
        seen.append(_done(maker, job))
        maker.start()
    ended = ask(maker, f"/jobs/{job}", wait="30")
    until("the checkpoint stands over all of it", lambda: _published(maker) == _size(maker))
    maker.stop()

    assert seen == sorted(seen)
    assert all(point <= done < IMPORTED - 1 for point, done in zip((0, *POINTS, POINTS[-1]), seen, strict=True))
    assert (ended["state"], ended["done"], ended["total"]) == ("done", IMPORTED - 1, IMPORTED - 1)
    result = ended["result"]
    assert (result["accepted"], result["repeated"], result["unbound"]) == (IMPORTED - 1, 0, [said[0][0]])
    assert [(finding["row"], finding["rule"]) for finding in result["findings"]] == [(IMPORTED + 1, "serial.duplicate")]
    _check_own_log(maker.folder)
    _check_meters(maker.folder, said[:-1])
    check_store(maker.folder)


def test_killed_mirror_holds_what_the_maker_holds(maker: NodeProcess, buyer: NodeProcess) -> None:
    """Killed while a log grows and while meters are opened to it, a mirror is level afterwards, entry by entry."""
    said = meter_rows(ROUNDS * ROWS_A_ROUND, SEED + 1)
    act(buyer, "/federation/join", {"invitation": act(maker, "/invitations")["text"]})
    for number in range(ROUNDS):
        look = partial(_asked, maker) if number % 2 else partial(_mirrored, buyer)
        before = look()
        job = send(maker, "/imports", production_file(said[number::ROUNDS]), name="p.csv")["job"]
        until("the mirror takes entries in", partial(_is_more, look, before))
        buyer.kill()
        assert ask(maker, f"/jobs/{job}", wait="30")["result"]["accepted"] == ROWS_A_ROUND
        assert _mirrored(buyer) < _size(maker)
        buyer.start()

    _ship(maker, buyer)
    points = [0]
    while points[-1] < len(said):
        until("more passports come", partial(_is_more, partial(_passports, buyer), points[-1]))
        buyer.kill()
        points.append(_passports(buyer))
        buyer.start()
    assert len(points) > 2
    until("both are level", lambda: _mirrored(buyer) == _size(maker) and _mirrored(maker) == _size(buyer))
    buyer.stop()
    maker.stop()

    for node, other in ((maker, buyer), (buyer, maker)):
        _check_own_log(node.folder)
        _check_meters(node.folder, said)
        _check_mirror(node.folder, other.folder)
        check_store(node.folder)
    digests = "select subject, digest from passports where kind = 'device' order by subject"
    assert rows(buyer.folder, digests) == rows(maker.folder, digests)
    assert rows(buyer.folder, KEYS_HELD) == [(len(said),)]


def _ship(maker: NodeProcess, buyer: NodeProcess) -> None:
    """Offer and accept everything that was made; the passports come afterwards."""
    body = {"buyer": ask(buyer, "/node")["org"], "number": "ТТН-1", "devices": [i["id"] for i in _listed(maker)]}
    shipment = act(maker, "/shipments", body)["id"]
    until("the offer comes", lambda: shipment in [item["id"] for item in ask(buyer, "/shipments")["items"]])
    act(buyer, f"/shipments/{shipment}/acceptance")


def _listed(node: NodeProcess) -> list[Json]:
    page = ask(node, "/passports", limit="200")
    items: list[Json] = page["items"]
    while page["next"]:
        page = ask(node, "/passports", limit="200", cursor=page["next"])
        items += page["items"]
    return items


def _has_done(node: NodeProcess, job: str, least: int) -> bool:
    return _done(node, job) >= least


def _is_more(look: Callable[[], float], than: float) -> bool:
    return look() > than


def _done(node: NodeProcess, job: str) -> int:
    return int(rows(node.folder, "select done from jobs where id = ?", job)[0][0])


def _size(node: NodeProcess) -> int:
    return int(ask(node, "/node")["size"])


def _published(node: NodeProcess) -> int:
    return int(rows(node.folder, "select note_size from logs where own = 1")[0][0])


def _asked(node: NodeProcess) -> float:
    return metric(node, "federation_answers", "pull")


def _mirrored(node: NodeProcess) -> int:
    return int(rows(node.folder, "select coalesce(sum(size), 0) from logs where own = 0")[0][0])


def _passports(node: NodeProcess) -> int:
    return int(rows(node.folder, "select count(*) from passports where subject = lead and kind = 'device'")[0][0])


def _check_own_log(folder: Path) -> None:
    """One own log, opened once, without a gap; the checkpoint stands over all of it."""
    ((number, size, note_size),) = rows(folder, "select no, size, note_size from logs where own = 1")
    assert [detail["reason"] for detail in journal(folder, "log_opened")] == ["first"]
    places = rows(folder, "select seq from fragments where log_no = ? order by seq", number)
    assert places == [(seq,) for seq in range(size)]
    assert note_size == size


def _check_meters(folder: Path, said: Rows) -> None:
    """Each row is one passport with the statements of one meter, and no statement stands twice."""
    titles = [
        title.rpartition(" ")[2] for (title,) in rows(folder, "select title from passports where kind = 'device'")
    ]
    assert sorted(titles) == sorted(row[SERIAL_AT] for row in said)
    found = rows(folder, "select f.header, f.signature, l.log, f.seq from fragments f join logs l on l.no = f.log_no")
    kinds: dict[bytes, Counter[int]] = {}
    for header, _, log, seq in found:
        read = decode_header(header, log, seq)
        kinds.setdefault(read.subject, Counter())[read.kind] += 1
    assert len({Fragment(header, signature).id for header, signature, _, _ in found}) == len(found)
    assert sum(counts == KINDS_OF_A_METER for counts in kinds.values()) == len(said)


def _check_mirror(folder: Path, other: Path) -> None:
    """The only foreign log here is the other's own one, of one size, root and leaves."""
    ((log, size, note),) = rows(other, "select log, size, note from logs where own = 1")
    assert rows(folder, "select log, size, note, stopped from logs where own = 0") == [(log, size, note, None)]
    leaves = "select t.level, t.n, t.hashes from tiles t join logs l on l.no = t.log_no where l.log = ? order by 1, 2"
    assert rows(folder, leaves, log) == rows(other, leaves, log)
