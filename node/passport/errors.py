"""What can be wrong with what a passport is made of.

PassportError
├── PlateError              a text is no plate text: a character or a length that the rule does not have
├── ClaimError              an identity claim is not canonical or breaks a rule of its scheme
├── DeviceIdError           a text that should be a device id
│   ├── MistypedIdError     it cannot be one: a slip of the pen, a length, a letter
│   └── UnknownIdError      it is one, and this node has never seen it
├── LineError               the record of a serial line breaks its rule
├── CatalogError            a catalog, a type or a code of one is wrong or lacks what is asked of it
├── NumberError             a number of a register (ГРСИ, ИНН, ОГРН) has the wrong form or check digit
├── RegisterAnswerError     what a state register answered cannot be read
├── SettingError            what a device is to be set up with has no meaning, or is missing
└── BodyError               the content of a section does not have its shape
"""


class PassportError(Exception):
    """Base of everything this package raises."""


class PlateError(PassportError):
    """The text holds a character, or has a length, that plate text does not have."""


class ClaimError(PassportError):
    """The claim is not canonical, or an element breaks a rule of its scheme."""


class DeviceIdError(PassportError):
    """The text does not lead to a subject."""


class MistypedIdError(DeviceIdError):
    """The text cannot be a device id: somebody made a slip of the pen."""


class BoxCodeError(MistypedIdError):
    """The text is the code of a box, where a device is to be named."""


class UnknownIdError(DeviceIdError):
    """The device id is whole, and nothing here bears it."""


class LineError(PassportError):
    """The record of a serial line breaks its rule."""


class CatalogError(PassportError):
    """A record of a catalog is malformed, missing, or lacks what is asked of it."""


class NumberError(PassportError):
    """A register's number has the wrong form or a wrong check digit."""


class BodyError(PassportError):
    """The content of a section does not have the shape of its kind."""


class RegisterAnswerError(PassportError):
    """The answer of a state register does not have its shape."""


class SettingError(PassportError):
    """A setting of a device is missing, or has no meaning; `setting` is its code, `rule` the name of what it breaks."""

    def __init__(self, setting: str, rule: str, **values: object) -> None:
        super().__init__(f"{setting}: {rule}")
        self.setting = setting
        self.rule = rule
        self.values = values
