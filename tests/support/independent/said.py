"""What a document says of one measurement, in a form that two readers can be compared by.

Nothing of this package is imported from the rooms of the hub, so that a reader here cannot agree with an adapter by construction.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

LOINC: Final = "http://loinc.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
SNOMED: Final = "http://snomed.info/sct"
OURS: Final = "http://hds-hub.invalid/fhir/CodeSystem"
"""Of what no public terminology names; what its codes mean is said in our CodeSystems."""

STATED: Final = timezone(timedelta(hours=3))
STATED_NAME: Final = "Africa/Nairobi"
"""The zone that the sender states for wall clocks: three hours ahead of UTC, summer and winter, since 1960."""


@dataclass(frozen=True, order=True, kw_only=True)
class Said:
    """One measurement.

    code    system|code of what was measured
    value   as `quantity`, `coded`, `absent` or `strip` write it; empty where there are only parts
    start   instant in UTC, or empty where the document gives no time; end likewise, for what lasts
    parts   (code, value) of each component, sorted
    device  the unit's identifier, empty where the document names none
    which   what else tells it from others: number of the instance, user, place in the device's tree
    site    system|code of the part of the body
    manual  a person typed it in
    """

    code: str
    value: str = ""
    start: str = ""
    end: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    device: str = ""
    which: str = ""
    site: str = ""
    manual: bool = False


def quantity(value: Any, unit: str) -> str:
    return f"{value} {unit}"


def coded(system: str, code: str) -> str:
    return f"={system}|{code}"


def absent(reason: str) -> str:
    return f"?{reason}"


def strip(data: str, *, period: str, origin: str, factor: str, unit: str) -> str:
    """Scaling as numbers, samples as text: 3.0 and 3 scale alike."""
    return f"{float(period):.9g} ms, {float(origin):.9g} + {float(factor):.9g} * x {unit}: {data}"


def loinc(code: str) -> str:
    return f"{LOINC}|{code}"


def mdc(code: str) -> str:
    return f"{MDC}|{code}"


def ours(code: str) -> str:
    """Of the measures that have no public code."""
    return f"{OURS}/measure|{code}"


def at(when: datetime | str | None) -> str:
    """An instant; a wall clock is that of the zone that the sender states."""
    if when is None or when == "":
        return ""
    read = datetime.fromisoformat(when) if isinstance(when, str) else when
    return (read if read.tzinfo else read.replace(tzinfo=STATED)).astimezone(UTC).isoformat(timespec="microseconds")


def epoch(seconds: float | str) -> str:
    return at(datetime.fromtimestamp(float(seconds), UTC))


def digits(payload: bytes) -> Any:
    """JSON with the digits of its numbers as they stand."""
    return json.loads(payload, parse_float=str, parse_int=str)
