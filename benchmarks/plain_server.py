"""The peer of the API's benchmarks: one aiohttp handler that answers bytes which it holds, in a process of its own.

    python -m benchmarks.plain_server SIZE [SIZE...]     prints its port; /0, /1 ... answer so many bytes
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

from aiohttp import web

from node.collecting import settle_collector

HOST = "127.0.0.1"


@contextmanager
def plain_server(*sizes: int) -> Iterator[int]:
    """The port of a server whose path /0 answers a body of the first size, and so on."""
    command = [sys.executable, "-m", "benchmarks.plain_server", *map(str, sizes)]
    with Popen(command, stdout=PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()


async def serve(sizes: list[int]) -> None:
    """Answer until cancelled."""
    bodies = {str(number): bytes(size) for number, size in enumerate(sizes)}

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=bodies[request.match_info["body"]], content_type="application/json")

    application = web.Application()
    application.router.add_get("/{body}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    settle_collector()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve([int(size) for size in sys.argv[1:]]))
