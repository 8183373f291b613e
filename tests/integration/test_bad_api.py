"""Whatever comes to the API is answered with a problem that has a code, counted, and changes nothing."""

import json
import random
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from federation.invitation import Invitation, parse_invitation
from node.api_client import ApiError
from node.clock import SystemClock
from node.demo.documents import verification_document, verification_template
from node.demo.files import HEADER
from node.demo.processes import NodeProcess
from node.exchange.tables import write_xlsx
from node.services.access import Scope
from node.web.openapi import plain_path
from node.web.problems import PROBLEMS
from node.web.server import ROUTES
from tests.garbage import PATHS, TEXTS, Bodies, blobs, dumped, mutated
from tests.integration.bad_input import Answer, Contents, Doors, Dump, open_doors, quiet
from tests.meters import line_record, meter_rows, production_file
from tests.nodes import ALONE, act, ask, metrics, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bad input")]
SEED = 20_962
ODD_A_PLACE = 5
JSON, BYTES = "application/json", "application/octet-stream"
NO_JSON = (
    b"", b"{", b"null", b"[]", b"1", b'"text"', b"\xff\xfe{}", b"\xef\xbb\xbf{", b'{"a":NaN}', b'{"a":1e999}',
    b'{"a":"\\ud800"}', b'{"a":"\\u0000"}', b'{"a":"\xff"}', b"[" * 200_000, b'{"a":' * 100_000, b"9" * 100_000,
    b'{"name":' + b"9" * 5000 + b"}", '{"name":"x"}'.encode("utf-16"),
)  # fmt: skip
TYPES = (JSON, BYTES, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "%")
QUERIES = (
    "limit=0", "limit=-1", "limit=99999999999999999999999", "limit=1.5", "limit=", "limit=%00", "cursor=%ff",
    "cursor=" + "A" * 2000, "q=%00", "q=" + "x" * 300, "q=%F0%9F%92%A5", "wait=-1", "wait=1e9", "kind=x", "format=x",
    "subject=zz", "since=2026-13-45", "since=x", "template=" + "x" * 300, "=", "&&&", "limit=1&limit=2&limit=x",
    "state=%0a", "q=EPP1-0000", "q=..%2f..%2f", "name=" + "x" * 300, "name=%00",
)  # fmt: skip
# What operations take that take more than the others.
QUERY = {"template": "x/1", "name": "x.png"}
LIMITS = {(route.method, plain_path(route)): route.max_body for route in ROUTES}
HEADERS: tuple[dict[str, str], ...] = (
    {"Authorization": "Bearer"}, {"Authorization": "Bearer " + "x" * 4000}, {"Authorization": "Basic !"},
    {"Cookie": "session=x; =; ;;"}, {"Accept-Language": "x" * 3000}, {"Accept-Language": ";q=;,*;q=nan"},
    {"Accept": "\xff"}, {"Content-Type": ";;;"}, {"Host": "[::1"}, {"Host": ""}, {"Origin": "http://["},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"}, {"If-None-Match": '"' * 2000}, {"Idempotency-Key": "a b"},
    {"Idempotency-Key": "x" * 300}, {"Range": "bytes=-1"},
    {"Upgrade": "websocket", "Connection": "upgrade"}, {"X-Forwarded-For": "'"}, {"Last-Event-ID": "x"},
)  # fmt: skip

Json = Any  # Any: what an OpenAPI document holds


class Api:
    """The operations of a node's document, and one client with every scope."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self.document = json.loads(doors.console.ask("GET", "/api/v1/openapi.json").body)
        token = act(doors.maker, "/tokens", {"name": "system", "scopes": [scope.value for scope in Scope]})
        self.headers = {"Authorization": f"Bearer {token['secret']}"}
        self.operations = [
            (method.upper(), path, operation)
            for path, methods in sorted(self.document["paths"].items())
            for method, operation in sorted(methods.items())
        ]

    def ask(
        self, method: str, target: str, body: Any = b"", kind: str = JSON, headers: dict[str, str] | None = None
    ) -> Answer:  # Any: bytes, or parts of them
        """One request with the token."""
        typed = {"Content-Type": kind} if kind else {}
        return self.doors.console.ask(method, target, body, {**self.headers, **typed, **(headers or {})})

    def writes(self, body: str = "") -> Iterator[tuple[str, str, Json]]:
        """The operations that take a body, of that type or of any."""
        for method, path, operation in self.operations:
            if body in operation.get("requestBody", {}).get("content", ()) or (not body and "requestBody" in operation):
                yield method, path, operation


class Watch:
    """Requires of each refusal that it is a problem and changed nothing, and at the end that each was counted."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._before = self._counted()
        self._contents = Contents(api.doors.maker.folder)
        self._store = self._settled()
        self.problems = 0
        self.taken = 0

    def see(self, what: str, answer: Answer) -> None:
        """Look at one answer."""
        if answer.status < 400:
            self.taken += 1
            self._store = self._settled()
            return
        assert answer.status < 500 or answer.status == 502, (what, answer.text[:500])
        assert answer.headers["Content-Type"].startswith("application/problem+json"), (what, answer.status, answer.text)
        problem = json.loads(answer.body)
        assert problem["code"] in PROBLEMS, (what, problem)
        assert (problem["status"], bool(problem["title"]), bool(problem["advice"])) == (answer.status, True, True)
        self.problems += 1
        assert self._contents.read() == self._store, what

    def settle(self) -> None:
        """What was done beside this watch stands."""
        self._store = self._settled()

    def end(self) -> None:
        """Every problem was counted under its code."""
        self._contents.close()
        assert self._counted() - self._before == self.problems

    def _counted(self) -> float:
        counted = metrics(self._api.doors.maker, "web_problems")
        assert counted.keys() <= {*PROBLEMS, "http"}
        return sum(counted.values())

    def _settled(self) -> Dump:
        folder = self._api.doors.maker.folder
        until("the node is quiet", lambda: quiet(folder))
        return self._contents.read()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API of a maker's node."""
    with open_doors(tmp_path_factory.mktemp("bad")) as doors:
        yield Api(doors)


@pytest.fixture
def watch(api: Api) -> Iterator[Watch]:
    """A watch over one test."""
    made = Watch(api)
    yield made
    made.end()


def test_bodies_that_are_no_json_are_problems(api: Api, watch: Watch) -> None:
    """On each operation, bytes that are not JSON or not an object, in any stated type, are refused."""
    for method, path, _ in api.writes(JSON):
        target = _filled(path, api)
        for body in (*NO_JSON, *blobs(SEED, 8)):
            if body != b"{}":
                watch.see(f"{method} {path} {body[:40]!r}", api.ask(method, target, body))
        for kind in TYPES[1:]:
            watch.see(f"{method} {path} {kind}", api.ask(method, target, b'{"name":"x"}', kind))
    assert watch.taken == 0


def test_files_that_are_none_are_problems(api: Api, watch: Watch) -> None:
    """Random bytes are no table, template or document, whatever their type is said to be."""
    for method, path, _ in api.writes(BYTES):
        for query in ("", "?kind=bench", "?template=x/1"):
            for body in blobs(SEED, 12):
                watch.see(f"{method} {path}{query} {body[:40]!r}", api.ask(method, path + query, body, BYTES))
    assert watch.taken == 0


def test_large_bodies_are_problems(api: Api, watch: Watch) -> None:
    """A body over the limit of its operation is refused by its stated length, or as soon as it has grown so far."""
    for method, path, operation in api.writes():
        kind = next(iter(operation["requestBody"]["content"]))
        size = LIMITS[method, path] + 1
        needed = [
            one["name"] for one in operation.get("parameters", ()) if one["in"] == "query" and one.get("required")
        ]
        target = f"{_filled(path, api)}?{urllib.parse.urlencode({name: QUERY.get(name, 'x') for name in needed})}"
        for body in (bytes(size), [bytes(1 << 18)] * (1 + (size >> 18))) if size < 1 << 25 else (bytes(size),):
            answer = api.ask(method, target, body, kind)
            assert answer.status == 413, (path, answer)
            watch.see(path, answer)


def test_ids_that_are_none_are_problems(api: Api, watch: Watch) -> None:
    """Path traversal, NULs, broken UTF-8, long and mistyped ids in each place of each path lead nowhere."""
    for method, path, operation in api.operations:
        body = b"{}" if "requestBody" in operation else b""
        for name in (part["name"] for part in operation.get("parameters", ()) if part["in"] == "path"):
            for odd in (*PATHS, *(urllib.parse.quote(text, safe="")[:4000] for text in TEXTS)):
                target = _filled(path.replace(f"{{{name}}}", odd), api)
                watch.see(f"{method} {target[:100]}", api.ask(method, target, body))
    assert watch.taken == 0


def test_odd_queries_are_problems_or_answers(api: Api, watch: Watch) -> None:
    """Values that a query does not take are refused; those it has no name for are overlooked."""
    for method, path, _ in api.operations:
        if method == "GET":
            for query in QUERIES:
                watch.see(f"{path}?{query[:60]}", api.ask(method, f"{_filled(path, api)}?{query}"))
    assert watch.problems > 50


def test_mutated_files_are_problems_or_taken(api: Api, watch: Watch) -> None:
    """A table, template or document with flipped, cut or doubled bytes is refused, or imported without a fault."""
    source, rows = random.Random(SEED), meter_rows(3, SEED + 1)
    template = verification_template()
    reference = json.loads(api.ask("POST", "/api/v1/templates", template, BYTES).body)["reference"]
    watch.settle()
    document = verification_document(api.doors.devices[0], "БВ-15Д № 00000001", 1)
    against = "?" + urllib.parse.urlencode({"template": reference})
    for target, file, times in (
        ("/api/v1/imports", production_file(rows), 40),
        ("/api/v1/imports", write_xlsx(HEADER, rows), 40),
        ("/api/v1/imports?kind=bench", production_file(rows), 10),
        ("/api/v1/templates", template, 60),
        (f"/api/v1/protocols/check{against}", document, 60),
        (f"/api/v1/protocols{against}", document, 60),
    ):
        for _ in range(times):
            watch.see(target, api.ask("POST", target, mutated(source, file), BYTES))
    jobs = ask(api.doors.maker, "/jobs")["items"]
    assert {job["state"] for job in jobs} == {"done"}
    assert watch.problems > 50


def test_meter_older_than_time_is_sent_back(api: Api) -> None:
    """A date before 1970 is a finding of its row, and the node goes on."""
    row = [{"2026": "1960", "02.03.2026": "02.03.1960"}.get(cell, cell) for cell in meter_rows(1, SEED + 2)[0]]
    job = json.loads(api.ask("POST", "/api/v1/imports", production_file([row]), BYTES).body)["job"]

    ended = ask(api.doors.maker, f"/jobs/{job}", wait="30")

    assert (ended["state"], [finding["rule"] for finding in ended["result"]["findings"]]) == ("done", ["made_on.early"])


def test_federation_with_a_name_that_nobody_can_read_is_refused(tmp_path: Path) -> None:
    """A federation is not founded under a name that its own members would refuse to read."""
    node = NodeProcess("node", tmp_path / "node", environment=ALONE)
    node.init(name="Узел")
    node.start()
    try:
        for name in ("a\nb", "e\u0301", "\U0001f4a5" * 64):
            with pytest.raises(ApiError) as refused:
                act(node, "/federation", {"name": name})
            assert refused.value.code in ("not_signable", "validation")
        assert ask(node, "/node")["federation"] is None
    finally:
        node.stop()


def test_odd_headers_are_problems_or_overlooked(api: Api, watch: Watch) -> None:
    """Credentials, languages, hosts, origins and keys that make no sense never end in an error of the node."""
    for headers in HEADERS:
        for method, target, body in (
            ("GET", "/api/v1/node", b""),
            ("POST", "/api/v1/plates", b"{}"),
            ("POST", "/api/v1/claim", b"{}"),
            ("GET", "/api/v1/none", b""),
        ):
            watch.see(f"{method} {target} {headers}", api.ask(method, target, body, headers=headers))
            bare = api.doors.console.ask(method, target, body, {"Content-Type": JSON, **headers})
            watch.see(f"{method} {target} {headers} without a token", bare)


def test_bytes_that_are_no_http_are_counted(api: Api) -> None:
    """Garbage on the console's port is answered with a refusal, and counted."""
    before = sum(metrics(api.doors.maker, "web_problems").values())
    sent = [raw + b"\r\n\r\n" for raw in blobs(SEED, 40) if raw]
    head = b"POST /api/v1/plates HTTP/1.1\r\nHost: a\r\n"
    sent += [
        head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        head + b"Idempotency-Key: \x7f\r\n\r\n",
        head + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\nab",
        head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        head + b"X: " + b"y" * 20_000 + b"\r\n\r\n",
    ]
    for raw in sent:
        answer = api.doors.console.send(raw)
        assert answer.split()[1:2] in ([b"400"], [b"401"], [b"404"], [b"405"]), (raw[-60:], answer)
    assert sum(metrics(api.doors.maker, "web_problems").values()) - before == len(sent)


@pytest.mark.parametrize("encoding", ["deflate", "gzip"])
def test_body_that_cannot_be_decoded_is_a_problem(api: Api, watch: Watch, encoding: str) -> None:
    """A body that is not in the encoding that it states is refused like any other."""
    answer = api.ask("POST", "/api/v1/plates", b"\xff\xfe\xfd\xfcabcd", headers={"Content-Encoding": encoding})
    watch.see(encoding, answer)
    assert watch.problems == 1


def test_invitation_of_a_node_that_is_away_is_a_problem(api: Api) -> None:
    """An invitation that is whole, and leads nowhere or to something else, is refused as another node's fault."""
    given = parse_invitation(act(api.doors.maker, "/invitations")["text"], SystemClock().now())
    watch = Watch(api)
    for url in (
        "https://127.0.0.1:1",
        "http://127.0.0.1:1",
        "https://[",
        "ftp://x",
        api.doors.maker.addresses["console"],
    ):
        node = bytes(16)
        values = (given.genesis, given.org, node, given.sign_key, given.pin, url, given.secret, given.expires)
        body = dumped({"invitation": Invitation(*values).to_text()})
        answer = api.ask("POST", "/api/v1/federation/join", body)
        assert (answer.status, json.loads(answer.body)["code"]) == (502, "peer"), (url, answer.text)
        watch.see(url, answer)
    watch.end()


def test_broken_bodies_are_problems_or_answers(api: Api, watch: Watch) -> None:
    """A body of the right shape with one odd value is refused whole, or taken where the value is allowed after all."""
    bodies = Bodies(api.document, _known(api), SEED)
    for method, path, operation in api.writes(JSON):
        target = _filled(path, api)
        for value in bodies.all_broken(operation["requestBody"]["content"][JSON]["schema"], ODD_A_PLACE):
            watch.see(f"{method} {path} {str(value)[:300]}", api.ask(method, target, dumped(value)))
    assert watch.problems > 400


def test_node_is_whole_afterwards(api: Api) -> None:
    """After all that, the node answers, and its log holds no incident."""
    assert len(ask(api.doors.maker, "/passports")["items"]) >= len(api.doors.devices)
    assert '"incident"' not in (api.doors.maker.folder / "node.log").read_text()


def _filled(path: str, api: Api) -> str:
    for name, value in _known(api).items():
        path = path.replace(f"{{{name}}}", urllib.parse.quote(value, safe="")) if isinstance(value, str) else path
    return path.replace("{", "x").replace("}", "x")


def _known(api: Api) -> dict[str, Json]:
    doors = api.doors
    org, peer, device = doors.maker_org, doors.peer.org.hex(), doors.devices[0]
    return {
        "org": peer, "buyer": peer, "node": doors.peer.node.hex(), "id": device, "ids": [device],
        "devices": [device], "driver": "mbus-generic", "hash": "0" * 64,
        "where": "works", "when": "2026-05-01", "what": "repaired", "central": "t:cwv", "catalog": "types",
        "publisher": org, "dev_eui": "02c0de0000000001", "eui": "02c0de0000000001", "log": doors.log.hex(),
        "record": line_record(org), "invitation": "PASSPORT1-AAAA", "job": "0" * 16, "check": "0" * 16,
        "template": "x/1", "form": "0" * 16, "run": "0" * 32, "step": "mark", "digest": "0" * 64, "hook": "0" * 16,
        "ref": f"{'0' * 32}:0:{'0' * 32}", "sha256": "0" * 64, "name": "x.png", "n": "1",
        "since": "2026-05-01", "month": "2026-01",
    }  # fmt: skip
