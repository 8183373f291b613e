"""What holds of a network's commands whatever a device says, and however it is heard."""

from dataclasses import dataclass, replace
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from lora.commands import (
    DevStatusAns,
    DlChannelAns,
    DutyCycleAns,
    LinkAdrAns,
    MacCommand,
    NewChannelAns,
    RxParamSetupAns,
    RxTimingSetupAns,
    TxParamSetupAns,
    TxParamSetupReq,
)
from lora.crypto import Direction
from lora.events import Event
from lora.frame import MAX_FOPTS
from lora.join import Network
from lora.link import Link
from lora.mac import parse_commands
from lora.policy import Policy
from lora.region import EU868, RU864, Channel, Region
from tests.unit.lora.builders import NET_ID, World, make_device
from tests.unit.lora.radio import Radio

REGIONS = (RU864, EU868, replace(RU864, sets_tx_params=True))
YES_OR_NO = st.booleans()
ANSWERS: st.SearchStrategy[MacCommand] = st.one_of(
    st.builds(LinkAdrAns, YES_OR_NO, YES_OR_NO, YES_OR_NO),
    st.just(LinkAdrAns(power_ok=True, rate_ok=True, mask_ok=True)),
    st.builds(RxParamSetupAns, YES_OR_NO, YES_OR_NO, YES_OR_NO),
    st.builds(NewChannelAns, YES_OR_NO, YES_OR_NO),
    st.builds(DlChannelAns, YES_OR_NO, YES_OR_NO),
    st.builds(DevStatusAns, st.integers(0, 255), st.integers(-32, 31)),
    st.sampled_from((DutyCycleAns(), RxTimingSetupAns(), TxParamSetupAns())),
)


@dataclass(frozen=True)
class Turn:
    """What a device does next: the rate it takes (None as it was told), its frame, and what happens to it."""

    dr: int | None
    snr_db: float
    answers: tuple[MacCommand, ...]
    raw: bytes
    adr: bool
    confirmed: bool
    fate: str


TURNS = st.lists(
    st.builds(
        Turn,
        st.one_of(st.none(), st.integers(0, 7)),
        st.one_of(st.floats(), st.floats(-25, 15)),
        st.lists(ANSWERS, max_size=6).map(tuple),
        st.binary(max_size=20),
        st.booleans(),
        st.booleans(),
        st.sampled_from(("heard", "heard", "heard", "lost", "repeated", "restarted", "a day later")),
    ),
    max_size=12,
)


@st.composite
def policies(draw: st.DrawFn, region: Region) -> Policy:
    """Wishes that the region has."""
    hz = st.integers(region.low_hz // 100, region.high_hz // 100).map(lambda steps: steps * 100)
    rates = st.tuples(st.integers(0, 5), st.integers(0, 5)).map(sorted)
    channels = draw(st.lists(st.tuples(hz, rates), max_size=6))
    count = len(region.channels) + len(channels)
    return Policy(
        adr=draw(st.booleans()),
        channels=tuple(Channel(one, low, high) for one, (low, high) in channels),
        disabled=frozenset(draw(st.lists(st.integers(0, count - 1), max_size=count - 1))),
        downlinks_hz=tuple(draw(st.dictionaries(st.integers(0, count - 1), hz, max_size=3)).items()),
        duty_cycle=draw(st.integers(0, 15)),
        tx_params=TxParamSetupReq(True, False, 5) if region.sets_tx_params else None,
        status_every_s=draw(st.sampled_from((0, 60, 86_400))),
    )


def play(radio: Radio, turn: Turn) -> list[Event]:
    """Let the device take its turn."""
    world = radio.world
    radio.dr = (radio.session.link.dr or 0) if turn.dr is None else turn.dr
    radio.snr_db, radio.adr = turn.snr_db, turn.adr
    if turn.fate == "a day later":
        world.wait(86_400)
    events = radio.send(*turn.answers, raw=turn.raw, confirmed=turn.confirmed, lost=turn.fate == "lost")
    if turn.fate == "repeated":
        world.wait(3)
        events += radio.again()
    if turn.fate == "restarted":
        world.restart()
    return events


@settings(deadline=None)
@given(st.data(), st.sampled_from(REGIONS), st.sampled_from(("1.0.1", "1.0.3", "1.0.4")), TURNS)
def test_whatever_a_device_says_the_state_is_of_the_region(
    data: st.DataObject, region: Region, version: str, turns: list[Turn]
) -> None:
    """Any answers and bytes, asked or not, give events, and the link holds only what the region has."""
    world = World(make_device(version=version, region=region), region=region, policy=data.draw(policies(region)))
    radio = Radio(world)
    for at, turn in enumerate(turns):
        if at == len(turns) // 2:
            world.network = Network(NET_ID, region, policy=data.draw(policies(region)))
            world.restart()

        events = play(radio, turn)

        assert all(isinstance(event, get_args(Event)) for event in events)
        session, told = radio.session, radio.told(events)
        assert session.is_of(region)
        assert set(session.link.enabled(region)) <= set(session.link.channels(region))
        assert session.link.enabled(region)
        assert session.link.nb_trans in range(1, 16)
        for request, tries in session.control.asked:
            parsed = parse_commands(Direction.DOWN, request)
            assert parsed.commands
            assert not parsed.rest
            assert tries >= 1
        if told is not None:
            assert len(told.fopts) <= MAX_FOPTS
            assert not (told.fopts and told.port == 0)


@given(st.data(), st.sampled_from(REGIONS))
def test_device_that_says_yes_to_all_comes_to_what_is_wanted(data: st.DataObject, region: Region) -> None:
    """A device that takes each command uses in the end what the network wants, and is asked no more."""
    policy = replace(data.draw(policies(region)), adr=False, status_every_s=0)
    world = World(make_device(region=region), region=region, policy=policy)
    radio = Radio(world)
    asked: tuple[MacCommand, ...] = radio.ask()
    for _ in range(10):
        asked = radio.ask(*(_yes(one) for one in asked))

    link = radio.session.link
    assert asked == ()
    assert link.channels(region) == dict(enumerate((*region.channels, *policy.channels)))
    assert link.enabled(region) == frozenset(link.channels(region)) - policy.disabled
    assert link.duty_cycle == policy.duty_cycle
    assert link.tx_params == policy.tx_params
    channels = link.channels(region)
    moved = {index: hz for index, hz in policy.downlinks_hz if hz != channels[index].frequency_hz}
    assert dict(link.downlinks_hz) == moved
    assert isinstance(link, Link)


def _yes(asked: MacCommand) -> MacCommand:
    yes: dict[int, MacCommand] = {
        LinkAdrAns.CID: LinkAdrAns(power_ok=True, rate_ok=True, mask_ok=True),
        NewChannelAns.CID: NewChannelAns(rates_ok=True, frequency_ok=True),
        DlChannelAns.CID: DlChannelAns(uplink_ok=True, frequency_ok=True),
        DutyCycleAns.CID: DutyCycleAns(),
        TxParamSetupAns.CID: TxParamSetupAns(),
    }
    return yes[asked.CID]
