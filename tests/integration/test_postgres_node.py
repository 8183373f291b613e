"""A node as a process whose store is PostgreSQL: killed, cut off, doubled and restored, it says nothing twice."""

import asyncio
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from node.api_client import ApiError
from node.demo.files import MAKER
from node.demo.processes import NodeProcess
from node.folder import NodeFolder
from tests.conftest import fresh_database
from tests.meters import line_record, meter_rows, production_file
from tests.nodes import ALONE, Json, act, ask, check_store, command, send, until
from tests.postgres import Wire, end_sessions, let_in_by_password, query, running_wire

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SEED = 53_201
METERS = 60
USER, PASSWORD = "keeper", "geheim-7f3a"
OWN_LOGS = "select log, size from logs where own = 1 order by no"
REASONS = "select detail from journal where what = 'log_opened' order by id"
# The first transactions after the node has published what it stated lose their sessions.
FALLS = (
    "create sequence falls",
    """create function fall() returns trigger language plpgsql as $$ begin
        if exists (select from logs where own = 1 and note_size > 1) and nextval('falls') < 5 then
            perform pg_terminate_backend(pg_backend_pid());
            perform pg_sleep(1);
        end if;
        return new;
    end $$""",
    "create trigger fall before update on settings for each row when (old.name = 'writer') execute function fall()",
)
PLACES = "select f.seq from fragments f join logs l on l.no = f.log_no where l.own = 1 order by l.no, f.seq"


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    """A way to the server that can be cut."""
    with running_wire(postgres_url) as wire:
        yield wire


@pytest.fixture
def url(postgres_url: str, request: pytest.FixtureRequest) -> str:
    """An empty database, by the server's own socket."""
    return asyncio.run(fresh_database(postgres_url, f"p{abs(hash(request.node.nodeid)) % 10**12}"))


@pytest.fixture
def fresh(tmp_path: Path, wire: Wire, url: str) -> Iterator[NodeProcess]:
    """A node of no federation; its store is at the other end of the wire."""
    node = NodeProcess("maker", tmp_path / "maker", environment=ALONE)
    node.init(name=MAKER, kind="maker", store_url=wire.address(url))
    node.start()
    try:
        yield node
    finally:
        node.stop()


@pytest.fixture
def maker(fresh: NodeProcess) -> NodeProcess:
    """A maker whose serial line counts."""
    org = ask(fresh, "/node")["org"]
    act(fresh, "/federation", {"name": "Демо"})
    act(fresh, "/attestations", {"org": org, "what": "maker"})
    act(fresh, "/lines", {"record": line_record(org)})
    return fresh


def double(node: NodeProcess, url: str) -> NodeProcess:
    """The same node on a second machine: a copy of its folder, and another way to the same database."""
    folder = node.folder.with_name("double")
    left_out = shutil.ignore_patterns("*.sock", "lock", "node.log")
    shutil.copytree(node.folder, folder, ignore=left_out)
    return NodeProcess("double", folder, environment={**ALONE, "PASSPORT_STORE__URL": url})


def refused(node: NodeProcess) -> str:
    """What a start that is refused says."""
    (node.folder.parent / f"{node.name}.stderr").unlink(missing_ok=True)
    with pytest.raises(Exception, match="did not start"):
        node.start()
    return (node.folder.parent / f"{node.name}.stderr").read_text(encoding="utf-8")


def imports(node: NodeProcess) -> str:
    """Begin an import; its job."""
    return str(send(node, "/imports", production_file(meter_rows(METERS, SEED)), name="p.csv")["job"])


def ended(node: NodeProcess, job: str) -> Json:
    """The job as it ends, asked for as one who waits over an outage."""

    def look() -> Json:
        try:
            found = ask(node, f"/jobs/{job}")
        except ApiError as error:
            if error.code != "store_away":
                raise
            return None
        return found if found["state"] not in ("waiting", "running") else None

    return until("the job ends", look)


def has_done(url: str, least: int) -> bool:
    """Whether the job has worked so many rows."""
    return bool(query(url, "select done from jobs")[0][0] >= least)


def check_log(url: str, *reasons: str) -> None:
    """One own log for each reason, without a gap, and nothing twice."""
    logs = query(url, OWN_LOGS)
    assert [text for (text,) in query(url, REASONS)] == [
        f'{{"log": "{log.hex()}", "reason": "{reason}"}}' for (log, _), reason in zip(logs, reasons, strict=True)
    ]
    assert [seq for (seq,) in query(url, PLACES)] == [seq for _, size in logs for seq in range(size)]


def test_password_of_the_database_stands_in_its_file_alone(tmp_path: Path, wire: Wire, postgres_url: str) -> None:
    """Given with the address it is moved into a file of 0600; no setting, log, error or answer shows it."""
    query(postgres_url, "drop database if exists guarded")
    query(postgres_url, f"drop role if exists {USER}")
    query(postgres_url, f"create role {USER} login password '{PASSWORD}'")
    let_in_by_password(postgres_url, USER)
    url = asyncio.run(fresh_database(postgres_url, "guarded"))
    query(url, f"alter database guarded owner to {USER}")
    node = NodeProcess("guarded", tmp_path / "guarded", environment=ALONE)
    node.init(name="МУП «Порт»", store_url=wire.address(url, f"{USER}:{PASSWORD}"))

    node.start()
    try:
        told = node.type("health")
        second = double(node, "")
        second.environment = {**ALONE, "PASSPORT_STORE__PASSWORD_FILE": "wrong", "PASSPORT_STORE__WAIT_S": "0"}
        (second.folder / "wrong").write_text("falsch\n")
        wrong = refused(second)
    finally:
        node.stop()

    folder = NodeFolder(node.folder)
    assert "passport-node backup" in told
    assert f"postgresql://{USER}@127.0.0.1:{wire.port}/guarded cannot be used" in wrong
    assert "password authentication failed" in wrong
    assert folder.store_password.stat().st_mode & 0o777 == 0o600
    held = [p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file() and PASSWORD.encode() in p.read_bytes()]
    assert {path.name for path in held} == {folder.store_password.name}
    check_store(node.folder)


def test_address_or_database_that_will_not_do_makes_no_node(tmp_path: Path, wire: Wire, maker: NodeProcess) -> None:
    """Another kind of database, a password given twice and the database of another node: nothing is left behind."""
    taken = (maker.folder / "config.toml").read_text().partition('url = "')[2].partition('"')[0]
    missing = f"postgresql://postgres@127.0.0.1:{wire.port}/no_such_database"
    for address, more, words in (
        (f"mysql://anna:{PASSWORD}@127.0.0.1/x", (), "a store is at sqlite:///FILE or postgresql://USER@HOST/DATABASE"),
        ("postgresql://anna@127.0.0.1/", (), "this one names no database"),
        (f"postgresql://anna:{PASSWORD}@127.0.0.1/x", ("--store-password-file", "/tmp/x"), "not in both"),  # noqa: S108 - never opened
        (missing, (), 'the database refuses this node: database "no_such_database" does not exist'),
        (taken, (), "another process has this store (passport-node"),
    ):
        folder = tmp_path / "other"
        done = command("init", str(folder), "--name", "МУП «Другой»", "--store-url", address, *more)
        assert done.returncode == 1
        assert words in done.stderr
        assert PASSWORD not in done.stderr
        assert not folder.exists() or list(folder.iterdir()) == []
    maker.stop()
    done = command("init", str(tmp_path / "other"), "--name", "МУП «Другой»", "--store-url", taken)
    assert "holds a node already" in done.stderr
    assert list((tmp_path / "other").iterdir()) == []


def test_second_machine_and_commands_are_refused_while_a_node_runs(maker: NodeProcess, url: str) -> None:
    """A copy of the folder over the same database ends with a line that names who has it; killed, the first is back."""
    second = double(maker, url)
    for told in (refused(second), second_fsck(second, url)):
        assert "another process has this store (passport-node" in told
        assert f" {maker.pid}" in told
        assert "Traceback" not in told
    job = imports(maker)
    maker.kill()
    maker.start()

    assert ended(maker, job)["result"]["accepted"] == METERS
    maker.stop()
    check_log(url, "first")
    check_store(maker.folder)


def second_fsck(node: NodeProcess, url: str) -> str:
    """What `fsck` of the copy says."""
    config = node.folder / "config.toml"
    text = config.read_text()
    before = text.partition('url = "')[2].partition('"')[0]
    config.write_text(text.replace(before, url))
    done = command("fsck", "--folder", str(node.folder))
    assert done.returncode == 1
    return done.stderr


def test_import_goes_on_when_sessions_are_ended_under_it(maker: NodeProcess, url: str) -> None:
    """Ended again and again while it writes, the node stays the same process; each row is one passport."""
    pid, job = maker.pid, imports(maker)
    for least in range(10, METERS, 10):
        until(f"{least} rows are done", partial(has_done, url, least))
        end_sessions(url)

    result = ended(maker, job)["result"]
    assert (result["accepted"], result["repeated"]) == (METERS, 0)
    assert maker.pid == pid
    titles = query(url, "select title from passports where kind = 'device' and subject = lead")
    assert len(set(titles)) == METERS
    until("all of it is published", lambda: query(url, "select size = note_size from logs where own = 1") == [(True,)])
    maker.stop()
    check_log(url, "first")
    check_store(maker.folder)


def test_node_outlives_the_sessions_in_which_it_takes_in_what_was_stated(fresh: NodeProcess, url: str) -> None:
    """Sessions that end inside transactions end no part of the node: what failed is done again, and its word stands."""
    pid, org = fresh.pid, ask(fresh, "/node")["org"]
    for statement in FALLS:
        query(url, statement)
    act(fresh, "/federation", {"name": "Демо"})
    act(fresh, "/attestations", {"org": org, "what": "maker"})
    until("the store stays", lambda: query(url, "select last_value >= 5 from falls") == [(True,)])

    act(fresh, "/plates", {"designation": "СГВ-15", "serial": "0012345"})
    until("all of it is published", lambda: query(url, "select size = note_size from logs where own = 1") == [(True,)])
    assert (fresh.pid, is_running(fresh)) == (pid, True)
    check_log(url, "first")


def test_node_waits_while_its_database_is_away(maker: NodeProcess, wire: Wire, url: str) -> None:
    """Cut off while it works, it says so to whoever asks, lives on and ends the work; cut off at a start, it waits."""
    pid, job = maker.pid, imports(maker)
    wire.cut()
    with pytest.raises(ApiError) as away:
        ask(maker, "/passports")
    unwell = command("health", "--folder", str(maker.folder))
    wire.mend()

    assert ended(maker, job)["result"]["accepted"] == METERS
    assert (away.value.code, unwell.returncode, maker.pid) == ("store_away", 1, pid)
    maker.stop()
    wire.cut()
    told = refused(NodeProcess("maker", maker.folder, environment={**ALONE, "PASSPORT_STORE__WAIT_S": "0"}))
    assert "cannot be used: the store is away" in told
    assert "Traceback" not in told
    wire_comes_back(wire, maker)
    assert len(ask(maker, "/passports", limit="200")["items"]) == METERS
    check_log(url, "first")


def wire_comes_back(wire: Wire, node: NodeProcess) -> None:
    """Start a node before its database, which comes when the node has looked for it."""

    async def both() -> None:
        starting = asyncio.create_task(asyncio.to_thread(node.start))
        log = NodeFolder(node.folder).log
        seen = log.read_text(encoding="utf-8").count("store_away")
        await asyncio.to_thread(until, "it looked", lambda: log.read_text("utf-8").count("store_away") > seen or None)
        await asyncio.to_thread(wire.mend)
        await starting

    asyncio.run(both())


def test_node_that_was_cut_off_gives_way_to_the_one_that_took_over(maker: NodeProcess, wire: Wire, url: str) -> None:
    """A second machine begins while the first is cut off: the first ends when it hears of it; the log has no fork."""
    second = double(maker, url)
    wire.cut()
    second.start()
    try:
        act(second, "/plates", {"designation": "СГВ-15", "serial": "0012345"})
        wire.mend()
        until("the first has ended", lambda: not is_running(maker))
        told = (maker.folder.parent / "maker.stderr").read_text(encoding="utf-8")
        act(second, "/plates", {"designation": "СГВ-15", "serial": "0012346"})
    finally:
        second.stop()

    assert "another process has this store" in told or "has written this store meanwhile" in told
    assert "Traceback" not in told
    check_log(url, "first")
    check_store(second.folder)


def is_running(node: NodeProcess) -> bool:
    """Whether a process is there that did not end by itself."""
    process = node._process  # the demo's processes do not ask this of one another
    return process is not None and process.poll() is None


def test_restored_database_opens_a_new_log(maker: NodeProcess, url: str, postgres_url: str) -> None:
    """A copy of the database from before the last word is in doubt by the head file, as a file would be."""
    maker.stop()
    name = urlsplit(url).path.removeprefix("/")
    copy = url.replace(f"/{name}", f"/copy_{name}")
    query(postgres_url, f'drop database if exists "copy_{name}"')
    query(postgres_url, f'create database "copy_{name}" template "{name}"')
    maker.start()
    act(maker, "/plates", {"designation": "СГВ-15", "serial": "0012345"})
    until("it is published", lambda: query(url, "select size = note_size from logs where own = 1") == [(True,)])
    maker.stop()

    maker.start({"PASSPORT_STORE__URL": copy})
    act(maker, "/plates", {"designation": "СГВ-15", "serial": "0012346"})
    maker.stop()

    check_log(copy, "first", "behind")
    check_log(url, "first")
