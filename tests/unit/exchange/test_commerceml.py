"""Files of 1C's nomenclature: what is read, what comes back, and what is refused."""

import time
from pathlib import Path

import pytest

from node.exchange.commerceml import MAX_ITEMS, read_commerceml
from node.exchange.errors import CommerceError

SAMPLE = Path(__file__).parents[3] / "examples" / "exchange" / "commerceml" / "import.xml"
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ха">' + "".join(
    f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def catalog(*items: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    """A file with these items."""
    body = f"<Каталог><Товары>{''.join(items)}</Товары></Каталог>"
    return f"{head}<КоммерческаяИнформация>{body}</КоммерческаяИнформация>"


def item(code: str = "id-1", name: str = "Счётчик") -> str:
    return f"<Товар><Ид>{code}</Ид><Наименование>{name}</Наименование></Товар>"


def test_sample_gives_its_items_with_units_and_groups() -> None:
    """Each item has its Ид, name, article, unit by ОКЕИ, group by name and requisites; a removed one says so."""
    told = read_commerceml(SAMPLE.read_bytes())

    first, second, gone = told.items
    assert (first.id, first.shown) == ("8a7d2f10-5b7e-11ee-8c99-0242ac120002", "Счётчик воды ВС-15Д (ВС-15Д-80)")
    assert (first.unit, first.groups, first.requisites) == ("796", ("Квартирные",), (("ВидНоменклатуры", "Прибор"),))
    assert (second.article, second.shown, second.is_gone, gone.is_gone) == (None, "Счётчик воды ВС-20Д", False, True)
    assert told.findings == ()


def test_offers_are_items_with_their_characteristic() -> None:
    """An offer is told by the Ид of the item and that of its characteristic."""
    offer = "<Предложение><Ид>A#B</Ид><Наименование>ВС-15Д (LoRa)</Наименование><Цены><Цена/></Цены></Предложение>"
    package = f"<ПакетПредложений><Предложения>{offer}</Предложения></ПакетПредложений>"

    told = read_commerceml(f"<КоммерческаяИнформация>{package}</КоммерческаяИнформация>".encode())

    assert [(one.id, one.name) for one in told.items] == [("a#b", "ВС-15Д (LoRa)")]


def test_file_in_the_encoding_that_it_declares_is_read() -> None:
    """A windows-1251 file that says so is read like any other."""
    raw = catalog(item(), head='<?xml version="1.0" encoding="windows-1251"?>').encode("cp1251")

    assert [one.name for one in read_commerceml(raw).items] == ["Счётчик"]


def test_items_that_lack_something_come_back_and_the_others_are_taken() -> None:
    """Without Ид or name, with a hidden character, too long or twice: each is told with its row and rule."""
    raw = catalog(
        item(),
        "<Товар><Наименование>Без Ид</Наименование></Товар>",
        "<Товар><Ид>id-3</Ид></Товар>",
        item("id-4", "а\u202eб"),
        item("id-5", "х" * 513),
        item("id-1", "Другой"),
        item(),
    )

    told = read_commerceml(raw.encode())

    assert [one.id for one in told.items] == ["id-1"]
    assert [(finding.row, finding.rule) for finding in told.findings] == [
        (2, "commerceml.no_id"),
        (3, "commerceml.no_name"),
        (4, "commerceml.hidden"),
        (5, "cell.too_long"),
        (6, "commerceml.twice"),
    ]
    assert [row[3] for row in told.faulty] == [finding.rule for finding in told.findings]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        catalog(item())[:-20].encode(),
        catalog(item()).encode("cp1251"),
        b"<html/>",
        f'<?xml version="1.0"?>{LAUGHS}]><КоммерческаяИнформация>&i;</КоммерческаяИнформация>'.encode(),
        b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>',
        f'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>{catalog(item("&f;"), head="")}'.encode(),
        f"<КоммерческаяИнформация>{'<а>' * 10_000}".encode(),
        catalog(item() * (MAX_ITEMS + 1)).encode(),
    ],
)
def test_file_that_may_not_be_read_is_refused_at_once(raw: bytes) -> None:
    """No XML, a wrong encoding, a document type, entities, depth and too many items are one clear error, in no time."""
    started = time.monotonic()

    with pytest.raises(CommerceError) as refused:
        read_commerceml(raw)

    assert refused.value.text("ru") != refused.value.text("en")
    assert time.monotonic() - started < 5


def test_file_of_ten_megabytes_is_read_to_its_end() -> None:
    """A large file gives every item, whatever stands in them that is not looked at."""
    rest = f"<Описание>{'х' * 4_000}</Описание></Товар>"
    raw = catalog(*(item(f"id-{n}").replace("</Товар>", rest) for n in range(1_300))).encode()

    told = read_commerceml(raw)

    assert len(raw) > 10 << 20
    assert [one.id for one in told.items] == [f"id-{n}" for n in range(1_300)]
