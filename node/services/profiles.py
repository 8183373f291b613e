"""Profiles on this node: the shipped ones, those that organisations published, and which of them it uses."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.errors import BodyError
from node.passport.profiles import Profile, PublishedProfile, shipped_profiles
from node.services.core import Core
from node.services.ledger import Ledger, entry_ref
from node.services.projection import Projection
from node.store.database import WriteTx
from node.store.profiles import adopt, read_adopted


@dataclass(frozen=True, slots=True)
class HeldProfile:
    """A profile that is known here: by whom it was published (None: shipped), and whether its name means it here."""

    profile: Profile
    published: PublishedProfile | None
    is_used: bool

    @property
    def id(self) -> str:
        """By what it is asked for: the publication's id, else the shipped name."""
        return self.published.id.hex() if self.published else self.profile.name


class Profiles:
    """Publishes, adopts and finds profiles."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._publishing = asyncio.Lock()

    async def all(self) -> list[HeldProfile]:
        """Shipped and published ones, by name."""
        async with self._core.database.read() as tx:
            adopted = await read_adopted(tx)
        known = self._projection.world.profiles
        shipped = [
            HeldProfile(one, None, name not in adopted or adopted[name] not in known)
            for name, one in shipped_profiles().items()
        ]
        published = [HeldProfile(one.profile, one, adopted.get(one.profile.name) == key) for key, one in known.items()]
        return sorted([*shipped, *published], key=lambda one: (one.profile.name, one.published is not None, one.id))

    async def get(self, name: str) -> HeldProfile:
        """The profile of a publication's id, or the one that a name means here; raise NotFoundError."""
        found = [one for one in await self.all() if one.id == name or (one.is_used and one.profile.name == name)]
        if not found:
            raise NotFoundError(f"no profile {name[:64]!r} is known here", "profile_unknown", name=name[:64])
        return next((one for one in found if one.is_used), found[0])

    async def publish(self, raw: bytes, actor: str) -> PublishedProfile:
        """Publish a profile for everybody; the same again is not published again.

        Raise InputError for one that breaks its form, StateError where its version says something else already.
        """
        try:
            profile = Profile.from_bytes(raw)
        except (BodyError, ValueError, RecursionError) as error:
            raise InputError(f"this is no profile: {error}", "profile_wrong", detail=str(error)[:200]) from error
        async with self._publishing:
            return await self._publish(profile, actor)

    async def adopt(self, profile_id: str, actor: str) -> HeldProfile:
        """Let a profile's name mean this one here: what is issued or granted under the name from now on goes by it."""
        held = await self.get(profile_id)
        async with self._core.database.write() as tx:
            await adopt(tx, held.profile.name, held.published.key if held.published else None)
            name, version = held.profile.name, held.profile.version
            await self._core.announce(tx, actor, "profile_adopted", name=name, version=version)
        return await self.get(profile_id)

    async def published(self, name: str, actor: str) -> PublishedProfile:
        """The publication by which others read a grant under a profile: a shipped one is published first."""
        held = await self.get(name)
        return held.published or await self.publish(held.profile.to_bytes(), actor)

    async def _publish(self, profile: Profile, actor: str) -> PublishedProfile:
        known = self._own(profile)
        if known is not None and known.profile != profile:
            raise StateError(
                f"{profile.name} {profile.version} is published with other content: raise the version",
                "profile_version_taken",
                name=profile.name,
                version=profile.version,
            )
        if known is not None:
            return known

        async def note(tx: WriteTx, _entries: Sequence[object]) -> None:
            await self._core.announce(tx, actor, "profile_published", name=profile.name, version=profile.version)

        draft = drafts.profile(self._core.org, profile.to_bytes(), self._core.clock.now())
        entry = (await self._ledger.append([draft], note))[0]
        ref = entry_ref(self._ledger.log.log, entry)
        stamp = entry.header.stamp if entry.header else 0
        return PublishedProfile(profile, self._core.org, ref, entry.fragment.id, (stamp, ref.log, ref.seq))

    def _own(self, profile: Profile) -> PublishedProfile | None:
        mine = [one for one in self._projection.world.profiles.values() if one.org == self._core.org]
        same = [one for one in mine if (one.profile.name, one.profile.version) == (profile.name, profile.version)]
        return min(same, key=lambda one: one.order, default=None)
