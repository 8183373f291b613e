"""Marks and makers' names as plates and registers spell them: with a legal form, without one, or under the next.

A company that went from «ОАО» to «АО», or whose mark stands on the plate without either, is named by what remains.
"""

from collections.abc import Iterable
from functools import lru_cache

from node.passport.plate import comparison_text

_SHORT = "ооо оао зао пао нао ао ип тоо одо чуп фгуп гуп муп llc ltd jsc gmbh ag inc"
_LONG = (
    "общество с ограниченной ответственностью",
    "публичное акционерное общество",
    "непубличное акционерное общество",
    "открытое акционерное общество",
    "закрытое акционерное общество",
    "акционерное общество",
)
_FORMS = tuple(map(comparison_text, (*_LONG, *_SHORT.split())))


def is_named(mark: str, names: Iterable[str]) -> bool:
    """Whether a mark is one of these names, whatever the legal form beside either."""
    wanted = bare_name(mark)
    return any(bare_name(name) == wanted for name in names)


@lru_cache(1 << 12)
def bare_name(name: str) -> str:
    """A name in the form of comparison without its legal form; a name that is nothing else stays whole."""
    text = comparison_text(name)
    for form in _FORMS:
        bare = text.removeprefix(f"{form}-").removesuffix(f"-{form}")
        if bare != text:
            return bare
    return text
