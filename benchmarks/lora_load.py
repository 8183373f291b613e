"""Gateways that send as fast as they are answered: a process of its own, `python -m benchmarks.lora_load < plan`.

A plan is a JSON line {"address": [host, port], "window": n, "rate": r} and then datagrams, each as a 2-byte length and
its bytes. At most `window` datagrams are without an answer at any time; an answer is one of the same token. What came
of it is one JSON line: seconds from the first datagram to the last answer, and how many were never answered.

With a rate they are sent so many a second, answered or not; told is then how long after a confirmed uplink a downlink
to its address was ordered, in seconds, for each that was.
"""

import base64
import json
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence

WAIT_S = 3.0
SIZE = struct.Struct(">H")
TOKEN = slice(1, 3)
PUSH_DATA, PULL_RESP = 0, 3
CONFIRMED_UP, ADDRESS = 4, slice(1, 5)


def plan(address: tuple[str, int], window: int, datagrams: Sequence[bytes], rate: float = 0.0) -> bytes:
    """What the process reads."""
    head = json.dumps({"address": address, "window": window, "rate": rate}).encode() + b"\n"
    return head + b"".join(SIZE.pack(len(one)) + one for one in datagrams)


def numbered(datagrams: Iterator[bytes]) -> list[bytes]:
    """The same with tokens of their own, 16 bits that come again only after all the others."""
    return [one[:1] + (at & 0xFFFF).to_bytes(2, "big") + one[3:] for at, one in enumerate(datagrams)]


def send(address: tuple[str, int], window: int, datagrams: Sequence[bytes]) -> tuple[float, int]:
    """Send them all; answer the seconds it took and how many had no answer."""
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    wire.connect(address)
    wire.settimeout(WAIT_S)
    waiting: set[bytes] = set()
    lost, begun = 0, time.perf_counter()
    for one in datagrams:
        while len(waiting) >= window:
            try:
                waiting.discard(wire.recv(2048)[TOKEN])
            except TimeoutError:
                lost += len(waiting)
                waiting.clear()
        waiting.add(one[TOKEN])
        wire.send(one)
    while waiting:
        try:
            waiting.discard(wire.recv(2048)[TOKEN])
        except TimeoutError:
            lost += len(waiting)
            break
    return time.perf_counter() - begun, lost


def pace(address: tuple[str, int], rate: float, datagrams: Sequence[bytes]) -> list[float]:
    """Send so many a second; answer how long each ordered downlink took."""
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    wire.connect(address)
    sent: dict[bytes, float] = {}
    taken: list[float] = []
    begun, ends, at = time.perf_counter(), None, 0
    while ends is None or time.perf_counter() < ends:
        now = time.perf_counter()
        if at < len(datagrams) and now >= begun + at / rate:
            one = datagrams[at]
            at += 1
            if one[3] == PUSH_DATA and (phy := _phy(json.loads(one[12:])["rxpk"][0]))[0] >> 5 == CONFIRMED_UP:
                sent.setdefault(phy[ADDRESS], time.perf_counter())
            wire.send(one)
            continue
        if at == len(datagrams) and ends is None:
            ends = now + WAIT_S
        wire.settimeout(max(0.0001, begun + at / rate - now) if at < len(datagrams) else 0.01)
        try:
            answer = wire.recv(4096)
        except (TimeoutError, BlockingIOError):
            continue
        if answer[3] == PULL_RESP:
            first = sent.pop(_phy(json.loads(answer[4:])["txpk"])[ADDRESS], None)
            if first is not None:
                taken.append(time.perf_counter() - first)
    return taken


def _phy(packet: dict[str, str]) -> bytes:
    """The frame of a packet, as it is on the air."""
    return base64.b64decode(packet["data"])


def main() -> int:
    """Do what the plan says."""
    raw = sys.stdin.buffer.read()
    head, _, rest = raw.partition(b"\n")
    told = json.loads(head)
    datagrams, at = [], 0
    while at < len(rest):
        (size,) = SIZE.unpack_from(rest, at)
        datagrams.append(rest[at + 2 : at + 2 + size])
        at += 2 + size
    address = str(told["address"][0]), int(told["address"][1])
    if told["rate"]:
        print(json.dumps({"taken": pace(address, float(told["rate"]), datagrams)}), flush=True)
        return 0
    seconds, lost = send(address, int(told["window"]), datagrams)
    print(json.dumps({"seconds": seconds, "lost": lost}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
