"""A passport as PDF: Cyrillic text that can be read back, in both languages, over many pages, equal for equal views."""

import hashlib
import re
import zlib

import pytest
from aiohttp import ClientSession

from node.exchange.errors import SheetError
from node.exchange.sheets import MAX_CELLS, Grid, Notes, Pairs, Sheet, write_pdf
from node.services.access import Scope
from node.web.assets import STATIC
from tests.unit.node_protocols.builders import DESIGNATION, document, template
from tests.unit.web.running import RunningWeb, post, problem_code

PLATE = {"designation": DESIGNATION, "serial": "00012345"}
PART = {"position": "плата", "designation": "П-1", "serial": "18", "removed_serial": "17"}
NEVER = "EPP1-000000000000000000000000000"
MADE = 1_790_000_000_000_000
EVENTS = 120


def pages(raw: bytes) -> list[str]:
    """The text of each page of a PDF, by the maps from its glyphs to characters; a space where a new piece begins."""
    objects = {int(found[1]): found[2] for found in re.finditer(rb"(?s)(\d+) 0 obj\n(.*?)\nendobj", raw)}
    texts = []
    for body in objects.values():
        if b"/Type /Page\n" not in body and not re.search(rb"/Type /Page\b(?!s)", body):
            continue
        resources = objects[int(re.search(rb"/Resources (\d+) 0 R", body)[1])]  # type: ignore[index]  # a page has some
        fonts = {name: _map(objects, int(number)) for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", resources)}
        content = _stream(objects[int(re.search(rb"/Contents (\d+) 0 R", body)[1])])  # type: ignore[index]  # as above
        texts.append(" ".join(_shown(content, fonts)))
    return texts


def _shown(content: bytes, fonts: dict[bytes, dict[int, str]]) -> list[str]:
    """What a page writes, one text for each line."""
    lines, font = [], dict[int, str]()
    for block in re.findall(rb"(?s)BT (.*?) ET", content):
        line = ""
        for name, text in re.findall(rb"(?s)/(F\d+) [\d.]+ Tf|\(((?:\\.|[^\\()])*)\)", block):
            if name:
                font = fonts[name]  # it stays set beyond the line
            else:
                glyphs = re.sub(rb"(?s)\\(.)", lambda found: {b"n": b"\n", b"r": b"\r"}.get(found[1], found[1]), text)
                line += "".join(font[int.from_bytes(glyphs[at : at + 2])] for at in range(0, len(glyphs), 2))
        lines += [line] if line else []
    return lines


def _map(objects: dict[int, bytes], font: int) -> dict[int, str]:
    to_unicode = re.search(rb"/ToUnicode (\d+) 0 R", objects[font])
    assert to_unicode
    rows = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>", _stream(objects[int(to_unicode[1])]))
    return {int(glyph, 16): bytes.fromhex(code.decode()).decode("utf-16-be") for glyph, code in rows}


def _stream(body: bytes) -> bytes:
    content = body.partition(b"stream\n")[2].rpartition(b"\nendstream")[0]
    return zlib.decompress(content) if b"/FlateDecode" in body else content


async def pdf(client: ClientSession, device: str, language: str = "ru") -> bytes:
    headers = {"Accept-Language": language}
    async with client.get(f"/api/v1/passports/{device}/pdf", headers=headers) as response:
        assert (response.status, response.content_type) == (200, "application/pdf"), await response.text()
        assert f'filename="passport-{device}-2026-09-21.pdf"' in response.headers["Content-Disposition"]
        return await response.read()


async def mended(client: ClientSession) -> str:
    """A device with a value, a part that was replaced and a verification protocol."""
    device = str((await post(client, "/plates", PLATE))["id"])
    rows = [{"code": {"central": "dn"}, "value": "15.5", "unit": "mm", "since": "2026-01-10"}]
    await post(client, f"/passports/{device}/parameters", {"rows": rows})
    await post(client, f"/passports/{device}/repairs", {"where": "цех", "when": "2026-05-01", "parts": [PART]})
    async with client.post("/api/v1/templates", data=template("verification")) as response:
        reference = (await response.json())["reference"]
    raw = document("verification", device, "00012345", {})
    async with client.post("/api/v1/protocols", params={"template": reference}, data=raw) as response:
        assert response.status == 201, await response.text()
    return device


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("ru", ["Электронный паспорт прибора", "Номинальный диаметр", "15,5 мм", "10.01.2026", "отремонтирован",
                "Комплектация", "плата", "Кто что подписал", "стр. 1 из", "ООО «Счётчик»"]),
        ("en", ["Electronic passport of a device", "Nominal diameter", "15.5 mm", "2026-01-10",
                "Composition", "плата", "Who signed what", "page 1 of", "ООО «Счётчик»"]),
    ],
)  # fmt: skip
async def test_passport_is_a_document_that_says_what_the_page_says(
    web: RunningWeb, language: str, told: list[str]
) -> None:
    """Title, id, parameters with unit and valid-from, parts, protocols, signers and the digest stand in the text."""
    client = web.local()
    device = await mended(client)
    async with client.get(f"/api/v1/passports/{device}") as response:
        digest = (await response.json())["digest"]

    text = " ".join(pages(await pdf(client, device, language)))

    for words in (f"{DESIGNATION} № 00012345", device, digest, web.context.core.org.hex(), *told):
        assert words in text, words


@pytest.mark.req("B57")
@pytest.mark.parametrize("language", ["ru", "en"])
async def test_protocol_is_printed_as_its_template_lays_it_out(web: RunningWeb, language: str) -> None:
    """Labels and values of the document, who signed it and the hash of what was signed stand in the text."""
    client = web.local()
    device = await mended(client)
    async with client.get(f"/api/v1/passports/{device}/protocols") as response:
        (listed,) = (await response.json())["items"]
    path = f"/api/v1/passports/{device}/protocols/{listed['ref']}"
    async with client.get(f"/api/v1/passports/{device}") as response:
        signed = (await response.json())["view"]["protocols"][0]["document"]

    async with client.get(f"{path}/pdf", headers={"Accept-Language": language}) as response:
        assert (response.status, response.content_type) == (200, "application/pdf"), await response.text()
        text = " ".join(pages(await response.read()))
    async with client.get(f"{path[:-1]}{'1' if path[-1] == '0' else '0'}/pdf") as response:
        assert (response.status, await problem_code(response)) == (404, "protocol_unknown")

    told = {"ru": ("Дата", "Подписи", "стр. 1 из"), "en": ("Date", "Signatures", "page 1 of")}[language]
    squeezed = text.replace(" ", "")
    for words in (*told, "ООО «Счётчик»", "00012345", hashlib.sha256(signed.encode()).hexdigest(), listed["ref"]):
        assert words.replace(" ", "") in squeezed, words


async def test_equal_view_and_moment_give_equal_bytes(web: RunningWeb) -> None:
    """The document holds no clock of its own and no random number; a minute later it says another moment."""
    client = web.local()
    device = await mended(client)
    first, second = await pdf(client, device), await pdf(client, device)

    web.clock.move(60)

    assert first == second != await pdf(client, device)


async def test_long_timeline_goes_on_over_pages_under_its_headings(web: RunningWeb) -> None:
    """Each of many events stands in the document once, in order; each page of them repeats the headings."""
    client = web.local()
    device = str((await post(client, "/plates", PLATE))["id"])
    for number in range(EVENTS):
        detail = {"note": f"обход-{number:04d}"}
        body = {"what": "ОБХОД", "where": "цех", "when": f"2026-06-01T00:{number // 60:02d}:{number % 60:02d}Z"}
        await post(client, f"/passports/{device}/events", {**body, "detail": detail})

    found = pages(await pdf(client, device))
    rounds = re.findall(r"обход-(\d{4})", " ".join(found))

    assert rounds == [f"{number:04d}" for number in range(EVENTS)]
    assert len(found) > 3
    for number, text in enumerate(found, 1):
        assert f"стр. {number} из {len(found)}" in text
        if "обход-" in text:
            assert re.search("Когда Что Где Кто Статус", text)


async def test_document_needs_the_right_to_read_and_a_passport(web: RunningWeb) -> None:
    """A token that may read gets it; one that may not is refused, and so are a slip of the pen and a stranger's id."""
    reader, importer = await web.system(Scope.READ), await web.system(Scope.IMPORT, name="importer")
    device = await mended(web.local())

    assert (await pdf(reader, device)).startswith(b"%PDF-")
    async with importer.get(f"/api/v1/passports/{device}/pdf") as response:
        assert (response.status, await problem_code(response)) == (403, "scope")
    async with reader.get(f"/api/v1/passports/{NEVER}/pdf") as response:
        assert (response.status, await problem_code(response)) == (422, "id_mistyped")
    stranger = "EPP1-" + "0" * 28
    async with reader.get(f"/api/v1/passports/{stranger}/pdf") as response:
        assert (response.status, await problem_code(response)) == (404, "passport_unknown")


def test_any_text_is_drawn_whole() -> None:
    """Long words are broken, a cell longer than a page goes on, control characters and unknown scripts do no harm."""
    word, essay = "Щ" * 300, " ".join(f"слово{number}" for number in range(500))
    rows = [[word, essay, "漢字 \x00\x1b[31m \u202e", ""]]
    blocks = (
        Pairs("Пары", [("имя", word, "кто")]),
        Grid("Таблица", ["А", "Б", "В", "Г"], rows, (1, 1, 1, 1)),
        Notes("Строки", [word, essay]),
    )
    sheet = Sheet("ru", "Вид", word, ["строка"], "EPP1", blocks, word * 3, "стр. {} из {}", MADE)

    text = "".join(pages(write_pdf(sheet, STATIC / "vendor"))).replace(" ", "")

    assert text.count("Щ") >= 4 * 300
    assert text.count("слово499") == 2


def test_cell_higher_than_a_page_goes_on_in_the_next_row() -> None:
    """Long texts in narrow columns, line ends without end, and a heading as long as a page are drawn all the same."""
    texts = ["Щ" * 900, "\n" * 800 + "конец", "\n" * 18 + "Щ" * 900, *("1",) * 7]
    table = Grid("Таблица", ["Щ" * 5_000, *("Б",) * 9], [texts], [1] * 10)

    text = "".join(pages(write_pdf(Sheet("ru", "В", "И", (), "", (table,), "", "{} {}", MADE), STATIC / "vendor")))

    assert (text.replace(" ", "").count("Щ") >= 1_800, "конец" in text.replace(" ", "")) == (True, True)


def test_wide_table_comes_in_parts_and_a_book_is_refused() -> None:
    """A table of sixty columns is drawn whole; a document that nobody would print is refused before it is drawn."""
    header = [f"столбец{number}" for number in range(60)]
    wide = Grid("Таблица", header, [[f"ячейка{number}" for number in range(60)]], [1] * 60)
    long = Grid("Таблица", ["А"], [["х"]] * (MAX_CELLS + 1), [1])

    def sheet(block: Grid) -> Sheet:
        return Sheet("ru", "Вид", "Имя", (), "", (block,), "", "стр. {} из {}", MADE)

    text = "".join(pages(write_pdf(sheet(wide), STATIC / "vendor"))).replace(" ", "")

    for number in range(60):
        assert f"столбец{number}" in text
        assert f"ячейка{number}" in text
    with pytest.raises(SheetError):
        write_pdf(sheet(long), STATIC / "vendor")
