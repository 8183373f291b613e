"""The folder of a bench over a real store: files that are dropped, written slowly, wrong, and found after a restart."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from node.demo.files import MARK
from node.passport.shown import at, rows
from node.services.bench_folder import BenchFolder
from tests.unit.node_protocols.builders import Desk, attest, ended, found, opened, publish_line, template

DEADLINE_S = 20
SERIALS = [f"250004{n:02d}" for n in range(20)]


def run_of(serial: str, volume: str = "0.1003", **changes: Any) -> dict[str, Any]:
    """A run of one point, good to within 2 % unless the volume says otherwise."""
    head = {
        "protocol_no": f"ПР-26-{serial}",
        "started_at": "2026-05-04T13:04:00+05:00",
        "finished_at": "2026-05-04T13:40:00+05:00",
        "mark": MARK,
        "designation": "ВС-15Д",
        "serial": serial,
        "year": "2025",
        "bench_name": "УП-Демо",
        "bench_serial": "003",
        "operator": "Оператор 12",
        "t_air": "21.5",
        "pressure": "98.6",
        "humidity": "46",
    }
    point = {"point": "Q3", "q_set": "1.6", "v_ref": "0.1", "v_meter": volume, "mpe": "2.0"}
    return {**head, **changes, "points": [point]}


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[tuple[Desk, BenchFolder, Path]]:
    """A maker whose bench drops its files into a folder."""
    await found(folder, "Завод", 1)
    config = folder / "config.toml"
    config.write_text(f'{config.read_text()}\n[bench]\nfolder = "bench"\npoll_s = 0.05\n')
    async with opened(folder, 1) as desk:
        await attest(desk, desk.org)
        await publish_line(desk)
        await desk.templates.publish(template("flow-bench"), "test")
        watcher = BenchFolder(desk.core, desk.bench, desk.jobs)
        await watcher.look()
        yield desk, watcher, folder / "bench"


async def settled(desk: Desk, watcher: BenchFolder, condition: Any) -> None:
    """Run the jobs and the watcher until a condition holds."""
    tasks = [asyncio.create_task(desk.jobs.run()), asyncio.create_task(watcher.run())]
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():  # noqa: ASYNC110 - files tell nobody that they came
                await asyncio.sleep(0.02)
    finally:
        for task in tasks:
            await ended(task)


async def test_file_of_twenty_meters_gives_twenty_protocols_and_the_failing_one_is_to_be_adjusted(
    tmp_path: Path,
) -> None:
    """A dropped JSON file goes to `done`; each meter has its protocol, and the one out of its limits says `adjust`."""
    async with shop(tmp_path) as (desk, watcher, folder):
        subjects = [await desk.device(serial) for serial in SERIALS]
        runs = [run_of(serial, "0.1103" if serial == SERIALS[7] else "0.1003") for serial in SERIALS]
        (folder / "смена 1.json").write_text(json.dumps(runs, ensure_ascii=False))

        await settled(desk, watcher, (folder / "done" / "смена 1.json").exists)

        results = []
        for subject in subjects:
            (paper,) = rows(await desk.view(subject), "protocols")
            results.append(json.loads(str(paper["document"]))["result"])
        assert results == ["adjust" if serial == SERIALS[7] else "pass" for serial in SERIALS]
        failing = await desk.view(subjects[7])
        assert [at(row, "what", "central") for row in rows(failing, "events")] == []
        assert not (folder / "done" / "смена 1.json.report.txt").exists()


async def test_file_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    """While it grows between looks a file is left alone; once it stands still it is taken whole."""
    async with shop(tmp_path) as (desk, watcher, folder):
        await desk.device(SERIALS[0])
        raw = json.dumps(run_of(SERIALS[0])).encode()
        path = folder / "slow.json"
        for end in (10, 20, 30):
            path.write_bytes(raw[:end])
            os.utime(path, ns=(end, end))
            await watcher.look()
            assert path.exists()
        path.write_bytes(raw)
        os.utime(path, ns=(99, 99))
        await watcher.look()
        assert path.exists()

        await settled(desk, watcher, (folder / "done" / "slow.json").exists)


async def test_wrong_files_go_to_failed_with_what_is_wrong(tmp_path: Path) -> None:
    """No table, no JSON and runs of unknown meters end in `failed`, each with a report; other files stay."""
    async with shop(tmp_path) as (desk, watcher, folder):
        (folder / "broken.json").write_text('{"points": [')
        (folder / "table.csv").write_text("a;b\n1;2\n")
        (folder / "unknown.json").write_text(json.dumps([run_of("25009999")]))
        (folder / "notes.txt").write_text("не трогать")
        (folder / ".hidden.json").write_text("{}")
        (folder / "link.json").symlink_to(tmp_path / "config.toml")
        names = ["broken.json", "table.csv", "unknown.json"]

        await settled(desk, watcher, lambda: all((folder / "failed" / name).exists() for name in names))

        reports = {name: (folder / "failed" / f"{name}.report.txt").read_text("utf-8-sig") for name in names}
        assert "JSON" in reports["broken.json"]
        assert "bench.no_passport" in reports["unknown.json"]
        assert reports["table.csv"]
        assert {path.name for path in folder.iterdir() if not path.is_dir()} == {
            "notes.txt",
            ".hidden.json",
            "link.json",
        }


async def test_names_that_no_file_may_bear_here_hold_up_no_other(tmp_path: Path) -> None:
    """A name of another encoding and one too long for what is put before it are taken once, under names that fit."""
    async with shop(tmp_path) as (desk, watcher, folder):
        for serial in SERIALS[:3]:
            await desk.device(serial)
        foreign = os.fsdecode("смена.json".encode("cp1251"))
        long = f"{'я' * 122}.json"
        for name, serial in zip((foreign, long, "ящик.json"), SERIALS, strict=False):
            (folder / name).write_text(json.dumps(run_of(serial)))

        await settled(desk, watcher, lambda: len([*(folder / "done").glob("*.json")]) == 3)

        assert {path.name for path in (folder / "done").iterdir()} == {"смена.json", f"{'я' * 97}.json", "ящик.json"}
        assert len(await desk.jobs.newest()) == 3
        state = await watcher.state()
        assert state is not None
        assert (state.waiting, state.working, state.done, state.failed) == ((), (), 3, ())


async def test_node_that_ended_in_the_middle_goes_on_with_its_file(tmp_path: Path) -> None:
    """A file whose job was taken before the end is put away after the start; taken twice it signs once."""
    async with shop(tmp_path) as (desk, watcher, folder):
        subject = await desk.device(SERIALS[0])
        raw = json.dumps(run_of(SERIALS[0]))
        (folder / "one.json").write_text(raw)
        await watcher.look()
        await watcher.look()
        assert [path.name.partition("-")[2] for path in (folder / "work").iterdir()] == ["one.json"]

    async with opened(tmp_path, 1) as desk:
        watcher = BenchFolder(desk.core, desk.bench, desk.jobs)
        (folder / "one.json").write_text(raw)

        await settled(desk, watcher, lambda: len([*(folder / "done").glob("one*.json")]) == 2)

        assert len(rows(await desk.view(subject), "protocols")) == 1
