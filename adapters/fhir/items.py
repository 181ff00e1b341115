"""A payload in one shape -> items: one for each Observation or more, and one for each resource that is nobody's measurement."""

from collections.abc import Iterable, Iterator

from adapters import json_payload
from adapters.device_facts import DeviceFacts
from adapters.fhir import devices, keep
from adapters.fhir.bundle import Bundle, bundles
from adapters.fhir.observation import Reader, Shape
from adapters.json_fields import word
from adapters.reading import Item
from adapters.refusal import ItemRefused

SUPPORTING = frozenset(
    {"Device", "DeviceMetric", "DeviceDefinition", "Patient", "Practitioner", "Organization", "OperationOutcome", "Location"}
)
"""Resources that say something beside the measurements: devices are read as facts, persons not at all."""
POSTED = frozenset({"POST", "PUT"})


def parse(payload: bytes, shape: Shape) -> Iterable[Item]:
    """Read a resource, a Bundle, or a list of them. Raises Unreadable before the first item."""
    return _items(bundles(json_payload.load_exact(payload)), shape)


def parse_facts(payload: bytes, identify: devices.Identify) -> Iterable[DeviceFacts]:
    """What the payload says of devices. Raises Unreadable before the first."""
    return _facts(bundles(json_payload.load_exact(payload)), identify)


def _facts(found: Iterable[Bundle], identify: devices.Identify) -> Iterator[DeviceFacts]:
    for bundle in found:
        yield from devices.facts(bundle, identify)


def _items(found: Iterable[Bundle], shape: Shape) -> Iterator[Item]:
    for bundle in found:
        yield from items(bundle, shape)


def items(bundle: Bundle, shape: Shape) -> Iterator[Item]:
    """Those of one Bundle."""
    for entry in bundle.entries:
        method = word(dict(entry.request), "method") if "method" in entry.request else "POST"
        if entry.type in SUPPORTING:
            continue
        refused: ItemRefused | None = None
        if entry.type != "Observation":
            refused = ItemRefused(
                "resource-not-supported", "Only Observation and Device are read here; store others through FHIR.", keep=False
            )
        elif method not in POSTED:
            refused = ItemRefused("method-not-supported", "Measurements are posted; nothing is read, changed or deleted here.", keep=False)
        if refused is None:
            yield from Reader(bundle, entry, shape).items()
        else:
            yield refused.item(pointer=entry.pointer or "/resourceType", raw=keep.bare(entry))
