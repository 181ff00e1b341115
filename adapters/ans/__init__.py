"""ANS "Mesures de santé": the transaction Bundles that feed Mon espace santé."""

from collections.abc import Iterable

from adapters.ans.mapping import MEASURES
from adapters.ans.parse import device_facts, parse
from adapters.ans.simulate import SIMULATOR
from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.device_facts import DeviceFacts
from adapters.fhir.devices import FACTS_MARKS
from adapters.reading import Item


class Ans:
    """See README.md beside this file."""

    manifest = Manifest(
        name="ans",
        version="1.0.0",
        product='ANS "Mesures de santé" 3.1.1, transaction Bundles (IHE PCH-01)',
        manufacturer="unknown",
        media_types=("application/fhir+json", "application/json"),
        identifier_system="http://hds-hub.invalid/fhir/NamingSystem/ans-device",
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("utc", "offset"),
        evidence="vendor-documentation",
    )
    facts_marks = FACTS_MARKS
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)

    def device_facts(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceFacts]:  # noqa: ARG002 - as above
        """Read the PhdDevice of each Bundle."""
        return device_facts(payload)


adapter = Ans()
