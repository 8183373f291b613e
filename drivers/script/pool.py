"""The processes in which scripts run: one for each script, watched from outside, ended where it does not end itself.

A script is bounded twice. The engine bounds time and memory of each call; what escapes it, as a search in a text of
megabytes does, is seen by the pool, which reads the processor time of the process and ends it. Whoever fails is
suspended for a while, the longer the more often, and his next process has the least priority. Of those who failed
lately or never answered yet one runs at a time. Calls come from threads; who behaves waits for his own script alone.
"""

import contextlib
import json
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any  # Any: JSON

from drivers.errors import DriverFaultError, ScriptThrownError, SuspendedError

WORKER = Path(__file__).with_name("worker.py")
PRELUDE = Path(__file__).with_name("prelude.js")
MAX_MESSAGE = 1 << 20
MAX_DEPTH, MAX_VALUES = 20, 2_000
MAX_NUMBER, MAX_MAGNITUDE = 40, 400  # characters and powers of ten; a double has 24 and 308, and 340 below one
LENGTH, CHUNK = 4, 1 << 16
READY, VALUE, THROWN = b"R"[0], b"V"[0], b"T"[0]
LOOK_S = 0.02
STOP_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
LEAST_PRIORITY = 19


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may have: seconds of processor time and bytes. A process that has half as much again is ended."""

    seconds: float = 0.1
    memory: int = 24 << 20
    stack: int = 256 << 10
    wall: float = 5.0  # seconds of a busy machine in which nothing came


@dataclass(frozen=True, slots=True)
class Call:
    """A question to a script: which function, its argument as text, and Unix milliseconds of what it takes for now."""

    function: str
    argument: str
    moment: int


Answer = Any  # Any: JSON of whatever a script gives
Outcome = Answer | DriverFaultError | ScriptThrownError


@dataclass(slots=True)
class _Place:
    """Where a script runs, or will: its process, and how it behaved."""

    source: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    process: subprocess.Popen[bytes] | None = None
    faults: int = 0
    is_proven: bool = False  # it has answered once
    is_gone: bool = False  # nobody keeps it: its process ends with the call that is under way
    until: float = 0.0
    heard: bytearray = field(default_factory=bytearray)
    at: int = 0  # from which byte of what was heard nothing was taken yet

    @property
    def is_suspect(self) -> bool:
        """Whether it may only run alone among its like."""
        return bool(self.faults) or not self.is_proven

    def take(self) -> tuple[int, str] | None:
        """The next whole answer of what was heard: its kind and its text; None where there is none yet."""
        begin = self.at + LENGTH
        if len(self.heard) < begin:
            return None
        size = int.from_bytes(self.heard[self.at : begin], "big")
        if size > MAX_MESSAGE:
            raise _EndedError(f"the answer has {size} bytes, at most {MAX_MESSAGE} are taken")
        if not size or len(self.heard) < begin + size:
            return None
        kind, text = self.heard[begin], self.heard[begin + 1 : begin + size].decode(errors="replace")
        self.at = begin + size
        if self.at == len(self.heard):
            self.heard, self.at = bytearray(), 0
        return kind, text


class ScriptPool:
    """Runs scripts by their hash."""

    def __init__(self, limits: Limits | None = None, most: int = 32) -> None:
        """At most so many processes stand at once; the one that was asked longest ago gives way."""
        self.limits = limits or Limits()
        self._most = most
        self._places: OrderedDict[bytes, _Place] = OrderedDict()
        self._lock = threading.Lock()
        self._suspects = threading.Lock()
        self._is_closed = False

    def call(self, digest: bytes, source: str, calls: Sequence[Call]) -> list[Outcome]:
        """The outcome of each call, in order: the value, or the error.

        DriverFaultError where the script broke a limit, SuspendedError where it did lately, ScriptThrownError for what
        it throws itself. A call after one that broke a limit is not made.
        """
        place = self._place(digest, source)
        with place.lock:
            if time.monotonic() < place.until:
                return [SuspendedError(place.until - time.monotonic()) for _ in calls]
            with self._suspects if place.is_suspect else contextlib.nullcontext():
                outcomes = self._ask(place, calls)
            self._judge(place, outcomes)
        if place.is_gone:
            _end_idle(place)
        outcomes += [SuspendedError(max(0.0, place.until - time.monotonic()))] * (len(calls) - len(outcomes))
        return outcomes

    def process_of(self, digest: bytes) -> int | None:
        """The number of the process of a script, for whoever measures it."""
        place = self._places.get(digest)
        return place.process.pid if place is not None and place.process is not None else None

    def keep(self, digests: Collection[bytes]) -> None:
        """Let the scripts go that are none of these, with their processes; one that runs ends when it has answered."""
        with self._lock:
            gone = [place for digest, place in self._places.items() if digest not in digests]
            self._places = OrderedDict((key, place) for key, place in self._places.items() if key in digests)
        for place in gone:
            place.is_gone = True
            _end_idle(place)

    @property
    def known(self) -> frozenset[bytes]:
        """The scripts that have a place here, by hash."""
        with self._lock:
            return frozenset(self._places)

    def close(self) -> None:
        """End every process; whoever asks afterwards gets a DriverFaultError."""
        with self._lock:
            self._is_closed = True
            places, self._places = list(self._places.values()), OrderedDict()
        for place in places:
            with place.lock:
                _end(place)

    def _place(self, digest: bytes, source: str) -> _Place:
        with self._lock:
            if self._is_closed:
                raise DriverFaultError("the sandbox is closed")
            place = self._places.setdefault(digest, _Place(source))
            self._places.move_to_end(digest)
            standing = [one for key, one in self._places.items() if one.process is not None and key != digest]
        for other in standing[: max(0, len(standing) + 1 - self._most)]:
            _end_idle(other)
        return place

    def _ask(self, place: _Place, calls: Sequence[Call]) -> list[Outcome]:
        is_standing = place.process is not None
        outcomes = self._try(place, calls)
        if is_standing and place.process is None and len(outcomes) == 1 and isinstance(outcomes[0], _GoneError):
            return self._try(place, calls)  # somebody else ended it, maybe while nobody asked it
        return outcomes

    def _try(self, place: _Place, calls: Sequence[Call]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            process = self._started(place)
            for page in _pages(calls):
                _send(process, page)
                for _ in page:
                    outcomes.append(_outcome(*self._receive(place)))
                    if isinstance(outcomes[-1], DriverFaultError):
                        return outcomes
        except _EndedError as error:
            _end(place)
            outcomes.append(_GoneError(str(error)) if error.is_gone else DriverFaultError(str(error)))
        except DriverFaultError as error:
            _end(place)
            outcomes.append(error)
        return outcomes

    def _judge(self, place: _Place, outcomes: Sequence[Outcome]) -> None:
        if outcomes and isinstance(outcomes[-1], DriverFaultError):
            place.until = time.monotonic() + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**place.faults)
            place.faults += 1
            if place.process is not None:
                with contextlib.suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, place.process.pid, LEAST_PRIORITY)
        elif outcomes:
            place.is_proven, place.faults = True, max(0, place.faults - 1)

    def _started(self, place: _Place) -> subprocess.Popen[bytes]:
        if place.process is not None and place.process.poll() is None:
            return place.process
        process = place.process = subprocess.Popen(  # noqa: S603 - our own program, nothing of it is given from outside
            [sys.executable, "-I", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"TZ": "UTC"},
            start_new_session=True,
        )
        if place.faults:
            os.setpriority(os.PRIO_PROCESS, process.pid, LEAST_PRIORITY)
        limits = self.limits
        begin = {"prelude": _prelude(), "source": place.source, "memory": limits.memory, "stack": limits.stack}
        _send(process, {**begin, "seconds": limits.seconds})
        kind, text = self._receive(place, begins=True)
        if kind != READY:
            raise DriverFaultError(f"the script does not load: {text}")
        return process

    def _receive(self, place: _Place, *, begins: bool = False) -> tuple[int, str]:
        """The next answer; raise _EndedError where none comes within the limits, or the process is gone."""
        if place.process is None or place.process.stdout is None:
            raise _EndedError("the process of the script has no output")
        answer = place.take()
        if answer is not None:
            return answer
        limit = 1.5 * self.limits.seconds + (1.0 if begins else 0.0)  # to begin, a process reads its own program first
        watch = _Watch(place.process.pid, limit, self.limits.wall)
        descriptor = place.process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while answer is None:
            if not poll.poll(LOOK_S * 1000):
                watch.look()
                continue
            part = os.read(descriptor, CHUNK)
            if not part:
                raise _EndedError("the process of the script ended: more memory or time than it may have", is_gone=True)
            place.heard += part
            answer = place.take()
        return answer


class _EndedError(Exception):
    """A process is to be ended, or `is_gone` already."""

    def __init__(self, text: str, *, is_gone: bool = False) -> None:
        super().__init__(text)
        self.is_gone = is_gone


class _GoneError(DriverFaultError):
    """The process of a script was gone, for whatever reason."""


@dataclass(slots=True)
class _Watch:
    """What a process may use until it answers."""

    pid: int
    seconds: float
    wall: float
    used: float = -1.0
    since: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Raise _EndedError where it used too much."""
        used = _processor_s(self.pid)
        self.used = used if self.used < 0 else self.used
        if used - self.used > self.seconds:
            raise _EndedError(f"the script did not end within {self.seconds} s of processor time")
        if time.monotonic() - self.since > self.wall:
            raise _EndedError(f"the script did not answer within {self.wall} s")


def _number(text: str) -> Decimal:
    """A fraction as a script writes it; raise ValueError for what no double is: 1e999999999 fills the memory later."""
    number = Decimal(text) if len(text) <= MAX_NUMBER else None
    if number is None or abs(number.adjusted()) > MAX_MAGNITUDE:
        raise ValueError(f"{text[:MAX_NUMBER]} is no number of a script")
    return number


_UNKEPT = re.compile("[\0\ud800-\udfff]")
_DECODE = json.JSONDecoder(parse_float=_number).decode


@cache
def _prelude() -> str:
    return PRELUDE.read_text(encoding="utf-8")


def _pages(calls: Sequence[Call]) -> Iterator[list[list[object]]]:
    """Calls in messages, none of which fills a pipe whose other end answers."""
    page: list[list[object]] = []
    size = 0
    for one in calls:
        if page and size + len(one.argument) > MAX_MESSAGE // 4:
            yield page
            page, size = [], 0
        page.append([one.function, one.argument, one.moment])
        size += len(one.argument) + 64
    if page:
        yield page


def _send(process: subprocess.Popen[bytes], message: object) -> None:
    raw = json.dumps(message).encode()
    view = memoryview(len(raw).to_bytes(4, "big") + raw)
    try:
        while view and process.stdin is not None:
            view = view[os.write(process.stdin.fileno(), view) :]
    except OSError as error:
        raise _EndedError(f"the process of the script is gone: {error.strerror}", is_gone=True) from error


def _outcome(kind: int, text: str) -> Outcome:
    if kind == THROWN:
        return ScriptThrownError(text)
    if kind != VALUE:
        return DriverFaultError(f"the script broke a limit: {text}")
    try:
        found = _DECODE(text)["found"]
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        return DriverFaultError(f"the script gave no JSON: {error}")
    is_small = len(text) < MAX_VALUES and text.count("{") + text.count("[") < MAX_DEPTH
    if is_small or _count(found) <= MAX_VALUES:
        return _readable(found) if "\\u" in text else found
    return ScriptThrownError(f"more than {MAX_VALUES} values, or {MAX_DEPTH} levels of them")


def _count(value: Any, depth: int = 0) -> int:  # Any: JSON
    """How many values there are; more than allowed where they lie too deep."""
    if depth > MAX_DEPTH:
        return MAX_VALUES + 1
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 1 if inside is None else sum(_count(one, depth + 1) for one in inside)


def _readable(value: Any) -> Any:  # Any: JSON
    """The same where zeros and halves of characters, which no store keeps, are marks of what was lost."""
    if isinstance(value, str):
        return _UNKEPT.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_readable(one) for one in value]
    return {_readable(name): _readable(one) for name, one in value.items()} if isinstance(value, dict) else value


def _processor_s(pid: int) -> float:
    """Processor time of a process in seconds, 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _end_idle(place: _Place) -> None:
    """End the process of a script that nobody asks just now."""
    if place.lock.acquire(blocking=False):
        try:
            _end(place)
        finally:
            place.lock.release()


def _end(place: _Place) -> None:
    process, place.process = place.process, None
    place.heard, place.at = bytearray(), 0
    if process is None:
        return
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
