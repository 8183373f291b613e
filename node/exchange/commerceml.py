"""CommerceML 2: the files `import.xml` and `offers.xml` by which 1C hands out its nomenclature, read item by item.

The tree is never whole in memory. A document type, and with it every entity, is refused; nothing is fetched. An item
lacks what it lacks: it is told with its row, and the others are taken. Names are matched without their namespace, which
some configurations leave out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

from lxml import etree

from node.exchange.errors import CommerceError
from node.exchange.findings import TOO_LONG, Advice, Finding

ROOT = "КоммерческаяИнформация"
ITEM, OFFER, GROUP = "Товар", "Предложение", "Группа"
MAX_ITEMS = 20_000
MAX_BYTES = 60 << 20
MAX_ID, MAX_NAME = 128, 512
GONE = frozenset({"Удален", "Удалён"})

NO_ID = Advice(
    "commerceml.no_id",
    "У товара нет Ид: без него он не отличим от других. Выгрузите его из 1С заново.",
    "The item has no Ид, which tells it from others. Export it from 1C again.",
)
NO_NAME = Advice(
    "commerceml.no_name",
    "У товара нет наименования. Впишите его в 1С и выгрузите заново.",
    "The item has no name. Fill it in and export it again.",
)
TWICE = Advice(
    "commerceml.twice",
    "Ид уже стоит в файле у другого товара. Оставьте один.",
    "The Ид stands in the file already, with another item. Leave one.",
)
HIDDEN = Advice(
    "commerceml.hidden",
    "В тексте есть невидимые знаки. Впишите его в 1С заново.",
    "The text holds characters that nobody sees. Type it again.",
)


@dataclass(frozen=True, slots=True)
class CommerceItem:
    """An item or an offer: `id` as 1C gives it, of an offer with its characteristic after `#`; `unit` by ОКЕИ."""

    id: str
    name: str
    article: str | None = None
    unit: str | None = None
    groups: tuple[str, ...] = ()
    requisites: tuple[tuple[str, str], ...] = ()
    is_gone: bool = False

    @property
    def shown(self) -> str:
        """The name with the article."""
        return f"{self.name} ({self.article})"[:MAX_NAME] if self.article else self.name


@dataclass(frozen=True, slots=True)
class CommerceFile:
    """What a file holds, and what is wrong with the rest; rows are numbers of items in the file."""

    items: tuple[CommerceItem, ...]
    findings: tuple[Finding, ...]
    faulty: tuple[tuple[str, ...], ...]


@dataclass(slots=True)
class _Reading:
    items: dict[str, CommerceItem] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    faulty: list[tuple[str, ...]] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    row: int = 0


HEADER = ("Ид", "Артикул", "Наименование")


def read_commerceml(raw: bytes) -> CommerceFile:
    """Read a file; raise CommerceError where it is none or may not be read."""
    if len(raw) > MAX_BYTES:
        raise CommerceError(f"the file has {len(raw)} bytes, at most {MAX_BYTES} are read")
    reading = _Reading()
    try:
        for element in _elements(raw):
            _take(reading, element)
    except etree.XMLSyntaxError as error:
        raise CommerceError(
            f"the file is no XML, or not in the encoding that it declares: {error}",
            f"файл не читается как XML, или его кодировка — не та, что в нём объявлена: выгрузите его заново ({error})",
        ) from error
    return CommerceFile(tuple(reading.items.values()), tuple(reading.findings), tuple(reading.faulty))


def _elements(raw: bytes) -> Iterator[etree._Element]:
    """Items, offers and groups as they end; what was read is dropped at once."""
    context = etree.iterparse(
        BytesIO(raw), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    root: etree._Element | None = None
    for event, element in context:
        if root is None:
            root = _check_root(element)
        if event == "end" and _name(element) in (ITEM, OFFER, GROUP):
            yield element
            if _name(element) != GROUP:
                _drop(element)


def _check_root(element: etree._Element) -> etree._Element:
    if element.getroottree().docinfo.internalDTD is not None:
        raise CommerceError(
            "the file has a document type, which no file of 1C has",
            "в файле есть DOCTYPE, которого в файлах 1С не бывает",
        )
    if _name(element) != ROOT:
        raise CommerceError(
            f"the file is no CommerceML: it begins with {_name(element)[:64]!r}",
            f"это не CommerceML: файл начинается с «{_name(element)[:64]}»",
        )
    return element


def _drop(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None:
        parent.remove(before)


def _take(reading: _Reading, element: etree._Element) -> None:
    if _name(element) == GROUP:
        if code := _text(element, "Ид"):
            reading.groups[code] = _text(element, "Наименование")
        return
    reading.row += 1
    if reading.row > MAX_ITEMS:
        raise CommerceError(
            f"the file has more than {MAX_ITEMS} items: export it by groups",
            f"в файле больше {MAX_ITEMS} товаров: выгрузите его по группам",
        )
    item = _item(reading, element)
    wrong = [*_faults(reading, item)]
    if wrong:
        reading.findings += wrong
        rules = "; ".join(dict.fromkeys(finding.rule for finding in wrong))
        words = " ".join(f"{finding.ru} / {finding.en}" for finding in wrong)
        reading.faulty.append((item.id[:MAX_ID], item.article or "", item.name[:MAX_NAME], rules, words))
    else:
        reading.items[item.id] = item


def _item(reading: _Reading, element: etree._Element) -> CommerceItem:
    unit = _child(element, "БазоваяЕдиница")
    groups = _child(element, "Группы")
    codes = [] if groups is None else [(child.text or "").strip() for child in groups if _name(child) == "Ид"]
    values = _child(element, "ЗначенияРеквизитов")
    told = [] if values is None else [(_text(one, "Наименование"), _text(one, "Значение")) for one in values]
    return CommerceItem(
        id=_text(element, "Ид").lower(),
        name=_text(element, "Наименование"),
        article=_text(element, "Артикул")[:MAX_ID] or None,
        unit=(unit.get("Код") or "").strip() or None if unit is not None else None,
        groups=tuple(reading.groups.get(code, code) for code in codes if code),
        requisites=tuple((name, value) for name, value in told if name),
        is_gone=element.get("Статус") in GONE or _text(element, "ПометкаУдаления") == "true",
    )


def _faults(reading: _Reading, item: CommerceItem) -> Iterator[Finding]:
    if not item.id:
        yield NO_ID.at(reading.row, "Ид", item.name)
    if not item.name:
        yield NO_NAME.at(reading.row, "Наименование", item.id)
    for column, value, most in (("Ид", item.id, MAX_ID), ("Наименование", item.name, MAX_NAME)):
        if len(value) > most:
            yield TOO_LONG.at(reading.row, column, value, most=most)
        if not value.isprintable():
            yield HIDDEN.at(reading.row, column, value.encode("unicode_escape").decode())
    if item.id in reading.items and reading.items[item.id] != item:
        yield TWICE.at(reading.row, "Ид", item.id)


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in element if _name(child) == name), None)


def _text(element: etree._Element, name: str) -> str:
    child = _child(element, name)
    return "" if child is None else " ".join((child.text or "").split())


def _name(element: etree._Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
