"""Counts on the pages of shipments, devices and imports stand with a noun in the right number, for either side."""

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.registry_data import make_cards
from node.passport.card import format_expiry
from node.passport.packing import Packed
from node.passport.shipments import DeviceState
from node.services.shipments import FiledShipment, ShippedDevice
from node.store.finding import Counts
from node.web.api.registry import PassportsQuery
from node.web.api.shipments import row_of
from node.web.assets import Assets
from node.web.console.shipments import Row
from node.web.rendering import make_environment

MAKER, UTILITY, STRANGER = (bytes([at]) * 16 for at in range(3))
NAMES = {MAKER: "Завод", UTILITY: "Водоканал", STRANGER: "Сервис"}


def text(language: str, template: str, **values: Any) -> str:  # Any: what templates are given
    """The text of a part of a page."""
    page = make_environment(language, Assets()).get_template(template).render(language=language, **values)
    return " ".join(re.sub("<[^>]*>", " ", page).split())


def shipment(count: int, own: bytes, language: str = "ru", *, unopened: int = 0, via: bytes = b"") -> str:
    """The text of the page of a shipment of so many devices, whose passports and keys are all here."""
    counts = dict.fromkeys(DeviceState, 0) | {DeviceState.OFFERED: count}
    filed = FiledShipment(
        subject=bytes(16), seller=MAKER, buyer=UTILITY, outside="", name="", number="ТТН-1", date="2026-11-02",
        returns=b"", announced=1, parts=1, devices=count, counts=counts, keyed=0, strange=0,
        unopened=unopened, via=via, said_us=0,
    )  # fmt: skip
    device = ShippedDevice(bytes(16), DeviceState.OFFERED, "", "СГВ", True, Packed())
    shown: dict[str, Any] = {"devices": [("id", device)], "is_void": False, "names": NAMES, "may": True, "own": own}
    row = Row(row_of(filed, own, count, count), filed)
    parts = ("parts/shipment_body.html", "parts/shipped.html")
    return " ".join(
        text(language, part, row=row, acts=[], act="", state="", q="", volumes=[1], differing=[], **shown)
        for part in parts
    )


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (None, "СГВ-15 № 0012 по списку продавца место К-1"),
        ("СГВ-15 № 0012", "СГВ-15 № 0012 место К-1"),
        ("СГВ-15 № 0013", "СГВ-15 № 0013 в списке продавца: СГВ-15 № 0012 место К-1"),
    ],
)
def test_device_of_a_shipment_is_called_by_the_list_and_then_by_its_passport(title: str | None, expected: str) -> None:
    """Where the two differ both are told."""
    device = ShippedDevice(bytes(16), DeviceState.OFFERED, "", title, False, Packed("СГВ-15", "0012", "К-1"))
    row = SimpleNamespace(answer=SimpleNamespace(id="1"), filed=SimpleNamespace(seller=MAKER))
    shown: dict[str, Any] = {"row": row, "own": UTILITY, "act": "", "state": "", "q": ""}

    assert expected in text("ru", "parts/shipped.html", devices=[("id", device)], **shown)


def job(kind: str, accepted: int, repeated: int, refused: int, language: str = "ru") -> str:
    """The texts of a job and of its row in the list."""
    result = {"accepted": accepted, "repeated": repeated, "faulty": [["row"]] * refused, "file": "f"}
    one = SimpleNamespace(id="1", kind=kind, state="done", actor="nobody", created_us=0, done=1, total=1, result=result)
    shown: dict[str, Any] = {
        "is_open": False,
        "refused": refused,
        "findings": [],
        "unshown": 0,
        "may_undo": False,
        "may_open": False,
    }
    return " | ".join(
        [
            text(language, "parts/import_job.html", job=one, **shown),
            text(language, "parts/import_jobs.html", jobs=[one], shown_job=""),
        ]
    )


@pytest.mark.parametrize(("own", "told"), [(MAKER, "дилеру ключи не передаются"), (UTILITY, "ключи не придут")])
def test_page_of_what_is_sold_unopened_promises_no_key(own: bytes, told: str) -> None:
    """Either side reads that no keys go to the dealer; of a part that goes so it is told how many."""
    page = shipment(3, own, unopened=3)

    assert told in page
    assert not re.search("запечатанн(ый|ых) ключ", page)
    assert "2 прибора идут нераспечатанными, без ключей" in shipment(3, own, unopened=2)


def test_page_of_what_is_carried_offers_its_carrier_no_answer() -> None:
    """He reads that nobody here can read the keys; the two parties read through whom it goes."""
    page = shipment(3, STRANGER, via=STRANGER)

    assert "Ключи запечатаны для покупателя" in page
    assert not {"Принять", "Отозвать…"} & set(page.split())
    assert "Идёт через узел организации: Сервис" in shipment(3, MAKER, via=STRANGER)


@pytest.mark.parametrize(
    ("count", "devices", "came", "goes"),
    [
        (
            1,
            "1 прибор ",
            "1 паспорт здесь 1 запечатанный ключ здесь",
            "1 паспорт передаётся 1 запечатанный ключ переда",
        ),
        (
            2,
            "2 прибора ",
            "2 паспорта здесь 2 запечатанных ключа здесь",
            "2 паспорта передаются 2 запечатанных ключа пе",
        ),
        (
            5,
            "5 приборов ",
            "5 паспортов здесь 5 запечатанных ключей здесь",
            "5 паспортов передаётся 5 запечатанных ключей",
        ),
        (
            11,
            "11 приборов ",
            "11 паспортов здесь 11 запечатанных ключей",
            "11 паспортов передаётся 11 запечатанных ключей",
        ),
        (
            21,
            "21 прибор ",
            "21 паспорт здесь 21 запечатанный ключ",
            "21 паспорт передаётся 21 запечатанный ключ переда",
        ),
    ],
)
def test_shipment_counts_in_russian_for_either_side(count: int, devices: str, came: str, goes: str) -> None:
    """The buyer reads what is here, the seller what goes with it, both with the noun in its number."""
    bought, sold = shipment(count, UTILITY), shipment(count, MAKER)

    assert devices + came in bought
    assert devices + goes in sold


@pytest.mark.parametrize(("count", "told"), [(1, "1 device 1 passport"), (2, "2 devices 2 passports")])
def test_shipment_counts_in_english(count: int, told: str) -> None:
    """One device is no devices."""
    assert told in shipment(count, MAKER, "en")


@pytest.mark.parametrize(
    ("language", "own", "said", "unsaid"),
    [
        ("ru", MAKER, "Что передаётся", "Что пришло"),
        ("ru", UTILITY, "Что пришло", "Что передаётся"),
        ("ru", STRANGER, "Что пришло", "Что передаётся"),
        ("en", MAKER, "Goes with it", "Came with it"),
        ("en", UTILITY, "Came with it", "Goes with it"),
    ],
)
def test_shipment_is_told_from_the_readers_side(language: str, own: bytes, said: str, unsaid: str) -> None:
    """Nothing came with what the seller sent, and nothing is said to be here that goes out."""
    page = shipment(3, own, language)

    assert said in page
    assert unsaid not in page
    assert ("здесь" in page or " here" in page) == (own != MAKER)


@pytest.mark.parametrize(
    ("count", "taken", "known", "wrong", "signed"),
    [
        (1, "1 строка принята", "1 строка уже была здесь", "1 строка на исправление", "1 протокол подписан"),
        (2, "2 строки приняты", "2 строки уже были здесь", "2 строки на исправление", "2 протокола подписано"),
        (5, "5 строк принято", "5 строк уже было здесь", "5 строк на исправление", "5 протоколов подписано"),
        (11, "11 строк принято", "11 строк уже было здесь", "11 строк на исправление", "11 протоколов подписано"),
        (21, "21 строка принята", "21 строка уже была здесь", "21 строка на исправление", "21 протокол подписан"),
    ],
)
def test_import_counts_in_russian(count: int, taken: str, known: str, wrong: str, signed: str) -> None:
    """A job and its row in the list tell rows of a production file and protocols of a bench file in their number."""
    page, row = job("import.production", count, count, count).split(" | ")

    assert f"{taken} {known} {wrong}" in page
    assert f"{taken}, {wrong}" in row
    assert job("import.bench", count, 0, 0).count(signed) == 2


def test_import_counts_in_english() -> None:
    """One row is no rows."""
    assert "1 row accepted 2 rows were here already 1 row to correct" in job("import.production", 1, 2, 1, "en")


@pytest.mark.parametrize(
    ("count", "devices", "ids"),
    [
        (1, "1 прибор с несколькими номерами", "2 номера"),
        (2, "2 прибора с несколькими номерами", "3 номера"),
        (5, "5 приборов с несколькими номерами", "6 номеров"),
        (11, "11 приборов с несколькими номерами", "12 номеров"),
        (20, "20 приборов с несколькими номерами", "21 номер "),
    ],
)
def test_devices_with_several_ids_are_counted_in_russian(count: int, devices: str, ids: str) -> None:
    """The list tells how many devices have several ids, and how many each has."""
    environment = make_environment("ru", Assets())
    block = environment.get_template("devices.html").blocks["content"]
    device = next(make_cards(1))
    values: dict[str, Any] = {
        "rows": [("id", replace(device, ids=count + 1))],
        "counts": Counts(60, count, {}, {}, {}),
        "query": PassportsQuery(),
        "iso": format_expiry,
        **dict.fromkeys(("more", "before", "among", "is_filtered", "is_asked", "may_record"), ""),
        **dict.fromkeys(("states", "types", "owners", "near"), ()),
        "owner": lambda card: card.owner_name,
    }
    context = environment.get_template("devices.html").new_context(values)

    page = " ".join(re.sub("<[^>]*>", " ", "".join(block(context))).split())

    assert devices in page
    assert ids in page
