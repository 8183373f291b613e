"""MIC, encryption and key derivation against published frames."""

import json
from pathlib import Path
from typing import Any

import pytest

from lora.airtime import time_on_air_us
from lora.crypto import (
    Direction,
    crypt_payload,
    data_mic,
    derive_session_keys,
    join_mic,
    open_join_accept,
    seal_join_accept,
)
from lora.errors import FrameError
from lora.frame import DataFrame, JoinRequest, SealedJoinAccept, decode_frame
from lora.identifiers import NetId
from lora.keys import parse_key
from lora.radio import FskRate, parse_lora_rate
from tests.unit.lora.builders import OTHER_KEY

# The files are JSON of several shapes: each test reads its own.
VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors/lora/frames.json").read_text())
AIRTIME: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors/lora/airtime.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["uplinks"], ids=lambda vector: vector["name"])
def test_published_uplink_verifies_and_decrypts(vector: dict[str, Any]) -> None:
    """A published data frame has the published fields, its MIC holds, and its payload is the published text."""
    frame = decode_frame(bytes.fromhex(vector["phy"]))

    assert isinstance(frame, DataFrame)
    assert str(frame.dev_addr) == vector["dev_addr"]
    assert (frame.fcnt, frame.fport) == (vector["fcnt"], vector["port"])
    key = parse_key(vector["nwk_s_key"])
    assert data_mic(key, Direction.UP, frame.dev_addr, frame.fcnt, frame.signed) == frame.mic
    payload = crypt_payload(parse_key(vector["app_s_key"]), Direction.UP, frame.dev_addr, frame.fcnt, frame.payload)
    assert payload.hex() == vector["payload"]


@pytest.mark.parametrize("vector", VECTORS["join_requests"], ids=lambda vector: vector["name"])
def test_published_join_request_is_read(vector: dict[str, Any]) -> None:
    """A published join request has the published ids, and its MIC holds where its key is published."""
    frame = decode_frame(bytes.fromhex(vector["phy"]))

    assert isinstance(frame, JoinRequest)
    assert (str(frame.join_eui), str(frame.dev_eui)) == (vector["join_eui"], vector["dev_eui"])
    assert frame.dev_nonce == vector["dev_nonce"]
    if "app_key" in vector:
        assert join_mic(parse_key(vector["app_key"]), frame.signed) == frame.mic


@pytest.mark.parametrize("vector", VECTORS["join_accepts"], ids=lambda vector: vector["name"])
def test_published_join_accept_opens_and_seals_again(vector: dict[str, Any]) -> None:
    """A published join accept opens to the published fields, and seals to its own bytes where it has no RFU bits."""
    raw, key = bytes.fromhex(vector["phy"]), parse_key(vector["app_key"])
    frame = decode_frame(raw)
    assert isinstance(frame, SealedJoinAccept)

    accept = open_join_accept(key, frame)

    assert (str(accept.dev_addr), str(accept.net_id)) == (vector["dev_addr"], vector["net_id"])
    assert accept.join_nonce == vector["join_nonce"]
    assert accept.cf_list.hex() == vector["cf_list"]
    assert (seal_join_accept(key, accept) == raw) is vector["seals_to_itself"]


def test_join_accept_for_another_key_is_refused() -> None:
    """A join accept does not open under a key it was not made for."""
    frame = decode_frame(bytes.fromhex(VECTORS["join_accepts"][0]["phy"]))
    assert isinstance(frame, SealedJoinAccept)

    with pytest.raises(FrameError, match="MIC"):
        open_join_accept(OTHER_KEY, frame)


def test_session_keys_differ_from_each_other_and_with_each_nonce() -> None:
    """Both keys of a session differ, and a change of either nonce changes both."""
    first = derive_session_keys(OTHER_KEY, 1, NetId(0x13), 1)

    assert first.network != first.application
    for other in (
        derive_session_keys(OTHER_KEY, 2, NetId(0x13), 1),
        derive_session_keys(OTHER_KEY, 1, NetId(0x13), 2),
        derive_session_keys(OTHER_KEY, 1, NetId(0x14), 1),
    ):
        assert first.network != other.network
        assert first.application != other.application


@pytest.mark.parametrize("vector", AIRTIME["frames"], ids=lambda vector: f"{vector['rate']}-{vector['size']}")
def test_time_on_air_agrees_with_published_values(vector: dict[str, Any]) -> None:
    """The time on air is the published one, to the published precision."""
    airtime_us = time_on_air_us(parse_lora_rate(vector["rate"]), vector["size"])

    assert abs(airtime_us - vector["us"]) <= vector["precision_us"]


def test_fsk_time_on_air_counts_preamble_sync_length_and_crc() -> None:
    """At 50 kbit/s a frame of 10 bytes with 11 bytes around it lasts 3,360 µs."""
    assert time_on_air_us(FskRate(50_000), 10) == 3_360
