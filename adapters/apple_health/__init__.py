"""Apple Health export (export.xml)."""

from collections.abc import Iterable, Iterator

from adapters.apple_health.mapping import MEASURES
from adapters.apple_health.parse import Source, parse, parse_stream
from adapters.apple_health.simulate import SIMULATOR
from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.reading import Item


class AppleHealth:
    """See README.md beside this file."""

    manifest = Manifest(
        name="apple-health",
        version="1.0.0",
        product="Apple Health, export.xml",
        manufacturer="Apple Inc.",
        media_types=("application/xml", "text/xml"),
        identifier_system="https://developer.apple.com/documentation/healthkit#export",
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("utc", "offset"),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)

    def decode_stream(self, source: Source, context: Context = NO_CONTEXT) -> Iterator[Item]:  # noqa: ARG002
        """As `decode`, for a file of any size that is read in pieces; what it needs of memory does not grow with the file."""
        return parse_stream(source)


adapter = AppleHealth()
