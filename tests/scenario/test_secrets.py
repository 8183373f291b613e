"""No secret of a node or of a device stands in any file that nodes, their commands and their answers leave behind."""

import asyncio
import base64
import http.client
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from federation.checkpoint import parse_note
from federation.forks import header_place
from federation.fragment import Fragment, Ref
from federation.invitation import parse_invitation
from federation.net.carrier import HttpsCarrier
from federation.net.client import PeerClient
from federation.net.desk import Signer
from federation.peer import PeerAddress
from federation.sync import messages
from node.api_client import ApiError
from node.backup.locks import parse_private
from node.clock import SystemClock, SystemRandom
from node.demo.files import HEADER, MAKER
from node.demo.processes import NodeProcess
from node.exchange.tables import read_table, write_csv, write_xlsx
from node.folder import NodeFolder
from node.keystore import open_keystore
from tests.meters import DEV_EUI_AT, KEY_AT, SERIAL_AT, Rows, line_record, meter_rows
from tests.nodes import ALONE, Json, act, ask, command, rows, send, until
from tests.secrets import device_keys, keys_of_file, leaks, raw_files

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]
SEED = 90_210
NAMES = {"maker": (MAKER, "maker"), "buyer": ("МУП «Водоканал»", "utility"), "service": ("ООО «Сервис»", "service")}
PASSWORD = "correct horse battery"
METERS = 8
MOST_PAGES = 60
LISTS = ("/node", "/peers", "/passports", "/jobs", "/journal", "/shipments", "/tokens", "/sessions", "/accounts")
MODEL = Path(__file__).parent.parent.parent / "docs" / "threat-model.md"


@dataclass(slots=True)
class Traces:
    """Three nodes, what was written down of them, and the secrets that were given away."""

    folder: Path
    nodes: dict[str, NodeProcess] = field(default_factory=dict)
    given: dict[str, bytes] = field(default_factory=dict)
    count: int = 0

    @property
    def homes(self) -> dict[str, Path]:
        """The folders of the nodes."""
        return {name: node.folder for name, node in self.nodes.items()}

    def keep(self, name: str, content: Json) -> None:
        """Write down bytes, a text or an answer."""
        self.count += 1
        text = content if isinstance(content, bytes | str) else json.dumps(content, ensure_ascii=False)
        path = self.folder / "transcripts" / f"{self.count:03d}-{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def typed(self, *arguments: str, fails: bool = False) -> str:
        """Type a command, and write down what it printed."""
        done = command(*arguments)
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        self.keep(f"{arguments[0]}.txt", done.stdout + done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Traces:
    """A short life of three nodes, one of which ends by a kill."""
    left = Traces(tmp_path_factory.mktemp("traces"))
    try:
        _found(left)
        _produce(left)
        _ship(left)
        _let_in(left)
        _look(left)
        _back_up(left, tmp_path_factory.mktemp("apart") / "recovery.key")
        asyncio.run(_ask_as_peers(left))
        left.nodes["maker"].kill()
    finally:
        for node in left.nodes.values():
            node.stop()
    for name, home in left.homes.items():
        left.typed("fsck", "--folder", str(home))
        assert rows(home, "select count(*) from logs where stopped is not null") == [(0,)], name
    return left


def test_no_secret_stands_in_any_file(traces: Traces) -> None:
    """Private keys, keys of devices, and what was given away once are in no file, but for a node's three key files."""
    found = leaks(traces.folder, traces.homes, traces.given)

    shown = {(finding.secret, finding.path.name.partition("-")[2]) for finding in found}
    assert shown == {
        ("claim secret", "serve.txt"),
        ("invitation of buyer", "invite.txt"),
        ("invitation of service", "invite.txt"),
    }


def test_keys_are_there_to_be_found(traces: Traces) -> None:
    """The search was for keys that the stores do hold, and finds them once they are opened."""
    made = {key for name, key in traces.given.items() if name.startswith("AppKey")}
    assert set(device_keys(traces.homes["maker"]).values()) == made
    assert set(device_keys(traces.homes["buyer"]).values()) == made
    assert device_keys(traces.homes["service"]) == {}
    opened = open_keystore(NodeFolder(traces.homes["maker"]), SystemRandom())
    traces.keep("opened", opened.tls_key + opened.sign_seed.hex().encode())
    names = {finding.secret for finding in leaks(traces.folder, traces.homes)}
    assert {"maker/TLS key", "maker/TLS number", "maker/sign seed"} <= names
    max(traces.folder.glob("transcripts/*-opened")).unlink()


def test_key_files_are_those_that_the_threat_model_names(traces: Traces) -> None:
    """What is a key as it is on the disk is listed with its reason, and only its owner may read it."""
    section = MODEL.read_text().partition("## What lies on the disk as it is")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    for home in traces.homes.values():
        # A database's password is there only where the store is on a server.
        assert [path.name for path in raw_files(home)] == [name for name in named if name != "store.password"]
        assert home.stat().st_mode & 0o777 == 0o700
        private = [*raw_files(home), home / "keys.sealed", home / "lock", home / "node.sock"]
        assert {path.stat().st_mode & 0o777 for path in private if path.exists()} == {0o600}


def test_node_refuses_a_key_file_that_others_may_read(traces: Traces) -> None:
    """A storage key that is open to others stops every command that needs it."""
    key = traces.homes["service"] / "storage.key"
    key.chmod(0o640)
    try:
        assert "chmod 600" in command("fsck", "--folder", str(key.parent)).stderr.replace("\n", " ")
    finally:
        key.chmod(0o600)


def _found(left: Traces) -> None:
    for name, (title, kind) in NAMES.items():
        home = left.folder / name
        options = ("--name", title, "--kind", kind, "--web-port", "0", "--federation-port", "0")
        left.typed("init", str(home), *options)
        left.nodes[name] = NodeProcess(name, home, environment=ALONE)
        left.nodes[name].start()
        left.keep("serve.txt", left.nodes[name].addresses)
    maker = left.nodes["maker"]
    org = ask(maker, "/node")["org"]
    left.typed("federation", "new", "Демо", "--folder", str(maker.folder))
    left.typed("federation", "attest", org, "maker", "--folder", str(maker.folder))
    for name in ("buyer", "service"):
        text = left.typed("invite", "--folder", str(maker.folder)).strip()
        left.given[f"invitation of {name}"] = parse_invitation(text, SystemClock().now()).secret
        left.typed("join", text, "--folder", str(left.homes[name]))
    act(maker, "/lines", {"record": line_record(org)})


def _produce(left: Traces) -> None:
    """Import a file of which five rows are wrong in a way that could spill a key, correct them, import again."""
    maker, made = left.nodes["maker"], meter_rows(METERS, SEED)
    raw = write_csv(HEADER, made)
    left.given |= keys_of_file(raw)
    wrong: Rows = [list(row) for row in made]
    wrong[0][SERIAL_AT] = wrong[0][SERIAL_AT].lstrip("0")[:3]
    wrong[1][DEV_EUI_AT], wrong[1][KEY_AT] = wrong[1][KEY_AT], wrong[1][DEV_EUI_AT]
    wrong[2][KEY_AT] = wrong[2][KEY_AT][:-1]
    wrong[3][KEY_AT] = "0x" + wrong[3][KEY_AT]
    wrong[4].insert(2, "лишняя")
    file, report = left.folder.parent / f"{left.folder.name}-in.csv", left.folder / "report.xlsx"
    left.given["most of a key"] = bytes.fromhex(made[2][KEY_AT])[:-1]
    for content in (raw[:-9] + b"\0\xff", write_xlsx(HEADER[1:], [row[1:] for row in made])):
        left.keep("refused.txt", _refused(send, maker, "/imports", content))
    file.write_bytes(write_csv(made[0], made[1:]))
    left.typed("import", str(file), "--folder", str(maker.folder), fails=True)
    file.write_bytes(write_csv(HEADER, wrong))
    left.typed("import", str(file), "--report", str(report), "--folder", str(maker.folder))
    assert len(read_table(report.read_bytes()).rows) == 5
    left.typed("import", str(report), "--report", str(left.folder / "again.csv"), "--folder", str(maker.folder))
    file.write_bytes(raw)
    left.typed("import", str(file), "--folder", str(maker.folder))
    file.unlink()
    assert len(ask(maker, "/passports")["items"]) == METERS


def _ship(left: Traces) -> None:
    """Ship everything; a stranger asks for a key in vain."""
    maker, buyer, service = left.nodes.values()
    devices = [item["id"] for item in ask(maker, "/passports")["items"]]
    left.typed("ship", ask(buyer, "/node")["org"], "ТТН-1", *devices, "--folder", str(maker.folder))
    (shipment,) = until("the offer comes", lambda: ask(buyer, "/shipments")["items"])
    left.keep("acceptance.json", act(buyer, f"/shipments/{shipment['id']}/acceptance"))
    until("the keys come", lambda: len(device_keys(buyer.folder)) == METERS)
    asked = {"org": ask(maker, "/node")["org"]}
    left.keep("key.txt", _refused(act, service, f"/passports/{devices[0]}/key-requests", asked))
    left.keep("key.json", act(buyer, f"/passports/{devices[0]}/key-requests", asked))


def _let_in(left: Traces) -> None:
    """Claim the maker's node, log in with a wrong and the right password, issue a token twice with one key."""
    maker = left.nodes["maker"]
    secret = str(maker.addresses["claim"]).rpartition("/")[2]
    left.given |= {"claim secret": _decoded(secret), "password": PASSWORD.encode()}
    claim = {"secret": secret, "name": "anna", "password": PASSWORD}
    left.keep("claim.json", _browse(left, "POST", "/api/v1/claim", claim).body)
    for password in (PASSWORD[::-1], PASSWORD):
        _browse(left, "POST", "/login", urlencode({"name": "anna", "password": password}))
    cookie = _browse(left, "POST", "/login", urlencode({"name": "anna", "password": PASSWORD})).cookie
    left.given["session"] = _decoded(cookie.partition("=")[2])
    for _ in range(2):
        body = {"name": "scada", "scopes": ["read"], "days": 30}
        answer = _browse(left, "POST", "/api/v1/tokens", body, {"Cookie": cookie, "Idempotency-Key": "once"})
        token = json.loads(answer.body)["secret"]
        left.given["token"] = _decoded(token.partition("_")[2] or token)
    seen: set[str] = set()
    waiting = ["/", "/metrics"]
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        seen.add(path)
        page = _browse(left, "GET", path, "", {"Cookie": cookie, "Accept": "text/html"}).body
        left.keep("page.html", page)
        links = dict.fromkeys(re.findall(r'href="(/[^"#?]*)"', page.decode(errors="replace")))
        waiting += [link for link in links if link not in {*seen, *waiting} and not link.startswith("/static")]
    assert len(seen) > METERS


def _look(left: Traces) -> None:
    """Look up, export, and write down what each node shows."""
    serial = rows(left.homes["maker"], "select term from terms where scheme = 'serial' limit 1")[0][0]
    left.typed("lookup", serial, "--folder", str(left.homes["service"]), fails=True)
    for name, node in left.nodes.items():
        left.keep("lookup.json", ask(node, "/lookup", q=serial))
        for path in LISTS:
            left.keep(f"{name}.json", ask(node, path, **({"limit": "200"} if path == "/journal" else {})))
        for item in ask(node, "/passports")["items"]:
            left.keep(f"{name}-passport.json", ask(node, f"/passports/{item['id']}"))
    shown = ask(left.nodes["buyer"], "/passports")["items"][0]["id"]
    left.typed("export", shown, "--folder", str(left.homes["buyer"]))


def _back_up(left: Traces, key: Path) -> None:
    """Make a recovery key, which is kept apart from the machine, and a backup of the maker's node in its folder."""
    home = left.homes["maker"]
    left.typed("backup", "key", str(key), "--folder", str(home))
    left.given["recovery key"] = parse_private(key.read_text().splitlines()[-1]).private
    left.typed("backup", "make", "--folder", str(home))
    assert list((home / "backups").glob("*.backup"))


async def _ask_as_peers(left: Traces) -> None:
    """Take from the maker's port all that it gives to the buyer's and the service firm's node."""
    maker = left.nodes["maker"]
    own = open_keystore(NodeFolder(maker.folder), SystemRandom())
    pin = base64.b16decode(rows(maker.folder, "select hex(value) from settings where name = 'card'")[0][0])
    address = PeerAddress(
        str(maker.addresses["federation"]), own.node, own.sign.public, bytes.fromhex(json.loads(pin)["pin"])
    )
    for name in ("buyer", "service"):
        keys = open_keystore(NodeFolder(left.homes[name]), SystemRandom())
        signer = Signer(keys.org, keys.node, keys.sign)
        carrier = HttpsCarrier()
        try:
            client = PeerClient(carrier, address, signer, SystemClock(), SystemRandom().bytes)
            heads = await client.heads(messages.HeadsAsked())
            assert heads is not None
            left.keep("heads", heads.to_bytes())
            for head in (parse_note(note)[0] for note in heads.notes):
                (part,) = await client.pull([messages.Span(head.log, 0, head.size)])
                left.keep("entries", messages.encode_parts([part]))
                ids = [(header_place(row.header)[1], row.id[:16]) for row in part.rows if isinstance(row, Fragment)]
                proven = await client.fetch([Ref(head.log, *i) for i in ids[:100]])
                left.keep("fetch", messages.encode_fetched(proven))
            left.keep("pull", messages.encode_openings(await client.opened(0)))
        finally:
            await carrier.close()


def _refused(call: Callable[..., Json], *arguments: object) -> str:
    with pytest.raises(ApiError) as refused:
        call(*arguments)
    return repr(refused.value)


@dataclass(frozen=True, slots=True)
class _Page:
    body: bytes
    cookie: str


def _browse(left: Traces, method: str, path: str, body: Json = "", headers: dict[str, str] | None = None) -> _Page:
    """Ask the maker's console as a browser of the same site does."""
    address = urlsplit(str(left.nodes["maker"].addresses["console"]))
    kind = "application/x-www-form-urlencoded" if isinstance(body, str) else "application/json"
    text = body if isinstance(body, str) else json.dumps(body)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    said = {"Content-Type": kind, "Sec-Fetch-Site": "same-origin", "Content-Length": str(len(text.encode()))}
    connection.request(method, path, text.encode(), {**said, **(headers or {})})
    response = connection.getresponse()
    raw = response.read()
    assert response.status < 400 or path == "/login", (path, response.status, raw[:300])
    connection.close()
    return _Page(raw, (response.headers["Set-Cookie"] or "").partition(";")[0])


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
