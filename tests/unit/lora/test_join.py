"""Activation over the air, the network's side."""

import pytest

from lora.errors import DevNonceError, ExhaustedError, JoinMicError, UnknownDeviceError, WrongJoinEuiError
from lora.frame import JoinRequest, decode_frame
from lora.identifiers import DevAddr, Eui, NetId
from lora.join import ADDRESS_TRIES, JOIN_NONCE_END, Activation, Network, allocate_address, answer_join, check_join
from lora.profile import Device
from lora.region import RU864
from tests.unit.lora.builders import (
    DEV_EUI,
    NET_ID,
    OTHER_KEY,
    START_US,
    counting_random,
    make_device,
    make_meter,
    make_profile,
)


def make_request(dev_nonce: int = 7) -> JoinRequest:
    frame = decode_frame(make_meter(dev_nonce=dev_nonce).join().payload)
    assert isinstance(frame, JoinRequest)
    return frame


def test_good_request_is_answered_with_the_next_join_nonce() -> None:
    """An accepted request uses up its DevNonce and takes the next JoinNonce."""
    before = Activation(DEV_EUI, 41, frozenset({1}))

    joined = answer_join(
        make_request(7),
        check_join(make_request(7), make_device(), before),
        before,
        network=Network(NET_ID, RU864),
        dev_addr=DevAddr(1),
        now_us=START_US,
    )

    assert joined.activation == Activation(DEV_EUI, 42, frozenset({1, 7}))
    assert joined.session.number == 42


def test_unknown_device_is_refused() -> None:
    """A DevEUI that nobody told us of is refused."""
    with pytest.raises(UnknownDeviceError):
        check_join(make_request(), None, Activation(DEV_EUI))


def test_request_under_another_root_key_is_refused() -> None:
    """A device with a copied DevEUI and another key is refused by its MIC."""
    with pytest.raises(JoinMicError):
        check_join(make_request(), make_device(key=OTHER_KEY), Activation(DEV_EUI))


def test_request_to_another_join_eui_is_refused() -> None:
    """The JoinEUI is compared with what is known of the device."""
    profile = make_profile()
    strange = Device(type(profile)(profile.dev_eui, Eui(bytes(8)), profile.region), make_device().root_key)

    with pytest.raises(WrongJoinEuiError):
        check_join(make_request(), strange, Activation(DEV_EUI))


def test_used_dev_nonce_is_refused() -> None:
    """A DevNonce is used once."""
    with pytest.raises(DevNonceError, match="used before"):
        check_join(make_request(7), make_device(), Activation(DEV_EUI, 1, frozenset({7})))


@pytest.mark.parametrize(("version", "refused"), [("1.0.3", False), ("1.0.4", True)])
def test_smaller_dev_nonce_is_refused_where_it_counts(version: str, refused: bool) -> None:
    """Up to 1.0.3 a DevNonce is random; in 1.0.4 it is a counter and does not go back."""
    activation = Activation(DEV_EUI, 1, frozenset({100}))
    device = make_device(version=version)

    if refused:
        with pytest.raises(DevNonceError, match="went back"):
            check_join(make_request(7), device, activation)
    else:
        assert check_join(make_request(7), device, activation) is device


def test_device_without_join_nonces_left_is_refused() -> None:
    """A JoinNonce is never used twice: when all are used, the device is refused."""
    with pytest.raises(ExhaustedError):
        check_join(make_request(), make_device(), Activation(DEV_EUI, JOIN_NONCE_END - 1))


def test_address_begins_with_the_networks_own_bits() -> None:
    """An address is of the network: its seven high bits are the NwkID of the NetID."""
    address = allocate_address(NetId(0x60001F), lambda _: False, counting_random())

    assert address.network == 0x1F


def test_taken_addresses_are_passed_over() -> None:
    """A free address is looked for, and after some tries one is shared."""
    taken: list[DevAddr] = []

    def is_taken(address: DevAddr) -> bool:
        taken.append(address)
        return len(taken) < 3

    assert allocate_address(NET_ID, is_taken, counting_random()) == taken[2]
    assert allocate_address(NET_ID, lambda _: True, counting_random()).network == NET_ID.network
    assert ADDRESS_TRIES > 3
