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
└── RemoteProtocolError     the peer broke the protocol of the exchange
    ├── RequestError        a request whose signature, time or nonce is refused
    └── EntryRefusedError   one entry of a mirrored log does not verify
"""


class FederationError(Exception):
    """Base of everything this package raises."""


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


class RemoteProtocolError(FederationError):
    """The peer broke the protocol of the exchange."""


class RequestError(RemoteProtocolError):
    """A request is not accepted: who signed it, for whom, when, or the signature itself."""


class EntryRefusedError(RemoteProtocolError):
    """One entry of a mirrored log does not verify; everything before it was kept."""

    def __init__(self, log: bytes, seq: int, entry_id: bytes | None, what: str) -> None:
        name = entry_id.hex() if entry_id else "unreadable"
        super().__init__(f"log {log.hex()} seq {seq} id {name}: {what}")
        self.log, self.seq, self.entry_id, self.what = log, seq, entry_id, what
