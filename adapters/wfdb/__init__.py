"""WFDB, the format of PhysioNet: a header and its signal files in one ZIP."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.reading import Item
from adapters.wfdb.mapping import MEASURES
from adapters.wfdb.parse import parse
from adapters.wfdb.simulate import SIMULATOR


class Wfdb:
    """See README.md beside this file."""

    manifest = Manifest(
        name="wfdb",
        version="1.0.0",
        product="WFDB record (.hea with its .dat) in a ZIP, formats 16, 80 and 212",
        manufacturer="unknown",
        media_types=("application/zip",),
        identifier_system="urn:hds-hub:wfdb:recorder",
        needs_time_zone=True,
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("local",),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = Wfdb()
