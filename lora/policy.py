"""What a network wants of its devices beside what a join gives them: the settings that MAC commands carry."""

from dataclasses import dataclass

from lora.adr import MARGIN_DB
from lora.commands import TxParamSetupReq
from lora.region import Channel

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Policy:
    """The wishes of a network.

    `adr` lets it set rate and power of devices that ask for it; `max_dr` and `max_tx_power` bound what it asks for,
    beside the region. `channels` follow those of the join accept and are made by NewChannelReq; `disabled` are indices
    of channels that stay off; `downlinks_hz` are RX1 frequencies by channel index. `duty_cycle` is an exponent: 1 /
    2^n of the time. A device is asked for its status every `status_every_s`, 0 for never.
    """

    adr: bool = True
    margin_db: float = MARGIN_DB
    max_dr: int | None = None
    max_tx_power: int | None = None
    channels: tuple[Channel, ...] = ()
    disabled: frozenset[int] = frozenset()
    downlinks_hz: tuple[tuple[int, int], ...] = ()
    duty_cycle: int = 0
    tx_params: TxParamSetupReq | None = None
    status_every_s: int = DAY_S


DEFAULT = Policy()
