"""CardX CIED Observations -> readings: one for each component, at the time at which that part of the implant was measured."""

from collections.abc import Iterable, Iterator, Sequence

from adapters.cied.mapping import INSTANCE, SILENT, TIMES, Times
from adapters.device_facts import DeviceFacts
from adapters.fhir import items
from adapters.fhir.observation import Shape, Span, instance_of
from adapters.fhir.terms import said_of
from adapters.fhir.times import zoned
from adapters.json_fields import word
from adapters.json_values import Json
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import DeviceTime, Item
from adapters.refusal import ItemRefused
from fhir_profiles.canonical import MDC
from fhir_profiles.catalogue import MEASURES

NAMES = {
    coding.code: coding.display or ""
    for row in MEASURES.values()
    if row.key.startswith("cied-")
    for coding in (*row.codings, *(coding for unit in row.units.values() for coding in unit.codings))
    if coding.system == MDC
}
"""Number to reference identifier."""


def parse(payload: bytes) -> Iterable[Item]:
    """Read a resource, a Bundle or a list of them. Raises Unreadable before the first item."""
    return items.parse(payload, SHAPE)


def device_facts(payload: bytes) -> Iterable[DeviceFacts]:
    """Raises Unreadable before the first fact."""
    return items.parse_facts(payload, identify)


def identify(fields: Json) -> str | None:
    """`maker/MODEL:…/SERIAL:…`, as IDCO names an implant, so that one pairing serves both. Raises ItemRefused."""
    maker, model, serial = (word(fields, name) for name in ("manufacturer", "modelNumber", "serialNumber"))
    if model is None or serial is None:
        return None
    name = f"MODEL:{model}/SERIAL:{serial}"
    found = name if maker is None else f"{maker}/{name}"
    if len(found) > FIELD_CHARS_MAX:
        raise ItemRefused("device-not-readable", f"Maker, model and serial number have at most {FIELD_CHARS_MAX} characters.", keep=False)
    return found


def moment(component: Json, components: Sequence[Json]) -> Span | None:
    """When that battery, capacitor or lead was measured, if the Observation says it. Raises ItemRefused."""
    row = next((times for said in said_of(component.get("code")) for times in _times(said.code)), None)
    start = None if row is None else _said(row.start, component, components)
    if row is None or start is None:
        return None
    return start, None if row.end is None else _said(row.end, component, components)


def _times(code: str) -> Iterator[Times]:
    return (times for beginning, times in TIMES.items() if NAMES.get(code, "").startswith(beginning))


def _said(code: str, component: Json, components: Sequence[Json]) -> DeviceTime | None:
    """The time in the component of this code that is of the same instance."""
    for one in components:
        if any(said.system == MDC and said.code == code for said in said_of(one.get("code"))) and _same(one, component):
            text = word(one, "valueDateTime")
            return None if text is None else zoned(text)
    return None


def _same(one: Json, other: Json) -> bool:
    return instance_of(one, INSTANCE) in {instance_of(other, INSTANCE), None}


SHAPE = Shape(identify=identify, instance=INSTANCE, silent=SILENT, moment=moment)
