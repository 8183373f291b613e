"""MICs, payload encryption and session keys of LoRaWAN 1.0.x, over `cryptography`'s AES and CMAC.

Clauses are of 1.0.3: data MIC 4.4, payload encryption 4.3.3, join MIC 6.2.4, join accept and session keys 6.2.5. `fcnt`
is the full 32-bit counter everywhere.
"""

import hmac
import struct
from dataclasses import dataclass
from enum import IntEnum

from lora.errors import FrameError
from lora.frame import MIC_SIZE, JoinAccept, SealedJoinAccept, decode_join_accept, encode_join_accept
from lora.identifiers import DevAddr, NetId
from lora.keys import BLOCK_SIZE, Key

_BLOCK = struct.Struct("<BIBIIBB")
_MIC_BLOCK = 0x49
_STREAM_BLOCK = 0x01
_JOIN_ACCEPT_HEADER = b"\x20"


class Direction(IntEnum):
    """Who sent a frame; part of its MIC and of its keystream."""

    UP = 0
    DOWN = 1


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """What a join gives: the network's key and, where this node may have it, the application's."""

    network: Key
    application: Key


def data_mic(key: Key, direction: Direction, dev_addr: DevAddr, fcnt: int, signed: bytes) -> bytes:
    """The MIC of a data frame under NwkSKey: 4 bytes over B0 and everything before the MIC."""
    block = _BLOCK.pack(_MIC_BLOCK, 0, direction, dev_addr.value, fcnt, 0, len(signed))
    return key.cmac(block + signed)[:MIC_SIZE]


def join_mic(root: Key, signed: bytes) -> bytes:
    """The MIC of a join request or of a join accept that is not encrypted yet: 4 bytes under AppKey."""
    return root.cmac(signed)[:MIC_SIZE]


def same_mic(left: bytes, right: bytes) -> bool:
    """Whether two MICs are equal, in time that does not tell where they differ."""
    return hmac.compare_digest(left, right)


def crypt_payload(key: Key, direction: Direction, dev_addr: DevAddr, fcnt: int, payload: bytes) -> bytes:
    """Encrypt or decrypt FRMPayload: the same operation, under AppSKey, or NwkSKey on port 0."""
    if not payload:
        return b""
    size = len(payload)
    count = -(-size // BLOCK_SIZE)
    blocks = b"".join(
        _BLOCK.pack(_STREAM_BLOCK, 0, direction, dev_addr.value, fcnt, 0, index) for index in range(1, count + 1)
    )
    stream = key.encrypt(blocks)[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(stream, "little")).to_bytes(size, "little")


def derive_session_keys(root: Key, join_nonce: int, net_id: NetId, dev_nonce: int) -> SessionKeys:
    """NwkSKey and AppSKey from AppKey and both nonces."""
    tail = join_nonce.to_bytes(3, "little") + net_id.value.to_bytes(3, "little") + dev_nonce.to_bytes(2, "little")
    tail = tail.ljust(BLOCK_SIZE - 1, b"\0")
    return SessionKeys(Key(root.encrypt(b"\x01" + tail)), Key(root.encrypt(b"\x02" + tail)))


def seal_join_accept(root: Key, accept: JoinAccept) -> bytes:
    """A join accept ready to send; the network uses AES decryption so that a device needs encryption only."""
    plain = encode_join_accept(accept)
    return plain[:1] + root.decrypt(plain[1:] + join_mic(root, plain))


def open_join_accept(root: Key, sealed: SealedJoinAccept) -> JoinAccept:
    """Decrypt and check a join accept, as a device does; raise FrameError where it is not for this key."""
    plain = _JOIN_ACCEPT_HEADER + root.encrypt(sealed.body)
    if not same_mic(join_mic(root, plain[:-MIC_SIZE]), plain[-MIC_SIZE:]):
        raise FrameError("the MIC of the join accept does not hold under this root key")
    return decode_join_accept(plain[:-MIC_SIZE])
