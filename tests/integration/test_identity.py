"""The identity corpus: plates that several readers wrote down find their devices."""

import json
from pathlib import Path

import pytest

from benchmarks import identity
from benchmarks.identity_corpus import make_corpus


def test_identity_of_the_own_corpus_reaches_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a corpus beside, one of our own is measured: nothing is joined wrongly, no twins, enough is found.

    It has twins in a hundred plates, which each reader numbers alone: what that splits is suggested.
    """
    monkeypatch.setenv("PASSPORT_DEMO", str(tmp_path))
    monkeypatch.setattr(identity, "OUT", tmp_path / "build" / "identity.json")

    assert identity.main() == 0

    figures = json.loads((tmp_path / "build" / "identity.json").read_text())
    assert figures["twins_merged"] == 0
    assert figures["precision"] >= 0.9999
    assert figures["recall"] >= 0.92
    assert figures["suggestions"] >= 0.98


@pytest.mark.parametrize("seed", range(1, 6))
def test_other_lines_marks_and_readers_are_joined_as_rightly(seed: int) -> None:
    """The figures do not hang on one corpus: other seeds join nothing wrongly and suggest as well."""
    records, plates = make_corpus(seed)

    figures = identity.measure(identity.read_lines(records), identity.read_rows(plates))

    assert (figures.wrong_pairs, figures.twins_merged) == (0, 0)
    assert figures.recall >= 0.91
    assert figures.suggestions >= 0.97


def test_plate_that_a_known_line_cannot_key_is_joined_by_no_approval() -> None:
    """Where serials restart each year, an approval and a serial without a year are not enough to be one device."""
    records, plates = make_corpus(1)
    lines = identity.read_lines([{**record, "restarts_yearly": True} for record in records])
    rows = identity.read_rows([{**plate, "year": ""} for plate in plates])
    unlisted = {row.truth for row in rows if not lines.near(row.sighting.plate)}

    groups = identity.join(lines, rows)

    assert all(len(group) == 1 for group in groups if group[0].truth not in unlisted)
