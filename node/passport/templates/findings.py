"""What a check of a document found: values to be shown to a person in any language, and the verdict over them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Layer(StrEnum):
    """Which part of the template a finding is of."""

    SCHEMA = "schema"
    RULE = "rule"


class Severity(StrEnum):
    """What a finding does to the verdict: refuses, leaves it open, or nothing."""

    ERROR = "error"
    UNCHECKED = "unchecked"
    NOTICE = "notice"


class State(StrEnum):
    """A verdict in one word."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_FULLY_CHECKED = "not-fully-checked"


Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `rule` is the schema keyword or the rule's type; `code` selects the text, with `parameters`.

    `value` is the JSON text at the pointer, empty where nothing stands; a personal one must not reach a log.
    """

    layer: Layer
    severity: Severity
    pointer: str
    rule: str
    code: str
    parameters: Parameters = ()
    value: str = ""
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a document may be signed, with every reason; `truncated` if there were more findings than are kept."""

    findings: tuple[Finding, ...] = ()
    truncated: bool = False

    @property
    def state(self) -> State:
        """Invalid if anything refuses; not fully checked if anything could not be checked; else valid."""
        severities = {finding.severity for finding in self.findings}
        if Severity.ERROR in severities:
            return State.INVALID
        return State.NOT_FULLY_CHECKED if Severity.UNCHECKED in severities or self.truncated else State.VALID

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What refuses the document."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def layer(self) -> Layer | None:
        """The layer that refuses the document, or None; rules run only on what the schema lets through."""
        return next((finding.layer for finding in self.errors), None)


def parameters(**values: object) -> Parameters:
    """Parameters of a finding as text, in the order given."""
    return tuple((name, str(value)) for name, value in values.items())


def verdict_of(findings: Iterable[Finding], limit: int) -> Verdict:
    """The verdict over findings, of which at most `limit` are kept."""
    kept: list[Finding] = []
    for finding in findings:
        if len(kept) == limit:
            return Verdict(tuple(kept), truncated=True)
        kept.append(finding)
    return Verdict(tuple(kept))
