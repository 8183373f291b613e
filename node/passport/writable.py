"""The kinds of statements that a grant lets somebody write, by their names in its rows."""

from collections.abc import Mapping

from federation.authority import Kind

WRITABLE: Mapping[int, str] = {
    Kind.ALIAS: "alias",
    Kind.EVENT: "event",
    Kind.PARAMETER: "parameter",
    Kind.PROTOCOL: "protocol",
    Kind.COMPOSITION: "composition",
}
