"""Which driver a device gets, what a driver's hash covers, and what a broken driver costs."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from drivers.context import NOTHING
from drivers.descriptor import AppliesTo, Descriptor, Field, Vector, VersionRange, parse_version
from drivers.driver import Driver, driver_hash, prove
from drivers.errors import DescriptorError, DriverChoiceError, DriverError, DriverFaultError, FrameError
from drivers.reading import Decoded, Kind, Reading
from drivers.registry import DeviceTraits, Installed, Reach, Registry, Standing, install, load_registry, sources_of
from drivers.vega import betar, spbzip

REAL = bytes.fromhex("01631e000032e10b5e000001000000")


def driver(driver_id: str, applies_to: AppliesTo, version: str = "1.0.0", supersedes: tuple[str, ...] = ()) -> Driver:
    descriptor = replace(
        betar.DESCRIPTOR, id=driver_id, version=version, applies_to=applies_to, supersedes=supersedes, vectors=()
    )
    return replace(betar.DRIVER, descriptor=descriptor)


def registry(*drivers: Driver) -> Registry:
    return Registry(Installed(item, driver_hash(item.descriptor, {})) for item in drivers)


V1 = driver("si-11-v1", AppliesTo(models=("SI-11",), firmware=VersionRange(below="2.0")))
V2 = driver("si-11-v2", AppliesTo(models=("SI-11",), firmware=VersionRange(minimum="2.0")))


@pytest.mark.parametrize(("firmware", "expected"), [("1.9.9", "si-11-v1"), ("2.0", "si-11-v2"), ("2", "si-11-v2")])
def test_firmware_of_the_passport_decides_the_layout(firmware: str, expected: str) -> None:
    """Two layouts of one model are told apart by the firmware range alone."""
    chosen = registry(V1, V2).choose(DeviceTraits(model="si-11", firmware=firmware))

    assert chosen.driver.descriptor.id == expected


@pytest.mark.parametrize("firmware", [None, "unknown"])
def test_unknown_firmware_is_not_guessed(firmware: str | None) -> None:
    """Where the layout depends on the firmware and it is not known, no driver is chosen."""
    with pytest.raises(DriverChoiceError, match="no installed driver"):
        registry(V1, V2).choose(DeviceTraits(model="SI-11", firmware=firmware))


def test_better_match_wins() -> None:
    """A match by key beats one by model, which beats one by central type."""
    by_type = driver("by-type", AppliesTo(types=("t:cw",)))
    by_model = driver("by-model", AppliesTo(models=("ВС-15Д",)))
    by_key = driver("by-key", AppliesTo(match=(("payload", "betar"),)))
    known = registry(by_type, by_model, by_key)

    assert known.choose(DeviceTraits("t:cw")).driver is by_type
    assert known.choose(DeviceTraits("t:cw", "вс-15д")).driver is by_model
    assert known.choose(DeviceTraits("t:cw", "вс-15д", keys={"payload": "betar"})).driver is by_key


def test_two_equal_matches_are_a_persons_choice() -> None:
    """Two drivers that fit alike are both named and neither is used."""
    one, other = driver("one", AppliesTo(models=("M",))), driver("other", AppliesTo(models=("M",)))

    with pytest.raises(DriverChoiceError, match=r"one 1\.0\.0.*other 1\.0\.0|other 1\.0\.0.*one 1\.0\.0"):
        registry(one, other).choose(DeviceTraits(model="M"))


def test_newest_version_and_successor_are_chosen() -> None:
    """Of one id the highest version counts, by number and not by text; a superseded id steps back."""
    old, new = driver("a", AppliesTo(models=("M",)), "1.9.0"), driver("a", AppliesTo(models=("M",)), "1.10.0")
    successor = driver("b", AppliesTo(models=("M",)), supersedes=("a",))

    assert registry(old, new).choose(DeviceTraits(model="M")).driver is new
    assert registry(old, new, successor).choose(DeviceTraits(model="M")).driver is successor
    assert registry(old, new).find("a", "1.9.0") is not None


def test_driver_supersedes_none_of_a_higher_standing() -> None:
    """Whoever is only trusted does not put aside the driver of the type's owner; the owner puts aside his."""
    applies = AppliesTo(types=("t:cw",))
    for owned, trusted in ((("theirs",), ()), ((), ("owners",)), ((), ())):
        owners = Installed(driver("owners", applies, supersedes=owned), b"o" * 32, Standing.OWNER)
        theirs = Installed(driver("theirs", applies, supersedes=trusted), b"t" * 32, Standing.TRUSTED)

        assert Registry([owners, theirs]).choose(DeviceTraits("t:cw")) == owners


def published(
    org: str, applies: AppliesTo, standing: Standing, reach: Reach | None = None, name: str = "w"
) -> Installed:
    """A driver of an organisation."""
    made = driver(name, applies)
    made = replace(made, descriptor=replace(made.descriptor, publisher=org))
    return Installed(made, driver_hash(made.descriptor, {}), standing, reach)


NAMED = AppliesTo(match=(("payload", "w"),))


def test_name_counts_for_devices_of_its_publisher_alone() -> None:
    """A passport of another's meter that names the id gets nothing of him; one of his type, model or making does."""
    one = published("a1", NAMED, Standing.OWNER, Reach(frozenset({"t:cw"}), frozenset({"вс-15д"}), "a1"))
    named = {"payload": "w"}

    theirs = ({"type": "t:cw"}, {"model": "ВС-15Д"}, {"maker": "a1"}, {"type": "t:hw", "maker": "a1"})
    for about in theirs:
        assert Registry([one]).choose(DeviceTraits(**about, keys=named)) == one
    for device in (DeviceTraits("t:hw", "СГВ-15", keys=named, maker="b2"), DeviceTraits(keys=named)):
        with pytest.raises(DriverChoiceError, match="no installed driver"):
            Registry([one]).choose(device)
    free = replace(one, reach=None)
    assert Registry([free]).choose(DeviceTraits(keys=named)) == free


def test_two_publishers_use_one_id_each_for_his_own() -> None:
    """Neither takes it from the other, in whatever order they stand; where the id alone is asked for, none is meant."""
    one = published("a1", NAMED, Standing.OWNER, Reach(frozenset({"t:cw"})))
    other = published("b2", NAMED, Standing.OWNER, Reach(frozenset({"t:hw"})))
    for both in (Registry([one, other]), Registry([other, one])):
        assert both.choose(DeviceTraits("t:cw", keys={"payload": "w"})) == one
        assert both.choose(DeviceTraits("t:hw", keys={"payload": "w"})) == other
        assert both.find("w") is None
        assert (both.find("w", publisher="a1"), both.find("w", publisher="b2")) == (one, other)
        assert both.publishers_of("w") == ("a1", "b2")
    native = registry(driver("w", NAMED)).installed[0]
    assert Registry([one, native]).find("w", publisher="a1") == native


def test_two_trusted_publishers_of_one_id_are_a_persons_choice() -> None:
    """Both are named with their publishers and neither is used, until one of them is stopped."""
    one, other = (published(org, NAMED, Standing.TRUSTED) for org in ("a1", "b2"))

    with pytest.raises(DriverChoiceError, match=r"w 1\.0\.0 of a1, w 1\.0\.0 of b2|of b2, w 1\.0\.0 of a1"):
        Registry([one, other]).choose(DeviceTraits(keys={"payload": "w"}))
    assert Registry([other]).choose(DeviceTraits(keys={"payload": "w"})) == other


@pytest.mark.parametrize(
    ("firmware", "at", "celsius", "pulses"),
    [("1.9", "2023-11-14T22:13:20+00:00", 22, 1234), ("2.0", "2014-08-17T19:18:26+00:00", 101, 315926)],
)
def test_firmware_chooses_the_layout_of_the_same_bytes(firmware: str, at: str, celsius: int, pulses: int) -> None:
    """24 bytes that two layouts read with success are read by the one of the firmware in the passport."""
    chosen = load_registry().choose(DeviceTraits(model="SI-11", firmware=firmware))

    decoded = chosen.driver.decode(2, bytes.fromhex("015f0200f1536516d204000000000000000000004d000000"))

    assert decoded.device_time == datetime.fromisoformat(at)
    assert [reading.value for reading in decoded.readings if reading.channel < 2] == [pulses, celsius, 95]


@pytest.mark.parametrize("firmware", [None, "", "build 7"])
def test_device_of_unknown_firmware_has_no_driver_with_a_range(firmware: str | None) -> None:
    """Nothing is read by a guess: without a version in the passport neither layout is taken."""
    with pytest.raises(DriverChoiceError, match="no installed driver"):
        load_registry().choose(DeviceTraits(model="SI-11", firmware=firmware))


def test_one_name_twice_is_refused() -> None:
    """Two drivers of one id and version cannot both be installed."""
    with pytest.raises(DriverChoiceError, match=r"a 1\.0\.0"):
        registry(driver("a", AppliesTo()), driver("a", AppliesTo()))


def test_installed_driver_is_found_by_the_hash_of_a_reading() -> None:
    """A stored reading leads back to the driver that made it."""
    known = load_registry()
    chosen = known.choose(DeviceTraits(model="CE2726A"))

    assert chosen.driver is spbzip.DRIVER
    assert known.find_by_hash(chosen.hash) is chosen
    assert known.find_by_hash(bytes(32)) is None


def test_hash_covers_descriptor_and_source() -> None:
    """Another scale, another line of source or another module gives another hash; the same gives the same."""
    sources = sources_of(betar.DRIVER)
    first = driver_hash(betar.DESCRIPTOR, sources)
    scaled = replace(
        betar.DESCRIPTOR, fields=(replace(betar.VOLUME, scale=Decimal("0.001")), *betar.DESCRIPTOR.fields[1:])
    )
    changed = sources | {"drivers.vega.betar": sources["drivers.vega.betar"] + b"\n"}

    assert first == driver_hash(betar.DESCRIPTOR, dict(reversed(sources.items())))
    assert len({first, driver_hash(scaled, sources), driver_hash(betar.DESCRIPTOR, changed)}) == 3
    assert len(first) == 32


@pytest.mark.parametrize(
    "error", [IndexError, AttributeError, ValueError, ZeroDivisionError, RuntimeError, RecursionError]
)
def test_decoder_that_leaks_an_error_is_at_fault(error: type[Exception]) -> None:
    """Whatever a decoder of others raises reaches the core as the driver's fault."""

    def decoder(port: int, data: bytes) -> Decoded:
        raise error("inside")

    with pytest.raises(DriverFaultError, match=error.__name__):
        replace(betar.DRIVER, decoder=decoder).decode(2, REAL)


def test_batch_that_leaks_an_error_costs_the_frames_that_it_is_of() -> None:
    """Where a driver raises for several frames together each is asked for alone."""

    def together(_frames: object) -> list[Decoded | DriverError]:
        raise ArithmeticError("of one of them")

    def alone(_port: int, data: bytes) -> Decoded:
        if not data:
            raise ArithmeticError("of this one")
        return Decoded("x")

    broken = replace(betar.DRIVER, decoder=alone, in_context=None, in_batches=together)
    found = broken.decode_each([(2, b"1", NOTHING), (2, b"", NOTHING)])

    assert [type(one) for one in found] == [Decoded, DriverFaultError]


def test_decoder_that_gives_something_else_is_at_fault() -> None:
    """A decoder that returns no Decoded is refused, not passed on."""

    def decoder(port: int, data: bytes) -> dict[str, float]:
        return {"volume": 1.0}

    broken = replace(betar.DRIVER, decoder=decoder)  # type: ignore[arg-type]  # the fault

    with pytest.raises(DriverFaultError, match="dict"):
        broken.decode(2, REAL)


def test_frame_over_the_limit_is_not_decoded() -> None:
    """No decoder sees more than 4096 bytes."""
    with pytest.raises(FrameError, match="4097"):
        betar.DRIVER.decode(2, bytes(4097))


def test_driver_whose_vector_fails_is_not_installed() -> None:
    """A driver that does not do on this node what its publisher saw stays out, with the vector named."""
    lying = replace(betar.DESCRIPTOR, vectors=(Vector("lie", 2, REAL.hex(), "data"),))
    broken = replace(betar.DRIVER, descriptor=lying)

    assert [item.name for item in prove(broken)] == ["lie"]
    with pytest.raises(DriverError, match="vector 'lie'"):
        install(broken, {})


def test_driver_that_names_a_module_nobody_loaded_is_refused() -> None:
    """The hash cannot be taken over a source that is not there."""
    with pytest.raises(DriverError, match=r"drivers\.nowhere"):
        sources_of(replace(betar.DRIVER, modules=("drivers.nowhere",)))


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.x"},
        {"fields": (betar.VOLUME, betar.VOLUME)},
        {"fields": (Field("volume", "volume", "cubic metre", Kind.COUNTER),)},
        {"vectors": (Vector("v", 9, "", ""),)},
    ],
)
def test_descriptor_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    """A version, a unit, a doubled field or a vector for another port is caught when it is declared."""
    with pytest.raises(DescriptorError):
        replace(betar.DESCRIPTOR, **change)  # type: ignore[arg-type]  # one field at a time


def test_version_range_without_versions_is_refused() -> None:
    """From 2 and below 1 holds nothing."""
    with pytest.raises(DescriptorError):
        VersionRange("2", "1")


@pytest.mark.parametrize("text", ["", "1.", "1.a", "١", "1.2.3.4.5.6.7", "1234567890"])
def test_text_that_is_no_version_is_refused(text: str) -> None:
    """A version is up to six groups of ASCII digits."""
    with pytest.raises(DescriptorError):
        parse_version(text)


def test_field_is_found_by_name() -> None:
    """A declared field is found, another is refused by name."""
    assert betar.DESCRIPTOR.get_field("volume") is betar.VOLUME
    with pytest.raises(DescriptorError, match="'pressure'"):
        betar.DESCRIPTOR.get_field("pressure")


def test_reading_that_cannot_be_is_refused() -> None:
    """A float, a naive time and an unknown unit never become a reading."""
    with pytest.raises(DescriptorError):
        Reading(1, "volume", 0.1, "m3", Kind.COUNTER, None)  # type: ignore[arg-type]  # the fault
    with pytest.raises(DescriptorError):
        Reading(1, "volume", Decimal("NaN"), "m3", Kind.COUNTER, None)
    with pytest.raises(DriverError):
        Reading(1, "volume", Decimal(1), "cbm", Kind.COUNTER, None)


def test_canonical_descriptor_is_stable_text() -> None:
    """Canonical bytes are sorted JSON without spaces, with scales as text."""
    canonical = betar.DESCRIPTOR.canonical().decode()

    assert canonical.startswith('{"applies_to":{"match":')
    assert '"scale":"0.0001"' in canonical
    assert isinstance(betar.DESCRIPTOR, Descriptor)
