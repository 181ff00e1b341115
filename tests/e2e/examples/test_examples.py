"""HL7's example resources of R4 come back as they were, decimals to the digit: JSON -> stored -> JSON and XML, JSON -> XML -> JSON.

https://hl7.org/fhir/R4/formats.html, https://hl7.org/fhir/R4/http.html#create, https://hl7.org/fhir/R4/datatypes.html#decimal
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles import r4
from fhir_profiles.xml import NotFhirXml, from_xml, to_xml
from hub import numbers
from security.scopes import CONFORMANCE
from tests.e2e.examples.given import WRONG, examples, read
from tests.spec.xml.test_round_trip import sorted_json
from tests.support.caller import FHIR_JSON, Caller
from tests.support.resources import actor, consent, organization, patient

Json = dict[str, Any]

FHIR_XML = "application/fhir+xml"
TYPES_MIN = 60
KNOWN = "example"
HERS = "Organization/1"
"""Who manages the patients of the examples."""
SCOPE = " ".join(["system/*.cruds", *(f"system/{type}.cruds" for type in sorted(CONFORMANCE))])
"""What says how others have to read the data is written with a scope that names it only."""
NOT_STORED = {
    "examples/auditevent-example.json": "the hub alone writes AuditEvents",
    "examples/operationoutcome-example.json": "no address: R4 has no interactions for OperationOutcome",
    "examples/parameters-example.json": "no address: R4 has no interactions for Parameters",
    "parameters-example-types.xml": "no address: R4 has no interactions for Parameters",
    "myconsent-profile.xml": "bears the id of a definition that comes with the hub",
}
"""Right examples that the hub does not take in, and why."""
ADOPTED = {
    "diagnosticreport-example-gingival-mass.json": "subject",
    "examples/detectedissue-example.json": "patient",
    "examples/observation-decimal.json": "subject",
    "examples/observation-decimal.xml": "subject",
    "examples/observation-example-20minute-apgar-score.xml": "subject",
    "examples/questionnaireresponse-example-bluebook.json": "subject",
    "observation-example-20minute-apgar-score.xml": "subject",
}
"""Examples that name nobody of this hub in the element which says whose they are: they are stored as a known patient's.

Law 1: nobody's consent could be asked for them as they are.
"""
NEEDED = {"examples/documentreference-example.json": "the Binary's securityContext"}
"""What has to be there before others, and for which."""


@pytest.fixture(scope="module")
def right() -> list[tuple[str, bytes]]:
    return [(name, body) for name, body in examples() if name not in WRONG]


@pytest.fixture(scope="module")
def writer(another: Callable[..., Caller], importer: Caller, right: list[tuple[str, bytes]]) -> Caller:
    """May bring ids and definitions; the patients whom the examples name are there."""
    assert importer.put(HERS, organization(id="1")).status_code in {200, 201}
    writer = another(SCOPE, organization=HERS, consent_default="opt-out", recorder=True, importer=True)
    writer = writer.narrowed(SCOPE)
    named = {found.decode() for _, body in right for found in re.findall(rb'"Patient/([A-Za-z0-9.\-]+)', body)}
    people = [patient(id=id, managingOrganization={"reference": HERS}) for id in sorted(named | {KNOWN})]
    entries = [{"resource": one, "request": {"method": "PUT", "url": f"Patient/{one['id']}"}} for one in people]
    answer = writer.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 200, answer.text
    for name, body in right:
        content = read(name, body)
        if content["resourceType"] == "Patient" and content.get("managingOrganization", {}).get("reference") != HERS:
            writer.create(consent(content["id"], provision={"actor": [actor(HERS)]}))
    return writer


def without_what_is_the_hubs(content: Json) -> str:
    """Versions and times are the server's: https://hl7.org/fhir/R4/resource.html#Meta"""
    meta = {name: value for name, value in content.get("meta", {}).items() if name not in {"versionId", "lastUpdated"}}
    rest = {name: value for name, value in content.items() if name != "meta"}
    return sorted_json({**rest, **({"meta": meta} if meta else {})})


def test_what_is_wrong_with_the_others_is_still_wrong() -> None:
    """The list of files that R4 does not allow is exact."""
    refused = set()
    for name, body in examples():
        try:
            wrong = r4.check(read(name, body))
        except NotFhirXml:
            wrong = (None,)
        if wrong:
            refused.add(name)
    assert refused == set(WRONG)


def test_the_examples_are_of_many_types(right: list[tuple[str, bytes]]) -> None:
    """A package that lost its examples would pass every other test."""
    assert len({read(name, body)["resourceType"] for name, body in right}) >= TYPES_MIN


def test_an_example_survives_xml(right: list[tuple[str, bytes]]) -> None:
    def through(content: Json, *, pretty: bool) -> Json:
        return from_xml(to_xml(content, pretty=pretty), decimal=numbers.number)

    for name, body in right:
        content = read(name, body)
        assert (name, sorted_json(through(content, pretty=False))) == (name, sorted_json(content))
        assert (name, sorted_json(through(content, pretty=True))) == (name, sorted_json(content))


def test_an_example_that_is_stored_comes_back_in_both_formats(writer: Caller, right: list[tuple[str, bytes]]) -> None:
    """Sent as it was published, with its own id, and read as JSON and as XML."""
    failed: dict[str, str] = {}
    for name, body in sorted(right, key=lambda one: one[0] not in NEEDED):
        if name not in NOT_STORED:
            fault = stored(writer, name, *adopted(name, body))
            if fault is not None:
                failed[name] = fault
    assert failed == {}


def adopted(name: str, body: bytes) -> tuple[Json, bytes]:
    """What is sent, parsed and in bytes: the file itself, but for those that name nobody of this hub."""
    content = read(name, body)
    if name not in ADOPTED:
        return content, body
    content = {**content, ADOPTED[name]: {"reference": f"Patient/{KNOWN}"}}
    content.pop("contained", None)  # the patient it was
    return content, numbers.dumps(content) if name.endswith(".json") else to_xml(content)


def stored(writer: Caller, name: str, content: Json, body: bytes) -> str | None:
    """What goes wrong on the way, if anything does."""
    path = content["resourceType"] + (f"/{content['id']}" if "id" in content else "")
    send = writer.put if "id" in content else writer.post
    answer = send(path, body, headers={"Content-Type": FHIR_JSON if name.endswith(".json") else FHIR_XML, "Prefer": "return=minimal"})
    if answer.status_code not in {200, 201}:
        return answer.text
    path = answer.headers["location"].partition("/_history/")[0] if "location" in answer.headers else path
    for format in (FHIR_JSON, FHIR_XML):
        answer = writer.get(path, headers={"Accept": format})
        if answer.status_code != 200:
            return answer.text
        back = numbers.loads(answer.content) if format == FHIR_JSON else from_xml(answer.content, decimal=numbers.number)
        expected = content if "id" in content else {**content, "id": back["id"]}
        if without_what_is_the_hubs(back) != without_what_is_the_hubs(expected):
            return f"comes back otherwise as {format}"
    return None
