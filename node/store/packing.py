"""Short lists in a column, as JSON; what is empty means every one."""

import json
from collections.abc import Iterable


def pack_texts(texts: Iterable[str]) -> str:
    """Texts, sorted."""
    return json.dumps(sorted(texts), ensure_ascii=False)


def unpack_texts(column: str) -> tuple[str, ...]:
    """The texts of a column."""
    return tuple(json.loads(column))


def pack_subjects(subjects: Iterable[bytes]) -> str:
    """Subjects in hex, sorted."""
    return pack_texts(subject.hex() for subject in subjects)


def unpack_subjects(column: str) -> tuple[bytes, ...]:
    """The subjects of a column."""
    return tuple(map(bytes.fromhex, unpack_texts(column)))
