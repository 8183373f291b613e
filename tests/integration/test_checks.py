"""Checking a table: the command in a process of its own, and the API of a node with its lines and registry."""

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import FormData

from node.demo.processes import NodeProcess
from node.exchange.tables import read_table, write_csv
from node.services.access import Scope
from tests.fleets import COUNTED, HEADER, as_billing, cells, clean, planted
from tests.nodes import ALONE, PORTS, command
from tests.trade import Trade, meters, trading
from tests.unit.web.running import RunningWeb, problem_code, running_web

SAMPLE = Path(__file__).parents[2] / "examples" / "fleet" / "apartments.csv"
DAY = ("--on", "2026-05-01")


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command."""
    return command("check", *arguments)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A claimed node."""
    async with running_web(tmp_path / "node") as running:
        await running.claim()
        yield running


@pytest.mark.slow
def test_command_tells_what_is_wrong_and_writes_only_the_report(tmp_path: Path) -> None:
    """Without a node: columns, findings with row and rule, the outlook; exit 1; the report can be opened."""
    file, report = tmp_path / "дом.xlsx", tmp_path / "отчёт.xlsx"
    file.write_bytes(as_billing(planted(COUNTED, 3))[0])

    done = check(str(file), *DAY, "--language", "ru", "--report", str(report))

    assert done.returncode == 1, done.stderr
    for text in ("Поверка · Следующая", "по заголовку", "serial.twin", "Двойники", "Поверки по месяцам", "ошибок"):
        assert text in done.stdout, text
    assert read_table(report.read_bytes()).header[0] == "Проверка таблицы приборов"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["дом.xlsx", "отчёт.xlsx"]


@pytest.mark.slow
def test_command_ends_with_0_for_a_clean_table_and_2_for_none(tmp_path: Path) -> None:
    """A clean table is 0; what cannot be read, is too large or lacks serials is one line, and 2."""
    good, none, bare = tmp_path / "good.csv", tmp_path / "none.xlsx", tmp_path / "bare.csv"
    good.write_bytes(write_csv(HEADER, [cells(meter) for meter in clean(COUNTED, 5)]))
    none.write_bytes(b"PK\x03\x04 no workbook")
    bare.write_bytes("Имя;Город\nа;б\nв;г\n".encode("cp1251"))
    large = tmp_path / "large.xlsx"
    with large.open("wb") as sparse:
        sparse.truncate(200 << 20)

    done = [check(str(file), *DAY, "--language", "en") for file in (good, none, bare, large, tmp_path / "away.csv")]

    assert [one.returncode for one in done] == [0, 2, 2, 2, 2], [one.stderr for one in done]
    assert "0 errors, 0 warnings" in done[0].stdout
    assert '--column "A=serial"' in done[2].stderr
    assert "200 MB" in done[3].stderr
    assert all("Traceback" not in one.stderr for one in done)
    refused = check(str(none), *DAY, "--language", "ru")
    assert (refused.returncode, "откройте его и сохраните" in refused.stderr) == (2, True), refused.stderr


@pytest.mark.slow
def test_sample_of_the_project_is_read_as_the_documents_say(tmp_path: Path) -> None:
    """The sample spreadsheet has the faults that it is there to show; columns and report follow the options."""
    report = tmp_path / "report.json"

    done = check(str(SAMPLE), *DAY, "--days", "30", "--column", "Прибор=device", "--report", str(report))

    assert done.returncode == 1, done.stderr
    rules = {rule["rule"] for rule in json.loads(report.read_bytes())["rules"]}
    assert rules >= {"serial.twin", "verification.expired", "date.impossible", "serial.look_alike"}


@pytest.mark.slow
def test_command_asks_a_running_node_for_its_lines_and_registry(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With a node's folder its published line judges the serials, and its registry tells which meters it has.

    A serial that lost its zeros is another meter than the one that the registry knows by the DevEUI of its row.
    """
    with trading(tmp_path_factory.mktemp("checks"), **ALONE) as trade:
        rows = known_rows(trade)
        rows[1][1] = rows[1][1].lstrip("0")[-5:]
        file, report = tmp_path / "fleet.csv", tmp_path / "report.json"
        file.write_bytes(write_csv(("Тип", "Зав. №", "DevEUI"), rows))

        done = check(str(file), "-f", str(trade.nodes["maker"].folder), "--report", str(report), "--language", "en")

        told = json.loads(report.read_bytes())
        assert done.returncode == 1, done.stderr
        assert told["in_registry"] == len(rows) - 1
        found = {(item["row"], item["rule"]) for rule in told["rules"] for item in rule["findings"]}
        assert found == {(3, "serial.lost_zero"), (3, "dev_eui.known")}


def known_rows(trade: Trade) -> list[list[str]]:
    """Type, serial and DevEUI of meters that the maker has made."""
    made = meters(6)
    trade.produce(made)
    return [[row[2], row[4], row[6]] for row in made]


@pytest.mark.slow
def test_node_that_does_not_run_is_told(tmp_path: Path) -> None:
    """A folder whose node does not run ends the check with one line and 2."""
    node = NodeProcess("node", tmp_path / "node", environment=ALONE)
    node.init(name="Узел", **PORTS)
    file = tmp_path / "fleet.csv"
    file.write_bytes(write_csv(HEADER, [cells(meter) for meter in clean(3, 1)]))

    done = check(str(file), "-f", str(node.folder))

    assert (done.returncode, done.stdout) == (2, "")
    assert "no node runs" in done.stderr


async def test_check_is_answered_corrected_and_downloaded(web: RunningWeb) -> None:
    """A table is checked, read again with another column, paged by rule, and downloaded; the journal says nothing."""
    client = await web.system(Scope.IMPORT, Scope.READ)
    before = await web.what()
    raw = write_csv(HEADER, [cells(meter) for meter in planted(COUNTED, 4)])
    async with client.post("/api/v1/checks", params={"name": "дом.csv", "on": "2026-05-01"}, data=raw) as response:
        told = await response.json()
        assert (response.status, told["meters"], told["file"]) == (201, COUNTED, "дом.csv")
    path = f"/api/v1/checks/{told['check']}"
    async with client.post(path, json={"columns": {"Услуга": "ignored"}}) as response:
        again = await response.json()
        assert [c["why"] for c in again["columns"] if c["title"] == "Услуга"] == ["given"]
    async with client.get(path) as response:
        assert (await response.json())["mapping"] == again["mapping"]
    seen: list[tuple[int, str]] = []
    cursor = None
    while not seen or cursor:
        query = {"grade": "error", "limit": "7"} | ({"cursor": cursor} if cursor else {})
        async with client.get(f"{path}/findings", params=query) as response:
            page = await response.json()
        seen += [(item["row"], item["rule"]) for item in page["items"]]
        cursor = page["next"]
    for kind in ("xlsx", "csv", "json", "html"):
        async with client.get(f"{path}/report", params={"format": kind}) as response:
            assert (response.status, len(await response.read()) > 1000) == (200, True)

    assert len(seen) == len(set(seen)) == again["grades"]["error"]
    assert await web.what() == before


async def test_check_is_of_its_sender_for_an_hour(web: RunningWeb) -> None:
    """Another account does not see a check, nobody does after an hour, and a reader may not send one."""
    sender = await web.system(Scope.IMPORT, Scope.READ)
    other = await web.system(Scope.IMPORT, Scope.READ, name="other")
    reader = await web.system(Scope.READ, name="reader")
    raw = write_csv(HEADER, [cells(meter) for meter in clean(5, 4)])
    async with sender.post("/api/v1/checks", data=raw) as response:
        path = f"/api/v1/checks/{(await response.json())['check']}"

    async with other.get(path) as response:
        assert (response.status, await problem_code(response)) == (404, "check_unknown")
    async with reader.post("/api/v1/checks", data=raw) as response:
        assert (response.status, await problem_code(response)) == (403, "scope")
    async with sender.get(path) as response:
        assert response.status == 200
    web.clock.move(3_601)
    async with sender.get(path) as response:
        assert (response.status, await problem_code(response)) == (404, "check_unknown")


@pytest.mark.parametrize(
    ("raw", "query"),
    [
        (b"", {}),
        (b"PK\x03\x04", {}),
        (b"a;b\n1;2\n", {}),
        ("Зав. №;Тип\n1234567;СГВ\n".encode(), {"mapping": '{"columns": {"Цвет": "serial"}}'}),
        ("Зав. №;Тип\n1234567;СГВ\n".encode(), {"mapping": "[]"}),
        ("Зав. №;Тип\n1234567;СГВ\n".encode(), {"mapping": '{"columns": {"Тип": "colour"}}'}),
    ],
)
async def test_table_that_cannot_be_read_is_a_problem(web: RunningWeb, raw: bytes, query: dict[str, str]) -> None:
    """What is no table, lacks serials or is mapped wrongly is refused with a stable code and the reason."""
    client = await web.system(Scope.IMPORT)
    async with client.post("/api/v1/checks", params=query, data=raw) as response:
        assert (response.status, await problem_code(response)) == (422, "check_unreadable")


@pytest.mark.parametrize("page", ["/checks", "/imports", "/catalogs/types/codes/file"])
async def test_form_without_its_file_is_told_in_the_readers_language(tmp_path: Path, page: str) -> None:
    """Whoever sends a form without choosing a file reads so in Russian."""
    async with running_web(tmp_path / "node") as running:
        browser = await running.claim()
        form = FormData({"kind": "fleet"})
        form.add_field("file", b"", filename="", content_type="application/octet-stream")
        async with browser.post(page, data=form, headers={"Accept-Language": "ru"}) as response:
            assert response.status == 422
            assert "Файл не выбран или пуст" in await response.text()
