"""Conditional create, update, patch and delete inside Bundles, and 32 at once. FHIR.md 4b.5; https://hl7.org/fhir/R4/http.html#cond-update"""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.spec.api.test_transaction import bundle, entry
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import organization, replacing

Json = dict[str, Any]
SYSTEM = "urn:conditional-bundle"
RENAMED = [{"op": "replace", "path": "/name", "value": "Autre"}]
PATCH = replacing("Organization.name", "Autre")
WHERE = {"POST": "Bundle.entry[0].request.ifNoneExist", "PUT": "Bundle.entry[0].request.url"}
STATUS: dict[tuple[str, int], tuple[str, int]] = {
    ("POST", 0): ("201", 1),
    ("POST", 1): ("200", 1),
    ("PUT", 0): ("201", 1),
    ("PUT", 1): ("200", 1),
    ("PATCH", 0): ("404", 0),
    ("PATCH", 1): ("200", 1),
    ("DELETE", 0): ("404", 0),
    ("DELETE", 1): ("204", 0),
    **{(verb, 2): ("412", 2) for verb in ("POST", "PUT", "PATCH", "DELETE")},
}
"""(verb, matches before) -> status, and how many there are afterwards."""


def keyed(value: str) -> Json:
    return organization("Visée", identifier=[{"system": SYSTEM, "value": value}])


def conditional(verb: str, value: str) -> Json:
    query = f"identifier={SYSTEM}|{value}"
    if verb == "POST":
        return entry("POST", "Organization", keyed(value), ifNoneExist=query)
    body = {"PUT": {**keyed(value), "name": "Autre"}, "PATCH": PATCH}.get(verb)
    return entry(verb, f"Organization?{query}", body)


@pytest.mark.parametrize("type", ["batch", "transaction"])
@pytest.mark.parametrize(("verb", "matches"), STATUS, ids=str)
def test_each_verb_with_none_one_and_many_matches(ehr: Caller, verb: str, matches: int, type: str) -> None:
    """FHIR.md 4b.5: "each with 0, 1, many matches; in batch, in transaction". A transaction is refused as a whole."""
    value = secrets.token_hex(8)
    for _ in range(matches):
        ehr.create(keyed(value))
    status, after = STATUS[verb, matches]
    answer = ehr.post("/fhir", bundle(conditional(verb, value), type=type))
    if type == "transaction" and status > "400":
        code = "not-found" if status == "404" else "multiple-matches"
        where = WHERE.get(verb, WHERE["PUT"]) if status == "412" else "Bundle.entry[0]"
        refused(answer, int(status), code, expression=where)
    else:
        assert answer.status_code == 200, answer.text
        assert answer.json()["entry"][0]["response"]["status"].startswith(status)
    assert len(ehr.found(f"Organization?identifier={SYSTEM}|{value}")) == after


def at_once(ehr: Caller, verb: str, path: str, content: bytes | None) -> list[httpx.Response]:
    assert ehr.token
    headers = {"Content-Type": "application/json-patch+json"}
    with ThreadPoolExecutor(32) as threads:
        return list(threads.map(lambda _: ehr.request(verb, path, content=content, headers=headers), range(32)))


def test_of_many_conditional_deletes_at_once_one_deletes(ehr: Caller) -> None:
    """FHIR.md 4b.5: 32 at once; whoever comes later finds nothing, and there is one deletion."""
    value = secrets.token_hex(8)
    made = ehr.create(keyed(value))
    answers = at_once(ehr, "DELETE", f"Organization?identifier={SYSTEM}|{value}", None)
    assert {answer.status_code for answer in answers} <= {204, 404}
    assert {answer.headers["etag"] for answer in answers if answer.status_code == 204} == {'W/"2"'}
    assert ehr.get(f"Organization/{made['id']}/_history?_count=0").json()["total"] == 2


def test_of_many_conditional_patches_at_once_none_is_lost(ehr: Caller) -> None:
    """FHIR.md 4b.5: 32 at once, each adding an alias: all of them are there in the end, one version for each."""
    value = secrets.token_hex(8)
    made = ehr.create({**keyed(value), "alias": ["premier"]})
    operations = json.dumps([{"op": "add", "path": "/alias/-", "value": "encore"}]).encode()
    answers = at_once(ehr, "PATCH", f"Organization?identifier={SYSTEM}|{value}", operations)
    assert [answer.status_code for answer in answers] == [200] * 32, {answer.text for answer in answers}
    assert sorted(int(answer.json()["meta"]["versionId"]) for answer in answers) == [*range(2, 34)]
    assert len(ehr.get(f"Organization/{made['id']}").json()["alias"]) == 33
