"""The peers' side of the exchange: one JSON line in, one JSON line out. Imports nothing that a peer lacks."""

import json
import sys
from collections.abc import Callable
from typing import Any

Verb = Callable[..., dict[str, Any]]


def serve(verbs: dict[str, Verb]) -> None:
    """Answer requests until the input ends; whatever a peer raises is its answer."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = verbs[request.pop("do")](**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
