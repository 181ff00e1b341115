"""Small pieces of FHIR JSON that every shape takes from what is stored."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from fhir_profiles.canonical import BASE, MEASUREMENT_QUALITY
from fhir_profiles.primitives import ID_PATTERN
from fhir_profiles.profiles import findings
from fhir_profiles.shapes.kept import Json, NoPlace, Resource

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NAMES: Final = uuid5(UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), BASE)
"""RFC 4122, appendix C, name space of URLs: what is exported twice has the same name twice."""
_RELATIVE: Final = re.compile(rf"[A-Z][A-Za-z]{{1,63}}/{ID_PATTERN}(?:/_history/[0-9]+)?")
NO_LONGER_TRUE: Final = frozenset({"entered-in-error", "cancelled"})


class Span(NamedTuple):
    """From when to when, us since 1970; a moment ends where it begins."""

    start_us: int
    end_us: int


def named(*parts: str) -> str:
    """The UUID of what these parts name."""
    return str(uuid5(NAMES, " ".join(parts)))


def codings(concept: Any, system: str) -> list[str]:
    """The codes of one system, in order."""
    found = concept.get("coding", ()) if isinstance(concept, Mapping) else ()
    return [one["code"] for one in found if one.get("system") == system and "code" in one]


def extension(resource: Mapping[str, Any], url: str) -> Mapping[str, Any] | None:
    return next((one for one in resource.get("extension", ()) if one.get("url") == url), None)


def flags(observation: Resource) -> list[str]:
    """Codes of our quality flags."""
    return [one["valueCoding"]["code"] for one in observation.get("extension", ()) if one.get("url") == MEASUREMENT_QUALITY]


def decimal_text(number: Any) -> str:
    """The digits of a JSON number as they were written, if the reader kept them."""
    return str(getattr(number, "text", None) or repr(number))


def decimal_of(number: Any) -> Decimal:
    return Decimal(decimal_text(number))


def moment_us(text: str) -> int:
    """A FHIR dateTime with a time, in us since 1970. Raises NoPlace for a date alone: nobody knows where in the day it lies."""
    if "T" not in text:
        raise NoPlace("it has a date and no time")
    moment = datetime.fromisoformat(text)
    return (moment - EPOCH) // timedelta(microseconds=1)


def instant(us: int) -> str:
    """In UTC, as short as it can be said."""
    moment = EPOCH + timedelta(microseconds=us)
    fraction = f".{us % 1_000_000:06d}".rstrip("0") if us % 1_000_000 else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def span(observation: Resource) -> Span:
    """When it was so: a moment, or a period with both ends. Raises NoPlace."""
    if "effectiveDateTime" in observation:
        at = moment_us(observation["effectiveDateTime"])
        return Span(at, at)
    period = observation.get("effectivePeriod", {})
    if not {"start", "end"} <= set(period):
        raise NoPlace("it does not say when it was measured, from when to when")
    return Span(moment_us(period["start"]), moment_us(period["end"]))


def with_extensions(resource: Json, more: Iterable[Mapping[str, Any]]) -> None:
    found = [*resource.get("extension", ()), *more]
    if found:
        resource["extension"] = found


def absolute(value: Any, base: str) -> Any:
    """The same with relative references made absolute, for a reader who is elsewhere; what does not change is not copied."""
    if isinstance(value, Mapping):
        made = {name: absolute(one, base) for name, one in value.items()}
        reference = made.get("reference")
        if isinstance(reference, str) and _RELATIVE.fullmatch(reference):
            made["reference"] = f"{base}/{reference}"
        return made
    if isinstance(value, list):
        return [absolute(one, base) for one in value]
    return value


def follow(resource: Json, profile: str) -> None:
    """Raises NoPlace, with the place and the rule, unless the resource follows the profile that it claims."""
    for finding in findings(resource, [profile], advice=False):
        if finding.severity == "error":
            raise NoPlace(f"it would not follow the profile: {finding.expression}: {finding.text}")


def only(resource: Resource, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Those of the elements that are there, with what belongs to a primitive (`_name`)."""
    for name in names:
        for written in (name, f"_{name}"):
            if written in resource:
                yield written, resource[written]
