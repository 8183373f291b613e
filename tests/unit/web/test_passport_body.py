"""The passport's part of the page made of views of every shape: nothing of a view makes it fail."""

from datetime import date

import pytest

from node.passport.bodies import Plate
from node.passport.fold import fold
from node.passport.statement import Statement
from node.passport.view import View, inside_on
from node.passport.waiting import running
from node.web.api.moments import values_on
from node.web.assets import Assets
from node.web.rendering import make_environment
from tests.builders import id16
from tests.builders_passport import (
    Author,
    acceptance,
    composition,
    demo,
    event,
    identity,
    line_claim,
    offer,
    own_claim,
    parameters,
    radio,
    verification,
)

PLATE = Plate(designation="СГВ-15", serial="0012345", mark="Демо", read="scan")
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
WHOLES = id16("whole/1"), id16("whole/2")


def disputed() -> View:
    """Strangers differ about a value, a part stands in two wholes, a repair waits, two buyers hold acceptances."""
    federation, maker, lab = demo()
    one, other = Author("one"), Author("other")
    offers = [maker.say(offer(maker, buyer, DEVICE), on="2026-02-01") for buyer in (one, other)]
    said: list[Statement] = [
        maker.say(identity(CLAIM, PLATE)),
        maker.say(radio(DEVICE)),
        one.say(parameters(DEVICE, dn="15", since="2026-01-01")),
        other.say(parameters(DEVICE, dn="20", since="2026-01-01")),
        other.say(parameters(DEVICE, local=True, ЦВЕТ="синий")),
        maker.say(composition(DEVICE, WHOLES[0], "2026-01-01")),
        maker.say(composition(DEVICE, WHOLES[1], "2026-01-01")),
        maker.say(composition(id16("part"), DEVICE, None, "2026-02-01")),
        lab.say(verification(DEVICE)),
        maker.say(event(DEVICE, "repaired"), on="2026-03-01"),
        other.say(event(DEVICE, "OWN-CODE", local=True), on="2026-03-02"),
        *offers,
        *(
            buyer.say(acceptance(maker, made, DEVICE), on="2026-02-02")
            for buyer, made in zip((one, other), offers, strict=True)
        ),
    ]
    return fold([DEVICE], said, federation.world)


def bare() -> View:
    """A subject of which somebody recorded one event and nothing else."""
    author = Author("somebody")
    subject = own_claim(author).subject.raw
    return fold([subject], [author.say(event(subject, "found"))], demo()[0].world)


def shown(view: View, language: str, on: str | None) -> str:
    body = make_environment(language, Assets()).get_template("parts/passport_body.html")
    return body.render(
        passport=view,
        id=view["id"],
        digest="00",
        names={},
        on=on,
        parameters_on=values_on(view, on) if on else [],
        parts_on=inside_on(view, on) if on else [],
        processes=running(view, date(2026, 4, 1)),
        shipments={},
        template_titles={},
    )


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("on", [None, "2026-01-15", "1999-01-01"])
@pytest.mark.parametrize("view", [disputed(), bare()], ids=["disputed", "bare"])
def test_view_of_any_shape_is_shown(view: View, on: str | None, language: str) -> None:
    """A view full of disputes and one with almost nothing in it become a page, whole or on a day, in both languages."""
    html = shown(view, language, on)

    assert str(view["id"]) in html
    assert "None" not in html
    assert "{&#39;" not in html, "an object is shown raw"


def test_disputes_are_told_with_every_value_and_who_said_it() -> None:
    """Equal parties that differ stand side by side; a part in two wholes is told in words."""
    html = shown(disputed(), "en", None)

    conflicts = html[html.index('id="conflicts"') : html.index('id="identity"')]
    assert "Nominal diameter" in conflicts
    assert "15" in conflicts
    assert "20" in conflicts
    assert "the part stands in two wholes at once" in conflicts
    assert "Owner" in conflicts
