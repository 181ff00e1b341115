"""Times at the rim: microseconds since 1970 UTC inside, FHIR instants and HTTP dates outside."""

import time
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime


def now_us() -> int:
    """The one clock of the hub, to the millisecond: what is stored is what can be written in a FHIR instant."""
    return time.time_ns() // 1_000_000 * 1_000


def fhir_instant(us: int) -> str:
    """https://hl7.org/fhir/R4/datatypes.html#instant, in UTC with milliseconds."""
    moment = datetime.fromtimestamp(us // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{us % 1_000_000 // 1_000:03d}Z"


def http_date(us: int) -> str:
    """RFC 9110 section 5.6.7."""
    return formatdate(us // 1_000_000, usegmt=True)


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
