"""Texts that requests carry: trimmed, visible, of limited length.

What is signed stays for ever, so a line of nothing, of control characters or of marks that turn the direction of
writing (Unicode TR 36) is refused before.
"""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr, StringConstraints

from node.passport.bodies import Day, SubjectHex
from node.passport.unseen import VISIBLE

# A scanner sends the separator of GS1 element strings too.
SCANNED = VISIBLE.replace(r"\u0000-\u001f", r"\u0000-\u001c\u001e\u001f")

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512, pattern=VISIBLE)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=VISIBLE)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=VISIBLE)]
Hex16 = SubjectHex


def _written_out(value: object) -> object:
    """The text; raise ValueError where it is a number, which would count days or seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("a day is written as 2026-01-31")
    return value


def _of_the_calendar(text: str) -> str:
    date.fromisoformat(text)
    return text


# What is signed carries days as texts; one that is on no calendar would be a term that nobody sees.
SignedDay = Annotated[Day, AfterValidator(_of_the_calendar)]
IsoDay = Annotated[date, BeforeValidator(_written_out)]


def _of_a_key(text: SecretStr) -> SecretStr:
    if re.fullmatch("[0-9A-Fa-f]{32}", text.get_secret_value()) is None:
        raise ValueError("a key is 32 hex digits")
    return text


KeyHex = Annotated[SecretStr, AfterValidator(_of_a_key)]
