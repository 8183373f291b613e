"""A passport as a document for paper: what the page shows, as an organisation would file it, in the page's own words.

Plain values in, a plain document out: the same view, moment and names give the same document. Nothing of the view is
left out silently: what is disputed, claimed, replaced, pending or withheld stands there as such.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from node.exchange.sheets import Block, Grid, Notes, Pairs, Sheet
from node.passport.catalogs import Catalog
from node.passport.errors import DeviceIdError
from node.passport.ids import SubjectId, format_device_id, format_label_url, parse_device_id
from node.passport.shown import at, rows, sides_of, text
from node.passport.view import DAY_US, Plain, View, moment_at
from node.web.console_words import ATTESTED
from node.web.passport_words import (
    CLASSES,
    CONFLICTS,
    FIELDS,
    SECTIONS,
    STANDINGS,
    STATES,
    SYSTEMS,
    fact_words,
    named,
    unit_words,
    words,
)
from node.web.radio_words import parameter_words
from node.web.role_words import REASONS, RESIDENT, ROLES
from node.web.role_words import STATES as ACT_STATES
from node.web.sheet_words import EVIDENCE, READ, sheet_words

Row = Mapping[str, Plain]
NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Issue:
    """Who issues the document, where and when; `domain` is that of the organisation, for the link of the label.

    Under a profile: its name, how many statements are left out whole, and how many sections of the others are withheld.
    """

    organisation: str
    org: str
    node: str
    domain: str
    made_us: int
    digest: str
    profile: str = ""
    left_out: int = 0
    withheld: int = 0


def passport_sheet(view: View, issue: Issue, names: Mapping[str, str], language: str) -> Sheet:
    """The document of a view; `names` are those of organisations, by id in hex."""
    return _Writer(view, issue, names, language).sheet()


class _Writer:
    """Writes one document."""

    def __init__(self, view: View, issue: Issue, names: Mapping[str, str], language: str) -> None:
        self._view = view
        self._issue = issue
        self._names = names
        self._language = language

    def sheet(self) -> Sheet:
        """The whole document."""
        say = self._say
        view, issue = self._view, self._issue
        device = text(view, "id")
        made = self._moment(issue.made_us)
        need = f", {say('not admitted until verified')}" if at(view, "state", "needs_verification") else ""
        state = f"{say('State')}: {words(STATES, at(view, 'state', 'code'), self._language)}{need}"
        others = [name for name in _texts(at(view, "ids")) if name != device]
        lines = [device, state, f"{say('Issued')}: {made}, {issue.organisation}"]
        lines += [f"{say('The same device')}: {', '.join(others)}"] if others else []
        if issue.profile:
            counted = f"{say('statements left out')} {issue.left_out}, {say('sections withheld')} {issue.withheld}"
            lines.append(f"{say('Profile')}: {issue.profile}; {counted}")
        foot = f"{text(view, 'title') or device} · {device} · {issue.organisation} · {made}"
        return Sheet(
            self._language,
            say("Electronic passport of a device"),
            text(view, "title") or device,
            lines,
            _label(issue.domain, device),
            [block for block in self._blocks() if not _is_empty(block)],
            foot,
            say("page {} of {}"),
            issue.made_us,
        )

    def _say(self, english: str) -> str:
        return sheet_words(english, self._language)

    def _blocks(self) -> Iterator[Block]:
        yield self._identity()
        yield self._conflicts()
        yield self._verification()
        yield self._parameters()
        yield from self._composition()
        yield self._parties()
        yield self._timeline()
        yield self._protocols()
        yield self._radio()
        yield self._aliases()
        yield self._plates()
        yield self._withheld()
        yield self._signers()
        yield self._provenance()

    def _identity(self) -> Block:
        say, view = self._say, self._view
        found: list[tuple[str, str, str]] = []
        for name in ("designation", "mark", "serial", "year"):
            fact = at(view, "identity", name)
            if isinstance(fact, dict):
                found.append((words(FIELDS, name, self._language), self._plain(name, fact["value"]), self._said(fact)))
        kind = at(view, "type")
        if isinstance(kind, dict) and (kind["central"] or kind["local"]):
            told = [named(kind, Catalog.TYPES, self._language), kind["model"], kind["execution"]]
            code = at(view, "type", "facts", "code")
            said = self._said(code) if isinstance(code, dict) else ""
            found.append((say("Type"), " ".join(dict.fromkeys(str(one) for one in told if one)), said))
            if approval := at(view, "type", "record", "approval"):
                found.append((words(FIELDS, "approvals", self._language), str(approval), ""))
        maker, owner = at(view, "parties", "manufacturer"), at(view, "parties", "owner")
        if isinstance(maker, dict) and maker["name"]:
            by = maker["value"] or at(view, "identity", "line", "by")
            found.append((say("Manufacturer"), str(maker["name"]), self._said(maker, by)))
        if isinstance(owner, dict) and owner["value"]:
            found.append((say("Owner"), self._org(owner["value"]), self._said(owner, owner["value"])))
        return Pairs(say("Identity"), found)

    def _conflicts(self) -> Block:
        say = self._say
        lines = [self._conflict(item) for item in rows(self._view, "conflicts")]
        for item in rows(self._view, "claims"):
            what = fact_words(str(item["what"]), self._language)
            value = self._plain(str(item["what"]), item["value"])
            lines.append(
                f"{words(STANDINGS, 'claim', self._language).upper()}: {what}: {value} ({self._org(item['by'])})"
            )
        lines += [f"{say('Waits for its ground')}: {item['ref']}" for item in rows(self._view, "pending")]
        return Notes(say("Conflicts and claims"), lines)

    def _conflict(self, item: Row) -> str:
        what, why = str(item["what"]), str(item["why"])
        told = f"{fact_words(what, self._language)}: {words(CONFLICTS, why, self._language)}"
        told = f"{words(STANDINGS, 'disputed', self._language).upper()}: {told}"
        if why != "disputed":
            return told
        if what.startswith("parties."):
            return f"{told} — {', '.join(map(self._org, _texts(item['values'])))}"
        said = [one for one in sides_of(item["values"]) if isinstance(one, dict)]
        sides = [f"{self._plain(what, one['value'])} ({self._org(one['by'])})" for one in said]
        return f"{told} — {', '.join(sides)}"

    def _verification(self) -> Block:
        say = self._say
        found, fact = [], at(self._view, "verification")
        if isinstance(fact, dict):
            said = self._said(fact)
            for name, value in (
                (say("Valid until"), self._day(fact["valid_until"])),
                (say("Verified"), self._moment(fact["verified"])),
                (say("Rejected"), self._moment(fact["rejected"])),
                (say("Record in the register"), str(fact["record"] or "")),
            ):
                if value:
                    found.append((name, value, said))
        return Pairs(say("Verification"), found)

    def _parameters(self) -> Block:
        say, found = self._say, []
        parameters = at(self._view, "parameters")
        for code, parameter in sorted(parameters.items()) if isinstance(parameters, dict) else ():
            if isinstance(parameter, dict):
                name = named(parameter, Catalog.PARAMETERS, self._language) or code.rpartition("/")[2]
                found += [self._parameter(code, name, row) for row in rows(parameter, "values")]
        header = (say("Parameter"), say("Value"), say("from"), say("Source"), say("Who"))
        return Grid(say("Parameters"), header, found, (25, 22, 14, 12, 27))

    def _parameter(self, code: str, name: str, row: Row) -> list[str]:
        value = self._value(code, row)
        if row["standing"] == "disputed":
            said = [one for one in sides_of(row["others"]) if isinstance(one, dict)]
            value = "; ".join(f"{self._value(code, one)} — {self._org(one['by'])}" for one in said)
        source = words(SYSTEMS, row["source"], self._language)
        return [name, value, self._day(row["since"]), source, self._said(row)]

    def _value(self, code: str, row: Row) -> str:
        told = row["value"]
        shown = NOTHING if told is None else self._day(parameter_words(code, told, self._language))
        if self._language == "ru" and shown.replace(".", "", 1).lstrip("-").isdecimal():
            shown = shown.replace(".", ",")
        return f"{shown} {unit_words(row['unit'], self._language)}".strip()

    def _composition(self) -> Iterator[Block]:
        say = self._say
        header = (
            say("Position"),
            say("Part"),
            say("Serial"),
            say("How many"),
            say("From — to"),
            say("Standing"),
            say("Who"),
        )
        found = [
            [
                str(edge["position"] or ""),
                str(edge["designation"] or ""),
                str(edge["serial"] or ""),
                str(edge["quantity"] or "1"),
                self._period(edge),
                self._edge_standing(edge),
                self._org(edge["by"]),
            ]
            for edge in rows(self._view, "composition", "children")
        ]
        yield Grid(say("Composition"), header, found, (14, 16, 12, 9, 16, 17, 16))
        lines = [
            f"{_device_id(str(edge['whole']))} {edge['position'] or ''} {self._period(edge)} {self._said(edge)}"
            for edge in rows(self._view, "composition", "parents")
        ]
        yield Notes(say("Stands in"), lines)

    def _edge_standing(self, edge: Row) -> str:
        standing = words(STANDINGS, edge["standing"], self._language)
        return f"{standing}: {words(CONFLICTS, edge['conflict'], self._language)}" if edge["conflict"] else standing

    def _parties(self) -> Block:
        say, found = self._say, []
        for row in rows(self._view, "parties", "roles"):
            role, number = words(ROLES, row["role"], self._language), words(RESIDENT, row["number"], self._language)
            who = str(row["name"] or "") or ("" if row["number"] else self._org(row["party"]))
            since, until = (self._moment(row[name]) or "…" for name in ("since", "until"))
            standing = words(STANDINGS, row["standing"], self._language)
            told = ", ".join(filter(None, (who, number if row["number"] else "", str(row["document"] or ""))))
            found.append([role, told, f"{since} — {until}", standing])
        for item in rows(self._view, "parties", "transfers"):
            sides = f"{self._org(item['from'])} → {item['name'] or self._org(item['to'])}"
            reason = words(REASONS, item["reason"], self._language) if item["reason"] else ""
            state = ", ".join(filter(None, (words(ACT_STATES, item["state"], self._language), reason)))
            found.append([words(ROLES, item["role"], self._language), sides, self._moment(item["offered"]), state])
        for name, title in (
            ("settlement", say("Settlement")),
            ("network", say("LoRa network")),
            ("named", say("Named")),
        ):
            found += [[title, self._org(org), "", ""] for org in _texts(at(self._view, "parties", name))]
        return Grid(
            say("Parties"), (say("Role"), say("Organisation"), say("When"), say("Standing")), found, (16, 44, 20, 20)
        )

    def _timeline(self) -> Block:
        say = self._say
        header = (say("When"), say("What"), say("Where"), say("Who"), say("Standing"))
        return Grid(
            say("Timeline"), header, [self._event(event) for event in rows(self._view, "events")], (15, 32, 12, 24, 17)
        )

    def _event(self, event: Row) -> list[str]:
        detail = at(dict(event), "detail")
        more = "; ".join(f"{name}: {value}" for name, value in detail.items()) if isinstance(detail, dict) else ""
        what = named(_object(event["what"]), Catalog.EVENTS, self._language)
        where = _object(event["where"])
        place = _object(where.get("place"))
        shown = place.get("name") or place.get("local") or place.get("central")
        system = words(SYSTEMS, event["system"], self._language) if event["system"] else ""
        standing = words(STANDINGS, "replaced" if event["replaced_by"] else event["standing"], self._language)
        return [
            self._moment(event["occurred"]),
            f"{what}: {more}" if more else what,
            str(shown or (_device_id(str(where["object"])) if where.get("object") else NOTHING)),
            ", ".join(filter(None, (self._org(event["by"]), system))),
            standing,
        ]

    def _protocols(self) -> Block:
        say, found = self._say, []
        for item in rows(self._view, "protocols"):
            template = _object(item["template"])
            extract = _object(item["extract"])
            events = [named(_object(event), Catalog.EVENTS, self._language) for event in _list(extract.get("events"))]
            title = str(template.get("title") or template.get("name") or "")
            standing = words(STANDINGS, "replaced" if item["replaced_by"] else item["standing"], self._language)
            what = f"{title} ({', '.join(events)})" if events else title
            place = str(item["ref"]).split(":")
            found.append(
                [self._moment(item["occurred"]), what, self._org(item["by"]), standing, f"{place[0][:8]}… {place[1]}"]
            )
        header = (say("When"), say("What"), say("Who"), say("Standing"), say("Statement"))
        return Grid(say("Protocols"), header, found, (15, 34, 21, 17, 13))

    def _radio(self) -> Block:
        facts = _object(at(self._view, "radio"))
        found = [
            (words(FIELDS, name, self._language), self._plain(name, _object(fact)["value"]), self._said(_object(fact)))
            for name, fact in sorted(facts.items())
        ]
        return Pairs(self._say("Radio"), found)

    def _aliases(self) -> Block:
        say = self._say
        found = [
            [
                words(FIELDS, alias["scheme"], self._language),
                str(alias["value"]),
                words(EVIDENCE, said["evidence"], self._language),
                self._period(said),
                self._org(said["by"]),
            ]
            for alias in rows(self._view, "aliases")
            for said in rows(alias, "said")
        ]
        header = (say("Number"), say("Value"), say("Evidence"), say("From — to"), say("Who"))
        return Grid(say("Other numbers"), header, found, (15, 30, 15, 20, 20))

    def _plates(self) -> Block:
        say = self._say
        found = [
            [
                " ".join(str(plate[name]) for name in ("mark", "designation") if plate[name]),
                str(plate["serial"] or ""),
                str(plate["year"] or ""),
                ", ".join(_texts(plate["approvals"])),
                words(READ, plate["read"], self._language),
                self._org(plate["by"]),
                self._moment(plate["occurred"]),
            ]
            for plate in rows(self._view, "plates")
        ]
        header = (say("Plate"), say("Serial"), say("Year"), say("Approval"), say("How read"), say("Who"), say("When"))
        return Grid(say("Plates as they were read"), header, found, (20, 16, 7, 12, 11, 18, 16))

    def _withheld(self) -> Block:
        """What was not shown to this organisation: which section, of what class, by whom, how often."""
        say = self._say
        counts: dict[tuple[str, str, str], int] = {}
        for statement in rows(self._view, "statements"):
            for section in rows(statement, "sections"):
                if not section["present"]:
                    key = (str(section["name"]), str(section["class"]), str(statement["org"]))
                    counts[key] = counts.get(key, 0) + 1
        found = [
            [words(SECTIONS, name, self._language), words(CLASSES, klass, self._language), self._org(org), str(count)]
            for (name, klass, org), count in sorted(counts.items())
        ]
        total = sum(counts.values())
        whom = "Withheld under the profile" if self._issue.profile else "Withheld from this organisation"
        title = f"{say(whom)}: {total}"
        return Grid(title, (say("Section"), say("Class"), say("Who"), say("How many")), found, (34, 22, 32, 12))

    def _signers(self) -> Block:
        say, found = self._say, []
        said: dict[str, int] = {}
        for statement in rows(self._view, "statements"):
            said[str(statement["org"])] = said.get(str(statement["org"]), 0) + 1
        for org, signer in sorted(_object(at(self._view, "signers")).items()):
            held = [words(ATTESTED, row["what"], self._language) for row in rows(_object(signer), "attested")]
            numbers = ", ".join(_texts(_object(signer)["numbers"]))
            found.append(
                [f"{self._org(org)} {numbers}".strip(), org, ", ".join(dict.fromkeys(held)), str(said.get(org, 0))]
            )
        header = (say("Organisation"), say("Organisation id"), say("Attested"), say("Statements"))
        return Grid(say("Who signed what"), header, found, (30, 37, 20, 13))

    def _provenance(self) -> Block:
        say, issue = self._say, self._issue
        return Notes(
            say("Where this comes from"),
            [
                f"{say('Issued by')}: {issue.organisation} ({issue.org}), {say('node')} {issue.node}",
                f"{say('Issued')}: {self._moment(issue.made_us)}",
                f"{say('Digest of the whole view')}: {issue.digest}",
                f"{say('Version of the fold')}: {at(self._view, 'fold')}",
                f"{say('federation')}: {at(self._view, 'federation') or NOTHING}",
                say("A print of what that organisation may read; the signed form is the passport file of its node."),
            ],
        )

    def _said(self, fact: Row, by: Plain = None) -> str:
        standing = words(STANDINGS, fact.get("standing"), self._language)
        return ", ".join(filter(None, (standing, self._org(by or fact.get("by")))))

    def _org(self, org: Plain) -> str:
        return self._names.get(str(org), str(org)[:8]) if org else ""

    def _plain(self, what: str, value: Plain) -> str:
        """A value as one text, as the page tells it."""
        if value is None:
            return NOTHING
        if isinstance(value, dict):
            return self._object_words(value)
        if isinstance(value, list):
            return ", ".join(self._plain(what, one) for one in value)
        return words(STATES, value, self._language) if what == "state" else str(value)

    def _object_words(self, value: dict[str, Plain]) -> str:
        if "serial" in value:
            return " ".join(str(value[name]) for name in ("position", "designation", "serial") if value.get(name))
        if "central" in value:
            return named(value, Catalog.TYPES, self._language)
        if "value" in value:
            return f"{self._plain('', value['value'])} {unit_words(value.get('unit'), self._language)}".strip()
        return ", ".join(f"{name}: {one}" for name, one in value.items())

    def _period(self, row: Row) -> str:
        since, until = (self._day(row[name]) or "…" for name in ("since", "until"))
        return f"{since} — {until}"

    def _day(self, value: Plain) -> str:
        told = "" if value is None else str(value)
        try:
            if len(told) > 10:
                return self._moment(int(datetime.fromisoformat(told).timestamp() * 1e6))
            day = datetime.strptime(told, "%Y-%m-%d")  # noqa: DTZ007 - a day has no zone
        except ValueError:
            return told
        return day.strftime("%d.%m.%Y") if self._language == "ru" else told

    def _moment(self, micros: Plain) -> str:
        if not isinstance(micros, int):
            return ""
        moment = moment_at(micros)
        day = moment.strftime("%d.%m.%Y" if self._language == "ru" else "%Y-%m-%d")
        return day if micros % DAY_US == 0 else f"{day} {moment:%H:%M} UTC"


def _label(domain: str, device: str) -> str:
    """The link of the label where the organisation has a domain, else the id alone."""
    try:
        return format_label_url(domain, parse_device_id(device))
    except DeviceIdError:
        return device


def _device_id(subject: str) -> str:
    return format_device_id(SubjectId(bytes.fromhex(subject)))


def _is_empty(block: Block) -> bool:
    return not (block.lines if isinstance(block, Notes) else block.rows)


def _texts(value: Plain) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _list(value: Plain) -> Iterable[Plain]:
    return value if isinstance(value, list) else ()


def _object(value: Plain) -> dict[str, Plain]:
    return value if isinstance(value, dict) else {}
