"""A driver as it travels: what comes back is what was written, and what lies about itself is refused by name."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.descriptor import Level
from drivers.errors import DescriptorError
from drivers.package import MAX_PACKAGE, Package, decode_package, read_folder
from drivers.vega.betar import DESCRIPTOR

FOLDER = {
    "driver.toml": b"""
id = "maker-water"
publisher = "0102030405060708090a0b0c0d0e0f10"
name = "\xd0\x92\xd0\x9a-7"
version = "1.2"
level = 0
transports = ["lorawan"]
ports = [2]

[applies_to]
models = ["VK-7"]
firmware = {minimum = "1.1"}

[[fields]]
name = "volume"
quantity = "volume"
unit = "m3"
kind = "counter"
scale = "0.001"

[clock]
ahead_s = 60
behind_s = 3600
""",
    "payload.yaml": b"fields: []",
}

VECTOR = {"name": "v", "port": 2, "data": "zz", "expected": ""}
Change = Callable[[dict[str, Any]], object]


def told(change: Change | None = None) -> bytes:
    """The package of the folder, with something changed in its JSON."""
    found = json.loads(read_folder(FOLDER).encode())
    if change is not None:
        change(found)
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")


def test_folder_of_an_author_becomes_a_package_that_is_read_back() -> None:
    """Sizes and hashes are filled in, what is left out has its default; equal drivers have equal bytes and hashes."""
    package = read_folder(FOLDER)

    assert decode_package(package.encode()) == package
    assert decode_package(told()).hash == package.hash
    assert package.descriptor.level is Level.PAYLOAD
    assert [(entry.name, entry.size) for entry in package.descriptor.files] == [("payload.yaml", 10)]
    assert read_folder(FOLDER | {"payload.yaml": b"fields: [ ]"}).hash != package.hash


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda p: p["descriptor"]["files"][0].update(size=11),
            "payload.yaml: the descriptor says 11 bytes, it has 10",
        ),
        (lambda p: p["descriptor"]["files"][0].update(sha256="00" * 32), "payload.yaml: its SHA-256"),
        (lambda p: p["files"].update({"more.js": "1"}), r"names the files \['payload.yaml'\]"),
        (lambda p: p["files"].clear(), r"here are \[\]"),
        (lambda p: p["files"].update({"payload.yaml": 1}), "'payload.yaml' is no text"),
        (lambda p: p["descriptor"].update(level=3), "native"),
        (lambda p: p["descriptor"].update(level=9), "level"),
        (lambda p: p["descriptor"].update(id="../x"), "no id of a driver"),
        (lambda p: p["descriptor"].update(colour="red"), "colour: a descriptor has nothing of that name"),
        (lambda p: p["descriptor"]["fields"][0].update(scal="1"), "fields.0.scal: a descriptor has nothing"),
        (lambda p: p["descriptor"]["fields"][0].update(scale="1E+999999999"), "'volume': scale is a number of at most"),
        (lambda p: p["descriptor"]["fields"][0].update(scale="1E-999999999"), "'volume': scale is a number of at most"),
        (lambda p: p["descriptor"]["fields"][0].update(unit="furlong"), "furlong"),
        (lambda p: p["descriptor"].update(version="one"), "no dotted version"),
        (
            lambda p: p["descriptor"].update(
                vectors=[{"name": f"v{n}", "port": 2, "data": "", "expected": ""} for n in range(65)]
            ),
            "at most 64 vectors, got 65",
        ),
        (lambda p: p["descriptor"].pop("clock"), "clock: Field required"),
        (lambda p: p["descriptor"].update(states=[]), "canonical form"),
        (lambda p: p["descriptor"].update(vectors=[VECTOR]), "'v': its data is no hex"),
        (lambda p: p["descriptor"].update(name="a\0b"), "descriptor.name is no text"),
        (lambda p: p["descriptor"].update(name="\ud800"), "descriptor.name is no text"),
        (lambda p: p["descriptor"]["fields"][0].update(name="\udfff"), "descriptor.fields.0.name is no text"),
        (lambda p: p.update(note=""), "a descriptor and files, and nothing else"),
    ],
)
def test_package_that_contradicts_itself_is_refused(change: Change, says: str) -> None:
    """Another size, hash, set of files, key or number than its descriptor may have: the text names what and where."""
    with pytest.raises(DescriptorError, match=says):
        decode_package(told(change))


def test_native_driver_does_not_travel() -> None:
    """Code of this machine is installed by its administrator."""
    with pytest.raises(DescriptorError, match="betar-vega is native"):
        Package(DESCRIPTOR, {})


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"driver.toml": b"id ="}, "driver.toml: "),
        ({"driver.toml": b"\xff"}, "driver.toml: "),
        ({"payload.yaml": b""}, "has a driver.toml"),
        (FOLDER | {"PAYLOAD.yaml": b""}, "no name of a driver's file"),
        (FOLDER | {"blob.bin": b"\xff"}, "blob.bin is no text"),
        (FOLDER | {f"file{n}": b"" for n in range(8)}, "at most 8 files"),
    ],
)
def test_folder_that_is_no_driver_is_refused(files: dict[str, bytes], says: str) -> None:
    """A description that is missing or cannot be read, names that are none, bytes that are no text, too many files."""
    with pytest.raises(DescriptorError, match=says):
        read_folder(files)


def test_package_over_the_limit_is_refused_before_it_is_read() -> None:
    """Neither a large file nor a megabyte of brackets is taken apart."""
    with pytest.raises(DescriptorError, match=f"at most {MAX_PACKAGE} bytes"):
        read_folder(FOLDER | {"payload.yaml": b"#" * MAX_PACKAGE}).encode()
    with pytest.raises(DescriptorError, match=f"at most {MAX_PACKAGE} bytes"):
        decode_package(b"[" * 1_000_000)
    with pytest.raises(DescriptorError):
        decode_package(b"[" * MAX_PACKAGE)


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_a_package_or_an_error(raw: bytes) -> None:
    """Arbitrary bytes give a package that is encoded the same, or the error."""
    try:
        assert decode_package(raw).encode() == raw
    except DescriptorError:
        return


@pytest.mark.parametrize("flip", [0x01, 0x02, 0x20, 0x80])
def test_byte_that_is_flipped_anywhere_gives_another_driver_or_an_error(flip: int) -> None:
    """Each byte in its turn: what is read is what was given, under another hash; a file is never another unseen."""
    whole = told()
    kept, own = decode_package(whole), json.loads(whole)["descriptor"]["files"][0]["sha256"].encode()
    guarded = {at for part in (b"fields: []", own) for at in range(whole.index(part), whole.index(part) + len(part))}
    taken: set[int] = set()
    for at in range(len(whole)):
        raw = whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]
        try:
            found = decode_package(raw)
        except DescriptorError:
            continue
        taken.add(at)
        assert found.encode() == raw
        assert found.hash != kept.hash
        assert found.files == kept.files
    assert not taken & guarded
    if flip < 0x20:
        name = whole.index(b"volume")
        assert name in taken, "a name that is another letter is another driver, and no error"


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in JSON."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, item in inside for place in places(item, (*path, name)))]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1", "2.0", "m3"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(place=st.sampled_from(places(json.loads(told()))[1:]), value=ANYTHING, is_gone=st.booleans())
def test_package_with_anything_in_any_place_is_itself_or_an_error(
    place: tuple[Any, ...], value: object, is_gone: bool
) -> None:
    """In canonical form, so that what it says is what is asked: read, it has these bytes, and a hash of its own."""

    def change(found: Any) -> None:
        for name in place[:-1]:
            found = found[name]
        if is_gone:
            del found[place[-1]]
        else:
            found[place[-1]] = value

    raw = told(change)
    try:
        package = decode_package(raw)
    except DescriptorError:
        assert raw != told()
        return
    assert package.encode() == raw
    assert (package.hash == decode_package(told()).hash) == (raw == told())
