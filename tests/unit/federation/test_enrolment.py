"""The two texts by which one more node of an organisation is made."""

import pytest

from federation.enrolment import Enrolment, NodeRequest, parse_enrolment, parse_request
from federation.errors import InvitationError
from federation.genesis import Genesis
from federation.peer import PeerAddress
from tests.builders import found, id16, signing_key

REQUEST = NodeRequest(id16("node"), signing_key("node").public)
WHOLE = Enrolment(
    found().node("node").statements,
    Genesis("Водоучёт", (id16("anchor"),), 1),
    PeerAddress("https://127.0.0.1:8441", id16("first"), signing_key("first").public, bytes(32)),
)


@pytest.mark.parametrize("enrolment", [WHOLE, Enrolment(found().statements)])
def test_texts_are_read_as_they_were_written(enrolment: Enrolment) -> None:
    """White space that a mail program puts in does no harm."""
    asked, answered = REQUEST.to_text(), enrolment.to_text()

    assert parse_request(f" {asked[:40]}\n{asked[40:]} ") == REQUEST
    assert parse_enrolment(answered[:100] + "\r\n" + answered[100:]) == enrolment


@pytest.mark.parametrize("read", [parse_request, parse_enrolment])
def test_mistyped_text_is_refused(read: object) -> None:
    """Each single altered character, another prefix, and a cut end are told as damage."""
    text = (REQUEST if read is parse_request else WHOLE).to_text()
    altered = [text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :] for at in range(0, len(text), 7)]

    for wrong in [*altered, text[:-3], text.lower(), "", "PASSPORT1-" + text]:
        with pytest.raises(InvitationError):
            read(wrong)  # type: ignore[operator]  # a function


def test_text_of_impossible_size_is_refused_before_it_is_decoded() -> None:
    """A request is a few hundred characters."""
    with pytest.raises(InvitationError, match="at most"):
        parse_request("PASSPORT1-NODE-" + "A" * 100_000)
