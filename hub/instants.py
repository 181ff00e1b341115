"""Times at the rim: microseconds since 1970 UTC inside, FHIR instants and HTTP dates outside."""

import time
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

SECONDS_KEPT_MAX = 256
"""What runs at the same time speaks of the same seconds: writing each of them once is enough."""


def now_us() -> int:
    """The one clock of the hub, to the millisecond: what is stored is what can be written in a FHIR instant."""
    return time.time_ns() // 1_000_000 * 1_000


@lru_cache(SECONDS_KEPT_MAX)
def fhir_instant(us: int) -> str:
    """https://hl7.org/fhir/R4/datatypes.html#instant, in UTC with milliseconds."""
    return f"{_second(us // 1_000_000)}.{us % 1_000_000 // 1_000:03d}Z"


@lru_cache(SECONDS_KEPT_MAX)
def _second(s: int) -> str:
    return f"{datetime.fromtimestamp(s, UTC):%Y-%m-%dT%H:%M:%S}"


def http_date(us: int) -> str:
    """RFC 9110 section 5.6.7."""
    return _http_second(us // 1_000_000)


@lru_cache(SECONDS_KEPT_MAX)
def _http_second(s: int) -> str:
    return formatdate(s, usegmt=True)


def from_http_date(text: str) -> int | None:
    """Seconds since 1970 of a date of RFC 9110 section 5.6.7, or None for what is none."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC)) // 1_000_000


def from_person(text: str) -> int:
    """A date or time as a person types it (`2010-01-01`, with or without time and offset); UTC without a zone.

    Raises ValueError with a text for people.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("write times as 2026-01-31 or 2026-01-31T10:00:00+01:00") from error
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def from_datetime(aware: datetime) -> int:
    """Exact, where a detour by way of floats would not be."""
    return (aware - _EPOCH) // _MICROSECOND


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = datetime.resolution
