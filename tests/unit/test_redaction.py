"""What is logged by mistake does not stand in the log."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from lora.keys import Key
from node.cli.node_log import configure_logging
from node.redaction import redact
from node.secret import MASK, Secret
from tests.secrets import search

KEY = bytes.fromhex("7f1e2d3c4b5a69788796a5b4c3d2e1f0")
HEX, BASE64 = KEY.hex(), base64.urlsafe_b64encode(KEY).decode()
DEVICE = "02c0de0000000001"
LOG = "00112233445566778899aabbccddeeff"


@dataclass(frozen=True)
class Registration:
    """What shows a key when it is printed."""

    dev_eui: str
    app_key: bytes


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """A node's log, configured as `serve` does it."""
    before = structlog.get_config()
    path = tmp_path / "node.log"
    path.touch()
    configure_logging(path)
    try:
        yield path
    finally:
        structlog.configure(**before)


FORMS: list[dict[str, object]] = [
    {"value": Secret(KEY)},
    {"value": Key(KEY)},
    {"value": KEY},
    {"value": bytearray(KEY)},
    {"value": [{"deep": (KEY, {"deeper": Secret(KEY)})}]},
    {"value": Registration(DEVICE, KEY)},
    {"app_key": HEX},
    {"nwkKey": HEX.upper()},
    {"root_keys": [HEX, BASE64]},
    {"claim": BASE64},
    {"storage_seed": KEY.hex(" ")},
    {"detail": {"rows": [{"AppKey": HEX, "DevEUI": DEVICE}]}},
    {"headers": {"Authorization": f"Bearer {BASE64}"}},
    {"text": f"Authorization: Bearer {BASE64}"},
    {"text": f"Registration(app_key={KEY!r})"},
    {"text": f"the bytes {KEY!r} and {bytearray(KEY)!r}"},
    {"text": f"AppKey={HEX} of {DEVICE}"},
    {"text": f'{{"app_key": "{HEX}"}}'},
    {"text": f"{{'nwk_key': '{HEX}'}}"},
    {"text": f"GET /claim/{BASE64} 404"},
    {"text": f"token {BASE64} is not known"},
    {"text": json.dumps({"secret": HEX})},
    {"error": ValueError(f"no such key: {HEX}")},
    {"app_key": int.from_bytes(KEY)},
    {"value": {f"app_key {HEX}": 1}},
]
INNOCENT: list[object] = [
    None,
    True,
    3,
    2.5,
    "",
    f"log {LOG} has an entry 7",
    f"log {LOG} is not signed by the key of its node",
    "secret: section root-keys is not for this organisation",
    "the keys of 12 meters",
    f"{DEVICE}: MIC does not hold",
    {"log": LOG, "keys": 3, "has_token": True, "claim": None},
    [DEVICE, [LOG]],
]
plain = st.none() | st.booleans() | st.integers() | st.text() | st.binary()
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@pytest.mark.parametrize("fields", FORMS, ids=range(len(FORMS)))
def test_key_is_not_written_into_the_log(log_file: Path, fields: dict[str, object]) -> None:
    """Raw, as hex, as base64, nested, printed by another object or in a text: the file does not hold it."""
    structlog.get_logger().info("wrong", device=DEVICE, **fields)

    (line,) = log_file.read_text().splitlines()
    assert MASK in line
    assert json.loads(line)["device"] == DEVICE
    assert search([log_file.parent], {"key": KEY}) == []


def test_key_in_an_exception_is_not_written_into_the_log(log_file: Path) -> None:
    """Neither the message of an exception nor that of its cause tells the key; the place of both stays."""
    try:
        try:
            raise ValueError(f"app_key={HEX}")
        except ValueError as error:
            raise RuntimeError(f"not usable: {KEY!r}") from error
    except RuntimeError:
        structlog.get_logger().exception("broke")

    (line,) = log_file.read_text().splitlines()
    causes = json.loads(line)["exception"]
    assert [(cause["exc_type"], cause["exc_value"]) for cause in causes] == [
        ("RuntimeError", f"not usable: {MASK}"),
        ("ValueError", f"app_key={MASK}"),
    ]
    assert causes[0]["frames"][-1]["name"] == "test_key_in_an_exception_is_not_written_into_the_log"
    assert search([log_file.parent], {"key": KEY}) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2 for admin", f"password={MASK} for admin"),
        ("postgresql://node:hunter2@db/passport", f"postgresql://node:{MASK}@db/passport"),
        ("postgresql://node@db/passport", "postgresql://node@db/passport"),
        (f"AppKey: {HEX}, DevEUI: {DEVICE}", f"AppKey: {MASK}, DevEUI: {DEVICE}"),
    ],
)
def test_text_keeps_what_is_no_secret(text: str, shown: str) -> None:
    """Only the secret leaves a text."""
    assert redact(text) == shown


@pytest.mark.parametrize("value", INNOCENT, ids=str)
def test_what_is_no_secret_stays(value: object) -> None:
    """Ids, counts and messages about keys are logged as they are."""
    assert redact(value) == value


@given(values)
def test_whatever_is_logged_becomes_json_without_bytes(value: object) -> None:
    """Any value is shown as JSON, no bytes are printed in it, and a second filter changes nothing."""
    shown = redact(value)

    json.dumps(shown)
    assert redact(shown) == shown
