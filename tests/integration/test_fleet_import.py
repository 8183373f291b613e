"""Importing a fleet table into the registry of a running node: preview, import, what goes back, a node that dies."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from federation.fragment import decode_header
from node.api_client import ApiError
from node.demo.processes import NodeProcess
from node.exchange.tables import read_table, write_csv
from node.passport.plate import plate_text
from tests.fleets import HEADER, Sample, cells, clean, planted
from tests.nodes import ALONE, Json, act, ask, check_store, command, rows, send, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("fleet import")]
SERIAL_AT, ADDRESS_AT, DATES = HEADER.index("Зав. №"), HEADER.index("Адрес"), slice(6, 8)
MANY = 1_050
# identity, aliases of the DevEUI and the account, the verification, address and valid-until
KINDS_OF_A_METER = {1: 1, 2: 2, 4: 1, 5: 1}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A utility with an empty registry."""
    running = start(tmp_path_factory.mktemp("fleet") / "utility")
    yield running
    running.stop()


def start(folder: Path) -> NodeProcess:
    """A utility that knows nobody."""
    node = NodeProcess(folder.name, folder, 0, ALONE)
    node.init(name="МУП «Водоканал»", kind="utility", place="depot")
    node.start()
    return node


def table(meters: list[Sample]) -> bytes:
    """Meters as a table of Russian headers."""
    return write_csv(HEADER, [cells(meter) for meter in meters])


def take(node: NodeProcess, raw: bytes, **query: str) -> Json:
    """Import a table and answer its job once it ended."""
    job = send(node, "/imports", raw, kind="fleet", name="дом.csv", **query)["job"]
    return ask(node, f"/jobs/{job}", wait="30")


def preview(node: NodeProcess, raw: bytes, **query: str) -> Json:
    """What an import of a table would do."""
    return send(node, "/imports/preview", raw, name="дом.csv", **query)


def size(node: NodeProcess) -> int:
    """How many statements the node has said."""
    return int(ask(node, "/node")["size"])


def address(node: NodeProcess, device: str) -> Json:
    """Where a passport says that a thing stands."""
    return ask(node, f"/passports/{device}")["view"]["parameters"]["install_place"]["values"][-1]["value"]


def test_import_says_what_its_preview_counted_and_nothing_twice(node: NodeProcess) -> None:
    """Every meter in order is one passport with its address; faulty rows go back, and go in once corrected."""
    meters = planted(60, seed=11)
    before = size(node)
    shown = preview(node, table(meters))
    assert (size(node), ask(node, "/jobs")["items"]) == (before, [])

    done = take(node, table(meters))

    result = done["result"]
    counted = Counter(finding["rule"] for finding in result["findings"])
    refused = {item["rule"]: item["meters"] for item in shown["refused"]}
    assert (done["state"], done["kind"], result["file"]) == ("done", "import.fleet", "дом.csv")
    assert (shown["new"], shown["known"], shown["repeated"]) == (result["new"], result["known"], result["repeated"])
    assert shown["new"] + sum(refused.values()) == shown["meters"] == 60
    assert refused.keys() <= counted.keys()
    assert {"serial.twin", "serial.look_alike", "date.impossible"} <= refused.keys()
    assert shown["mapping"]["columns"]["Зав. №"] == "serial"

    raw = ask(node, f"/jobs/{done['job']}/report", format="csv")
    report = read_table(raw)
    wrong_at, address_at = report.header.index("Заводской номер"), report.header.index("Адрес")
    sent_back = {(row.cells[address_at].text, row.cells[wrong_at].text) for row in report.rows}
    assert len(report.rows) == result["refused"] == sum(refused.values())
    taken = [meter for meter in meters if (meter.address, meter.serial) not in sent_back]
    assert len(taken) == result["new"]
    for meter in taken:
        found = ask(node, "/passports", q=plate_text(meter.serial))["items"]
        assert [meter.address] == [address(node, item["id"]) for item in found if meter.serial in item["title"]]
    # Nobody said where it was verified: where the meter stands, marked as taken for want of a word.
    where = ask(node, f"/passports/{found[0]['id']}/events", what="verified")["items"][-1]["where"]
    assert (where["place"]["local"], where["default"]) == (address(node, found[0]["id"]), True)

    said = size(node)
    again = take(node, table(meters))["result"]
    assert (again["new"], again["known"], again["repeated"]) == (0, 0, result["new"])
    assert (size(node), again["refused"]) == (said, result["refused"])

    right = {meter.address: meter for meter in clean(60, seed=11)}
    names = {"Тип прибора": 3, "Заводской номер": 4, "Год выпуска": 5, "Дата поверки": 6, "Поверен до": 7,
             "Межповерочный интервал, мес": 8, "Номер в Госреестре": 9, "Предыдущее показание": 10,
             "Показание": 11, "Единица измерения": 12, "DevEUI": 13}  # fmt: skip
    mended = [
        [
            cells(right[row.cells[address_at].text])[names[title]] if title in names else cell.text
            for title, cell in zip(report.header, row.cells, strict=True)
        ]
        for row in report.rows
        if row.cells[address_at].text in right
    ]
    assert len(mended) == len(report.rows)
    last = take(node, write_csv(report.header, mended))["result"]
    assert (last["new"], last["refused"]) == (len(mended), 0), last["findings"]


def test_devices_of_an_import_are_listed_by_pages(node: NodeProcess) -> None:
    """Each device that a file brought is named once, page after page, in the order in which it was said."""
    done = take(node, table(planted(60, seed=47)))

    first = ask(node, f"/jobs/{done['job']}/devices", limit="4")
    rest = ask(node, f"/jobs/{done['job']}/devices", limit="200", cursor=first["next"])

    found = [*first["items"], *rest["items"]]
    assert (len(first["items"]), rest["next"]) == (4, None)
    assert {one["kind"] for one in found} == {"device"}
    assert len({one["id"] for one in found}) == len(found) == done["result"]["new"]
    serial = ask(node, f"/passports/{found[0]['id']}")["view"]["identity"]["serial"]["value"]
    assert found[0]["title"].endswith(serial)


def test_meter_that_is_known_at_another_address_goes_back(node: NodeProcess) -> None:
    """Its row is refused with the known device; the other rows go in, and a later verification is added."""
    meters = clean(12, seed=23)
    first = take(node, table(meters))["result"]
    assert first["new"] == 12
    moved, later = cells(meters[0]), cells(meters[1])
    moved[ADDRESS_AT] = "г. Дальний, ул. Окраинная, д. 777, кв. 888"
    later[DATES] = ["01.03.2026", "28.02.2032"]
    raw = write_csv(HEADER, [moved, later, *(cells(meter) for meter in meters[2:])])

    shown, result = preview(node, raw), take(node, raw)["result"]

    known = ask(node, "/passports", q=plate_text(meters[0].serial))["items"][0]["id"]
    assert shown["refused"] == [{"rule": "twin.elsewhere", "meters": 1}]
    assert (shown["new"], shown["known"], shown["repeated"]) == (0, 1, 10)
    assert (result["new"], result["known"], result["repeated"], result["refused"]) == (0, 1, 10, 1)
    assert [(finding["row"], finding["rule"]) for finding in result["findings"]] == [(2, "twin.elsewhere")]
    assert known in result["findings"][0]["en"]
    device = ask(node, "/passports", q=plate_text(meters[1].serial))["items"][0]["id"]
    until_row = ask(node, f"/passports/{device}")["view"]["parameters"]["verification_valid_until"]["values"][-1]
    assert until_row["value"] == "2032-02-28"


def test_twin_is_known_by_its_place(node: NodeProcess) -> None:
    """A row of a plate that two devices bear is of the one that stands at its address, and said once."""
    meters = clean(3, seed=29)
    assert take(node, table(meters))["result"]["new"] == 3
    row = cells(meters[0])
    row[ADDRESS_AT], row[HEADER.index("DevEUI")] = "г. Дальний, ул. Окраинная, д. 777, кв. 888", ""
    first = ask(node, "/passports", q=plate_text(meters[0].serial))["items"][0]["id"]
    shown = ask(node, f"/passports/{first}")["view"]["plates"][0]
    plate = {name: shown[name] for name in ("mark", "designation", "serial", "year", "approvals") if shown[name]}
    twin = act(node, "/plates", {**plate, "place": row[ADDRESS_AT], "twin": True})["id"]
    raw = write_csv(HEADER, [row, *(cells(meter) for meter in meters[1:])])

    result, again = take(node, raw)["result"], take(node, raw)["result"]

    assert (result["new"], result["known"], result["repeated"], result["refused"]) == (0, 1, 2, 0), result["findings"]
    assert (again["new"], again["known"], again["repeated"], again["refused"]) == (0, 0, 3, 0)
    assert "verified" in {event["what"]["central"] for event in ask(node, f"/passports/{twin}")["view"]["events"]}
    assert address(node, first) == meters[0].address


def test_columns_of_a_supplier_are_kept_by_name(node: NodeProcess) -> None:
    """A mapping that is sent with a supplier reads the next table of that supplier by its name alone."""
    meters = clean(6, seed=31)
    raw = write_csv(
        ("Где", "Что", "Знак А", "Знак Б"),
        [[meter.address, meter.designation, meter.account, meter.serial] for meter in meters],
    )
    mapping = '{"columns": {"Где": "address", "Что": "designation", "Знак А": "account", "Знак Б": "serial"}}'
    with pytest.raises(ApiError) as unknown:
        preview(node, raw, supplier="ООО «Источник»")
    assert unknown.value.code == "supplier_unknown"

    first = take(node, raw, supplier="ООО «Источник»", mapping=mapping)["result"]
    second = take(node, raw, supplier="ООО «Источник»")["result"]

    assert (first["new"], second["new"], second["repeated"]) == (6, 0, 6)
    kept = ask(node, "/suppliers")["items"]
    assert [(item["name"], item["mapping"]["columns"]["Знак Б"]) for item in kept] == [("ООО «Источник»", "serial")]

    told = command("suppliers", "-f", str(node.folder))
    forgotten = command("suppliers", "--forget", "ООО «Источник»", "-f", str(node.folder))
    again = command("suppliers", "--forget", "ООО «Источник»", "-f", str(node.folder))

    assert "ООО «Источник»: Где=address" in told.stdout
    assert (forgotten.returncode, again.returncode) == (0, 1), forgotten.stderr
    assert "no mapping is kept" in again.stderr
    assert ask(node, "/suppliers")["items"] == []
    with pytest.raises(ApiError):
        take(node, raw, supplier="ООО «Источник»")


def test_command_previews_and_imports_and_writes_the_rows_to_correct(node: NodeProcess, tmp_path: Path) -> None:
    """The preview writes nothing; the import tells the same counts and leaves a table; --fleet is needed for both."""
    file, report = tmp_path / "дом.csv", tmp_path / "исправить.xlsx"
    meters = clean(20, seed=53)
    meters[7] = replace(meters[7], until="31.02.2031")
    header = tuple("Знак" if title == "Зав. №" else title for title in HEADER)
    file.write_bytes(write_csv(header, [cells(meter) for meter in meters]))
    options = ("import", str(file), "--fleet", "--column", "Знак=serial", "-f", str(node.folder))
    before = size(node)

    shown = command(*options, "--preview")
    between = size(node)
    done = command(*options, "--supplier", "Знак", "--report", str(report))
    other = command("import", str(file), "--preview", "-f", str(node.folder))

    assert (shown.returncode, done.returncode, other.returncode) == (0, 0, 1), shown.stderr + done.stderr
    assert "20 meters: 19 new, 0 of known passports" in " ".join(shown.stdout.split())
    assert "1 date.impossible" in shown.stdout
    assert (between, size(node) > before) == (before, True)
    assert "19 imported, 1 reported" in done.stdout
    table_back = read_table(report.read_bytes())
    assert [row.cells[table_back.header.index("Поверен до")].text for row in table_back.rows] == ["31.02.2031"]
    assert "add --fleet" in other.stderr


def test_commands_speak_the_language_that_is_asked_for(node: NodeProcess, tmp_path: Path) -> None:
    """Preview, import, undo and what the node refuses are told in Russian where that is the person's language."""
    file, none = tmp_path / "дом.csv", tmp_path / "нет.csv"
    meters = clean(10, seed=57)
    meters[7] = replace(meters[7], until="31.02.2031")
    file.write_bytes(table(meters))
    none.write_bytes("Адрес;Сумма\nул. Мира;5\n".encode("cp1251"))
    options = ("-f", str(node.folder), "--language", "ru_RU.UTF-8")

    shown = command("import", str(file), "--fleet", "--preview", *options)
    done = command("import", str(file), "--fleet", *options)
    job = done.stderr.split()[-1]
    foreseen, undone = command("undo", job, "--preview", *options), command("undo", job, *options)
    refused = command("import", str(none), "--fleet", *options)
    unknown = command("undo", "0" * len(job), *options)
    away = command("import", str(tmp_path / "away.csv"), "--fleet", *options)
    still = command("import", str(file), "--fleet", "-f", str(tmp_path / "nobody"), "--language", "ru")

    assert "приборов 10: новых 9" in " ".join(shown.stdout.split()), shown.stderr
    assert "date.impossible · Невозможные даты" in shown.stdout
    assert "внесено 9, с замечаниями 1" in done.stdout
    assert "Такой даты нет" in done.stdout
    assert "исчезнет приборов 9" in foreseen.stdout
    assert "исчезло приборов 9" in undone.stdout
    assert "ни в одном столбце нет заводских номеров" in refused.stderr
    assert re.search("[а-яё]{4}", unknown.stderr), unknown.stderr
    assert "такого файла нет" in away.stderr
    assert "узел не работает" in still.stderr
    assert [one.returncode for one in (refused, unknown, away, still)] == [1, 1, 1, 1]


def test_console_takes_a_table_and_shows_what_came_of_it(node: NodeProcess) -> None:
    """A table sent by the page's form becomes a job of its kind, whose page offers the rows to correct."""
    meters = clean(8, seed=61)
    meters[5] = replace(meters[5], serial="")

    page = asyncio.run(_send_by_form(node, table(meters)))

    (job,) = [item for item in ask(node, "/jobs")["items"] if item["result"]["file"] == "form.csv"]
    assert (job["kind"], job["result"]["new"], job["result"]["refused"]) == ("import.fleet", 7, 1)
    assert "Таблица приборов" in page
    assert f"/api/v1/jobs/{job['job']}/report?format=xlsx" in page
    assert "serial.required" in page


def test_console_shows_an_import_before_it_is_done_and_keeps_the_columns(tmp_path: Path) -> None:
    """A table of a new supplier is shown first: what would go in and back; imported, its columns read the next one."""
    node = start(tmp_path / "utility")
    try:
        meters = clean(9, seed=71)
        meters[2] = replace(meters[2], serial="")
        before = size(node)

        shown, kept = asyncio.run(_look_and_import(node, table(meters), partial(size, node)))

        jobs = ask(node, "/jobs")["items"]
        assert (shown["size"], len(jobs)) == (before, 2)
        assert "9 приборов прочитано" in shown["text"]
        assert "8 получат паспорта" in shown["text"]
        assert "1 строка на исправление" in shown["text"]
        assert "Нет заводского номера" in shown["text"]
        assert jobs[1]["result"]["new"] == 8
        assert (jobs[0]["result"]["new"], jobs[0]["result"]["repeated"]) == (0, 8)
        assert kept == ["ЖЭК-1"]
        assert ask(node, "/suppliers")["items"] == []
    finally:
        node.stop()


def test_killed_import_ends_by_itself_with_each_row_once(tmp_path: Path) -> None:
    """Killed after some steps, a job is ended by the next process; each meter has one set of statements."""
    node = start(tmp_path / "utility")
    try:
        meters = clean(MANY, seed=41)
        meters[-1] = replace(meters[0], dev_eui="")
        job = send(node, "/imports", table(meters), kind="fleet", name="дом.csv")["job"]
        until("some steps are done", partial(_is_past, node, job, 400))
        node.kill()
        cut_at = _done(node, job)
        node.start()
        ended = ask(node, f"/jobs/{job}", wait="30")
    finally:
        node.stop()

    assert 400 <= cut_at < MANY
    result = ended["result"]
    assert (ended["state"], ended["done"], ended["total"]) == ("done", MANY, MANY)
    assert (result["accepted"], result["new"], result["repeated"], result["refused"]) == (MANY - 1, MANY - 1, 0, 1)
    assert [(finding["row"], finding["rule"]) for finding in result["findings"]] == [(MANY + 1, "row.duplicate")]
    kinds: dict[bytes, Counter[int]] = {}
    for header, log, seq in rows(
        node.folder, "select f.header, l.log, f.seq from fragments f join logs l on l.no = f.log_no"
    ):
        read = decode_header(header, log, seq)
        kinds.setdefault(read.subject, Counter())[read.kind] += 1
    assert sum(counts == KINDS_OF_A_METER for counts in kinds.values()) == MANY - 1
    assert rows(node.folder, "select count(*) from passports where subject = lead and kind = 'device'") == [(MANY - 1,)]
    check_store(node.folder)


async def _send_by_form(node: NodeProcess, raw: bytes) -> str:
    """Claim the node as a browser does, send a file by the form, and answer the page of the job once it ended."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "ru"}
    async with aiohttp.ClientSession(headers=headers, cookie_jar=jar) as browser:
        account = {"name": "anna", "password": "correct horse battery"}
        async with browser.post(str(node.addresses["claim"]), data=account) as answer:
            assert answer.status == 200, await answer.text()
        form = aiohttp.FormData({"kind": "fleet"})
        form.add_field("file", raw, filename="form.csv", content_type="text/csv")
        async with browser.post(f"{node.addresses['console']}/imports", data=form) as answer:
            assert answer.status == 200, await answer.text()
            place = answer.url
        await asyncio.to_thread(ask, node, f"/jobs/{place.name}", wait="30")
        async with browser.get(place) as answer:
            return await answer.text()


async def _look_and_import(
    node: NodeProcess, raw: bytes, count: Callable[[], int]
) -> tuple[dict[str, Json], list[str]]:
    """Send a table of a new supplier by the form, look, import it, send it again by name, and forget the supplier."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "ru"}
    base = node.addresses["console"]

    def form() -> aiohttp.FormData:
        made = aiohttp.FormData({"kind": "fleet", "supplier": "ЖЭК-1"})
        made.add_field("file", raw, filename="form.csv", content_type="text/csv")
        return made

    async with aiohttp.ClientSession(headers=headers, cookie_jar=jar) as browser:
        account = {"name": "anna", "password": "correct horse battery"}
        async with browser.post(str(node.addresses["claim"]), data=account) as answer:
            assert answer.status == 200, await answer.text()
        async with browser.post(f"{base}/imports", data=form()) as answer:
            assert answer.url.path.endswith("/import"), await answer.text()
            place, told = answer.url, " ".join(re.sub("<[^>]*>", " ", await answer.text()).split())
        shown = {"text": told, "size": await asyncio.to_thread(count)}
        async with browser.post(place.with_query(None), data={"supplier": place.query["supplier"]}) as answer:
            assert answer.status == 200, await answer.text()
            first = answer.url.name
        await asyncio.to_thread(ask, node, f"/jobs/{first}", wait="30")
        kept = [item["name"] for item in (await asyncio.to_thread(ask, node, "/suppliers"))["items"]]
        async with browser.post(f"{base}/imports", data=form()) as answer:
            second = answer.url.name
        await asyncio.to_thread(ask, node, f"/jobs/{second}", wait="30")
        async with browser.post(f"{base}/imports/suppliers/forget", data={"supplier": "ЖЭК-1"}) as answer:
            assert answer.status == 200, await answer.text()
        return shown, kept


def _done(node: NodeProcess, job: str) -> int:
    return int(rows(node.folder, "select done from jobs where id = ?", job)[0][0])


def _is_past(node: NodeProcess, job: str, least: int) -> bool:
    return _done(node, job) >= least
