"""Words that people compare before they trust an invitation."""

import itertools
from dataclasses import replace

import pytest

from federation.words import LENGTH, WORDS, fingerprint_words
from tests.builders import id16, seed, signing_key
from tests.unit.federation.test_invitation import MADE


@pytest.mark.parametrize("language", ["ru", "en"])
def test_no_word_is_taken_for_another(language: str) -> None:
    """256 words of 3 to 6 letters of one script: no two begin alike, or differ by one letter; ё does not occur."""
    words = WORDS[language]
    letters = set("абвгдежзийклмнопрстуфхцчшщъыьэюя" if language == "ru" else "abcdefghijklmnopqrstuvwxyz")

    assert len(words) == len(set(words)) == 256
    assert len({word[:4] for word in words}) == 256
    assert all(3 <= len(word) <= 6 and set(word) <= letters for word in words)
    assert not [pair for pair in itertools.combinations(words, 2) if _differ_little(*pair)]


def test_words_follow_from_who_invites_alone() -> None:
    """Another secret, expiry or address gives the same words; another federation, node, key or pin gives others."""
    words = fingerprint_words(MADE, "ru")
    same = [replace(MADE, secret=id16("other")), replace(MADE, expires=1), replace(MADE, url="https://other")]
    others = [
        replace(MADE, genesis=replace(MADE.genesis, name="Другая")),
        replace(MADE, org=id16("other")),
        replace(MADE, node=id16("other")),
        replace(MADE, sign_key=signing_key("other").public),
        replace(MADE, pin=seed("other")),
    ]

    assert len(words) == LENGTH
    assert {fingerprint_words(one, "ru") for one in same} == {words}
    assert words not in {fingerprint_words(one, "ru") for one in others}
    assert len({fingerprint_words(one, "ru") for one in others}) == len(others)


def test_both_languages_say_the_same_bytes() -> None:
    """A Russian and an English word of one place stand for the same byte."""
    ru, en = ([WORDS[language].index(word) for word in fingerprint_words(MADE, language)] for language in ("ru", "en"))

    assert ru == en


def _differ_little(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) < 2
    short, long = sorted((one, other), key=len)
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
