"""What a network server says of frames that it accepted, without the radio before it."""

from hashlib import sha256

from lora.events import UplinkAccepted
from lora.identifiers import DevAddr, Eui
from lora.keys import Key
from lora.radio import Heard, LoraRate, Reception
from lora.region import get_region
from lora.session import RxParams, Session

GATEWAY = Eui(bytes.fromhex("b827ebfffe000001"))
SESSION = 1
RX = RxParams.of_region(get_region("RU864"))


def accepted(dev_eui: bytes, fcnt: int, payload: bytes, at_us: int, port: int = 2) -> UplinkAccepted:
    """An authentic uplink of a device in its first session."""
    session = Session(
        Eui(dev_eui), SESSION, DevAddr(0x26000001), Key(bytes(16)), Key(bytes(16)), RX, at_us, fcnt_up=fcnt
    )
    phy = sha256(dev_eui + fcnt.to_bytes(4, "big") + payload).digest()
    reception = Reception(GATEWAY, Heard(phy, 868_900_000, LoraRate(7, 125_000), 1, -80.0, 5.0), at_us)
    return UplinkAccepted(session, fcnt, port, payload, False, True, (), (reception,), at_us)
