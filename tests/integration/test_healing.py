"""After a fork of its own log a node goes on in a new one and says again what fell, once."""

from pathlib import Path

from federation.authority import Kind
from federation.counting import Loss
from federation.forks import prove_headers
from federation.fragment import Ref, SectionClass, decode_header, sign_fragment
from federation.log import Reason
from node.passport import drafts
from node.passport.bodies import AliasBody, WithdrawalBody
from node.passport.drafts import Draft, DraftSection
from node.passport.shown import rows
from node.services.healing import Healing
from node.services.ledger import entry_ref
from node.store.chunks import put_chunks, read_chunks, signed_file
from node.store.fragments import STORED, StoredFragment, entries_between
from node.store.logs import get_log, list_logs
from tests.builders import section
from tests.unit.node_protocols.builders import Desk, new_desk


async def alias(desk: Desk, device: bytes, value: str, *refs: Ref) -> Ref:
    """Say another name of a device."""
    draft = drafts.alias(device, AliasBody(scheme="erp", value=value, evidence="said"), desk.core.clock.now())
    said = (await desk.ledger.append([Draft(draft.kind, draft.subjects, draft.occurred, draft.sections, refs)]))[0]
    return entry_ref(desk.ledger.log.log, said)


async def fork_at(desk: Desk, seq: int) -> None:
    """Somebody shows another header of this node's own log at a place."""
    log = desk.ledger.log
    other, _ = sign_fragment(
        desk.core.keystore.sign,
        log=log.log,
        seq=seq,
        stamp=1,
        kind=4,
        subjects=(bytes(16),),
        occurred=1,
        sections=[section()],
        prev=None,
    )
    async with desk.core.database.read() as tx:
        held = (await entries_between(tx, log.no, seq, seq + 1))[seq]
    proof = prove_headers((held.header, held.signature), (other.header, other.signature))
    async with desk.core.database.write() as tx:
        await desk.counting.take_proof(tx, proof)


async def names(desk: Desk, device: bytes) -> set[object]:
    """The device's other names."""
    return {row["value"] for row in rows(await desk.view(device), "aliases")}


async def own_entries(desk: Desk) -> list[StoredFragment]:
    """The own entries that count, log by log."""
    found: list[StoredFragment] = []
    async with desk.core.database.read() as tx:
        for log in await list_logs(tx, own=True):
            entries = await entries_between(tx, log.no, 0, log.size)
            found += [entry for seq, entry in sorted(entries.items()) if log.counted.counts(seq)]
    return found


async def test_what_fell_with_a_fork_is_said_again_once(tmp_path: Path) -> None:
    """As many statements count after as before, in a new log that names the old one; healing again says nothing."""
    async with new_desk(tmp_path) as desk:
        device = await desk.device("00012345", "П-1")
        old = desk.ledger.log
        async with desk.core.database.read() as tx:
            forked_at = (await get_log(tx, old.log)).size
        for value in ("П-2", "П-3"):
            await alias(desk, device, value)
        before = len(await own_entries(desk))
        healing = Healing(desk.core, desk.ledger, desk.counting)

        await fork_at(desk, forked_at)
        assert await names(desk, device) == {"П-1"}
        said = [await healing.heal(), await healing.heal()]

        assert said == [2, 0]
        assert await names(desk, device) == {"П-1", "П-2", "П-3"}
        assert len(await own_entries(desk)) == before
        statement = desk.ledger.log.statement
        assert (statement.previous, statement.reason) == (old.log, Reason.ROOT_DIFFERS)
        async with desk.core.database.read() as tx:
            assert (await get_log(tx, old.log)).counted.loss is Loss.FORKED


async def test_device_whose_first_statement_fell_is_back(tmp_path: Path) -> None:
    """A passport of which nothing counts is gone, and stands again under its id once its plate is said again."""
    async with new_desk(tmp_path) as desk:
        async with desk.core.database.read() as tx:
            forked_at = (await get_log(tx, desk.ledger.log.log)).size
        device = await desk.device("00012345", "П-1")

        await fork_at(desk, forked_at)
        assert await desk.count() == 0
        await Healing(desk.core, desk.ledger, desk.counting).heal()

        assert await desk.count() == 1
        assert await names(desk, device) == {"П-1"}


async def test_statement_said_again_names_the_new_places(tmp_path: Path) -> None:
    """A withdrawal of a statement that fell with it takes back what stands now."""
    async with new_desk(tmp_path) as desk:
        device = await desk.device("00012345", "П-1")
        taken_back = await alias(desk, device, "П-2")
        draft = Draft(
            Kind.WITHDRAWAL,
            (device,),
            desk.core.clock.now(),
            (drafts.section("withdrawal", WithdrawalBody(reason="ошибка"), SectionClass.AUTHORITY),),
            (taken_back,),
        )
        await desk.ledger.append([draft])
        assert await names(desk, device) == {"П-1"}

        await fork_at(desk, taken_back.seq)
        await Healing(desk.core, desk.ledger, desk.counting).heal()

        assert await names(desk, device) == {"П-1"}
        again = [decode_header(e.header, e.log, e.seq) for e in await own_entries(desk)][-2:]
        assert [ref.log for ref in again[1].refs] == [desk.ledger.log.log]
        assert again[1].refs[0].seq == again[0].seq


async def test_secrets_and_files_are_said_again_whole(tmp_path: Path) -> None:
    """A sealed section stays sealed at rest under the new place, and the bytes of a file go with its list of chunks."""
    async with new_desk(tmp_path) as desk:
        device = await desk.device("00012345")
        secret = DraftSection("root-keys", b'{"keys":[]}', SectionClass.SECRET)
        listed = DraftSection("scan.chunks", b"\x92\x03\x91\xc4\x20" + bytes(32), SectionClass.TECHNICAL)
        (said,) = await desk.ledger.append([Draft(Kind.PROTOCOL, (device,), 1, (secret, listed))])
        ref = entry_ref(desk.ledger.log.log, said)
        async with desk.core.database.write() as tx:
            await put_chunks(tx, signed_file(ref, "scan.chunks"), 0, [b"abc"])

        await fork_at(desk, ref.seq)
        await Healing(desk.core, desk.ledger, desk.counting).heal()

        again = (await own_entries(desk))[-1]
        place = Ref(again.log, again.seq, again.to_fragment().id[:16])
        kept = {part.name: part.form for part in again.sections}
        async with desk.core.database.read() as tx:
            assert await read_chunks(tx, signed_file(place, "scan.chunks")) == b"abc"
        assert place != ref
        assert kept["root-keys"] == STORED
