"""Published profiles by their keys, kept beside the rights that are limited by them; and which ones are used here."""

from collections.abc import Mapping

from node.passport.profiles import Profile, PublishedProfile
from node.store.database import ReadTx, WriteTx
from node.store.settings import drop_setting, set_setting, settings_like

KEPT, ADOPTED = "profile:", "adopted-profile:"


async def keep_profiles(tx: WriteTx, profiles: Mapping[bytes, PublishedProfile]) -> None:
    """Keep what rights may be limited by: all profiles that are known."""
    there = await settings_like(tx, KEPT)
    wanted = {KEPT + key.hex(): one.profile.to_bytes() for key, one in profiles.items()}
    for name in there.keys() - wanted.keys():
        await drop_setting(tx, name)
    for name, raw in wanted.items():
        if there.get(name) != raw:
            await set_setting(tx, name, raw)


async def read_kept_profiles(tx: ReadTx) -> dict[bytes, Profile]:
    """The profiles by their keys."""
    found = await settings_like(tx, KEPT)
    return {bytes.fromhex(name.removeprefix(KEPT)): Profile.from_bytes(raw) for name, raw in found.items()}


async def read_adopted(tx: ReadTx) -> dict[str, bytes]:
    """The keys of the profiles that this node uses, by name; the shipped one where none was adopted."""
    return {name.removeprefix(ADOPTED): key for name, key in (await settings_like(tx, ADOPTED)).items()}


async def adopt(tx: WriteTx, name: str, key: bytes | None) -> None:
    """Use a published profile under a name, or the shipped one again."""
    if key is None:
        await drop_setting(tx, ADOPTED + name)
    else:
        await set_setting(tx, ADOPTED + name, key)
