"""Sealed sections: `[1, box key id, SealedBox(salt16 || bytes)]`, for one node only."""

from collections.abc import Collection
from dataclasses import dataclass

from federation import codec
from federation.errors import CodecError, SealError
from federation.fragment import MAX_SECTION, SALT_SIZE, SEALED_OVERHEAD, Header, Section, commitment
from federation.keys import BoxKey, key_id, seal

VERSION = 1


@dataclass(frozen=True, slots=True)
class Sealed:
    """The envelope of a sealed section."""

    box_key_id: bytes
    box: bytes


def seal_section(box_key: bytes, section: Section) -> Section:
    """The same section sealed to a 33-byte box key."""
    if section.salt is None:
        raise SealError(f"section {section.name} is sealed already")
    box = seal(box_key, section.salt + section.data)
    return Section(section.name, None, codec.pack([VERSION, key_id(box_key), box]))


def decode_sealed(data: bytes) -> Sealed:
    """Read the envelope; raise SealError."""
    try:
        version, box_key_id, box = codec.array(codec.unpack(data, MAX_SECTION + SEALED_OVERHEAD), 3, "sealed section")
        codec.version(version, VERSION)
        return Sealed(codec.binary(box_key_id, 16, "box key id"), codec.binary(box, None, "box"))
    except CodecError as error:
        raise SealError(f"sealed section: {error}") from error


def is_sealed_to(section: Section, box_key_ids: Collection[bytes]) -> bool:
    """Whether a sealed section names one of these box keys, or breaks the form so that it names none."""
    try:
        return decode_sealed(section.data).box_key_id in box_key_ids
    except SealError:
        return True


def open_section(key: BoxKey, header: Header, section: Section) -> Section:
    """Open a sealed section and check it against its commitment; raise SealError."""
    sealed = decode_sealed(section.data)
    if sealed.box_key_id != key.id:
        raise SealError(f"section {section.name} is sealed to another key")
    opened = key.open(sealed.box)
    salt, data = opened[:SALT_SIZE], opened[SALT_SIZE:]
    head = header.section(section.name)
    if len(salt) != SALT_SIZE or head is None or commitment(header.log, section.name, salt, data) != head.commitment:
        raise SealError(f"section {section.name}: what was sealed is not under its commitment")
    return Section(section.name, salt, data)
