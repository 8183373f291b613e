"""The identity corpus: plates that several readers wrote down find their devices."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks import identity
from benchmarks.identity_corpus import CARELESS, READERS, Care, make_corpus


def measured(seed: int, readers: Mapping[str, Care]) -> identity.Figures:
    """The figures of a corpus of our own."""
    records, plates = make_corpus(seed, readers)
    return identity.measure(identity.read_lines(records), identity.read_rows(plates))


def test_identity_of_the_own_corpus_reaches_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a corpus beside, one of our own is measured: nothing is joined wrongly, no twins, enough is found."""
    monkeypatch.setenv("PASSPORT_DEMO", str(tmp_path))
    monkeypatch.setattr(identity, "OUT", tmp_path / "build" / "identity.json")

    assert identity.main() == 0

    figures = json.loads((tmp_path / "build" / "identity.json").read_text())
    assert figures["twins_merged"] == 0
    assert figures["precision"] >= 0.9999
    assert figures["recall"] >= 0.93
    assert figures["suggestions"] >= 0.98


@pytest.mark.parametrize("seed", range(2, 4))
def test_other_lines_marks_and_readers_are_joined_as_rightly(seed: int) -> None:
    """The figures do not hang on one corpus: other seeds join nothing wrongly, find as much and suggest as well."""
    figures = measured(seed, READERS)

    assert (figures.wrong_pairs, figures.twins_merged) == (0, 0)
    assert figures.recall >= 0.93
    assert figures.suggestions >= 0.98


def test_careless_readers_join_nothing_wrongly() -> None:
    """Where readers slip three times as often, fewer plates are joined, none wrongly, and the others are suggested."""
    figures = measured(1, CARELESS)

    assert (figures.wrong_pairs, figures.twins_merged) == (0, 0)
    assert figures.recall >= 0.88
    assert figures.suggestions >= 0.98


def test_line_of_a_corpus_that_is_none_is_left_out() -> None:
    """A record in another language of patterns costs its own plates their line and nothing else."""
    records, _ = make_corpus(1)
    records[0] = {**records[0], "serial": {"pattern": "^[0-9]+$"}}

    assert len(identity.read_lines(records)) == len(records) - 1


def test_plate_that_a_known_line_cannot_key_is_joined_by_no_approval() -> None:
    """Where serials restart each year, an approval and a serial without a year are not enough to be one device."""
    records, plates = make_corpus(1)
    lines = identity.read_lines([{**record, "restarts_yearly": True} for record in records])
    rows = identity.read_rows([{**plate, "year": ""} for plate in plates])
    unlisted = {row.truth for row in rows if not lines.near(row.sighting.plate)}

    groups = identity.join(lines, rows)

    assert all(len(group) == 1 for group in groups if group[0].truth not in unlisted)
