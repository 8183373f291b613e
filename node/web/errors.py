"""From errors to answers: RFC 9457 problems with stable codes. The only module that knows HTTP statuses of errors.

Our own faults become an incident number in the answer and a log line; nothing else of them goes out.
"""

import secrets
from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import BackupError, DeniedError, InputError, NodeError, NotFoundError, PeerError, StateError
from node.web.binding import RulesError
from node.web.problems import Words, find_text
from node.web.routes import API
from node.web.rules import BrokenRule

log = structlog.get_logger()

PROBLEM_TYPE = "application/problem+json"
STATUS_BY_CLASS: tuple[tuple[type[NodeError], int], ...] = (
    (NotFoundError, 404),
    (DeniedError, 403),
    (StateError, 409),
    (InputError, 422),
    (BackupError, 422),
    (PeerError, 502),
    (NodeError, 500),
)
STATUS_BY_CODE = {
    "unauthenticated": 401,
    "login_failed": 401,
    "route_unknown": 404,
    "method": 405,
    "precondition": 412,
    "precondition_required": 428,
    "too_large": 413,
    "length_required": 411,
    "media_type": 415,
    "json": 400,
    "request": 400,
    "cursor": 400,
    "idempotency_key": 400,
    "too_many_attempts": 429,
    "too_many_streams": 429,
    "system_rate": 429,
    "public_rate": 429,
    "public_busy": 503,
    "store_away": 503,
    "backup_space": 507,
}
# Every operation may answer these.
COMMON_CODES = (
    "unauthenticated", "scope", "unclaimed", "request", "internal", "system_blocked", "system_network", "system_rate",
    "store_away",
)  # fmt: skip
READ_CODES = ("validation",)
WRITE_CODES = (
    "csrf", "json", "media_type", "too_large", "idempotency_key", "idempotency_mismatch", "idempotency_running",
)  # fmt: skip
RETRY_S = {
    "too_many_attempts": "60",
    "too_many_streams": "10",
    "system_rate": "60",
    "public_rate": "60",
    "public_busy": "5",
    "idempotency_running": "2",
    "store_away": "5",
}


class Problem(BaseModel):
    """What went wrong, where, and what to do (RFC 9457)."""

    type: str = Field(description="Address of the description of the code.")
    title: str = Field(description="What is wrong, in the language of the request.")
    status: int
    code: str = Field(description="Stable code; programs decide by it.")
    detail: str = Field(description="This occurrence.")
    advice: str = Field(description="What to do.")
    instance: str = Field(description="Path of the request.")
    incident: str | None = Field(default=None, description="Number under which the node's log tells more.")
    errors: list[BrokenRule] | None = Field(default=None, description="Each value that breaks a rule.")


def problem_of(error: Exception, language: str, path: str, operation: str = "") -> Problem:
    """The problem that an error is; an unknown error is logged under a new incident number."""
    known = error if isinstance(error, NodeError) else _http_error(error)
    if known is None or status_of(known) == 500:
        return _incident(error, language, path, operation)
    words = find_text(known.code, type(known).code).words(language)
    told = {name: _in_language(value, language) for name, value in known.values.items()}
    found = _problem(words, known.code, status_of(known), str(known), path, told)
    if isinstance(known, RulesError):
        return found.model_copy(update={"errors": known.rules(language)})
    findings = known.values.get("findings")
    if isinstance(findings, list):
        return found.model_copy(update={"errors": [_finding(item, language) for item in findings]})
    return found


def status_of(error: NodeError) -> int:
    """By its code, else by its class."""
    return STATUS_BY_CODE.get(error.code) or next(code for kind, code in STATUS_BY_CLASS if isinstance(error, kind))


def status_of_code(code: str) -> int:
    """The status that goes with a code, for the document."""
    return status_of(find_text(code).kind("", code))


def problem_headers(problem: Problem, error: Exception) -> dict[str, str]:
    """What HTTP wants said beside a problem."""
    headers: dict[str, str] = {}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.code in RETRY_S:
        headers["Retry-After"] = RETRY_S[problem.code]
    if isinstance(error, web.HTTPException) and "Allow" in error.headers:
        headers["Allow"] = error.headers["Allow"]
    return headers


def problem_response(problem: Problem, headers: Mapping[str, str]) -> web.Response:
    """The problem as JSON."""
    body = problem.model_dump_json(exclude_none=True).encode()
    return web.Response(body=body, status=problem.status, content_type=PROBLEM_TYPE, headers=headers)


def _incident(error: Exception, language: str, path: str, operation: str) -> Problem:
    number = secrets.token_hex(6)
    log.error("incident", incident=number, operation=operation, exc_info=error)
    problem = _problem(find_text("internal").words(language), "internal", 500, "", path, {"incident": number})
    return problem.model_copy(update={"incident": number})


def _problem(words: Words, code: str, status: int, message: str, path: str, values: Mapping[str, object]) -> Problem:
    return Problem(
        type=f"{API}/docs#problem-{code}",
        title=words.title,
        status=status,
        code=code,
        detail=_filled(words.detail, values) or message,
        advice=_filled(words.advice, values) or words.advice,
        instance=path,
    )


def _finding(item: Mapping[str, Any], language: str) -> BrokenRule:  # Any: JSON-like values of a service
    """A finding of a template or a catalog in the reader's language; services bring them as plain values."""
    words = item["ru" if language == "ru" else "en"]
    return BrokenRule(
        place=str(item.get("place", "document")),
        pointer=str(item["pointer"]),
        rule=str(item["rule"]),
        message=words["what"],
        advice=words["advice"],
        value=item.get("value"),
    )


def _in_language(value: object, language: str) -> object:
    """A value that is told by language, as titles of procedures are, in the reader's or in the first that there is."""
    if isinstance(value, Mapping):
        return value.get(language) or next(iter(value.values()), "")
    if isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value):
        return ", ".join(str(_in_language(item, language)) for item in value)
    return value


def _filled(text: str, values: Mapping[str, object]) -> str:
    try:
        return text.format_map(values)
    except KeyError:
        return ""


def _http_error(error: Exception) -> NodeError | None:
    """What aiohttp itself refuses."""
    if not isinstance(error, web.HTTPException) or error.status >= 500:
        return None
    if error.status == 404:
        return NotFoundError("no route has this path", "route_unknown")
    if error.status == 405:
        return InputError(f"the method {getattr(error, 'method', '')} has no route here", "method")
    if error.status == 413:
        return InputError("the body is too large", "too_large")
    return InputError(error.reason, "request")
