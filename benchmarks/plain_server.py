"""The peer of the API's benchmarks: one aiohttp handler that answers bytes which it holds, in a process of its own.

python -m benchmarks.plain_server SIZE COUNT     prints its port; /empty answers nothing, /0 to /COUNT-1 SIZE bytes
"""

import asyncio
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

from aiohttp import web

from node.collecting import settle_collector

HOST = "127.0.0.1"


@contextmanager
def plain_server(size: int, count: int) -> Iterator[tuple[int, int]]:
    """The port and the pid of a server that holds so many bodies of a size, and one that is empty."""
    command = [sys.executable, "-m", "benchmarks.plain_server", str(size), str(count)]
    with Popen(command, stdout=PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else ""), process.pid
        finally:
            process.terminate()


async def serve(size: int, count: int) -> None:
    """Answer until cancelled."""
    bodies = {"empty": b"", **{str(number): random.randbytes(size) for number in range(count)}}

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
    asyncio.run(serve(*map(int, sys.argv[1:])))
