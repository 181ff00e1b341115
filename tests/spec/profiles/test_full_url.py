"""What R4 says of Bundle.entry.fullUrl. https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.fullUrl"""

from typing import Any

import pytest

from fhir_profiles import r4

BASE = "https://example.org/fhir"


def bundle(full_url: str, **resource: Any) -> dict[str, Any]:
    entry = {"fullUrl": full_url, "resource": {"resourceType": "Patient", "active": True, **resource}}
    return {"resourceType": "Bundle", "type": "collection", "entry": [entry]}


@pytest.mark.parametrize(
    "full_url",
    [
        f"{BASE}/Patient/1",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "urn:oid:1.2.3",
        "https://example.org/Patient/1/_history/of/something",
        "https://example.org/Person/1?of=Visit/2",
    ],
)
def test_an_absolute_url_of_the_resource_is_right(full_url: str) -> None:
    """A urn says nothing about the id; a url that is none of a FHIR server cannot disagree with it."""
    assert r4.check(bundle(full_url, id="1")) == ()


@pytest.mark.parametrize(
    ("full_url", "key"),
    [
        ("Patient/1", "fullUrl"),
        ("1", "fullUrl"),
        (f"{BASE}/Patient/2", "fullUrl"),
        (f"{BASE}/Group/1", "fullUrl"),
        (f"{BASE}/Patient/1/_history/3", "bdl-8"),
    ],
)
def test_a_relative_url_one_of_a_version_or_of_something_else_is_refused(full_url: str, key: str) -> None:
    """The absolute URL of the resource; it SHALL NOT disagree with its id, and is a version-independent reference."""
    (found,) = r4.check(bundle(full_url, id="1"))
    assert (found.code, found.expression, found.text.partition(":")[0]) == ("invariant", "Bundle.entry[0]", key)
