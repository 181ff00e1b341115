"""PoCD Observations -> readings. https://hl7.org/fhir/uv/pocd: numerics, sample arrays, enumerations, and compounds of them."""

from collections.abc import Iterable

from adapters.device_facts import DeviceFacts
from adapters.device_tree import DeviceTree
from adapters.fhir import items, trees
from adapters.fhir.devices import system_id
from adapters.fhir.observation import Shape
from adapters.reading import Item

SHAPE = Shape(identify=system_id, by_metric=True)


def parse(payload: bytes) -> Iterable[Item]:
    """Read a resource, a Bundle or a list of them. Raises Unreadable before the first item."""
    return items.parse(payload, SHAPE)


def device_trees(payload: bytes) -> Iterable[DeviceTree]:
    """Raises Unreadable before the first tree."""
    return trees.parse_trees(payload, SHAPE)


def device_facts(payload: bytes) -> Iterable[DeviceFacts]:
    """Raises Unreadable before the first fact."""
    return items.parse_facts(payload, system_id)
