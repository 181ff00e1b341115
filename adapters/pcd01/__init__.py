"""IHE DEC PCD-01: what monitors, pumps, ventilators, beds and their gateways send in hospitals."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.device_tree import DeviceTree
from adapters.hl7v2.terms import ALL_MEASURES
from adapters.pcd01.parse import parse
from adapters.pcd01.parts import device_trees
from adapters.pcd01.simulate import SIMULATOR
from adapters.reading import Item


class Pcd01:
    """See README.md beside this file."""

    manifest = Manifest(
        name="pcd01",
        version="1.0.0",
        product="IHE DEC PCD-01, HL7 v2 ORU^R01 with IEEE 11073 codes (monitors, pumps, ventilators, beds)",
        manufacturer="unknown",
        media_types=("application/hl7-v2+er7", "text/plain"),
        identifier_system="urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680",
        needs_time_zone=True,
        measures=ALL_MEASURES,
        transports=("mllp", "push", "file"),
        time_kinds=("offset", "local"),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)

    def device_trees(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceTree]:  # noqa: ARG002 - as above
        """Read the rows of the containment tree."""
        return device_trees(payload)


adapter = Pcd01()
