"""The process in which one script runs: it reads questions from its input and writes answers, and can do nothing else.

It is run as a file by the pool and imports nothing of this product. A message is a length of four bytes, most
significant first, and JSON. The first message is `{"prelude", "source", "memory", "stack", "seconds"}`; its answer is
`["ready"]` or `["broken", text]`. Then each message is a list of calls `[function, argument as JSON text, Unix ms]`,
and each call is answered by a message of its own, in order: `["value", JSON text]`, `["thrown", text]` for what the
script itself throws, or `["limit", text]` after which the context is a new one and the calls that are left are not
made. What exceeds the limits of the process ends it; the pool sees that.
"""

import json
import os
import resource
import sys
import time
from typing import Any  # Any: JSON

import quickjs

Message = Any

MAX_MESSAGE = 16 << 20
MAX_ANSWER = 256 * 1024
MAX_TEXT = 500
FLUSH_S = 0.005
OWN_BYTES = 64 << 20  # of address space beside what the engine may have
CPU_S = 2  # of one message beyond what is used before; whoever waits ends the process long before
LIMITS = ("InternalError: interrupted", "InternalError: out of memory", "InternalError: string too long")


class Script:
    """A script in its context, and the way to have a new one."""

    def __init__(self, begin: Message) -> None:
        self._begin = begin
        self.renew()

    def renew(self) -> None:
        """Throw the context away and load the script again; raise what the engine raises."""
        begin = self._begin
        context = quickjs.Context()
        context.set_memory_limit(begin["memory"])
        context.set_max_stack_size(begin["stack"])
        context.set_time_limit(begin["seconds"])
        take = context.eval(str(begin["prelude"]))
        context.eval(str(begin["source"]))
        self.call = context.eval("(find) => find((name) => (0, eval)(name))")(take)
        self._context = context


def main() -> None:
    """Answer until the input ends."""
    _confine(before=True)
    begin = _read()
    if begin is None:
        return
    _confine(before=False, memory=begin["memory"])
    try:
        script = Script(begin)
    except Exception as error:
        _write([_message(["broken", str(error)[:MAX_TEXT]])])
        return
    _write([_message(["ready"])])
    while (calls := _read()) is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + 1 + CPU_S
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        _answer(script, calls)


def _answer(script: Script, calls: Message) -> None:
    answers: list[bytes] = []
    since = time.monotonic()
    for name, argument, moment in calls:  # a moment goes in as a fraction: whole numbers are cut to 32 bits
        answer = _call(script, name, argument, moment)
        answers.append(_message(answer))
        if answer[0] == "limit":
            break
        now = time.monotonic()
        if now - since > FLUSH_S:
            _write(answers)
            answers, since = [], now
    _write(answers)


def _call(script: Script, name: str, argument: str, moment: int) -> list[str]:
    try:
        found = script.call(name, argument, float(moment))
        if not isinstance(found, str) or len(found) > MAX_ANSWER:
            return ["thrown", f"the answer is no value of JSON of at most {MAX_ANSWER} characters"]
        return ["value", found]
    except quickjs.StackOverflow:
        answer = ["limit", "the script calls itself too deep"]
    except quickjs.JSException as error:
        text = str(error).partition("\n")[0][:MAX_TEXT]
        if text == "null":  # there was no memory left for the error itself
            text = "InternalError: out of memory"
        if not text.startswith(LIMITS):
            return ["thrown", text]
        answer = ["limit", text]
    except MemoryError:
        answer = ["limit", "InternalError: out of memory"]
    script.renew()
    return answer


def _confine(*, before: bool, memory: int = 0) -> None:
    """Let go of what a script may never have: files, processes, memory without end."""
    if before:
        for name in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
            resource.setrlimit(name, (0, 0))
        return
    descriptor = os.open("/proc/self/statm", os.O_RDONLY)
    size = int(os.read(descriptor, 64).split()[0]) * resource.getpagesize()
    os.close(descriptor)
    limit = size + OWN_BYTES + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _read() -> Message:
    head = _read_whole(4)
    if head is None:
        return None
    size = int.from_bytes(head, "big")
    raw = _read_whole(size) if size <= MAX_MESSAGE else None
    return None if raw is None else json.loads(raw)


def _read_whole(size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(0, size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _message(value: object) -> bytes:
    raw = json.dumps(value).encode()
    return len(raw).to_bytes(4, "big") + raw


def _write(messages: list[bytes]) -> None:
    raw = memoryview(b"".join(messages))
    while raw:
        raw = raw[os.write(1, raw) :]


if __name__ == "__main__":
    sys.setrecursionlimit(200)
    main()
