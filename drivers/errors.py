"""What can be wrong between a meter's bytes and a reading.

DriverError
├── FrameError          bytes are no frame of this driver: port, length, type or a value
│   ├── UnsupportedError     well formed, but of a kind that this driver does not read
│   ├── RefusedError         the meter answered that it cannot do what it was asked
│   ├── ForeignMeterError    the frame is of another meter than it was read for
│   ├── MissingKeyError      the frame is encrypted, and the passport holds no key
│   ├── WrongKeyError        what was decrypted is no plain text
│   ├── UnprotectedError     the passport holds a key, and the frame is not encrypted
│   ├── MacError             the frame's message authentication code does not hold
│   ├── UnknownFormatError   a compact frame whose full frame was not heard yet
│   └── ScriptThrownError    a script threw an error of its own
├── EncodeError         a value does not fit the frame it is to be put in
├── UnitError           a unit is unknown, or two units measure different things
├── DescriptorError     what a driver says of itself contradicts itself
├── DocumentError       a payload description is no document of its language; names the place and the rule
├── DriverFaultError    a driver broke its contract: it raised something else, gave no Decoded, broke a limit
│   └── SuspendedError       it did so a moment ago, and is not asked now
└── DriverChoiceError   no driver fits a device, or several do
"""


class DriverError(Exception):
    """Base of everything this package raises."""


class FrameError(DriverError):
    """The bytes are no frame of this driver; the text names what and where."""


class UnsupportedError(FrameError):
    """The frame is well formed, and of a kind that this driver does not read; the text names the kind."""


class ForeignMeterError(FrameError):
    """The frame is of another meter than the one it was to be read for."""


class MissingKeyError(FrameError):
    """The frame is encrypted, and no key of its meter is at hand."""


class WrongKeyError(FrameError):
    """What was decrypted is no plain text: the key is another one, or the frame was altered."""


class UnprotectedError(FrameError):
    """The meter's key is known, and the frame is not encrypted: anybody could have sent it."""


class MacError(FrameError):
    """The message authentication code does not hold: another key, or the frame was altered."""


class UnknownFormatError(FrameError):
    """A compact frame of a format that was not heard in full yet; `signature` names it."""

    def __init__(self, signature: int) -> None:
        super().__init__(f"no full frame of the format {signature:04x} was heard yet")
        self.signature = signature


class ScriptThrownError(FrameError):
    """A script threw an error of its own; the text is the script's."""


class RefusedError(FrameError):
    """The meter answered that it cannot do what it was asked; the text says why."""


class EncodeError(DriverError):
    """A value does not fit the frame it is to be put in."""


class UnitError(DriverError):
    """A unit is not in the table, or two units are of different dimensions."""


class DescriptorError(DriverError):
    """A driver's description of itself contradicts itself."""


class DocumentError(DriverError):
    """A payload description is no document of its language; the text names the place in it and the rule."""


class DriverFaultError(DriverError):
    """A driver broke its contract; the fault is the driver's, not the meter's."""


class SuspendedError(DriverFaultError):
    """The driver broke a limit a moment ago; it is asked again in so many `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the driver broke a limit and is asked again in {seconds:.1f} s")
        self.seconds = seconds


class DriverChoiceError(DriverError):
    """No installed driver fits a device, or several fit and none is better."""
