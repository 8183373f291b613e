"""Invitations: one line of text that forgives white space and nothing else."""

from dataclasses import replace

import pytest

from federation.errors import InvitationError
from federation.genesis import Genesis
from federation.invitation import Invitation, parse_invitation
from tests.builders import STAMP, id16, seed, signing_key

MADE = Invitation(
    Genesis("Федерация", (id16("anchor"),), 1),
    id16("org"),
    id16("node"),
    signing_key("node").public,
    seed("pin"),
    "https://node.example.org:8443/?x",
    id16("secret"),
    STAMP,
)


def test_invitation_reads_what_it_writes() -> None:
    """The line gives back all that stands in it."""
    assert parse_invitation(MADE.to_text(), STAMP - 1) == MADE


def test_invitation_broken_over_lines() -> None:
    """White space that a mail program put in is dropped."""
    text = MADE.to_text()
    assert parse_invitation(f" {text[:20]}\r\n {text[20:99]}\n\t{text[99:]} \n", 0) == MADE


def test_invitation_out_of_date() -> None:
    """From its expiry on an invitation is refused, with what to do."""
    with pytest.raises(InvitationError, match="ask for a new one"):
        parse_invitation(MADE.to_text(), STAMP)


def test_every_character_counts() -> None:
    """At each place, the nearest wrong characters are refused."""
    text = MADE.to_text()
    for place, right in enumerate(text):
        for wrong in {chr(ord(right) ^ 1), chr(ord(right) + 1), "+", "/", "=", "А", right.swapcase()} - {right}:
            with pytest.raises(InvitationError):
                parse_invitation(text[:place] + wrong + text[place + 1 :], 0)


def test_last_character_has_no_spare_spelling() -> None:
    """Bits of the last character that carry nothing must be zero, whatever the length."""
    for count in range(4):
        text = replace(MADE, url="https://a/" + "b" * count).to_text()
        for wrong in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".replace(text[-1], ""):
            with pytest.raises(InvitationError):
                parse_invitation(text[:-1] + wrong, 0)


@pytest.mark.parametrize(
    "text", ["", "PASSPORT1-", "passport1-", "PASSPORT2-AAAA", "PASSPORT1-AAAA", "PASSPORT1-" + "A" * 5000]
)
def test_text_that_is_no_invitation(text: str) -> None:
    """Any other text gives this package's error."""
    with pytest.raises(InvitationError):
        parse_invitation(text, 0)


def test_invitation_hides_its_secret() -> None:
    """The text for logs names address and federation only."""
    assert MADE.secret.hex() not in repr(MADE)
    assert repr(MADE) == f"Invitation(https://node.example.org:8443/?x, federation {MADE.genesis.id.hex()})"


def test_text_longer_than_any_invitation_is_refused_for_its_length() -> None:
    """What somebody scanned or pasted is measured before it is read."""
    with pytest.raises(InvitationError, match="longer than 4096 characters"):
        parse_invitation("PASSPORT1-" + "A" * 5000, 0)
