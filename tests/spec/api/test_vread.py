"""FHIR vread. https://hl7.org/fhir/R4/http.html#vread"""

import pytest

from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, organization


def test_each_version_stays_readable_as_it_was(ehr: Caller) -> None:
    """http.html#vread: the content of that version, with its own version id and time."""
    first = ehr.create(organization("Un"))
    second = ehr.update({**first, "name": "Deux"})
    third = ehr.update({**second, "name": "Trois"})
    for version in (first, second, third):
        answer = ehr.get(f"Organization/{first['id']}/_history/{version['meta']['versionId']}")
        assert answer.status_code == 200
        assert answer.json() == version
        assert answer.headers["etag"] == f'W/"{version["meta"]["versionId"]}"'


def test_versions_are_counted_from_one_without_gaps(ehr: Caller) -> None:
    """http.html#versioning: every update makes a new version; ours are numbers of that resource alone (SECURITY 2.4, 70)."""
    made = ehr.create(organization("Un"))
    versions = [made["meta"]["versionId"]]
    for name in ("Deux", "Trois", "Quatre"):
        made = ehr.update({**made, "name": name})
        versions.append(made["meta"]["versionId"])
    assert versions == ["1", "2", "3", "4"]


@pytest.mark.parametrize("version", ["0", "2", "999999999", "9" * 40, "-1", "1.0", "01", "x", "%31%00", "²", "1 "])
def test_a_version_that_there_is_not_is_not_found(ehr: Caller, version: str) -> None:
    """http.html#vread: 404 for a version id that is not known."""
    made = ehr.create(organization())
    refused(ehr.get(f"Organization/{made['id']}/_history/{version}"), 404, "not-found")


def test_a_version_of_an_absent_resource_is_not_found(ehr: Caller) -> None:
    refused(ehr.get(f"Organization/{ABSENT}/_history/1"), 404, "not-found")
    refused(ehr.get(f"Organization/{ABSENT}/_history/x"), 404, "not-found")
