"""Passports as anybody may see them: what stands on a label leads to what the profile `public` shows, and no further.

A passport is public here as far as a grant of this organisation could open it to anybody: by right over the device, or
because the words are its own. Of that goes out what is of class 0 and what the profile names. What is not here, what is
not public and what is named by nothing printed have one answer.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from federation.fragment import SectionClass
from node.errors import InputError, StateError
from node.passport.case import Case
from node.passport.errors import DeviceIdError
from node.passport.fold import fold
from node.passport.identifiers import EUI
from node.passport.ids import is_domain
from node.passport.plate import split_typed
from node.passport.printed import Printed, read_printed
from node.passport.profiles import Profile
from node.passport.rights import may_open
from node.passport.scans import Filled
from node.passport.shown import at, rows, text
from node.passport.statement import Statement
from node.passport.view import View, digest
from node.services.cases import Cases
from node.services.core import Core
from node.services.identities import Identities
from node.services.issuing import ANYBODY, ByOwnRight
from node.services.membership import Membership
from node.services.profiles import Profiles
from node.services.projection import Projection
from node.services.search import read_query
from node.store.database import ReadTx
from node.store.passports import StoredPassport, find_passport, find_terms

PROFILE = "public"
ON_LABEL = "label"  # the evidence of a name that was read off the housing
MOST_NAMED = 4  # passports that one text may name and that are looked at
MOST_KEPT = 2048
MOST_AT_ONCE = 16  # strangers whose passports wait to be worked out
STEP_S = 0.05  # nothing is told at whole steps alone: how long it took tells not whether something is here


@dataclass(frozen=True, slots=True)
class PublicPassport:
    """What anybody may see of a passport, and the digest over it."""

    subject: bytes
    view: View
    digest: bytes


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was printed, and the passport that it leads to, where one is public here."""

    printed: Printed
    passport: PublicPassport | None


class PublicPassports:
    """Finds them. Works out one at a time, and keeps what it worked out while the passport is the same."""

    def __init__(
        self,
        core: Core,
        projection: Projection,
        membership: Membership,
        cases: Cases,
        identities: Identities,
        profiles: Profiles,
    ) -> None:
        self._core = core
        self._projection = projection
        self._cases = cases
        self._identities = identities
        self._profiles = profiles
        self._membership = membership
        self._kept: OrderedDict[tuple[bytes, bytes, str], PublicPassport | None] = OrderedDict()
        self._working = asyncio.Semaphore(1)
        self._waiting = 0

    @property
    def domain(self) -> str:
        """The domain of this organisation's labels, empty where it has none."""
        named = self._core.settings.public.domain or _host_of(self._membership.url)
        return named if is_domain(named) else ""

    def organisation_at(self, domain: str) -> str:
        """What the organisation is called whose card alone names that domain, empty where none or several do."""
        cards = self._projection.world.cards.values()
        found = [card.name for card in cards if domain in (card.domain, _host_of(card.url or ""))]
        return found[0] if len(found) == 1 else ""

    async def read(self, path: str, query: str = "") -> Scanned:
        """What stands behind `/d/`, escaped as it came; raise InputError for what is mistyped, StateError where it
        names several.
        """
        printed, begun = _read(path, query), _now()
        found = [one for named in await self.named(printed) if (one := await self._public(named)) is not None]
        if len(found) > 1:
            raise StateError("several devices carry this", "public_several")
        if not found:
            self._check_free()
            await asyncio.sleep(STEP_S - (_now() - begun) % STEP_S)
        return Scanned(printed, found[0] if found else None)

    async def named(self, printed: Printed) -> list[StoredPassport]:
        """The passports here that a printed text names, public or not: at most four."""
        if printed.subject is not None:
            async with self._core.database.read() as tx:
                meant = await find_passport(tx, printed.subject.raw, whole=False)
            return [meant] if meant else []
        found: list[StoredPassport] = []
        if not EUI.fullmatch(printed.text) and (known := (await self._identities.read(Filled(printed.text))).known):
            found = [known]
        if printed.code is not None:
            return found
        async with self._core.database.read() as tx:
            # Twins have the plate of another one, whose id alone follows from it.
            found += await _by_words(tx, printed.text)
        return [*{passport.subject: passport for passport in found}.values()]

    async def _public(self, passport: StoredPassport) -> PublicPassport | None:
        held = await self._profiles.get(PROFILE)
        key = (passport.subject, passport.digest, held.id)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        self._check_free()
        self._waiting += 1
        try:
            async with self._working:
                found = await self._work_out(passport, held.profile)
        finally:
            self._waiting -= 1
        self._kept[key] = found
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    def _check_free(self) -> None:
        """Raise StateError where too many wait; whoever finds nothing is told so too, or it told what is here."""
        if self._waiting >= MOST_AT_ONCE:
            raise StateError("too many passports are asked for at once", "public_busy")

    async def _work_out(self, passport: StoredPassport, profile: Profile) -> PublicPassport | None:
        case = await self._cases.of(passport.subject)
        return await asyncio.to_thread(_public_part, case, self._core.org, profile, passport)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _read(path: str, query: str) -> Printed:
    try:
        return read_printed(path, query)
    except DeviceIdError as error:
        raise InputError(f"mistyped: {error}", "printed_mistyped") from error


async def _by_words(tx: ReadTx, words: str) -> list[StoredPassport]:
    """By a designation with a serial, or a DevEUI that is printed: a serial alone is no name of a thing."""
    if not EUI.fullmatch(words) and split_typed(words) is None:
        return []
    try:
        query = read_query(words)
    except InputError:
        return []
    scheme = "dev_eui" if query.scheme == "dev_eui" else "plate"
    named = await find_terms(tx, query.term, scheme, MOST_NAMED)
    found = [await find_passport(tx, subject, whole=False) for subject, _ in named]
    return [one for one in found if one and (scheme == "plate" or _is_printed(one.content, query.term))]


def _is_printed(view: View, dev_eui: str) -> bool:
    """Whether somebody read that DevEUI off the housing: what only papers or the radio say is nothing for strangers."""
    return any(
        alias["scheme"] == "dev_eui"
        and str(alias["value"]).lower() == dev_eui
        and any(said["evidence"] == ON_LABEL for said in rows(alias, "said"))
        for alias in rows(view, "aliases")
    )


def _public_part(case: Case, own: bytes, profile: Profile, whole: StoredPassport) -> PublicPassport | None:
    if not case.statements:
        return None
    said = list(_sifted(case, own, profile))
    if not any(case.subjects & {statement.subject} for statement in said):
        return None
    view = fold(case.subjects, said, case.world)
    for name in ("designation", "mark", "serial", "year"):
        _drop_if_older(view, whole.content, name)
    return PublicPassport(whole.subject, view, digest(view))


def _sifted(case: Case, own: bytes, profile: Profile) -> Iterable[Statement]:
    """The statements of which something goes out, with those sections alone. What was taken back is not among them."""
    rights = ByOwnRight.of(case, own).rights
    for said in case.statements:
        shown = {
            name: said.sections[name]
            for name, klass in said.classes
            if name in said.sections
            and klass == SectionClass.PUBLIC
            and profile.shows(said.kind, name, klass)
            and (said.org == own or may_open(ANYBODY, said, klass, rights, name))
        }
        if shown:
            withheld = tuple((name, klass) for name, klass in said.classes if name not in shown)
            yield replace(said, sections=shown, withheld=withheld)


def _drop_if_older(view: View, whole: View, name: str) -> None:
    """Leave out what was corrected by a word that is not public: it is not so any more."""
    identity = at(view, "identity")
    if not isinstance(identity, dict) or name not in identity:
        return
    if at(view, "identity", name, "value") != at(whole, "identity", name, "value"):
        del identity[name]
        view["title"] = " ".join(filter(None, (text(identity, "designation", "value"),)))
