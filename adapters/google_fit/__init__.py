"""Google Fit REST API and its exports: data points (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.google_fit.mapping import MEASURES
from adapters.google_fit.parse import parse
from adapters.google_fit.simulate import SIMULATOR
from adapters.reading import Item


class GoogleFit:
    """See README.md beside this file."""

    manifest = Manifest(
        name="google-fit",
        version="1.0.0",
        product="Google Fit REST API, dataset",
        manufacturer="Google",
        media_types=("application/json",),
        identifier_system="https://developers.google.com/fit/rest/v1/reference/users/dataSources#device",
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("utc",),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = GoogleFit()
