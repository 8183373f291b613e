"""What templates call: codes in words, moments and numbers as a reader of a language writes them."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from markupsafe import Markup

from node.exchange.webhooks.target import parse_target
from node.passport.catalogs import Catalog, find_name
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import recalls_of, sides_of
from node.passport.templates.form import choice_text
from node.passport.view import moment_at
from node.services.access import DAY_US
from node.web.console_words import (
    APPROVAL_STATES,
    ATTESTED,
    BOX_STATES,
    CARD_FAULTS,
    CATALOGS,
    DEVICE_STATES,
    HOOK_FAULTS,
    HOOK_HEALTH,
    HOOK_PAUSES,
    HOOK_PURPOSES,
    JOB_KINDS,
    JOB_STATES,
    LOSSES,
    MEMBER_STANDINGS,
    ORGANISATION_KINDS,
    PROCESSES,
    RECORD_FIELDS,
    RELEASE_STATES,
    SHIPMENT_ACTS,
    SHIPMENT_REASONS,
    SHIPMENT_STATES,
    UNDO_GROUNDS,
)
from node.web.erasure_words import ERASURE_STATES, GROUNDS, HINDRANCES
from node.web.exchange_words import DIFFERENCES, FITNESS, FOUND, MESSAGES, RESULT_STATES
from node.web.flow_words import DIRECTIONS, PARTIES, flow_trouble
from node.web.health_words import GRADES
from node.web.identity_words import COMPARED_FACTS, NO_LINE, RIGHTS, SAYS, SIGNS, SLIPS
from node.web.key_words import END_REASONS, NODE_STATES, STATEMENTS
from node.web.key_words import WARNINGS as KEY_WARNINGS
from node.web.passport_words import (
    CLASSES,
    CONFLICTS,
    FIELDS,
    KINDS,
    MEDIA,
    SECTIONS,
    STANDINGS,
    STATES,
    STEPS,
    SYSTEMS,
    event_kinds,
    fact_words,
    named,
    unit_words,
    words,
)
from node.web.process_words import IDLE, MOVES, NEEDS, PARTS, RUN_STATES, process_name, titled
from node.web.protocol_words import DAY, REASONS, ROLES, RULES, label_words, text_words, typed_text, value_words
from node.web.radio_words import (
    CAPABILITIES,
    COMPARED,
    DOUBTS,
    DRIVER_STATES,
    FRAME_STATES,
    NAME_STATES,
    RADIO_STATES,
    READING_STATUSES,
    REFUSALS,
    UNREAD,
    parameter_words,
    step_words,
)
from node.web.right_words import LACKS, VERBS, WHYS
from node.web.right_words import ROWS as GRANT_ROWS
from node.web.role_words import BASES, NUMBERS, WRITES
from node.web.role_words import REASONS as MANDATE_REASONS
from node.web.role_words import ROLES as PARTY_ROLES
from node.web.role_words import STATES as MANDATE_STATES
from node.web.tables.backups import STATES as BACKUP_STATES
from node.web.tables.operations import WHAT
from node.web.trouble_words import trouble_text
from node.web.words import REASONS as OPENED_WHY
from node.web.words import actor_words, detail_name, detail_text, journal_words

# Filters that say a code in words, and their words.
WORDED: Final = {
    "driver_state": DRIVER_STATES,
    "name_state": NAME_STATES,
    "capability": CAPABILITIES,
    "unread": UNREAD,
    "state": STATES,
    "kind": KINDS,
    "medium": MEDIA,
    "standing": STANDINGS,
    "field": FIELDS,
    "radio_state": RADIO_STATES,
    "frame_state": FRAME_STATES,
    "refusal": REFUSALS,
    "compared": COMPARED,
    "reading_status": READING_STATUSES,
    "doubt": DOUBTS,
    "operation": WHAT,
    "conflict": CONFLICTS,
    "slip": SLIPS,
    "sign": SIGNS,
    "no_line": NO_LINE,
    "says": SAYS,
    "identity_right": RIGHTS,
    "section_class": CLASSES,
    "section_name": SECTIONS,
    "erasure_ground": GROUNDS,
    "erasure_state": ERASURE_STATES | HINDRANCES,
    "system": SYSTEMS,
    "process_step": STEPS,
    "process_kind": PROCESSES,
    "catalog_name": CATALOGS,
    "release_state": RELEASE_STATES,
    "approval_state": APPROVAL_STATES,
    "record_field": RECORD_FIELDS,
    "job_kind": JOB_KINDS,
    "undo_ground": UNDO_GROUNDS,
    "job_state": JOB_STATES,
    "box_state": BOX_STATES,
    "shipment_state": SHIPMENT_STATES,
    "shipped_state": DEVICE_STATES,
    "shipment_reason": SHIPMENT_REASONS,
    "shipment_act": SHIPMENT_ACTS,
    "organisation_kind": ORGANISATION_KINDS,
    "attested": ATTESTED,
    "loss": LOSSES,
    "card_fault": CARD_FAULTS,
    "member_standing": MEMBER_STANDINGS,
    "role_name": ROLES,
    "unsigned_reason": REASONS,
    "rule_name": RULES,
    "register_found": FOUND,
    "result_state": RESULT_STATES,
    "register_difference": DIFFERENCES,
    "fitness": FITNESS,
    "message_kind": MESSAGES,
    "run_state": RUN_STATES,
    "move": MOVES,
    "idle": IDLE,
    "need": NEEDS,
    "step_parts": PARTS,
    "hook_health": HOOK_HEALTH,
    "hook_pause": HOOK_PAUSES,
    "hook_fault": HOOK_FAULTS,
    "hook_purpose": HOOK_PURPOSES,
    "party_role": PARTY_ROLES,
    "party_basis": BASES,
    "mandate_state": MANDATE_STATES,
    "mandate_reason": MANDATE_REASONS,
    "system_writes": WRITES,
    "flow_party": PARTIES,
    "flow_direction": DIRECTIONS,
    "grade": GRADES,
    "backup_state": BACKUP_STATES,
    "opened_why": OPENED_WHY,
    "key_warning": KEY_WARNINGS,
    "node_state": NODE_STATES,
    "root_statement": STATEMENTS,
    "end_reason": END_REASONS,
    "access_why": WHYS,
    "access_lack": LACKS,
    "grant_verb": VERBS,
    "grant_row": GRANT_ROWS,
}


def make_filters(language: str) -> dict[str, Callable[..., object]]:
    """The filters of a language by their names in templates."""
    worded = {name: lambda code, table=table: words(table, code, language) for name, table in WORDED.items()}
    return worded | {
        "moment": moment,
        "instant": lambda at: moment(int(at.timestamp() * 1e6)),
        "origin": lambda url: parse_target(url).origin,
        "when": lambda micros: when(micros, language),
        "short_id": short_id,
        "device_id": lambda subject: format_device_id(SubjectId(bytes.fromhex(subject))),
        "happened": lambda what: journal_words(what, language),
        "detail_name": lambda name: detail_name(name, language),
        "detail_value": _detail_value,
        "who": lambda label: actor_words(label, language),
        "step_detail": lambda detail: step_words(detail, language),
        "unit": lambda code: unit_words(code, language),
        "name_in": lambda reference, catalog: named(reference, catalog, language),
        "event_kinds": lambda events: event_kinds(events, language),
        "fact_name": lambda what: fact_words(what, language),
        "recalls": recalls_of,
        "sides": sides_of,
        "compared_fact": lambda row: (
            words(COMPARED_FACTS, row.name, language)
            if row.name in COMPARED_FACTS
            else fact_words(f"parameters.{row.name}" if row.section == "parameters" else row.name, language)
        ),
        "parameter_value": lambda value, code: parameter_words(code, value, language),
        "parameter_name": lambda code: find_name(Catalog.PARAMETERS, code, language) or code,
        "trouble": lambda text: trouble_text(text, language),
        "flow_trouble": lambda code: flow_trouble(code, language),
        "label": lambda label: label_words(label, language),
        "typed": lambda field: typed_text(field, language),
        "choice": choice_text,
        "is_day": lambda value: DAY.fullmatch(value) is not None,
        "told": lambda value: value_words(value, language),
        "in_language": lambda texts: text_words(texts, language),
        "day": lambda text: day(text, language),
        "micros_day": lambda micros: day(moment_at(micros).date().isoformat(), language),
        "process_name": lambda code: process_name(code, language),
        "titled": lambda title, code: titled(title, code, language),
        "state_number": lambda number: state_number(number, language),
    }


def state_number(number: str, language: str) -> str:
    """A party's `inn:…` or `ogrn:…` as papers have it."""
    kind, _, digits = number.partition(":")
    return f"{words(NUMBERS, kind, language)} {digits}" if kind in NUMBERS else number


def moment(micros: int) -> Markup:
    """A time as an element that the browser shows in its own zone; without script it reads as UTC."""
    when = moment_at(micros)
    shown = when.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(timespec="milliseconds"), shown)


def when(micros: int, language: str) -> Markup:
    """When a fact happened: the day alone where nothing more exact was told."""
    if micros % DAY_US == 0:
        return day(moment_at(micros).date().isoformat(), language)
    return moment(micros)


def day(text: object, language: str) -> Markup:
    """A date or an RFC 3339 time of a passport; what is neither stands as it was typed."""
    told = "" if text is None else str(text)
    try:
        if len(told) > 10:
            return moment(int(datetime.fromisoformat(told).timestamp() * 1e6))
        date = datetime.strptime(told, "%Y-%m-%d")  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return Markup("{}").format(told)
    return Markup('<span class="day">{}</span>').format(date.strftime("%d.%m.%Y") if language == "ru" else told)


def short_id(raw: bytes) -> str:
    """The beginning of an id, enough to tell it from its neighbours on a page."""
    return raw.hex()[:8]


def _detail_value(value: object, name: str) -> str:
    """A detail of a journal row; a name that ends in _us holds a time."""
    return moment(value) if name.endswith("_us") and isinstance(value, int) else detail_text(value)
