"""One vector of the object root-chain: a set of statements and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from federation.cut import Cut
from federation.statements import RootStatement
from tests.builders import Line, id16, signing_key
from tests.vectors.protocol.case import Case, Json, pack

LIVE = "live"
ENDED = "ended"
DISOWNED = "disowned"


@dataclass(frozen=True, slots=True)
class Chain:
    """A set of statements and what follows from it, written down by hand."""

    name: str
    why: str
    lines: Sequence[Line]
    counted: Line
    nodes: Mapping[str, str]
    fork: int | None = None
    attested: Sequence[RootStatement] = ()
    refused: Sequence[RootStatement] = ()
    cuts: Mapping[str, Sequence[Cut]] | None = None
    unreadable: Sequence[bytes] = ()
    backwards: bool = False

    def to_case(self) -> Case:
        """The vector; statements stand in one order, and any other gives the same."""
        every = [*(s for line in self.lines for s in line.statements), *self.refused]
        envelopes = [*{statement.envelope(): statement for statement in every}, *self.unreadable]
        if self.backwards:
            envelopes.reverse()
        refused = {*(statement.envelope() for statement in self.refused), *self.unreadable}
        given: dict[str, Json] = {
            "statements": [envelope.hex() for envelope in envelopes],
            "attested": [statement.hash.hex() for statement in self.attested],
        }
        gives: dict[str, Json] = {
            "org": self.counted.org.hex(),
            "counted": [statement.hash.hex() for statement in self.counted.statements],
            "fork": self.fork,
            "root_key": self.counted.root.public.hex(),
            "nodes": [self._node(name) for name in sorted(self.nodes, key=id16)],
            "refused": [place for place, envelope in enumerate(envelopes) if envelope in refused],
        }
        return Case(self.name, given, "accept" if self.fork is None else "fork", self.why, gives)

    def _node(self, name: str) -> Json:
        cuts = (self.cuts or {}).get(name, [Cut()] if self.nodes[name] == DISOWNED else [])
        return {
            "node": id16(name).hex(),
            "sign_key": signing_key(name).public.hex(),
            "state": self.nodes[name],
            "cuts": [pack(cut.to_value()).hex() for cut in cuts],
        }
