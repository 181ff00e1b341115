"""With the mapping that read it, deriving a reading anew changes nothing: for every adapter, on each of its fixtures.

docs/adr/0017-rederivation.md: what is kept of a reading is enough to make it again, to the digit.
"""

from pathlib import Path

import pytest

from adapters.contract import Context
from adapters.discovery import adapters
from hub.ingest.devices import device_token
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.known import fixtures
from tests.support.payloads import identifier_system
from tests.support.rederiving import Bench
from tests.support.resources import patient


@pytest.mark.parametrize("fixture", fixtures(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_with_an_unchanged_mapping_nothing_changes(backstage: Backstage, ehr: Caller, fixture: Path) -> None:
    """Every stored reading of the fixture is opened, read again and found to be the same; none is left out."""
    person = str(ehr.create(patient())["id"])
    name, unit = fixture.parent.name.replace("_", "-"), f"any-{person}"
    adapter = adapters()[name]
    items = list(adapter.decode(fixture.read_bytes(), Context(device=unit)))
    for identifier in {item.device or unit for item in items}:
        free(backstage, name, identifier)
        backstage.pair(identifier_system(name), identifier, f"Patient/{person}", from_us=0)
    bench = Bench(backstage, ehr.account, name)
    answers = bench.ingest(fixture.read_bytes(), device=unit, zone="Europe/Paris", by=adapter)
    rows = {one.resource for one in answers if one.fate in ("stored", "corrected", "duplicate")}
    assert rows, answers
    plan = bench.plan(person, by=adapter)
    assert (dict(plan.kinds), dict(plan.left), plan.rows) == ({"unchanged": len(rows)}, {}, [])


def free(backstage: Backstage, name: str, identifier: str) -> None:
    """The unit of a fixture may be on somebody else, of another test."""
    token = device_token(backstage.hub.services, identifier_system(name), identifier)
    backstage.admin["hub"]["pairings"].delete_many({"dv": token})
