"""The import file of ФГИС «Аршин»: verification protocols become one `application`.

Element names are the register's own, `hymidity` among them; conditions are texts with a decimal comma; the cipher is
Cyrillic. A document is one of the verification template, with its personal part joined, as `parse_document` reads it.
The file is checked against the kept subset of the register's schema before it leaves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import NoReturn

from lxml import etree

from node.exchange.errors import ArshinError
from node.passport.strict_json import Json, show
from node.passport.templates.numbers import latin_letters, to_cyrillic
from node.passport.templates.pointer import MISSING, find, parse_pointer

NAMESPACE = "urn://fgis-arshin.gost.ru/module-verifications/import/2020-06-19"
SCHEMA = "arshin-import-subset.xsd"
MAX_RESULTS = 10_000
KINDS = {"initial": "1", "periodic": "2"}
NUMBERED_MEANS = ("npe", "uve", "mieta")


def write_application(results: Sequence[Json]) -> bytes:
    """The import file, UTF-8 XML, with one result for each protocol in order.

    Raise ArshinError naming the protocol, the place and what the file needs there.
    """
    if not 0 < len(results) <= MAX_RESULTS:
        raise ArshinError(f"an application has 1 to {MAX_RESULTS} results, got {len(results)}")
    root = etree.Element(_tag("application"), nsmap={"gost": NAMESPACE})
    for index, document in enumerate(results):
        _add_result(root, _Protocol(document, index))
    _check(root)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def check_application(data: bytes) -> None:
    """Hold a file to the kept subset of the register's schema; raise ArshinError.

    Nothing is fetched and no entity is expanded: a file with a document type is refused.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ArshinError(f"the file is no XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise ArshinError("the file has a document type, which no import file has")
    _check(root)


@dataclass(frozen=True, slots=True)
class _Protocol:
    """One verification protocol, read by pointer; every failure names which and where."""

    document: Json
    index: int

    def refuse(self, pointer: str, reason: str, ru: str) -> NoReturn:
        number = find(self.document, parse_pointer("/protocol_no"))
        name, named = (number, number) if isinstance(number, str) else ("without a number", "без номера")
        place = self.index + 1
        raise ArshinError(
            f"protocol {place} ({name}), {pointer}: {reason}",
            f"протокол {place} ({named}), {pointer}: {ru}",
            pointer,
        )

    def value(self, pointer: str) -> Json:
        value = find(self.document, parse_pointer(pointer))
        return None if value is MISSING else value

    def find_text(self, pointer: str, most: int) -> str | None:
        value = self.value(pointer)
        if value is None:
            return None
        if not isinstance(value, str) or not 0 < len(value.strip()) <= most:
            self.refuse(
                pointer,
                f"the file needs a text of 1 to {most} characters, got {show(value)}",
                f"нужен текст от 1 до {most} знаков, здесь {show(value)}",
            )
        return value.strip()

    def text(self, pointer: str, most: int) -> str:
        text = self.find_text(pointer, most)
        if text is None:
            self.refuse(
                pointer, "the file needs a text here and the protocol has none", "нужен текст, в протоколе его нет"
            )
        return text

    def flag(self, pointer: str) -> bool:
        value = self.value(pointer)
        if not isinstance(value, bool):
            self.refuse(
                pointer,
                f"the file needs true or false here, got {show(value)}",
                f"нужно «да» или «нет», здесь {show(value)}",
            )
        return value

    def number(self, pointer: str) -> str:
        value = self.value(pointer)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.refuse(
                pointer, f"the file needs a number here, got {show(value)}", f"нужно число, здесь {show(value)}"
            )
        return format(Decimal(value), "f").replace(".", ",")


def _add_result(root: etree._Element, protocol: _Protocol) -> None:
    result = _add(root, "result")
    _add_device(_add(_add(result, "miInfo"), "singleMI"), protocol)
    _add(result, "signCipher", _cipher(protocol))
    _add(result, "miOwner", protocol.text("/owner", 512))
    _add(result, "vrfDate", protocol.text("/date", 10))
    fit = protocol.flag("/applicable")
    if fit and (valid_until := protocol.find_text("/valid_until", 10)):
        _add(result, "validDate", valid_until)
    _add(result, "type", _kind(protocol))
    _add(result, "calibration", _xml_bool(protocol.value("/by_calibration_results") is True))
    _add_conclusion(result, protocol, fit=fit)
    _add(result, "docTitle", protocol.text("/method_doc", 128))
    if metrologist := protocol.find_text("/metrologist/name", 128):
        _add(result, "metrologist", metrologist)
    _add_means(_add(result, "means"), protocol)
    _add_conditions(_add(result, "conditions"), protocol)


def _add_device(device: etree._Element, protocol: _Protocol) -> None:
    _add(device, "mitypeNumber", protocol.text("/device/grsi", 32))
    _add(device, "manufactureNum", protocol.text("/device/serial", 128))
    if protocol.value("/device/year") is not None:
        _add(device, "manufactureYear", protocol.number("/device/year"))
    execution = protocol.find_text("/device/execution", 128) or protocol.find_text("/device/model", 128)
    if execution is None:
        protocol.refuse(
            "/device/execution",
            "the file needs the modification, and there is no execution and no model",
            "нужна модификация, а исполнения и модели нет",
        )
    _add(device, "modification", execution)


def _cipher(protocol: _Protocol) -> str:
    cipher = protocol.text("/sign_cipher", 32)
    if latin := latin_letters(cipher):
        protocol.refuse(
            "/sign_cipher",
            f"the cipher {cipher!r} has Latin letters {latin}; the register takes Cyrillic ones only:"
            f" type it again on a Russian keyboard, {to_cyrillic(cipher)!r} seems to be meant",
            f"в шифре «{cipher}» латинские буквы {latin}, реестр принимает только русские:"
            f" наберите его в русской раскладке, похоже, это «{to_cyrillic(cipher)}»",
        )
    if not 1 <= len(cipher) <= 3 or not all("А" <= letter <= "Я" for letter in cipher):
        protocol.refuse(
            "/sign_cipher",
            f"a cipher is 1 to 3 capital Cyrillic letters, got {cipher!r}",
            f"шифр — от 1 до 3 прописных русских букв, здесь «{cipher}»",
        )
    return cipher


def _kind(protocol: _Protocol) -> str:
    kind = protocol.text("/kind", 32)
    if kind not in KINDS:
        protocol.refuse(
            "/kind",
            f"a verification is {' or '.join(KINDS)}, got {kind!r}",
            f"поверка — {' или '.join(KINDS)}, здесь «{kind}»",
        )
    return KINDS[kind]


def _add_conclusion(result: etree._Element, protocol: _Protocol, *, fit: bool) -> None:
    if not fit:
        _add(_add(result, "inapplicable"), "reasons", protocol.text("/unfit_reasons", 1024))
        return
    applicable = _add(result, "applicable")
    if sticker := protocol.find_text("/sticker_no", 128):
        _add(applicable, "stickerNum", sticker)
    _add(applicable, "signPass", _xml_bool(protocol.flag("/sign_in_passport")))
    _add(applicable, "signMi", _xml_bool(protocol.flag("/sign_on_device")))


def _add_means(means: etree._Element, protocol: _Protocol) -> None:
    standards = list(_standards(protocol))
    for name in NUMBERED_MEANS:
        places = [place for place, kind in standards if kind == name]
        if places:
            numbers = _add(means, name)
            for place in places:
                _add(numbers, "number", protocol.text(f"{place}/reg_number", 32))
    instruments = [place for place, kind in standards if kind == "mi"]
    if instruments:
        group = _add(means, "mis")
        for place in instruments:
            instrument = _add(group, "mi")
            _add(instrument, "typeNum", protocol.text(f"{place}/type_number", 32))
            _add(instrument, "manufactureNum", protocol.text(f"{place}/serial", 128))


def _standards(protocol: _Protocol) -> Iterator[tuple[str, str]]:
    standards = protocol.value("/standards")
    if not isinstance(standards, list) or not standards:
        protocol.refuse(
            "/standards",
            f"the file needs at least one means of verification, got {show(standards)}",
            f"нужно хотя бы одно средство поверки, здесь {show(standards)}",
        )
    for index in range(len(standards)):
        kind = protocol.text(f"/standards/{index}/kind", 32)
        if kind not in (*NUMBERED_MEANS, "mi"):
            protocol.refuse(
                f"/standards/{index}/kind",
                f"means of the kind {kind!r} are not in the subset written here",
                f"средства вида «{kind}» этот узел в файл не пишет",
            )
        yield f"/standards/{index}", kind


def _add_conditions(conditions: etree._Element, protocol: _Protocol) -> None:
    _add(conditions, "temperature", f"{protocol.number('/conditions/t_air')} °C")
    _add(conditions, "pressure", f"{protocol.number('/conditions/pressure')} кПа")
    _add(conditions, "hymidity", f"{protocol.number('/conditions/humidity')} %")
    if other := protocol.find_text("/conditions/other", 128):
        _add(conditions, "other", other)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, _tag(name))
    if text is not None:
        try:
            element.text = text
        except ValueError as error:
            raise ArshinError(
                f"{name}: {text!r} has characters that XML cannot carry",
                f"{name}: в тексте {text!r} есть знаки, которых нет в XML",
            ) from error
    return element


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _xml_bool(value: bool) -> str:
    return "true" if value else "false"


def _check(root: etree._Element) -> None:
    try:
        _schema().assertValid(root)
    except etree.DocumentInvalid as error:
        raise ArshinError(
            f"the register's schema refuses the file: {error}", f"файл не проходит схему реестра: {error}"
        ) from error


@cache
def _schema() -> etree.XMLSchema:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    text = files("node.exchange").joinpath("schemas", SCHEMA).read_bytes()
    return etree.XMLSchema(etree.fromstring(text, parser))
