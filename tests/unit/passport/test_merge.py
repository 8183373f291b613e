"""The merge of one key."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from node.passport.merge import Hidden, Said, Standing, Verdict, decide
from node.passport.ranks import FactClass, Ground, Rank, SubjectFacts, Title, parameter_class, rank
from node.passport.references import References
from node.passport.statement import Statement
from node.passport.world import World
from tests.builders_passport import Author, demo, parameters

HIGH, LOW = Rank(5, has_authority=True, ground=Ground.MAKER), Rank(1, has_authority=False, ground=Ground.ANYBODY)
REGISTER = Rank(6, has_authority=True, ground=Ground.REGISTER)
AT = 1_780_000_000_000_000


@dataclass(frozen=True)
class Voice:
    """Who says what at which rank; `over` are the voices that the statement refs."""

    author: str
    value: str | None
    rank: Rank
    over: tuple[int, ...] = ()


def heard(voices: Sequence[Voice]) -> Verdict:
    authors = {voice.author: Author(voice.author) for voice in voices}
    statements: list[Statement] = []
    for voice in voices:
        draft = parameters(b"s" * 16, dn=voice.value or "?")
        statements.append(authors[voice.author].say(draft, refs=[statements[at] for at in voice.over]))
    pairs = list(zip(voices, statements, strict=True))
    said = [Said(s, "parameters", v.rank, v.value, v.value) for v, s in pairs if v.value]
    hidden = [Hidden(s, "parameters", v.rank) for v, s in pairs if not v.value]
    return decide(said, hidden, References(statements))


@pytest.mark.parametrize(
    ("voices", "value", "standing", "beside"),
    [
        ([Voice("a", "1", HIGH)], "1", Standing.STATED, []),
        ([Voice("a", "1", LOW)], "1", Standing.WORKING, []),
        ([Voice("a", "1", REGISTER)], "1", Standing.REGISTERED, []),
        ([Voice("a", "1", HIGH), Voice("b", "2", LOW)], "1", Standing.STATED, [("2", "claim")]),
        ([Voice("a", "1", HIGH), Voice("b", "1", LOW)], "1", Standing.STATED, [("1", "working")]),
        (
            [Voice("a", "1", HIGH), Voice("b", "2", HIGH)],
            None,
            Standing.DISPUTED,
            [("1", "disputed"), ("2", "disputed")],
        ),
        (
            [Voice("a", "1", HIGH), Voice("b", "2", HIGH), Voice("c", "1", LOW)],
            None,
            Standing.DISPUTED,
            [("1", "disputed"), ("2", "disputed"), ("1", "claim")],
        ),
        ([Voice("a", "1", HIGH), Voice("a", "2", HIGH)], "2", Standing.STATED, [("1", "replaced")]),
        ([Voice("a", "1", HIGH), Voice("a", "2", HIGH, (0,))], "2", Standing.STATED, [("1", "replaced")]),
        (
            [Voice("a", "1", HIGH), Voice("b", "2", HIGH, (0,))],
            None,
            Standing.DISPUTED,
            [("1", "disputed"), ("2", "disputed")],
        ),
        (
            [Voice("a", "1", LOW), Voice("b", "2", LOW, (0,))],
            None,
            Standing.DISPUTED,
            [("1", "disputed"), ("2", "disputed")],
        ),
        ([Voice("a", "1", LOW), Voice("b", "2", HIGH, (0,))], "2", Standing.STATED, [("1", "replaced")]),
        ([Voice("a", "1", HIGH), Voice("b", "2", LOW, (0,))], "1", Standing.STATED, [("2", "claim")]),
        ([Voice("a", "1", HIGH), Voice("a", "2", LOW, (0,))], "1", Standing.STATED, [("2", "claim")]),
        (
            [Voice("a", "1", HIGH), Voice("b", "2", HIGH, (0,)), Voice("a", "3", HIGH, (1,))],
            None,
            Standing.DISPUTED,
            [("1", "replaced"), ("2", "disputed"), ("3", "disputed")],
        ),
        (  # a joint act: both say the same, over what each of them said
            [Voice("a", "1", HIGH), Voice("b", "2", HIGH), Voice("a", "3", HIGH, (0, 1)), Voice("b", "3", HIGH, (2,))],
            "3",
            Standing.STATED,
            [("1", "replaced"), ("2", "replaced"), ("3", "stated")],
        ),
        (  # one who ranks higher decides, also over both
            [Voice("a", "1", HIGH), Voice("b", "2", HIGH), Voice("c", "3", REGISTER, (0, 1))],
            "3",
            Standing.REGISTERED,
            [("1", "replaced"), ("2", "replaced")],
        ),
        (  # a stranger closes nothing, whatever he refs
            [Voice("a", "1", HIGH), Voice("b", "2", HIGH), Voice("c", "1", LOW, (0, 1))],
            None,
            Standing.DISPUTED,
            [("1", "disputed"), ("2", "disputed"), ("1", "claim")],
        ),
    ],
)
def test_key_is_decided(
    voices: list[Voice], value: str | None, standing: Standing, beside: list[tuple[str, str]]
) -> None:
    """Refs of the own organisation or of a higher rank first, then rank, then the latest of one organisation.

    Equal rights that differ leave no value, whoever refs whom.
    """
    verdict = heard(voices)

    assert (verdict.value, verdict.standing) == (value, standing)
    assert sorted((said.value, shown.value) for said, shown in verdict.others) == sorted(beside)


def test_withheld_statement_replaces_and_its_value_is_not_known() -> None:
    """A statement that may not be read beats what it refs, and the loser does not come back."""
    verdict = heard([Voice("a", "1", HIGH), Voice("a", None, HIGH, (0,))])

    assert verdict.value is None
    assert verdict.fact()["hidden"] == "replaced-by-unreadable"
    assert [(said.value, standing) for said, standing in verdict.others] == [("1", Standing.REPLACED)]


@pytest.mark.parametrize("hidden", [Voice("b", None, LOW, (0,)), Voice("b", None, HIGH)])
def test_withheld_statement_of_lower_rank_or_beside_replaces_nothing(hidden: Voice) -> None:
    """What is withheld has its rank too, and competes only with what it refs."""
    verdict = heard([Voice("a", "1", HIGH), hidden])

    assert (verdict.value, verdict.hidden) == ("1", None)


def test_withheld_statement_that_was_replaced_hides_nothing() -> None:
    """A readable statement above the withheld one is the value."""
    assert heard([Voice("a", "1", HIGH), Voice("a", None, HIGH, (0,)), Voice("a", "3", HIGH, (1,))]).value == "3"


@pytest.mark.parametrize(
    ("fact_class", "who", "ground", "authority"),
    [
        (FactClass.PRODUCTION, "maker", Ground.MAKER, True),
        (FactClass.PRODUCTION, "lab", Ground.PLATE_LAB, False),
        (FactClass.PRODUCTION, "owner", Ground.TITLE, False),
        (FactClass.PRODUCTION, "stranger", Ground.ANYBODY, False),
        (FactClass.VERIFICATION, "lab", Ground.LAB, True),
        (FactClass.VERIFICATION, "maker", Ground.ANYBODY, False),
        (FactClass.PHYSICAL, "fitter", Ground.NAMED, True),
        (FactClass.PHYSICAL, "stranger", Ground.ANYBODY, False),
        (FactClass.ADMISSION, "owner", Ground.TITLE, True),
        (FactClass.ADMISSION, "fitter", Ground.ANYBODY, False),
        (FactClass.RADIO, "owner", Ground.TITLE, True),
        (FactClass.RADIO, "maker", Ground.MAKER, True),
        (FactClass.CATALOG, "lab", Ground.STEWARD, True),
    ],
)
def test_rank_follows_the_authority_table(fact_class: FactClass, who: str, ground: Ground, authority: bool) -> None:
    """Each class of facts has its own order of who may say it."""
    federation, maker, lab = demo()
    owner, fitter = Author("owner"), Author("fitter")
    facts = SubjectFacts(
        makers=frozenset({maker.org}),
        plate_readers=frozenset({lab.org}),
        titles=(Title(owner.org, 0),),
        named=frozenset({fitter.org}),
    )

    found = rank(fact_class, Author(who).org, facts, federation.world, AT)

    assert (found.ground, found.has_authority) == (ground, authority)


def test_rank_is_held_when_the_fact_occurred() -> None:
    """A title that passed on gives no rank for what happened afterwards, and keeps it for what happened before."""
    owner = Author("owner")
    facts = SubjectFacts(titles=(Title(owner.org, 0, AT),))

    before, after = (rank(FactClass.ADMISSION, owner.org, facts, World(), at) for at in (AT - 1, AT))

    assert before.has_authority
    assert not after.has_authority


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("dn", FactClass.PRODUCTION),
        ("verification_valid_until", FactClass.VERIFICATION),
        ("dev_eui", FactClass.RADIO),
        ("rssi", FactClass.OBSERVATION),
        ("volume", FactClass.OBSERVATION),
        ("install_place", FactClass.ADMISSION),
        (None, FactClass.PRODUCTION),
    ],
)
def test_parameter_has_the_class_of_its_central_code(code: str | None, expected: FactClass) -> None:
    """Who may state a parameter follows from its central code."""
    assert parameter_class(code) is expected
