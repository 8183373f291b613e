"""A seeded corpus of invented plates: serial lines, devices, and what readers of different care wrote down.

Lines, twins and slips have the shares of the corpus of the design; `CARELESS` readers slip in more ways and more often.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Record = dict[str, object]
Plate = dict[str, str]

LINES = 80
DEVICES = 600
TWINS = 3
UNPUBLISHED = 40  # of so many lines one is published by nobody
RESTARTING = 0.22
MARKS = ("ИСТОК", "РОДНИК", "СЕВЕРПРИБОР", "ПОТОК-М", "ТЕРМОЛАЙН", "КРИСТАЛЛ")
KINDS = ("РВ", "ТМК", "СХВК", "ЭС", "ПРТ", "КВС")
SIZES = ("15", "20", "25", "32", "40", "15-3", "20-80")
SUFFIXES = ("", "", "И", "Г", "У2")
PARTS = ({"set": "letters", "count": 2}, {"set": "digits", "count": 6})
PATTERNS = (
    *(("digits", 6), ("digits", 7), ("digits", 8), ("digits", 10), ("digits", 0)),
    *(("letter+digits", 6), ("digits-digits", 8), ("parts", 8)),
)
LETTERS = "АБВГКМТЭ"
TO_LATIN = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")
DIGITS = "0123456789"
LABELS = ("№ ", "зав. № ", "S/N ", "з/н ")
KIND_WORDS = ("Счётчик воды ", "теплосчетчик ", "Прибор учёта ")


@dataclass(frozen=True, slots=True)
class Care:
    """How often a reader slips, from 0 to 1.

    `latin`: letters of another alphabet, other separators; `beside`: words, the mark or a label stand beside; `forms`:
    another legal form, two digits of the year, an approval without its suffix, a fraction as spreadsheets show it.
    """

    latin: float = 0.4
    beside: float = 0.08
    forms: float = 0.05
    zeros: float = 0.03
    no_mark: float = 0.4
    no_year: float = 0.03
    wrong_year: float = 0.005
    no_approval: float = 0.24
    misread: float = 0.003


READERS = {"maker": Care(), "lab": Care(no_year=0.15, no_approval=0.1), "bills": Care(), "fitter": Care()}
CARELESS = {
    "maker": Care(0.1, 0.0, 0.0, 0.0, 0.05, 0.05, 0.0, 0.05, 0.0),
    "lab": Care(0.2, 0.1, 0.1, 0.02, 0.3, 0.1, 0.01, 0.05, 0.003),
    "bills": Care(0.5, 0.3, 0.3, 0.2, 0.4, 0.2, 0.05, 0.4, 0.01),
    "fitter": Care(0.7, 0.5, 0.2, 0.05, 0.5, 0.15, 0.05, 0.3, 0.01),
}


def make_corpus(seed: int, readers: Mapping[str, Care] = READERS) -> tuple[list[Record], list[Plate]]:
    """Lines as they are published, and plates with the truth beside them; equal seeds give equal corpora."""
    source = random.Random(seed)
    lines = [_line(source, number) for number in range(LINES)]
    plates: list[Plate] = []
    for number in range(DEVICES):
        line = source.choice(lines)
        plates += _readings(source, f"d{number}", _device(source, line, number), readers)
    for number in range(TWINS):
        device = _device(source, source.choice(lines), DEVICES + 2 * number)
        plates += _readings(source, f"one{number}", device, readers)
        plates += _readings(source, f"two{number}", {**device, "place": f"Полевая, {1000 + number}"}, readers)
    source.shuffle(plates)
    # Some lines are published by nobody: their plates have their approval only.
    return [record for number, record in enumerate(lines) if number % UNPUBLISHED], plates


def _line(source: random.Random, number: int) -> Record:
    mark = source.choice(MARKS)
    size, suffix = source.choice(SIZES), source.choice(SUFFIXES)
    kind = source.choice(KINDS) + chr(ord("А") + number % 20)
    pattern, width = source.choice(PATTERNS)
    year = source.randint(8, 24)
    whole = f"{kind}{size}{suffix}".replace("-", "")
    return {
        "line": f"own:{number}",
        "marks": [mark],
        "designations": [f"{kind}-{size}{suffix}", f"{kind} {size}{suffix}", whole],
        "legal_makers": [f"ООО «{mark}»"],
        "approvals": [f"{88000 + number}-{year:02d}", f"{88000 + number}-{min(year + 5, 25):02d}"],
        "serial": {"pattern": pattern, "parts": PARTS} if pattern == "parts" else {"pattern": pattern, "width": width},
        "restarts_yearly": source.random() < RESTARTING,
        "wire_codes": [],
    }


def _device(source: random.Random, line: Record, number: int) -> Plate:
    return {
        "mark": _first(line, "marks"),
        "maker": _first(line, "legal_makers"),
        "designation": _first(line, "designations"),
        "serial": _serial(source, line),
        "year": str(source.randint(2012, 2025)),
        "approval": _first(line, "approvals"),
        "place": f"Садовая, {number // 20 + 1}, кв. {number % 20 + 1}",
    }


def _serial(source: random.Random, line: Record) -> str:
    shape = line["serial"]
    pattern = str(shape["pattern"]) if isinstance(shape, dict) else ""
    width = int(shape.get("width", 0)) if isinstance(shape, dict) else 0
    if pattern == "parts":
        return "".join(source.choices(LETTERS, k=2)) + "".join(source.choices(DIGITS, k=6))
    digits = f"{source.randrange(10 ** (width or 7)):0{width or 1}d}"
    serial = source.choice(LETTERS) + digits if pattern == "letter+digits" else digits
    return f"{serial[:2]}-{serial[2:]}" if pattern == "digits-digits" else serial


def _readings(source: random.Random, truth: str, device: Plate, readers: Mapping[str, Care]) -> Iterator[Plate]:
    for reader, care in readers.items():
        plate = {"truth": truth, "reader": reader, **device}
        if source.random() < care.latin:
            plate["designation"] = plate["designation"].translate(TO_LATIN).lower()
        if source.random() < care.latin:
            plate["designation"] = plate["designation"].replace("-", source.choice([" ", "–", "/", ""]), 1)
        if source.random() < care.zeros:
            plate["serial"] = plate["serial"].lstrip("0") or "0"
        if source.random() < care.misread:
            at = source.randrange(len(plate["serial"]))
            plate["serial"] = plate["serial"][:at] + source.choice(DIGITS) + plate["serial"][at + 1 :]
        if source.random() < care.wrong_year:
            plate["year"] = str(int(plate["year"]) + source.choice([-1, 1]))
        _write_beside(source, plate, care.beside)
        _write_otherwise(source, plate, care.forms)
        if source.random() < care.no_mark:
            plate[source.choice(["mark", "maker"])] = ""
        if source.random() < care.no_year:
            plate["year"] = ""
        if source.random() < care.no_approval:
            plate["approval"] = ""
        yield plate


def _write_beside(source: random.Random, plate: Plate, often: float) -> None:
    if source.random() < often:
        plate["serial"] = source.choice(LABELS) + plate["serial"]
    if source.random() < often:
        mark = plate["mark"]
        named = [f"{mark} {plate['designation']}", f"{plate['designation']} ({mark.title()})"]
        plate["designation"] = source.choice([*(word + plate["designation"] for word in KIND_WORDS), *named])


def _write_otherwise(source: random.Random, plate: Plate, often: float) -> None:
    if source.random() < often:
        plate["maker"] = plate["maker"].replace("ООО", source.choice(["OOO", "АО", "ЗАО"])).replace("«", '"')
    if source.random() < often:
        plate["year"] = source.choice([plate["year"][2:], f"{plate['year']} г.", f"01.03.{plate['year']}"])
    if source.random() < often:
        plate["approval"] = source.choice([plate["approval"].split("-")[0], f"ГРСИ № {plate['approval']}"])
    if source.random() < often and plate["serial"].isdigit():
        plate["serial"] += source.choice([".0", ",0"])


def _first(line: Record, name: str) -> str:
    values = line[name]
    return str(values[0]) if isinstance(values, list) else ""
