"""The FHIR that comes out of a fixture, written beside it for a person to look at; from then on a test holds it."""

from pathlib import Path

from hub.cli.kit.bench import written
from hub.cli.kit.subject import GOLDEN, Found, payloads
from hub.ingest.doubt import Doubt


def write(found: Found) -> list[Path]:
    """One resource a line, with all its digits; readings that the hub keeps waiting give none."""
    return [_write(found, path) for path in payloads(found.fixtures)]


def _write(found: Found, path: Path) -> Path:
    subject = found.subject()
    fixture = next(one for one in subject.fixtures if one.name == path.name)
    lines = [made for reading in subject.outcome(fixture).readings if not isinstance(made := written(reading), Doubt)]
    beside = path.with_name(path.name + GOLDEN)
    beside.write_bytes(b"[\n" + b",\n".join(lines) + b"\n]\n")
    return beside
