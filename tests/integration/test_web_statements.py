"""What is said about a device through the API: taken as it is typed, or refused with the rule and nothing written."""

from typing import Any

import pytest

from tests.unit.web.running import RunningWeb, post, problem_code, view_of

DAY = "2026-05-01"
PLATE = {"designation": "ВС-15", "serial": "0012345"}
PART = {"position": "плата", "designation": "П-1", "serial": "18", "removed_serial": "17"}


async def test_parameters_and_repairs_stand_in_the_passport(web: RunningWeb) -> None:
    """Values with own or central codes, and a repair with both parts, are shown as they were typed."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    rows = [
        {"code": {"central": "dn"}, "value": "15", "unit": "mm", "since": DAY},
        {"code": {"local": "ЦВЕТ"}, "value": "синий"},
    ]

    await post(client, f"/passports/{device}/parameters", {"rows": rows})
    await post(client, f"/passports/{device}/repairs", {"where": "цех", "when": DAY, "parts": [PART]})

    view = await view_of(client, device)
    shown = {code: item["values"][0] for code, item in view["parameters"].items()}
    assert (shown["dn"]["value"], shown["dn"]["unit"], shown["dn"]["since"]) == ("15", "mm", DAY)
    assert "синий" in {row["value"] for row in shown.values()}
    assert {(edge["serial"], edge["since"], edge["until"]) for edge in view["composition"]["children"]} == {
        ("17", None, DAY),
        ("18", DAY, None),
    }


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("parameters", {"rows": []}, "validation"),
        ("parameters", {"rows": [{"code": {}, "value": "15"}]}, "validation"),
        ("parameters", {"rows": [{"code": {"central": "dn"}, "value": "15", "since": "2026-13-01"}]}, "moment"),
        ("repairs", {"where": "цех", "when": DAY, "parts": []}, "validation"),
        ("repairs", {"where": "цех", "when": DAY, "parts": [{**PART, "removed_serial": None}]}, "validation"),
        ("repairs", {"where": "цех", "when": DAY, "parts": [{**PART, "removed_serial": "№ 18"}]}, "part_same"),
        ("repairs", {"where": "цех", "when": "2026-02-30", "parts": [PART]}, "moment"),
    ],
)
async def test_statement_that_breaks_a_rule_is_refused(
    web: RunningWeb, path: str, body: dict[str, Any], code: str
) -> None:
    """Nothing to say, a code that names nothing, a day that is none, one part in and out: no entry is written."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    before = await view_of(client, device)

    async with client.post(f"/api/v1/passports/{device}/{path}", json=body) as response:
        assert 400 <= response.status < 500
        found = await problem_code(response)

    assert found == code
    assert await view_of(client, device) == before
