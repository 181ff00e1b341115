"""EDF, EDF+, BDF: recordings of biosignals, sleep stages, and the card of a ResMed device."""

from collections.abc import Iterable, Iterator

from adapters.contract import NO_CONTEXT, Context, Manifest, Source
from adapters.edf.mapping import MEASURES
from adapters.edf.parse import parse
from adapters.edf.simulate import SIMULATOR
from adapters.edf.stream import parse_stream
from adapters.reading import Item


class Edf:
    """See README.md beside this file."""

    manifest = Manifest(
        name="edf",
        version="1.0.0",
        product="European Data Format: EDF, EDF+C, EDF+D, BDF; ResMed STR.edf",
        manufacturer="unknown",
        media_types=("application/edf", "application/octet-stream"),
        identifier_system="urn:hds-hub:edf:serial-number",
        needs_time_zone=True,
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("local",),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)

    def decode_stream(self, source: Source, context: Context = NO_CONTEXT) -> Iterator[Item]:  # noqa: ARG002
        """As `decode`, for a recording of any length."""
        return parse_stream(source)


adapter = Edf()
