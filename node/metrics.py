"""Counters of one node, in its own registry."""

from prometheus_client import CollectorRegistry, Counter, generate_latest


class Metrics:
    """Counts what happened, by name and label; text for /metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._known: dict[tuple[str, str], Counter] = {}  # to ask a counter for its label takes longer than to count

    def count(self, name: str, label: str = "", amount: int = 1) -> None:
        """Add to `passport_<name>_total{what=label}`."""
        known = self._known.get((name, label))
        if known is None:
            if name not in self._counters:
                self._counters[name] = Counter(
                    f"passport_{name}", name.replace("_", " "), ["what"], registry=self.registry
                )
            known = self._known[name, label] = self._counters[name].labels(label)
        known.inc(amount)

    def text(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)
