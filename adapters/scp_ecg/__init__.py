"""SCP-ECG (EN 1064): the file in which electrocardiographs exchange resting ECGs."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.reading import Item
from adapters.scp_ecg.mapping import MEASURES
from adapters.scp_ecg.parse import parse
from adapters.scp_ecg.simulate import SIMULATOR


class ScpEcg:
    """See README.md beside this file."""

    manifest = Manifest(
        name="scp-ecg",
        version="1.0.0",
        product="SCP-ECG (EN 1064), rhythm data",
        manufacturer="unknown",
        media_types=("application/scp-ecg", "application/octet-stream"),
        identifier_system="urn:hds-hub:scp-ecg:serial-number",
        needs_time_zone=True,
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("local", "offset"),
        evidence="synthetic",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = ScpEcg()
