"""`make identity`: how well plates that several readers wrote down find their devices once their nodes are level.

Reads `PASSPORT_DEMO/identity` (lines.json, plates.csv.gz), else a corpus of its own, prints the figures and writes
build/identity.json:

- precision: of the pairs of plates that were joined, how many are of one device;
- recall: of the pairs of plates of one device, how many were joined;
- suggestions: of the plates that stand apart from the rest of their device, for how many it is among the first three;
- twins_merged: pairs of plates of two devices with one and the same plate that were joined.
"""

import collections
import csv
import gzip
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.identity_corpus import make_corpus
from federation.fragment import Ref
from node.passport import drafts
from node.passport.bodies import ParameterRow, ParametersBody, Plate, Reference
from node.passport.drafts import Draft
from node.passport.errors import BodyError
from node.passport.fold import fold
from node.passport.identity import resolve_identities
from node.passport.lines import LineKey, Lines, SerialLine
from node.passport.places import Places, compare_places
from node.passport.plate import fill_plate
from node.passport.references import ref_text
from node.passport.sameness import twin_of
from node.passport.shown import rows as shown_rows
from node.passport.statement import Statement
from node.passport.suggestions import KnownDevice, Sighting, bare_serial, serials_near, suggest
from node.passport.view import View
from node.passport.world import World

ROOT = Path(__file__).parent.parent
DEMO = ROOT.parent / "shared" / "demo"
OUT = ROOT / "build" / "identity.json"
SEED = 20_260
INSTALL_PLACE = "install_place"

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Row:
    """A plate as one reader wrote it, and the device that it is of."""

    number: int
    truth: str
    sighting: Sighting
    reader: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a corpus; shares from 0 to 1."""

    plates: int
    devices: int
    precision: float
    recall: float
    suggestions: float
    twins_merged: int
    wrong_pairs: int
    apart: int
    suggested: int


def main() -> int:
    """Measure, print, write."""
    lines, rows, source = load(Path(os.environ.get("PASSPORT_DEMO", DEMO)) / "identity")
    figures = measure(lines, rows)
    table = Table(title=f"identity: {source}")
    table.add_column("measure")
    table.add_column("value", justify="right")
    shown = {name: getattr(figures, name) for name in Figures.__slots__}
    for name, value in shown.items():
        table.add_row(name, f"{value:.5f}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(shown, indent=1) + "\n")
    return 0


def load(folder: Path) -> tuple[Lines, list[Row], str]:
    """The corpus of a folder, or one of our own where the folder has none; with what to call it."""
    if (folder / "plates.csv.gz").is_file():
        records = json.loads((folder / "lines.json").read_text(encoding="utf-8"))
        with gzip.open(folder / "plates.csv.gz", "rt", encoding="utf-8", newline="") as file:
            return read_lines(records), read_rows(csv.DictReader(file)), "the corpus of PASSPORT_DEMO"
    records, plates = make_corpus(SEED)
    return read_lines(records), read_rows(plates), "own corpus"


def read_lines(records: Iterable[Record]) -> Lines:
    """Lines as the node knows them; a corpus names them by texts of its own. One that is no line counts for nobody."""
    lines = []
    for record in records:
        named = {"line": hashlib.sha256(str(record["line"]).encode()).digest()[:16].hex(), "publisher": bytes(16).hex()}
        try:
            lines.append(SerialLine.from_bytes(json.dumps({**record, **named}).encode()))
        except BodyError as error:
            Console().print(f"left out: {record['line']}: {error}")
    return Lines(lines)


def read_rows(plates: Iterable[dict[str, str]]) -> list[Row]:
    """Plates as they are filled in: without label words; the legal maker where no mark was read."""
    return [
        Row(
            number,
            plate["truth"],
            Sighting(
                fill_plate(
                    plate["designation"],
                    plate["serial"],
                    mark=plate["mark"] or plate["maker"],
                    year=plate["year"],
                    approval=plate["approval"],
                ),
                plate["place"],
            ),
            plate.get("reader", ""),
        )
        for number, plate in enumerate(plates)
    ]


def join(lines: Lines, rows: Sequence[Row]) -> list[list[Row]]:
    """The devices of a node to which the statements of every reader's node came, as the fold shows them.

    Each reader took plates in alone, by the rules of entry: a plate at another place than it is known to stand is
    stated as a twin. Nobody saw what the others wrote. Sightings that a passport holds apart are counted apart.
    """
    world = World(lines=lines)
    stated = [statement for _, reader in _by_reader(rows) for statement in _enter(lines, reader)]
    row_of = {ref_text(statement.ref): row for row, statement, _ in stated}
    said = [statement for _, *both in stated for statement in both if statement is not None]
    by_subject: dict[bytes, list[Statement]] = {}
    for statement in said:
        by_subject.setdefault(statement.subject, []).append(statement)
    passports: dict[bytes, set[bytes]] = {}
    identities = resolve_identities(said, world)
    for subject in by_subject:
        passports.setdefault(identities[subject].lead, set()).add(subject)
    groups: list[list[Row]] = []
    for _, subjects in sorted(passports.items()):
        view = fold(subjects, [s for subject in sorted(subjects) for s in by_subject[subject]], world)
        groups += _sightings(view, row_of)
    return groups


def measure(lines: Lines, rows: Sequence[Row]) -> Figures:
    """The figures of a corpus."""
    groups = join(lines, rows)
    devices = collections.Counter(row.truth for row in rows)
    counts = [collections.Counter(row.truth for row in group) for group in groups]
    joined = sum(_pairs(len(group)) for group in groups)
    right = sum(_pairs(n) for count in counts for n in count.values())
    apart, suggested = _suggested(lines, groups)
    return Figures(
        plates=len(rows),
        devices=len(devices),
        precision=right / joined if joined else 1.0,
        recall=right / sum(map(_pairs, devices.values())),
        suggestions=suggested / apart if apart else 1.0,
        twins_merged=sum(_merged_twins(lines, group) for group in groups),
        wrong_pairs=joined - right,
        apart=apart,
        suggested=suggested,
    )


def _by_reader(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.reader, []).append(row)
    return sorted(found.items())


def _enter(lines: Lines, rows: Sequence[Row]) -> Iterator[tuple[Row, Statement, Statement | None]]:
    """What one reader's node states of the plates that he takes in, one after another: the plate, and its place."""
    org = hashlib.sha256(rows[0].reader.encode()).digest()[:16]
    places: dict[bytes, str] = {}
    for row in rows:
        plate, place = row.sighting.plate, row.sighting.place
        claim = lines.claim_for(plate, log=org, randomness=row.number.to_bytes(16))
        taken = []
        while compare_places(place, places.get(claim.subject.raw, "")) is Places.DIFFERENT:
            taken.append(claim.subject.raw)
            claim = twin_of(replace(claim, twin=None), taken)
        subject = claim.subject.raw
        if place:
            places[subject] = place
        body = Plate(
            mark=plate.mark,
            designation=plate.designation,
            serial=plate.serial,
            year=plate.year,
            approvals=plate.approvals,
        )
        value = ParameterRow(code=Reference(central=INSTALL_PLACE), value=place or "-")
        address = ParametersBody(rows=(value,))
        stated = _statement(org, 2 * row.number, drafts.identity(subject, claim.encode(), body, 0))
        yield (
            row,
            stated,
            _statement(org, 2 * row.number + 1, drafts.parameters(subject, address, 0)) if place else None,
        )


def _statement(org: bytes, seq: int, draft: Draft) -> Statement:
    entry = hashlib.sha256(org + seq.to_bytes(8)).digest()
    sections = {section.name: section.content for section in draft.sections}
    return Statement(Ref(org, seq, entry[:16]), entry, org, int(draft.kind), draft.subjects, seq, 1, sections=sections)


def _sightings(view: View, row_of: Mapping[str, Row]) -> list[list[Row]]:
    """The plates of a passport: one device, or those apart that it holds apart."""
    plates = shown_rows(view, "plates")
    apart = [group["by"] for group in shown_rows(view, "sightings")]
    groups = [
        [row_of[str(plate["ref"])] for plate in plates if plate["by"] in orgs]
        for orgs in apart
        if isinstance(orgs, list)
    ]
    return groups or [[row_of[str(plate["ref"])] for plate in plates]]


def _pairs(n: int) -> int:
    return n * (n - 1) // 2


def _merged_twins(lines: Lines, group: Sequence[Row]) -> int:
    """Pairs of one group that are of two devices and bear one plate by the rules of their line."""
    keys = [(row.truth, _identity(lines, row)) for row in group]
    return sum(one[0] != two[0] and one[1] == two[1] for at, one in enumerate(keys) for two in keys[at + 1 :])


def _identity(lines: Lines, row: Row) -> object:
    key = lines.key(row.sighting.plate)
    return key if isinstance(key, LineKey) else bare_serial(row.sighting.plate.serial)


def _suggested(lines: Lines, groups: Sequence[Sequence[Row]]) -> tuple[int, int]:
    """How many plates stand apart from the largest group of their device, and for how many that one is suggested."""
    home: dict[str, int] = {}
    for number, group in enumerate(groups):
        for truth in {row.truth for row in group}:
            if truth not in home or len(group) > len(groups[home[truth]]):
                home[truth] = number
    index: dict[str, set[int]] = {}
    for number, group in enumerate(groups):
        for row in group:
            index.setdefault(bare_serial(row.sighting.plate.serial), set()).add(number)
    known = [KnownDevice(n.to_bytes(16), tuple(row.sighting for row in group)) for n, group in enumerate(groups)]
    apart = suggested = 0
    for number, group in enumerate(groups):
        for row in group:
            if home[row.truth] == number:
                continue
            near = serials_near(row.sighting.plate.serial)
            found = {n for serial in near for n in index.get(serial, ())} - {number}
            wanted = known[home[row.truth]].subject
            apart += 1
            suggested += wanted in [s.subject for s in suggest(row.sighting, (known[n] for n in found), lines)]
    return apart, suggested


if __name__ == "__main__":
    sys.exit(main())
