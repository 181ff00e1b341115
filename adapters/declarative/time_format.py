"""Patterns of times, such as `DD/MM/YYYY HH:mm:ss`: they read what is written and no more, alike in every language and on every machine."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Final

from adapters.decimal_text import written_decimal
from adapters.declarative.failure import Path as Place
from adapters.declarative.failure import Unusable
from adapters.limits import YEAR_MAX, YEAR_MIN

EPOCHS: Final = {"epoch-s": 1_000_000, "epoch-ms": 1_000, "epoch-us": 1, "epoch-ns": None}
ISO: Final = "iso"
_TOKENS: Final = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
    "HH": r"(?P<hour>[0-9]{2})",
    "H": r"(?P<hour>[0-9]{1,2})",
    "hh": r"(?P<half>[0-9]{2})",
    "h": r"(?P<half>[0-9]{1,2})",
    "mm": r"(?P<minute>[0-9]{2})",
    "ss": r"(?P<second>[0-9]{2})",
    "S": r"(?P<fraction>[0-9]{1,9})",
    "A": r"(?P<noon>[AaPp])\.?[Mm]\.?",
    "Z": r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})",
}
_TOKEN: Final = re.compile("|".join(sorted(_TOKENS, key=len, reverse=True)) + r"|[^A-Za-z0-9]|T|'[^']*'")
_ISO: Final = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    r"(?:[.,](?P<fraction>[0-9]{1,9}))? ?(?P<zone>[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_COUNT: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,9})?(?:[eE]\+?[0-9]{1,2})?")
_NEEDED: Final = ("year", "month", "day", "minute")
_OFFSET_MAX: Final = timedelta(hours=14)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOON: Final = 12


def pattern(text: str, at: Place) -> re.Pattern[str]:
    """Compile a format. Raises Unusable."""
    if text == ISO:
        return _ISO
    parts: list[str] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise Unusable(at, f"At {text[position:]!r}: a format is `iso`, {', '.join(EPOCHS)}, or made of {' '.join(_TOKENS)}.")
        parts.append(_TOKENS.get(token[0]) or re.escape(token[0].strip("'") if len(token[0]) > 1 else token[0]))
        position = token.end()
    try:
        made = re.compile("".join(parts))
    except re.error:
        raise Unusable(at, "Each part of a time may stand in a format once.") from None
    names = made.groupindex.keys()
    if not set(_NEEDED) <= names or ("hour" in names) == ("half" in names) or ("half" in names) != ("noon" in names):
        raise Unusable(at, "A format needs year (YYYY: two digits do not say the century), month, day, minute, and HH or hh with A.")
    return made


def read(form: re.Pattern[str], text: str) -> datetime | None:
    """Return the date and time, aware if the text says its offset; None if it is none."""
    found = form.fullmatch(text)
    if found is None:
        return None
    parts = found.groupdict()
    hour = _hour(parts)
    offset = _offset(parts.get("zone"))
    if hour is None or offset is False or not YEAR_MIN < int(parts["year"]) < YEAR_MAX:
        return None
    microsecond = int(f"{(parts.get('fraction') or '0')[:6]:0<6}")
    try:
        return datetime(
            int(parts["year"]),
            int(parts["month"]),
            int(parts["day"]),
            hour,
            int(parts["minute"]),
            int(parts.get("second") or 0),
            microsecond,
            tzinfo=offset if isinstance(offset, timezone) else None,
        )
    except ValueError:
        return None


def read_epoch(unit: str, text: str) -> datetime | None:
    """Return the instant of a count since 1970; None if it is none, or not after 1970 began (an unset clock counts from there)."""
    if not _COUNT.fullmatch(text):
        return None
    factor = EPOCHS[unit]
    microseconds = Decimal(text) / 1000 if factor is None else Decimal(text) * factor
    try:
        when = _EPOCH + timedelta(microseconds=int(microseconds))
    except OverflowError:
        return None
    return when if when > _EPOCH and when.year < YEAR_MAX else None


@lru_cache(1024)
def offset_of(text: str, unit: str) -> timezone | None:
    """Return an offset that stands beside a time; None if it is none."""
    if unit == "text":
        found = _offset(text) if re.fullmatch(r"[Zz]|[+-][0-9]{2}:?[0-9]{2}", text) else False
        return found if isinstance(found, timezone) else None
    number = written_decimal(text)
    if number is None:
        return None
    seconds = Decimal(number) * {"hours": 3600, "minutes": 60, "seconds": 1}[unit]
    return _zone(timedelta(seconds=int(seconds))) if seconds % 60 == 0 and abs(seconds) <= _OFFSET_MAX.total_seconds() else None


def _hour(parts: dict[str, str | None]) -> int | None:
    half, noon = parts.get("half"), parts.get("noon")
    if half is None or noon is None:
        return int(parts["hour"] or 0)
    return int(half) % _NOON + (_NOON if noon in "Pp" else 0) if 1 <= int(half) <= _NOON else None


def _offset(text: str | None) -> timezone | bool | None:
    """Return the offset, None if the text says none, False if it is no offset."""
    if text is None:
        return None
    if text in "Zz":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    if int(text[-2:]) > 59:  # noqa: PLR2004  minutes of an hour
        return False
    return _zone(timedelta(minutes=-minutes if text[0] == "-" else minutes)) or False


def _zone(offset: timedelta) -> timezone | None:
    return timezone(offset) if abs(offset) <= _OFFSET_MAX else None
