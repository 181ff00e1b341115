"""HEAD on everything that can be got. https://hl7.org/fhir/R4/http.html#head; RFC 9110 9.3.2; FHIR.md 4b.2."""

from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.resources import ABSENT, observation, patient

Json = dict[str, Any]

OWN = frozenset({"date", "x-request-id", "content-length"})
"""Each answer has its own; the length of a Bundle with page links may differ by the links."""


@pytest.fixture(scope="module")
def reading(ehr: Caller) -> Json:
    made = ehr.create(observation(ehr.create(patient())["id"]))
    return ehr.update(made, status="amended")


@pytest.fixture(scope="module")
def deleted(ehr: Caller) -> Json:
    made = ehr.create(observation(ehr.create(patient())["id"]))
    ehr.request("DELETE", f"Observation/{made['id']}")
    return made


PATHS = {
    "read": ("Observation/{reading}", 200),
    "vread": ("Observation/{reading}/_history/1", 200),
    "history of an instance": ("Observation/{reading}/_history", 200),
    "history of a type": ("Observation/_history?_since=2126", 200),
    "history of the system": ("_history?_since=2126", 200),
    "search": ("Observation?_id={reading}", 200),
    "absent": ("Observation/" + ABSENT, 404),
    "deleted": ("Observation/{deleted}", 410),
    "malformed": ("Observation?date=never", 400),
    "capabilities": ("metadata", 200),
}


@pytest.mark.parametrize("what", PATHS)
def test_head_says_what_get_would_say_without_the_content(ehr: Caller, reading: Json, deleted: Json, what: str) -> None:
    path, status = PATHS[what]
    got, headed = (ehr.request(method, path.format(reading=reading["id"], deleted=deleted["id"])) for method in ("GET", "HEAD"))
    assert (got.status_code, headed.status_code, headed.content) == (status, status, b"")
    assert {name: value for name, value in headed.headers.items() if name not in OWN} == {
        name: value for name, value in got.headers.items() if name not in OWN
    }
    if what in ("read", "vread", "history of an instance", "deleted", "absent"):
        assert headed.headers["content-length"] == got.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize("what", ["read", "vread", "history of an instance", "search", "absent", "deleted"])
def test_head_is_recorded_as_get_is(ehr: Caller, reading: Json, deleted: Json, backstage: Backstage, what: str) -> None:
    """Law 2: that something is there is told by HEAD as well."""
    path = PATHS[what][0].format(reading=reading["id"], deleted=deleted["id"])
    got, headed = (backstage.records(ehr.request(method, path).headers["x-request-id"]) for method in ("GET", "HEAD"))
    assert [(one.kind, one.outcome, one.patient is None) for one in headed] == [(one.kind, one.outcome, one.patient is None) for one in got]
    assert len(headed) == 2 or what == "search"
