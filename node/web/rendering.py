"""Pages: templates in the reader's language inside the console's frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlencode

import jinja2
from aiohttp import web
from markupsafe import Markup

from node.passport.catalogs import Catalog, find_name
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import recalls_of
from node.passport.template_pointer import Missing
from node.services.access import DAY_US, Actor, Scope
from node.web.assets import Assets
from node.web.calls import Call, View
from node.web.console_words import (
    APPROVAL_STATES,
    ATTESTED,
    CATALOGS,
    JOB_KINDS,
    JOB_STATES,
    ORGANISATION_KINDS,
    PROCESSES,
    RECORD_FIELDS,
    RELEASE_STATES,
    SHIPMENT_STATES,
    UNDO_GROUNDS,
    trouble_words,
)
from node.web.downloads import TYPES
from node.web.identity_words import COMPARED_FACTS, NO_LINE, RIGHTS, SAYS, SIGNS, SLIPS
from node.web.languages import LANGUAGES, translations
from node.web.passport_words import (
    CLASSES,
    CONFLICTS,
    FIELDS,
    KINDS,
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
from node.web.protocol_words import ROLES, label_words, text_words, value_words
from node.web.radio_words import (
    COMPARED,
    FRAME_STATES,
    QUANTITIES,
    RADIO_STATES,
    READING_STATUSES,
    REFUSALS,
    parameter_words,
    step_words,
)
from node.web.routes import API, Route
from node.web.words import actor_words, detail_name, detail_text, journal_words

TEMPLATES = Path(__file__).parent / "templates"
PAGING = frozenset({"cursor", "limit", "format"})
NO_COUNTS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A link of the navigation."""

    path: str
    title: str
    icon: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Download:
    """A list that can be had as a file: what it is called, and (kind, address) of each file."""

    title: str
    files: list[tuple[str, str]]


class Renderer:
    """Makes HTML out of views."""

    def __init__(self, assets: Assets, routes: Sequence[Route]) -> None:
        self._environments = {language: make_environment(language, assets) for language in LANGUAGES}
        placed = [(route.menu.order, route.path, route.menu, route) for route in routes if route.menu]
        self._lists = {route.operation: route for route in routes if route.table is not None}
        self._menu = [(menu, route) for _, _, menu, route in sorted(placed, key=lambda place: place[:2])]

    async def counts(self, call: Call) -> dict[str, int]:
        """How many things wait behind each entry of the menu, by path."""
        return {
            route.path: await menu.count(call)
            for menu, route in self._menu
            if menu.count is not None and call.visitor is not None and call.visitor.may(route.scopes)
        }

    def page(self, call: Call, view: View, values: Mapping[str, object], counts: Mapping[str, int]) -> str:
        """The whole page of a view, with what waits behind the entries of its menu."""
        frame = {
            "title": call.route.title,
            "menu": self._menu_of(call.visitor, counts),
            "curl": curl(call, view.api_query),
            "downloads": self._downloads(call),
            **self._frame(call.request, call.visitor, call.language),
        }
        return self._template(call.language, view.template).render({**frame, **view.values, **values})

    def error(self, request: web.Request, visitor: Actor | None, language: str, problem: object) -> str:
        """The page of a problem where there is no other page to show it on; for htmx the part that tells it."""
        frame = {"title": "", "menu": self._menu_of(visitor), "curl": "", "downloads": [], "problem": problem}
        template = "parts/problem.html" if "HX-Request" in request.headers else "error.html"
        return self._template(language, template).render(**frame, **self._frame(request, visitor, language))

    def part(self, call: Call, template: str, **values: object) -> str:
        """A part of a page by itself, for the event stream and for htmx."""
        frame = self._frame(call.request, call.visitor, call.language)
        return self._template(call.language, template).render({**frame, **values})

    def _frame(self, request: web.Request, visitor: Actor | None, language: str) -> dict[str, object]:
        return {
            "actor": visitor,
            "language": language,
            "languages": LANGUAGES,
            "path": request.path,
            "path_qs": request.path_qs,
            "Scope": Scope,
        }

    def _menu_of(self, visitor: Actor | None, counts: Mapping[str, int] = NO_COUNTS) -> list[MenuItem]:
        return [
            MenuItem(route.path, route.title, menu.icon, counts.get(route.path, 0))
            for menu, route in self._menu
            if visitor is not None and visitor.may(route.scopes)
        ]

    def _downloads(self, call: Call) -> list[Download]:
        """The lists that a page shows, as files, as far as the reader may have them."""
        routes = [self._lists[name] for name in (call.route.api, *call.route.lists) if name in self._lists]
        filters = [(name, value) for name, value in call.request.query.items() if value and name not in PAGING]
        return [
            Download(route.table.title[0 if call.language == "ru" else 1], _addresses(call, route, filters))
            for route in routes
            if route.table is not None and call.visitor is not None and call.visitor.may(route.scopes)
        ]

    def _template(self, language: str, name: str) -> jinja2.Template:
        return self._environments[language].get_template(name)


def _addresses(call: Call, route: Route, filters: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    path = route.address({name: quote(value) for name, value in call.request.match_info.items()})
    return [(form.upper(), f"{path}?{urlencode([*filters, ('format', form)])}") for form in TYPES]


RENDERER = web.AppKey("renderer", Renderer)


def curl(call: Call, query: str) -> str:
    """The command that asks the API for what this page shows; empty where the page has no operation."""
    if not call.route.api:
        return ""
    method, _, path = call.route.api.partition(" ")
    for name, value in call.request.match_info.items():
        path = path.replace(f"{{{name}}}", value)
    asked = query or urlencode([(k, v) for k, v in call.request.query.items() if v])
    address = f"{call.request.scheme}://{call.request.host}{API}{path}{'?' + asked if asked else ''}"
    verb = "" if method == "GET" else f"-X {method} "
    return f"curl {verb}-H \"Authorization: Bearer $TOKEN\" -H 'Accept-Language: {call.language}' {_quoted(address)}"


def moment(micros: int) -> Markup:
    """A time as an element that the browser shows in its own zone; without script it reads as UTC."""
    when = datetime.fromtimestamp(micros / 1e6, UTC)
    shown = when.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(timespec="milliseconds"), shown)


def when(micros: int, language: str) -> Markup:
    """When a fact happened: the day alone where nothing more exact was told."""
    if micros % DAY_US == 0:
        return day(datetime.fromtimestamp(micros / 1e6, UTC).date().isoformat(), language)
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


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def make_environment(language: str, assets: Assets) -> jinja2.Environment:
    """What templates are rendered with in a language."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    environment.globals["static"] = assets.url
    environment.tests["missing"] = lambda value: isinstance(value, Missing)
    environment.filters |= {
        "moment": moment,
        "when": lambda micros: when(micros, language),
        "short_id": short_id,
        "device_id": lambda subject: format_device_id(SubjectId(bytes.fromhex(subject))),
        "happened": lambda what: journal_words(what, language),
        "detail_name": lambda name: detail_name(name, language),
        "detail_value": _detail_value,
        "who": lambda label: actor_words(label, language),
        "state": lambda code: words(STATES, code, language),
        "kind": lambda code: words(KINDS, code, language),
        "standing": lambda code: words(STANDINGS, code, language),
        "field": lambda code: words(FIELDS, code, language),
        "radio_state": lambda code: words(RADIO_STATES, code, language),
        "frame_state": lambda code: words(FRAME_STATES, code, language),
        "refusal": lambda code: words(REFUSALS, code, language),
        "compared": lambda code: words(COMPARED, code, language),
        "step_detail": lambda detail: step_words(detail, language),
        "reading_status": lambda code: words(READING_STATUSES, code, language),
        "quantity": lambda code: words(QUANTITIES, code, language),
        "unit": lambda code: unit_words(code, language),
        "name_in": lambda reference, catalog: named(reference, catalog, language),
        "event_kinds": lambda events: event_kinds(events, language),
        "fact_name": lambda what: fact_words(what, language),
        "conflict": lambda code: words(CONFLICTS, code, language),
        "recalls": recalls_of,
        "slip": lambda code: words(SLIPS, code, language),
        "sign": lambda code: words(SIGNS, code, language),
        "no_line": lambda code: words(NO_LINE, code, language),
        "says": lambda code: words(SAYS, code, language),
        "identity_right": lambda code: words(RIGHTS, code, language),
        "compared_fact": lambda row: (
            words(COMPARED_FACTS, row.name, language)
            if row.name in COMPARED_FACTS
            else fact_words(f"parameters.{row.name}" if row.section == "parameters" else row.name, language)
        ),
        "section_class": lambda code: words(CLASSES, code, language),
        "section_name": lambda code: words(SECTIONS, code, language),
        "parameter_value": lambda value, code: parameter_words(code, value, language),
        "system": lambda code: words(SYSTEMS, code, language),
        "process_step": lambda code: words(STEPS, code, language),
        "process_kind": lambda code: words(PROCESSES, code, language),
        "catalog_name": lambda code: words(CATALOGS, code, language),
        "release_state": lambda code: words(RELEASE_STATES, code, language),
        "approval_state": lambda code: words(APPROVAL_STATES, code, language),
        "record_field": lambda code: words(RECORD_FIELDS, code, language),
        "parameter_name": lambda code: find_name(Catalog.PARAMETERS, code, language) or code,
        "job_kind": lambda code: words(JOB_KINDS, code, language),
        "undo_ground": lambda code: words(UNDO_GROUNDS, code, language),
        "job_state": lambda code: words(JOB_STATES, code, language),
        "shipment_state": lambda code: words(SHIPMENT_STATES, code, language),
        "organisation_kind": lambda code: words(ORGANISATION_KINDS, code, language),
        "attested": lambda code: words(ATTESTED, code, language),
        "trouble": lambda text: trouble_words(text, language),
        "label": lambda label: label_words(label, language),
        "told": lambda value: value_words(value, language),
        "in_language": lambda texts: text_words(texts, language),
        "role_name": lambda code: words(ROLES, code, language),
        "day": lambda text: day(text, language),
    }
    return environment
