"""The queue of downlinks that a session carries: what is sent with an answer, what is done, what is given up.

An unconfirmed downlink is done when it is sent. A confirmed one is sent with each answer, each time with a new counter,
until a frame of the device acknowledges it or `MAX_ATTEMPTS` were made.
"""

from dataclasses import replace

from lora.crypto import Direction, crypt_payload, data_mic
from lora.events import Event, QueuedAbandoned, QueuedDelivered
from lora.frame import MAX_FOPTS, DataFrame, FCtrl, MType, encode_data
from lora.session import QueuedDownlink, Session

MAX_ATTEMPTS = 3
# MHDR, FHDR without FOpts, FPort and MIC: what a downlink weighs beside FOpts and payload.
HEAD_SIZE = 13


def settle_head(session: Session, frame: DataFrame) -> tuple[Session, list[Event]]:
    """Settle the head of the queue, if it was sent and waits for this frame's word."""
    if not session.attempts:
        return session, []
    head, rest = session.queue[0], session.queue[1:]
    if frame.fctrl.ack:
        return replace(session, queue=rest, attempts=0), [QueuedDelivered(session.dev_eui, head.id, acknowledged=True)]
    if session.attempts >= MAX_ATTEMPTS:
        return replace(session, queue=rest, attempts=0), [QueuedAbandoned(session.dev_eui, head.id)]
    return session, []


def take_head(session: Session, head: QueuedDownlink | None) -> tuple[Session, list[Event]]:
    """The session after its head was put into a frame: an unconfirmed one is done, a confirmed one waits."""
    if head is None:
        return session, []
    if head.confirmed:
        return replace(session, attempts=session.attempts + 1), []
    delivered = QueuedDelivered(session.dev_eui, head.id, acknowledged=False)
    return replace(session, queue=session.queue[1:]), [delivered]


def build_downlink(session: Session, head: QueuedDownlink | None, commands: bytes, *, ack: bool, adr: bool) -> bytes:
    """The PHYPayload of a downlink that carries the head of the queue, MAC commands or only an acknowledgement.

    More commands than FOpts holds go on port 0, where there is no head (1.0.3, 4.3.1.6 and 5).
    """
    mtype = MType.CONFIRMED_DOWN if head is not None and head.confirmed else MType.UNCONFIRMED_DOWN
    more = len(session.queue) > (head is not None)
    address, fcnt = session.dev_addr, session.fcnt_down
    fopts, fport, payload = commands, None, b""
    if head is not None and session.application_key is not None:
        fport = head.port
        payload = crypt_payload(session.application_key, Direction.DOWN, address, fcnt, head.payload)
    elif len(commands) > MAX_FOPTS:
        fopts, fport = b"", 0
        payload = crypt_payload(session.network_key, Direction.DOWN, address, fcnt, commands)
    fctrl = FCtrl(adr=adr, ack=ack, bit4=more)
    signed = encode_data(mtype, address, fctrl, fcnt=fcnt, fopts=fopts, fport=fport, payload=payload)
    mic = data_mic(session.network_key, Direction.DOWN, address, fcnt, signed)
    return signed + mic
