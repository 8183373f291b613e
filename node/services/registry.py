"""The verbs about subjects: register a plate, record an event or a part, share, and who may."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from federation.authority import Authority, Verb
from federation.errors import FederationError, RequestError
from federation.fragment import Ref
from node.errors import DeniedError, InputError, NotFoundError, PeerError, StateError
from node.passport import drafts
from node.passport.bodies import EventBody, ParameterRow, ParametersBody, Plate, Reference, TypeBody
from node.passport.catalogs import Catalog
from node.passport.chronology import MADE, MADE_ON, format_day, is_day
from node.passport.claims import decode_claim, local_claim
from node.passport.drafts import MOST_THINGS, OPEN_CLASSES, Draft
from node.passport.entitlement import is_observed, only_data_source
from node.passport.ids import SubjectId
from node.passport.places import Places, compare_places
from node.passport.plate import has_word
from node.passport.references import parse_ref
from node.passport.registered import VALID_UNTIL
from node.passport.replacement import Replacement, replacement_drafts
from node.passport.sameness import twin_of, twins_of
from node.passport.shown import at, has_plate, place_of, rows, text, where_of
from node.passport.timeline import outer_key, why_view
from node.passport.view import DAY_US, ROWS, Plain, View, load_view, moment_at, moment_us
from node.passport.withdrawals import find_withdrawn, reason_of
from node.services.core import Core
from node.services.ingest import Ingest
from node.services.known import check_organisation, check_passports
from node.services.ledger import Ledger, entry_ref
from node.services.plates import find_printed, find_standing, settle_claim
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.services.sync import Sync
from node.store.database import ReadTx, WriteTx
from node.store.passports import StoredPassport, every_id, find_passport, read_leads, read_passports
from node.store.peers import list_peers
from node.store.timelines import find_event, page_of_rows

INSTALL_PLACE = "install_place"
EVENTS, _ = ROWS
REMOVED = "removed"
ADMITTING = frozenset({"installed", "admitted"})
MOST_MADE = 16  # words about production that stand before the first other event
MOST_PRINTED = 8


class Registry:
    """Says things about subjects, in this organisation's name."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, ingest: Ingest, sync: Sync) -> None:
        self._core = core
        self._ingest = ingest
        self._sync = sync
        self._ledger = ledger
        self._projection = projection
        self._stating = asyncio.Lock()

    async def get(self, subject: bytes, *, whole: bool = True) -> StoredPassport:
        """The passport of a subject, a long one with its rows if it is wanted whole; raise NotFoundError."""
        database = self._core.database
        await self._projection.catch_up([subject])
        if not whole and (found := await database.glance(lambda tx: find_passport(tx, subject, whole=False))):
            return found
        async with database.read() as tx:
            found = await find_passport(tx, subject, whole=whole)
            if found is None:
                raise await _absent(tx, subject)
        return found

    def claim(self, plate: Plate) -> bytes:
        """The strongest claim that a plate allows here."""
        lines = self._projection.world.lines
        claim = lines.claim_for(plate, log=self._ledger.log.log, randomness=self._core.random.bytes(16))
        return claim.encode()

    async def register_plate(
        self, plate: Plate, kind: TypeBody | None, actor: str, *, place: str = "", is_twin: bool = False
    ) -> bytes:
        """State a plate and answer its subject; a plate stated here before is not stated again.

        One that no line, code or approval tells is the device of which this organisation stated such a plate before.

        With a place, raise StateError where the plate is known to stand elsewhere: one thing has one place, so the
        caller says that it moved (no place) or that it is another thing with the same plate (`is_twin`). A twin that
        is known to stand at the place is that other thing.
        """
        self._check_plate(plate)
        async with self._stating:  # of two requests at once the second finds what the first states
            return await self._register_plate(plate, kind, actor, place, is_twin=is_twin)

    async def printed(self, plate: Plate, subject: bytes) -> list[SubjectId]:
        """The other devices known here that may have the plate of a subject: at most eight, by their ids."""
        async with self._core.database.read() as tx:
            found = await find_printed(tx, plate)
            leads = await read_leads(tx, [subject])
        return [SubjectId(one.lead) for one in found if one.lead != leads.get(subject, subject)][:MOST_PRINTED]

    async def _register_plate(
        self, plate: Plate, kind: TypeBody | None, actor: str, place: str, *, is_twin: bool
    ) -> bytes:
        claim = decode_claim(self.claim(plate))
        async with self._core.database.read() as tx:
            claim = await settle_claim(tx, claim, plate, self._projection.world.lines, self._core.org)
            known = await find_passport(tx, claim.subject.raw)
            if known is not None and (is_twin or _stands_elsewhere(known, place)):
                twins = await read_passports(tx, [twin.subject.raw for twin in twins_of(claim)])
                if (stands := find_standing(claim, twins, place)) is not None:
                    claim, known = stands, twins[stands.subject.raw]
                elif is_twin:
                    claim, known = twin_of(claim, [claim.subject.raw, *twins]), None
        if known is not None and _stands_elsewhere(known, place):
            raise StateError(
                f"{known.title} is known to stand elsewhere: {place_of(known.content)}",
                "plate_elsewhere",
                id=str(SubjectId(known.subject)),
                place=place_of(known.content),
            )
        subject = claim.subject.raw
        now = self._core.clock.now()
        said: list[Draft] = []
        if known is None or not has_plate(known.content, self._core.org, plate):
            if known is not None and plate.year:
                # A day of slack: the year began earlier where the device is.
                _check_first(rows(known.content, "events"), moment_us(f"{plate.year}-01-01") - DAY_US)
            said.append(drafts.identity(subject, claim.encode(), plate, now, kind))
        if place and (known is None or place_of(known.content) != place):
            row = ParameterRow(code=Reference(central=INSTALL_PLACE), value=place)
            said.append(drafts.parameters(subject, ParametersBody(rows=(row,)), now))
        if said:
            await self._say(said, actor, "plate_stated", subject)
        return subject

    async def record_event(
        self,
        subject: bytes,
        body: EventBody,
        occurred: int,
        actor: str,
        parties: Sequence[bytes] = (),
        corrects: str | None = None,
    ) -> Ref:
        """Something happened to a subject; parties are let read it. It may take the place of an earlier event.

        What another system told under the same id before is answered with where it stands; told otherwise, it is
        refused with StateError, as is the correction of an event that was corrected already.
        """
        if corrects is None and body.external is None:
            return await self._record_event(subject, body, occurred, actor, parties)
        async with self._stating:  # of two requests at once the second finds what the first states
            return await self._record_event(subject, body, occurred, actor, parties, corrects)

    async def _record_event(
        self,
        subject: bytes,
        body: EventBody,
        occurred: int,
        actor: str,
        parties: Sequence[bytes],
        corrects: str | None = None,
    ) -> Ref:
        passport = await self.get(subject, whole=corrects is not None)
        if corrects is None and (told := await self._told_before(passport, body)) is not None:
            if _is_told_so(told, body, occurred):
                return parse_ref(str(told["ref"]))
            raise StateError(
                f"{body.system} told another event as {body.external}: {told['ref']}",
                "event_told_otherwise",
                system=body.system,
                external=body.external,
                ref=told["ref"],
            )
        self._check_role(passport)
        await self.check_event(passport, body, occurred)
        if corrects is not None:
            _check_corrected(rows(passport.content, EVENTS), corrects)
        refs = (parse_ref(corrects),) if corrects else ()
        authority = Authority(Verb.READ, parties[0], (), (subject,), OPEN_CLASSES) if parties else None
        draft = drafts.event(subject, body, occurred, refs=refs, authority=authority)
        return await self._say([draft], actor, "event_recorded", subject)

    async def record_parameters(self, subject: bytes, body: ParametersBody, occurred: int, actor: str) -> Ref:
        """Values of parameters of a subject."""
        passport, org = await self.get(subject, whole=False), self._core.org
        self._check_days(passport, body)
        codes = [self._projection.world.central(row.code, org, Catalog.PARAMETERS) for row in body.rows]
        if not all(map(is_observed, codes)):
            self._check_role(passport)
        return await self._say([drafts.parameters(subject, body, occurred)], actor, "parameters_recorded", subject)

    async def record_move(self, subject: bytes, place: str, moment: str, actor: str, *, system: str = "console") -> Ref:
        """A device was taken off where it stood at a moment, and stands elsewhere since, said together."""
        at_us, passport = moment_us(moment), await self.get(subject)
        self._check_role(passport)
        view = passport.content
        removal = EventBody(what=Reference(central=REMOVED), where=where_of(view, place), system=system)
        await self.check_event(passport, removal, at_us)
        # The new stay begins after the removal, which would end it too.
        since = datetime.fromtimestamp(at_us // 10**6, UTC).strftime("%Y-%m-%dT%H:%M:%S") + ".000001Z"
        row = ParameterRow(code=Reference(central=INSTALL_PLACE), value=place, since=since)
        said = [
            drafts.event(subject, removal, at_us),
            drafts.parameters(subject, ParametersBody(rows=(row,)), at_us + 1),
        ]
        return await self._say(said, actor, "move_recorded", subject)

    async def record_repair(
        self, subject: bytes, event: EventBody, parts: Sequence[Replacement], moment: str, actor: str
    ) -> Ref:
        """A repair at a moment (RFC 3339, or a day) and the parts it replaced, said together."""
        for part in parts:
            if part.removed.number == part.fitted.number:
                raise InputError(f"{part.position}: {part.fitted.serial} came out and went in", "part_same")
        passport = await self.get(subject, whole=False)
        view = passport.content
        self._check_role(passport)
        await self.check_event(passport, event, moment_us(moment))
        said: list[Draft] = [drafts.event(subject, event, moment_us(moment))]
        for part in parts:
            said += replacement_drafts(view, subject, part, moment, self.mint)
        return await self._say(said, actor, "repair_recorded", subject)

    async def ask_key(self, subject: bytes, org: bytes, actor: str) -> None:
        """Ask an organisation's node for a device's root keys, and keep them sealed.

        Raise DeniedError where it refuses, PeerError where it is away or gives what is no key of this device.
        """
        async with self._core.database.read() as tx:
            peers = [peer for peer in await list_peers(tx, "active") if peer.org == org]
        if not peers:
            raise NotFoundError("no node of that organisation is known here", "org_unknown")
        try:
            section = await self._sync.client(peers[0].address).secret(subject, "root-keys")
        except RequestError as error:
            async with self._core.database.write() as tx:
                await self._core.announce(tx, actor, "key_refused", subject, of=org.hex())
            raise DeniedError("the key was refused: it is given for a shipment only", "key_refused") from error
        except (TimeoutError, FederationError) as error:
            raise PeerError(f"{peers[0].place} did not answer: {type(error).__name__}") from error
        if not await self._ingest.take_secret(subject, section):
            raise PeerError(f"{peers[0].place} gave a key that no statement here commits to")
        async with self._core.database.write() as tx:
            await self._core.announce(tx, actor, "key_received", subject, of=org.hex())

    async def share(self, subjects: Sequence[bytes], party: bytes, actor: str, *, write: bool = False) -> None:
        """Let an organisation read these passports, and write of them too: under every id that each has by now."""
        if party == self._core.org:
            raise InputError("a subject is shared with others", "share_with_self")
        now = self._core.clock.now()
        async with self._core.database.read() as tx:
            await check_organisation(tx, party)
            await check_passports(tx, subjects)
            named = await every_id(tx, subjects)
        said = [drafts.share(subject, party, OPEN_CLASSES, now) for subject in named]
        if write:
            parts = [named[at : at + MOST_THINGS] for at in range(0, len(named), MOST_THINGS)]
            said += [drafts.let_write(self.mint(), party, part, now) for part in parts]
        await self._say(said, actor, "shared", subjects[0] if len(subjects) == 1 else None, party)

    async def _told_before(self, passport: StoredPassport, body: EventBody) -> dict[str, Plain] | None:
        """The event that this organisation told under the same id of the same system."""
        key = outer_key(self._core.org, body)
        if key is None:
            return None
        if not passport.seals:
            return next((row for row in rows(passport.content, EVENTS) if row["key"] == key), None)
        async with self._core.database.read() as tx:
            raw = await find_event(tx, passport.lead, key)
        return None if raw is None else load_view(raw)

    async def check_event(self, passport: StoredPassport, body: EventBody, occurred: int) -> None:
        """Raise InputError where something would have happened to a device before it was made, or where one that was
        found unfit would be installed.
        """
        view, made = passport.content, text(passport.content, "made")
        code = self._projection.world.central(body.what, self._core.org, Catalog.EVENTS)
        if code == MADE:
            first = rows(view, "events")
            if passport.seals:
                async with self._core.database.read() as tx:
                    first = [load_view(row) for row in await page_of_rows(tx, EVENTS, passport.lead, MOST_MADE) or ()]
            _check_first(first, occurred - occurred % DAY_US)
        elif made and occurred < moment_us(made):
            raise InputError(
                f"{code or body.what.local} is said of a day before the device was made",
                "event_before_production",
                made=made,
            )
        if code in ADMITTING:
            check_fit(view)

    def _check_role(self, passport: StoredPassport) -> None:
        """Raise DeniedError where this organisation is a source of the thing's data and nothing else to it."""
        if only_data_source(passport.content, self._core.org, self._core.clock.now()):
            raise DeniedError("a data source states observed parameters alone", "role_data_source")

    def _check_plate(self, plate: Plate) -> None:
        """Raise InputError for a text that names nothing, and for a year of make to come."""
        for name, printed in (("designation", plate.designation), ("serial", plate.serial)):
            if not has_word(printed):
                raise InputError(
                    f"{name} {printed!r} has no letter and no digit", "plate_mute", text=printed, field=name
                )
        year = datetime.fromtimestamp((self._core.clock.now() + DAY_US) / 1e6, UTC).year
        if plate.year and int(plate.year) > year:
            raise InputError(f"the year {plate.year} is to come", "plate_year_future", year=plate.year)

    def _check_days(self, passport: StoredPassport, body: ParametersBody) -> None:
        """Raise InputError for a day of production to come, and for a verification that ends before production."""
        made, now, org = text(passport.content, "made"), self._core.clock.now(), self._core.org
        days = {
            self._projection.world.central(row.code, org, Catalog.PARAMETERS): row.value
            for row in body.rows
            if is_day(row.value)
        }
        day = days.get(MADE_ON)
        if day is not None and moment_us(day) > now + DAY_US:
            raise InputError(f"{day} is more than a day ahead: what is recorded has happened", "moment_future")
        made, until = day or made, days.get(VALID_UNTIL)
        if made and until is not None and moment_us(until) < moment_us(made):
            raise InputError(f"{until} is before the device was made", "verification_before_production", made=made)

    def mint(self) -> bytes:
        """The subject of something without a plate that was read."""
        return local_claim(self._ledger.log.log, self._core.random.bytes(16)).subject.raw

    async def _say(
        self, said: Sequence[Draft], actor: str, what: str, subject: bytes | None, party: bytes | None = None
    ) -> Ref:
        async def note(tx: WriteTx, _entries: object) -> None:
            with_whom = party.hex() if party else None
            await self._core.announce(tx, actor, what, subject, count=len(said), party=with_whom)

        entries = await self._ledger.append(said, note)
        return entry_ref(self._ledger.log.log, entries[0])


def check_fit(view: View) -> None:
    """Raise StateError where the last verification found a device unfit."""
    rejected = at(view, "verification", "rejected")
    if isinstance(rejected, int):
        day = format_day(rejected)
        raise StateError(f"it was found unfit on {day}", "device_unfit", on=day)


def _stands_elsewhere(passport: StoredPassport, place: str) -> bool:
    return compare_places(place, place_of(passport.content)) is Places.DIFFERENT


def _check_first(events: Sequence[dict[str, Plain]], made: int) -> None:
    """Raise InputError where the first event of a device, but for its production, is of a time before that."""
    own = (row for row in events if at(row, "what", "central") != MADE and not row["routed"])
    for event in [row for row in own if row["replaced_by"] is None][:1]:
        if int(str(event["occurred"])) < made:
            day = format_day(int(str(event["occurred"])))
            what = str(at(event, "what", "central") or at(event, "what", "local"))
            raise InputError(f"{what} is known of a day before that", "production_after_events", what=what, on=day)


def _is_told_so(told: dict[str, Plain], body: EventBody, occurred: int) -> bool:
    """Whether an event says what is said again."""
    what, where, why = at(told, "what"), at(told, "where", "place"), body.why
    place = body.where.place
    return (
        told["occurred"] == occurred
        and _means(what, body.what)
        and at(told, "where", "object") == body.where.object
        and (place is None) == (where is None)
        and (place is None or _means(where, place))
        and told["detail"] == body.detail
        and told["why"] == (why_view(why) if why else None)
    )


def _means(shown: Plain, said: Reference) -> bool:
    """Whether a shown code is the one that is said: as it was written, or by what it is bound to by now."""
    if not isinstance(shown, dict):
        return False
    return shown["local"] == said.local if said.local else shown["central"] == said.central


def _check_corrected(events: Iterable[Mapping[str, Plain]], place: str) -> None:
    """Raise NotFoundError where no event stands there, StateError where it is no longer the one that stands."""
    found = [event for event in events if event["ref"] == place]
    if not found:
        raise NotFoundError("that is no event of this passport", "correction_nothing")
    if replaced := next((event["replaced_by"] for event in found if event["replaced_by"]), None):
        raise StateError(f"{place} was corrected by {replaced}", "correction_replaced", ref=replaced)


async def _absent(tx: ReadTx, subject: bytes) -> NotFoundError:
    """Why there is no passport of a subject: nobody spoke of it here, or all of it was taken back."""
    said = await (await StatementReader.open(tx)).about(tx, [subject])
    withdrawn = find_withdrawn(said)
    if not withdrawn:
        return NotFoundError("no passport of that id is here", "passport_unknown")
    last = max(withdrawn.values(), key=lambda statement: statement.order)
    day = moment_at(last.stamp).date().isoformat()
    reason = reason_of(last) or ""
    return NotFoundError(
        f"what was said of it was taken back on {day}: {reason}", "passport_withdrawn", day=day, reason=reason
    )
