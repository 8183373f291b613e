"""The devices page: one search box for whatever stands on a device, filters beside it, counts above the list."""

from urllib.parse import urlencode

from node.passport.card import format_expiry, search_words
from node.passport.ids import SubjectId, format_device_id
from node.passport.sifting import GRAM
from node.services.access import Scope
from node.web.api.registry import PassportsQuery, find_near, find_page, owner_name
from node.web.calls import Call, View
from node.web.languages import mark
from node.web.passport_words import STATES
from node.web.routes import Group, Menu, page

FILTERS = ("kind", "state", "type", "owner", "place", "expires_before", "unrecorded_before", "joined")
MOST_TYPES = 200
MOST_OWNERS = 500


@page("GET", "/devices", title=mark("Devices"), scopes=[Scope.READ], menu=Menu(Group.PASSPORTS, 1, "devices"),
      api="GET /passports")  # fmt: skip
async def devices(call: Call, query: PassportsQuery) -> View:
    """A page of the registry; everything that narrows it stands in the address."""
    listed, following, previous = await find_page(call, query)
    counts = await call.context.lookup.count()
    asked = query.model_dump(exclude_defaults=True, exclude={"cursor"})
    # What a form sent empty asks nothing, and stands in no address.
    narrowed = {name: value for name, value in asked.items() if value}
    directory = await call.context.organisations.directory()
    types = call.context.projection.world.types
    return View(
        "devices.html",
        api_query=urlencode(narrowed),
        near=await find_near(call, query.q) if query.q.strip() and not listed.cards and not query.cursor else [],
        rows=[(format_device_id(SubjectId(card.subject)), card) for card in listed.cards],
        more=urlencode(narrowed | {"cursor": following}) if following else "",
        before=urlencode(narrowed | {"cursor": previous}) if previous else "",
        query=query,
        counts=counts,
        is_filtered=any(name in narrowed for name in FILTERS),
        is_short=any(len(word) < GRAM for word in search_words(query.q)),
        is_asked=bool(narrowed.keys() & {"q", *FILTERS}),
        states=sorted({*STATES, *counts.states} - {""}),
        types=[(code, types[code].model if code in types else code) for code in sorted(counts.types)[:MOST_TYPES]],
        iso=format_expiry,
        owner=lambda card: owner_name(card, directory),
        owners=[company for company in directory.companies if company.orgs][:MOST_OWNERS],
    )


ROUTES = (devices,)
