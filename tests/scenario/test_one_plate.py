"""Two nodes typed one plate in Cyrillic and Latin: one id where its line is known, late on one line where it is not."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.trade import Trade, trading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]

TYPED = {"lab": "CГB 15 0012345", "utility": "СГВ-15 № 12345"}
LINE = {
    "marks": ["ГАЗДЕМО"],
    "designations": ["СГВ-15"],
    "serial": {"pattern": "digits", "width": 7},
    "legal_makers": [],
}


@pytest.fixture
def trade(tmp_path: Path) -> Iterator[Trade]:
    """A maker, a lab and a utility in one federation."""
    with trading(tmp_path, "lab", "utility") as trade:
        yield trade


@pytest.mark.req("B65")
def test_plate_typed_in_two_alphabets_meets_on_one_id(trade: Trade) -> None:
    """Where both have the line, both compute the same id alone, and the passport of two plates is equal on both."""
    trade.call("maker", "post", "/lines", {"record": LINE})
    for name in TYPED:
        trade.until("the line arrives", partial(has_line, trade, name))

    ids = {name: state(trade, name) for name in TYPED}
    share(trade, ids)

    assert len(set(ids.values())) == 1
    view = trade.until("equal passports of two plates", lambda: met(trade, 2))
    assert view["ids"] == [ids["lab"]]


@pytest.mark.req("B65")
def test_plate_of_an_unknown_line_meets_late_on_it(trade: Trade) -> None:
    """Typed before anybody published the line it is two devices on both nodes; afterwards one, under either id."""
    ids = {name: state(trade, name) for name in TYPED}
    share(trade, ids)
    for name in TYPED:
        trade.until("both passports", partial(knows, trade, name, set(ids.values())))
    assert len(set(ids.values())) == 2
    for name, own in ids.items():
        near = trade.call(name, "get", f"/passports/{own}/suggestions")["items"]
        assert [one["id"] for one in near] == [other for other in ids.values() if other != own]

    trade.call("maker", "post", "/lines", {"record": LINE})

    view = trade.until("one passport on the line", lambda: met(trade, 2))
    assert set(view["ids"]) >= set(ids.values())
    assert (view["identity"]["line"]["serial"], view["conflicts"]) == ("0012345", [])
    for name in TYPED:
        assert len(known(trade, name)) == 1
        for one in ids.values():
            assert trade.call(name, "get", f"/passports/{one}")["view"] == view


def state(trade: Trade, name: str) -> str:
    """Type the plate; answer its id."""
    return str(trade.call(name, "post", "/plates", {"text": TYPED[name]})["id"])


def share(trade: Trade, ids: dict[str, str]) -> None:
    """Each shows the other what it typed."""
    for name, other in (("lab", "utility"), ("utility", "lab")):
        trade.call(name, "post", "/shares", {"org": trade.orgs[other], "ids": [ids[name]]})


def has_line(trade: Trade, name: str) -> bool:
    """Whether a node would key the plate."""
    return trade.call(name, "get", "/plates/reading", text=TYPED[name])["line"] is not None


def known(trade: Trade, name: str) -> set[str]:
    """The ids of the passports on a node."""
    return {str(row["id"]) for row in trade.call(name, "get", "/passports")["items"]}


def knows(trade: Trade, name: str, ids: set[str]) -> bool:
    """Whether these are all passports of a node."""
    return known(trade, name) == ids


def met(trade: Trade, plates: int) -> Any:
    """The passport that a text leads to on both nodes, once it is one, equal and of so many plates."""
    views = []
    for name in TYPED:
        found = trade.call(name, "get", "/lookup", q=TYPED["utility"])["items"]
        if len(found) != 1:
            return None
        views.append(trade.call(name, "get", f"/passports/{found[0]['id']}")["view"])
    return views[0] if views[0] == views[1] and len(views[0]["plates"]) == plates else None
