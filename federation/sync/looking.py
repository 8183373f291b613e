"""Looking up who has an identifier, and asking to be shown what carries it.

lookup   [scheme, value]              -> [[[subject, age us, [other id...], [log, seq, fragment] | nil]...], held 0 | 1]
ask      [scheme, value, words | nil] -> nothing
"""

from dataclasses import dataclass

from federation import codec
from federation.sync.messages import MAX_BODY, NESTING, Placed, Reading, placed_from_value, placed_value

MAX_QUESTION = 1024
MAX_KNOWN = 64
MAX_IDS = 64


@dataclass(frozen=True, slots=True)
class Known:
    """A passport that the asker may read: its subject, how old what is known of it is, and what other ids are it.

    `identity` is the newest statement of a plate of it that the asker may see: by it an answer is proved.
    """

    subject: bytes
    age_us: int
    ids: tuple[bytes, ...] = ()
    identity: Placed | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a node says of an identifier: the passports that the asker may read, or else that it has one."""

    known: tuple[Known, ...] = ()
    is_held: bool = False


def encode_lookup(scheme: str, value: str) -> bytes:
    """Ask which subjects carry an identifier."""
    return codec.pack([scheme, value])


def decode_lookup(raw: bytes) -> tuple[str, str]:
    """Read the question."""
    with Reading("lookup"):
        scheme, value = codec.array(codec.unpack(raw, MAX_QUESTION), 2, "lookup")
        return codec.text(scheme, "scheme", most=64), codec.text(value, "value")


def encode_ask(scheme: str, value: str, words: str) -> bytes:
    """Ask to be shown what carries an identifier."""
    return codec.pack([scheme, value, words or None])


def decode_ask(raw: bytes) -> tuple[str, str, str]:
    """Read the question; no words are none."""
    with Reading("ask"):
        scheme, value, words = codec.array(codec.unpack(raw, MAX_QUESTION), 3, "ask")
        said = "" if words is None else codec.text(words, "words")
        return codec.text(scheme, "scheme", most=64), codec.text(value, "value"), said


def encode_looked(looked: Looked) -> bytes:
    """The answer to lookup."""
    return codec.pack([[_known_value(one) for one in looked.known], int(looked.is_held)], NESTING)


def decode_looked(raw: bytes) -> Looked:
    """Read the answer to lookup; raise RemoteProtocolError."""
    with Reading("looked up"):
        known, held = codec.array(codec.unpack(raw, MAX_BODY), 2, "looked up")
        found = tuple(_known(item) for item in codec.array(known, None, "known", most=MAX_KNOWN))
        return Looked(found, bool(codec.uint(held, "held")))


def _known_value(known: Known) -> codec.Value:
    identity = None if known.identity is None else placed_value(known.identity)
    return [known.subject, known.age_us, [*known.ids], identity]


def _known(value: codec.Value) -> Known:
    subject, age, ids, identity = codec.array(value, 4, "known")
    others = codec.array(ids, None, "ids", most=MAX_IDS)
    return Known(
        codec.binary(subject, 16, "subject"),
        codec.uint(age, "age"),
        tuple(codec.binary(one, 16, "id") for one in others),
        None if identity is None else placed_from_value(identity),
    )
