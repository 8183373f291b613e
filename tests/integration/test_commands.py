"""What commands say to the person who typed them: one line with what, where and what to do, and the exit code 1."""

import json
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from node.api_client import ApiError
from node.cli.passports import LONGEST_TEXT
from node.demo.files import HEADER
from node.demo.processes import NodeProcess
from node.exchange.tables import read_table, write_csv
from node.folder import NodeFolder, short_socket_path
from tests.nodes import ALONE, PORTS, command
from tests.trade import Trade, meters, trading, with_serial

pytestmark = pytest.mark.slow

CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker that can import its production."""
    with trading(tmp_path_factory.mktemp("commands"), **ALONE, PASSPORT_PUBLIC__DOMAIN="works.example") as running:
        yield running


def typed(trade: Trade, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command about the maker's node."""
    return command(*arguments, "--folder", str(trade.nodes["maker"].folder))


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a command ended with."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("passport-node: ")
    return line


def table(folder: Path, rows: list[list[str]]) -> str:
    """A production file of these rows."""
    file = folder / "production.csv"
    file.write_bytes(write_csv(HEADER, rows))
    return str(file)


@contextmanager
def ending_node(folder: Path, answers: list[bytes]) -> Iterator[None]:
    """Where a node's socket is: somebody who gives these answers to the first requests, and ends under the next."""
    folder.mkdir()
    with short_socket_path(NodeFolder(folder).socket) as path, socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        thread = threading.Thread(target=answer_and_end, args=(door, answers))
        thread.start()
        try:
            yield
        finally:
            thread.join()


def answer_and_end(door: socket.socket, answers: list[bytes]) -> None:
    """Answer on one connection as often as there are answers, read one more request, let nobody in and hang up."""
    connection, _ = door.accept()
    with connection, connection.makefile("rb") as coming:
        for body in [*answers, None]:
            head = b""
            while (line := coming.readline()) not in {b"", b"\r\n"}:
                head += line
            length = re.search(rb"(?i)content-length: (\d+)", head)
            coming.read(int(length[1]) if length else 0)
            if body is not None:
                size = str(len(body)).encode()
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + size + b"\r\n\r\n" + body
                )
        door.close()


@pytest.mark.parametrize("arguments", [("health",), ("lookup", "0012345"), ("invite",)])
def test_command_after_the_node_was_killed_says_that_none_runs(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """The socket that a killed node leaves is told as no node in this folder, with the command that starts it."""
    node = NodeProcess("node", tmp_path / "node", environment=ALONE)
    node.init(name="Узел", **PORTS)
    node.start()
    node.kill()
    assert NodeFolder(node.folder).socket.exists()

    line = refusal(command(*arguments, "--folder", str(node.folder)))

    assert f"no node runs in {node.folder}: start it with `passport-node serve -f {node.folder}`" in line


def test_node_that_ends_under_an_upload_is_told(tmp_path: Path) -> None:
    """The line names the folder and the log, says that the outcome is not known, and how to start the node."""
    file = table(tmp_path, meters(1))

    with ending_node(tmp_path / "node", []):
        line = refusal(command("import", file, "--folder", str(tmp_path / "node")))

    assert f"the node in {tmp_path / 'node'} ended before it answered, so it is not known" in line
    assert f"see {tmp_path / 'node' / 'node.log'}" in line
    assert f"passport-node serve -f {tmp_path / 'node'}" in line


def test_node_that_ends_under_a_job_is_told(tmp_path: Path) -> None:
    """Once the file was taken, the question after its job is asked again, and finds no node."""
    file = table(tmp_path, meters(1))

    with ending_node(tmp_path / "node", [b'{"job": "0123456789abcdef"}']):
        done = command("import", file, "--folder", str(tmp_path / "node"))

    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert f"no node runs in {tmp_path / 'node'}: start it with" in done.stderr.splitlines()[-1]


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A file that is not there and a folder in the place of a file are refused by name, with the system's reason."""
    for place, reason in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        line = refusal(command("import", str(place), "--folder", str(tmp_path)))

        assert f"{place} cannot be read: {reason}" in line


def test_answer_that_cannot_be_written_is_told_with_its_place(tmp_path: Path, trade: Trade) -> None:
    """Rows to correct that find no room are told after what was imported, with the page that shows them as well."""
    full = tmp_path / "full.csv"
    full.symlink_to("/dev/full")
    good, wrong = meters(2, seed=11)

    done = typed(trade, "import", table(tmp_path, [good, with_serial(wrong, "1")]), "--report", str(full))

    job = trade.call("maker", "get", "/jobs")["items"][0]["job"]
    assert done.returncode == 1
    assert "1 imported, 1 reported" in done.stdout
    assert "Traceback" not in done.stderr
    assert f"{full} cannot be written: No space left on device" in done.stderr
    assert f"/imports/{job} in the node's console" in done.stderr


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("report", "ends in .csv or .xlsx"),
        ("report.txt", "ends in .csv or .xlsx"),
        ("none/report.csv", "none is no folder"),
        ("folder.csv", "may not write there"),
    ],
)
def test_report_that_cannot_be_written_is_refused_before_the_import(
    tmp_path: Path, trade: Trade, name: str, reason: str
) -> None:
    """A report of no ending, of another one, or in no place for it is refused, and nothing is sent to the node."""
    (tmp_path / "folder.csv").mkdir()
    before = trade.call("maker", "get", "/jobs")

    line = refusal(typed(trade, "import", table(tmp_path, meters(1, seed=12)), "--report", str(tmp_path / name)))

    assert str(tmp_path / name) in line
    assert reason in line
    assert trade.call("maker", "get", "/jobs") == before


@pytest.mark.parametrize("name", ["R.CSV", "R.Xlsx"])
def test_report_has_an_ending_in_any_case(tmp_path: Path, trade: Trade, name: str) -> None:
    """The ending tells the kind of table in capitals too."""
    wrong = [with_serial(row, "1") for row in meters(1, seed=13)]

    done = typed(trade, "import", table(tmp_path, wrong), "--report", str(tmp_path / name))

    assert done.returncode == 0, done.stderr
    assert len(read_table((tmp_path / name).read_bytes()).rows) == 1


def test_import_counts_what_was_known_already(tmp_path: Path, trade: Trade) -> None:
    """A file sent again says how many of its rows were known; the first time it says nothing of that."""
    file = table(tmp_path, meters(2, seed=14))

    first, again = typed(trade, "import", file), typed(trade, "import", file)

    assert first.stdout == "2 imported, 0 reported\n", first.stderr
    assert again.stdout == "0 imported, 2 known already, 0 reported\n", again.stderr


def test_lookup_that_finds_nothing_says_so(trade: Trade) -> None:
    """The line repeats the text and says what could be done; the exit code is 1 as that of a search."""
    line = refusal(typed(trade, "lookup", "СГВ-15 № 9999999"))

    assert "nothing that carries 'СГВ-15 № 9999999' is known here" in line
    assert "compare it with the device" in line


@pytest.mark.parametrize("verb", ["lookup", "facts"])
def test_slip_of_the_pen_is_told_with_what_may_be_meant(trade: Trade, verb: str) -> None:
    """The line names the device whose serial is one slip away, with its id."""
    device = trade.call("maker", "post", "/plates", {"designation": "ПК-1", "serial": "70518243"})["id"]

    line = refusal(typed(trade, verb, "70518234"))

    assert f"did you mean ПК-1 № 70518243 ({device})" in line


def test_facts_of_a_serial_are_printed_for_programs(trade: Trade) -> None:
    """Everything that is known of each device with that serial is JSON on the standard output."""
    ids = {
        trade.call("maker", "post", "/plates", {"designation": name, "serial": "60718249"})["id"]
        for name in ("ПК-1", "ПК-2")
    }

    printed = json.loads(typed(trade, "facts", "60718249").stdout)

    assert {one["id"] for one in printed} == ids
    assert printed == trade.call("maker", "get", "/facts", q="60718249")["devices"]


@pytest.mark.parametrize("length", [LONGEST_TEXT + 1, 5000])
def test_lookup_of_a_long_text_says_how_long_it_may_be(trade: Trade, length: int) -> None:
    """A text that is too long for a request, or for a look-up alone, is told with its length and the limit."""
    line = refusal(typed(trade, "lookup", "Ж" * length))

    assert f"has {length} characters" in line
    assert f"at most {LONGEST_TEXT}" in line


def test_limit_of_a_lookup_is_that_of_the_node(trade: Trade) -> None:
    """The node reads a text of that length, and none that is longer."""
    assert trade.call("maker", "get", "/lookup", q="7" * LONGEST_TEXT)["items"] == []
    with pytest.raises(ApiError) as refused:
        trade.call("maker", "get", "/lookup", q="7" * (LONGEST_TEXT + 1))

    assert refused.value.code == "validation"


def test_request_that_no_route_reads_is_told_with_its_start(trade: Trade) -> None:
    """Where the node refuses a request without a problem document, the error says which one, and not all of it."""
    with pytest.raises(ApiError) as refused:
        trade.call("maker", "get", "/passports/" + "7" * 200_000)

    text = str(refused.value)
    assert "the node cannot read the request GET /api/v1/passports/777" in text
    assert "HTTP 400" in text
    assert len(text) < 200


def test_export_prints_a_passport_and_nothing_else(trade: Trade, tmp_path: Path) -> None:
    """An id is read as people type it; a text that leads to another resource is refused as no id."""
    typed(trade, "import", table(tmp_path, meters(1, seed=15)))
    device = trade.call("maker", "get", "/passports", limit="1")["items"][0]["id"]

    done = typed(trade, "export", device.lower())

    assert done.returncode == 0, done.stderr
    assert f'"id": "{device}"' in done.stdout
    for text in (f"{device}/../../node", f"{device}?x=1", "..", ""):
        assert f"{text!r} is no device id" in refusal(typed(trade, "export", text))


def test_command_speaks_one_language(trade: Trade, tmp_path: Path) -> None:
    """A node whose own language is Russian answers a command in English, in refusals and in findings alike."""
    assert trade.call("maker", "get", "/me")["language"] == "en"
    wrong = [with_serial(row, "1") for row in meters(1, seed=16)]

    refused = refusal(typed(trade, "join", "short"))
    found = typed(trade, "import", table(tmp_path, wrong)).stdout.splitlines()[1]

    assert "Too short" in refused
    assert not CYRILLIC.search(refused)
    assert not CYRILLIC.search(found.rpartition(": ")[2])


def test_federation_commands_tell_members_and_compare_words(trade: Trade, tmp_path: Path) -> None:
    """`members` tells the standing, `invite` and `join --preview` the same words; other words join nothing."""
    told = typed(trade, "federation", "members")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(f"{trade.orgs['maker']}  anchor")
    assert "anchor" in refusal(typed(trade, "federation", "expel", trade.orgs["maker"], "ошибка"))

    invited = typed(trade, "invite")
    text, words = invited.stdout.strip(), invited.stderr.splitlines()
    other = NodeProcess("joining", tmp_path / "joining", environment=ALONE)
    other.init(name="Вступающий", kind="lab", **PORTS)
    other.start()
    try:
        folder = ("--folder", str(other.folder))
        preview = command("join", text, "--preview", *folder)
        assert preview.stdout.splitlines()[-2:] == words
        wrong = command("join", text, "--words", "acorn " * 8, *folder)
        assert "other words" in refusal(wrong)
        assert command("join", text, "--words", words[0].partition(": ")[2], *folder).returncode == 0
    finally:
        other.stop()
    (open_one,) = [line for line in typed(trade, "invite").stdout.splitlines() if line]
    listed = typed(trade, "federation", "invitations").stdout.splitlines()
    assert open_one.startswith("PASSPORT1-")
    assert len(listed) == 1
    assert typed(trade, "federation", "invitations", "--revoke", listed[0].split()[0]).returncode == 0
    assert typed(trade, "federation", "invitations").stdout == ""


def test_labels_are_written_or_the_command_says_what_is_missing(trade: Trade, tmp_path: Path) -> None:
    """`labels` writes a PDF for the devices of a list; a name that is no file of labels, and no device, are told."""
    plate = {"mark": "ДЕМО", "designation": "ЭТ-15", "serial": "0000001"}
    device = str(trade.call("maker", "post", "/plates", plate)["id"])
    listed, file = tmp_path / "list.txt", tmp_path / "labels.pdf"
    listed.write_text(f"{device}\n\n")

    done = typed(trade, "labels", str(file), "--list", str(listed), "--size", "a4-3x7", "--start", "20")

    assert done.returncode == 0, done.stderr
    (code,) = zxingcpp.read_barcodes(pypdfium2.PdfDocument(file)[0].render(scale=3).to_pil())
    assert code.text == f"https://works.example/d/{device}"
    assert "ends in .pdf or .zpl" in refusal(typed(trade, "labels", str(tmp_path / "labels.doc"), device))
    assert "No device is named" in refusal(typed(trade, "labels", str(file)))
    assert "0000002" in refusal(typed(trade, "labels", str(file), "ЭТ-15 № 0000002"))


def test_boxes_are_made_listed_and_refused_by_commands(trade: Trade, tmp_path: Path) -> None:
    """`boxes` prints each code once and writes the sheets; a slip of the pen asks nobody."""
    plate = {"mark": "ДЕМО", "designation": "ЭТ-15", "serial": "0000003"}
    device = str(trade.call("maker", "post", "/plates", plate)["id"])
    listed, file = tmp_path / "list.txt", tmp_path / "boxes.pdf"
    listed.write_text(f"{device}\tк1\n")

    made = typed(trade, "boxes", "ТТН-1", "--list", str(listed), "--sheets", str(file))

    assert made.returncode == 0, made.stderr
    (code,) = re.findall(r"BOX1-\w{28}", made.stdout)
    (read,) = zxingcpp.read_barcodes(pypdfium2.PdfDocument(file)[0].render(scale=3).to_pil())
    assert read.text == f"https://works.example/d/{device}#{code}"
    shown = typed(trade, "boxes").stdout
    assert "ТТН-1/1: 1 devices, waiting" in shown
    assert code not in shown
    assert "mistyped" in refusal(typed(trade, "claim", code[:-2], device))
