"""PHD Observations -> readings. http://hl7.org/fhir/uv/phd"""

from collections.abc import Iterable

from adapters.device_facts import DeviceFacts
from adapters.fhir import items
from adapters.fhir.bundle import Bundle, Entry
from adapters.fhir.devices import system_id
from adapters.fhir.observation import Shape
from adapters.fhir.terms import codings
from adapters.json_values import Json, part
from adapters.phd.mapping import SUPPLEMENTAL_TYPES
from adapters.reading import Item
from adapters.refusal import ItemRefused


def check(bundle: Bundle, entry: Entry, device: Json | None) -> None:  # noqa: ARG001 - as every check is called
    """What PhdBaseObservation wants. Its identifier is for conditional creation, and is neither read nor kept."""
    fields = entry.resource
    if not part(fields, "subject"):
        raise ItemRefused(
            "subject-missing", "An Observation of PHD has a `subject`; the hub takes whose it is from the pairing.", keep=False
        )
    if not any(True for _ in codings(fields.get("code"))):
        raise ItemRefused("code-missing", "An Observation of PHD has a code of IEEE 11073 (urn:iso:std:iso:11073:10101).", keep=False)


SHAPE = Shape(identify=system_id, check=check, silent=frozenset({SUPPLEMENTAL_TYPES}))


def parse(payload: bytes) -> Iterable[Item]:
    """Read a resource, a Bundle or a list of them. Raises Unreadable before the first item."""
    return items.parse(payload, SHAPE)


def device_facts(payload: bytes) -> Iterable[DeviceFacts]:
    """Raises Unreadable before the first fact."""
    return items.parse_facts(payload, system_id)
