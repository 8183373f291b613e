"""Static files, read once: each has its content's hash in its address and is kept by browsers for ever."""

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from node.errors import NotFoundError

STATIC = Path(__file__).parent / "static"
PREFIX = "/static"
TYPES = {".woff2": "font/woff2", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
SERVED = frozenset({*TYPES, ".png", ".txt"})
_CSS_URL = re.compile(rb'url\("([^":]+)"\)')


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, its address and its type."""

    url: str
    body: bytes
    content_type: str


class Assets:
    """The static files of the console."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        self._by_name: dict[str, Asset] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix in SERVED:
                self._load(path.relative_to(folder).as_posix())
        self._by_url = {asset.url: asset for asset in self._by_name.values()}

    def url(self, name: str) -> str:
        """The address of a file; KeyError where there is none."""
        return self._by_name[name].url

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a file; only the address with the right hash exists."""
        asset = self._by_url.get(request.path)
        if asset is None:
            raise NotFoundError("there is no such file", "route_unknown")
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        charset = "utf-8" if asset.content_type.startswith("text/") else None
        response = web.Response(body=asset.body, content_type=asset.content_type, charset=charset, headers=headers)
        response.enable_compression()
        return response

    def _load(self, name: str) -> Asset:
        if name in self._by_name:
            return self._by_name[name]
        path = self._folder / name
        body = path.read_bytes()
        if path.suffix == ".css":
            # The hash of a style sheet covers the addresses of what it names.
            body = _CSS_URL.sub(lambda found: b'url("%s")' % self._load(found[1].decode()).url.encode(), body)
        digest = hashlib.sha256(body).hexdigest()[:12]
        content_type = TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._by_name[name] = Asset(f"{PREFIX}/{digest}/{name}", body, content_type)
        return self._by_name[name]
