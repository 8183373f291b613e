"""Vectors of logs that are judged with their organisation's chain."""

from collections.abc import Sequence
from dataclasses import replace

from federation.cut import Cut
from federation.log import LogStatement, log_hash, sign_log_statement
from tests.builders import Line, box_key, found, id16, log_statement, row, signing_key
from tests.vectors.protocol.case import Case, Json, VectorFile, flip, pack


def files() -> list[VectorFile]:
    """The file of this module."""
    cases = [*_state_cases(), *_unknown_chain_cases(), *_voided_twice_cases(), *_shared_key_cases(), *_order_cases()]
    return [VectorFile("log-admission", cases)]


def _state_cases() -> list[Case]:
    trunk = found().node("node")
    ended = trunk.end("node", Cut((row("log", 3),)))
    voided, forked = found().rotate("root-1", "root-2"), trunk.back_to(0).node("other")
    log = log_statement(org=trunk.org)
    table: list[tuple[str, list[Line], str, str, str | None]] = [
        ("node stated", [trunk], "accept", "the node's key signed it", "live"),
        ("node ended", [ended], "accept", "the cut says what counts", "ended"),
        ("node voided", [trunk, voided], "accept", "shown as disowned: nothing of it counts", "disowned"),
        ("node not stated yet", [found()], "pending", "its statement may still come", None),
        ("node in a forked area", [trunk, forked], "pending", "nothing from n = 1 counts until the fork ends", None),
        ("node with another key", [found().node("node", signing_key("x"))], "refuse", "not the node's key", None),
        ("another organisation", [found("x", "y").node("node")], "refuse", "the log is of another organisation", None),
    ]
    return [
        Case(
            name,
            {"statements": _envelopes(lines), "log_statement": log.envelope().hex()},
            expect,
            why,
            {"node_state": state} if state else None,
        )
        for name, lines, expect, why, state in table
    ]


def _unknown_chain_cases() -> list[Case]:
    trunk = found().node("node")
    broken = replace(trunk.statements[0], signature=flip(trunk.statements[0].signature))
    table: list[tuple[str, list[str], str]] = [
        ("no chain", [], "its organisation may still come"),
        ("chain without its genesis", _envelopes([trunk])[1:], "its genesis may still come"),
        ("genesis with a broken signature", [broken.envelope().hex(), *_envelopes([trunk])[1:]], "a good one may come"),
        ("two geneses", _envelopes([trunk, found("x", "y")]), "a set that is refused is no chain"),
        ("statement that cannot be read", [b"nonsense".hex()], "a set that is refused is no chain"),
    ]
    log = log_statement(org=trunk.org).envelope().hex()
    return [
        Case(name, {"statements": statements, "log_statement": log}, "pending", why) for name, statements, why in table
    ]


def _voided_twice_cases() -> list[Case]:
    """One node id that a rotate voids twice: the log is judged by the key of the smaller (n, root hash)."""
    trunk = found()
    early, late = trunk.node("node"), trunk.node("other").node("node")
    log = log_statement(org=trunk.org)
    rivals = [trunk.node("node", signing_key(f"rival-{i}")) for i in range(64)]
    before = next(line for line in rivals if line.last.hash < early.last.hash)
    behind = next(line for line in rivals if line.last.hash > early.last.hash)
    beside = trunk.node("other").node("node", signing_key("x"))
    earlier = trunk.node("node", signing_key("x"))
    table: list[tuple[str, list[Line], str, str]] = [
        ("node voided at 1 and 2, the log of the first", [early, beside], "accept", "n = 1 is the smaller"),
        ("node voided at 1 and 2, the log of the second", [earlier, late], "refuse", "not the key of n = 1"),
        ("node voided twice at 1, the log of the first", [early, behind], "accept", "its root hash is the smaller"),
        ("node voided twice at 1, the log of the second", [early, before], "refuse", "not the key of the smaller hash"),
    ]
    return [
        Case(
            name,
            {
                "statements": _envelopes([*lines, trunk.rotate("root-1", "root-2")]),
                "log_statement": log.envelope().hex(),
            },
            expect,
            why,
            {"node_state": "disowned"} if expect == "accept" else None,
        )
        for name, lines, expect, why in table
    ]


def _shared_key_cases() -> list[Case]:
    trunk = found().node("node").node("other")
    log = log_statement(org=trunk.org)

    def second(witness: str, box: str) -> LogStatement:
        return sign_log_statement(
            signing_key("other"),
            org=trunk.org,
            node=id16("other"),
            nonce=id16("second"),
            witness_key=signing_key("witness/" + witness).public,
            box_key=box_key(box).public,
        )

    free, unstated = second("other", "other"), found().node("node")
    same, ended = second("node", "node"), trunk.end("node")
    later = log_statement(org=trunk.org, nonce="later")
    # The rotate voids the node of the log that comes.
    astray = [found().node("other"), found().rotate("root-1", "root-2").node("node")]
    # The rotate voids the node of the log that stands.
    voided = [found().node("node"), found().rotate("root-1", "root-2").node("other")]
    table: list[tuple[str, list[Line], LogStatement, str, str]] = [
        ("keys of its own", [trunk], free, "accept", "the log there states other keys"),
        ("the same log again", [trunk], log, "accept", "no other log states its keys"),
        ("keys of an earlier log of the node", [trunk], later, "refuse", "a new log has fresh keys"),
        (
            "node voided, keys of a live node's log",
            astray,
            same,
            "refuse",
            "it is admitted like any other, so not either",
        ),
        ("witness key of another log", [trunk], second("node", "other"), "refuse", "a key stands in one place"),
        ("box key of another log", [trunk], second("other", "node"), "refuse", "a key stands in one place"),
        ("keys of a log whose node ended", [ended], same, "refuse", "what it said before still counts"),
        ("keys of a log whose node is voided", voided, same, "accept", "a thief keeps no log out"),
        (
            "keys of a log whose node is not stated",
            [found().node("other")],
            same,
            "accept",
            "the node of that log is unknown",
        ),
        ("keys of another log, node not stated yet", [unstated], same, "pending", "the chain is first"),
    ]
    elsewhere = log_statement(org=found("x", "y").org)
    return [
        *(_beside(log, name, lines, said, expect, why) for name, lines, said, expect, why in table),
        _beside(
            elsewhere, "keys of a log of another organisation", [trunk], log, "accept", "its keys are its own affair"
        ),
    ]


def _beside(
    admitted: LogStatement, name: str, lines: Sequence[Line], said: LogStatement, expect: str, why: str
) -> Case:
    """A log that comes where another one stands."""
    given: dict[str, Json] = {
        "statements": _envelopes(lines),
        "log_statement": said.envelope().hex(),
        "logs": [admitted.envelope().hex()],
    }
    return Case(name, given, expect, why, {"node_state": "live"} if expect == "accept" else None)


def _order_cases() -> list[Case]:
    """Form is judged before the chain, the chain before the signature."""
    trunk = found().node("node")
    log = log_statement(org=trunk.org)
    broken = replace(log, signature=flip(log.signature))
    own = sign_log_statement(
        signing_key("node"),
        org=trunk.org,
        node=id16("node"),
        nonce=id16("nonce"),
        witness_key=signing_key("witness/node").public,
        box_key=box_key("node").public,
    )
    fields: list[object] = [1, own.org, own.node, own.sign_key_id, own.nonce, None, 0]
    raw = pack([*fields, signing_key("node").public, own.box_key])
    odd = pack([raw, signing_key("node").sign_hash("log", log_hash(raw))])
    short = pack([log.raw, log.signature[1:]])
    cut = pack([pack([*fields[:3], own.sign_key_id[1:], *fields[4:], own.witness_key, own.box_key]), own.signature])
    table: list[tuple[str, list[str], bytes, str, str]] = [
        ("signature altered", _envelopes([trunk]), broken.envelope(), "refuse", "does not hold"),
        ("signature altered, chain unknown", [], broken.envelope(), "pending", "the chain is first"),
        (
            "signature altered, node not stated yet",
            _envelopes([found()]),
            broken.envelope(),
            "pending",
            "so is the node",
        ),
        ("sign key as witness key", _envelopes([trunk]), odd, "refuse", "a key stands in one place"),
        ("sign key as witness key, chain unknown", [], odd, "refuse", "the form is before the chain"),
        ("signature of 64 bytes, chain unknown", [], short, "refuse", "the form is before the chain"),
        ("sign key id of 15 bytes, chain unknown", [], cut, "refuse", "the form is before the chain"),
        ("nonsense, chain unknown", [], b"nonsense", "refuse", "the form is before the chain"),
    ]
    return [
        Case(name, {"statements": statements, "log_statement": said.hex()}, expect, why)
        for name, statements, said, expect, why in table
    ]


def _envelopes(lines: Sequence[Line]) -> list[str]:
    found_once = {statement.envelope(): None for line in lines for statement in line.statements}
    return [envelope.hex() for envelope in found_once]
