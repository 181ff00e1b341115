"""hub export shape: a patient's measurements in another shape, resource by resource. docs/shapes.md."""

from pathlib import Path

import pytest

from tests.spec.shapes import naive
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.resources import LOINC, WEIGHT, concept, device, observation, patient

MDC = "urn:iso:std:iso:11073:10101"
SYSID = {"system": "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", "value": "74E8FFFEFF051C00"}
OID = "urn:oid:1.2.250.1.99999.7"


@pytest.fixture
def person(ehr: Caller) -> str:
    """60 weights, so that there is more than one page, and a heart rate that no device took."""
    ins = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}
    of: str = ehr.create(patient("Export", identifier=[ins]))["id"]
    scale = ehr.create(device("Balance", identifier=[SYSID], manufacturer="Exemple", modelNumber="B1"))
    code = {"coding": [*concept(LOINC, WEIGHT)["coding"], *concept(MDC, "188736")["coding"]]}
    for minute in range(60):
        made = {**observation(of, WEIGHT, 0, at=f"2026-03-01T07:{minute:02d}:00Z"), "code": code}
        body = str({**made, "device": {"reference": f"Device/{scale['id']}"}}).replace("'", '"').replace('"value": 0,', '"value": 74.50,')
        assert ehr.post("Observation", body).status_code == 201
    ehr.create(observation(of, at="2026-03-01T09:00:00Z"))
    return of


def test_all_pages_are_printed_a_resource_a_line_with_their_digits(running: Running, ehr: Caller, person: str, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(ehr.account.key)
    common = ("--base-url", running.process.url, "--client-id", ehr.account.id, "--key", str(key))

    done = running.process.command("export", "shape", "phd", f"Patient/{person}", *common, data=False)
    assert done.code == 0, done.err
    printed = [one["resource"]["resourceType"] for one in done.lines()]
    assert (printed.count("Observation"), printed.count("Device")) == (60, 2)
    assert done.out.count('"value":74.50,') == 60
    assert "No place in phd" in done.err

    done = running.process.command("export", "shape", "ans", person, *common, "--source", OID, "--end", "2026-03-01T07:01:30Z", data=False)
    assert [fault for one in done.lines() for fault in naive.ans_bundle(one["resource"], OID)] == []
    assert len(done.lines()) == 2

    done = running.process.command("export", "shape", "openehr", person, *common, data=False)
    assert (done.code, done.out) == (1, "")
    assert "must be one of phd, ans, hddt" in done.err.replace("\n", " ")
