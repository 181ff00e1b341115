"""What payloads in FHIR become: the hub's own FHIR beside each fixture, which somebody has looked at.

Make it again with `hub adapters test NAME --write-golden` and look at the difference.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.discovery import adapters
from adapters.reading import Reading
from hub.cli.kit.bench import written
from hub.ingest.doubt import Doubt
from tests.support.known import fixtures

FOLDERS = ("ans", "cied", "phd", "pocd")
GOLDEN = ".fhir.json"
FIXTURES = [path for folder in FOLDERS for path in fixtures(folder)]


def read(text: bytes) -> Any:
    """JSON with the digits as they stand: 78 is not 78.0."""
    return json.loads(text, parse_float=str, parse_int=str)


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_fixture_becomes_the_fhir_that_was_looked_at(fixture: Path) -> None:
    """Each reading becomes one resource, and none is left waiting."""
    items = adapters()[fixture.parent.name.replace("_", "-")].decode(fixture.read_bytes())
    made = [written(item) for item in items if isinstance(item, Reading)]
    assert [one for one in made if isinstance(one, Doubt)] == []
    assert [read(one) for one in made if not isinstance(one, Doubt)] == read(fixture.with_name(fixture.name + GOLDEN).read_bytes())
