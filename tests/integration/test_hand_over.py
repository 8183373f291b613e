"""Meters that change hands between real nodes: offers that end each other, keys, an escrow, and late words."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from federation.authority import Kind
from node.api_client import ApiError
from node.passport.ids import parse_device_id
from node.store.fragments import subject64
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hand over")]
Json = Any  # Any: what the API answers


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with meters, a utility, and a service that holds keys for others."""
    folder = tmp_path_factory.mktemp("hand-over")
    with trading(folder, "utility", "service", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        running.produce(meters(6, seed=31))
        yield running


def refusal(trade: Trade, name: str, method: str, path: str, *arguments: Json) -> str:
    """The stable code with which a node refuses."""
    with pytest.raises(ApiError) as caught:
        trade.call(name, method, path, *arguments)
    return caught.value.code


def offer(trade: Trade, name: str, to: str, role: str, *devices: str, **more: str) -> Json:
    """One organisation offers a role to another, and its node shows the offer."""
    body = {"role": role, "org": trade.orgs[to], "ids": devices, **more}
    made = trade.call(name, "post", "/mandates/offers", body)
    trade.until("the offer", lambda: act(trade, to, made["id"]))
    return made


def act(trade: Trade, name: str, made: str) -> Json:
    """An act as a node shows it, None where it is not there."""
    try:
        return trade.call(name, "get", f"/mandates/{made}")
    except ApiError:
        return None


def accepted(trade: Trade, name: str, made: Json) -> None:
    """An offer is accepted, and who offered it knows."""
    trade.call(name, "post", f"/mandates/{made['id']}/acceptance")
    by = next(who for who, org in trade.orgs.items() if org == made["by"])
    trade.until("the acceptance", lambda: act(trade, by, made["id"])["answered"])


def owner(trade: Trade, name: str, device: str) -> Json:
    """Who owns a device, as a node tells; None where it has no passport."""
    try:
        found: str | None = trade.call(name, "get", f"/passports/{device}")["view"]["parties"]["owner"]["value"]
    except ApiError:
        return None
    return found


def has_key(trade: Trade, name: str, device: str) -> bool:
    """Whether the store of a node holds the root key of a device in the form that it can open."""
    connection = sqlite3.connect(trade.nodes[name].folder / "passport.sqlite")
    try:
        found = connection.execute(
            "select 1 from mentions m join sections s on s.log_no = m.log_no and s.seq = m.seq"
            " where m.subject64 = ? and s.name = 'root-keys' and s.form = 2",
            (subject64(parse_device_id(device).raw),),
        ).fetchall()
    finally:
        connection.close()
    return bool(found)


def everywhere(trade: Trade, ask: Callable[[str], Json], wanted: Json, *names: str) -> None:
    """Wait until these nodes tell the same."""
    for name in names:
        trade.until(f"{wanted} at {name}", partial(_is_told, ask, name, wanted))


def _is_told(ask: Callable[[str], Json], name: str, wanted: Json) -> bool:
    return bool(ask(name) == wanted)


def test_second_offer_ends_the_first_and_the_title_brings_passport_and_key(trade: Trade) -> None:
    """The first party reads that it was withdrawn and is refused; the second has all that an owner has."""
    devices = trade.devices[:2]
    first = offer(trade, "maker", "service", "title", *devices)
    second = offer(trade, "maker", "utility", "title", *devices)
    trade.until("the end of the first", lambda: act(trade, "service", first["id"])["state"] == "withdrawn")

    assert refusal(trade, "service", "post", f"/mandates/{first['id']}/acceptance") == "mandate_answered"
    accepted(trade, "utility", second)

    utility = trade.orgs["utility"]
    for device in devices:
        everywhere(trade, partial(owner, trade, device=device), utility, "maker", "utility")
        trade.until("the key", partial(has_key, trade, "utility", device))
    assert not any(has_key(trade, "service", device) for device in devices)
    again = {"role": "title", "org": trade.orgs["service"], "ids": devices}
    assert refusal(trade, "maker", "post", "/mandates/offers", again) == "role_not_held"


def test_former_owner_speaks_of_his_time_until_the_new_one_took_over(trade: Trade) -> None:
    """Words of his own time that come later stand beside, with who took it over, until that lets them count."""
    device = trade.devices[2]
    accepted(trade, "utility", offer(trade, "maker", "utility", "title", device))
    trade.until("the utility owns it", lambda: owner(trade, "utility", device) == trade.orgs["utility"])
    admitted = {"what": "admitted", "where": "Садовая, 1", "when": now()}
    trade.call("utility", "post", f"/passports/{device}/events", admitted)
    sold = offer(trade, "utility", "service", "title", device)
    accepted(trade, "service", sold)
    trade.call("utility", "post", f"/passports/{device}/events", {**admitted, "where": "Садовая, 2"})

    def standings(name: str) -> Json:
        items = trade.call(name, "get", f"/passports/{device}/events", who=trade.orgs["utility"])["items"]
        return sorted(item["standing"] for item in items if item["what"]["central"] == "admitted")

    everywhere(trade, standings, ["stated", "working"], *trade.orgs)
    told = trade.call("service", "get", f"/passports/{device}")["view"]["statements"]
    events = [row for row in told if row["kind"] == Kind.EVENT and row["org"] == trade.orgs["utility"]]
    assert [row["ended_by"] for row in events] == [None, trade.orgs["service"]]

    trade.call("service", "post", f"/mandates/{sold['id']}/cut")

    everywhere(trade, standings, ["stated", "stated"], *trade.orgs)


def now(minutes: int = 0) -> str:
    """A moment as the API takes it."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_escrow_has_the_key_until_the_owner_ends_it(trade: Trade) -> None:
    """Named by the maker at production, it stays with the sold device; the new owner sees it and ends it."""
    device, sealed = trade.devices[3], trade.devices[4]
    for one in (device, sealed):
        given = {"role": "escrow", "org": trade.orgs["service"], "ids": [one]}
        trade.call("maker", "post", "/mandates/appointments", given)
    term = {**given, "until": "2199-01-01"}
    assert refusal(trade, "maker", "post", "/mandates/appointments", term) == "mandate_escrow_until"
    trade.until("the key at the escrow", lambda: has_key(trade, "service", device))
    why = trade.call("maker", "get", f"/passports/{device}/access/why", org=trade.orgs["service"])
    assert {(row["why"], row["role"]) for row in why["why"]} == {("role", "escrow")}
    assert sorted({klass for row in why["why"] for klass in row["classes"]}) == [0, 1, 2, 5]

    made = offer(trade, "maker", "utility", "title", device)
    trade.until("passports", lambda: owner(trade, "utility", device))
    stands = trade.call("utility", "get", f"/mandates/{made['id']}/standing")
    assert [(row["what"], row["org"], row["by"]) for row in stands["items"]] == [
        ("escrow", trade.orgs["service"], trade.orgs["maker"])
    ]
    accepted(trade, "utility", made)
    trade.until("the key at the owner", lambda: has_key(trade, "utility", device))
    (escrow,) = [
        one for one in trade.call("utility", "get", "/mandates", role="escrow")["items"] if device in one["devices"]
    ]
    assert refusal(trade, "maker", "post", f"/mandates/{escrow['id']}/end", {"reason": "продано"}) == "role_not_held"
    trade.call("utility", "post", f"/mandates/{escrow['id']}/end", {"reason": "ключи у нас"})

    def ended() -> bool:
        told = trade.call("maker", "get", f"/passports/{device}/access/why", org=trade.orgs["service"])
        return any(row["ended_by"] == trade.orgs["utility"] for row in told["ended"])

    trade.until("the end", ended)
    asked = {"org": trade.orgs["maker"]}
    assert refusal(trade, "service", "post", f"/passports/{device}/key-requests", asked) == "key_refused"
    trade.call("service", "post", f"/passports/{sealed}/key-requests", asked)


def test_network_goes_from_one_operator_to_the_next(trade: Trade) -> None:
    """Given by the owner, offered on by the operator; what it states of the schedule afterwards is no more its own."""
    device = trade.devices[5]
    given = {"role": "network", "org": trade.orgs["service"], "ids": [device]}
    trade.call("maker", "post", "/mandates/appointments", given)
    trade.until("the network", lambda: network(trade, "service", device) == [trade.orgs["service"]])
    schedule = {"rows": [{"code": "reporting_schedule", "value": "hourly", "since": now(-1)}]}
    trade.call("service", "post", f"/passports/{device}/parameters", schedule)
    made = offer(trade, "service", "utility", "network", device)
    accepted(trade, "utility", made)

    everywhere(trade, partial(network, trade, device=device), [trade.orgs["utility"]], *trade.orgs)
    again = {"role": "network", "org": trade.orgs["maker"], "ids": [device]}
    assert refusal(trade, "service", "post", "/mandates/offers", again) == "role_not_held"
    fact = trade.call("maker", "get", f"/passports/{device}")["view"]["parameters"]["reporting_schedule"]
    assert [value["standing"] for value in fact["values"]] == ["stated"]


def network(trade: Trade, name: str, device: str) -> list[str]:
    """Whose network a device is in now, as a node tells."""
    try:
        rows = trade.call(name, "get", f"/passports/{device}/roles", on="2199-01-01")["items"]
    except ApiError:
        return []
    return [row["party"] for row in rows if row["role"] == "network"]
