"""Decimals keep their digits on every way in and out: 74.10 is more precise than 74.1. https://hl7.org/fhir/R4/datatypes.html#decimal"""

import json
import re

import httpx
import pytest

from tests.support.caller import Caller
from tests.support.resources import observation, patient

DIGITS = ("74.10", "116.0", "0.000", "-3.1400", "100", "12345678.123456780")
VALUE = re.compile(r'"value":\s*(-?[0-9.eE+-]+)')
IN_XML = re.compile(r'<valueQuantity><value value="([^"]+)"')


def told(answer: httpx.Response) -> set[str]:
    assert answer.is_success, answer.text
    return set(VALUE.findall(answer.text))


@pytest.mark.parametrize("digits", DIGITS)
def test_every_digit_that_was_sent_is_there_again(ehr: Caller, digits: str) -> None:
    """Law 6."""
    person = ehr.create(patient("Chiffres"))["id"]
    sent = re.sub(VALUE, f'"value": {digits}', json.dumps(observation(person, note=[{"text": "un"}])))
    made = ehr.post("Observation", sent.encode())
    id = made.json()["id"]
    operations = [{"op": "replace", "path": "/note/0/text", "value": "deux"}]
    patched = ehr.request(
        "PATCH", f"Observation/{id}", content=json.dumps(operations).encode(), headers={"Content-Type": "application/json-patch+json"}
    )
    assert patched.json()["meta"]["versionId"] == "2"
    for answer in (
        made,
        patched,
        *(ehr.get(f"Observation{way}") for way in (f"/{id}", f"/{id}/_history/1", f"/{id}/_history", f"?patient={person}")),
    ):
        assert told(answer) == {digits}
    assert set(IN_XML.findall(ehr.get(f"Observation/{id}?_format=xml").text)) == {digits}
