"""Conflicts in the store: found by kind, counted, a page at a time."""

from node.passport.shown import CONFLICT, conflict_term
from node.store.conflicts import count_conflicting, count_conflicts, list_conflicts
from node.store.database import Database
from node.store.passports import StoredPassport, Term, find_terms, put_passport

KINDS = (("disputed",), ("disputed", "two-parents"), (), ("two-parents",), ("waiting",))


async def test_conflicts_are_found_by_kind_and_by_page(database: Database) -> None:
    """Each passport stands once in the list, in the order of titles; joined ids and settled passports do not."""
    async with database.write() as tx:
        for number, kinds in enumerate(KINDS):
            subject = bytes([number]) * 16
            passport = StoredPassport(subject, subject, "device", "made", f"№ {number}", b"d" * 32, b"{}", tx.now)
            terms = [Term(CONFLICT, conflict_term(why)) for why in kinds]
            await put_passport(tx, passport, [bytes([number, *[9] * 15])], [*terms, Term("serial", "disputed")])
    async with database.read() as tx:
        first = await list_conflicts(tx, limit=3)
        rest = await list_conflicts(tx, after=(first[-1].title, first[-1].subject), limit=3)
        parents = await list_conflicts(tx, "two-parents")
        counted, total = await count_conflicts(tx), await count_conflicting(tx)
        typed = await find_terms(tx, "disputed")

    assert [passport.title for passport in (*first, *rest)] == ["№ 0", "№ 1", "№ 3", "№ 4"]
    assert [passport.title for passport in parents] == ["№ 1", "№ 3"]
    assert (counted, total) == ({"disputed": 2, "two-parents": 2, "waiting": 1}, 4)
    assert {scheme for _, scheme in typed} == {"serial"}


async def test_settled_conflict_leaves_the_list(database: Database) -> None:
    """A passport that is folded again without its conflict is found no more."""
    subject = bytes(16)
    async with database.write() as tx:
        passport = StoredPassport(subject, subject, "device", "made", "№ 1", b"d" * 32, b"{}", tx.now)
        await put_passport(tx, passport, [], [Term(CONFLICT, conflict_term("disputed"))])
        assert await count_conflicting(tx) == 1
        await put_passport(tx, passport, [], [])
        assert await list_conflicts(tx) == []
