"""The payloads there are for each adapter: fixtures of our own, and real samples beside the checkout."""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from tests.support.samples import SAMPLES_TABLE

FIXTURES = Path(__file__).resolve().parents[1] / "adapters" / "fixtures"
BESIDE = (".fhir.json", ".expected.json", ".context.json", ".names.json", "exemptions.json")
"""Ends of the names of what stands beside a fixture: the FHIR that it becomes, and what the conformance kit is told of it."""
SAMPLES_OF: Mapping[str, tuple[str, ...]] = {
    name: tuple(one.path for one in samples)
    for name, samples in groupby(
        sorted((one for one in SAMPLES_TABLE if one.is_sent_as_it_is), key=lambda one: one.adapter), key=lambda one: one.adapter
    )
}
"""Real payloads by adapter, as paths below the folder of samples."""


def fixtures(folder: str = "*") -> list[Path]:
    """The fixtures of one adapter's folder, or of all."""
    return sorted(path for path in FIXTURES.glob(f"{folder}/*") if not path.name.endswith(BESIDE))
