"""What can be wrong with a file or a message of another system.

ExchangeError
├── TableError              bytes are no table that may be read
│   └── TableLimitError     a size, a count or a length is over its limit
├── ColumnError             a table lacks a column, or has one twice
├── BenchError              a bench file does not have its shape
├── SheetError              a document for paper is too long to be drawn
├── LabelError              a label has no room for its code or for what it has to say
├── PassportFileError       bytes are no passport file that could be checked
├── WebhookError            an address of a receiver, or a secret of one, is none that may be used
├── CommerceError           a file of 1C is no CommerceML that may be read
└── ArshinError             a protocol lacks what the register's file needs, or the file is none of it
"""


class ExchangeError(Exception):
    """Base of everything this package raises; the message is English, and where a person meets it Russian too."""

    def __init__(self, message: str, ru: str = "") -> None:
        super().__init__(message)
        self.ru = ru

    def text(self, language: str) -> str:
        """What is wrong in `ru` or `en`, in English where there are no other words."""
        return self.ru or str(self) if language == "ru" else str(self)


class TableError(ExchangeError):
    """The bytes are no table that may be read; the message says why and what to do."""

    def text(self, language: str) -> str:
        """What is wrong in `ru` or `en`; what only a damaged file has is told with what to do about it."""
        if language != "ru" or self.ru:
            return super().text(language)
        return f"файл повреждён или это не таблица: откройте его и сохраните заново как .xlsx или .csv ({self})"


class TableLimitError(TableError):
    """A size, a count or a length is over its limit."""


class ColumnError(ExchangeError):
    """A column that is needed is missing, or a header stands twice."""


class BenchError(ExchangeError):
    """The bench file does not have the shape of one."""


class LabelError(ExchangeError):
    """The label has no room for its code, or for what it has to say in letters that can be read."""


class SheetError(ExchangeError):
    """A document for paper is longer than anybody would print."""


class PassportFileError(ExchangeError):
    """The bytes are no passport file, or its manifest cannot be read."""


class WebhookError(ExchangeError):
    """No address of a receiver, none that this node sends to, or no secret."""


class CommerceError(ExchangeError):
    """The bytes are no CommerceML file that may be read; the message says why and what to do."""


class ArshinError(ExchangeError):
    """A verification protocol lacks what the register's file needs, or a file is not of its schema.

    `place` is the pointer of what is wrong in the protocol, where it is one place.
    """

    def __init__(self, message: str, ru: str = "", place: str = "") -> None:
        super().__init__(message, ru)
        self.place = place
