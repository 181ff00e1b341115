"""A payload in one shape -> items: one for each Observation or more, and one for each resource that is nobody's measurement."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.decimal_text import written_decimal
from adapters.device_facts import DeviceFacts
from adapters.fhir import devices, keep
from adapters.fhir.bundle import Bundle, bundles
from adapters.fhir.observation import Reader, Shape
from adapters.json_fields import word
from adapters.json_payload import Number
from adapters.reading import Item
from adapters.refusal import ItemRefused
from fhir_profiles.xml import NotFhirXml, from_xml

SUPPORTING = frozenset(
    {"Device", "DeviceMetric", "DeviceDefinition", "Patient", "Practitioner", "Organization", "OperationOutcome", "Location"}
)
"""Resources that say something beside the measurements: devices are read as facts, persons not at all."""
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""https://hl7.org/fhir/R4/datatypes.html#decimal: as JSON has it, in XML too."""
POSTED = frozenset({"POST", "PUT"})


def parse(payload: bytes, shape: Shape) -> Iterable[Item]:
    """Read a resource, a Bundle, or a list of them. Raises Unreadable before the first item."""
    return _items(bundles(document(payload)), shape)


def parse_facts(payload: bytes, identify: devices.Identify) -> Iterable[DeviceFacts]:
    """What the payload says of devices. Raises Unreadable before the first."""
    return _facts(bundles(document(payload)), identify)


def document(payload: bytes) -> Any:
    """FHIR in JSON, or in XML as R4 has it, with the digits of its numbers. Raises Unreadable."""
    if not payload.lstrip().startswith(b"<"):
        return json_payload.load_exact(payload)
    json_payload.check_size(payload)
    found = _from_xml(payload)
    if found is None:
        raise Unreadable("not-fhir-xml", "The payload is no resource of FHIR R4 in XML, or brings a document type of its own.")
    return found


def _from_xml(payload: bytes) -> Any:
    """None for what is none: the parser's own exception would carry the document along."""
    try:
        return from_xml(payload, decimal=_number)
    except NotFhirXml:
        return None


def _number(text: str) -> int | Number:
    """Raises ValueError."""
    if _DECIMAL.fullmatch(text) is None or written_decimal(text) is None:
        raise ValueError
    return Number(text)


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
