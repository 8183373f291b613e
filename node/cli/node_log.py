"""Where the events of a running node are written."""

import sys
from pathlib import Path

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from node.redaction import redact_event


def configure_logging(path: Path | None = None) -> None:
    """JSON lines into the node's log file."""
    target = path.open("a", encoding="utf-8") if path else sys.stderr
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Places and messages only: the values of local names may be secrets.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            redact_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
