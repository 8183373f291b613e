"""The small verifier: one plain file of the standard library and PyNaCl, held against the node's own check."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.authority import Attestation, Attested
from federation.codec import Value, pack, unpack
from federation.errors import CodecError
from federation.fragment import decode_header
from federation.genesis import Genesis, fingerprint
from federation.keys import SigningKey
from node.exchange import verify_passport as small
from node.exchange.errors import PassportFileError
from node.exchange.passport_check import check_file
from node.exchange.passport_file import LENGTH, MAGIC, Part, PartKind, cut_file
from node.passport.ids import SubjectId, format_device_id
from tests.builders import Line, id16
from tests.passport_files import MADE, Author, Filed, federated, signed_again

PROGRAM = Path(small.__file__)
MOST_LINES = 400
ALLOWED = {*sys.stdlib_module_names, "nacl"}
PLATE = '{"mark":"ДЕМО","designation":"ВС-15Д","serial":"00012345","year":"2025"}'.encode()


def usual() -> Filed:
    """A maker who is attested and a lab, of whose statements something is withheld."""
    genesis, (maker, lab) = federated("maker", "lab")
    maker.attest(genesis, Attested.MAKER, maker.org)
    maker.say(1, nameplate=PLATE)
    maker.say(4, event=b'{"what":"repaired"}', price=b"100", person="Иванов".encode())
    lab.say(6, document=b'{"error":"0.1"}', person="Петров".encode())
    return Filed([maker, lab], genesis, hidden=frozenset({"person", "price"}))


def rotated() -> Filed:
    """A second node stated by the promised root key, with two logs."""
    genesis, (maker,) = federated("maker")
    maker.say(event=b"1")
    maker.line = maker.line.rotate("maker/root-1", "maker/root-2")
    maker.node("b").say(event=b"2")
    maker.log("b", "second").say(event=b"3")
    return Filed([maker], genesis)


def ended(*, later: bool = False, lies: bool = False) -> Filed:
    """A node that was ended with a cut; `later` it spoke on, `lies` the root in the cut is of no tree."""
    genesis, (maker,) = federated("maker")
    other = Author.of("other")
    other.say(event=b"1")
    other.say(event=b"2")
    size = len(other.logs[-1][1].entries)
    other.line = other.line.end("other/a", other.cut(size, bytes(32) if lies else None))
    log = other.logs[-1][1].log
    if later:
        other.say(event=b"3")
    return Filed([maker, other], genesis, {log: size} if not lies else {})


def written_after_end() -> Filed:
    """A writer whose own chain ended his node: all that he said counts by the cut, and what he signs now does not."""
    genesis, (maker, other) = federated("maker", "other")
    other.say(event=b"1")
    writer = other.logs[-1][1]
    other.line = other.line.end("other/a", other.cut(len(writer.entries)))
    return Filed([other, maker], genesis)


def disowned() -> Filed:
    """A node whose statement a rotate voided."""
    genesis, (maker,) = federated("maker")
    other = Author.of("other")
    other.say(event=b"1")
    voiding = other.line.back_to(0).rotate("other/root-1", "other/root-2")
    other.line = Line((*other.line.statements, voiding.last), voiding.root)
    return Filed([maker, other], genesis)


def forked(*, attested: bool = False) -> Filed:
    """Two nodes stated at one place of a chain; an anchor attests the branch of the first, or nobody does."""
    genesis, (maker,) = federated("maker")
    other = Author.of("other")
    other.say(event=b"1")
    rival = other.line.back_to(0).node("other/rival")
    if attested:
        maker.attest(genesis, Attested.BRANCH, other.org, other.line.last.hash.hex())
    other.line = Line((*other.line.statements, rival.last), other.line.root)
    return Filed([maker, other], genesis)


def unproven() -> Filed:
    """A log of which nobody signed a tree that holds the newest entry."""
    filed = usual()
    log = filed.authors[1].logs[0][1].log
    return Filed(filed.authors, filed.genesis, {log: 1}, filed.hidden)


HOLDING: dict[str, Callable[[], Filed]] = {
    "usual": usual, "rotated": rotated, "ended": ended, "attested fork": lambda: forked(attested=True),
    "no federation": lambda: Filed(usual().authors),
}  # fmt: skip
BROKEN: dict[str, tuple[Callable[[], Filed], str]] = {
    "after the end": (lambda: ended(later=True), "ended"),
    "cut of another tree": (lambda: ended(lies=True), "ended"),
    "disowned": (disowned, "ended"),
    "written after the end": (written_after_end, "ended"),
    "fork": (forked, "node"),
    "proof of another tree": (unproven, "proof"),
}


def verdict(raw: bytes) -> tuple[str, set[bytes]]:
    """How the small verifier takes a file, and the places of what counts."""
    try:
        file = small.File(raw)
    except small.BrokenError:
        return "unread", set()
    return "wrong" if file.accused else "holds", {place(one.part.log, one.part.seq) for one in file.entries}


def node_verdict(raw: bytes) -> tuple[str, set[bytes]]:
    """The same of the node's own check; what follows from a fold is its own affair."""
    try:
        checked = check_file(raw)
    except PassportFileError:
        return "unread", set()
    found = [one for one in checked.findings if "folds from this file" not in one.what]
    return "wrong" if found else "holds", {place(one.ref.log, one.ref.seq) for one in checked.statements}


def place(log: bytes, seq: int) -> bytes:
    """A place as a key."""
    return log + seq.to_bytes(8, "big")


@pytest.mark.parametrize("name", HOLDING)
def test_verifier_agrees_with_the_node_on_what_holds(name: str) -> None:
    """Rotations, second logs, ended nodes and attested forks: both take the file, and the same statements count."""
    raw = HOLDING[name]().write()

    assert verdict(raw) == node_verdict(raw)
    assert verdict(raw)[0] == "holds"
    assert check_file(raw).findings == []


@pytest.mark.parametrize("name", BROKEN)
def test_verifier_agrees_with_the_node_on_what_does_not_count(name: str) -> None:
    """What stands after an end, of a disowned node or on a forked chain is refused by both, and named."""
    make, rule = BROKEN[name]
    raw = make().write()

    file = small.File(raw)

    assert node_verdict(raw)[0] == "wrong"
    assert {fault.args[0] for fault in file.accused.values()} - {"node"} <= {rule}
    assert rule in {fault.args[0] for fault in file.accused.values()}


def test_any_flipped_bit_is_named_with_its_part() -> None:
    """Wherever one bit changes, the one part that it stands in is accused, and told with its bytes."""
    raw = usual().write()
    bounds = [(part.start, part.start + len(part.content)) for part in small.File(raw).parts]
    unread = set()

    for number, (start, end) in enumerate(bounds):
        for at in sorted({*range(start, end, 13), end - 1}):
            flipped = raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :]
            try:
                file = small.File(flipped)
            except small.BrokenError:
                unread.add(number)
                continue
            assert set(file.accused) == {number}, f"byte {at}"
            lines, code = small.report(file, "", 0)
            assert code == 1
            assert any(line.startswith("НЕВЕРНО") and f"[{start}-{end - 1}]" in line for line in lines)
    assert unread == {0}  # nothing can be told of the parts where the manifest is not to be read


def test_altered_bytes_are_told_with_the_rule() -> None:
    """A section, a header, a path, a checkpoint, a root statement and the manifest each break a rule of their own."""
    filed = usual()
    raw, log = filed.write(), filed.authors[1].logs[0]
    entry = log[1].entries[-1]

    def rules(needle: bytes, after: int = 0) -> list[str]:
        at = raw.index(needle) + after
        accused = small.File(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]).accused
        return [str(fault.args[0]) for fault in accused.values()]

    assert rules(b'{"error":"0.1"}', 3) == ["commitment"]
    assert rules(entry.header, 40) == ["signature"]
    assert rules(entry.signature, 40) == ["signature"]
    assert rules(log[1].path(len(log[1].entries) - 1)[0], 5) == ["proof"]
    assert rules(log[1].note(), 60) == ["note"]
    assert rules(filed.authors[1].line.last.signature, 9) == ["root"]
    assert rules("проверка".encode(), 1) == ["manifest"]


@cache
def forger(name: str) -> tuple[SigningKey, bytes]:
    """A file, and the key of the node that wrote it."""
    filed = HOLDING[name]()
    return filed.authors[0].logs[0][1].key, filed.write()


def other_parts(parts: list[Part], at: int, what: str) -> list[Part]:
    """Parts of which one was dropped, doubled, swapped with the next, called another kind, or changed in one value."""
    one = parts[at]
    if what == "drop":
        return [*parts[:at], *parts[at + 1 :]]
    if what == "double":
        return [*parts[: at + 1], *parts[at:]]
    if what == "swap":
        return [*parts[:at], *parts[at : at + 2][::-1], *parts[at + 2 :]]
    if what == "kind":
        kinds = {PartKind.ENTRY: PartKind.PUBLICATION, PartKind.PUBLICATION: PartKind.ENTRY}
        return [*parts[:at], Part(kinds.get(one.kind, one.kind), one.content, one.log, one.seq), *parts[at + 1 :]]
    value = unpack(one.content, 1 << 24)
    if what == "proof" and isinstance(value, list) and len(value) == 4:
        value[3] = None
    if what == "section" and isinstance(value, list) and one.kind in {PartKind.ENTRY, PartKind.PUBLICATION}:
        value[2][2] = value[2][2][1:]  # type: ignore[index]  # a list of sections
    return [*parts[:at], Part(one.kind, pack(value), one.log, one.seq), *parts[at + 1 :]]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(HOLDING)), st.data())
def test_verifier_agrees_with_the_node_on_what_a_writer_forges(name: str, data: st.DataObject) -> None:
    """A writer who signs other parts than were said is judged alike by both; neither takes what the other refuses."""
    key, raw = forger(name)
    parts = [one.part for one in cut_file(raw).parts]
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(parts) - 1))
        parts = other_parts(
            parts, at, data.draw(st.sampled_from(["drop", "double", "swap", "kind", "proof", "section"]))
        )

    forged = signed_again(raw, parts, key)

    assert verdict(forged)[0] == node_verdict(forged)[0]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No bytes make the verifier fail in another way than its own error."""
    for content in (raw, MAGIC + len(raw).to_bytes(LENGTH, "big") + raw):
        with pytest.raises(small.BrokenError):
            small.File(content)


def test_forms_that_cost_memory_are_refused() -> None:
    """Arrays deeper than 8, longer than their bytes, and too many of them are refused before they are made."""
    for body in (
        b"\x91" * 9 + b"\xc0",
        b"\xdd\x7f\xff\xff\xff",
        b"\xc6\x7f\xff\xff\xff",
        b"\xdc\xff\xff" + b"\x90" * 65_536,
    ):
        with pytest.raises(small.BrokenError) as caught:
            small.read(body, 1 << 20, "body", list)
        assert caught.value.args[0] == "msgpack"


def test_reader_takes_what_the_codec_takes() -> None:
    """Longer forms than the shortest, maps, floats, booleans, negative and large numbers are refused by both."""
    numbers = [0, 127, 128, 255, 256, 65_535, 65_536, 2**32, 2**63 - 1]
    good: list[Value] = [None, *numbers, "", "я" * 40, "a" * 70_000, b"x" * 300, [[]] * 20]
    refused = ("cc7f", "cd00ff", "ce0000ffff", "cf00000000ffffffff", "cf8000000000000000", "d900", "da0001", "c3", "80",
               "ca00000000", "ff", "d0ff", "dc0001c0", "c500ff", "a1ff", "c1", "91", "0000", "")  # fmt: skip

    assert [small.read(pack(value), 1 << 20, "value", anything) for value in good] == good
    for raw in map(bytes.fromhex, refused):
        with pytest.raises(small.BrokenError):
            small.read(raw, 1 << 20, "value", anything)
        with pytest.raises(CodecError):
            unpack(raw)


def anything(_: object) -> bool:
    """A form that every value has."""
    return True


def test_file_is_rooted_by_the_federations_fingerprint() -> None:
    """With the federation's fingerprint and attested authors it is rooted; without it, or with others, it is not."""
    filed = usual()
    assert filed.genesis is not None
    file, mark = small.File(filed.write()), filed.genesis.id.hex()

    lines, code = small.report(file, mark, 1)

    assert code == 0
    assert any("inn:7707083890" in line and "Attested by anchors" in line for line in lines)
    assert any("as an attested maker says: ДЕМО ВС-15Д 00012345 2025" in line for line in lines)
    assert {"Withheld 1: price, class 3", "Withheld 2: person, class 4"} <= set(lines)
    assert small.report(file, "", 1)[1] == 3
    assert small.report(file, "0" * 32, 1)[1] == 1
    assert small.report(small.File(rotated_stranger().write()), mark, 1)[1] == 3


def rotated_stranger() -> Filed:
    """The same federation with an author whom no anchor attests."""
    filed = usual()
    stranger = Author.of("stranger")
    stranger.say(event=b"1")
    return Filed([*filed.authors, stranger], filed.genesis)


def test_number_that_an_anchor_corrected_is_not_told() -> None:
    """A later attestation above an earlier one takes its place, and two of two anchors have to agree."""
    anchors = [Author.of(name) for name in ("one", "two")]
    genesis = Genesis("Две", tuple(sorted(one.org for one in anchors)), 2)
    for number, one in enumerate(anchors):
        first = one.attest(genesis, Attested.NUMBER, anchors[0].org, "inn:1")
        one.attest(genesis, Attested.NUMBER, anchors[0].org, "inn:2", refs=[first])
        one.attest(genesis, Attested.NUMBER, anchors[1].org, f"inn:{3 + number}")
    anchors[0].say(event=b"1")

    numbers = small.File(Filed(anchors, genesis).write()).attested(1)

    assert numbers == {anchors[0].org: {"inn:2"}}


def test_number_of_two_organisations_is_nobodys() -> None:
    """A number that counts for two organisations roots neither, nor do two numbers of a kind for one (9.2)."""
    genesis, (anchor, one, two) = federated("anchor", "one", "two")
    anchor.attest(genesis, Attested.NUMBER, two.org, "inn:7707083891")
    one.say(event=b"1")
    anchor.say(event=b"1")

    file = small.File(Filed([anchor, one, two], genesis).write())

    assert (file.numbers(one.org, file.made), file.numbers(two.org, file.made)) == (set(), set())
    assert file.numbers(anchor.org, file.made) == {"inn:7707083890"}
    assert small.report(file, genesis.id.hex(), 1)[1] == 3


def test_what_was_attested_when_it_was_said_counts() -> None:
    """A maker whose attestations ended before the file was written is told as he was when he spoke, and no later."""
    anchor, maker = Author.of("anchor"), Author.of("maker")
    genesis = Genesis("Демо", (anchor.org,), 1)
    spoken = maker.say(1, nameplate=PLATE)
    header = decode_header(maker.logs[0][1].entries[0].header, spoken.log, 0)
    for end, code, told in (
        (header.stamp + 1, 0, "    made, as an attested maker says: ДЕМО ВС-15Д 00012345 2025"),
        (header.occurred, 3, "    plate, as somebody says who is no attested maker: ДЕМО ВС-15Д 00012345 2025"),
    ):
        assert end < MADE
        said = replace(anchor, logs=[])
        said.log("a", str(code))
        for what, rows in ((Attested.MAKER, ()), (Attested.NUMBER, ("inn:1",))):
            said.say(16, maker.org, attest=Attestation(genesis.id, what, maker.org, rows, None, end).to_bytes())

        lines, found = small.report(small.File(Filed([said, maker], genesis).write()), genesis.id.hex(), 1)

        assert (found, told in lines) == (code, True), lines


def test_plate_of_another_device_is_not_told_as_its_own() -> None:
    """A writer who adds a statement about another device gets it listed under that one's id, and its plate nowhere."""
    genesis, (maker,) = federated("maker")
    maker.attest(genesis, Attested.MAKER, maker.org)
    maker.say(1, nameplate=PLATE)
    maker.say(1, id16("another"), nameplate=PLATE.replace(b"00012345", b"99999999"))

    lines, _ = small.report(small.File(Filed([maker], genesis).write()), "", 1)

    assert sum("ВС-15Д" in line for line in lines) == 1
    assert any(f" > {format_device_id(SubjectId(id16('another')))}" in line for line in lines)
    assert "99999999" not in "".join(lines)


@pytest.mark.parametrize("plate", [
    b'{"serial":"1","serial":"99999999"}', b'{"serial":' + b"[" * 900 + b"]" * 900 + b"}", b'{"serial":99999999}',
    '{"serial":"99999999"}'.encode("utf-16"), b'{"designation":NaN}', b"[" * 100_000,
])  # fmt: skip
def test_plate_that_is_none_is_not_told(plate: bytes) -> None:
    """A plate with a name twice, in another encoding, or of endless brackets tells nothing and stops nothing."""
    genesis, (maker,) = federated("maker")
    maker.say(1, nameplate=plate)

    lines, code = small.report(small.File(Filed([maker], genesis).write()), "", 1)

    assert code == 3
    assert "99999999" not in "".join(lines)


def test_words_of_an_author_fill_no_screen() -> None:
    """A name of spaces, line breaks, colours, marks of direction and any length stays a short part of its line."""
    genesis, (maker,) = federated("maker")
    name = "\u202e" + "x" + " " * 400 + "It holds, rooted.\n\x1b[32m" + "y" * 10_000 + "\ud800"
    maker.say(15, maker.org, card=json.dumps({"name": name}).encode())
    maker.say(1, nameplate=json.dumps({"mark": name}).encode())

    lines, _ = small.report(small.File(Filed([maker], genesis).write()), "", 1)

    assert all(line.isprintable() and len(line) < 320 for line in lines)
    assert "x It holds, rooted. ?[32m" in "".join(lines)


def test_chain_without_end_is_refused_before_it_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more than 2,000 root statements of one organisation no signature is looked at."""
    (statement,) = [one for one in Author.of("other").line.statements if one.n == 0]
    asked = []
    monkeypatch.setattr(small, "signs", lambda *_: asked.append(1))

    with pytest.raises(small.BrokenError):
        small.Chain([SimpleNamespace(hash=statement.hash)] * 2_001, set())

    assert asked == []


@pytest.mark.parametrize(("typed", "code"), [
    ("{0}", 0), ("{0} FILE", 0), ("{1}", 0), ("{2}", 0), ("{3}", 1), ("{4}", 2), ("word word word", 2),
])  # fmt: skip
def test_fingerprint_is_taken_as_it_is_shown(
    typed: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Eight groups with or without quotes, in capitals or Cyrillic letters; one too short is no fault of the file."""
    filed, path = usual(), tmp_path / "a.passport"
    assert filed.genesis is not None
    path.write_bytes(filed.write())
    shown = fingerprint(filed.genesis.id)
    cyrillic = shown.upper().translate(str.maketrans("ABCE", "АВСЕ"))
    words = typed.format(shown, shown.replace(" ", ":"), cyrillic, "0" * 32, shown[:-1]).split()
    named = [str(path) if word == "FILE" else word for word in words]

    try:
        found = small.main(["--language", "en", *([] if "FILE" in words else [str(path)]), "--federation", *named])
    except SystemExit as error:
        found = int(str(error.code))
        assert "8 groups of 4" in capsys.readouterr().err

    assert found == code


def test_verifier_is_one_small_file_of_its_own() -> None:
    """At most 400 lines, importing the standard library and PyNaCl and nothing else."""
    source = PROGRAM.read_text(encoding="utf-8")
    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else name.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }

    assert len(source.splitlines()) <= MOST_LINES
    assert {name.partition(".")[0] for name in names} <= ALLOWED


@pytest.fixture(scope="module")
def empty_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment that has PyNaCl, with what that needs, and no other package."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    for name in ("pynacl", "cffi", "pycparser"):
        for file in metadata.files(name) or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(Path(str(file.locate())).resolve())
    return folder / "bin" / "python"


@pytest.mark.slow
def test_program_runs_in_an_empty_environment_with_the_network_off(empty_venv: Path, tmp_path: Path) -> None:
    """In a venv of PyNaCl alone, with no interface of any network: 0 rooted, 1 altered, 2 no file, 3 not rooted."""
    filed = usual()
    assert filed.genesis is not None
    raw, mark = filed.write(), fingerprint(filed.genesis.id)
    program, good, bad = tmp_path / "verify_passport.py", tmp_path / "good.passport", tmp_path / "bad.passport"
    program.write_bytes(PROGRAM.read_bytes())
    good.write_bytes(raw)
    bad.write_bytes(raw[:-30] + bytes([raw[-30] ^ 4]) + raw[-29:])

    def run(*arguments: str) -> tuple[int, str]:
        lonely = ["unshare", "--net", "--map-root-user", str(empty_venv), "-I", str(program), *arguments]
        done = subprocess.run(lonely, capture_output=True, text=True, check=False, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    assert run(str(good), "--federation", mark, "--language", "ru")[0] == 0
    code, told = run(str(bad), "--language", "en")
    assert (code, "WRONG: " in told) == (1, True)
    assert run(str(program))[0] == 2
    assert run(str(tmp_path / "none"))[0] == 2
    code, told = run(str(good), "--language", "en")
    assert (code, told.splitlines()[-1]) == (3, "Consistent, not rooted: see --federation.")
