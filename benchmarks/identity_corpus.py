"""A seeded corpus of invented plates: serial lines, devices, and what readers of different care wrote down."""

import random
from collections.abc import Iterator

Record = dict[str, object]
Plate = dict[str, str]

LINES = 60
DEVICES = 600
TWINS = 6
MARKS = ("ИСТОК", "РОДНИК", "СЕВЕРПРИБОР", "ПОТОК-М", "ТЕРМОЛАЙН", "КРИСТАЛЛ")
KINDS = ("РВ", "ТМК", "СХВК", "ЭС", "ПРТ", "КВС")
SIZES = ("15", "20", "25", "32", "40", "15-3", "20-80")
SUFFIXES = ("", "", "И", "Г", "У2")
PATTERNS = (("digits", 6), ("digits", 7), ("digits", 8), ("letter+digits", 6), ("digits-digits", 8), ("digits", 0))
LETTERS = "АБВГКМТЭ"
TO_LATIN = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")
# How often a reader slips: letters of another alphabet, lost zeros, no mark, no year, wrong year, no approval,
# a misread character.
READERS = {
    "maker": (0.05, 0.0, 0.05, 0.05, 0.0, 0.05, 0.0),
    "lab": (0.2, 0.02, 0.3, 0.1, 0.01, 0.05, 0.003),
    "bills": (0.3, 0.2, 0.4, 0.2, 0.05, 0.4, 0.01),
    "fitter": (0.5, 0.05, 0.5, 0.15, 0.05, 0.3, 0.01),
}


def make_corpus(seed: int) -> tuple[list[Record], list[Plate]]:
    """Lines as they are published, and plates with the truth beside them; equal seeds give equal corpora."""
    source = random.Random(seed)
    lines = [_line(source, number) for number in range(LINES)]
    plates: list[Plate] = []
    for number in range(DEVICES):
        line = source.choice(lines)
        plates += _readings(source, f"d{number}", _device(source, line, number))
    for number in range(TWINS):
        device = _device(source, source.choice(lines), DEVICES + 2 * number)
        plates += _readings(source, f"one{number}", device)
        plates += _readings(source, f"two{number}", {**device, "place": f"Полевая, {1000 + number}"})
    source.shuffle(plates)
    # Some lines are published by nobody: their plates have their approval only.
    return [record for number, record in enumerate(lines) if number % 20], plates


def _line(source: random.Random, number: int) -> Record:
    mark = source.choice(MARKS)
    size, suffix = source.choice(SIZES), source.choice(SUFFIXES)
    kind = source.choice(KINDS) + chr(ord("А") + number % 20)
    pattern, width = source.choice(PATTERNS)
    year = source.randint(8, 24)
    return {
        "line": f"own:{number}",
        "marks": [mark],
        "designations": [f"{kind}-{size}{suffix}", f"{kind} {size}{suffix}", f"{kind}{size}{suffix}"],
        "legal_makers": [f"ООО «{mark}»"],
        "approvals": [f"{88000 + number}-{year:02d}", f"{88000 + number}-{min(year + 5, 25):02d}"],
        "serial": {"pattern": pattern, "width": width},
        "restarts_yearly": number % 7 == 0,
        "wire_codes": [],
    }


def _device(source: random.Random, line: Record, number: int) -> Plate:
    shape = line["serial"]
    pattern, width = (str(shape["pattern"]), int(shape["width"])) if isinstance(shape, dict) else ("digits", 7)
    digits = f"{source.randrange(10 ** (width or 7)):0{width or 1}d}"
    serial = source.choice(LETTERS) + digits if pattern == "letter+digits" else digits
    serial = f"{serial[:2]}-{serial[2:]}" if pattern == "digits-digits" else serial
    return {
        "mark": _first(line, "marks"),
        "maker": _first(line, "legal_makers"),
        "designation": _first(line, "designations"),
        "serial": serial,
        "year": str(source.randint(2012, 2025)),
        "approval": _first(line, "approvals"),
        "place": f"Садовая, {number // 20 + 1}, кв. {number % 20 + 1}",
    }


def _readings(source: random.Random, truth: str, device: Plate) -> Iterator[Plate]:
    for reader, (latin, zeros, no_mark, no_year, wrong_year, no_approval, misread) in READERS.items():
        plate = {"truth": truth, "reader": reader, **device}
        if source.random() < latin:
            plate["designation"] = plate["designation"].translate(TO_LATIN).lower()
        if source.random() < latin:
            plate["designation"] = plate["designation"].replace("-", source.choice([" ", "–", "/"]))
        if source.random() < zeros:
            plate["serial"] = plate["serial"].lstrip("0") or "0"
        if source.random() < misread:
            at = source.randrange(len(plate["serial"]))
            plate["serial"] = plate["serial"][:at] + source.choice("0123456789") + plate["serial"][at + 1 :]
        if source.random() < no_mark:
            plate[source.choice(["mark", "maker"])] = ""
        if source.random() < wrong_year:
            plate["year"] = str(int(plate["year"]) + source.choice([-1, 1]))
        if source.random() < no_year:
            plate["year"] = ""
        if source.random() < no_approval:
            plate["approval"] = ""
        plate["serial"] = source.choice(["", "", "", "№ ", "зав. № ", "S/N "]) + plate["serial"]
        yield plate


def _first(line: Record, name: str) -> str:
    values = line[name]
    return str(values[0]) if isinstance(values, list) else ""
