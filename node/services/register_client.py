"""Asking the public interface of ФГИС «Аршин»: one request at a time, with a pause between any two of this node.

The time of the last request is kept in the store, so that a node that is started again keeps the pause too. Answers 429
and 5xx, and silence, are asked for again after what `Retry-After` says, at most four times.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from node.errors import PeerError, StateError
from node.passport.register_answers import MAX_ANSWER, MAX_ITEMS
from node.services.core import Core
from node.store.settings import find_setting, set_setting

ASKED = "register/asked"
ATTEMPTS = 4
LONGEST_WAIT_S = 600.0
BUSY = 429
AGENT = "passport-node"

Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer as it came: from which address, when, and its bytes."""

    url: str
    asked_us: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Refused:
    why: str
    retry_after_s: float | None


class RegisterClient:
    """Asks the register."""

    def __init__(self, core: Core, sleep: Sleep = asyncio.sleep) -> None:
        self._core = core
        self._sleep = sleep
        self._asking = asyncio.Lock()

    @property
    def is_on(self) -> bool:
        """Whether an address is set."""
        return bool(self._core.settings.arshin.url)

    def check_on(self) -> None:
        """Raise StateError where reading the register is off."""
        if not self.is_on:
            raise StateError("reading the register is off: set [arshin] url in config.toml", "register_off")

    async def ask(self, type_number: str, serial: str) -> Asked:
        """The newest results of an instrument by type approval number and serial; raise PeerError when none comes."""
        self.check_on()
        query = {"mit_number": type_number, "mi_number": serial, "start": "0", "rows": str(MAX_ITEMS)}
        url = URL(self._core.settings.arshin.url.rstrip("/") + "/vri").with_query(query)
        async with self._asking:
            why = ""
            for attempt in range(ATTEMPTS):
                await self._keep_pause()
                told = await self._request(url)
                if isinstance(told, Asked):
                    return told
                why = told.why
                if attempt + 1 < ATTEMPTS:
                    pause = self._core.settings.arshin.pause_s * 2 ** (attempt + 1)
                    await self._sleep(min(LONGEST_WAIT_S, told.retry_after_s or pause))
        raise PeerError(f"the register did not answer {ATTEMPTS} times: {why}", "register_away", reason=why)

    async def _keep_pause(self) -> None:
        """Wait until the pause after the last request of this node is over, and note the new one before it is made."""
        pause = self._core.settings.arshin.pause_s
        async with self._core.database.read() as tx:
            raw = await find_setting(tx, ASKED)
        if raw is not None:
            left = pause - (self._core.clock.now() - int(raw)) / 1e6
            # A clock that was set back does not stop the node for years.
            if left > 0:
                await self._sleep(min(left, pause))
        async with self._core.database.write() as tx:
            await set_setting(tx, ASKED, str(self._core.clock.now()).encode())

    async def _request(self, url: URL) -> Asked | _Refused:
        timeout = aiohttp.ClientTimeout(total=self._core.settings.arshin.timeout_s)
        headers = {"Accept": "application/json", "User-Agent": AGENT}
        asked_us = self._core.clock.now()
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.get(url, allow_redirects=False) as response,
            ):
                if response.status == BUSY or response.status >= 500:
                    return _Refused(f"status {response.status}", self._wait(response.headers.get("Retry-After")))
                if response.status != 200:
                    raise PeerError(
                        f"the register answers {response.status}", "register_refused", status=response.status
                    )
                body = await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _Refused(type(error).__name__, None)
        return Asked(str(url), asked_us, body)

    def _wait(self, told: str | None) -> float | None:
        """The seconds that a Retry-After asks for, None where it asks for nothing that can be read."""
        if told is None:
            return None
        if told.strip().isdecimal():
            return float(told)
        try:
            moment = parsedate_to_datetime(told).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        now = datetime.fromtimestamp(self._core.clock.now() / 1e6, UTC)
        return max(0.0, (moment - now).total_seconds()) or None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, cut just beyond what is read: the parser then says that it is too long."""
    body = bytearray()
    async for part in response.content.iter_chunked(1 << 14):
        body += part
        if len(body) > MAX_ANSWER:
            break
    return bytes(body[: MAX_ANSWER + 1])
