"""What can be wrong in what another organisation sends, and in what we are about to say.

FederationError
├── CodecError              bytes are not the canonical form, or a field breaks its rule
│   └── LimitError          a size, count or depth is over its limit
├── KeyRefusedError         a key that may not be used
├── StatementError          a root or log statement is refused
├── VoidError               an entry that counts as a leaf and as nothing else: its author's fault
├── TransportError          an envelope that is the sender's fault: nothing is stored
├── CheckpointError         a signed note is no checkpoint of that log
├── ProofError              an inclusion, consistency or fork proof does not hold
├── SealError               a sealed section that this key does not open
├── InvitationError         an invitation that is broken or out of date
├── BundleError             a bundle that is damaged, or for another node
├── AwayError               the peer is not reached, or does not answer in time
│   └── UnconnectedError    it only dials out, and has not
├── BusyError               asked too much: ask later
└── RemoteProtocolError     the peer broke the protocol of the exchange
    ├── RequestError        a request whose signature, time or nonce is refused, or whose asker has no right
    ├── AnswerError         an answer that its node did not sign for this question
    ├── OversizeError       more bytes than may come
    ├── SlowError           bytes that trickle
    ├── TruncatedError      an answer that breaks off
    ├── CertificateError    another certificate than the one that is pinned
    ├── BrokenError         the peer says itself that it failed
    ├── FilterError         what is said to be followed is too much, in disorder, or not what was told
    ├── LackingError        a bundle does not carry what is asked of it
    └── EntryRefusedError   one entry of a mirrored log does not verify

`code` is the word for people who look after a node: what is shown of a peer begins with it.
"""

from typing import ClassVar


class FederationError(Exception):
    """Base of everything this package raises."""

    code: ClassVar[str] = "protocol"


class CodecError(FederationError):
    """The bytes are not canonical, or a field breaks its rule."""


class LimitError(CodecError):
    """A size, a count or a depth is over its limit."""


class KeyRefusedError(FederationError):
    """The key is not canonical, of small order, or of the wrong algorithm."""


class StatementError(FederationError):
    """A root or log statement is refused; what follows it in its chain is refused with it."""


class VoidError(FederationError):
    """The entry is void: its leaf counts for the root, nothing reads it, its author is to blame."""


class TransportError(FederationError):
    """The envelope is broken: the sender is to blame and nothing is stored."""


class CheckpointError(FederationError):
    """The note is no checkpoint of the log it is said to be of."""


class ProofError(FederationError):
    """The proof does not show what it is said to show."""


class SealError(FederationError):
    """The sealed bytes do not open with this key, or open to something malformed."""


class InvitationError(FederationError):
    """The invitation is malformed, expired or for somebody else."""


class BundleError(FederationError):
    """The bundle is damaged, altered, or for another node."""


class AwayError(FederationError):
    """The peer is not reached, or does not answer in time: nobody's fault, asked again later."""

    code = "away"


class UnconnectedError(AwayError):
    """The peer only dials out, and has not dialled this node."""

    code = "unconnected"


class BusyError(FederationError):
    """Asked too much, here or there: nobody's fault, asked again after `retry_s` seconds."""

    code = "busy"

    def __init__(self, what: str, retry_s: float) -> None:
        super().__init__(what)
        self.retry_s = retry_s


class RemoteProtocolError(FederationError):
    """The peer broke the protocol of the exchange."""


class RequestError(RemoteProtocolError):
    """A request is not accepted: who signed it, for whom, when, the signature itself, or a right that is not there."""

    code = "refused"


class AnswerError(RemoteProtocolError):
    """The answer is not one that the asked node signed for this question, or no answer at all."""

    code = "answer"


class OversizeError(RemoteProtocolError):
    """More bytes than may come: what was sent, or what it inflates to."""

    code = "oversize"


class SlowError(RemoteProtocolError):
    """The bytes trickle: whoever waits for them would wait for ever."""

    code = "slow"


class TruncatedError(RemoteProtocolError):
    """What was sent breaks off before its end."""

    code = "truncated"


class CertificateError(RemoteProtocolError):
    """Whoever answers at the address has another certificate than the one that is pinned."""

    code = "certificate"


class BrokenError(RemoteProtocolError):
    """The peer answers that it failed itself."""

    code = "broken"


class FilterError(RemoteProtocolError):
    """What a node says that it follows is too much or in disorder, or a peer does not keep what it was told."""

    code = "filter"


class LackingError(RemoteProtocolError):
    """A bundle does not carry what is asked of it: whoever made it took it that this was here."""

    code = "lacking"


class EntryRefusedError(RemoteProtocolError):
    """One entry of a mirrored log does not verify; everything before it was kept."""

    code = "entry"

    def __init__(self, log: bytes, seq: int, entry_id: bytes | None, what: str) -> None:
        name = entry_id.hex() if entry_id else "unreadable"
        super().__init__(f"log {log.hex()} seq {seq} id {name}: {what}")
        self.log, self.seq, self.entry_id, self.what = log, seq, entry_id, what
