"""Invented resources to train on. Nothing in them comes from a person, and what would is known by its place.

A template is a FHIR resource in which every value that belongs to somebody or to one moment (ids, times, numbers,
names, free text) is a marker such as "§id". `fill` writes chance values into the markers; `blank` writes the same
neutral word into all markers of a kind: what is left are the words of the format, all that a dictionary may hold.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

Template = Mapping[str, object]

_MARKER: Final = re.compile(r'"§number:(?P<low>\d+)-(?P<high>\d+)(?:\.(?P<places>\d))?"|§(?P<kind>[a-z]+)')
"""`"§number:40-180.1"` becomes a bare number from 40 to 180 with one decimal place; other values stay inside quotes."""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = "0123456789"
_HEX: Final = "0123456789abcdef"
_NEUTRAL: Final = {
    "instant": "2026-01-01T00:00:00.000Z",
    "microsecond": "2026-01-01T00:00:00.000000Z",
    "local": "2026-01-01T00:00:00+01:00",
    "date": "2026-01-01",
    "count": "1",
    "phone": "+33",
}


def fill(template: Template, random: Random) -> bytes:
    """One sample: the template as compact JSON with a chance value in the place of each marker."""
    return _MARKER.sub(lambda marker: _value(marker, random), _text(template)).encode()


def blank(template: Template) -> bytes:
    """The template with the neutral words only; a number becomes 0, an id or a name nothing at all."""
    return _MARKER.sub(lambda marker: _NEUTRAL.get(marker["kind"], "") if marker["kind"] else "0", _text(template)).encode()


def _text(template: Template) -> str:
    return json.dumps(template, ensure_ascii=False, separators=(",", ":"))


def _value(marker: re.Match[str], random: Random) -> str:
    if marker["kind"]:
        return _KINDS[marker["kind"]](random)
    places = int(marker["places"] or 0)
    return f"{random.randint(int(marker['low']) * 10**places, int(marker['high']) * 10**places) / 10**places:.{places}f}"


def _some(random: Random, alphabet: str, length: int) -> str:
    return "".join(random.choices(alphabet, k=length))


def _name(random: Random) -> str:
    return _some(random, _LETTERS, 1).upper() + _some(random, _LETTERS.lower(), random.randint(3, 10))


def _words(random: Random) -> str:
    return " ".join(_some(random, _LETTERS.lower(), random.randint(2, 9)) for _ in range(random.randint(3, 8)))


def _day(random: Random, year: int, years: int) -> str:
    return f"{year + random.randrange(years)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"


def _clock(random: Random) -> str:
    return f"T{random.randrange(24):02}:{random.randrange(60):02}:{random.randrange(60):02}"


def _uuid(random: Random) -> str:
    return "-".join(_some(random, _HEX, length) for length in (8, 4, 4, 4, 12))


_KINDS: Final[Mapping[str, Callable[[Random], str]]] = {
    "id": lambda random: _some(random, _LETTERS + _DIGITS, 22),
    "uuid": _uuid,
    "serial": lambda random: _some(random, _HEX.upper(), 16),
    "digits": lambda random: _some(random, _DIGITS, 13),
    "count": lambda random: str(random.randint(1, 3)),
    "release": lambda random: f"{random.randint(1, 9)}.{random.randint(0, 20)}.{random.randint(0, 9)}",
    "name": _name,
    "words": _words,
    "street": lambda random: f"{random.randint(1, 199)} {_name(random).lower()} {_name(random)}",
    "phone": lambda random: "+33" + _some(random, _DIGITS, 9),
    "born": lambda random: _day(random, 1925, 90),
    "date": lambda random: _day(random, 2024, 6),
    "local": lambda random: _day(random, 2024, 6) + _clock(random) + random.choice(("Z", "+01:00", "+02:00")),
    "instant": lambda random: f"{_day(random, 2024, 6)}{_clock(random)}.{random.randrange(1000):03}Z",
    "microsecond": lambda random: f"{_day(random, 2024, 6)}{_clock(random)}.{random.randrange(1_000_000):06}Z",
    "query": lambda random: b64encode(_words(random).encode()).decode(),
}
