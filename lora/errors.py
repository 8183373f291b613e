"""What can be wrong on the air, on the gateway's wire, and in what we are told of a device.

LoraError
├── FrameError              bytes are no PHYPayload of LoRaWAN 1.0.x
├── MacCommandError         a MAC command whose fields do not fit, or one that may not be asked for
├── EncodeError             a value does not fit the field it is to be put in
├── DatagramError           bytes are no datagram of the Semtech UDP protocol
├── IdentifierError         a text or bytes are no EUI, address, network id or key
├── RegionError             a region, data rate, channel or frequency that does not exist there
├── ProfileError            what is known of a device does not put it on the air
├── RegistrationError       a step out of order, or one that a mismatch forbids
├── SimulatorError          a command or configuration of the simulator that cannot be done
├── JoinError               a join request is refused
│   ├── UnknownDeviceError      nobody told us of this DevEUI
│   ├── WrongJoinEuiError       the device is known under another JoinEUI
│   ├── JoinMicError            the MIC does not hold under the device's root key
│   ├── DevNonceError           the DevNonce was used before (or went back, in 1.0.4)
│   └── ExhaustedError          no JoinNonce is left for the device
└── UplinkError             a data frame is refused
    ├── UnknownAddressError     no session has this DevAddr
    ├── UplinkMicError          the MIC holds under no session of this DevAddr
    ├── ReplayError             the MIC holds, and the counter was used before
    └── CounterEndError         the 32-bit counter has run out: the device must join again
"""


class LoraError(Exception):
    """Base of everything this package raises."""


class FrameError(LoraError):
    """The bytes are no PHYPayload of LoRaWAN 1.0.x."""


class MacCommandError(LoraError):
    """A MAC command's fields do not fit, or the command may not be asked for here."""


class EncodeError(LoraError):
    """A value does not fit the field it is to be put in: our fault."""


class DatagramError(LoraError):
    """The bytes are no datagram of the Semtech UDP protocol."""


class IdentifierError(LoraError):
    """A text or bytes are no EUI, address, network id or key."""


class RegionError(LoraError):
    """A region, data rate, channel or frequency that does not exist there."""


class ProfileError(LoraError):
    """What is known of a device is not enough to put it on the air, or contradicts itself."""


class RegistrationError(LoraError):
    """A registration step out of order, or one that a mismatch forbids."""


class SimulatorError(LoraError):
    """A command or a configuration of the simulator that cannot be done."""


class JoinError(LoraError):
    """A join request is refused; nothing changed."""


class UnknownDeviceError(JoinError):
    """Nobody told us of this DevEUI."""


class WrongJoinEuiError(JoinError):
    """The device is known under another JoinEUI."""


class JoinMicError(JoinError):
    """The MIC does not hold under the device's root key."""


class DevNonceError(JoinError):
    """The DevNonce was used before, or went back where it counts."""


class ExhaustedError(JoinError):
    """No JoinNonce is left for the device."""


class UplinkError(LoraError):
    """A data frame is refused; nothing changed. `dev_eui` is the device whose key made the MIC, where one did."""

    def __init__(self, text: str, dev_eui: object = None) -> None:
        super().__init__(text)
        self.dev_eui = dev_eui


class UnknownAddressError(UplinkError):
    """No session has this DevAddr."""


class UplinkMicError(UplinkError):
    """The MIC holds under no session of this DevAddr."""


class ReplayError(UplinkError):
    """The MIC holds, and the counter was used before."""


class CounterEndError(UplinkError):
    """The 32-bit counter has run out: the device must join again."""
