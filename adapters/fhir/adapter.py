"""What the adapters of FHIR have in common: everything stands in the payload, and the payload says what its Devices are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.device_facts import DeviceFacts
from adapters.fhir.devices import FACTS_MARKS
from adapters.kit.scene import Simulator
from adapters.reading import Item


@dataclass(frozen=True, kw_only=True)
class FhirAdapter:
    """An adapter (adapters/contract.py) made of two functions of a payload; each raises Unreadable before the first item or fact, or never.

    parse  the readings; facts  what the Devices say of themselves
    """

    manifest: Manifest
    simulator: Simulator
    parse: Callable[[bytes], Iterable[Item]]
    facts: Callable[[bytes], Iterable[DeviceFacts]]
    facts_marks = FACTS_MARKS

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return self.parse(payload)

    def device_facts(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceFacts]:  # noqa: ARG002 - as above
        return self.facts(payload)
