"""What can be wrong with a protocol template or a document against one.

TemplateError               a PassportError
├── JsonError               bytes are no JSON within the limits
├── PointerError            a text is no JSON pointer
├── TemplateRefusedError    a template this node does not run; the text names the place
└── PartsError              an open and a personal part do not join to one document
"""

from node.passport.errors import PassportError


class TemplateError(PassportError):
    """Base of everything the template modules raise; `place`, if it is one, stands before both texts as it is."""

    def __init__(self, message: str, ru: str, place: str = "") -> None:
        before = f"{place}: " if place else ""
        super().__init__(before + message)
        self.ru = before + ru

    def text(self, language: str) -> str:
        """What is wrong, in `ru`, or in English for any other language."""
        return self.ru if language == "ru" else str(self)


class JsonError(TemplateError):
    """The bytes are no JSON, or a size, depth, count or number is over its limit."""


class PointerError(TemplateError):
    """The text is no JSON pointer of RFC 6901."""


class TemplateRefusedError(TemplateError):
    """The template is not one that this node runs."""


class PartsError(TemplateError):
    """The open and the personal part of a document do not join."""
