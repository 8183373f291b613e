"""The served OpenAPI document against the running node: what it promises holds, and it is enough to write a client."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from node.demo.processes import NodeProcess
from node.services.access import Scope
from tests.meters import start_maker
from tests.nodes import act

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("api document")]
Json = Any  # Any: JSON
SEED = 20_974
CASES = 1  # of chance for each operation, beside the edges of every parameter
# All cases together, at some 6 ms of both processes each, are a minute of a quiet machine and two of a busy one. The
# number follows from the document and the seed, so an API that outgrows the time is told here, not by a slow machine.
FEWEST, MOST = 5_000, 15_000
HANGS_S = 300
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "allow_header_conformance", "negative_data_rejection",
    "ignored_auth",
)  # fmt: skip
# Operations that are not tried, each with why.
LEFT_OUT: dict[str, str] = {}
# Nothing that the tool learns or keeps makes one run differ from the next.
SETTINGS = f"""
color = false
seed = {SEED}
workers = 1
request-timeout = 20
continue-on-failure = true
warnings = false
[generation]
deterministic = true
database = "none"
no-shrink = true
with-security-parameters = false
[phases.stateful]
enabled = false
[phases.coverage]
unexpected-methods = ["TRACE"]
[phases.coverage.extra-data-sources]
responses = false
[phases.examples.extra-data-sources]
responses = false
[phases.fuzzing.generation]
max-examples = {CASES}
[phases.fuzzing.extra-data-sources]
responses = false
[phases.fuzzing.error-feedback]
enabled = false
"""


@dataclass
class Door:
    """A running node, as somebody sees it who was given an address and a token."""

    node: NodeProcess
    token: str

    @property
    def url(self) -> str:
        """The address of its console and API."""
        return str(self.node.addresses["console"])


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A maker's node and a token with every scope."""
    node = start_maker(tmp_path_factory.mktemp("api") / "maker")
    try:
        token = act(node, "/tokens", {"name": "system", "scopes": [scope.value for scope in Scope]})
        yield Door(node, token["secret"])
    finally:
        node.stop()


@pytest.mark.req("B17")
def test_node_keeps_what_its_document_promises(door: Door, tmp_path: Path) -> None:
    """Whatever is sent to any operation, no answer is a fault or one that the served document does not have."""
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS)
    left_out = [part for name in LEFT_OUT for part in ("--exclude-operation-id", name)]
    command: list[str | Path] = [
        Path(sys.executable).parent / "schemathesis", "--config-file", settings, "run",
        f"{door.url}/api/v1/openapi.json",
        "--header", f"Authorization: Bearer {door.token}", "--checks", ",".join(CHECKS), *left_out,
        "--suppress-health-check", "all",
    ]  # fmt: skip

    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=HANGS_S, cwd=tmp_path, errors="replace"
    )

    told = re.sub(r"(.{400}).*", r"\1…", done.stdout)
    assert done.returncode == 0, told + done.stderr
    found = re.search(r"(\d+) generated", told)
    assert found is not None
    assert FEWEST < int(found[1]) < MOST
    (tested,) = re.findall(r"Tested: (\d+)", told)
    assert int(tested) == sum(len(item) for item in served(door)["paths"].values()) - len(LEFT_OUT)


def served(door: Door) -> Json:
    """The document that anybody may read."""
    with urlopen(f"{door.url}/api/v1/openapi.json") as response:  # noqa: S310 - our own node
        return json.load(response)


class Client:
    """A client that knows an address, a token and nothing but the document that is served there.

    Operations are found by what their summary says; paths, parameters, bodies and answers are the document's.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._document = served(door)
        validate(self._document, cls=OpenAPIV31SpecValidator)

    def call(self, summary: str, /, **values: Json) -> Json:
        """Do the one operation of that summary; each value goes where the document says that it belongs."""
        method, path, operation = self._find(summary)
        query = {}
        for parameter in operation["parameters"]:
            name, place = parameter["name"], parameter["in"]
            if place == "path":
                path = path.replace(f"{{{name}}}", quote(str(values.pop(name)), safe=""))
            elif place == "query" and name in values:
                query[name] = values.pop(name)
        body = None
        if "requestBody" in operation:
            schema = self._whole(operation["requestBody"]["content"]["application/json"]["schema"])
            assert values.keys() <= schema["properties"].keys(), f"{summary} takes no {values.keys()}"
            assert set(schema.get("required", ())) <= values.keys(), f"{summary} needs {schema['required']}"
            body, values = json.dumps(values).encode(), {}
        assert not values, f"{summary} takes no {values}"
        return self._ask(method.upper(), f"{path}?{urlencode(query, doseq=True)}", body, operation)

    def _find(self, summary: str) -> tuple[str, str, Json]:
        (found,) = [
            (method, path, operation)
            for path, methods in self._document["paths"].items()
            for method, operation in methods.items()
            if operation["summary"] == summary
        ]
        return found

    def _ask(self, method: str, target: str, body: bytes | None, operation: Json) -> Json:
        base = self._document["servers"][0]["url"].rstrip("/")
        headers = {"Authorization": f"Bearer {self._door.token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = Request(f"{self._door.url}{base}{target}", body, headers, method=method)  # noqa: S310 - our own node
        with urlopen(request) as response:  # noqa: S310 - as above
            content = response.read()
            promised = operation["responses"][str(response.status)]
        if "content" not in promised:
            assert not content
            return None
        answer = json.loads(content)
        schema = self._whole(promised["content"]["application/json"]["schema"])
        assert set(schema.get("required", ())) <= answer.keys()
        return answer

    def _whole(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema


@pytest.mark.req("A18")
def test_client_made_of_the_document_alone_does_the_work(door: Door) -> None:
    """Somebody with the document and a token states a meter, installs it, reads its passport and follows the feed."""
    client = Client(door)
    last = client.call("Events, oldest first, with a wait for new ones", limit=0)["last"]

    device = client.call("State a plate", designation="ВС-15", serial="7654321", year="2026")["id"]
    client.call("Record an event", id=device, what="installed", where="ул. Мира, 1", when="2026-08-01T10:00:00Z")
    passport = client.call("One passport", id=device)
    told = client.call("Events, oldest first, with a wait for new ones", after=last, device=[device], wait=5)

    assert passport["view"]["state"]["code"] == "installed"
    assert "7654321" in json.dumps(passport["view"]["identity"])
    assert {"plate_stated", "event_recorded"} <= {event["what"] for event in told["events"]}
    found = client.call("Find a device by anything that stands on it", q="7654321")
    assert [row["id"] for row in found["items"]] == [device]
