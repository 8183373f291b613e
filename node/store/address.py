"""Where a store is: the address as people write it, as the engines read it, and as it may be shown."""

from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

SQLITE, POSTGRESQL = "sqlite+aiosqlite", "postgresql+asyncpg"
SPELLINGS = dict.fromkeys(("postgres", "postgresql", POSTGRESQL), POSTGRESQL) | {SQLITE: SQLITE, "sqlite": SQLITE}
RULE = "a store is at sqlite:///FILE or postgresql://USER@HOST/DATABASE"


def parse_address(text: str) -> str:
    """The address with the name of its driver; raise ValueError, which never repeats the text."""
    scheme, _, rest = text.partition(":")
    driver = SPELLINGS.get(scheme)
    parts = _split(text)
    if driver is None or parts is None:
        raise ValueError(RULE)
    if not parts.path.strip("/"):
        raise ValueError(f"{RULE}; this one names no {'file' if driver == SQLITE else 'database'}")
    if "password" in parse_qs(parts.query):
        raise ValueError("the password of a store stands before the @ of its address, or in a file")
    return f"{driver}:{rest}"


def split_password(url: str) -> tuple[str, str]:
    """The address without its password, and the password, empty where there is none."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return parts._replace(netloc=f"{name}{at}{place}").geturl(), unquote(password)


def show_address(url: str) -> str:
    """A store's file, or its server, database and user: no password, no parameter but the folder of a socket."""
    parts = urlsplit(url)
    if parts.scheme == SQLITE:
        return parts.path.removeprefix("/")
    user, at, place = parts.netloc.rpartition("@")
    sockets = parse_qs(parts.query).get("host", ["localhost"])
    return f"postgresql://{user.partition(':')[0]}{at}{place or sockets[0]}{parts.path}"


def password_path(folder: Path, name: str) -> Path | None:
    """The file that a setting names, from the node's folder on; None where it names none."""
    return folder / name if name else None


def _split(text: str) -> SplitResult | None:
    """The parts of an address that can be read as one."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError:
        return None
    return parts if text.partition(":")[2].startswith("//") else None
