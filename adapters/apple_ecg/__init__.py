"""Apple Health export, electrocardiograms (CSV)."""

from collections.abc import Iterable

from adapters.apple_ecg.mapping import MEASURES
from adapters.apple_ecg.parse import parse
from adapters.apple_ecg.simulate import SIMULATOR
from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.reading import Item


class AppleEcg:
    """See README.md beside this file."""

    manifest = Manifest(
        name="apple-ecg",
        version="1.0.0",
        product="Apple Health, electrocardiograms (CSV)",
        manufacturer="Apple Inc.",
        media_types=("text/csv",),
        identifier_system="https://developer.apple.com/documentation/healthkit/hkelectrocardiogram#device",
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("utc",),
        evidence="synthetic",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = AppleEcg()
