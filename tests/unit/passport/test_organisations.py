"""Which spellings and ids are one company."""

import pytest

from federation.authority import Attested
from node.passport import drafts
from node.passport.bodies import CardBody
from node.passport.organisations import Company, Directory, Source, Voice, build_directory, name_key, voices_of
from node.passport.world import build_world
from tests.builders_passport import Author, Federation, attestation

INN, OTHER_INN = "7707083893", "7702070139"
OGRN = "1027700132195"


def directory(*voices: Voice) -> Directory:
    return build_directory(voices)


def named(name: str, inn: str | None = None, ogrn: str | None = None) -> Voice:
    return Voice(name, Source.NAMED, inn, ogrn)


def published(*cards: tuple[Author, str, str | None], attested: tuple[tuple[Author, str], ...] = ()) -> Directory:
    """The directory of members by their cards (who, name, ИНН), with numbers that the anchor attests."""
    federation = Federation((Author("anchor"),), 1)
    (anchor,) = federation.anchors
    said = [author.say(drafts.card(author.org, CardBody(name=name, inn=inn), 0)) for author, name, inn in cards]
    said += [
        anchor.say(attestation(federation.genesis, author, Attested.NUMBER, f"inn:{inn}")) for author, inn in attested
    ]
    return build_directory(voices_of(build_world(said, federation.genesis)))


@pytest.mark.req("B61")
def test_two_spellings_of_one_number_are_one_company() -> None:
    """A member and a name out of papers with one ИНН are one company, which each of its spellings finds."""
    member = Author("vodokanal")
    voices = [
        Voice("ООО «Водоканал»", Source.CARD, INN, None, member.org),
        named("Водоканал ООО", INN),
        named("Общество с ограниченной ответственностью «ВК Город»", INN, OGRN),
        named("ООО «Водоканал»", OTHER_INN),
    ]

    found = directory(*voices)

    one, other = sorted(found.companies, key=lambda company: company.key != f"inn:{INN}")
    assert one.names == ("ООО «Водоканал»", "Водоканал ООО", "Общество с ограниченной ответственностью «ВК Город»")
    assert (one.inn, one.ogrn, one.orgs) == (INN, OGRN, (member.org,))
    assert (other.inn, other.orgs, other.alike) == (OTHER_INN, (), (one.key,))
    assert found.search("вк город") == found.search(OGRN) == found.search(f"inn:{INN}") == [one]
    assert found.find(member.org) is one


def test_two_members_that_state_one_number_are_one_company() -> None:
    """A company that came twice, under two ids and two spellings, stands once with both ids."""
    first, second = Author("one"), Author("two")

    (company,) = published((first, "ООО «Водоканал»", INN), (second, "Водоканал ООО", INN)).companies

    assert set(company.orgs) == {first.org, second.org}
    assert set(company.names) == {"ООО «Водоканал»", "Водоканал ООО"}
    assert not company.is_contested


def test_attested_number_is_nobody_else_s() -> None:
    """Who only writes a number on its card, which anchors attest to another, stands apart and is marked."""
    right, wrong = Author("right"), Author("wrong")

    found = published((right, "АО «Сеть»", INN), (wrong, "ЗАО «Сеть»", INN), attested=((right, INN),))

    assert (company := found.find(right.org)) is not None
    assert (company.orgs, company.is_attested, company.is_contested) == ((right.org,), True, False)
    assert (other := found.find(wrong.org)) is not None
    assert (other.orgs, other.is_attested, other.is_contested) == ((wrong.org,), False, True)


def test_attested_number_stands_before_that_of_the_card() -> None:
    """Both ids to which anchors attest a number are the company of that number, whatever their cards say."""
    first, second = Author("one"), Author("two")

    found = published(
        (first, "Водоканал", None), (second, "Водоканал", OTHER_INN), attested=((first, INN), (second, INN))
    )

    assert [set(company.orgs) for company in found.companies] == [{first.org, second.org}]
    assert found.companies[0].inn == INN


def test_name_alone_joins_nothing() -> None:
    """Names without numbers stand once for each name however it is written, and point to whom they may mean."""
    found = directory(
        named("ООО «Водоканал»", INN),
        named("ООО «Водоканал»", OTHER_INN),
        Voice("водоканал, ооо", Source.SUPPLIER),
        Voice('Общество с ограниченной ответственностью "Водоканал"', Source.LINE),
    )

    (bare,) = [company for company in found.companies if company.inn is None]
    assert (bare.sources, len(found.companies)) == ((Source.SUPPLIER, Source.LINE), 3)
    assert bare.alike == (f"inn:{OTHER_INN}", f"inn:{INN}")


@pytest.mark.parametrize(
    ("voices", "keys"),
    [
        ([named("А", None, OGRN), named("Б", INN, OGRN)], [f"inn:{INN}"]),
        ([named("А", None, OGRN), named("Б", None, OGRN)], [f"ogrn:{OGRN}"]),
        # Two numbers with one ОГРН are a slip of somebody: what has the ОГРН alone joins neither.
        (
            [named("А", None, OGRN), named("Б", INN, OGRN), named("В", OTHER_INN, OGRN)],
            [f"inn:{OTHER_INN}", f"inn:{INN}", f"ogrn:{OGRN}"],
        ),
    ],
)
def test_state_register_number_joins_where_it_tells_one_company(voices: list[Voice], keys: list[str]) -> None:
    """An ОГРН leads to the one ИНН that is named with it."""
    assert sorted(company.key for company in directory(*voices).companies) == keys


def test_number_that_is_none_joins_nothing() -> None:
    """A card with a number of wrong check digits is a card without one."""
    first, second = Author("one"), Author("two")

    found = published((first, "А", "7707083890"), (second, "Б", "7707083890"))

    assert [company.inn for company in found.companies] == [None, None]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ООО «Водоканал»", 'Водоканал  "ООО"', True),
        ("ООО «Водоканал»", "Общество с ограниченной ответственностью «ВОДОКАНАЛ»", True),
        ("ПАО «Сеть»", "Публичное акционерное общество Сеть", True),
        ("АО «Сеть»", "ПАО «Сеть»", False),
        ("АО «Берёза»", "АО «Береза»", True),
        ("ООО «Водоканал-1»", "ООО «Водоканал-2»", False),
    ],
)
def test_name_reads_alike_whatever_its_order_and_form(one: str, other: str, same: bool) -> None:
    """Quotes, order, ё and the long legal form make no other name; the form itself and numbers do."""
    assert (name_key(one) == name_key(other)) is same


def test_order_of_what_was_said_changes_nothing() -> None:
    """The same voices in another order give the same companies."""
    voices = [named("А", INN), named("Б", INN, OGRN), named("В", None, OGRN), Voice("А", Source.SUPPLIER)]

    def shown(found: Directory) -> list[Company]:
        return found.companies

    assert {c.key: set(c.names) for c in shown(directory(*voices))} == {
        c.key: set(c.names) for c in shown(directory(*reversed(voices)))
    }
