"""Sessions at rest."""

import secrets
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lora.commands import TxParamSetupReq
from lora.identifiers import DevAddr
from lora.link import FRESH, IDLE, Control, Link, Status
from lora.region import RU864
from lora.session import RxParams, Session
from node.clock import SystemRandom
from node.keystore import Vault
from node.services.radio_records import open_session, seal_session
from tests.unit.lora.builders import DEV_EUI, OTHER_KEY, ROOT_KEY, START_US

VAULT = Vault(secrets.token_bytes(32), SystemRandom())
SMALL = st.integers(0, 15)
HZ = st.integers(8_640_000, 8_700_000).map(lambda steps: steps * 100)
LINKS = st.builds(
    Link,
    st.none() | SMALL,
    SMALL,
    st.integers(1, 15),
    st.lists(st.none() | st.tuples(HZ, SMALL, SMALL), max_size=14).map(tuple),
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(SMALL, HZ), max_size=4).map(tuple),
    SMALL,
    st.none() | st.builds(TxParamSetupReq, st.booleans(), st.booleans(), SMALL),
)
CONTROLS = st.builds(
    Control,
    st.lists(st.tuples(st.binary(min_size=1, max_size=6), st.integers(1, 6)), max_size=4).map(tuple),
    st.lists(st.binary(min_size=1, max_size=6), max_size=4).map(tuple),
    st.none() | SMALL,
    st.none() | SMALL,
    SMALL,
    st.booleans(),
    st.integers(0, START_US),
)
STATUSES = st.none() | st.builds(Status, st.integers(0, 255), st.integers(-32, 31), st.integers(0, START_US))


def make_session(link: Link = FRESH, control: Control = IDLE, history: bytes = b"") -> Session:
    rx = RxParams.of_region(RU864)
    return Session(
        DEV_EUI, 1, DevAddr(7), ROOT_KEY, OTHER_KEY, rx, START_US, link=link, control=control, history=history
    )


@given(LINKS, CONTROLS, st.binary(max_size=20).map(lambda raw: raw * 3), STATUSES)
def test_link_and_questions_outlive_the_store(
    link: Link, control: Control, history: bytes, status: Status | None
) -> None:
    """What a device uses, what it was asked, what it refuses and how it was heard come back as they were stored."""
    session = replace(make_session(link, control, history), status=status)

    assert open_session(VAULT, seal_session(VAULT, session)) == session


def test_sessions_alike_share_what_they_use() -> None:
    """Of sessions that use the same, links and windows are one object in memory."""
    stored = [seal_session(VAULT, make_session(Link(dr=5, added=((864_100_000, 0, 5),)))) for _ in range(2)]

    first, second = (open_session(VAULT, one) for one in stored)

    assert first.link is second.link
    assert first.rx is second.rx
    assert first.control is second.control is IDLE
