"""Finding a device by anything: here first, then at other organisations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from node.errors import InputError
from node.passport.boxes import without_code
from node.passport.card import Card, parse_expiry
from node.passport.ids import SubjectId, format_device_id
from node.passport.sifting import Order, Sift, Spot, lets_through, parse_sift, spot_of
from node.passport.sightings import Outcome, Sighting, Source
from node.services.asking import Asking
from node.services.core import Core
from node.services.elsewhere import Elsewhere
from node.services.projection import Projection
from node.services.search import Near, Search, read_asked, read_exact
from node.store.database import ReadTx
from node.store.finding import Counts, count_cards, find_card, find_cards, read_cards
from node.store.passports import StoredPassport, every_id


@dataclass(frozen=True, slots=True)
class Found:
    """A device that was found: `source` is None here, else the organisation that knows the newest; age in microseconds.

    `others` are organisations that know it too. Where it is not `is_proved`, its sources alone say that it is this one.
    """

    subject: bytes
    title: str
    state: str
    source: bytes | None
    age_us: int
    is_proved: bool = True
    others: tuple[Source, ...] = ()

    @property
    def id(self) -> str:
        """The device id."""
        return format_device_id(SubjectId(self.subject))


@dataclass(frozen=True, slots=True)
class Question:
    """What a list is asked, as it was typed; what is empty asks nothing. `expires_before` is an ISO date.

    `owners` are ids in hex that are the asked owner too.
    """

    text: str = ""
    kind: str | None = None
    state: str | None = None
    type_code: str | None = None
    owner: str | None = None
    place: str = ""
    expires_before: str | None = None
    is_joined: bool = False
    order: Order = Order.TITLE
    owners: frozenset[str] = frozenset()
    unrecorded_before: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Part of a list, and whether there is more before and after it."""

    cards: Sequence[Card]
    has_before: bool
    has_after: bool


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a look-up gave: what was found, and how others answered where they were asked."""

    found: tuple[Found, ...] = ()
    elsewhere: Outcome = field(default_factory=Outcome)

    @property
    def is_known(self) -> bool:
        """Whether anybody has it, though he may not show it."""
        return bool(self.found or self.elsewhere.keepers)


@dataclass(frozen=True, slots=True)
class Begun:
    """A look-up: what is here at once, and how others are being asked, where they are.

    `here` are the ids of what is here; `slip` is why nothing carries the text, should nobody have it.
    """

    found: tuple[Found, ...]
    asking: Asking | None = None
    slip: InputError | None = None
    here: frozenset[bytes] = frozenset()

    def looked_up(self) -> LookedUp:
        """What is known so far; raise InputError for a slip where it is over, and nothing was found.

        Raise what others could not be asked by.
        """
        if self.asking is None:
            return LookedUp(self.found)
        if self.asking.trouble is not None:
            raise self.asking.trouble
        outcome = self.asking.outcome
        if self.slip is not None and self.asking.is_over and not outcome.sightings and not outcome.keepers:
            raise self.slip
        seen = [_seen(one) for one in outcome.sightings if not one.ids & self.here]
        return LookedUp((*self.found, *seen), outcome)

    async def ended(self) -> LookedUp:
        """The same once it is over."""
        if self.asking is not None:
            await self.asking.ended()
        return self.looked_up()


class Lookup:
    """Looks here and elsewhere."""

    def __init__(self, core: Core, search: Search, projection: Projection, elsewhere: Elsewhere) -> None:
        self._core = core
        self._search = search
        self._projection = projection
        self._elsewhere = elsewhere

    async def begin(
        self,
        text: str,
        among: frozenset[bytes] | None = None,
        actor: str = "system",
        *,
        anew: bool = False,
        everywhere: bool = False,
    ) -> Begun:
        """What carries that identifier here; raise InputError where it is mistyped. Others are asked if nothing does.

        With `among`, one of those subjects alone, and others are not asked; `anew`, though they were a moment ago;
        `everywhere`, though something is here: a serial is another device's too.
        """
        identifiers = read_asked(text, self._projection.world.lines)
        text = without_code(text)

        async def look(tx: ReadTx) -> tuple[list[StoredPassport], InputError | None, list[bytes]]:
            here = await self._search.find_first(tx, identifiers)
            slip = None if here else await self._search.find_slip(tx, text)
            return here, slip, await every_id(tx, [one.subject for one in here]) if everywhere else []

        here, slip, ids = await self._core.database.glance(look)
        found = self._as_found(here, among)
        if among is not None or (here and not everywhere):
            return Begun(found)
        if anew:
            self._elsewhere.forget(identifiers)
        return Begun(found, self._elsewhere.begin(identifiers, text, actor), slip, frozenset(ids))

    def _as_found(self, here: Iterable[StoredPassport], among: frozenset[bytes] | None) -> tuple[Found, ...]:
        now = self._core.clock.now()
        return tuple(_found(p, now) for p in here if among is None or p.subject in among)

    async def near(self, text: str) -> list[Near]:
        """What may have been meant by a text that nothing carries; nothing for an id or a DevEUI."""
        if read_exact(text) is not None:
            return []
        return await self._core.database.glance(lambda tx: self._search.find_near(tx, text))

    async def here(self, texts: Iterable[str]) -> dict[str, list[StoredPassport]]:
        """What carries each of these identifiers in this store alone; nothing for one that is mistyped."""
        async with self._core.database.read() as tx:
            return {text: await self._here(tx, text) for text in texts}

    async def page(
        self,
        question: Question,
        spot: Spot | None = None,
        limit: int = 50,
        *,
        backwards: bool = False,
        among: frozenset[bytes] | None = None,
    ) -> Listed:
        """Cards that answer, after a place or before it; raise InputError for a mistyped id or DevEUI, or no word.

        With `among`, of those subjects alone.
        """
        sift = _read_question(question)
        if among is not None:
            return await self._page_among(among, sift, question, spot, limit, backwards=backwards)
        async with self._core.database.read() as tx:
            if (exact := read_exact(question.text)) and exact.scheme == "id":
                passports = await self._search.find(tx, exact) if spot is None else []
                cards = [card for p in passports if (card := await find_card(tx, p.subject)) is not None]
                return Listed([card for card in cards if lets_through(sift, card)], has_before=False, has_after=False)
            cards = await find_cards(tx, sift, question.order, spot, limit + 1, backwards=backwards)
            if not cards and spot is None and not _is_narrowed(question):
                slip = await self._search.find_slip(tx, question.text)
                if slip is not None:
                    raise slip
        is_more = len(cards) > limit
        shown = cards[:limit]
        if backwards:
            return Listed(shown[::-1], has_before=is_more, has_after=True)
        return Listed(shown, has_before=spot is not None, has_after=is_more)

    async def _page_among(
        self, among: frozenset[bytes], sift: Sift, question: Question, spot: Spot | None, limit: int, *, backwards: bool
    ) -> Listed:
        """A page of a few cards, each looked at."""
        async with self._core.database.read() as tx:
            if (exact := read_exact(question.text)) and exact.scheme == "id":
                among &= {passport.subject for passport in await self._search.find(tx, exact)}
            found = [card for card in await read_cards(tx, among) if lets_through(sift, card)]
        places = {_place(spot_of(card, question.order)): card for card in found}
        left = sorted(places)
        if spot is not None:
            here = _place(spot)
            left = [place for place in left if (place < here if backwards else place > here)]
        shown = left[-limit:] if backwards else left[:limit]
        is_more = len(left) > len(shown)
        cards = [places[place] for place in shown]
        if backwards:
            return Listed(cards, has_before=is_more, has_after=True)
        return Listed(cards, has_before=spot is not None, has_after=is_more)

    async def count(self) -> Counts:
        """How many passports are here."""
        async with self._core.database.read() as tx:
            return await count_cards(tx)

    async def _here(self, tx: ReadTx, text: str) -> list[StoredPassport]:
        try:
            return await self._search.find_first(tx, read_asked(text, self._projection.world.lines))
        except InputError:
            return []


def _found(passport: StoredPassport, now: int) -> Found:
    return Found(passport.subject, passport.title, passport.state, None, max(0, now - passport.changed_us))


def _seen(one: Sighting) -> Found:
    source = one.source
    return Found(one.subject, one.title, "", source.org, source.age_us, one.is_proved, one.sources[1:])


def _place(spot: Spot) -> tuple[int, str, bytes]:
    """By this a list is sorted: the last changed second first where it is told, then by title."""
    return -spot.second, spot.title, spot.subject


def _is_narrowed(question: Question) -> bool:
    """Whether more is asked than a text of things of a kind."""
    return replace(question, kind=None) != Question(question.text, order=question.order)


def _day(said: str | None) -> int | None:
    try:
        return parse_expiry(said) if said else None
    except ValueError as error:
        raise InputError(f"{said} is no date", "moment") from error


def _read_question(question: Question) -> Sift:
    exact, _ = read_exact(question.text), read_exact(question.place)
    ends, told = _day(question.expires_before), _day(question.unrecorded_before)
    sift = parse_sift(
        "" if exact and exact.scheme == "id" else exact.term if exact else question.text,
        kind=question.kind,
        state=question.state,
        type_code=question.type_code,
        owner=question.owner,
        place=question.place,
        expires_before=ends,
        is_joined=question.is_joined,
        owners=question.owners,
        unrecorded_before=told,
    )
    said = ((question.text, sift.text or exact), (question.place, sift.place))
    for text, words in (*said, (question.owner or "", sift.owner or sift.owner_words)):
        if text.strip() and not words and not (text is question.owner and sift.owners):
            raise InputError(f"nothing to look for in {text.strip()[:64]!r}", "query_empty")
    return sift
