"""Frames of a live connection, canonical msgpack, the same both ways.

notice    [1]                                             something new is here
          [1, [[log, size, root]...]]                     logs came so far here, and nothing else is new
question  [2, number, method, target, signature, body]    as over https; answered by the same number
answer    [3, number, status, [[header, value]...], body]
"""

from collections.abc import Mapping
from dataclasses import dataclass

from federation import codec
from federation.errors import CodecError, RemoteProtocolError
from federation.ports import Answer, Question
from federation.sync.messages import MAX_BODY

MAX_FRAME = MAX_BODY + (1 << 16)
MAX_BUSY = 8  # questions that one side may have open on a connection
MAX_GROWN = 64  # logs in a notice
MAX_HEADERS = 16
MAX_HEADER = 1024
NOTICE, QUESTION, ANSWER = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Grown:
    """How far a log came: its newest checkpoint, not proven."""

    log: bytes
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Noticed:
    """The peer has something new; where that is how far logs came alone, these."""

    grown: tuple[Grown, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is answered by its number."""

    number: int
    question: Question


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to the question of that number."""

    number: int
    answer: Answer


Frame = Noticed | Asked | Answered


def encode_frame(frame: Frame) -> bytes:
    """The canonical frame."""
    if isinstance(frame, Noticed):
        rows: codec.Value = [[one.log, one.size, one.root] for one in frame.grown]
        return codec.pack([NOTICE, rows] if frame.grown else [NOTICE])
    if isinstance(frame, Asked):
        asked = frame.question
        return codec.pack([QUESTION, frame.number, asked.method, asked.target, _pairs(asked.headers), asked.body])
    answer = frame.answer
    return codec.pack([ANSWER, frame.number, answer.status, _pairs(answer.headers), answer.body])


def decode_frame(raw: bytes) -> Frame:
    """Read a frame; raise RemoteProtocolError."""
    try:
        fields = codec.array(codec.unpack(raw, MAX_FRAME), None, "frame", most=6)
        kind = codec.uint(fields[0] if fields else None, "kind of frame")
        if kind == NOTICE:
            return _noticed(fields)
        if kind == QUESTION:
            return _asked(fields)
        if kind == ANSWER:
            return _answered(fields)
        raise CodecError(f"kind {kind} is unknown")
    except CodecError as error:
        raise RemoteProtocolError(f"frame: {error}") from error


def _noticed(fields: list[codec.Value]) -> Noticed:
    if len(fields) == 1:
        return Noticed()
    _, rows = codec.array(fields, 2, "notice")
    grown = [codec.array(row, 3, "log") for row in codec.array(rows, None, "logs", most=MAX_GROWN)]
    if not grown:
        raise CodecError("notice: a log at least")
    return Noticed(
        tuple(
            Grown(codec.binary(log, 16, "log"), codec.uint(size, "size", least=1), codec.binary(root, 32, "root"))
            for log, size, root in grown
        )
    )


def _asked(fields: list[codec.Value]) -> Asked:
    _, number, method, target, headers, body = codec.array(fields, 6, "question")
    question = Question(
        codec.text(method, "method", most=16),
        codec.text(target, "target", most=1024),
        _headers(headers),
        codec.binary(body, None, "body", most=MAX_BODY),
    )
    return Asked(codec.uint(number, "number"), question)


def _answered(fields: list[codec.Value]) -> Answered:
    _, number, status, headers, body = codec.array(fields, 5, "answer")
    answer = Answer(codec.uint(status, "status"), _headers(headers), codec.binary(body, None, "body", most=MAX_BODY))
    return Answered(codec.uint(number, "number"), answer)


def _pairs(headers: Mapping[str, str]) -> codec.Value:
    return [[name, value] for name, value in sorted(headers.items())]


def _headers(value: codec.Value) -> dict[str, str]:
    pairs = [codec.array(pair, 2, "header") for pair in codec.array(value, None, "headers", most=MAX_HEADERS)]
    return {codec.text(name, "header"): codec.text(text, "header", most=MAX_HEADER) for name, text in pairs}
