"""Russian and English: which one a request reads, and the texts of pages from the .po files."""

import gettext
import io
from functools import cache, lru_cache
from pathlib import Path

from aiohttp import web
from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("ru", "en")
LANGUAGE_COOKIE = "language"
LOCALES = Path(__file__).parent / "locale"


def mark(message: str) -> str:
    """Mark a text for translation where it stands; the page translates it when it is shown."""
    return message


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalog of a language, compiled in memory."""
    path = LOCALES / language / "LC_MESSAGES" / "messages.po"
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def choose_language(request: web.Request, preferred: str | None, default: str) -> str:
    """The actor's own language, else that of the switch, else the browser's, else the node's."""
    for wish in (preferred, request.cookies.get(LANGUAGE_COOKIE)):
        if wish in LANGUAGES:
            return wish
    return accepted_language(request.headers.get("Accept-Language", ""), default)


@lru_cache(maxsize=64)  # browsers and systems ask with the same few headers
def accepted_language(header: str, default: str) -> str:
    """The best of our languages for an Accept-Language header, or the default."""
    wishes: list[tuple[float, str]] = []
    for item in header.split(",")[:20]:
        tag, _, quality = item.partition(";")
        wishes.append((_quality(quality), tag.strip().replace("-", "_")))
    wishes.sort(key=lambda wish: -wish[0])
    ordered = [tag for weight, tag in wishes if tag and weight > 0]
    return negotiate_locale(ordered, LANGUAGES) or default


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
