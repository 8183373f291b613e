"""Names of hosts, looked up in threads of their own: a slow name server holds up no other work of the node."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult


class Names(AbstractResolver):
    """Names by the system's own resolver, so many at a time."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name; raise OSError."""
        ask = partial(socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [
            ResolveResult(
                hostname=host, host=str(place[0]), port=port, family=kind, proto=protocol, flags=socket.AI_NUMERICHOST
            )
            for kind, _, protocol, _, place in found
        ]

    def end(self) -> None:
        """Give the threads back; one that still asks ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def close(self) -> None:
        """Nothing: who made it ends it."""
