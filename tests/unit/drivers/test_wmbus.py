"""Wireless M-Bus: every layer in clear and encrypted, and what is refused with which error."""

import pickle
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from drivers.context import Context
from drivers.driver import summary
from drivers.errors import (
    EncodeError,
    ForeignMeterError,
    FrameError,
    MacError,
    MissingKeyError,
    UnknownFormatError,
    UnprotectedError,
    UnsupportedError,
    WrongKeyError,
)
from drivers.keys import Key
from drivers.mbus.records import Records, decode_records
from drivers.reading import Decoded, Storage
from drivers.vega.tl11 import DRIVER as TL11
from drivers.wmbus import compact
from drivers.wmbus.authentication import MAC_SIZES
from drivers.wmbus.driver import DRIVER, decode, status_alarms
from drivers.wmbus.link import ACC_NR, RSP_UD, SND_NR, Address, Form, crc16, decode_link, encode_link
from drivers.wmbus.makers import read_maker
from drivers.wmbus.profile import expand
from drivers.wmbus.telegram import decode_telegram
from tests import wireless as made

KEYED = Context(keys={"KAM-12345678": made.KEY})
WRONG = Context(keys={"KAM-12345678": made.OTHER_KEY})


def read(raw: bytes, context: Context = KEYED) -> Decoded:
    return DRIVER.decode(0, raw, context)


def volumes(decoded: Decoded) -> list[Decimal]:
    return [reading.value for reading in decoded.readings if reading.quantity == "volume"]


# link


def test_crc_of_the_check_string_is_the_catalogued_one() -> None:
    """CRC-16/EN-13757 of the digits 1 to 9 is C2B7."""
    assert crc16(b"123456789") == 0xC2B7


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("size", [1, 2, 14, 15, 16, 100, 113, 116, 117, 118, 119, 240])
def test_telegram_of_any_form_and_length_is_read_back(form: Form, size: int) -> None:
    """What goes into format A, format B or the bare form comes out without its CRCs."""
    content = bytes(range(size))

    frame = decode_link(encode_link(SND_NR, made.METER, content, form))

    assert (frame.form, frame.address, frame.data) == (form, made.METER, content)


def test_address_is_read_as_it_stands_on_the_plate() -> None:
    """Three letters of the maker and eight digits, with version and device type beside them."""
    address = Address(bytes.fromhex("2d2c785634121b07"))

    assert (address.name, address.version, address.device_type) == ("KAM-12345678", 0x1B, 7)


def test_hard_coded_address_has_the_same_name() -> None:
    """The highest bit of M tells how unique an address is and is no part of the maker's letters."""
    assert Address(bytes.fromhex("2dac785634121b07")).manufacturer == "KAM"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "begins with 10 bytes"),
        (bytes(9), "begins with 10 bytes"),
        (bytes([8]) + bytes(20), "byte 0 says 8"),
        (made.plain()[:-1], "L field"),
        (made.plain() + b"\0", "L field"),
        (made.plain(form=Form.A)[:-1], "L field"),
        (bytes(1_000_000), "byte 0 says 0"),
        (b"\xff" * 1_000_000, "L field"),
    ],
)
def test_telegram_of_a_wrong_length_is_refused(raw: bytes, says: str) -> None:
    """Whatever is shorter or longer than its L field says is refused with both numbers."""
    with pytest.raises(FrameError, match=says):
        decode_link(raw)


def test_every_flipped_bit_of_format_a_is_refused() -> None:
    """No telegram with CRCs of blocks is read with one bit flipped."""
    raw = made.mode_5(form=Form.A)
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            decode_link(bytes(flipped))


def test_command_to_a_meter_is_unsupported() -> None:
    """A telegram of the other direction carries no readings."""
    with pytest.raises(UnsupportedError, match="C field 53"):
        decode_link(encode_link(0x53, made.METER, b"\x78"))


def test_response_to_a_request_is_read() -> None:
    """The flow bits of a response do not matter."""
    assert decode_link(encode_link(RSP_UD | 0x30, made.METER, b"\x78")).control == 0x38


def test_too_long_telegram_is_not_written() -> None:
    """L is one byte."""
    with pytest.raises(EncodeError, match="255"):
        encode_link(SND_NR, made.METER, bytes(300))


# keys


def test_cmac_is_that_of_rfc_4493() -> None:
    """The examples of RFC 4493, section 4."""
    key = Key(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
    message = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411")

    assert key.cmac(b"").hex() == "bb1d6929e95937287fa37d129b756746"
    assert key.cmac(message[:16]).hex() == "070a16b46b4d4144f79bdd9dd04a287c"
    assert key.cmac(message).hex() == "dfa66747de9ae63030ca32611497c827"


def test_key_shows_itself_nowhere() -> None:
    """Neither a key nor what holds it prints its bytes, and it is not pickled."""
    raw = bytes(range(16))
    context = Context(key=Key(raw), keys={"KAM-12345678": Key(raw)})

    assert raw.hex() not in repr(context)
    assert repr(raw) not in repr(context)
    with pytest.raises(TypeError):
        pickle.dumps(Key(raw))


def test_key_of_another_length_is_refused_without_its_bytes() -> None:
    """The error names the length alone."""
    with pytest.raises(EncodeError) as refusal:
        Key(b"secret")

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("raw", [made.mode_5(), made.mode_7(), made.ctr(b"\x78" + made.RECORDS)])
def test_error_of_a_wrong_key_does_not_tell_the_key(raw: bytes) -> None:
    """No refusal repeats a key in any spelling."""
    with pytest.raises(FrameError) as refusal:
        read(raw, WRONG)

    assert bytes(range(1, 17)).hex() not in repr(refusal.value).lower()


# security


def test_plain_telegram_is_read_without_a_key() -> None:
    """Current and historic volume, the meter's clock, who it is."""
    decoded = read(made.plain(), Context())

    assert [(r.quantity, r.value, r.storage, r.device_time) for r in decoded.readings] == [
        ("volume", Decimal("1.234"), Storage.CURRENT, datetime(2022, 10, 1, 10, 15, tzinfo=UTC)),
        ("volume", Decimal("1.000"), Storage.BILLING, datetime(2021, 12, 31, tzinfo=UTC)),
    ]
    assert (decoded.find_reported("serial"), decoded.find_reported("manufacturer")) == ("12345678", "KAM")
    assert decoded.find_reported("protection") == "none"


@pytest.mark.parametrize(
    "raw",
    [
        made.mode_5(),
        made.mode_5(form=Form.A),
        made.mode_5(form=Form.B),
        made.mode_5_long(),
        made.mode_7(),
        made.mode_7(ell=False),
        made.ctr(b"\x78" + made.RECORDS),
        made.ctr(b"\x78" + made.RECORDS, ci=0x8F),
        made.ctr(made.short_header(made.RECORDS)),
    ],
)
def test_encrypted_telegram_is_opened_with_the_meters_key(raw: bytes) -> None:
    """Modes 5 and 7 and AES-CTR of the extended link layer give the same records."""
    decoded = read(raw)

    assert volumes(decoded) == [Decimal("1.234"), Decimal("1.000")]
    assert decoded.find_reported("protection") == "opened"


@pytest.mark.parametrize("raw", [made.mode_5(), made.mode_5_long(), made.ctr(b"\x78" + made.RECORDS)])
def test_wrong_key_is_told_apart(raw: bytes) -> None:
    """What does not decrypt to records is an error of its own class."""
    with pytest.raises(WrongKeyError):
        read(raw, WRONG)


def test_wrong_key_of_mode_7_fails_at_the_mac() -> None:
    """Where a MAC is, nothing is decrypted before it holds."""
    with pytest.raises(MacError):
        read(made.mode_7(), WRONG)


@pytest.mark.parametrize("raw", [made.mode_5(), made.mode_7(), made.ctr(b"\x78" + made.RECORDS)])
def test_missing_key_is_told_apart(raw: bytes) -> None:
    """An encrypted telegram without a key says that a key is wanting."""
    with pytest.raises(MissingKeyError):
        read(raw, Context(keys={"KAM-00000000": made.KEY}))


def test_plain_telegram_of_a_meter_with_a_key_is_refused() -> None:
    """Where a key is known, nobody passes a telegram without it."""
    with pytest.raises(UnprotectedError, match="KAM-12345678"):
        read(made.plain())


def test_one_key_serves_a_meter_that_has_none_of_its_own() -> None:
    """The context's single key is for every meter that the mapping does not name."""
    assert volumes(read(made.mode_5(), Context(key=made.KEY))) == [Decimal("1.234"), Decimal("1.000")]


def test_records_that_a_receiver_opened_are_read_and_marked() -> None:
    """A header of mode 5 before 2F 2F in the clear is taken without a key, and said so."""
    raw = encode_link(SND_NR, made.METER, made.short_header(made.filled(made.RECORDS), 5, 2))

    assert read(raw, Context()).find_reported("protection") == "opened-before"
    with pytest.raises(WrongKeyError):
        read(raw)


def test_records_behind_the_encrypted_blocks_are_read() -> None:
    """What partial encryption leaves in the clear belongs to the same telegram."""
    decoded = read(made.mode_5(rest=bytes.fromhex("02fd17000001fd7463")))

    battery = decoded.find_reading("battery_remaining")
    assert battery is not None
    assert battery.value == 99


def test_fewer_bytes_than_encrypted_blocks_are_refused() -> None:
    """The count of blocks must fit the telegram."""
    raw = encode_link(SND_NR, made.METER, made.short_header(bytes(15), 5, 1))

    with pytest.raises(FrameError, match="1 blocks of 16 bytes"):
        read(raw)


@pytest.mark.parametrize("mode", [*range(1, 5), 6, *range(8, 32)])
def test_other_mode_is_unsupported_by_its_number(mode: int) -> None:
    """Every mode but 0, 5 and 7 is refused with its number."""
    raw = encode_link(SND_NR, made.METER, made.short_header(bytes(16), mode, 1))

    with pytest.raises(UnsupportedError, match=f"mode {mode} "):
        read(raw)


@pytest.mark.parametrize("kind", MAC_SIZES)
@pytest.mark.parametrize("with_length", [False, True])
def test_mac_of_every_length_holds(kind: int, with_length: bool) -> None:
    """MACs of 2 to 16 bytes, with and without the message length under them."""
    assert read(made.mode_7(authentication=kind, with_length=with_length)).readings


def test_every_flipped_bit_behind_the_link_layer_fails_the_mac_or_the_form() -> None:
    """No bit of an authenticated telegram can be changed unseen, but the lowest of the fragment's number."""
    raw = made.mode_7(ell=False)
    for bit in sorted({*range(10 * 8, len(raw) * 8)} - {12 * 8}):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            read(bytes(flipped))


def test_every_flipped_bit_of_a_counted_payload_fails_its_crc() -> None:
    """Nor can one of a payload under the extended link layer's CRC."""
    raw = made.ctr(b"\x78" + made.RECORDS)
    for bit in range(13 * 8, len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            read(bytes(flipped))


def test_mode_7_without_a_mac_is_refused() -> None:
    """Mode 7 is not taken where nothing authenticates it."""
    raw = encode_link(SND_NR, made.METER, bytes([0x7A, 42, 0, 0x10, 7, 0x10]) + bytes(16))

    with pytest.raises(MacError, match="has none"):
        read(raw)


def test_repeated_telegram_is_opened() -> None:
    """A repeater's bits in the communication control do not change the counter block."""
    raw = bytearray(made.ctr(b"\x78" + made.RECORDS))
    raw[11] |= 0x12

    assert read(bytes(raw)).readings


def test_extended_layer_in_the_clear_is_checked_by_its_crc() -> None:
    """A payload that is not encrypted still has its CRC."""
    raw = made.ctr(b"\x78" + made.RECORDS, key=None)

    assert read(raw, Context()).readings
    with pytest.raises(FrameError, match="CRC of the payload"):
        read(raw[:-1] + bytes([raw[-1] ^ 1]), Context())


def test_variable_extended_layer_is_unsupported() -> None:
    """Its layout is not read, and that is said."""
    with pytest.raises(UnsupportedError, match="CI 86"):
        read(encode_link(SND_NR, made.METER, bytes([0x86, 0, 0])))


@pytest.mark.parametrize(
    ("layer", "error", "says"),
    [
        ("90", FrameError, "authentication layer"),
        ("9003002c25", FrameError, "MCR takes 4"),
        ("90020040", UnsupportedError, "fragment 0"),
        ("90020080", UnsupportedError, "reserved"),
        ("90020200", UnsupportedError, "fragment 2"),
        ("900300000078", FrameError, "belong to no field"),
        ("900300240f78", UnsupportedError, "authentication type 15"),
        ("9004001000ff78", FrameError, "ML"),
    ],
)
def test_broken_authentication_layer_is_refused(layer: str, error: type[FrameError], says: str) -> None:
    """Fragments, fields that are cut, and unknown kinds of MAC are each refused by name."""
    with pytest.raises(error, match=says):
        read(encode_link(SND_NR, made.METER, bytes.fromhex(layer)), Context())


# whose


@pytest.mark.parametrize("context", [KEYED, WRONG, Context()])
@pytest.mark.parametrize("raw", [made.mode_5(), made.mode_7(), made.ctr(b"\x78" + made.RECORDS), made.plain()])
def test_telegram_of_another_meter_is_refused_by_name(raw: bytes, context: Context) -> None:
    """A passport takes no telegram of another meter, whatever its key."""
    with pytest.raises(ForeignMeterError, match="KAM-12345678, not of KAM-12345679"):
        read(raw, replace(context, meter="KAM-12345679"))


def test_driver_that_needs_no_passport_takes_a_context_all_the_same() -> None:
    """Drivers of the older form work as before, whatever the core knows."""
    vector = TL11.descriptor.vectors[0]

    assert summary(TL11.decode(vector.port, bytes.fromhex(vector.data), KEYED)) == vector.expected


def test_meter_behind_a_converter_is_the_one_of_the_long_header() -> None:
    """Key and serial are the meter's; the converter is told beside it."""
    decoded = read(made.mode_5_long(), replace(KEYED, meter="KAM-12345678"))

    assert decoded.find_reported("serial") == "12345678"
    assert decoded.find_reported("sender") == made.CONVERTER.name


def test_acknowledgement_without_content_is_unsupported() -> None:
    """A telegram that only wakes the other side carries no records."""
    with pytest.raises(UnsupportedError, match="without a transport layer"):
        read(encode_link(ACC_NR, made.METER, bytes([0x8C, 0, 1])))


# content


def test_status_byte_becomes_alarms() -> None:
    """The application's state, then each bit by name."""
    assert status_alarms(0b0000_0101) == ("busy", "power_low")
    assert status_alarms(0b1111_1000) == (
        "permanent_error",
        "temporary_error",
        "maker_status_5",
        "maker_status_6",
        "maker_status_7",
    )
    assert read(made.plain(status=4), Context()).alarms == ("power_low",)


def test_zone_of_the_meter_places_its_clock() -> None:
    """A local time is told in UTC by the zone of the passport."""
    east = Context(zone=timezone(timedelta(hours=3)))

    assert read(made.plain(), east).device_time == datetime(2022, 10, 1, 7, 15, tzinfo=UTC)


def test_storages_without_a_time_are_told_apart_by_their_number() -> None:
    """Two historic values of one quantity are never one reading."""
    decoded = read(made.plain(bytes.fromhex("841013d2040000c41013d3040000")), Context())

    assert [reading.store for reading in decoded.readings] == ["current", "billing-1"]
    assert len({reading.key for reading in decoded.readings}) == 2


def test_unknown_and_makers_records_are_listed_never_dropped() -> None:
    """What the standard gives no meaning stays with its bytes."""
    decoded = read(made.plain(bytes.fromhex("017b05026cffff0f010203")), Context())

    assert [(item.name, item.raw.hex()) for item in decoded.unmapped] == [
        ("unknown_7b 017b", "05"),
        ("date 026c", "ffff"),
        ("manufacturer_data", "010203"),
    ]


def test_crc_that_a_receiver_left_is_listed_as_rest() -> None:
    """Two bytes behind the records of a bare telegram that make none are told, and the records are read."""
    decoded = read(made.plain(made.RECORDS + b"\xde\x47"), Context())

    assert volumes(decoded) == [Decimal("1.234"), Decimal("1.000")]
    assert [(item.name, item.raw) for item in decoded.unmapped] == [("rest", b"\xde\x47")]


def test_cut_record_under_crcs_is_refused() -> None:
    """With checked CRCs nothing is left over."""
    with pytest.raises(FrameError, match="byte 18"):
        read(made.plain(made.RECORDS[:-1], Form.A), Context())


# compact frames


def test_compact_frame_is_read_by_the_format_of_a_full_one() -> None:
    """A full frame teaches its format, a compact frame of it gives the same readings."""
    full = decode_telegram(made.plain())
    assert full.format is not None
    formats = compact.remember({}, full.format)

    decoded = read(encode_link(SND_NR, made.METER, made.compact()), Context(formats=formats))

    assert decoded.frame == "compact"
    assert volumes(decoded) == [Decimal("1.234"), Decimal("1.000")]


@pytest.mark.parametrize("ci", [0x73, 0x7B])
def test_compact_frame_with_a_header_is_read(ci: int) -> None:
    """Short and long headers stand before the signature."""
    body = made.compact()[1:]
    data = made.short_header(body, ci=ci) if ci == 0x7B else made.long_header(made.METER, body, ci=ci)
    formats = dict([compact.format_of(decode_records(made.RECORDS))])

    assert read(encode_link(SND_NR, made.METER, data), Context(formats=formats)).readings


def test_compact_frame_of_an_unheard_format_names_its_signature() -> None:
    """The error carries the signature that is wanting."""
    with pytest.raises(UnknownFormatError) as refusal:
        read(encode_link(SND_NR, made.METER, made.compact()), Context())

    assert refusal.value.signature == crc16(bytes.fromhex("".join(made.HEADERS)))


def test_compact_frame_under_another_format_is_found_out() -> None:
    """The CRC over the full frame refuses values under headers that are not theirs."""
    signature = crc16(bytes.fromhex("".join(made.HEADERS)))
    wrong = tuple(bytes.fromhex(text) for text in ("0414", "046d", "426c", "4414"))

    with pytest.raises(FrameError, match="CRC of the full frame"):
        read(encode_link(SND_NR, made.METER, made.compact()), Context(formats={signature: wrong}))


@pytest.mark.parametrize("values", [made.VALUES[:-1], made.VALUES + b"\x01"])
def test_compact_frame_that_does_not_fill_its_format_is_refused(values: bytes) -> None:
    """Values too few or too many are no frame."""
    formats = dict([compact.format_of(decode_records(made.RECORDS))])

    with pytest.raises(FrameError):
        read(encode_link(SND_NR, made.METER, made.compact(values)), Context(formats=formats))


def test_format_frame_tells_headers_without_values() -> None:
    """It is remembered like a full frame, if its signature is that of its headers."""
    headers = bytes.fromhex("".join(made.HEADERS))
    good = encode_link(SND_NR, made.METER, b"\x69" + crc16(headers).to_bytes(2, "little") + headers)

    telegram = decode_telegram(good)

    assert telegram.format == (crc16(headers), tuple(bytes.fromhex(text) for text in made.HEADERS))
    with pytest.raises(FrameError, match="signature"):
        decode_telegram(encode_link(SND_NR, made.METER, b"\x69\0\0" + headers))


def test_published_formats_are_known_from_the_start() -> None:
    """The signature of the first of them is the one known of it."""
    assert 0xA8ED in compact.PUBLISHED


def test_formats_are_kept_up_to_a_limit() -> None:
    """The oldest gives way to the newest, a known one changes nothing."""
    formats: compact.Formats = {}
    for number in range(compact.MAX_FORMATS + 5):
        formats = compact.remember(formats, (number, (b"\x04\x13",)))

    assert list(formats) == list(range(5, compact.MAX_FORMATS + 5))
    assert compact.remember(formats, (10, (b"\x04\x13",))) is formats


# profiles and makers


def test_inverse_profile_gives_its_values_with_their_months() -> None:
    """Each value stands a month before the one before it; places that were not filled give none."""
    records = decode_records(bytes.fromhex("82046c41328b046e7202008d04ee130b3bfe270600950300ffffff")).records

    found = expand(records)

    assert [(record.storage, record.value) for record in found[2:]] == [
        (9, date(2026, 1, 1)),
        (9, Decimal(627)),
        (10, date(2025, 12, 1)),
        (10, Decimal(395)),
    ]


@pytest.mark.parametrize("header", ["0d13", "0dfd13", "0dfc0113", "0d7c0113", "0dff13", "0d93ff13", "0d93fc13"])
def test_byte_of_a_profile_that_is_no_vife_makes_none(header: str) -> None:
    """The byte 13 is a volume, a letter, or somebody's own where no VIFE stands."""
    try:
        records = decode_records(bytes.fromhex(header + "053bfe270600")).records
    except FrameError:
        return
    assert expand(records) == records


def test_profile_of_differences_stays_what_it_is() -> None:
    """A mode that is not read is not guessed."""
    records = decode_records(bytes.fromhex("8d04ee13057bfe270600")).records

    assert expand(records) == records


def test_walk_by_record_gives_three_volumes() -> None:
    """Now, at the due date and at the end of the last month, under the VIF that stands in the record."""
    block = bytes.fromhex("00824e00007f0007c113ffff63961300df2c82731200fe2463811300").ljust(53, b"\0")

    found = read_maker("QDS", decode_records(b"\x0d\xff\x5f\x35" + block))

    assert [record.value for record in found if record.unit] == [
        Decimal("139.663"),
        Decimal("127.382"),
        Decimal("138.163"),
    ]
    assert read_maker("KAM", decode_records(b"\x0d\xff\x5f\x35" + block)) == ()


def test_hydroclima_temperatures_are_hundredths_of_a_degree() -> None:
    """The first edition of the layout, and nothing of a shorter one."""
    data = bytes.fromhex("100000000000004a078f12000000002a06d3060000000000")

    found = read_maker("BMP", Records((), data))

    assert [record.value for record in found] == [Decimal(text) for text in ("18.66", "47.51", "15.78", "17.47")]
    assert read_maker("BMP", Records((), data[:-1])) == ()


def test_decoder_takes_port_0_alone() -> None:
    """A telegram has no port of LoRaWAN."""
    with pytest.raises(FrameError, match="port 0, got 1"):
        decode(1, made.plain())


# the standard's own examples

ANNEX_N = [
    pytest.param(
        "2e44931578563412330333637a2a0020255923c95aaa26d1b2e7493bc2ad013ec4a6f6d3529b520edff0ea6defc955b29d6d69ebf3ec8a",
        "0102030405060708090a0b0c0d0e0f11",
        id="profile A",
    ),
    pytest.param(
        "434493157856341233037ac98c2075900f002c25b30a000021924d4fba372fb66e017a75002007109058475f4bc9d1281df878b80a1b0f98b6"
        "29024aac7279429398bfc549233c0140829b93baa1",
        "000102030405060708090a0b0c0d0e0f",
        id="profile B, integrated radio",
    ),
    pytest.param(
        "53082448443322110337d0468e80753a63665544330a31900f002c25e00ab30a0000af5d74df73a600d972785634c0271293153303750020"
        "07109058475f4bc955cf1df878b80a1b0f98b629024aac7279429398bfc549233c0140829b93baa1",
        "000102030405060708090a0b0c0d0e0f",
        id="profile B, radio adapter",
    ),
]


@pytest.mark.parametrize(("telegram", "key"), ANNEX_N)
def test_example_of_annex_n_gives_the_gas_meters_reading(telegram: str, key: str) -> None:
    """OMS Vol. 2 annex N, N.1: the same gas meter under three kinds of protection, in format A."""
    decoded = read(bytes.fromhex(telegram), Context(meter="ELS-12345678", key=Key(bytes.fromhex(key))))

    volume = decoded.find_reading("volume")
    assert volume is not None
    assert (volume.value, volume.unit) == (Decimal("28504.27"), "m3")
    assert decoded.find_reported("protection") == "opened"
    assert decoded.device_time == datetime(2008, 5, 31, 23, 50, tzinfo=UTC)


def test_example_of_partial_encryption_gives_both_parts() -> None:
    """OMS Vol. 2 annex N: a heat cost allocator behind an adapter, its number behind the encrypted block."""
    telegram = bytes.fromhex(
        "2d44934444332211553769ef7288776655934455080004100500dfe227f9a782146d1513581cd2f83f39040cfd1040c4785634128134"
    )

    decoded = read(telegram, Context(meter="QDS-55667788", key=Key(bytes(range(16)))))

    consumption = decoded.find_reading("hca")
    assert consumption is not None
    assert consumption.value == 1234
    assert decoded.find_reported("customer_location") == Decimal(12345678)


def test_example_of_format_b_is_read() -> None:
    """EN 13757-4: a water meter of 876.543 m3."""
    decoded = read(bytes.fromhex("1444ae0c7856341201078c2027780b134365877ac5"), Context())

    assert volumes(decoded) == [Decimal("876.543")]
