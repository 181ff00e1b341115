"""Log events: a name and keys, one JSON object a line, never a value of a resource (STYLE rule 9)."""

import logging
import sys

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(level: str) -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format='{"logger": "%(name)s", "level": "%(levelname)s"}', force=True)
    # Libraries may put what they were given into their messages: only their name and level are kept (format above).
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
