"""What can be wrong between a meter's bytes and a reading.

DriverError
├── FrameError          bytes are no frame of this driver: port, length, type or a value
│   ├── UnsupportedError     well formed, but of a kind that this driver does not read
│   └── RefusedError         the meter answered that it cannot do what it was asked
├── EncodeError         a value does not fit the frame it is to be put in
├── UnitError           a unit is unknown, or two units measure different things
├── DescriptorError     what a driver says of itself contradicts itself
├── DriverFaultError    a driver broke its contract: it raised something else, or gave no Decoded
└── DriverChoiceError   no driver fits a device, or several do
"""


class DriverError(Exception):
    """Base of everything this package raises."""


class FrameError(DriverError):
    """The bytes are no frame of this driver; the text names what and where."""


class UnsupportedError(FrameError):
    """The frame is well formed, and of a kind that this driver does not read; the text names the kind."""


class RefusedError(FrameError):
    """The meter answered that it cannot do what it was asked; the text says why."""


class EncodeError(DriverError):
    """A value does not fit the frame it is to be put in."""


class UnitError(DriverError):
    """A unit is not in the table, or two units are of different dimensions."""


class DescriptorError(DriverError):
    """A driver's description of itself contradicts itself."""


class DriverFaultError(DriverError):
    """A driver broke its contract; the fault is the driver's, not the meter's."""


class DriverChoiceError(DriverError):
    """No installed driver fits a device, or several fit and none is better."""
