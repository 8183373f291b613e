"""Pages: templates in the reader's language inside the console's frame."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import jinja2
from aiohttp import web

from node.passport.templates.pointer import Missing
from node.services.access import Actor, Scope
from node.web.assets import Assets
from node.web.calls import Call, View
from node.web.downloads import TYPES
from node.web.filters import make_filters
from node.web.languages import LANGUAGES, translations
from node.web.routes import API, Group, Route

TEMPLATES = Path(__file__).parent / "templates"
LOCAL_PATH = re.compile(r"/(?![/\\])[^\\]*$")  # what no browser reads as another host
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
class MenuGroup:
    """Links of the navigation that stand together, under a title or under none."""

    title: str
    links: list[MenuItem]


@dataclass(frozen=True, slots=True)
class Download:
    """A list that can be had as a file: what it is called, and (kind, address) of each file."""

    title: str
    files: list[tuple[str, str]]


class Renderer:
    """Makes HTML out of views."""

    def __init__(self, assets: Assets, routes: Sequence[Route]) -> None:
        self._environment = cache(partial(make_environment, assets=assets))
        self._lists = {route.operation: route for route in routes if route.table is not None}
        self._taken = {route.operation: frozenset(route.parameters) for route in routes if not route.is_page}
        self._menu = sorted(((route.menu, route) for route in routes if route.menu), key=lambda one: one[0].order)

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
            "curl": curl(call, view.api_query or urlencode(self._asked(call, call.route.api))),
            "downloads": self._downloads(call),
            **self._frame(call.request, call.visitor, call.language),
        }
        return self._template(call.language, view.template).render({**frame, **view.values, **values})

    def error(self, request: web.Request, visitor: Actor | None, language: str, problem: object) -> str:
        """The page of a problem where there is no other page to show it on; for htmx the part that tells it."""
        frame = {"title": "", "menu": self._menu_of(visitor), "curl": "", "downloads": [], "problem": problem}
        frame["back"] = came_from(request)
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

    def _menu_of(self, visitor: Actor | None, counts: Mapping[str, int] = NO_COUNTS) -> list[MenuGroup]:
        parts: dict[Group, list[MenuItem]] = {group: [] for group in Group}
        for menu, route in self._menu:
            if visitor is not None and visitor.may(route.scopes):
                parts[menu.group].append(MenuItem(route.path, route.title, menu.icon, counts.get(route.path, 0)))
        return [MenuGroup(group.value, items) for group, items in parts.items() if items]

    def _downloads(self, call: Call) -> list[Download]:
        """The lists that a page shows, as files, as far as the reader may have them."""
        routes = [self._lists[name] for name in (call.route.api, *call.route.lists) if name in self._lists]
        return [
            Download(
                route.table.title[0 if call.language == "ru" else 1],
                _addresses(call, route, [one for one in self._asked(call, route.operation) if one[0] not in PAGING]),
            )
            for route in routes
            if route.table is not None and call.visitor is not None and call.visitor.may(route.scopes)
        ]

    def _asked(self, call: Call, operation: str) -> list[tuple[str, str]]:
        """What the address of a page asks of an operation: a page has parameters of its own beside."""
        taken = self._taken.get(operation, frozenset())
        return [(name, value) for name, value in call.request.query.items() if value and name in taken]

    def _template(self, language: str, name: str) -> jinja2.Template:
        return self._environment(language).get_template(name)


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
    address = f"{call.request.scheme}://{call.request.host}{API}{path}{'?' + query if query else ''}"
    verb = "" if method == "GET" else f"-X {method} "
    return f"curl {verb}-H \"Authorization: Bearer $TOKEN\" -H 'Accept-Language: {call.language}' {_quoted(address)}"


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
    environment.filters |= make_filters(language)
    return environment


def came_from(request: web.Request) -> str:
    """The page of this node on which a link or a form was that led here, empty where it is not known or this one."""
    try:
        came = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""
    is_here = came.netloc == request.host and LOCAL_PATH.match(came.path) is not None
    return came._replace(scheme="", netloc="").geturl() if is_here and came.path != request.path else ""
