"""Checking what was erased: that it is gone, whole and for good, and that nothing else stands empty."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from federation.chunks import SUFFIX
from federation.fragment import Header, Ref
from node.passport.erasures import Target, erased_of, is_erasable
from node.services.counting import stored_header
from node.store.chunks import held_chunks, signed_file
from node.store.database import ReadTx
from node.store.erasures import all_gone, all_words
from node.store.fragments import ERASED, StoredSection, entries_at
from node.store.genesis import find_genesis
from node.store.logs import list_logs


@dataclass(frozen=True, slots=True)
class ErasedSections:
    """The sections that were erased here or are to be, by log, place and name: whether the erasure is in effect."""

    by_log: Mapping[bytes, dict[int, dict[str, bool]]] = field(default_factory=dict)

    def of(self, log: bytes) -> Mapping[int, Mapping[str, bool]]:
        """Those of one log."""
        return self.by_log.get(log, {})


async def read_erased(tx: ReadTx) -> ErasedSections:
    """What was erased, and what is to be by the words that count."""
    found: dict[bytes, dict[int, dict[str, bool]]] = {}
    for one in await all_gone(tx):
        found.setdefault(one.target.log, {}).setdefault(one.target.seq, {})[one.section] = False
    words, genesis = await all_words(tx), await find_genesis(tx)
    logs = {log.log: log for log in await list_logs(tx)}
    named = {(logs[w.target.log].no, w.target.seq) for w in words if w.target.log in logs}
    for entry in await entries_at(tx, named):
        header = stored_header(entry)
        if header is None:
            continue
        ref = Ref(entry.log, entry.seq, entry.to_fragment().id[:16])
        said = [word for word in words if (word.target.log, word.target.seq) == (entry.log, entry.seq)]
        for name in erased_of(said, Target.of(ref, logs[entry.log].org, header), genesis):
            found.setdefault(entry.log, {}).setdefault(entry.seq, {})[name] = True
    return ErasedSections(found)


def check_erased(header: Header, sections: Sequence[StoredSection], gone: Mapping[str, bool]) -> Iterator[str]:
    """What is wrong with the sections of an entry of which these were erased."""
    for section in sections:
        head = header.section(section.name)
        if section.form != ERASED:
            if gone.get(section.name):
                yield f"section {section.name} is to be erased, and its bytes stand"
        elif section.salt is not None or section.data:
            yield f"section {section.name} was altered: it is erased, and has bytes"
        elif section.name not in gone:
            yield f"section {section.name} was emptied, and no erasure names it"
        elif head is not None and not is_erasable(head.name, head.klass):
            yield f"section {section.name} was emptied, and may not be erased"


async def chunks_left(tx: ReadTx) -> list[tuple[bytes, int, str]]:
    """Sections (log, seq, name) that were erased and of which chunks stand."""
    found: list[tuple[bytes, int, str]] = []
    for one in await all_gone(tx):
        if one.section.endswith(SUFFIX) and await held_chunks(tx, signed_file(one.target, one.section)):
            found.append((one.target.log, one.target.seq, one.section))
    return found
