"""The table kind x sections x body x class x authority row, as far as the federation reads sections."""

from dataclasses import dataclass

from federation.authority import Kind

BEGIN = "<!-- kinds -->"
END = "<!-- /kinds -->"
HEADINGS = ("kind", "name", "section", "body", "class", "authority")


@dataclass(frozen=True, slots=True)
class Row:
    """One section of one kind that the federation reads."""

    kind: Kind
    section: str
    body: str
    klass: int
    authority: str


ROWS = (
    Row(Kind.SHIPMENT, "authority", "`authority`", 1, "offer, accept"),
    Row(Kind.SHIPMENT, "cut", "cut", 1, "accept"),
    Row(Kind.PARTY, "authority", "`authority`", 1, "role, offer, accept"),
    Row(Kind.PARTY, "cut", "cut", 1, "accept"),
    Row(Kind.CARD, "keys", "`keys`", 0, "the log's node"),
    Row(Kind.ATTESTATION, "attest", "`attest`", 1, "k anchors"),
    Row(Kind.ATTESTATION, "authority", "`authority`", 1, "accredit, member"),
    Row(Kind.GRANT, "authority", "`authority`", 1, "read, write, pass-on"),
    Row(Kind.END, "authority", "`authority`", 1, "end"),
    Row(Kind.END, "cut", "cut", 1, "end"),
    Row(Kind.ERASURE, "erase", "`erase`", 1, "the author or k anchors"),
    Row(Kind.ERASURE, "ground", "JSON (9.12)", 1, "as `erase`"),
    Row(Kind.ERASURE_ACK, "ack", "JSON (9.12)", 1, "who had the section"),
    Row(Kind.WITHDRAWAL, "withdrawal", "JSON (9.8)", 1, "the author of what it refs"),
    Row(Kind.WITNESSES, "witnesses", "`witnesses`", 0, "the log's node"),
)


def table() -> str:
    """The table in Markdown; a kind without a row here is opaque to the federation."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    for kind in Kind:
        rows = [row for row in ROWS if row.kind is kind]
        name = kind.name.lower().replace("_", "-")
        for row in rows:
            lines.append(f"| {int(kind)} | {name} | `{row.section}` | {row.body} | {row.klass} | {row.authority} |")
        if not rows:
            lines.append(f"| {int(kind)} | {name} | opaque | | | |")
    return "\n".join(lines) + "\n"
