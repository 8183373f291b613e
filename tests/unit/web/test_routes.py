"""What is declared about routes holds together."""

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from node.services.access import Scope
from node.web.openapi import describe
from node.web.routes import API, Route, api, page
from node.web.server import ROUTES

# Pages that open or close a browser's session, or only show a form; a program has a token instead. Before there is
# one, a backup is restored with `passport-node restore`.
WITHOUT_OPERATION = {
    "/login",
    "/claim",
    "/claim/{secret}",
    "/claim/{secret}/restore",
    "/events",
    "/metrics",
    "/healthz",
}
OPERATIONS = {f"{route.method} {route.path.removeprefix(API)}" for route in ROUTES if not route.is_page}


def document() -> dict[str, Any]:
    """As it is served."""
    made: dict[str, Any] = json.loads(json.dumps(describe(ROUTES, "Node", "1")))
    return made


def test_document_is_valid_openapi() -> None:
    """The document follows OpenAPI 3.1."""
    validate(document(), cls=OpenAPIV31SpecValidator)


def test_document_names_every_operation_once() -> None:
    """Each resource of the API is in the document, with an operationId of its own."""
    operations = [item for path in document()["paths"].values() for item in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) == sum(not route.is_page for route in ROUTES)


def test_every_answer_is_described() -> None:
    """Each operation says what each of its statuses means, and of which types what is answered with them is."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            for status, answer in operation["responses"].items():
                assert answer["description"], (method, path, status)
                assert status == "204" or answer["content"], (method, path, status)


def test_every_page_action_exists_in_the_api() -> None:
    """Each page and each act of a page names an operation that the API has."""
    for route in ROUTES:
        if route.is_page and not route.path.startswith(API) and route.path not in WITHOUT_OPERATION:
            assert route.api in OPERATIONS, f"{route.method} {route.path} names {route.api!r}"


@pytest.mark.parametrize("route", [route for route in ROUTES if route.is_open], ids=lambda route: route.path)
def test_open_routes_are_few(route: Route) -> None:
    """Without log-in one can come in, switch the language, scan a label, read of the API, and take the verifier."""
    assert route.path.split("/")[1] in {"claim", "login", "language", "healthz", "api", "d"}
    if route.path.startswith(API):
        assert route.path in {f"{API}/claim", f"{API}/openapi.json", f"{API}/docs", f"{API}/verifier"}


def test_every_route_that_writes_needs_a_scope_beyond_reading() -> None:
    """A write is open only to come in, of one's own account, or under a scope that a reader lacks."""
    # What of labels and drivers is a POST only asks a long question.
    own = {
        "/drivers",
        f"{API}/drivers/{{driver}}/decodings",
        "/labels",
        "/labels/file",
        f"{API}/labels",
        "/logout",
        "/account/password",
        f"{API}/me",
        f"{API}/sessions/{{account}}/{{session}}",
    }
    for route in ROUTES:
        if route.is_write and not route.is_open and route.path not in own:
            assert route.scopes - {Scope.READ}, route.path


def test_route_with_a_part_that_is_no_model_is_refused() -> None:
    """A handler's parts are models, found out when the module is read."""

    async def wrong(call: object, query: int) -> None:
        """Nothing."""

    with pytest.raises(TypeError, match="query is neither a model nor bytes"):
        api("GET", "/x", title="X")(wrong)


def test_route_name_is_module_and_function() -> None:
    """The stable name of an operation is where its handler stands."""

    async def shown(call: object) -> None:
        """Nothing."""

    assert page("GET", "/x", title="X")(shown).name == "test_routes_shown"
